"""Exceptions. All derive from :class:`AerospikeError` and have the official client's names.

Every exception has

- ``code``: the result code, positive from the server, negative from the client,
- ``msg``: the failed command, the node, the number of attempts, and the reason; for some wrong arguments and
  policies the official client's text, which programs compare, where ``str(error)`` says more,
- ``in_doubt``: whether a write may have been applied although it failed.

The official client's attributes ``file``, ``line`` and ``subcode`` are None.

A :class:`RecordError` and a :class:`RecordDecodeError` also have ``key`` and ``bin``. If an operating system
error is the reason, it is the ``__cause__``.

>>> try:
...     client.get(("test", "users", "nobody"))
... except RecordNotFound as error:
...     print(error.code, error.key.key)
2 nobody

Exceptions can be pickled.
"""

from __future__ import annotations

import builtins
from typing import Any, TypeVar


class AerospikeError(Exception):
    """Base class of all errors of this package."""

    code: int | None = None
    #: Attributes of the official client's exceptions. Always None here.
    file: str | None = None
    line: int | None = None
    subcode: int | None = None

    def __init__(self, msg: str = "", code: int | None = None, in_doubt: bool = False) -> None:
        super().__init__(msg)
        self.msg = msg
        if code is not None:
            self.code = code
        self.in_doubt = in_doubt

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.code, self.in_doubt), _state(self)


def _state(error: AerospikeError) -> dict[str, Any] | None:
    """Attributes that a subclass or a user added to the instance, and ``msg`` if it is not the text."""
    known = {"code", "in_doubt"} if error.msg != str(error) else {"msg", "code", "in_doubt"}
    return {name: value for name, value in vars(error).items() if name not in known} or None


_Error = TypeVar("_Error", bound=AerospikeError)


def _with_official_text(error: _Error, text: str, code: int | None = None) -> _Error:
    """The error with the official client's text as its ``msg``, and that client's code. Its message stays."""
    error.msg = text
    if code is not None:
        error.code = code
    return error


class ClientError(AerospikeError):
    """An error on the client's side."""

    code = -1


class ServerError(AerospikeError):
    """The server answered with an error."""

    code: int | None = 1


class TimeoutError(AerospikeError, builtins.TimeoutError):
    """No answer came in time. Also a builtin ``TimeoutError``."""

    code = 9


class ParamError(ClientError, ValueError):
    """An argument, config or policy is invalid. Also a ``ValueError``."""

    code = -2


class ParamTypeError(ParamError, TypeError):
    """An argument has the wrong type. A ``ParamError`` that is also a ``TypeError``."""


