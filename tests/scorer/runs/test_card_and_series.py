"""What the level card shows as a dash has no series, and what it shows as a number has that one: over runs of many kinds."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import pytest
from prometheus_client import CollectorRegistry

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Task
from genlevel.cli.card import print_levels
from genlevel.cli.printing import console
from genlevel.v1 import scorer_pb2 as sc
from scorer.reports.documents import verdict_level_json
from scorer.service import Scorer

BY_ID = {task.id: task for task in general_bench().tasks}
LANGUAGE = next(task for task in BY_ID.values() if task.name == "Causal Reasoning")
IMAGE = next(task for task in BY_ID.values() if task.metric.id == "accuracy" and task.modality == "image")
VIDEO = next(task for task in BY_ID.values() if task.metric.id == "accuracy" and task.modality == "video")


def described(task: Task, *, reference: float | None = None) -> sc.TaskDescription:
    return sc.TaskDescription(
        key=f"k/{task.name}", name=task.name, sheet=task.sheet, modality=task.modality.value,
        paradigm=task.paradigm.value if task.paradigm else "", metric="accuracy", metric_label="ACC", reference=reference,
    )  # fmt: skip


GENERAL = {"benchmark": "general-bench"}
OWN = {"benchmark": "mine", "benchmark_tasks": [described(LANGUAGE), described(IMAGE)]}
REFERENCED = {"benchmark": "mine", "benchmark_tasks": [described(LANGUAGE, reference=50), described(IMAGE, reference=50), described(VIDEO)]}

KINDS: dict[str, tuple[dict[str, object], dict[Task, tuple[int, int, int]]]] = {
    # the header's fields, and by task how many answers are right, wrong and failed; no answer at all: it is pending
    "wins": (GENERAL, {LANGUAGE: (9, 1, 0), IMAGE: (10, 0, 0), VIDEO: (10, 0, 0)}),
    "nothing right": (GENERAL, {LANGUAGE: (0, 10, 0)}),
    "one modality": (GENERAL, {IMAGE: (5, 5, 0)}),
    "a part": ({**GENERAL, "partial": True, "part": True}, {IMAGE: (5, 5, 0)}),
    "all failed": (GENERAL, {IMAGE: (0, 0, 10), LANGUAGE: (0, 0, 3)}),
    "begun": (GENERAL, {IMAGE: (0, 0, 0), LANGUAGE: (0, 0, 0)}),
    "half way": (GENERAL, {IMAGE: (5, 5, 0), LANGUAGE: (0, 0, 0)}),
    "of its own": (OWN, {IMAGE: (5, 5, 0), LANGUAGE: (7, 3, 0)}),
    "of its own, language alone": (OWN, {LANGUAGE: (7, 3, 0)}),
    "of its own, begun": (OWN, {LANGUAGE: (0, 0, 0)}),
    "with references": (REFERENCED, {IMAGE: (9, 1, 0), LANGUAGE: (7, 3, 0), VIDEO: (1, 0, 0)}),
    "with a reference that was not asked": (REFERENCED, {VIDEO: (5, 5, 0)}),
}


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def scorer(registry: CollectorRegistry) -> Iterator[Scorer]:
    opened = Scorer("sqlite://", registry)
    yield opened
    opened.close()


async def score(scorer: Scorer, fields: dict[str, object], tasks: dict[Task, tuple[int, int, int]]) -> None:
    head = sc.ScoreTaskHeader(run_id="r", model="m", suite="s", suite_hash="c" * 64, **fields)
    pending = [sc.PendingTask(task=described(task), instances=sum(counts) or 10) for task, counts in tasks.items()]
    await scorer.begin_run(sc.BeginRunRequest(header=head, tasks=pending))
    for task, (right, wrong, failed) in tasks.items():
        said = [("A", sc.OUTCOME_ANSWERED)] * right + [("B", sc.OUTCOME_ANSWERED)] * wrong + [("", sc.OUTCOME_FAILED)] * failed
        if not said:
            continue
        of_task = sc.ScoreTaskHeader()
        of_task.CopyFrom(head)
        of_task.task.CopyFrom(described(task))

        async def stream(of_task: sc.ScoreTaskHeader = of_task, said: list[tuple[str, int]] = said) -> AsyncIterator[sc.ScoreTaskRequest]:
            instances = [
                sc.InstanceAnswer(id=f"i{n}", outcome=outcome, raw_answer=raw, answer_type="choice", label_json='"A"', options=["x", "y"])
                for n, (raw, outcome) in enumerate(said)
            ]
            yield sc.ScoreTaskRequest(header=of_task, instances=instances)

        await scorer.score_task(stream())


def on_card(text: str) -> dict[tuple[str, str], str]:
    """What the card shows, by the series that it should have."""
    (overall,) = re.findall(r"^ *overall\s+(\S+)\s+(\S+)\s+(\S+)", text, re.MULTILINE)
    found = {("level_score", str(level)): shown for level, shown in zip((2, 3, 4), overall, strict=True)}
    found["level_score", "5"] = re.findall(r"^Level 5 score: (\S+)", text, re.MULTILINE)[0]
    for modality in ("image", "video", "audio", "3d"):
        row = re.findall(rf"^ *{modality}\s+\S+\s+\S+\s+\S+\s+(\S+)\s+(\S+)", text, re.MULTILINE)
        found["supported_tasks", modality], found["wins", modality] = row[0] if row else ("-", "-")
    row = re.findall(r"^ *language \(w_L \S+\)\s+(\S+)\s+(\S+)", text, re.MULTILINE)
    found["supported_tasks", "language"], found["wins", "language"] = row[0] if row else ("-", "-")
    return found


@pytest.mark.parametrize("kind", KINDS)
async def test_the_series_are_those_of_the_card(
    scorer: Scorer, registry: CollectorRegistry, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    fields, tasks = KINDS[kind]
    await score(scorer, fields, tasks)
    verdict = await scorer.get_verdict(sc.GetVerdictRequest(run_id="r"))
    begun = all(one.counts.pending == one.counts.total for one in verdict.tasks)
    print_levels(console(), verdict_level_json(verdict))
    card = on_card(capsys.readouterr().out)
    assert len(card) == 14
    labels = {"model": "m", "suite": "s", "suite_hash": "c" * 8, "partial": "true" if verdict.part else "false"}
    assert verdict.part == (kind in ("a part", "half way") or "begun" in kind)
    for (name, one), shown in card.items():
        value = registry.get_sample_value(f"genlevel_{name}", {**labels, "level" if name == "level_score" else "modality": one})
        if begun:  # the whole card says that nothing is scored yet
            assert value is None
        elif shown == "-":
            assert value is None, (name, one)
        else:
            assert value == pytest.approx(float(shown), abs=0.006), (name, one)
    for level in range(3, 6):  # the card says nothing of what is certain of these, either
        ends = [registry.get_sample_value(f"genlevel_level_{end}", {**labels, "level": str(level)}) for end in ("lower", "upper")]
        referenced = not begun and (fields["benchmark"] == "general-bench" or kind == "with references")
        assert [end is not None for end in ends] == [referenced, referenced]
    assert (registry.get_sample_value("genlevel_certified_wins", {**labels, "control": "family-wise"}) is None) == (not referenced)
    assert (registry.get_sample_value("genlevel_verdict", labels) is None) == begun
    assert registry.get_sample_value("genlevel_incomplete", labels) == float(verdict.incomplete)
    others = {sample.labels["partial"] for family in registry.collect() for sample in family.samples} - {labels["partial"]}
    assert others == set()
