"""Reads of feature views: one batch for all views of a request.

What is common to the synchronous and the asynchronous interface is written once, as generators. They yield
calls of a client and get the results: :func:`run` makes the calls, :func:`run_async` awaits them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import numpy as np

from .._utils.warnings import without_warnings
from ..keys import Keys
from .columns import NUMERIC, Column, NumberColumn, of_objects

_FEATURES, _EVENT_TIMES = "features", "event_ts"
_FOUND, _NOT_FOUND = 0, 2

_Result = TypeVar("_Result")
# Yields functions of a client, sync or async, and receives what they return.
Steps = Generator[Callable[[Any], Any], Any, _Result]


def run(steps: Steps[_Result], client: Any) -> _Result:
    """Makes the calls of a generator with a :class:`~aerospike_py.Client`."""
    answer = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            result: _Result = end.value
            return result
        with without_warnings():
            answer = step(client)


async def run_async(steps: Steps[_Result], client: Any) -> _Result:
    """Awaits the calls of a generator with an :class:`~aerospike_py.AsyncClient`."""
    answer = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as end:
            result: _Result = end.value
            return result
        with without_warnings():
            answer = await step(client)


class View(NamedTuple):
    """The features of one view, and where they are."""

    name: str
    namespace: str
    set: str
    features: tuple[str, ...]
    types: tuple[Any, ...]


@dataclass
class ViewRows:
    """What was read of a view.

    Attributes:
        found: whether each row's record has the view.
        event_ms: event times in milliseconds since 1970, None where there is none.
        columns: the columns of its features, in order.
    """

    found: Any
    event_ms: list[int | None]
    columns: list[Column]

    def take(self, rows: Any) -> ViewRows:
        """The same with these rows."""
        times = self.event_ms
        return ViewRows(
            self.found[rows],
            [times[row] for row in rows.tolist()],
            [column.take(rows) for column in self.columns],
        )


class _Layout:
    """The dtype that reads views into arrays, and where its fields are in the bits of ``present``."""

    def __init__(self, views: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]) -> None:
        fields = [
            (name, np.dtype([(feature, NUMERIC[type_]) for feature, type_ in features]))
            for name, features in views
            if features
        ]
        times = [(name, "i8") for name, _ in views]
        self.dtype = np.dtype([(_FEATURES, fields)] * bool(fields) + [(_EVENT_TIMES, times)])
        self.bits: dict[tuple[str, str | None], int] = {}
        for name, features in views:
            for feature, _ in features:
                self.bits[name, feature] = len(self.bits)
        for name, _ in views:
            self.bits[name, None] = len(self.bits)
        # The bits of a record that has all fields.
        self.all = np.packbits(np.ones(len(self.bits), dtype=np.bool_))


_layout = lru_cache(maxsize=256)(_Layout)


@lru_cache(maxsize=256)
def _layout_of(views: tuple[View, ...]) -> _Layout | None:
    """The layout for these views, None if one has a feature that is no number."""
    merged: dict[str, dict[str, Any]] = {}
    for view in views:
        if not all(type_ in NUMERIC for type_ in view.types):
            return None
        features = merged.setdefault(view.name, {})
        for feature, type_ in zip(view.features, view.types, strict=True):
            # Two versions of a view may differ in a feature's type.
            if features.setdefault(feature, type_) is not type_:
                return None
    return _layout(tuple((name, tuple(sorted(features.items()))) for name, features in merged.items()))


def read(requests: Sequence[tuple[View, Any]], limit: int) -> Steps[list[ViewRows]]:
    """Reads views.

    Args:
        requests: a view, and the serialized keys of its rows. Views with the same keys in the same set
            pass the same object, and its records are read once.
        limit: the largest number of records of one batch.
    """
    layout = _layout_of(tuple(view for view, _ in requests))
    # Where the rows of each distinct set of keys begin.
    starts: dict[tuple[int, str, str], int] = {}
    parts: list[tuple[View, Any]] = []
    total = 0
    places = []
    for view, keys in requests:
        group = (id(keys), view.namespace, view.set)
        if group not in starts:
            starts[group] = total
            parts.append((view, keys))
            total += len(keys)
        places.append((starts[group], starts[group] + len(keys)))
    if total == 0:
        empty = np.zeros(0, dtype=np.bool_)
        return [ViewRows(empty, [], [of_objects([], type_) for type_ in view.types]) for view, _ in requests]
    batches = []
    if layout is not None:
        for keys in key_batches(parts, limit):
            batch = yield _read_arrays(keys, layout.dtype)
            batches.append(batch)
        for batch in batches:
            refuse_failed(batch.result_codes)
        if not any(batch.decode_errors or batch.inexact for batch in batches):
            return _rows_of_arrays(batches, layout, requests, places)
        # A value of another type than its feature's: Feast converts what it can.
        batches = []
    for keys in key_batches(parts, limit):
        batches.append((yield _read_objects(keys)))
    return _rows_of_objects(batches, requests, places)


def join_keys_of(table: Any, names: dict[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The join keys of a view, sorted, and the columns of a request that have them.

    Args:
        table: the feature view.
        names: Feast's map of entities to columns, in which an alias takes the place of a join key.
    """
    aliases = table.projection.join_key_map
    real = {alias: key for key, alias in aliases.items()}
    own = sorted({real.get(names[entity], names[entity]) for entity in table.entities})
    return tuple(own), tuple(aliases.get(key, key) for key in own)


