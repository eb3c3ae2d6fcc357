"""Names of the official client that do not exist here, or differ, with the reasons."""

from __future__ import annotations

_HELPERS = "private: the official helper modules use it, and ours make the same dictionaries without it"

#: How such constants begin, and why they do not exist.
CONSTANTS_LEFT_OUT = {
    "_AS_": _HELPERS,
    "_CDT_": _HELPERS,
    "_OP_": _HELPERS,
    "_STR_": _HELPERS,
}


def constant_reason(name: str) -> str | None:
    return next((why for start, why in CONSTANTS_LEFT_OUT.items() if name.startswith(start)), None)


_UDF = "user-defined functions are not supported yet"
_ADMIN = "users and roles are not supported yet"
_TRANSACTIONS = "transactions are not supported yet"
_METRICS = "stats() has the numbers; metrics are not written to files"

#: Methods, classes and functions that are refused, and why.
METHODS_LEFT_OUT: dict[str, str] = {
    **dict.fromkeys(
        ("apply", "batch_apply", "query_apply", "scan_apply", "udf_get", "udf_list", "udf_put", "udf_remove"),
        _UDF,
    ),
    "Apply": _UDF,
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
    **dict.fromkeys(("commit", "abort", "Transaction"), _TRANSACTIONS),
    **dict.fromkeys(("enable_metrics", "disable_metrics"), _METRICS),
    "get_policies": "a call merges its policy into the config's; the merged policies cannot be read back",
}

#: Methods whose parameters differ from the stub's, and why.
OTHER_PARAMETERS: dict[tuple[str | None, str], str] = {
    (None, "set_log_level"): "the parameter is loglevel, as in the extension; the stub has log_level",
    (None, "set_log_handler"): "the parameter is log_handler, as in the extension; the stub has callback",
}