class BatchDecodeError(ClientError, ValueError):
    """Values of a batch do not fit their fields. Also a ``ValueError``.

    ``batch`` is the complete result, such as a :class:`~aerospike_py.NumpyBatchRecords`, or the dict of them
    if each set has a dtype; cells whose value does not fit are zero and not present. ``count`` is the number
    of failures, ``failures`` the first hundred as ``(row, key, field, reason)``.
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


class RecordDecodeError(ClientError, ValueError):
    """A record holds a value that Python cannot represent. Also a ``ValueError``.

    Examples are text that is not UTF-8 and a map whose key is a list. ``key`` is the
    :class:`~aerospike_py.Key` of the record, ``bin`` the name of the bin.
    """

    key: Any = None
    bin: str | None = None


class QueryDecodeError(ClientError, ValueError):
    """Python cannot represent some records of a query that has ended. Also a ``ValueError``.

    All other records were returned. ``count`` is the number of records that cannot be represented,
    ``failures`` has the :class:`RecordDecodeError` of the first hundred, ``key`` and ``bin`` are those of the
    first. ``records`` has the records of ``results()``; it is None for other calls, which have returned them.
    """

    key: Any = None
    bin: str | None = None

    def __init__(
        self,
        msg: str = "",
        code: int | None = None,
        in_doubt: bool = False,
        failures: list[RecordDecodeError] | None = None,
        records: list[Any] | None = None,
        count: int = 0,
    ) -> None:
        super().__init__(msg, code, in_doubt)
        self.failures = failures if failures is not None else []
        self.records = records
        self.count = count
        if self.failures:
            self.key, self.bin = self.failures[0].key, self.failures[0].bin


class AsyncConnectionError(ClientError):
    """An asynchronous connection failed."""

    code = -6


class BatchFailed(ClientError):
    """One or more rows of a batch failed."""

    code = -16


class ClientAbortError(ClientError):
    """The client aborted the command."""

    code = -5


class ConnectionError(ClientError, builtins.ConnectionError):
    """A connection to a node failed. Also a builtin ``ConnectionError``."""

    code = -10


class InvalidHostError(ClientError):
    """A host name cannot be resolved."""

    code = -4


class InvalidNodeError(ClientError):
    """No node is available for the command."""

    code = -8


class UnknownNodeError(InvalidNodeError, ParamError):
    """The cluster has no node of the name. An ``InvalidNodeError`` that is also a ``ParamError``."""


class MaxErrorRateExceeded(ClientError):
    """The node has had too many errors recently."""

    code = -14


class MaxRetriesExceeded(ClientError):
    """Every attempt failed."""

    code = -12


class NoMoreConnectionsError(ClientError):
    """All connections to the node are in use."""

    code = -7


class NoResponse(ClientError):
    """The node did not answer."""

    code = -15


class TLSError(ClientError):
    """The TLS handshake or session failed."""

    code = -9


class TransactionAlreadyAborted(ClientError):
    """The transaction has already been aborted."""

    code = -19


class TransactionAlreadyCommitted(ClientError):
    """The transaction has already been committed."""

    code = -18


class TransactionFailed(ClientError):
    """The transaction failed."""

    code = -17


class AdminError(ServerError):
    """Base class of errors about users, roles and logins."""

    code: int | None = None


class ExpiredPassword(AdminError):
    """The password has expired."""

    code = 63


class ForbiddenPassword(AdminError):
    """The password must not be reused."""

    code = 64


class IllegalState(AdminError):
    """The message is not allowed in this state of the login."""

    code = 56


class InvalidCommand(AdminError):
    """The admin command is invalid."""

    code = 54


class InvalidCredential(AdminError):
    """The credential is invalid."""

    code = 65


class InvalidField(AdminError):
    """A field of the admin command is invalid."""

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
    """The whitelist of addresses is invalid."""

    code = 73


class NotAuthenticated(AdminError):
    """The connection is not authenticated."""

    code = 80


class NotWhitelisted(AdminError):
    """The address of the client is not on the whitelist."""

    code = 82


class QuotaExceeded(AdminError):
    """The user's quota is exceeded."""

    code = 83


class QuotasNotEnabled(AdminError):
    """Quotas are not enabled."""

    code = 74


class RoleExistsError(AdminError):
    """The role already exists."""

    code = 71


class RoleViolation(AdminError):
    """The user's roles do not allow the command."""

    code = 81


class SecurityNotEnabled(AdminError):
    """Security is not enabled on the server."""

    code = 52


class SecurityNotSupported(AdminError):
    """The server does not support security."""

    code = 51


class SecuritySchemeNotSupported(AdminError):
    """The server does not support the security scheme."""

    code = 53


class UserExistsError(AdminError):
    """The user already exists."""

    code = 61


class RecordError(ServerError):
    """Base class of errors about a record.

    ``key`` is the :class:`~aerospike_py.Key` of the record, or None. ``bin`` is the name of the bin, or None
    if the error is not about a bin.
    """

    code: int | None = None
    key: Any = None
    bin: str | None = None


class BinExistsError(RecordError):
    """The bin already exists."""

    code = 6


class BinIncompatibleType(RecordError):
    """The operation does not fit the bin's type."""

    code = 12


class BinNameError(RecordError):
    """The bin name is too long, or there are too many bins."""

    code = 21


class BinNotFound(RecordError):
    """The bin does not exist."""

    code = 17


class RecordBusy(RecordError):
    """Too many commands wait for the record."""

    code = 14


class RecordExistsError(RecordError):
    """The record already exists."""

    code = 5


class RecordGenerationError(RecordError):
    """The record's generation is not the expected one."""

    code = 3


class RecordKeyMismatch(RecordError):
    """The stored primary key differs from the one sent."""

    code = 19


class RecordNotFound(RecordError):
    """The record does not exist."""

    code = 2


class RecordTooBig(RecordError):
    """The record is too big."""

    code = 13


class AlwaysForbidden(ServerError):
    """The operation is not allowed in this configuration."""

    code = 10


