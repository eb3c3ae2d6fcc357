"""fuzz/keep.py packs the inputs of fuzz/found, one archive per fuzz target."""

import gzip

import pytest

from fuzz import keep
from tests.support import ROOT

TARGETS = {path.stem for path in (ROOT / "fuzz/fuzz_targets").glob("*.rs")}
ARCHIVES = sorted((ROOT / "fuzz/found").iterdir())


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name)
def test_an_archive_is_what_keep_writes(archive, tmp_path):
    assert archive.name.removesuffix(".tar.gz") in TARGETS
    keep.unpack(archive, tmp_path)
    inputs = keep.smallest(tmp_path)
    assert len(inputs) == len(list(tmp_path.iterdir())) > 0
    assert gzip.decompress(keep.pack(inputs)) == gzip.decompress(archive.read_bytes())


def test_equal_inputs_make_equal_archives(tmp_path):
    inputs = {"b": b"", "a": bytes(2000)}
    packed = keep.pack(inputs)
    assert packed == keep.pack(dict(reversed(inputs.items())))
    archive = tmp_path / "target.tar.gz"
    archive.write_bytes(packed)
    folder = tmp_path / "inputs"
    folder.mkdir()
    keep.unpack(archive, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == inputs


def test_the_smallest_inputs_are_kept(tmp_path):
    for name, size in (("large", keep.MOST), ("small", 1), ("middle", 100)):
        (tmp_path / name).write_bytes(bytes(size))
    assert list(keep.smallest(tmp_path)) == ["small", "middle"]
