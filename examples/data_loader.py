"""A data loader for training that prefetches batches into two buffers.

While the model learns from one buffer, the next batch is read into the other, straight from the socket.
Two arrays are enough, however many batches are read. Reads release the GIL, so one thread is enough to
prefetch. `out` takes any writable array, including page-locked memory of a GPU library.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

import aerospike_py as aerospike
from aerospike_py import Client, Keys, NumpyBatchRecords
from aerospike_py.testing import DevServer

NAMESPACE, SET = "test", "training"
SAMPLES, FEATURES, BATCH = 4_096, 8, 256

SAMPLE = np.dtype([("x", "f4", (FEATURES,)), ("y", "f4")])


class Loader:
    """Yields batches of samples, in a new order in each epoch.

    A batch is valid until the next one is requested, which reuses its buffer.
    """

    def __init__(self, client: Client, samples: int, batch: int) -> None:
        if samples % batch:
            raise ValueError(f"samples is {samples}; it must be a multiple of the batch size, {batch}")
        self._client = client
        self._samples = samples
        self._buffers = [np.empty(batch, SAMPLE) for _ in range(2)]
        self._random = np.random.default_rng(3)
        self._ahead = ThreadPoolExecutor(1, "loader")

    def __iter__(self) -> Iterator[npt.NDArray[np.void]]:
        size = len(self._buffers[0])
        batches = self._random.permutation(self._samples).reshape(-1, size)
        pending = self._ahead.submit(self._read, batches[0], self._buffers[0])
        for number in range(len(batches)):
            batch = pending.result()
            if number + 1 < len(batches):
                pending = self._ahead.submit(self._read, batches[number + 1], self._buffers[(number + 1) % 2])
            if not batch.ok.all():
                raise RuntimeError(f"samples are missing: {batch!r}")
            yield batch.batch_records

    def _read(self, ids: npt.NDArray[np.int64], out: npt.NDArray[np.void]) -> NumpyBatchRecords:
        return self._client.batch_read(Keys(NAMESPACE, SET, ids), _dtype=SAMPLE, out=out)

    def close(self) -> None:
        self._ahead.shutdown()


def write(client: Client, weights: npt.NDArray[np.float32]) -> None:
    """Writes samples of a linear function."""
    samples = np.zeros(SAMPLES, SAMPLE)
    samples["x"] = np.random.default_rng(5).normal(size=(SAMPLES, FEATURES))
    samples["y"] = samples["x"] @ weights
    client.batch_write_numpy(samples, NAMESPACE, SET, keys=np.arange(SAMPLES)).raise_for_failures()


def main() -> None:
    truth = np.linspace(-1, 1, FEATURES, dtype="f4")
    weights = np.zeros(FEATURES, "f4")
    with DevServer() as server, aerospike.client(server.config).connect() as client:
        write(client, truth)
        loader = Loader(client, SAMPLES, BATCH)
        memory = set()
        for epoch in range(3):
            loss = 0.0
            for batch in loader:
                memory.add(batch.__array_interface__["data"][0])
                error = batch["x"] @ weights - batch["y"]
                weights -= 0.1 * batch["x"].T @ error / len(batch)
                loss += float(error @ error)
            print(f"epoch {epoch}: mean squared error {loss / SAMPLES:.6f}")
        loader.close()
    print(f"{3 * SAMPLES} samples read into {len(memory)} buffers; weights {weights.round(3)}")
    if not np.allclose(weights, truth, atol=0.01):
        raise SystemExit(f"the weights are {truth}")


if __name__ == "__main__":
    main()
