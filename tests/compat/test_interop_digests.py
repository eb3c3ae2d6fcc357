"""Digests of any key equal those of the official client."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aerospike_py as ours

aerospike = pytest.importorskip("aerospike")

sets = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=20)
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=80)


@given(sets, texts)
def test_str_keys(set_, key):
    assert ours.calc_digest("test", set_, key) == bytes(aerospike.calc_digest("test", set_, key))


@given(sets, st.integers(-(2**63), 2**63 - 1))
def test_int_keys(set_, key):
    theirs = bytes(aerospike.calc_digest("test", set_, key))
    assert ours.calc_digest("test", set_, key) == theirs
    assert ours.calc_digest("test", set_, np.int64(key)) == theirs


@given(sets, st.binary(min_size=1, max_size=80))
def test_bytes_keys(set_, key):
    """The official client needs a bytearray: it turns bytes into a string and cuts that at the first NUL."""
    theirs = bytes(aerospike.calc_digest("test", set_, bytearray(key)))
    assert ours.calc_digest("test", set_, key) == theirs
    assert ours.calc_digest("test", set_, bytearray(key)) == theirs


@given(st.lists(st.tuples(sets, st.one_of(texts, st.integers(-(2**63), 2**63 - 1))), max_size=20))
def test_a_batch_computes_the_same_digests(client_of_keys, keys):
    tuples = [("test", set_, key) for set_, key in keys]
    rows = client_of_keys.batch_read(tuples, []).batch_records
    assert [row.key.digest for row in rows] == [ours.calc_digest(*key) for key in tuples]


@pytest.fixture(scope="module")
def client_of_keys(config):
    with ours.client(config) as client:
        yield client
