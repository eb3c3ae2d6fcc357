"""Calls with missing or too many arguments: the same texts from both clients; ours says what a call takes."""

from __future__ import annotations

import inspect
import pickle
import traceback
from typing import Any

import pytest

import aerospike_py
from tests.support.twins import Twin, aerospike

# The official client warns of deprecated methods.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

KEY = ("test", "wrong", 1)


@pytest.fixture
def twins(official, config):
    """Without the asynchronous client: wrong calls of coroutine functions have Python's text."""
    with aerospike_py.client(config) as client:
        yield Twin(official, is_official=True), Twin(client, is_official=False)


@pytest.mark.parametrize(
    ("command", "arguments", "text"),
    [
        (
            "append",
            (("test", "wrong", 1), "a", "b", {}, {}, ""),
            "append() takes at most 5 arguments (6 given)",
        ),
        ("remove", (("test", "wrong", 1), {}, {}, ""), "remove() takes at most 3 arguments (4 given)"),
        ("operate", (), "operate() missing required argument 'key' (pos 1)"),
        ("udf_put", (), "udf_put() missing required argument 'filename' (pos 1)"),
        ("index_list_create", (), "index_list_create() missing required argument 'ns' (pos 1)"),
        ("info_random_node", (), "info_random_node() missing required argument 'command' (pos 1)"),
        ("info_random_node", ("build", {}, 1), "info_random_node() takes at most 2 arguments (3 given)"),
        ("udf_remove", (), "udf_remove() missing required argument 'filename' (pos 1)"),
    ],
)
def test_the_texts_are_the_official_ones(twins, command, arguments, text):
    theirs, ours = twins
    with pytest.raises(TypeError) as official:
        getattr(theirs.client, command)(*arguments)
    assert str(official.value) == text
    with pytest.raises(aerospike_py.ParamTypeError) as caught:
        getattr(ours.client, command)(*arguments)
    method = getattr(ours.client, command)
    names = [parameter.name for parameter in inspect.signature(method).parameters.values()]
    assert str(caught.value).startswith(f"{text}; the arguments are ({names[0]}")
    assert caught.value.code == -2
    # Python's own message stays for those who look for it.
    assert type(caught.value.__context__) is TypeError
    assert command in str(caught.value.__context__)


def test_a_client_without_a_config():
    for module in (aerospike, aerospike_py):
        with pytest.raises(module.exception.ParamError) as caught:
            module.client()
        assert "No config argument" in caught.value.msg
        assert type(caught.value.__context__) is TypeError


def test_digests():
    for module in (aerospike, aerospike_py):
        with pytest.raises(TypeError, match=r"required argument 'set' \(pos 2\)"):
            module.calc_digest("test")
        with pytest.raises(TypeError, match="Namespace should be a string"):
            module.calc_digest(1, "s", 1)
        with pytest.raises(TypeError, match="Set should be a string or unicode"):
            module.calc_digest("test", 1, 1)
        for key in (None, [1], {}):
            with pytest.raises(TypeError, match="Key is invalid"):
                module.calc_digest("test", "s", key)


def test_queries(twins):
    for twin in twins:
        package: Any = aerospike if twin.is_official else aerospike_py
        with pytest.raises(package.exception.ParamError):
            twin.client.query()
        with pytest.raises(TypeError, match="required argument 'callback'"):
            twin.client.query("test", "wrong").foreach()
        with pytest.raises(TypeError, match="required argument 'callback'"):
            twin.client.scan("test", "wrong").foreach()


def test_other_wrong_calls_keep_pythons_text(twins):
    client = twins[1].client
    with pytest.raises(TypeError, match="unexpected keyword argument 'timeout'") as caught:
        client.udf_list(timeout=1)
    assert type(caught.value) is TypeError
    with pytest.raises(TypeError, match="multiple values for argument 'filename'"):
        client.udf_put("a.lua", filename="a.lua")


def test_quick_commands_have_no_function_around_them(twins):
    """It would cost a fiftieth of a call."""
    client = twins[1].client
    for name in ("get", "put", "exists", "batch_read", "batch_operate", "read_matrix"):
        assert not hasattr(getattr(client, name), "__wrapped__"), name
    with pytest.raises(TypeError, match=r"^Client\.get\(\) missing 1 required positional argument: 'key'"):
        client.get()


def test_errors_of_the_method_itself_stay(twins):
    """A TypeError that a method raises is not taken for one of the call."""
    client = twins[1].client
    with pytest.raises(aerospike_py.ParamTypeError, match="bins is 5"):
        client.put(KEY, 5)

    def callback() -> None: ...

    client.put(KEY, {"a": 1})
    with pytest.raises(TypeError, match=r"callback\(\) takes 0 positional arguments") as caught:
        client.query("test", "wrong").foreach(callback)
    assert type(caught.value) is TypeError
    assert "foreach" in "".join(traceback.format_tb(caught.value.__traceback__))


@pytest.mark.parametrize("owner", ["Client", "Query", "Scan"])
def test_methods_name_their_class(owner):
    """As those of the official classes; signatures, names and documentation stay."""
    ours, theirs = getattr(aerospike_py, owner), getattr(aerospike, owner)
    shared = [
        name for name in vars(theirs) if not name.startswith("_") and callable(getattr(ours, name, None))
    ]
    assert len(shared) > 5
    for name in shared:
        method = getattr(ours, name)
        assert method.__objclass__ is ours, name
        assert method.__name__ == name
        assert method.__doc__, name
        assert next(iter(inspect.signature(method).parameters)) == "self"


@pytest.mark.parametrize("owner", ["Client", "AsyncClient", "Query", "AsyncQuery", "Scan", "AsyncScan"])
def test_methods_are_named_after_their_class(owner):
    """Not after the private class that has the method; both clients share some."""
    kind = getattr(aerospike_py, owner)
    methods = inspect.getmembers(kind, inspect.isfunction)
    for name, method in methods:
        if name == "__init__" or not name.startswith("_"):
            # A scan inherits the methods of a query, which is public, too.
            names = {f"{owner}.{name}", f"{owner.replace('Scan', 'Query')}.{name}"}
            assert method.__qualname__ in names
            assert inspect.unwrap(method).__qualname__ in names
            if method.__qualname__.startswith(f"{owner}."):
                assert pickle.loads(pickle.dumps(method)) is method  # noqa: S301
            assert inspect.getsource(method).lstrip().startswith(("def ", "async def "))
            inspect.signature(method)
    assert len(methods) > 10


def test_errors_and_warnings_name_the_public_class(twins, config):
    client, async_client = twins[1].client, aerospike_py.AsyncClient(config)
    with pytest.raises(TypeError, match=r"^Client\.__init__\(\) missing 1 .* argument: 'config'$"):
        aerospike_py.Client()
    with pytest.raises(TypeError, match=r"^AsyncClient\.__init__\(\) missing 1 .* argument: 'config'$"):
        aerospike_py.AsyncClient()
    with pytest.raises(TypeError, match=r"^Client\.batch_write_arrow\(\) missing 1 .* argument: 'key'$"):
        client.batch_write_arrow([], "test", "wrong")
    for made, name in ((client, "Client"), (async_client, "AsyncClient")):
        with pytest.raises(TypeError, match=rf"^{name}\.stats\(\) got an unexpected keyword argument"):
            made.stats(all=True)
    for made in (async_client.batch_read([]), async_client.query("test", "wrong").results()):
        assert made.__qualname__ in ("AsyncClient.batch_read", "AsyncQuery.results")
        made.close()
