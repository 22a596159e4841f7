"""Fetching from the hub, against a stand-in of it: what is wanted, cut connections, what is there already, and every way to be refused."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner
from filelock import FileLock

from genlevel.benchmark import hub
from genlevel.benchmark.suites import load_suite
from genlevel.cli import cli
from genlevel.runtime.errors import DatasetError, UsageError

pytest.importorskip("huggingface_hub")

REPOSITORY = "someone/open-set"
QUESTION = json.dumps({"type": "MultipleChoiceQA", "data": [{"id": "q", "input": {"question": "?", "options": ["x", "y"]}, "output": "A"}]})
PICTURE = json.dumps({"data": [{"id": "p", "input": {"image_file": "a.png", "prompt": "Brand?"}, "output": {"prediction": "GMC"}}]})


def stand_in_module() -> ModuleType:
    path = Path(__file__).with_name("hub_stand_in.py")
    spec = importlib.util.spec_from_file_location("hub_stand_in", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def packed() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("annotation.json", QUESTION)
        archive.writestr("filler.bin", os.urandom(300_000))
    return held.getvalue()


FILES = {
    "README.md": b"# open set",
    ".gitattributes": b"*.zip filter=lfs",
    "../evil.json": b"{}",
    "nlp/Causal-Reasoning/annotation.json": QUESTION.encode(),
    "nlp/TriviaQA/annotation.json": QUESTION.encode(),
    "image/comprehension/Car-Brands-Recognition/annotation.json": PICTURE.encode(),
    "image/comprehension/Car-Brands-Recognition/images/a.png": b"\x89PNG\r\n\x1a\n" + bytes(1000),
    "nlp/Temporal-Reasoning.zip": packed(),
}


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    monkeypatch.setenv("GENLEVEL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 50_000)  # of which whole ones are kept
    running = stand_in_module().Hub(REPOSITORY, dict(FILES))
    yield running
    running.close()


def fetched(stand_in: Any, folder: Path, *tasks: str) -> int:
    return hub.fetch(hub.listing(REPOSITORY, tasks, endpoint=stand_in.url), folder, endpoint=stand_in.url)


def test_everything_is_fetched_as_it_lies_and_can_be_read(stand_in: Any, tmp_path: Path) -> None:
    assert fetched(stand_in, tmp_path / "bench") == 6
    assert (tmp_path / "bench/nlp/Temporal-Reasoning.zip").read_bytes() == FILES["nlp/Temporal-Reasoning.zip"]
    assert not (tmp_path / "evil.json").exists()
    suite = load_suite(tmp_path / "bench")
    assert suite.problems == ()
    assert len([task for task in suite.tasks if task.task is not None]) == 4


@pytest.mark.parametrize(
    ("globs", "paths"),
    [
        (("image",), 2),
        (("IMAGE/*",), 2),
        (("car-brands-*",), 2),
        (("Car Brands Recognition",), 2),
        (("nlp/triviaqa", "Temporal*"), 2),
        (("*-Reasoning",), 2),
        ((), 6),
    ],
)
def test_tasks_are_chosen_by_folder_name_or_id(stand_in: Any, globs: tuple[str, ...], paths: int) -> None:
    assert len(hub.listing(REPOSITORY, globs, endpoint=stand_in.url).files) == paths


def test_a_glob_that_names_nothing_is_said_with_what_there_is(stand_in: Any) -> None:
    with pytest.raises(UsageError, match=r"no task that Juggling names \(it has 4, such as image/comprehension/Car-Brands"):
        hub.listing(REPOSITORY, ("Juggling",), endpoint=stand_in.url)


def test_a_connection_that_is_cut_goes_on_where_it_stopped(stand_in: Any, tmp_path: Path) -> None:
    name = "nlp/Temporal-Reasoning.zip"
    stand_in.cut[name] = 1
    assert fetched(stand_in, tmp_path, "Temporal*") == 1
    assert (tmp_path / name).read_bytes() == FILES[name]
    first, second = stand_in.got(name)
    assert first == ""
    assert int(second.removeprefix("bytes=").partition("-")[0]) > 0


def test_a_fetch_that_failed_goes_on_without_what_is_there(stand_in: Any, tmp_path: Path) -> None:
    name = "image/comprehension/Car-Brands-Recognition/annotation.json"
    stand_in.refuse[name] = 403
    with pytest.raises(DatasetError, match=rf"{name}: .* HTTP 403; .*; \d of 2 files are there: the same command goes on from here"):
        fetched(stand_in, tmp_path, "image")
    stand_in.refuse.clear()
    fetched(stand_in, tmp_path, "image")
    stand_in.requests.clear()
    assert fetched(stand_in, tmp_path, "image") == 0
    assert [method for method, _, _ in stand_in.requests if method == "GET"] == []
    assert (tmp_path / name).read_bytes() == FILES[name]


def test_a_fetch_that_ended_in_the_middle_of_a_file_goes_on_in_it(stand_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "nlp/Temporal-Reasoning.zip"
    stand_in.cut[name] = 100

    def ended(_seconds: float) -> None:
        raise KeyboardInterrupt  # where the client would wait before it tries again

    monkeypatch.setattr(time, "sleep", ended)
    with pytest.raises(DatasetError, match="0 of 1 files are there"):
        fetched(stand_in, tmp_path, "Temporal*")
    assert not (tmp_path / name).exists()
    stand_in.cut.clear()
    stand_in.requests.clear()
    fetched(stand_in, tmp_path, "Temporal*")
    assert (tmp_path / name).read_bytes() == FILES[name]
    (ranged,) = stand_in.got(name)
    assert int(ranged.removeprefix("bytes=").partition("-")[0]) > 0


def test_a_gated_repository_says_what_to_accept(stand_in: Any) -> None:
    stand_in.gated = True
    with pytest.raises(DatasetError, match=rf"is gated: accept its terms at {stand_in.url}/datasets/{REPOSITORY}, then set HF_TOKEN"):
        hub.listing(REPOSITORY, endpoint=stand_in.url)


@pytest.mark.parametrize(
    ("repository", "revision", "said"),
    [
        ("someone/else", "main", "has no data set 'someone/else'"),
        (REPOSITORY, "v9", "has no revision 'v9'"),
        ("a b/c d", "main", "is not the name of a repository"),
    ],
)
def test_what_is_not_there_is_named(stand_in: Any, repository: str, revision: str, said: str) -> None:
    with pytest.raises(DatasetError, match=said) as caught:
        hub.listing(repository, revision=revision, endpoint=stand_in.url)
    assert "\n" not in str(caught.value)


def test_without_a_network_one_line_says_so(stand_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    nowhere = "http://127.0.0.1:9"
    with pytest.raises(DatasetError, match=f"{nowhere} cannot be reached .*; check the network") as caught:
        hub.listing(REPOSITORY, endpoint=nowhere)
    assert "\n" not in str(caught.value)
    found = hub.listing(REPOSITORY, endpoint=stand_in.url)
    with pytest.raises(DatasetError, match=f"{nowhere} cannot be reached .* 0 of 6 files are there"):
        hub.fetch(found, tmp_path / "x", endpoint=nowhere)


def test_what_arrives_other_than_listed_is_refused(stand_in: Any, tmp_path: Path) -> None:
    name = "nlp/TriviaQA/annotation.json"
    stand_in.served[name] = FILES[name].replace(b"A", b"B")
    with pytest.raises(DatasetError, match="its hash differs"):
        fetched(stand_in, tmp_path, "TriviaQA")
    assert not (tmp_path / name).exists()
    stand_in.served.clear()
    assert fetched(stand_in, tmp_path, "TriviaQA") == 1


def test_a_file_that_was_changed_here_or_there_is_fetched_anew(stand_in: Any, tmp_path: Path) -> None:
    name = "nlp/TriviaQA/annotation.json"
    fetched(stand_in, tmp_path, "TriviaQA")
    (tmp_path / name).write_text("mine")
    assert fetched(stand_in, tmp_path, "TriviaQA") == 1
    stand_in.files[name] += b" "
    assert fetched(stand_in, tmp_path, "TriviaQA") == 1
    assert (tmp_path / name).read_bytes() == FILES[name] + b" "


def test_two_fetches_into_one_folder_are_kept_apart(stand_in: Any, tmp_path: Path) -> None:
    found = hub.listing(REPOSITORY, endpoint=stand_in.url)
    (tmp_path / ".cache/genlevel").mkdir(parents=True)
    with FileLock(tmp_path / ".cache/genlevel/lock"), pytest.raises(UsageError, match="another fetch into"):
        hub.fetch(found, tmp_path, endpoint=stand_in.url)


def test_without_the_extra_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UsageError, match=r"pip install 'genlevel\[hub\]'"):
        hub.listing()


def test_the_command_fetches_and_says_what_is_next(stand_in: Any, tmp_path: Path) -> None:
    arguments = ["bench", "fetch", "--to", str(tmp_path / "b"), "--tasks", "nlp", "--repository", REPOSITORY, "--endpoint", stand_in.url]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    assert "3 tasks, 3 files" in done.output
    assert f"next: genlevel bench check {tmp_path / 'b'}" in done.output
    document = json.loads(CliRunner().invoke(cli, [*arguments, "--json"]).stdout)
    assert (document["files"], document["fetched"], document["tasks"]) == (3, 0, 3)
    page = (Path(__file__).parents[2] / "docs" / "json.md").read_text("utf-8").partition("\n## fetch\n")[2]
    assert [key for key in document if f"| `{key}` |" not in page] == []
