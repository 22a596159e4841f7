"""What a certificate will ask of a task, against what it asks of full data: the same decision at the m-th part of the wins' share."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.metrics import METRICS, Direction
from genlevel.benchmark.model import Benchmark, Task, TaskMetric
from genlevel.benchmark.outcomes import OPEN, Outcome
from genlevel.deciding.summing import DIGITS, unit_of
from genlevel.deciding.values import Criterion, Unit
from scorer.certify import TaskEvidence, betting, certify, evidence_from_statistics, measured
from scorer.certify.certificate import Status
from scorer.certify.claims import Claim
from scorer.certify.criteria import NOT_ASKED, NOTHING_LEFT, RATED, PlannedTask, against_specialists, criteria, criterion, critical_count
from scorer.certify.distributions import binomial_at_least
from scorer.certify.ends import most_items
from scorer.certify.ends import units_of as units_of_sample
from scorer.certify.rows import BEST, WORST
from scorer.certify.samples import Sample
from scorer.levels.rules import TaskResult, judge, judge_all
from scorer.metrics.nature import FROM_COUNT, FROM_ORDER
from scorer.metrics.parts import parts_of
from scorer.metrics.registry import create

SHARE = 0.0405
SOME = next(task for task in general_bench().tasks if task.metric.id == "accuracy")
Rows = dict[AnswerKey, tuple[Outcome, object]]


def task_of(metric_id: str, reference: float | None, **parameters: str) -> Task:
    return replace(SOME, metric=TaskMetric(metric_id, metric_id, tuple(parameters.items())), reference_workbook=reference)


def planned(task: Task, statistics: Rows, clusters: Mapping[AnswerKey, int], repeats: int, constant: float | None = None) -> PlannedTask:
    owners = _owners(statistics, clusters)
    sizes: dict[int, int] = {}
    for held in owners.values():
        sizes[len(held)] = sizes.get(len(held), 0) + 1
    instances = sum(size * count for size, count in sizes.items())
    return PlannedTask(judge(task, None), instances, repeats, {} if set(sizes) == {1} else sizes, constant=constant)


def _owners(statistics: Rows, clusters: Mapping[AnswerKey, int]) -> dict[object, set[str]]:
    owners: dict[object, set[str]] = {}
    for key in statistics:
        owners.setdefault(clusters.get(key, key.instance), set()).add(key.instance)
    return owners


def units_of(task: Task, statistics: Rows, clusters: Mapping[AnswerKey, int]) -> list[Unit]:
    """As a run adds them up: what each answer adds at worst and at best, by instance, by unit."""
    metric = create(task.metric.id, dict(task.metric.parameters), measuring=False)
    assert metric is not None
    found: dict[object, dict[str, list[Unit]]] = {}
    for key, (outcome, row) in statistics.items():
        ends = [row, row] if outcome not in OPEN else list(row)  # type: ignore[call-overload]
        parts = parts_of(metric, [("worst", ends[WORST]), ("best", ends[BEST])])
        assert parts is not None
        found.setdefault(clusters.get(key, key.instance), {}).setdefault(key.instance, []).append(Unit(*parts))
    return [unit_of(instances.values()) for instances in found.values()]


def margin(asked: Criterion, units: list[Unit]) -> float:
    """At least 0 if the criterion certifies the units, each taken at worst."""
    if asked.critical is not None and asked.test != "exact binomial":
        return -1.0
    if asked.critical is not None:
        return sum(unit.worst[0] for unit in units) - asked.critical
    assert asked.bets is not None
    assert all(unit.worst[1] <= asked.most for unit in units)
    logs = [
        math.log(weight)
        + sum(math.log1p(max(amount * (above - asked.bar * below), -1 + 1e-15)) for above, below in (unit.worst for unit in units))
        for amount, weight in zip(asked.bets.amounts, asked.bets.weights, strict=True)
    ]
    highest = max(logs)
    return highest + math.log(sum(math.exp(one - highest) for one in logs)) - asked.bets.log_threshold


def p_value(task: Task, statistics: Rows, clusters: Mapping[AnswerKey, int], constant: float | None) -> tuple[float, str]:
    ends = evidence_from_statistics(task.metric, statistics, clusters)
    assert ends is not None
    claim = Claim(judge(task, 50.0), TaskEvidence.of(task, ends), constant)
    return claim.win(), claim.test


def bets_of(task: Task, statistics: Rows, clusters: Mapping[AnswerKey, int], bar: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Of the certificate, which knows all answers."""
    ends = evidence_from_statistics(task.metric, statistics, clusters)
    assert ends is not None
    assert isinstance(ends.low.sample, Sample)
    amounts, weights = betting.bets(bar, units_of_sample(ends.low.sample, most_items(task)))
    return tuple(amounts.tolist()), tuple(weights.tolist())


