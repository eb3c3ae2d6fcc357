"""Fills the service's sets, and asks it under load.

python -m examples.feature_service.load fill
python -m examples.feature_service.load ask --url http://127.0.0.1:8000 --seconds 5
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import random
import threading
import time
from urllib.parse import urlsplit

import numpy as np

from aerospike_py import AsyncClient

from .features import FACTORS, ITEMS, NAMESPACE, USERS, hosts

IN_FLIGHT = 64
THREADS = 4


async def fill(users: int, items: int) -> None:
    """Writes random users and items."""
    random_factors = np.random.default_rng(1).normal(size=(users + items, FACTORS)).astype("f4")
    records = [
        ((NAMESPACE, USERS, user), {"age": 20 + user % 60, "visits": user, "factors": factors.tobytes()})
        for user, factors in enumerate(random_factors[:users])
    ] + [
        ((NAMESPACE, ITEMS, item), {"price": 1 + item / 4, "factors": factors.tobytes()})
        for item, factors in enumerate(random_factors[users:])
    ]
    todo = iter(records)

    async def write(client: AsyncClient) -> None:
        for key, bins in todo:
            await client.put(key, bins)

    async with AsyncClient({"hosts": hosts()}) as client:
        await asyncio.gather(*(write(client) for _ in range(IN_FLIGHT)))
    print(f"wrote {users} users and {items} items")


def ask(url: str, seconds: float, users: int, items: int) -> None:
    """Asks for scores from several threads and prints how long answers took."""
    took: list[float] = []
    failed: list[str] = []
    end = time.perf_counter() + seconds

    def loop() -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        while time.perf_counter() < end:
            wanted = random.sample(range(items), min(50, items))
            query = "&".join(f"item={item}" for item in wanted)
            start = time.perf_counter()
            connection.request("GET", f"/scores?user={random.randrange(users)}&{query}")
            response = connection.getresponse()
            body = response.read()
            took.append(time.perf_counter() - start)
            if response.status != 200:
                failed.append(f"{response.status} {body.decode()}")
            elif sorted(row["item"] for row in json.loads(body)["scores"]) != sorted(wanted):
                failed.append("not the items that were asked for")
        connection.close()

    threads = [threading.Thread(target=loop) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    median, p99 = np.percentile(took, [50, 99]) * 1000
    print(f"{len(took)} answers, {len(failed)} wrong, median {median:.1f} ms, p99 {p99:.1f} ms")
    if failed:
        raise SystemExit(f"the first wrong one: {failed[0]}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Fills the feature service's sets, and asks it under load.")
    parser.add_argument("what", choices=["fill", "ask"])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--users", type=int, default=1_000)
    parser.add_argument("--items", type=int, default=5_000)
    options = parser.parse_args()
    if options.what == "fill":
        asyncio.run(fill(options.users, options.items))
    else:
        ask(options.url, options.seconds, options.users, options.items)


if __name__ == "__main__":
    main()
