"""Every key of the config and of the policies: its default, what it does, and the test that shows it.

scripts/policy_table.py writes docs/policies.md from this list, and tests/config/test_policies.py checks it:
keys that work are in the types and have a test; keys that do nothing cause a warning or an error with the
reason; those of commands that come later are checked; no key of the official client is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

WORKS = "works"
WARNED = "warned"
REFUSED = "refused"
#: Refused because it will not be supported.
NEVER = "never"
#: A policy of commands that are not supported yet: checked, without effect.
LATER = "later"


@dataclass(frozen=True)
class Key:
    """A row of a table.

    ``here`` lists the tests that show what the key does, as ``path::test``. For keys that do nothing,
    ``value`` causes the warning or error, and ``harmless`` matches the current behaviour and is accepted.
    """

    name: str
    verdict: str
    default: str
    what: str
    here: tuple[str, ...] = ()
    value: Any = None
    harmless: Any = None
    ours: bool = False


@dataclass(frozen=True)
class Table:
    """A dictionary: its place, its type, and the official client's name for its set of keys."""

    name: str
    title: str
    intro: str
    type_name: str | None
    official: str
    keys: tuple[Key, ...]


def works(name: str, default: str, what: str, *here: str, ours: bool = False) -> Key:
    return Key(name, WORKS, default, what, here, ours=ours)


def warned(name: str, value: Any, why: str, harmless: Any = None, ours: bool = False) -> Key:
    return Key(name, WARNED, "", why, value=value, harmless=harmless, ours=ours)


def refused(name: str, value: Any, why: str, harmless: Any = None) -> Key:
    return Key(name, REFUSED, "", why, value=value, harmless=harmless)


EFFECTS = "tests/config/test_policy_effects.py::"
FUNCTIONS = "tests/integration/test_functions.py::"
CONFIG = "tests/config/test_config_effects.py::"
TOLD = f"{EFFECTS}test_flags_that_a_node_receives"
CLUSTER = "tests/cluster/test_reads.py::"
TLS = "tests/connection/test_tls.py::"
AUTH = "tests/connection/test_auth.py::"
HOSTS = "tests/connection/test_bad_hosts.py::"


def never(name: str, value: Any, why: str, harmless: Any = None) -> Key:
    return Key(name, NEVER, "", why, value=value, harmless=harmless)


def later(name: str, value: Any, what: str) -> Key:
    """``value`` is a policy that the official client takes."""
    return Key(name, LATER, "", what, value=value)


COMMON_NOTHING = (
    warned("timeout_delay", 3000, "connections with late answers are closed, not kept", harmless=0),
    warned("error_detail_verbosity", 1, "error messages always have all details", harmless=0),
    warned("connect_timeout", 500, "set it in the client's config", harmless=0),
)
TRANSACTIONS = "tests/integration/test_transactions.py::"
#: Of commands that can be part of a transaction.
TRANSACTION = works(
    "txn",
    "None",
    "the [transaction](transactions.md) that the call is part of; only in a call, not in the config",
    f"{TRANSACTIONS}test_commit_and_abort",
    f"{TRANSACTIONS}test_every_batch_can_be_part_of_a_transaction",
)
NO_TRANSACTION = never("txn", object(), "name the transaction in the policy of a command on one record")
FILTERS = "tests/integration/test_filters.py::"


def filter_of(what: str, *proof: str) -> Key:
    return works(
        "expressions",
        "None",
        f"filter: an expression of `aerospike_py.expressions`, compiled or not, or its base64; {what}",
        *proof,
    )


FILTER_OF_ROW = filter_of(
    "of the row, instead of the batch's", f"{FILTERS}test_rows_of_a_batch_have_filters_of_their_own"
)
DESERIALIZE = warned("deserialize", False, "lists and maps are always read as Python objects", harmless=True)
LOCKING = works(
    "on_locking_only",
    "False",
    "a write fails with code 126 if its transaction has written the record before",
    "tests/compat/test_interop_transactions.py::test_commands",
)


