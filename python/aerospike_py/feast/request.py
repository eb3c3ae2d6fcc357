"""Requests of ``get_online_features``, resolved: which views, which keys, which names in the response."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from feast import metrics, utils
from feast.feature_service import FeatureService
from feast.value_type import ValueType

from . import keys as entity_keys
from . import protobuf
from .columns import Column, NumberColumn, ObjectColumn
from .reading import Steps, View, ViewRows, join_keys_of, read
from .response import ColumnResponse

_ENTITY_TYPES = (ValueType.INT64, ValueType.INT32, ValueType.STRING)


class ViewRequest(NamedTuple):
    """One view of a request.

    Attributes:
        view: its features, and where they are.
        columns: columns of the request with its join keys, in the order of the join keys' names.
        join_keys: the join keys, sorted.
        types: their types.
        names: the features' names in the response, None for one that is left out.
    """

    view: View
    columns: tuple[str, ...]
    join_keys: tuple[str, ...]
    types: tuple[Any, ...]
    names: tuple[str | None, ...]


class Resolved(NamedTuple):
    """What a list of features or a service means, whatever the entities."""

    views: tuple[ViewRequest, ...]
    join_keys: frozenset[str]
    entity_names: frozenset[str]
    entity_types: Mapping[str, Any]
    feature_types: Mapping[str, Any]


class Resolver:
    """Resolves requests, and keeps what it found as long as Feast keeps its own resolution.

    Args:
        view_of: makes a :class:`View` of a config, a feature view and names of features.
    """

    def __init__(self, view_of: Callable[[Any, Any, Sequence[str]], View]) -> None:
        self._view_of = view_of
        # By the identity of Feast's resolution, which is kept here so that no other object takes its place.
        self._known: dict[int, tuple[Any, Any, Resolved | None]] = {}

    def resolve(
        self, store: Any, config: Any, features: Any, registry: Any, project: str, full_feature_names: bool
    ) -> Resolved | None:
        """The request, or None if only Feast's own code can answer it."""
        context = utils._get_cached_request_context(registry, project, features, full_feature_names)
        known = self._known.get(id(context))
        if known is not None and known[0] is context and known[1] is config:
            return known[2]
        resolved = self._resolve(store, config, features, context, full_feature_names)
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[id(context)] = (context, config, resolved)
        return resolved

    def _resolve(
        self, store: Any, config: Any, features: Any, context: Any, full_feature_names: bool
    ) -> Resolved | None:
        _, on_demand, names, types, join_keys, grouped, requested, request_data, entityless = context
        precomputed = isinstance(features, FeatureService) and getattr(features, "precompute_online", False)
        if on_demand or request_data or entityless or precomputed:
            return None
        store._check_versioned_read_support(grouped)
        views = []
        for table, wanted in grouped:
            if getattr(table.projection, "version_tag", None) is not None:
                return None
            own, columns = join_keys_of(table, names)
            if not own or any(types.get(column) not in _ENTITY_TYPES for column in columns):
                return None
            prefix = f"{table.projection.name_to_use()}__" if full_feature_names else ""
            view = self._view_of(config, table, wanted)
            if len(view.features) != len(wanted):
                return None
            views.append(
                ViewRequest(
                    view,
                    columns,
                    own,
                    tuple(types[column] for column in columns),
                    tuple(
                        prefix + feature if prefix + feature in requested else None
                        for feature in view.features
                    ),
                )
            )
        return Resolved(
            tuple(views),
            frozenset(join_keys),
            frozenset(names),
            dict(types),
            store._build_feature_types(grouped),
        )


# Resolutions that are kept. Programs have a few feature services.
_KEPT = 64


