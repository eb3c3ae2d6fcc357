"""The installed package is this checkout's, not the one with the same name on the public index."""

import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

import aerospike_py
from aerospike_py import _from_native
from tests.support import ROOT


def version_of_the_workspace() -> str:
    manifest = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    found = re.search(r'^\[workspace\.package\]\nversion = "([^"]+)"', manifest, re.MULTILINE)
    assert found is not None
    return found.group(1)


def test_the_version_is_ours():
    assert aerospike_py.__version__ == version_of_the_workspace()
    assert importlib.metadata.version("aerospike-py") == version_of_the_workspace()


def test_it_was_installed_from_a_file():
    origin = importlib.metadata.distribution("aerospike-py").read_text("direct_url.json")
    assert origin is not None, "installed from an index"
    assert json.loads(origin)["url"].startswith("file://")


def test_it_is_typed():
    assert Path(aerospike_py.__file__).with_name("py.typed").exists()


def test_importing_it_imports_nothing_that_is_slow():
    code = "import sys, aerospike_py; print([name for name in ('asyncio', 'numpy') if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout == "[]\n"


def test_the_extension_takes_names_of_one_module_only():
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "crates/py-bindings/src").rglob("*.rs"))
    # The module that `#[pyclass]` gives to the extension's own classes is not imported.
    imported = set(re.findall(r'(?<!module = )"(aerospike_py(?:\.\w+)*)"', sources))
    assert imported == {"aerospike_py._from_native"}
    names = re.findall(r'from_package!\(\s*\w+,\s*"(\w+)"', sources)
    assert set(names) == set(_from_native.__all__)
    assert all(hasattr(_from_native, name) for name in names)


def test_what_the_extension_takes_is_imported_with_the_package():
    code = "import sys, aerospike_py; print('aerospike_py._from_native' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout == "True\n"
