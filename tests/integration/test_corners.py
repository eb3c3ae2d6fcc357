"""Regressions: masked keys, empty Keys, warnings as errors, races between connect and close."""

import asyncio
import threading
import warnings

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import AsyncClient, Keys

DTYPE = np.dtype([("i", "i8")])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ma.array([1, 2, 3], mask=[False, True, False]), r"values\[1\] is masked"),
        (np.ma.array(["a", "b"], mask=[True, False]), r"values\[0\] is masked"),
        (np.zeros(2, [("a", "i4")]), "structured"),
        (np.array([1.0, 2.0]), r'astype\("i8"\)'),
        (np.array([True, False]), r'astype\("i8"\)'),
        (np.array(5), "0 dimensions"),
        ([True], "True"),
    ],
)
def test_arrays_that_are_refused_as_keys(client, values, message):
    with pytest.raises(aerospike.ParamError, match=message):
        client.batch_read(Keys("test", "s", values), _dtype=DTYPE)


STRUCTS = np.array([(1, b"ab"), (2, b"cd")], [("n", "i4"), ("s", "S2")])


@pytest.mark.parametrize(
    "value",
    [
        "text",
        b"bytes",
        bytearray(b"bytes"),
        memoryview(b"bytes"),
        STRUCTS[0],
        STRUCTS[["s"]][0],
        np.void(b"abcd"),
        np.void(b""),
        np.str_("text"),
        np.bytes_(b"bytes"),
        np.int64(5),
        np.datetime64("NaT", "us"),
    ],
    ids=lambda value: f"{type(value).__name__}-{bytes(value) if isinstance(value, memoryview) else value!r}",
)
def test_one_value_as_keys(client, value):
    with pytest.raises(TypeError, match=f"values is one {type(value).__name__}; it must be an array"):
        Keys("test", "s", value)
    keys = Keys("test", "s", [1])
    # Even if it gets past the constructor.
    keys.values = value
    with pytest.raises((TypeError, aerospike.ParamError), match="values is"):
        client.batch_read(keys, _dtype=DTYPE)
    with pytest.raises((TypeError, aerospike.ParamError), match="values is"):
        client.batch_write_numpy(np.zeros(1, DTYPE), "test", "s", keys=value)


class Claims:
    """Looks like an array, and is none."""

    dtype = np.dtype("V4")

    def __len__(self):
        return 3

    def tobytes(self):
        return b"abcd"

    def astype(self, dtype):
        return self


def test_objects_that_look_like_arrays_as_keys(client):
    for dtype in ("V4", "S4", "i8", "u8", "U1"):
        claims = Claims()
        claims.dtype = np.dtype(dtype)
        with pytest.raises(aerospike.ParamError, match=r"Keys: values is .* it must be an array or sequence"):
            client.batch_read(Keys("test", "s", claims), _dtype=DTYPE)


def test_keys_of_pandas_with_gaps(client):
    pd = pytest.importorskip("pandas")
    for values in (pd.Series([1, None, 3], dtype="Int64"), pd.Series(["a", None], dtype=object)):
        with pytest.raises(aerospike.ParamError, match=r"values\[1\] is missing"):
            client.batch_read(Keys("test", "s", values), _dtype=DTYPE)
    whole = pd.Series([1, 2], dtype="Int64")
    assert len(client.batch_read(Keys("test", "s", whole), _dtype=DTYPE)) == 2


def test_masked_keys_without_a_mask(client):
    batch = client.batch_read(Keys("test", "s", np.ma.array([7, 8])), _dtype=DTYPE)
    assert batch._map == {7: 0, 8: 1}


def test_empty_keys_among_others(client, fresh_set):
    client.put(("test", fresh_set, 2), {"i": 2})
    for order in (1, -1):
        keys = [Keys("test", fresh_set, [1, 2]), Keys("test", "other", [])][::order]
        batch = client.batch_read(keys, _dtype=DTYPE)
        assert batch.batch_records["i"].tolist() == [0, 2]
        assert batch.get(2)["i"] == 2
        assert len(client.batch_read(keys)) == 2
    assert len(client.batch_read([Keys("test", "s", [])], _dtype=DTYPE)) == 0


def test_warnings_as_errors_lose_nothing(client, fresh_set):
    client.put(("test", fresh_set, 1), {"i": 300, "j": "text"})
    keys = [("test", fresh_set, 1)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning) as warned:
            client.batch_read(keys, _dtype=[("i", "i1")])
        assert warned.value.batch.batch_records["i"].tolist() == [44]  # type: ignore[attr-defined]
        with pytest.raises(aerospike.BatchDecodeError) as raised:
            client.batch_read(keys, _dtype=[("i", "i1"), ("j", "i1")])
        assert raised.value.batch.batch_records["i"].tolist() == [44]
        assert isinstance(raised.value.__context__, RuntimeWarning)


