"""Answers to queries into arrays that are changed, cut, delayed, repeated or split, at every byte.

A query ends in time, with an error or with rows that are right but for the one that was hit: the protocol has
no checksum, so a value may become another one, and a digest that of another record. It writes nothing outside
of its rows and leaves a client that works. ``HYPOTHESIS_PROFILE=thorough`` tries every fault at every byte.
"""

from __future__ import annotations

import contextlib
import time
import warnings
from collections import Counter
from typing import Any

import numpy as np
import pytest

import aerospike_py as aerospike
from tests.hostile.test_hostile_bytes import HARMLESS, HURRY, LONG, SLACK, faults, missed, report
from tests.support import hostile
from tests.support.hostile import DTYPE, ROWS
from tests.support.proxy import MESSAGE, Fault, connect_through

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(1_800)]

NAMES = DTYPE.names or ()
KEYS = [("test", "hostile", number) for number in range(ROWS)]
EXPECTED = {bytes(aerospike.calc_digest(*key)): row for key, row in zip(KEYS, hostile.rows(0), strict=True)}
FIELDS = {0: "namespace", 1: "set", 2: "key", 4: "digest"}


@pytest.fixture(scope="module")
def writer(node):
    with aerospike.client(node.config) as made:
        for key, n in zip(KEYS, hostile.numbers(0), strict=True):
            made.put(key, hostile.record(n), policy={"key": aerospike.POLICY_KEY_SEND})
        yield made


def places(answer: bytes) -> list[str]:
    """For each byte of an answer what it is part of.

    That is "frame", "header", "field" (what stands before a field), the name of a field, "op" (what stands
    before a value), or the name of the bin whose value it is in.
    """
    found: list[str] = []
    at = 0
    while at < len(answer):
        body_end = at + 8 + int.from_bytes(answer[at + 2 : at + 8], "big")
        found += ["frame"] * 8
        at += 8
        while at < body_end:
            field_count = int.from_bytes(answer[at + 18 : at + 20], "big")
            op_count = int.from_bytes(answer[at + 20 : at + 22], "big")
            found += ["header"] * 22
            at += 22
            for _ in range(field_count):
                end = at + 4 + int.from_bytes(answer[at : at + 4], "big")
                found += ["field"] * 5 + [FIELDS[answer[at + 4]]] * (end - at - 5)
                at = end
            for _ in range(op_count):
                end = at + 4 + int.from_bytes(answer[at : at + 4], "big")
                value = at + 8 + answer[at + 7]
                found += ["op"] * (value - at) + [answer[at + 8 : value].decode()] * (end - value)
                at = end
    assert len(found) == len(answer)
    return found


def check(blocks: list[tuple[Any, Any, Any]], place: str | None, fault: Any) -> str:
    """Checks the rows of a query whose answer was hit at ``place``; None if no byte changed."""
    rows = [
        (bytes(digest), row, present) for block in blocks for digest, row, present in zip(*block, strict=True)
    ]
    digests = {digest for digest, _, _ in rows}
    assert len(digests) == len(rows), "a record came twice"
    wrong = 0
    for digest, row, present in rows:
        right = EXPECTED.get(digest)
        if right is None:
            assert place == "digest"
            assert any(not hostile.wrong_cells(row, other) for other in EXPECTED.values())
            wrong += 1
            continue
        cells = hostile.wrong_cells(row, right)
        for name in NAMES:
            # A cell without a value is empty, and a right one is not called missing.
            assert present[name] or not np.any(hostile.blank(row[name])), name
        wrong += bool(cells)
        if not cells:
            continue
        assert place in ("header", "op", "field", *NAMES), (place, cells)
        if place in NAMES:
            assert cells == [place]
        else:
            # A name, a type or a number of bins was hit. A type is that of another kind of number at most.
            assert sum(bool(present[name]) for name in cells) <= 1, (place, cells)
    assert wrong <= 1
    assert len(rows) == len(EXPECTED), f"{fault} at {place} loses records"
    return f"whole{', one changed' * wrong}"


def one_array(query: Any, policy: Any, _out: Any) -> list[tuple[Any, Any, Any]]:
    records = query.to_numpy(DTYPE, policy=policy)
    raw = records.batch_records.view("u1").reshape(-1, DTYPE.itemsize)
    assert not raw[:, hostile.Canvas()._padding].any()
    return [(records.digests, records.batch_records, records.present)]


def blocks_of_two(query: Any, policy: Any, _out: Any) -> list[tuple[Any, Any, Any]]:
    with query.numpy_batches(DTYPE, 2, policy=policy) as batches:
        return [(block.digests, block.batch_records, block.present) for block in batches]


def into_out(query: Any, policy: Any, out: Any) -> list[tuple[Any, Any, Any]]:
    with query.numpy_batches(DTYPE, 3, out=out, policy=policy) as batches:
        return [(block.digests.copy(), block.batch_records.copy(), block.present) for block in batches]


def test_queries_into_arrays(face, proxy, writer):
    outcomes: Counter[str] = Counter()
    canvas = hostile.Canvas()

    def read(number: int, policy: Any) -> list[tuple[Any, Any, Any]]:
        way = (one_array, blocks_of_two, into_out)[number % 3]
        canvas.clear()
        try:
            return way(client.query("test", "hostile"), policy, canvas.out)
        finally:
            canvas.check()

    with connect_through(face, proxy) as client, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(3):
            assert check(read(number, None), None, "no fault") == "whole"
        answer = proxy.answers[MESSAGE]
        assert len(answer) > 500
        where = places(answer)
        for number, fault in enumerate(faults(len(answer))):
            shot = proxy.arm(fault, MESSAGE)
            start = time.monotonic()
            place = None if fault.kind in HARMLESS else where[fault.at]
            failure = None
            try:
                outcome = check(read(number, HURRY), place, fault)
            except aerospike.AerospikeError as error:
                # A BatchDecodeError: a value became one that its field does not take.
                assert getattr(error, "count", 1) == 1  # noqa: PT017
                failure = error
                outcome = type(error).__name__
            outcomes[f"{fault.kind}: {outcome}"] += 1
            assert time.monotonic() - start < HURRY["total_timeout"] / 1000 + SLACK, fault
            missed(shot, proxy, failure, outcomes)
            assert check(read(number + 1, None), None, f"after {fault}") == "whole"
    report(outcomes)


@pytest.mark.parametrize("way", ["to_numpy", "results"])
def test_what_follows_an_answer_that_was_refused_is_not_the_next_query_s(face, proxy, writer, way):
    """A record whose code became an error ends the answer; the node sends on, to a query that is over."""

    def read():
        query = client.query("test", "hostile")
        return query.to_numpy(DTYPE) if way == "to_numpy" else query.results()

    with connect_through(face, proxy) as client:
        assert len(read()) == ROWS
        answer = proxy.answers[MESSAGE]
        # The header of the last record's message, in which the result code is byte 5.
        *_, last = (at for at, place in enumerate(places(answer)) if place == "digest")
        header = max(at for at, place in enumerate(places(answer)) if place == "frame" and at < last) + 1
        wrong = 0
        for _ in range(30):
            shot = proxy.arm(Fault("put", header + 5, 32), MESSAGE)
            with contextlib.suppress(aerospike.AerospikeError):
                assert len(read()) == ROWS
            assert shot.over.wait(LONG)
            wrong += len(read()) != ROWS
        assert wrong == 0
