"""The features of this client, compared with the official client and aerospike-py 0.14.4.

scripts/feature_table.py writes docs/features.md from this list, and tests/docs/test_features.py checks it:
listed features must exist, and features that are not supported yet must raise an error that says so.
"""

from __future__ import annotations

from dataclasses import dataclass

HAVE = "have"
BETTER = "better"
NOT_YET = "not yet"

YES = "yes"
NO = "no"


@dataclass(frozen=True)
class Feature:
    """A row of the table.

    ``here`` lists the evidence: ``Client.x`` (a method of both clients), ``aerospike_py.x`` (a name in the
    package), ``config:x`` (a key of the config), ``policy:x`` (a key of a policy) or ``path::test`` (a test).
    For a feature that is not supported yet, these must raise an error that says so.
    """

    name: str
    ours: str
    note: str
    official: str
    peer: str
    here: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """A section of the page."""

    title: str
    features: tuple[Feature, ...]


def have(name: str, *here: str, note: str = "", official: str = YES, peer: str = YES) -> Feature:
    return Feature(name, HAVE, note, official, peer, here)


def better(name: str, why: str, *here: str, official: str = YES, peer: str = YES) -> Feature:
    return Feature(name, BETTER, why, official, peer, here)


def not_yet(name: str, why: str, *here: str, official: str = YES, peer: str = YES) -> Feature:
    return Feature(name, NOT_YET, why, official, peer, here)


def commands(*names: str) -> tuple[str, ...]:
    return tuple(f"Client.{name}" for name in names)


BATCH = "tests/integration/test_batch_read.py::"
CLUSTER = "tests/cluster/test_reads.py::"
CONFIG = "tests/config/test_config_effects.py::"

# Of those that the installed official client has; a test counts them.
HELPERS = "392 of 392"

