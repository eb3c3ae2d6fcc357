"""A response of ``get_online_features`` whose values stay in arrays until something asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from feast.online_response import TIMESTAMP_POSTFIX, OnlineResponse
from feast.protos.feast.serving.ServingService_pb2 import GetOnlineFeaturesResponse

from . import protobuf
from .columns import Column
from .reading import ViewRows


class ColumnResponse(OnlineResponse):
    """Feast's response, made from columns.

    ``to_dict``, ``to_df`` and ``to_arrow`` return what Feast's do, without protobuf messages. ``proto``
    makes the message when it is first used; what it holds is what counts from then on.

    Args:
        rows: number of rows.
        entities: the join keys of the request, by name.
        features: (name in the response, rows of its view, column).
        feature_types: type of each feature, by name.
    """

    def __init__(
        self,
        rows: int,
        entities: Mapping[str, Column],
        features: Sequence[tuple[str, ViewRows, Column]],
        feature_types: Mapping[str, Any],
    ) -> None:
        # Not OnlineResponse.__init__, which takes the message.
        self._rows = rows
        self._entities = entities
        self._features = features
        self._feature_types = dict(feature_types)
        self._proto: Any = None

    @property
    def proto(self) -> Any:
        """The response as a ``GetOnlineFeaturesResponse``."""
        if self._proto is None:
            self._proto = self._message()
        return self._proto

    @proto.setter
    def proto(self, message: Any) -> None:
        self._proto = message

    def _message(self) -> Any:
        message = GetOnlineFeaturesResponse()
        names = message.metadata.feature_names.val
        names.extend(self._entities)
        names.extend(name for name, _, _ in self._features)
        results = []
        rest = protobuf.statuses([True] * self._rows) + b"\x1a\x00" * self._rows
        results += [protobuf.result(column.encoded(), rest) for column in self._entities.values()]
        known: dict[int, bytes] = {}
        for _, rows, column in self._features:
            end = known.get(id(rows))
            if end is None:
                end = known[id(rows)] = protobuf.statuses(rows.found) + protobuf.times(
                    rows.found, rows.event_ms
                )
            results.append(protobuf.result(column.encoded(), end))
        message.MergeFromString(b"".join(results))
        return message

    def to_dict(self, include_event_timestamps: bool = False) -> dict[str, Any]:
        """The values by name, as lists; None for a missing one.

        Args:
            include_event_timestamps: add ``<name>__ts``, in seconds since 1970.
        """
        if self._proto is not None:
            result: dict[str, Any] = super().to_dict(include_event_timestamps)
            return result
        return self._collect("values", include_event_timestamps)

    def to_df(self, include_event_timestamps: bool = False) -> Any:
        """The values as a ``pandas.DataFrame``."""
        if self._proto is not None:
            return super().to_df(include_event_timestamps)
        import pandas as pd

        return pd.DataFrame(self._collect("frame", include_event_timestamps))

    def to_arrow(self, include_event_timestamps: bool = False) -> Any:
        """The values as a ``pyarrow.Table``."""
        if self._proto is not None:
            return super().to_arrow(include_event_timestamps)
        import pyarrow as pa

        return pa.table(self._collect("arrow", include_event_timestamps))

    def _collect(self, form: str, include_event_timestamps: bool) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name, column in self._entities.items():
            result[name] = getattr(column, form)()
            if include_event_timestamps:
                result[name + TIMESTAMP_POSTFIX] = [0] * self._rows
        known: dict[int, list[int]] = {}
        for name, rows, column in self._features:
            result[name] = getattr(column, form)()
            if include_event_timestamps:
                times = known.get(id(rows))
                if times is None:
                    times = known[id(rows)] = [
                        time // 1000 if found and time is not None else 0
                        for found, time in zip(rows.found.tolist(), rows.event_ms, strict=True)
                    ]
                result[name + TIMESTAMP_POSTFIX] = list(times)
        return result

    # A protobuf message cannot be pickled, and this needs none.
    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_proto": None if self._proto is None else self._proto.SerializeToString()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._proto is not None:
            self._proto = GetOnlineFeaturesResponse.FromString(self._proto)
