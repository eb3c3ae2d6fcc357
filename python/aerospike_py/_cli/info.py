"""``info``: nodes, namespaces and sets."""

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
    """Declares the command."""
    add_command(
        commands,
        "info",
        run,
        "nodes, namespaces and sets of a cluster",
        "Shows the nodes, namespaces and sets of a cluster. Objects are counted once, without their "
        "replicas, as the nodes tell them: they may lag behind. Exit code 1 where a node did not answer.",
    )


def run(options: argparse.Namespace) -> int:
    """Runs the command."""
    with connect(options) as client:
        cluster = Cluster(client)
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


class Cluster:
    """What the nodes of a cluster tell, put together."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._replication: dict[str, int] = {}
        #: What nodes did not answer, and why.
        self.errors: list[str] = []

    def nodes(self) -> list[dict[str, Any]]:
        """A row for each node."""
        builds, statistics = self._ask("build"), self._ask("statistics")
        rows: list[dict[str, Any]] = []
        nodes = self._client.stats().nodes
        for node in nodes:
            told = _pairs(statistics.get(node.name, ""), ";")
            if (size := _number(told.get("cluster_size"))) is not None and size != len(nodes):
                self.errors.append(
                    f"node {node.name} says that the cluster has {size} nodes; {len(nodes)} could be reached"
                )
            rows.append(
                {
                    "node": node.name,
                    "address": f"{node.address}:{node.port}",
                    "build": builds.get(node.name),
                    "uptime_seconds": _number(told.get("uptime")),
                    "connections": _number(told.get("client_connections")),
                    "objects_with_replicas": _number(told.get("objects")),
                    "migrating_partitions": _number(told.get("migrate_partitions_remaining")),
                }
            )
        return rows

    def namespaces(self) -> list[dict[str, Any]]:
        """A row for each namespace."""
        listed = self._ask("namespaces")
        names = dict.fromkeys(name for answer in listed.values() for name in answer.split(";") if name)
        rows = []
        for name in names:
            told = [_pairs(answer, ";") for answer in self._ask(f"namespace/{name}").values()]
            factor = max((_number(node.get("effective_replication_factor")) or 1 for node in told), default=1)
            self._replication[name] = max(factor, 1)
            rows.append(
                {
                    "namespace": name,
                    "objects": _total(told, "master_objects"),
                    "replication_factor": factor,
                    "bytes_with_replicas": _total(told, "data_used_bytes"),
                    "default_ttl_seconds": _number(told[0].get("default-ttl")) if told else None,
                    "stop_writes": any(node.get("stop_writes") == "true" for node in told),
                    "unavailable_partitions": _total(told, "unavailable_partitions"),
                }
            )
        return rows

    def sets(self) -> list[dict[str, Any]]:
        """A row for each set; after :meth:`namespaces`, which learns how many replicas there are."""
        told: dict[tuple[str, str], list[dict[str, str]]] = {}
        for answer in self._ask("sets").values():
            for entry in answer.split(";"):
                pairs = _pairs(entry, ":")
                if "set" in pairs:
                    told.setdefault((pairs.get("ns", ""), pairs["set"]), []).append(pairs)
        rows = []
        for (namespace, name), nodes in sorted(told.items()):
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
        """What each node answered. Those that did not are in ``errors``."""
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


def _total(told: list[dict[str, str]], name: str) -> int | None:
    """The sum over nodes; None where no node tells it."""
    numbers = [number for node in told if (number := _number(node.get(name))) is not None]
    return sum(numbers) if numbers else None


def _table(rows: list[dict[str, Any]]) -> str:
    header = list(rows[0])
    right = [column for column, name in enumerate(header) if any(isinstance(row[name], int) for row in rows)]
    cells = [["-" if value is None else _shown(value) for value in row.values()] for row in rows]
    return table([name.replace("_", " ") for name in header], cells, right)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
