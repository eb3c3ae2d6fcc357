"""Writes docs/features.md from the list that the tests check: `python -m scripts.feature_table`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.features import BETTER, GROUPS, NOT_YET, Feature

TARGET = Path(__file__).resolve().parent.parent / "docs" / "features.md"

HEAD = """# Feature comparison

<!-- Written by `python -m scripts.feature_table` from tests/support/features.py: change it there. -->

This page compares this client with the official Python client (`aerospike` 19.3.0) and with `aerospike-py`
0.14.4 from PyPI. **better** means that this client goes beyond at least one of the others.

`tests/docs/test_features.py` checks this client's column: each feature exists on both clients or has a test,
and each feature that is *not yet* supported raises an error with the reason. The other two columns are based
on documentation and source code, and on experiments where the test suite runs those clients too.
"""


def ours(feature: Feature) -> str:
    if feature.ours == NOT_YET:
        return "*not yet*" + (f": {feature.note}" if feature.note else "")
    word = "**better**" if feature.ours == BETTER else "yes"
    return word + (f": {feature.note}" if feature.note else "")


def document() -> str:
    """The whole page."""
    lines = [HEAD.rstrip("\n")]
    for group in GROUPS:
        lines += [
            "",
            f"## {group.title}",
            "",
            "| feature | this client | official | aerospike-py |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| {feature.name} | {ours(feature)} | {feature.official} | {feature.peer} |"
            for feature in group.features
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    if "--check" in sys.argv[1:]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != document():
            sys.exit("docs/features.md is out of date; run: python -m scripts.feature_table")
        return
    TARGET.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
