"""The scripts of `make check` report the violations they are made for."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from scripts import (
    check_dependencies,
    check_layers,
    check_links,
    check_markdown,
    check_tracked,
    try_wheel,
)
from tests.support.sources import write

# ---------------------------------------------------------------- check_layers


def house(tree: Path, **dependencies: str) -> Path:
    """A workspace with all crates, empty but for the given dependencies."""
    names = list(check_layers.FLOORS)
    members = ", ".join(f'"crates/{name}"' for name in names)
    write(tree / "Cargo.toml", f'[workspace]\nresolver = "3"\nmembers = [{members}]\n')
    for name in names:
        manifest = f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n'
        write(tree / f"crates/{name}/Cargo.toml", manifest + dependencies.get(name.replace("-", "_"), ""))
        unsafe = any(entry.startswith(f"{name}/") for entry in check_layers.UNSAFE)
        write(tree / f"crates/{name}/src/lib.rs", "" if unsafe else "#![forbid(unsafe_code)]\n")
    for entry in check_layers.UNSAFE:
        write(tree / "crates" / entry, "fn f() { unsafe { g() } }\n")
    return tree


def test_a_correct_workspace_has_no_violations(tmp_path):
    good = house(
        tmp_path,
        record_decode='[dependencies]\ndtype-schema = { path = "../dtype-schema" }\n',
        py_bindings='[dependencies]\npyo3 = "0.30"\naero-io = { path = "../aero-io" }\n',
        aero_io='[dependencies]\ntokio = "1"\n[dev-dependencies]\ndev-server = { path = "../dev-server" }\n',
    )
    assert check_layers.violations(good) == []


@pytest.mark.parametrize(
    ("crate", "section", "dependency", "expected"),
    [
        ("dtype_schema", "dependencies", 'record-decode = { path = "../record-decode" }', "not below it"),
        ("wire_protocol", "dependencies", 'dtype-schema = { path = "../dtype-schema" }', "not below it"),
        ("aero_io", "dependencies", 'dev-server = { path = "../dev-server" }', "not below it"),
        ("aero_io", "build-dependencies", 'dev-server = { path = "../dev-server" }', "not below it"),
        (
            "aero_io",
            "target.'cfg(unix)'.dependencies",
            'dev-server = { path = "../dev-server" }',
            "not below",
        ),
        ("record_decode", "dependencies", 'pyo3 = "0.30"', "belongs in py-bindings"),
        ("record_decode", "dependencies", 'pyo3-ffi = "0.30"', "belongs in py-bindings"),
        ("record_decode", "dependencies", 'array = { package = "numpy", version = "0.30" }', "py-bindings"),
        ("record_decode", "dev-dependencies", 'numpy = "0.30"', "belongs in py-bindings"),
        ("record_decode", "dependencies", 'tokio = "1"', "depends on tokio"),
        ("wire_protocol", "dependencies", 'tokio = "1"', "depends on tokio"),
        ("wire_protocol", "dependencies", 'serde = "1"', "floor 1 may use"),
        ("py_bindings", "dependencies", 'aerospike = "3"', "belongs in aero-io"),
        ("py_bindings", "dependencies", 'rustls = "0.23"', "depends on rustls"),
        ("py_bindings", "dependencies", 'bcrypt = "0.19"', "depends on bcrypt"),
    ],
)
def test_a_dependency_in_the_wrong_place_is_found(tmp_path, crate, section, dependency, expected):
    bad = house(tmp_path, **{crate: f"[{section}]\n{dependency}\n"})
    (line,) = check_layers.violations(bad)
    assert expected in line
    assert crate.replace("_", "-") in line


def test_unknown_and_missing_crates_are_found(tmp_path):
    bad = house(tmp_path)
    manifest = bad / "Cargo.toml"
    manifest.write_text(manifest.read_text().replace('"crates/aero-io"', '"crates/attic"'))
    (bad / "crates/aero-io").rename(bad / "crates/attic")
    attic = bad / "crates/attic/Cargo.toml"
    attic.write_text(attic.read_text().replace("aero-io", "attic"))
    found = check_layers.violations(bad)
    assert "attic: on no floor; add it to FLOORS" in found
    assert "aero-io: not a member of the workspace" in found


@pytest.mark.parametrize(
    "code",
    [
        "fn f() { unsafe { g() } }",
        "unsafe impl Send for T {}",
        "// it's fine\nunsafe fn f() {}",
        """const Q: char = '"'; unsafe fn f() {} const R: char = '"';""",
        r"""const Q: char = '\''; unsafe fn f<'a>(x: &'a str) {}""",
        'const S: &str = r#"""#; unsafe fn f() {}',
    ],
)
def test_unsafe_outside_its_files_is_found(tmp_path, code):
    bad = house(tmp_path)
    write(bad / "crates/record-decode/src/plan.rs", code)
    (line,) = check_layers.violations(bad)
    assert line.startswith("record-decode/src/plan.rs:")
    assert "memory/mod.rs" in line


