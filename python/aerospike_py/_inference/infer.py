"""Infers a dtype: from records that the caller has, or from a sample of a set."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .._utils.describe import describe
from ..exception import ClientError, ParamError, ParamTypeError
from . import MAX_WIDTH
from .observe import ObservedRecords
from .sample import read_sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .._types import Fields, SampledClient
    from .._utils.steps import Steps
    from ..exception import AerospikeError
    from ..records import Key, Record
    from .result import InferredDtype
    from .sample import Sample


_MAX_BIN_NAME = 15


def infer(
    records: Iterable[Record | tuple[Any, Any, Any]],
    *,
    compact: bool = False,
    max_width: int = MAX_WIDTH,
    fields: Fields | None = None,
) -> InferredDtype:
    """Infers a dtype from records.

    Args:
        records: ``(key, meta, bins)`` tuples, as ``get`` and ``query`` return them.
        compact: choose the narrowest fields, as in ``client.infer_dtype()``.
        max_width: the widest field in bytes, as in ``client.infer_dtype()``.
        fields: fields of your own by bin, as in ``client.infer_dtype()``.

    Returns:
        The dtype with statistics of each bin.

    Raises:
        ClientError: there are no records, or a row of all fields would be wider than NumPy allows.

    Example:
        >>> from aerospike_py.inference import infer
        >>> infer(client.get(key) for key in keys[:2]).dtype["age"]
        dtype('int64')
    """
    given = _checked_fields(fields)
    observed = ObservedRecords()
    observed.add(records)
    if not observed.records:
        raise ClientError("there are no records to infer a dtype from")
    return _result(observed, compact=compact, max_width=max_width, given=given)


def infer_from_set(
    client: SampledClient,
    namespace: str,
    set: str | None,
    sample: int,
    *,
    compact: bool,
    max_width: int,
    fields: Fields | None = None,
    progress: Callable[[int], None] | None = None,
) -> Steps[InferredDtype]:
    """Infers a dtype from a sample of a set; calls ``progress`` with the number of records in each part."""
    _check_arguments(sample, max_width, compact)
    given = _checked_fields(fields)
    observed = ObservedRecords()
    unreadable: dict[Key, AerospikeError] = {}

    def take(found: Sample) -> None:
        observed.add(found.records)
        unreadable.update(found.unreadable)
        if progress is not None:
            progress(len(found.records) + len(found.unreadable))

    yield from read_sample(client, namespace, set, sample, take)
    if not observed.records and not unreadable:
        where = namespace if set is None else f"{namespace}.{set}"
        raise ClientError(
            f"there are no records in {where} to infer a dtype from; client.info_all('sets') lists the sets"
        )
    if not observed.records:
        key, error = next(iter(unreadable.items()))
        raise ClientError(f"no record of the sample can be read; the first is {key}: {error}")
    inferred = _result(observed, compact=compact, max_width=max_width, given=given)
    inferred.unreadable = unreadable
    return inferred


def _check_arguments(sample: int, max_width: int, compact: object) -> None:
    if find_spec("numpy") is None:
        raise ImportError(
            "infer_dtype needs NumPy: install it with `python -m pip install 'numpy>=2.0'`", name="numpy"
        )
    if type(compact).__name__ not in ("bool", "bool_"):
        raise ParamTypeError(f"compact is {describe(compact)}; it must be a bool")
    for name, number in (("sample", sample), ("max_width", max_width)):
        try:
            whole = None if isinstance(number, bool) else operator.index(number)
        except TypeError:
            whole = None
        if whole is None:
            raise ParamTypeError(f"{name} is {describe(number)}; it must be an integer of at least 1")
        if whole < 1:
            raise ParamError(f"{name} is {number!r}; it must be an integer of at least 1")


def _checked_fields(fields: Fields | None) -> Fields:
    if fields is None:
        return {}
    if not isinstance(fields, Mapping):
        raise ParamTypeError(
            f'fields is {describe(fields)}; it must map names of bins to dtypes, as {{"age": "f4"}}'
        )
    for name in fields:
        if not isinstance(name, str):
            raise ParamTypeError(f"fields has the key {describe(name)}; it must be the name of a bin")
        # A dotted name is that of a field in a struct; a bin's name may have dots, too.
        parts = name.split(".")
        bin_name = parts[0] if all(parts) else name
        if len(bin_name.encode(errors="surrogatepass")) > _MAX_BIN_NAME:
            raise ParamError(
                f"fields has the key {name!r}; a bin name has at most {_MAX_BIN_NAME} bytes of UTF-8"
            )
    return fields


def _result(
    observed: ObservedRecords,
    *,
    compact: bool,
    max_width: int,
    given: Fields,
) -> InferredDtype:
    # Not at the top: it would make every `import aerospike_py` import what only inference needs.
    from .build import result_of

    return result_of(observed, compact=compact, max_width=max_width, given=given)
