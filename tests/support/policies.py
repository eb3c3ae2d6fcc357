"""Every key of the config and of the policies: its default, what it does, and the test that shows it.

scripts/policy_table.py writes docs/policies.md from this list, and tests/test_policies.py walks it: keys that
do something are in the types and shown by a test, those that do nothing are warned of or refused with their
reason, and none that the official client knows is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WORKS = "works"
WARNED = "warned"
REFUSED = "refused"


@dataclass(frozen=True)
class Key:
    """A line of a table.

    ``here`` has the tests that show what it does, ``path::test``. For keys that do nothing ``value`` is one
    that asks for something, and ``harmless`` one that asks for what is done anyway: it passes without a word.
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
    """A dictionary: where it stands, the type that it has, the official client's name for its keys."""

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


EFFECTS = "tests/test_policy_effects.py::"
CONFIG = "tests/test_config_effects.py::"
TOLD = f"{EFFECTS}test_what_a_node_is_told"
CLUSTER = "tests/test_cluster.py::"
TLS = "tests/test_tls.py::"
AUTH = "tests/test_auth.py::"
HOSTS = "tests/test_bad_hosts.py::"

COMMON_NOTHING = (
    warned("timeout_delay", 3000, "connections with late answers are closed, not kept", harmless=0),
    warned("error_detail_verbosity", 1, "error messages always have all details", harmless=0),
    warned("connect_timeout", 500, "set it in the client's config", harmless=0),
    refused("expressions", [1], "filter expressions are not implemented yet"),
    refused("txn", object(), "transactions are not implemented yet"),
)
COMMON_NOTHING_OF_ROWS = (refused("expressions", [1], "filter expressions are not implemented yet"),)
DESERIALIZE = warned("deserialize", False, "lists and maps are always read as Python objects", harmless=True)
LOCKING = refused("on_locking_only", True, "it is for transactions", harmless=False)


def common(timeout: str, retries: str) -> tuple[Key, ...]:
    return (
        works(
            "total_timeout",
            timeout,
            "the whole call, in ms; 0: no limit. The node is told what is left of it",
            f"{EFFECTS}test_total_timeout",
            f"{EFFECTS}test_a_node_is_told_the_time_that_is_left",
        ),
        works(
            "socket_timeout",
            "30000",
            "ms that a connection may make no progress for; then it is closed, and what is open is tried "
            "again",
            f"{EFFECTS}test_socket_timeout",
        ),
        works("max_retries", retries, "how often it is tried again", f"{EFFECTS}test_max_retries"),
        works(
            "sleep_between_retries",
            "0",
            "ms before it is tried again; not before the first retry where that goes to another node",
            f"{EFFECTS}test_sleep_between_retries",
        ),
        works(
            "replica",
            "`POLICY_REPLICA_SEQUENCE`",
            "the node that is asked: the master alone, any in turns, the master and then the others, or "
            "one of the "
            "nearest rack. A write that reaches another node than the master is passed on by it",
            f"{EFFECTS}test_replica",
            f"{CLUSTER}test_replicas",
            f"{CLUSTER}test_the_nearest_rack_is_read_from",
        ),
        works(
            "compress",
            "False",
            "requests of more than 128 bytes are sent compressed, and answers may be; for servers of the "
            "Enterprise "
            "Edition",
            f"{EFFECTS}test_compress",
            "tests/test_compression.py::test_answers_are_smaller_and_the_same",
        ),
    )


def reads(of: str = "") -> tuple[Key, ...]:
    return (
        works(
            "read_mode_ap",
            "`POLICY_READ_MODE_AP_ONE`",
            f"{of}replicas that an available namespace consults while partitions move",
            TOLD,
        ),
        works(
            "read_mode_sc",
            "`POLICY_READ_MODE_SC_SESSION`",
            f"{of}what a strongly consistent namespace may show; all but the relaxed modes ask masters alone",
            TOLD,
            f"{CLUSTER}test_strong_consistency",
        ),
        works(
            "read_touch_ttl_percent",
            "0",
            f"{of}a read within this last part of a record's life gives it a new one; 0 as the server is "
            "set, -1 never",
            TOLD,
        ),
        works(
            "hedge_delay",
            '`"adaptive"`',
            f"{of}when another node is asked as well: "
            'ms, `"adaptive"` or `"off"`; see [Hedging](failures.md#hedging)',
            f"{EFFECTS}test_hedge_delay",
            f"{CLUSTER}test_single_reads_are_hedged",
            ours=True,
        ),
    )


