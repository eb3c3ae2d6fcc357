"""Types of bin values that Python does not have."""

from __future__ import annotations

import json
from typing import Any

from ._utils.describe import describe
from .exception import ClientError, ParamTypeError


class null:  # noqa: N801 (the official client's name)
    """The nil value, for code written for the official client. Setting a bin to it removes the bin.

    As the end of a range in an operation it is nil, where None leaves the end open. Values that are read are
    None.

    Example:
        >>> client.put(("test", "users", 1), {"visits": null()})
        0
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, null)

    def __hash__(self) -> int:
        return hash(null)

    def __repr__(self) -> str:
        return "null()"


class GeoJSON:
    """A GeoJSON value.

    Args:
        geo_data: a GeoJSON object as a dict, or its text. Text is stored unchanged.

    Raises:
        TypeError: ``geo_data`` is neither a dict nor a str, or holds what JSON cannot.

    Example:
        >>> place = GeoJSON({"type": "Point", "coordinates": [-122.0, 37.5]})
        >>> client.put(("test", "users", 1), {"place": place})
        0
        >>> client.get(("test", "users", 1)).bins["place"] == place
        True
    """

    __slots__ = ("_text",)

    def __init__(self, geo_data: dict[str, Any] | str) -> None:
        if isinstance(geo_data, str):
            self._text = geo_data
        elif isinstance(geo_data, dict):
            try:
                self._text = json.dumps(geo_data)
            except (TypeError, ValueError) as error:
                raise ParamTypeError(f"geo_data cannot be written as JSON: {error}") from error
        else:
            raise ParamTypeError(f"geo_data is {describe(geo_data)}; it must be a dict or its text")

    @property
    def geo_data(self) -> dict[str, Any]:
        """The object as a dict.

        Example:
            >>> GeoJSON('{"type": "Point", "coordinates": [1, 2]}').geo_data["coordinates"]
            [1, 2]
        """
        data: dict[str, Any] = json.loads(self._text)
        return data

    def unwrap(self) -> dict[str, Any]:
        """The object as a dict.

        Example:
            >>> GeoJSON({"type": "Point", "coordinates": [1, 2]}).unwrap()["type"]
            'Point'
        """
        return self.geo_data

    def dumps(self) -> str:
        """The object as text.

        Example:
            >>> GeoJSON({"type": "Point", "coordinates": [1, 2]}).dumps()
            '{"type": "Point", "coordinates": [1, 2]}'
        """
        return self._text

    def wrap(self, geo_data: dict[str, Any]) -> None:
        """Replaces the object by another.

        Example:
            >>> place = GeoJSON({"type": "Point", "coordinates": [1, 2]})
            >>> place.wrap({"type": "Point", "coordinates": [3, 4]})
        """
        if not isinstance(geo_data, dict):
            raise ParamTypeError(f"geo_data is {describe(geo_data)}; it must be a dict")
        self._text = GeoJSON(geo_data)._text

    def loads(self, raw_geo: str) -> None:
        """Replaces the object by another, given as text.

        Raises:
            ClientError: the text is not JSON.

        Example:
            >>> place = GeoJSON({"type": "Point", "coordinates": [1, 2]})
            >>> place.loads('{"type": "Point", "coordinates": [3, 4]}')
        """
        if not isinstance(raw_geo, str):
            raise ParamTypeError(f"raw_geo is {describe(raw_geo)}; it must be a str")
        try:
            json.loads(raw_geo)
        except ValueError as error:
            raise ClientError(f"raw_geo is {describe(raw_geo)}, which is not JSON: {error}") from error
        self._text = raw_geo

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GeoJSON):
            return NotImplemented
        return self._text == other._text or self.geo_data == other.geo_data

    def __hash__(self) -> int:
        return hash(json.dumps(self.geo_data, sort_keys=True))

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"GeoJSON({self._text!r})"


class KeyOrderedDict(dict[Any, Any]):
    """A dict that is stored as a map ordered by key. Maps that are ordered by key are read as this class.

    The server sorts the map: until it is read back, the dict keeps its insertion order. In all other
    respects, including ``repr`` and comparison, it is a plain dict.

    Example:
        >>> client.put(("test", "users", 1), {"scores": KeyOrderedDict({"b": 2, "a": 1})})
        0
        >>> client.get(("test", "users", 1)).bins["scores"]
        {'a': 1, 'b': 2}
        >>> isinstance(client.get(("test", "users", 1)).bins["scores"], KeyOrderedDict)
        True
    """


class HyperLogLog(bytes):
    """A HyperLogLog sketch, as the bytes that the server stores.

    Example:
        >>> sketch = HyperLogLog(bytes.fromhex("0004") + bytes(13) + bytes.fromhex("4080003000000000"))
        >>> client.put(("test", "users", 1), {"visitors": sketch})
        0
        >>> client.get(("test", "users", 1)).bins["visitors"] == sketch
        True
    """

    def __repr__(self) -> str:
        return f"HyperLogLog({bytes.__repr__(self)})"

    def __str__(self) -> str:
        return repr(self)


class CDTInfinite:
    """Greater than all other values: an open end of a range of values, keys, indexes or ranks.

    Example:
        >>> from aerospike_py import map_operations as maps
        >>> maps.map_get_by_key_range("ages", "B", CDTInfinite(), MAP_RETURN_KEY)["range"]
        CDTInfinite()
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "CDTInfinite()"


class CDTWildcard:
    """Equal to every value. In a list that items are compared with, it stands for whatever follows.

    Example:
        >>> from aerospike_py import list_operations as lists
        >>> lists.list_get_by_value("points", [1, CDTWildcard()], LIST_RETURN_COUNT)["val"]
        [1, CDTWildcard()]
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "CDTWildcard()"
