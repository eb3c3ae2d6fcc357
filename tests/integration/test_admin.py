"""Users and roles, with both clients; the official client does the same calls against the same server."""

from __future__ import annotations

import inspect

import pytest

import aerospike_py as aerospike
from aerospike_py import exception
from aerospike_py.testing import DevServer

pytestmark = pytest.mark.embedded

PASSWORD = "pa55-Wort:ü"
NEW = "n3w-Wort"
PREDEFINED = {
    "data-admin": 2,
    "read": 10,
    "read-write": 11,
    "read-write-udf": 12,
    "sindex-admin": 4,
    "sys-admin": 1,
    "truncate": 14,
    "udf-admin": 3,
    "user-admin": 0,
    "write": 13,
}
READ_TEST = {"ns": "test", "set": "", "code": aerospike.PRIV_READ}


@pytest.fixture
def secure():
    users = {"root": (PASSWORD, ["user-admin"]), "ann": (PASSWORD, ["read-write"])}
    with DevServer(nodes=2, users=users) as server:
        yield server


def of(server, user="root", password=PASSWORD):
    return {**server.config, "user": user, "password": password}


def test_users_come_and_go(face, secure):
    with face.client(of(secure)) as root:
        assert root.admin_create_user("bob", PASSWORD, ["write", "read"]) == 0
        info = root.admin_query_user_info("bob")
        nothing = [0, 0, 0, 0]
        assert info == {
            "read_info": nothing,
            "write_info": nothing,
            "conns_in_use": 0,
            "roles": ["read", "write"],
        }
        assert list(root.admin_query_users_info()) == ["ann", "bob", "root"]
        with face.client(of(secure, "bob")) as bob:
            bob.put(("test", "admin", 1), {"v": 1})
            root.admin_revoke_roles("bob", ["write"])
            with pytest.raises(exception.RoleViolation):
                bob.put(("test", "admin", 1), {"v": 2})
            assert bob.get(("test", "admin", 1)).bins == {"v": 1}
            root.admin_grant_roles("bob", ["write"])
            bob.put(("test", "admin", 1), {"v": 2})
            assert root.admin_drop_user("bob") == 0
            with pytest.raises(exception.AdminError):
                bob.get(("test", "admin", 1))
        with pytest.raises(exception.InvalidUser, match='there is no user "bob"'):
            root.admin_query_user_info("bob")
        assert root.admin_create_pki_user("service", ["read"]) == 0


def test_roles_have_scopes(face, secure):
    with face.client(of(secure)) as root, face.client(of(secure, "ann")) as ann:
        ann.put(("test", "admin", 1), {"v": 1})
        ann.put(("bar", "admin", 1), {"v": 1})
        root.admin_create_role("reader", [{"code": aerospike.PRIV_READ, "ns": "test"}])
        root.admin_create_user("bob", PASSWORD, ["reader"])
        with face.client(of(secure, "bob")) as bob:
            assert bob.get(("test", "admin", 1)).bins == {"v": 1}
            for call in (
                lambda: bob.get(("bar", "admin", 1)),
                lambda: bob.put(("test", "admin", 1), {"v": 2}),
                lambda: bob.truncate("test", "admin"),
                lambda: bob.index_integer_create("test", "admin", "v", "admin_v"),
                lambda: bob.admin_create_user("eve", PASSWORD, ["read"]),
            ):
                with pytest.raises(exception.RoleViolation):
                    call()
            root.admin_grant_privileges(
                "reader", [{"code": aerospike.PRIV_WRITE, "ns": "test", "set": "admin"}]
            )
            bob.put(("test", "admin", 1), {"v": 2})
            with pytest.raises(exception.RoleViolation):
                bob.put(("test", "other", 1), {"v": 2})
            root.admin_revoke_privileges("reader", [READ_TEST])
            with pytest.raises(exception.RoleViolation):
                bob.get(("test", "admin", 1))
        assert root.admin_drop_role("reader") == 0
        assert root.admin_query_user_info("bob")["roles"] == []


