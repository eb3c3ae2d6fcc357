"""A dtype that fits records, with statistics on their bins: the result of ``client.infer_dtype()``.

:func:`infer` infers a dtype from records that you already have.

Example:
    >>> from aerospike_py.inference import infer
    >>> infer(record for record in client.query("test", "users")).records
    2
"""

from __future__ import annotations

from ._inference.infer import infer
from ._inference.result import InferredBin, InferredDtype

__all__ = ["InferredBin", "InferredDtype", "infer"]
