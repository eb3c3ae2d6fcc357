"""Every example of the user's guide, with both clients and its values compared."""

import asyncio

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import AsyncClient, NumpyBatchRecords

DTYPE = np.dtype([("temperature", "f8"), ("humidity", "i4"), ("status", "u1")])


@pytest.fixture
def sensors(client, fresh_set):
    """The guide's hundred sensors, written as it writes them."""
    for i in range(100):
        client.put(
            ("test", fresh_set, f"sensor_{i}"),
            {"temperature": 20.0 + i * 0.5, "humidity": 40 + i, "status": 1},
            policy={"key": aerospike.POLICY_KEY_SEND},
        )
    return [("test", fresh_set, f"sensor_{i}") for i in range(100)]


def test_quick_start(client, sensors):
    batch = client.batch_read(sensors, _dtype=DTYPE)
    assert isinstance(batch, NumpyBatchRecords)
    assert batch.batch_records.dtype == DTYPE
    assert batch.batch_records["temperature"].mean() == 20.0 + 99 * 0.5 / 2
    assert batch.batch_records[0].item() == (20.0, 40, 1)
    assert batch.get("sensor_42")["temperature"] == 41.0
    np.testing.assert_array_equal(batch.batch_records["humidity"], np.arange(40, 140))
    np.testing.assert_array_equal(batch.batch_records["status"], np.ones(100, "u1"))


def test_quick_start_async_as_written(config, fresh_set):
    async def main():
        client = AsyncClient(config)
        await client.connect()
        for i in range(100):
            await client.put(
                ("test", fresh_set, f"sensor_{i}"),
                {"temperature": 20.0 + i * 0.5, "humidity": 40 + i, "status": 1},
                policy={"key": aerospike.POLICY_KEY_SEND},
            )
        keys = [("test", fresh_set, f"sensor_{i}") for i in range(100)]
        batch = await client.batch_read(keys, _dtype=DTYPE)
        assert batch.batch_records["temperature"].mean() == 44.75
        assert batch.batch_records[0].item() == (20.0, 40, 1)
        assert batch.get("sensor_42")["temperature"] == 41.0
        await client.close()

    asyncio.run(main())


def test_attributes(client, sensors):
    batch = client.batch_read(sensors, _dtype=DTYPE)
    assert batch.meta.dtype == np.dtype([("gen", "u4"), ("ttl", "u4")])
    assert batch.result_codes.dtype == np.int32
    assert (batch.result_codes == 0).all()
    assert batch._map == {f"sensor_{i}": i for i in range(100)}
    assert isinstance(batch.get("sensor_1"), np.void)


@pytest.mark.parametrize(
    ("code", "written", "expected"),
    [
        ("i1", -5, -5),
        ("i2", -300, -300),
        ("i4", 70_000, 70_000),
        ("i8", -(2**63), -(2**63)),
        ("u1", 255, 255),
        ("u2", 65_535, 65_535),
        ("u4", 2**32 - 1, 2**32 - 1),
        ("u8", 2**63 - 1, 2**63 - 1),
        ("f2", 0.5, 0.5),
        ("f4", 0.1, np.float32(0.1)),
        ("f8", 0.1, 0.1),
        ("S8", b"blob", b"blob"),
        ("S16", "a string", b"a string"),
        ("V4", b"\x01\x02\x00\x04", np.void(b"\x01\x02\x00\x04")),
        ("V16", b"short", np.void(b"short" + bytes(11))),
    ],
)
def test_supported_kinds(client, fresh_set, code, written, expected):
    key = ("test", fresh_set, code)
    client.put(key, {"x": written})
    batch = client.batch_read([key], _dtype=np.dtype([("x", code)]))
    assert batch.batch_records[0]["x"] == expected
    assert batch.batch_records["x"].dtype == np.dtype(code)


@pytest.mark.parametrize(
    ("code", "written", "expected"),
    [("i1", 300, 44), ("u1", -1, 255), ("S4", "truncated", b"trun"), ("V4", b"truncated", np.void(b"trun"))],
)
def test_values_that_do_not_fit_are_cut_and_counted(client, fresh_set, code, written, expected):
    key = ("test", fresh_set, "cut")
    client.put(key, {"x": written})
    with pytest.warns(RuntimeWarning, match=r"\(x\)"):
        batch = client.batch_read([key], _dtype=np.dtype([("x", code)]))
    assert batch.batch_records[0]["x"] == expected
    assert batch.inexact == {"x": 1}


