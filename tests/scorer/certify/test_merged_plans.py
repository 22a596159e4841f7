"""A certificate over parts that are plans of different numbers: each task has the share of its own plan, whatever it is merged with."""

from __future__ import annotations

import pytest

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Modality
from scorer.certify import Certificate, Status, certify, evidence_from_workbook
from scorer.certify.shares import Shares, weighed
from scorer.levels.rules import judge_all

TASKS = [
    task for task in general_bench().tasks if task.metric.id == "accuracy" and task.reference_workbook is not None and task.instances > 100
]
# Of 100 instances: some are far above their reference, some hardly, some below.
SHIFTS = (-2.0, 2.0, 6.0, 10.0, 14.0, -9.0, -11.0, -14.0, -20.0)
VALUES = {task.id: min(100.0, (task.reference_workbook or 0.0) + SHIFTS[place % 9]) for place, task in enumerate(TASKS[:28])}
RESULTS = judge_all(general_bench(), VALUES)
EVIDENCE = evidence_from_workbook(RESULTS, dict.fromkeys(VALUES, 400))[0]


@pytest.mark.parametrize("plan", [1, 2, 5])
def test_parts_of_one_number_are_as_one_plan_to_the_last_digit(plan: int) -> None:
    assert certify(RESULTS, EVIDENCE, plan=plan, plans=dict.fromkeys(VALUES, plan)) == certify(RESULTS, EVIDENCE, plan=plan)


def decided(certificate: Certificate, status: Status) -> set[str]:
    return {task.task.id for task in certificate.tasks if task.status is status}


def test_a_task_of_a_later_plan_needs_as_much_more_as_its_share_is_smaller() -> None:
    first, last = certify(RESULTS, EVIDENCE, plan=1), certify(RESULTS, EVIDENCE, plan=3)
    hardly = {status: decided(first, status) - decided(last, status) for status in (Status.ATTAINED, Status.NOT_ATTAINED)}
    later = {max(tasks) for tasks in hardly.values()}
    mixed = certify(RESULTS, EVIDENCE, plan=3, plans={key: 3 if key in later else 1 for key in VALUES})
    assert (mixed.plan, mixed.shares) == (1, first.shares)
    assert Shares.of(0.05, 1).plan / Shares.of(0.05, 3).plan == pytest.approx(36.0)
    for status in hardly:
        assert decided(mixed, status) == decided(first, status) - later
    for one, other in zip(mixed.tasks, first.tasks, strict=True):
        assert (one.p_win, one.p_loss, one.discovered) == (other.p_win, other.p_loss, other.discovered)
        assert one.p_win_adjusted >= other.p_win_adjusted
        if one.task.id in later and other.p_win_adjusted < 1.0:
            assert one.p_win_adjusted > other.p_win_adjusted


def test_wins_are_discovered_in_each_plan_by_itself() -> None:
    first = certify(RESULTS, EVIDENCE, plan=1)
    discovered = {task.task.id for task in first.tasks if task.discovered}
    mixed = certify(RESULTS, EVIDENCE, plans={key: 4 if key in discovered else 1 for key in VALUES})
    assert {task.task.id for task in mixed.tasks if task.discovered} == discovered != set()


def test_parts_that_are_not_told_their_number_are_first_plans() -> None:
    assert certify(RESULTS, EVIDENCE, plans=dict.fromkeys(VALUES, 0)) == certify(RESULTS, EVIDENCE, plan=1)


def test_a_plan_of_which_nothing_is_left_certifies_nothing() -> None:
    assert weighed(0.0, 5000, 1) == 1.0
    mixed = certify(RESULTS, EVIDENCE, plan=5000, plans={key: 5000 if key == min(VALUES) else 1 for key in VALUES})
    assert {task.status for task in mixed.tasks if task.task.id == min(VALUES)} == {Status.UNDECIDED}


def test_more_instances_would_be_the_plan_after_the_last() -> None:
    image = [task for task in TASKS if task.modality is Modality.IMAGE][:2]
    results = judge_all(general_bench(), {task.id: min(99.0, (task.reference_workbook or 0.0) + 3.0) for task in image})
    evidence = evidence_from_workbook(results, {task.id: 200 for task in image})[0]
    plans = {image[0].id: 1, image[1].id: 3}
    needed = [
        certify(results, evidence, plan=1).levels[1].needed,
        certify(results, evidence, plan=3).levels[1].needed,
        certify(results, evidence, plan=3, plans=plans).levels[1].needed,
    ]
    assert needed[0] is not None
    assert needed[1] == needed[2] != needed[0]
