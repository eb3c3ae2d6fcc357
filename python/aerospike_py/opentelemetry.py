"""Spans and durations of calls for OpenTelemetry: :func:`instrument`.

It needs ``opentelemetry-api`` (the extra ``opentelemetry``), which only this module imports. While nothing is
instrumented, calls cost nothing more.
"""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics, trace

from . import _native
from ._tracing import current_trace
from .async_client import AsyncClient
from .client import Client
from .exception import AerospikeError
from .keys import Keys
from .query import AsyncQuery, Query

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

__all__ = ["instrument", "uninstrument"]

_NAME = "aerospike_py"

#: The buckets that the conventions for database clients advise, in seconds.
_BOUNDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)

#: Methods of clients that send something.
_COMMANDS = [
    "get",
    "put",
    "exists",
    "remove",
    "select",
    "touch",
    "append",
    "prepend",
    "increment",
    "remove_bin",
    "operate",
    "operate_ordered",
    "batch_read",
    "batch_read_arrow",
    "batch_write",
    "batch_write_numpy",
    "batch_write_arrow",
    "batch_operate",
    "batch_remove",
    "batch_apply",
    "apply",
    "read_matrix",
    "infer_dtype",
    "info_all",
    "info_random_node",
    "info_single_node",
    "set_xdr_filter",
    "truncate",
    "job_info",
    "index_list",
    "index_remove",
    "index_single_value_create",
    "index_list_create",
    "index_map_keys_create",
    "index_map_values_create",
    "index_expr_create",
    "index_cdt_create",
    "index_integer_create",
    "index_string_create",
    "index_blob_create",
    "index_geo2dsphere_create",
    "index_set_create",
    "index_wait_till_complete",
    "udf_put",
    "udf_get",
    "udf_list",
    "udf_remove",
    "commit",
    "abort",
    "query_apply",
    "scan_apply",
    "admin_create_user",
    "admin_create_pki_user",
    "admin_drop_user",
    "admin_set_password",
    "admin_change_password",
    "admin_grant_roles",
    "admin_revoke_roles",
    "admin_query_user_info",
    "admin_query_users_info",
    "admin_create_role",
    "admin_drop_role",
    "admin_grant_privileges",
    "admin_revoke_privileges",
    "admin_get_role",
    "admin_get_roles",
    "admin_query_role",
    "admin_query_roles",
    "admin_set_whitelist",
    "admin_set_quotas",
]

#: Methods of queries that run them to their end.
_QUERIES = ("results", "foreach", "to_numpy", "to_arrow", "execute_background")

#: Arguments that say what a call is about, and callbacks.
_ARGUMENTS = (
    "key", "keys", "features", "batch_records", "data", "namespace", "ns", "set", "callback", "progress",
)  # fmt: skip

#: Keys of a batch that are looked at one by one, to see whether they are of one set.
_MAX_KEYS = 1_000

#: The originals of the methods that are replaced now.
_originals: dict[tuple[type, str], Any] = {}


def instrument(
    meter_provider: MeterProvider | None = None,
    tracer_provider: TracerProvider | None = None,
    *,
    record_keys: bool = False,
) -> None:
    """Makes every call of every client a span, and records its duration.

    Spans follow the stable conventions for database clients: the name is the command and the set, the kind is
    CLIENT. The attributes are ``db.system.name`` ("aerospike"), ``db.operation.name``, ``db.namespace``,
    ``db.collection.name`` (the set), ``db.operation.batch.size``, ``server.address`` and ``server.port`` (of
    the first node asked), ``error.type`` and ``db.response.status_code`` of failures; and of this client
    ``aerospike.requests``, ``aerospike.retries``, ``aerospike.hedges`` and ``aerospike.nodes``, which
    ``results`` and ``foreach`` of queries lack. Queries that are iterated over have no span. Durations are
    the histogram ``db.client.operation.duration`` in seconds.

    Args:
        meter_provider: where the histogram goes; None for the global provider.
        tracer_provider: where spans go; None for the global provider.
        record_keys: add the primary key of commands on one record, as ``aerospike.key``. Values are never
            recorded.

    Raises:
        RuntimeError: clients are instrumented already; call :func:`uninstrument` first.

    Example:
        >>> from aerospike_py import opentelemetry
        >>> opentelemetry.instrument()
        >>> client.exists(("test", "users", 1))[1]["gen"]
        1
        >>> opentelemetry.uninstrument()
    """
    if _originals:
        raise RuntimeError("clients are instrumented already; call uninstrument() first")
    tracer = trace.get_tracer(_NAME, _native.__version__, tracer_provider)
    meter = metrics.get_meter(_NAME, _native.__version__, meter_provider)
    duration = meter.create_histogram(
        "db.client.operation.duration",
        unit="s",
        description="Duration of database client operations.",
        explicit_bucket_boundaries_advisory=_BOUNDS,
    )
    for kinds, names in (((Client, AsyncClient), _COMMANDS), ((Query, AsyncQuery), _QUERIES)):
        for kind in kinds:
            for name in names:
                method = inspect.getattr_static(kind, name, None)
                if inspect.isfunction(method):
                    _originals[kind, name] = kind.__dict__.get(name)
                    watch = _Watch(tracer, duration, name, method, record_keys)
                    setattr(kind, name, watch.wrapper())


