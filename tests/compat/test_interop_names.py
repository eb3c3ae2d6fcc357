"""Names of the official client: the same here, with the same values and parameters, or a reason."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import aerospike_py as ours
from aerospike_py._commands.unsupported import NEVER
from tests.support.official_names import (
    CONSTANTS_LEFT_OUT,
    METHODS_LEFT_OUT,
    OTHER_PARAMETERS,
    constant_reason,
)

aerospike = pytest.importorskip("aerospike", exc_type=ModuleNotFoundError)
aerospike_helpers = pytest.importorskip("aerospike_helpers", exc_type=ModuleNotFoundError)

CONSTANTS = {
    name: value
    for name, value in vars(aerospike).items()
    if isinstance(value, (int, str)) and not name.startswith("__")
}


def test_all_constants_have_an_equal_counterpart_or_a_reason():
    assert len(CONSTANTS) > 400
    for name, value in CONSTANTS.items():
        if constant_reason(name):
            assert not hasattr(ours, name), f"{name} exists: remove its reason"
        else:
            assert getattr(ours, name) == value, name
            assert name in ours.constants.__all__, name
    for start in CONSTANTS_LEFT_OUT:
        assert any(name.startswith(start) for name in CONSTANTS), f"{start}: no constant begins with it"


def test_no_other_constants():
    for name in ours.constants.__all__:
        assert getattr(ours, name) == getattr(aerospike, name), name


def test_exceptions():
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


def stubs():
    path = Path(aerospike.__file__).parent / "aerospike-stubs" / "aerospike.pyi"
    return ast.parse(path.read_text(encoding="utf-8"))


def parameters_in(function):
    arguments = function.args
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args) if one.arg != "self"]
    optional = len(arguments.defaults)
    return names, len(names) - optional, bool(arguments.vararg)


FUNCTIONS = {
    (owner, node.name): node
    for owner, body in [
        (None, stubs().body),
        *((node.name, node.body) for node in stubs().body if isinstance(node, ast.ClassDef)),
    ]
    for node in body
    if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
}


def member(owner, name, is_async=False):
    if owner is None:
        return getattr(ours, name, None)
    kind = getattr(ours, f"Async{owner}" if is_async else owner, None)
    return None if kind is None else inspect.getattr_static(kind, name, None)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(("owner", "name"), FUNCTIONS, ids=lambda value: str(value or "aerospike"))
def test_methods_have_the_official_parameters_or_a_reason(owner, name, is_async):
    if is_async and owner not in ("Client", "Query", "Scan"):
        pytest.skip("there is no asynchronous one")
    here = member(owner, name, is_async)
    if here is None:
        assert METHODS_LEFT_OUT[name], name
        assert owner != "Client" or name in NEVER
        return
    assert name not in METHODS_LEFT_OUT, f"{name} exists: remove its reason"
    if (owner, name) in OTHER_PARAMETERS:
        return
    expected, required, has_more = parameters_in(FUNCTIONS[owner, name])
    if has_more:
        return  # the stub does not say which
    found = [one for one in inspect.signature(here).parameters.values() if one.name != "self"]
    assert [one.name for one in found[: len(expected)]] == expected
    for place, one in enumerate(found):
        assert place < required or one.default is not inspect.Parameter.empty, (name, one.name)


def test_all_attributes_of_classes_exist():
    for owner in ("Query", "Scan", "GeoJSON", "KeyOrderedDict", "Client"):
        for name in dir(getattr(aerospike, owner)):
            if not name.startswith("_") and name not in METHODS_LEFT_OUT:
                assert hasattr(getattr(ours, owner), name), f"{owner}.{name}"


def test_module_functions_and_classes_exist():
    for name in vars(aerospike):
        if not name.startswith("_") and name not in METHODS_LEFT_OUT:
            assert hasattr(ours, name), name


def test_each_helper_module_has_its_counterpart_at_the_same_path():
    names = [entry.name for entry in pkgutil.walk_packages(aerospike_helpers.__path__, "aerospike_helpers.")]
    assert len(names) > 20
    for name in names:
        theirs = importlib.import_module(name)
        mine = importlib.import_module(name.replace("aerospike_helpers", "aerospike_py", 1))
        for one, value in vars(theirs).items():
            is_own = getattr(value, "__module__", None) == name and callable(value)
            if is_own and not one.startswith(("_", "Type")) and one not in METHODS_LEFT_OUT:
                assert hasattr(mine, one), f"{name}.{one}"


def test_metrics_classes_have_the_official_parameters():
    theirs = importlib.import_module("aerospike_helpers.metrics")
    for name in ("MetricsListeners", "MetricsPolicy"):
        expected = inspect.signature(getattr(theirs, name)).parameters
        found = inspect.signature(getattr(ours.metrics, name)).parameters
        assert [(one.name, one.default) for one in expected.values()] == [
            (one.name, one.default) for one in found.values()
        ]


def rows_of_moving():
    """The names in the first cells of the tables of docs/moving.md, with the second cells."""
    path = Path(__file__).parents[2] / "docs" / "moving.md"
    text = path.read_text(encoding="utf-8").split("### Every method")[1].split("### Serializers")[0]
    rows = {}
    for line in text.splitlines():
        if line.startswith("| `"):
            names, what = line.strip("| ").split(" | ")
            rows |= dict.fromkeys(names.replace("`", "").split(", "), what)
    return rows


def test_every_method_has_a_row_that_says_whether_it_exists():
    rows = rows_of_moving()
    names = {name for name in vars(aerospike) if not name.startswith("_") and name not in CONSTANTS}
    for kind in ("Client", "Query", "Scan"):
        names |= {name for name in dir(getattr(aerospike, kind)) if not name.startswith("_")}
    assert len(names) > 100
    assert names <= set(rows), names - set(rows)
    for name in names:
        assert rows[name].startswith("not supported") == (name in METHODS_LEFT_OUT), name