def test_functions_have_roles_of_their_own(face, secure, tmp_path):
    path = tmp_path / "roles.lua"
    path.write_text("function one(rec) return 1 end")
    key = ("test", "admin", 1)
    with face.client(of(secure)) as root, face.client(of(secure, "ann")) as ann:
        ann.put(key, {"v": 1})
        for call in (
            lambda: ann.udf_put(path),
            lambda: ann.udf_remove("roles.lua"),
            lambda: ann.apply(key, "roles", "one"),
            lambda: ann.scan_apply("test", "admin", "roles", "one"),
        ):
            with pytest.raises(exception.RoleViolation):
                call()
        assert ann.udf_list() == []
        root.admin_grant_roles("ann", ["udf-admin"])
        assert ann.udf_put(path) == 0
        for call in (ann.apply, lambda key, *names: ann.batch_apply([key], *names)):
            with pytest.raises(exception.RoleViolation):
                call(key, "roles", "one")
        root.admin_grant_roles("ann", ["read-write-udf"])
        assert ann.apply(key, "roles", "one") == 1
        (row,) = ann.batch_apply([key], "roles", "one").batch_records
        assert (row.result, row.record.bins) == (0, {"SUCCESS": 1})
        ann.scan_apply("test", "admin", "roles", "one")
        assert ann.udf_remove("roles.lua") == 0


def test_roles_are_described(face, secure):
    with face.client(of(secure)) as root:
        root.admin_create_role("r", [READ_TEST], None, ["127.0.0.1", "10.0.0.0/8"], 20, 30)
        role = {
            "privileges": [READ_TEST],
            "whitelist": ["127.0.0.1", "10.0.0.0/8"],
            "read_quota": 20,
            "write_quota": 30,
        }
        assert root.admin_get_role("r") == role
        roles = root.admin_get_roles()
        assert roles.pop("r") == role
        assert {name: info["privileges"][0]["code"] for name, info in roles.items()} == PREDEFINED
        assert root.admin_query_role("r") == [READ_TEST]
        assert root.admin_query_roles()["r"] == [READ_TEST]
        root.admin_set_quotas("r", 1, 2)
        root.admin_set_whitelist("r", None)
        assert root.admin_get_role("r") == {**role, "whitelist": [], "read_quota": 1, "write_quota": 2}
        root.admin_grant_roles("ann", ["r"])
        assert root.admin_query_user_info("ann")["read_info"] == [1, 0, 0, 0]


def test_allow_lists(face, secure):
    with face.client(of(secure)) as root, face.client(of(secure, "ann")) as ann:
        assert ann.exists(("test", "admin", 1)).meta is None
        root.admin_create_role("local", [READ_TEST], whitelist=["10.0.0.0/8"])
        root.admin_grant_roles("ann", ["local"])
        with pytest.raises(exception.NotWhitelisted):
            ann.get(("test", "admin", 1))
        with pytest.raises(exception.NotWhitelisted):
            face.connect(of(secure, "ann"))
        root.admin_set_whitelist("local", ["127.0.0.0/8"])
        assert ann.exists(("test", "admin", 1)).meta is None


def test_a_client_whose_password_changes_goes_on(face, secure):
    with face.client(of(secure, "ann")) as ann:
        ann.put(("test", "admin", 1), {"v": 1})
        assert ann.admin_change_password("ann", NEW) == 0
        # All sessions end; the next login needs the new password.
        secure.advance(100_000)
        for number in range(20):
            ann.put(("test", "admin", number), {"v": 1})
        ann.close()
        ann.connect()
        assert ann.get(("test", "admin", 1)).bins == {"v": 1}
    with pytest.raises(exception.InvalidCredential):
        face.connect(of(secure, "ann"))
    with face.client(of(secure)) as root:
        root.admin_set_password("ann", PASSWORD)
        with pytest.raises(exception.InvalidUser):
            root.admin_change_password("zoe", NEW)
    face.connect(of(secure, "ann")).close()


