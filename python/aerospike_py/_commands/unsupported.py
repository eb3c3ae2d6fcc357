"""Methods of the official client that do not exist here: accessing one raises an error with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

_UDF = "register and apply user-defined functions with the official client"
_ADMIN = "manage users and roles with asadm or the official client"

#: Method that will exist to what to do until then.
NOT_YET: dict[str, str] = {
    **dict.fromkeys(
        (
            "apply",
            "batch_apply",
            "query_apply",
            "scan_apply",
            "udf_get",
            "udf_list",
            "udf_put",
            "udf_remove",
        ),
        _UDF,
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
    **dict.fromkeys(("enable_metrics", "disable_metrics"), "client.stats() has the numbers"),
    "set_xdr_filter": "it needs an Enterprise server",
}

#: Method that will not exist to what to use instead.
NEVER: dict[str, str] = {
    "scan": "the official client replaced it with query; use client.query(namespace, set)",
    "get_stats": "use stats()",
    "get_nodes": "use get_node_names()",
    "get_policies": "a call merges its policy into the config's; the merged policies cannot be read back",
    "shm_key": "clients share no memory; each process tends the cluster by itself",
}


class UnsupportedCommands:
    """Explains missing methods."""

    if not TYPE_CHECKING:  # Type checkers must report these names as missing.

        def __getattr__(self, name: str) -> Any:
            kind = type(self).__name__
            if reason := NOT_YET.get(name):
                what = f"{kind}.{name} is not supported yet: {reason}"
            elif reason := NEVER.get(name):
                what = f"{kind}.{name} is not supported: {reason}"
            else:
                what = f"{kind!r} object has no attribute {name!r}"
            raise AttributeError(what, name=name, obj=self)
