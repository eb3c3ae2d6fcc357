"""User-defined functions: modules, functions on one record and on many, with both clients."""

from __future__ import annotations

import contextlib
import time
import uuid

import pytest

import aerospike_py as aerospike
from aerospike_py import exception
from aerospike_py import operations as op
from aerospike_py.batch import Apply, BatchRecords, Read

SOURCE = """
local function save(rec)
    if aerospike:exists(rec) then return aerospike:update(rec) end
    return aerospike:create(rec)
end

function add(rec, bin, by)
    rec[bin] = (rec[bin] or 0) + by
    save(rec)
    return rec[bin]
end

function echo(rec, value)
    return value
end

function append(rec, bin, value)
    local items = rec[bin] or list()
    list.append(items, value)
    rec[bin] = items
    return save(rec)
end

function half_done(rec)
    rec['n'] = 99
    save(rec)
    error('no luck')
end

function remove(rec)
    return aerospike:remove(rec)
end

function spin(rec)
    rec['n'] = 99
    save(rec)
    while true do end
end
"""


@pytest.fixture
def module(client, tmp_path):
    """The name of a registered module."""
    name = f"t{uuid.uuid4().hex[:12]}"
    path = tmp_path / f"{name}.lua"
    path.write_text(SOURCE)
    assert client.udf_put(str(path)) == 0
    yield name
    client.udf_remove(f"{name}.lua")


def test_modules_are_registered_listed_read_and_removed(client, tmp_path):
    name = f"m{uuid.uuid4().hex[:12]}.lua"
    path = tmp_path / name
    path.write_text(SOURCE)
    assert client.udf_put(path, aerospike.UDF_TYPE_LUA, {"timeout": 5000}) == 0
    (listed,) = [module for module in client.udf_list() if module["name"] == name]
    assert (listed["type"], listed["content"], len(listed["hash"])) == (0, bytearray(), 40)
    assert client.udf_get(name) == SOURCE
    assert client.udf_remove(name) == 0
    assert name not in [module["name"] for module in client.udf_list()]
    with pytest.raises(exception.UDFError, match="no such module"):
        client.udf_get(name)


def test_functions_run_on_one_record_and_on_many(client, module, fresh_set):
    key = ("test", fresh_set, 1)
    assert client.apply(key, module, "add", ["n", 2]) == 2
    assert client.apply(key, module, "add", ["n", 3]) == 5
    assert client.get(key).bins == {"n": 5}
    keys = [("test", fresh_set, number) for number in (1, 2)]
    rows = client.batch_apply(keys, module, "add", ["n", 1])
    assert [row.result for row in rows.batch_records] == [0, 0]
    assert [row.record.bins for row in rows.batch_records] == [{"SUCCESS": 6}, {"SUCCESS": 1}]
    batch = BatchRecords(
        [
            Apply(keys[0], module, "append", ["items", "a"]),
            Read(keys[1], [op.read("n")]),
            Apply(keys[1], module, "half_done", []),
        ]
    )
    client.batch_write(batch)
    assert [row.result for row in batch.batch_records] == [0, 0, 100]
    assert batch.batch_records[1].record.bins == {"n": 1}
    assert client.get(keys[0]).bins == {"n": 6, "items": ["a"]}
    assert client.get(keys[1]).bins == {"n": 1}
    assert client.apply(keys[1], module, "remove") == 0
    with pytest.raises(exception.RecordNotFound):
        client.get(keys[1])


@pytest.mark.parametrize(
    "value", [None, True, -(2**63), 1.5, "text", b"\x01\x02", [1, ["a"]], {"k": [1], 2: "b"}]
)
def test_values_pass_both_ways(client, module, fresh_set, value):
    assert client.apply(("test", fresh_set, 1), module, "echo", [value]) == value


