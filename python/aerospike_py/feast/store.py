"""The online store."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from feast.infra.key_encoding_utils import serialize_entity_key
from feast.infra.online_stores.online_store import OnlineStore
from feast.infra.supported_async_methods import SupportedAsyncMethods

from .. import constants, map_operations
from ..async_client import AsyncClient
from ..client import Client
from . import keys as entity_keys
from . import matrix, request
from .config import AerospikeOnlineStoreConfig, checked, client_config, time_to_live
from .reading import Steps, View, read, run, run_async
from .values import time_of
from .writing import Row, write

_Item = TypeVar("_Item")
_ReadRow = tuple["datetime | None", "dict[str, Any] | None"]


class AerospikeOnlineStore(OnlineStore):
    """Feast's online store in Aerospike, in the layout of Feast's own Aerospike store.

    Either store reads what the other wrote. All views of a request are read in one round trip; the
    asynchronous methods await the network, without threads. Times, UUIDs, decimals and sets can be written.

    Example:
        >>> config = RepoConfig(
        ...     project="drivers",
        ...     provider="local",
        ...     online_store={"type": "aerospike_py.feast.AerospikeOnlineStore", "namespace": "test"},
        ...     entity_key_serialization_version=3,
        ... )
    """

    def __init__(self) -> None:
        self._client: Client | None = None
        self._async_client: AsyncClient | None = None
        self._client_lock = threading.Lock()
        self._prewriting_hook: Callable[..., Any] | None = None
        self._prewriting_hook_spec: str | None = None
        self._resolver = request.Resolver(self._view)
        self._views: dict[Any, tuple[Any, View]] = {}

    @property
    def async_supported(self) -> Any:
        """Reads and writes are natively asynchronous."""
        return SupportedAsyncMethods(read=True, write=True)

    # -- connections

    def _get_client(self, config: Any) -> Client:
        """The client, which connects at its first command."""
        if self._client is None:
            self._open(config)
        assert self._client is not None  # noqa: S101 - _open has set it
        return self._client

    def _get_async_client(self, config: Any) -> AsyncClient:
        """The asynchronous client. It has the connections of the other one."""
        if self._async_client is None:
            self._open(config)
        assert self._async_client is not None  # noqa: S101 - _open has set it
        return self._async_client

    def _open(self, config: Any) -> None:
        with self._client_lock:
            if self._client is None or self._async_client is None:
                options: Any = client_config(checked(config))
                client, async_client = Client(options), AsyncClient(options)
                async_client._core = client._core
                self._client, self._async_client = client, async_client

    async def initialize(self, config: Any) -> None:
        """Connects, so that the first request need not."""
        await self._get_async_client(config).connect()

    async def close(self) -> None:
        """Closes the connections. The next call opens new ones."""
        self._close()

    def _close(self) -> None:
        with self._client_lock:
            client, self._client, self._async_client = self._client, None, None
        if client is not None:
            client.close()

    # -- where records are

    @staticmethod
    def _chunked(items: Sequence[_Item], chunk_size: int) -> Iterator[Sequence[_Item]]:
        """Slices of at most ``chunk_size`` items."""
        if chunk_size <= 0:
            raise ValueError(f"chunk_size must be positive, got {chunk_size}")
        for start in range(0, len(items), chunk_size):
            yield items[start : start + chunk_size]

    def _batch_max_records(self, config: Any) -> int:
        return checked(config).batch_max_records

    def _set_name(self, config: Any, fv_name: str | None = None) -> str:
        """The set of a feature view; without one, that of the project."""
        section = config.online_store
        overrides: dict[str, str] = getattr(section, "set_overrides", None) or {}
        if fv_name is not None and fv_name in overrides:
            return overrides[fv_name]
        name: str = section.set_name_template.format(
            project=config.project, collection_suffix=section.collection_suffix
        )
        return name

    def _namespace_for_fv(self, config: Any, fv_name: str | None = None) -> str:
        """The namespace of a feature view; without one, that of the project."""
        section = config.online_store
        overrides: dict[str, str] = getattr(section, "namespace_overrides", None) or {}
        if fv_name is not None and fv_name in overrides:
            return overrides[fv_name]
        namespace: str = section.namespace
        return namespace

    def _aerospike_key(
        self, config: Any, entity_key: Any, fv_name: str | None = None
    ) -> tuple[str, str, bytearray]:
        """The key of an entity's record."""
        serialized = serialize_entity_key(
            entity_key, entity_key_serialization_version=config.entity_key_serialization_version
        )
        return (
            self._namespace_for_fv(config, fv_name),
            self._set_name(config, fv_name),
            bytearray(serialized),
        )

    def _view(self, config: Any, table: Any, wanted: Sequence[str] | None) -> View:
        """What to read of a feature view: the wanted features that it has, or all."""
        types = {field.name: field.dtype.to_value_type() for field in table.features}
        names = types if wanted is None else [name for name in dict.fromkeys(wanted) if name in types]
        return View(
            table.name,
            self._namespace_for_fv(config, table.name),
            self._set_name(config, table.name),
            tuple(names),
            tuple(types[name] for name in names),
        )

    # -- writes

    def _resolve_prewriting_hook(self, config: Any) -> Callable[..., Any] | None:
        """The configured function, imported once."""
        path = getattr(config.online_store, "prewriting_hook", None)
        if not path:
            self._prewriting_hook = self._prewriting_hook_spec = None
            return None
        if path == self._prewriting_hook_spec and self._prewriting_hook is not None:
            return self._prewriting_hook
        module_name, _, function = path.rpartition(".")
        if not module_name or not function:
            raise ValueError(
                f"online_store.prewriting_hook is {path!r}; it must be a fully qualified import path, "
                "'package.module.function'"
            )
        try:
            module = importlib.import_module(module_name)
        except ImportError as error:
            raise ValueError(
                f"prewriting_hook {path!r}: could not import module {module_name!r}: {error}"
            ) from error
        hook = getattr(module, function, None)
        if hook is None:
            raise ValueError(
                f"prewriting_hook {path!r}: module {module_name!r} has no attribute {function!r}"
            )
        if not callable(hook):
            raise TypeError(
                f"prewriting_hook {path!r} is a {type(hook).__name__}, a non-callable; it must be a function"
            )
        self._prewriting_hook, self._prewriting_hook_spec = hook, path
        return self._prewriting_hook

    def online_write_batch(
        self,
        config: Any,
        table: Any,
        data: list[Row],
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Writes rows of a feature view.

        Args:
            config: the config of the feature store.
            table: the feature view.
            data: entity key, values by feature, event time and creation time of each row. A time without a
                zone is UTC.
            progress: called with the number of rows written so far.

        Raises:
            RuntimeError: rows were not written.
        """
        run(self._write(config, table, data, progress), self._get_client(config))

    async def online_write_batch_async(
        self,
        config: Any,
        table: Any,
        data: list[Row],
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Like :meth:`online_write_batch`, awaited."""
        await run_async(self._write(config, table, data, progress), self._get_async_client(config))

    def _write(
        self, config: Any, table: Any, data: list[Row], progress: Callable[[int], Any] | None
    ) -> Steps[None]:
        section = checked(config)
        hook = self._resolve_prewriting_hook(config) if data else None
        if hook is not None:
            data = hook(config, table, data)
        return write(
            self._namespace_for_fv(config, table.name),
            self._set_name(config, table.name),
            table.name,
            list(self._chunked(data, section.batch_max_records)),
            config.entity_key_serialization_version,
            time_to_live(section),
            progress,
        )

    # -- reads

    def online_read(
        self,
        config: Any,
        table: Any,
        entity_keys: list[Any],
        requested_features: list[str] | None = None,
    ) -> list[_ReadRow]:
        """Reads features of a view.

        Args:
            config: the config of the feature store.
            table: the feature view.
            entity_keys: the entities.
            requested_features: names of features; None for all.

        Returns:
            For each entity its event time and its values by feature, or ``(None, None)``.

        Raises:
            RuntimeError: records could not be read.
        """
        return run(self._read(config, table, entity_keys, requested_features), self._get_client(config))

    async def online_read_async(
        self,
        config: Any,
        table: Any,
        entity_keys: list[Any],
        requested_features: list[str] | None = None,
    ) -> list[_ReadRow]:
        """Like :meth:`online_read`, awaited."""
        return await run_async(
            self._read(config, table, entity_keys, requested_features), self._get_async_client(config)
        )

    def _read(
        self, config: Any, table: Any, entities: list[Any], wanted: list[str] | None
    ) -> Steps[list[_ReadRow]]:
        if not entities:
            return []
        view = self._view(config, table, wanted or None)
        serialized = entity_keys.serialize_protos(entities, config.entity_key_serialization_version)
        (rows,) = yield from read([(view, serialized)], self._batch_max_records(config))
        columns = [column.protos() for column in rows.columns]
        names = view.features
        values = zip(*columns, strict=True) if columns else [()] * len(entities)
        return [
            ((None if time is None else time_of(time)), dict(zip(names, row, strict=True)))
            if found
            else (None, None)
            for found, time, row in zip(rows.found.tolist(), rows.event_ms, values, strict=True)
        ]

    def _read_features_per_fv(
        self,
        config: Any,
        grouped_refs: Any,
        join_key_values: Any,
        entity_name_to_join_key_map: Any,
        online_features_response: Any,
        full_feature_names: bool,
        include_feature_view_version_metadata: bool,
    ) -> None:
        steps = request.read_per_view(
            self._view,
            config,
            grouped_refs,
            join_key_values,
            entity_name_to_join_key_map,
            online_features_response,
            full_feature_names,
            include_feature_view_version_metadata,
            self._batch_max_records(config),
        )
        run(steps, self._get_client(config))

    async def _read_features_per_fv_async(
        self,
        config: Any,
        grouped_refs: Any,
        join_key_values: Any,
        entity_name_to_join_key_map: Any,
        online_features_response: Any,
        full_feature_names: bool,
        include_feature_view_version_metadata: bool,
    ) -> None:
        steps = request.read_per_view(
            self._view,
            config,
            grouped_refs,
            join_key_values,
            entity_name_to_join_key_map,
            online_features_response,
            full_feature_names,
            include_feature_view_version_metadata,
            self._batch_max_records(config),
        )
        await run_async(steps, self._get_async_client(config))

    def get_online_features(
        self,
        config: Any,
        features: Any,
        entity_rows: Any,
        registry: Any,
        project: str,
        full_feature_names: bool = False,
        include_feature_view_version_metadata: bool = False,
    ) -> Any:
        """Reads features for entities. ``feast.FeatureStore.get_online_features`` calls this.

        Returns:
            An ``OnlineResponse`` whose ``to_dict``, ``to_df`` and ``to_arrow`` need no protobuf messages.
        """
        if not include_feature_view_version_metadata:
            steps = self._answer(config, features, entity_rows, registry, project, full_feature_names)
            if steps is not None:
                return run(steps, self._get_client(config))
        return super().get_online_features(
            config,
            features,
            entity_rows,
            registry,
            project,
            full_feature_names,
            include_feature_view_version_metadata,
        )

    async def get_online_features_async(
        self,
        config: Any,
        features: Any,
        entity_rows: Any,
        registry: Any,
        project: str,
        full_feature_names: bool = False,
        include_feature_view_version_metadata: bool = False,
    ) -> Any:
        """Like :meth:`get_online_features`, awaited."""
        if not include_feature_view_version_metadata:
            steps = self._answer(config, features, entity_rows, registry, project, full_feature_names)
            if steps is not None:
                return await run_async(steps, self._get_async_client(config))
        return await super().get_online_features_async(
            config,
            features,
            entity_rows,
            registry,
            project,
            full_feature_names,
            include_feature_view_version_metadata,
        )

    def _answer(
        self,
        config: Any,
        features: Any,
        entity_rows: Any,
        registry: Any,
        project: str,
        full_feature_names: bool,
    ) -> Any:
        resolved = self._resolver.resolve(self, config, features, registry, project, full_feature_names)
        if resolved is None:
            return None
        return request.answer(
            resolved,
            entity_rows,
            config.entity_key_serialization_version,
            self._batch_max_records(config),
        )

    # -- matrices

    def feature_matrix(
        self,
        config: Any,
        view: Any,
        keys: Any,
        features: Sequence[str] | None = None,
        *,
        dtype: Any = None,
        fill: float | None = None,
        out: Any = None,
        widths: dict[str, int] | None = None,
    ) -> Any:
        """Reads features of one view into a matrix, one row per key.

        Args:
            config: the config of the feature store (``FeatureStore.config``).
            view: the feature view.
            keys: ``{join_key: array}``, entity rows, or EntityKeys.
            features: names of features, in the order of the columns; None for all.
            dtype: type of the matrix; that of ``out``, or 32-bit floats, by default.
            fill: what missing cells have; NaN by default. A matrix of integers needs one.
            out: C-contiguous array of shape ``(rows, columns)`` to fill instead of a new one.
            widths: features that are lists, and the number of columns that each has.

        Returns:
            The array, of shape ``(rows, columns)``.

        Raises:
            ParamError: a feature is no number, or a list without a width, or a key column is missing.
            BatchDecodeError: a value does not fit the dtype, or a list has another length.
            RuntimeError: records could not be read.

        Example:
            >>> online = store._get_provider().online_store
            >>> online.feature_matrix(store.config, view, {"driver_id": np.arange(200)}).shape
            (200, 12)
        """
        steps = matrix.of_view(self, config, view, keys, features, matrix.Form(dtype, fill, out, widths))
        return run(steps, self._get_client(config))

    # -- administration

    def update(
        self,
        config: Any,
        tables_to_delete: Sequence[Any],
        tables_to_keep: Sequence[Any],
        entities_to_delete: Sequence[Any],
        entities_to_keep: Sequence[Any],
        partial: bool,
    ) -> None:
        """Removes the views that are gone from all records, in the background: one job for each set."""
        checked(config)
        sets: dict[tuple[str, str], list[str]] = {}
        for table in tables_to_delete:
            place = (self._namespace_for_fv(config, table.name), self._set_name(config, table.name))
            sets.setdefault(place, []).append(table.name)
        for (namespace, set_name), names in sets.items():
            removals = [
                map_operations.map_remove_by_key(bin_name, name, constants.MAP_RETURN_NONE)
                for name in names
                for bin_name in ("features", "event_ts")
            ]
            self._get_client(config).query(namespace, set_name).add_ops(removals).execute_background()

    def teardown(self, config: Any, tables: Sequence[Any], entities: Sequence[Any]) -> None:
        """Removes all records of the project's sets, and closes the connections."""
        checked(config)
        places = {(config.online_store.namespace, self._set_name(config))}
        places |= {
            (self._namespace_for_fv(config, table.name), self._set_name(config, table.name))
            for table in tables
        }
        client = self._get_client(config)
        for namespace, set_name in sorted(places):
            client.truncate(namespace, set_name, 0)
        self._close()


__all__ = ["AerospikeOnlineStore", "AerospikeOnlineStoreConfig"]
