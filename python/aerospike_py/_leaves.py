"""The fields of a structured dtype as a tree.

A field that is a struct has fields of its own. The leaves are the fields that hold values: scalars and
sub-arrays. Outside of arrays, a field is called by the names on the way to it, with dots between them:
``features.driver.trips``.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import numpy as np
    import numpy.typing as npt

Path = tuple[str, ...]


class Node(NamedTuple):
    """A field at any depth."""

    path: Path
    dtype: np.dtype[Any]

    @property
    def name(self) -> str:
        return ".".join(self.path)

    @property
    def is_leaf(self) -> bool:
        return self.dtype.names is None

    def in_array(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The field in an array of the dtype: a view."""
        for name in self.path:
            array = array[name]
        return array


def nodes(dtype: np.dtype[Any], above: Path = ()) -> Iterator[Node]:
    """All fields in the order of the dtype; a struct comes before its fields."""
    for name in dtype.names or ():
        node = Node((*above, name), dtype[name])
        yield node
        yield from nodes(node.dtype, node.path)


def leaves(dtype: np.dtype[Any], above: Path = ()) -> list[Node]:
    """The fields that are no structs, in the order of the bits of presence. A sub-array is one leaf."""
    return [node for node in nodes(dtype, above) if node.is_leaf]


def find(dtype: np.dtype[Any], name: str | Path, of: str = "the dtype") -> Node:
    """The field of a dotted name, or of a tuple of names.

    Args:
        dtype: a structured dtype.
        name: what the caller calls the field.
        of: what messages call the dtype.

    Raises:
        ValueError: there is no such field, or the name fits two.
    """
    # Other objects, such as arrays, may not compare to a bool.
    is_name = isinstance(name, (str, tuple))
    found = [node for node in nodes(dtype) if is_name and name in (node.path, node.name)]
    if len(found) == 1:
        return found[0]
    if found:
        paths = " or ".join(str(node.path) for node in found)
        raise ValueError(f"{name!r} is the name of several fields; pass {paths}")
    names = [node.name for node in nodes(dtype)]
    text = ".".join(map(str, name)) if isinstance(name, tuple) else str(name)
    nearest = get_close_matches(text, names, n=1) if is_name else ()
    fields = ", ".join(leaf.name for leaf in leaves(dtype))
    hint = f"the nearest is {nearest[0]!r}" if nearest else f"the fields are {fields}"
    raise ValueError(f"{name!r:.80} is no field of {of}; {hint}")


def named(dtype: np.dtype[Any], name: str) -> Node:
    """The first field of a dotted name that the extension gave."""
    return next(node for node in nodes(dtype) if node.name == name)


def without_value(dtype: np.dtype[Any], names: Collection[str]) -> list[Node]:
    """The fields of these dotted names, in the order of the dtype. A struct stands for its fields, if all of
    them are among the names."""
    found: list[Node] = []
    for node in nodes(dtype):
        if found and node.path[: len(found[-1].path)] == found[-1].path:
            continue
        inner = leaves(node.dtype, node.path)
        if node.name in names or (inner and all(leaf.name in names for leaf in inner)):
            found.append(node)
    return found


def bools(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The same fields, with a bool for each leaf."""
    import numpy as np

    inner = [(name, dtype[name]) for name in dtype.names or ()]
    return np.dtype([(name, np.bool_ if field.names is None else bools(field)) for name, field in inner])


def spread(dtype: np.dtype[Any], value: Any, above: Path = ()) -> dict[Path, Any]:
    """A value for each leaf, from one for all, a tuple with one for each field, or a mapping by field.

    Values of fields that are structs are the same again. In a mapping, a field's own value counts more than
    that of the struct that it is in; fields that it lacks are not in the result.

    Raises:
        ValueError: a tuple has the wrong length, or a mapping a name that is no field.
    """
    import numpy as np

    if dtype.names is None:
        return {above: value}
    if isinstance(value, np.void) and value.dtype.names is not None:
        value = value.item()
    of = repr(".".join(above)) if above else "the dtype"
    if isinstance(value, Mapping):
        given = [(find(dtype, name, of), inner) for name, inner in value.items()]
        given.sort(key=lambda each: len(each[0].path))
    else:
        fields = [Node((name,), dtype[name]) for name in dtype.names]
        if not isinstance(value, tuple):
            value = (value,) * len(fields)
        elif len(value) != len(fields):
            what = f"fill_value of {of}" if above else "fill_value"
            raise ValueError(
                f"{what} has {len(value)} values; it must have one for each of the {len(fields)} fields"
            )
        given = list(zip(fields, value, strict=True))
    values: dict[Path, Any] = {}
    for node, inner in given:
        values.update(spread(node.dtype, inner, (*above, *node.path)))
    return values
