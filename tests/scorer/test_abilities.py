"""What a scorer says that it can score with."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from genlevel.runtime.settings import Settings
from genlevel.runtime.storage import sqlite_url
from genlevel.runtime.workers import ScoredTask, who_scores
from genlevel.runtime.workers.table import WorkerTable
from genlevel.v1 import scorer_pb2 as sc
from scorer.models import Networks, NetworkUnavailable, configure, networks
from scorer.presence import present, worker_of
from scorer.service import Scorer
from tests.waiting import until


def missing(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    """These are not installed; all else is."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in modules else object())


async def test_says_which_extra_is_missing_and_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing(monkeypatch, "torch_fidelity")
    scorer = Scorer(sqlite_url(tmp_path / "scores.db"))
    found = await scorer.get_abilities(sc.GetAbilitiesRequest())
    scorer.close()
    problems = {one.need: one.problem for one in found.abilities}
    assert problems == {"vision": "needs torch_fidelity: pip install 'genlevel[vision]'", "video": "", "audio": ""}
    assert (found.device, found.device_problem) == ("", "")


async def test_the_device_that_is_configured_is_said(tmp_path: Path) -> None:
    scorer = Scorer(sqlite_url(tmp_path / "scores.db"), weights={}, device="cpu")
    try:
        assert (await scorer.get_abilities(sc.GetAbilitiesRequest())).device == "cpu"
    finally:
        scorer.close()
        configure()
    assert not networks().told_device


def test_a_network_that_is_a_package_needs_that_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    missing(monkeypatch, "torch")
    found = Networks({"recogniser": "pocketsphinx"})
    assert "torch" in found.lacking("audio")
    assert found.lacking("vision") == "needs torch: pip install 'genlevel[vision]'"
    assert found.device_problem() == ""


def test_a_device_that_there_is_not_is_said_before_weights_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def empty(_size: int, *, device: str) -> None:
        raise RuntimeError(f"no device {device}\nat the place")

    missing(monkeypatch)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(empty=empty))
    weights = tmp_path / "vggish.pt"
    weights.write_bytes(b"")
    problem = "worker.device is cuda:77, which torch cannot use here: no device cuda:77"
    found = Networks({"vggish": str(weights)}, "cuda:77")
    assert found.device_problem() == problem
    with pytest.raises(NetworkUnavailable, match=re.escape(problem)):
        found.load("vggish")
    assert Networks({}, "cpu").device_problem() == ""


async def test_with_a_queue_a_scorer_is_in_the_list_of_workers_while_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing(monkeypatch, "onnxruntime")
    url = sqlite_url(tmp_path / "scores.db")
    scorer, table = Scorer(url), WorkerTable(url)
    shared = Settings().model_copy(update={"queue": "nats://localhost", "storage": Settings().storage.model_copy(update={"url": url})})
    scoring = scorer._going.begin("r1", "image/Style")
    async with present(shared, scorer):
        await until(table.listed)
        [seen] = table.listed()
        assert (seen.worker.service, seen.worker.scores) == ("scorer", ("any", "vision", "video"))
        assert seen.doing.scoring == (ScoredTask(*scoring.of),)
        assert not who_scores([seen], "vision")  # work goes to evaluators
    assert table.listed() == []
    async with present(Settings(), scorer):
        assert table.listed() == []
    table.close()
    scorer.close()


def test_a_scorer_whose_device_is_not_there_can_compute_no_network() -> None:
    found = worker_of(sc.GetAbilitiesResponse(abilities=[sc.Ability(need="vision")], device="cuda", device_problem="no cuda"))
    assert (found.scores, found.problem) == (("any",), "no cuda")
