"""What one record holds costs at most that record; keys that a query returns are taken everywhere."""

import asyncio
import gc
import json
import pickle
import struct
import warnings

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import AsyncClient, batch, operations
from aerospike_py._cli import main
from aerospike_py.inference import infer
from aerospike_py.testing import DevServer
from tests.support.records import MAP_KEYED_BY_A_LIST, put_as_it_is

pytestmark = pytest.mark.embedded

INTEGER, FLOAT, STRING = 1, 2, 3
SEND = {"key": aerospike.POLICY_KEY_SEND}
SEVEN = struct.pack(">q", 7)


@pytest.fixture(scope="module")
def server():
    with DevServer(options=["--any-map-keys"]) as server:
        yield server


@pytest.fixture
def client(face, server):
    with face.connect(server.config) as client:
        yield client


def put_raw(server, name, digest, stored_key=b"", bins=(b"n", SEVEN, INTEGER)):
    put_as_it_is(server.hosts[0], ("test", name), *bins, stored_key=stored_key, digest=digest)


def digest_of(name, number):
    return aerospike.calc_digest("test", name, f"odd {number}")


class TestKeysOfOtherTypes:
    """Other clients store keys that are neither integers nor text nor bytes; the server keeps any bytes."""

    KEYS = (
        bytes([FLOAT]) + struct.pack(">d", 1.5),
        bytes([20, 0x90]),
        bytes([17, 1]),
        bytes([23]),
        bytes([INTEGER, 1, 2, 3]),
        bytes([99]) + b"of no known type",
        bytes([19]) + MAP_KEYED_BY_A_LIST,
    )

    @pytest.fixture
    def name(self, server, client, fresh_set):
        for number, key in enumerate(self.KEYS):
            put_raw(server, fresh_set, digest_of(fresh_set, number), key)
        for number in range(20):
            client.put(("test", fresh_set, number), {"n": 7}, policy=SEND)
        return fresh_set

    def test_their_records_come_without_the_key(self, client, name):
        records = client.query("test", name).results()
        assert all(record.bins == {"n": 7} for record in records)
        keys = {record.key.digest: record.key.key for record in records}
        odd = {digest_of(name, number) for number in range(len(self.KEYS))}
        assert {digest for digest, key in keys.items() if key is None} == odd
        assert {key for key in keys.values() if key is not None} == set(range(20))

    def test_the_set_can_be_looked_at(self, server, client, name, capsys):
        inferred = client.infer_dtype("test", name)
        assert (inferred.records, inferred.unreadable) == (20 + len(self.KEYS), {})
        host, port = server.hosts[0]
        assert main(["peek", f"{host}:{port}", "test", name, "-n", "100", "--json"]) == 0
        records = json.loads(capsys.readouterr().out)
        assert {record["digest"] for record in records if record["key"] is None} == {
            digest_of(name, number).hex() for number in range(len(self.KEYS))
        }

    def test_the_keys_read_and_write_their_records(self, client, name):
        keys = [record.key for record in client.query("test", name)]
        batch = client.batch_read(keys, _dtype=np.dtype([("n", "i8")]))
        assert batch.ok.all()
        odd = next(key for key in keys if key.key is None)
        client.put(odd, {"n": 8})
        assert client.get(odd).bins == {"n": 8}


