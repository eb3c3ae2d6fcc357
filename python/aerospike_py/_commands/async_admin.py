"""Users and roles, awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._utils.event_loop import call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .. import _native
    from ..types import AdminPolicy, Privilege, RoleInfo, UserInfo


class AsyncAdminCommands:
    """Users and roles, for ``AsyncClient``."""

    _core: _native.Core

    async def admin_create_user(
        self, username: str, password: str, roles: Sequence[str], policy: AdminPolicy | None = None
    ) -> int:
        """Like :meth:`Client.admin_create_user`, awaited.

        Example:
            >>> await client.admin_create_user("ann", "secret", ["read-write"])
            0
        """
        answer: int = await call(self._core.admin_user, "create_user", username, password, roles, policy)
        return answer

    async def admin_create_pki_user(
        self, username: str, roles: Sequence[str], policy: AdminPolicy | None = None
    ) -> int:
        """Like :meth:`Client.admin_create_pki_user`, awaited.

        Example:
            >>> await client.admin_create_pki_user("service", ["read"])
            0
        """
        answer: int = await call(self._core.admin_user, "create_pki_user", username, None, roles, policy)
        return answer

    async def admin_drop_user(self, username: str, policy: AdminPolicy | None = None) -> int:
        """Like :meth:`Client.admin_drop_user`, awaited.

        Example:
            >>> await client.admin_drop_user("ann")
            0
        """
        answer: int = await call(self._core.admin_user, "drop_user", username, None, None, policy)
        return answer

    async def admin_set_password(
        self, username: str, password: str, policy: AdminPolicy | None = None
    ) -> int:
        """Like :meth:`Client.admin_set_password`, awaited.

        Example:
            >>> await client.admin_set_password("ann", "new secret")
            0
        """
        answer: int = await call(self._core.admin_user, "set_password", username, password, None, policy)
        return answer

    async def admin_change_password(
        self, username: str, password: str, policy: AdminPolicy | None = None
    ) -> int:
        """Like :meth:`Client.admin_change_password`, awaited.

        Example:
            >>> await client.admin_change_password("root", "new secret")
            0
        """
        answer: int = await call(self._core.admin_user, "change_password", username, password, None, policy)
        return answer

    async def admin_grant_roles(
        self, username: str, roles: Sequence[str], policy: AdminPolicy | None = None
    ) -> int:
        """Like :meth:`Client.admin_grant_roles`, awaited.

        Example:
            >>> await client.admin_grant_roles("ann", ["read"])
            0
        """
        answer: int = await call(self._core.admin_user, "grant_roles", username, None, roles, policy)
        return answer

    async def admin_revoke_roles(
        self, username: str, roles: Sequence[str], policy: AdminPolicy | None = None
    ) -> int:
        """Like :meth:`Client.admin_revoke_roles`, awaited.

        Example:
            >>> await client.admin_revoke_roles("ann", ["read"])
            0
        """
        answer: int = await call(self._core.admin_user, "revoke_roles", username, None, roles, policy)
        return answer

    async def admin_query_user_info(self, user: str, policy: AdminPolicy | None = None) -> UserInfo:
        """Like :meth:`Client.admin_query_user_info`, awaited.

        Example:
            >>> (await client.admin_query_user_info("ann"))["roles"]
            ['read-write']
        """
        answer: UserInfo = await call(self._core.admin_user, "query_user_info", user, None, None, policy)
        return answer

    async def admin_query_users_info(self, policy: AdminPolicy | None = None) -> dict[str, UserInfo]:
        """Like :meth:`Client.admin_query_users_info`, awaited.

        Example:
            >>> list(await client.admin_query_users_info())
            ['ann', 'root']
        """
        answer: dict[str, UserInfo] = await call(
            self._core.admin_user, "query_users_info", None, None, None, policy
        )
        return answer

    async def admin_create_role(
        self,
        role: str,
        privileges: Sequence[Privilege],
        policy: AdminPolicy | None = None,
        whitelist: Sequence[str] | None = None,
        read_quota: int = 0,
        write_quota: int = 0,
    ) -> int:
        """Like :meth:`Client.admin_create_role`, awaited.

        Example:
            >>> await client.admin_create_role("reader", [{"code": PRIV_READ, "ns": "test"}])
            0
        """
        answer: int = await call(
            self._core.admin_role, "create_role", role, privileges, whitelist, read_quota, write_quota, policy
        )
        return answer

    async def admin_drop_role(self, role: str, policy: AdminPolicy | None = None) -> int:
        """Like :meth:`Client.admin_drop_role`, awaited.

        Example:
            >>> await client.admin_drop_role("reader")
            0
        """
        answer: int = await call(self._core.admin_role, "drop_role", role, None, None, None, None, policy)
        return answer

    async def admin_grant_privileges(
        self, role: str, privileges: Sequence[Privilege], policy: AdminPolicy | None = None
    ) -> int:
        """Like :meth:`Client.admin_grant_privileges`, awaited.

        Example:
            >>> await client.admin_grant_privileges("reader", [{"code": PRIV_TRUNCATE, "ns": "test"}])
            0
        """
        answer: int = await call(
            self._core.admin_role, "grant_privileges", role, privileges, None, None, None, policy
        )
        return answer

    async def admin_revoke_privileges(
        self, role: str, privileges: Sequence[Privilege], policy: AdminPolicy | None = None
    ) -> int:
        """Like :meth:`Client.admin_revoke_privileges`, awaited.

        Example:
            >>> await client.admin_revoke_privileges("reader", [{"code": PRIV_TRUNCATE, "ns": "test"}])
            0
        """
        answer: int = await call(
            self._core.admin_role, "revoke_privileges", role, privileges, None, None, None, policy
        )
        return answer

    async def admin_set_whitelist(
        self, role: str, whitelist: Sequence[str] | None, policy: AdminPolicy | None = None
    ) -> int:
        """Like :meth:`Client.admin_set_whitelist`, awaited.

        Example:
            >>> await client.admin_set_whitelist("reader", ["127.0.0.1", "10.0.0.0/8"])
            0
        """
        answer: int = await call(
            self._core.admin_role, "set_whitelist", role, None, whitelist, None, None, policy
        )
        return answer

    async def admin_set_quotas(
        self, role: str, read_quota: int = 0, write_quota: int = 0, policy: AdminPolicy | None = None
    ) -> int:
        """Like :meth:`Client.admin_set_quotas`, awaited.

        Example:
            >>> await client.admin_set_quotas("reader", 1000, 500)
            0
        """
        answer: int = await call(
            self._core.admin_role, "set_quotas", role, None, None, read_quota, write_quota, policy
        )
        return answer

    async def admin_get_role(self, role: str, policy: AdminPolicy | None = None) -> RoleInfo:
        """Like :meth:`Client.admin_get_role`, awaited.

        Example:
            >>> (await client.admin_get_role("reader"))["privileges"]
            [{'ns': 'test', 'set': '', 'code': 10}]
        """
        answer: RoleInfo = await call(self._core.admin_role, "get_role", role, None, None, None, None, policy)
        return answer

    async def admin_get_roles(self, policy: AdminPolicy | None = None) -> dict[str, RoleInfo]:
        """Like :meth:`Client.admin_get_roles`, awaited.

        Example:
            >>> (await client.admin_get_roles())["reader"]["read_quota"]
            0
        """
        answer: dict[str, RoleInfo] = await call(
            self._core.admin_role, "get_roles", None, None, None, None, None, policy
        )
        return answer

    async def admin_query_role(self, role: str, policy: AdminPolicy | None = None) -> list[Privilege]:
        """Like :meth:`Client.admin_query_role`, awaited.

        Example:
            >>> await client.admin_query_role("reader")
            [{'ns': 'test', 'set': '', 'code': 10}]
        """
        info: RoleInfo = await call(self._core.admin_role, "get_role", role, None, None, None, None, policy)
        return info["privileges"]

    async def admin_query_roles(self, policy: AdminPolicy | None = None) -> dict[str, list[Privilege]]:
        """Like :meth:`Client.admin_query_roles`, awaited.

        Example:
            >>> (await client.admin_query_roles())["reader"]
            [{'ns': 'test', 'set': '', 'code': 10}]
        """
        roles: dict[str, RoleInfo] = await call(
            self._core.admin_role, "get_roles", None, None, None, None, None, policy
        )
        return {name: info["privileges"] for name, info in roles.items()}
