"""TLS against the embedded node, with certificates created for the session."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import struct
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import exception
from aerospike_py.testing import DevServer
from tests.support.certificates import NAME, Authority
from tests.support.numbered import DTYPE, N, fill, is_right

pytestmark = pytest.mark.embedded

KEYS = aerospike.Keys("test", "tls", np.arange(N))
DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.timezone.utc)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def nodes(authority):
    """Three nodes, with their records."""
    with DevServer(nodes=3, tls=authority.nodes()) as made:
        fill({**made.config, "tls": authority.trusted()}, "tls")
        yield made


@pytest.fixture(scope="module")
def mutual(authority):
    """A node that asks clients for certificates."""
    with DevServer(tls=authority.nodes(ca=authority.file)) as made:
        yield made


def refusal(face, config, kind=exception.AerospikeError):
    with pytest.raises(kind) as caught:
        face.connect(config)
    return str(caught.value)


# ---------------------------------------------------------------- connections that work


@pytest.mark.parametrize("protocols", [None, "TLSv1.2", "TLSv1.3", "-all +TLSv1.2"])
def test_batches_and_single_commands_on_three_nodes(face, nodes, authority, protocols):
    tls = authority.trusted(**({"protocols": protocols} if protocols else {}))
    hosts = nodes.config["hosts"]
    assert {name for _, _, name in hosts} == {NAME}
    with face.connect({"hosts": hosts[:1], "tls": tls}) as client:
        assert len(client.get_node_names()) == 3
        assert is_right(client.batch_read(KEYS, _dtype=DTYPE))
        key = ("test", "tls_single", "k")
        client.put(key, {"a": 1, "b": "x" * 100_000})
        _, _, bins = client.get(key)
        assert (bins["a"], len(bins["b"])) == (1, 100_000)
        assert client.exists(key)[1] is not None
        records = client.batch_read([key, ("test", "tls_single", "none")])
        assert [record.result for record in records.batch_records] == [0, 2]
        client.remove(key)


def test_a_large_batch(face, nodes, authority):
    keys = aerospike.Keys("test", "tls", np.arange(200_000) % N)
    with face.connect({**nodes.config, "tls": authority.trusted()}) as client:
        batch = client.batch_read(keys, _dtype=DTYPE)
    assert batch.ok.all()
    assert (batch.batch_records["v"] == np.arange(200_000) % N * 3).all()


def test_the_cluster_name_is_the_default_tls_name(face, authority):
    tls = authority.trusted()
    with DevServer(tls=authority.nodes(), options=["--cluster-name", NAME]) as made:
        config = {"hosts": made.hosts, "cluster_name": NAME, "tls": tls}
        with face.connect(config) as client:
            assert client.is_connected()
        assert "no name to check its certificate against" in refusal(
            face, {"hosts": made.hosts, "tls": tls}, exception.ParamError
        )


def test_a_directory_of_authorities_and_cipher_suites(face, nodes, authority):
    tls = {"enable": True, "capath": Path(authority.file).parent, "cipher_suite": "TLS_AES_128_GCM_SHA256"}
    with face.connect({**nodes.config, "tls": tls}) as client:
        assert is_right(client.batch_read(KEYS, _dtype=DTYPE))


def test_the_systems_authorities(face, nodes, authority, monkeypatch):
    # The variable tells a process where the certificate authorities of the system are.
    monkeypatch.setenv("SSL_CERT_FILE", authority.file)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    with face.connect({**nodes.config, "tls": {"enable": True}}) as client:
        assert is_right(client.batch_read(KEYS, _dtype=DTYPE))


def test_mutual_tls(face, mutual, authority):
    with face.connect({**mutual.config, "tls": authority.shown()}) as client:
        client.put(("test", "mutual", 1), {"a": 1})
        assert client.get(("test", "mutual", 1))[2] == {"a": 1}


@pytest.mark.parametrize("kind", ["one-sided", "mutual"])
def test_the_official_client_connects(kind, nodes, mutual, authority):
    official = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
    node, tls = (nodes, authority.trusted()) if kind == "one-sided" else (mutual, authority.shown())
    key = ("test", "tls_official", kind)
    theirs = official.client({**node.config, "tls": tls}).connect()
    try:
        theirs.put(key, {"a": 5})
        with aerospike.client({**node.config, "tls": tls}) as ours:
            assert ours.get(key)[2] == {"a": 5}
            ours.put(key, {"a": 6})
        assert theirs.get(key)[2] == {"a": 6}
        assert len(theirs.get_node_names()) == len(node.hosts)
    finally:
        theirs.close()


def test_the_official_client_is_refused_what_ours_is(nodes, mutual, authority, stranger):
    official = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
    for config in (
        {**nodes.config, "tls": stranger.trusted()},
        {**mutual.config, "tls": authority.trusted()},
        {"hosts": [(host, port, "other.test") for host, port in nodes.hosts], "tls": authority.trusted()},
    ):
        with pytest.raises(official.exception.AerospikeError):
            official.client(config).connect()


# ---------------------------------------------------------------- connections that are refused


@pytest.mark.parametrize(
    ("issued", "name", "expected"),
    [
        ({}, "other.test", 'not for the name "other.test"'),
        ({"not_before": NOW - 3 * DAY, "not_after": NOW - 2 * DAY}, NAME, "it expired 2 days ago"),
        (
            {"not_before": NOW + 3 * DAY, "not_after": NOW + 4 * DAY},
            NAME,
            "it is not valid yet, but will be in",
        ),
    ],
)
def test_wrong_certificates_have_distinct_errors(face, authority, issued, name, expected):
    tls = {**authority.issue(**issued), "name": NAME}
    with DevServer(tls=tls) as made:
        ((host, port),) = made.hosts
        text = refusal(face, {"hosts": [(host, port, name)], "tls": authority.trusted()})
    assert f"{host}:{port}: the node's certificate was refused: " in text
    assert expected in text


def test_an_unknown_issuer(face, nodes, stranger):
    text = refusal(face, {**nodes.config, "tls": stranger.trusted()})
    for host, port in nodes.hosts:
        assert f"{host}:{port}: the node's certificate was refused: its issuer is unknown" in text


def test_a_missing_or_unknown_client_certificate(face, mutual, authority, stranger):
    for protocols in ("TLSv1.2", "TLSv1.3"):
        text = refusal(face, {**mutual.config, "tls": authority.trusted(protocols=protocols)})
        assert "the node requires a client certificate, but none is configured" in text
        tls = {**stranger.shown(), "cafile": authority.file, "protocols": protocols}
        text = refusal(face, {**mutual.config, "tls": tls})
        assert "the node refuses the client certificate" in text or "may have rejected the one it got" in text


def test_tls_against_a_plain_port_and_plain_against_tls(face, nodes, config, authority):
    hosts = [(host, port, NAME) for host, port in config["hosts"]]
    assert "the port may not be a TLS port" in refusal(face, {"hosts": hosts, "tls": authority.trusted()})
    assert "it may be a port for TLS" in refusal(face, nodes.config)
    # Settings that are disabled change nothing.
    tls = authority.trusted(enable=False)
    assert "it may be a port for TLS" in refusal(face, {**nodes.config, "tls": tls})


def test_a_port_that_accepts_and_says_nothing(face, authority):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hosts = [(*silent.getsockname(), NAME)]
        began = time.monotonic()
        text = refusal(face, {"hosts": hosts, "connect_timeout": 300, "tls": authority.trusted()})
        assert time.monotonic() - began < 3
    assert "300.0 ms" in text or "connect timeout" in text


def test_a_hung_node_is_read_around(face, nodes, authority):
    settings = {"connect_timeout": 300, "tend_interval": 200}
    with face.connect({**nodes.config, **settings, "tls": authority.trusted()}) as client:
        nodes.pause(1)
        try:
            assert is_right(client.batch_read(KEYS, _dtype=DTYPE))
        finally:
            nodes.resume(1)


# ---------------------------------------------------------------- cut answers

HEADER = 8
INFO_FRAME = 1
INFO1_BATCH = 8
INFO3_LAST = 1


def read_frame(stream):
    header = read_exactly(stream, HEADER)
    (size,) = struct.unpack(">Q", b"\0\0" + header[2:])
    return header + read_exactly(stream, size)


def read_exactly(stream, size):
    data = b""
    while len(data) < size:
        part = stream.recv(size - len(data))
        if not part:
            raise OSError("the peer is gone")
        data += part
    return data


class Proxy:
    """A proxy between client and node that cuts one answer after some bytes.

    With a certificate it ends TLS on either side and cuts what was encrypted; without, it cuts what goes
    over the wire.
    """

    def __init__(self, target, issued=None, trusted=None):
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = (*self._listener.getsockname(), NAME)
        self._outer = self._inner = None
        if issued is not None:
            self._outer = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._outer.load_cert_chain(issued["cert"], issued["key"])
            self._inner = ssl.create_default_context(cafile=trusted)
        self.cut_after = None
        self.cuts = 0
        self.longest = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # closing alone would leave the thread in accept()
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                node = socket.create_connection(self._target)
                if self._outer is None:
                    threading.Thread(target=self._copy, args=(client, node), daemon=True).start()
                    threading.Thread(target=self._answers, args=(node, client), daemon=True).start()
                else:
                    threading.Thread(target=self._frames, args=(client, node), daemon=True).start()

    def _send(self, data, client):
        """Whether all of it was sent."""
        after, self.cut_after = self.cut_after, None
        if after is None or after >= len(data):
            client.sendall(data)
            return True
        self.cuts += 1
        client.sendall(data[:after])
        return False

    def _copy(self, client, node):
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                node.sendall(data)
            node.shutdown(socket.SHUT_RDWR)

    def _answers(self, node, client):
        with client, node, contextlib.suppress(OSError):
            while data := node.recv(65536):
                self.longest = max(self.longest, len(data))
                if not self._send(data, client):
                    break
            client.shutdown(socket.SHUT_RDWR)  # also ends the other thread's recv

    def _frames(self, client, node):
        """Frame by frame, request and answer in turn."""
        with (
            client,
            node,
            contextlib.suppress(OSError),
            self._outer.wrap_socket(client, server_side=True) as outer,
            self._inner.wrap_socket(node, server_hostname=NAME) as inner,
        ):
            while True:
                request = read_frame(outer)
                inner.sendall(request)
                answer = read_frame(inner)
                if request[1] == INFO_FRAME:
                    outer.sendall(answer)
                    continue
                # A batch is answered in frames up to the one whose last message says so.
                while request[HEADER + 1] & INFO1_BATCH and not answer[-19] & INFO3_LAST:
                    answer += read_frame(inner)
                self.longest = max(self.longest, len(answer))
                if not self._send(answer, outer):
                    return


@pytest.mark.parametrize("where", ["within TLS", "on the wire"])
def test_an_answer_cut_at_every_byte_loses_no_row(face, authority, where):
    rows = 4
    keys = [("test", "cut", number) for number in range(rows)]
    with DevServer(tls=authority.nodes()) as made:
        issued = authority.issue() if where == "within TLS" else None
        proxy = Proxy(made.hosts[0], issued, authority.file)
        # The proxy is the only seed, and no refresh of the cluster view comes between the batches.
        config = {"hosts": [proxy.host], "max_error_rate": 0, "tend_interval": 600_000}
        with face.connect({**config, "tls": authority.trusted()}) as client:
            for number, key in enumerate(keys):
                client.put(key, {"v": number + 1, "t": f"r{number}"})
            proxy.longest = 0
            assert client.batch_read(keys, _dtype=DTYPE).ok.all()
            longest = proxy.longest
            assert longest > 100
            for after in range(longest):
                proxy.cut_after = after
                batch = client.batch_read(keys, _dtype=DTYPE)
                assert batch.ok.all()
                assert batch.batch_records["v"].tolist() == [1, 2, 3, 4]
                assert batch.batch_records["t"].tolist() == [b"r0", b"r1", b"r2", b"r3"]
            # On the wire an answer may come to the proxy in parts, each shorter than what it is to cut.
            assert proxy.cuts == longest if where == "within TLS" else proxy.cuts > longest // 2
        proxy.close()


# ---------------------------------------------------------------- settings

HOSTS = {"hosts": [("127.0.0.1", 3000, NAME)]}
SECRET = "-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("tls", "message"),
    [
        (5, "must be a dict"),
        ({"cafile": "ca.pem"}, 'add "enable": True'),
        ({"enable": 1}, "True or False"),
        ({"enabel": True}, 'did you mean "enable"'),
        ({"enable": True, "cafile": 5}, '"cafile" must be the path of a PEM file'),
        ({"enable": True, "capath": b"x"}, '"capath" must be the path of a directory'),
        ({"enable": True, "cafile": ""}, '"cafile" must be the path of a PEM file'),
        ({"enable": True, "keyfile": SECRET}, '"keyfile" must be the path of a PEM file'),
        ({"enable": True, "keyfile": SECRET.encode()}, '"keyfile" must be the path of a PEM file'),
        ({"enable": True, "keyfile": "k.pem"}, '"certfile" and "keyfile" together'),
        ({"enable": True, "certfile": "c.pem"}, '"certfile" and "keyfile" together'),
        ({"enable": True, "keyfile_pw": "hush"}, '"keyfile_pw" is not supported: only unencrypted keys'),
        ({"enable": True, "cert_blacklist": "b"}, '"cert_blacklist" is not supported: to refuse revoked'),
        ({"enable": True, "for_login_only": True}, '"for_login_only" is not supported: it would'),
        ({"enable": True, "protocols": "SSLv3"}, "names SSLv3, which is insecure"),
        ({"enable": True, "protocols": "+TLSv1.1 +TLSv1.2"}, "names TLSv1.1, which is insecure"),
        ({"enable": True, "protocols": "TLSv9"}, "which is not a version"),
        ({"enable": True, "protocols": "TLSv1.2 TLSv1.3"}, r"write \+TLSv1.3 to add it"),
        ({"enable": True, "protocols": "all -all"}, "allows no version"),
        ({"enable": True, "protocols": 1.2}, "must be a str"),
    ],
)
def test_settings_that_are_refused(face, tls, message):
    with pytest.raises(aerospike.ParamError, match=message) as caught:
        face.client({**HOSTS, "tls": tls})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("tls", "message"),
    [
        ({"cafile": "no/such.pem"}, "no/such.pem.* cannot be read: "),
        ({"cipher_suite": "HIGH:!aNULL"}, "unknown cipher suite .HIGH.; the supported ones are TLS_AES"),
        ({"crl_check": True}, "contain no revocation list"),
        ({"crl_check_all": True}, "contain no revocation list"),
    ],
)
def test_settings_that_cannot_be_connected_with(face, authority, tls, message):
    with pytest.raises(aerospike.ParamError, match=message):
        face.connect({**HOSTS, "tls": authority.trusted(**tls)})


def test_invalid_key_files(face, authority, tmp_path):
    issued = authority.issue("client")
    file = tmp_path / "key.pem"
    for text, message in [
        (SECRET, "cannot be used"),
        (SECRET.replace("PRIVATE", "ENCRYPTED PRIVATE"), "is encrypted, which is not supported"),
        ("hush", "contains no private key"),
        (Path(authority.issue()["key"]).read_text(), "does not belong to the certificate"),
    ]:
        file.write_text(text)
        tls = authority.trusted(certfile=issued["cert"], keyfile=str(file))
        client = face.client({**HOSTS, "tls": tls})
        with pytest.raises(aerospike.ParamError, match=message) as caught:
            client.connect()
        for line in filter(None, text.splitlines()[1:-1] or [text]):
            assert line not in str(caught.value) + repr(client)


def test_keys_without_effect_cause_a_warning(face):
    with pytest.warns(UserWarning, match="log_session_info"):
        face.client({**HOSTS, "tls": {"enable": True, "log_session_info": True}})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        face.client({**HOSTS, "tls": {"enable": True, "for_login_only": False, "crl_check": False}})
        face.client({**HOSTS, "tls": None})
        face.client({**HOSTS, "tls": {}})


@pytest.mark.parametrize(
    ("tls", "message"),
    [
        ({"cert": "c", "key": "k"}, r"lacks \['name'\]"),
        ({"cert": "c", "key": "k", "name": "n", "cafile": "a"}, r"has the unknown keys \['cafile'\]"),
    ],
)
def test_the_servers_own_settings(tls, message):
    with pytest.raises(ValueError, match=message):
        DevServer(tls=tls)


def test_a_server_whose_files_are_wrong(authority):
    with pytest.raises(RuntimeError, match="TLS: cannot read a private key from"):
        DevServer(tls=authority.nodes(key=authority.file)).start()


# ---------------------------------------------------------------- logins over TLS


@pytest.fixture(scope="module")
def secured(authority):
    users = {"users": {"ann": SECRET}, "external_users": {"ext": SECRET}}
    with DevServer(nodes=2, tls=authority.nodes(), **users) as made:
        yield made


def test_external_users_over_tls(face, secured, authority):
    config = {**secured.config, "tls": authority.trusted(), "auth_mode": aerospike.AUTH_EXTERNAL}
    with face.connect({**config, "user": "ext", "password": SECRET}) as client:
        client.put(("test", "tls", "ext"), {"v": 1})
        assert client.get(("test", "tls", "ext")).bins == {"v": 1}
    text = refusal(face, {**config, "user": "ext", "password": f"no {SECRET}"}, exception.InvalidCredential)
    assert SECRET not in text
    off = {**config, "tls": {"enable": False}, "user": "ext", "password": SECRET}
    assert "requires TLS" in refusal(face, off, exception.ParamError)


def test_without_a_user_or_a_certificate(face, secured, authority):
    config = {**secured.config, "tls": authority.trusted()}
    assert "no user is configured" in refusal(face, config, exception.NotAuthenticated)
    config["auth_mode"] = aerospike.AUTH_PKI
    assert "requires TLS with a client certificate" in refusal(face, config, exception.ParamError)


def test_a_wrong_name_is_not_kept_for_its_address(face, secured, authority):
    host, port = secured.hosts[0]
    hosts = [(host, port, "other.test"), (host, port, NAME)]
    config = {"hosts": hosts, "tls": authority.trusted(), "user": "ann", "password": SECRET}
    with face.connect(config) as client:
        assert client.is_connected()
