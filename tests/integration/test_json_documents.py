"""docs/json.md describes every field of every document that a command prints with --json, and no field that none prints."""

from __future__ import annotations

import importlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest

from genlevel.benchmark.catalogue import general_bench
from genlevel.cli import COMMANDS
from genlevel.documents.decisions import decision_document
from genlevel.documents.runs import plan_document, result_document
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from scorer.workbooks.writer import write_workbook

PAGE = (Path(__file__).parents[2] / "docs" / "json.md").read_text("utf-8")
LINK = re.compile(r"\]\(#([a-z-]+)\)")
# What these need is not there in a plain run, so that nothing here prints them: files of answers, prices by the piece, limits, batches.
UNSEEN = {"answer.files.path", "answer.files.sha256", "answer.files.bytes", "price.per_second", "price.per_call"}
UNSEEN |= {"tuned-run.changed.budget_tokens", "figures.waits_s.*"}
UNSEEN |= {f"waiting-batches.{name}" for name in ("provider", "batches", "instances", "answered", "expires", "cancelling")}
UNSEEN |= {f"traffic.kept.{name}" for name in ("rate", "concurrency", "at")}
UNSEEN |= {f"{of}.{name}" for of in ("usage", "judging", "run") for name in ("most_usd", "unknown_costs", "unknown_calls")}
EARLY = ("aim", "epsilon", "alpha", "with_uncertifiable", "complete", "verdict", "asked", "total", "earlier")
UNSEEN |= {
    f"plan.expected.{name}"
    for name in ("median", "worst", "total", "models", "runs", "median_usd", "worst_usd", "usual_median_usd", "usual_worst_usd", "note")
}
UNSEEN |= {"result.decision", "certification.decision", *(f"stamp.decided_early{name}" for name in ("", *(f".{name}" for name in EARLY)))}


MONITORS = frozenset(
    ("monitor", "acknowledged-monitor", "watched-monitor", "alarm", "monitor-tick", "asked-tick", "monitor-plan", "removed-monitor")
) | {"tested-destination"}
"""The sections of what `genlevel monitor` prints."""
WORKERS = frozenset(("workers", "worker"))
"""Those of what `genlevel workers` prints."""
DECISIONS = frozenset(("early-decision",))
"""That of what a run decides before all of it is asked."""


@dataclass
class Node:
    """A described field. links: sections that describe what is in it. anything: it may be any JSON."""

    children: dict[str, Node] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    anything: bool = False


def described() -> dict[str, Node]:
    """The page's sections by their anchors."""
    sections: dict[str, Node] = {}
    for block in re.split(r"^#{2,3} ", PAGE, flags=re.MULTILINE)[1:]:
        anchor = block.splitlines()[0].replace(" ", "-")
        section = sections[anchor] = Node()
        for line in block.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            if not line.startswith("|") or cells[0].startswith(("key", "---")):
                continue
            node = section
            for name in re.findall(r"[^.`]+", cells[0]) if cells[0].startswith("`") else ():
                node = node.children.setdefault(name, Node())
            node.links += LINK.findall(cells[1])
            node.anything = cells[1] == "any"
    return sections


class Checker:
    """Holds documents against the page. problems: fields that it lacks. seen: those that were printed, as section.key."""

    def __init__(self) -> None:
        self.sections = described()
        self.problems: set[str] = set()
        self.seen: set[str] = set()

    def check(self, document: Any, anchor: str) -> None:
        self._walk(document, [(anchor, self.sections[anchor])], anchor)

    def _walk(self, value: Any, nodes: list[tuple[str, Node]], path: str) -> None:
        """nodes: where the value is described, as (place on the page, node)."""
        nodes = self._linked(nodes)
        if isinstance(value, list):
            for entry in value:
                self._walk(entry, nodes, path)
        elif isinstance(value, dict) and not any(node.anything for _place, node in nodes):
            for key, entry in value.items():
                found = [(f"{place}.{key}", node.children[key]) for place, node in nodes if key in node.children]
                found = found or [(f"{place}.*", node.children["*"]) for place, node in nodes if "*" in node.children]
                if not found:
                    self.problems.add(f"{path}.{key}")
                self.seen.update(place for place, _node in found)
                self._walk(entry, found, f"{path}.{key}")

    def _linked(self, nodes: list[tuple[str, Node]]) -> list[tuple[str, Node]]:
        every = list(nodes)
        for _place, node in every:
            every += [(link, self.sections[link]) for link in node.links if (link, self.sections[link]) not in every]
        return every

    def unseen(self) -> set[str]:
        """Fields of the page that no document had."""
        return {place for anchor, section in self.sections.items() for place in _places(section, anchor)} - self.seen