SEND_KEY = works(
    "key",
    "`POLICY_KEY_DIGEST`",
    "`POLICY_KEY_SEND` sends the primary key beside its digest: a write stores it, others compare it "
    "with what "
    "is stored",
    TOLD,
)
WRITES = (
    SEND_KEY,
    works(
        "gen",
        "`POLICY_GEN_IGNORE`",
        "compares the record's generation with that of `meta`: `POLICY_GEN_EQ`, `POLICY_GEN_GT`",
        TOLD,
        "tests/integration/test_commands.py::test_policies_by_generation",
    ),
    works(
        "commit_level",
        "`POLICY_COMMIT_LEVEL_ALL`",
        "`POLICY_COMMIT_LEVEL_MASTER`: the answer does not wait for the replicas",
        TOLD,
    ),
    works(
        "durable_delete",
        "False",
        "a deletion leaves a tombstone; for servers of the Enterprise Edition",
        TOLD,
    ),
)
CHANGES = (
    works(
        "exists",
        "`POLICY_EXISTS_IGNORE`",
        "whether it applies, by the record's existence",
        TOLD,
        "tests/integration/test_commands.py::test_policies_by_existence",
    ),
    works(
        "ttl",
        "0",
        "seconds to live where `meta` names none, or one of the `TTL_*` constants; 0 is the namespace's "
        "default",
        TOLD,
        "tests/integration/test_commands.py::test_time_to_live",
    ),
)

BATCH_FLAGS = (
    works(
        "allow_inline",
        "True",
        "the server may read records in memory on the thread that received the request",
        f"{EFFECTS}test_flags_of_batches_that_are_on",
    ),
    works("allow_inline_ssd", "False", "the same for records on SSD", TOLD),
    works(
        "respond_all_keys",
        "True",
        "the server goes on after a row that fails",
        f"{EFFECTS}test_flags_of_batches_that_are_on",
    ),
)

FOR_ALL = "it cannot be set for all commands at once"
NO_COMMAND = "its commands are not implemented yet"

