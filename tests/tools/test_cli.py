"""The command line, against the embedded node."""

import ast
import io
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import GeoJSON
from aerospike_py._cli import main
from aerospike_py._cli.output import print_json
from aerospike_py._utils.hosts import parse_hosts
from aerospike_py._utils.table import table
from aerospike_py.testing import DevServer
from tests.support.records import fill_with_an_unreadable_one

pytestmark = pytest.mark.embedded

SEND = {"key": aerospike.POLICY_KEY_SEND}


@pytest.fixture
def host(own_node):
    return address(own_node)


def address(server, number=0):
    host, port = server.hosts[number]
    return f"{host}:{port}"


@pytest.fixture
def filled(own_node):
    with aerospike.client(own_node.config).connect() as client:
        for number in range(20):
            client.put(
                ("test", "sensors", f"sensor_{number}"),
                {"temperature": 20 + number / 4, "site": "Oslo", "raw": bytes(8)},
                policy=SEND,
            )
        client.put(("test", "sensors", "odd"), {"temperature": "warm\x1b[2J", "site": "Rom"}, policy=SEND)
        client.put(("bar", "others", 1), {"a": 1})
    return address(own_node)


def run(capsys, *arguments):
    """Runs a command that succeeds and returns its output."""
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


class TestInfo:
    def test_tables(self, capsys, filled):
        text = run(capsys, "info", filled)
        assert [line for line in text.splitlines() if line in ("nodes", "namespaces", "sets")] == [
            "nodes",
            "namespaces",
            "sets",
        ]
        assert filled in text
        assert any(line.split()[:3] == ["test", "sensors", "21"] for line in text.splitlines())

    def test_json(self, capsys, filled):
        found = json.loads(run(capsys, "info", filled, "--json"))
        assert [node["address"] for node in found["nodes"]] == [filled]
        objects = {row["namespace"]: row["objects"] for row in found["namespaces"]}
        assert objects == {"test": 21, "bar": 1}
        assert [(row["namespace"], row["set"], row["objects"]) for row in found["sets"]] == [
            ("bar", "others", 1),
            ("test", "sensors", 21),
        ]
        assert found["errors"] == []

    def test_replicas_are_not_counted(self, capsys):
        with DevServer(nodes=3) as server:
            with aerospike.client(server.config).connect() as client:
                for number in range(300):
                    client.put(("test", "s", number), {"a": 1})
            found = json.loads(run(capsys, "info", address(server), "--json"))
        assert len(found["nodes"]) == 3
        (row,) = found["sets"]
        # Each node rounds its own counts.
        assert 297 <= row["objects"] <= 300
        (objects,) = [row["objects"] for row in found["namespaces"] if row["namespace"] == "test"]
        assert 297 <= objects <= 300

    def test_an_empty_cluster(self, capsys, host):
        assert run(capsys, "info", host).endswith("sets\nnone\n")

    def test_a_node_that_cannot_be_reached(self, capsys):
        with DevServer(nodes=2) as server:
            server.pause(1)
            code = main(["info", address(server), "--timeout", "0.5", "--json"])
            printed = capsys.readouterr()
        assert code == 1
        found = json.loads(printed.out)
        assert len(found["nodes"]) == 1
        assert "reports a cluster of 2 nodes, but 1 could be reached" in found["errors"][0]
        assert found["errors"][0] in printed.err

    def test_a_node_that_does_not_answer(self, capsys, monkeypatch, own_node, host):
        def answers(client, command):
            if command == "build":
                return {"D1": (aerospike.TimeoutError("too late"), None)}
            return ask(client, command)

        ask = aerospike.Client.info_all
        monkeypatch.setattr(aerospike.Client, "info_all", answers)
        assert main(["info", host]) == 1
        printed = capsys.readouterr()
        assert "D1 did not answer 'build': too late" in printed.err
        assert host in printed.out


