"""Sets as tables of DuckDB."""

from __future__ import annotations

import pytest

import aerospike_py as aerospike
from aerospike_py import expressions as exp
from aerospike_py._engines import clients
from aerospike_py.testing import DevServer

duckdb = pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")

from aerospike_py.duckdb import register  # noqa: E402

pytestmark = pytest.mark.embedded


@pytest.fixture(scope="module")
def config():
    with DevServer(nodes=2) as server:
        with aerospike.client(server.config).connect() as client:
            for number in range(500):
                client.put(("test", "d", number), {"id": number, "name": f"n{number % 7}"})
        yield server.config
        clients.close_all()


def test_a_registered_set_is_read_by_each_query(config):
    connection = duckdb.connect()
    register(connection, "numbers", config, "test", "d")
    assert connection.sql("select sum(id), count(*) from numbers").fetchall()[0] == (124750, 500)
    assert connection.sql("select count(*) from numbers where name = 'n3'").fetchall()[0] == (71,)
    joined = "select count(*) from numbers a join numbers b on a.id = b.id"
    assert connection.sql(joined).fetchall()[0] == (500,)
    with aerospike.client(config).connect() as client:
        client.put(("test", "d", 500), {"id": 500, "name": "n3"})
        assert connection.sql("select count(*) from numbers").fetchall()[0] == (501,)
        client.remove(("test", "d", 500))


def test_columns_and_filters_limit_what_travels(config):
    connection = duckdb.connect()
    register(connection, "few", config, "test", "d", columns=["id"], where=exp.LT(exp.IntBin("id"), 10))
    assert connection.sql("select * from few order by id").fetchall() == [(number,) for number in range(10)]


def test_an_empty_set(config):
    connection = duckdb.connect()
    register(connection, "empty", config, "test", "nothing", schema={"id": "int64"})
    assert connection.sql("select count(*), max(id) from empty").fetchall()[0] == (0, None)
    register(connection, "none", config, "test", "nothing")
    assert connection.sql("select * from none").fetchall() == []
    assert connection.sql("select * from none").columns == ["_rows"]
