"""Procedures of several calls, written once for both clients.

A procedure is a generator that makes each call of the client with ``yield``::

    batch = yield client.batch_read(keys)

With a ``Client`` it yields results, with an ``AsyncClient`` it yields coroutines. Either way ``yield``
returns the result. :func:`run_sync` drives a procedure that uses a ``Client``, :func:`run_async` one that
uses an ``AsyncClient``.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeAlias, TypeVar

Result = TypeVar("Result")
Steps: TypeAlias = Generator[Any, Any, Result]


def run_sync(steps: Steps[Result]) -> Result:
    try:
        answer = next(steps)
        while True:
            answer = steps.send(answer)
    except StopIteration as end:
        result: Result = end.value
        return result


async def run_async(steps: Steps[Result]) -> Result:
    try:
        call = next(steps)
        while True:
            call = steps.send(await call)
    except StopIteration as end:
        result: Result = end.value
        return result
