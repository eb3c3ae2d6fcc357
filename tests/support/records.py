"""Bin values that no client writes, and records that have them."""

import socket
import struct

import aerospike_py

# A HyperLogLog sketch that a server made.
SKETCH = bytes.fromhex("0004") + bytes(13) + bytes.fromhex("4080003000000000")
# MessagePack: a map whose key is a list.
MAP_KEYED_BY_A_LIST = bytes.fromhex("819101c0")
MAP = 19


def put_as_it_is(host, key, name, value, particle_type=MAP, *, stored_key=b"", digest=None):
    """Writes a bin whose value has exactly these bytes.

    ``stored_key`` is the key to store: a particle type, then its bytes. ``digest`` replaces that of ``key``.
    """
    name_of_set = key[1] if isinstance(key[1], bytes) else key[1].encode()
    fields = [(0, key[0].encode()), (1, name_of_set), (4, digest or aerospike_py.calc_digest(*key))]
    if stored_key:
        fields.append((2, stored_key))
    body = struct.pack(">BBBBBBIIIHH", 22, 0, 1, 0, 0, 0, 0, 0, 1000, len(fields), 1)
    body += b"".join(struct.pack(">IB", 1 + len(data), kind) + data for kind, data in fields)
    body += struct.pack(">IBBBB", 4 + len(name) + len(value), 2, particle_type, 0, len(name)) + name + value
    with socket.create_connection(host) as connection, connection.makefile("rb") as answer:
        connection.sendall(struct.pack(">Q", 2 << 56 | 3 << 48 | len(body)) + body)
        assert answer.read(8 + 22)[13] == 0


def fill_with_an_unreadable_one(server):
    """Ten records of the set ``test.s``; number 7 has a map that Python cannot hold."""
    with aerospike_py.client(server.config).connect() as client:
        for number in range(10):
            client.put(("test", "s", number), {"a": number})
    put_as_it_is(server.hosts[0], ("test", "s", 7), b"m", MAP_KEYED_BY_A_LIST)
