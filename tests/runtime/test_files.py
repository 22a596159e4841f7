"""Stored objects as files: links into a folder store, bounded copies of what lies elsewhere."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from genlevel.runtime import files
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import StorageError
from genlevel.runtime.files import FileCache


@pytest.fixture(params=["folder", "memory"])
def blobs(request, tmp_path):
    return BlobStore.open(tmp_path / "blobs" if request.param == "folder" else f"memory://{uuid.uuid4().hex}/blobs")


def test_a_file_has_the_content_and_the_suffix_that_decoders_look_at(blobs, tmp_path):
    cache = FileCache(blobs, tmp_path / "files")
    sha256 = blobs.put(b"a picture").sha256
    with cache.lease() as lease:
        path = Path(lease.path(sha256, ".png"))
        assert (path.suffix, path.read_bytes()) == (".png", b"a picture")
        assert lease.path(sha256, ".png") == str(path)


def test_an_object_that_is_not_there_is_named(blobs, tmp_path):
    with FileCache(blobs, tmp_path / "files").lease() as lease, pytest.raises(StorageError, match="is not in"):
        lease.path("0" * 64)


@pytest.mark.parametrize("suffix", ["/../../x", ".p/g", "png", ".", "." + "x" * 40])
def test_a_suffix_is_no_way_out_of_the_folder(blobs, tmp_path, suffix):
    sha256 = blobs.put(b"content").sha256
    with FileCache(blobs, tmp_path / "files").lease() as lease, pytest.raises(StorageError, match="not a suffix"):
        lease.path(sha256, suffix)


def test_a_folder_of_frames_keeps_their_names(blobs, tmp_path):
    frames = [(f"{number:02}.png", blobs.put(b"frame %d" % number).sha256) for number in range(3)]
    with FileCache(blobs, tmp_path / "files").lease() as lease:
        folder = Path(lease.folder(frames))
        assert [(path.name, path.read_bytes()) for path in sorted(folder.iterdir())] == [
            (f"{number:02}.png", b"frame %d" % number) for number in range(3)
        ]
        with pytest.raises(StorageError, match="not a file name"):
            lease.folder([("../up.png", frames[0][1])])


def test_copies_are_bounded_and_what_is_in_use_stays(tmp_path, monkeypatch):
    blobs = BlobStore.open(f"memory://{uuid.uuid4().hex}/blobs")
    hashes = [blobs.put(bytes([number]) * 1000).sha256 for number in range(10)]
    cache = FileCache(blobs, tmp_path / "files", limit_bytes=3000)
    with cache.lease() as held:
        first = Path(held.path(hashes[0], ".png"))
        for sha256 in hashes[1:]:
            with cache.lease() as lease:
                assert Path(lease.path(sha256, ".png")).read_bytes()
            left = [path for path in (tmp_path / "files").glob("??/*") if path.is_file()]
            assert sum(path.stat().st_size for path in left) <= 3000
        assert first.exists()
    monkeypatch.setattr(files, "_IN_USE_S", 0)
    again = FileCache(blobs, tmp_path / "files", limit_bytes=3000)  # a later process counts what lies there
    with again.lease() as lease:
        lease.path(hashes[5], ".png")
    assert sum(path.stat().st_size for path in (tmp_path / "files").glob("??/*")) <= 3000


@pytest.mark.parametrize("scanned", ["before", "after", "shared"])
def test_what_another_cache_of_the_folder_uses_stays(tmp_path, scanned, monkeypatch):
    """An evaluator and a scorer in one process, say, or two commands. A file that is gone would count as an answer that cannot be read."""
    blobs = BlobStore.open(f"memory://{uuid.uuid4().hex}/blobs")
    hashes = [blobs.put(bytes([number]) * 1000).sha256 for number in range(5)]
    theirs, ours = FileCache(blobs, tmp_path / "files"), FileCache(blobs, tmp_path / "files", limit_bytes=2500)

    def use(cache, sha256):
        with cache.lease() as lease:
            return Path(lease.path(sha256, ".png"))

    if scanned == "before":
        use(ours, hashes[0])
    with theirs.lease() as held:
        in_use = Path(held.path(hashes[0], ".png"))
        if scanned == "shared":
            use(ours, hashes[0])
        unused = [use(ours, sha256) for sha256 in hashes[1:]]
        assert in_use.exists()
        assert not unused[0].exists()
    monkeypatch.setattr(files, "_IN_USE_S", 0)
    use(ours, hashes[1])
    use(ours, hashes[2])
    assert not in_use.exists()
