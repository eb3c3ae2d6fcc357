"""Methods of the official client that are not here yet: calling one says so, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

_SCALARS = "operations are those on scalars so far; see aerospike_py.operations"
_FOREGROUND = "queries read records so far; jobs that servers run on their own come later"
_INDEXES = "queries go over the primary index so far; make indexes with asadm or the official client"
_UDF = "user-defined functions come later; register and apply them with the official client"
_ADMIN = "users and roles are managed with asadm or the official client"
_TRANSACTIONS = "transactions need an Enterprise server and come later"

#: Method name to the reason that it is not there.
NOT_YET: dict[str, str] = {
    **dict.fromkeys(("batch_apply", "apply", "udf_get", "udf_list", "udf_put", "udf_remove"), _UDF),
    **dict.fromkeys(("query_apply", "scan_apply", "job_info"), _FOREGROUND),
    "scan": "the official client gave it up for query, and so does this one: client.query(namespace, set)",
    **dict.fromkeys(
        (
            "index_blob_create",
            "index_cdt_create",
            "index_expr_create",
            "index_geo2dsphere_create",
            "index_integer_create",
            "index_list_create",
            "index_map_keys_create",
            "index_map_values_create",
            "index_remove",
            "index_set_create",
            "index_single_value_create",
            "index_string_create",
        ),
        _INDEXES,
    ),
    **dict.fromkeys(
        (
            "admin_change_password",
            "admin_create_pki_user",
            "admin_create_role",
            "admin_create_user",
            "admin_drop_role",
            "admin_drop_user",
            "admin_get_role",
            "admin_get_roles",
            "admin_grant_privileges",
            "admin_grant_roles",
            "admin_query_role",
            "admin_query_roles",
            "admin_query_user_info",
            "admin_query_users_info",
            "admin_revoke_privileges",
            "admin_revoke_roles",
            "admin_set_password",
            "admin_set_quotas",
            "admin_set_whitelist",
        ),
        _ADMIN,
    ),
    **dict.fromkeys(("commit", "abort"), _TRANSACTIONS),
    **dict.fromkeys(("get_cdtctx_base64",), _SCALARS),
    "get_expression_base64": "filter expressions come later",
    **dict.fromkeys(
        ("enable_metrics", "disable_metrics"), "metrics files come later; client.stats() has the numbers"
    ),
    "get_stats": "it is called stats() here",
    "get_nodes": "it is called get_node_names() here",
    "get_policies": "a call's policies are what it is given over those of the config; they are not read back",
    "get_key_partition_id": "it is calc_digest()'s first two bytes, little-endian, modulo 4096",
    "shm_key": "clients share no memory: each process tends the cluster on its own",
    "set_xdr_filter": "filters of XDR need an Enterprise server and expressions",
}


class NotYet:
    """Answers for methods that are not there."""

    if not TYPE_CHECKING:  # Type checkers are to find them missing, as any other name.

        def __getattr__(self, name: str) -> Any:
            kind = type(self).__name__
            if reason := NOT_YET.get(name):
                raise AttributeError(f"{kind}.{name} is not there yet: {reason}", name=name, obj=self)
            raise AttributeError(f"{kind!r} object has no attribute {name!r}", name=name, obj=self)
