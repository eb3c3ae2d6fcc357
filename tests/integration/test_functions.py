"""User-defined functions: modules, functions on one record and on many, with both clients."""

from __future__ import annotations

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
    with pytest.raises(FileNotFoundError, match=r"nowhere\.lua") as caught:
        client.udf_put(str(tmp_path / "nowhere.lua"))
    assert isinstance(caught.value, exception.LuaFileNotFound)
    assert caught.value.code == 1302
    for name, message in (
        ("", "end in the name of a file"),
        ("a" * 200, "at most 127"),
        (5, "it must be a path"),
    ):
        with pytest.raises(exception.ParamError, match=message):
            client.udf_put(name)
    with pytest.raises(exception.ParamTypeError, match="udf_type is 'lua'"):
        client.udf_put(str(path), "lua")


def test_all_records_of_a_set_are_changed(client, module, fresh_set):
    keys = [("test", fresh_set, number) for number in range(20)]
    for number, key in enumerate(keys):
        client.put(key, {"n": number})
    client.scan_apply("test", fresh_set, module, "add", ["n", 100], None, {"concurrent": True})
    assert sorted(client.get(key).bins["n"] for key in keys) == list(range(100, 120))
    job = client.scan_apply("test", fresh_set, module, "add", ["n", 1], block=False)
    while client.job_info(job, aerospike.JOB_SCAN)["status"] == aerospike.JOB_STATUS_INPROGRESS:
        time.sleep(0.01)
    assert sorted(client.get(key).bins["n"] for key in keys) == list(range(101, 121))
    for arguments, message in (
        ((5, fresh_set, module, "add"), "ns is 5"),
        (("test", fresh_set, module, "add", None, None, {"percent": 5}), "unknown key 'percent'"),
        (("test", fresh_set, module, "add", None, None, {"concurrent": 5}), "'concurrent' is 5"),
    ):
        with pytest.raises(exception.ParamError, match=message):
            client.scan_apply(*arguments)
    with pytest.raises(exception.ParamError, match="block is 5"):
        client.scan_apply("test", fresh_set, module, "add", block=5)


def test_the_records_that_a_predicate_finds_are_changed(client, module, fresh_set):
    keys = [("test", fresh_set, number) for number in range(20)]
    for number, key in enumerate(keys):
        client.put(key, {"n": number, "seen": 0})
    client.index_single_value_create("test", fresh_set, "n", aerospike.INDEX_NUMERIC, f"{fresh_set}_n")
    found = aerospike.predicates.between("n", 5, 9)
    job = client.query_apply("test", fresh_set, found, module, "add", ["seen", 1])
    while client.job_info(job, aerospike.JOB_QUERY)["status"] == aerospike.JOB_STATUS_INPROGRESS:
        time.sleep(0.01)
    assert [client.get(key).bins["seen"] for key in keys] == [0] * 5 + [1] * 5 + [0] * 10
    client.index_remove("test", f"{fresh_set}_n")


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
