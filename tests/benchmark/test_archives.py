"""Zip archives are read like folders, unpacked once; hostile ones are refused in one line and leave nothing behind."""

from __future__ import annotations

import json
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from genlevel.benchmark import archives
from genlevel.benchmark.archives import cache_folder, unpacked
from genlevel.benchmark.model import Modality
from genlevel.benchmark.suites import load_suite
from genlevel.runtime.errors import DatasetError
from scorer.predictions.scoring import score_predictions

PNG = b"\x89PNG\r\n\x1a\n and more"
CAR = "image/comprehension/Car-Brands-Recognition"
QUESTION = {"id": "q", "input": {"question": "Why?", "options": ["x", "y"]}, "output": {"answer": "A"}}
PICTURE = {"id": "p", "input": {"image_file": "a.png", "prompt": "Brand?"}, "output": {"prediction": "GMC"}}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GENLEVEL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "archives"


def annotation(*items: Any, **envelope: Any) -> bytes:
    return json.dumps({**envelope, "data": items}).encode()


def packed(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_zip_for_each_task_is_read_where_it_lies(tmp_path: Path) -> None:
    root = tmp_path / "bench"
    packed(root / f"{CAR}.zip", {"annotation.json": annotation(PICTURE), "images/a.png": PNG})
    packed(root / "nlp/Causal-Reasoning.zip", {"Causal-Reasoning/annotation.json": annotation(QUESTION, type="MultipleChoiceQA")})
    suite = load_suite(root)
    assert suite.problems == ()
    assert [task.key for task in suite.tasks] == [CAR, "nlp/Causal-Reasoning"]
    assert [task.task is not None and task.task.name for task in suite.tasks] == ["Car Brands Recognition", "Causal Reasoning"]
    (picture,) = suite.tasks[0].instances()
    assert (picture.problem, picture.media[0].path.read_bytes()) == ("", PNG)


@pytest.mark.parametrize("top", ["", "image/"])
def test_a_zip_of_a_modality(tmp_path: Path, top: str) -> None:
    inside = f"{top}comprehension/Car-Brands-Recognition"
    packed(tmp_path / "bench/image.zip", {f"{inside}/annotation.json": annotation(PICTURE), f"{inside}/images/a.png": PNG})
    (task,) = load_suite(tmp_path / "bench").tasks
    assert (task.key, task.modality, task.task is not None) == (CAR, Modality.IMAGE, True)


@pytest.mark.parametrize("top", ["", "bench/"])
def test_a_zip_of_everything_and_zips_within_it(tmp_path: Path, top: str) -> None:
    task = packed(tmp_path / "inner.zip", {"annotation.json": annotation(QUESTION), "notes.txt": b"x"}).read_bytes()
    files = {f"{top}nlp/Causal-Reasoning.zip": task, f"{top}{CAR}/annotation.json": annotation(PICTURE), f"{top}{CAR}/images/a.png": PNG}
    suite = load_suite(packed(tmp_path / "bench.zip", files))
    assert (suite.name, suite.problems) == ("bench", ())
    assert [task.key for task in suite.tasks] == [CAR, "nlp/Causal-Reasoning"]
    assert suite.root == tmp_path / "bench.zip"
    assert not [instance.problem for task in suite.tasks for instance in task.instances() if instance.problem]


def test_a_zip_of_one_task_is_that_task(tmp_path: Path) -> None:
    path = packed(tmp_path / "image/comprehension/Car-Brands-Recognition.zip", {"annotation.json": annotation(PICTURE), "a.png": PNG})
    (task,) = load_suite(path).tasks
    assert (task.key, task.modality) == ("Car-Brands-Recognition", Modality.IMAGE)
    assert task.task is not None


def test_a_zip_with_a_suite_of_its_own(tmp_path: Path) -> None:
    manifest = b"name: mine\ntitle: Mine\nlicence: CC0-1.0\ntasks:\n  nlp/Riddles: {metric: ACC}\n"
    suite = load_suite(packed(tmp_path / "mine.zip", {"suite.yaml": manifest, "nlp/Riddles/annotation.json": annotation(QUESTION)}))
    assert (suite.name, suite.root.name, [task.key for task in suite.tasks]) == ("mine", "mine.zip", ["nlp/Riddles"])


def test_media_may_be_in_a_zip_beside_the_annotation(tmp_path: Path) -> None:
    folder = tmp_path / CAR
    packed(folder / "images.zip", {"images/a.png": PNG})
    (folder / "json").mkdir()
    (folder / "json/annotation.json").write_bytes(annotation(PICTURE))
    suite = load_suite(tmp_path)
    assert suite.problems == ()
    (instance,) = suite.tasks[0].instances()
    assert instance.media[0].path.read_bytes() == PNG


def test_a_task_whose_media_cannot_be_unpacked_is_left_out(tmp_path: Path, write_task: Any) -> None:
    write_task("nlp/Causal-Reasoning", [QUESTION])
    folder = tmp_path / CAR
    folder.mkdir(parents=True)
    (folder / "annotation.json").write_bytes(annotation(PICTURE))
    (folder / "images.zip").write_bytes(b"PK")
    suite = load_suite(tmp_path)
    assert [task.key for task in suite.tasks] == ["nlp/Causal-Reasoning"]
    (problem,) = suite.problems
    assert "left out: " in problem
    assert "images.zip: not a zip archive" in problem


def test_an_archive_is_unpacked_once_and_anew_when_it_changes(tmp_path: Path, cache: Path) -> None:
    path = packed(tmp_path / "a.zip", {"annotation.json": annotation(QUESTION)})
    first = unpacked(path)
    marker = first / "marker"
    marker.touch()
    assert unpacked(path) == first
    assert marker.exists()
    packed(path, {"annotation.json": annotation(QUESTION, QUESTION)})
    second = unpacked(path)
    assert second != first
    assert len(json.loads((second / "annotation.json").read_bytes())["data"]) == 2


def test_several_readers_unpack_one_archive_once(tmp_path: Path, cache: Path) -> None:
    path = packed(tmp_path / "a.zip", {f"{n}.json": b"{}" for n in range(200)})
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(unpacked, [path] * 8))) == 1
    assert sum(entry.is_dir() for entry in cache.iterdir()) == 1


