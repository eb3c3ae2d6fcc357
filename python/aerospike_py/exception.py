"""Exceptions: one root, the official client's names below it.

Every exception is an :class:`AerospikeError` with

- ``code``: the result code, positive from the server, negative from the client,
- ``msg``: what was tried, where, after how many tries, and what happened,
- ``in_doubt``: whether a write may have been applied although it failed.

A :class:`RecordError` also has the ``key`` and ``bin`` that it is about. Where an error of the operating
system lies behind one, that is its ``__cause__``.

>>> try:
...     client.get(("test", "users", "nobody"))
... except RecordNotFound as error:
...     print(error.code, error.key.key)
2 nobody

All are plain Python classes, so they pickle.
"""

from __future__ import annotations

import builtins
from typing import Any


class AerospikeError(Exception):
    """The root of all errors of this package."""

    code: int | None = None

    def __init__(self, msg: str = "", code: int | None = None, in_doubt: bool = False) -> None:
        super().__init__(msg)
        self.msg = msg
        if code is not None:
            self.code = code
        self.in_doubt = in_doubt

    def __str__(self) -> str:
        return self.msg

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.msg, self.code, self.in_doubt), _state(self)


def _state(error: AerospikeError) -> dict[str, Any] | None:
    """What a subclass or a user added to the instance, for pickling."""
    known = {"msg", "code", "in_doubt"}
    return {name: value for name, value in vars(error).items() if name not in known} or None


class ClientError(AerospikeError):
    """Something failed on the client's side."""

    code = -1


class ServerError(AerospikeError):
    """The server answered with an error."""

    code: int | None = 1


class TimeoutError(AerospikeError, builtins.TimeoutError):
    """No answer came in time. Also the builtin ``TimeoutError``."""

    code = 9


class ParamError(ClientError, ValueError):
    """An argument, configuration or policy is not what it must be. Also a ``ValueError``."""

    code = -2


class BatchDecodeError(ClientError, ValueError):
    """Values of a batch could not be converted to their fields.

    The batch was read whole: ``batch`` is the complete :class:`~aerospike_py.NumpyBatchRecords`, its
    failed cells zero and not present. ``failures`` lists the first hundred as
    ``(row, key, field, reason)``; ``count`` is the number of all.
    """

    def __init__(
        self,
        msg: str = "",
        code: int | None = None,
        in_doubt: bool = False,
        failures: list[tuple[int, Any, str, str]] | None = None,
        batch: Any = None,
        count: int = 0,
    ) -> None:
        super().__init__(msg, code, in_doubt)
        self.failures = failures if failures is not None else []
        self.batch = batch
        self.count = count


class AsyncConnectionError(ClientError):
    """An asynchronous connection failed."""

    code = -6


class BatchFailed(ClientError):
    """One or more rows of a batch failed."""

    code = -16


class ClientAbortError(ClientError):
    """The client ended the command."""

    code = -5


class ConnectionError(ClientError, builtins.ConnectionError):
    """No connection to a node could be made, or it broke. Also the builtin ``ConnectionError``."""

    code = -10


class InvalidHostError(ClientError):
    """A host name cannot be resolved."""

    code = -4


class InvalidNodeError(ClientError):
    """There is no node for the command."""

    code = -8


class MaxErrorRateExceeded(ClientError):
    """The node failed too often lately."""

    code = -14


class MaxRetriesExceeded(ClientError):
    """Every try failed."""

    code = -12


class NoMoreConnectionsError(ClientError):
    """The node's connections are all in use."""

    code = -7


class NoResponse(ClientError):
    """The node did not answer."""

    code = -15


class TLSError(ClientError):
    """The TLS handshake or session failed."""

    code = -9


class TransactionAlreadyAborted(ClientError):
    """The transaction was aborted already."""

    code = -19


class TransactionAlreadyCommitted(ClientError):
    """The transaction was committed already."""

    code = -18


class TransactionFailed(ClientError):
    """The transaction failed."""

    code = -17


class AdminError(ServerError):
    """The root of errors about users, roles and login."""

    code: int | None = None


class ExpiredPassword(AdminError):
    """The password has expired."""

    code = 63


class ForbiddenPassword(AdminError):
    """The password may not be used again."""

    code = 64


class IllegalState(AdminError):
    """The security protocol was not followed."""

    code = 56


class InvalidCommand(AdminError):
    """The administration command is invalid."""

    code = 54


class InvalidCredential(AdminError):
    """The credential is invalid."""

    code = 65


