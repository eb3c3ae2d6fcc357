"""``info``: shows nodes, namespaces and sets."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from .._utils.table import table
from .connect import add_command, connect
from .output import print_json

if TYPE_CHECKING:
    import argparse

    from ..client import Client


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    add_command(
        commands,
        "info",
        run,
        "show the nodes, namespaces and sets of a cluster",
        "Shows the nodes, namespaces and sets of a cluster. Objects are counted without their replicas, from "
        "the nodes' own statistics, which may be out of date. Exit code 1 if a node did not answer.",
    )


def run(options: argparse.Namespace) -> int:
    with connect(options) as client:
        cluster = ClusterInfo(client)
        found = {
            "nodes": cluster.nodes(),
            "namespaces": cluster.namespaces(),
            "sets": cluster.sets(),
        }
    if options.json:
        print_json({**found, "errors": cluster.errors})
    else:
        for number, (title, rows) in enumerate(found.items()):
            print(f"{'' if number == 0 else chr(10)}{title}")
            print(_table(rows) if rows else "none")
    for error in cluster.errors:
        print(f"aerospike-py: {error}", file=sys.stderr)
    return 1 if cluster.errors else 0


class ClusterInfo:
    """Combines the statistics of all nodes."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._replication: dict[str, int] = {}
        #: Messages about nodes that are missing or did not answer.
        self.errors: list[str] = []

    def nodes(self) -> list[dict[str, Any]]:
        builds, statistics = self._ask("build"), self._ask("statistics")
        rows: list[dict[str, Any]] = []
        nodes = self._client.stats().nodes
        for node in nodes:
            values = _pairs(statistics.get(node.name, ""), ";")
            if (size := _number(values.get("cluster_size"))) is not None and size != len(nodes):
                self.errors.append(
                    f"node {node.name} reports a cluster of {size} nodes, but {len(nodes)} could be reached"
                )
            rows.append(
                {
                    "node": node.name,
                    "address": f"{node.address}:{node.port}",
                    "build": builds.get(node.name),
                    "uptime_seconds": _number(values.get("uptime")),
                    "connections": _number(values.get("client_connections")),
                    "objects_with_replicas": _number(values.get("objects")),
                    "migrating_partitions": _number(values.get("migrate_partitions_remaining")),
                }
            )
        return rows

    def namespaces(self) -> list[dict[str, Any]]:
        """A row per namespace. Notes the replication factors for :meth:`sets`."""
        listed = self._ask("namespaces")
        names = dict.fromkeys(name for answer in listed.values() for name in answer.split(";") if name)
        rows = []
        for name in names:
            by_node = [_pairs(answer, ";") for answer in self._ask(f"namespace/{name}").values()]
            factor = max(
                (_number(node.get("effective_replication_factor")) or 1 for node in by_node), default=1
            )
            self._replication[name] = max(factor, 1)
            rows.append(
                {
                    "namespace": name,
                    "objects": _total(by_node, "master_objects"),
                    "replication_factor": factor,
                    "bytes_with_replicas": _total(by_node, "data_used_bytes"),
                    "default_ttl_seconds": _number(by_node[0].get("default-ttl")) if by_node else None,
                    "stop_writes": any(node.get("stop_writes") == "true" for node in by_node),
                    "unavailable_partitions": _total(by_node, "unavailable_partitions"),
                }
            )
        return rows

    def sets(self) -> list[dict[str, Any]]:
        """A row per set. Call :meth:`namespaces` first."""
        by_set: dict[tuple[str, str], list[dict[str, str]]] = {}
        for answer in self._ask("sets").values():
            for entry in answer.split(";"):
                pairs = _pairs(entry, ":")
                if "set" in pairs:
                    by_set.setdefault((pairs.get("ns", ""), pairs["set"]), []).append(pairs)
        rows = []
        for (namespace, name), nodes in sorted(by_set.items()):
            objects = _total(nodes, "objects")
            replicas = self._replication.get(namespace, 1)
            rows.append(
                {
                    "namespace": namespace,
                    "set": name,
                    "objects": None if objects is None else round(objects / replicas),
                    "bytes_with_replicas": _total(nodes, "data_used_bytes"),
                }
            )
        return rows

    def _ask(self, command: str) -> dict[str, str]:
        """The answers by node; notes nodes that did not answer in ``errors``."""
        answers = {}
        for node, (error, answer) in self._client.info_all(command).items():
            if error is not None:
                self.errors.append(f"node {node} did not answer {command!r}: {error}")
            elif answer is not None:
                answers[node] = answer.strip()
        return answers


def _pairs(text: str, separator: str) -> dict[str, str]:
    parts = (part.partition("=") for part in text.split(separator))
    return {name: value for name, equals, value in parts if equals}


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _total(by_node: list[dict[str, str]], name: str) -> int | None:
    """The sum over the nodes; None if no node has the value."""
    numbers = [number for node in by_node if (number := _number(node.get(name))) is not None]
    return sum(numbers) if numbers else None


def _table(rows: list[dict[str, Any]]) -> str:
    header = list(rows[0])
    right = [column for column, name in enumerate(header) if any(isinstance(row[name], int) for row in rows)]
    cells = [["-" if value is None else _format(value) for value in row.values()] for row in rows]
    return table([name.replace("_", " ") for name in header], cells, right)


def _format(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
