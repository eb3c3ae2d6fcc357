"""Matrices go into models as they are: a tensor of PyTorch, and a model in an ONNX file.

`.venv` has neither PyTorch nor onnxruntime; `make test-consumers` runs these tests.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aerospike_py import Keys
from tests.support import ROOT

pytestmark = pytest.mark.embedded


@pytest.fixture
def matrix(client: Any, fresh_set: str) -> Any:
    """What `read_matrix` returns for 50 records with the columns of the feature service's model."""
    features = pytest.importorskip("examples.feature_service.features")
    names = [f"c{number}" for number in range(features.WIDTH)]
    rows = np.zeros(50, [(name, "f4") for name in names])
    for number, name in enumerate(names):
        rows[name] = np.arange(50) * 0.25 - number
    client.batch_write_numpy(rows, "test", fresh_set, keys=np.arange(50)).raise_for_failures()
    return client.read_matrix([(Keys("test", fresh_set, np.arange(51)), names)], fill=features.MISSING)


def test_a_tensor_has_the_memory_of_the_matrix(matrix: Any) -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(matrix.matrix)
    assert tensor.data_ptr() == matrix.matrix.ctypes.data
    assert (tensor.dtype, tuple(tensor.shape)) == (torch.float32, matrix.matrix.shape)
    assert tensor[50].tolist() == [-1.0] * len(matrix.columns)
    assert torch.from_dlpack(matrix.matrix).data_ptr() == matrix.matrix.ctypes.data


def test_the_example_reads_into_a_tensor() -> None:
    pytest.importorskip("torch")
    answer = subprocess.run(
        [sys.executable, "examples/features_torch.py"], cwd=ROOT, capture_output=True, text=True, timeout=100
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "1000 scores from" in answer.stdout
    assert answer.stdout.endswith("in the memory of the tensor\n")


def test_the_service_takes_a_model_in_an_onnx_file(
    matrix: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from examples.feature_service import model

    width = len(matrix.columns)
    weights = np.random.default_rng(3).normal(size=width).astype("f4")
    kinds, helper = onnx.TensorProto, onnx.helper
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["matrix", "weights"], ["score"])],
        "linear",
        [helper.make_tensor_value_info("matrix", kinds.FLOAT, [None, width])],
        [helper.make_tensor_value_info("score", kinds.FLOAT, [None])],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    path = tmp_path / "model.onnx"
    # Versions that onnxruntime reads, whatever onnx would write.
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    monkeypatch.setenv("FEATURES_MODEL", str(path))
    scores = model.load()(matrix.matrix)
    assert scores.shape == (51,)
    np.testing.assert_allclose(scores, matrix.matrix @ weights, rtol=1e-4, atol=1e-4)