def _read_arrays(keys: Any, dtype: Any) -> Callable[[Any], Any]:
    return lambda client: client.batch_read(keys, _dtype=dtype, errors="coerce")


def _read_objects(keys: Any) -> Callable[[Any], Any]:
    return lambda client: client.batch_read(keys, [_FEATURES, _EVENT_TIMES])


def key_batches(parts: Sequence[tuple[Any, Any]], limit: int) -> Iterator[Any]:
    """The keys of all parts, at most ``limit`` in a batch. A part is a namespace and set, and keys."""
    if limit <= 0:
        raise ValueError(f"online_store.batch_max_records is {limit}; it must be positive")
    view, values = parts[0]
    if len(parts) == 1 and len(values) <= limit:
        if len(values):
            yield Keys(view.namespace, view.set, values)
        return
    if len({(view.namespace, view.set) for view, _ in parts}) == 1:
        if len(parts) > 1:
            values = [value for _, keys in parts for value in _as_list(keys)]
        for start in range(0, len(values), limit):
            yield Keys(view.namespace, view.set, values[start : start + limit])
        return
    keys = [(view.namespace, view.set, value) for view, values in parts for value in _as_list(values)]
    for start in range(0, len(keys), limit):
        yield keys[start : start + limit]


def _as_list(keys: Any) -> list[bytes]:
    values: list[bytes] = keys.tolist() if isinstance(keys, np.ndarray) else keys
    return values


def refuse_failed(codes: Any) -> None:
    failed = (codes != _FOUND) & (codes != _NOT_FOUND)
    if failed.any():
        raise _failure(int(codes[failed][0]), int(failed.sum()), len(codes))


def _failure(code: int, count: int, rows: int) -> RuntimeError:
    return RuntimeError(
        f"reading features: {count} of {rows} records failed, the first with result code {code}"
    )


def _rows_of_arrays(
    batches: list[Any],
    layout: _Layout,
    requests: Sequence[tuple[View, Any]],
    places: list[tuple[int, int]],
) -> list[ViewRows]:
    if len(batches) == 1:
        records, presence = batches[0].batch_records, batches[0]._presence
    else:
        records = np.concatenate([batch.batch_records for batch in batches])
        presence = np.concatenate([batch._presence for batch in batches])
    complete = bool((presence == layout.all).all())
    bits = None
    if not complete:
        bits = np.unpackbits(presence, axis=1, count=len(layout.bits)).view(np.bool_)
    rows = []
    for (view, _), (start, stop) in zip(requests, places, strict=True):
        part = records[start:stop]
        features: Any = part[_FEATURES][view.name] if view.features else None
        times = part[_EVENT_TIMES][view.name].tolist()
        if bits is None:
            found = np.ones(stop - start, dtype=np.bool_)
            columns: list[Column] = [
                NumberColumn(features[name], None, type_)
                for name, type_ in zip(view.features, view.types, strict=True)
            ]
        else:
            has_time = bits[start:stop, layout.bits[view.name, None]]
            found = has_time.copy()
            columns = []
            for name, type_ in zip(view.features, view.types, strict=True):
                present = bits[start:stop, layout.bits[view.name, name]]
                found |= present
                columns.append(NumberColumn(features[name], None if present.all() else present, type_))
            for row in np.flatnonzero(~has_time).tolist():
                times[row] = None
        rows.append(ViewRows(found, times, columns))
    return rows


def _rows_of_objects(
    batches: list[Any], requests: Sequence[tuple[View, Any]], places: list[tuple[int, int]]
) -> list[ViewRows]:
    empty: dict[str, Any] = {}
    features: list[dict[str, Any]] = []
    times: list[dict[str, Any]] = []
    for batch in batches:
        for row in batch.batch_records:
            if row.result == _FOUND and row.record is not None:
                bins = row.record.bins or empty
                stored, stored_times = bins.get(_FEATURES), bins.get(_EVENT_TIMES)
                features.append(stored if isinstance(stored, dict) else empty)
                times.append(stored_times if isinstance(stored_times, dict) else empty)
            elif row.result in (_FOUND, _NOT_FOUND):
                features.append(empty)
                times.append(empty)
            else:
                failed = [row.result for row in batch.batch_records if row.result not in (_FOUND, _NOT_FOUND)]
                raise _failure(failed[0], len(failed), len(batch.batch_records))
    rows = []
    for (view, _), (start, stop) in zip(requests, places, strict=True):
        name = view.name
        slots = [stored.get(name) for stored in features[start:stop]]
        found = np.array([isinstance(slot, dict) for slot in slots], dtype=np.bool_)
        maps = [slot if isinstance(slot, dict) else empty for slot in slots]
        columns = [
            of_objects([stored.get(feature) for stored in maps], type_)
            for feature, type_ in zip(view.features, view.types, strict=True)
        ]
        rows.append(ViewRows(found, [stored.get(name) for stored in times[start:stop]], columns))
    return rows
