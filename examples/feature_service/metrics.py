"""Counters and a latency histogram, as text that Prometheus scrapes."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


class Metrics:
    """The numbers of a worker process. One event loop changes them, so they need no lock."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._answers: Counter[int] = Counter()
        self._records: Counter[str] = Counter()
        self._buckets = [0] * (len(BOUNDS) + 1)
        self._seconds = 0.0

    def answered(self, status: int, seconds: float) -> None:
        self._answers[status] += 1
        self._buckets[bisect_left(BOUNDS, seconds)] += 1
        self._seconds += seconds

    def records(self, found: int, missing: int, failed: int) -> None:
        self._records.update(found=found, missing=missing, failed=failed)

    def text(self) -> str:
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield from _head("feature_requests_in_flight", "gauge", "Requests that are being answered.")
        yield f"feature_requests_in_flight {self.in_flight}"
        yield from _head("feature_requests_total", "counter", "Answered requests by HTTP status.")
        yield from (f'feature_requests_total{{status="{code}"}} {n}' for code, n in self._answers.items())
        yield from _head("feature_records_total", "counter", "Records of features by outcome.")
        yield from (f'feature_records_total{{outcome="{name}"}} {n}' for name, n in self._records.items())
        yield from _head("feature_request_seconds", "histogram", "Time of requests.")
        total = 0
        for bound, count in zip((*BOUNDS, "+Inf"), self._buckets, strict=True):
            total += count
            yield f'feature_request_seconds_bucket{{le="{bound}"}} {total}'
        yield f"feature_request_seconds_sum {self._seconds:.6f}"
        yield f"feature_request_seconds_count {total}"


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
