"""Runs over different tasks, of one machine or several, are one run: as one that had asked all of it, to the last digit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluator.planning.plans import Plan
from genlevel.benchmark.model import Benchmark, Suite
from genlevel.cli.fitting import Part, misfits, models_noted
from genlevel.cli.merging import joined_run
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc


def facts(model: str, route: str) -> sc.RunFacts:
    return sc.RunFacts(provider="p", provider_model=model, route_fingerprint=route)


FACTS = facts("m", "f")
TASKS = ("Causal-Reasoning", "Ethical-Reasoning", "Spatial-Reasoning")
ROUTES = """
routes:
  billed: {account: stub, model: s, price: {input: '1', output: '2'}}
  same-name: {account: stub, model: t, price: {input: '1', output: '2'}}
  warm: {account: stub, model: s, price: {input: '1', output: '2'}, parameters: {temperature: 0.5}}
"""


@pytest.fixture
def suite(genlevel, stub_upstream, choice_suite) -> Path:
    """A suite of three tasks, of which every third label is not what the upstream answers, and routes to that."""
    root: Path = choice_suite(12, tasks=TASKS)
    for annotation in root.rglob("annotation.json"):
        document = json.loads(annotation.read_text())
        for entry in document["data"][::3]:
            entry["output"]["answer"] = "B"
        annotation.write_text(json.dumps(document))
    url = stub_upstream(answer="Answer: A").base_url
    (genlevel.folder / "genlevel.yaml").write_text(f"accounts:\n  stub: {{provider: compatible, base_url: {url}}}\n{ROUTES}")
    return root


def evaluated(genlevel, suite: Path, *more: str, model: str = "billed", out: str = "here") -> dict[str, Any]:
    done = genlevel.run("eval", "--model", model, "--suite", str(suite), "--out", out, *more, "--json")
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def merged(genlevel, *runs: str, out: str = "here") -> dict[str, Any]:
    done = genlevel.run("merge", *runs, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def refused(genlevel, *runs: str) -> str:
    done = genlevel.run("merge", *runs, "--out", "here")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    line: str = done.stderr
    return line


def test_two_machines_and_a_bundle_come_to_what_one_run_over_all_tasks_comes_to(genlevel, suite):
    one = evaluated(genlevel, suite, "--tasks", TASKS[0])
    two = evaluated(genlevel, suite, "--tasks", TASKS[1], out="there")
    three = evaluated(genlevel, suite, "--tasks", TASKS[2], out="far")
    whole = evaluated(genlevel, suite, out="whole")
    assert "there: holds runs and is none; name one of them as there:RUN (`genlevel runs --out there` lists" in refused(
        genlevel, one["run"], "there"
    )
    exported = genlevel.run("export", three["run"], "--out", "far", "--format", "bundle", "--to", "b")
    assert exported.returncode == 0, exported.stderr
    result = merged(genlevel, one["run"], f"there:{two['run']}", "b")

    for name in ("model", "suite", "suite_hash", "status", "instances", "usage", "tasks", "level", "certified", "level_asked", "plan"):
        assert result[name] == whole[name], name
    assert result["usage"]["usd"] == pytest.approx(sum(part["usage"]["usd"] for part in (one, two, three)))
    stamp = result["stamp"]
    assert stamp["asked"].pop("parts") == [one["run"], two["run"], three["run"]]
    for name in ("models", "applied_parameters", "route", "references", "plan"):
        assert stamp[name] == whole["stamp"][name], name
    assert stamp["asked"]["tasks"] is None

    again = merged(genlevel, "b", one["run"], f"there:{two['run']}")
    assert again["run"] == result["run"]
    for command in (("show",), ("verify",), ("certify",), ("level",)):
        assert genlevel.run(*command, result["run"], "--out", "here", "--json").returncode == 0, command
    listed = json.loads(genlevel.run("runs", "--out", "here", "--json").stdout)
    assert {run["run"] for run in listed} == {one["run"], result["run"]}
    (row,) = json.loads(genlevel.run("leaderboard", "--out", "here", "--json").stdout)["models"]
    assert row["run"] == result["run"]
    resumed = genlevel.run("resume", result["run"], "--out", "here")
    assert resumed.returncode == 2
    assert f"merged from {one['run']}, {two['run']}, {three['run']}" in resumed.stderr
    # The tasks of other machines were tried, so that asking them here is another plan; those of this one count by their own run.
    assert evaluated(genlevel, suite, "--tasks", TASKS[1])["plan"] == 2
    assert evaluated(genlevel, suite, "--tasks", TASKS[0], "--limit", "5")["plan"] == 2


def test_a_part_of_the_suite_and_a_run_that_is_not_finished_are_merged_as_such(genlevel, suite):
    sample = ("--limit", "4", "--seed", "2")
    whole = evaluated(genlevel, suite, "--tasks", TASKS[0], *sample)["run"]
    done = genlevel.run(
        *("eval", "--model", "billed", "--suite", str(suite), "--out", "here", "--tasks", TASKS[1], *sample),
        *("--budget-tokens", "150", "--concurrency", "1", "--json"),
    )
    begun = json.loads(done.stdout)
    assert (done.returncode, begun["status"], begun["instances"]["pending"] > 0) == (1, "budget", True)
    result = merged(genlevel, whole, begun["run"])
    assert (result["partial"], result["instances"]["total"], result["stamp"]["asked"]["limit"]) == (True, 8, 4)
    assert result["instances"]["pending"] == begun["instances"]["pending"]
    assert result["stamp"]["asked"]["tasks"] == f"nlp/{TASKS[0]},nlp/{TASKS[1]}"
    assert (result["status"], result["reason"]) == ("interrupted", f"not finished: {begun['run']}; continue it and merge again")
    for run in (begun["run"], result["run"]):
        assert genlevel.run("verify", run, "--out", "here").stdout == f"{run}: same\n"


def test_each_task_has_the_share_of_its_own_parts_plan(genlevel, suite):
    one = evaluated(genlevel, suite, "--tasks", TASKS[0])
    evaluated(genlevel, suite, "--tasks", TASKS[1])
    tried_again = evaluated(genlevel, suite, "--tasks", TASKS[1], "--fresh")
    assert (one["plan"], tried_again["plan"]) == (1, 2)
    result = merged(genlevel, one["run"], tried_again["run"])
    assert (result["plan"], result["certified"]["plan"]) == (2, 1)
    assert evaluated(genlevel, suite, "--tasks", TASKS[0], "--limit", "5")["plan"] == 2  # not 3: the merged run is no try of its own
    card = genlevel.run("show", result["run"], "--out", "here").stdout
    assert "plans 1 to 2 of this model on these tasks in this storage: each task has the share of its own part's" in " ".join(card.split())
    assert f"merged from {one['run']}, {tried_again['run']}" in card
    assert "the parts are plans 1, 2 of the model: each task has the share of its own" in result["certified"]["notes"]
    assert genlevel.run("verify", result["run"], "--out", "here").returncode == 0


def of_task(result: dict[str, Any], name: str) -> int:
    """The number of the plan with whose share a task of a merged run is certified."""
    card = {task["name"]: task["key"] for task in result["tasks"]}
    key = next(key for task, key in card.items() if name in (task, key) or key.endswith(name))
    asked = result["stamp"]["asked"]
    return int((asked.get("task_plans") or {}).get(key, result["plan"]))


def test_of_parts_from_several_machines_the_luckier_one_is_a_further_try(genlevel, suite):
    """Each machine asks as a first plan; merged with the same run of this storage, only the first of them is one here."""
    here = evaluated(genlevel, suite, "--tasks", TASKS[0])["run"]
    parts = [evaluated(genlevel, suite, "--tasks", TASKS[1], out=machine)["run"] for machine in ("there", "far")]
    assert parts[0] == parts[1], "the same plan has the same id on each machine"
    first, second = (merged(genlevel, here, f"{machine}:{run}") for machine, run in zip(("there", "far"), parts, strict=True))
    assert (first["plan"], second["plan"]) == (1, 2)
    again = merged(genlevel, f"there:{parts[0]}", here)
    assert (again["run"], again["plan"]) == (first["run"], 1), "the same answers again are no further try"


def test_a_part_that_was_asked_here_too_is_a_further_try_though_it_has_the_same_id(genlevel, suite):
    one = evaluated(genlevel, suite, "--tasks", TASKS[0])["run"]
    two = evaluated(genlevel, suite, "--tasks", TASKS[1])["run"]
    assert evaluated(genlevel, suite, "--tasks", TASKS[1], out="there")["run"] == two
    assert merged(genlevel, one, f"there:{two}")["plan"] == 2
    exported = genlevel.run("export", two, "--out", "here", "--format", "bundle", "--to", "b")
    assert exported.returncode == 0, exported.stderr
    assert merged(genlevel, one, "b")["plan"] == 1, "its answers are this storage's own"


def test_a_part_that_went_on_elsewhere_is_merged_again_as_the_plan_that_it_was(genlevel, suite):
    here = evaluated(genlevel, suite, "--tasks", TASKS[0])["run"]
    begun = genlevel.run(
        *("eval", "--model", "billed", "--suite", str(suite), "--out", "there", "--tasks", TASKS[1]),
        *("--budget-tokens", "150", "--concurrency", "1", "--json"),
    )
    part = json.loads(begun.stdout)["run"]
    assert merged(genlevel, here, f"there:{part}")["plan"] == 1
    went_on = genlevel.run("resume", part, "--out", "there", "--budget-tokens", "100000")
    assert went_on.returncode == 0, went_on.stderr
    whole = merged(genlevel, here, f"there:{part}")
    assert (whole["plan"], whole["instances"]["pending"]) == (1, 0)


def test_what_does_not_fit_is_refused_in_one_line(genlevel, suite):
    one = evaluated(genlevel, suite, "--tasks", TASKS[0])["run"]
    other = evaluated(genlevel, suite, "--tasks", f"{TASKS[0]},{TASKS[1]}", model="same-name")["run"]
    line = refused(genlevel, one, other)
    assert f"{other} does not fit with {one}: another model: 'same-name', not 'billed'" in line
    assert f"{other} and {one} have asked the same tasks: nlp/{TASKS[0]}" in line
    assert "name two runs" in refused(genlevel, one)
    assert refused(genlevel, one, "nowhere").startswith("genlevel: no run 'nowhere' here")


HERE = "c" * 64


def part(name: str, tasks: str, *, stamp: dict[str, object] | None = None, facts: sc.RunFacts | None = FACTS, **other: object) -> Part:
    asked = {"model": "m", "suite": "s", "limit": 3, "seed": 1, **(other.pop("specification", None) or {})}
    run = ev.Run(specification=ev.RunSpecification(**asked), facts=facts)
    for field, value in {"suite": "s", "benchmark": "b", "suite_hash": HERE, "prompt_version": "9", **other}.items():
        setattr(run, field, value)
    return Part(name, run, {"stamp": {"parser_versions": ["4"], "references": {"hash": "r"}, **(stamp or {})}}, tuple(tasks))


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (part("B", "b", specification={"model": "n"}), "B does not fit with A: another model: 'n', not 'm'"),
        (part("B", "b", specification={"boxes": "thousandths"}), "other coordinates of the route: 'thousandths', not 'not said'"),
        (part("B", "b", specification={"seed": 2}), "another sample: '--limit 3 --seed 2', not '--limit 3 --seed 1'"),
        (
            part("B", "b", specification={"parameters": gw.GenerationParameters(temperature=1)}),
            "other parameters: {'temperature': 1.0}, not {}",
        ),
        (part("B", "b", specification={"no_structured_output": True}), "answers held to schemas or not"),
        (part("B", "b", specification={"video_frames": 8}), "another number of frames: 8, not 0"),
        (part("B", "b", prompt_version="10"), "another version of the prompts: '10', not '9'"),
        (part("B", "b", benchmark="c"), "another benchmark"),
        (
            part("B", "b", facts=facts("m", "g")),
            "another fingerprint of the route: 'g', not 'f'",
        ),
        (part("B", "b", facts=facts("n", "f")), "another model of the provider"),
        (part("B", "b", stamp={"references": {"hash": "q"}}), "other references"),
        (
            part("B", "b", stamp={"parser_versions": ["3", "4"]}),
            "B was read by parsers of version 3, and here they are of 4: `genlevel rescore` it",
        ),
        (part("B", "b", suite_hash="d" * 64), "B was asked another content of suite 's' (dddddddd) than the one here (cccccccc)"),
        (part("B", "ab"), "B and A have asked the same tasks: a"),
    ],
)
def test_each_thing_that_does_not_fit_is_named(other: Part, why: str) -> None:
    assert any(why in line for line in misfits([part("A", "a"), other], suite_hash=HERE, parser_version="4"))


def test_what_is_not_known_of_a_part_is_taken_to_fit_and_other_names_of_the_model_are_told() -> None:
    older = part("B", "b", facts=None, suite_hash="", prompt_version="", stamp={"parser_versions": [], "references": {}})
    assert list(misfits([part("A", "a"), older], suite_hash=HERE, parser_version="4")) == []
    named = [part(name, name, facts=sc.RunFacts(models=[sc.CountedText(text=f"m-{name}", answers=1)])) for name in "AB"]
    assert "A: m-A; B: m-B" in models_noted(named)
    assert models_noted([named[0], named[0]]) == ""


def test_what_parts_took_adds_up_and_what_differs_between_them_is_not_known() -> None:
    runs = [
        ev.Run(run_id=name, calls=calls, retries=1, status=ev.RUN_STATUS_FINISHED, facts=facts("m", "f"))
        for name, calls in (("A", 3), ("B", 4))
    ]
    for number, run in enumerate(runs, start=1):
        run.created.FromSeconds(number)
        run.updated.FromSeconds(10 * number)
        run.facts.version, run.facts.commit = "1.0", f"c{number}"
    suite = Suite("s", Path("s"), Benchmark("s", ()), ())
    plan = Plan(ev.RunSpecification(tasks="a,b"), suite, gw.ModelInfo(), (), "x")
    run = joined_run(runs, [plan, plan], plan)
    assert (run.calls, run.retries, run.created.seconds, run.updated.seconds) == (7, 2, 1, 20)
    assert (run.facts.version, run.facts.commit, list(run.facts.parts), run.facts.tasks) == ("1.0", "", ["A", "B"], "a,b")
    assert not run.HasField("cost_nano_usd")
    runs[1].cost_nano_usd = 5
    assert joined_run(runs, [plan, plan], plan).HasField("cost_nano_usd")


def test_of_parts_that_were_decided_early_nothing_is_decided_and_they_are_to_be_asked_in_full_first() -> None:
    statuses = {"A": ev.RUN_STATUS_DECIDED, "B": ev.RUN_STATUS_FINISHED, "C": ev.RUN_STATUS_BUDGET}
    runs = [ev.Run(run_id=name, status=status, facts=facts("m", "f")) for name, status in statuses.items()]
    runs[0].decision.verdict = 3
    plan = Plan(ev.RunSpecification(tasks="a"), Suite("s", Path("s"), Benchmark("s", ()), ()), gw.ModelInfo(), (), "x")
    run = joined_run(runs, [plan] * 3, plan)
    assert not run.HasField("decision")
    assert run.status == ev.RUN_STATUS_INTERRUPTED
    early = "decided early: A; `genlevel eval` without --until-decided asks the rest, then merge again"
    assert run.reason == f"{early}; not finished: C; continue it and merge again"
