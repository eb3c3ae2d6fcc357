"""Scores items for a user: features of three sets in one matrix, and a model.

    aerospike-py serve &
    python -m examples.feature_service.load fill
    uvicorn examples.feature_service.app:app --timeout-graceful-shutdown 10
    python -m examples.feature_service.load ask

Each worker process has one client, shared by all its requests.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated

import numpy as np
from fastapi import FastAPI, HTTPException, Query, Request, Response

import aerospike_py as aerospike

from . import model, readers
from .metrics import Metrics

# Seconds to wait for the database at the start.
START = 30.0

# Made at import, connected in the event loop of the worker.
reader = readers.make()
score = model.load()
metrics = Metrics()
is_stopping = False


async def connect() -> None:
    """Connects; a database that starts at the same time may take a while."""
    deadline = time.monotonic() + START
    while True:
        try:
            await reader.connect()
            return
        except (aerospike.ConnectionError, aerospike.TimeoutError):  # noqa: PERF203 (that is the point)
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.5)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    global is_stopping
    await connect()
    # The first call opens connections: not in a user's request.
    await reader.candidates(0, np.arange(1), 1_000)
    yield
    # uvicorn has answered all requests by now, or cancelled them at its timeout.
    is_stopping = True
    await reader.close()


app = FastAPI(title="features", lifespan=lifespan)


@app.middleware("http")
async def measured(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    if request.url.path != "/scores":
        return await call_next(request)
    start, status = time.perf_counter(), 500
    metrics.in_flight += 1
    try:
        response = await call_next(request)
        status = response.status_code
        return response
    finally:
        metrics.in_flight -= 1
        metrics.answered(status, time.perf_counter() - start)


@app.get("/scores")
async def scores(
    user: int, item: Annotated[list[int], Query(max_length=1000)], deadline_ms: int = 200
) -> dict[str, object]:
    """The scores of the items for the user, best first, and the items without a score."""
    ids = np.array(item)
    try:
        matrix, codes = await reader.candidates(user, ids, deadline_ms)
    except aerospike.TimeoutError as error:
        raise HTTPException(504, str(error)) from error
    except aerospike.AerospikeError as error:
        raise HTTPException(503, str(error)) from error
    # Code 2 is "not found". Other codes are errors: the record may exist.
    found, missing = int((codes == 0).sum()), int((codes == 2).sum())
    metrics.records(found, missing, codes.size - found - missing)
    if codes[0, 0] == 2:
        raise HTTPException(404, f"there is no user {user}")
    of_items = codes[:, 1]
    # An item without trends has a score all the same: the model knows the value for "missing".
    ready = (codes[:, 0] == 0) & (of_items == 0)
    rows = np.flatnonzero(ready)
    result = score(matrix[rows])
    best = np.argsort(-result)
    return {
        "scores": [{"item": int(ids[rows[place]]), "score": float(result[place])} for place in best],
        "unknown": ids[of_items == 2].tolist(),
        "unanswered": ids[~ready & (of_items != 2)].tolist(),
    }


@app.get("/features")
async def features(user: int, item: Annotated[list[int], Query(max_length=100)]) -> dict[str, object]:
    """The records behind a score, by set, for people who look for a mistake."""
    if not isinstance(reader, readers.ArrayReader):
        raise HTTPException(501, "FEATURES_CLIENT is official")
    records = await reader.records(user, np.array(item))
    return {
        name: {field: batch.masked[field].tolist() for field in batch.batch_records.dtype.names or ()}
        for name, batch in records.items()
    }


@app.get("/metrics")
async def numbers() -> Response:
    # The numbers of the service, then those of the client: calls, nodes, connections, retries.
    text = metrics.text() + aerospike.prometheus_text()
    return Response(text, media_type="text/plain; version=0.0.4")


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    """Whether the process works: if not, it should be restarted."""
    return {"status": "ok"}


@app.get("/readyz")
async def readyz() -> dict[str, str]:
    """Whether requests should be sent here."""
    if is_stopping or not await reader.is_ready():
        raise HTTPException(503, "not connected to the database")
    return {"status": "ready"}