@pytest.mark.parametrize(
    "code",
    [
        "// unsafe, it was\n/* unsafe\nunsafe */",
        'const S: &str = "unsafe { \\" unsafe }";',
        'const S: &str = r##"unsafe "# unsafe"##;',
        "#![deny(unsafe_op_in_unsafe_fn)]",
    ],
)
def test_the_word_unsafe_in_text_is_not_unsafe(tmp_path, code):
    good = house(tmp_path)
    write(good / "crates/record-decode/src/plan.rs", code)
    assert check_layers.violations(good) == []


def test_a_root_that_does_not_forbid_unsafe_is_found(tmp_path):
    bad = house(tmp_path)
    write(bad / "crates/dev-server/src/main.rs", "// #![forbid(unsafe_code)]\nfn main() {}\n")
    assert check_layers.violations(bad) == ["dev-server/src/main.rs: does not say #![forbid(unsafe_code)]"]


def test_tokio_outside_the_runtime_is_found(tmp_path):
    bad = house(tmp_path)
    write(bad / "crates/py-bindings/src/call/runtime.rs", "use tokio::runtime::Runtime;\n")
    write(bad / "crates/py-bindings/src/client.rs", "fn f() { tokio::spawn(g()); }\n")
    (line,) = check_layers.violations(bad)
    assert line.startswith("py-bindings/src/client.rs: uses tokio")


def test_bytes_of_messages_outside_their_modules_are_found(tmp_path):
    bad = house(tmp_path)
    write(bad / "crates/py-bindings/src/keys/mod.rs", "use wire_protocol::digest::UserKey;\n")
    write(bad / "crates/py-bindings/src/commands/single.rs", "use wire_protocol::message::Ops;\n")
    write(bad / "crates/py-bindings/src/values/decode.rs", "// wire_protocol::particle is not used here\n")
    assert [line.split(";")[0] for line in check_layers.violations(bad)] == [
        "py-bindings/src/commands/single.rs: uses wire_protocol",
        "py-bindings/src/values/decode.rs: may use wire_protocol, but does not",
    ]


def test_a_file_that_grew_too_long_is_found(tmp_path):
    bad = house(tmp_path)
    write(bad / "crates/aero-io/src/cluster.rs", "// a line\n" * 501)
    write(bad / "crates/aero-io/src/fine.rs", "// a line\n" * 400 + "#[cfg(test)]\nmod tests {\n}\n" * 50)
    write(bad / "crates/aero-io/src/tests.rs", "// a line\n" * 501)
    write(bad / "python/aerospike_py/client.py", "# a line\n" * 501)
    found = check_layers.violations(bad)
    assert [line.split(":")[0] for line in found] == [
        "crates/aero-io/src/cluster.rs",
        "python/aerospike_py/client.py",
    ]


# ---------------------------------------------------------------- check_tracked


def repository(tree: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(tree)], check=True)
    return tree


@pytest.mark.parametrize(
    "line",
    [
        "see /" + "home/someone/notes.txt",
        'PATH = "/' + 'root/.cargo/bin"',
        "C:\\" + "Users\\someone",
        "index = https://mirror.example/py" + "pi.org/simple",
        "https://files.python" + "hosted.org/packages/x.whl",
        "https://static.crates" + ".io/x",
        "pip install aerospike" + "-py",
        "python -m pip install -q 'aerospike" + "-py[numpy]'",
        "aerospike" + "_py==0.1.0",
        "  aerospike" + "-py",
    ],
)
def test_forbidden_content_is_found(tmp_path, line):
    write(repository(tmp_path) / "docs/page.md", f"fine\n{line}\n")
    (found,) = check_tracked.findings(tmp_path, check_tracked.files_of(tmp_path))
    assert found.startswith("docs/page.md:2: ")


