"""Writes docs/features.md from the list that the tests walk: `python -m scripts.feature_table`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.features import BETTER, GROUPS, NOT_YET, Feature

TARGET = Path(__file__).resolve().parent.parent / "docs" / "features.md"

HEAD = """# Features

<!-- Written by `python -m scripts.feature_table` from tests/support/features.py: change it there. -->

Beside the official Python client (`aerospike` 19.3.0) and `aerospike-py` 0.14.4 of the public index.
`tests/docs/test_features.py` walks this list: what is said to be here is there on both clients, or a test of
the name that the list gives shows it; what is *not yet* says so when it is asked for, with the reason. What
the other two have was read from their documentation and code, and tried where this client's own tests run
beside them.
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
            "| | this client | official | aerospike-py |",
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
            sys.exit("docs/features.md is not what the list says; run: python -m scripts.feature_table")
        return
    TARGET.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
