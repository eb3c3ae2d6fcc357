"""Writing the tables of an engine's tasks, and what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from .._commands.write_arrow import ArrowWrite
from .._result_codes import failure
from ..constants import (
    POLICY_EXISTS_CREATE_OR_REPLACE,
    POLICY_EXISTS_IGNORE,
    POLICY_EXISTS_REPLACE,
    POLICY_EXISTS_UPDATE,
    POLICY_GEN_IGNORE,
)
from ..exception import AerospikeError, ParamError
from ..numpy_write import NumpyWriteResult, WriteFailure
from .arguments import mapping, names
from .clients import client_for
from .library import library

if TYPE_CHECKING:
    from ..types import ArrayWritePolicy, ClientConfig

# Keys that a message lists.
_LISTED = 5
# Codes of the server that may be another at the next attempt: timeout, partition unavailable, busy key,
# device overload.
_PASSING = frozenset({9, 11, 14, 18})
_RETRIES = 2
# Ways to write that do not depend on whether the record was written before.
_REPEATABLE = (
    POLICY_EXISTS_IGNORE,
    POLICY_EXISTS_UPDATE,
    POLICY_EXISTS_REPLACE,
    POLICY_EXISTS_CREATE_OR_REPLACE,
)


class Target(NamedTuple):
    """Where the rows of a job go, and how. It can be pickled; ``config`` may hold a password."""

    config: ClientConfig
    namespace: str
    set: str | None
    key: str
    bins: tuple[str, ...] | None = None
    nulls: Literal["omit", "remove"] = "omit"
    policy: ArrayWritePolicy | None = None

    def __repr__(self) -> str:
        return f"<Target namespace {self.namespace!r}, set {self.set!r}, key column {self.key!r}>"


class Written(NamedTuple):
    """What a task wrote."""

    rows: int
    bytes: int


def target(
    config: ClientConfig,
    namespace: str,
    set: str | None,
    key: str,
    bins: Sequence[str] | None,
    nulls: str,
    policy: ArrayWritePolicy | None,
) -> Target:
    """A checked target."""
    if not isinstance(key, str):
        raise ParamError(f"key is {key!r:.80}; it must be the name of a column")
    if nulls not in ("omit", "remove"):
        raise ParamError(f'nulls is {nulls!r:.80}; it must be "omit" or "remove"')
    return Target(
        mapping("config", config),
        namespace,
        set,
        key,
        None if bins is None else tuple(names("bins", bins)),
        "omit" if nulls == "omit" else "remove",
        None if policy is None else mapping("policy", policy),
    )


def write(target: Target, table: Any) -> Written:
    """Writes a table or record batch of pyarrow. Rows that failed for a passing reason are written again.

    Raises:
        AerospikeError: rows were not written. The class is that of the most frequent code; the message has
            counts by code and the first keys.
    """
    pyarrow = library("pyarrow", None)
    if isinstance(table, pyarrow.RecordBatch):
        table = pyarrow.Table.from_batches([table])
    left = table
    failed: list[WriteFailure] = []
    for attempt in range(_RETRIES + 1):
        result = _attempt(target, left)
        failures = result.failures
        again = [failure for failure in failures if _may_repeat(failure, target.policy)]
        kept = {failure.row for failure in again}
        failed += [failure for failure in failures if failure.row not in kept]
        if not again:
            break
        if attempt == _RETRIES:
            failed += again
            break
        left = left.take(sorted(kept))
    if failed:
        raise _error(failed, table.num_rows)
    return Written(table.num_rows, table.nbytes)


def _attempt(target: Target, table: Any) -> NumpyWriteResult:
    core = client_for(target.config)._core
    core.ensure_connected(None)
    call = ArrowWrite(
        core,
        table,
        target.namespace,
        target.set,
        target.key,
        target.bins,
        target.nulls,
        target.policy,
        None,
    )
    try:
        return call.run_quietly()
    except AerospikeError as error:
        # No row of the last block was answered: their codes are in the result all the same.
        result = getattr(error, "batch", None)
        if isinstance(result, NumpyWriteResult) and len(result) == table.num_rows:
            return result
        raise


def _may_repeat(failed: WriteFailure, policy: Mapping[str, Any] | None) -> bool:
    """Whether a row may be written again. Writing the same values twice changes nothing, unless the policy
    looks at what was there."""
    if failed.code >= 0 and failed.code not in _PASSING:
        return False
    return not failed.in_doubt or is_repeatable(policy)


def is_repeatable(policy: Mapping[str, Any] | None) -> bool:
    """Whether rows that were written may be written again with the same outcome."""
    found = policy or {}
    return (
        found.get("gen", POLICY_GEN_IGNORE) == POLICY_GEN_IGNORE
        and found.get("exists", POLICY_EXISTS_IGNORE) in _REPEATABLE
    )


def _error(failed: Sequence[WriteFailure], rows: int) -> Exception:
    keys = ", ".join(repr(row.key) for row in failed[:_LISTED])
    more = " ..." if len(failed) > _LISTED else ""
    doubt = sum(row.in_doubt for row in failed)
    return failure(
        Counter(row.code for row in failed),
        f"{len(failed)} of {rows} rows were not written",
        f"the first keys are {keys}{more}" + (f"; {doubt} of them may have been written" if doubt else ""),
        doubt > 0,
        None,
    )
