"""Inferring a dtype from a sample of a set."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from .._inference import MAX_WIDTH
from .._inference.infer import infer_from_set
from .._utils.steps import run_async, run_sync

if TYPE_CHECKING:
    from .._inference.result import InferredDtype
    from .._types import Fields, SampledClient

_SAMPLE = 1000


class InferCommands:
    """Infers dtypes for ``Client``."""

    def infer_dtype(
        self,
        namespace: str,
        set: str | None,
        sample: int = _SAMPLE,
        *,
        compact: bool = False,
        max_width: int = MAX_WIDTH,
        fields: Fields | None = None,
    ) -> InferredDtype:
        """Reads a sample of a set and finds a dtype that holds its values unchanged.

        Reading the sample again with this dtype causes no decode errors and no inexact values. Other records
        may have values that do not fit; the report says how many records were read.

        ========================================  =====================================================
        values                                    field
        ========================================  =====================================================
        integer, also with bool                   ``i8``; with ``compact`` the narrowest integer
        float, also with exact integers and bool  ``f8``
        bool                                      ``?``
        string, GeoJSON                           ``S<n>``, the longest in UTF-8 rounded up to a multiple
                                                  of 8; with ``compact`` not rounded up
        blob                                      ``V<n>`` if all have the same length, else as string
        HLL                                       ``V<n>`` if all have the same length
        list of numbers, all of the same shape    a sub-array, with elements as for single numbers
        map with str keys, at most 64 in all      a struct with a field for each key, chosen in the same way
        ========================================  =====================================================

        Strings and blobs that end with NUL bytes get ``V<n>``, because NumPy drops these bytes from ``S``.
        Other maps, other lists and mixed types are left out; the report names keys of records that have them.
        If integers may be times, or blobs may be vectors, it says what to pass as ``fields``; for maps, how
        to read single values with ``paths``. A key of a map has a dotted name in it: ``features.trips``.

        Args:
            namespace: the namespace.
            set: the set, or None for the whole namespace.
            sample: the maximum number of records to read. They arrive in the order of their digests, which is
                effectively random.
            compact: choose the narrowest fields for the values found, without room to grow.
            max_width: the widest field in bytes. Bins that need a wider field are left out.
            fields: bins whose fields you choose: bin name to dtype, such as ``{"embedding": ("f4", (64,)),
                "created": "M8[ms]"}``. None leaves the bin out. For a key of a map, use its dotted name
                (``{"features.trips": "u2"}``) or nest (``{"features": {"trips": "u2"}}``). A structured dtype
                chooses all fields of a struct.

        Returns:
            :class:`~aerospike_py.inference.InferredDtype`, which can be passed as ``_dtype=``. Its ``dtype``
            is the dtype, its ``repr`` the report as a table.

        Raises:
            ClientError: the set has no records.
            ImportError: NumPy is not installed.
            ParamError: ``sample`` or ``max_width`` is less than 1, or ``fields`` has no dtype for a bin.

        Example:
            >>> inferred = client.infer_dtype("test", "users")
            >>> client.batch_read(keys, _dtype=inferred).batch_records["visits"]
            array([7, 0, 0])
        """
        client = cast("SampledClient", self)
        steps = infer_from_set(
            client, namespace, set, sample, compact=compact, max_width=max_width, fields=fields
        )
        return run_sync(steps)


class AsyncInferCommands:
    """Infers dtypes for ``AsyncClient``."""

    async def infer_dtype(
        self,
        namespace: str,
        set: str | None,
        sample: int = _SAMPLE,
        *,
        compact: bool = False,
        max_width: int = MAX_WIDTH,
        fields: Fields | None = None,
    ) -> InferredDtype:
        """Like :meth:`Client.infer_dtype`, awaited.

        Example:
            >>> inferred = await client.infer_dtype("test", "users")
            >>> inferred.records
            2
        """
        client = cast("SampledClient", self)
        steps = infer_from_set(
            client, namespace, set, sample, compact=compact, max_width=max_width, fields=fields
        )
        return await run_async(steps)
