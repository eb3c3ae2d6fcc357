"""Nearest neighbours of embeddings: vectors stored as blobs, read into a matrix, searched with NumPy.

All candidates are read in one batch. NumPy multiplies the column of vectors in place, without a copy.
"""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

import aerospike_py as aerospike
from aerospike_py import Client, Keys
from aerospike_py.testing import DevServer

NAMESPACE, SET = "test", "documents"
DOCUMENTS, DIMENSIONS = 5_000, 128

# Aligned, because NumPy copies unaligned vectors before a product.
DOCUMENT = np.dtype([("topic", "u1"), ("embedding", "f4", (DIMENSIONS,))], align=True)

Vectors = npt.NDArray[np.float32]


def write(client: Client) -> Vectors:
    """Writes documents with random unit vectors and returns the vectors."""
    vectors = np.random.default_rng(7).normal(size=(DOCUMENTS, DIMENSIONS)).astype("f4")
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    documents = np.zeros(DOCUMENTS, DOCUMENT)
    documents["topic"] = np.arange(DOCUMENTS) % 10
    documents["embedding"] = vectors
    client.batch_write_numpy(documents, NAMESPACE, SET, keys=np.arange(DOCUMENTS)).raise_for_failures()
    return vectors


def nearest(
    client: Client, query: Vectors, candidates: npt.NDArray[np.int64], count: int
) -> list[tuple[int, float]]:
    """The ``count`` candidates nearest to the query, each with its cosine similarity."""
    batch = client.batch_read(Keys(NAMESPACE, SET, candidates), _dtype=DOCUMENT)
    similarity = batch.batch_records["embedding"] @ query
    # The row of a document that was not found is zero, which has similarity 0.
    similarity[~batch.present["embedding"]] = -np.inf
    best = np.argpartition(-similarity, count)[:count]
    best = best[np.argsort(-similarity[best])]
    return [(int(candidates[row]), float(similarity[row])) for row in best if np.isfinite(similarity[row])]


def main() -> None:
    with DevServer() as server, aerospike.client(server.config).connect() as client:
        vectors = write(client)
        query = vectors[42] + 0.1 * vectors[1234]
        query /= np.linalg.norm(query)

        # Two candidates do not exist.
        candidates = np.append(np.arange(DOCUMENTS), [10**9, 10**9 + 1])
        start = time.perf_counter()
        found = nearest(client, query, candidates, 5)
        took = time.perf_counter() - start

        print(f"{len(candidates)} candidates read and compared in {took * 1000:.1f} ms")
        for document, similarity in found:
            print(f"  document {document:5}  similarity {similarity:.3f}")
        expected = np.argsort(-(vectors @ query))[:5].tolist()
        if [document for document, _ in found] != expected:
            raise SystemExit(f"NumPy alone finds {expected}")


if __name__ == "__main__":
    main()
