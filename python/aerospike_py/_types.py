"""Type aliases and protocols, shared by all modules. Nothing here exists at run time but the aliases.

A protocol describes what a module needs of a class that it must not import, because that class imports it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypedDict

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .keys import Keys as _Keys

PrimaryKey: TypeAlias = "str | int | bytes | bytearray | np.integer[Any]"
KeyLike: TypeAlias = (
    "tuple[str, str | None, PrimaryKey] "
    "| tuple[str, str | None, PrimaryKey | None, bytes | bytearray] "
    "| KeyDict"
)
Keys: TypeAlias = "Sequence[KeyLike] | _Keys | Sequence[_Keys]"
PrimaryKeys: TypeAlias = "npt.NDArray[Any] | Sequence[PrimaryKey] | _Keys"
Bins: TypeAlias = Mapping[str, Any]
# Fields that a caller chooses for inference: by bin, and by key inside maps.
Fields: TypeAlias = "Mapping[str, npt.DTypeLike | Fields | None]"
Casting: TypeAlias = Literal["unsafe", "same_value"]
Errors: TypeAlias = Literal["raise", "coerce"]
Project: TypeAlias = Literal["client", "server"]
# A column of a matrix: a bin, a path, or a name and a path. And the keys of a group, with its columns.
MatrixColumn: TypeAlias = "str | tuple[Any, ...]"
FeatureGroup: TypeAlias = "tuple[Keys, Sequence[MatrixColumn]]"
Paths: TypeAlias = Mapping[str, "str | Sequence[str | bytes | bytearray | int | np.integer[Any]]"]

MetaColumns: TypeAlias = "Sequence[Literal['key', 'digest', 'set', 'gen', 'ttl', 'result_code']]"
# The columns of a result: an object with __arrow_c_schema__, a structured dtype, types by name, or what
# infer_dtype returns.
ArrowType: TypeAlias = "str | ExportsSchema | npt.DTypeLike | Mapping[str, ArrowType]"
ArrowSchema: TypeAlias = "ExportsSchema | HasSchema | np.dtype[Any] | Mapping[str, ArrowType]"


class ExportsSchema(Protocol):
    """A schema or type of pyarrow, polars, nanoarrow and others."""

    def __arrow_c_schema__(self) -> object: ...


class HasSchema(Protocol):
    """An inferred dtype, which has a schema, too."""

    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def schema(self) -> Mapping[str, Any]: ...


class ArrowStreamExport(Protocol):
    """Data that exports a stream of record batches: tables, frames, readers."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


class ArrowArrayExport(Protocol):
    """Data that exports one record batch."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...


ArrowData: TypeAlias = "ArrowStreamExport | ArrowArrayExport"


class KeyDict(TypedDict, total=False):
    """A key as a dict."""

    ns: str
    set: str | None
    key: PrimaryKey | None
    digest: bytes | bytearray | None


class BatchKeys(Protocol):
    """The keys of a batch as they were when it was read: ``_native.KeyTable``, or its copy after pickling."""

    def __len__(self) -> int: ...
    def primary_key(self, row: int) -> Any: ...
    def primary_keys(self) -> list[Any]:
        """Primary keys in row order; the digest where a key was given by digest alone."""

    def text_digests(self) -> dict[int, bytes]:
        """The digests of keys of text that is not UTF-8, by row: Python has them as bytes."""

    def digest_rows(self) -> list[int]:
        """The rows whose key was given by digest alone."""

    def spaces(self) -> list[tuple[str, str]]:
        """The distinct (namespace, set) pairs."""

    def space_of(self) -> list[int] | None:
        """Each row's index into :meth:`spaces`; None if all rows have the same pair."""


class RecordLabels(Protocol):
    """Stored keys and sets of a query's rows: ``_native.QueryLabels``, or its copy after pickling."""

    def keys(self) -> list[Any]:
        """The primary key of each row that has a stored one, else None."""

    def sets(self) -> list[str | None]:
        """The set of each row."""


class SampledQuery(Protocol):
    """``Query`` or ``AsyncQuery``, as sampling uses it."""

    max_records: int

    def results(self, *, options: Mapping[str, bool]) -> Any: ...


class SampledClient(Protocol):
    """``Client`` or ``AsyncClient``, as sampling uses it."""

    def query(self, namespace: str, set: str | None, /) -> SampledQuery: ...
    def _read_records(self, keys: Sequence[KeyLike], bins: Sequence[str] | None, /) -> Any: ...
