"""The joint statement: laws of the certificate, and the exact chance of a false claim if outcomes are few enough to go through."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Modality, Paradigm, Task, TaskMetric
from scorer.certify import Certificate, Estimate, Reading, Shares, Status, TaskEvidence, certify, obstacle_of
from scorer.certify.claims import UNKNOWN_UNITS, Claim
from scorer.levels.rules import LEVEL_MODALITIES, TaskResult, judge

SIDES = [(modality, paradigm) for modality in LEVEL_MODALITIES for paradigm in Paradigm]
PLACES = [*SIDES, (Modality.LANGUAGE, None)]
ACCURACY, FID = TaskMetric("accuracy", "ACC"), TaskMetric("fid", "FID")


def task(index: int, place: tuple[Modality, Paradigm | None], reference: float | None = 50.0, metric: TaskMetric = ACCURACY) -> Task:
    return Task(f"t{index}", f"T{index}", "", "", index, "", *place, metric, reference, reference)


def seen(one: Task, right: int, units: int) -> TaskEvidence:
    estimate = Estimate(100.0 * right / units, 1.0, units, binary=True)
    return TaskEvidence(one, estimate, estimate)


def certified(tasks: list[Task], counts: Mapping[str, tuple[int, int]], alpha: float = 0.05, **more: object) -> Certificate:
    """counts: by Task.id, (right, asked); others are not asked."""
    results = [judge(one, 100.0 * counts[one.id][0] / counts[one.id][1] if one.id in counts else None) for one in tasks]
    return certify(results, [seen(one, *counts[one.id]) for one in tasks if one.id in counts], alpha, **more)  # type: ignore[arg-type]


def wins_of(found: Certificate) -> frozenset[str]:
    return frozenset(one.task.id for one in found.tasks if one.status is Status.ATTAINED)


def attained_by(tasks: list[Task], won: frozenset[str]) -> set[int]:
    """The levels of these wins, as the paper words it."""
    places = {(one.modality, one.paradigm) for one in tasks if one.id in won}
    levels = {3} if any(modality is not Modality.LANGUAGE for modality, _ in places) else set()
    if any({(modality, paradigm) for paradigm in Paradigm} <= places for modality in LEVEL_MODALITIES):
        levels.add(4)
        if (Modality.LANGUAGE, None) in places:
            levels.add(5)
    return levels


@st.composite
def small_runs(draw: st.DrawFn) -> tuple[list[Task], dict[str, tuple[int, int]]]:
    places = draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=8))
    tasks = [task(index, place, draw(st.sampled_from([20.0, 50.0, 80.0, None]))) for index, place in enumerate(places)]
    asked = draw(st.lists(st.sampled_from(tasks), unique=True))
    sizes = {one.id: draw(st.integers(2, 60)) for one in asked}
    return tasks, {name: (draw(st.integers(0, size)), size) for name, size in sizes.items()}


@settings(max_examples=60)
@given(small_runs(), st.floats(0.001, 0.4))
def test_levels_are_what_the_certified_wins_attain(run: tuple[list[Task], dict[str, tuple[int, int]]], alpha: float) -> None:
    tasks, counts = run
    for more in ({}, {"specialists": {one.id: 40 for one in tasks}}):
        found = certified(tasks, counts, alpha, **more)
        assert {level.level for level in found.levels[1:] if level.status is Status.ATTAINED} == attained_by(tasks, wins_of(found))
        statuses = {level.level: level.status for level in found.levels}
        for lower, higher in itertools.pairwise((3, 4, 5)):
            assert not (statuses[lower] is Status.NOT_ATTAINED and statuses[higher] is not Status.NOT_ATTAINED)
        assert found.certified_wins <= found.discovered_wins


@settings(max_examples=60)
@given(small_runs(), st.integers(0, 5), st.sampled_from(PLACES))
def test_a_task_that_is_not_asked_changes_nothing_but_the_number_of_tests(
    run: tuple[list[Task], dict[str, tuple[int, int]]], others: int, place: tuple[Modality, Paradigm | None]
) -> None:
    tasks, counts = run
    before = certified(tasks, counts)
    after = certified([*tasks, *(task(100 + number, place) for number in range(others))], counts)
    assert after.tests == before.tests + others
    assert [(one.p_win, one.p_loss) for one in after.tasks] == [(one.p_win, one.p_loss) for one in before.tasks]
    assert wins_of(after) <= wins_of(before)
    for one, other in zip(before.tasks, after.tasks, strict=True):
        # Holm's steps are each over one test more for each task more.
        assert other.p_win_adjusted >= one.p_win_adjusted
    unrelated = certified([*tasks, task(200, place, None), task(201, place, metric=FID)], counts)
    assert unrelated.tests == before.tests
    assert wins_of(unrelated) == wins_of(before)


@settings(max_examples=40)
@given(small_runs(), st.randoms(use_true_random=False), st.floats(0.01, 0.4), st.integers(1, 6))
def test_order_does_not_matter_and_less_error_certifies_no_more(
    run: tuple[list[Task], dict[str, tuple[int, int]]], shuffled: random.Random, alpha: float, plan: int
) -> None:
    tasks, counts = run
    found = certified(tasks, counts, alpha, plan=plan)
    mixed = list(tasks)
    shuffled.shuffle(mixed)
    other = certified(mixed, counts, alpha, plan=plan)
    assert wins_of(other) == wins_of(found)
    assert [(level.status, level.p_value, level.needed) for level in other.levels] == [
        (level.status, level.p_value, level.needed) for level in found.levels
    ]
    for less in (
        certified(tasks, counts, alpha / 2, plan=plan),
        certified(tasks, counts, alpha, plan=plan + 1),
        certified(tasks, counts, alpha, plan=plan, constants=dict.fromkeys(counts, 60.0)),
        certified(tasks, counts, alpha, plan=plan, specialists=dict.fromkeys(counts, 50)),
        certified(tasks, counts, alpha, plan=plan, specialists={}),
    ):
        assert wins_of(less) <= wins_of(found)
        for one, same in zip(less.levels[1:], found.levels[1:], strict=True):
            assert same.status is Status.ATTAINED or one.status is not Status.ATTAINED


def test_shares_of_all_plans_add_up_to_alpha() -> None:
    shares = [Shares.of(0.05, plan) for plan in range(1, 60)]
    assert sum(one.plan for one in shares) <= 0.05 + 1e-15
    assert [one.plan for one in shares[:3]] == pytest.approx([0.045, 0.0025, 0.00125])
    for one in shares:
        assert one.wins == pytest.approx(0.9 * one.plan)
        assert one.wins + one.lost_tasks + one.lost_levels == pytest.approx(one.plan)
    assert Shares.of(0.05, 0) == Shares.of(0.05, 1)
    assert Shares.of(0.05, 1, 0.25).lost_levels == Shares.of(0.05).lost_levels / 4
    nothing_left = certified([task(0, SIDES[0])], {"t0": (4000, 4000)}, plan=100_000)
    assert (nothing_left.shares.wins, nothing_left.certified_wins, nothing_left.plan) == (0.0, 0, 100_000)
    assert nothing_left.levels[1].note == "so many plans came before that no error is left for this one"


UNITS = 9
SMALL = [task(0, SIDES[0]), task(1, SIDES[1]), task(2, PLACES[-1])]


@cache
def claims_of(counts: tuple[int, ...], plan: int, asked: tuple[str, ...] = ("t0", "t1", "t2")) -> tuple[frozenset[str], frozenset[str]]:
    """What a plan claims: tasks and levels that are won, and that are not. alpha is large, so that so few instances prove something."""
    found = certified(SMALL, {name: (right, UNITS) for name, right in zip(asked, counts, strict=True)}, 0.45, plan=plan)
    claimed: dict[Status, set[str]] = {status: set() for status in Status}
    for one in found.tasks:
        claimed[one.status].add(one.task.id)
    for level in found.levels[1:]:
        claimed[level.status].add(str(level.level))
    return frozenset(claimed[Status.ATTAINED]), frozenset(claimed[Status.NOT_ATTAINED])


def true_wins(truths: Mapping[str, float], *, ties: bool) -> set[str]:
    """Tasks and levels that are truly won. ties: whether one as good as the reference counts as won, as by the paper's rule."""
    won = frozenset(name for name, truth in truths.items() if truth > 0.5 or (ties and truth == 0.5))
    return {*won, *map(str, attained_by(SMALL, won))}