class BatchDisabledError(ServerError):
    """Batches are disabled on the server."""

    code = 150


class BatchMaxRequestError(ServerError):
    """The batch has more keys than the server allows."""

    code = 151


class BatchQueueFullError(ServerError):
    """The server's batch queues are full."""

    code = 152


class ClusterError(ServerError):
    """The partition is unavailable."""

    code = 11


class ClosedError(ClusterError, ClientError):
    """The client is closed. A ``ClusterError``, as in the official client, that is also a ``ClientError``."""


class ClusterChangeError(ClusterError):
    """The cluster changed while the command ran."""

    code = 7


class DeviceOverload(ServerError):
    """The server's storage cannot keep up."""

    code = 18


class ElementExistsError(ServerError):
    """The element already exists."""

    code = 24


class ElementNotFoundError(ServerError):
    """The element does not exist."""

    code = 23


class FilteredOut(ServerError):
    """The filter expression was false."""

    code = 27


class ForbiddenError(ServerError):
    """The operation is not allowed at this time."""

    code = 22


class IndexError(ServerError):
    """Base class of errors about a secondary index. ``name`` is the name of the index, or None."""

    code = 204
    name: str | None = None


class IndexFoundError(IndexError):
    """The index already exists."""

    code = 200


class IndexNameMaxCount(IndexError):
    """There are too many indexes."""

    code = 206


class IndexNameMaxLen(IndexError):
    """The index name is too long."""

    code = 205


class IndexNotFound(IndexError):
    """The index does not exist."""

    code = 201


class IndexNotReadable(IndexError):
    """The index is not readable yet."""

    code = 203


class IndexOOM(IndexError):
    """The index is out of memory."""

    code = 202


class InvalidGeoJSON(ServerError):
    """The GeoJSON is invalid or not supported."""

    code = 160


class InvalidRequest(ServerError):
    """The server refused the request's parameters."""

    code = 4


class RefusedRequest(ParamError, InvalidRequest):
    """A request that servers refuse, refused before it is sent. An ``InvalidRequest``, as in the official
    client, that is also a ``ParamError``."""

    code = 4


class LostConflict(ServerError):
    """The write lost a conflict with a write from another data center."""

    code = 28


class NamespaceNotFound(ServerError):
    """The namespace does not exist."""

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
    """The query timed out on the server."""

    code = 212


class ScanAbortedError(ServerError):
    """The scan was aborted."""

    code = 15


class ServerFull(ServerError):
    """The server is out of memory or disk space."""

    code = 8


class UDFError(ServerError):
    """A user-defined function failed. ``module`` and ``func`` are its names, or None."""

    code = 100
    module: str | None = None
    func: str | None = None


class LuaFileNotFound(UDFError, builtins.FileNotFoundError):
    """The Lua file does not exist. Also a builtin ``FileNotFoundError``."""

    code = 1302


class UDFNotFound(UDFError):
    """The user-defined function does not exist."""

    code = 1301


class UnsupportedFeature(ServerError):
    """The server does not support the feature."""

    code = 16


def _classes_by_code() -> dict[int, type[AerospikeError]]:
    """Result code to its most specific class."""
    found: dict[int, type[AerospikeError]] = {}
    pending: list[type[AerospikeError]] = [AerospikeError]
    while pending:
        cls = pending.pop()
        pending.extend(cls.__subclasses__())
        code = cls.__dict__.get("code")
        if code is not None and cls not in (BatchDecodeError, RefusedRequest):
            found[code] = cls
    return found


_CLASSES = _classes_by_code()


def _error_class(code: int) -> type[AerospikeError]:
    """The class to raise for a result code."""
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
    "ClosedError",
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
    "ParamTypeError",
    "QueryAbortedError",
    "QueryDecodeError",
    "QueryError",
    "QueryQueueFull",
    "QueryTimeout",
    "QuotaExceeded",
    "QuotasNotEnabled",
    "RecordBusy",
    "RecordDecodeError",
    "RecordError",
    "RecordExistsError",
    "RecordGenerationError",
    "RecordKeyMismatch",
    "RecordNotFound",
    "RecordTooBig",
    "RefusedRequest",
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
    "UnknownNodeError",
    "UnsupportedFeature",
    "UserExistsError",
]
