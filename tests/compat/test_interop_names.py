"""Constants and exceptions: the same names, values, codes and bases as the official client's."""

import pytest

import aerospike_py as ours

aerospike = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)


def test_names_and_values_of_constants_and_exceptions():
    for name in ours.constants.__all__:
        assert getattr(ours, name) == getattr(aerospike, name), name
    for name, theirs in vars(aerospike.exception).items():
        if isinstance(theirs, type) and issubclass(theirs, aerospike.exception.AerospikeError):
            mine = getattr(ours.exception, name)
            if mine is ours.AerospikeError:
                continue  # theirs changes its root's code with each error
            code = getattr(theirs, "code", None)
            assert mine.code == code or code is None, name
            parent = theirs.__bases__[0].__name__
            if parent != "Exception":
                assert issubclass(mine, getattr(ours.exception, parent)), name
