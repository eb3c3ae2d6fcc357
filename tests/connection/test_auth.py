"""Logins: refusals, roles, sessions that end, and secrets, which never appear in any output."""

from __future__ import annotations

import copy
import pickle
import subprocess
import threading
import time
import traceback
import warnings

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import exception
from aerospike_py.testing import DevServer

pytestmark = pytest.mark.embedded

PASSWORD = "pa55-Wort:ü"
WRONG = "wr0ng-Wort"
DTYPE = np.dtype([("v", "i8")])
KEY = ("test", "auth", 1)


@pytest.fixture(scope="module")
def server():
    users = {"ann": PASSWORD, "eve": (PASSWORD, ["read"]), "max": (PASSWORD, ["write", "sys-admin"])}
    with DevServer(nodes=3, users=users, external_users={"ext": PASSWORD}) as made:
        with aerospike.client(of(made)) as writer:
            writer.put(KEY, {"v": 1})
        yield made


def of(server, user="ann", password=PASSWORD, **more):
    return {**server.config, "user": user, "password": password, **more}


def counted(server, name):
    return [server.counters(node)[name] for node in range(len(server.hosts))]


def test_a_user_who_logged_in_reads_and_writes(face, server):
    with face.client(of(server)) as client:
        client.put(("test", "auth", 2), {"v": 2})
        batch = client.batch_read([KEY, ("test", "auth", 2)], _dtype=DTYPE)
        assert batch.batch_records["v"].tolist() == [1, 2]


def test_connect_takes_a_user(face, server):
    client = face.client(server.config).connect("ann", PASSWORD)
    assert client.get(KEY).bins == {"v": 1}
    client.close()
    # The client keeps the user of the first connect.
    assert client.connect().get(KEY).bins == {"v": 1}
    client.close()
    # It overrides the config.
    client = face.client(of(server, password=WRONG)).connect(password=PASSWORD)
    assert client.is_connected()
    client.close()


@pytest.mark.parametrize(
    ("user", "password", "mode", "error", "code"),
    [
        ("ann", WRONG, aerospike.AUTH_INTERNAL, exception.InvalidCredential, 65),
        ("zoe", WRONG, aerospike.AUTH_INTERNAL, exception.InvalidUser, 60),
        ("ext", PASSWORD, aerospike.AUTH_INTERNAL, exception.InvalidCredential, 65),
        ("ext", WRONG, aerospike.AUTH_EXTERNAL_INSECURE, exception.InvalidCredential, 65),
    ],
)
def test_refused_users(face, server, user, password, mode, error, code):
    with pytest.raises(error, match=f'login of user "{user}" at 127.0.0.1:') as caught:
        face.connect(of(server, user, password, auth_mode=mode))
    assert caught.value.code == code
    assert isinstance(caught.value, exception.AdminError)


def test_external_users_bring_their_password(face, server):
    with face.client(of(server, "ext", auth_mode=aerospike.AUTH_EXTERNAL_INSECURE)) as client:
        assert client.get(KEY).bins == {"v": 1}
    for mode, login in [
        (aerospike.AUTH_EXTERNAL, {"user": "ext", "password": PASSWORD}),
        (aerospike.AUTH_PKI, {}),
    ]:
        with pytest.raises(aerospike.ParamError, match="requires TLS"):
            face.connect({**server.config, **login, "auth_mode": mode})


def test_without_a_user_no_login_is_sent(face, server):
    with pytest.raises(
        exception.NotAuthenticated, match="the node requires a login, but no user is configured"
    ) as caught:
        face.connect(server.config)
    assert caught.value.code == 80


def test_a_user_on_a_server_without_security(face):
    with DevServer() as open_to_all, pytest.raises(exception.SecurityNotSupported) as caught:
        face.connect(of(open_to_all))
    assert caught.value.code == 51


def test_role_violations(face, server):
    before = sum(counted(server, "batch_rows"))
    with face.client(of(server, "eve")) as reader:
        with pytest.raises(exception.RoleViolation, match="1 try") as caught:
            reader.put(KEY, {"v": 9})
        assert caught.value.code == 81
        assert reader.get(KEY).bins == {"v": 1}
    with face.client(of(server, "max")) as writer:
        writer.put(KEY, {"v": 1})
        with pytest.raises(exception.RoleViolation):
            writer.batch_read([KEY] * 3, _dtype=DTYPE)
        assert writer.stats().retry_count == 0
    assert sum(counted(server, "batch_rows")) == before + 3


def test_many_threads_log_in_once(server):
    before = counted(server, "logins")
    client = aerospike.client(of(server))
    failed = []

    def work(number):
        try:
            client.connect()
            client.put(("test", "auth", f"t{number}"), {"v": number})
        except Exception as error:  # noqa: BLE001 (told below)
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.close()
    assert not failed
    assert counted(server, "logins") == [count + 1 for count in before]


def test_sessions_end_while_batches_run(face):
    keys = aerospike.Keys("test", "auth", np.arange(2_000))
    with (
        DevServer(users={"ann": PASSWORD}, session_ttl=2) as server,
        # Connections are used once, so each batch sends its token again.
        face.client(of(server, tend_interval=100, policies={"batch": {"max_retries": 0}})) as client,
    ):
        for number in range(0, 2_000, 100):
            client.put(("test", "auth", number), {"v": number})
        end = time.monotonic() + 5
        rounds = 0
        while time.monotonic() < end:
            rounds += 1
            # The node has ended the session; the client cannot know.
            server.advance(3)
            server.inject("code", code=80, command="batch", times=1)
            batch = client.batch_read(keys, _dtype=DTYPE)
            assert np.isin(batch.result_codes, (0, 2)).all()
            assert batch.ok.sum() == 20
        assert client.stats().retry_count == 0
        assert server.counters(0)["logins"] >= 3, rounds