@pytest.mark.parametrize("code", ["U10", "O"])
def test_unicode_and_objects_are_refused(client, code):
    with pytest.raises(TypeError, match="name"):
        client.batch_read([("test", "s", "k")], _dtype=np.dtype([("name", code)]))


def test_columnar_access(client, sensors):
    batch = client.batch_read(sensors, _dtype=DTYPE)
    temps = batch.batch_records["temperature"]
    assert (temps.mean(), temps.max()) == (44.75, 69.5)
    assert temps.std() == pytest.approx(np.std(20.0 + np.arange(100) * 0.5))
    hot = batch.batch_records[temps > 40.0]
    assert len(hot) == 59


def test_row_access_and_key_lookup(client, sensors):
    batch = client.batch_read(sensors, _dtype=DTYPE)
    record = batch.batch_records[0]
    assert (record["temperature"], record["humidity"]) == (20.0, 40)
    assert batch.get("sensor_42")["temperature"] == 41.0
    with pytest.raises(KeyError, match="sensor_420"):
        batch.get("sensor_420")


def test_meta_access(client, sensors):
    batch = client.batch_read(sensors, _dtype=DTYPE)
    np.testing.assert_array_equal(batch.meta["gen"], np.ones(100, "u4"))
    np.testing.assert_array_equal(batch.meta["ttl"], np.full(100, 0xFFFFFFFF, "u4"))
    failed = batch.result_codes != 0
    assert (failed.sum(), len(batch.result_codes)) == (0, 100)


def test_vector_embeddings(client, fresh_set):
    dim = 128
    dtype = np.dtype([("embedding", "f4", (dim,)), ("score", "f4")])
    embedding = np.random.default_rng(1).standard_normal(dim).astype(np.float32)
    client.put(
        ("test", fresh_set, "vec_1"),
        {"embedding": embedding.tobytes(), "score": 0.95},
        policy={"key": aerospike.POLICY_KEY_SEND},
    )
    batch = client.batch_read([("test", fresh_set, "vec_1")], _dtype=dtype)
    recovered = batch.batch_records[0]["embedding"]
    np.testing.assert_array_equal(recovered, embedding)
    assert recovered.dtype == np.float32
    assert batch.batch_records[0]["score"] == np.float32(0.95)


def test_bin_filtering(client, sensors):
    dtype = np.dtype([("temperature", "f8")])
    batch = client.batch_read(sensors, bins=["temperature"], _dtype=dtype)
    np.testing.assert_array_equal(batch.batch_records["temperature"], 20.0 + np.arange(100) * 0.5)


def test_missing_records(client, sensors, fresh_set):
    keys = [sensors[0], ("test", fresh_set, "nobody"), sensors[1]]
    batch = client.batch_read(keys, _dtype=DTYPE)
    assert [i for i, rc in enumerate(batch.result_codes) if rc != 0] == [1]
    assert batch.result_codes[1] == 2
    assert batch.batch_records[1].item() == (0.0, 0, 0)
    assert batch.meta[1].item() == (0, 0)
    valid = batch.batch_records[batch.result_codes == 0]
    assert valid["humidity"].tolist() == [40, 41]


def test_missing_bins(client, fresh_set):
    client.put(("test", fresh_set, "k"), {"temperature": 1.5})
    dtype = np.dtype([("temperature", "f8"), ("humidity", "i4")])
    batch = client.batch_read([("test", fresh_set, "k")], _dtype=dtype)
    assert batch.batch_records[0].item() == (1.5, 0)
    assert batch.present[0].item() == (True, False)


def test_pandas_integration(client, sensors):
    pd = pytest.importorskip("pandas")
    batch = client.batch_read(sensors, _dtype=DTYPE)
    df = pd.DataFrame(batch.batch_records)
    df["gen"] = batch.meta["gen"]
    df["ttl"] = batch.meta["ttl"]
    hot_sensors = df[df["temperature"] > 35.0]
    assert len(hot_sensors) == 69
    assert hot_sensors.describe()["humidity"]["min"] == 71


def test_positional_arguments_of_the_reference(client, sensors):
    batch = client.batch_read(sensors, ["status"], {"total_timeout": 5000}, DTYPE)
    assert (batch.batch_records["status"] == 1).all()
    assert (batch.batch_records["humidity"] == 0).all()
    assert not batch.present["humidity"].any()