def _places(node: Node, place: str) -> list[str]:
    return [found for name, child in node.children.items() for found in (f"{place}.{name}", *_places(child, f"{place}.{name}"))]


@pytest.fixture
def rated(tmp_path):
    """A suite of its own that a judge and people rate."""
    folder = tmp_path / "sounds" / "nlp" / "Sounds"
    folder.mkdir(parents=True)
    data = [{"id": f"s{number}", "input": {"question": "Describe it."}, "output": {"text": "A dog."}} for number in range(3)]
    (folder / "annotation.json").write_text(json.dumps({"task": "Sounds", "type": "OpenEndedQA", "data": data}))
    (tmp_path / "sounds" / "suite.yaml").write_text("name: sounds\ntasks:\n  nlp/Sounds: {metric: GPT-Score}\n")
    (tmp_path / "people.csv").write_text("task,instance,rater,rating\n" + "".join(f"nlp/Sounds,s{number},anna,60\n" for number in range(3)))
    return tmp_path / "sounds", tmp_path / "people.csv"


def test_every_field_of_an_early_decision_is_described_and_no_other():
    task = ev.DecidedTask(task="k", state=ev.DecidedTask.STATE_WON)
    levels = [ev.DecidedLevel(level=3, state=ev.DecidedLevel.STATE_UNDECIDED)]
    decision = ev.EarlyDecision(tasks=[task], levels=levels, earlier=[ev.EarlierDecision(levels=levels)])
    checker = Checker()
    checker.check(decision_document(decision), "early-decision")
    checker.check(result_document(ev.Run(run_id="r", decision=decision), sc.GetVerdictResponse(run_id="r")), "result")
    checker.check(plan_document(ev.PlanRunResponse(expected=ev.ExpectedDecision(total=3))), "plan")
    assert not checker.problems
    described_here = {
        place for place in checker.seen | checker.unseen() if place.startswith(("early-decision.", "stamp.decided_early", "plan.expected"))
    }
    assert described_here <= checker.seen