@pytest.mark.parametrize(
    "line",
    [
        'source = "registry+https://github.com/rust-lang/crates' + '.io-index"',
        "https://example.org/home/page",
        "pip install target/wheels/aerospike_py-0.1.0-cp311-cp311-linux_x86_64.whl",
        'name = "aerospike-py"',
        "import aerospike_py as aerospike",
        "what it installs is called `aerospike-py`",
    ],
)
def test_allowed_content_is_left_alone(tmp_path, line):
    write(repository(tmp_path) / "docs/page.md", f"{line}\n")
    assert list(check_tracked.findings(tmp_path, check_tracked.files_of(tmp_path))) == []


def test_ignored_files_are_not_checked(tmp_path):
    write(repository(tmp_path) / ".gitignore", "local.txt\n")
    write(tmp_path / "local.txt", "/" + "home/someone\n")
    assert check_tracked.files_of(tmp_path) == [".gitignore"]


# ---------------------------------------------------------------- check_links


def test_only_dead_links_are_found(tmp_path):
    write(
        tmp_path / "README.md",
        "# Title\n\n"
        "[a](docs/a.md) [b](docs/a.md#two-words) [c](#title) [d](https://example.org/x) [e](docs/)\n"
        "[f](docs/none.md) [g](docs/a.md#three) [h](#nothing) [i](../outside.md)\n\n"
        "`[not](a.link)`\n\n```\n[nor](this.md)\n# Not a heading\n```\n\n[ref]: docs/gone.md\n",
    )
    write(tmp_path / "docs/a.md", "# One\n\n## Two *words*\n")
    found = list(check_links.dead_links(tmp_path, tmp_path / "README.md"))
    assert found == [
        "README.md:4: docs/none.md: no such file",
        "README.md:4: docs/a.md#three: no such heading",
        "README.md:4: #nothing: no such heading",
        "README.md:4: ../outside.md: no such file",
        "README.md:13: docs/gone.md: no such file",
    ]


def test_equal_headings_are_numbered(tmp_path):
    write(tmp_path / "a.md", "# Same\n\n# Same\n\n## `code` and [link](x.md)!\n")
    assert check_links.anchors_of(tmp_path / "a.md") == {"same", "same-1", "code-and-link"}


# ---------------------------------------------------------------- check_markdown


GOOD_PAGE = """# Title

Words and `a | b`; a pipe | in a sentence.

| a | b |
|---|--:|
| `x \\| y` | |

## Next

- an item

  | in | an item |
  |---|---|
  | 1 | 2 |

````text
| code |
```
# no heading
````

<!-- run
# a comment of Python
| no table
-->

### Deeper

# Another
"""


def test_a_page_that_renders_as_it_looks_has_no_findings():
    assert check_markdown.findings(GOOD_PAGE) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("| a | b |\n|---|---|\n| 1 | 2 |\n\n| 3 | 4 |\n", "5: a table row that no header"),
        ("| a | b |\n| 1 | 2 |\n", "1: a table row that no header"),
        ("words\n| a | b |\n|---|---|\n| 1 | 2 |\n", "2: a table row inside a paragraph"),
        ("| a | b |\n|---|---|\n| 1 | 2 |\nwords\n", "4: a line inside a table"),
        ("| a | b |\n|---|---|\n| 1 | 2 | 3 |\n", "3: a row of 3 cells in a table of 2"),
        ("| a | b |\n|---|---|\n| `x | y` |\n| `x | y` | 2 |\n", "4: a row of 3 cells in a table of 2"),
        ("words\n\na | b\n---|---\n", "4: a delimiter row without a table"),
        ("words\n\n```sh\nmake\n", "3: a code fence that is not closed"),
        ("````text\n```\n", "1: a code fence that is not closed"),
        ("# One\n\n### Three\n", "3: a heading of level 3 after one of level 1"),
        ("## Two\n", "1: a heading of level 2 after one of level 0"),
    ],
)
def test_what_would_be_shown_as_text_is_found(text, expected):
    (line,) = check_markdown.findings(text)
    assert line.startswith(expected)


def test_rows_and_fences_in_a_rendered_page_are_found():
    html = "<h1>| a |</h1><p>Words\n| 1 | 2 |</p><pre>| code |</pre><ul><li>``` sh</li></ul><p>a | b</p>"
    assert check_markdown.text_rows(html) == ["| 1 | 2 |", "``` sh"]


def test_every_markdown_file_is_looked_at(tmp_path, monkeypatch, capsys):
    write(repository(tmp_path) / "a/README.md", "# A\n\n| 1 | 2 |\n")
    write(tmp_path / "b.md", "# B\n")
    monkeypatch.setattr("sys.argv", ["check_markdown", str(tmp_path)])
    assert check_markdown.main() == 1
    assert capsys.readouterr().err.startswith("a/README.md:3: a table row")