class InvalidField(AdminError):
    """The administration field is invalid."""

    code = 55


class InvalidPassword(AdminError):
    """The password is invalid."""

    code = 62


class InvalidPrivilege(AdminError):
    """The privilege is invalid."""

    code = 72


class InvalidQuota(AdminError):
    """The quota is invalid."""

    code = 75


class InvalidRole(AdminError):
    """The role name is invalid."""

    code = 70


class InvalidUser(AdminError):
    """The user name is invalid."""

    code = 60


class InvalidWhitelist(AdminError):
    """The list of allowed addresses is invalid."""

    code = 73


class NotAuthenticated(AdminError):
    """The connection is not authenticated."""

    code = 80


class NotWhitelisted(AdminError):
    """The client's address is not allowed."""

    code = 82


class QuotaExceeded(AdminError):
    """The user's quota is exceeded."""

    code = 83


class QuotasNotEnabled(AdminError):
    """Quotas are not enabled."""

    code = 74


class RoleExistsError(AdminError):
    """The role exists already."""

    code = 71


class RoleViolation(AdminError):
    """The user's roles do not allow the command."""

    code = 81


class SecurityNotEnabled(AdminError):
    """Security is not enabled on the server."""

    code = 52


class SecurityNotSupported(AdminError):
    """The server has no security feature."""

    code = 51


class SecuritySchemeNotSupported(AdminError):
    """The server does not support the security scheme."""

    code = 53


class UserExistsError(AdminError):
    """The user exists already."""

    code = 61


class RecordError(ServerError):
    """The root of errors about one record.

    ``key`` is the :class:`~aerospike_py.Key` of the record, ``bin`` the bin's name; None where the command
    was not about one.
    """

    code: int | None = None
    key: Any = None
    bin: str | None = None


class BinExistsError(RecordError):
    """The bin exists already."""

    code = 6


class BinIncompatibleType(RecordError):
    """The operation does not fit the bin's type."""

    code = 12


class BinNameError(RecordError):
    """The bin name is too long, or there are too many bins."""

    code = 21


class BinNotFound(RecordError):
    """There is no such bin."""

    code = 17


class RecordBusy(RecordError):
    """Too many commands wait for the record."""

    code = 14


class RecordExistsError(RecordError):
    """The record exists already."""

    code = 5


class RecordGenerationError(RecordError):
    """The record's generation is not the expected one."""

    code = 3


class RecordKeyMismatch(RecordError):
    """The stored key is not the one sent."""

    code = 19


class RecordNotFound(RecordError):
    """There is no such record."""

    code = 2


class RecordTooBig(RecordError):
    """The record is too big."""

    code = 13


class AlwaysForbidden(ServerError):
    """The operation is not allowed in this configuration."""

    code = 10


class BatchDisabledError(ServerError):
    """Batches are switched off."""

    code = 150


class BatchMaxRequestError(ServerError):
    """The batch has more keys than the server takes."""

    code = 151


class BatchQueueFullError(ServerError):
    """The server's batch queues are full."""

    code = 152


class ClusterError(ServerError):
    """The partition is unavailable."""

    code = 11


class ClusterChangeError(ClusterError):
    """The cluster changed while the command ran."""

    code = 7


class DeviceOverload(ServerError):
    """The server's storage cannot keep up."""

    code = 18


class ElementExistsError(ServerError):
    """The element exists already."""

    code = 24


class ElementNotFoundError(ServerError):
    """There is no such element."""

    code = 23


class FilteredOut(ServerError):
    """The filter expression was false."""

    code = 27


class ForbiddenError(ServerError):
    """The operation is not possible now."""

    code = 22


class IndexError(ServerError):
    """An index failed. ``name`` is the index's, None where the command was not about one."""

    code = 204
    name: str | None = None


class IndexFoundError(IndexError):
    """The index exists already."""

    code = 200


class IndexNameMaxCount(IndexError):
    """There are too many indexes."""

    code = 206


class IndexNameMaxLen(IndexError):
    """The index name is too long."""

    code = 205


class IndexNotFound(IndexError):
    """There is no such index."""

    code = 201


class IndexNotReadable(IndexError):
    """The index is not readable yet."""

    code = 203


class IndexOOM(IndexError):
    """The index has no room left."""

    code = 202


class InvalidGeoJSON(ServerError):
    """The GeoJSON is invalid or not supported."""

    code = 160


