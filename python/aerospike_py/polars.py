"""Sets as polars LazyFrames. Needs the extra ``polars``.

>>> import polars as pl
>>> from aerospike_py.polars import scan_aerospike
>>> frame = scan_aerospike(config, "test", "users")
>>> frame.filter(pl.col("visits") > 5).select("name").collect().item()
'Ada'
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ._engines.columns import kinds
from ._engines.conditions import filter_for
from ._engines.library import library
from ._engines.polars_predicates import condition_of
from .splits import splits

if TYPE_CHECKING:
    import polars as pl

    from ._operation import Expression
    from ._types import ArrowSchema, MetaColumns
    from .splits import Split
    from .types import ClientConfig, QueryPolicy

__all__ = ["scan_aerospike"]


def scan_aerospike(
    config: ClientConfig,
    namespace: str,
    set: str | None,
    *,
    schema: ArrowSchema | None = None,
    columns: Sequence[str] | None = None,
    where: Expression | str | tuple[Any, ...] | None = None,
    meta: MetaColumns = (),
    policy: QueryPolicy | None = None,
    records_per_second: int = 0,
) -> pl.LazyFrame:
    """A set as a ``polars.LazyFrame``. Nothing is read until it is collected, and each collection reads anew.

    Polars says which columns, rows and how many of them it needs: only these bins travel, reading ends with
    the last row that is needed, and comparisons of numbers, booleans and text, ``is_in``, ``is_null``,
    ``is_between`` and ``starts_with`` become a filter that the cluster applies. Polars applies its predicate
    again to what arrives, so that the result is the same as without the filter.

    Args:
        config: the config of a client.
        namespace: the namespace.
        set: the set, or None for the whole namespace.
        schema: the columns, as in :func:`aerospike_py.splits.splits`.
        columns: the columns of the frame; None for all.
        where: a further filter: an expression, its base64, or a predicate for a secondary index.
        meta: columns about records, as in :meth:`Query.to_arrow`.
        policy: query policy.
        records_per_second: the maximum number of records per second that each node reads; 0 for no limit.

    Raises:
        ImportError: polars is not installed.

    Example:
        >>> from aerospike_py.polars import scan_aerospike
        >>> scan_aerospike(config, "test", "users").select("visits").sum().collect().item()
        7
    """
    polars = library("polars", "polars")
    plugins = library("polars.io.plugins", "polars")
    whole = splits(
        config,
        namespace,
        set,
        1,
        schema=schema,
        where=where,
        columns=columns,
        meta=meta,
        policy=policy,
        records_per_second=records_per_second,
    )[0]

    def source(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        return _frames(whole, with_columns, predicate, n_rows, batch_size)

    frame: pl.LazyFrame = plugins.register_io_source(source, schema=polars.DataFrame(whole.empty()).schema)
    return frame


def _frames(
    whole: Split,
    with_columns: list[str] | None,
    predicate: pl.Expr | None,
    n_rows: int | None,
    batch_size: int | None,
) -> Iterator[pl.DataFrame]:
    polars = library("polars", "polars")
    split = whole
    if predicate is not None:
        condition = filter_for(condition_of(predicate), kinds(split.schema))
        if condition is not None:
            split = split.where(condition)
    needed = None
    if with_columns is not None:
        extra = [] if predicate is None else predicate.meta.root_names()
        needed = list(dict.fromkeys([*with_columns, *extra]))
        split = split.select(needed)
    if n_rows == 0:
        return
    left = n_rows
    if left is not None and predicate is None:
        split = split.limit(left)
    for records in split.batches(min(batch_size or 65_536, 1 << 20)):
        frame = polars.DataFrame(records)
        if predicate is not None:
            frame = frame.filter(predicate)
        if with_columns is not None:
            frame = frame.select(with_columns)
        if left is not None:
            frame = frame.head(left)
            left -= frame.height
        yield frame
        if left == 0:
            return
