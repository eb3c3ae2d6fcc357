"""The helpers of aerospike_py.operations."""

import doctest

from aerospike_py import operations


def test_examples_of_the_helpers():
    failed, tried = doctest.testmod(operations)
    assert not failed
    assert tried >= len(operations.__all__)
