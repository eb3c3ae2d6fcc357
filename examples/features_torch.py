"""Reads features of two sets into one matrix and hands it to PyTorch without a copy.

    python examples/features_torch.py

The matrix is written into memory that PyTorch allocated. With a GPU, that memory is page-locked, so that the
copy to the device runs beside the next read.
"""

from __future__ import annotations

import sys

import numpy as np

import aerospike_py as aerospike
from aerospike_py import Keys
from aerospike_py.testing import DevServer

ENTITIES = 1_000
COLUMNS = ["clicks", "spent", "age"]


def main() -> None:
    try:
        import torch
    except ImportError:
        print("this example needs PyTorch: pip install torch")
        sys.exit(0)

    with DevServer() as server, aerospike.client(server.config) as client:
        users = np.zeros(ENTITIES, [("clicks", "i4"), ("spent", "f8")])
        users["clicks"], users["spent"] = np.arange(ENTITIES), np.arange(ENTITIES) / 8
        people = np.zeros(ENTITIES, [("age", "i4")])
        people["age"] = 20 + np.arange(ENTITIES) % 50
        for rows, name in ((users, "users"), (people, "people")):
            client.batch_write_numpy(rows, "test", name, keys=np.arange(ENTITIES)).raise_for_failures()

        has_gpu = torch.cuda.is_available()
        buffer = torch.empty((ENTITIES, len(COLUMNS)), dtype=torch.float32, pin_memory=has_gpu)
        ids = np.arange(ENTITIES)
        features = client.read_matrix(
            [(Keys("test", "users", ids), COLUMNS[:2]), (Keys("test", "people", ids), COLUMNS[2:])],
            # The array has the memory of the tensor.
            out=buffer.numpy(),
        )
        if features.matrix.ctypes.data != buffer.data_ptr():
            raise SystemExit("the matrix is a copy")

        device = "cuda" if has_gpu else "cpu"
        inputs = buffer.to(device, non_blocking=True)
        model = torch.nn.Linear(len(COLUMNS), 1).to(device)
        with torch.inference_mode():
            scores = model(inputs)
        print(f"{len(scores)} scores from {features} on {device}, in the memory of the tensor")


if __name__ == "__main__":
    main()
