"""The model: two layers in NumPy, or a model in a file for onnxruntime.

It stands in for yours. FEATURES_MODEL names an ONNX file whose input is a float32 matrix with a row per item
and whose first output is a score per row.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .features import WIDTH

Matrix = npt.NDArray[np.float32]
Model = Callable[[Matrix], Matrix]


def load() -> Model:
    """The model of this process, loaded once at its start."""
    path = os.environ.get("FEATURES_MODEL")
    return _from_file(path) if path else _stub()


def _stub() -> Model:
    random = np.random.default_rng(7)
    first = random.normal(size=(WIDTH, 32)).astype("f4") / WIDTH
    second = random.normal(size=32).astype("f4")

    def score(matrix: Matrix) -> Matrix:
        hidden = np.maximum(matrix @ first, 0)
        result: Matrix = hidden @ second
        return result

    return score


def _from_file(path: str) -> Model:
    import onnxruntime  # type: ignore[import-not-found, import-untyped, unused-ignore]

    session: Any = onnxruntime.InferenceSession(path)
    name = session.get_inputs()[0].name

    def score(matrix: Matrix) -> Matrix:
        result: Matrix = np.asarray(session.run(None, {name: matrix})[0]).reshape(len(matrix))
        return result

    return score