class TestKeysOfTextThatIsNotUtf8:
    """They come as bytes, and stay keys of text."""

    TEXT = b"\xff\xfek"
    # RIPEMD-160 over the name of the set "latin", the type of strings and the text.
    DIGEST = bytes.fromhex("4fc4fee18f78784ad8fee98bed722843a9d66fc3")
    PLACE = ("test", "latin")

    @pytest.fixture
    def key(self, server, client):
        put_raw(server, "latin", self.DIGEST, bytes([STRING]) + self.TEXT)
        client.put((*self.PLACE, "plain"), {"n": 7}, policy=SEND)
        client.put((*self.PLACE, b"\xff"), {"n": 9}, policy=SEND)
        [key] = [record.key for record in client.query(*self.PLACE) if record.key.digest == self.DIGEST]
        yield key
        for record in client.query(*self.PLACE).results():
            client.remove(record.key)

    def test_a_query_returns_the_bytes(self, key):
        assert key == (*self.PLACE, self.TEXT, self.DIGEST)

    def test_commands_on_one_record(self, client, key):
        assert client.get(key)[1:] == client.get(key, SEND)[1:]
        assert client.get(key, SEND).key == key
        assert client.get(key).key == (*self.PLACE, None, self.DIGEST)
        assert client.select(key, ["n"]).bins == {"n": 7}
        assert client.exists(key).meta["gen"] == 1
        # With the key sent, a server compares it with the stored one, type and all.
        client.put(key, {"n": 8}, policy=SEND)
        client.increment(key, "n", 1, policy=SEND)
        assert client.operate(key, [operations.read("n")], policy=SEND).bins == {"n": 9}
        client.touch(key, 100)
        client.remove_bin(key, ["other"])
        client.remove(key, policy=SEND)
        assert client.exists(key).meta is None
        # The same bytes as a blob are another key.
        assert client.exists((*self.PLACE, self.TEXT)).meta is None
        client.put(key, {"n": 7}, policy=SEND)
        assert [record.key for record in client.query(*self.PLACE) if record.key.digest == key.digest] == [
            key
        ]

    def test_batches(self, client, key):
        keys = [record.key for record in client.query(*self.PLACE)]
        assert len(keys) == 3
        dtype = np.dtype([("n", "i8")])
        for kind in (tuple, list):
            found = client.batch_read([*keys[:1], *map(kind, keys[1:])], _dtype=dtype)
            assert found.ok.all()
            assert key in found
            assert found.get(key)["n"] == found.get(key.key)["n"] == 7
            assert sorted(found.batch_records["n"]) == [7, 7, 9]
        rows = client.batch_read(keys)
        assert [row.key for row in rows] == keys
        assert all(row.result == 0 for row in rows)
        rows = client.batch_operate([key], [operations.increment("n", 1)], policy_batch_write=SEND)
        assert rows.batch_records[0].result == 0
        assert client.get(key).bins == {"n": 8}
        rows = aerospike.BatchRecords(
            [batch.Write(key, [operations.write("n", 5)], policy=SEND), batch.Read(key, read_all_bins=True)]
        )
        assert [row.result for row in client.batch_write(rows).batch_records] == [0, 0]
        assert client.get(key).bins == {"n": 5}
        removed = client.batch_remove([key], policy_batch_remove=SEND)
        assert removed.batch_records[0].result == 0
        assert client.exists(key).meta is None

    def test_a_bytes_key_of_the_same_bytes(self, client, key):
        """Only the digest tells the two keys apart, in either order and after pickling."""
        same = (*self.PLACE, self.TEXT)
        client.put(same, {"n": 9}, policy=SEND)
        dtype = np.dtype([("n", "i8")])
        blob = client.get(same, SEND).key
        for keys in ([key, blob], [blob, key]):
            expected = [7 if one is key else 9 for one in keys]
            batch = client.batch_read(keys, _dtype=dtype)
            for found in (batch, pickle.loads(pickle.dumps(batch))):  # noqa: S301 (its own)
                assert [found.get(one)["n"] for one in keys] == expected
                assert found.get(same)["n"] == 9
                # The keys of the result read the same records again.
                assert client.batch_read(found.keys, _dtype=dtype)["n"].tolist() == expected
        only_text = client.batch_read([key], _dtype=dtype)
        assert key in only_text
        assert blob not in only_text
        assert (*self.PLACE, self.TEXT, [1]) not in only_text

    def test_the_set_can_be_looked_at(self, server, client, key, capsys):
        inferred = client.infer_dtype(*self.PLACE)
        assert (inferred.records, inferred.unreadable) == (3, {})
        assert infer([client.get(key)]).records == 1
        host, port = server.hosts[0]
        assert main(["peek", f"{host}:{port}", *self.PLACE]) == 0
        assert main(["dtype", f"{host}:{port}", *self.PLACE]) == 0
        capsys.readouterr()
        assert main(["peek", f"{host}:{port}", *self.PLACE, "--json"]) == 0
        records = json.loads(capsys.readouterr().out)
        assert self.DIGEST.hex() in {record["digest"] for record in records}

    @pytest.mark.parametrize("wrong", ["abc", 5, b"\xff", b"abc"])
    def test_the_digest_of_another_key_is_refused(self, client, key, wrong):
        mixed, message = (*self.PLACE, wrong, key.digest), "its digest does not match its primary key and set"
        with pytest.raises(aerospike.ParamError, match=rf"keys\[0\]: {message}"):
            client.batch_read([mixed])
        for call in (client.get, client.remove, client.exists):
            with pytest.raises(aerospike.ParamError, match=f"key: {message}"):
                call(mixed)