GROUPS = (
    Group(
        "Arrays",
        (
            better(
                "batch read into a structured array",
                "values go from the socket into the array's memory",
                "Client.batch_read",
                "tests/integration/test_guide.py::test_quick_start",
                official=NO,
                peer="yes, through Python records",
            ),
            better(
                "all element kinds, byte orders and offsets; sub-arrays from blobs and lists",
                "tested against NumPy value by value",
                "tests/integration/test_numpy_oracle.py::test_every_cell_is_what_numpy_makes_of_the_value",
                official=NO,
                peer="in part",
            ),
            better(
                "maps and lists into fields",
                "nested dtypes to any depth up to 16; `paths=` to values inside bins; decoded in place",
                "tests/integration/test_nested_oracle.py::test_every_leaf_is_what_numpy_makes_of_the_value",
                "tests/integration/test_nested_oracle.py::test_paths_find_what_indexing_finds",
                official=NO,
                peer=NO,
            ),
            better(
                "several sets in one read, a dtype for each",
                "one call and deadline; each result is as if its set was read alone",
                "tests/integration/test_batch_read_sets.py::test_each_set_is_as_if_it_was_read_alone",
                official=NO,
                peer=NO,
            ),
            better(
                "features of several sets into one matrix",
                "straight from the socket, with a fill value; into page-locked memory; also as Arrow",
                "Client.read_matrix",
                "aerospike_py.FeatureMatrix",
                "tests/integration/test_read_matrix.py::test_any_groups_against_a_model",
                official=NO,
                peer=NO,
            ),
            better(
                "batches and queries into Arrow columns",
                "text and lists of any length, structs, maps, nulls; pyarrow, polars, pandas and DuckDB take "
                "the result as it is",
                "Client.batch_read_arrow",
                "aerospike_py.ArrowRecords",
                "tests/arrow/test_types.py::test_values_come_back",
                "tests/arrow/test_queries.py::test_all_records_are_rows",
                official=NO,
                peer=NO,
            ),
            better(
                "sets in splits for workers, with adapters of Dask, Ray, Spark, Daft, Polars and DuckDB",
                "Arrow batches; columns and filters reach the cluster where the engine tells them",
                "aerospike_py.splits",
                "tests/splits/test_splits.py::test_each_record_is_read_once",
                "tests/splits/test_polars.py::test_a_filter_changes_nothing_but_what_travels",
                "tests/engines/test_dask.py::test_sums",
                "tests/engines/test_ray.py::test_sums_and_columns",
                "tests/engines/test_spark.py::test_sums_and_columns",
                official="Spark by a connector with a licence",
                peer=NO,
            ),
            better(
                "an online store for Feast, and its features as a matrix",
                "the records and the configuration of Feast's own Aerospike store; one round trip for all "
                "views; asynchronous without threads; types that Feast's store cannot write; protobuf only "
                "on demand",
                "tests/feast/test_interchange.py::test_numbers",
                "tests/feast/test_values.py::test_typed_values",
                "tests/feast/test_values.py::test_asynchronous_calls_use_no_threads",
                "tests/feast/test_matrix.py::test_keys_of_every_kind",
                official="in Feast: a round trip for each view, in a thread pool",
                peer=NO,
            ),
            better(
                "distinguishes missing bins from stored zeros",
                "`present`, `masked`",
                f"{BATCH}test_masked_and_present",
                official=NO,
                peer=NO,
            ),
            better(
                "values that do not fit are counted or refused individually",
                "`inexact`, `casting`, `errors`, masks of the rows",
                "tests/results/test_numpy_manners.py::test_masks_tell_all_rows_that_changed_or_failed",
                f"{BATCH}test_a_value_of_the_wrong_type_costs_one_cell",
                f"{BATCH}test_same_value_refuses_every_change",
                official=NO,
                peer="one such value fails the batch",
            ),
            better(
                "a field that no record has is reported",
                "`MissingFieldWarning`",
                "tests/results/test_warnings.py::test_a_field_that_no_record_has_is_named",
                official=NO,
                peer=NO,
            ),
            better(
                "keys from an array, without a Python object per key",
                "",
                "aerospike_py.Keys",
                f"{BATCH}test_keys_objects",
                official=NO,
                peer=NO,
            ),
            better(
                "batch write from a structured array",
                "any strides and byte order, presence and masks, a result code per row",
                "Client.batch_write_numpy",
                "tests/integration/test_batch_write_numpy.py::test_a_round_trip_gives_the_same_array",
                official=NO,
                peer="native byte order; no presence",
            ),
            better(
                "batch write from Arrow: frames of pandas and polars, tables, DuckDB queries, streams",
                "text, lists, maps, times and nulls; a result code per row",
                "Client.batch_write_arrow",
                "tests/integration/test_batch_write_arrow.py::test_each_value_becomes_the_bin_that_it_is",
                official=NO,
                peer=NO,
            ),
            better("`out=`", "", f"{BATCH}test_out_with_a_stride", official=NO, peer=NO),
            better(
                "`to_pandas`",
                "nullable dtypes for columns with missing values",
                "tests/integration/test_pandas.py::test_values_and_types",
                official=NO,
                peer=NO,
            ),
            better(
                "a million keys in one call",
                "bounded memory; Ctrl-C at any time",
                "tests/results/test_large_batches.py::test_a_million_keys_in_bounded_memory",
                official="memory grows with the batch",
                peer="memory grows with the batch",
            ),
            better(
                "distinguishes equal primary keys in several sets",
                "",
                f"{BATCH}test_sets_and_namespaces_mixed",
                peer="`_map` keeps the last",
            ),
        ),
    ),
    Group(
        "Commands",
        (
            have("put, get, exists, remove", *commands("put", "get", "exists", "remove")),
            have(
                "select, touch, append, prepend, increment, remove_bin",
                *commands("select", "touch", "append", "prepend", "increment", "remove_bin"),
            ),
            have(
                "several scalar operations in one command",
                *commands("operate", "operate_ordered"),
                "aerospike_py.operations",
            ),
            better(
                "non-idempotent writes are never sent twice",
                "they fail with `in_doubt` instead",
                *commands("increment", "append"),
                "tests/cluster/test_in_doubt.py::test_increments_are_applied_once",
                official="sent again if `max_retries` allows it",
                peer="not tried",
            ),
            have("truncate", "Client.truncate"),
            have(
                "info commands",
                *commands("info_all", "info_single_node", "info_random_node"),
                peer="all nodes, a random node",
            ),
            have(
                "batch read into Python records", "Client.batch_read", f"{BATCH}test_records_without_a_dtype"
            ),
            have(
                "batches of operations, of deletions, and with different operations per row",
                *commands("batch_operate", "batch_remove", "batch_write"),
                "tests/integration/test_batch_operate.py::test_each_row_says_what_it_does",
            ),
            better(
                "batch rows that may have been applied are never sent again",
                "they fail with `in_doubt`; rows that were certainly not applied are retried",
                "tests/cluster/test_batch_writes.py::test_an_increment_is_never_sent_twice",
                official="sent again if `max_retries` allows it",
                peer="not tried",
            ),
            better(
                "queries over the primary index",
                "iterators with back-pressure, bounded memory; exactly `max_records`",
                "Client.query",
                "aerospike_py.Query",
                "aerospike_py.AsyncQuery",
                "tests/integration/queries/test_faults.py::test_memory_is_bounded_however_large_the_set_is",
                "tests/integration/queries/test_results.py::test_pages",
                official="a callback or a list; about `max_records`",
                peer="not tried",
            ),
            better(
                "queries into NumPy arrays",
                "in one array or in blocks; each record is a row, also without any of the bins",
                "aerospike_py.NumpyQueryRecords",
                "aerospike_py.NumpyBatches",
                "aerospike_py.AsyncNumpyBatches",
                "tests/integration/queries/test_arrays.py::test_every_record_is_a_row_with_the_values_of_results",
                "tests/integration/queries/test_array_faults.py::test_the_gil_is_free_while_records_are_read",
                "tests/results/test_large_queries.py::test_all_in_one_array",
                "tests/results/test_large_queries.py::test_in_blocks",
                official=NO,
                peer="not tried",
            ),
            better(
                "a query that stops and continues loses no record",
                "also after Ctrl-C, cancellation or an exception",
                "tests/integration/queries/test_resuming.py::test_the_record_at_which_a_query_stops_comes_again",
                "tests/integration/queries/test_resuming.py::test_ctrl_c_loses_no_record",
                official="yes, in `foreach`",
                peer="not tried",
            ),
            have(
                "queries survive failures",
                "tests/integration/queries/test_faults.py::test_a_node_that_dies_costs_no_record",
                note="only missing records are requested again",
                peer="not tried",
            ),
            better(
                "operations on lists, maps, bits, HyperLogLogs and strings",
                "the official helpers' names, bytes and dicts; wrong ones are refused before they are sent",
                "tests/compat/test_helper_modules.py::test_names_and_parameters_are_the_official_ones",
                "tests/compat/test_interop_operations.py::"
                "test_operations_are_encoded_as_by_the_official_client",
                "tests/integration/test_operation_arguments.py::test_wrong_arguments_are_refused_and_named",
                peer="in part",
            ),
            have(
                "functions and classes of the official helper modules",
                "tests/compat/test_helper_modules.py::test_the_number_of_helpers_is_documented",
                note=HELPERS,
                peer="in part",
            ),
            better(
                "filter expressions",
                "on every command, batch, row and query; as objects, compiled or base64",
                "tests/integration/test_filters.py::test_every_command_has_a_filter",
                "tests/integration/test_filters.py::test_filtered_rows_of_batches",
                "tests/integration/test_filters.py::test_queries_are_filtered",
                "tests/compat/test_interop_operations.py::test_generated_expressions",
                official="compiled; base64 in info commands only",
            ),
            better(
                "results of operations as columns of an array",
                "`batch_operate(..., _dtype=, fields=)`",
                "tests/integration/test_operations_into_arrays.py::test_results_become_columns",
                official=NO,
                peer=NO,
            ),
            better(
                "queries with predicates, secondary indexes",
                "also into arrays and Arrow columns; each record once; a missing index is named",
                "Client.index_single_value_create",
                "Client.index_list_create",
                "Client.index_expr_create",
                "Client.index_remove",
                "Client.index_wait_till_complete",
                "aerospike_py.predicates",
                "tests/integration/queries/test_indexes.py::test_values_of_bins",
                "tests/integration/queries/test_indexes.py::test_values_of_lists_and_maps",
                "tests/integration/queries/test_indexes.py::test_predicates_equal_a_filter_in_python",
                "tests/compat/test_interop_indexes.py::test_queries_are_the_same_requests",
                official="records only; a range over a list may return a record repeatedly",
            ),
            better(
                "background queries",
                "sent to each node once, and the node is asked if an answer is missing",
                "Client.job_info",
                "tests/integration/queries/test_indexes.py::test_background_queries_change_each_record_once",
                "tests/compat/test_interop_indexes.py::test_background_queries_are_the_same_requests",
                peer=NO,
            ),
            have(
                "user-defined functions on records",
                "tests/integration/test_functions.py::test_functions_run_on_one_record_and_on_many",
                "tests/integration/test_functions.py::test_functions_run_in_the_background",
                peer=NO,
            ),
            have(
                "users and roles",
                *commands("admin_create_user", "admin_drop_user", "admin_create_role"),
                "tests/integration/test_admin.py::test_users_come_and_go",
                "tests/integration/test_admin.py::test_the_official_client_reads_the_same",
                note="not tested against an Enterprise server",
            ),
            have(
                "transactions",
                *commands("commit", "abort"),
                "tests/integration/test_transactions.py::test_commit_and_abort",
                "tests/compat/test_interop_transactions.py::test_commit",
                note="Enterprise Edition only; not verified against such a server",
                peer=NO,
            ),
        ),
    ),
    Group(
        "Values and keys",
        (
            have(
                "integer, float, bool, string, blob, list, map",
                "tests/compat/test_interop_values.py::test_what_one_writes_the_other_reads",
            ),
            better(
                "map keys that the server does not keep",
                "an error",
                "tests/compat/test_interop_errors.py::test_maps_that_the_server_does_not_keep",
                official="the pair is silently dropped",
                peer="not tried",
            ),
            have(
                "GeoJSON, key-ordered maps",
                "aerospike_py.GeoJSON",
                "aerospike_py.KeyOrderedDict",
                "tests/compat/test_interop_values.py::test_get_then_put_keeps_the_order_of_maps",
                peer="in part",
            ),
            better(
                "maps that a dict cannot hold (keys 1 and 1.0)",
                "an error of their row",
                "tests/compat/test_interop_values.py::test_maps_whose_keys_are_equal_in_python_cost_their_own_row",
                official="in a batch, rows after it are lost",
                peer="not tried",
            ),
            have(
                "bools as integers (`send_bool_as`)",
                f"{CONFIG}test_send_bool_as_is_the_official_clients",
                peer=NO,
            ),
            have(
                "HyperLogLog sketches as values",
                "aerospike_py.HyperLogLog",
                "tests/compat/test_interop_values.py::test_sketches",
            ),
            better(
                "NumPy scalars as values, as keys and in policies",
                "",
                "tests/integration/test_commands.py::test_numpy_scalars",
                "tests/integration/test_corners.py::test_numpy_scalars_in_policies",
                official=NO,
                peer="in part",
            ),
            better(
                "`bytes` keys",
                "stored completely",
                "tests/compat/test_interop_digests.py::test_bytes_keys",
                official="cut at the first NUL",
            ),
            have("keys by digest", "aerospike_py.calc_digest", f"{BATCH}test_keys_of_every_kind"),
            better(
                "a value that Python cannot represent affects only its own row; in queries, only its record",
                "",
                "tests/compat/test_interop_values.py::test_values_that_python_cannot_hold_cost_their_own_row",
                "tests/integration/queries/test_faults.py::test_a_value_that_python_cannot_hold_costs_its_own_record",
                official="fails the rest of the batch",
                peer="fails the batch",
            ),
        ),
    ),
    Group(
        "Policies and errors",
        (
            better(
                "unknown policy and config keys are refused; the error names the closest known key",
                "type checkers find them, too; [every key](policies.md) has a test or a reason for absence",
                "tests/config/test_policies.py::test_a_misspelt_key_gets_a_suggestion",
                "aerospike_py.types",
                f"{BATCH}test_policies_that_are_refused",
                "tests/config/test_config.py::test_configs_that_are_refused",
                official="optional (`validate_keys`), without the closest key",
                peer="ignored",
            ),
            have(
                "existence and generation checks, time to live, stored keys",
                "tests/integration/test_commands.py::test_policies_by_existence",
                "tests/integration/test_commands.py::test_policies_by_generation",
                "tests/integration/test_commands.py::test_time_to_live",
            ),
            have(
                "default policies in the config",
                "tests/integration/test_commands.py::test_default_policies_of_the_config",
                peer="in part",
            ),
            better(
                "the official client's exception classes and codes",
                "builtin `TimeoutError` and `ValueError`, too; picklable; messages say what failed and where",
                "tests/compat/test_interop_errors.py::test_errors_have_the_same_codes",
                "tests/config/test_config.py::test_exceptions_pickle",
                "tests/results/test_errors.py::test_errors_name_the_record_and_the_bin",
                peer="its own names and hierarchy",
            ),
            better(
                "each batch row has its own result code; answered rows are kept",
                "a warning names the causes of failed rows; `raise_for_failures()`",
                "tests/results/test_partial_failures.py::test_a_partial_read_warns_once_of_its_causes",
                f"{CLUSTER}test_a_persistent_code_is_reported_per_row",
                "tests/integration/test_batch_read.py::test_a_namespace_that_is_not_there_spoils_no_other_row",
                official="a node's error applies to all its rows",
                peer="a node's error may fail the batch",
            ),
            have(
                "compressed frames",
                "tests/connection/test_compression.py::test_answers_are_smaller_and_the_same",
                note="requires an Enterprise Edition server",
                peer=NO,
            ),
            not_yet(
                "configurable compression threshold",
                "frames of more than 128 bytes are compressed",
                "config:compression_threshold",
            ),
            not_yet("forcing a single node (`force_single_node`)", "", "config:force_single_node", peer=NO),
        ),
    ),
    Group(
        "Cluster and network",
        (
            better(
                "nodes that hang",
                "requests are hedged after a short delay; later calls avoid the node",
                f"{CLUSTER}test_a_hung_node_costs_one_hedge_delay",
                f"{CLUSTER}test_single_reads_are_hedged",
                official="costs a socket timeout per call",
                peer="costs a timeout per call",
            ),
            better(
                "only rows without an answer are retried",
                "",
                f"{CLUSTER}test_a_fault_costs_no_row",
                official="answered rows too",
                peer="answered rows too",
            ),
            have(
                "nodes joining and leaving, partitions moving",
                f"{CLUSTER}test_nodes_that_are_killed_and_come_back_cost_no_row",
                f"{CLUSTER}test_moved_partitions_are_followed",
            ),
            have("racks", f"{CLUSTER}test_the_nearest_rack_is_read_from"),
            have("circuit breaker", f"{CLUSTER}test_the_circuit_breaker", peer=NO),
            have("TLS, mutual TLS", "tests/connection/test_tls.py::test_mutual_tls", peer=NO),
            have(
                "passwords, external users, PKI",
                "tests/connection/test_auth.py::test_a_user_who_logged_in_reads_and_writes",
                "tests/connection/test_tls.py::test_mutual_tls",
                note="not tested against a real server yet",
                peer="passwords",
            ),
            have("state of nodes and connections", "Client.stats", peer="Prometheus metrics"),
            better(
                "log of cluster events",
                "Python's `logging`; messages are formatted only when a handler wants them",
                "tests/cluster/test_logging.py::test_nodes_that_join_hang_answer_and_leave",
                official="its own log handler",
            ),
            better(
                "metrics and traces",
                "by command, namespace and outcome; Prometheus text, OpenTelemetry, listeners",
                "Client.metrics",
                "aerospike_py.prometheus_text",
                "tests/integration/test_traces.py::test_each_call_is_a_span",
                official="listeners and files",
                peer="Prometheus metrics",
            ),
        ),
    ),
    Group(
        "Sync, async and processes",
        (
            better(
                "asyncio",
                "native coroutines, immediate cancellation, no thread pool; one wake-up for many answers",
                "aerospike_py.AsyncClient",
                "tests/processes/test_async.py::test_a_cancelled_call_ends_at_once_and_writes_no_more",
                official=NO,
            ),
            better(
                "Ctrl-C ends a waiting call at once",
                "",
                "tests/processes/test_exit.py::test_ctrl_c_stops_a_waiting_call_at_once",
                official=NO,
                peer=NO,
            ),
            better(
                "`fork`",
                "calls on the parent's client raise in the child and have no side effects",
                "tests/processes/test_fork.py::test_a_client_of_the_parent_raises_in_the_child",
                official="undefined",
                peer="undefined",
            ),
            have(
                "many threads",
                "tests/processes/test_threads.py::test_twenty_threads_mix_everything_until_one_closes",
            ),
            better(
                "types",
                "stubs that are checked against the extension, `py.typed`",
                "tests/tools/test_package.py::test_it_is_typed",
                official="stubs",
            ),
        ),
    ),
    Group(
        "Testing your code",
        (
            better(
                "test server",
                "a node or a cluster in a separate process, with fault injection and an adjustable clock",
                "aerospike_py.testing",
                "tests/compat/test_devserver.py::test_faults",
                official=NO,
                peer=NO,
            ),
            better(
                "pytest fixtures",
                "clients, a set per test, faults that are undone; no server to set up",
                "tests/tools/test_pytest_plugin.py::test_fixtures_come_with_the_package",
                official=NO,
                peer=NO,
            ),
        ),
    ),
    Group(
        "Discovery",
        (
            better(
                "inferring a dtype from a sample of a set",
                "with a report on each bin and its outliers; structs for maps",
                "Client.infer_dtype",
                "tests/results/test_inference.py::test_sampled_values_are_read_unchanged",
                official=NO,
                peer=NO,
            ),
            better(
                "command line",
                "`aerospike-py serve`, `info`, `dtype`, `peek`, `export`, `import`, `bench`",
                "tests/tools/test_cli.py::test_the_script_is_installed",
                official=NO,
                peer=NO,
            ),
        ),
    ),
)
