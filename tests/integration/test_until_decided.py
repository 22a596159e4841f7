"""A run that asks only until something is decided, as a user sees it: planned, decided, asked again, and completed."""

from __future__ import annotations

import json

import pytest

from scorer.reports.stamps import content_hash

INSTANCES = 300
KNOWN, GUESSED, UNCERTIFIABLE = "nlp/Causal-Reasoning", "nlp/Commonsense-Reasoning", "nlp/Abductive-Reasoning"
"""Specialists' references are 65 %, 83.33 %, and of a metric of networks. The model knows the first, and guesses the others."""


@pytest.fixture
def suite(tmp_path):
    root = tmp_path / "bench"
    for key in (KNOWN, GUESSED, UNCERTIFIABLE):
        words = ("right", "wrong") if key == KNOWN else ("this", "that")
        data = []
        for number in range(INSTANCES):
            label = "AB"[number % 7 % 2]
            options = [f"{words[label != 'A']} {number}", f"{words[label == 'A']} {number}"]
            given = {"question": f"Question {number} of {key}?", "options": options}
            data.append({"id": f"q{number:05d}", "input": given, "output": {"answer": label}})
        (root / key).mkdir(parents=True)
        (root / key / "annotation.json").write_text(json.dumps({"task": key.split("/")[1], "type": "MultipleChoiceQA", "data": data}))
    return str(root)


@pytest.fixture
def evaluated(genlevel, stub_upstream, suite):
    """Calls ``genlevel eval``: (what it printed, the questions that it asked)."""
    stub = stub_upstream(answer="A", knows="right")

    def evaluate(*options: str):
        before = len(stub.calls())
        done = genlevel.run("eval", "--model", "m", "--base-url", stub.base_url, "--suite", suite, "--concurrency", "8", *options)
        assert done.returncode == 0, done.stderr
        return done, [question for _, question in stub.calls()[before:]]

    return evaluate


def test_wins_are_decided_by_few_calls_and_the_rest_is_asked_once(genlevel, evaluated, suite):
    done, asked = evaluated("--until-decided", "wins", "--json")
    early = json.loads(done.stdout)
    decision = early["decision"]
    assert (early["status"], decision["complete"], decision["total"]) == ("decided", True, 3 * INSTANCES)
    assert {task["key"]: task["state"] for task in decision["tasks"]} == {
        KNOWN: "won",
        GUESSED: "not won",
        UNCERTIFIABLE: "not certifiable",
    }
    assert len(asked) == decision["asked"] == early["instances"]["answered"] < INSTANCES
    assert early["stamp"]["decided_early"]["asked"] == decision["asked"]
    assert early["stamp"]["sha256"] == content_hash(early)

    again, more = evaluated("--until-decided", "wins")
    assert more == []
    assert f"run {early['run']} is decided, and not all of it was asked" in again.stderr
    assert "Decided early" in again.stdout
    assert "of what was asked alone, certified: " in again.stdout
    assert "Over the asked tasks alone" not in again.stdout
    assert "paper's point rule: no level reached; by the tasks alone that were asked in full" in again.stdout
    exported = genlevel.run("export", early["run"], "--format", "predictions", "--to", "predictions")
    assert f"note: run {early['run']} (decided early)" in exported.stderr
    assert genlevel.run("export", early["run"], "--format", "workbook", "--to", "early.xlsx").returncode == 0
    level = genlevel.run("level", "early.xlsx", "--model", "m", "--json")
    assert "note: early.xlsx is of a run that was decided early" in level.stderr
    assert json.loads(level.stdout)["certified"] is None
    assert "certify the run itself" in genlevel.run("certify", "early.xlsx", "--model", "m").stderr
    told = ("--annotations", suite, "--predictions", "predictions", "--model", "m", "--out", "scored.xlsx", "--only-predicted")
    refused = genlevel.run("score", *told)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "predictions: its run stopped where its answers decide" in refused.stderr
    assert f"asked {decision['asked']:,} of {3 * INSTANCES:,}" in again.stdout
    resumed = genlevel.run("resume", early["run"], "--json")
    assert (resumed.returncode, json.loads(resumed.stdout)["status"]) == (0, "decided")
    assert [run["run"] for run in json.loads(genlevel.run("runs", "--status", "decided", "--json").stdout)] == [early["run"]]

    done, rest = evaluated("--json")
    full = json.loads(done.stdout)
    assert (full["run"], full["status"], full["instances"]["answered"]) == (early["run"], "finished", 3 * INSTANCES)
    assert len(set(asked + rest)) == len(asked + rest) == 3 * INSTANCES
    assert full["decision"]["asked"] == decision["asked"]
    assert "decided_early" not in full["stamp"]
    assert {task["key"] for task in full["certified"]["tasks"] if task["win"] == "attained"} == {KNOWN}


def test_a_dry_run_asks_nothing_and_says_how_much_may_be_asked(evaluated):
    done, asked = evaluated("--until-decided", "wins", "--dry-run", "--json")
    expected = json.loads(done.stdout)["expected"]
    assert asked == []
    assert expected["total"] == 3 * INSTANCES
    assert expected["note"] or expected["median"] <= expected["worst"] < expected["total"]
    assert json.loads(evaluated("--dry-run", "--json")[0].stdout)["expected"] is None
