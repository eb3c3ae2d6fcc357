"""Warnings of batches: what they name, how often they come, and that they take no memory."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
import warnings
from typing import Any

import numpy as np
import pytest

import aerospike_py as aerospike
from aerospike_py import AsyncClient, MissingFieldWarning
from aerospike_py._utils import warnings as warnings_of_the_package
from tests.support import faces

DTYPE = np.dtype([("visits", "i8"), ("age", "i8")])


def put(client: Any, fresh_set: str, *bins: dict[str, Any]) -> list[tuple[str, str, int]]:
    keys = [("test", fresh_set, number) for number in range(len(bins))]
    for key, value in zip(keys, bins, strict=True):
        client.put(key, value)
    return keys


def caught_by(call: Any, *args: Any, **kwargs: Any) -> list[str]:
    """The texts of a call's warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(*args, **kwargs)
    return [str(warning.message) for warning in caught]


# ---------------------------------------------------------------- fields that no record has


def test_a_field_that_no_record_has_is_named(client, fresh_set):
    keys = put(client, fresh_set, *[{"visits": 1, "age": 2}] * 8)
    dtype = np.dtype([("visit", "i8"), ("age", "i8"), ("other", "f4")])
    with pytest.warns(MissingFieldWarning) as caught:
        batch = client.batch_read(keys, _dtype=dtype)
    assert len(caught) == 1
    assert issubclass(MissingFieldWarning, RuntimeWarning)
    text = str(caught[0].message)
    assert text.startswith("no record that was found has the bins 'visit', 'other'; check the names")
    assert caught[0].message.batch is batch
    assert repr(batch).startswith("<NumpyBatchRecords 8 rows, 8 found")


def test_the_nearest_bin_is_named(client, fresh_set):
    keys = put(client, fresh_set, {"temperature": 1.5})
    dtype = np.dtype([("temperature", "f8"), ("temprature", "f8")])
    [text] = caught_by(client.batch_read, keys, _dtype=dtype)
    assert "the bin 'temprature' (the nearest bin is 'temperature')" in text


def test_a_name_inside_a_map_is_named(client, fresh_set):
    keys = put(client, fresh_set, {"f": {"driver": {"trips": 1}}})
    [text] = caught_by(
        client.batch_read, keys, _dtype=np.dtype([("t", "i4")]), paths={"t": ("f", "drivr", "trips")}
    )
    assert "a value for the field 't' (bin 'f' at ['drivr']['trips']); check" in text
    [text] = caught_by(client.batch_read, keys, _dtype=np.dtype([("f", [("driver", [("trps", "i4")])])]))
    assert "a value for the field 'f.driver.trps'; check" in text
    wide = np.dtype([("f", [(f"x{number}", "i4") for number in range(9)])])
    other = put(client, fresh_set + "b", {"f": {"y": 1}})
    [text] = caught_by(client.batch_read, other, _dtype=wide)
    assert "a value for the field 'f' (f.x0, f.x1, f.x2, f.x3, f.x4, f.x5, f.x6, f.x7, ...); check" in text
    [text] = caught_by(client.batch_read_arrow, other, {"t": "int64"}, paths={"t": ("f", "z")})
    assert "a value for the column 't' (bin 'f' at ['z']); check" in text


def test_another_name_inside_a_map_is_another_field(client, fresh_set):
    keys = put(client, fresh_set, {"f": {"driver": {"trips": 1}}})
    for path in (("f", "drivr", "trips"), ("f", "driver", "trps")):
        dtype, paths = np.dtype([("t", "i4")]), {"t": path}
        [text] = caught_by(client.batch_read, keys, _dtype=dtype, paths=paths)
        assert f"bin 'f' at ['{path[1]}']['{path[2]}']" in text
        assert caught_by(client.batch_read, keys, _dtype=dtype, paths=paths) == []
    for name in ("trps", "tripz"):
        dtype = np.dtype([("f", [("driver", [(name, "i4")])])])
        [text] = caught_by(client.batch_read, keys, _dtype=dtype)
        assert f"'f.driver.{name}'" in text
        assert caught_by(client.batch_read, keys, _dtype=dtype) == []


def test_a_client_warns_once_of_a_field(client, fresh_set):
    keys = put(client, fresh_set, {"age": 1}, {"visits": 1})
    other = put(client, fresh_set + "b", {"age": 1})
    assert len(caught_by(client.batch_read, keys[:1], _dtype=DTYPE)) == 1
    assert caught_by(client.batch_read, keys[:1], _dtype=DTYPE) == []
    # Of another field of the same dtype, and of another set.
    [text] = caught_by(client.batch_read, keys[1:], _dtype=DTYPE)
    assert "'age'" in text
    assert "'visits'" not in text
    assert len(caught_by(client.batch_read, other, _dtype=DTYPE)) == 1
    # As an error, it comes again.
    for _ in range(2):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(MissingFieldWarning) as raised:
                client.batch_read(keys[:1], _dtype=np.dtype([("age", "i8"), ("more", "i8")]))
        assert raised.value.batch["age"].tolist() == [1]  # type: ignore[attr-defined]


