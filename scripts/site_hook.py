"""A hook of mkdocs that adds files outside docs/ to the site if pages link to them.

Links work in a checkout (`../DEVELOPERS.md`, `../examples/demo.py`). On the site they lead to pages under
`project/`: Markdown as it is, programs in a code block, pictures as files, folders as their README.md or as a
list of their files.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
DOCS = "docs"
PICTURES = (".svg", ".png")
LANGUAGES = {".py": "python", ".toml": "toml", ".yml": "yaml", ".sh": "sh", ".rs": "rust"}
LISTING = "index.md"

LINK = re.compile(r"(?P<before>\]\()(?P<path>[^\s)#:]+)(?P<anchor>#[^\s)]*)?(?=\))")
FENCE = re.compile(r"^(?P<fence> *(?:```|~~~)).*?^(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL)


def in_tree(page: str, link: str) -> str:
    """The file in the checkout that a link in a page of the checkout leads to."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), link))
    if not (ROOT / path).is_dir():
        return path
    return f"{path}/README.md" if (ROOT / path / "README.md").exists() else f"{path}/{LISTING}"


def is_there(path: str) -> bool:
    is_listing = path.endswith(f"/{LISTING}") and (ROOT / path).parent.is_dir()
    return not path.startswith("..") and (is_listing or (ROOT / path).is_file())


def site_path(path: str) -> str:
    """The path of a checkout's file on the site."""
    if path.startswith(f"{DOCS}/"):
        return path.removeprefix(f"{DOCS}/")
    return f"project/{path}" if path.endswith((".md", *PICTURES)) else f"project/{path}.md"


def outside(page: str, text: str) -> list[str]:
    """The files outside docs/ that a page links to."""
    links = {in_tree(page, link["path"]) for link in LINK.finditer(FENCE.sub("", text))}
    return sorted(path for path in links if not path.startswith(f"{DOCS}/") and is_there(path))


def content(path: str) -> str:
    if not (ROOT / path).is_file():
        return listing(posixpath.dirname(path))
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".md"):
        return text
    language = LANGUAGES.get(Path(path).suffix, "text")
    return f"# {path}\n\n````{language}\n{text}````\n"


def listing(folder: str) -> str:
    shown = (".md", *PICTURES, *LANGUAGES)
    names = sorted(entry.name for entry in (ROOT / folder).iterdir() if entry.suffix in shown)
    return "\n".join([f"# {folder}", "", *(f"- [{name}]({name})" for name in names)])


def named(nav: Any) -> Iterator[str]:
    """The files in the navigation."""
    if isinstance(nav, str):
        yield nav
    else:
        for entry in nav.values() if isinstance(nav, dict) else nav:
            yield from named(entry)


def on_files(files: Files, *, config: Any) -> Files:
    """Adds the files that pages link to, and those that they link to in turn."""
    pages = [f"{DOCS}/{file.src_uri}" for file in files.documentation_pages()]
    found = [name.removeprefix("project/") for name in named(config["nav"]) if name.startswith("project/")]
    seen = set()
    while pages or found:
        if not found:
            page = pages.pop()
            found = outside(page, content(page))
            continue
        path = found.pop()
        if path in seen or not is_there(path):
            continue  # mkdocs warns about missing files
        seen.add(path)
        if path.endswith(PICTURES):
            files.append(File.generated(config, site_path(path), abs_src_path=str(ROOT / path)))
            continue
        files.append(File.generated(config, site_path(path), content=content(path)))
        if path.endswith(".md"):
            pages.append(path)
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Files) -> str:
    """Changes links that work in the checkout to links that work on the site."""
    here = page.file.src_uri
    place = here.removeprefix("project/") if here.startswith("project/") else f"{DOCS}/{here}"

    def moved(link: re.Match[str]) -> str:
        target = site_path(in_tree(place, link["path"]))
        if files.get_file_from_path(target) is None:
            return link[0]  # mkdocs warns about it
        relative = posixpath.relpath(target, posixpath.dirname(here) or ".")
        return f"{link['before']}{relative}{link['anchor'] or ''}"

    parts = []
    end = 0
    for fence in FENCE.finditer(markdown):
        parts += [LINK.sub(moved, markdown[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, LINK.sub(moved, markdown[end:])])
