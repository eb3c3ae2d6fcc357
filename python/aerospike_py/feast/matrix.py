"""Features as one matrix, straight from the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from feast import utils
from feast.feature_service import FeatureService
from feast.value_type import ValueType

from .._matrix_format import matrix_format
from .._utils.warnings import warn
from ..exception import ParamError, ParamTypeError
from . import keys as entity_keys
from .columns import NUMERIC
from .reading import Steps, View, join_keys_of, key_batches, refuse_failed, run, run_async

_LISTS = (
    ValueType.DOUBLE_LIST, ValueType.FLOAT_LIST, ValueType.INT64_LIST, ValueType.INT32_LIST,
    ValueType.BOOL_LIST, ValueType.UNIX_TIMESTAMP_LIST,
)  # fmt: skip


_DEFAULT = np.dtype("f4")


class Form(NamedTuple):
    """What the matrix is to be: see :func:`feature_matrix`."""

    dtype: Any
    fill: float | None
    out: Any
    widths: Mapping[str, Any] | None

    def element(self) -> Any:
        """The type of the elements."""
        if self.dtype is None and self.fill is None and self.out is None:
            return _DEFAULT
        dtype, _ = matrix_format(self.dtype, self.fill, self.out)
        if isinstance(self.out, np.ndarray) and self.out.dtype != dtype:
            raise ParamError(f"out has the dtype {self.out.dtype}, and dtype is {dtype}; they must be equal")
        return dtype

    def array(self, rows: int, columns: int, element: Any) -> Any:
        """The array to fill, of elements of this type."""
        if self.out is None:
            return np.empty((rows, columns), element)
        if not isinstance(self.out, np.ndarray):
            raise ParamTypeError(f"out is a {type(self.out).__name__}; it must be a NumPy array")
        if self.out.shape != (rows, columns):
            raise ParamError(f"out has the shape {self.out.shape}; it must be {(rows, columns)}")
        if not self.out.flags.c_contiguous:
            raise ParamError("out is not C-contiguous; pass np.ascontiguousarray(out)")
        if not self.out.flags.writeable:
            raise ParamError("out is read-only; pass an array that can be written")
        return self.out


class Group(NamedTuple):
    """Views with the same keys in one set.

    Attributes:
        namespace: namespace of the records.
        set: set of the records.
        join_keys: the join keys, sorted.
        columns: columns of the request that have them.
        types: their types.
    """

    namespace: str
    set: str
    join_keys: tuple[str, ...]
    columns: tuple[str, ...]
    types: tuple[Any, ...]


class Plan:
    """What a request reads, whatever the keys.

    Attributes:
        groups: the sets of keys that are read.
        fields: of each view, its features and their widths (0 for one that is no list).
        columns: (group, view, feature) of each feature, in the order of the matrix.
    """

    def __init__(
        self,
        groups: Sequence[Group],
        fields: Mapping[str, Mapping[str, int]],
        columns: Sequence[tuple[int, str, str]],
    ) -> None:
        self.groups = groups
        self.fields = fields
        self.widths = [width for features in fields.values() for width in features.values()]
        places: dict[tuple[str, str], range] = {}
        self.columns_read = 0
        for view, features in fields.items():
            for feature, width in features.items():
                places[view, feature] = range(self.columns_read, self.columns_read + (width or 1))
                self.columns_read += width or 1
        # (group, column that is read) of each column of the matrix.
        flat = [(group, column) for group, view, feature in columns for column in places[view, feature]]
        self.columns = len(flat)
        #: The bits of a record that has all fields.
        self.complete = np.packbits(np.ones(len(self.widths), dtype=np.bool_)).tobytes()
        #: Whether rows of the matrix are read as they are.
        self.is_direct = len(groups) == 1 and [column for _, column in flat] == list(range(self.columns_read))
        #: For each group, columns of the matrix and the columns they are read from.
        self.moves = [
            (
                np.array([place for place, (owner, _) in enumerate(flat) if owner == group]),
                np.array([column for owner, column in flat if owner == group]),
            )
            for group in range(len(groups))
        ]
        self._dtypes: dict[Any, Any] = {}

    def dtype(self, element: Any) -> Any:
        """A struct of each view's features. It has the memory of a row of elements."""
        dtype = self._dtypes.get(element)
        if dtype is None:
            views = [
                (
                    view,
                    np.dtype(
                        [
                            (name, element, (width,)) if width else (name, element)
                            for name, width in features.items()
                        ]
                    ),
                )
                for view, features in self.fields.items()
            ]
            dtype = self._dtypes[element] = np.dtype([("features", views)])
        return dtype


