"""Many calls that complete at once leave the event loop time for others."""

import asyncio
import itertools
import time

import pytest

from aerospike_py._utils.event_loop import _FEW, _LoopWaiter

pytestmark = pytest.mark.embedded


class Done:
    """A queue of calls that have completed."""

    def __init__(self, numbers):
        self.numbers = numbers

    def drain(self):
        numbers, self.numbers = self.numbers, []
        return numbers


def run(calls, seconds):
    """The order in which calls end whose coroutines take a time each, and how many ended by each turn."""

    async def main():
        loop = asyncio.get_running_loop()
        waiter = _LoopWaiter(loop)
        finished, turns = [], []

        async def call(number, future):
            await future
            end = time.thread_time() + seconds
            while time.thread_time() < end:
                pass
            finished.append(number)

        async def count_turns():
            while len(finished) < calls:
                turns.append(len(finished))
                await asyncio.sleep(0)

        waiter.futures = {number: loop.create_future() for number in range(calls)}
        running = [asyncio.ensure_future(call(number, future)) for number, future in waiter.futures.items()]
        await asyncio.sleep(0)
        loop.remove_reader(waiter.completions.fileno())
        half = calls // 2
        waiter.completions = Done(list(range(half)))
        waiter._drain()
        waiter.completions = Done(list(range(half, calls)))  # complete while others wait for their turn
        waiter._drain()
        await asyncio.wait_for(asyncio.gather(count_turns(), *running), 30)
        return finished, turns

    return asyncio.run(main())


def test_slow_calls_complete_in_turns():
    finished, turns = run(calls=40, seconds=0.002)
    assert finished == list(range(40))
    steps = [after - before for before, after in itertools.pairwise(turns)]
    assert max(steps) <= _FEW


def test_quick_calls_share_a_turn():
    finished, turns = run(calls=400, seconds=0)
    assert finished == list(range(400))
    assert len(set(turns)) < 400 / _FEW / 2


def test_a_cancelled_call_among_those_that_wait_for_their_turn():
    async def main():
        waiter = _LoopWaiter(asyncio.get_running_loop())
        waiter.futures = {number: asyncio.get_running_loop().create_future() for number in range(3 * _FEW)}
        last = waiter.futures[3 * _FEW - 1]
        waiter.completions = Done(list(waiter.futures))
        waiter._drain()
        others = list(waiter.futures.values())[:-1]
        last.cancel()
        await asyncio.wait_for(asyncio.gather(*others), 30)
        assert not waiter.futures or list(waiter.futures.values()) == [last]

    asyncio.run(main())
