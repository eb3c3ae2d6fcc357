"""Answers that are changed, cut, delayed, repeated or split on their way from the node, at every byte.

A call ends in time, writes nothing outside its rows, does not mix two records in one row, and
leaves a client that works. ``HYPOTHESIS_PROFILE=thorough`` tries every fault at every byte.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import aerospike_py as aerospike
from aerospike_py.testing import DevServer
from tests.support import hostile
from tests.support.hostile import DTYPE, ROWS
from tests.support.proxy import COMPRESSED, INFO, MESSAGE, Fault, connect_through

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(1_800)]

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
KEYS = [("test", "hostile", number) for number in range(ROWS)]
# Some faults are noticed only by silence and cost a socket timeout each.
HURRY = {"socket_timeout": 25, "total_timeout": 1_000, "max_retries": 2}
COMPRESS = {"compress": True}
# Seconds that a busy machine may take beyond the deadline.
SLACK = 1.0
# Faults of a test that may not happen: on a busy machine, a call can end before its answer comes.
MOST_MISSED = 5
# Seconds until the proxy must be done with an answer.
LONG = 20.0
# Faults that change no byte.
HARMLESS = ("cut", "stop", "delay", "split")


def faults(size: int) -> Iterator[Fault]:
    """Faults for an answer of ``size`` bytes: all of them, or each kind at every few bytes."""
    if THOROUGH:
        for at in range(size):
            yield from (Fault("flip", at, bit) for bit in range(8))
            yield from (Fault("put", at, byte) for byte in (0x00, 0x7F, 0xFF))
            yield from (Fault("insert", at, byte) for byte in (0x00, 0x16, 0xFF))
            yield from (Fault("repeat", at, length) for length in (1, 8, 22, 100))
            yield from (Fault(kind, at) for kind in ("cut", "stop", "drop", "split"))
            yield Fault("delay", at, 2)
        return
    for at in range(size):
        yield Fault("flip", at, at * 5 % 8)
        if at % 3 < 2:
            yield Fault("put", at, (0x00, 0xFF)[at % 3])
        if at % 4 == 0:
            yield Fault("insert", at, (0x00, 0x16, 0xFF)[at // 4 % 3])
        if at % 4 == 1:
            yield Fault("repeat", at, (1, 8, 22, 100)[at // 4 % 4])
        if at % 8 == 2:
            yield Fault("drop", at)
        if at % 8 == 6:
            yield Fault("cut", at)
        if at % 16 == 3:
            yield Fault("stop", at)
        if at % 16 == 11:
            yield Fault("delay", at, 2)
        if at % 16 == 7:
            yield Fault("split", at)


@pytest.fixture(scope="module")
def node() -> Iterator[DevServer]:
    with DevServer(options=["--compression"]) as made:
        yield made


@pytest.fixture
def writer(node):
    with aerospike.client(node.config) as made:
        yield made


def report(outcomes: Counter[str]) -> None:
    """Prints the outcomes, for ``pytest -rP``."""
    sys.stdout.write(f"{outcomes.total()} faults: {dict(sorted(outcomes.items()))}\n")


def write(writer, version):
    for key, n in zip(KEYS, hostile.numbers(version), strict=True):
        writer.put(key, hostile.record(n))


def batch_answer(client, proxy, policy, kind):
    assert client.batch_read(KEYS, _dtype=DTYPE, policy=policy).ok.all()
    return proxy.answers[kind]


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "compressed"])
@pytest.mark.filterwarnings("ignore:rows of the batch failed:RuntimeWarning")
def test_batches(face, proxy, writer, compress):
    write(writer, 0)
    outcomes: Counter[str] = Counter()
    canvas = hostile.Canvas()
    policy, kind = ({**HURRY, **COMPRESS}, COMPRESSED) if compress else (HURRY, MESSAGE)
    calm = COMPRESS if compress else {}
    with connect_through(face, proxy) as client:
        answer = batch_answer(client, proxy, calm, kind)
        assert len(answer) > 200
        places = None if compress else hostile.places(answer)
        before = hostile.rows(0)
        for number, fault in enumerate(faults(len(answer)), 1):
            # The records change after the fault, so that a row from two tries is noticed.
            after = hostile.rows(number)
            canvas.clear()
            shot = proxy.arm(fault, kind, then=lambda number=number: write(writer, number))
            start = time.monotonic()
            try:
                batch = client.batch_read(KEYS, _dtype=DTYPE, policy=policy, out=canvas.out)
            except aerospike.AerospikeError as error:
                outcomes[f"{fault.kind}: {type(error).__name__}"] += 1
            else:
                # A checksum protects compressed answers; plain ones have none.
                place = places[fault.at] if places and fault.kind not in HARMLESS else None
                found, differing = hostile.check_rows(batch, [before, after], place)
                outcomes[
                    f"{fault.kind}: {'whole' if found == ROWS else 'some'}{', one changed' * differing}"
                ] += 1
            took = time.monotonic() - start
            assert took < HURRY["total_timeout"] / 1000 + SLACK, fault
            canvas.check()
            happened = shot.over.wait(SLACK if compress else LONG)
            proxy.disarm()
            if not happened:
                # The size of a compressed answer varies.
                outcomes["missed"] += 1
                assert compress or outcomes["missed"] <= MOST_MISSED, fault
                write(writer, number)
            canvas.clear()
            batch = client.batch_read(KEYS, _dtype=DTYPE, policy=calm, out=canvas.out)
            assert hostile.check_rows(batch, [after], None) == (ROWS, 0), fault
            canvas.check()
            before = after
    report(outcomes)


def missed(shot: Any, proxy: Any, error: Exception | None, outcomes: Counter[str]) -> None:
    """Waits until a fault has happened.

    It may not in a few cases, on a busy machine: a call times out before, or a query goes on with another
    request, whose answer is shorter.
    """
    if shot.over.wait(LONG):
        return
    proxy.disarm()
    assert error is None or isinstance(error, aerospike.TimeoutError), (shot.fault, error)
    outcomes["missed"] += 1
    assert outcomes["missed"] <= MOST_MISSED, shot.fault


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "compressed"])
def test_single_reads(face, proxy, writer, compress):
    write(writer, 0)
    bins = hostile.record(0)
    outcomes: Counter[str] = Counter()
    policy, kind = ({**HURRY, **COMPRESS}, COMPRESSED) if compress else (HURRY, MESSAGE)
    calm = COMPRESS if compress else {}
    with connect_through(face, proxy) as client:
        assert client.get(KEYS[0], policy=calm).bins == bins
        for fault in faults(len(proxy.answers[kind])):
            shot = proxy.arm(fault, kind)
            start = time.monotonic()
            failure = None
            try:
                got = client.get(KEYS[0], policy=policy).bins
            except aerospike.AerospikeError as error:
                failure = error
                outcomes[f"{fault.kind}: {type(error).__name__}"] += 1
            else:
                wrong = {name for name in bins if got.get(name) != bins[name]}
                is_right = got == bins
                if fault.kind in HARMLESS or compress:
                    assert is_right, fault
                else:
                    # One value or its name changed, or the header lost some.
                    assert len(wrong) <= 1 or wrong.isdisjoint(got), (fault, got)
                outcomes[f"{fault.kind}: {'right' if is_right else 'changed'}"] += 1
            assert time.monotonic() - start < HURRY["total_timeout"] / 1000 + SLACK, fault
            missed(shot, proxy, failure, outcomes)
            assert client.get(KEYS[0], policy=calm).bins == bins, fault
    report(outcomes)


def test_connecting(face, proxy, node, writer):
    write(writer, 0)
    config = {"hosts": [proxy.address], "connect_timeout": 60}
    connect_through(face, proxy).close()
    answer = proxy.answers[INFO]
    # All partition bits are alike: some bytes of the bitmap suffice.
    bitmap = answer.index(b"test:0,1,")
    outcomes: Counter[str] = Counter()
    for fault in faults(len(answer)):
        if fault.at > bitmap + 12 and fault.at % 64 and not THOROUGH:
            continue
        proxy.arm(fault, INFO)
        client = face.client(config)
        start = time.monotonic()
        try:
            client.connect()
        except aerospike.AerospikeError as error:
            unclear = "" if "127.0.0.1" in str(error) else f", unclear: {error}"
            outcomes[f"{fault.kind}: {type(error).__name__}{unclear}"] += 1
            limit = SLACK
        else:
            # Its view of the cluster may be wrong; calls still end in time.
            limit = HURRY["total_timeout"] / 1000 + 2 * SLACK
            try:
                batch = client.batch_read(KEYS, _dtype=DTYPE, policy=HURRY)
                ok = batch.ok.all()
                outcomes[f"{fault.kind}: connected, {'all' if ok else 'some'} rows"] += 1
                hostile.check_rows(batch, [hostile.rows(0)], None)
            except aerospike.AerospikeError as error:
                outcomes[f"{fault.kind}: connected, {type(error).__name__}"] += 1
        finally:
            client.close()
            proxy.disarm()
        assert time.monotonic() - start < limit, fault
    assert not any("unclear" in outcome for outcome in outcomes)
    with connect_through(face, proxy) as client:
        assert client.batch_read(KEYS, _dtype=DTYPE).ok.all()
    report(outcomes)
