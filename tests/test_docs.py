"""The Python of README.md and the pages of docs runs as it stands there, block after block."""

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [
    "README.md",
    "docs/guide.md",
    "docs/commands.md",
    "docs/policies.md",
    "docs/failures.md",
    "docs/processes.md",
]


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(page, config):
    text = (ROOT / page).read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start()) + 1
        # Blank lines in front, so that a failure shows the line of the page.
        code = "\n" * line + block.group(1).replace('[("127.0.0.1", 3000)]', repr(config["hosts"]))
        exec(compile(code, page, "exec"), names)  # noqa: S102
    assert names
    client = names.get("client")
    if client is not None:
        client.close()