# ---------------------------------------------------------------- check_dependencies


LOCK = """version = 4

[[package]]
name = "aero-io"
version = "0.1.0"

[[package]]
name = "tokio"
version = "1.54.1"
source = "SOURCE"
CHECKSUM
"""


def depends(tree: Path, *, listing: str = "| `tokio` | sockets |\n| `pytest` | tests |") -> Path:
    house(tree, aero_io='[dependencies]\ntokio = "1"\n')
    for name, folder in (("fuzz", "fuzz"), ("left-out", "benches/rust")):
        write(
            tree / folder / "Cargo.toml",
            f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n[workspace]\n',
        )
        write(tree / folder / "src/lib.rs", "")
    write(
        tree / "requirements/dev.txt",
        "# Direct dependencies.\npytest==9\n\n# Their dependencies.\npluggy==1\n",
    )
    write(tree / "pyproject.toml", "[build-system]\nrequires = []\n")
    write(tree / "DEVELOPERS.md", f"## Dependencies\n\n| what | for |\n|---|---|\n{listing}\n\n## Pins\n")
    lock = LOCK.replace("SOURCE", check_dependencies.CRATES_IO).replace("CHECKSUM", 'checksum = "00"')
    for folder in check_dependencies.CARGO_WORKSPACES:
        write(tree / folder / "Cargo.lock", lock)
    return tree


def test_dependencies_that_are_listed(tmp_path):
    assert check_dependencies.findings(depends(tmp_path)) == []


@pytest.mark.parametrize(
    ("listing", "expected"),
    [
        ("| `pytest` | tests |", "does not say what tokio is for"),
        ("| `tokio` | sockets |", "does not say what pytest is for"),
        ("| `tokio`, `pytest` | all |\n| `serde` | nothing |", "lists serde"),
    ],
)
def test_a_wrong_list_of_dependencies_is_found(tmp_path, listing, expected):
    (line,) = check_dependencies.findings(depends(tmp_path, listing=listing))
    assert expected in line


@pytest.mark.parametrize(
    ("source", "checksum", "expected"),
    [
        ("git+https://example.org/tokio", 'checksum = "00"', "does not come from the public registry"),
        (check_dependencies.CRATES_IO, "", "has no checksum"),
    ],
)
def test_a_crate_from_elsewhere_is_found(tmp_path, source, checksum, expected):
    bad = depends(tmp_path)
    lock = bad / "Cargo.lock"
    write(lock, LOCK.replace("SOURCE", source).replace("CHECKSUM", checksum))
    (line,) = check_dependencies.foreign(lock)
    assert expected in line


WHEEL = {
    "aerospike_py/_native.cpython-311-x86_64-linux-gnu.so": "",
    "aerospike_py/_native.pyi": "",
    "aerospike_py/py.typed": "",
    "pytest_aerospike_py/__init__.py": "",
    "aerospike_py-0.1.0.dist-info/licenses/LICENSE": "",
    "aerospike_py-0.1.0.dist-info/sboms/py-bindings.cyclonedx.json": "",
    "aerospike_py-0.1.0.dist-info/entry_points.txt": "",
}


def wheel_of(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_a_wheel_that_has_what_it_needs(tmp_path):
    try_wheel.look_into(wheel_of(tmp_path / "aerospike_py-0.1.0-any.whl", WHEEL))


@pytest.mark.parametrize("missing", WHEEL)
def test_a_wheel_that_lacks_something(tmp_path, missing):
    files = {name: text for name, text in WHEEL.items() if name != missing}
    with pytest.raises(try_wheel.WrongError, match="0 files"):
        try_wheel.look_into(wheel_of(tmp_path / "aerospike_py-0.1.0-any.whl", files))


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("aerospike_py/_native.abi3.so", 1, "2 files"),
        ("tests/conftest.py", 1, "not the package's"),
        ("aerospike_py/big", try_wheel.MOST_BYTES + 1, "more than"),
    ],
)
def test_a_wheel_with_too_much(tmp_path, name, size, message):
    wheel = wheel_of(tmp_path / "aerospike_py-0.1.0-any.whl", {**WHEEL, name: "x" * size})
    with pytest.raises(try_wheel.WrongError, match=message):
        try_wheel.look_into(wheel)
