"""The arguments of ``batch_write_arrow``, and its calls of the extension."""

from __future__ import annotations

import sys
from collections.abc import Sized
from typing import TYPE_CHECKING, Any

from .._utils.describe import describe
from .._utils.event_loop import call
from .._utils.progress import Progress as ProgressBar
from ..exception import AerospikeError, ParamError, ParamTypeError
from ..numpy_write import NumpyWriteResult, _FailedKeys, _finish

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from .. import _native
    from .._types import ArrowData
    from ..types import ArrayWritePolicy

    Progress = Callable[[int], object]


class ArrowWrite:
    """One call of ``batch_write_arrow``, with checked arguments. It is used once."""

    def __init__(
        self,
        core: _native.Core,
        data: ArrowData,
        namespace: str,
        set: str | None,
        key: str,
        bins: Sequence[str] | None,
        nulls: str,
        policy: ArrayWritePolicy | None,
        progress: Progress | bool | None,
    ) -> None:
        _require_numpy()
        if not isinstance(key, str):
            raise ParamTypeError(f"key is {describe(key)}; it must be the name of a column")
        if not (progress is None or isinstance(progress, bool) or callable(progress)):
            raise ParamTypeError(
                f"progress is {describe(progress)}; it must be a function of the rows done, or True for a bar"
            )
        _check_exports(data)
        names = _names(bins)
        _refuse_objects_of_polars(data, None if names is None else {key, *names})
        self._core = core
        self._data = data
        self._progress: Progress | None = None
        self._bar: ProgressBar | None = None
        if progress is True:
            count = len(data) if isinstance(data, Sized) else 0
            self._bar = ProgressBar("writing", count, "rows")
            self._done = 0
        elif progress is not False:
            self._progress = progress
        self._arguments = (namespace, set, key, names, nulls, _no_key_hint(data), policy)

    def run(self) -> NumpyWriteResult:
        result = self.run_quietly()
        return _finish(result.result_codes, result.in_doubt, result._keys)

    def run_quietly(self) -> NumpyWriteResult:
        """As :meth:`run`, without a warning about rows that failed."""
        writer = self._core.arrow_writer(_export(self._data), *self._arguments)
        try:
            while (done := writer.write_next(None)) is not None:
                self._report(done)
            return NumpyWriteResult(*_outcome(writer))
        except AerospikeError as error:
            _attach(writer, error)
            raise
        finally:
            self._end(writer)

    async def run_async(self) -> NumpyWriteResult:
        import asyncio

        # Not in the loop: pandas converts the whole frame here.
        capsules = await asyncio.get_running_loop().run_in_executor(None, _export, self._data)
        writer = self._core.arrow_writer(capsules, *self._arguments)
        try:
            while (done := await call(writer.write_next)) is not None:
                self._report(done)
            return _finish(*_outcome(writer))
        except AerospikeError as error:
            _attach(writer, error)
            raise
        finally:
            self._end(writer)

    def _report(self, done: int) -> None:
        if self._progress is not None:
            self._progress(done)
        elif self._bar is not None:
            self._bar.add(done - self._done)
            self._done = done

    def _end(self, writer: _native.ArrowWriter) -> None:
        writer.close()
        if self._bar is not None:
            self._bar.close()


def _outcome(writer: _native.ArrowWriter) -> tuple[Any, Any, _FailedKeys]:
    codes, in_doubt, keys = writer.outcome_so_far()
    return codes, in_doubt, _FailedKeys(keys)


def _attach(writer: _native.ArrowWriter, error: AerospikeError) -> None:
    """Gives an error the result of the rows that were sent before it."""
    result = NumpyWriteResult(*_outcome(writer))
    if len(result):
        error.batch = result  # type: ignore[attr-defined]


def _export(data: Any) -> Any:
    """The data's stream, or its schema and array, in capsules."""
    if hasattr(data, "__arrow_c_stream__"):
        return data.__arrow_c_stream__()
    return data.__arrow_c_array__()


def _names(bins: Sequence[str] | None) -> list[str] | None:
    if bins is None:
        return None
    if isinstance(bins, (str, type)) or not hasattr(bins, "__iter__"):
        raise ParamTypeError(f"bins is {describe(bins)}; it must be a list of column names")
    names = list(bins)
    for name in names:
        if not isinstance(name, str):
            raise ParamTypeError(f"bins has {describe(name)}; it must be a list of column names")
    if not names:
        raise ParamError("bins is empty; name at least one column")
    return names


def _require_numpy() -> None:
    try:
        import numpy  # noqa: F401 (the result has arrays)
    except ImportError as error:
        raise ImportError(
            "the result of batch_write_arrow needs NumPy 2.0 or newer: pip install 'numpy>=2.0', or this "
            "package with its extra [numpy]"
        ) from error


def _is_pandas(data: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.DataFrame)


def _no_key_hint(data: Any) -> str:
    """What to add to the message about a key that is no column."""
    if not _is_pandas(data):
        return ""
    return "; if the keys are the frame's index, pass frame.reset_index()"


def _check_exports(data: Any) -> None:
    if isinstance(data, type) or not (
        hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__")
    ):
        raise ParamTypeError(
            f"data is a {type(data).__name__}, which does not export Arrow (__arrow_c_stream__): "
            f"{_instead(data)}"
        )


def _refuse_objects_of_polars(data: Any, written: Container[str] | None) -> None:
    """Refuses columns of polars that hold Python objects: their export has the addresses of the objects as
    binary values, without a mark by which the extension could tell."""
    if not any(kind.__module__.partition(".")[0] == "polars" for kind in type(data).__mro__):
        return
    # Not before: another thread may be importing it.
    import polars

    if not isinstance(data, (polars.DataFrame, polars.Series)):
        return
    columns = data.schema if isinstance(data, polars.DataFrame) else {data.name: data.dtype}
    for name, kind in columns.items():
        if (written is None or name in written) and _has_objects(kind, polars):
            raise ParamTypeError(
                f"data: the column {name!r} has the polars type {kind}, which exports addresses of Python "
                f"objects instead of their values; convert it to text, e.g. "
                f"pl.col({name!r}).map_elements(str, return_dtype=pl.String), or to another type"
            )


def _has_objects(kind: Any, polars: Any) -> bool:
    """Whether values of a type of polars are Python objects, or have them inside."""
    if kind == polars.Object:
        return True
    inner = [field.dtype for field in getattr(kind, "fields", ())] or [getattr(kind, "inner", None)]
    return any(each is not None and _has_objects(each, polars) for each in inner)


def _instead(data: Any) -> str:
    """What to do with data of a kind that does not export Arrow."""
    if _is_pandas(data):
        return "pandas 2.2 and newer do; or pass pyarrow.Table.from_pandas(frame)"
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(data, numpy.ndarray):
        return "pass a structured array to batch_write_numpy"
    kind = f"{type(data).__module__.partition('.')[0]}.{type(data).__name__}"
    if kind == "polars.LazyFrame":
        return "pass frame.collect()"
    if isinstance(data, dict):
        return "pyarrow.table(data) and polars.DataFrame(data) make a table of columns"
    if isinstance(data, (list, tuple)):
        return "pyarrow.Table.from_pylist(data) makes a table of rows that are dicts"
    return "pass a table or record batch of pyarrow, a frame of polars or pandas, or a DuckDB relation"
