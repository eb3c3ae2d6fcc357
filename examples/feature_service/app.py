"""Scores items for a user: reads two sets into arrays and computes one matrix product.

    aerospike-py serve &
    python -m examples.feature_service.load fill
    uvicorn examples.feature_service.app:app
    python -m examples.feature_service.load ask

Each worker process has one client, shared by all its requests.
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

# Made at import, connected in the event loop of the worker.
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
    """The scores of the items for the user, best first, and the items without a score."""
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
        # Code 2 is "not found". Other codes are errors: the item may exist.
        "unknown": ids[items.result_codes == 2].tolist(),
        "unanswered": ids[(items.result_codes != 2) & ~items.ok].tolist(),
    }
