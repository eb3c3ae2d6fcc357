"""Writes docs/policies.md from the list that the tests walk: `python -m scripts.policy_table`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.policies import TABLES, WARNED, WORKS, Table

TARGET = Path(__file__).resolve().parent.parent / "docs" / "policies.md"

HEAD = """# Config and policies

<!-- Written by `python -m scripts.policy_table` from tests/support/policies.py: change it there. -->

Names and meanings are the official client's. A call's policy lies over that of the client's config, key by
key, and what neither says is the default. Times are in milliseconds.

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
            client.get(key, {"total_timout": 50})  # a type checker finds this, too
        except aerospike.ParamError as error:
            print(error)  # ... did you mean "total_timeout"?
```

A key that is misspelt is refused, with the nearest one that there is. So is a value that a key cannot have.
A key of the official client that does nothing here is warned of, or refused where to leave it out would
change what a call does; a value that asks for what is done anyway passes without a word.
`tests/config/test_policies.py` walks these tables: each key by what it does, the keys of the official client
19.3.0, and the types in `aerospike_py.types`.

Keys of `meta`: `gen`, the generation that the policy's `gen` compares with, and `ttl`, seconds to live,
before the policy's.
"""


def section(table: Table) -> list[str]:
    """A table of what works, and a list of what does not."""
    lines = ["", f"## {table.title}", "", table.intro]
    if table.type_name is not None:
        lines[-1] += f" Its type is `aerospike_py.types.{table.type_name}`."
    lines += ["", "| key | default | what |", "|---|---|---|"]
    for key in table.keys:
        if key.verdict == WORKS:
            lines.append(f"| `{key.name}`{' (ours)' if key.ours else ''} | {key.default} | {key.what} |")
    nothing = [key for key in table.keys if key.verdict != WORKS]
    if nothing:
        lines += ["", "Without effect:", ""]
    for key in nothing:
        word = "a warning" if key.verdict == WARNED else "an error"
        lines.append(f"- `{key.name}` is {word}: {key.what}")
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
            sys.exit("docs/policies.md is not what the list says; run: python -m scripts.policy_table")
        return
    TARGET.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