class TestSetsThatAreNotUtf8:
    """A str cannot hold the name, so the digest identifies the record."""

    def test_the_keys_that_a_query_returns_are_taken(self, server, client, fresh_set):
        name = fresh_set.encode() + b"\xff"
        digest = digest_of(fresh_set, 1)
        put_raw(server, name, digest, bytes([STRING]) + b"k")
        [record] = [record for record in client.query("test") if record.key.digest == digest]
        assert record.bins == {"n": 7}
        assert record.key == ("test", None, None, digest)
        assert client.get(record.key).bins == {"n": 7}
        assert client.batch_read([record.key]).batch_records[0].record.bins == {"n": 7}
        assert client.batch_read([record.key], _dtype=[("n", "i8")])["n"].tolist() == [7]
        # A write has to name the record's set.
        with pytest.raises(aerospike.InvalidRequest):
            client.put(record.key, {"n": 8})
        assert [found.key for found in client.query("test") if found.key.digest == digest] == [record.key]
        client.remove(record.key)


class TestValuesThatPythonCannotRepresent:
    """All other records come; then an exception names those that did not."""

    @pytest.fixture
    def name(self, server, client, fresh_set):
        for number in range(300):
            client.put(("test", fresh_set, number), {"n": number}, policy=SEND)
        for number in range(0, 300, 10):
            self.spoil(server, fresh_set, number)
        return fresh_set

    @staticmethod
    def spoil(server, name, number):
        put_as_it_is(server.hosts[0], ("test", name, number), b"m", MAP_KEYED_BY_A_LIST)

    GOOD = frozenset(range(300)) - frozenset(range(0, 300, 10))

    @staticmethod
    def numbers(records):
        found = [record.bins["n"] for record in records]
        assert len(found) == len(set(found))
        return set(found)

    def check(self, error, name, count=30, records=None):
        assert (error.count, len(error.failures), error.code) == (count, min(count, 100), -1)
        assert isinstance(error, (aerospike.ClientError, ValueError))
        assert all(type(failure) is aerospike.RecordDecodeError for failure in error.failures)
        assert {failure.key.key for failure in error.failures} <= set(range(0, 300, 10))
        assert len({failure.key.digest for failure in error.failures}) == len(error.failures)
        assert all(failure.bin == "m" for failure in error.failures)
        first = error.failures[0]
        assert (error.key, error.bin) == (first.key, "m")
        assert f"Python cannot represent {count} records of <" in str(error)
        assert str(first.key) in str(error)
        assert 'bin "m" cannot be read: ' in str(error)
        assert (None if error.records is None else self.numbers(error.records)) == records

    def test_all_others_are_returned(self, client, name):
        query = client.query("test", name)
        with pytest.raises(aerospike.QueryDecodeError) as caught:
            query.results()
        self.check(caught.value, name, records=self.GOOD)
        assert query.is_done()
        copied = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 (its own)
        self.check(copied, name, records=self.GOOD)

    def test_foreach(self, client, name):
        query, found = client.query("test", name), []
        with pytest.raises(aerospike.QueryDecodeError) as caught:
            query.foreach(found.append)
        self.check(caught.value, name)
        assert self.numbers(found) == self.GOOD
        assert query.is_done()

    def test_the_loop(self, client, name):
        query, found = client.query("test", name), []
        records = query.records()
        with pytest.raises(aerospike.QueryDecodeError) as caught:
            found.extend(records)
        self.check(caught.value, name)
        assert self.numbers(found) == self.GOOD
        assert query.is_done()
        with pytest.raises(StopIteration):
            next(records)

    def test_pages(self, client, name):
        """Each page raises for its own records, and has its others."""
        query, good, bad = client.query("test", name), [], []
        query.max_records = 7
        query.paginate()
        while not query.is_done():
            try:
                good += query.results()
            except aerospike.QueryDecodeError as error:  # noqa: PERF203
                good += error.records
                bad += [failure.key.key for failure in error.failures]
        assert self.numbers(good) == self.GOOD
        assert sorted(bad) == [*range(0, 300, 10)]

    def test_the_list_of_failures_is_short(self, server, client, fresh_set):
        for number in range(150):
            self.spoil(server, fresh_set, number)
        with pytest.raises(aerospike.QueryDecodeError) as caught:
            client.query("test", fresh_set).results()
        assert (caught.value.count, len(caught.value.failures), caught.value.records) == (150, 100, [])

    def test_one(self, server, client, fresh_set):
        self.spoil(server, fresh_set, 10)
        with pytest.raises(aerospike.QueryDecodeError, match=r"cannot represent a record of .* It is Key\("):
            client.query("test", fresh_set).results()
        headers = client.query("test", fresh_set).results(options={"nobins": True})
        assert [record.bins for record in headers] == [{}]

    @pytest.mark.parametrize("stop", ["foreach", "close", "break", "raise"])
    def test_a_run_that_ends_early_warns(self, client, name, stop):
        query, found = client.query("test", name), []
        query.paginate()

        def take(record):
            found.append(record)
            if len(found) == 200 and stop == "raise":
                raise KeyError("ours")
            return len(found) < 200

        def run():
            if stop == "foreach":
                query.foreach(take)
            elif stop == "raise":
                with pytest.raises(KeyError, match="ours"):
                    query.foreach(take)
            elif stop == "close":
                with query.records() as records:
                    found.extend(next(records) for _ in range(200))
            else:
                any(not take(record) for record in query)
                gc.collect()

        message = r"the query left out records .* in the bins 'm'; "
        with pytest.warns(RuntimeWarning, match=message) as caught:
            run()
        assert len(caught) == 1
        # What the rest has is raised at its end; together they are all.
        with pytest.raises(aerospike.QueryDecodeError) as rest:
            query.results()
        assert 0 < rest.value.count < 30
        good = self.numbers(found[:-1]) | self.numbers(rest.value.records)
        assert good == self.GOOD
        assert len(found) - 1 + len(rest.value.records) == len(good)

    def test_the_callbacks_exception_is_raised_though_warnings_are_errors(self, server, face, name):
        with face.connect(server.config) as client, warnings.catch_warnings():
            warnings.simplefilter("error")
            query, found = client.query("test", name), []

            def take(record):
                found.append(record)
                if len(found) == 200:
                    raise KeyError("ours")

            with pytest.raises(KeyError, match="ours"):
                query.foreach(take)

    def test_the_warning_is_the_callers(self, server, client, name):
        with aerospike.client(server.config) as sync:
            records = sync.query("test", name).records()
            assert [next(records) for _ in range(200)]
            with pytest.warns(RuntimeWarning, match="left out records") as caught:
                records.close()
        assert caught[0].filename == __file__

    def test_the_status_is_exact_around_them(self, client, name):
        """After any number of records the rest has all others, each once, readable or not."""
        for count in (1, 9, 30, 127, 128, 129, 200):
            query = client.query("test", name)
            query.paginate()
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                with query.records() as records:
                    taken = [next(records) for _ in range(count)][:-1]
            with pytest.raises(aerospike.QueryDecodeError) as rest:
                query.results()
            assert self.numbers(rest.value.records) == self.GOOD - self.numbers(taken)
            assert (rest.value.count < 30) == bool(caught)

    def test_single_commands_name_the_record_and_the_bin(self, client, name):
        key = ("test", name, 10)
        for call, arguments in (
            (client.get, ()),
            (client.select, (["m"],)),
            (client.operate, ([operations.read("m")],)),
            (client.operate_ordered, ([operations.read("m")],)),
        ):
            with pytest.raises(aerospike.RecordDecodeError, match='bin "m" cannot be read: ') as caught:
                call(key, *arguments)
            assert (caught.value.key[:3], caught.value.bin) == (key, "m")
            copied = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 (its own)
            assert (copied.key, copied.bin) == (caught.value.key, "m")

    @pytest.mark.filterwarnings("ignore:rows of the batch failed:RuntimeWarning")
    def test_rows_of_batches_name_the_record_and_the_bin(self, client, name):
        rows = client.batch_read([("test", name, 10), ("test", name, 11)]).batch_records
        assert [row.result for row in rows] == [-1, 0]
        assert (rows[0].error.key, rows[0].error.bin) == (rows[0].key, "m")

    def test_peek_names_the_record(self, server, client, name, capsys):
        host, port = server.hosts[0]
        assert main(["peek", f"{host}:{port}", "test", name, "-n", "1000"]) == 1
        assert 'aerospike-py: record 10: bin "m" cannot be read' in capsys.readouterr().err

    def test_an_interrupted_call_does_not_report_them_twice(self, server, name):
        async def main():
            async with AsyncClient(server.config) as client:
                query = client.query("test", name)
                query.paginate()
                query.records_per_second = 300
                task = asyncio.create_task(query.results())
                await asyncio.sleep(0.3)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                query.records_per_second = 0
                with pytest.raises(aerospike.QueryDecodeError) as caught:
                    await query.results()
                self.check(caught.value, name, records=self.GOOD)

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            asyncio.run(main())