def test_functions_run_in_the_background(client, module, fresh_set):
    keys = [("test", fresh_set, number) for number in range(50)]
    for key in keys:
        client.put(key, {"n": 1})
    query = client.query("test", fresh_set).apply(module, "add", ["n", 10])
    job = query.execute_background()
    deadline = time.monotonic() + 30
    while client.job_info(job, aerospike.JOB_QUERY)["status"] != aerospike.JOB_STATUS_COMPLETED:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert [client.get(key).bins["n"] for key in keys] == [11] * 50
    with pytest.raises(exception.ParamError, match="which only execute_background"):
        query.results()


def test_errors_name_what_is_wrong_and_change_nothing(client, module, fresh_set, tmp_path):
    key = ("test", fresh_set, 1)
    client.put(key, {"n": 1})
    with pytest.raises(exception.UDFError, match="no luck") as caught:
        client.apply(key, module, "half_done")
    assert (caught.value.code, caught.value.in_doubt) == (100, False)
    with pytest.raises(exception.UDFError, match="function not found"):
        client.apply(key, module, "nowhere", [])
    with pytest.raises(exception.UDFError, match="Execution Error 1"):
        client.apply(key, "nowhere", "add", [])
    with pytest.raises((exception.UDFError, exception.TimeoutError)):
        client.apply(key, module, "spin", policy={"total_timeout": 1000, "max_retries": 0})
    assert client.get(key).bins == {"n": 1}
    path = tmp_path / "wrong.lua"
    path.write_text("function f(\n  x = = 1\nend")
    with pytest.raises(exception.UDFError, match="line 2 does not compile: '\\)' expected near '='"):
        client.udf_put(str(path))
    assert "wrong.lua" not in [module["name"] for module in client.udf_list()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, "f"), "module is 1"),
        (("m.lua", "f"), "without the ending"),
        (("", "f"), "1 to 127 bytes"),
        (("m", "f", "text"), "args is"),
        (("m", "f", [object()]), r"args\[0\]"),
    ],
)
def test_wrong_arguments_are_refused(client, arguments, message):
    with pytest.raises((exception.ParamError, TypeError), match=message):
        client.apply(("test", "any", 1), *arguments)


def test_wrong_modules_are_refused(client, tmp_path):
    for name in ("noending", "a;b.lua"):
        path = tmp_path / name
        path.write_text("x = 1")
        with pytest.raises(exception.ParamError, match="filename is"):
            client.udf_put(str(path))
    path = tmp_path / "m.lua"
    path.write_text("")
    with pytest.raises(exception.ParamError, match="empty"):
        client.udf_put(str(path))
    path.write_text("x = 1")
    with pytest.raises(exception.ParamError, match="udf_type"):
        client.udf_put(str(path), 7)
    with contextlib.suppress(FileNotFoundError):
        client.udf_put(str(tmp_path / "nowhere.lua"))
        pytest.fail("a file that does not exist")


def test_the_official_client_and_this_one_see_the_same(client, module, fresh_set, official):
    key = ("test", fresh_set, 1)
    assert official.apply(key, module, "add", ["n", 2]) == client.apply(key, module, "echo", [2])
    assert official.udf_get(f"{module}.lua") == client.udf_get(f"{module}.lua")
    ours = sorted((one["name"], bytes(one["hash"])) for one in client.udf_list())
    assert sorted((one["name"], bytes(one["hash"])) for one in official.udf_list()) == ours


def test_policies_of_functions_take_effect(face, config, module, fresh_set):
    policies = {"apply": {"ttl": 1000}, "batch_apply": {"ttl": 2000}}
    client = face.connect({**config, "policies": policies})
    keys = [("test", fresh_set, number) for number in range(4)]
    client.apply(keys[0], module, "add", ["n", 1])
    client.apply(keys[1], module, "add", ["n", 1], {"ttl": 100})
    client.batch_apply([keys[2]], module, "add", ["n", 1])
    client.batch_write(BatchRecords([Apply(keys[3], module, "add", ["n", 1], {"ttl": 300})]))
    ttls = [client.get(key).meta["ttl"] for key in keys]
    assert [round(ttl, -2) for ttl in ttls] == [1000, 100, 2000, 300]
    client.close()
