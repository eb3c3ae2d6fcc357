"""Writes sensor records and batch-reads them into NumPy arrays, with both clients. Run it with `make demo`.

The server is an embedded server.
"""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np

import aerospike_py as aerospike
from aerospike_py import AsyncClient, NumpyBatchRecords
from aerospike_py.testing import DevServer
from aerospike_py.types import ClientConfig

NAMESPACE = "test"
SET = "demo_sensors"
SENSORS = 1_000

# One field per bin, with the name of the bin.
DTYPE = np.dtype([("temperature", "f8"), ("humidity", "i4"), ("status", "u1")])


def key(number: int) -> tuple[str, str, str]:
    return (NAMESPACE, SET, f"sensor_{number}")


def bins(number: int) -> dict[str, Any]:
    return {"temperature": 20.0 + number * 0.025, "humidity": 40 + number % 50, "status": 1}


def show(batch: NumpyBatchRecords) -> None:
    records = batch.batch_records
    print(f"  {batch!r}")

    print("\n  Columns are NumPy arrays:")
    print(
        f"    temperature  mean {records['temperature'].mean():.3f}  max {records['temperature'].max():.3f}"
    )
    print(f"    humidity     {records['humidity'][:8]} ...")

    hot = records[records["temperature"] > 44.9]
    print(f"\n  A filter: {len(hot)} sensors above 44.9 degrees")
    for row in hot[:2]:
        print(f"    {row}")

    print("\n  A key lookup:")
    print(f"    batch.get('sensor_42')  {batch.get('sensor_42')}")

    print("\n  Result codes, one per key (the last key does not exist):")
    print(f"    {batch.result_codes[-4:]}  ok: {int(batch.ok.sum())} of {len(batch)}")
    print(f"    its row is zeros: {records[-1]}, not present: {batch.present[-1]}")
    print(f"    meta of the first record: gen {batch.meta['gen'][0]}, ttl {batch.meta['ttl'][0]}")


def sync_demo(config: ClientConfig) -> None:
    print("\nClient")
    with aerospike.client(config).connect() as client:
        for number in range(SENSORS):
            client.put(key(number), bins(number), policy={"key": aerospike.POLICY_KEY_SEND})
        print(f"  wrote {SENSORS} records to {NAMESPACE}.{SET}")
        keys = [key(number) for number in range(SENSORS)] + [(NAMESPACE, SET, "no_such_sensor")]
        show(client.batch_read(keys, _dtype=DTYPE))


async def async_demo(config: ClientConfig) -> None:
    print("\nAsyncClient")
    async with AsyncClient(config) as client:
        halves = [
            [key(number) for number in range(SENSORS // 2)],
            [key(number) for number in range(SENSORS // 2, SENSORS)],
        ]
        batches = await asyncio.gather(*(client.batch_read(half, _dtype=DTYPE) for half in halves))
        for batch in batches:
            mean = batch.batch_records["temperature"].mean()
            print(f"  {batch!r}: mean temperature {mean:.3f}")
        for number in range(SENSORS):
            await client.remove(key(number))
        gone = await client.batch_read(halves[0][:4], _dtype=DTYPE)
        print(f"  after removing them, result codes are {gone.result_codes}")


def main() -> None:
    print(f"aerospike_py {aerospike.__version__}")
    with DevServer() as server:
        print(f"embedded server: {server.hosts}")
        sync_demo(server.config)
        asyncio.run(async_demo(server.config))


if __name__ == "__main__":
    main()