class TestDtype:
    def test_the_report(self, capsys, filled):
        text = run(capsys, "dtype", filled, "test", "sensors")
        source, _, report = text.partition("\n\n")
        names = {"np": np}
        assert eval(source, names) == np.dtype([("site", "S8"), ("raw", "V8")])  # noqa: S307
        assert "# 21 records, 2 fields of 16 bytes a row, 1 left out" in report
        assert "temperature: string in 'odd'" in report
        assert "\x1b" not in text

    def test_a_python_module(self, capsys, own_node, filled, tmp_path):
        with aerospike.client(own_node.config).connect() as client:
            # Names and values that could break out of a comment or a string.
            odd = {"it's": 1, 'q"\\': 2, "line\nend": 3, "site": "\rimport os"}
            client.put(("test", "sensors", "names\n"), odd, policy=SEND)
        text = run(capsys, "dtype", filled, "test", "sensors", "--python")
        names = {}
        exec(compile(text, "dtypes.py", "exec"), names)  # noqa: S102
        assert set(names["dtype"].names) == {"site", "raw", "it's", 'q"\\', "line\nend"}
        assert "# of test.sensors: 22 records" in text
        with aerospike.client(own_node.config).connect() as client:
            read = client.query("test", "sensors").to_numpy(names["dtype"])
        assert (len(read), read.inexact, read.decode_errors) == (22, {}, 0)
        (tmp_path / "dtypes.py").write_text(text, encoding="utf-8")
        code = "import dtypes; print(dtypes.dtype.itemsize)"
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, timeout=60)
        assert int(done.stdout) == names["dtype"].itemsize

    def test_json(self, capsys, filled):
        found = json.loads(run(capsys, "dtype", filled, "test", "sensors", "--json", "--compact"))
        assert found["records"] == 21
        assert [tuple(field) for field in found["dtype"]] == [("site", "S4"), ("raw", "V8")]
        (odd,) = [seen for seen in found["bins"] if seen["field"] is None]
        assert odd["name"] == "temperature"
        assert odd["types"] == {"float": 20, "string": 1}
        assert [key["key"] for key in odd["odd"]["string"]] == ["odd"]

    def test_a_sample(self, capsys, filled):
        found = json.loads(run(capsys, "dtype", filled, "test", "sensors", "--json", "--sample", "5"))
        assert found["records"] == 5

    def test_a_set_that_is_not_there(self, capsys, filled):
        assert main(["dtype", filled, "test", "nothing"]) == 1
        assert "there are no records in test.nothing" in capsys.readouterr().err


class TestPeek:
    def test_a_table(self, capsys, filled):
        text = run(capsys, "peek", filled, "test", "sensors", "-n", "30")
        lines = text.splitlines()
        assert lines[0].split() == ["key", "gen", "ttl", "temperature", "site", "raw"]
        assert len(lines) == 2 + 21
        (line,) = [line for line in lines if line.startswith("sensor_4 ")]
        assert line.split() == ["sensor_4", "1", "never", "21.0", "Oslo", "8", "bytes", "0" * 16]
        assert "\x1b" not in text

    def test_a_namespace(self, capsys, filled):
        assert len(run(capsys, "peek", filled, "test", "-n", "50").splitlines()) == 2 + 21
        assert main(["peek", filled, "nowhere"]) == 1
        assert "nowhere" in capsys.readouterr().err

    def test_a_node_that_hangs_costs_the_timeout(self, capsys):
        with DevServer(nodes=2, replication_factor=1) as server:
            with aerospike.client(server.config).connect() as client:
                for number in range(20):
                    client.put(("test", "s", number), {"a": 1})
            server.inject("silent", node=1, command="batch")
            assert main(["peek", address(server), "test", "s", "--timeout", "0.5"]) == 1
        assert "aerospike-py: " in capsys.readouterr().err

    def test_records_and_bins(self, capsys, filled):
        text = run(capsys, "peek", filled, "test", "sensors", "-n", "3", "--bins", "site")
        assert [len(line.split()) for line in text.splitlines()] == [4] * 5

    def test_bins_that_no_record_has(self, capsys, filled):
        assert main(["peek", filled, "test", "sensors", "-n", "3", "--bins", "site,sitt"]) == 0
        assert capsys.readouterr().err == "aerospike-py: none of these records has sitt\n"

    def test_json(self, capsys, filled):
        records = json.loads(run(capsys, "peek", filled, "test", "sensors", "-n", "100", "--json"))
        (record,) = [record for record in records if record["key"] == "sensor_4"]
        digest = aerospike.calc_digest("test", "sensors", "sensor_4").hex()
        assert record["digest"] == digest
        assert record["bins"] == {"temperature": 21.0, "site": "Oslo", "raw": {"$bytes": "00" * 8}}

    def test_a_set_that_is_not_there(self, capsys, filled):
        assert main(["peek", filled, "test", "nothing"]) == 1
        assert "there are no records in test.nothing" in capsys.readouterr().err
        assert json.loads(run(capsys, "peek", filled, "test", "nothing", "--json")) == []

    def test_a_record_that_python_cannot_read(self, capsys):
        with DevServer(options=["--any-map-keys"]) as server:
            fill_with_an_unreadable_one(server)
            assert main(["peek", address(server), "test", "s"]) == 1
        printed = capsys.readouterr()
        assert len(printed.out.splitlines()) == 2 + 9
        assert 'bin "m" cannot be read' in printed.err