TABLES = (
    Table(
        "config",
        "The config",
        "What `client(config)` and `AsyncClient(config)` take.",
        "ClientConfig",
        "client_config",
        (
            works(
                "hosts",
                "required",
                "`(host, port)` or `(host, port, tls_name)` each; every address of every one is tried",
                f"{HOSTS}test_a_good_host_behind_bad_ones",
            ),
            works("user", "none", "who logs in", f"{AUTH}test_who_logged_in_reads_and_writes"),
            works(
                "password", "none", "is hashed once, and shown nowhere", f"{AUTH}test_nothing_secret_is_shown"
            ),
            works(
                "auth_mode",
                "`AUTH_INTERNAL`",
                "how; also taken in `policies`, where the official client has it",
                f"{CONFIG}test_auth_mode_in_either_place",
                f"{AUTH}test_external_users_bring_their_password",
                ours=True,
            ),
            works(
                "login_timeout_ms",
                "5000",
                "a node's answer to a login; also taken in `policies`",
                f"{CONFIG}test_login_timeout_ms_in_either_place",
                ours=True,
            ),
            works("tls", "off", "see [TLS](#tls)", f"{TLS}test_mutual_tls"),
            works(
                "policies",
                "none",
                "the policies of calls that bring none; see [below](#policies)",
                "tests/integration/test_commands.py::test_default_policies_of_the_config",
            ),
            works(
                "cluster_name",
                "any",
                "nodes of a cluster of another name are refused; with TLS, the name in certificates",
                f"{HOSTS}test_another_cluster",
                f"{TLS}test_the_clusters_name_stands_for_missing_ones",
            ),
            works(
                "use_services_alternate",
                "False",
                "nodes are reached at their alternate addresses",
                f"{CLUSTER}test_alternate_addresses",
            ),
            works(
                "connect_timeout",
                "1000",
                "ms to open a connection, and for each look at a node",
                f"{HOSTS}test_a_port_that_accepts_and_says_nothing",
            ),
            works("tend_interval", "1000", "ms between two looks at a node", f"{CONFIG}test_tend_interval"),
            works(
                "max_conns_per_node",
                "100",
                "connections that commands may have open to a node; more of them wait",
                f"{CLUSTER}test_a_saturated_client_says_so",
            ),
            works(
                "max_socket_idle",
                "55",
                "seconds after which an idle connection is closed; 0: never",
                f"{CONFIG}test_max_socket_idle",
            ),
            works(
                "max_error_rate",
                "100",
                "failures of a node within the window after which it is not asked; 0: no limit",
                f"{CLUSTER}test_the_circuit_breaker",
            ),
            works(
                "error_rate_window",
                "1",
                "the window, in tend intervals",
                f"{CONFIG}test_error_rate_window",
            ),
            works(
                "rack_aware",
                "False",
                "`POLICY_REPLICA_PREFER_RACK` may be used",
                f"{CLUSTER}test_the_nearest_rack_is_read_from",
            ),
            works("rack_id", "0", "the rack to read from", f"{CLUSTER}test_the_nearest_rack_is_read_from"),
            works(
                "rack_ids",
                "none",
                "several, the nearest first; before `rack_id`",
                f"{CLUSTER}test_the_nearest_rack_is_read_from",
            ),
            works(
                "send_bool_as",
                "`AS_BOOL`",
                "what bools are written as: the server's own type, or with `INTEGER` 1 and 0",
                f"{CONFIG}test_send_bool_as",
            ),
            warned("shm", {}, "cluster state is not shared between processes"),
            warned("lua", {}, "no Lua runs in the client"),
            warned("thread_pool_size", 16, "there is no thread pool"),
            warned("max_threads", 16, "there is no thread pool"),
            warned("use_shared_connection", True, "each client has its own connections", harmless=False),
            warned("serialization", (), "there are no serializers"),
            warned("strict_types", False, "types are always strict", harmless=True),
            warned("validate_keys", False, "keys are always validated", harmless=True),
            warned(
                "fail_if_not_connected",
                False,
                "connecting always fails if no host can be reached",
                harmless=True,
            ),
            warned("app_id", "shop", "it is not sent to the server"),
            warned("min_conns_per_node", 5, "connections are opened when they are needed", harmless=0),
            warned("config_provider", object(), "settings come from the config only"),
            refused("compression_threshold", 500, '"compress": True in a policy', harmless=0),
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
        "The config's `policies`: a policy for each kind of command, for calls that bring none of their "
        "own, and "
        "under those of calls that do.",
        "Policies",
        "client_config_policies",
        (
            works("read", "", "of `get`, `select`, `exists`", f"{EFFECTS}test_total_timeout"),
            works("write", "", "of `put`, `remove_bin`", f"{EFFECTS}test_total_timeout"),
            works("remove", "", "of `remove`", f"{EFFECTS}test_total_timeout"),
            works(
                "operate",
                "",
                "of `operate`, `operate_ordered`, `touch`, `append`, `prepend`, `increment`",
                f"{EFFECTS}test_total_timeout",
            ),
            works("batch", "", "of `batch_read`", f"{EFFECTS}test_total_timeout"),
            works(
                "batch_parent_write",
                "",
                "of `batch_write`, `batch_operate`, `batch_remove` and `batch_write_numpy`, as wholes",
                f"{EFFECTS}test_total_timeout",
            ),
            works("batch_write", "", "of their rows that write", TOLD),
            works("batch_remove", "", "of their rows that delete", TOLD),
            works("query", "", "of queries", f"{EFFECTS}test_total_timeout"),
            works("info", "", "of info commands and `truncate`", f"{EFFECTS}test_timeout_of_info"),
            works("auth_mode", "", "as in the config", f"{CONFIG}test_auth_mode_in_either_place"),
            works(
                "login_timeout_ms", "", "as in the config", f"{CONFIG}test_login_timeout_ms_in_either_place"
            ),
            warned("thread_pool_size", 16, "there is no thread pool"),
            warned("max_threads", 16, "there is no thread pool"),
            *(
                refused(name, 1, FOR_ALL)
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
            *(
                refused(name, {}, NO_COMMAND)
                for name in (
                    "apply",
                    "scan",
                    "batch_apply",
                    "admin",
                    "txn_verify",
                    "txn_roll",
                    "metrics",
                )
            ),
        ),
    ),
    Table(
        "read",
        "Read policy",
        "Of `get`, `select` and `exists`.",
        "ReadPolicy",
        "read_policy",
        (*common("1000", "2"), *reads(), SEND_KEY, DESERIALIZE, *COMMON_NOTHING),
    ),
    Table(
        "write",
        "Write policy",
        "Of `put` and `remove_bin`.",
        "WritePolicy",
        "write_policy",
        (
            *common("1000", "0"),
            *WRITES,
            *CHANGES,
            LOCKING,
            refused("compression_threshold", 500, '"compress": True compresses', harmless=0),
            *COMMON_NOTHING,
        ),
    ),
    Table(
        "remove",
        "Remove policy",
        "Of `remove`. Of `meta` only the generation matters.",
        "RemovePolicy",
        "remove_policy",
        (
            *common("1000", "0"),
            *WRITES,
            works(
                "generation",
                "none",
                "what `gen` compares with where `meta` names none",
                f"{EFFECTS}test_the_generation_of_a_remove_policy",
            ),
            *COMMON_NOTHING,
        ),
    ),
    Table(
        "operate",
        "Operate policy",
        "Of `operate`, `operate_ordered`, `touch`, `append`, `prepend` and `increment`. Where all "
        "operations read, "
        "what is about writes is left out.",
        "OperatePolicy",
        "operate_policy",
        (
            *common("1000", "0"),
            *WRITES,
            *CHANGES,
            *reads("for operations that read: "),
            DESERIALIZE,
            LOCKING,
            *COMMON_NOTHING,
        ),
    ),
    Table(
        "batch",
        "Batch policy",
        "Of `batch_read`.",
        "BatchPolicy",
        "batch_policy",
        (
            *common("1000, and 1000 more for every 100,000 keys", "2"),
            *reads(),
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
            *COMMON_NOTHING,
        ),
    ),
    Table(
        "batch_parent_write",
        "Policy of batches that write",
        "Of `batch_write`, `batch_operate`, `batch_remove` and `batch_write_numpy`: of the batch as a whole. "
        "Only rows that were certainly not applied are tried again. `batch_write_numpy` takes it and the "
        "rows' policy in one dictionary.",
        "BatchPolicy",
        "batch_policy",
        (
            *common("1000, and 1000 more for every 100,000 keys", "2"),
            *reads("for rows that read: "),
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
            *COMMON_NOTHING,
        ),
    ),
    Table(
        "batch_write",
        "Policy of rows that write",
        "Of each row of `batch_operate` and `batch_write_numpy`, and of each `Write` of `batch_write` that "
        "brings none.",
        "BatchWritePolicy",
        "batch_write_policy",
        (
            *WRITES,
            *CHANGES,
            works(
                "generation",
                "none",
                "what `gen` compares with where `meta` names none",
                f"{EFFECTS}test_the_generation_of_a_batch_remove_policy",
                ours=True,
            ),
            LOCKING,
            *COMMON_NOTHING_OF_ROWS,
        ),
    ),
    Table(
        "batch_remove",
        "Policy of rows that delete",
        "Of each row of `batch_remove`, and of each `Remove` of `batch_write` that brings none.",
        "BatchRemovePolicy",
        "batch_remove_policy",
        (
            *WRITES,
            works(
                "generation",
                "none",
                "what `gen` compares with",
                f"{EFFECTS}test_the_generation_of_a_batch_remove_policy",
            ),
            *COMMON_NOTHING_OF_ROWS,
        ),
    ),
    Table(
        "query",
        "Query policy",
        "Of `query(...)`, given where it is run.",
        "QueryPolicy",
        "query_policy",
        (
            *common("0", "5"),
            works(
                "short_query",
                "False",
                "`expected_duration` is `QUERY_DURATION_SHORT`",
                TOLD,
            ),
            works(
                "expected_duration",
                "`QUERY_DURATION_LONG`",
                "how the server goes about it: long, short, or long and relaxed for available namespaces",
                TOLD,
            ),
            works(
                "max_concurrent_nodes",
                "0",
                "nodes that are asked at a time; 0: all",
                "crates/aero-io/tests/query.rs::no_more_come_than_asked_for_and_pages_join_without_a_seam",
                ours=True,
            ),
            works(
                "partition_filter",
                "all",
                "the partitions to read, and where to go on in them; of a call only",
                "tests/integration/test_query.py::test_partitions_are_chosen",
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
            *COMMON_NOTHING,
        ),
    ),
    Table(
        "info",
        "Info policy",
        "Of `info_all`, `info_single_node`, `info_random_node` and `truncate`.",
        "InfoPolicy",
        "info_policy",
        (
            works("timeout", "1000", "ms for each node that is asked", f"{EFFECTS}test_timeout_of_info"),
            warned("send_as_is", False, "info commands are always sent as they are", harmless=True),
            warned("check_bounds", False, "the size of an answer is always checked", harmless=True),
        ),
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
                "whether connections are encrypted",
                f"{TLS}test_settings_that_are_refused",
            ),
            works(
                "cafile",
                "the system's",
                "PEM file of the authorities that are trusted",
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
                "versions, as in `-all +TLSv1.3`",
                f"{TLS}test_batches_and_single_commands_on_three_nodes",
                f"{TLS}test_settings_that_are_refused",
            ),
            works(
                "cipher_suite",
                "all that are safe",
                "names of suites, `:` between them",
                f"{TLS}test_a_directory_of_authorities_and_cipher_suites",
                f"{TLS}test_settings_that_cannot_be_connected_with",
            ),
            works(
                "crl_check",
                "False",
                "refuse nodes whose certificate a revocation list in `cafile` or `capath` has",
                "crates/aero-io/tests/tls.rs::revoked_certificates",
                f"{TLS}test_settings_that_cannot_be_connected_with",
            ),
            works(
                "crl_check_all",
                "False",
                "the same for all certificates of the chain",
                "crates/aero-io/tests/tls.rs::revoked_certificates",
                f"{TLS}test_settings_that_cannot_be_connected_with",
            ),
            warned("log_session_info", True, "sessions are not logged", harmless=False),
            refused("keyfile_pw", "secret", "only unencrypted keys can be read"),
            refused("cert_blacklist", "file", "to refuse revoked certificates, add a revocation list"),
            refused(
                "for_login_only", True, "it would encrypt the login but send records in clear text", False
            ),
        ),
    ),
)
