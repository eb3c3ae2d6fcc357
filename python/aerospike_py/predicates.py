"""Predicates: the values that a query looks for in a secondary index.

The functions have the names and arguments of the official client's ``aerospike.predicates``, and return the
same tuples: to migrate, change the import.

>>> from aerospike_py import predicates
>>> client.index_single_value_create("test", "users", "visits", INDEX_NUMERIC, "users_visits")
0
>>> query = client.query("test", "users").where(predicates.between("visits", 5, 9))
>>> [record.bins["name"] for record in query.results()]
['Ada']
"""

from __future__ import annotations

import json
from typing import Any

from . import constants
from ._utils.describe import describe
from .exception import ParamError, ParamTypeError, _with_official_text

__all__ = [
    "between",
    "contains",
    "equals",
    "geo_contains_geojson_point",
    "geo_contains_point",
    "geo_within_geojson_region",
    "geo_within_radius",
    "range",
]

Predicate = tuple[Any, ...]

_EQUALS = 0
_BETWEEN = 1
_LONGEST = 2047
_INDEX_TYPES = (
    constants.INDEX_TYPE_DEFAULT,
    constants.INDEX_TYPE_LIST,
    constants.INDEX_TYPE_MAPKEYS,
    constants.INDEX_TYPE_MAPVALUES,
)


def equals(bin: str | None, val: int | str | bytes | bytearray) -> Predicate:
    """A bin has a value.

    Args:
        bin: name of the bin; None for ``where_with_index_name`` and ``where_with_expr``.
        val: the value: an int, a str, or bytes. Floats have no index.

    Raises:
        ParamError: an argument is of another type, or too large.

    Example:
        >>> equals("name", "Ada")
        (0, 0, 'name', 'Ada')
    """
    _check_bin("equals", bin)
    return (_EQUALS, _data_type("equals", val), bin, val)


def between(bin: str | None, min: int, max: int) -> Predicate:  # noqa: A002 (the official client's names)
    """A bin has a whole number from ``min`` to ``max``, both included.

    Args:
        bin: name of the bin; None for ``where_with_index_name`` and ``where_with_expr``.
        min: the least value.
        max: the greatest value.

    Raises:
        ParamError: ``min`` or ``max`` is not an int of 64 bits, or ``min`` is above ``max``.

    Example:
        >>> between("visits", 1, 5)
        (1, 4, 'visits', 1, 5)
    """
    _check_bin("between", bin)
    _check_bounds("between", min, max)
    return (_BETWEEN, constants.INDEX_NUMERIC, bin, min, max)


def contains(bin: str | None, index_type: int, val: int | str | bytes | bytearray) -> Predicate:
    """A list has an element, or a map a key or value.

    Args:
        bin: name of the bin; None for ``where_with_index_name`` and ``where_with_expr``.
        index_type: ``INDEX_TYPE_LIST``, ``INDEX_TYPE_MAPKEYS`` or ``INDEX_TYPE_MAPVALUES``.
        val: the value, as in :func:`equals`.

    Raises:
        ParamError: an argument is of another type, or too large.

    Example:
        >>> contains("tags", INDEX_TYPE_LIST, "new")
        (0, 0, 'tags', 'new', None, 1)
    """
    _check_bin("contains", bin)
    _check_index_type("contains", index_type)
    return (_EQUALS, _data_type("contains", val), bin, val, None, index_type)


def range(bin: str | None, index_type: int, min: int, max: int) -> Predicate:  # noqa: A001, A002
    """A list has a whole number from ``min`` to ``max`` as an element, or a map as a key or value.

    A record that has several of them is one record of the query. Pages are an exception: a record whose
    other numbers belong to a later page comes again on it.

    Args:
        bin: name of the bin; None for ``where_with_index_name`` and ``where_with_expr``.
        index_type: ``INDEX_TYPE_LIST``, ``INDEX_TYPE_MAPKEYS`` or ``INDEX_TYPE_MAPVALUES``.
        min: the least value.
        max: the greatest value.

    Raises:
        ParamError: an argument is of another type, or ``min`` is above ``max``.

    Example:
        >>> range("scores", INDEX_TYPE_MAPVALUES, 10, 20)
        (1, 4, 'scores', 10, 20, 3)
    """
    _check_bin("range", bin)
    _check_index_type("range", index_type)
    _check_bounds("range", min, max)
    return (_BETWEEN, constants.INDEX_NUMERIC, bin, min, max, index_type)


def geo_within_geojson_region(bin: str | None, shape: str, index_type: int = 0) -> Predicate:
    """A bin has a point inside a region.

    Args:
        bin: name of the bin; None for ``where_with_index_name`` and ``where_with_expr``.
        shape: GeoJSON text of a ``Polygon``, ``MultiPolygon`` or ``AeroCircle``.
        index_type: one of the ``INDEX_TYPE_*`` constants.

    Raises:
        ParamError: an argument is of another type, or ``shape`` is not JSON.

    Example:
        >>> shape = '{"type": "AeroCircle", "coordinates": [[-122.0, 37.5], 1000]}'
        >>> geo_within_geojson_region("place", shape)[:3]
        (1, 2, 'place')
    """
    return _geo("geo_within_geojson_region", bin, "shape", shape, index_type)