def of_view(
    store: Any, config: Any, table: Any, keys: Any, features: Sequence[str] | None, form: Form
) -> Steps[Any]:
    """Reads features of one view."""
    key = (id(table), None if features is None else tuple(features), _hashable(form.widths))
    known = _plans.get(key)
    if known is None or known[0] is not table or known[1] is not config:
        view = _view(store, config, table, features)
        types = {column.name: column.dtype.to_value_type() for column in table.entity_columns}
        join_keys = tuple(sorted(types))
        group = Group(
            view.namespace, view.set, join_keys, join_keys, tuple(types[name] for name in join_keys)
        )
        fields = dict(zip(view.features, _widths(view, form.widths), strict=True))
        _refuse_unknown_widths(form.widths, {view.name: fields})
        columns = [(0, view.name, name) for name in view.features]
        known = _keep(key, (table, config, Plan([group], {view.name: fields}, columns)))
    plan: Plan = known[2]
    only = plan.groups[0]
    serialized = entity_keys.serialize(
        keys, only.join_keys, only.types, config.entity_key_serialization_version
    )
    return _matrix(plan, [serialized], form, store._batch_max_records(config))


def _view(store: Any, config: Any, table: Any, features: Sequence[str] | None) -> View:
    view: View = store._view(config, table, features)
    if features is not None:
        if isinstance(features, str):
            raise ParamTypeError(f"features is {features!r}; it must be a list of names")
        unknown = [name for name in features if name not in view.features]
        if unknown:
            raise ParamError(f"the view {table.name!r} has no feature {unknown[0]!r}")
        if len(view.features) != len(features):
            raise ParamError(f"features has a name twice: {list(features)}")
    if not view.features:
        raise ParamError(f"no feature of the view {table.name!r} is read; name at least one")
    return view


def _widths(view: View, widths: Mapping[str, Any] | None) -> list[int]:
    """The number of columns of each feature; 0 for one that is no list."""
    found = []
    for name, value_type in zip(view.features, view.types, strict=True):
        width = None
        if widths:
            width = widths.get(f"{view.name}:{name}", widths.get(name))
        if value_type in NUMERIC:
            if width is not None:
                raise ParamError(f"widths has the feature {name!r} of {view.name!r}, which is no list")
            found.append(0)
        elif value_type in _LISTS:
            if width is None:
                raise ParamError(
                    f"the feature {name!r} of {view.name!r} is a list; pass its length: "
                    f"widths={{{name!r}: n}}"
                )
            if type(width) is bool or not isinstance(width, (int, np.integer)) or width < 1:
                raise ParamError(f"widths[{name!r}] is {width!r}; it must be a positive integer")
            found.append(int(width))
        else:
            raise ParamError(
                f"the feature {name!r} of {view.name!r} has the type {value_type.name}, which is no number; "
                "leave it out"
            )
    return found


def _refuse_unknown_widths(widths: Mapping[str, Any] | None, fields: Mapping[str, Mapping[str, int]]) -> None:
    """Refuses widths of features that are not read."""
    if widths:
        known = {
            name
            for view, features in fields.items()
            for feature in features
            for name in (feature, f"{view}:{feature}")
        }
        for name in widths:
            if name not in known:
                raise ParamError(f"widths has {name!r}, which is no feature that is read")


