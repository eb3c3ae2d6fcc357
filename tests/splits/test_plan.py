"""Cutting partitions into splits, without a cluster."""

from __future__ import annotations

import base64
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from aerospike_py._engines import plan


def bitmap(partitions):
    held = bytearray(plan.PARTITIONS // 8)
    for partition in partitions:
        held[partition // 8] |= 0x80 >> (partition % 8)
    return base64.b64encode(held).decode()


@st.composite
def owners(draw):
    nodes = draw(st.integers(1, 5))
    numbers = random.Random(draw(st.integers(0, 2**32)))  # noqa: S311
    table = [numbers.randrange(nodes) for _ in range(plan.PARTITIONS)]
    found = {f"N{node}": [p for p in range(plan.PARTITIONS) if table[p] == node] for node in range(nodes)}
    if draw(st.booleans()):
        del found["N0"]
    return found


@settings(max_examples=40)
@given(owners(), st.integers(1, 300))
def test_each_partition_is_in_one_split(owners, n):
    parts = plan.cut(owners, n)
    assert len(parts) == n
    assert sorted(p for part in parts for p in part.partitions) == list(range(plan.PARTITIONS))
    groups = len(owners) + (sum(map(len, owners.values())) < plan.PARTITIONS)
    if n >= groups:
        for part in parts:
            assert part.node is None or set(part.partitions) <= set(owners[part.node])
        sizes = [len(part.partitions) for part in parts]
        assert max(sizes) <= 2 * min(sizes) + 1 or n < 2 * groups


def test_as_many_splits_as_partitions():
    parts = plan.cut({"A": range(0, 4096, 2), "B": range(1, 4096, 2)}, 4096)
    assert len(parts) == 4096
    assert {len(part.partitions) for part in parts} == {1}


def test_splits_of_nodes_take_turns():
    parts = plan.cut({"A": range(2048), "B": range(2048, 4096)}, 8)
    assert [part.node for part in parts] == ["A", "B"] * 4


def share_of_a(density, n=60):
    owners = {"A": range(2048), "B": range(2048, 4096)}
    parts = plan.cut(owners, n, density=density)
    assert len(parts) == n
    assert sorted(p for part in parts for p in part.partitions) == list(range(plan.PARTITIONS))
    return sum(part.node == "A" for part in parts)


def test_nodes_with_more_records_have_more_splits():
    assert share_of_a({"A": 3.0, "B": 3.0}) == 30
    assert share_of_a({"A": 2.0, "B": 1.0}) == 40
    # Partitions without records take time, too: at most twice as many as by partitions, at least half.
    assert share_of_a({"A": 1.0, "B": 0.0}) == 48
    assert share_of_a({"A": 0.0, "B": 0.0}) == 30
    # The counts of a node that did not answer are taken to be like the others'.
    assert share_of_a({"A": 1000.0}) == 30
    assert share_of_a({"A": 9.0, "B": 1.0}, 4096) == 2048


def test_masters_are_read_from_the_replicas():
    replicas = {
        "A": f"other:0,1,{bitmap([9])};test:0,2,{bitmap(range(10))},{bitmap(range(10, 4096))}\n",
        "B": f"test:0,2,{bitmap(range(9, 4096))},{bitmap(range(10))}\n",
    }
    found = plan.masters(replicas, "test")
    assert found == {"A": list(range(10)), "B": list(range(10, 4096))}
    assert plan.held(replicas, "test") == {"A": 4096, "B": 4087 + 10}
    assert plan.masters(replicas, "missing") == {}


@given(st.sets(st.integers(0, 4095), min_size=1, max_size=50))
def test_a_filter_names_exactly_its_partitions(partitions):
    made = plan.partition_filter(sorted(partitions))
    asked = set(range(made["begin"], made["begin"] + made["count"]))
    assert asked - set(made.get("partition_status", {})) == partitions


def test_numbers_are_found_in_answers():
    assert plan.number("objects=12:tombstones=0;\n", "objects") == 12
    assert plan.number("a=1;master_objects=7", "master_objects") == 7
    assert plan.number("ERROR:4", "objects") == 0
