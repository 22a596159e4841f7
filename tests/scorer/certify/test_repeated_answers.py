"""Answers to one instance are one unit of evidence, however often it was asked: more repeats make its mean surer, not the sample larger."""

from __future__ import annotations

import random

import pytest

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.benchmark.suites import general_bench
from scorer.certify import TaskEvidence, TaskStatistics, bootstrap_intervals, evidence_from_statistics
from scorer.certify.compare import PairedTask, compare
from scorer.levels.rules import judge_all
from scorer.tasks import TaskAnswers, TaskRecord

ACCURACY = next(task for task in general_bench().tasks if task.metric.id == "accuracy")
REPEATS = 5


def answered(scores, repeats=REPEATS):
    """Each instance's answers all alike."""
    return {AnswerKey(f"{n:04}", repeat=r): (Outcome.ANSWERED, score) for n, score in enumerate(scores) for r in range(repeats)}


def drawn(seed, n=80, p=0.6):
    generator = random.Random(seed)
    return [float(generator.random() < p) for _ in range(n)]


def test_answers_that_are_all_alike_say_no_more_than_one_of_them():
    scores = drawn(1)
    once, often = (
        TaskEvidence.of(ACCURACY, evidence_from_statistics(ACCURACY.metric, answered(scores, repeats))) for repeats in (1, REPEATS)
    )
    assert often.interval(0.95)[1] - often.interval(0.95)[0] >= once.interval(0.95)[1] - once.interval(0.95)[0]
    for reference in (40.0, 50.0):
        assert often.win_p_value(reference) >= 0.5 * once.win_p_value(reference)
        assert often.win_p_value(reference) > 1e3 * TaskEvidence.of(
            ACCURACY, evidence_from_statistics(ACCURACY.metric, answered([*scores] * REPEATS, 1))
        ).win_p_value(reference), "as they would be if repeats were instances"


def test_what_would_decide_is_told_in_instances_also_if_several_share_a_medium_and_are_asked_again():
    shared, size = drawn(5, n=60, p=0.65), 4
    scores = [score for score in shared for _instance in range(size)]
    statistics = answered(scores)
    clusters = {key: int(key.instance) // size for key in statistics}
    alone, together = (
        TaskEvidence.of(ACCURACY, found)
        for found in (evidence_from_statistics(ACCURACY.metric, *asked) for asked in ((answered(shared),), (statistics, clusters)))
    )
    clusters_needed = alone.needed(60.0, 0.001, better=True)
    assert (together.low.units, together.low.clustered) == (60, True)
    assert together.needed(60.0, 0.001, better=True) == pytest.approx(size * clusters_needed, abs=size)


def record(task):
    return TaskRecord(key=task.id, name=task.name, sheet=task.sheet, modality=task.modality, paradigm=task.paradigm, metric=task.metric)


def test_a_comparison_counts_instances_and_not_their_repeats():
    a, b = drawn(2, p=0.7), drawn(3, p=0.6)

    def compared(repeats):
        sides = [TaskAnswers(record(ACCURACY), answered(scores, repeats), {}) for scores in (a, b)]
        return compare([PairedTask(ACCURACY, *sides)], alpha=0.05).tasks[0].difference

    once, often = compared(1), compared(REPEATS)
    assert often.difference == pytest.approx(once.difference)
    assert once.interval is not None
    assert often.interval is not None
    assert often.interval[1] - often.interval[0] == pytest.approx(once.interval[1] - once.interval[0], rel=0.15)
    assert often.p_value == pytest.approx(once.p_value, rel=0.3, abs=0.02)


def test_a_bootstrap_draws_instances_with_all_of_their_repeats():
    scores = drawn(4)
    results = judge_all(general_bench(), {ACCURACY.id: 60.0})

    def width(repeats):
        low, high = bootstrap_intervals([TaskStatistics(ACCURACY, answered(scores, repeats), {})], results, 1000, 0.05)[2]
        return high - low

    assert width(REPEATS) == pytest.approx(width(1), rel=0.15)
