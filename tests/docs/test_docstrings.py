"""Everything public has a docstring with an example, and the examples give the results they show."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import doctest
import inspect
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aerospike_py
from aerospike_py import (
    AsyncClient,
    batch,
    bitwise_operations,
    cdt_ctx,
    exception,
    expression_operations,
    expressions,
    hll_operations,
    inference,
    list_operations,
    map_operations,
    operations,
    predicates,
    string_helpers,
    string_operations,
    testing,
    types,
)
from aerospike_py.expressions import arithmetic, base, bitwise, bitwise_operators, hll, string
from aerospike_py.expressions import list as lists
from aerospike_py.expressions import map as maps
from aerospike_py.testing import DevServer
from tests.support.transactions import EnterpriseNode

pytestmark = pytest.mark.embedded

# Their names are operations, contexts or expressions: examples may use those of their own module.
OPERATIONS = (
    list_operations,
    map_operations,
    bitwise_operations,
    hll_operations,
    string_operations,
    expression_operations,
    cdt_ctx,
    predicates,
    string_helpers,
)
EXPRESSIONS = (expressions, base, lists, maps, bitwise, hll, arithmetic, bitwise_operators, string)
MODULES = (
    *(aerospike_py, operations),
    batch,
    testing,
    types,
    inference,
    exception,
    *OPERATIONS,
    *EXPRESSIONS,
)
# About the functions of a module in the current folder, which is registered unless the example does so.
ABOUT_MODULES = {
    *("apply", "batch_apply", "query_apply", "scan_apply"),
    *("udf_put", "udf_get", "udf_list", "udf_remove"),
}
MODULE = """function visit(rec, by)
    rec["visits"] = (rec["visits"] or 0) + by
    aerospike:update(rec)
    return rec["visits"]
