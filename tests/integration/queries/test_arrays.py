"""Queries into NumPy arrays, with both clients: rows, values, what identifies them, arguments."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import MissingFieldWarning
from aerospike_py.exception import BatchDecodeError

SEND = {"key": aerospike.POLICY_KEY_SEND}
NEVER = 0xFFFFFFFF
DTYPE = np.dtype([("n", "i8"), ("f", "f4"), ("s", "S4")])


def fill(client, name, count, namespace="test"):
    """Writes ``count`` records, every second one with its key."""
    for number in range(count):
        bins = {"n": number, "f": number / 2, "s": f"s{number % 7}"}
        client.put((namespace, name, number), bins, policy=SEND if number % 2 else None)


def digests(blocks):
    found = [bytes(digest) for block in blocks for digest in block.digests]
    assert len(set(found)) == len(found), "records came twice"
    return set(found)


def expected_digests(name, count, namespace="test"):
    return {bytes(aerospike.calc_digest(namespace, name, number)) for number in range(count)}


def pickled(thing):
    return pickle.loads(pickle.dumps(thing))  # noqa: S301


@pytest.fixture(params=["to_numpy", "numpy_batches"])
def read(request):
    """Reads all records of a query, in one of the two ways; returns the blocks."""

    def one(query, *args, **kwargs):
        return [query.to_numpy(*args, **kwargs)]

    def blocks(query, *args, **kwargs):
        with query.numpy_batches(*args, **kwargs, rows=37) as batches:
            return [*batches]

    return one if request.param == "to_numpy" else blocks


def test_every_record_is_a_row_with_the_values_of_results(client, fresh_set, read):
    fill(client, fresh_set, 300)
    query = client.query("test", fresh_set)
    records = {record.key.digest: record for record in query.results()}
    assert len(records) == 300
    blocks = read(query, DTYPE)
    assert digests(blocks) == set(records)
    assert query.is_done()
    for block in blocks:
        assert block.batch_records.dtype == DTYPE
        assert block.batch_records.flags.c_contiguous
        assert block.meta.dtype == np.dtype([("gen", "u4"), ("ttl", "u4")])
        assert block.digests.dtype == np.dtype("V20")
        assert all(block.present[field].all() for field in DTYPE.names)
        assert (block.inexact, block.decode_errors) == ({}, 0)
        for row, digest, meta, key in zip(block, block.digests, block.meta, block.keys(), strict=True):
            record = records[bytes(digest)]
            assert (row["n"], row["f"], row["s"].decode()) == tuple(record.bins[name] for name in DTYPE.names)
            assert key == record.key.key
            assert (meta["gen"], meta["ttl"]) == (1, NEVER)


def test_a_batch_read_of_the_digests_is_the_same(client, fresh_set):
    fill(client, fresh_set, 50)
    records = client.query("test", fresh_set).to_numpy(DTYPE)
    batch = client.batch_read(
        [("test", fresh_set, None, bytes(digest)) for digest in records.digests], _dtype=DTYPE
    )
    assert (batch.batch_records == records.batch_records).all()
    assert (batch.meta == records.meta).all()


def test_meta(client, fresh_set):
    for number in range(3):
        client.put(("test", fresh_set, number), {"n": number}, {"ttl": 1000} if number else None)
    client.put(("test", fresh_set, 2), {"n": 2}, {"ttl": 5000})
    records = client.query("test", fresh_set).to_numpy([("n", "i8")])
    order = np.argsort(records["n"])
    assert records.meta["gen"][order].tolist() == [1, 1, 2]
    ttl = records.meta["ttl"][order].tolist()
    assert ttl[0] == NEVER
    assert 990 < ttl[1] <= 1000
    assert 4990 < ttl[2] <= 5000


def test_a_record_without_any_of_the_bins_is_a_row(client, fresh_set, read):
    fill(client, fresh_set, 10)
    for number in range(10, 20):
        client.put(("test", fresh_set, number), {"other": number})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        blocks = read(client.query("test", fresh_set), DTYPE)
    assert digests(blocks) == expected_digests(fresh_set, 20)
    present = np.concatenate([block.present for block in blocks])
    values = np.concatenate([block.batch_records for block in blocks])
    assert present["n"].sum() == present["s"].sum() == 10
    assert sorted(values["n"][present["n"]]) == list(range(10))
    assert (values[~present["n"]] == np.zeros((), DTYPE)).all()
    assert all((block.meta["gen"] == 1).all() for block in blocks)


def test_select_narrows_the_fields(client, fresh_set, read):
    fill(client, fresh_set, 20)
    query = client.query("test", fresh_set)
    query.select("n", "nothere")
    blocks = read(query, DTYPE)
    assert digests(blocks) == expected_digests(fresh_set, 20)
    for block in blocks:
        assert block.present["n"].all()
        assert not block.present["f"].any()
        assert not block.present["s"].any()
        assert not block["f"].any()
    # None of the fields is selected: rows all the same.
    query = client.query("test", fresh_set)
    query.select("nothere")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingFieldWarning)
        blocks = read(query, DTYPE)
    assert digests(blocks) == expected_digests(fresh_set, 20)
    query.select()
    assert all(block.present["f"].all() for block in read(query, DTYPE))


def test_stored_keys(client, fresh_set):
    keys = [1, -1, 2**63 - 1, -(2**63), "", "ü", "x" * 3000, b"", b"\0\xff", bytearray(b"blob"), "1"]
    for number, key in enumerate(keys):
        client.put(("test", fresh_set, key), {"n": number}, policy=SEND)
    client.put(("test", fresh_set, "unstored"), {"n": len(keys)})
    records = client.query("test", fresh_set).to_numpy([("n", "i8")])
    found = dict(zip(records["n"].tolist(), records.keys(), strict=True))
    for number, key in enumerate(keys):
        assert found[number] == key
        assert type(found[number]) in (type(key), bytearray, bytes)
    assert found[len(keys)] is None
    same = {record.bins["n"]: record.key.key for record in client.query("test", fresh_set)}
    assert {number: type(key) for number, key in found.items()} == {
        number: type(key) for number, key in same.items()
    }
    assert records.keys() is records.keys()


def test_the_sets_of_a_namespace(client, fresh_set, read):
    fill(client, fresh_set, 10, "bar")
    fill(client, fresh_set + "b", 10, "bar")
    client.put(("bar", None, fresh_set), {"n": 1})
    expected = {record.key.digest: record.key.set for record in client.query("bar")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # records of other tests
        blocks = read(client.query("bar"), DTYPE, errors="coerce")
    assert digests(blocks) == set(expected)
    for block in blocks:
        assert block.sets.dtype == object
        assert block.sets.tolist() == [expected[bytes(digest)] for digest in block.digests]
    assert {fresh_set, fresh_set + "b", None} <= {name for block in blocks for name in block.sets}
    [one] = [client.query("bar", fresh_set).to_numpy(DTYPE)]
    with pytest.raises(AttributeError, match="the query was of one set"):
        _ = one.sets


def test_nothing_to_read(client, fresh_set):
    query = client.query("test", fresh_set)
    records = query.to_numpy(DTYPE)
    assert (len(records), records.batch_records.dtype, len(records.meta)) == (0, DTYPE, 0)
    assert (records.digests.shape, records.keys(), records.present.shape) == ((0,), [], (0,))
    assert records.masked.shape == (0,)
    assert records.decode_errors == 0
    assert query.is_done()
    assert [*client.query("test", fresh_set).numpy_batches(DTYPE)] == []
    assert [*client.query("test", fresh_set).numpy_batches(DTYPE, out=np.zeros(3, DTYPE))] == []
    records = client.query("bar", fresh_set).to_numpy(DTYPE)
    assert len(records) == 0
    policy = {"partition_filter": {"begin": 7, "count": 1}}
    assert len(client.query("test", fresh_set).to_numpy(DTYPE, policy=policy)) == 0


class TestValues:
    def test_values_that_change_are_counted(self, client, fresh_set, read):
        for number in range(100):
            client.put(("test", fresh_set, number), {"n": number * 1000, "s": "s" * (number % 10)})
        dtype = np.dtype([("n", "i2"), ("s", "S4")])
        with pytest.warns(RuntimeWarning, match=r"values changed to fit their fields \(n, s\)"):
            blocks = read(client.query("test", fresh_set), dtype)
        assert sum(block.inexact.get("n", 0) for block in blocks) == 67
        assert sum(block.inexact.get("s", 0) for block in blocks) == 50
        by_digest = {bytes(aerospike.calc_digest("test", fresh_set, number)): number for number in range(100)}
        for block in blocks:
            numbers = np.array([by_digest[bytes(digest)] for digest in block.digests])
            assert (block["n"] == (numbers * 1000).astype("i2")).all()
            assert (block.inexact_mask("n") == (numbers * 1000 > 32767)).all()
            assert (block.inexact_mask("s") == (numbers % 10 > 4)).all()

    def test_the_same_value_or_an_error(self, client, fresh_set):
        for number in range(100):
            client.put(("test", fresh_set, number), {"n": number * 1000})
        query = client.query("test", fresh_set)
        with pytest.raises(
            BatchDecodeError, match="67 values do not fit the dtype: the record with the digest"
        ) as e:
            query.to_numpy([("n", "i2")], casting="same_value")
        batch = e.value.batch
        assert (len(batch), batch.decode_errors, e.value.count) == (100, 67, 67)
        assert query.is_done()
        for row, digest, field, _ in e.value.failures:
            assert (digest, field) == (bytes(batch.digests[row]), "n")
            assert digest.hex() in str(e.value) or row
            assert not batch.present["n"][row]
        assert batch.failed_mask("n").sum() == 67
        assert (batch["n"][batch.failed_mask("n")] == 0).all()
        coerced = query.to_numpy([("n", "i2")], casting="same_value", errors="coerce")
        assert (coerced.decode_errors, coerced.present["n"].sum()) == (67, 33)

    def test_a_block_that_does_not_fit_raises_and_the_next_follows(self, client, fresh_set):
        for number in range(100):
            client.put(("test", fresh_set, number), {"n": number if number % 10 else "text"})
        query = client.query("test", fresh_set)
        blocks, failed, errors = [], [], 0
        batches = query.numpy_batches([("n", "i8")], rows=9)
        while True:
            try:
                blocks.append(next(batches))
            except BatchDecodeError as error:  # noqa: PERF203
                errors += error.count
                failed.append(error.batch)
                blocks.append(error.batch)
            except StopIteration:
                break
        assert errors == sum(block.decode_errors for block in failed) == 10
        assert [len(block) for block in blocks] == [9] * 11 + [1]
        assert digests(blocks) == expected_digests(fresh_set, 100)
        assert sum(block.present["n"].sum() for block in blocks) == 90
        assert query.is_done()
        blocks = [*query.numpy_batches([("n", "i8")], rows=9, errors="coerce")]
        assert sum(block.decode_errors for block in blocks) == 10

    def test_missing_fields_are_warned_of_once(self, client, fresh_set):
        fill(client, fresh_set, 5)
        dtype = np.dtype([("n", "i8"), ("nn", "i8")])
        with pytest.warns(MissingFieldWarning, match="the bin 'nn'") as caught:
            records = client.query("test", fresh_set).to_numpy(dtype)
        assert len(caught) == 1
        assert caught[0].message.batch is records
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            client.query("test", fresh_set).to_numpy(dtype)

    def test_missing_fields_of_blocks_are_warned_of_at_the_end(self, client, fresh_set):
        fill(client, fresh_set, 50)
        client.put(("test", fresh_set, "one"), {"rare": 1})
        dtype = np.dtype([("n", "i8"), ("rare", "i8")])
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # one block has it
            assert len([*client.query("test", fresh_set).numpy_batches(dtype, rows=5)]) == 11
        dtype = np.dtype([("n", "i8"), ("never", "i8")])
        batches = client.query("test", fresh_set).numpy_batches(dtype, rows=5)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for _ in range(11):
                next(batches)
        with pytest.warns(MissingFieldWarning, match="the bin 'never'") as caught:
            assert [*batches] == []
        assert len(caught) == 1

    def test_changed_values_of_blocks_are_warned_of_once_at_the_end(self, client, fresh_set):
        for number in range(50):
            client.put(("test", fresh_set, number), {"n": 1000})
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            blocks = [*client.query("test", fresh_set).numpy_batches([("n", "i1")], rows=5)]
        assert [block.inexact for block in blocks] == [{"n": 5}] * 10
        assert len(caught) == 1
        assert "(n)" in str(caught[0].message)


class TestDtypes:
    def test_many_fields(self, client, fresh_set, read):
        names = [f"b{number}" for number in range(70)]
        for row in range(40):
            client.put(
                ("test", fresh_set, row),
                {name: row * 100 + at for at, name in enumerate(names) if (row + at) % 3},
            )
        dtype = np.dtype([(name, ("i4", ">i8", "f8", "u2")[at % 4]) for at, name in enumerate(names)])
        by_digest = {bytes(aerospike.calc_digest("test", fresh_set, row)): row for row in range(40)}
        found = 0
        for block in read(client.query("test", fresh_set), dtype):
            for values, present, digest in zip(block, block.present, block.digests, strict=True):
                row = by_digest[bytes(digest)]
                found += 1
                assert present.tolist() == tuple(bool((row + at) % 3) for at in range(70))
                expected = [row * 100 + at if (row + at) % 3 else 0 for at in range(70)]
                assert list(values.tolist()) == expected
        assert found == 40

    def test_gaps_are_zero(self, client, fresh_set, read):
        fill(client, fresh_set, 100)
        dtype = np.dtype({"names": ["n", "s"], "formats": ["<i8", "S3"], "offsets": [5, 16], "itemsize": 29})
        gaps = np.ones(29, bool)
        gaps[5:13] = gaps[16:19] = False
        for block in read(client.query("test", fresh_set), dtype):
            assert block.batch_records.dtype == dtype
            raw = block.batch_records.view("u1").reshape(-1, 29)
            assert not raw[:, gaps].any()
            assert (block["s"] == [b"s%d" % (number % 7) for number in block["n"]]).all()
        aligned = np.dtype([("s", "S1"), ("n", "i8"), ("f", "f4")], align=True)
        for block in read(client.query("test", fresh_set), aligned, errors="coerce", casting="same_value"):
            raw = block.batch_records.view("u1").reshape(-1, aligned.itemsize)
            assert not raw[:, 1:8].any()
            assert not raw[:, 20:].any()

    def test_vectors_bytes_and_lists(self, client, fresh_set, read):
        for number in range(100):
            vector = np.arange(number, number + 128, dtype="f4")
            client.put(
                ("test", fresh_set, number),
                {"n": number, "v": vector.tobytes(), "l": [number, 1, 2], "b": bytes([number]) * 5, "t": "ä"},
            )
        dtype = np.dtype([("n", "u1"), ("v", "f4", (128,)), ("l", ">i2", (3,)), ("b", "V5"), ("t", "S8")])
        found = []
        for block in read(client.query("test", fresh_set), dtype):
            numbers = block["n"].astype("i8")
            found += numbers.tolist()
            assert (block["v"] == numbers[:, None] + np.arange(128)).all()
            assert (block["l"][:, 0] == numbers).all()
            assert (block["l"][:, 1:] == [1, 2]).all()
            assert [bytes(value) for value in block["b"]] == [bytes([number]) * 5 for number in numbers]
            assert (block["t"] == "ä".encode()).all()
            assert all(block.present[name].all() for name in dtype.names)
        assert sorted(found) == list(range(100))

    def test_large_rows(self, client, fresh_set, read):
        for number in range(30):
            client.put(("test", fresh_set, number), {"n": number, "b": bytes([number]) * 300_000})
        dtype = np.dtype([("n", "i8"), ("b", "V300000")])
        found = []
        for block in read(client.query("test", fresh_set), dtype):
            for row in block:
                assert bytes(row["b"]) == bytes([row["n"]]) * 300_000
                found.append(int(row["n"]))
        assert sorted(found) == list(range(30))

    def test_maps_into_structs(self, client, fresh_set, read):
        for number in range(60):
            client.put(("test", fresh_set, number), {"m": {"a": number, "in": {"b": number / 2}}})
        dtype = np.dtype([("m", [("a", "i8"), ("in", [("b", "f8")])])])
        blocks = read(client.query("test", fresh_set), dtype)
        assert sorted(value for block in blocks for value in block["m"]["a"]) == list(range(60))
        for block in blocks:
            assert (block["m"]["in"]["b"] == block["m"]["a"] / 2).all()
            assert block.present["m"]["in"]["b"].all()


class TestArguments:
    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({}, TypeError, "_dtype is missing"),
            ({"_dtype": "i8"}, TypeError, "no named fields"),
            ({"_dtype": 5}, TypeError, "_dtype is 5"),
            ({"_dtype": [("a", "O")]}, TypeError, "field 'a' is a Python object"),
            ({"_dtype": [("a", "U3")]}, TypeError, "field 'a' is a unicode string"),
            ({"_dtype": [("a" * 16, "i8")]}, ValueError, "bin names have at most 15"),
            ({"_dtype": []}, TypeError, "no named fields"),
            ({"_dtype": DTYPE, "dtype": [("n", "i4")]}, TypeError, "pass one of them"),
            ({"_dtype": DTYPE, "casting": "safe"}, aerospike.ParamError, "casting is 'safe'"),
            ({"_dtype": DTYPE, "errors": "ignore"}, aerospike.ParamError, "errors is 'ignore'"),
            ({"_dtype": DTYPE, "policy": 5}, aerospike.ParamError, "query policy is of type int"),
            ({"_dtype": DTYPE, "policy": {"total_timeot": 5}}, aerospike.ParamError, "total_timeout"),
        ],
    )
    def test_wrong_ones_are_refused(self, client, fresh_set, arguments, error, message):
        query = client.query("test", fresh_set)
        with pytest.raises(error, match=message):
            query.to_numpy(**arguments)
        # Before anything is asked for.
        with pytest.raises(error, match=message):
            query.numpy_batches(**arguments)
        assert query.get_partitions_status() == {}

    @pytest.mark.parametrize("rows", [0, -1, True, 2.5, "5", None, 2**64, [5]])
    def test_wrong_numbers_of_rows(self, client, fresh_set, rows):
        for more in ({}, {"out": np.zeros(3, DTYPE)}):
            with pytest.raises(
                aerospike.ParamError, match=r"rows is .*; it must be a whole number of at least 1"
            ):
                client.query("test", fresh_set).numpy_batches(DTYPE, rows, **more)

    def test_dtype_may_be_said_by_either_name(self, client, fresh_set, read):
        fill(client, fresh_set, 3)
        assert sum(map(len, read(client.query("test", fresh_set), dtype=DTYPE))) == 3
        assert sum(map(len, read(client.query("test", fresh_set), _dtype=DTYPE.descr))) == 3

    def test_a_namespace_that_is_not_there(self, client, read):
        with pytest.raises(aerospike.NamespaceNotFound) as raised:
            client.query("nowhere").to_numpy(DTYPE)
        assert len(raised.value.batch) == 0
        batches = client.query("nowhere").numpy_batches(DTYPE)
        with pytest.raises(aerospike.NamespaceNotFound):
            next(batches)
        with pytest.raises(StopIteration):
            next(batches)

    def test_policies_are_taken(self, client, fresh_set, read):
        fill(client, fresh_set, 20)
        policy = {
            "total_timeout": 20_000,
            "socket_timeout": 10_000,
            "max_retries": 3,
            "sleep_between_retries": 10,
            "replica": aerospike.POLICY_REPLICA_MASTER,
            "max_concurrent_nodes": 1,
            "compress": False,
        }
        for duration in ("LONG", "SHORT", "LONG_RELAX_AP"):
            policy["expected_duration"] = getattr(aerospike, f"QUERY_DURATION_{duration}")
            assert digests(read(client.query("test", fresh_set), DTYPE, policy=policy)) == expected_digests(
                fresh_set, 20
            )


class TestClients:
    def test_one_that_is_not_connected_connects(self, face, config, client, fresh_set, read):
        fill(client, fresh_set, 20)
        new = face.client(config)
        assert not new.is_connected()
        assert sum(map(len, read(new.query("test", fresh_set), DTYPE))) == 20
        new.close()

    def test_a_closed_one_refuses(self, face, config, fresh_set, read):
        client = face.connect(config)
        query = client.query("test", fresh_set)
        client.close()
        with pytest.raises(aerospike.ClientError, match="the client is closed"):
            read(query, DTYPE)

    def test_closing_ends_its_queries(self, face, config, fresh_set):
        client = face.connect(config)
        for number in range(3000):
            client.put(("test", fresh_set, number), {"n": number, "b": bytes(2000)})
        query = client.query("test", fresh_set)
        batches = query.numpy_batches([("n", "i8")], rows=5)
        blocks = [next(batches)]
        client.close()
        with pytest.raises(aerospike.ClientError, match="closed"):
            blocks.extend(batches)
        assert not query.is_done()
        assert len(blocks) < 600

    def test_its_default_policy_holds(self, face, config, client, fresh_set):
        fill(client, fresh_set, 40)
        with face.connect({**config, "policies": {"query": {"total_timeout": 250}}}) as limited:
            query = limited.query("test", fresh_set)
            query.records_per_second = 10
            with pytest.raises(aerospike.TimeoutError, match="query at node ") as raised:
                query.to_numpy(DTYPE)
            assert len(raised.value.batch) < 40


class TestResults:
    def test_they_behave_as_arrays(self, client, fresh_set):
        fill(client, fresh_set, 20)
        records = client.query("test", fresh_set).to_numpy(DTYPE)
        assert np.asarray(records) is records.batch_records
        assert records["n"].base is not None
        assert records[3] == records.batch_records[3]
        assert len(records[2:5]) == 3
        assert records[records["n"] > 9]["n"].sum() == sum(range(10, 20))
        assert sum(row["n"] for row in records) == sum(range(20))
        records.batch_records["n"] += 1  # writable, as any array
        assert "20 rows" in repr(records)
        assert records.filled(0)["n"].sum() == sum(range(1, 21))
        assert not records.masked["n"].mask.any()
        assert not hasattr(records, "result_codes")
        assert not hasattr(records, "get")

    def test_their_memory_outlives_everything_else(self, face, config, fresh_set):
        with face.connect(config) as client:
            fill(client, fresh_set, 5000 if face.name == "sync" else 300)
            column = client.query("test", fresh_set).to_numpy(DTYPE)["n"]
        assert sorted(column.tolist()) == list(range(len(column)))

    @pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, pickled])
    def test_they_can_be_copied(self, client, fresh_set, copier):
        fill(client, fresh_set, 20)
        for query in (client.query("test", fresh_set), client.query("test")):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                records = query.to_numpy(DTYPE, errors="coerce")
            again = copier(records)
            assert type(again) is type(records)
            assert (again.batch_records == records.batch_records).all()
            assert (again.digests == records.digests).all()
            assert (again.present == records.present).all()
            assert (again.meta == records.meta).all()
            assert again.keys() == records.keys()
            if query._set is None:
                assert again.sets.tolist() == records.sets.tolist()
            else:
                assert not hasattr(again, "sets")

    def test_as_tables(self, client, fresh_set):
        pandas = pytest.importorskip("pandas")
        fill(client, fresh_set, 20)
        records = client.query("test", fresh_set).to_numpy(DTYPE)
        frame = records.to_pandas()
        assert frame.index.name == "digest"
        assert set(frame.index) == {bytes(digest) for digest in records.digests}
        assert list(frame.columns) == ["n", "f", "s", "gen", "ttl"]
        assert sorted(frame["n"]) == list(range(20))
        with pytest.raises(ValueError, match="meta_prefix"):
            client.query("test", fresh_set).to_numpy([("n", "i8"), ("gen", "i8")]).to_pandas()
        for number in range(20):
            client.put(("test", fresh_set, number), {"n": number}, policy=SEND)
        frame = client.query("test", fresh_set).to_numpy(DTYPE).to_pandas("_")
        assert frame.index.name == "key"
        assert frame.loc[7]["n"] == 7
        assert list(frame.columns) == ["n", "f", "s", "_gen", "_ttl"]
        fill(client, fresh_set, 5, "bar")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = client.query("bar").to_numpy(DTYPE, errors="coerce").to_pandas()
        assert isinstance(frame.index, pandas.MultiIndex)
        assert frame.index.names[0] == "set"
        assert len(frame.loc[fresh_set]) == 5
        assert "20 rows" in records._repr_html_()
