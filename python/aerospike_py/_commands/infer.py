"""Inferring a dtype from a sample of a set."""

from __future__ import annotations

import operator
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

from .._inference import MAX_WIDTH
from .._inference import sample as _sample
from .._inference.observe import Observed
from ..exception import ClientError, ParamError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..async_client import AsyncClient
    from ..client import Client
    from ..exception import AerospikeError
    from .._inference.result import InferredDtype
    from ..records import Key

_SAMPLE = 1000


class Inference:
    """A dtype from a sample, waited for."""

    def infer_dtype(
        self,
        namespace: str,
        set: str | None,
        sample: int = _SAMPLE,
        *,
        compact: bool = False,
        max_width: int = MAX_WIDTH,
    ) -> InferredDtype:
        """Reads some records of a set and finds a dtype that takes their values whole.

        ``batch_read`` of the records that were looked at, with this dtype, has no decode errors and no
        inexact values. Others may have what the sample had not: the report says how much of it there was.

        ========================================  =====================================================
        values                                    field
        ========================================  =====================================================
        integer, also with bool                   ``i8``; with ``compact`` the narrowest integer
        float, also with exact integers and bool  ``f8``
        bool                                      ``?``
        string, GeoJSON                           ``S<n>``, the longest in UTF-8 up to a multiple of 8;
                                                  with ``compact`` not rounded up
        blob                                      ``V<n>`` where all have one length, else as string
        HLL                                       ``V<n>`` where all have one length
        list of numbers, all of one shape         a sub-array of the same numbers
        ========================================  =====================================================

        Maps, other lists, mixed types, and text or blobs that end with NUL bytes (which NumPy cuts off) are
        left out, and the report names keys that have them.

        Args:
            namespace: the namespace.
            set: the set, or None for the whole namespace.
            sample: how many records to read at most. They come in the order of their digests, so they are
                as good as drawn by lot.
            compact: the narrowest fields for what was seen, not those that leave room.
            max_width: the widest field in bytes; bins that would need a wider one are left out.

        Returns:
            :class:`~aerospike_py.inference.InferredDtype`, which is taken as ``_dtype=``; its ``dtype`` is
            the dtype, its ``repr`` the report as a table.

        Raises:
            ClientError: the set has no records.
            ImportError: NumPy is not installed.
            ParamError: ``sample`` or ``max_width`` is not a number from 1.

        Example:
            >>> inferred = client.infer_dtype("test", "users")
            >>> client.batch_read(keys, _dtype=inferred).batch_records["visits"]
            array([7, 0, 0])
        """
        client = cast("Client", self)
        return infer_dtype(client, namespace, set, sample, compact=compact, max_width=max_width)


class AsyncInference:
    """A dtype from a sample, awaited."""

    async def infer_dtype(
        self,
        namespace: str,
        set: str | None,
        sample: int = _SAMPLE,
        *,
        compact: bool = False,
        max_width: int = MAX_WIDTH,
    ) -> InferredDtype:
        """As :meth:`Client.infer_dtype`, awaited.

        Example:
            >>> inferred = await client.infer_dtype("test", "users")
            >>> inferred.records
            2
        """
        _check(sample, max_width)
        observed = Observed()
        unreadable: dict[Key, AerospikeError] = {}
        client = cast("AsyncClient", self)
        async for found in _sample.samples_async(client, namespace, set, sample):
            observed.add(found.records)
            unreadable.update(found.unreadable)
        return _conclude(observed, unreadable, namespace, set, compact, max_width)


def infer_dtype(
    client: Client,
    namespace: str,
    set: str | None,
    sample: int,
    *,
    compact: bool,
    max_width: int,
    progress: Callable[[int], None] | None = None,
) -> InferredDtype:
    """What :meth:`Client.infer_dtype` does; ``progress`` is called with numbers of records that were read."""
    _check(sample, max_width)
    observed = Observed()
    unreadable: dict[Key, AerospikeError] = {}
    for found in _sample.samples(client, namespace, set, sample):
        observed.add(found.records)
        unreadable.update(found.unreadable)
        if progress is not None:
            progress(len(found.records) + len(found.unreadable))
    return _conclude(observed, unreadable, namespace, set, compact, max_width)


def _check(sample: int, max_width: int) -> None:
    """Refuses what cannot be done before anything is sent."""
    if find_spec("numpy") is None:
        raise ImportError(
            "a dtype is NumPy's: install it with `python -m pip install 'numpy>=2.0'`", name="numpy"
        )
    for name, number in (("sample", sample), ("max_width", max_width)):
        if isinstance(number, bool) or operator.index(number) < 1:
            raise ParamError(f"{name} is a number from 1, not {number!r}")


def _conclude(
    observed: Observed,
    unreadable: dict[Key, AerospikeError],
    namespace: str,
    set: str | None,
    compact: bool,
    max_width: int,
) -> InferredDtype:
    # Here, not above: few programs infer, all import.
    from .._inference.result import conclude

    if not observed.records and not unreadable:
        where = namespace if set is None else f"{namespace}.{set}"
        raise ClientError(
            f"there are no records in {where} to infer a dtype from; client.info_all('sets') lists sets"
        )
    if not observed.records:
        key, error = next(iter(unreadable.items()))
        raise ClientError(f"no record of the sample can be read; the first is {key}: {error}")
    inferred = conclude(observed, compact=compact, max_width=max_width)
    inferred.unreadable = unreadable
    return inferred