STATISTICS = {
    "accuracy": lambda draw, better: 1.0 if draw.random() < better else 0.0,
    "f1": lambda draw, better: round(draw.betavariate(8 * better, 8 * (1 - better)), 9),
    "psnr": lambda draw, better: [100.0 * draw.betavariate(8 * better, 8 * (1 - better))],
    "gpt_score": lambda draw, better: [
        10.0 * draw.binomialvariate(10, better) if hasattr(draw, "binomialvariate") else 100.0 * (draw.random() < better)
    ],
    "micro_f1": lambda draw, better: [
        sum(draw.random() < better for _item in range(draw.randint(0, 6))),
        draw.randint(0, 2),
        draw.randint(0, 2),
    ],
}
ENDS: Mapping[str, list[object]] = {
    "accuracy": [0.0, 1.0], "f1": [0.0, 1.0], "psnr": [[0.0], [100.0]], "gpt_score": [[0.0], [100.0]], "micro_f1": [[0, 0, 3], [3, 0, 0]],
}  # fmt: skip


def full_data(draw: random.Random, metric_id: str, asked: tuple[int, int], better: float, failing: float = 0.0) -> Rows:
    """asked: instances, and how often each."""
    instances, repeats = asked
    rows: Rows = {}
    for number in range(instances):
        for repeat in range(repeats):
            if draw.random() < failing:
                rows[AnswerKey(f"i{number:04}", repeat=repeat)] = Outcome.FAILED, ENDS[metric_id]
            else:
                rows[AnswerKey(f"i{number:04}", repeat=repeat)] = Outcome.ANSWERED, STATISTICS[metric_id](draw, better)
    return rows


def clusters_of(draw: random.Random, rows: Rows, grouped: bool) -> dict[AnswerKey, int]:
    if not grouped:
        return {}
    number = {key.instance: draw.randint(0, 20) for key in rows}
    shared = {key: number[key.instance] for key in rows if list(number.values()).count(number[key.instance]) > 1}
    return shared if len(set(number.values())) > 1 else {}


@settings(max_examples=40, deadline=None)
@given(
    draw=st.integers(0, 2**32).map(random.Random),
    metric_id=st.sampled_from(sorted(STATISTICS)),
    counts=st.tuples(st.integers(2, 90), st.sampled_from([1, 1, 3])),
    bars=st.tuples(st.sampled_from([0.0, 12.5, 50.0, 71.3, 95.0, 99.9, 100.0]), st.sampled_from([None, 40.0, 60.0, 97.0])),
    tests=st.sampled_from([1, 40, 584]),
)
def test_it_asks_what_the_certificate_asks_of_all_answers(
    draw: random.Random, metric_id: str, counts: tuple[int, int], bars: tuple[float, float | None], tests: int
) -> None:
    (instances, repeats), (reference, constant) = counts, bars
    grouped = draw.random() < 0.5
    bar = max(reference, constant or 0.0) / 100.0
    better = min(0.97, max(0.03, bar + draw.uniform(-0.1, 1.0) * (1.0 - bar)))
    rows = full_data(draw, metric_id, (instances, repeats), better, draw.choice([0.0, 0.05]))
    clusters = clusters_of(draw, rows, grouped)
    task = task_of(metric_id, reference)
    found, test = p_value(task, rows, clusters, constant)
    asked = criterion(planned(task, rows, clusters, repeats, constant), tests, SHARE)
    assert (asked.obstacle, asked.whole) == ("", "")
    assert asked.test == test
    assert asked.bets is None or (asked.bets.amounts, asked.bets.weights) == bets_of(task, rows, clusters, asked.bar)
    decided = margin(asked, units_of(task, rows, clusters))
    assume(abs(math.log(max(found, 1e-300) * tests / SHARE)) > 1e-6)
    assert (decided >= 0.0) == (found * tests <= SHARE)


