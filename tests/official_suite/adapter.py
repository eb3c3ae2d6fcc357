"""A pytest plugin: ``import aerospike`` and ``import aerospike_helpers`` give this package.

With ``OFFICIAL_SUITE_CLIENT=official`` it leaves the imports alone. In both cases it writes the outcome of
each test as a line of JSON into the file that ``OFFICIAL_SUITE_RESULTS`` names.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pkgutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

#: Top-level modules of the official package, besides the helpers.
MODULES = ("exception", "predicates")


def install() -> None:
    """Puts this package where the official modules are imported from."""
    import aerospike_py

    sys.modules["aerospike"] = aerospike_py
    for name in MODULES:
        sys.modules[f"aerospike.{name}"] = importlib.import_module(f"aerospike_py.{name}")
    sys.modules["aerospike_helpers"] = aerospike_py
    for module in public_modules(aerospike_py):
        sys.modules[module.__name__.replace("aerospike_py", "aerospike_helpers", 1)] = module


def public_modules(package: ModuleType) -> list[ModuleType]:
    entries = pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    names = [entry.name for entry in entries]
    found = []
    for name in names:
        if "._" not in name:
            # Modules for engines that are not installed have no part in the suite.
            with contextlib.suppress(ImportError):
                found.append(importlib.import_module(name))
    return found


if os.environ.get("OFFICIAL_SUITE_CLIENT", "ours") == "ours":
    install()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    path = os.environ.get("OFFICIAL_SUITE_RESULTS")
    if path is None or (report.when != "call" and report.outcome == "passed"):
        return
    outcome: Any = "xfailed" if hasattr(report, "wasxfail") and report.skipped else report.outcome
    if report.when == "teardown":
        outcome = "teardown"
    text = "" if report.outcome == "passed" else str(report.longrepr)
    line = {"id": report.nodeid, "outcome": outcome, "when": report.when, "text": text[-4000:]}
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