def _matrix(plan: Plan, keys: Sequence[Any], form: Form, limit: int) -> Steps[Any]:
    """Reads all groups in one batch.

    Args:
        plan: what is read.
        keys: the serialized keys of each group.
        form: what the matrix is to be.
        limit: the largest number of records of one batch.
    """
    element = form.element()
    rows = len(keys[0])
    dtype = plan.dtype(element)
    matrix = form.array(rows, plan.columns, element)
    if rows == 0:
        return matrix
    # Rows of different groups have their own columns: they are read below each other, and moved.
    read = matrix if plan.is_direct else np.empty((rows * len(keys), plan.columns_read), dtype=element)
    records = np.ndarray((len(read),), dtype, read)
    start = 0
    for batch_keys in key_batches(list(zip(plan.groups, keys, strict=True)), limit):
        stop = start + len(batch_keys)
        batch = yield _read(batch_keys, dtype, records[start:stop])
        if batch.inexact:
            warn(RuntimeWarning(_changed(batch.inexact, element)))
        # A record that has all fields was found.
        if batch._presence.tobytes() != plan.complete * len(batch_keys):
            refuse_failed(batch.result_codes)
            _fill_missing(read[start:stop], batch._presence, plan.widths, form.fill)
        start = stop
    if not plan.is_direct:
        for group, (columns, columns_read) in enumerate(plan.moves):
            matrix[:, columns] = read[group * rows : (group + 1) * rows, columns_read]
    return matrix


def _changed(inexact: Iterable[str], element: Any) -> str:
    """What is said of values that became others. Floats that were only rounded are not among them."""
    names = sorted(field.removeprefix("features.").replace(".", ":", 1) for field in inexact)
    return f"values changed to fit {element}: {', '.join(names)}; pass a wider dtype"


def _fill_missing(part: Any, presence: Any, widths: Sequence[int], fill: float | None) -> None:
    missing = ~np.unpackbits(presence, axis=1, count=len(widths)).view(np.bool_)
    if any(widths):
        missing = np.repeat(missing, [width or 1 for width in widths], axis=1)
    part[missing] = np.nan if fill is None else fill


def _read(keys: Any, dtype: Any, out: Any) -> Any:
    return lambda client: client.batch_read(keys, _dtype=dtype, out=out)


# Plans by what they were made of, which is kept with them: identities are of objects that exist.
_plans: dict[Any, tuple[Any, Any, Plan]] = {}
_KEPT = 256


def _keep(key: Any, value: tuple[Any, Any, Plan]) -> tuple[Any, Any, Plan]:
    if len(_plans) >= _KEPT:
        _plans.clear()
    _plans[key] = value
    return value


def feature_matrix(
    store: Any,
    features: Any,
    keys: Any,
    *,
    dtype: Any = None,
    fill: float | None = None,
    out: Any = None,
    widths: Mapping[str, int] | None = None,
) -> Any:
    """Reads features into a matrix, one row per entity, without protobuf messages.

    Args:
        store: the ``feast.FeatureStore``. Its online store must be :class:`AerospikeOnlineStore`.
        features: a feature view or its name, a feature service, or references such as ``"stats:trips"``.
            The columns of the matrix are in this order; those of a view or service in that of its features.
        keys: ``{join_key: array}``, entity rows (``[{"driver_id": 1}, ...]``), or EntityKeys if there is one
            entity.
        dtype: type of the matrix; that of ``out``, or 32-bit floats, by default.
        fill: what missing cells have; NaN by default. A matrix of integers needs one.
        out: C-contiguous array of shape ``(rows, columns)`` to fill instead of a new one.
        widths: features that are lists (``"vec"`` or ``"stats:vec"``), and the number of columns of each.

    Returns:
        The array, of shape ``(rows, columns)``.

    Raises:
        ParamError: a feature is no number, or a list without a width; a join key is missing or no key of its
            entity; the request needs on-demand transformations.
        BatchDecodeError: a value does not fit the dtype, or a list has another length.
        RuntimeError: some records could not be read.
        AerospikeError: none could be read, such as ``ConnectionError``.

    Warns:
        RuntimeWarning: values changed to fit the dtype: integers that it does not have, floats that became
            infinite.

    Example:
        >>> feature_matrix(store, ["stats:trips", "stats:rating"], {"driver_id": np.arange(200)}).shape
        (200, 2)
    """
    form = Form(dtype, fill, out, widths)
    online, config, steps = _steps(store, features, keys, form)
    return run(steps, online._get_client(config))


