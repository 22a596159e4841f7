"""A run against servers that misbehave: nothing is lost, nothing is asked twice without need."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import time
from collections import Counter

import pytest

from tests.integration.serving import PATIENCE_S


@pytest.mark.slow
@pytest.mark.parametrize(("limits", "instances"), [(0.40, 60), pytest.param(0.02, 2000, marks=pytest.mark.soak)])
def test_a_storm_of_limits_errors_drops_and_garbage_leaves_every_instance_answered(
    genlevel, stub_upstream, choice_suite, limits, instances
):
    """If much more is turned away at random, and for long, a run is slow (docs/limits.md)."""
    stub = stub_upstream(limit_rate=limits, error_rate=0.05, drop_rate=0.02, garbage_rate=0.02, latency=0.01)
    # Of the calls that are not limited 15 % fail: with 6 attempts one of 2,000 instances would fail for good in 2 % of the storms.
    (genlevel.folder / "genlevel.yaml").write_text("runs: {attempts: 12}\n")
    suite = choice_suite(instances)
    done = genlevel.run("eval", "--model", "m", "--base-url", stub.base_url, "--suite", str(suite), "--json", timeout_s=600)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["instances"]["answered"] == result["instances"]["total"] == instances
    assert result["tasks"][0]["score"] == 100
    answered = Counter(question for outcome, question in stub.calls() if outcome == "ok")
    assert len(answered) == instances
    assert set(answered.values()) == {1}, "an answered instance was asked again"
    outcomes = Counter(outcome for outcome, _ in stub.calls())
    assert min(outcomes[kind] for kind in ("limit", "error", "drop", "garbage")) > 0


@pytest.mark.slow
@pytest.mark.parametrize(("kills", "instances"), [(5, 600), pytest.param(20, 5000, marks=pytest.mark.soak)])
def test_killed_again_and_again_a_run_journals_each_instance_once_and_repeats_no_more_than_was_open_or_not_durable(
    genlevel, stub_upstream, choice_suite, kills, instances
):
    concurrency = 8
    stub = stub_upstream(latency=0.05)
    suite = choice_suite(instances // 2, ("Causal-Reasoning", "Commonsense-Reasoning"))
    command = ("eval", "--model", "m", "--base-url", stub.base_url, "--suite", str(suite), "--concurrency", str(concurrency), "--json")
    chance = random.Random()
    for _ in range(kills):
        before = len(stub.calls())
        process = genlevel.start(*command)
        deadline = time.monotonic() + PATIENCE_S
        target = before + chance.randrange(instances // 50, instances // kills - 20)
        while len(stub.calls()) < target:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    done = genlevel.run(*command, timeout_s=600)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["instances"] == {
        "total": instances, "answered": instances, "refused": 0, "unparsable": 0, "failed": 0, "unsupported": 0, "pending": 0
    }  # fmt: skip
    with sqlite3.connect(genlevel.folder / "genlevel-data" / "genlevel.db") as database:
        rows = database.execute("select count(*), count(distinct task || '/' || instance_id) from evaluator_answers").fetchone()
        runs = database.execute("select count(*) from evaluator_runs").fetchone()
    assert rows == (instances, instances)
    assert runs == (1,)
    assert len(stub.calls()) - instances <= kills * 2 * concurrency


def test_the_same_command_again_asks_nothing_and_prints_the_same_result(genlevel, stub_upstream, choice_suite):
    stub = stub_upstream()
    command = ("eval", "--model", "m", "--base-url", stub.base_url, "--suite", str(choice_suite(20)), "--json")
    first = genlevel.run(*command)
    calls = len(stub.calls())
    second = genlevel.run(*command)
    assert calls == 20 == len(stub.calls())
    assert json.loads(first.stdout) == json.loads(second.stdout)
    fresh = json.loads(genlevel.run(*command, "--fresh").stdout)
    assert len(stub.calls()) == 40
    assert fresh["run"] == json.loads(first.stdout)["run"] + "-1"


def test_ctrl_c_ends_with_130_and_the_same_command_continues(genlevel, stub_upstream, choice_suite):
    stub = stub_upstream(latency=0.1)
    command = ("eval", "--model", "m", "--base-url", stub.base_url, "--suite", str(choice_suite(200)), "--concurrency", "4", "--json")
    process = genlevel.start(*command)
    deadline = time.monotonic() + PATIENCE_S
    while len(stub.calls()) < 20:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, stderr
    partial = json.loads(stdout)
    assert partial["status"] == "interrupted"
    assert partial["instances"]["answered"] + partial["instances"]["pending"] == 200
    assert partial["tasks"][0]["score"] is None
    assert partial["tasks"][0]["bounds"][1] == 100
    done = json.loads(genlevel.run(*command).stdout)
    assert done["instances"]["answered"] == 200
    assert len(stub.calls()) == 200, "calls in flight at Ctrl-C were let end and counted"


def test_a_dead_server_stops_the_run_instead_of_failing_everything(genlevel, choice_suite, tmp_path):
    (genlevel.folder / "genlevel.yaml").write_text("runs: {attempts: 1}\n")
    done = genlevel.run(
        "eval", "--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--suite", str(choice_suite(2000)), "--concurrency", "8", "--json"
    )
    assert done.returncode == 2, done.stderr
    result = json.loads(done.stdout)
    assert result["status"] == "failed"
    assert result["instances"]["pending"] > 1900
    assert "127.0.0.1:9" in done.stderr


def test_a_refused_key_stops_the_run_with_one_line_that_names_it(genlevel, stub_upstream, choice_suite):
    stub = stub_upstream(status=401)
    done = genlevel.run("eval", "--model", "m", "--base-url", stub.base_url, "--suite", str(choice_suite(50)), "--concurrency", "2")
    assert done.returncode == 2
    assert len(stub.calls()) <= 2
    assert "key" in done.stderr or "401" in done.stderr