def test_a_password_that_changes(face):
    with DevServer(users={"ann": PASSWORD}) as server:
        client = face.connect(of(server))
        client.put(KEY, {"v": 1})
        server.set_user("ann", WRONG)
        assert client.get(KEY).bins == {"v": 1}, "the session goes on"
        with pytest.raises(exception.InvalidCredential):
            face.connect(of(server))
        face.connect(of(server, password=WRONG)).close()
        client.close()


def test_the_official_client_logs_in(server):
    official = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
    client = official.client({**server.config, "user": "ann", "password": PASSWORD}).connect()
    assert client.get(KEY)[2] == {"v": 1}
    client.close()
    reader = official.client({**server.config, "user": "eve", "password": PASSWORD}).connect()
    with pytest.raises(official.exception.RoleViolation):
        reader.put(KEY, {"v": 2})
    reader.close()
    with pytest.raises(official.exception.AerospikeError) as caught:
        official.client({**server.config, "user": "ann", "password": WRONG}).connect()
    assert caught.value.code in (65, -10)


def test_aerospike_native_logs_in(server):
    native = pytest.importorskip("aerospike_native", exc_type=ModuleNotFoundError)
    policy = native.ClientPolicy()
    policy.set_auth_mode(native.AuthMode.INTERNAL, "ann", PASSWORD)
    hosts = ",".join(f"{host}:{port}" for host, port in server.hosts)
    client = native.new_client_blocking(policy, hosts)
    assert client.get_blocking(native.Key(*KEY)).bins == {"v": 1}
    client.close_blocking()


def test_nothing_secret_is_shown(face, server, capfd):
    secrets = (PASSWORD, WRONG, "pa55", "wr0ng", "$2a$")
    shown = []
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        client = face.client(of(server, shm={}))
        shown += [repr(client), str(client), repr(vars(client))]
        client.connect()
        shown += [repr(client), repr(client.stats()), repr(client.__dict__), repr(server)]
        calls = [
            lambda: face.connect(of(server, password=WRONG)),
            lambda: face.client(server.config).connect("ann", WRONG),
            lambda: face.connect(of(server, "ext", WRONG, auth_mode=aerospike.AUTH_EXTERNAL_INSECURE)),
            lambda: face.client(of(server, password=WRONG.encode())),
            lambda: face.client(of(server, password=[WRONG])),
            lambda: face.client(of(server, password=WRONG + "\0")),
            # Python's own error of a text that cannot be encoded carries the text.
            lambda: face.client(of(server, password=WRONG + "\ud800")),
            lambda: face.client(server.config).connect("ann", WRONG + "\ud800"),
            lambda: face.client(of(server, user=("ann", WRONG))),
            lambda: face.client([("user", "ann"), ("password", WRONG)]),
            lambda: face.client({**server.config, "tls": WRONG}),
            lambda: face.client({**server.config, "tls": {"enable": WRONG}}),
            lambda: face.client({**server.config, "policies": [WRONG]}),
            lambda: face.client({**of(server), "pasword": WRONG}),
            lambda: face.client({**server.config, "password": WRONG}),
            lambda: server.set_user("ann", WRONG, ["no-such-role"]),
            lambda: pickle.dumps(client),
            lambda: copy.copy(client._core),
        ]
        for call in calls:
            with pytest.raises(Exception) as caught:
                call()
            error = caught.value
            # Frames of this file show its own names; the text of the traceback does not show values.
            shown += [str(error), repr(error), repr(error.args), repr(vars(error))]
            shown += traceback.format_exception_only(type(error), error)
            if isinstance(error, aerospike.AerospikeError):
                shown += [repr(pickle.dumps(error)), error.msg]
    client.close()
    shown += [str(warning.message) for warning in warned]
    shown += capfd.readouterr()
    for text in shown:
        for secret in secrets:
            assert secret not in text


def test_the_process_list_shows_no_password():
    with DevServer(users={"ann": PASSWORD}) as server:
        pid = str(server._process()._popen.pid)
        ps = subprocess.run(
            ["ps", "-ww", "-o", "args=", "-p", pid],
            capture_output=True,
            text=True,
            check=True,
        )
    assert "--security" in ps.stdout
    assert PASSWORD not in ps.stdout
    assert PASSWORD.encode().hex() not in ps.stdout


@pytest.mark.parametrize(
    ("users", "error"),
    [
        ({"ann": ("p", "read")}, TypeError),
        ({"": "p"}, ValueError),
        ({"ann": ""}, ValueError),
        ({"ann": ("p", [])}, ValueError),
    ],
)
def test_users_that_a_node_refuses_to_start_with(users, error):
    with pytest.raises(error):
        DevServer(users=users)


def test_another_user_needs_another_connect(face, server):
    client = face.client(of(server))
    with pytest.raises(exception.InvalidUser):
        client.connect("zoe", WRONG)
    # A login that failed is not kept.
    client.connect()
    client.connect("ann", PASSWORD)
    with pytest.raises(aerospike.ParamError, match='connected as "ann"; close it to log in as "eve"'):
        client.connect("eve", PASSWORD)
    client.close()
