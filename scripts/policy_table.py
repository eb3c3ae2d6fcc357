"""Writes docs/policies.md from the list that the tests check: `python -m scripts.policy_table`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.policies import LATER, REFUSED, TABLES, WARNED, WORKS, Table

TARGET = Path(__file__).resolve().parent.parent / "docs" / "policies.md"

HEAD = """# Config and policies

<!-- Written by `python -m scripts.policy_table` from tests/support/policies.py: change it there. -->

This page lists every key of the config and of each policy. Names and meanings are the official client's;
*(extension)* marks keys that the official client does not have in the same dictionary. A call's policy
overrides the policy in the client's config, key by key; a key that neither sets has its default. Times are
in milliseconds.

```python
import aerospike_py as aerospike
from aerospike_py.testing import DevServer
from aerospike_py.types import ClientConfig, ReadPolicy

with DevServer() as server:
    config: ClientConfig = {
        **server.config,
        "policies": {"read": {"total_timeout": 200}, "write": {"key": aerospike.POLICY_KEY_SEND}},
    }
    with aerospike.client(config).connect() as client:
        key = ("test", "users", "ada")
        client.put(key, {"name": "Ada"})
        quick: ReadPolicy = {"total_timeout": 50, "max_retries": 0}
        client.get(key, quick).bins  # {'name': 'Ada'}
        try:
            client.get(key, {"total_timout": 50})  # a type checker finds this too
        except aerospike.ParamError as error:
            print(error)  # ... did you mean "total_timeout"?
```

A misspelt key is refused; the error names the closest known key. An invalid value is refused, too; if its
type is wrong, the `ParamError` is also a `TypeError`.

Some keys of the official client have no effect here. They cause a warning or, if ignoring them would change
what a call does, an error. A value that asks for the current behaviour is accepted.

A call's `meta` has two keys: `gen`, the generation that the policy's `gen` compares with, and `ttl`, the time
to live in seconds, which overrides that of the policy.

`tests/config/test_policies.py` checks these tables: that each key has its effect, that no key of the official
client 19.3.0 is missing, and that the types in `aerospike_py.types` match.
"""


def section(table: Table) -> list[str]:
    """A table of the keys that work, and a list of those that do not."""
    lines = ["", f"## {table.title}", "", table.intro]
    if table.type_name is not None:
        lines[-1] += f" Its type is `aerospike_py.types.{table.type_name}`."
    lines += ["", "| key | default | description |", "|---|---|---|"]
    for key in table.keys:
        if key.verdict == WORKS:
            lines.append(f"| `{key.name}`{' (extension)' if key.ours else ''} | {key.default} | {key.what} |")
    later = [key for key in table.keys if key.verdict == LATER]
    if later:
        lines += [
            "",
            "Accepted and checked, so that a config fits both clients, but without effect:",
            "",
        ]
        lines += [f"- `{key.name}`: {key.what}" for key in later]
    nothing = [key for key in table.keys if key.verdict not in (WORKS, LATER)]
    if nothing:
        lines += ["", "Keys that have no effect or are refused:", ""]
    for key in nothing:
        kind = "warning" if key.verdict == WARNED else "error"
        yet = "not supported yet; " if key.verdict == REFUSED else ""
        lines.append(f"- `{key.name}` ({kind}): {yet}{key.what}")
    return lines


def document() -> str:
    """The whole page."""
    lines = [HEAD.rstrip("\n")]
    for table in TABLES:
        lines += section(table)
    return "\n".join(lines) + "\n"


def main() -> None:
    if "--check" in sys.argv[1:]:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != document():
            sys.exit("docs/policies.md is out of date; run: python -m scripts.policy_table")
        return
    TARGET.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
