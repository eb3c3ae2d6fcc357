"""Writes fuzz/found/TARGET.tar.gz: the small inputs that reach the most code, of all that fuzzing has found.

    python keep.py TARGET...

Reads each target's corpus/ and its current archive; needs the binaries that `cargo fuzz build -s none` makes.
libFuzzer picks a set of inputs that reaches the same code, and the archive takes the smallest of them, up to
MOST bytes. An input that adds nothing is dropped. The archive depends on its inputs alone (sorted names, no
times, no owners), so it changes only when they do. It is committed, and `make fuzz` starts from it.
"""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOUND = HERE / "found"
#: Bytes of inputs that are kept of a target.
MOST = 30_000


def pack(inputs: dict[str, bytes]) -> bytes:
    """The inputs as a .tar.gz; equal inputs make equal archives."""
    packed = io.BytesIO()
    # mtime and filename: gzip would write the time and the name of its file.
    with (
        gzip.GzipFile(filename="", fileobj=packed, mode="wb", compresslevel=9, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, content in sorted(inputs.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def unpack(archive: Path, folder: Path) -> None:
    """Writes the inputs of an archive, which is one that `pack` made, into a folder."""
    with tarfile.open(archive) as packed:
        for entry in packed:
            content = packed.extractfile(entry)
            if content is not None:
                (folder / Path(entry.name).name).write_bytes(content.read())


def smallest(folder: Path) -> dict[str, bytes]:
    """The smallest files of a folder, up to MOST bytes."""
    inputs, left = {}, MOST
    for path in sorted(folder.iterdir(), key=lambda path: (path.stat().st_size, path.name)):
        left -= path.stat().st_size
        if left < 0:
            break
        inputs[path.name] = path.read_bytes()
    return inputs


def keep(binary: Path, target: str) -> None:
    archive = FOUND / f"{target}.tar.gz"
    with tempfile.TemporaryDirectory() as before, tempfile.TemporaryDirectory() as cover:
        sources = [before]
        if archive.exists():
            unpack(archive, Path(before))
        corpus = HERE / "corpus" / target
        if corpus.is_dir():
            sources.append(str(corpus))
        command = [str(binary), "-set_cover_merge=1", "-max_len=1024", cover, *sources]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)  # noqa: S603
        inputs = smallest(Path(cover))
    archive.write_bytes(pack(inputs))
    sys.stdout.write(f"{target}: {len(inputs)} inputs, {archive.stat().st_size} bytes\n")


def main() -> None:
    (binaries,) = HERE.glob("target/*-*-*/release")
    FOUND.mkdir(exist_ok=True)
    for target in sys.argv[1:]:
        keep(binaries / target, target)


if __name__ == "__main__":
    main()
