"""``genlevel level`` as a user types it: a workbook or a run, under either rule, explained, and what is said when it is wrong."""

from __future__ import annotations

import json

import pytest

from genlevel.benchmark.catalogue import general_bench
from scorer.workbooks.writer import write_workbook

BENCHMARK = general_bench()


@pytest.fixture
def workbook(genlevel):
    values = {task.id: task.reference_workbook for task in BENCHMARK.tasks}
    write_workbook(genlevel.folder / "result.xlsx", BENCHMARK, "My Model", values)
    return "result.xlsx"


def test_a_workbook_is_levelled_by_either_rule(genlevel, workbook):
    paper = genlevel.run("level", workbook, "--model", "my model", "--json")
    official = genlevel.run("level", workbook, "--model", "MY MODEL", "--rules", "official", "--json")
    assert (paper.returncode, official.returncode) == (0, 0)
    assert json.loads(paper.stdout)["levels"]["2"] == pytest.approx(json.loads(paper.stdout)["levels"]["3"])
    assert json.loads(official.stdout)["levels"] == {"2": 112.21, "3": 112.21, "4": 156.21, "5": 98.84}
    assert json.loads(official.stdout)["model"] == "My Model"


def test_the_explanation_is_printed_for_people(genlevel, workbook):
    done = genlevel.run("level", workbook, "--model", "My Model", "--explain")
    assert done.returncode == 0, done.stderr
    assert "Wins, the largest contribution to Level 3 first, then language" in done.stdout
    assert "and 659 more; --json has all" in done.stdout
    assert "-0.0000" not in done.stdout
    assert "Rows in which the official ranker differs" in done.stdout
    assert "WER is read as a" in done.stdout


def test_a_crash_of_the_ranker_is_a_result_not_a_crash(genlevel):
    rmse = next(task for task in BENCHMARK.tasks if task.metric.id == "rmse" and task.sheet == "NLP")
    write_workbook(genlevel.folder / "zero.xlsx", BENCHMARK, "M", {rmse.id: 0.0})
    done = genlevel.run("level", "zero.xlsx", "--model", "M", "--rules", "official")
    assert done.returncode == 0
    assert "would have ended without output" in done.stdout
    assert "division by zero" in " ".join(done.stdout.split())


def test_a_run_is_levelled_by_its_id(genlevel, stub_upstream, choice_suite):
    stub = stub_upstream(answer="Answer: A")
    done = genlevel.run("eval", "--model", "m", "--base-url", stub.base_url, "--suite", str(choice_suite(3)), "--json")
    result = json.loads(done.stdout)
    found = json.loads(genlevel.run("level", result["run"], "--json").stdout)
    for key in ("certified", "certified_against_specialists"):
        assert found.pop(key) == result[key]
    assert (found.pop("run"), found.pop("partial"), found.pop("incomplete")) == (result["run"], True, False)
    assert found == result["level"]
    official = json.loads(genlevel.run("level", result["run"], "--model", "m", "--rules", "official", "--explain", "--json").stdout)
    assert (official["language"]["wins"], official["modalities"]["audio"]["wins"]) == (1, 5)
    assert [entry["task"] for entry in official["explanation"]["wins"]] == ["Causal Reasoning"]
    wrong = genlevel.run("level", result["run"], "--model", "other")
    assert wrong.returncode == 2
    assert "'other'" in wrong.stderr


def test_a_run_says_that_it_is_partial_and_incomplete(genlevel, stub_upstream, choice_suite):
    suite = str(choice_suite(4, ("Causal-Reasoning", "Abductive-Reasoning")))
    failing = ("eval", "--model", "f", "--base-url", stub_upstream(status=400).base_url, "--suite", suite, "--limit", "2", "--json")
    run = json.loads(genlevel.run(*failing).stdout)["run"]
    done = genlevel.run("level", run, "--json")
    found = json.loads(done.stdout)
    assert (found["run"], found["partial"], found["incomplete"]) == (run, True, True)
    assert f"run {run} is incomplete" in done.stderr
    card = genlevel.run("level", run).stdout
    assert "Partial: only a part of the benchmark was asked" in card
    assert "Incomplete: tasks with failed or pending instances" in card


def test_a_workbook_is_neither_partial_nor_incomplete(genlevel, workbook):
    done = genlevel.run("level", workbook, "--model", "My Model", "--json")
    found = json.loads(done.stdout)
    assert (found["run"], found["partial"], found["incomplete"]) == (None, None, None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("result.xlsx",), "--model"),
        (("result.xlsx", "--model", "nosuch"), "'My Model'"),
        (("result.xlsx", "--model", "My Model", "--references", "nosuch.xlsx"), "nosuch.xlsx"),
        (("result.xlsx", "--model", "My Model", "--references", "result.xlsx"), "SoTA Performance"),
        (("abcdef",), "no runs in"),
        ((".", "--model", "m"), "no such file"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(genlevel, workbook, arguments, said):
    done = genlevel.run("level", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
