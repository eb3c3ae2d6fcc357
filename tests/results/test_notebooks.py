"""What notebooks show: tables, and names that complete."""

import sys
from html.parser import HTMLParser

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import Keys
from aerospike_py._utils.progress import Progress

EVIL = "<script>alert('x')</script>"


class Table(HTMLParser):
    """The cells of a table. Fails if tags are not closed in their order."""

    def __init__(self, html):
        super().__init__()
        self.rows, self.caption, self._open = [], "", []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        assert not attributes
        assert tag in ("table", "caption", "thead", "tbody", "tr", "th", "td", "br"), tag
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")
        if tag != "br":
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] in ("th", "td"):
            self.rows[-1][-1] += data
        elif self._open and self._open[-1] == "caption":
            self.caption += data


def shown(value):
    html = value._repr_html_()
    assert "<script" not in html
    return Table(html)


@pytest.fixture
def people(client, fresh_set):
    client.put(("test", fresh_set, 1), {"name": EVIL, "n": 7, EVIL[:15]: 1})
    client.put(("test", fresh_set, 2), {"name": "Bea" * 1000, "tags": ["a"] * 5000})
    return Keys("test", fresh_set, [1, 2, 3])


def test_arrow_results(client, people):
    schema = {"name": "utf8", "n": "int64", EVIL[:15]: "int64"}
    records = client.batch_read_arrow(people, schema, meta=("key",))
    table = shown(records)
    assert table.caption == "ArrowRecords 3 rows x 4 columns, 2 found, 1 missing"
    header, types, first, second, missing = table.rows
    assert header == ["key", "name", "n", EVIL[:15]]
    assert types == ["<int64>", "<utf8>", "<int64>", "<int64>"]
    assert first == ["1", EVIL, "7", "1"]
    assert second[1].startswith("BeaBea")
    assert len(second[1]) == 60
    assert missing == ["3", "-", "-", "-"]


def test_arrow_results_are_bounded(client, fresh_set):
    wide = {f"c{number}": "int64" for number in range(200)}
    records = client.batch_read_arrow(Keys("test", fresh_set, range(1000)), wide)
    table = shown(records)
    # Types, nine rows, and a row that says that there are more.
    assert len(table.rows) == 12
    assert {len(row) for row in table.rows} == {21}
    assert table.rows[-1] == ["…"] * 21


def test_arrow_results_without_pyarrow(client, people, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    table = shown(client.batch_read_arrow(people, {"n": "int64"}))
    assert table.rows[:2] == [["n"], ["<int64>"]]
    assert "install pyarrow" in table.caption


def test_python_batches(client, people):
    batch = client.batch_read(people)
    table = shown(batch)
    assert table.caption == "BatchRecords 3 rows, 2 found, 1 missing"
    assert table.rows[0][:2] == ["key", "result"]
    by_name = [dict(zip(table.rows[0], row, strict=True)) for row in table.rows[1:]]
    assert [row["result"] for row in by_name] == ["ok", "ok", "RecordNotFound"]
    assert by_name[0]["name"] == EVIL
    assert max(len(text) for text in table.rows[2]) <= 60
    assert len(shown(client.batch_read(Keys("test", "none", range(500)))).rows) == 12


def test_python_batches_with_bins_of_those_names(client, fresh_set):
    client.put(("test", fresh_set, 1), {"key": 5, "result": 6})
    table = shown(client.batch_read([("test", fresh_set, 1)]))
    assert table.rows == [["key", "result", "bin key", "bin result"], ["1", "ok", "5", "6"]]


def test_batches_that_were_not_sent():
    from aerospike_py.batch import records

    rows = records.BatchRecords([records.Read(("test", "s", 1), []), records.Write(("test", "s", 2), [])])
    assert "2 not sent" in shown(rows).caption


def test_matrices(client, people):
    matrix = client.read_matrix([(people, ["n"])])
    table = shown(matrix)
    assert "2 found" in table.caption
    assert "1 missing" in table.caption
    assert table.rows == [["row", "n", "code"], ["0", "7.0", "0"], ["1", "-", "0"], ["2", "-", "2"]]


def test_results_of_writes(client, fresh_set):
    client.put(("test", fresh_set, 2), {"n": 1})
    rows = np.array([(1, 1), (2, 2)], [("_key", "i4"), ("n", "i4")])
    written = client.batch_write_numpy(rows[:1], "test", fresh_set)
    assert written._repr_html_() is None, "without failures, notebooks show the repr"
    with pytest.warns(RuntimeWarning, match="rows were not written"):
        failed = client.batch_write_numpy(
            rows, "test", fresh_set, policy={"exists": aerospike.POLICY_EXISTS_CREATE}
        )
    table = shown(failed)
    assert table.caption == "NumpyWriteResult 0 of 2 rows written, 2 failed (2 RecordExistsError)"
    assert table.rows[0] == ["row", "key", "result", "in doubt"]
    assert table.rows[2] == ["1", "2", "RecordExistsError", "False"]


def test_clients(face, config):
    client = face.client(config)
    plain = getattr(client, "async_client", client)
    assert plain._repr_html_() is None
    with client:
        table = shown(plain)
        assert table.rows[0] == ["node", "address", "connections in use", "idle", "state"]
        assert table.rows[1][-1] == "ok"
    assert plain._repr_html_() is None


def test_names_complete(client, people):
    dtype = np.dtype([("n", "i8"), ("m", [("a", "i4"), ("b", "i4")])])
    client.put(("test", people.set, 1), {"m": {"a": 1, "b": 2}})
    batch = client.batch_read(people, _dtype=dtype)
    names = batch._ipython_key_completions_()
    assert names == ["n", "m"]
    for name in names:
        assert len(batch[name]) == 3


def test_progress_is_tqdm_at_a_terminal(monkeypatch, capsys):
    bars = []

    class Bar:
        def __init__(self, **options):
            self.options, self.count, self.is_open = options, options["initial"], True
            bars.append(self)

        def update(self, count):
            self.count += count

        def close(self):
            self.is_open = False

    monkeypatch.setattr("tqdm.auto.tqdm", Bar)
    with Progress("reading", 10, "rows") as progress:
        progress.add(3)
    assert bars == []
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Progress("reading", 10, "rows", 2) as progress:
        progress.add(3)
    [bar] = bars
    assert (bar.options["desc"], bar.options["total"], bar.count, bar.is_open) == ("reading", 10, 5, False)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with Progress("reading", 10, "rows") as progress:
        progress.add(5)
    assert "reading [###############...............]  50% 5 rows" in capsys.readouterr().err


def test_progress_of_writes(client, fresh_set, monkeypatch):
    pa = pytest.importorskip("pyarrow")
    done = []
    monkeypatch.setattr(Progress, "add", lambda bar, count: done.append(count))
    table = pa.table({"id": range(100_000), "n": range(100_000)})
    # Much longer than the default: the machine may be busy.
    policy = {"total_timeout": 60_000}
    result = client.batch_write_arrow(table, "test", fresh_set, key="id", progress=True, policy=policy)
    result.raise_for_failures()
    assert sum(done) == 100_000
    with pytest.raises(aerospike.ParamError, match="or True for a bar"):
        client.batch_write_arrow(table, "test", fresh_set, key="id", progress="yes")