def false_chance(truths: tuple[float, ...], plan: int, asked: tuple[str, ...]) -> float:
    """The exact chance that a plan claims anything false."""
    by_task = dict(zip(asked, truths, strict=True))
    surely, possibly = true_wins(by_task, ties=False), true_wins(by_task, ties=True)
    chance = 0.0
    for counts in itertools.product(range(UNITS + 1), repeat=len(asked)):
        won, lost = claims_of(counts, plan, asked)
        if won - surely or lost & possibly:
            chance += float(stats.binom.pmf(counts, UNITS, truths).prod())
    return chance


@pytest.mark.parametrize("plan", [1, 2])
def test_the_exact_chance_of_any_false_claim_is_at_most_the_plans_share(plan: int) -> None:
    share = Shares.of(0.45, plan).plan
    chances = {truths: false_chance(truths, plan, ("t0", "t1", "t2")) for truths in itertools.product((0.3, 0.5, 0.8), repeat=3)}
    assert max(chances.values()) <= share
    if plan == 1:
        # The statement is not kept by claiming nothing.
        assert max(chances.values()) > share / 5
        assert any("5" in claims_of(counts, 1)[0] for counts in itertools.product((8, 9), repeat=3))
        assert {"3", "4", "5"} <= claims_of((0, 0, 0), 1)[1]