class InvalidRequest(ServerError):
    """The server refused the request's parameters."""

    code = 4


class LostConflict(ServerError):
    """The write lost against another data centre's."""

    code = 28


class NamespaceNotFound(ServerError):
    """There is no such namespace."""

    code = 20


class OpNotApplicable(ServerError):
    """The operation cannot be applied to the bin's value."""

    code = 26


class QueryAbortedError(ServerError):
    """The query was aborted."""

    code = 210


class QueryError(ServerError):
    """A query failed."""

    code = 213


class QueryQueueFull(QueryError):
    """The server's query queue is full."""

    code = 211


class QueryTimeout(QueryError):
    """The query ran out of time on the server."""

    code = 212


class ScanAbortedError(ServerError):
    """The scan was aborted."""

    code = 15


class ServerFull(ServerError):
    """The server has no room left."""

    code = 8


class UDFError(ServerError):
    """A user-defined function failed. ``module`` and ``func`` name it, None where no call was about one."""

    code = 100
    module: str | None = None
    func: str | None = None


class LuaFileNotFound(UDFError):
    """There is no such Lua file."""

    code = 1302


class UDFNotFound(UDFError):
    """There is no such user-defined function."""

    code = 1301


class UnsupportedFeature(ServerError):
    """The server does not support the feature."""

    code = 16


def _classes_by_code() -> dict[int, type[AerospikeError]]:
    """The most specific class of each result code."""
    found: dict[int, type[AerospikeError]] = {}
    pending: list[type[AerospikeError]] = [AerospikeError]
    while pending:
        cls = pending.pop()
        pending.extend(cls.__subclasses__())
        code = cls.__dict__.get("code")
        if code is not None and cls is not BatchDecodeError:
            found[code] = cls
    return found


_CLASSES = _classes_by_code()


def _error_class(code: int) -> type[AerospikeError]:
    """The class that a result code is raised as."""
    return _CLASSES.get(code, ServerError if code > 0 else ClientError)


__all__ = [
    "AdminError",
    "AerospikeError",
    "AlwaysForbidden",
    "AsyncConnectionError",
    "BatchDecodeError",
    "BatchDisabledError",
    "BatchFailed",
    "BatchMaxRequestError",
    "BatchQueueFullError",
    "BinExistsError",
    "BinIncompatibleType",
    "BinNameError",
    "BinNotFound",
    "ClientAbortError",
    "ClientError",
    "ClusterChangeError",
    "ClusterError",
    "ConnectionError",
    "DeviceOverload",
    "ElementExistsError",
    "ElementNotFoundError",
    "ExpiredPassword",
    "FilteredOut",
    "ForbiddenError",
    "ForbiddenPassword",
    "IllegalState",
    "IndexError",
    "IndexFoundError",
    "IndexNameMaxCount",
    "IndexNameMaxLen",
    "IndexNotFound",
    "IndexNotReadable",
    "IndexOOM",
    "InvalidCommand",
    "InvalidCredential",
    "InvalidField",
    "InvalidGeoJSON",
    "InvalidHostError",
    "InvalidNodeError",
    "InvalidPassword",
    "InvalidPrivilege",
    "InvalidQuota",
    "InvalidRequest",
    "InvalidRole",
    "InvalidUser",
    "InvalidWhitelist",
    "LostConflict",
    "LuaFileNotFound",
    "MaxErrorRateExceeded",
    "MaxRetriesExceeded",
    "NamespaceNotFound",
    "NoMoreConnectionsError",
    "NoResponse",
    "NotAuthenticated",
    "NotWhitelisted",
    "OpNotApplicable",
    "ParamError",
    "QueryAbortedError",
    "QueryError",
    "QueryQueueFull",
    "QueryTimeout",
    "QuotaExceeded",
    "QuotasNotEnabled",
    "RecordBusy",
    "RecordError",
    "RecordExistsError",
    "RecordGenerationError",
    "RecordKeyMismatch",
    "RecordNotFound",
    "RecordTooBig",
    "RoleExistsError",
    "RoleViolation",
    "ScanAbortedError",
    "SecurityNotEnabled",
    "SecurityNotSupported",
    "SecuritySchemeNotSupported",
    "ServerError",
    "ServerFull",
    "TLSError",
    "TimeoutError",
    "TransactionAlreadyAborted",
    "TransactionAlreadyCommitted",
    "TransactionFailed",
    "UDFError",
    "UDFNotFound",
    "UnsupportedFeature",
    "UserExistsError",
]
