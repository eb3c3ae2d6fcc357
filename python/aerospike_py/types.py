"""Types of what clients are given: configs, policies, keys.

The dictionaries are plain ones at run time; their types let a type checker find a key that is misspelt or a
value of the wrong kind. A dictionary that is kept in a variable needs its type written there. All policy keys
may be left out; docs/policies.md says what each does.

>>> from aerospike_py.types import ClientConfig, ReadPolicy
>>> config: ClientConfig = {"hosts": [("127.0.0.1", 3000)], "policies": {"read": {"max_retries": 5}}}
>>> policy: ReadPolicy = {"total_timeout": 50}
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from ._types import Bins, Casting, Errors, KeyLike, Keys, PrimaryKey

__all__ = [
    "ArrayWritePolicy",
    "BatchPolicy",
    "BatchReadPolicy",
    "BatchRemovePolicy",
    "BatchWritePolicy",
    "Bins",
    "Casting",
    "ClientConfig",
    "Errors",
    "InfoPolicy",
    "KeyLike",
    "Keys",
    "OperatePolicy",
    "Policies",
    "PrimaryKey",
    "QueryPolicy",
    "ReadPolicy",
    "RemovePolicy",
    "TLSConfig",
    "WritePolicy",
]


class _Command(TypedDict, total=False):
    """What every command on records has."""

    total_timeout: int
    socket_timeout: int
    max_retries: int
    sleep_between_retries: int
    replica: int
    compress: bool


class _Reads(TypedDict, total=False):
    """What commands that read have."""

    read_mode_ap: int
    read_mode_sc: int
    read_touch_ttl_percent: int
    hedge_delay: int | Literal["adaptive", "off"]


class _Writes(TypedDict, total=False):
    """What commands that change records have."""

    key: int
    gen: int
    commit_level: int
    durable_delete: bool


class ReadPolicy(_Command, _Reads, total=False):
    """Of ``get``, ``select`` and ``exists``.

    >>> policy: ReadPolicy = {"total_timeout": 50, "hedge_delay": "off"}
    """

    key: int


class WritePolicy(_Command, _Writes, total=False):
    """Of ``put`` and ``remove_bin``.

    >>> policy: WritePolicy = {"exists": aerospike_py.POLICY_EXISTS_CREATE, "ttl": 3600}
    """

    exists: int
    ttl: int


class RemovePolicy(_Command, _Writes, total=False):
    """Of ``remove``. ``generation`` is compared with as ``gen`` says, where ``meta`` names none.

    >>> policy: RemovePolicy = {"gen": aerospike_py.POLICY_GEN_EQ, "generation": 3}
    """

    generation: int


class OperatePolicy(WritePolicy, _Reads, total=False):
    """Of ``operate``, ``operate_ordered``, ``touch``, ``append``, ``prepend`` and ``increment``.

    >>> policy: OperatePolicy = {"gen": aerospike_py.POLICY_GEN_EQ}
    """


class BatchPolicy(_Command, _Reads, total=False):
    """Of ``batch_read``, and of batches that write as wholes.

    >>> policy: BatchPolicy = {"total_timeout": 200, "replica": aerospike_py.POLICY_REPLICA_ANY}
    """

    allow_inline: bool
    allow_inline_ssd: bool
    respond_all_keys: bool


class BatchWritePolicy(_Writes, total=False):
    """Of rows that write, in batches; ``generation`` is compared with where ``meta`` names none.

    >>> policy: BatchWritePolicy = {"exists": aerospike_py.POLICY_EXISTS_UPDATE, "ttl": 3600}
    """

    exists: int
    ttl: int
    generation: int


class BatchRemovePolicy(_Writes, total=False):
    """Of rows that delete, in batches.

    >>> policy: BatchRemovePolicy = {"gen": aerospike_py.POLICY_GEN_EQ, "generation": 3}
    """

    generation: int


class ArrayWritePolicy(BatchPolicy, BatchWritePolicy, total=False):
    """Of ``batch_write_numpy``: the batch's and its rows' in one.

    >>> policy: ArrayWritePolicy = {"total_timeout": 5000, "ttl": 3600}
    """


class BatchReadPolicy(TypedDict, total=False):
    """Of a ``Read`` in a batch, over the batch's own.

    >>> policy: BatchReadPolicy = {"read_touch_ttl_percent": 80}
    """

    read_mode_ap: int
    read_mode_sc: int
    read_touch_ttl_percent: int


class QueryPolicy(_Command, total=False):
    """Of queries. ``partition_filter`` is for the call alone.

    >>> policy: QueryPolicy = {"max_retries": 10, "partition_filter": {"begin": 0, "count": 1024}}
    """

    short_query: bool
    expected_duration: int
    max_concurrent_nodes: int
    partition_filter: Mapping[str, Any]


class InfoPolicy(TypedDict, total=False):
    """Of the info commands and ``truncate``.

    >>> policy: InfoPolicy = {"timeout": 5000}
    """

    timeout: int


class Policies(TypedDict, total=False):
    """A client's own policies, below those of its calls.

    >>> policies: Policies = {"read": {"max_retries": 5}, "write": {"total_timeout": 500}}
    """

    read: ReadPolicy
    write: WritePolicy
    remove: RemovePolicy
    operate: OperatePolicy
    batch: BatchPolicy
    batch_parent_write: BatchPolicy
    batch_write: BatchWritePolicy
    batch_remove: BatchRemovePolicy
    query: QueryPolicy
    info: InfoPolicy
    auth_mode: int
    login_timeout_ms: int


class TLSConfig(TypedDict, total=False):
    """The config's ``tls``.

    >>> tls: TLSConfig = {"enable": True, "cafile": "/etc/aerospike/ca.pem"}
    """

    enable: bool
    cafile: str | os.PathLike[str]
    capath: str | os.PathLike[str]
    certfile: str | os.PathLike[str]
    keyfile: str | os.PathLike[str]
    protocols: str
    cipher_suite: str
    crl_check: bool
    crl_check_all: bool


class _Hosts(TypedDict):
    """What a config cannot do without."""

    hosts: Sequence[tuple[str, int] | tuple[str, int, str | None]]


class ClientConfig(_Hosts, total=False):
    """What a client is made with.

    >>> config: ClientConfig = {"hosts": [("127.0.0.1", 3000)], "max_conns_per_node": 50}
    """

    user: str
    password: str
    auth_mode: int
    login_timeout_ms: int
    tls: TLSConfig
    policies: Policies
    cluster_name: str
    use_services_alternate: bool
    connect_timeout: int
    tend_interval: int
    max_conns_per_node: int
    max_socket_idle: int
    max_error_rate: int
    error_rate_window: int
    rack_aware: bool
    rack_id: int
    rack_ids: Sequence[int]
    send_bool_as: int
