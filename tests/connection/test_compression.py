"""Compressed requests and answers, against the embedded node as an Enterprise Edition server."""

from __future__ import annotations

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py.testing import DevServer
from tests.support.proxy import Proxy

pytestmark = pytest.mark.embedded

N = 3_000
DTYPE = np.dtype([("v", "i8"), ("t", "S40")])
KEYS = aerospike.Keys("test", "compressed", np.arange(N))
COMPRESS = {"compress": True}


@pytest.fixture(scope="module")
def enterprise():
    with DevServer(options=["--compression"]) as made:
        with aerospike.client(made.config) as writer:
            for number in range(N):
                bins = {"v": number, "t": "x" * (number % 40)}
                writer.put(("test", "compressed", number), bins, policy=COMPRESS)
        yield made


def test_answers_are_smaller_and_the_same(face, enterprise):
    proxy = Proxy(enterprise.hosts[0])
    config = {"hosts": [proxy.address], "tend_interval": 60_000}
    with face.connect(config) as client:
        sizes = []
        for policy in ({}, COMPRESS):
            before = proxy.received
            batch = client.batch_read(KEYS, _dtype=DTYPE, policy=policy)
            sizes.append(proxy.received - before)
            assert batch.ok.all()
            assert (batch.batch_records["v"] == np.arange(N)).all()
            assert (np.char.str_len(batch.batch_records["t"]) == np.arange(N) % 40).all()
        assert sizes[1] < sizes[0] / 2
        key = ("test", "compressed", 39)
        assert client.get(key, policy=COMPRESS) == client.get(key)
        client.put(key, {"long": "y" * 5_000}, policy=COMPRESS)
        before = proxy.received
        assert client.get(key, policy=COMPRESS).bins["long"] == "y" * 5_000
        assert proxy.received - before < 500
        client.remove(key, policy=COMPRESS)
        with pytest.raises(aerospike.RecordNotFound):
            client.get(key, policy=COMPRESS)
        client.put(key, {"v": 39, "t": "x" * 39})
    proxy.close()


def test_faults_of_compressed_answers(face, enterprise):
    with face.connect({**enterprise.config, "policies": {"batch": COMPRESS}}) as client:
        for fault in ("close-mid-frame", "garbage", "row-twice", "wrong-row-index"):
            enterprise.inject(fault, command="batch", times=1)
            assert client.batch_read(KEYS, _dtype=DTYPE).ok.all()


def test_a_server_without_compression_says_so(face, config, fresh_set):
    with face.connect(config) as client:
        with pytest.raises(aerospike.AerospikeError) as caught:
            client.put(("test", fresh_set, 1), {"s": "a" * 400}, policy=COMPRESS)
        assert caught.value.code == 25
        keys = [("test", fresh_set, number) for number in range(50)]
        with pytest.raises(aerospike.AerospikeError) as caught:
            client.batch_read(keys, _dtype=DTYPE, policy=COMPRESS)
        assert caught.value.code == 25
        # Small reads and their answers may be sent uncompressed.
        client.put(("test", fresh_set, 1), {"s": "a" * 400})
        assert client.get(("test", fresh_set, 1), policy=COMPRESS).bins == {"s": "a" * 400}


def test_the_official_client_compresses(enterprise):
    official = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
    client = official.client({"hosts": enterprise.hosts}).connect()
    try:
        key = ("test", "official", 1)
        client.put(key, {"s": "b" * 2_000}, policy=COMPRESS)
        assert client.get(key, policy=COMPRESS)[2] == {"s": "b" * 2_000}
        rows = client.batch_read([("test", "compressed", n) for n in range(500)], policy=COMPRESS)
        assert [row.record[2]["v"] for row in rows.batch_records] == list(range(500))
    finally:
        client.close()
