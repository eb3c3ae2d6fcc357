"""The inferred dtype and its report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._schema import column_type
from .._utils.describe import counted
from .._utils.table import printable, table
from .observe import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

    from ..exception import AerospikeError
    from ..records import Key


class InferredBin(NamedTuple):
    """Statistics of a bin, or of the values of a key in its maps, and the field inferred for them.

    Example:
        >>> visits = client.infer_dtype("test", "users").bins["visits"]
        >>> visits.field, visits.types, visits.minimum, visits.maximum
        ('i8', {'integer': 2}, 0, 7)
    """

    name: str
    """Name of the bin, and of its field. For a key of maps: the name of the bin and the keys that lead to the
    values, with dots between them."""
    field: str | None
    """The field that holds every value seen, in NumPy's notation (``"f8"``, ``"S16"``, ``"(128,)f4"``,
    ``"[('trips', 'i8')]"``); None if the bin was left out."""
    note: str
    """Why the bin was left out; for a field, a remark or the empty string."""
    records: int
    """Number of records that have the bin, or the key."""
    presence: float
    """Fraction of the records read that have it, 0 to 1."""
    types: dict[str, int]
    """Number of values by type: integer, float, bool, string, blob, GeoJSON, HLL, list, map."""
    minimum: int | float | None
    """The smallest number, including elements of lists; None if there are no numbers."""
    maximum: int | float | None
    """The largest number, including elements of lists; None if there are no numbers."""
    shortest: int | None
    """Bytes of the shortest string, blob, GeoJSON or sketch, or elements of the shortest list; None if there
    are none."""
    longest: int | None
    """Bytes of the longest string, blob, GeoJSON or sketch, or elements of the longest list."""
    odd: dict[str, list[Key]]
    """For a bin that was left out: type to up to three keys of records with such a value. If the bin has
    several types, the most common one is not listed."""
    fields: dict[str, InferredBin]
    """For maps that become a struct: the same for each of their keys, in the order of the keys."""


def dtype_list(fields: Mapping[str, InferredBin]) -> list[tuple[str, Any]]:
    """The fields as ``numpy.dtype`` takes them: names with a notation, or with the list of a struct."""
    kept = {name: found for name, found in fields.items() if found.field is not None}
    return [(name, dtype_list(found.fields) if found.fields else found.field) for name, found in kept.items()]


def walk(fields: Mapping[str, InferredBin]) -> Iterator[InferredBin]:
    """Bins and the keys of their maps; what is inside comes after what it is in."""
    for found in fields.values():
        yield found
        yield from walk(found.fields)


def columns_of(fields: Mapping[str, InferredBin], dtype: np.dtype[Any] | None) -> dict[str, Any]:
    """The columns for these fields, of which ``dtype`` has those that were not left out."""
    known: Any = (dtype.fields if dtype is not None else None) or {}
    columns = {
        name: _column(found, known[name][0] if name in known else None) for name, found in fields.items()
    }
    return {name: column for name, column in columns.items() if column}


def _column(found: InferredBin, dtype: np.dtype[Any] | None) -> Any:
    types = set(found.types)
    if types and types <= {"string", "GeoJSON"}:
        return "utf8"
    if types and types <= {"blob", "HLL"} and (dtype is None or dtype.subdtype is None):
        return "binary"
    if found.fields:
        return columns_of(found.fields, dtype)
    if dtype is None or (dtype.kind in "SV" and dtype.subdtype is None):
        return None
    if types != {"list"} or dtype.subdtype is None:
        return column_type(found.name, dtype)
    base, shape = dtype.subdtype
    return "list<" * len(shape) + column_type(found.name, base) + ">" * len(shape)


class InferredDtype:
    """A dtype that fits records. Pass it as ``_dtype=``; its ``repr`` is the report as a table.

    Attributes:
        dtype: structured dtype with a field for each bin that was not left out, possibly none.
        bins: name to :class:`InferredBin`, the most frequent bin first.
        records: number of records read.
        unreadable: key to error of records that Python cannot represent (text that is not UTF-8, a map whose
            key is a list). Their bins are not in the statistics.

    Example:
        >>> inferred = client.infer_dtype("test", "users")
        >>> inferred.dtype["name"], inferred.bins["log"].presence
        (dtype('S8'), 0.5)
        >>> client.batch_read(keys, _dtype=inferred).batch_records["visits"]
        array([7, 0, 0])
    """

    def __init__(self, bins: Mapping[str, InferredBin], records: int, dtype: np.dtype[Any]) -> None:
        self.bins = dict(bins)
        self.records = records
        self.dtype = dtype
        self.unreadable: dict[Key, AerospikeError] = {}

    @property
    def left_out(self) -> dict[str, InferredBin]:
        """The bins, and keys of maps, without a field.

        Example:
            >>> client.put(("test", "users", 1), {"tags": ["new", "paid"]})
            0
            >>> {name: found.note for name, found in client.infer_dtype("test", "users").left_out.items()}
            {'tags': 'lists are not arrays: they have elements of type string'}
        """
        return {found.name: found for found in walk(self.bins) if found.field is None}

    @property
    def schema(self) -> dict[str, Any]:
        """A schema for reads into Arrow columns: name to type, as :meth:`Client.batch_read_arrow` takes it.

        Text and bytes have no width there, so text is ``utf8``, blobs and sketches are ``binary``, lists have
        any length, and bins whose dtype field would be too wide are columns, too. Bins of several types have
        none, nor do lists and maps without a field: with ``schema=None``, a read infers those.

        Example:
            >>> inferred = client.infer_dtype("test", "users")
            >>> inferred.schema["name"], inferred.schema["visits"]
            ('utf8', 'int64')
            >>> client.batch_read_arrow(keys, inferred.schema).to_pyarrow()["name"].to_pylist()
            ['Ada', 'Bea', None]
        """
        return columns_of(self.bins, self.dtype)

    def __repr__(self) -> str:
        return f"{self.dtype!r}\n{self.summary()}\n\n{self.report()}"

    def summary(self) -> str:
        """One line with the number of records and fields, and the bytes per row.

        Example:
            >>> client.infer_dtype("test", "users").summary()
            '2 records, 6 fields of 48 bytes a row'
        """
        fields = sum(found.field is not None and not found.fields for found in walk(self.bins))
        left_out = f", {len(self.left_out)} left out" if self.left_out else ""
        found = f"{counted(self.records, 'record')}, {counted(fields, 'field')}"
        return f"{found} of {counted(self.dtype.itemsize, 'byte')} a row{left_out}"

    def report(self) -> str:
        """A table of the bins, and of the keys of maps, as text, and keys of records with unusual values.

        Example:
            >>> print(client.infer_dtype("test", "users").report())
            bin     field  present  types       range  width  note
            ------  -----  -------  -------  --------  -----  ----
            ...
            visits  i8        100%  integer    0 to 7
            ...
        """
        header = ("bin", "field", "present", "types", "range", "width", "note")
        text = table(header, [_row(found) for found in walk(self.bins)], right=(2, 4, 5))
        odd = [
            f"{printable(found.name)}: {kind} in {', '.join(_key(key) for key in keys)}"
            for found in self.left_out.values()
            for kind, keys in found.odd.items()
        ]
        unreadable = [f"{_key(key)}: {printable(str(error))}" for key, error in self.unreadable.items()]
        return "\n".join(
            [
                text,
                *(["", "odd ones out, up to three keys each:"] if odd else []),
                *odd,
                *(["", f"records that Python cannot read: {len(unreadable)}"] if unreadable else []),
                *unreadable[:EXAMPLES],
            ]
        )


def _row(found: InferredBin) -> list[str]:
    types = [kind if len(found.types) == 1 else f"{kind} {count}" for kind, count in found.types.items()]
    return [
        found.name,
        "-" if found.field is None else "struct" if found.fields else found.field,
        _percent(found.presence),
        ", ".join(types),
        "" if found.minimum is None else _span(_number(found.minimum), _number(found.maximum)),
        "" if found.shortest is None else _span(str(found.shortest), str(found.longest)),
        found.note,
    ]


def _number(number: float | None) -> str:
    return f"{number:.6g}" if isinstance(number, float) else str(number)


def _percent(presence: float) -> str:
    # Only 1.0 is shown as 100%, and only 0.0 as 0%: that of a field which was given and is not in the sample.
    if presence in (0, 1):
        return f"{presence:.0%}"
    return f"{min(max(presence * 100, 0.1), 99.9):.1f}%"


def _span(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _key(key: Any) -> str:
    value = key[2]
    if value is not None:
        return printable(repr(value))
    return f"digest {key[3].hex()}"
