"""A run: its server, its measuring processes, its effort and the notes on what went wrong."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from benches import environment
from benches.clients import CLIENTS, PEERS
from benches.process import Floor, Hosts, Refused, Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benches.workloads.base import Workload

# Above this number, the wire floor program writes the records.
MANY = 5_000


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    rounds: int
    """Rounds; each client runs once per round."""
    samples: int
    """Samples per client and round."""
    stretches: int
    """Rounds of the workloads with calls in flight and with other Python code."""
    seconds: float
    """The length of such a round."""
    most: int
    """The largest batch."""
    peers_most: int
    """The largest batch of the other clients."""
    in_flight: tuple[int, ...] = (1, 8, 32, 128)


EFFORTS = {
    "tiny": Effort(
        rounds=1, samples=1, stretches=1, seconds=0.05, most=200, peers_most=200, in_flight=(1, 8)
    ),
    "quick": Effort(rounds=2, samples=3, stretches=1, seconds=0.5, most=100_000, peers_most=10_000),
    "full": Effort(rounds=8, samples=5, stretches=4, seconds=2.0, most=1_000_000, peers_most=1_000_000),
}


@dataclass
class Bench:
    """What a suite measures with."""

    hosts: Hosts
    effort: Effort
    pythons: dict[str, str]
    """The Python executable of each client."""
    floor: Floor | None
    notes: list[str] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)
    _workers: dict[str, Worker] = field(default_factory=dict)
    _loaded: dict[str, int] = field(default_factory=dict)

    @property
    def clients(self) -> list[str]:
        return list(self.pythons)

    @property
    def peers(self) -> list[str]:
        return [name for name in self.pythons if name in PEERS]

    def worker(self, client: str) -> Worker:
        if client not in self._workers:
            worker = Worker(client, self.pythons[client], self.hosts)
            self._workers[client] = self._stack.enter_context(worker)
        return self._workers[client]

    @contextmanager
    def fresh(self, client: str) -> Iterator[Worker]:
        """A new worker process."""
        with Worker(client, self.pythons[client], self.hosts) as worker:
            yield worker

    def versions(self) -> dict[str, str]:
        return {name: str(worker.about["version"]) for name, worker in self._workers.items()}

    def numpy(self) -> str:
        return next((str(worker.about["numpy"]) for worker in self._workers.values()), "")

    def note(self, text: str) -> None:
        self.notes.append(text)
        self.say(f"  note: {text}")

    def say(self, text: str) -> None:
        print(text, flush=True)

    def ask(self, client: str, do: str, **arguments: Any) -> dict[str, Any] | None:
        """The answer of the client's worker; None, with a note, if the client cannot do it."""
        try:
            return self.worker(client).ask(do, **arguments)
        except Refused as error:
            about = ", ".join(str(value) for value in arguments.values())
            self.note(f"{client}, {do} ({about}): {error}")
            return None

    def load(self, workload: Workload, count: int) -> None:
        """Writes the first records of a workload unless they are there."""
        if self._loaded.get(workload.name, 0) >= count:
            return
        self.say(f"{workload.name}: writing {count:,} records")
        if self.floor is not None and workload.columns and not workload.missing and count > MANY:
            self.floor.load(workload, count)
        else:
            # The official client writes the records, whichever clients are compared.
            name = "official" if "official" in self.pythons else self.clients[0]
            self.worker(name).ask("load", workload=workload.name, count=count)
        self._loaded[workload.name] = count

    def close(self) -> None:
        self._stack.close()


def find_pythons(names: list[str]) -> tuple[dict[str, str], list[str]]:
    """The Python executable of each client that runs here, and a note on each that does not."""
    pythons, notes = {}, []
    for name in sorted(names, key=CLIENTS.index):
        if name == "aerospike-py":
            pythons[name] = environment.peer_python(name)
        elif name == "aerospike-native" and find_spec("aerospike_native") is None:
            notes.append("aerospike-native is left out: it needs Python 3.11")
        else:
            pythons[name] = sys.executable
    return pythons, notes