end
"""
# About transactions, which the embedded server refuses, as a Community server does.
ABOUT_TRANSACTIONS = {"commit", "abort", "Transaction"}
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def is_documented_by_itself(owner: type, name: str, member: Any) -> bool:
    """Whether a member of a class is public, defined by the package, and a method or property."""
    if name.startswith("_"):
        return False
    if not (inspect.isroutine(member) or isinstance(member, (property, classmethod, staticmethod))):
        return False
    module = getattr(getattr(member, "fget", member), "__module__", None)
    return str(module).startswith("aerospike_py")


def public() -> Iterator[tuple[str, Any]]:
    """The names and objects that need an example."""
    for module in MODULES:
        yield module.__name__, module
        for name in getattr(module, "__all__", ()):
            member = getattr(module, name)
            if not callable(member) or not str(getattr(member, "__module__", "")).startswith("aerospike_py"):
                continue  # constants, modules, aliases of types
            if inspect.isclass(member) and issubclass(member, exception.AerospikeError):
                continue  # their module has the example of all
            yield f"{module.__name__}.{name}", member
            if inspect.isclass(member):
                for inner in dir(member):
                    found = inspect.getattr_static(member, inner)
                    if is_documented_by_itself(member, inner, found):
                        yield f"{module.__name__}.{name}.{inner}", getattr(member, inner)


PUBLIC = [pytest.param(name, member, id=name) for name, member in public()]


def docstring(member: Any) -> str:
    return inspect.getdoc(member) or ""


@pytest.mark.parametrize(("name", "member"), PUBLIC)
def test_everything_public_has_an_example(name: str, member: Any) -> None:
    text = docstring(member)
    assert text.strip(), f"{name} has no docstring"
    assert ">>> " in text, f"{name} has no example"


def test_exceptions_say_what_they_are() -> None:
    for name in exception.__all__:
        assert docstring(getattr(exception, name)).strip(), name


@pytest.fixture(scope="module")
def cluster() -> Iterator[DevServer]:
    with DevServer(nodes=3) as server:
        yield server


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


class Places:
    """The namespace of the examples: names that they may use without defining them."""

    def __init__(self, server: DevServer, loop: asyncio.AbstractEventLoop, **settings: Any) -> None:
        self.server, self.loop, self.settings = server, loop, settings

    def names(self, name: str) -> dict[str, Any]:
        login = {name: value for name, value in self.settings.items() if name != "hosts"}
        given: Any = {**self.server.config, **login}
        with aerospike_py.client(given) as client:
            client.truncate("test", "users")
            for index in client.index_list("test"):
                client.index_remove("test", index["name"])
            client.put(
                ("test", "users", 1), {"name": "Ada", "visits": 7, "log": "made", "a": 1, "b": 2, "age": 36}
            )
            client.put(("test", "users", 2), {"name": "Bea", "visits": 0, "age": 41})
        config: Any = {**given, "tend_interval": 100, **self.settings}
        if "Async" in name:
            connected: Any = self.loop.run_until_complete(AsyncClient(config).connect())
        else:
            connected = aerospike_py.client(config).connect()
        return {
            **{given: getattr(types, given) for given in types.__all__},
            **{given: getattr(aerospike_py, given) for given in aerospike_py.__all__},
            **{given: getattr(operations, given) for given in operations.__all__},
            **{given: getattr(batch, given) for given in batch.__all__},
            **{given: getattr(inference, given) for given in inference.__all__},
            **{given: getattr(string_helpers, given) for given in string_helpers.__all__},
            **{given: getattr(expressions, given) for given in expressions.__all__},
            **self.names_of_module(name),
            "aerospike_py": aerospike_py,
            "aerospike": aerospike_py,
            "op": operations,
            "exp": expressions,
            "np": np,
            "asyncio": asyncio,
            "DevServer": DevServer,
            "config": config,
            "txn": aerospike_py.Transaction(),
            "server": self.server,
            "client": connected,
            "dtype": np.dtype([("name", "S8"), ("visits", "i8")]),
            "keys": [("test", "users", number) for number in (1, 2, 3)],
        }

    def names_of_module(self, name: str) -> dict[str, Any]:
        """The names of the module that the example is in: several modules have an ``append``."""
        module = max(
            (one for one in MODULES if name.startswith(one.__name__)), key=lambda one: len(one.__name__)
        )
        return {given: getattr(module, given) for given in getattr(module, "__all__", ())}

    def close(self, names: dict[str, Any]) -> None:
        ended = names["client"].close()
        if inspect.isawaitable(ended):
            self.loop.run_until_complete(asyncio.ensure_future(ended, loop=self.loop))

    def run(self, example: doctest.Example, place: str, names: dict[str, Any]) -> str:
        """Runs one example; returns what it prints."""
        source = example.source.replace('[("127.0.0.1", 3000)]', repr(self.server.hosts))
        code = compile(source, place, "single", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            outcome = eval(code, names)  # noqa: S307 (our own examples)
            if inspect.iscoroutine(outcome):
                self.loop.run_until_complete(outcome)
        return printed.getvalue()


@pytest.mark.parametrize(("name", "member"), PUBLIC)
def test_the_examples_run_and_give_what_they_say(
    name: str,
    member: Any,
    node: DevServer,
    cluster: DevServer,
    loop: asyncio.AbstractEventLoop,
    tmp_path: Path,
) -> None:
    method = name.rpartition(".")[2]
    examples = doctest.DocTestParser().get_examples(docstring(member))
    is_about_nodes = name.startswith("aerospike_py.testing")
    with contextlib.ExitStack() as stack:
        if ".admin_" in name:
            places = Places(secured(stack, name), loop, user="root", password="secret")
        elif method in ABOUT_TRANSACTIONS:
            enterprise = stack.enter_context(EnterpriseNode(node.hosts[0]))
            places = Places(node, loop, hosts=[enterprise.address])
        else:
            places = Places(cluster if is_about_nodes else node, loop)
        if method in ABOUT_MODULES and name.startswith("aerospike_py.") and "Client" in name:
            stack.enter_context(module_in(tmp_path, node, method))
        check_examples(name, examples, places)
    if is_about_nodes:
        repair(cluster)


@contextlib.contextmanager
def module_in(folder: Path, node: DevServer, method: str) -> Iterator[None]:
    """The module of the examples, in the current folder, registered."""
    path = folder / "visits.lua"
    path.write_text(MODULE, encoding="utf-8")
    with in_folder(folder), aerospike_py.client(node.config) as client:
        if method != "udf_put":
            client.udf_put(path)
        yield
        client.udf_remove("visits.lua")


@contextlib.contextmanager
def in_folder(folder: Path) -> Iterator[None]:
    """Like ``contextlib.chdir``, which Python 3.10 does not have."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def secured(stack: contextlib.ExitStack, name: str) -> DevServer:
    """A server with the users and the role of the examples about them."""
    users: dict[str, Any] = {"root": ("secret", ["user-admin", "data-admin", "read-write"]), "ann": "secret"}
    if name.endswith("admin_create_user"):
        del users["ann"]
    server = stack.enter_context(DevServer(users=users))
    if not name.endswith("admin_create_role"):
        with aerospike_py.client({**server.config, "user": "root", "password": "secret"}) as root:
            root.admin_create_role("reader", [{"code": aerospike_py.PRIV_READ, "ns": "test"}])
    return server


def check_examples(name: str, examples: list[doctest.Example], places: Places) -> None:
    names = places.names(name)
    try:
        for number, example in enumerate(examples, 1):
            got = places.run(example, f"{name}[{number}]", names)
            want = example.want
            assert doctest.OutputChecker().check_output(want, got, FLAGS), (
                f"{name}: {example.source.strip()} gives {got!r}, not {want!r}"
            )
    finally:
        places.close(names)


def test_examples_of_the_operations_need_no_other_names() -> None:
    failed, tried = doctest.testmod(operations.operations)
    assert not failed
    assert tried >= len(operations.operations.__all__)


def repair(cluster: DevServer) -> None:
    """Undoes what the examples of DevServer do to the nodes."""
    for node in range(3):
        with contextlib.suppress(RuntimeError):
            cluster.restart(node)
        with contextlib.suppress(RuntimeError):
            cluster.resume(node)
    cluster.clear_faults()