class TestBench:
    def test_it_measures_and_removes_what_it_wrote(self, capsys, own_node, host):
        arguments = ["bench", host, "--records", "200", "--seconds", "0.1", "--json"]
        assert main(arguments) == 0
        printed = capsys.readouterr()
        lines = json.loads(printed.out)
        assert len(lines) == 7
        first, *steps = printed.err.splitlines()
        assert first.startswith(f"aerospike-py: measuring {host} (")
        assert first.endswith(") with 200 records in test.aerospike_py_bench")
        # Each step is announced before it is measured.
        assert [step.partition(": ")[2] for step in steps] == [
            f"{number} of 7: {line['what']} ..." for number, line in enumerate(lines, 1)
        ]
        assert all(line["calls"] > 0 and line["records_per_second"] > 0 for line in lines)
        with aerospike.client(own_node.config).connect() as client:
            assert client.exists(("test", "aerospike_py_bench", 0)).meta is None

    def test_it_does_not_touch_a_set_in_use(self, capsys, filled):
        assert main(["bench", filled, "--set", "sensors"]) == 1
        assert "test.sensors has records" in capsys.readouterr().err
        assert json.loads(run(capsys, "info", filled, "--json"))["sets"][1]["objects"] == 21

    def test_without_a_host_it_starts_a_node(self, capsys):
        assert main(["bench", "--records", "50", "--seconds", "0.1"]) == 0
        text = capsys.readouterr().out
        assert "batch_read of 50 into an array" in text


class TestErrors:
    @pytest.mark.parametrize(
        ("host", "message"),
        [
            ("127.0.0.1:1", "127.0.0.1:1: "),
            ("no-such-host.invalid", "no-such-host.invalid:3000: the name cannot be resolved"),
        ],
    )
    @pytest.mark.parametrize("command", ["info", "dtype", "peek", "bench"])
    def test_a_wrong_host(self, capsys, command, host, message):
        rest = ["test", "s"] if command in ("dtype", "peek") else []
        assert main([command, host, *rest]) == 1
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith("aerospike-py: no cluster was found")
        assert message in printed.err
        assert printed.err.count("\n") == 1

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "required: COMMAND"),
            (["info"], "required: HOST"),
            (["info", "a:b"], "the port of 'a:b' is not a number from 1 to 65535"),
            (["info", ":3000"], "':3000' has no host"),
            (["info", "a", "--timeout", "0"], "not a number of seconds above 0"),
            (["dtype", "a", "test", "s", "--sample", "-1"], "'-1' is not an integer of at least 1"),
            (["look"], "invalid choice"),
        ],
    )
    def test_wrong_arguments(self, capsys, arguments, message):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        assert message in capsys.readouterr().err

    def test_a_client_that_has_read_enough(self, filled):
        command = f"{sys.executable} -m aerospike_py info {filled} | true"
        answer = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
        assert answer.stderr == ""


class TestPasswords:
    @pytest.fixture
    def secured(self):
        with DevServer(users={"ann": "s3cret"}) as server:
            yield address(server)

    def test_from_the_environment(self, capsys, monkeypatch, secured):
        monkeypatch.setenv("AEROSPIKE_PASSWORD", "s3cret")
        assert secured in run(capsys, "info", secured, "--user", "ann")
        monkeypatch.setenv("AEROSPIKE_PASSWORD", "wr0ng")
        assert main(["info", secured, "--user", "ann"]) == 1
        error = capsys.readouterr().err
        assert "ann" in error
        assert "wr0ng" not in error

    def test_without_a_terminal_it_says_what_to_set(self, capsys, monkeypatch, secured):
        monkeypatch.delenv("AEROSPIKE_PASSWORD", raising=False)
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        assert main(["info", secured, "--user", "ann"]) == 1
        assert "set AEROSPIKE_PASSWORD" in capsys.readouterr().err

    @pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are Unix's")
    def test_at_a_terminal_it_asks_and_does_not_echo(self, secured):
        import pty

        parent, child = pty.openpty()
        environment = {name: value for name, value in os.environ.items() if name != "AEROSPIKE_PASSWORD"}
        process = subprocess.Popen(
            [sys.executable, "-m", "aerospike_py", "info", secured, "--user", "ann"],
            stdin=child,
            stdout=subprocess.PIPE,
            stderr=child,
            text=True,
            env=environment,
            start_new_session=True,
        )
        os.close(child)
        shown = b""
        while b"password of ann: " not in shown:
            shown += os.read(parent, 1000)
        time.sleep(0.1)  # it switches echo off after it has asked
        os.write(parent, b"s3cret\n")
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert secured in output
        try:
            while more := os.read(parent, 1000):
                shown += more
        except OSError:
            pass  # nobody has the other end any more
        os.close(parent)
        assert b"s3cret" not in shown


