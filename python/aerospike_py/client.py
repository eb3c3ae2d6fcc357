"""The synchronous client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, overload

from . import _native

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    import numpy.typing as npt
    from typing_extensions import Self

    from ._types import Bins, Casting, Errors, KeyLike, Keys, Policy
    from .numpy_batch import NumpyBatchRecords
    from .records import BatchRecords, Exists, Record
    from .stats import ClusterStats


def refuse_pickle(client: object) -> NoReturn:
    """Connections cannot go to another process, so clients are neither pickled nor copied."""
    raise TypeError(
        f"{type(client).__name__} cannot be pickled or copied: its connections belong to this process; "
        "pass the config to the worker and connect there"
    )


def client(config: Mapping[str, Any]) -> Client:
    """Makes a client that is not connected yet.

    Args:
        config: ``{"hosts": [("127.0.0.1", 3000)], ...}`` with the official client's key names.

    Raises:
        ParamError: a key is unknown, or a value is not what it must be.

    Example:
        >>> import aerospike_py as aerospike
        >>> client = aerospike.client({"hosts": [("127.0.0.1", 3000)]}).connect()
    """
    return Client(config)


class Client:
    """A client whose calls wait for their answers, with the GIL released.

    May be used from many threads. A context manager: entering it connects, leaving it closes the
    connections.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._core = _native.Core(config)

    def connect(self, username: str | None = None, password: str | None = None) -> Self:
        """Connects and returns the client itself.

        Args:
            username: who logs in, instead of the config's ``user``.
            password: instead of the config's ``password``.

        Raises:
            AdminError: a node refuses the user; the class says why (``InvalidCredential``,
                ``ExpiredPassword``, ``InvalidUser`` ...), the message who and where.
            ConnectionError: no host could be reached; the message names each address and why.
            ClientError: the hosts answer, but not as this cluster.
        """
        self._core.connect(None, username, password)
        return self

    def close(self) -> None:
        """Closes all connections. Calls after it raise ``ClientError``; closing twice is fine."""
        self._core.close()

    def is_connected(self) -> bool:
        """Whether the client is connected and sees at least one node."""
        return self._core.is_connected()

    def get_node_names(self) -> list[str]:
        """The names of the cluster's nodes."""
        return self._core.get_node_names()

    def stats(self) -> ClusterStats:
        """The state of nodes and connections, with counts of retries and hedges.

        Example:
            >>> [(node.name, node.conns.in_use) for node in client.stats().nodes if not node.suspect]
        """
        return self._core.stats()

    def __enter__(self) -> Self:
        return self if self.is_connected() else self.connect()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        refuse_pickle(self)

    def __repr__(self) -> str:
        return f"<Client {self._core.describe()}>"

    # Each method below is one line over the core that AsyncClient uses, too.

    def put(
        self, key: KeyLike, bins: Bins, meta: Mapping[str, int] | None = None, policy: Policy | None = None
    ) -> None:
        """Writes bins of a record, creating it where it is not there.

        Args:
            key: ``(namespace, set, primary_key)``.
            bins: bin name to value; a bin set to None is removed.
            meta: ``{"gen": ..., "ttl": ...}``: the generation to compare with, seconds to live.
            policy: write policy (``key``, ``gen``, ``exists``, ``ttl``, ``total_timeout`` ...).

        Raises:
            RecordExistsError, RecordNotFound, RecordGenerationError: by policy.
            TimeoutError: no answer in time; ``in_doubt`` says whether it may have been applied.
        """
        self._core.put(None, key, bins, meta, policy)

    def get(self, key: KeyLike, policy: Policy | None = None) -> Record:
        """Reads a record.

        Returns:
            The named tuple ``(key, meta, bins)``.

        Raises:
            RecordNotFound: there is no such record.
        """
        record: Record = self._core.get(None, key, policy)
        return record

    def exists(self, key: KeyLike, policy: Policy | None = None) -> Exists:
        """Looks whether a record is there.

        Returns:
            The named tuple ``(key, meta)``; ``meta`` is None where there is no such record.
        """
        found: Exists = self._core.exists(None, key, policy)
        return found

    def remove(
        self, key: KeyLike, meta: Mapping[str, int] | None = None, policy: Policy | None = None
    ) -> None:
        """Deletes a record.

        Raises:
            RecordNotFound: there is no such record.
        """
        self._core.remove(None, key, meta, policy)

    @overload
    def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None = None,
        policy: Policy | None = None,
        _dtype: None = None,
    ) -> BatchRecords: ...

    @overload
    def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None = None,
        policy: Policy | None = None,
        *,
        _dtype: npt.DTypeLike,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
    ) -> NumpyBatchRecords: ...

    @overload
    def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None,
        policy: Policy | None,
        _dtype: npt.DTypeLike,
        *,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
    ) -> NumpyBatchRecords: ...

    def batch_read(
        self,
        keys: Keys,
        bins: Sequence[str] | None = None,
        policy: Policy | None = None,
        _dtype: npt.DTypeLike | None = None,
        *,
        casting: Casting = "unsafe",
        errors: Errors = "raise",
        out: npt.NDArray[Any] | None = None,
    ) -> BatchRecords | NumpyBatchRecords:
        """Reads many records, into NumPy arrays where a dtype is given.

        Args:
            keys: ``(namespace, set, primary_key)`` tuples, or :class:`~aerospike_py.Keys`.
            bins: names of the bins to read; None reads those that the dtype has fields for (all of them
                without a dtype), ``[]`` none: headers only.
            policy: batch policy (``total_timeout``, ``max_retries``, ``replica`` ...).
            _dtype: structured dtype whose field names are bin names. Values are written from the wire
                into an array of it.
            casting: ``"unsafe"`` lets values change to fit, counts them and warns; ``"same_value"``
                makes every change an error.
            errors: ``"raise"`` raises ``BatchDecodeError`` (with the complete batch) for values that
                their field cannot take; ``"coerce"`` leaves such cells zero and not present.
            out: array of the dtype, one row a key, to fill instead of a new one. It must not be resized
                during the call; after an exception its content is undefined.

        Returns:
            :class:`~aerospike_py.NumpyBatchRecords` with a dtype, else
            :class:`~aerospike_py.BatchRecords`.

        Raises:
            TypeError, ValueError: keys, dtype or ``out`` are refused before anything is sent.
            BatchDecodeError: values do not fit their fields.
            TimeoutError, ConnectionError, ...: no row was answered; the most common cause.
        """
        result: BatchRecords | NumpyBatchRecords = self._core.batch_read(
            None, keys, bins, policy, _dtype, casting, errors, out
        )
        return result
