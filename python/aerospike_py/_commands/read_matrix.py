"""Features of several sets into one matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._matrix_format import matrix_format
from .._utils.event_loop import call

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from .. import _native
    from .._types import Casting, Errors, FeatureGroup
    from ..feature_matrix import FeatureMatrix
    from ..types import BatchPolicy


class ReadMatrixCommands:
    """Reads into a matrix, for ``Client``."""

    _core: _native.Core

    def read_matrix(
        self,
        features: Sequence[FeatureGroup],
        *,
        dtype: npt.DTypeLike | None = None,
        fill: float | None = None,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
        policy: BatchPolicy | None = None,
    ) -> FeatureMatrix:
        """Reads features of several sets into one matrix, as a model takes it.

        All sets are read in one call. Values go from the socket straight into the matrix.

        Args:
            features: groups ``(keys, columns)`` with equally many keys: row i of the matrix has the columns
                of the i-th key of each group. Keys may repeat. A column is a bin, a path ``(bin, step, ...)``
                into maps and lists as :meth:`batch_read` takes it, or ``(name, path)``. A path without a name
                has its steps as a name, joined with dots. Where columns have the same name, the set and a dot
                are put in front of it.
            dtype: the dtype of the matrix: integers, floats or bools. Default: that of ``out``, or float32.
            fill: the value of cells without a value. Default: NaN. Integers and bools need one.
            casting: ``"unsafe"`` changes values to fit, counts the changes and warns. ``"same_value"`` makes
                every change a decode error.
            errors: ``"raise"`` raises ``BatchDecodeError``, which has the complete result, if values are no
                numbers or do not fit. ``"coerce"`` leaves their cells at the fill value.
            out: C-contiguous array of the dtype and shape ``(rows, columns)`` to fill instead of a new one;
                page-locked or shared memory, for example. It must not be resized during the call. After an
                exception, its contents are undefined.
            policy: batch policy, as in :meth:`batch_read`.

        Returns:
            :class:`~aerospike_py.FeatureMatrix`.

        Raises:
            ParamError, TypeError, ValueError: an argument is invalid: groups of unequal length, for example.
                Nothing was sent.
            BatchDecodeError: values are no numbers, or do not fit.
            TimeoutError, ConnectionError, ...: no row of any group was answered.

        Example:
            >>> users = Keys("test", "users", [1, 2])
            >>> client.read_matrix([(users, ["visits", "age"])], dtype="f8").matrix.tolist()
            [[7.0, 36.0], [0.0, 41.0]]
        """
        number, cell = matrix_format(dtype, fill, out)
        result: FeatureMatrix = self._core.read_matrix(
            None, features, number, cell, casting, errors, out, policy
        )
        return result


class AsyncReadMatrixCommands:
    """Reads into a matrix, for ``AsyncClient``."""

    _core: _native.Core

    async def read_matrix(
        self,
        features: Sequence[FeatureGroup],
        *,
        dtype: npt.DTypeLike | None = None,
        fill: float | None = None,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
        policy: BatchPolicy | None = None,
    ) -> FeatureMatrix:
        """Like :meth:`Client.read_matrix`, awaited.

        Once a cancelled call has raised, nothing writes into ``out`` any more.

        Example:
            >>> features = await client.read_matrix([(Keys("test", "users", [1, 2]), ["visits"])])
            >>> features.matrix.tolist()
            [[7.0], [0.0]]
        """
        number, cell = matrix_format(dtype, fill, out)
        result: FeatureMatrix = await call(
            self._core.read_matrix, features, number, cell, casting, errors, out, policy
        )
        return result
