"""The package without NumPy: everything but arrays works, and arrays say what to install."""

import importlib.util
import sys

import pytest

import aerospike_py
from aerospike_py._cli import main


def test_numpy_is_missing():
    """Otherwise the tests below prove nothing."""
    assert importlib.util.find_spec("numpy") is None


def test_importing_needs_no_numpy():
    assert "numpy" not in sys.modules
    assert aerospike_py.__version__


def test_records_are_written_and_read(client, fresh_set):
    keys = [("test", fresh_set, number) for number in range(3)]
    for key in keys[:2]:
        client.put(key, {"temperature": 20.5, "name": "north"})
    assert client.get(keys[0]).bins == {"temperature": 20.5, "name": "north"}
    records = client.batch_read(keys).batch_records
    assert [record.result for record in records] == [0, 0, 2]
    assert records[1].record.bins["name"] == "north"


def test_a_dtype_says_what_to_install(client, fresh_set):
    with pytest.raises(ImportError, match=r"numpy.*2\.0|install.*numpy"):
        client.batch_read([("test", fresh_set, "a")], _dtype=[("temperature", "f8")])


def test_inferring_a_dtype_says_what_to_install(client, fresh_set):
    with pytest.raises(ImportError, match=r"install.*numpy"):
        client.infer_dtype("test", fresh_set)


@pytest.mark.embedded
def test_the_command_line(capsys, server):
    host = ",".join(f"{host}:{port}" for host, port in server.hosts)
    assert main(["info", host]) == 0
    assert main(["dtype", host, "test", "s"]) == 1
    assert main(["bench", host]) == 1
    assert capsys.readouterr().err.count("NumPy is not installed") == 2


def test_writing_a_table_says_what_to_install(client, fresh_set):
    class Table:
        def __arrow_c_stream__(self, requested_schema=None):
            raise AssertionError("not exported")

    with pytest.raises(ImportError, match=r"batch_write_arrow needs NumPy 2\.0.*install"):
        client.batch_write_arrow(Table(), "test", fresh_set, key="id")