def test_a_warning_points_at_the_callers_line(config, fresh_set):
    with aerospike.client(config) as client:
        client.put(("test", fresh_set, 1), {"i": 300})
        with pytest.warns(RuntimeWarning, match="changed to fit") as caught:
            client.batch_read([("test", fresh_set, 1)], _dtype=[("i", "i1")])
        assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="shm") as caught:
        aerospike.client({**config, "shm": {}})
    assert caught[0].filename == __file__

    async def main():
        async with AsyncClient(config) as client:
            await client.batch_read([("test", fresh_set, 1)], _dtype=[("i", "i1")])
            await asyncio.gather(client.batch_read([("test", fresh_set, 1)], _dtype=[("i", "i1")]))

    with pytest.warns(RuntimeWarning, match="changed to fit") as caught:
        asyncio.run(main())
    assert [warning.filename == __file__ for warning in caught] == [True, False]
    assert "aerospike_py" in caught[1].filename


def test_times_that_numpy_cannot_mask(client, fresh_set):
    client.put(("test", fresh_set, 1), {"t": 5})
    batch = client.batch_read([("test", fresh_set, 1)], _dtype=[("t", "M8[25s]")])
    with pytest.raises(TypeError, match=r"'t'.*present"):
        _ = batch.masked


def test_numpy_scalars_in_policies(client, fresh_set):
    policy = {"total_timeout": np.int64(5_000), "durable_delete": np.False_}
    client.put(("test", fresh_set, 1), {"i": 1}, meta={"ttl": np.uint16(500)}, policy=policy)
    assert 490 <= client.exists(("test", fresh_set, 1)).meta["ttl"] <= 500


def test_a_digest_that_is_not_the_keys(client, fresh_set):
    client.put(("test", fresh_set, 2), {"i": 2})
    wrong = aerospike.calc_digest("test", fresh_set, 2)
    with pytest.raises(aerospike.ParamError, match=r"keys\[1\].*digest"):
        client.batch_read([("test", fresh_set, 2, wrong), ("test", fresh_set, 1, wrong)], _dtype=DTYPE)


@pytest.mark.parametrize("name", ["namespace", "set"])
def test_names_that_are_not_utf8(client, name):
    key = {"namespace": ("\ud800", "s", 1), "set": ("test", "\ud800", 1)}[name]
    with pytest.raises(aerospike.ParamError, match=f"{name}.*UTF-8"):
        client.batch_read([key], _dtype=DTYPE)


def test_threads_that_connect_one_client(config):
    client = aerospike.client(config)
    problems: list[BaseException] = []

    def work():
        try:
            client.connect()
            for _ in range(20):
                client.exists(("test", "s", 1))
        except aerospike.AerospikeError as error:
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.close()
    assert problems == []


def test_a_connect_in_flight_does_not_undo_a_close(config):
    async def main():
        for _ in range(5):
            client = AsyncClient(config)
            connecting = asyncio.create_task(client.connect())
            await asyncio.sleep(0)
            await client.close()
            with pytest.raises(aerospike.ClientError, match="closed while it was connecting"):
                await connecting
            assert not client.is_connected()

    asyncio.run(main())


def test_interrupts_are_not_taken_for_unreadable_values(config, fresh_set, monkeypatch):
    """An error of Python while it creates an object is raised as it is, not taken for an unreadable value."""
    with aerospike.client(config) as client:
        client.put(("test", fresh_set, 1), {"g": aerospike.GeoJSON({"type": "Point", "coordinates": [0, 0]})})

        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(aerospike.GeoJSON, "__init__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            client.get(("test", fresh_set, 1))
        with pytest.raises(KeyboardInterrupt):
            client.batch_read([("test", fresh_set, 1)])


def test_a_dtype_whose_names_are_replaced(client, fresh_set):
    key = ("test", fresh_set, 1)
    client.put(key, {"i": 1, "j": 2})
    dtype = np.dtype([("i", "i8")])
    assert client.batch_read([key], _dtype=dtype).batch_records["i"].tolist() == [1]
    dtype.names = ("j",)
    assert client.batch_read([key], _dtype=dtype).batch_records["j"].tolist() == [2]


def test_a_digest_that_is_not_the_keys_in_a_later_page(client, fresh_set):
    """Digests are computed while rows are in flight; given digests are checked before anything is sent."""
    keys = [("test", fresh_set, number) for number in range(3_000)]
    keys[2_500] = ("test", fresh_set, 1, b"x" * 20)
    with pytest.raises(aerospike.ParamError, match=r"keys\[2500\]: its digest"):
        client.batch_read(keys, _dtype=DTYPE)


@pytest.mark.parametrize("count", [1_023, 1_024, 1_025, 2_049, 5_000])
def test_pages_of_keys(client, fresh_set, count):
    written = [0, count // 2, count - 1]
    for number in written:
        client.put(("test", fresh_set, number), {"i": number + 1})
    batch = client.batch_read(Keys("test", fresh_set, np.arange(count)), _dtype=DTYPE)
    assert np.flatnonzero(batch.ok).tolist() == sorted(set(written))
    assert batch.batch_records["i"][batch.ok].tolist() == [number + 1 for number in written]