def test_an_archive_beside_its_own_folder_is_not_read_again(write_task: Any) -> None:
    root = write_task("nlp/Causal-Reasoning", [QUESTION])
    packed(root / "nlp/Causal-Reasoning.zip", {"annotation.json": annotation(QUESTION)})
    assert [task.key for task in load_suite(root).tasks] == ["nlp/Causal-Reasoning"]
    assert load_suite(root).problems == ()


def test_an_archive_without_a_task_is_said_and_not_unpacked(write_task: Any, cache: Path) -> None:
    root = write_task("nlp/Causal-Reasoning", [QUESTION])
    packed(root / "extra.zip", {"a.png": PNG})
    assert load_suite(root).problems == ("extra.zip: not used: there is no annotation in it, and none beside it",)
    assert not cache.exists()


def test_the_cache_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENLEVEL_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert cache_folder() == Path("/x/genlevel/archives")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/u")
    assert cache_folder() == Path("/home/u/.cache/genlevel/archives")


def named(name: str, content: bytes = b"{}", mode: int = 0) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    return entry


def with_entries(*entries: tuple[zipfile.ZipInfo, bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, content in entries:
                archive.writestr(entry, content)

    return write


def altered(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        packed(path, {"annotation.json": annotation(QUESTION), "b.json": os.urandom(2000)})
        path.write_bytes(change(path.read_bytes()))

    return write


def encrypted(path: Path) -> None:
    """Sets the flag of encryption in both headers of the only entry."""
    packed(path, {"annotation.json": b"{}"})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(content))


def overlapping(path: Path) -> None:
    """Two entries whose bytes are the same."""
    packed(path, {"a.json": b"x" * 1000, "b.json": b"x" * 1000})
    content = bytearray(path.read_bytes())
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    content[second + 42 : second + 46] = struct.pack("<L", 0)
    path.write_bytes(bytes(content))


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.json", "w", force_zip64=True) as entry:
        for _ in range(8):
            entry.write(bytes(1 << 20))


def too_long(path: Path) -> None:
    """An entry that says that it is shorter than it is."""
    packed(path, {"a.json": b"x" * 100_000})
    content = bytearray(path.read_bytes())
    content[22:26] = struct.pack("<L", 10)
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<L", 10)
    path.write_bytes(bytes(content))


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "climbs": (with_entries((named("../../evil.json"), b"{}")), "leads out"),
    "climbs inside": (with_entries((named("a/../../../evil.json"), b"{}")), "leads out"),
    "backslashes": (with_entries((named("..\\..\\evil.json"), b"{}")), "leads out"),
    "absolute": (with_entries((named("/tmp/evil.json"), b"{}")), "leads out"),
    "drive": (with_entries((named("C:/evil.json"), b"{}")), "leads out"),
    "link": (with_entries((named("a.json", mode=stat.S_IFLNK | 0o777), b"/etc/passwd")), "link or a device"),
    "device": (with_entries((named("a.json", mode=stat.S_IFCHR | 0o666), b"")), "link or a device"),
    "long name": (with_entries((named("x" * 300 + ".json"), b"{}")), "too long a name"),
    "deep": (with_entries((named("a/" * 60 + "a.json"), b"{}")), "too long a name"),
    "file and folder": (with_entries((named("a"), b"{}"), (named("a/b.json"), b"{}")), "several entries for 'a'"),
    "folder and file": (with_entries((named("a/b.json"), b"{}"), (named("a"), b"{}")), "several entries for 'a'"),
    "encrypted": (encrypted, "is encrypted"),
    "overlapping": (overlapping, "overlap"),
    "bomb": (bomb, "zip bomb"),
    "too long": (too_long, "cannot be unpacked"),
    "cut": (altered(lambda content: content[: len(content) // 2]), "its end is missing"),
    "flipped": (altered(lambda content: content[:60] + bytes(len(content) - 400) + content[-340:]), "cannot be unpacked|not a zip archive"),
    "empty": (lambda path: path.write_bytes(b""), "its end is missing"),
    "text": (lambda path: path.write_bytes(b"not found\n" * 100), "its end is missing"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_in_one_line_and_leaves_nothing(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(archives, "SMALL_TOTAL", 1 << 20)
    write, said = HOSTILE[name]
    path = tmp_path / "data" / "a.zip"
    path.parent.mkdir()
    write(path)
    with pytest.raises(DatasetError, match=said) as caught:
        unpacked(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert not [entry for entry in cache.rglob("*") if not entry.name.endswith(".lock")]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["cache", "data"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_twice_is_refused(tmp_path: Path) -> None:
    with_entries((named("a.json"), b"{}"), (named("./a.json"), b"[]"))(tmp_path / "a.zip")
    with pytest.raises(DatasetError, match=r"several entries for 'a.json'"):
        unpacked(tmp_path / "a.zip")


def test_too_many_entries_are_refused_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_ENTRIES", 10)
    with pytest.raises(DatasetError, match="has 11 entries; at most 10 are unpacked"):
        unpacked(packed(tmp_path / "a.zip", {f"{n}.json": b"{}" for n in range(11)}))


def test_what_does_not_fit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        free = 10

    monkeypatch.setattr(archives.shutil, "disk_usage", lambda place: Full)
    with pytest.raises(DatasetError, match="GENLEVEL_CACHE"):
        unpacked(packed(tmp_path / "a.zip", {"a.json": b"x" * 100}))


def test_a_hostile_archive_does_not_keep_the_other_tasks_from_being_read(write_task: Any) -> None:
    root = write_task("nlp/Causal-Reasoning", [QUESTION])
    with_entries((named("../evil.json"), b"{}"))(root / "nlp/TriviaQA.zip")
    suite = load_suite(root)
    assert [task.key for task in suite.tasks] == ["nlp/Causal-Reasoning"]
    (problem,) = suite.problems
    assert problem.startswith("nlp/TriviaQA.zip: not used: not unpacked: ")


@pytest.mark.parametrize("packed_as", ["nlp/Causal-Reasoning.zip", "whole.zip"])
def test_predictions_are_scored_against_a_packed_task(tmp_path: Path, packed_as: str) -> None:
    inside = "" if packed_as.startswith("nlp") else "nlp/Causal-Reasoning/"
    packed(tmp_path / "a" / packed_as, {f"{inside}annotation.json": annotation(QUESTION, type="MultipleChoiceQA")})
    folder = tmp_path / "p/nlp/Causal-Reasoning"
    folder.mkdir(parents=True)
    (folder / "prediction.json").write_text(json.dumps([{"id": "q", "prediction": "A"}]), "utf-8")
    suite = tmp_path / "a" / packed_as if packed_as == "whole.zip" else tmp_path / "a"
    (task,) = score_predictions(suite, tmp_path / "p", "M").tasks
    assert task.score.score == 100.0
