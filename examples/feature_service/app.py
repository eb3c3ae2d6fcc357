"""Scores items for a user: two sets are read into arrays, and the answer is one matrix product.

    aerospike-py serve &
    python -m examples.feature_service.load fill
    uvicorn examples.feature_service.app:app
    python -m examples.feature_service.load ask

Each worker process has one client; its requests share it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import numpy as np
from fastapi import FastAPI, HTTPException, Query

import aerospike_py as aerospike
from aerospike_py import AsyncClient, Keys
from aerospike_py.types import BatchPolicy

from .features import ITEM, ITEMS, NAMESPACE, USER, USERS, hosts

# Nothing is connected before the worker's event loop runs.
client = AsyncClient({"hosts": hosts()})


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with client:
        yield


app = FastAPI(title="features", lifespan=lifespan)


@app.get("/scores")
async def scores(
    user: int, item: Annotated[list[int], Query(max_length=1000)], deadline_ms: int = 200
) -> dict[str, object]:
    """The items' scores for the user, best first, and the items that nobody knows."""
    policy: BatchPolicy = {"total_timeout": deadline_ms}
    ids = np.array(item)
    try:
        users, items = await asyncio.gather(
            client.batch_read(Keys(NAMESPACE, USERS, [user]), policy=policy, _dtype=USER),
            client.batch_read(Keys(NAMESPACE, ITEMS, ids), policy=policy, _dtype=ITEM),
        )
    except aerospike.TimeoutError as error:
        raise HTTPException(504, str(error)) from error
    if not users.ok[0]:
        raise HTTPException(404, f"there is no user {user}")
    found = items.batch_records[items.ok]
    score = found["factors"] @ users.batch_records["factors"][0]
    best = np.argsort(-score)
    return {
        "scores": [
            {"item": int(ids[items.ok][row]), "score": float(score[row]), "price": float(found["price"][row])}
            for row in best
        ],
        # Not found is 2. Anything else is a row that was not answered, and no item that is not there.
        "unknown": ids[items.result_codes == 2].tolist(),
        "unanswered": ids[(items.result_codes != 2) & ~items.ok].tolist(),
    }