@pytest.mark.parametrize(
    ("name", "arguments", "error", "words"),
    [
        ("admin_create_user", ("ann", "p", ["read"]), exception.UserExistsError, 'user "ann" exists'),
        ("admin_create_user", ("b", "p", []), exception.InvalidRole, "admin_get_roles"),
        ("admin_create_user", ("", "p", ["read"]), exception.InvalidUser, "1 to 63 bytes"),
        ("admin_grant_roles", ("ann", ["none"]), exception.InvalidRole, '"none"'),
        ("admin_grant_roles", ("zoe", ["read"]), exception.InvalidUser, '"zoe"'),
        ("admin_create_role", ("read", [READ_TEST]), exception.RoleExistsError, 'role "read" exists'),
        ("admin_create_role", ("r", [{"code": 64}]), exception.InvalidPrivilege, 'role "r"'),
        ("admin_drop_role", ("none",), exception.InvalidRole, '"none"'),
        ("admin_drop_role", ("read",), exception.InvalidRole, "predefined"),
        ("admin_set_whitelist", ("read", ["host"]), exception.InvalidWhitelist, "10.0.0.0/8"),
        ("admin_create_user", (1, "p", ["read"]), aerospike.ParamError, "user is 1"),
        ("admin_create_user", ("b", None, ["read"]), aerospike.ParamError, "password"),
        ("admin_create_user", ("b", "p", "read"), aerospike.ParamError, "must be a list"),
        ("admin_create_role", ("r", None), aerospike.ParamError, "privileges is None"),
        ("admin_create_role", ("r", [{"ns": "test"}]), aerospike.ParamError, "PRIV_"),
        ("admin_create_role", ("r", [{"code": 0, "ns": "test"}]), aerospike.ParamError, "all namespaces"),
        ("admin_set_quotas", ("r", -1), aerospike.ParamError, "read_quota is -1"),
    ],
)
def test_refusals(face, secure, name, arguments, error, words):
    with face.client(of(secure)) as root, pytest.raises(error) as caught:
        getattr(root, name)(*arguments)
    assert words in str(caught.value)


def test_a_server_without_security(face, server):
    with face.client(server.config) as client, pytest.raises(exception.SecurityNotSupported) as caught:
        client.admin_create_user("ann", "p", ["read"])
    assert "Enterprise" in str(caught.value)


def test_the_official_client_reads_the_same(face, secure):
    official = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
    other = official.client(of(secure)).connect()
    with face.client(of(secure)) as root:
        other.admin_create_role("r", [{"code": 13, "ns": "test", "set": "s"}], {}, ["127.0.0.1"], 5, 6)
        other.admin_create_user("bob", PASSWORD, ["r", "read"])
        other.admin_grant_privileges("r", [{"code": 1}])
        assert other.admin_get_role("r") == root.admin_get_role("r")
        assert other.admin_get_roles() == root.admin_get_roles()
        assert other.admin_query_role("r") == root.admin_query_role("r")
        assert other.admin_query_roles() == root.admin_query_roles()
        assert other.admin_query_user_info("bob") == root.admin_query_user_info("bob")
        assert set(other.admin_query_users_info()) == set(root.admin_query_users_info())
        other.admin_set_quotas("r", 7, 8)
        other.admin_set_whitelist("r", [])
        other.admin_revoke_privileges("r", [{"code": 1}])
        assert root.admin_get_role("r")["write_quota"] == 8
        other.admin_set_password("bob", NEW)
        other.admin_revoke_roles("bob", ["read"])
        other.admin_grant_roles("bob", ["write"])
        other.admin_create_pki_user("service", ["read"])
        other.admin_change_password("root", NEW)
        other.admin_drop_role("r")
        other.admin_drop_user("bob")
        with pytest.raises(exception.InvalidUser):
            root.admin_query_user_info("bob")
    other.close()


def test_methods_and_constants_are_the_official_ones():
    official = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
    names = {name for name in dir(official.Client) if name.startswith("admin_")}
    for client in (aerospike.Client, aerospike.AsyncClient):
        assert names == {name for name in dir(client) if name.startswith("admin_")}
    assert list(inspect.signature(aerospike.Client.admin_create_role).parameters)[1:] == [
        "role",
        "privileges",
        "policy",
        "whitelist",
        "read_quota",
        "write_quota",
    ]
    for name in dir(official):
        if name.startswith("PRIV_"):
            assert getattr(aerospike, name) == getattr(official, name), name