def test_plans_that_share_no_task_have_one_share_together() -> None:
    share = Shares.of(0.45).plan
    for truths in itertools.product((0.3, 0.5, 0.8), repeat=3):
        assert sum(false_chance((truth,), 1, (name,)) for truth, name in zip(truths, ("t0", "t1", "t2"), strict=True)) <= share


@pytest.mark.parametrize("truth", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(("units", "others"), [(8, 8), (40, 5)])
def test_the_specialists_own_luck_makes_false_wins_no_likelier_than_their_share(truth: float, units: int, others: int) -> None:
    false = {reading: 0.0 for reading in Reading}
    for right, theirs in itertools.product(range(units + 1), range(others + 1)):
        one = task(0, SIDES[0], 100.0 * theirs / others)
        chance = float(stats.binom.pmf(right, units, truth) * stats.binom.pmf(theirs, others, truth))
        for reading, specialists in ((Reading.PUBLISHED, None), (Reading.SPECIALISTS, {"t0": others})):
            found = certified([one], {"t0": (right, units)}, 0.45, specialists=specialists)
            assert found.reading is reading
            false[reading] += chance * (found.levels[1].status is Status.ATTAINED)
    assert false[Reading.SPECIALISTS] <= Shares.of(0.45).wins
    assert false[Reading.SPECIALISTS] <= false[Reading.PUBLISHED]


def test_each_claim_is_held_against_its_own_share_alone() -> None:
    one = [SMALL[0]]
    # 4.35 % is more than wins have, if less than the plan has.
    assert Shares.of(0.05).wins < float(stats.binom.sf(18, 28, 0.5)) < Shares.of(0.05).plan
    lucky = certified(one, {"t0": (19, 28)})
    assert (lucky.tasks[0].status, lucky.levels[1].status, lucky.discovered_wins) == (Status.UNDECIDED, Status.UNDECIDED, 1)
    # A loss at 0.07 % is enough for one level of 0.23 %, and not for the sequence from the fifth, which takes four of them.
    p_value, share = float(stats.binom.cdf(6, 30, 0.5)), Shares.of(0.05).lost_levels
    assert 2 * p_value < share < 4 * p_value
    open_ended = certified(SMALL, {"t0": (6, 30), "t1": (6, 30), "t2": (15, 30)})
    assert [level.status for level in open_ended.levels[1:]] == [Status.UNDECIDED] * 3
    lost = certified(SMALL, {"t0": (6, 30), "t1": (6, 30), "t2": (6, 30)})
    assert [level.status for level in lost.levels[1:]] == [Status.NOT_ATTAINED] * 3
    # That one of two sides is lost takes half of the share.
    p_value = float(stats.binom.cdf(2, 16, 0.5))
    assert p_value < share < 2 * p_value
    either = certified(SMALL[:2], {"t0": (2, 16), "t1": (2, 16)})
    assert [level.status for level in either.levels[1:]] == [Status.UNDECIDED, Status.UNDECIDED, Status.NOT_ATTAINED]


def test_a_lost_task_has_the_whole_share_of_tasks_also_if_few_are_asked() -> None:
    tasks = [SMALL[0], *(task(index, SIDES[1]) for index in range(1, 4))]
    p_value, shares = float(stats.binom.cdf(12, 49, 0.5)), Shares.of(0.05, 1, 1 / 4)
    assert shares.lost_levels < 4 * p_value < shares.lost_tasks
    assert certified(tasks, {"t0": (12, 49)}).tasks[0].status is Status.NOT_ATTAINED


def test_without_anything_that_could_be_a_win_no_level_is_attained_whatever_error_is_left() -> None:
    assert [level.status for level in certified(SMALL, {}).levels] == [Status.NOT_ATTAINED] * 4
    without_reference = task(3, SIDES[0], None)
    lost = certified([*SMALL, without_reference], {"t0": (0, 40), "t3": (40, 40)})
    assert lost.levels[1].status is Status.NOT_ATTAINED


def test_what_would_decide_is_reckoned_with_the_next_plans_share_and_losses_with_the_part_that_is_asked() -> None:
    tasks = [task(index, place) for index, place in enumerate(PLACES)]
    for plan in (0, 1, 3):
        found = certified(tasks, {"t0": (60, 100)}, plan=plan)
        assert found.plan == max(1, plan)
        assert found.shares == Shares.of(0.05, plan, 1 / 9)
        assert found.levels[1].needed == seen(tasks[0], 60, 100).needed(50.0, Shares.of(0.05, found.plan + 1).wins / 9, better=True)
        lost = certified(tasks, {"t0": (45, 100)}, plan=plan)
        assert lost.levels[1].needed == seen(tasks[0], 45, 100).needed(
            50.0, Shares.of(0.05, found.plan + 1, 1 / 9).lost_levels, better=False
        )


def test_a_specialist_of_few_instances_is_not_shown_to_be_better_either() -> None:
    one = [SMALL[0]]
    published, few, many = (certified(one, {"t0": (30, 100)}, specialists=units) for units in (None, {"t0": 20}, {"t0": 5000}))
    assert few.tasks[0].p_loss > 0.05 > many.tasks[0].p_loss >= published.tasks[0].p_loss
    assert few.tasks[0].status is Status.UNDECIDED
    assert published.tasks[0].status is many.tasks[0].status is Status.NOT_ATTAINED


def test_of_an_open_score_each_end_says_what_it_leans_to() -> None:
    one = task(0, SIDES[0])

    def claim(low: float, high: float, units: int | None = None) -> Claim:
        ends = [Estimate(value, 1.0, 100, binary=True) for value in (low, high)]
        return Claim(judge(one, None), TaskEvidence(one, *ends), units=units)

    leaning = {ends: [claim(*ends).leans(better=better) for better in (True, False)] for ends in ((40, 60), (60, 70), (30, 40), (50, 50))}
    assert leaning == {(40, 60): [False, False], (60, 70): [True, False], (30, 40): [False, True], (50, 50): [False, False]}
    hopeless = {ends: [claim(*ends, 30).is_hopeless(0.01, better=better) for better in (True, False)] for ends in ((55, 95), (5, 45))}
    assert hopeless == {(55, 95): [True, False], (5, 45): [False, True]}


def test_wins_of_different_modalities_are_no_pair() -> None:
    tasks = [task(index, place) for index, place in enumerate(PLACES)]
    across = certified(tasks, {"t0": (400, 400), "t3": (400, 400), "t8": (400, 400)})
    assert [level.status for level in across.levels[1:]] == [Status.ATTAINED, Status.NOT_ATTAINED, Status.NOT_ATTAINED]
    same = certified(tasks, {"t2": (400, 400), "t3": (400, 400)})
    assert [level.status for level in same.levels[1:]] == [Status.ATTAINED, Status.ATTAINED, Status.NOT_ATTAINED]
    language = certified(tasks, {"t8": (400, 400)})
    assert [level.status for level in language.levels] == [Status.NOT_ATTAINED] * 4
    assert language.certified_wins == 1


def test_level_2_is_open_only_if_there_is_a_result_that_may_be_above_the_worst() -> None:
    one = task(0, SIDES[0])

    def status(value: float | None, right: int | None = None) -> Status:
        known = [] if right is None else [seen(one, right, 9)]
        return certify([judge(one, value)], known).levels[0].status

    assert status(None) is Status.NOT_ATTAINED
    assert status(0.0) is Status.UNDECIDED
    assert status(50.0) is Status.ATTAINED
    assert status(None, 0) is Status.UNDECIDED
    assert status(None, 1) is Status.ATTAINED
    ends = [Estimate(value, 1.0, 9, binary=True) for value in (0.0, 50.0)]
    assert certify([judge(one, None)], [TaskEvidence(one, *ends)]).levels[0].status is Status.UNDECIDED


def test_a_result_without_a_test_is_no_win_and_keeps_not_attained_open() -> None:
    tasks = [task(0, SIDES[0]), task(1, SIDES[1], 30.0, FID)]
    estimate = Estimate(10.0, 0.1, 1000)
    known = [seen(tasks[0], 0, 400), TaskEvidence(tasks[1], estimate, estimate)]
    found = certify([judge(tasks[0], 0.0), judge(tasks[1], 10.0)], known)
    assert (found.tests, found.listed, found.untested) == (1, 2, 1)
    row = found.tasks[1]
    assert (row.status, row.p_win, row.p_loss, row.test, row.discovered) == (Status.UNDECIDED, 1.0, 1.0, "", False)
    assert row.obstacle == obstacle_of(FID)
    third, fourth, _fifth = found.levels[1:]
    assert third.status is Status.UNDECIDED
    assert third.needed is None
    assert third.note.startswith("no number of instances would decide: ")
    # Its side alone cannot make a pair: the other is lost.
    assert fourth.status is Status.NOT_ATTAINED
    assert found.tasks[0].status is Status.NOT_ATTAINED


def test_a_win_has_to_be_above_the_best_constant_answer_too() -> None:
    tasks = [task(0, SIDES[0], 20.0)]
    counts = {"t0": (300, 400)}
    assert wins_of(certified(tasks, counts)) == {"t0"}
    below, above = (certified(tasks, counts, constants={"t0": constant}) for constant in (60.0, 80.0))
    assert (wins_of(below), wins_of(above)) == ({"t0"}, frozenset())
    assert below.tasks[0].p_win == pytest.approx(float(stats.binom.sf(299, 400, 0.6)))
    assert (below.tasks[0].constant, below.tasks[0].reference) == (60.0, 20.0)
    # A score between the two is not below the specialist's.
    assert (above.tasks[0].status, above.levels[1].status) == (Status.UNDECIDED, Status.UNDECIDED)
    assert above.tasks[0].p_loss > 0.9
    assert above.levels[1].note.startswith("no number of instances would decide")
    against = certified(tasks, counts, constants={"t0": 80.0}, specialists={"t0": 10_000})
    assert against.tasks[0].p_win == above.tasks[0].p_win


def test_a_specialist_that_is_known_too_poorly_is_named_with_what_it_may_be() -> None:
    tasks = [task(index, place, 83.33) for index, place in enumerate(PLACES)]
    found = certified(tasks, {"t0": (380, 400)}, specialists={"t0": 30})
    third = found.levels[1]
    assert (third.status, third.needed) == (Status.UNDECIDED, None)
    assert third.note.startswith("the specialist's 83.33 on T0 was measured on 30 instances: it may be 65 to 94 (95 %), ")
    assert third.note.endswith("; no number of the model's instances would decide")
    row = found.tasks[0]
    assert row.reference_interval == pytest.approx((64.55, 93.69), abs=0.01)
    many = certified(tasks, {"t0": (345, 400)}, specialists={"t0": 30_000}).levels[1]
    assert (many.status, many.note) == (Status.UNDECIDED, "")
    assert many.needed is not None
    unknown = certified(tasks, {"t0": (400, 400)}, specialists={})
    assert unknown.tasks[0].obstacle == UNKNOWN_UNITS
    assert (
        unknown.levels[1].note
        == "on how many instances the specialists were measured is not known (`genlevel certify --reference-n N` takes it)"
    )


@pytest.mark.parametrize(
    ("metric", "reference", "rewards"), [("accuracy", 0.0, True), ("wer", 99.0, True), ("wer", 100.0, True), ("wer", 150.0, False)]
)
def test_a_win_over_a_reference_that_maps_to_nothing_attains_no_level(metric: str, reference: float, rewards: bool) -> None:
    claim = Claim(judge(task(0, SIDES[0], reference, TaskMetric(metric, metric)), None))
    assert claim.rewards is rewards
    assert not Claim(TaskResult(task(0, SIDES[0], None), None, None, None, None)).rewards
    odd = certified([task(0, SIDES[0], -5.0)], {"t0": (10, 400)})
    assert (odd.tasks[0].status, odd.levels[1].status) == (Status.ATTAINED, Status.UNDECIDED)


def test_general_bench_has_as_many_tests_as_it_has_certifiable_tasks_whatever_was_asked(repository: Path) -> None:
    tasks = general_bench().tasks
    counted = sum(one.reference_workbook is not None and not obstacle_of(one.metric) for one in tasks)
    assert f"General-Bench has m = {counted} of 699, for both sets" in (repository / "docs" / "statistics.md").read_text("utf-8")
    assert counted == sum(one.reference_appendix is not None and not obstacle_of(one.metric) for one in tasks)
    for asked in ({}, {tasks[0].id: 50.0}):
        found = certify([judge(one, asked.get(one.id)) for one in tasks], [])
        assert (found.tests, found.listed) == (counted, 699)
