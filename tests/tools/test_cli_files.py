"""``export`` and ``import``: files of sets, there and back, also after a kill."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import datetime
from unittest.mock import Mock

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import aerospike_py as aerospike
from aerospike_py._cli import main
from aerospike_py._cli._files import formats, state
from aerospike_py._cli._files.spool import Spool, read_spool
from aerospike_py.testing import DevServer

pytestmark = pytest.mark.embedded

# Records of the set that exports are stopped in.
COUNT = 6_000
SEND = {"key": aerospike.POLICY_KEY_SEND}
READ = {
    "parquet": pa.parquet.read_table,
    "arrow": pa.feather.read_table,
    "csv": pa.csv.read_csv,
}


@pytest.fixture(scope="module")
def node():
    with DevServer() as server, aerospike.client(server.config).connect() as client:
        client.host = "{}:{}".format(*server.hosts[0])
        client.config = server.config
        yield client


def fill(client, name, count, **more):
    for number in range(count):
        bins = {"n": number, "x": number / 8, "text": f'zé\n,"{number}"'}
        if number % 3 == 0:
            del bins["x"]
        client.put(("test", name, number), {**bins, **more}, policy=SEND)


def run(capsys, *arguments, code=0):
    assert main(arguments) == code
    return capsys.readouterr()


def records(client, name):
    """Primary key to bins."""
    return {record.key.key: record.bins for record in client.query("test", name)}


def sorted_rows(table, by="key"):
    return table.sort_by(by).to_pylist()


class TestExport:
    @pytest.mark.parametrize("suffix", READ)
    def test_the_rows_of_a_file(self, capsys, node, tmp_path, fresh_set, suffix):
        fill(node, fresh_set, 10)
        file = tmp_path / f"out.{suffix}"
        printed = run(capsys, "export", node.host, "test", fresh_set, str(file))
        assert printed.out == f"10 records of test.{fresh_set} in {file}, {file.stat().st_size:,} bytes\n"
        assert printed.err == ""
        found = sorted_rows(READ[suffix](file))
        assert [row["key"] for row in found] == list(range(10))
        assert [row["n"] for row in found] == list(range(10))
        assert [row["x"] for row in found][:4] == [None, 0.125, 0.25, None]
        assert os.listdir(tmp_path) == [file.name]

    def test_columns_about_records_and_chosen_bins(self, capsys, node, tmp_path, fresh_set):
        fill(node, fresh_set, 5, at=1_700_000_000_000)
        file = str(tmp_path / "out.parquet")
        arguments = ["--meta", "digest,gen,set", "--bins", "at,n", "--column", "at=timestamp[ms]"]
        run(capsys, "export", node.host, "test", fresh_set, file, *arguments)
        table = pa.parquet.read_table(file)
        assert table.schema.names == ["digest", "gen", "set", "at", "n"]
        assert set(table["set"].to_pylist()) == {fresh_set}
        assert table["at"][0].as_py() == datetime(2023, 11, 14, 22, 13, 20)

    def test_records_without_stored_keys_have_digests(self, capsys, node, tmp_path, fresh_set):
        node.put(("test", fresh_set, 1), {"n": 1})
        file = tmp_path / "out.csv"
        run(capsys, "export", node.host, "test", fresh_set, str(file))
        [row] = pa.csv.read_csv(file).to_pylist()
        digest = aerospike.calc_digest("test", fresh_set, 1)
        assert row == {"digest": bytes(digest).hex(), "n": 1}

    def test_bins_that_no_record_has(self, capsys, node, tmp_path, fresh_set):
        fill(node, fresh_set, 3)
        file = str(tmp_path / "out.parquet")
        arguments = ["export", node.host, "test", fresh_set, file, "--bins"]
        printed = run(capsys, *arguments, "nn,m", code=1)
        assert f"records of test.{fresh_set} has the bin nn, m; aerospike-py peek shows" in printed.err
        printed = run(capsys, *arguments, "n,nn")
        assert printed.err == (
            "aerospike-py: none of the first 10,000 records has nn, which the file has no column for\n"
        )
        assert pa.parquet.read_table(file).schema.names == ["key", "n"]
        none = [f"{fresh_set}_none", str(tmp_path / "none.parquet")]
        printed = run(capsys, "export", node.host, "test", *none, "--bins", "n", code=1)
        assert "there are no records in" in printed.err

    def test_bins_to_leave_out_that_no_record_has(self, capsys, node, tmp_path, fresh_set):
        fill(node, fresh_set, 3)
        file = str(tmp_path / "out.parquet")
        arguments = ["export", node.host, "test", fresh_set, file, "--without"]
        printed = run(capsys, *arguments, "n,texts", code=1)
        assert printed.err == (
            f"aerospike-py: --without texts: none of the first 10,000 records of test.{fresh_set} has such a "
            "bin; did you mean text?\n"
        )
        printed = run(capsys, *arguments, "key", code=1)
        assert printed.err.endswith("has such a bin; --meta chooses columns about records\n")
        printed = run(capsys, *arguments, "text", "--bins", "n,x", code=1)
        assert printed.err == "aerospike-py: --without text: --bins does not have it\n"
        assert os.listdir(tmp_path) == []
        # A name that is like no other does no harm: the set may have the bin at another time.
        printed = run(capsys, *arguments, "n,elsewhere")
        assert "aerospike-py: --without elsewhere: none of the first 10,000 records of" in printed.err
        os.remove(file)
        printed = run(capsys, *arguments, "x", "--bins", "n,x")
        assert printed.err == ""
        assert pa.parquet.read_table(file).schema.names == ["key", "n"]

    def test_keys_of_several_types(self, capsys, node, tmp_path, fresh_set):
        fill(node, fresh_set, 3)
        node.put(("test", fresh_set, "text"), {"n": 1}, policy=SEND)
        file = str(tmp_path / "out.parquet")
        printed = run(capsys, "export", node.host, "test", fresh_set, file)
        assert "stored keys are of several types" in printed.err
        assert pa.parquet.read_table(file).schema.names[0] == "digest"

    def test_what_csv_cannot_hold(self, capsys, node, tmp_path, fresh_set):
        fill(node, fresh_set, 3, raw=b"\0\xff", tags=["a"])
        for without, name in (("tags", "raw"), ("raw", "tags")):
            file = tmp_path / f"{name}.csv"
            printed = run(
                capsys, "export", node.host, "test", fresh_set, str(file), "--without", without, code=1
            )
            assert f"column {name}" in printed.err
            assert "CSV cannot hold" in printed.err
            assert os.listdir(tmp_path) == []
        # What the message advises: the same file, without the columns.
        run(capsys, "export", node.host, "test", fresh_set, str(file), "--without", "raw,tags")
        assert os.listdir(tmp_path) == ["tags.csv"]

    def test_values_that_do_not_fit(self, capsys, node, tmp_path, fresh_set):
        fill(node, fresh_set, 4)
        node.put(("test", fresh_set, 2), {"n": "two"}, policy=SEND)
        file = tmp_path / "out.parquet"
        printed = run(capsys, "export", node.host, "test", fresh_set, str(file), code=1)
        assert "'n'" in printed.err
        assert printed.err.endswith(
            "of the query); --column NAME=TYPE chooses the type of a column, and --without NAME leaves it "
            "out\n"
        )
        printed = run(
            capsys, "export", node.host, "test", fresh_set, str(file), "--column", "n=int64", code=1
        )
        assert f"1 value did not fit its column and is null; {file}.failures.jsonl names it" in printed.err
        found = sorted_rows(pa.parquet.read_table(file))
        assert [row["n"] for row in found] == [0, 1, None, 3]
        [line] = (tmp_path / "out.parquet.failures.jsonl").read_text().splitlines()
        failure = json.loads(line)
        assert failure["column"] == "n"
        assert "integers" in failure["reason"]
        assert node.get(("test", fresh_set, None, bytes.fromhex(failure["digest"]))).bins["n"] == "two"

    def test_a_sample_that_is_not_the_whole_set_is_mentioned(self, capsys, node, tmp_path, fresh_set):
        fill(node, fresh_set, 20)
        file = str(tmp_path / "out.parquet")
        printed = run(capsys, "export", node.host, "test", fresh_set, file, "--sample", "5", "--bins", "n")
        assert printed.err == ""
        printed = run(capsys, "export", node.host, "test", fresh_set, file, "--sample", "5", "--overwrite")
        assert "inferred from 5 of 20 records" in printed.err

    def test_a_column_that_no_record_has(self, capsys, node, tmp_path, fresh_set):
        fill(node, fresh_set, 3)
        file = str(tmp_path / "out.parquet")
        printed = run(
            capsys, "export", node.host, "test", fresh_set, file, "--column", "nn=int64", "--bins", "n"
        )
        assert printed.err == (
            "aerospike-py: no record that was found has a value for the column 'nn' (the nearest bin is "
            "'n'); check the names of columns and sets\n"
        )

    def test_an_empty_set(self, capsys, node, tmp_path):
        file = tmp_path / "out.parquet"
        printed = run(capsys, "export", node.host, "test", "nothing", str(file), code=1)
        assert "there are no records in test.nothing" in printed.err
        run(capsys, "export", node.host, "test", "nothing", str(file), "--column", "n=int64")
        table = pa.parquet.read_table(file)
        assert (table.num_rows, table.schema.names) == (0, ["digest", "n"])

    def test_a_file_that_exists_is_kept(self, capsys, node, tmp_path, fresh_set):
        fill(node, fresh_set, 2)
        file = tmp_path / "out.csv"
        file.write_text("mine")
        printed = run(capsys, "export", node.host, "test", fresh_set, str(file), code=1)
        assert "exists; --overwrite replaces it" in printed.err
        assert file.read_text() == "mine"
        run(capsys, "export", node.host, "test", fresh_set, str(file), "--overwrite")
        assert file.read_text().startswith('"key"')

    def test_json(self, capsys, node, tmp_path, fresh_set):
        fill(node, fresh_set, 2)
        file = str(tmp_path / "out.arrow")
        found = json.loads(run(capsys, "export", node.host, "test", fresh_set, file, "--json").out)
        assert (found["records"], found["failures"], found["format"]) == (2, 0, "arrow")
        assert found["columns"]["n"] == "int64"


# The command line, with a state after each block. The block at which it is killed is on the disk, and no
# state knows it.
KILLED = """
import os, signal, sys
from aerospike_py._cli import main
from aerospike_py._cli._files import spool, state

