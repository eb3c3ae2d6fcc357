"""Batch reads into Arrow columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._arrow.finish import finish, warnings_of_bins
from .._read_bins import warn_of_unread
from .._schema import schema_spec
from .._utils.event_loop import call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .. import _native
    from .._types import ArrowSchema, Casting, Errors, Keys, MetaColumns, Paths
    from ..arrow_records import ArrowRecords
    from ..types import BatchPolicy


class BatchReadArrowCommands:
    """Batch reads into Arrow columns, for ``Client``."""

    _core: _native.Core

    def batch_read_arrow(
        self,
        keys: Keys,
        schema: ArrowSchema | None = None,
        *,
        bins: Sequence[str] | None = None,
        paths: Paths | None = None,
        meta: MetaColumns = (),
        policy: BatchPolicy | None = None,
        casting: Casting = "same_value",
        errors: Errors = "raise",
    ) -> ArrowRecords:
        """Reads many records into Arrow columns.

        Columns hold what a structured array cannot: text and lists of any length, maps, and nulls. pyarrow,
        polars, pandas and DuckDB take the result as it is; none of them is needed.

        Args:
            keys: n ``(namespace, set, primary_key)`` tuples, or :class:`~aerospike_py.Keys`.
            schema: the columns, each of which comes from the bin of its name: a dict of name to type
                (``"utf8"``, ``"list<float32>"``, ``"timestamp[ms]"``, ``"struct<a: int64, b: utf8>"``, a
                NumPy dtype, ``pyarrow.int64()``), a ``pyarrow.Schema`` or another object with
                ``__arrow_c_schema__``, or a structured dtype. None infers the columns from all rows.
            bins: names of the bins to read. None reads those of the schema, or all without one. Columns of
                other bins stay null.
            paths: where columns come from, if not from the bin of their name, as in :meth:`batch_read`.
            meta: names of columns about records to put before the others: ``"key"``, ``"digest"``, ``"set"``,
                ``"gen"``, ``"ttl"``, ``"result_code"``. A name that a bin has, too, gets the prefix
                ``meta_``.
            policy: batch policy, as in :meth:`batch_read`.
            casting: ``"same_value"`` makes every value that its column cannot hold exactly a decode error.
                ``"unsafe"`` changes such values, counts them and warns.
            errors: ``"raise"`` raises ``BatchDecodeError``, which has the complete result, if values do not
                fit their columns. ``"coerce"`` makes them null.

        Returns:
            :class:`~aerospike_py.ArrowRecords`, one row per key, in the order of the keys. A row without a
            record is null throughout; ``result_codes`` says why.

        Raises:
            TypeError, ValueError: an argument is invalid. Nothing was sent.
            BatchDecodeError: values do not fit their columns.
            ClientError: no columns can be inferred, because bins mix types.

        Example:
            >>> records = client.batch_read_arrow(keys, {"name": "utf8", "visits": "int64"}, meta=("key",))
            >>> records.to_pyarrow().to_pylist()[0]
            {'key': 1, 'name': 'Ada', 'visits': 7}
        """
        spec = schema_spec(schema)
        if bins is not None and spec is not None:
            warn_of_unread("bins", bins, ((spec, paths),), "column")
        result: ArrowRecords = self._core.batch_read_arrow(
            None, keys, spec, bins, paths, meta, policy, casting, errors
        )
        return _checked(result, schema, bins)


class AsyncBatchReadArrowCommands:
    """Batch reads into Arrow columns, for ``AsyncClient``."""

    _core: _native.Core

    async def batch_read_arrow(
        self,
        keys: Keys,
        schema: ArrowSchema | None = None,
        *,
        bins: Sequence[str] | None = None,
        paths: Paths | None = None,
        meta: MetaColumns = (),
        policy: BatchPolicy | None = None,
        casting: Casting = "same_value",
        errors: Errors = "raise",
    ) -> ArrowRecords:
        """Like :meth:`Client.batch_read_arrow`, awaited.

        Example:
            >>> records = await client.batch_read_arrow(keys, {"visits": "int64"})
            >>> records.to_pyarrow()["visits"].to_pylist()
            [7, 0, None]
        """
        spec = schema_spec(schema)
        if bins is not None and spec is not None:
            warn_of_unread("bins", bins, ((spec, paths),), "column")
        result: ArrowRecords = await call(
            self._core.batch_read_arrow, keys, spec, bins, paths, meta, policy, casting, errors
        )
        return _checked(result, schema, bins)


def _checked(result: ArrowRecords, schema: ArrowSchema | None, bins: Sequence[str] | None) -> ArrowRecords:
    """Warns of bins that no record has. Columns of a schema are looked at where values are decoded."""
    return finish(result, warnings_of_bins(result, bins) if schema is None else (), None, None)
