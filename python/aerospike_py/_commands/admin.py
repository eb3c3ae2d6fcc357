"""Users and roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .. import _native
    from ..types import AdminPolicy, Privilege, RoleInfo, UserInfo


class AdminCommands:
    """Users and roles, for ``Client``."""

    _core: _native.Core

    def admin_create_user(
        self, username: str, password: str, roles: Sequence[str], policy: AdminPolicy | None = None
    ) -> int:
        """Adds a user, who has these roles.

        Args:
            username: the user's name.
            password: the password. Its hash is sent.
            roles: names of roles.
            policy: admin policy: ``timeout`` in milliseconds, 1000 by default.

        Returns:
            0, as in the official client.

        Raises:
            AdminError: the server refuses it. The class and the message give the reason.

        Example:
            >>> client.admin_create_user("ann", "secret", ["read-write"])
            0
        """
        answer: int = self._core.admin_user(None, "create_user", username, password, roles, policy)
        return answer

    def admin_create_pki_user(
        self, username: str, roles: Sequence[str], policy: AdminPolicy | None = None
    ) -> int:
        """Adds a user who logs in with a client certificate (``AUTH_PKI``).

        Args:
            username: the user's name, as in the certificate.
            roles: names of roles.
            policy: admin policy: ``timeout`` in milliseconds, 1000 by default.

        Returns:
            0.

        Raises:
            AdminError: the server refuses it. The class and the message give the reason.

        Example:
            >>> client.admin_create_pki_user("service", ["read"])
            0
        """
        answer: int = self._core.admin_user(None, "create_pki_user", username, None, roles, policy)
        return answer

    def admin_drop_user(self, username: str, policy: AdminPolicy | None = None) -> int:
        """Removes a user.

        Args:
            username: the user's name.
            policy: admin policy: ``timeout`` in milliseconds, 1000 by default.

        Returns:
            0.

        Raises:
            AdminError: the server refuses it. The class and the message give the reason.

        Example:
            >>> client.admin_drop_user("ann")
            0
        """
        answer: int = self._core.admin_user(None, "drop_user", username, None, None, policy)
        return answer

    def admin_set_password(self, username: str, password: str, policy: AdminPolicy | None = None) -> int:
        """Sets the password of any user; needs the role ``user-admin``.

        Args:
            username: the user's name.
            password: the new password.
            policy: admin policy: ``timeout`` in milliseconds, 1000 by default.

        Returns:
            0. If it is the client's own user, later logins use the new password.

        Raises:
            AdminError: the server refuses it. The class and the message give the reason.

        Example:
            >>> client.admin_set_password("ann", "new secret")
            0
        """
        answer: int = self._core.admin_user(None, "set_password", username, password, None, policy)
        return answer

    def admin_change_password(self, username: str, password: str, policy: AdminPolicy | None = None) -> int:
        """Changes the password of the client's own user; needs no role.

        Args:
            username: the name of the client's user.
            password: the new password.
            policy: admin policy: ``timeout`` in milliseconds, 1000 by default.

        Returns:
            0. The client's later logins use the new password.

        Raises:
            AdminError: the server refuses it. The class and the message give the reason.

        Example:
            >>> client.admin_change_password("root", "new secret")
            0
        """
        answer: int = self._core.admin_user(None, "change_password", username, password, None, policy)
        return answer

    def admin_grant_roles(
        self, username: str, roles: Sequence[str], policy: AdminPolicy | None = None
    ) -> int:
        """Gives roles to a user.

        Args:
            username: the user's name.
            roles: names of roles.
            policy: admin policy: ``timeout`` in milliseconds, 1000 by default.

        Returns:
            0.

        Raises:
            AdminError: the server refuses it. The class and the message give the reason.

        Example:
            >>> client.admin_grant_roles("ann", ["read"])
            0
        """
        answer: int = self._core.admin_user(None, "grant_roles", username, None, roles, policy)
        return answer

    def admin_revoke_roles(
        self, username: str, roles: Sequence[str], policy: AdminPolicy | None = None
    ) -> int:
        """Takes roles from a user.

        Args:
            username: the user's name.
            roles: names of roles.
            policy: admin policy: ``timeout`` in milliseconds, 1000 by default.

        Returns:
            0.

        Raises:
            AdminError: the server refuses it. The class and the message give the reason.

        Example:
            >>> client.admin_revoke_roles("ann", ["read"])
            0
        """
        answer: int = self._core.admin_user(None, "revoke_roles", username, None, roles, policy)
        return answer

    def admin_query_user_info(self, user: str, policy: AdminPolicy | None = None) -> UserInfo:
        """Describes a user.

        Args:
            user: the user's name.
            policy: admin policy: ``timeout`` in milliseconds, 1000 by default.

        Returns:
            A dict: ``roles``, ``conns_in_use`` (connections to the node that answers), and ``read_info`` and
            ``write_info``: lists of the quota, single records per second, records per second of queries with
            a limit, and the number of queries without one, as the server sends them.

        Raises:
            AdminError: the server refuses it. The class and the message give the reason.

        Example:
            >>> client.admin_query_user_info("ann")["roles"]
            ['read-write']
        """
        answer: UserInfo = self._core.admin_user(None, "query_user_info", user, None, None, policy)
        return answer

    def admin_query_users_info(self, policy: AdminPolicy | None = None) -> dict[str, UserInfo]:
        """Describes all users.

        Args:
            policy: admin policy: ``timeout`` in milliseconds, 1000 by default.

        Returns:
            The name of each user, and what :meth:`admin_query_user_info` returns for it.

        Raises:
            AdminError: the server refuses it. The class and the message give the reason.

        Example:
            >>> list(client.admin_query_users_info())
            ['ann', 'root']
        """
        answer: dict[str, UserInfo] = self._core.admin_user(
            None, "query_users_info", None, None, None, policy
        )
        return answer

    def admin_create_role(
        self,
        role: str,
        privileges: Sequence[Privilege],
        policy: AdminPolicy | None = None,
        whitelist: Sequence[str] | None = None,
        read_quota: int = 0,
        write_quota: int = 0,
    ) -> int:
        """Adds a role.

        Args:
            role: the role's name.
            privileges: dicts with ``code``, one of the ``PRIV_*`` constants, and with ``ns`` and ``set``
                where the privilege is limited to a namespace or set.
            whitelist: addresses and networks from which the role may be used; None or empty for all.
            read_quota: reads per second; 0 is no limit.
            write_quota: writes per second; 0 is no limit.
            policy: admin policy: ``timeout`` in milliseconds, 1000 by default.

        Returns:
            0.

        Raises:
            AdminError: the server refuses it. The class and the message give the reason.

        Example:
            >>> client.admin_create_role("reader", [{"code": PRIV_READ, "ns": "test"}])
            0
        """
        answer: int = self._core.admin_role(
            None, "create_role", role, privileges, whitelist, read_quota, write_quota, policy
        )
        return answer

    def admin_drop_role(self, role: str, policy: AdminPolicy | None = None) -> int:
        """Removes a role, also from its users.

        Args:
            role: the role's name.
            policy: admin policy: ``timeout`` in milliseconds, 1000 by default.

        Returns:
            0.

        Raises:
            AdminError: the server refuses it. The class and the message give the reason.

        Example:
            >>> client.admin_drop_role("reader")
            0
        """
        answer: int = self._core.admin_role(None, "drop_role", role, None, None, None, None, policy)
        return answer

    def admin_grant_privileges(
        self, role: str, privileges: Sequence[Privilege], policy: AdminPolicy | None = None
    ) -> int:
        """Adds privileges to a role.

        Args:
            role: the role's name.
            privileges: as for :meth:`admin_create_role`.
            policy: admin policy: ``timeout`` in milliseconds, 1000 by default.

        Returns:
            0.

        Raises:
            AdminError: the server refuses it. The class and the message give the reason.

        Example:
            >>> client.admin_grant_privileges("reader", [{"code": PRIV_TRUNCATE, "ns": "test"}])
            0
        """
        answer: int = self._core.admin_role(
            None, "grant_privileges", role, privileges, None, None, None, policy
        )
        return answer

    def admin_revoke_privileges(
        self, role: str, privileges: Sequence[Privilege], policy: AdminPolicy | None = None
    ) -> int:
        """Takes privileges from a role.

        Args:
            role: the role's name.
            privileges: as for :meth:`admin_create_role`.
            policy: admin policy: ``timeout`` in milliseconds, 1000 by default.

        Returns:
            0.

        Raises:
            AdminError: the server refuses it. The class and the message give the reason.

        Example:
            >>> client.admin_revoke_privileges("reader", [{"code": PRIV_TRUNCATE, "ns": "test"}])
            0
        """
        answer: int = self._core.admin_role(
            None, "revoke_privileges", role, privileges, None, None, None, policy
        )
        return answer

    def admin_set_whitelist(
        self, role: str, whitelist: Sequence[str] | None, policy: AdminPolicy | None = None
    ) -> int:
        """Sets the addresses from which a role may be used.

        Args:
            role: the role's name.
            whitelist: addresses and networks, such as ``10.0.0.0/8``; None or empty for all.
            policy: admin policy: ``timeout`` in milliseconds, 1000 by default.

        Returns:
            0.

        Raises:
            AdminError: the server refuses it. The class and the message give the reason.

        Example:
            >>> client.admin_set_whitelist("reader", ["127.0.0.1", "10.0.0.0/8"])
            0
        """
        answer: int = self._core.admin_role(None, "set_whitelist", role, None, whitelist, None, None, policy)
        return answer

    def admin_set_quotas(
        self, role: str, read_quota: int = 0, write_quota: int = 0, policy: AdminPolicy | None = None
    ) -> int:
        """Sets the quotas of a role.

        Args:
            role: the role's name.
            read_quota: reads per second; 0 is no limit.
            write_quota: writes per second; 0 is no limit.
            policy: admin policy: ``timeout`` in milliseconds, 1000 by default.

        Returns:
            0.

        Raises:
            AdminError: the server refuses it. The class and the message give the reason.

        Example:
            >>> client.admin_set_quotas("reader", 1000, 500)
            0
        """
        answer: int = self._core.admin_role(
            None, "set_quotas", role, None, None, read_quota, write_quota, policy
        )
        return answer

    def admin_get_role(self, role: str, policy: AdminPolicy | None = None) -> RoleInfo:
        """Describes a role.

        Args:
            role: the role's name.
            policy: admin policy: ``timeout`` in milliseconds, 1000 by default.

        Returns:
            A dict: ``privileges``, ``whitelist``, ``read_quota`` and ``write_quota``.

        Raises:
            AdminError: the server refuses it. The class and the message give the reason.

        Example:
            >>> client.admin_get_role("reader")["privileges"]
            [{'ns': 'test', 'set': '', 'code': 10}]
        """
        answer: RoleInfo = self._core.admin_role(None, "get_role", role, None, None, None, None, policy)
        return answer

    def admin_get_roles(self, policy: AdminPolicy | None = None) -> dict[str, RoleInfo]:
        """Describes all roles.

        Args:
            policy: admin policy: ``timeout`` in milliseconds, 1000 by default.

        Returns:
            The name of each role, and what :meth:`admin_get_role` returns for it.

        Raises:
            AdminError: the server refuses it. The class and the message give the reason.

        Example:
            >>> client.admin_get_roles()["reader"]["read_quota"]
            0
        """
        answer: dict[str, RoleInfo] = self._core.admin_role(
            None, "get_roles", None, None, None, None, None, policy
        )
        return answer

    def admin_query_role(self, role: str, policy: AdminPolicy | None = None) -> list[Privilege]:
        """The privileges of a role; the official client's older :meth:`admin_get_role`.

        Args:
            role: the role's name.
            policy: admin policy: ``timeout`` in milliseconds, 1000 by default.

        Returns:
            The privileges.

        Raises:
            AdminError: the server refuses it. The class and the message give the reason.

        Example:
            >>> client.admin_query_role("reader")
            [{'ns': 'test', 'set': '', 'code': 10}]
        """
        info: RoleInfo = self._core.admin_role(None, "get_role", role, None, None, None, None, policy)
        return info["privileges"]

    def admin_query_roles(self, policy: AdminPolicy | None = None) -> dict[str, list[Privilege]]:
        """The privileges of all roles; the official client's older :meth:`admin_get_roles`.

        Args:
            policy: admin policy: ``timeout`` in milliseconds, 1000 by default.

        Returns:
            The name of each role, and its privileges.

        Raises:
            AdminError: the server refuses it. The class and the message give the reason.

        Example:
            >>> client.admin_query_roles()["reader"]
            [{'ns': 'test', 'set': '', 'code': 10}]
        """
        roles: dict[str, RoleInfo] = self._core.admin_role(
            None, "get_roles", None, None, None, None, None, policy
        )
        return {name: info["privileges"] for name, info in roles.items()}