def answer(resolved: Resolved, entity_rows: Any, version: int, limit: int) -> Steps[ColumnResponse] | None:
    """Reads a request, or None if its entities are for Feast's own code to convert or to refuse."""
    if version != entity_keys.VERSION:
        return None
    if isinstance(entity_rows, list):
        if not entity_rows or not all(isinstance(row, dict) for row in entity_rows):
            return None
        entity_rows = entity_keys.columns_of_rows(entity_rows)
    if not isinstance(entity_rows, Mapping) or not entity_rows:
        return None
    columns: dict[str, Any] = {}
    entities: dict[str, Column] = {}
    lengths = set()
    for name, column in entity_rows.items():
        if not isinstance(column, (list, tuple, np.ndarray)):
            return None
        lengths.add(len(column))
        if name not in resolved.join_keys:
            if name in resolved.entity_names:
                return None
            continue
        value_type = resolved.entity_types.get(name)
        if value_type is ValueType.STRING:
            texts = entity_keys.texts(list(column) if isinstance(column, tuple) else column)
            if texts is None:
                return None
            columns[name], entities[name] = texts, ObjectColumn(texts, value_type)
            continue
        numbers = entity_keys.integers(column, value_type)
        if numbers is None:
            return None
        columns[name], entities[name] = numbers, NumberColumn(numbers, None, value_type)
    if len(lengths) != 1 or 0 in lengths:
        return None
    if any(column not in columns for request in resolved.views for column in request.columns):
        return None
    # Views of the same entities have the same keys.
    serialized: dict[Any, Any] = {}
    requests = []
    for request in resolved.views:
        group = (request.columns, request.join_keys)
        if group not in serialized:
            serialized[group] = entity_keys.serialize_columns(
                request.join_keys, request.types, [columns[name] for name in request.columns]
            )
            if serialized[group] is None:
                return None
        requests.append((request.view, serialized[group]))
    return _answer(resolved, requests, entities, lengths.pop(), limit)


def _answer(
    resolved: Resolved, requests: Any, entities: Mapping[str, Column], rows: int, limit: int
) -> Steps[ColumnResponse]:
    started = time.monotonic()
    parts = yield from read(requests, limit)
    if metrics._config.online_features:
        metrics.track_online_store_read(time.monotonic() - started)
        for request, part in zip(resolved.views, parts, strict=True):
            track(request.view, part.found)
    features = [
        (name, part, column)
        for request, part in zip(resolved.views, parts, strict=True)
        for name, column in zip(request.names, part.columns, strict=True)
        if name is not None
    ]
    return ColumnResponse(rows, entities, features, resolved.feature_types)


def track(view: View, found: Any) -> None:
    """Counts the features of a view in Feast's metrics, as present or not found."""
    present = int(found.sum()) * len(view.features)
    metrics.track_feature_statuses(view.name, present, len(found) * len(view.features) - present)


def read_per_view(
    view_of: Callable[[Any, Any, Sequence[str]], View],
    config: Any,
    grouped_refs: Sequence[tuple[Any, list[str]]],
    join_key_values: Mapping[str, Any],
    entity_names: Mapping[str, str],
    response: Any,
    full_feature_names: bool,
    version_metadata: bool,
    limit: int,
) -> Steps[None]:
    """Reads all views in one batch, and adds their values to the message of a response."""
    requests = []
    places = []
    known: dict[Any, Any] = {}
    for table, wanted in grouped_refs:
        values, indexes, length = utils._get_unique_entities(table, join_key_values, entity_names)
        serialized = entity_keys.serialize_protos(
            utils._get_entity_key_protos(values), config.entity_key_serialization_version
        )
        # Views with the same entities share their keys, and so their records.
        serialized = known.setdefault(tuple(serialized), serialized)
        rows = np.zeros(length, dtype=np.intp)
        for number, positions in enumerate(indexes):
            rows[positions] = number
        requests.append((view_of(config, table, wanted), serialized))
        places.append(rows)
    parts = yield from read(requests, limit)
    results: list[bytes] = []
    names: list[str] = []
    for (table, wanted), (view, _), rows, part in zip(grouped_refs, requests, places, parts, strict=True):
        table_name = table.projection.name_to_use()
        if version_metadata:
            _add_version(response, table)
        spread = part.take(rows)
        track(view, spread.found)
        _add_features(results, view, wanted, spread)
        names += [f"{table_name}__{name}" if full_feature_names else name for name in wanted]
    response.metadata.feature_names.val.extend(names)
    response.MergeFromString(b"".join(results))


def _add_features(results: list[bytes], view: View, wanted: Sequence[str], rows: ViewRows) -> None:
    times = protobuf.times(rows.found, rows.event_ms)
    end = protobuf.statuses(rows.found) + times
    columns = dict(zip(view.features, rows.columns, strict=True))
    for name in wanted:
        column = columns.get(name)
        if column is None:
            # No feature of this view: Feast leaves its values empty.
            nothing = protobuf.statuses(np.zeros(len(rows.found), dtype=np.bool_)) + times
            results.append(protobuf.result(b"\x0a\x00" * len(rows.found), nothing))
        else:
            results.append(protobuf.result(column.encoded(), end))


def _add_version(response: Any, table: Any) -> None:
    name = table.projection.name_alias or table.projection.name
    if name not in [known.name for known in response.metadata.feature_view_metadata]:
        metadata = response.metadata.feature_view_metadata.add()
        metadata.name = name
        metadata.version = getattr(table, "current_version_number", 0) or 0
