"""Cutting the partitions of a namespace into splits. Nothing here talks to a cluster."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

PARTITIONS = 4096


class Part(NamedTuple):
    """The partitions of one split, and the node that is their master; None if they have several."""

    partitions: tuple[int, ...]
    node: str | None


def masters(replicas: Mapping[str, str], namespace: str) -> dict[str, list[int]]:
    """Node to the partitions of which it is the master, from each node's answer to ``replicas``.

    A partition that two nodes claim, as they may while partitions move, goes to the first.
    """
    free = [True] * PARTITIONS
    found: dict[str, list[int]] = {}
    for node in sorted(replicas):
        own: list[int] = []
        for partition in _bits(_fields(replicas[node], namespace)[2:3]):
            if free[partition]:
                free[partition] = False
                own.append(partition)
        if own:
            found[node] = own
    return found


def _fields(answer: str, namespace: str) -> list[str]:
    for part in answer.strip().split(";"):
        name, _, value = part.partition(":")
        if name == namespace:
            return value.split(",")
    return []


def _bits(bitmaps: Iterable[str]) -> Iterable[int]:
    for bitmap in bitmaps:
        for index, byte in enumerate(base64.b64decode(bitmap)[: PARTITIONS // 8]):
            if byte:
                yield from (8 * index + bit for bit in range(8) if byte & (0x80 >> bit))


def held(replicas: Mapping[str, str], namespace: str) -> dict[str, int]:
    """Node to the number of partitions of which it has a copy."""
    return {node: sum(1 for _ in _bits(_fields(answer, namespace)[2:])) for node, answer in replicas.items()}


def number(answer: str, name: str) -> int:
    """The value of ``name=`` in an answer, 0 if it has none."""
    for part in answer.strip().replace(":", ";").split(";"):
        key, _, value = part.partition("=")
        if key == name and value.isdigit():
            return int(value)
    return 0


def cut(
    owners: Mapping[str, Sequence[int]],
    n: int,
    partitions: Sequence[int] = range(PARTITIONS),
    density: Mapping[str, float] | None = None,
) -> list[Part]:
    """The partitions in ``n`` splits of about equal size, each of one node where there are enough splits.

    Splits of different nodes take turns, so that workers that take them in order spread over the nodes.

    Args:
        owners: node to the partitions of which it is the master.
        n: number of splits.
        partitions: the partitions to cut.
        density: node to its records per partition. A node with more has more splits, of fewer partitions.
    """
    owned = {partition for own in owners.values() for partition in own}
    groups: list[tuple[str | None, list[int]]] = [
        (node, sorted(own)) for node, own in sorted(owners.items()) if own
    ]
    rest = [partition for partition in partitions if partition not in owned]
    if rest:
        groups.append((None, rest))
    if n < len(groups):
        row = [(node, partition) for node, own in groups for partition in own]
        return [_part(piece) for piece in _pieces(row, n)]
    queues = [
        [Part(tuple(piece), node) for piece in _pieces(own, count)]
        for (node, own), count in zip(groups, _shares(groups, n, density or {}), strict=True)
    ]
    longest = max(map(len, queues), default=0)
    # The splits of a node with few of them are spread over the whole list.
    order = [
        (turn * longest // len(queue), place, part)
        for place, queue in enumerate(queues)
        for turn, part in enumerate(queue)
    ]
    return [part for _, _, part in sorted(order)]


def _part(pairs: Sequence[tuple[str | None, int]]) -> Part:
    nodes = {node for node, _ in pairs}
    return Part(tuple(sorted(partition for _, partition in pairs)), nodes.pop() if len(nodes) == 1 else None)


def _pieces(row: Sequence[tuple[str | None, int]] | Sequence[int], n: int) -> list[list]:  # type: ignore[type-arg]
    """``n`` pieces whose lengths differ by at most 1."""
    size = len(row)
    return [list(row[size * index // n : size * (index + 1) // n]) for index in range(n)]


def _shares(
    groups: Sequence[tuple[str | None, Sequence[int]]], n: int, density: Mapping[str, float]
) -> list[int]:
    """How many of ``n`` splits each group gets: at least 1, at most one for each partition."""
    sizes = [len(own) for _, own in groups]
    known = [(density[node], len(own)) for node, own in groups if node is not None and node in density]
    records, counted = sum(each * size for each, size in known), sum(size for _, size in known)
    mean = records / counted if counted else 0.0
    # Bounded, because partitions without records of the set cost time, too: for those of other sets.
    costs = [
        len(own) * (min(2.0, max(0.5, density.get(node or "", mean) / mean)) if mean else 1.0)
        for node, own in groups
    ]
    shares = [1] * len(groups)
    for _ in range(min(n, sum(sizes)) - len(groups)):
        # The group whose splits are the largest.
        unfinished = [place for place, share in enumerate(shares) if share < sizes[place]]
        shares[max(unfinished, key=lambda place: (costs[place] / shares[place], -place))] += 1
    return shares


def partition_filter(partitions: Sequence[int]) -> dict[str, object]:
    """The ``partition_filter`` of a query that reads exactly these partitions."""
    begin, count = partitions[0], partitions[-1] - partitions[0] + 1
    result: dict[str, object] = {"begin": begin, "count": count}
    if count != len(partitions):
        wanted = set(partitions)
        # Those in between count as read.
        between = [partition for partition in range(begin, begin + count) if partition not in wanted]
        status: dict[object, object] = {"done": False, "retry": False}
        status.update((partition, (partition, False, False, b"", 0)) for partition in between)
        result["partition_status"] = status
    return result
