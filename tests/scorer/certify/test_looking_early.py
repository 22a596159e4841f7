"""Looking at a run while it goes on costs no error: what is pending counts as wrong against a win and as right against a loss."""

from __future__ import annotations

import random

import pytest

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.model import Modality, Paradigm, Task, TaskMetric
from genlevel.benchmark.outcomes import Outcome
from scorer.certify import TaskEvidence, evidence_from_statistics
from scorer.certify.pending import pending_evidence
from scorer.metrics import create
from scorer.scoring.task_scoring import AnsweredInstance, TaskScoring

COUNT = 40
LOOKS = (0, 1, 7, 20, 33, 39)
TEXTS = ("a red dog runs", "a dog", "the cat sleeps on a mat", "a red dog", "nothing of the kind")


def made(kind: str, seed: int) -> list[tuple[str, object, AnswerType]]:
    """Answers with their labels, of which some are right."""
    draw = random.Random(seed)
    if kind == "auc":
        labels = [index % 2 == 0 for index in range(COUNT)]
        return [(f"{min(1.0, 0.5 * label + draw.random() / 2):.3f}", str(int(label)), AnswerType.NUMBER) for label in labels]
    if kind == "micro_f1":
        sets = [draw.sample(["joy", "anger", "fear", "calm"], draw.randint(1, 3)) for _ in range(COUNT)]
        return [
            (", ".join(label if draw.random() < 0.7 else [draw.choice(["joy", "fear"])]), [", ".join(label)], AnswerType.LABEL)
            for label in sets
        ]
    if kind == "rouge_l":
        labels = [draw.choice(TEXTS) for _ in range(COUNT)]
        return [(label if draw.random() < 0.6 else draw.choice(TEXTS), [label], AnswerType.LONG_TEXT) for label in labels]
    letters = [draw.choice("AB") for _ in range(COUNT)]
    return [(letter if draw.random() < 0.7 else "A", letter, AnswerType.CHOICE) for letter in letters]


def evidence(kind: str, seed: int, known: int, *, cluster_of: int) -> TaskEvidence | None:
    """Of a task of which so many instances, in the order in which answers come, are there."""
    metric, answers = TaskMetric(kind, kind), made(kind, seed)
    order = list(range(COUNT))
    random.Random(seed + 1).shuffle(order)
    there = set(order[:known])
    scoring = TaskScoring(create(kind))
    scoring.add(
        AnsweredInstance(
            f"i{index:02}",
            Outcome.ANSWERED if index in there else Outcome.PENDING,
            raw if index in there else "",
            answer_type,
            label,
            options=("x", "y") if answer_type is AnswerType.CHOICE else (),
            cluster=f"c{index // cluster_of}" if cluster_of > 1 else "",
        )
        for index, (raw, label, answer_type) in enumerate(answers)
    )
    outcome = scoring.finish()
    found = evidence_from_statistics(metric, outcome.statistics, outcome.clusters)
    task = Task("t", "T", "", "", 0, "", Modality.IMAGE, Paradigm.COMPREHENSION, metric, 50.0, 50.0)
    return None if found is None else TaskEvidence.of(task, found, instances=COUNT)


@pytest.mark.parametrize(
    ("kind", "cluster_of"), [*((kind, size) for kind in ("accuracy", "rouge_l", "micro_f1") for size in (1, 4)), ("auc", 1)]
)
def test_no_p_value_on_the_way_is_below_that_of_the_finished_plan(kind: str, cluster_of: int) -> None:
    proven = False
    for seed in range(3):
        end = evidence(kind, seed, COUNT, cluster_of=cluster_of)
        assert end is not None
        assert end.test
        for known in LOOKS:
            look = evidence(kind, seed, known, cluster_of=cluster_of)
            assert look is not None
            assert look.low.units == end.low.units or not look.testable
            for reference in (5.0, 30.0, 60.0, 90.0, 99.0):
                assert look.win_p_value(reference) >= end.win_p_value(reference) - 1e-12
                assert look.loss_p_value(reference) >= end.loss_p_value(reference) - 1e-12
                assert look.win_p_value_against_specialist(reference, 100) >= end.win_p_value_against_specialist(reference, 100) - 1e-12
                proven |= known < COUNT and min(look.win_p_value(reference), look.loss_p_value(reference)) < 0.3
    assert proven or kind in {"micro_f1", "auc"}, "the test is not kept by claiming nothing"


@pytest.mark.parametrize("kind", ["accuracy", "rouge_l", "micro_f1", "auc", "mae", "fid"])
def test_a_task_without_any_answer_yet_proves_nothing(kind: str) -> None:
    metric = TaskMetric(kind, kind)
    task = Task("t", "T", "", "", 0, "", Modality.IMAGE, Paradigm.COMPREHENSION, metric, 50.0, 50.0)
    found = TaskEvidence.of(task, pending_evidence(metric, COUNT), instances=COUNT)
    for reference in (0.5, 30.0, 99.0):
        assert found.win_p_value(reference) > 0.99
        assert found.loss_p_value(reference) > 0.99
