"""The blob store: the same behaviour in a folder and behind a URL, and no way out of its folder."""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import fsspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genlevel.runtime import blobs
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.durability import Durability
from genlevel.runtime.errors import BlobMissing, ConfigurationError, StorageError, UsageError


@pytest.fixture(params=["folder", "file url", "memory url"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "new" / "blobs"
    if request.param != "memory url":
        yield str(folder) if request.param == "folder" else f"file://{folder}"
        return
    place = f"memory://{uuid.uuid4().hex}/blobs"
    yield place
    memory = fsspec.filesystem("memory")
    if memory.exists(place):
        memory.rm(place, recursive=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(content=st.binary(max_size=5000))
def test_what_was_put_comes_back_by_its_hash(url: str, content: bytes) -> None:
    store = BlobStore.open(url)
    reference = store.put(content, "image/png")
    assert (reference.sha256, reference.size_bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert BlobStore.open(url).get(reference.sha256) == content
    assert store.put(content) == reference


def test_what_comes_in_pieces_is_the_same_object_and_nothing_until_it_is_kept(url: str) -> None:
    store = BlobStore.open(url)
    spool = store.spool()
    for piece in (b"some", b"", b"thing"):
        spool.write(piece)
    spool.flush()
    assert (spool.size, spool.path.read_bytes()) == (9, b"something")
    sha256 = hashlib.sha256(b"something").hexdigest()
    assert not store.has(sha256)
    reference = spool.keep("text/plain")
    spool.drop()
    assert (reference.sha256, reference.size_bytes) == (sha256, 9)
    assert store.get(sha256) == b"something"
    assert not spool.path.exists()
    again = store.spool()
    again.write(b"something")
    assert again.keep() == reference
    assert not again.path.exists()
    dropped = store.spool()
    dropped.write(b"other")
    dropped.drop()
    assert not dropped.path.exists()
    assert not store.has(hashlib.sha256(b"other").hexdigest())


def test_what_comes_in_pieces_is_no_larger_than_any_object(url: str) -> None:
    spool = BlobStore.open(url, limit_bytes=5).spool()
    spool.write(b"12345")
    with pytest.raises(StorageError, match="over the limit"):
        spool.write(b"6")
    spool.drop()


def test_a_part_is_read_without_the_rest(url: str) -> None:
    store = BlobStore.open(url)
    sha256 = store.put(b"0123456789").sha256
    parts = [store.read_part(sha256, offset, length) for offset, length in ((0, 3), (4, 2), (8, 100), (10, 1))]
    assert parts == [b"012", b"45", b"89", b""]
    with pytest.raises(BlobMissing):
        store.read_part("0" * 64, 0, 1)


def test_an_object_that_is_not_there_is_named(url: str) -> None:
    store = BlobStore.open(url)
    absent = hashlib.sha256(b"absent").hexdigest()
    assert not store.has(absent)
    with pytest.raises(StorageError, match=rf"^blob store: {absent} is not in "):
        store.get(absent)
    assert store.has(store.put(b"absent").sha256)


@pytest.mark.parametrize(
    "name", ["", "../../etc/passwd", "/etc/passwd", "A" * 64, "g" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n", "../" + "a" * 61]
)
def test_only_hashes_name_objects(url: str, name: str) -> None:
    store = BlobStore.open(url)
    for look in (store.get, store.has):
        with pytest.raises(UsageError, match=r"is not a SHA-256 in lower-case hexadecimal$"):
            look(name)


def test_an_object_that_survives_a_power_cut_is_on_the_disk_with_all_folders_that_lead_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    usual = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(Path(f"/proc/self/fd/{descriptor}").readlink()), usual(descriptor)))
    folder = tmp_path / "blobs"
    BlobStore.open(folder).put(b"of a process")
    assert synced == []
    sha256 = BlobStore.open(folder, durability=Durability.POWER).put(b"of a machine").sha256
    place = folder / sha256[:2] / sha256[2:4]
    assert synced == [place / sha256, place, place.parent, folder]


def test_objects_over_the_limit_are_neither_written_nor_read(url: str) -> None:
    large = BlobStore.open(url).put(b"x" * 11)
    store = BlobStore.open(url, limit_bytes=10)
    with pytest.raises(StorageError, match=r"has 11 bytes, over the limit of 10$"):
        store.get(large.sha256)
    with pytest.raises(StorageError, match=r"an object of 12 bytes is over the limit of 10$"):
        store.put(b"x" * 12)
    assert not store.has(hashlib.sha256(b"x" * 12).hexdigest())


def test_damage_is_found_when_reading_and_mended_by_storing_again(tmp_path: Path) -> None:
    store = BlobStore.open(tmp_path)
    reference = store.put(b"good content")
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    file.write_bytes(b"evil content")
    with pytest.raises(StorageError, match=rf"^blob store: {reference.sha256} in {tmp_path} is damaged"):
        store.get(reference.sha256)
    file.write_bytes(b"cut")
    store.put(b"good content")
    assert store.get(reference.sha256) == b"good content"


def test_many_writers_of_the_same_object_leave_one_whole_file(tmp_path: Path) -> None:
    content = b"z" * 2_000_000
    with ThreadPoolExecutor(8) as pool:
        references = list(pool.map(lambda _: BlobStore.open(tmp_path).put(content).sha256, range(32)))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [file.name for file in files] == [references[0]]
    assert BlobStore.open(tmp_path).get(references[0]) == content


def test_a_store_that_cannot_be_opened_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"^blob store: cannot create the folder .*file/blobs \(Not a directory\)$"):
        BlobStore.open(tmp_path / "file" / "blobs")
    with pytest.raises(ConfigurationError, match=r"^storage\.blobs: nowhere://bucket cannot be used \("):
        BlobStore.open("nowhere://bucket")


def test_a_folder_that_is_gone_or_read_only_is_no_store_to_work_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = BlobStore.open(tmp_path / "blobs")
    assert store.problem() == ""
    (tmp_path / "blobs").rename(tmp_path / "elsewhere")
    assert store.problem().endswith("blobs is gone; bring it back")
    with pytest.raises(StorageError, match="is gone; bring it back") as raised:
        store.put(b"picture")
    assert raised.value.passes
    assert not (tmp_path / "blobs").exists(), "what is unmounted is not made anew"
    (tmp_path / "elsewhere").rename(tmp_path / "blobs")
    monkeypatch.setattr(blobs.os, "access", lambda path, mode: False)
    assert store.problem().endswith("blobs is read-only")


def test_a_remote_store_that_fails_is_a_problem_and_may_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    store = BlobStore.open("memory://blobs-away")
    assert store.problem() == ""

    def fail(*_: object, **__: object) -> int:
        raise OSError("connection refused")

    monkeypatch.setattr(store._shelf._files, "size", fail)  # type: ignore[attr-defined]
    assert "connection refused" in store.problem()
    with pytest.raises(StorageError) as raised:
        store.put(b"picture")
    assert raised.value.passes


def aged(url: str, sha256: str, seconds: float) -> None:
    """Has an object be older than it is, whichever store it lies in."""
    place = f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
    if url.startswith("memory://"):
        stored = fsspec.filesystem("memory").store
        (name,) = [name for name in stored if name.endswith(place)]
        stored[name].modified -= timedelta(seconds=seconds)
        return
    file = Path(url.removeprefix("file://")) / place
    then = file.stat().st_mtime - seconds
    os.utime(file, (then, then))


def test_what_is_old_is_removed_and_removing_it_again_is_fine(url: str) -> None:
    store = BlobStore.open(url)
    sha256 = store.put(b"old").sha256
    aged(url, sha256, 8000)
    assert not store.remove(sha256, before=time.time() - 9000)
    assert store.get(sha256) == b"old"
    assert store.remove(sha256, before=time.time() - 7200)
    assert not store.has(sha256)
    assert store.remove(sha256, before=0.0)
    assert store.get(store.put(b"old").sha256) == b"old"


@pytest.mark.parametrize("pieces", [False, True])
def test_what_is_stored_again_is_as_new_and_is_not_removed(url: str, pieces: bool) -> None:
    store = BlobStore.open(url)
    sha256 = store.put(b"same").sha256
    aged(url, sha256, 8000)
    if pieces:
        spool = store.spool()
        spool.write(b"same")
        spool.keep()
    else:
        store.put(b"same")
    assert not store.remove(sha256, before=time.time() - 7200)
    assert store.get(sha256) == b"same"


def test_what_somebody_stores_again_while_it_is_being_removed_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the moments between the two looks at how old it is."""
    store, rename = BlobStore.open(tmp_path), os.rename
    sha256 = store.put(b"same").sha256
    for moment in ("before", "after"):
        aged(str(tmp_path), sha256, 8000)

        def renamed(source: object, target: object, moment: str = moment) -> None:
            monkeypatch.setattr(os, "rename", rename)
            if moment == "before":
                store.put(b"same")
            rename(str(source), str(target))
            if moment == "after":
                store.put(b"same")

        monkeypatch.setattr(os, "rename", renamed)
        store.remove(sha256, before=time.time() - 7200)
        assert store.get(sha256) == b"same", moment


def test_what_is_put_and_removed_at_once_again_and_again_is_there_in_the_end(tmp_path: Path) -> None:
    store = BlobStore.open(tmp_path)
    sha256 = store.put(b"same").sha256

    def put() -> None:
        for _ in range(200):
            store.put(b"same")
            assert store.has(sha256), "whoever has stored it finds it"

    def remove() -> None:
        for _ in range(200):
            store.remove(sha256, before=time.time() - 5)

    aged(str(tmp_path), sha256, 8000)
    with ThreadPoolExecutor(2) as both:
        for done in [both.submit(put), both.submit(remove)]:
            done.result()
    assert store.get(sha256) == b"same"


@pytest.mark.parametrize("stored_again", [False, True])
def test_what_a_killed_process_was_about_to_remove_is_removed_or_put_back(tmp_path: Path, stored_again: bool) -> None:
    store = BlobStore.open(tmp_path)
    sha256 = store.put(b"same").sha256
    file = store.local_path(sha256)
    assert file is not None
    if not stored_again:
        aged(str(tmp_path), sha256, 8000)
    file.rename(file.with_name(f".gone-{sha256}"))
    assert store.remove(sha256, before=time.time() - 7200) != stored_again
    assert [one.name for one in tmp_path.rglob("*") if one.is_file()] == [sha256] * stored_again