def test_every_field_that_a_command_prints_is_described(genlevel, stub_upstream, choice_suite, rated):
    answers, failing, judge = stub_upstream(answer="Answer: A"), stub_upstream(status=400), stub_upstream(answer="Rating: 7")
    servers = {"a": answers, "f": failing, "j": judge, "w": stub_upstream(answer="Answer: B")}
    accounts = "".join(f"  {name}: {{provider: compatible, base_url: {server.base_url}}}\n" for name, server in servers.items())
    routes = "".join(f"  {name}: {{account: {name}, model: {name}}}\n" for name in servers if name != "w")
    routes += "  w: {account: w, model: w, price: {input: 1, output: 1}}\n"
    (genlevel.folder / "genlevel.yaml").write_text(f"accounts:\n{accounts}routes:\n{routes}")
    suite = str(choice_suite(6, ("Causal-Reasoning", "Abductive-Reasoning")))
    sounds, people = map(str, rated)
    benchmark = general_bench()
    write_workbook(genlevel.folder / "w.xlsx", benchmark, "m", {task.id: task.reference_workbook for task in benchmark.tasks[::3]})
    checker = Checker()
    called: set[str] = set()

    def run(anchor: str, *arguments: str) -> Any:
        done = genlevel.run(*arguments, "--json")
        assert done.stdout, done.stderr
        called.update((arguments[0], " ".join(arguments[:2])))
        document = json.loads(done.stdout)
        checker.check(document, anchor)
        return document

    run("plan", "eval", "--model", "a", "--suite", sounds, "--judge", "j", "--dry-run")
    one = run("result", "eval", "--model", "a", "--suite", suite)["run"]
    other = run("result", "eval", "--model", "f", "--suite", suite, "--temperature", "0")["run"]
    run("result", "eval", "--model", "a", "--suite", suite, "--repeats", "2")
    run("result", "resume", other)
    run("tuned-run", "tune", other, "--rpm", "600", "--weight", "2", "--interactive")
    judged = run("result", "eval", "--model", "a", "--suite", sounds, "--judge", "j")["run"]
    run("result", "rescore", judged, "--ratings", people)
    run("result", "show", judged)
    assert run("verification", "verify", judged)["verdict"] == "same"
    assert genlevel.run("export", one, "--format", "bundle", "--to", "b").returncode == 0
    edited = json.loads((genlevel.folder / "b" / "result.json").read_text())
    edited["tasks"][0]["score"] = 1.0
    (genlevel.folder / "b" / "result.json").write_text(json.dumps(edited))
    run("verification", "verify", "b")
    small = ("eval", "--model", "a", "--suite", suite, "--limit", "1", "--tasks")
    run("result", "merge", run("result", *small, "*Causal*")["run"], run("result", *small, "*Abductive*")["run"])
    run("breakdown", "show", one, "--by", "skill")
    run("breakdown", "show", one, "--by", "modality")
    run("answer", "show", other, "--failures")
    run("answer", "show", judged, "--instance", "s1")
    run("traffic", "show", other, "--traffic")
    run("wrong-answers", "show", other, "--wrong", "--limit", "1")
    run("found-answers", "show", other, "--search", "", "--limit", "3")
    run("run", "runs")
    run("run", "describe", one, "--tag", "kept")
    run("deleted-run", "delete", one, "--dry-run")
    run("certification", "certify", one)
    run("certification", "certify", "w.xlsx", "--model", "m")
    run("comparison", "compare", one, other)
    run("comparison", "compare", one, one)
    wrong = run("result", "eval", "--model", "w", "--suite", suite, "--limit", "1")["run"]
    run("differing-instances", "compare", one, wrong, "--instances")
    run("level-statement", "level", one)
    run("level-statement", "level", "w.xlsx", "--model", "m", "--explain", "--rules", "official")
    run("leaderboard", "leaderboard", "--published")
    run("synergy-map", "synergy", one)
    assert genlevel.run("export", one, "--format", "predictions", "--to", "p").returncode == 0
    run("scored-predictions", "score", "--annotations", suite, "--predictions", "p", "--model", "m", "--out", "s.xlsx")
    assert genlevel.run("export", one, "--format", "json", "--to", "r.json").returncode == 0
    checker.check(json.loads((genlevel.folder / "r.json").read_text()), "result")
    run("model", "models")
    run("checked-model", "models", "--check", "a")
    run("listed-price", "prices")
    dear = {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 0.01, "output_cost_per_token": 0.02}
    (genlevel.folder / "list.json").write_text(json.dumps({"gpt-4o": dear}))
    run("price-update", "prices", "--update", "list.json")
    run("suite", "suites")
    run("doctor-finding", "doctor")
    run("workers", "workers")
    run("listed-task", "tasks", "--modality", "audio")
    run("metric", "metrics")
    run("network", "metrics", "--networks")
    (Path(suite) / "nlp" / "Causal-Reasoning" / "annotation.json").write_text('{"data": [{"id": "q"}]}')
    run("check", "bench", "check", suite)
    assert not checker.problems
    # The fetch has its own server and test (tests/benchmark/test_hub_fetch.py), monitors (test_monitor_command.py) and workers
    # (test_workers_command.py) theirs.
    elsewhere = {command for command in commands_with_json() if command.startswith("monitor ")} | {"bench fetch"}
    assert commands_with_json() - called == elsewhere, "call the others above, so that their fields are held against the page"
    assert {place for place in checker.unseen() if place.partition(".")[0] not in {"fetch", *MONITORS, *WORKERS, *DECISIONS}} <= UNSEEN


def commands_with_json() -> set[str]:
    found = set()
    for name, (module, attribute, _line) in COMMANDS.items():
        command = getattr(importlib.import_module(module), attribute)
        listed = {name: command, **{f"{name} {sub}": each for sub, each in getattr(command, "commands", {}).items()}}
        found |= {
            called
            for called, each in listed.items()
            if any(isinstance(option, click.Option) and "--json" in option.opts for option in each.params)
        }
    return found


def test_every_command_with_json_is_in_the_list():
    listed = re.findall(r"`([^`]+)`", PAGE.partition("\n## ")[0])
    named = {re.match(r"[a-z]*(?: [a-z][a-z-]*)?", text)[0].strip() for text in listed}
    assert commands_with_json() <= named


def test_every_link_of_the_page_leads_somewhere():
    assert set(LINK.findall(PAGE)) <= described().keys()