def test_a_filter_switches_the_warning_off(client, fresh_set):
    keys = put(client, fresh_set, {"age": 1})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", MissingFieldWarning)
        client.batch_read(keys, _dtype=DTYPE)
    assert caught == []


@pytest.mark.parametrize("bins", [["age"], []])
def test_fields_that_were_not_asked_for_are_not_missing(client, fresh_set, bins):
    keys = put(client, fresh_set, {"age": 1})
    assert caught_by(client.batch_read, keys, bins, _dtype=DTYPE) == []


def test_a_bin_of_one_record_is_enough(client, fresh_set):
    keys = put(client, fresh_set, {"age": 1}, {"age": 2}, {"visits": 3})
    assert caught_by(client.batch_read, keys, _dtype=DTYPE) == []


def test_without_a_record_no_field_is_missing(client, fresh_set):
    assert caught_by(client.batch_read, [("test", fresh_set, 1)], _dtype=DTYPE) == []
    assert caught_by(client.batch_read, [], _dtype=DTYPE) == []


def test_a_wrong_set_is_told_by_ok(client, fresh_set):
    keys = [("test", fresh_set, 1), ("test", fresh_set, 2)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = [
            client.batch_read(keys, _dtype=DTYPE),
            client.batch_read_arrow(keys, {"age": "int64"}),
            client.read_matrix([(keys, ["age"])]),
        ]
    for result in results:
        assert not result.ok.any()
        assert "0 found, 2 missing" in repr(result)


def test_a_value_that_does_not_fit_is_not_missing(client, fresh_set):
    keys = put(client, fresh_set, {"age": 1, "visits": "many"})
    assert caught_by(client.batch_read, keys, _dtype=DTYPE, errors="coerce") == []


def test_values_that_do_not_fit_and_fields_that_are_missing(client, fresh_set):
    keys = put(client, fresh_set, {"visits": "many"})
    with (
        pytest.warns(MissingFieldWarning, match="'age'"),
        pytest.raises(aerospike.BatchDecodeError, match="1 value does not fit"),
    ):
        client.batch_read(keys, _dtype=DTYPE)


# ---------------------------------------------------------------- memory


def calls(client: Any, fresh_set: str, number: int) -> list[Any]:
    """Calls that warn: of failed rows, of changed values, of missing fields. Keys and counts are different in
    each."""
    keys = [("test", fresh_set, key) for key in range(number % 7 + 1)]
    rows = np.zeros(len(keys), [("_key", "i8"), ("age", "i8")])
    rows["_key"], rows["age"] = np.arange(len(keys)), 300
    create = {"exists": aerospike.POLICY_EXISTS_CREATE}
    absent = ("no such", f"s{number}", number)
    typo = np.dtype([("ages", "i8")])
    return [
        lambda: client.batch_write_numpy(rows, "test", fresh_set, policy=create),
        lambda: client.batch_read([*keys, absent], _dtype=np.dtype([("age", "i1")])),
        lambda: client.batch_read([absent, *keys]),
        # Keys of another set: a kind of read that the client has not warned of.
        lambda: client.batch_read([*keys, ("test", f"{fresh_set}{number}", 1)], _dtype=typo),
    ]


def test_warnings_take_no_memory(client, fresh_set, face):
    """Python keeps the text of each warning. They are the same, however many rows fail."""
    client.put(("test", fresh_set, 0), {"age": 300})
    home = vars(faces) if face.name == "async" else globals()
    shown: list[Any] = []
    used = []
    tracemalloc.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.showwarning = lambda *args, **kwargs: shown.append(args)  # type: ignore[assignment]
            home.pop("__warningregistry__", None)
            for number in range(1000):
                for call in calls(client, fresh_set, number):
                    call()
                if number in (500, 999):
                    gc.collect()
                    used.append(tracemalloc.get_traced_memory()[0])
            registry = dict(home["__warningregistry__"])
    finally:
        tracemalloc.stop()
        home.pop("__warningregistry__", None)
    registry.pop("version")
    # In each face, a line per call; for the async one, it is one line for all.
    assert len(registry) <= 6, list(registry)
    assert len(shown) <= 6
    assert used[1] - used[0] < 100_000


def test_coroutines_that_are_tasks_share_one_registry(config, fresh_set):
    async def main() -> None:
        async with AsyncClient(config) as client:
            await client.put(("test", fresh_set, 0), {"age": 300})
            for number in range(50):
                key = ("no such", "s", number)
                await asyncio.gather(
                    client.batch_read([("test", fresh_set, 0), key], _dtype=np.dtype([("age", "i1")]))
                )

    shown: list[Any] = []
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning = lambda *args, **kwargs: shown.append(args)  # type: ignore[assignment]
        asyncio.run(main())
    assert len(shown) == 2
    assert len(warnings_of_the_package._registry) <= 4
