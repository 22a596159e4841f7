"""``--repeats`` and the number of a plan, as a user meets them: commands, a kill, the card, JSON and exports."""

from __future__ import annotations

import csv
import json
import signal
import time

from tests.integration.serving import PATIENCE_S


def test_a_killed_run_with_repeats_goes_on_and_shows_all_of_them(genlevel, stub_upstream, choice_suite):
    stub = stub_upstream(latency=0.05)
    suite = str(choice_suite(8))
    asked = ("eval", "--model", "m", "--base-url", stub.base_url, "--suite", suite, "--concurrency", "2", "--temperature", "1")
    command = (*asked, "--repeats", "4", "--json")
    process = genlevel.start(*command)
    deadline = time.monotonic() + PATIENCE_S
    while len(stub.calls()) <= 8:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert len(stub.calls()) < 32
    done = genlevel.run(*command)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["instances"]["answered"], result["instances"]["total"]) == (32, 32)
    assert 0 <= len(stub.calls()) - 32 <= 2 * 2, "only what was in flight or not durable at the kill is asked again"
    (task,) = result["tasks"]
    assert (task["n"], task["score"], task["variation"]) == (32, 100.0, {"differing": 0.0, "deviation": 0.0})
    assert (task["chance"], task["best_constant"]) == (50.0, 100.0)

    run = result["run"]
    shown = json.loads(genlevel.run("show", run, "--instance", "q00003", "--json").stdout)
    assert [(one["id"], one["repeat"], one["score"]) for one in shown] == [("q00003", repeat, 100.0) for repeat in range(4)]
    assert genlevel.run("verify", run).stdout.splitlines() == [f"{run}: same"]
    card = genlevel.run("show", run).stdout
    for told in ("8 instances, 4 times each: 32 answered", "answers vary", "0.0 %, s.d. 0.00", "50.00 / 100.00"):
        assert told in card
    said = genlevel.run("export", run, "--format", "predictions", "--to", "p").stdout
    assert "8 predictions of 1 tasks; the first of 4 answers to each instance" in said
    assert genlevel.run("export", run, "--format", "workbook", "--to", "r.xlsx").returncode == 0
    certified = json.loads(genlevel.run("certify", "r.xlsx", "--model", "m", "--json").stdout)["certified"]
    assert [(one["units"], one["test"]) for one in certified["tasks"]] == [(8, "Hoeffding bound")], "of 8 instances, not of 32"
    assert genlevel.run("export", run, "--format", "csv", "--to", "r.csv").stdout.strip().endswith("r.csv: 32 answers")
    with (genlevel.folder / "r.csv").open(newline="") as file:
        rows = [(row["id"], row["repeat"]) for row in csv.DictReader(file)]
    assert sorted(rows) == [(f"q{number:05}", str(repeat)) for number in range(8) for repeat in range(4)]


def test_a_further_plan_is_told_before_it_starts_on_the_card_and_in_the_list(genlevel, stub_upstream, choice_suite):
    stub = stub_upstream()
    asked = ("eval", "--model", "m", "--base-url", stub.base_url, "--suite", str(choice_suite(3)))
    told = " ".join(genlevel.run(*asked).stdout.split())
    assert "plan 1 of this model on these tasks in this storage: its share of the error is 0.045" in told
    dry = genlevel.run(*asked, "--repeats", "2", "--dry-run").stdout
    assert "It would be plan 2 of this model on these tasks in this storage." in dry
    assert "at temperature 0 mostly measures nothing" in " ".join(dry.split())
    planned = json.loads(genlevel.run(*asked, "--repeats", "2", "--dry-run", "--json").stdout)
    assert (planned["plan"], planned["instances"], planned["answers"]) == (2, 3, 6)
    assert json.loads(genlevel.run(*asked, "--repeats", "2", "--json").stdout)["plan"] == 2
    assert json.loads(genlevel.run(*asked, "--json").stdout)["plan"] == 1
    second = genlevel.run(*asked, "--repeats", "2").stdout
    assert "plan 2 of this model on these tasks in this storage: its share of the error is 0.0025" in " ".join(second.split())
    assert json.loads(genlevel.run(*asked, "--fresh", "--dry-run", "--json").stdout)["plan"] == 3
    assert sorted(run["plan"] for run in json.loads(genlevel.run("runs", "--json").stdout)) == [1, 2]