async def feature_matrix_async(
    store: Any,
    features: Any,
    keys: Any,
    *,
    dtype: Any = None,
    fill: float | None = None,
    out: Any = None,
    widths: Mapping[str, int] | None = None,
) -> Any:
    """Like :func:`feature_matrix`, awaited.

    Example:
        >>> (await feature_matrix_async(store, ["stats:trips"], {"driver_id": np.arange(200)})).shape
        (200, 1)
    """
    form = Form(dtype, fill, out, widths)
    online, config, steps = _steps(store, features, keys, form)
    return await run_async(steps, online._get_async_client(config))


def _steps(store: Any, features: Any, keys: Any, form: Form) -> tuple[Any, Any, Steps[Any]]:
    config = store.config
    online = store._get_provider().online_store
    if not hasattr(online, "_get_async_client"):
        raise ParamTypeError(
            f"the online store is a {type(online).__name__}; it must be "
            "aerospike_py.feast.AerospikeOnlineStore"
        )
    if isinstance(features, str):
        features = store.get_feature_view(features)
    if hasattr(features, "entity_columns"):
        return online, config, of_view(online, config, features, keys, None, form)
    plan = _plan(store, online, config, features, form)
    if type(keys) is not dict and isinstance(keys, Sequence) and len(keys) and isinstance(keys[0], Mapping):
        columns = entity_keys.columns_of_rows(keys)
        if columns is None:
            raise ParamError("entity rows must all have the same keys")
        keys = columns
    version = config.entity_key_serialization_version
    serialized = [
        entity_keys.serialize(keys, group.join_keys, group.types, version, group.columns)
        for group in plan.groups
    ]
    entity_keys.refuse_different_lengths(serialized)
    return online, config, _matrix(plan, serialized, form, online._batch_max_records(config))


def _plan(store: Any, online: Any, config: Any, features: Any, form: Form) -> Plan:
    """What the features of a service, or references, mean."""
    if not isinstance(features, FeatureService):
        features = list(features)
    context = utils._get_cached_request_context(store.registry, store.project, features, True)
    key = (id(context), _hashable(form.widths))
    known = _plans.get(key)
    if known is None or known[0] is not context or known[1] is not config:
        known = _keep(key, (context, config, _plan_of(online, config, context, form)))
    return known[2]


def _plan_of(online: Any, config: Any, context: Any, form: Form) -> Plan:
    refs, on_demand, names, types, _, grouped, _, request_data, entityless = context
    if on_demand or request_data or entityless:
        raise ParamError("the request has on-demand views or no entity; use get_online_features for it")
    online._check_versioned_read_support(grouped)
    order = {ref: number for number, ref in enumerate(refs)}
    groups: list[Group] = []
    fields: dict[str, dict[str, int]] = {}
    columns: dict[str, tuple[int, str, str]] = {}
    for table, wanted in grouped:
        refs_of = {feature: f"{table.projection.name_to_use()}:{feature}" for feature in wanted}
        view = _view(online, config, table, sorted(wanted, key=lambda name: order[refs_of[name]]))
        join_keys, own = join_keys_of(table, names)
        group = Group(view.namespace, view.set, join_keys, own, tuple(types[column] for column in own))
        if group not in groups:
            groups.append(group)
        known = fields.setdefault(view.name, {})
        for feature, width in zip(view.features, _widths(view, form.widths), strict=True):
            known[feature] = width
            columns[refs_of[feature]] = (groups.index(group), view.name, feature)
    _refuse_unknown_widths(form.widths, fields)
    return Plan(groups, fields, [columns[ref] for ref in refs])


def _hashable(widths: Mapping[str, int] | None) -> Any:
    return tuple(widths.items()) if widths else None
