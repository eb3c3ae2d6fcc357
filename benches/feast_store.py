#!/usr/bin/env python3
"""Compares the online store for Feast with Feast's own Aerospike store: `make bench-feast`.

200 entities of 12 float features, garbage collection off, one run. Prints the CPU time of this process for
each call in milliseconds: the median of 7 rounds, in which both stores take turns. Fails if any value
differs.

The length of the project's name counts: the name is part of the set, and the digests of keys that fit one
block of the hash with their set (55 bytes) are computed many at a time. The default is as long as "drivers",
whose keys fit; --name-length 13 makes keys that do not.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import sys
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from feast.types import Float64, Int64

from aerospike_py.feast import feature_matrix
from aerospike_py.testing import DevServer

OURS, FEASTS = "aerospike_py.feast.AerospikeOnlineStore", "aerospike"
ROUNDS = 7


def stores(hosts: list[Any], folder: str, name_length: int = 7) -> tuple[FeatureStore, FeatureStore]:
    project = f"b{uuid.uuid4().hex}"[:name_length]
    made = [
        FeatureStore(
            config=RepoConfig(
                project=project,
                registry=f"{folder}/registry.db",
                provider="local",
                online_store={"type": kind, "hosts": hosts, "namespace": "test"},
                entity_key_serialization_version=3,
            )
        )
        for kind in (FEASTS, OURS)
    ]
    return made[0], made[1]


def feature_view(folder: str, names: list[str]) -> tuple[Any, Any]:
    now = pd.Timestamp.now(tz="UTC")
    pd.DataFrame({"driver_id": [0], "event_timestamp": [now]}).to_parquet(f"{folder}/rows.parquet")
    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
    view = FeatureView(
        name="stats",
        entities=[driver],
        schema=[Field(name="driver_id", dtype=Int64), *(Field(name=name, dtype=Float64) for name in names)],
        source=FileSource(name="rows", path=f"{folder}/rows.parquet", timestamp_field="event_timestamp"),
    )
    return driver, view


def cpu(call: Callable[[], Any], calls: int) -> float:
    """CPU time of one call, in milliseconds, with all threads of the process."""
    started = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - started) / calls * 1000


def compare(
    name: str, target: float, theirs: Callable[[], Any], ours: Callable[[], Any], calls: int
) -> tuple[str, float, float, float]:
    theirs(), ours()
    rounds = [(cpu(theirs, calls), cpu(ours, calls * 5)) for _ in range(ROUNDS)]
    slow, fast = (statistics.median(side) for side in zip(*rounds, strict=True))
    print(f"| {name} | {slow:.2f} | {fast:.3f} | {slow / fast:.1f} × | {target} × |", flush=True)
    return name, slow, fast, target


def run(hosts: list[Any], options: argparse.Namespace, folder: str) -> None:
    entities, features, calls = options.entities, options.features, options.calls
    names = [f"f{index:02}" for index in range(features)]
    theirs, ours = stores(hosts, folder, options.name_length)
    driver, view = feature_view(folder, names)
    ours.apply([driver, view])
    theirs.refresh_registry()
    online_theirs, online_ours = (store._get_provider().online_store for store in (theirs, ours))
    keys = [
        EntityKey(join_keys=["driver_id"], entity_values=[Value(int64_val=number)])
        for number in range(entities)
    ]
    now = datetime.now(timezone.utc)
    rows = [
        (key, {name: Value(double_val=row + column / 64) for column, name in enumerate(names)}, now, now)
        for row, key in enumerate(keys)
    ]
    online_ours.online_write_batch(ours.config, view, rows, None)
    refs = [f"stats:{name}" for name in names]
    entity_rows = [{"driver_id": number} for number in range(entities)]
    arrays = {"driver_id": np.arange(entities)}

    def their_matrix() -> Any:
        values = theirs.get_online_features(refs, entity_rows).to_dict()
        return np.array([values[name] for name in names], dtype="f4").T

    expected = their_matrix()
    assert online_theirs.online_read(theirs.config, view, keys, names) == online_ours.online_read(
        ours.config, view, keys, names
    )
    answers = [store.get_online_features(refs, entity_rows).to_dict() for store in (theirs, ours)]
    assert answers[0] == answers[1]
    for given in (arrays, entity_rows, keys):
        assert np.array_equal(feature_matrix(ours, refs, given), expected)
    print(f"{entities} entities, {features} features, CPU ms a call; the project's name has", end=" ")
    print(f"{options.name_length} letters\n")
    print("| call | Feast's store | ours | gain | target |\n|---|---|---|---|---|")
    gc.collect()
    gc.disable()
    compare(
        "`online_read`",
        1.5,
        lambda: online_theirs.online_read(theirs.config, view, keys, names),
        lambda: online_ours.online_read(ours.config, view, keys, names),
        calls,
    )
    compare(
        "`get_online_features().to_dict()`",
        8,
        lambda: theirs.get_online_features(refs, entity_rows).to_dict(),
        lambda: ours.get_online_features(refs, entity_rows).to_dict(),
        calls,
    )
    for name, target, given in (
        ("arrays", 60, arrays),
        ("entity rows", 60, entity_rows),
        ("EntityKeys", 20, keys),
    ):
        compare(
            f"`feature_matrix` from {name}",
            target,
            their_matrix,
            lambda given=given: feature_matrix(ours, refs, given),  # type: ignore[misc]
            calls,
        )
    ours.teardown()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entities", type=int, default=200)
    parser.add_argument("--features", type=int, default=12)
    parser.add_argument("--calls", type=int, default=20, help="calls of Feast's store in a round")
    parser.add_argument("--name-length", type=int, default=7, help="length of the project's name, 4 to 33")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    given = os.environ.get("AEROSPIKE_HOSTS")
    with tempfile.TemporaryDirectory() as folder:
        if given:
            host, _, port = given.partition(":")
            run([[host, int(port)]], options, folder)
            return
        with DevServer() as server:
            hosts = [list(host) for host in server.hosts]
            run(hosts, options, folder)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
