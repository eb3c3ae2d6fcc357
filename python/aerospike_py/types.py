"""Types of arguments: configs, policies, keys.

At run time configs and policies are plain dictionaries. Their types let a type checker find misspelt keys and
values of the wrong type. Annotate variables that hold such a dictionary. Every key of a policy is optional;
docs/policies.md describes each.

>>> from aerospike_py.types import ClientConfig, ReadPolicy
>>> config: ClientConfig = {"hosts": [("127.0.0.1", 3000)], "policies": {"read": {"max_retries": 5}}}
>>> policy: ReadPolicy = {"total_timeout": 50}
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from ._native import Transaction
from ._types import Bins, Casting, Errors, KeyLike, Keys, PrimaryKey

__all__ = [
    "AdminPolicy",
    "ArrayWritePolicy",
    "BatchPolicy",
    "BatchReadPolicy",
    "BatchRemovePolicy",
    "BatchWritePolicy",
    "Bins",
    "Casting",
    "ClientConfig",
    "Errors",
    "IndexInfo",
    "InfoPolicy",
    "JobInfo",
    "KeyLike",
    "Keys",
    "OperatePolicy",
    "Policies",
    "PrimaryKey",
    "Privilege",
    "QueryPolicy",
    "ReadPolicy",
    "RemovePolicy",
    "RoleInfo",
    "ScanPolicy",
    "TLSConfig",
    "UserInfo",
    "WritePolicy",
]


class _Command(TypedDict, total=False):
    """Keys of all commands on records."""

    total_timeout: int
    socket_timeout: int
    max_retries: int
    sleep_between_retries: int
    replica: int
    compress: bool
    # A filter: an expression of aerospike_py.expressions, compiled or not, or its base64.
    expressions: Any


class _InTransaction(TypedDict, total=False):
    """Keys of commands that may be part of a transaction."""

    txn: Transaction


class _Reads(TypedDict, total=False):
    """Keys of commands that read."""

    read_mode_ap: int
    read_mode_sc: int
    read_touch_ttl_percent: int
    hedge_delay: int | Literal["adaptive", "off"]


class _Writes(TypedDict, total=False):
    """Keys of commands that write or delete."""

    key: int
    gen: int
    commit_level: int
    durable_delete: bool


class ReadPolicy(_Command, _InTransaction, _Reads, total=False):
    """Policy of ``get``, ``select`` and ``exists``.

    >>> policy: ReadPolicy = {"total_timeout": 50, "hedge_delay": "off"}
    """

    key: int


class WritePolicy(_Command, _InTransaction, _Writes, total=False):
    """Policy of ``put`` and ``remove_bin``.

    >>> policy: WritePolicy = {"exists": aerospike_py.POLICY_EXISTS_CREATE, "ttl": 3600}
    """

    exists: int
    ttl: int
    on_locking_only: bool


class RemovePolicy(_Command, _InTransaction, _Writes, total=False):
    """Policy of ``remove``. ``generation`` is the expected generation if ``meta`` has none.

    >>> policy: RemovePolicy = {"gen": aerospike_py.POLICY_GEN_EQ, "generation": 3}
    """

    generation: int


class OperatePolicy(WritePolicy, _Reads, total=False):
    """Policy of ``operate``, ``operate_ordered``, ``touch``, ``append``, ``prepend`` and ``increment``.

    >>> policy: OperatePolicy = {"gen": aerospike_py.POLICY_GEN_EQ}
    """


class BatchPolicy(_Command, _InTransaction, _Reads, total=False):
    """Policy of ``batch_read``, and of whole batches that write.

    >>> policy: BatchPolicy = {"total_timeout": 200, "replica": aerospike_py.POLICY_REPLICA_ANY}
    """

    allow_inline: bool
    allow_inline_ssd: bool
    respond_all_keys: bool


class BatchWritePolicy(_Writes, total=False):
    """Policy of rows that write, in batches. ``generation`` is the expected generation if ``meta`` has none.

    >>> policy: BatchWritePolicy = {"exists": aerospike_py.POLICY_EXISTS_UPDATE, "ttl": 3600}
    """

    exists: int
    ttl: int
    on_locking_only: bool
    generation: int
    expressions: Any


class BatchRemovePolicy(_Writes, total=False):
    """Policy of rows that delete, in batches.

    >>> policy: BatchRemovePolicy = {"gen": aerospike_py.POLICY_GEN_EQ, "generation": 3}
    """

    generation: int
    expressions: Any


class ApplyPolicy(_Command, total=False):
    """Policy of ``apply``.

    >>> policy: ApplyPolicy = {"total_timeout": 500, "ttl": 3600}
    """

    key: int
    commit_level: int
    durable_delete: bool
    ttl: int


class BatchApplyPolicy(TypedDict, total=False):
    """Policy of rows that apply user-defined functions, in batches.

    >>> policy: BatchApplyPolicy = {"ttl": 3600}
    """

    key: int
    commit_level: int
    durable_delete: bool
    ttl: int
    expressions: Any


class ArrayWritePolicy(BatchPolicy, BatchWritePolicy, total=False):
    """Policy of ``batch_write_numpy`` and ``batch_write_arrow``: the keys of the batch's policy and of its
    rows' policy together.

    >>> policy: ArrayWritePolicy = {"total_timeout": 5000, "ttl": 3600}
    """


class BatchReadPolicy(TypedDict, total=False):
    """Policy of a ``Read`` in a batch. Takes precedence over the policy of the batch.

    >>> policy: BatchReadPolicy = {"read_touch_ttl_percent": 80}
    """

    read_mode_ap: int
    read_mode_sc: int
    read_touch_ttl_percent: int
    expressions: Any


class QueryPolicy(_Command, total=False):
    """Policy of queries. ``partition_filter`` is allowed in calls only, not in the client's policies.

    >>> policy: QueryPolicy = {"max_retries": 10, "partition_filter": {"begin": 0, "count": 1024}}
    """

    short_query: bool
    expected_duration: int
    max_concurrent_nodes: int
    partition_filter: Mapping[str, Any]


class ScanPolicy(QueryPolicy, total=False):
    """Policy of scans: that of queries, and their limits.

    >>> policy: ScanPolicy = {"max_records": 100}
    """

    max_records: int
    records_per_second: int


class InfoPolicy(TypedDict, total=False):
    """Policy of the info commands and ``truncate``.

    >>> policy: InfoPolicy = {"timeout": 5000}
    """

    timeout: int


class AdminPolicy(TypedDict, total=False):
    """Policy of the commands on users and roles.

    >>> policy: AdminPolicy = {"timeout": 5000}
    """

    timeout: int


class _PrivilegeCode(TypedDict):
    code: int


class Privilege(_PrivilegeCode, total=False):
    """A privilege of a role: ``code`` is a ``PRIV_*`` constant, ``ns`` and ``set`` limit it.

    >>> privilege: Privilege = {"code": aerospike_py.PRIV_READ, "ns": "test"}
    """

    ns: str
    set: str


class RoleInfo(TypedDict):
    """A role, as ``admin_get_role`` returns it.

    >>> role: RoleInfo = {"privileges": [], "whitelist": [], "read_quota": 0, "write_quota": 0}
    """

    privileges: list[Privilege]
    whitelist: list[str]
    read_quota: int
    write_quota: int


class UserInfo(TypedDict):
    """A user, as ``admin_query_user_info`` returns it.

    >>> quotas = [0, 0, 0, 0]
    >>> user: UserInfo = {"read_info": quotas, "write_info": quotas, "conns_in_use": 1, "roles": ["read"]}
    """

    read_info: list[int]
    write_info: list[int]
    conns_in_use: int
    roles: list[str]


class Policies(TypedDict, total=False):
    """Default policies of a client. Policies of calls take precedence.

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
    apply: ApplyPolicy
    scan: Mapping[str, Any]
    batch_apply: BatchApplyPolicy
    admin: AdminPolicy
    txn_verify: Mapping[str, Any]
    txn_roll: Mapping[str, Any]
    metrics: Any
    auth_mode: int
    login_timeout_ms: int


class TLSConfig(TypedDict, total=False):
    """The key ``tls`` of a config.

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
    """Required keys of a config."""

    hosts: Sequence[tuple[str, int] | tuple[str, int, str | None] | str]


class ClientConfig(_Hosts, total=False):
    """The config of a client.

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
    strict_types: bool


class IndexInfo(TypedDict):
    """A secondary index, as :meth:`~aerospike_py.Client.index_list` describes it.

    >>> names: list[str] = [index["name"] for index in client.index_list("test")]
    """

    namespace: str
    set: str | None
    name: str
    bin: str | None
    index_type: str
    index_datatype: str | None
    ctx: str | None
    expression: str | None
    state: Literal["ready", "building", "error"]


class JobInfo(TypedDict):
    """The progress of a background job, as :meth:`~aerospike_py.Client.job_info` describes it.

    >>> info: JobInfo = client.job_info(12345, JOB_QUERY)
    """

    progress_pct: int
    records_read: int
    status: int
