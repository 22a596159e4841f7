"""`show` looks single instances up: what it reads of a stored run and its suite does not grow with them."""

from __future__ import annotations

import asyncio
import json
import runpy
from pathlib import Path

import pytest

STORED_RUNS = Path(__file__).parents[1] / "performance" / "stored_runs.py"


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A run of 400 instances of four tasks: (its folder, its id, its suite)."""
    made = runpy.run_path(str(STORED_RUNS))
    folder = tmp_path_factory.mktemp("stored")
    suite = made["make_suite"](folder / "suite", 400, 4)
    return folder, asyncio.run(made["store_run"](folder / "genlevel-data", suite)), suite


def test_an_instance_and_the_failures_of_a_stored_run_are_shown(genlevel, stored):
    folder, run, _ = stored
    out = ("--out", str(folder / "genlevel-data"), "--json")
    (one,) = json.loads(genlevel.run("show", run[:8], "--instance", "nlp/Causal-Reasoning/q42", *out).stdout)
    assert (one["id"], one["outcome"], one["answer"], one["label"], one["score"]) == ("q42", "answered", "B", "A", 0.0)
    assert "Question 42" in one["prompt"]
    assert len(json.loads(genlevel.run("show", run, "--instance", "q42", *out).stdout)) == 4
    failures = json.loads(genlevel.run("show", run, "--failures", *out).stdout)
    assert [entry["outcome"] for entry in failures] == ["refused", "failed"] * 4 + ["unparsable"] * 3  # the fourth task takes any text
    unread = failures[-1]
    assert (unread["id"], unread["answer"], unread["score"]) == ("q9", "?", 0.0)
    assert "Question 9" in unread["prompt"]
    assert unread["error"]


def test_the_failures_say_why_though_the_suite_has_moved(genlevel, stored):
    folder, run, suite = stored
    moved = suite.rename(suite.with_name("moved"))
    try:
        out = ("--out", str(folder / "genlevel-data"), "--json")
        failures = json.loads(genlevel.run("show", run, "--failures", *out).stdout)
        assert {entry["error"] for entry in failures[-3:]} == {"no option's letter or text stands out in it"}  # the scorer's own words
        assert {entry["prompt"] for entry in failures} == {None}
    finally:
        moved.rename(suite)


def test_the_failures_are_told_alike_with_and_without_scores(genlevel, stored):
    folder, run, _ = stored
    out = ("--out", str(folder / "genlevel-data"))
    lines = genlevel.run("show", run, "--failures", *out).stdout.splitlines()
    entries = json.loads(genlevel.run("show", run, "--failures", *out, "--json").stdout)
    assert lines == [f"{entry['outcome']:11} {entry['task']}/{entry['id']}: {entry['error']}" for entry in entries]