class TestTls:
    def test_the_files_are_used(self, capsys, tmp_path):
        certificates = pytest.importorskip("tests.support.certificates", exc_type=ModuleNotFoundError)
        authority = certificates.Authority(tmp_path)
        with DevServer(tls=authority.nodes(ca=authority.file)) as server:
            own = authority.issue("client")
            trusting = ["--tls-ca", authority.file, "--tls-name", certificates.NAME]
            shown = ["--tls-cert", own["cert"], "--tls-key", own["key"]]
            assert address(server) in run(capsys, "info", address(server), *trusting, *shown)
            assert main(["info", address(server), *trusting]) == 1
            assert "certificate" in capsys.readouterr().err
            assert main(["info", address(server), "--tls-ca", authority.file]) == 1, "the name is 127.0.0.1"
            assert main(["info", address(server), "--tls-ca", str(tmp_path / "nothing.pem")]) == 1
            assert "nothing.pem" in capsys.readouterr().err
            assert main(["info", address(server), "--timeout", "2"]) == 1, "without TLS"


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
class TestServe:
    def test_the_node_runs_until_it_is_told_to_end(self, capsys):
        process = subprocess.Popen(
            [sys.executable, "-m", "aerospike_py", "serve", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            where = process.stdout.readline().removeprefix("listening on ").strip()
            assert where in run(capsys, "info", where)
        finally:
            process.send_signal(signal.SIGTERM)
            _, hints = process.communicate(timeout=20)
        assert process.returncode == 0
        # What it says to try is right.
        assert f"aerospike-py info {where}\n" in hints
        [code] = [line.strip() for line in hints.splitlines() if "client = " in line]
        config = ast.literal_eval(code.partition("client(")[2].partition(").connect()")[0])
        assert ["{}:{}".format(*host) for host in config["hosts"]] == [where]

    def test_its_help_is_the_nodes(self):
        answer = subprocess.run(
            [sys.executable, "-m", "aerospike_py", "serve", "--help"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "--replication-factor" in answer.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are Unix's")
def in_a_process(*arguments, **options):
    options.setdefault("stdout", subprocess.PIPE)
    return subprocess.run(
        [sys.executable, "-m", "aerospike_py", *arguments],
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
        **options,
    )


@pytest.fixture
def text_beyond_ascii(own_node):
    with aerospike.client(own_node.config).connect() as client:
        client.put(("test", "cities", "å"), {"name": "Ålesund"}, policy=SEND)
    return address(own_node)


def test_characters_that_the_encoding_lacks_are_escaped(text_beyond_ascii):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = in_a_process("peek", text_beyond_ascii, "test", "cities", env=environment)
    assert done.returncode == 0
    assert rb"\xc5lesund" in done.stdout
    (line,) = done.stderr.splitlines()
    assert b"characters that the encoding ascii lacks are escaped" in line
    # JSON has escapes of its own.
    done = in_a_process("peek", text_beyond_ascii, "test", "cities", "--json", env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "Ålesund" in str(json.loads(done.stdout))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("command", ["info", "dtype", "peek"])
def test_output_that_is_full(filled, command):
    arguments = [command, filled] if command == "info" else [command, filled, "test", "sensors"]
    with open("/dev/full", "wb") as full:
        done = in_a_process(*arguments, stdout=full)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        b"aerospike-py: cannot write to standard output: No space left on device"
    ]


@pytest.mark.skipif(os.name == "nt", reason="a shell closes the descriptor")
def test_output_that_is_closed(filled):
    command = ["sh", "-c", '"$0" -m aerospike_py info "$1" >&-', sys.executable, filled]
    done = subprocess.run(command, stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [b"aerospike-py: standard output is closed"]


def test_a_field_that_no_record_has(filled, capsys):
    text = run(capsys, "dtype", filled, "test", "sensors", "--field", "nope=f4")
    [line] = [line for line in text.splitlines() if line.startswith("nope ")]
    assert line.split()[:3] == ["nope", "f4", "0%"]
    assert line.endswith("given by fields; not in the sample")


def test_a_dtype_with_fields_of_ones_own(filled, capsys):
    arguments = ["dtype", filled, "test", "sensors", "--field", "raw=(2,)f4", "--field", "temperature=f4"]
    text = run(capsys, *arguments)
    assert "('raw', '(2,)f4')" in text
    assert "('temperature', 'f4')" in text
    with pytest.raises(SystemExit) as stopped:
        main([*arguments, "--field", "raw"])
    assert stopped.value.code == 2
    assert "'raw' is not BIN=DTYPE" in capsys.readouterr().err


NESTED = np.dtype([("all", [("driver", [("it's", "f8"), ("trips", "i8")]), ("v", "f8", (2,))]), ("n", "i8")])


def test_a_nested_dtype_is_valid_python(own_node, capsys):
    with aerospike.client(own_node.config).connect() as client:
        for number in range(3):
            driver = {"it's": 0.5, "trips": number}
            client.put(("test", "drivers", number), {"all": {"driver": driver, "v": [0.5, 1]}, "n": 1})
    arguments = ["dtype", address(own_node), "test", "drivers"]
    text = run(capsys, *arguments)
    source, _, report = text.partition("\n\n")
    # Bins that are equally frequent come in the order of the server.
    assert {name: eval(source, {"np": np})[name] for name in ("all", "n")} == {  # noqa: S307
        name: NESTED[name] for name in ("all", "n")
    }
    assert "\n    ('all', [\n        ('driver', [\n            (\"it's\", 'f8'),\n" in source
    assert "4 fields of 40 bytes a row" in report
    assert "all.driver.trips  i8" in report
    found = json.loads(run(capsys, *arguments, "--json"))
    assert ["all", [["driver", [["it's", "f8"], ["trips", "i8"]]], ["v", "(2,)f8"]]] in found["dtype"]
    (seen,) = [seen for seen in found["bins"] if seen["name"] == "all"]
    assert [inner["name"] for inner in seen["fields"][0]["fields"]] == ["all.driver.it's", "all.driver.trips"]
    text = run(capsys, *arguments, "--field", "all.driver.trips=u2", "--field", "all.v=(2,)f4")
    assert "('trips', 'u2')" in text
    assert "('v', '(2,)f4')" in text


def test_progress_is_for_terminals(host):
    command = [sys.executable, "-m", "aerospike_py", "bench", host, "--records", "100", "--seconds", "0.1"]
    import fcntl
    import pty
    import struct
    import termios

    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=child)
    os.close(child)
    shown = b""
    try:
        while more := os.read(parent, 1000):
            shown += more
    except OSError:
        pass  # nobody has the other end any more
    output, _ = process.communicate(timeout=60)
    os.close(parent)
    # The bar is tqdm's, which is installed here.
    assert b"put, 32 in flight (async) ..." in shown
    assert b"writing:" in shown
    assert b"#" not in output


def test_the_script_is_installed():
    from importlib.metadata import entry_points

    (script,) = entry_points(group="console_scripts", name="aerospike-py")
    assert script.load() is main


def test_tables_align_and_write_nothing_to_the_terminal():
    text = table(["name", "n"], [["ä", "1"], ["漢字", "22"], ["\x1b[2J\n", "333"]], right=[1])
    assert text.splitlines() == [
        "name         n",
        "---------  ---",
        "ä            1",
        "漢字        22",
        "\\x1b[2J\\n  333",
    ]


def test_json_of_values_without_a_notation(capsys):
    point = {"type": "Point", "coordinates": [1, 2]}
    print_json([b"\x01\xff", float("nan"), float("-inf"), {1: b"a", "b": 2}, {"c": (1, 2)}, GeoJSON(point)])
    assert json.loads(capsys.readouterr().out) == [
        {"$bytes": "01ff"},
        {"$float": "nan"},
        {"$float": "-inf"},
        {"$map": [[1, {"$bytes": "61"}], ["b", 2]]},
        {"c": [1, 2]},
        {"$geojson": point},
    ]


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("db", [("db", 3000)]),
        ("db:3100, other", [("db", 3100), ("other", 3000)]),
        ("[::1]:3100", [("::1", 3100)]),
        ("[::1]", [("::1", 3000)]),
        ("::1", [("::1", 3000)]),
    ],
)
def test_hosts(text, hosts):
    assert parse_hosts(text) == hosts


@pytest.mark.parametrize(
    "text", ["", ":3000", "db:", "db:0", "db:65536", "db:x", "db:²", "[::1", "[::1]3000", "a,,b"]
)
def test_hosts_that_are_refused(text):
    with pytest.raises(ValueError, match=r"^there: "):
        parse_hosts(text, "there")