def test_bets_on_many_clusters_are_those_of_the_certificate() -> None:
    """Of few units every bet is the largest."""
    draw = random.Random(2)
    task, rows = task_of("f1", 50.0), full_data(draw, "f1", (600, 1), 0.6)
    clusters = {key: number // 5 for number, key in enumerate(sorted(rows)) if number < 400}
    asked = criterion(planned(task, rows, clusters, 1), 584, SHARE)
    assert asked.bets is not None
    assert (asked.bets.amounts, asked.bets.weights) == bets_of(task, rows, clusters, 0.5)
    assert len(set(asked.bets.amounts)) > 2


def test_the_certificate_of_a_whole_benchmark_wins_what_the_criteria_say_and_holm_may_add_to_them() -> None:
    draw = random.Random(5)
    benchmark = Benchmark("b", tuple(replace(task_of("f1" if number % 2 else "accuracy", 60.0), id=f"t{number}") for number in range(12)))
    data = {task.id: full_data(draw, task.metric.id, (300, 1), 0.6 + 0.03 * number) for number, task in enumerate(benchmark.tasks)}
    evidence = [TaskEvidence.of(task, evidence_from_statistics(task.metric, data[task.id], {})) for task in benchmark.tasks]  # type: ignore[arg-type]
    results = judge_all(benchmark, dict.fromkeys(data, 70.0))
    certificate = certify(results, evidence)
    plans = [planned(task, data[task.id], {}, 1) for task in benchmark.tasks]
    found = criteria([plan.result for plan in plans], plans, 0.05)
    assert (found.tests, found.wins, found.pooled) == (certificate.tests, certificate.shares.wins, certificate.shares.lost_levels)
    won = {
        task.id for task, asked in zip(benchmark.tasks, found.tasks, strict=True) if margin(asked, units_of(task, data[task.id], {})) >= 0.0
    }
    certified = {task.task.id for task in certificate.tasks if task.status is Status.ATTAINED}
    assert won <= certified
    assert 3 <= len(won) <= len(certified) < 12
    asked_half = criteria([plan.result for plan in plans], plans[:6], 0.05)
    assert (asked_half.tests, asked_half.wins, asked_half.pooled) == (12, found.wins, pytest.approx(found.pooled / 2))


@pytest.mark.parametrize(("trials", "bar", "tests"), [(1, 0.5, 1), (40, 0.0, 3), (464, 0.713, 584), (2000, 0.99, 584), (30, 1.0, 1)])
def test_the_critical_count_is_the_first_that_is_certified(trials: int, bar: float, tests: int) -> None:
    found = critical_count(trials, bar, tests, SHARE)
    certified = [right for right in range(trials + 1) if tests * binomial_at_least(right, trials, bar) <= SHARE]
    assert found == min(certified, default=trials + 1)


def test_an_error_is_looked_at_from_the_other_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """No metric that lower is better of can be certified so far; one that could would be tested so."""
    draw = random.Random(1)
    monkeypatch.setitem(METRICS, "f1", replace(METRICS["f1"], direction=Direction.LOWER))  # type: ignore[arg-type]
    task = task_of("f1", 30.0)
    decisions = set()
    for better in (0.1, 0.15, 0.2, 0.25):
        rows = full_data(draw, "f1", (60, 1), better)
        asked = criterion(planned(task, rows, {}, 1, constant=28.0), 584, SHARE)
        assert asked.bar == pytest.approx(0.72)
        units = [Unit((1.0 - above, below), (1.0 - above, below)) for above, below in (unit.worst for unit in units_of(task, rows, {}))]
        decisions.add(margin(asked, units) >= 0.0)
        assert (margin(asked, units) >= 0.0) == (p_value(task, rows, {}, 28.0)[0] * 584 <= SHARE)
    assert len(decisions) == 2


def test_what_cannot_be_decided_early_or_at_all_says_why() -> None:
    def of(task: Task, *, plan: int = 1, instances: int = 50, **said: object) -> Criterion:
        one = PlannedTask(judge(task, None), instances, **said)  # type: ignore[arg-type]
        return criteria([one.result], [one], 0.05, plan).tasks[0]

    assert of(task_of("auc", 70.0, of="roc")).whole == FROM_ORDER
    assert (of(task_of("auc", 70.0, of="roc")).bar, of(task_of("auc", 70.0, of="roc")).test) == (0.7, "betting on random pairs")
    assert of(task_of("gpt_score", 70.0), rated=True).whole == RATED
    assert of(task_of("recall_at_k", 70.0, k="50")).whole == FROM_COUNT
    assert of(task_of("accuracy", None)).obstacle == "no reference"
    assert "no upper bound" in of(task_of("mae", 1.0)).obstacle
    assert of(task_of("accuracy", 50.0), problem="weights are missing").obstacle == "weights are missing"
    assert of(task_of("accuracy", 50.0), plan=2000).obstacle == NOTHING_LEFT
    assert of(task_of("accuracy", 50.0), instances=0).obstacle == NOT_ASKED


def test_a_win_over_a_reference_that_is_worse_than_any_score_adds_to_no_level() -> None:
    for metric_id, parameters in (("psnr", {}), ("accuracy", {}), ("auc", {"of": "roc"})):
        for reference, rewards in ((-5.0, False), (50.0, True)):
            one = PlannedTask(judge(task_of(metric_id, reference, **parameters), None), 50)
            assert criterion(one, 1, SHARE).rewards == rewards
    criticals = [criterion(PlannedTask(judge(task_of("accuracy", score), None), 50), 1, SHARE).critical for score in (-5.0, 105.0)]
    assert criticals == [1, 51]


def test_what_all_instances_share_makes_no_unit() -> None:
    task = judge(task_of("accuracy", 50.0), None)
    assert criterion(PlannedTask(task, 50, sizes={50: 1}), 1, SHARE) == criterion(PlannedTask(task, 50), 1, SHARE)
    assert criterion(PlannedTask(task, 50, sizes={25: 2}), 1, SHARE).test == "betting on clusters of at most 25 instances"


def test_the_items_of_a_unit_are_as_many_as_the_metric_says_within_reason() -> None:
    for stated, most in (("40", 40.0), ("9" * 5000, 200.0)):
        one = PlannedTask(judge(task_of("micro_f1", 50.0, most_items=stated), None), 50)
        assert criterion(one, 1, SHARE).most == most


def test_no_win_is_above_the_best_that_there_is() -> None:
    for metric_id in ("accuracy", "f1"):
        found = criterion(PlannedTask(judge(task_of(metric_id, 100.0), None), 50), 1, SHARE)
        assert (found.critical, found.bets) == (51, None)


def test_units_are_rounded_as_certificates_round_them() -> None:
    assert DIGITS == measured.DIGITS
    assert unit_of([[Unit((1 / 3, 1.0), (2 / 3, 1.0))]]) == Unit((0.3333333, 1.0), (0.6666667, 1.0))


def test_every_task_of_general_bench_has_a_criterion_or_says_why_not() -> None:
    results = judge_all(general_bench(), {})
    found = criteria(results, [PlannedTask(result, 200) for result in results], 0.05)
    assert found.tests == certify(results, []).tests
    said = [(one.obstacle or one.whole, one.critical is not None, one.bets is not None) for one in found.tasks]
    assert all(bool(why) + exact + bets == 1 for why, exact, bets in said)
    assert sum(exact or bets for _why, exact, bets in said) > 400
    asked: TaskResult
    for asked, one in zip(results, found.tasks, strict=True):
        if one.bets is not None and asked.reference is not None:
            assert 0.0 < one.bar < 1.0, asked.task.id
            assert all(amount * one.bar * one.most < 1.0 for amount in one.bets.amounts)


@pytest.mark.parametrize(("metric_id", "truth"), [("accuracy", 0.7), ("f1", 0.7)])
def test_a_specialist_as_good_as_the_model_is_beaten_no_more_often_than_stated(metric_id: str, truth: float) -> None:
    """Both are measured on the same number of instances and are equally good; at an error of 0.2, so that it can be seen."""
    draw = random.Random(7)
    false = plain = 0
    runs, n = 150, 100
    for _run in range(runs):
        theirs, ours = ([float(draw.random() < truth) for _instance in range(n)] for _side in range(2))
        task = task_of(metric_id, round(100.0 * sum(theirs) / n, 4))
        one = PlannedTask(judge(task, None), n)
        units = [Unit((right, 1.0), (right, 1.0)) for right in ours]
        false += margin(against_specialists(one, 1, 0.2, n), units) >= 0.0
        plain += margin(criterion(one, 1, 0.2), units) >= 0.0
    assert false <= 0.1 * runs, "and union bounds are far from tight"
    assert plain > false


def test_against_a_specialist_the_bar_is_the_most_that_its_true_score_may_be() -> None:
    one = PlannedTask(judge(task_of("accuracy", 70.0), None), 400)
    found = against_specialists(one, 500, SHARE, 400)  # 70 may be 70.5 before it was rounded: 282 right ones
    assert binomial_at_least(400 - 282, 400, 1.0 - found.bar) == pytest.approx(SHARE / 1000, rel=1e-4)
    assert found.critical is not None
    assert found.critical > (criterion(one, 500, SHARE).critical or 0)
    assert (
        500 * binomial_at_least(found.critical, 400, found.bar) <= SHARE / 2 < 500 * binomial_at_least(found.critical - 1, 400, found.bar)
    )
    assert against_specialists(one, 500, SHARE, 10**7).bar < 0.706
    graded = against_specialists(PlannedTask(judge(task_of("f1", 70.0), None), 400), 500, SHARE, 400)
    assert graded.bar > found.bar
    clustered = against_specialists(PlannedTask(judge(task_of("f1", 70.0), None), 400, sizes={4: 100}), 500, SHARE, 400)
    assert clustered.bar > graded.bar, "and its instances count by fours"
    assert against_specialists(one, 500, SHARE, 0).obstacle
    assert against_specialists(PlannedTask(judge(task_of("micro_f1", 70.0), None), 400), 500, SHARE, 400).obstacle