def common(timeout: str, retries: str) -> tuple[Key, ...]:
    return (
        filter_of(
            "records for which it is not true are left alone and have code 27",
            f"{FILTERS}test_every_command_has_a_filter",
            f"{FILTERS}test_filtered_rows_of_arrays_are_not_present",
        ),
        works(
            "total_timeout",
            timeout,
            "limit for the whole call, in ms; 0 means no limit. The remaining time is sent to the node",
            f"{EFFECTS}test_total_timeout",
            f"{EFFECTS}test_a_node_receives_the_remaining_time",
        ),
        works(
            "socket_timeout",
            "30000",
            "ms without progress after which a connection is closed; unanswered work is then retried",
            f"{EFFECTS}test_socket_timeout",
        ),
        works("max_retries", retries, "number of retries", f"{EFFECTS}test_max_retries"),
        works(
            "sleep_between_retries",
            "0",
            "ms before a retry; the first retry does not wait if it goes to another node",
            f"{EFFECTS}test_sleep_between_retries",
        ),
        works(
            "replica",
            "`POLICY_REPLICA_SEQUENCE`",
            "which node to use: only the master, any replica in turn, the master first and then the other "
            "replicas, or a replica in the nearest rack. A node that is not the master forwards a write",
            f"{EFFECTS}test_replica",
            f"{CLUSTER}test_replicas",
            f"{CLUSTER}test_the_nearest_rack_is_read_from",
        ),
        works(
            "compress",
            "False",
            "compress requests of more than 128 bytes and accept compressed answers; requires an Enterprise "
            "Edition server",
            f"{EFFECTS}test_compress",
            "tests/connection/test_compression.py::test_answers_are_smaller_and_the_same",
        ),
    )


def reads(of: str = "") -> tuple[Key, ...]:
    return (
        works(
            "read_mode_ap",
            "`POLICY_READ_MODE_AP_ONE`",
            f"{of}how many replicas an AP (available) namespace consults while partitions move",
            TOLD,
        ),
        works(
            "read_mode_sc",
            "`POLICY_READ_MODE_SC_SESSION`",
            f"{of}consistency of reads in a strongly consistent namespace; only the relaxed modes use "
            "replicas other than the master",
            TOLD,
            f"{CLUSTER}test_strong_consistency",
        ),
        works(
            "read_touch_ttl_percent",
            "0",
            f"{of}a read renews a record's time to live if at most this percentage of it is left; 0 uses the "
            "server's setting, -1 never renews",
            TOLD,
        ),
        works(
            "hedge_delay",
            '`"adaptive"`',
            f"{of}when to send the request to a second node "
            '(a number of ms, `"adaptive"` or `"off"`); see [Hedging](failures.md#hedging)',
            f"{EFFECTS}test_hedge_delay",
            f"{CLUSTER}test_single_reads_are_hedged",
            ours=True,
        ),
    )


SEND_KEY = works(
    "key",
    "`POLICY_KEY_DIGEST`",
    "`POLICY_KEY_SEND` sends the primary key with its digest: a write stores it, other commands compare it "
    "with the stored one",
    TOLD,
)
WRITES = (
    SEND_KEY,
    works(
        "gen",
        "`POLICY_GEN_IGNORE`",
        "condition on the record's generation, compared with the one in `meta`: `POLICY_GEN_EQ`, "
        "`POLICY_GEN_GT`",
        TOLD,
        "tests/integration/test_commands.py::test_policies_by_generation",
    ),
    works(
        "commit_level",
        "`POLICY_COMMIT_LEVEL_ALL`",
        "with `POLICY_COMMIT_LEVEL_MASTER`, the server answers without waiting for the replicas",
        TOLD,
    ),
    works(
        "durable_delete",
        "False",
        "a deletion leaves a tombstone; requires an Enterprise Edition server",
        TOLD,
    ),
)
CHANGES = (
    works(
        "exists",
        "`POLICY_EXISTS_IGNORE`",
        "whether to write, depending on whether the record exists",
        TOLD,
        "tests/integration/test_commands.py::test_policies_by_existence",
    ),
    works(
        "ttl",
        "0",
        "time to live in seconds if `meta` has none, or one of the `TTL_*` constants; 0 uses the namespace's "
        "default; in a call's policy, `TTL_CLIENT_DEFAULT` uses that of the client's policy",
        TOLD,
        "tests/integration/test_commands.py::test_time_to_live",
        "tests/compat/test_interop_ttl.py::test_constants_are_taken_everywhere",
    ),
)