def write(self, table):
    global blocks
    blocks += 1
    original(self, table)
    if blocks == 7:
        self.checkpoint()
        os.kill(os.getpid(), signal.SIGKILL)

blocks, original = 0, spool.Spool.write
spool.Spool.write, state.INTERVAL = write, 0.0
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def many(node):
    rows = np.zeros(COUNT, [("_key", "i8"), ("n", "i8")])
    rows["_key"] = rows["n"] = np.arange(COUNT)
    node.batch_write_numpy(rows, "test", "many", policy=SEND).raise_for_failures()
    return node


class TestInterruption:
    """An export that is killed in its middle."""

    def arguments(self, node, file):
        return ["export", node.host, "test", "many", str(file), "--column", "n=int64", "--rows", "150"]

    def saved(self, path):
        """The records that a state knows."""
        with open(path, encoding="utf-8") as file:
            return json.load(file)["progress"]["records"]

    def kill_in_the_middle(self, node, file, *more):
        """Runs an export that is killed at its seventh block; the number of records that its state knows."""
        done = subprocess.run(
            [sys.executable, "-c", KILLED, *self.arguments(node, file), *more],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert not os.path.exists(file)
        return self.saved(f"{file}.state")

    @pytest.mark.parametrize("suffix", READ)
    def test_a_resumed_export_has_every_record_once(self, capsys, many, tmp_path, suffix):
        file = tmp_path / f"out.{suffix}"
        first = self.kill_in_the_middle(many, file)
        second = self.kill_in_the_middle(many, file, "--resume")
        assert 0 < first < second < COUNT
        printed = run(capsys, *self.arguments(many, file), code=1)
        assert f"was stopped after {second:,} records; go on with it with --resume" in printed.err
        printed = run(capsys, *self.arguments(many, file), "--resume", "--json")
        assert json.loads(printed.out)["resumed_at"] == second
        table = READ[suffix](file)
        assert Counter(table["key"].to_pylist()) == Counter(range(COUNT))
        assert table["key"].to_pylist() == table["n"].to_pylist()
        assert os.listdir(tmp_path) == [file.name]

    def test_a_resumed_export_must_be_the_same(self, capsys, many, tmp_path):
        file = tmp_path / "out.parquet"
        self.kill_in_the_middle(many, file)
        printed = run(capsys, "export", many.host, "bar", "many", str(file), "--resume", code=1)
        assert "is the state of a run with the namespace 'test', not with the namespace 'bar'" in printed.err
        printed = run(capsys, *self.arguments(many, file), "--resume", "--without", "x,y", code=1)
        assert "the state of a run without --without, not with --without x,y; pass the same" in printed.err
        assert printed.err.endswith("begin anew with --overwrite\n")
        other = ["n=int32" if text == "n=int64" else text for text in self.arguments(many, file)]
        printed = run(capsys, *other, "--resume", code=1)
        assert "a run with --column n=int64, not with --column n=int32" in printed.err
        (tmp_path / "out.parquet.part").write_bytes(b"")
        printed = run(capsys, *self.arguments(many, file), "--resume", code=1)
        assert "is shorter than its state says" in printed.err
        (tmp_path / "out.parquet.state").write_text("{")
        printed = run(capsys, *self.arguments(many, file), "--resume", code=1)
        assert "cannot read the state" in printed.err
        run(capsys, *self.arguments(many, file), "--overwrite")
        assert pa.parquet.read_metadata(file).num_rows == COUNT

    def test_a_kill_after_the_last_record(self, capsys, many, tmp_path, monkeypatch):
        file = tmp_path / "out.parquet"

        def killed(*arguments):
            raise RuntimeError("killed")

        with monkeypatch.context() as patch:
            patch.setattr("aerospike_py._cli.export_set.write_file", killed)
            with pytest.raises(RuntimeError, match="killed"):
                main(self.arguments(many, file))
        assert not file.exists()
        # All records are there: the cluster is not needed.
        arguments = self.arguments(many, file)
        arguments[1] = "127.0.0.1:1"
        run(capsys, *arguments, "--resume")
        assert sorted(pa.parquet.read_table(file)["n"].to_pylist()) == list(range(COUNT))

    def test_a_failure_before_the_first_record_leaves_nothing(self, capsys, many, tmp_path, monkeypatch):
        def full(spool, table):
            raise OSError(28, "No space left on device", spool._file.name)

        file = tmp_path / "out.csv"
        with monkeypatch.context() as patch:
            patch.setattr(Spool, "write", full)
            printed = run(capsys, *self.arguments(many, file), code=1)
        assert "No space left on device" in printed.err
        assert os.listdir(tmp_path) == []
        with monkeypatch.context() as patch:
            error = aerospike.exception.TimeoutError("too slow")
            patch.setattr("aerospike_py.query.arrow.ArrowBatches.__next__", Mock(side_effect=error))
            printed = run(capsys, *self.arguments(many, file), code=1)
        assert "stopped before the first record: " in printed.err
        assert os.listdir(tmp_path) == []
        run(capsys, *self.arguments(many, file))

    def test_two_at_a_time(self, capsys, many, tmp_path):
        file = tmp_path / "out.parquet"
        with state.only_one(str(file)):
            printed = run(capsys, *self.arguments(many, file), code=1)
        assert "another process works on" in printed.err

    def test_a_cluster_that_goes_away(self, capsys, tmp_path, monkeypatch):
        file = tmp_path / "out.csv"
        blocks = []
        original = Spool.write

        def write(spool, table):
            original(spool, table)
            blocks.append(len(table))
            if len(blocks) == 3:
                server.pause(0)

        with DevServer() as server, aerospike.client(server.config).connect() as client:
            for number in range(1_000):
                client.put(("test", "s", number), {"n": number}, policy=SEND)
            host = "{}:{}".format(*server.hosts[0])
            command = ["export", host, "test", "s", str(file), "--column", "n=int64", "--timeout", "0.5"]
            with monkeypatch.context() as patch:
                patch.setattr(Spool, "write", write)
                printed = run(capsys, *command, "--rows", "50", "--records-per-second", "400", code=1)
            assert "the same command with --resume goes on" in printed.err
            assert f"stopped after {sum(blocks):,} records" in printed.err
            assert sum(blocks) < 1_000
            server.resume(0)
            run(capsys, *command, "--timeout", "20", "--resume")
        assert Counter(pa.csv.read_csv(file)["n"].to_pylist()) == Counter(range(1_000))


class TestImport:
    @pytest.mark.parametrize("suffix", READ)
    def test_there_and_back(self, capsys, node, tmp_path, fresh_set, suffix):
        fill(node, fresh_set, 50)
        file = tmp_path / f"out.{suffix}"
        run(capsys, "export", node.host, "test", fresh_set, str(file))
        key = ["--key", "key"] if suffix == "csv" else []
        printed = run(capsys, "import", node.host, "test", f"{fresh_set}b", str(file), *key)
        assert printed.out == f"50 of 50 rows of {file} written to test.{fresh_set}b\n"
        assert records(node, f"{fresh_set}b") == records(node, fresh_set)
        assert os.listdir(tmp_path) == [file.name]

    def test_nested_values_and_bytes(self, capsys, node, tmp_path, fresh_set):
        fill(node, fresh_set, 5, raw=b"\0\xff", tags=["a", "b"], m={"a": 1, "b": 2})
        file = str(tmp_path / "out.parquet")
        run(capsys, "export", node.host, "test", fresh_set, file, "--meta", "key,digest,gen,ttl,set")
        run(capsys, "import", node.host, "test", f"{fresh_set}b", file)
        assert records(node, f"{fresh_set}b") == records(node, fresh_set)

    def test_columns_bins_and_keys(self, capsys, node, tmp_path, fresh_set):
        file = str(tmp_path / "in.csv")
        with open(file, "w", encoding="utf-8") as out:
            out.write('id,zip,"a,b",empty,none\n7,01234,1.5,"",\n8,NA,2,x,\n')
        run(
            capsys, "import", node.host, "test", fresh_set, file, "--key", "id", "--key-as-bin",
            "--column", "zip=utf8", "--without", "none",
        )  # fmt: skip
        assert records(node, fresh_set) == {
            7: {"id": 7, "zip": "01234", "a,b": 1.5, "empty": ""},
            8: {"id": 8, "zip": "NA", "a,b": 2.0, "empty": "x"},
        }

    def test_nulls_can_remove_bins(self, capsys, node, tmp_path, fresh_set):
        node.put(("test", fresh_set, 1), {"a": 1, "b": 2})
        file = str(tmp_path / "in.parquet")
        pa.parquet.write_table(pa.table({"k": [1], "a": pa.array([None], pa.int64()), "b": [3]}), file)
        run(capsys, "import", node.host, "test", fresh_set, file, "--key", "k")
        assert node.get(("test", fresh_set, 1)).bins == {"a": 1, "b": 3}
        run(capsys, "import", node.host, "test", fresh_set, file, "--key", "k", "--nulls", "remove")
        assert node.get(("test", fresh_set, 1)).bins == {"b": 3}

    def test_time_to_live(self, capsys, node, tmp_path, fresh_set):
        file = str(tmp_path / "in.parquet")
        pa.parquet.write_table(pa.table({"k": [1], "a": [2]}), file)
        run(capsys, "import", node.host, "test", fresh_set, file, "--key", "k", "--ttl", "1000")
        assert 990 < node.get(("test", fresh_set, 1)).meta["ttl"] <= 1000

    def test_an_export_without_keys(self, capsys, node, tmp_path, fresh_set):
        node.put(("test", fresh_set, 1), {"n": 1})
        file = str(tmp_path / "out.parquet")
        run(capsys, "export", node.host, "test", fresh_set, file)
        printed = run(capsys, "import", node.host, "test", fresh_set, file, code=2)
        assert "has no primary keys: the records that were exported did not store theirs" in printed.err
        assert printed.err.endswith("pass --key with one of n\n")

    def test_rows_without_a_bin(self, capsys, node, tmp_path, fresh_set):
        file = str(tmp_path / "in.parquet")
        pa.parquet.write_table(pa.table({"k": [1, 2], "a": [2, None]}), file)
        printed = run(capsys, "import", node.host, "test", fresh_set, file, "--key", "k", code=1)
        assert "1 row was not written; it is in " in printed.err
        assert printed.err.endswith(
            "in.failed.parquet, with the reasons (the first row is row 0):\n  row 1: no bin to write\n"
        )
        [row] = pa.parquet.read_table(tmp_path / "in.failed.parquet").to_pylist()
        assert (row["_code"], row["_reason"]) == (-2, "no bin to write")

    @pytest.mark.parametrize("suffix", READ)
    def test_rows_that_fail_are_kept(self, capsys, node, tmp_path, fresh_set, suffix):
        for number in (3, 5):
            node.put(("test", fresh_set, number), {"a": -1})
        table = pa.table({"k": list(range(9)), "a": list(range(9))})
        file = str(tmp_path / f"in.{suffix}")
        formats.write_file(suffix, file, table.schema, iter(table.to_batches()))
        arguments = ["import", node.host, "test", fresh_set, file, "--key", "k", "--rows", "4"]
        printed = run(capsys, *arguments, "--exists", "create", code=1)
        kept = str(tmp_path / f"in.failed.{suffix}")
        assert printed.out == f"7 of 9 rows of {file} written to test.{fresh_set}\n"
        assert printed.err.endswith(
            f"2 rows were not written; they are in {kept}, with the reasons (the first row is row 0):\n"
            "  row 3 (and 1 more): RecordExistsError\n"
        )
        found = READ[suffix](kept).to_pylist()
        assert [(row["k"], row["a"], row["_row"], row["_code"], row["_reason"]) for row in found] == [
            (number, number, number, 5, "RecordExistsError") for number in (3, 5)
        ]
        printed = run(capsys, *arguments, code=1)
        assert "rows that an earlier import could not write" in printed.err
        run(capsys, "import", node.host, "test", fresh_set, kept, "--key", "k")
        assert node.get(("test", fresh_set, 3)).bins == {"a": 3}

    def test_values_that_no_bin_holds(self, capsys, node, tmp_path, fresh_set):
        values = [1, 2**64 - 1, 3, 4, 2**63]
        table = pa.table({"k": pa.array([1, 2, 3, None, 5]), "a": pa.array(values, pa.uint64())})
        file = str(tmp_path / "in.parquet")
        pa.parquet.write_table(table, file)
        printed = run(capsys, "import", node.host, "test", fresh_set, file, "--key", "k", "--json", code=1)
        assert json.loads(printed.out)["failed"] == 3
        assert {key: bins["a"] for key, bins in records(node, fresh_set).items()} == {1: 1, 3: 3}
        kept = pa.parquet.read_table(tmp_path / "in.failed.parquet").to_pylist()
        assert [row["_row"] for row in kept] == [1, 3, 4]
        assert kept[1]["_reason"].startswith("column 'k': the primary key is null")
        *_, first, second, third = printed.err.splitlines()
        assert first.startswith("  row 1: column 'a': 18446744073709551615 is above")
        assert second == f"  row 3: {kept[1]['_reason']}"
        assert third.startswith("  row 4: column 'a': 9223372036854775808 is above")

    def test_more_reasons_than_are_printed(self, capsys, node, tmp_path, fresh_set):
        file = str(tmp_path / "in.parquet")
        values = pa.array([1, *range(2**63, 2**63 + 5)], pa.uint64())
        pa.parquet.write_table(pa.table({"k": list(range(6)), "a": values}), file)
        printed = run(capsys, "import", node.host, "test", fresh_set, file, "--key", "k", code=1)
        lines = printed.err.splitlines()
        assert [line[:8] for line in lines[1:4]] == ["  row 1:", "  row 2:", "  row 3:"]
        assert lines[4:] == ["  and 2 more reasons; the file has each as _reason"]

    def test_a_type_that_no_bin_holds(self, capsys, node, tmp_path, fresh_set):
        file = str(tmp_path / "in.parquet")
        pa.parquet.write_table(pa.table({"k": [1], "d": pa.array([1], pa.decimal128(5, 2))}), file)
        printed = run(capsys, "import", node.host, "test", fresh_set, file, "--key", "k", code=1)
        assert "decimal" in printed.err
        assert "cast it" in printed.err
        assert "--column" not in printed.err
        assert os.listdir(tmp_path) == ["in.parquet"]

    def test_a_name_that_no_bin_has(self, capsys, node, tmp_path, fresh_set):
        file = tmp_path / "in.csv"
        file.write_text("id,a,of_sixteen_bytes\n1,2,3\n4,5,6\n")
        arguments = ["import", node.host, "test", fresh_set, str(file), "--key", "id"]
        printed = run(capsys, *arguments, code=1)
        assert printed.err.endswith("at most 15: rename the column, or leave it out with --without\n")
        assert os.listdir(tmp_path) == ["in.csv"]
        run(capsys, *arguments, "--without", "of_sixteen_bytes")
        assert records(node, fresh_set) == {1: {"a": 2}, 4: {"a": 5}}

    def test_a_csv_file_whose_keys_are_no_keys(self, capsys, node, tmp_path, fresh_set):
        file = tmp_path / "in.csv"
        file.write_text("id,a\n1.0,2\n7.5,3\n")
        arguments = ["import", node.host, "test", fresh_set, str(file), "--key", "id"]
        printed = run(capsys, *arguments, code=1)
        assert 'column "id" is float64, and a primary key is an integer, text or binary' in printed.err
        assert printed.err.endswith(": --column id=int64 or --column id=utf8 reads it as integers or text\n")
        assert os.listdir(tmp_path) == ["in.csv"]
        run(capsys, *arguments, "--column", "id=utf8")
        assert records(node, fresh_set) == {"1.0": {"a": 2}, "7.5": {"a": 3}}

    @pytest.mark.parametrize("suffix", READ)
    def test_a_killed_import_goes_on(self, capsys, node, tmp_path, fresh_set, monkeypatch, suffix):
        count = 1_000
        table = pa.table({"k": list(range(count)), "a": list(range(count))})
        file = str(tmp_path / f"in.{suffix}")
        batches = iter(table.to_batches(max_chunksize=70))
        formats.write_file(suffix, file, table.schema, batches)
        node.put(("test", fresh_set, 5), {"a": -1})
        arguments = ["import", node.host, "test", fresh_set, file, "--key", "k", "--rows", "100"]
        arguments += ["--exists", "create"]
        written = []
        original = aerospike.Client.batch_write_arrow

        def write(client, block, *rest, **options):
            if len(written) == 5:
                raise RuntimeError("killed")
            written.extend([len(block)])
            return original(client, block, *rest, **options)

        monkeypatch.setattr(state, "INTERVAL", 0.0)
        with monkeypatch.context() as patch:
            patch.setattr(aerospike.Client, "batch_write_arrow", write)
            with pytest.raises(RuntimeError, match="killed"):
                main(arguments)
        printed = run(capsys, *arguments, code=1)
        assert f"was stopped after {sum(written)} rows; go on with it with --resume" in printed.err
        printed = run(capsys, *arguments, "--resume", "--json", code=1)
        found = json.loads(printed.out)
        assert (found["rows"], found["failed"], found["resumed_at"]) == (count, 1, sum(written))
        assert {key: bins["a"] for key, bins in records(node, fresh_set).items() if key is not None} == {
            number: number for number in range(count) if number != 5
        }
        [row] = READ[suffix](tmp_path / f"in.failed.{suffix}").to_pylist()
        assert row["k"] == 5

    def test_a_file_that_changed(self, capsys, node, tmp_path, fresh_set, monkeypatch):
        file = str(tmp_path / "in.parquet")
        pa.parquet.write_table(pa.table({"k": [1, 2], "a": [1, 2]}), file)
        arguments = ["import", node.host, "test", fresh_set, file, "--key", "k"]
        with monkeypatch.context() as patch:
            patch.setattr("aerospike_py._cli.import_file.Import.finish", lambda self: sys.exit(9))
            with pytest.raises(SystemExit):
                main(arguments)
        pa.parquet.write_table(pa.table({"k": [1, 2, 3], "a": [1, 2, 3]}), file)
        printed = run(capsys, *arguments, "--resume", code=1)
        assert f"is the state of a run with the file {file} of " in printed.err
        assert printed.err.endswith("begin anew with --restart\n")
        run(capsys, *arguments, "--restart")
        assert len(records(node, fresh_set)) == 3 or node.exists(("test", fresh_set, 3)).meta

    def test_a_cluster_that_goes_away(self, capsys, tmp_path):
        file = str(tmp_path / "in.parquet")
        pa.parquet.write_table(pa.table({"k": list(range(500)), "a": list(range(500))}), file)
        with DevServer() as server:
            host = "{}:{}".format(*server.hosts[0])
            server.inject("close", command="batch")
            arguments = ["import", host, "test", "s", file, "--key", "k", "--rows", "100"]
            printed = run(capsys, *arguments, code=1)
            assert "stopped after 0 rows" in printed.err
            assert "--resume goes on" in printed.err
            server.clear_faults()
            assert run(capsys, *arguments, "--resume").out.startswith("500 of 500 rows")


class TestArguments:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["export", "{host}", "test", "s", "out.xls"], "does not say its format"),
            (["export", "{host}", "test", "s", "no/such/out.csv"], "there is no folder 'no/such'"),
            (["export", "{host}", "test", "s", "out.csv", "--meta", "when"], "--meta when"),
            (["export", "{host}", "test", "s", "out.csv", "--bins", "a,,b"], "a name is empty"),
            (["export", "{host}", "test", "s", "out.csv", "--column", "a=in8"], "there is no type 'in8'"),
            (["export", "{host}", "test", "s", "out.csv", "--column", "a=list<"], "--column a=list<"),
            (
                ["export", "{host}", "test", "s", "out.csv", "--column", "a234567890123456=int8"],
                "a bin's name has at most 15 bytes",
            ),
            (["import", "{host}", "test", "s", "{file}"], "which column of"),
            (["import", "{host}", "test", "s", "{file}", "--key", "id"], "--key id"),
            (["import", "{host}", "test", "s", "{file}", "--key", "k", "--bins", "b"], "--bins b"),
            (
                ["import", "{host}", "test", "s", "{file}", "--key", "k", "--without", "a"],
                "no column for a bin",
            ),
            (["import", "{host}", "test", "s", "{file}", "--key", "k", "--column", "a=wide"], "a=wide"),
        ],
    )
    def test_wrong_ones(self, capsys, node, tmp_path, monkeypatch, arguments, message):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "in.csv").write_text("k,a\n1,2\n")
        known = {"host": node.host, "file": "in.csv"}
        printed = run(capsys, *(text.format(**known) for text in arguments), code=2)
        assert message in printed.err
        assert os.listdir(tmp_path) == ["in.csv"]

    @pytest.mark.parametrize(
        "arguments",
        [
            ["export", "localhost", "test", "s"],
            ["export", "localhost", "test", "s", "f.csv", "--column", "a"],
            ["export", "localhost", "test", "s", "f.csv", "--resume", "--overwrite"],
            ["import", "localhost", "test", "s", "f.csv", "--rows", "0"],
        ],
    )
    def test_those_that_the_parser_refuses(self, capsys, arguments):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2

    def test_files_that_cannot_be_read(self, capsys, node, tmp_path):
        printed = run(
            capsys, "import", node.host, "test", "s", str(tmp_path / "no.csv"), "--key", "k", code=1
        )
        assert "cannot read" in printed.err
        for suffix in READ:
            file = tmp_path / f"broken.{suffix}"
            file.write_bytes(b"\xff\0not a file" * 20)
            printed = run(capsys, "import", node.host, "test", "s", str(file), "--key", "k", code=1)
            assert str(file) in printed.err

    def test_a_csv_file_whose_types_change(self, capsys, node, tmp_path, monkeypatch, fresh_set):
        monkeypatch.setattr(formats, "_CSV_BLOCK", 64)
        file = tmp_path / "in.csv"
        file.write_text("k,a\n" + "1,2\n" * 100 + "2,x\n")
        printed = run(capsys, "import", node.host, "test", fresh_set, str(file), "--key", "k", code=1)
        assert "--column NAME=utf8 reads a column as text" in printed.err

    def test_without_pyarrow(self, capsys, node, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        printed = run(capsys, "export", node.host, "test", "s", str(tmp_path / "out.csv"), code=1)
        assert "python -m pip install '.[files]'" in printed.err


VALUES = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats(allow_nan=False),
    pa.bool_(): st.booleans(),
    pa.utf8(): st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    pa.binary(): st.binary(max_size=20),
    pa.list_(pa.int64()): st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3),
    pa.struct([("a", pa.int64()), ("b", pa.utf8())]): st.fixed_dictionaries(
        {"a": st.integers(0, 9), "b": st.text(st.characters(codec="ascii"), max_size=3)}
    ),
}
FLAT = [pa.int64(), pa.float64(), pa.bool_(), pa.utf8()]


