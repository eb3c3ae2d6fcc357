"""A dtype that fits records, and what was seen of them: what ``client.infer_dtype()`` gives.

:func:`infer` does the same for records that are there already.

Example:
    >>> from aerospike_py.inference import infer
    >>> infer(record for record in client.query("test", "users")).records
    2
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from . import MAX_WIDTH
from .choose import choose
from .observe import EXAMPLES, Observed, Seen
from .._utils.table import printable, table
from ..exception import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np

    from ..exception import AerospikeError
    from ..records import Key, Record

__all__ = ["InferredBin", "InferredDtype", "infer"]


class InferredBin(NamedTuple):
    """What was seen of a bin.

    Example:
        >>> seen = client.infer_dtype("test", "users").bins["visits"]
        >>> seen.field, seen.types, seen.minimum, seen.maximum
        ('i8', {'integer': 2}, 0, 7)
    """

    name: str
    """Its name, and the field's."""
    field: str | None
    """The field that takes all values that were seen, as NumPy writes it (``"f8"``, ``"S16"``,
    ``"(128,)f4"``); None where the bin was left out."""
    note: str
    """Why it was left out; with a field what else there is to know."""
    records: int
    """How many records have it."""
    presence: float
    """The same as a fraction of all records that were looked at."""
    types: dict[str, int]
    """How many values were of each type: integer, float, bool, string, blob, GeoJSON, HLL, list, map."""
    minimum: int | float | None
    """The smallest number in it, elements of lists included; None where there is none."""
    maximum: int | float | None
    """The largest one."""
    shortest: int | None
    """Bytes of its shortest string, blob, GeoJSON or sketch, elements of its shortest list."""
    longest: int | None
    """The same of the longest one."""
    odd: dict[str, list[Key]]
    """Where it was left out: up to three keys by type of value. Of several types the most common one is not
    there: its values are not the odd ones."""


class InferredDtype:
    """A dtype that fits records. It is taken as ``_dtype=`` as it stands; ``repr`` is the report as a table.

    Attributes:
        dtype: the dtype, a field for each bin that is not left out. It has no fields where none fits.
        bins: name to :class:`InferredBin`, the most frequent first.
        records: how many records were looked at.
        unreadable: key to error of records that were found and cannot be made into Python objects (text that
            is not UTF-8, a map whose key is a list); nothing was seen of their bins.

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
        """The bins that have no field.

        Example:
            >>> client.put(("test", "users", 1), {"friends": {"Bea": 3}})
            >>> {name: seen.note for name, seen in client.infer_dtype("test", "users").left_out.items()}
            {'friends': 'no field takes a map'}
        """
        return {name: seen for name, seen in self.bins.items() if seen.field is None}

    def __repr__(self) -> str:
        return f"{self.dtype!r}\n{self.summary()}\n\n{self.report()}"

    def summary(self) -> str:
        """One line: records, fields, bytes a row.

        Example:
            >>> client.infer_dtype("test", "users").summary()
            '2 records, 6 fields of 48 bytes a row'
        """
        fields = len(self.bins) - len(self.left_out)
        left_out = f", {len(self.left_out)} left out" if self.left_out else ""
        return f"{self.records} records, {fields} fields of {self.dtype.itemsize} bytes a row{left_out}"

    def report(self) -> str:
        """The bins as a table of text, and keys of the odd ones out.

        Example:
            >>> print(client.infer_dtype("test", "users").report())
            bin     field  present  types       range  width  note
            ------  -----  -------  -------  --------  -----  ----
            ...
            visits  i8        100%  integer    0 to 7
            ...
        """
        header = ("bin", "field", "present", "types", "range", "width", "note")
        text = table(header, [_row(seen) for seen in self.bins.values()], right=(2, 4, 5))
        odd = [
            f"{printable(seen.name)}: {kind} in {', '.join(_key(key) for key in keys)}"
            for seen in self.left_out.values()
            for kind, keys in seen.odd.items()
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


def infer(
    records: Iterable[Record | tuple[Any, Any, Any]], *, compact: bool = False, max_width: int = MAX_WIDTH
) -> InferredDtype:
    """Infers a dtype from records.

    Args:
        records: ``(key, meta, bins)`` each, as ``get`` and ``query`` give them.
        compact: as for ``client.infer_dtype()``, like ``max_width``.
        max_width: the widest field in bytes.

    Raises:
        ClientError: there are no records, or a row of all their bins would be wider than NumPy allows.

    Example:
        >>> from aerospike_py.inference import infer
        >>> infer(client.get(key) for key in keys[:2]).dtype["age"]
        dtype('int64')
    """
    observed = Observed()
    observed.add(records)
    if not observed.records:
        raise ClientError("there are no records to infer a dtype from")
    return conclude(observed, compact=compact, max_width=max_width)


def conclude(observed: Observed, *, compact: bool, max_width: int) -> InferredDtype:
    """The dtype for what was seen of at least one record."""
    import numpy as np

    count = observed.records
    # Bins that as many records have keep the order in which they were met.
    frequent = sorted(observed.bins.items(), key=lambda item: -item[1].count)
    inferred, fields = {}, []
    for name, found in frequent:
        chosen = choose(name, found, compact=compact, max_width=max_width)
        inferred[name] = _inferred_bin(name, found, chosen.notation, chosen.note, count)
        if chosen.element is not None:
            fields.append((name, chosen.element, chosen.shape) if chosen.shape else (name, chosen.element))
    try:
        dtype = np.dtype(fields)
    except ValueError as error:
        raise ClientError(
            f"{len(fields)} fields of up to {max_width} bytes make no row that NumPy allows ({error}); "
            "take a smaller max_width"
        ) from None
    return InferredDtype(inferred, count, dtype)


def _inferred_bin(name: str, seen: Seen, field: str | None, note: str, records: int) -> InferredBin:
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


def _row(seen: InferredBin) -> list[str]:
    types = [kind if len(seen.types) == 1 else f"{kind} {count}" for kind, count in seen.types.items()]
    return [
        seen.name,
        "-" if seen.field is None else seen.field,
        _percent(seen.presence),
        ", ".join(types),
        "" if seen.minimum is None else _span(_number(seen.minimum), _number(seen.maximum)),
        "" if seen.shortest is None else _span(str(seen.shortest), str(seen.longest)),
        seen.note,
    ]


def _number(number: float | None) -> str:
    return f"{number:.6g}" if isinstance(number, float) else str(number)


def _percent(presence: float) -> str:
    # Rounding must not turn nearly all into all, nor a few into none.
    return "100%" if presence == 1 else f"{min(max(presence * 100, 0.1), 99.9):.1f}%"


def _span(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _key(key: Any) -> str:
    value = key[2]
    if value is not None:
        return printable(repr(value))
    return f"digest {key[3].hex()}"
