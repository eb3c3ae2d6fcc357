"""A dtype that fits records, and statistics of what they hold: the result of ``client.infer_dtype()``.

:func:`infer` infers a dtype from records that you already have.

Example:
    >>> from aerospike_py.inference import infer
    >>> infer(record for record in client.query("test", "users")).records
    2
"""

from __future__ import annotations

from ._inference.result import InferredBin, InferredDtype, infer

__all__ = ["InferredBin", "InferredDtype", "infer"]
