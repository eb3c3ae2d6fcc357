"""Records written from an array, and from an Arrow table.

Only this package and aerospike-py have a call for arrays. The official client writes a table in a loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benches.bench import Bench

SIZE = 10_000
TABLE_SIZE = 100_000

# Name, client and task of what is compared with a table.
TABLE_WAYS = (
    ("table", "ours", "write_table"),
    ("array", "ours", "write_array"),
    ("official", "official", "write_table"),
)


def run(bench: Bench) -> dict[str, Any]:
    size, table_size = min(SIZE, bench.effort.most), min(TABLE_SIZE, bench.effort.most)
    figures: dict[str, Any] = {}
    tables: dict[str, Any] = {}
    for _ in range(bench.effort.stretches):
        for client in ("ours", "aerospike-py"):
            take(bench, figures, client, client, "write_array", size)
        for way, client, task in TABLE_WAYS:
            take(bench, tables, way, client, task, table_size)
    return {"size": size, "clients": figures, "tables": {"size": table_size, "ways": tables}}


def take(bench: Bench, figures: dict[str, Any], name: str, client: str, task: str, count: int) -> None:
    """Adds a client's samples of a task to those of ``name``."""
    if client not in bench.clients:
        return
    answer = bench.ask(client, f"batches.{task}", count=count, samples=bench.effort.samples)
    for kind in ("cpu", "wall") if answer else ():
        assert answer is not None
        figures.setdefault(name, {"cpu": [], "wall": []})[kind] += answer[kind]
