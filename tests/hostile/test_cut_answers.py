"""A row holds the values of one record or zeros, never a mix of two tries.

A proxy cuts the first answer at every byte of it. Before the client asks again, the records change on the
server: a row must be all old or all new, with its generation, and rows that were answered before the cut
stay as they were.
"""

import numpy as np
import pytest

import aerospike_py as aerospike
from tests.support.proxy import MESSAGE, Fault

pytestmark = pytest.mark.embedded

ROWS = 3
DTYPE = np.dtype([("a", ">i8"), ("v", "<i4", (3,)), ("b", "i8"), ("s", "S4")])


def record(version):
    vector = np.full(3, version, "<i4")
    return {"a": version, "v": vector.tobytes(), "b": version, "s": f"v{version}"}


def test_an_answer_cut_at_every_byte(face, node, proxy):
    direct = aerospike.client(node.config).connect()
    keys = [("test", "whole", number) for number in range(ROWS)]

    def write(version):
        for key in keys:
            direct.put(key, record(version))

    write(0)
    # The node announces its own address; the proxy is the only seed, and no peer replaces it.
    # It fails more often than the circuit breaker allows a node to.
    with face.connect({"hosts": [proxy.address], "max_error_rate": 0}) as client:
        assert client.batch_read(keys, _dtype=DTYPE).ok.all()
        longest = len(proxy.answers[MESSAGE])
        assert longest > 200
        retried = 0
        for after in range(longest):
            version = 2 * after + 1
            write(version)
            generation = int(client.batch_read(keys, _dtype=DTYPE).meta["gen"][0])
            out = np.full(ROWS, 0, DTYPE)
            out.view("u1").fill(0xEE)
            shot = proxy.arm(Fault("cut", after), then=lambda version=version: write(version + 1))
            batch = client.batch_read(keys, _dtype=DTYPE, out=out)
            # A hedge may have answered first: wait, so that the new version is not written in the next round.
            assert shot.over.wait(20)
            assert batch.ok.all()
            for row in range(ROWS):
                got = int(batch.batch_records["a"][row])
                assert got in (version, version + 1)
                assert batch.batch_records["b"][row] == got
                assert (batch.batch_records["v"][row] == got).all()
                assert batch.batch_records["s"][row] == f"v{got}".encode()[:4]
                assert batch.meta["gen"][row] == generation + (got - version)
                retried += got == version + 1
        # Most cuts lost rows, which were read again.
        assert retried > longest
    direct.close()