def geo_within_radius(
    bin: str | None, long: float, lat: float, radius_meters: float, index_type: int = 0
) -> Predicate:
    """A bin has a point that is at most so many metres away from another.

    Args:
        bin: name of the bin; None for ``where_with_index_name`` and ``where_with_expr``.
        long: longitude of the centre in degrees.
        lat: latitude of the centre in degrees.
        radius_meters: the distance.
        index_type: one of the ``INDEX_TYPE_*`` constants.

    Raises:
        ParamError: an argument is of another type, or out of range.

    Example:
        >>> geo_within_radius("place", -122.0, 37.5, 1000)[3]
        '{"type": "AeroCircle", "coordinates": [[-122.0, 37.5], 1000]}'
    """
    function = "geo_within_radius"
    _check_place(function, long, lat)
    radius = _real(function, "radius_meters", radius_meters)
    if not 0 < radius < float("inf"):
        raise ParamError(f"{function}: radius_meters is {describe(radius_meters)}; it must be above 0")
    shape = json.dumps({"type": "AeroCircle", "coordinates": [[long, lat], radius_meters]})
    return _geo(function, bin, "shape", shape, index_type)


def geo_contains_geojson_point(bin: str | None, point: str, index_type: int = 0) -> Predicate:
    """A bin has a region that contains a point.

    Args:
        bin: name of the bin; None for ``where_with_index_name`` and ``where_with_expr``.
        point: GeoJSON text of a ``Point``.
        index_type: one of the ``INDEX_TYPE_*`` constants.

    Raises:
        ParamError: an argument is of another type, or ``point`` is not JSON.

    Example:
        >>> geo_contains_geojson_point("area", '{"type": "Point", "coordinates": [-122.0, 37.5]}')[:3]
        (1, 2, 'area')
    """
    return _geo("geo_contains_geojson_point", bin, "point", point, index_type)


def geo_contains_point(bin: str | None, long: float, lat: float, index_type: int = 0) -> Predicate:
    """A bin has a region that contains a point.

    Args:
        bin: name of the bin; None for ``where_with_index_name`` and ``where_with_expr``.
        long: longitude of the point in degrees.
        lat: latitude of the point in degrees.
        index_type: one of the ``INDEX_TYPE_*`` constants.

    Raises:
        ParamError: an argument is of another type, or out of range.

    Example:
        >>> geo_contains_point("area", -122.0, 37.5)[3]
        '{"type": "Point", "coordinates": [-122.0, 37.5]}'
    """
    _check_place("geo_contains_point", long, lat)
    point = json.dumps({"type": "Point", "coordinates": [long, lat]})
    return _geo("geo_contains_point", bin, "point", point, index_type)


def _geo(function: str, bin: str | None, argument: str, text: str, index_type: int) -> Predicate:
    _check_bin(function, bin)
    if not isinstance(text, str):
        raise ParamTypeError(f"{function}: {argument} is {describe(text)}; it must be a str of GeoJSON")
    try:
        is_object = isinstance(json.loads(text), dict)
    except ValueError:
        is_object = False
    if not is_object:
        raise ParamError(f"{function}: {argument} is {describe(text)}; it must be a GeoJSON object")
    if index_type not in _INDEX_TYPES:
        _refuse_index_type(function, index_type)
    return (_BETWEEN, constants.INDEX_GEO2DSPHERE, bin, text, None, index_type)


def _check_bin(function: str, bin: object) -> None:
    if bin is not None and not isinstance(bin, str | bytearray):
        raise ParamTypeError(f"{function}: bin is {describe(bin)}; it must be a str, the name of a bin")


def _whole(function: str, argument: str, value: Any) -> None:
    try:
        number = None if isinstance(value, bool) else value.__index__()
    except (AttributeError, TypeError):
        number = None
    if number is None:
        raise ParamTypeError(f"{function}: {argument} is {describe(value)}; it must be an int")
    if not -(2**63) <= number < 2**63:
        raise ParamError(f"{function}: {argument} is {describe(value)}; it must fit into 64 bits")


def _check_bounds(function: str, least: int, most: int) -> None:
    _whole(function, "min", least)
    _whole(function, "max", most)
    if least > most:
        raise ParamError(f"{function}: min is {least} and max is {most}; min must not be above max")


def _data_type(function: str, value: object) -> int:
    """The type of an index that has a value."""
    if isinstance(value, str | bytes | bytearray):
        size = len(value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value)
        if size > _LONGEST:
            raise ParamError(f"{function}: val has {size} bytes; an index compares at most {_LONGEST}")
        return constants.INDEX_STRING if isinstance(value, str) else constants.INDEX_BLOB
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        error = ParamTypeError(f"{function}: val is {describe(value)}; it must be an int, a str or bytes")
        raise _with_official_text(error, "predicate is invalid.")
    _whole(function, "val", value)
    return constants.INDEX_NUMERIC


def _check_index_type(function: str, index_type: object) -> None:
    if isinstance(index_type, bool) or index_type not in _INDEX_TYPES:
        _refuse_index_type(function, index_type)


def _refuse_index_type(function: str, index_type: object) -> None:
    error = ParamError if isinstance(index_type, int) else ParamTypeError
    raise error(
        f"{function}: index_type is {describe(index_type)}; it must be one of the INDEX_TYPE_* constants"
    )


def _real(function: str, argument: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ParamTypeError(f"{function}: {argument} is {describe(value)}; it must be an int or a float")
    return float(value)


def _check_place(function: str, long: object, lat: object) -> None:
    for argument, value, most in (("long", long, 180), ("lat", lat, 90)):
        if not -most <= _real(function, argument, value) <= most:
            raise ParamError(
                f"{function}: {argument} is {describe(value)}; it must be from -{most} to {most}"
            )