def uninstrument() -> None:
    """Undoes :func:`instrument`. Calls in flight end as they began."""
    while _originals:
        (kind, name), original = _originals.popitem()
        if original is None:
            delattr(kind, name)
        else:
            setattr(kind, name, original)


class _Watch:
    """A method with spans and durations."""

    def __init__(self, tracer: Any, duration: Any, name: str, method: Any, record_keys: bool) -> None:
        self._tracer, self._duration = tracer, duration
        self._name, self._method, self._record_keys = name, method, record_keys
        parameters = list(inspect.signature(method).parameters)
        find = {each: place for place, each in enumerate(parameters)}
        self._places: dict[str, int] = {each: find[each] for each in _ARGUMENTS if each in find}
        self._callbacks = [each for each in ("callback", "progress") if each in find]

    def wrapper(self) -> Callable[..., Any]:
        method = self._method
        if inspect.iscoroutinefunction(method):

            @functools.wraps(method)
            async def watched_async(*args: Any, **kwargs: Any) -> Any:
                if current_trace.get() is not None:
                    return await method(*args, **kwargs)
                with _Spanned(self, args, kwargs):
                    args, kwargs = self._unwatched(args, kwargs)
                    return await method(*args, **kwargs)

            return watched_async

        @functools.wraps(method)
        def watched(*args: Any, **kwargs: Any) -> Any:
            if current_trace.get() is not None:
                # A call of the package's own, inside one that is watched.
                return method(*args, **kwargs)
            with _Spanned(self, args, kwargs):
                args, kwargs = self._unwatched(args, kwargs)
                return method(*args, **kwargs)

        return watched

    def _unwatched(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with callbacks whose own calls are spans again."""
        for name in self._callbacks:
            place = self._places[name]
            if place < len(args) and callable(args[place]):
                args = (*args[:place], _outside(args[place]), *args[place + 1 :])
            elif callable(kwargs.get(name)):
                kwargs = {**kwargs, name: _outside(kwargs[name])}
        return args, kwargs

    def attributes(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """What is known before the call. Arguments may be wrong in any way: the call says so."""
        found: dict[str, Any] = {"db.system.name": "aerospike", "db.operation.name": self._name}
        if self._name in _QUERIES and args:
            namespace, set_name = _of_query(args[0])
        else:
            namespace, set_name, size, key = self._of_arguments(args, kwargs)
            if size is not None and size > 1:
                found["db.operation.batch.size"] = size
            if self._record_keys and key is not None:
                found["aerospike.key"] = str(key)
        if isinstance(namespace, str):
            found["db.namespace"] = namespace
        if isinstance(set_name, str):
            found["db.collection.name"] = set_name
        return found

    def _of_arguments(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, Any, int | None, Any]:
        def argument(name: str) -> Any:
            place = self._places.get(name)
            if place is None:
                return None
            return args[place] if place < len(args) else kwargs.get(name)

        key = argument("key")
        if isinstance(key, tuple) and len(key) >= 2:
            return key[0], key[1], None, key[2] if len(key) > 2 else None
        namespace = argument("namespace") or argument("ns")
        if namespace is None:
            return (*_of_keys(self._keys(argument)), None)
        return namespace, argument("set"), _rows(argument("data")), None

    @staticmethod
    def _keys(argument: Callable[[str], Any]) -> Any:
        """The keys of a batch, as one of its arguments has them."""
        features, records = argument("features"), getattr(argument("batch_records"), "batch_records", None)
        if isinstance(features, (list, tuple)):
            return [
                key for group in features if group and isinstance(group, tuple) for key in _listed(group[0])
            ]
        if isinstance(records, list):
            return [getattr(record, "key", None) for record in records]
        return argument("keys")


def _outside(callback: Callable[..., Any]) -> Callable[..., Any]:
    """A callback, which runs as if it were called outside of the call that is watched."""

    @functools.wraps(callback)
    def called(*args: Any) -> Any:
        token = current_trace.set(None)
        try:
            answer = callback(*args)
        finally:
            current_trace.reset(token)
        return _awaited(answer) if inspect.isawaitable(answer) else answer

    async def _awaited(answer: Awaitable[Any]) -> Any:
        token = current_trace.set(None)
        try:
            return await answer
        finally:
            current_trace.reset(token)

    return called


def _listed(keys: Any) -> Any:
    """The keys of a group: a list of them, or of one `Keys`."""
    return keys if isinstance(keys, (list, tuple)) else [keys]


def _of_keys(keys: Any) -> tuple[Any, Any, int | None]:
    """The namespace and the set that all keys of a batch have, and their number."""
    if not isinstance(keys, (list, tuple)):
        keys = [keys] if isinstance(keys, Keys) else []
    if not keys:
        return None, None, None
    size = sum(len(each) if isinstance(each, Keys) else 1 for each in keys)
    if len(keys) > _MAX_KEYS:
        return None, None, size
    spaces = [_space_of(each) for each in keys]
    namespace, set_name = spaces[0]
    if any(space[0] != namespace for space in spaces):
        return None, None, size
    return namespace, set_name if all(space[1] == set_name for space in spaces) else None, size


def _space_of(key: Any) -> tuple[Any, Any]:
    if isinstance(key, Keys):
        return key.namespace, key.set
    return key[:2] if isinstance(key, tuple) and len(key) >= 2 else (None, None)


def _rows(data: Any) -> int | None:
    """The rows of an array, a table or a frame; None for a stream."""
    shape = getattr(data, "shape", None)
    return shape[0] if isinstance(shape, tuple) and shape and isinstance(shape[0], int) else None


def _of_query(query: Any) -> tuple[Any, Any]:
    return getattr(query, "_namespace", None), getattr(query, "_set", None)


class _Spanned:
    """One call, as a context manager."""

    __slots__ = ("_attributes", "_span", "_start", "_token", "_trace", "_watch")

    def __init__(self, watch: _Watch, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._watch = watch
        self._attributes = watch.attributes(args, kwargs)
        self._trace = _native.CallTrace()

    def __enter__(self) -> None:
        attributes = self._attributes
        target = attributes.get("db.collection.name") or attributes.get("db.namespace")
        name = f"{self._watch._name} {target}" if target else self._watch._name
        self._span: Span = self._watch._tracer.start_span(
            name, kind=trace.SpanKind.CLIENT, attributes=attributes
        )
        self._token = current_trace.set(self._trace)
        self._start = time.perf_counter()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        seconds = time.perf_counter() - self._start
        current_trace.reset(self._token)
        after = dict(_after(self._trace, error))
        span = self._span
        if span.is_recording():
            span.set_attributes(after)
            if error is not None:
                # Messages of errors may name keys.
                text = str(error) if self._watch._record_keys else type(error).__qualname__
                span.set_status(trace.StatusCode.ERROR, text)
        span.end()
        wanted = ("server.address", "server.port", "error.type", "db.response.status_code")
        measured: Mapping[str, Any] = {
            name: value
            for name, value in {**self._attributes, **after}.items()
            if name.startswith("db.") or name in wanted
        }
        self._watch._duration.record(
            seconds, {name: value for name, value in measured.items() if name != "db.operation.batch.size"}
        )


def _after(call: _native.CallTrace, error: BaseException | None) -> Iterator[tuple[str, Any]]:
    """What is known after the call."""
    nodes = call.nodes
    if nodes:
        _, address, port = nodes[0]
        yield from (("server.address", address), ("server.port", port))
        yield "aerospike.nodes", [name for name, _, _ in nodes]
    # Queries that read records do so in tasks of their own, which no trace follows.
    if call.requests:
        yield from (("aerospike.requests", call.requests), ("aerospike.retries", call.retries))
        yield "aerospike.hedges", call.hedges
    if error is not None:
        yield "error.type", type(error).__qualname__
        if isinstance(error, AerospikeError):
            yield "db.response.status_code", str(error.code)
