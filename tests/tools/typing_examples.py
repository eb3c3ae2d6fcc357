"""The examples of the guide for type checkers: mypy checks this file (`make check-mypy`), nothing runs it."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from typing_extensions import assert_type

import aerospike_py as aerospike
from aerospike_py import (
    AsyncClient,
    AsyncNumpyBatches,
    BatchRecords,
    Client,
    Keys,
    NumpyBatches,
    NumpyBatchRecords,
    NumpyQueryRecords,
    Query,
    Record,
    operations,
)
from aerospike_py.batch import Read, Write
from aerospike_py.testing import DevServer
from aerospike_py.types import ClientConfig, ReadPolicy

DTYPE = np.dtype([("temperature", "f8"), ("humidity", "i4"), ("status", "u1")])


def sync_client() -> None:
    client = aerospike.client({"hosts": [("127.0.0.1", 3000)]}).connect()
    assert_type(client, Client)
    client.put(
        ("test", "sensors", "sensor_1"),
        {"temperature": 20.5, "humidity": 41, "status": 1},
        policy={"key": aerospike.POLICY_KEY_SEND},
    )
    keys = [("test", "sensors", f"sensor_{i}") for i in range(100)]
    assert_type(client.batch_read(keys, _dtype=DTYPE), NumpyBatchRecords)
    assert_type(client.batch_read(keys, ["temperature"], None, DTYPE), NumpyBatchRecords)
    assert_type(client.batch_read(keys, bins=["temperature"], _dtype=[("x", "f8")]), NumpyBatchRecords)
    assert_type(client.batch_read(keys), BatchRecords)
    assert_type(client.batch_read(keys, [], {"total_timeout": 5}), BatchRecords)
    assert_type(client.batch_read(Keys("test", "sensors", np.arange(5))), BatchRecords)
    out = np.zeros(100, DTYPE)
    batch = client.batch_read(keys, _dtype=DTYPE, out=out, errors="coerce", casting="same_value")
    assert_type(batch.inexact, dict[str, int])
    assert_type(batch.result_codes, npt.NDArray[np.int32])
    assert_type(batch.ok, npt.NDArray[np.bool_])
    assert_type(batch.get("sensor_42"), np.void)
    assert_type(client.get(keys[0]), Record)
    assert_type(client.get(keys[0]).key.digest, bytes)
    # What a call guarantees is not Optional.
    assert_type(client.get(keys[0]).meta["gen"], int)
    assert_type(client.select(keys[0], ["humidity"]).bins["humidity"], Any)
    assert_type(client.operate(keys[0], [operations.read("humidity")]).meta["ttl"], int)
    assert_type(client.operate_ordered(keys[0], [operations.read("humidity")]).meta["ttl"], int)
    assert_type([r.bins["humidity"] for r in client.query("test", "sensors")], list[Any])
    assert_type({r.meta["gen"] for r in client.query("test", "sensors").results()}, set[int])
    assert_type(client.exists(keys[0]).meta, dict[str, int] | None)
    for row in client.batch_read(keys).batch_records:
        assert_type(row.result, int)
        assert_type(row.record, Record | None)
    query = client.query("test", "sensors").select("temperature")
    assert_type(query, Query)
    query.max_records = 40
    assert_type(query.max_records, int)
    assert_type(query.results({"total_timeout": 5}), list[Record])
    for record in query:
        assert_type(record, Record)
    with query.records(options={"nobins": True}) as records:
        assert_type(next(records).key.digest, bytes)
    columns = query.to_numpy(DTYPE, casting="same_value", policy={"total_timeout": 5})
    assert_type(columns, NumpyQueryRecords)
    assert_type(columns["temperature"], npt.NDArray[Any])
    assert_type(columns[5], np.void)
    assert_type(columns.digests, npt.NDArray[np.void])
    assert_type(columns.keys(), list[Any])
    assert_type(query.numpy_batches(DTYPE, 1000), NumpyBatches)
    with query.numpy_batches(dtype=DTYPE, out=out, errors="coerce") as blocks:
        for block in blocks:
            assert_type(block, NumpyQueryRecords)
            assert_type(block.sets, npt.NDArray[Any])
    assert_type(client.get({"ns": "test", "set": "sensors", "key": "sensor_1"}).meta["gen"], int)
    # Each of these is a type error; without one, mypy would report the unused ignore.
    client.batch_read(keys, _dtype=DTYPE, errors="ignore")  # type: ignore[call-overload]
    client.batch_read(keys, out=out)  # type: ignore[call-overload]
    client.batch_read(5)  # type: ignore[call-overload]
    client.get("sensor_1")  # type: ignore[arg-type]
    client.get(keys[0], {"total_timout": 5})  # type: ignore[arg-type]
    client.put(keys[0], {"a": 1}, policy={"ttl": "soon"})  # type: ignore[arg-type]
    client.remove(keys[0], policy={"exists": 1})  # type: ignore[arg-type]
    client.batch_read(keys, policy={"hedge_delay": "of"})  # type: ignore[call-overload]
    client.batch_operate(keys, [], {"max_retries": 1}, {"ttl": 60})
    aerospike.list_operations.list_append("a", 1, {"write_flags": aerospike.LIST_WRITE_ADD_UNIQUE})
    aerospike.list_operations.list_pop("a", "x")  # type: ignore[arg-type]
    aerospike.map_operations.map_put("a", 1)  # type: ignore[call-arg]
    adult = aerospike.expressions.GE(aerospike.expressions.IntBin("age"), 18)
    client.get(keys[0], {"expressions": adult})
    client.get_expression_base64(adult.compile()).encode()
    client.batch_operate(keys, [], dtype=[("a", "i4")], fields=["a"]).batch_records.tolist()
    client.batch_operate(keys, [], None, {"exist": 1})  # type: ignore[call-overload]
    client.batch_remove(keys, None, {"ttl": 1})  # type: ignore[arg-type]
    Write(keys[0], [], policy={"exists": aerospike.POLICY_EXISTS_CREATE})
    Read(keys[0], policy={"ttl": 1})  # type: ignore[arg-type]
    client.batch_write_numpy(out, "test", "sensors", policy={"total_timeout": 50, "ttl": 60})
    client.batch_write_numpy(out, "test", "sensors", policy={"tll": 60})  # type: ignore[arg-type]
    client.batch_write_arrow(pd.DataFrame(), "test", "sensors", key="id", policy={"ttl": 60}, progress=print)
    client.batch_write_arrow([1], "test", "sensors", key="id")  # type: ignore[arg-type]
    client.batch_write_arrow(pd.DataFrame(), "test", "sensors", key="id", nulls="keep")  # type: ignore[arg-type]
    client.info_all("build", {"timeot": 5})  # type: ignore[arg-type]
    query.where(5)  # type: ignore[arg-type]
    query.apply("module", "function")  # type: ignore[attr-defined]
    query.ttl = "soon"  # type: ignore[assignment]
    client.query(None)  # type: ignore[arg-type]
    query.select(22)  # type: ignore[arg-type]
    query.foreach(5)  # type: ignore[arg-type]
    query.to_numpy(DTYPE, errors="ignore")  # type: ignore[arg-type]
    query.to_numpy(DTYPE, out=out)  # type: ignore[call-arg]
    query.numpy_batches(DTYPE, rows="all")  # type: ignore[arg-type]


def configs() -> None:
    read: ReadPolicy = {"total_timeout": 50, "hedge_delay": "adaptive"}
    config: ClientConfig = {
        "hosts": [("127.0.0.1", 3000), ("db", 4333, "tls-name")],
        "policies": {"read": read, "batch": {"respond_all_keys": True}, "info": {"timeout": 500}},
        "tls": {"enable": True, "cafile": Path("/etc/ca.pem")},
    }
    assert_type(aerospike.client(config), Client)
    assert_type(aerospike.client({**config, "tend_interval": 250}), Client)
    with DevServer() as server:
        assert_type(server.config, ClientConfig)
        aerospike.client({**server.config, "rack_aware": True, "rack_ids": [1, 2]})
    aerospike.client({"hosts": [("a", 1)], "tend_intervall": 5})  # type: ignore[typeddict-unknown-key]
    aerospike.client({"policies": {}})  # type: ignore[typeddict-item]
    aerospike.client({"hosts": [("a", 1)], "policies": {"red": {}}})  # type: ignore[typeddict-unknown-key]


async def async_client() -> None:
    client = AsyncClient({"hosts": [("127.0.0.1", 3000)]})
    assert_type(await client.connect(), AsyncClient)
    keys = [("test", "sensors", f"sensor_{i}") for i in range(100)]
    assert_type(await client.batch_read(keys, _dtype=DTYPE), NumpyBatchRecords)
    assert_type(await client.batch_read(keys), BatchRecords)
    assert_type(await client.get(keys[0]), Record)
    assert_type((await client.get(keys[0])).meta["gen"], int)
    assert_type([r.bins["humidity"] async for r in client.query("test", "sensors")], list[Any])
    async for record in client.query("test", "sensors"):
        assert_type(record, Record)
    assert_type(await client.query("test").select("x").results(), list[Record])
    assert_type(await client.query("test").to_numpy(DTYPE), NumpyQueryRecords)
    async with client.query("test").numpy_batches(DTYPE, out=None) as blocks:
        assert_type(blocks, AsyncNumpyBatches)
        assert_type([len(block) async for block in blocks], list[int])
    async with AsyncClient({"hosts": [("127.0.0.1", 3000)]}) as other:
        assert_type(other, AsyncClient)
    await client.close()
