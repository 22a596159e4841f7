"""Runs with an occasion and chosen instances, as monitors ask them, at the commands: kept apart, and looked at as any run is."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from genlevel.connection.services import services
from genlevel.runtime.settings_file import load_settings
from genlevel.v1 import evaluator_pb2 as ev

TASKS = ("Causal-Reasoning", "Ethical-Reasoning")
CHOSEN = [ev.ChosenInstances(task=f"nlp/{name}", positions=[1, 5, 7]) for name in TASKS]


@pytest.fixture
def suite(genlevel, stub_upstream, choice_suite) -> Path:
    root: Path = choice_suite(12, tasks=TASKS)
    url = stub_upstream(answer="Answer: A").base_url
    route = "routes:\n  billed: {account: stub, model: s, price: {input: '1', output: '2'}}\n"
    (genlevel.folder / "genlevel.yaml").write_text(f"accounts:\n  stub: {{provider: compatible, base_url: {url}}}\n{route}")
    return root


def started(genlevel, suite: Path, **fields: Any) -> str:
    """The id of a run as nobody but a monitor asks for it, once it has ended."""

    async def work() -> str:
        async with services(load_settings(genlevel.folder / "genlevel.yaml"), genlevel.folder / "here") as found:
            specification = ev.RunSpecification(model="billed", suite=str(suite), **fields)
            run = (await found.evaluator.start_run(ev.StartRunRequest(specification=specification))).run
            async for progress in found.evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)):
                run = progress.run
            assert run.status == ev.RUN_STATUS_FINISHED
            return str(run.run_id)

    return asyncio.run(work())


def printed(genlevel, *command: str) -> Any:
    done = genlevel.run(*command, "--out", "here", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_ticks_are_shown_compared_exported_and_verified_as_any_run_and_kept_apart(genlevel, suite):
    whole = printed(genlevel, "eval", "--model", "billed", "--suite", str(suite))["run"]
    ticks = [started(genlevel, suite, chosen=CHOSEN, occasion=f"hourly#{number}") for number in (1, 2)]

    assert [run["run"] for run in printed(genlevel, "runs")] == [whole]
    listed = printed(genlevel, "runs", "--ticks")
    assert {run["run"]: (run["occasion"], run["plan"]) for run in listed} == {
        whole: (None, 1), ticks[0]: ("hourly#1", None), ticks[1]: ("hourly#2", None),
    }  # fmt: skip
    assert "hourly#2" in genlevel.run("runs", "--ticks", "--out", "here").stdout
    assert [row["run"] for row in printed(genlevel, "leaderboard")["models"]] == [whole]

    shown = printed(genlevel, "show", ticks[0])
    assert (shown["instances"]["total"], shown["partial"], shown["occasion"], shown["plan"]) == (6, True, "hourly#1", None)
    asked = shown["stamp"]["asked"]
    assert (asked["occasion"], len(asked["chosen"]), asked["limit"]) == ("hourly#1", 64, None)
    card = genlevel.run("show", ticks[0], "--out", "here")
    assert card.returncode == 0
    assert "plan " not in card.stdout
    assert "no try at a verdict" in genlevel.run("certify", ticks[0], "--out", "here").stdout
    assert genlevel.run("show", ticks[0], "--wrong", "--out", "here").returncode == 0
    compared = printed(genlevel, "compare", whole, ticks[1])
    assert {task["instances"]["shared"] for task in compared["tasks"]} == {3}

    exported = genlevel.run("export", ticks[1], "--out", "here", "--format", "bundle", "--to", "b")
    assert exported.returncode == 0, exported.stderr
    for verified in ("b", ticks[0]):
        assert genlevel.run("verify", verified, "--out", "here").returncode == 0, verified


def test_runs_of_chosen_instances_are_merged_with_their_like_alone(genlevel, suite):
    parts = [started(genlevel, suite, chosen=[one]) for one in CHOSEN]
    whole = started(genlevel, suite, chosen=CHOSEN)
    merged = printed(genlevel, "merge", *parts)
    assert (merged["instances"]["total"], merged["certified"]["plan"]) == (6, 0)
    assert merged["stamp"]["asked"]["chosen"] == printed(genlevel, "show", whole)["stamp"]["asked"]["chosen"]
    assert genlevel.run("verify", merged["run"], "--out", "here").returncode == 0
    assert genlevel.run("rescore", merged["run"], "--out", "here").returncode == 0

    card = genlevel.run("show", whole, "--out", "here").stdout
    assert "plan 2 of this model on these tasks in this storage: its share of the error is 0" in " ".join(card.split())

    ticks = [started(genlevel, suite, chosen=[one], occasion="hourly#7") for one in CHOSEN]
    joined = printed(genlevel, "merge", *ticks)
    assert (joined["occasion"], joined["plan"]) == ("hourly#7", None)
    assert joined["run"] not in {run["run"] for run in printed(genlevel, "runs")}
    assert joined["run"] in {run["run"] for run in printed(genlevel, "runs", "--ticks")}

    others = [started(genlevel, suite, **fields) for fields in ({"tasks": TASKS[1]}, {"chosen": CHOSEN[1:], "occasion": "hourly#1"})]
    for other, said in zip(
        others, ("another sample: 'all instances', not 'chosen instances'", "another occasion: 'hourly#1', not 'none'"), strict=True
    ):
        refused = genlevel.run("merge", parts[0], other, "--out", "here")
        assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr
