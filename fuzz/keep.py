"""Writes fuzz/found: of what fuzzing has found so far, the small inputs that reach the most code.

    python keep.py target...

Takes each target's corpus/, as built by `cargo fuzz build -s none`; the result is committed, so that the next
run starts from it. Inputs in found/ are kept as far as they still add something.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Bytes kept of a target, the smallest inputs first.
MOST = 30_000


def main():
    (binaries,) = HERE.glob("target/*-*-*/release")
    for target in sys.argv[1:]:
        found = HERE / "found" / target
        with tempfile.TemporaryDirectory() as cover:
            merge = [
                binaries / target,
                "-set_cover_merge=1",
                "-max_len=1024",
                cover,
                HERE / "corpus" / target,
            ]
            if found.is_dir():
                merge.append(found)
            subprocess.run(merge, check=True, stderr=subprocess.DEVNULL)  # noqa: S603
            shutil.rmtree(found, ignore_errors=True)
            found.mkdir(parents=True)
            left = MOST
            for path in sorted(Path(cover).iterdir(), key=lambda path: (path.stat().st_size, path.name)):
                left -= path.stat().st_size
                if left < 0:
                    break
                shutil.copyfile(path, found / path.name)


if __name__ == "__main__":
    main()
