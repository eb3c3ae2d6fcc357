"""The inferred dtype and its report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._utils.table import printable, table
from ..exception import ClientError, ParamError
from .choose import Chosen, choose
from .observe import EXAMPLES, ObservedBin

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

    from ..exception import AerospikeError
    from ..records import Key
    from .observe import ObservedRecords


class InferredBin(NamedTuple):
    """Statistics of a bin, and the field inferred for it.

    Example:
        >>> visits = client.infer_dtype("test", "users").bins["visits"]
        >>> visits.field, visits.types, visits.minimum, visits.maximum
        ('i8', {'integer': 2}, 0, 7)
    """

    name: str
    """Name of the bin, and of its field."""
    field: str | None
    """The field that holds every value seen, in NumPy's notation (``"f8"``, ``"S16"``, ``"(128,)f4"``); None
    if the bin was left out."""
    note: str
    """Why the bin was left out; for a field, a remark or the empty string."""
    records: int
    """Number of records that have the bin."""
    presence: float
    """Fraction of the records read that have the bin, 0 to 1."""
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
        """The bins without a field.

        Example:
            >>> client.put(("test", "users", 1), {"friends": {"Bea": 3}})
            >>> {name: found.note for name, found in client.infer_dtype("test", "users").left_out.items()}
            {'friends': 'no field takes a map'}
        """
        return {name: found for name, found in self.bins.items() if found.field is None}

    def __repr__(self) -> str:
        return f"{self.dtype!r}\n{self.summary()}\n\n{self.report()}"

    def summary(self) -> str:
        """One line with the number of records and fields, and the bytes per row.

        Example:
            >>> client.infer_dtype("test", "users").summary()
            '2 records, 6 fields of 48 bytes a row'
        """
        fields = len(self.bins) - len(self.left_out)
        left_out = f", {len(self.left_out)} left out" if self.left_out else ""
        return f"{self.records} records, {fields} fields of {self.dtype.itemsize} bytes a row{left_out}"

    def report(self) -> str:
        """A table of the bins as text, and keys of records with unusual values.

        Example:
            >>> print(client.infer_dtype("test", "users").report())
            bin     field  present  types       range  width  note
            ------  -----  -------  -------  --------  -----  ----
            ...
            visits  i8        100%  integer    0 to 7
            ...
        """
        header = ("bin", "field", "present", "types", "range", "width", "note")
        text = table(header, [_row(found) for found in self.bins.values()], right=(2, 4, 5))
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


def result_of(
    observed: ObservedRecords,
    *,
    compact: bool,
    max_width: int,
    given: Mapping[str, npt.DTypeLike | None],
) -> InferredDtype:
    """The dtype for the statistics of at least one record; ``given`` are the caller's own fields."""
    import numpy as np

    count = observed.records
    # The sort is stable: equally frequent bins keep the order in which they were first seen.
    frequent = sorted(observed.bins.items(), key=lambda item: -item[1].count)
    inferred, fields = {}, []
    # A bin that the sample does not have may have a field all the same.
    frequent += [(name, ObservedBin()) for name in given if name not in observed.bins]
    for name, observed_bin in frequent:
        if name in given:
            chosen = _given_field(name, given[name], observed_bin)
        else:
            chosen = choose(name, observed_bin, compact=compact, max_width=max_width)
        inferred[name] = _inferred_bin(name, observed_bin, chosen.notation, chosen.note, count)
        if chosen.element is not None:
            fields.append((name, chosen.element, chosen.shape) if chosen.shape else (name, chosen.element))
    try:
        dtype = np.dtype(fields)
    except ValueError as error:
        raise ClientError(
            f"a row of {len(fields)} fields is wider than NumPy allows ({error}); "
            f"pass a max_width below {max_width}"
        ) from None
    return InferredDtype(inferred, count, dtype)


def _given_field(name: str, field: npt.DTypeLike | None, seen: ObservedBin) -> Chosen:
    """The field that the caller gave for a bin."""
    import numpy as np

    note = "given by fields" if seen.count else "given by fields; not in the sample"
    if field is None:
        return Chosen(None, note=note)
    try:
        dtype = np.dtype(field)
    except TypeError as error:
        raise ParamError(f"fields[{name!r}] is {field!r}, which is not a dtype: {error}") from None
    base, shape = dtype.subdtype or (dtype, ())
    if base.names is not None or base.hasobject:
        raise ParamError(f"fields[{name!r}] is {field!r}; it must be a plain type or a sub-array of one")
    element = "?" if base.kind == "b" else base.str.lstrip("|=<" if np.little_endian else "|=>")
    return Chosen(element, tuple(shape), note)


def _inferred_bin(name: str, seen: ObservedBin, field: str | None, note: str, records: int) -> InferredBin:
    numbers = seen.numbers if seen.numbers.types else seen.lists.elements
    shortest = [length for length in (seen.bytes.shortest, seen.lists.shortest) if length is not None]
    odd: dict[str, list[Key]] = {}
    if field is None:
        most = max(seen.types, key=lambda kind: seen.types[kind]) if len(seen.types) > 1 else None
        odd = {kind: keys for kind, keys in seen.examples.items() if kind != most}
    return InferredBin(
        name=name,
        field=field,
        note=note,
        records=seen.count,
        presence=seen.count / records,
        types=dict(sorted(seen.types.items(), key=lambda item: -item[1])),
        minimum=numbers.low,
        maximum=numbers.high,
        shortest=min(shortest, default=None),
        longest=max(seen.bytes.longest, seen.lists.longest) if shortest else None,
        odd=odd,
    )


def _row(found: InferredBin) -> list[str]:
    types = [kind if len(found.types) == 1 else f"{kind} {count}" for kind, count in found.types.items()]
    return [
        found.name,
        "-" if found.field is None else found.field,
        _percent(found.presence),
        ", ".join(types),
        "" if found.minimum is None else _span(_number(found.minimum), _number(found.maximum)),
        "" if found.shortest is None else _span(str(found.shortest), str(found.longest)),
        found.note,
    ]


def _number(number: float | None) -> str:
    return f"{number:.6g}" if isinstance(number, float) else str(number)


def _percent(presence: float) -> str:
    # Only 1.0 is shown as 100%, and nothing as 0%.
    return "100%" if presence == 1 else f"{min(max(presence * 100, 0.1), 99.9):.1f}%"


def _span(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _key(key: Any) -> str:
    value = key[2]
    if value is not None:
        return printable(repr(value))
    return f"digest {key[3].hex()}"
