"""Fills the sets of the feature service, and generates load on it.

python -m examples.feature_service.load fill
python -m examples.feature_service.load ask --url http://127.0.0.1:8000 --seconds 5 --in-flight 1 8 32
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import threading
import time
from urllib.parse import urlsplit

import numpy as np

import aerospike_py as aerospike

from .features import FACTORS, ITEM, ITEMS, NAMESPACE, TREND, TRENDS, USER, USERS, hosts

# Items of a request.
CANDIDATES = 100


def fill(users: int, items: int) -> None:
    """Writes random users, items and trends."""
    random_factors = np.random.default_rng(1).normal(size=(users + items, FACTORS))
    user_rows, item_rows, trend_rows = (
        np.zeros(n, d) for n, d in ((users, USER), (items, ITEM), (items, TREND))
    )
    user_rows["age"], user_rows["visits"] = 20 + np.arange(users) % 60, np.arange(users)
    item_rows["price"] = 1 + np.arange(items) / 4
    trend_rows["seen"], trend_rows["bought"] = np.arange(items) % 500, np.arange(items) % 7
    for number in range(FACTORS):
        user_rows[f"f{number}"] = random_factors[:users, number]
        item_rows[f"f{number}"] = random_factors[users:, number]
    with aerospike.client({"hosts": hosts()}).connect() as client:
        for rows, name in ((user_rows, USERS), (item_rows, ITEMS), (trend_rows, TRENDS)):
            client.batch_write_numpy(rows, NAMESPACE, name, keys=np.arange(len(rows))).raise_for_failures()
    print(f"wrote {users} users, and {items} items with their trends")


def ask(url: str, seconds: float, users: int, items: int, in_flight: int) -> None:
    """Requests scores from several threads and prints the latencies."""
    took: list[float] = []
    failed: list[str] = []
    end = time.perf_counter() + seconds

    def loop() -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        while time.perf_counter() < end:
            wanted = random.sample(range(items), min(CANDIDATES, items))
            query = "&".join(f"item={item}" for item in wanted)
            start = time.perf_counter()
            connection.request("GET", f"/scores?user={random.randrange(users)}&deadline_ms=2000&{query}")
            response = connection.getresponse()
            body = response.read()
            took.append(time.perf_counter() - start)
            if response.status != 200:
                failed.append(f"{response.status} {body.decode()}")
            elif sorted(row["item"] for row in json.loads(body)["scores"]) != sorted(wanted):
                failed.append("the answer has other items than requested")
        connection.close()

    threads = [threading.Thread(target=loop) for _ in range(in_flight)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    median, p99 = np.percentile(took, [50, 99]) * 1000
    print(
        f"{in_flight} in flight: {len(took)} answers, {len(failed)} failed, {len(took) / seconds:.0f}/s, "
        f"p50 {median:.1f} ms, p99 {p99:.1f} ms",
        flush=True,
    )
    if failed:
        raise SystemExit(f"the first failure: {failed[0]}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Fills the sets of the feature service, and generates load on it."
    )
    parser.add_argument("what", choices=["fill", "ask"])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--users", type=int, default=1_000)
    parser.add_argument("--items", type=int, default=5_000)
    parser.add_argument("--in-flight", type=int, nargs="+", default=[1, 8, 32])
    options = parser.parse_args()
    if options.what == "fill":
        fill(options.users, options.items)
    else:
        for in_flight in options.in_flight:
            ask(options.url, options.seconds, options.users, options.items, in_flight)


if __name__ == "__main__":
    main()