@st.composite
def tables(draw, kinds):
    """A table with integer keys, and columns with nulls."""
    rows = draw(st.integers(1, 12))
    columns = {"key": pa.array(range(rows), pa.int64())}
    for number, kind in enumerate(draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4))):
        values = st.lists(st.none() | VALUES[kind], min_size=rows, max_size=rows)
        columns[f"c{number}"] = pa.array(draw(values), kind)
    return pa.table(columns)


class TestProperties:
    @given(data=st.data(), form=st.sampled_from(formats.FORMATS), rows=st.integers(1, 5))
    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    def test_import_and_export_give_the_same_table(self, node, tmp_path_factory, data, form, rows):
        table = data.draw(tables(FLAT if form == "csv" else list(VALUES)))
        folder = tmp_path_factory.mktemp("files")
        name = folder.name
        first, second = str(folder / "in"), str(folder / "out")
        formats.write_file(form, first, table.schema, iter(table.to_batches()))
        columns = [f"--column={field.name}={_name(field.type)}" for field in table.schema]
        given = columns if form == "csv" else []
        shared = ["--format", form, "--rows", str(rows)]
        # A row without a value for any bin is no record: it is refused, and kept.
        kept = [row for row in table.to_pylist() if any(row[n] is not None for n in row if n != "key")]
        code = main(["import", node.host, "test", name, first, "--key", "key", *shared, *given])
        assert code == (0 if len(kept) == len(table) else 1)
        if code:
            failed = formats.Source(f"{first}.failed", form, {}, 100).blocks(0)
            assert sum(len(block) for block in failed) == len(table) - len(kept)
        assert main(["export", node.host, "test", name, second, "--meta", "key", *columns[1:], *shared]) == 0
        if form == "csv":
            # Types are not in the file; read them as they were.
            types = {field.name: field.type for field in table.schema}
            options = pa.csv.ConvertOptions(
                column_types=types,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            )
            parse = pa.csv.ParseOptions(newlines_in_values=True)
            found = pa.csv.read_csv(second, convert_options=options, parse_options=parse)
        else:
            found = READ[form](second)
        assert sorted_rows(found.select(table.schema.names)) == kept

    @given(cuts=st.lists(st.integers(0, 400), max_size=4), rows=st.lists(st.integers(1, 5), min_size=1))
    @settings(max_examples=30, deadline=None)
    def test_a_spool_keeps_what_a_checkpoint_kept(self, tmp_path_factory, cuts, rows):
        """Blocks are written; after some, the file loses or gains bytes behind the last checkpoint."""
        path = str(tmp_path_factory.mktemp("spool") / "part")
        kept, size, number = [], 0, 0
        for count, garbage in zip(rows, cuts + [0] * len(rows), strict=False):
            spool = Spool(path, "arrow", size)
            values = list(range(number, number + count))
            spool.write(pa.table({"a": values}))
            size = spool.checkpoint()
            kept += values
            number += count
            spool.write(pa.table({"a": [-1]}))  # no checkpoint knows it
            spool.checkpoint()
            spool.close()
            with open(path, "ab") as file:
                file.write(b"\xff" * garbage)
        spool = Spool(path, "arrow", size)
        spool.write(pa.table({"a": [number]}))
        spool.end()
        spool.close()
        assert [value for batch in read_spool(path) for value in batch["a"].to_pylist()] == [*kept, number]


def _name(kind):
    """A type's name as both commands take it."""
    names = {
        pa.int64(): "int64",
        pa.float64(): "float64",
        pa.bool_(): "bool",
        pa.utf8(): "utf8",
        pa.binary(): "binary",
        pa.list_(pa.int64()): "list<int64>",
    }
    return names.get(kind, "struct<a: int64, b: utf8>")