BATCH_FLAGS = (
    works(
        "allow_inline",
        "True",
        "the server may process records in memory on the thread that received the request",
        f"{EFFECTS}test_flags_of_batches_that_are_on",
    ),
    works("allow_inline_ssd", "False", "the same for records on SSD", TOLD),
    works(
        "respond_all_keys",
        "True",
        "the server continues after a row that fails",
        f"{EFFECTS}test_flags_of_batches_that_are_on",
    ),
)

FOR_ALL = "it cannot be set for all commands at once"

_LATER_COMMAND = {"total_timeout": 500, "max_retries": 1, "durable_delete": False, "ttl": 60}


class _MetricsPolicy:
    """As the official client's, whose name and attributes it has."""

    latency_columns = 7


# The keys that policies of batches have beside those of all reads.
BATCHES = (
    *BATCH_FLAGS,
    warned("concurrent", False, "the requests of a batch always run concurrently", harmless=True),
    warned(
        "key",
        1,
        "a batch read sends digests only, and rows that write have a policy of their own",
        harmless=0,
        ours=True,
    ),
    DESERIALIZE,
    TRANSACTION,
    *COMMON_NOTHING,
)

TABLES = (
    Table(
        "config",
        "The config",
        "The argument of `client(config)` and `AsyncClient(config)`.",
        "ClientConfig",
        "client_config",
        (
            works(
                "hosts",
                "required",
                "list of `(host, port)`, `(host, port, tls_name)` or `host:port`, where the port is 3000 by "
                "default; all addresses of each host are tried",
                f"{HOSTS}test_a_good_host_behind_bad_ones",
                "tests/config/test_config.py::test_hosts_as_text",
            ),
            works("user", "none", "user name", f"{AUTH}test_a_user_who_logged_in_reads_and_writes"),
            works(
                "password",
                "none",
                "password; it is hashed once and never shown",
                f"{AUTH}test_nothing_secret_is_shown",
            ),
            works(
                "auth_mode",
                "`AUTH_INTERNAL`",
                "authentication mode; also accepted in `policies`, where the official client has it",
                f"{CONFIG}test_auth_mode_in_either_place",
                f"{AUTH}test_external_users_bring_their_password",
                ours=True,
            ),
            works(
                "login_timeout_ms",
                "5000",
                "ms to wait for a node's answer to a login; also accepted in `policies`",
                f"{CONFIG}test_login_timeout_ms_in_either_place",
                ours=True,
            ),
            works("tls", "off", "see [TLS](#tls)", f"{TLS}test_mutual_tls"),
            works(
                "policies",
                "none",
                "default policies; see [below](#policies)",
                "tests/integration/test_commands.py::test_default_policies_of_the_config",
            ),
            works(
                "cluster_name",
                "any",
                "refuse nodes of a cluster with another name; with TLS, the fallback for the name in "
                "certificates",
                f"{HOSTS}test_another_cluster",
                f"{TLS}test_the_cluster_name_is_the_default_tls_name",
            ),
            works(
                "use_services_alternate",
                "False",
                "connect to the nodes' alternate addresses",
                f"{CLUSTER}test_alternate_addresses",
            ),
            works(
                "connect_timeout",
                "1000",
                "limit for opening a connection, and for each status check of a node, in ms",
                f"{HOSTS}test_a_port_that_accepts_and_says_nothing",
            ),
            works(
                "tend_interval",
                "1000",
                "ms between two status checks of a node",
                f"{CONFIG}test_tend_interval",
            ),
            works(
                "max_conns_per_node",
                "100",
                "maximum number of connections per node for commands; further commands wait",
                f"{CLUSTER}test_a_saturated_client_raises",
            ),
            works(
                "max_socket_idle",
                "55",
                "seconds after which an idle connection is closed; 0 means never",
                f"{CONFIG}test_max_socket_idle",
            ),
            works(
                "max_error_rate",
                "100",
                "number of failures of a node within the window after which it is not used; 0 means no limit",
                f"{CLUSTER}test_the_circuit_breaker",
            ),
            works(
                "error_rate_window",
                "1",
                "length of the window, in tend intervals",
                f"{CONFIG}test_error_rate_window",
            ),
            works(
                "rack_aware",
                "False",
                "allow `POLICY_REPLICA_PREFER_RACK`",
                f"{CLUSTER}test_the_nearest_rack_is_read_from",
            ),
            works("rack_id", "0", "the rack to read from", f"{CLUSTER}test_the_nearest_rack_is_read_from"),
            works(
                "rack_ids",
                "none",
                "racks to read from, the nearest first; overrides `rack_id`",
                f"{CLUSTER}test_the_nearest_rack_is_read_from",
            ),
            works(
                "send_bool_as",
                "`AS_BOOL`",
                "how to write bools: as the server's bool type, or with `INTEGER` as 1 and 0",
                f"{CONFIG}test_send_bool_as",
            ),
            works(
                "strict_types",
                "`True`",
                "whether the client refuses values that cannot be appended, prepended or added; with `False` "
                "the server refuses them, or makes them the value of a missing bin",
                f"{CONFIG}test_strict_types",
            ),
            warned("shm", {}, "cluster state is not shared between processes"),
            warned("lua", {}, "no Lua runs in the client"),
            warned("thread_pool_size", 16, "there is no thread pool"),
            warned("max_threads", 16, "there is no thread pool"),
            warned("use_shared_connection", True, "each client has its own connections", harmless=False),
            warned("serialization", (), "there are no serializers"),
            warned("validate_keys", False, "keys are always validated", harmless=True),
            warned(
                "fail_if_not_connected",
                False,
                "connecting always fails if no host can be reached",
                harmless=True,
            ),
            warned("app_id", "shop", "it is not sent to the server"),
            warned("min_conns_per_node", 5, "connections are opened when they are needed", harmless=0),
            warned("config_provider", SimpleNamespace(interval=5000), "settings come from the config only"),
            refused(
                "compression_threshold",
                500,
                '"compress": True in a policy compresses requests of more than 128 bytes',
                harmless=0,
            ),
            refused(
                "force_single_node",
                True,
                "the client talks to the nodes that own the records",
                harmless=False,
            ),
        ),
    ),
    Table(
        "policies",
        "Policies",
        "The config's `policies`: default policies for each kind of command. A call's own policy overrides "
        "them.",
        "Policies",
        "client_config_policies",
        (
            works("read", "", "for `get`, `select`, `exists`", f"{EFFECTS}test_total_timeout"),
            works("write", "", "for `put`, `remove_bin`", f"{EFFECTS}test_total_timeout"),
            works("remove", "", "for `remove`", f"{EFFECTS}test_total_timeout"),
            works(
                "operate",
                "",
                "for `operate`, `operate_ordered`, `touch`, `append`, `prepend`, `increment`",
                f"{EFFECTS}test_total_timeout",
            ),
            works("batch", "", "for `batch_read`", f"{EFFECTS}test_total_timeout"),
            works(
                "batch_parent_write",
                "",
                "for `batch_write`, `batch_operate`, `batch_remove`, `batch_write_numpy` and "
                "`batch_write_arrow` as a whole",
                f"{EFFECTS}test_total_timeout",
            ),
            works("batch_write", "", "for rows of these batches that write", TOLD),
            works("batch_remove", "", "for rows of these batches that delete", TOLD),
            works("apply", "", "for `apply`", f"{FUNCTIONS}test_policies_of_functions_take_effect"),
            works(
                "batch_apply",
                "",
                "for rows of `batch_apply`, and each `Apply` of `batch_write`",
                f"{FUNCTIONS}test_policies_of_functions_take_effect",
            ),
            works("query", "", "for queries", f"{EFFECTS}test_total_timeout"),
            works("info", "", "for info commands and `truncate`", f"{EFFECTS}test_timeout_of_info"),
            works("admin", "", "for commands on users and roles", f"{EFFECTS}test_timeout_of_admin"),
            works("auth_mode", "", "as in the config", f"{CONFIG}test_auth_mode_in_either_place"),
            works(
                "login_timeout_ms", "", "as in the config", f"{CONFIG}test_login_timeout_ms_in_either_place"
            ),
            warned("thread_pool_size", 16, "there is no thread pool"),
            warned("max_threads", 16, "there is no thread pool"),
            *(
                never(name, 1, FOR_ALL)
                for name in (
                    "total_timeout",
                    "socket_timeout",
                    "max_retries",
                    "key",
                    "exists",
                    "replica",
                    "commit_level",
                    "read_mode_ap",
                )
            ),
            later(
                "scan",
                {**_LATER_COMMAND, "max_records": 9, "records_per_second": 9},
                "scans use the policy `query`",
            ),
            works(
                "txn_verify",
                "see Transactions",
                "for the batch with which `commit` verifies what a transaction has read; a batch policy",
                f"{TRANSACTIONS}test_what_has_changed_aborts",
            ),
            works(
                "txn_roll",
                "see Transactions",
                "for the rest of `commit`, and for `abort`; a batch policy",
                f"{TRANSACTIONS}test_a_lost_commit_is_in_doubt",
            ),
            later("metrics", _MetricsPolicy(), "a `MetricsPolicy`, not a dict: pass it to `enable_metrics`"),
        ),
    ),
    Table(
        "read",
        "Read policy",
        "For `get`, `select` and `exists`.",
        "ReadPolicy",
        "read_policy",
        (*common("1000", "2"), *reads(), SEND_KEY, DESERIALIZE, TRANSACTION, *COMMON_NOTHING),
    ),
    Table(
        "write",
        "Write policy",
        "For `put` and `remove_bin`.",
        "WritePolicy",
        "write_policy",
        (
            *common("1000", "0"),
            *WRITES,
            *CHANGES,
            LOCKING,
            refused(
                "compression_threshold",
                500,
                '"compress": True compresses requests of more than 128 bytes',
                harmless=0,
            ),
            TRANSACTION,
            *COMMON_NOTHING,
        ),
    ),
    Table(
        "remove",
        "Remove policy",
        "For `remove`. Only the generation in `meta` is used.",
        "RemovePolicy",
        "remove_policy",
        (
            *common("1000", "0"),
            *WRITES,
            works(
                "generation",
                "none",
                "generation that `gen` compares with if `meta` has none",
                f"{EFFECTS}test_the_generation_of_a_remove_policy",
            ),
            TRANSACTION,
            *COMMON_NOTHING,
        ),
    ),
    Table(
        "operate",
        "Operate policy",
        "For `operate`, `operate_ordered`, `touch`, `append`, `prepend` and `increment`. If all operations "
        "are reads, settings for writes are ignored.",
        "OperatePolicy",
        "operate_policy",
        (
            *common("1000", "0"),
            *WRITES,
            *CHANGES,
            *reads("for operations that read: "),
            DESERIALIZE,
            LOCKING,
            TRANSACTION,
            *COMMON_NOTHING,
        ),
    ),
    Table(
        "batch",
        "Batch policy",
        "For `batch_read`.",
        "BatchPolicy",
        "batch_policy",
        (
            *common("1000, plus 1000 per 100,000 keys", "2"),
            *reads(),
            *BATCHES,
        ),
    ),
    Table(
        "batch_parent_write",
        "Batch write policy",
        "For `batch_write`, `batch_operate`, `batch_remove`, `batch_write_numpy` and each block of "
        "`batch_write_arrow` as a whole. Only rows that were certainly not applied are retried. "
        "`batch_write_numpy` and `batch_write_arrow` take this policy and the policy of their rows in one "
        "dictionary.",
        "BatchPolicy",
        "batch_policy",
        (
            *common("1000, plus 1000 per 100,000 keys", "2"),
            *reads("for rows that read: "),
            *BATCHES,
        ),
    ),
    Table(
        "batch_write",
        "Policy for rows that write",
        "For each row of `batch_operate`, `batch_write_numpy` and `batch_write_arrow`, and for each `Write` "
        "of `batch_write` without a policy of its own.",
        "BatchWritePolicy",
        "batch_write_policy",
        (
            *WRITES,
            *CHANGES,
            works(
                "generation",
                "none",
                "generation that `gen` compares with if `meta` has none",
                f"{EFFECTS}test_the_generation_of_a_batch_remove_policy",
                ours=True,
            ),
            LOCKING,
            FILTER_OF_ROW,
        ),
    ),
    Table(
        "batch_remove",
        "Policy for rows that delete",
        "For each row of `batch_remove`, and for each `Remove` of `batch_write` without a policy of its own.",
        "BatchRemovePolicy",
        "batch_remove_policy",
        (
            *WRITES,
            works(
                "generation",
                "none",
                "generation that `gen` compares with",
                f"{EFFECTS}test_the_generation_of_a_batch_remove_policy",
            ),
            FILTER_OF_ROW,
        ),
    ),
    Table(
        "query",
        "Query policy",
        "For queries; passed when a query is run.",
        "QueryPolicy",
        "query_policy",
        (
            *common("0", "5"),
            works(
                "short_query",
                "False",
                "same as `expected_duration` set to `QUERY_DURATION_SHORT`",
                TOLD,
            ),
            works(
                "expected_duration",
                "`QUERY_DURATION_LONG`",
                "how the server executes the query: long, short, or long with relaxed reads for AP "
                "namespaces",
                TOLD,
            ),
            works(
                "max_concurrent_nodes",
                "0",
                "number of nodes to query at a time; 0 means all",
                "crates/aero-io/tests/query.rs::max_records_holds_and_pages_continue_exactly",
                ours=True,
            ),
            works(
                "partition_filter",
                "all",
                "partitions to read, and where to resume in them; only in a call, not in the config",
                "tests/integration/queries/test_results.py::test_partitions_are_chosen",
            ),
            warned("info_timeout", 100, "a query sends no info command first", ours=True),
            warned(
                "fail_on_cluster_change",
                True,
                "partitions that move are read from their new node",
                harmless=False,
                ours=True,
            ),
            DESERIALIZE,
            NO_TRANSACTION,
            *COMMON_NOTHING,
        ),
    ),
    Table(
        "info",
        "Info policy",
        "For `info_all`, `info_single_node`, `info_random_node` and `truncate`.",
        "InfoPolicy",
        "info_policy",
        (
            works("timeout", "1000", "limit per node, in ms", f"{EFFECTS}test_timeout_of_info"),
            warned("send_as_is", False, "info commands are always sent as they are", harmless=True),
            warned("check_bounds", False, "the size of an answer is always checked", harmless=True),
        ),
    ),
    Table(
        "admin",
        "Admin policy",
        "For the commands on users and roles, `admin_create_user` and so on.",
        "AdminPolicy",
        "admin_policy",
        (works("timeout", "1000", "limit for the command, in ms", f"{EFFECTS}test_timeout_of_admin"),),
    ),
    Table(
        "tls",
        "TLS",
        "The config's `tls`.",
        "TLSConfig",
        "client_config_tls",
        (
            works(
                "enable",
                "required",
                "encrypt connections",
                f"{TLS}test_settings_that_are_refused",
            ),
            works(
                "cafile",
                "the system's",
                "PEM file of trusted authorities",
                f"{TLS}test_an_unknown_issuer",
            ),
            works(
                "capath",
                "none",
                "directory of such files",
                f"{TLS}test_a_directory_of_authorities_and_cipher_suites",
            ),
            works("certfile", "none", "the client's certificate, for mutual TLS", f"{TLS}test_mutual_tls"),
            works("keyfile", "none", "its key, without a passphrase", f"{TLS}test_mutual_tls"),
            works(
                "protocols",
                "TLSv1.2 and TLSv1.3",
                "TLS versions, such as `-all +TLSv1.3`",
                f"{TLS}test_batches_and_single_commands_on_three_nodes",
                f"{TLS}test_settings_that_are_refused",
            ),
            works(
                "cipher_suite",
                "all secure ones",
                "cipher suite names, separated by `:`",
                f"{TLS}test_a_directory_of_authorities_and_cipher_suites",
                f"{TLS}test_settings_that_cannot_be_connected_with",
            ),
            works(
                "crl_check",
                "False",
                "refuse nodes whose certificate is on a revocation list in `cafile` or `capath`",
                "crates/aero-io/tests/tls.rs::revoked_certificates",
                f"{TLS}test_settings_that_cannot_be_connected_with",
            ),
            works(
                "crl_check_all",
                "False",
                "the same for every certificate in the chain",
                "crates/aero-io/tests/tls.rs::revoked_certificates",
                f"{TLS}test_settings_that_cannot_be_connected_with",
            ),
            warned("log_session_info", True, "sessions are not logged", harmless=False),
            never("keyfile_pw", "secret", "only unencrypted keys can be read"),
            never("cert_blacklist", "file", "to refuse revoked certificates, add a revocation list"),
            never("for_login_only", True, "it would encrypt the login but send records in clear text", False),
        ),
    ),
)
