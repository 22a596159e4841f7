"""Suites by name below configured folders: what a name can mean, and that none leaves its folder."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.planning.suites import AnySuites, NamedSuites
from genlevel.benchmark.suite_folders import SuiteFolders
from genlevel.runtime.errors import DatasetError

ANNOTATION = {
    "task": "Causal-Reasoning",
    "type": "MultipleChoiceQA",
    "data": [{"id": "q", "input": {"question": "Why?", "options": ["yes", "no"]}, "output": {"answer": "A"}}],
}


def make_suite(folder: Path) -> Path:
    (folder / "nlp" / "Causal-Reasoning").mkdir(parents=True)
    (folder / "nlp" / "Causal-Reasoning" / "annotation.json").write_text(json.dumps(ANNOTATION))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with the suites bench, team/bench and packed.zip, and with what is none."""
    root = tmp_path / "suites"
    make_suite(root / "bench")
    make_suite(root / "team" / "bench")
    make_suite(tmp_path / "outside")
    with zipfile.ZipFile(root / "packed.zip", "w") as archive:
        archive.writestr("nlp/Causal-Reasoning/annotation.json", json.dumps(ANNOTATION))
    (root / "empty").mkdir()
    make_suite(root / ".hidden")
    (root / "note.txt").write_text("x")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "latest").symlink_to(root / "bench")
    (root / "circle").symlink_to(root / "circle")
    return root


def test_names_are_paths_below_the_folder(root: Path) -> None:
    folders = SuiteFolders([root])
    assert [name for name, _ in folders.listed()] == ["bench", "packed.zip", "team/bench"]
    for name in ("bench", "team/bench", "packed.zip"):
        assert folders.find(name) == (root / name).resolve()
        assert folders.name_of(root / name) == name
        assert NamedSuites([root]).named(name).stored == name
    assert folders.find("latest") == (root / "bench").resolve(), "a link that stays in the folder"
    assert folders.name_of(root / "latest") == "bench"
    assert folders.name_of(root) is None
    assert folders.name_of(root.parent / "outside") is None


NONE = [
    "", ".", "..", "/", "bench/..", "bench/../bench", "./bench", "bench/", "//bench", ".hidden", "out", "out/nlp", "circle", "note.txt",
    "a\0b", "bench\n", "x" * 301, "bench\\x", "../outside", "../suites/bench", "nothing", "~",
]  # fmt: skip


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_name_of_a_suite_finds_nothing(root: Path, name: str) -> None:
    assert SuiteFolders([root]).find(name) is None
    assert SuiteFolders([root]).find(str(root / "bench")) is None
    for wrong in (name, f"/etc/{name}", "empty"):
        with pytest.raises(DatasetError, match="over the network a suite is a name") as caught:
            NamedSuites([root]).named(wrong)
        assert str(root) not in str(caught.value).replace(repr(wrong), "")


@given(st.text(alphabet=st.sampled_from("./\\~ab\0benchsutio*"), max_size=30))
def test_no_name_leaves_its_folder(text: str) -> None:
    here = Path(__file__).parent
    found = SuiteFolders([here]).find(text)
    assert found is None or (found != here.resolve() and found.is_relative_to(here.resolve()))


def test_a_suite_that_is_broken_is_told_by_its_name_and_not_by_its_place(root: Path) -> None:
    (root / "broken").mkdir()
    (root / "broken" / "suite.yaml").write_text("tasks: [")
    with pytest.raises(DatasetError) as caught:
        NamedSuites([root]).named("broken")
    assert "broken/suite.yaml" in str(caught.value)
    assert str(root) not in str(caught.value)
    (root / "bench" / "nlp" / "Causal-Reasoning" / "annotation.json").write_text(json.dumps(ANNOTATION)[:-9])
    make_suite(root / "bench" / "more")
    problems = NamedSuites([root]).named("bench").suite.problems
    assert problems
    assert str(root) not in " ".join(problems)


def test_a_name_of_two_suites_is_refused_with_both(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "others"
    make_suite(other / "bench")
    make_suite(other / "starter")
    twice = {"bench": "suites.folders[0] and in suites.folders[1]", "starter": "those that come with genlevel and in suites.folders[1]"}
    for name, both in twice.items():
        with pytest.raises(DatasetError) as caught:
            NamedSuites([root, other]).named(name)
        assert str(caught.value) == f"the suite {name!r} is among {both}: rename one of them"


def test_a_command_takes_paths_before_names_and_keeps_where_they_lie(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    suites = AnySuites([root])
    monkeypatch.chdir(tmp_path)
    assert suites.named("bench").stored == str((root / "bench").resolve())
    mine = make_suite(tmp_path / "bench")
    assert suites.named("bench").stored == str(mine.resolve()), "what lies here goes first"
    assert suites.named("starter").stored == "starter"
    assert suites.named(str(root.parent / "outside")).stored == str((root.parent / "outside").resolve())
    assert suites.again("team/bench").suite.root == (root / "team" / "bench").resolve()
    for wrong in ("x" * 5000, "a\0b", "~nobody-of-this-name/x"):
        with pytest.raises(DatasetError):
            suites.named(wrong)


def test_a_service_finds_the_suite_of_a_stored_run_by_its_path_too(root: Path) -> None:
    outside = str(root.parent / "outside")
    suites = NamedSuites([root])
    assert suites.again(outside).stored == outside
    assert suites.again("bench").stored == "bench"
    with pytest.raises(DatasetError):
        suites.named(outside)
