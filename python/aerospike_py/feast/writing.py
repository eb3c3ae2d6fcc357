"""Writes of feature views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from .. import constants, map_operations, operations
from ..batch import BatchRecords, Write
from . import keys as entity_keys
from .reading import Steps
from .values import milliseconds, native

# (entity key, values by feature, event time, creation time)
Row = tuple[Any, dict[str, Any], datetime, "datetime | None"]

_ORDERED: Any = {"map_order": constants.MAP_KEY_ORDERED}


def write(
    namespace: str,
    set_name: str,
    view: str,
    chunks: Sequence[Sequence[Row]],
    version: int,
    ttl: int,
    progress: Callable[[int], Any] | None,
) -> Steps[None]:
    """Writes rows of a view, one batch for each chunk.

    Args:
        namespace: namespace of the records.
        set_name: set of the records.
        view: name of the view.
        chunks: the rows.
        version: version of the serialization of entity keys.
        ttl: time to live of the records, as a write takes it.
        progress: called with the number of rows written so far.
    """
    if not chunks and progress:
        progress(0)
    written = 0
    for chunk in chunks:
        serialized = entity_keys.serialize_protos([row[0] for row in chunk], version)
        batch = BatchRecords(
            [
                Write((namespace, set_name, key), _operations(view, row), {"ttl": ttl})
                for key, row in zip(serialized, chunk, strict=True)
            ]
        )
        yield _batch_write(batch)
        failed = [record.result for record in batch.batch_records if record.result != 0]
        if failed:
            raise RuntimeError(
                f"writing features to the set {set_name!r}: {len(failed)} of {len(chunk)} records failed, "
                f"with the result codes {failed[:10]}"
            )
        written += len(chunk)
        if progress:
            progress(written)


def _batch_write(batch: BatchRecords) -> Callable[[Any], Any]:
    return lambda client: client.batch_write(batch)


def _operations(view: str, row: Row) -> list[Any]:
    """What writes a row: the view's slot in both maps, and the time of creation."""
    _, values, event_time, created = row
    features = {name: native(values[name]) for name in sorted(values)}
    changes = [
        map_operations.map_put_items("features", {view: features}, map_policy=_ORDERED),
        map_operations.map_put("event_ts", view, milliseconds(event_time), map_policy=_ORDERED),
    ]
    if created is not None:
        changes.append(operations.write("created_ts", milliseconds(created)))
    return changes
