"""How often a certificate says anything false if no task is truly won: the family-wise rate of its own statement, at any number of runs.

Every task's true score is exactly its reference. p-values of many runs are drawn at once: a run has a false win if one is within Holm's
first step, since what that procedure rejects later needs an earlier rejection. ``check`` holds that these p-values, and what is certified
with them, are those of the scorer. Rows of a hard case are families of m such tasks, so that they are that many nulls of their kind, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy import stats
from simulate_exact import one_unit
from simulate_kinds import coverages
from simulate_nulls import CERTAIN, Documents, bleu_like, f1_like, near_perfect, p_of_gains, right_or_wrong, statistics_of, task_of

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Task, TaskMetric
from scorer.certify import Status, TaskEvidence, certify, evidence_from_statistics, specialists
from scorer.certify.betting import Units, bets, wealth_against
from scorer.certify.ends import MOST_ITEMS
from scorer.certify.obstacles import obstacle_of
from scorer.certify.shares import Shares
from scorer.levels.rules import judge_all
from scorer.metrics.nature import Proof
from scorer.metrics.registry import nature_of

ALPHA = 0.05
CAP = 2000
BATCH = 500_000
CHECKED = frozenset({"accuracy", "exact_match", "f1", "rouge_1", "rouge_l", "anls", "micro_f1"})
"""Metrics whose statistics are numbers, or hits and misses: what ``Null.rows`` gives."""
Array = Any
Draw = Callable[[np.random.Generator, int], Array]


@cache
def certifiable() -> tuple[Task, ...]:
    """The m tasks of General-Bench that a win can be certified of."""
    return tuple(task for task in general_bench().tasks if task.reference_workbook is not None and not obstacle_of(task.metric))


def wins_share(plan: int = 1) -> float:
    return Shares.of(ALPHA, plan).wins


# ------------------------------------------------------------------------------------------------------------------- p-values of many


def p_of_shares(right: Array, count: int, share: float) -> Array:
    return stats.binom.sf(right - 1, count, share)


@dataclass(frozen=True)
class Null:
    """A task whose truth is its reference. draw: statistics of so many runs. p_values: of "better", of each run; worse: of "worse".

    rows: one run's statistics as the scorer takes them. published: the reference in the metric's unit.
    """

    task: Task
    draw: Draw
    p_values: Callable[[Array], Array]
    worse: Callable[[Array], Array]
    rows: Callable[[Array], list[Any]]
    published: float
    clusters: tuple[int, ...] = ()


def binary(task: Task, count: int, share: float, truth: float | None = None) -> Null:
    chance = share if truth is None else truth
    return Null(
        task,
        lambda rng, runs: rng.binomial(count, chance, runs),
        lambda right: p_of_shares(right, count, share),
        lambda right: p_of_shares(count - right, count, 1.0 - share),
        lambda right: [1.0] * int(right) + [0.0] * (count - int(right)),
        100.0 * share,
    )


def bounded(task: Task, count: int, share: float, draw: Draw, bounds: tuple[float, float] = (0.0, 1.0)) -> Null:
    above, below = (bets(at, one_unit(count)) for at in (share, 1.0 - share))
    low, high = bounds
    scale = 100.0 if high == 1.0 else 1.0
    return Null(
        task,
        draw,
        lambda values: p_of_gains(values - share, *above),
        lambda values: p_of_gains(share - values, *below),
        lambda values: (low + (high - low) * values).tolist(),
        scale * (low + (high - low) * share),
    )


def pooled(task: Task, count: int, ratio: float, draw: Callable[[np.random.Generator, tuple[int, ...]], tuple[Array, Array]]) -> Null:
    """Micro-F1: hits and misses, a unit's items being 2 hits + misses."""
    units = Units(np.ones(1), np.ones(1), np.array([float(count)]), float(MOST_ITEMS), 0.0)
    above, below = bets(ratio, units), bets(1.0 - ratio, units)
    return Null(
        task,
        lambda rng, runs: np.stack(draw(rng, (runs, count)), axis=2),
        lambda both: p_of_gains(both[:, :, 0] - ratio * both[:, :, 1], *above),
        lambda both: p_of_gains(ratio * both[:, :, 1] - both[:, :, 0], *below),
        lambda both: [[int(up / 2), 0, int(down - up)] for up, down in both],
        100.0 * ratio,
    )


def clustered(task: Task, sizes: Sequence[int], share: float, alike: float) -> Null:
    """Right or wrong answers, with probability ``alike`` those of a cluster the same."""
    widths = np.asarray(sizes, dtype=float)
    units = Units(np.ones(1), np.ones(1), np.array([float(len(widths))]), float(widths.max()), math.sqrt(float((widths**2).mean())))
    above, below = bets(share, units), bets(1.0 - share, units)

    def draw(rng: np.random.Generator, runs: int) -> Array:
        own = rng.binomial(widths.astype(int), share, (runs, len(widths)))
        same = widths * (rng.random((runs, len(widths))) < share)
        return np.where(rng.random((runs, len(widths))) < alike, same, own)

    return Null(
        task,
        draw,
        lambda sums: p_of_gains(sums - share * widths, *above),
        lambda sums: p_of_gains(share * widths - sums, *below),
        lambda sums: [float(one < right) for right, size in zip(sums, sizes, strict=True) for one in range(size)],
        100.0 * share,
        tuple(np.repeat(np.arange(len(sizes)), sizes).tolist()),
    )


# -------------------------------------------------------------------------------------------------------------------------- families


def labelled(mean: float) -> Callable[[np.random.Generator, tuple[int, ...]], tuple[Array, Array]]:
    """Documents of 1 to 6 items, twice as many in sum, right with a chance of its own each; the true ratio is ``mean``."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[Array, Array]:
        items, reach = rng.integers(1, 7, shape), 0.8 * min(mean, 1.0 - mean)
        right = rng.binomial(items, mean + reach * (2 * rng.integers(0, 2, shape) - 1))
        return 2.0 * right, 2.0 * items

    return draw


def null_of(task: Task, position: int, count: int, better: float = 0.0) -> Null | None:
    """A certifiable task of the benchmark, its instances of a usual shape; None if its reference is its best or worst score.

    better: how much the true score is above the reference, as a share of its range.
    """
    nature, reference = nature_of(task.metric), task.reference_workbook
    assert nature is not None
    assert reference is not None
    low, high = (0.0, 100.0) if nature.highest in (1.0, math.inf) else (nature.lowest, nature.highest)
    share = (reference - low) / (high - low)
    truth = min(share + better, 0.995)
    if not 0.004 < share < 0.996 or nature.proof is Proof.PAIR_BETTING:
        return None
    if nature.proof is Proof.BINOMIAL:
        return binary(task, count, share, truth)
    if nature.proof is Proof.POOLED_BETTING:
        return pooled(task, count, share, labelled(truth))
    shape = (f1_like, bleu_like)[position % 2]
    return bounded(task, count, share, shape(truth, count), (nature.lowest, nature.highest))


def benchmark(cap: int, better: float = 0.0) -> list[Null]:
    """All certifiable tasks, with the task list's n, at most this."""
    made = (null_of(task, position, min(max(task.instances, 2), cap), better) for position, task in enumerate(certifiable()))
    return [null for null in made if null is not None]


def least_of(nulls: Sequence[Null], runs: int, seed: Sequence[int], *, losses: bool = False) -> Array:
    """The least p-value of each run over all tasks. losses: those of "worse" too, times what makes their share that of the wins."""
    found = np.ones(runs)
    shares = Shares.of(ALPHA)
    for position, null in enumerate(nulls):
        rng = np.random.Generator(np.random.SFC64([*seed, position]))
        step = max(1, BATCH // max(10, len(null.rows(null.draw(rng, 1)[0]))))
        for start in range(0, runs, step):
            part = slice(start, min(runs, start + step))
            drawn = null.draw(rng, part.stop - part.start)
            found[part] = np.minimum(found[part], null.p_values(drawn))
            if losses:
                found[part] = np.minimum(found[part], null.worse(drawn) * shares.wins / shares.lost_tasks)
    return found


def first_step(tests: int, plan: int = 1) -> float:
    return wins_share(plan) / tests


@dataclass(frozen=True)
class Row:
    """hits: runs with a false claim."""

    name: str
    hits: int
    runs: int


def families(runs: int) -> Iterator[Row]:
    m = len(certifiable())
    for name, cap in ((f"real n (at most {CAP:,})", CAP), ("n = 50", 50), ("n = 25", 25)):
        nulls = benchmark(cap)
        yield Row(f"all {m} certifiable tasks, {name}", int((least_of(nulls, runs, [1, cap]) <= first_step(m)).sum()), runs)
    least = least_of(benchmark(50), runs, [2], losses=True)
    yield Row("n = 50, any false win, attained or not attained", int((least <= first_step(m)).sum()), runs)
    for name, null in hard_nulls():
        hits = least_of([null] * m, runs, [3, len(name)]) <= first_step(m)
        yield Row(f"{m} tasks of: {name}", int(hits.sum()), runs)


def hard_nulls() -> Iterator[tuple[str, Null]]:
    graded, right, counts = (task_with(metric) for metric in ("f1", "accuracy", "micro_f1"))
    for zeros, least, sizes in ((0.02, 0.98, (25, 50, 200)), (0.005, 0.995, (464,))):
        _plain, sized, mean = near_perfect(zeros, least)
        for count in sizes:
            yield f"graded, {100 * zeros:g} % zeros, else {least:g}-1, n = {count}", bounded(graded, count, mean, sized(count))
    for share in ((0.93 * first_step(len(certifiable()))) ** (1.0 / 25), 0.999):
        # All right with just the chance at which that decides: there Markov's inequality is closest.
        yield f"graded, all or nothing at {100 * share:.3g}, n = 25", bounded(graded, 25, share, right_or_wrong(share, 25))
    for share, items in ((0.01, 100), (0.005, 200)):
        documents = Documents(0.9, share, items)
        name = f"micro-F1, {100 * share:g} % failing documents of {items} items, n = 200"
        yield name, pooled(counts, 200, documents.ratio, documents.draw)
    yield "one cluster holds half of the data, at 70", clustered(right, [100] + [2] * 50, 0.7, 1.0)
    yield "10 clusters of 20, at 90", clustered(right, [20] * 10, 0.9, 0.5)
    yield "10 clusters of 20, each all alike, at 50", clustered(right, [20] * 10, 0.5, 1.0)


def task_with(metric: str) -> Task:
    return next(task for task in certifiable() if task.metric.id == metric)


def untested(runs: int) -> Iterator[Row]:
    """What has no test: the scorer's own p-values of tasks at their truth say nothing, so that the others' errors are all there are."""
    names = ("anomaly AP 34, 5 % positives, n = 200", "ROC AUC 90, 2 % positives, n = 464", "MAE, 0.2 % outliers, n = 464")
    cases, rng = [case for case in coverages() if case.name in names], np.random.Generator(np.random.SFC64(4))
    assert len(cases) == len(names)
    for case in cases:
        task = task_of(case.metric, case.parameters)
        for _draw in range(25):
            ends = evidence_from_statistics(TaskMetric(case.metric, "", case.parameters), statistics_of(case.draw(rng)[0]))
            assert ends is not None
            assert TaskEvidence.of(task, ends).win_p_value(case.truth) == 1.0
        yield Row(f"tasks of {case.name} alone (not certifiable: p = 1)", 0, runs)
    hits = int((least_of(benchmark(CAP), runs, [5]) <= first_step(len(certifiable()))).sum())
    yield Row("real n, with 60 tasks of average precision (not certifiable: p = 1)", hits, runs)


# ------------------------------------------------------------------------------------------------------------- choice, time, specialists


def chosen(runs: int) -> Iterator[Row]:
    m, right = len(certifiable()), task_with("accuracy")
    sixty = [binary(right, 464, share) for share in np.linspace(0.2, 0.9, 60)]
    yield Row("the luckiest of 60, submitted alone", int((least_of(sixty, runs, [6]) <= first_step(m)).sum()), runs)
    hits = np.zeros(runs, dtype=bool)
    for plan in range(1, 6):
        hits |= least_of(benchmark(200), runs, [7, plan]) <= first_step(m, plan)
    yield Row("five seeds (n at most 200): a win in any of the five plans", int(hits.sum()), runs)
    grown, looked = np.zeros(runs, dtype=bool), np.zeros(runs, dtype=bool)
    limits = (25, 50, 100, 200, 400)
    for position in range(m):
        share, rng = 0.1 + 0.8 * position / m, np.random.Generator(np.random.SFC64([8, position]))
        so_far = np.zeros(runs, dtype=int)
        for plan, (before, limit) in enumerate(zip((0, *limits), limits, strict=False), start=1):
            so_far += rng.binomial(limit - before, share, runs)
            grown |= p_of_shares(so_far, limit, share) <= first_step(m, plan)
            # Open instances count as wrong.
            looked |= p_of_shares(so_far, limits[-1], share) <= first_step(m)
    yield Row(f"--limit {', '.join(map(str, limits))}, a plan each: a win in any of them", int(grown.sum()), runs)
    yield Row("looking five times while 400 instances run", int(looked.sum()), runs)


def against_specialists(runs: int) -> Iterator[Row]:
    """The model's truth is the specialist's, both are measured on n instances; the figure is published to two decimals."""
    tasks = [task for task in certifiable() if task.metric.id == "accuracy"]
    for cap in (CAP, 100, 50):
        ours, figures = _both_readings(tasks, cap, runs)
        for size in (len(tasks), len(certifiable())):
            name = f"{len(tasks)} accuracy tasks, m = {size}, n of both at most {cap:,}"
            yield Row(f"specialists: {name}", int((ours <= first_step(size)).sum()), runs)
            yield Row(f"above the drawn figures, as if a win over the specialist: {name}", int((figures <= first_step(size)).sum()), runs)
    m, least = len(certifiable()), _both_readings(tasks, 100, runs)[0]
    graded = [null for null in benchmark(100) if null.task.metric.id != "accuracy" and _is_mean(null.task)]
    for position, null in enumerate(graded):
        rng = np.random.Generator(np.random.SFC64([10, position]))
        least = np.minimum(least, _p_of_two_means(null.draw(rng, runs), null.draw(rng, runs)))
    yield Row(
        f"specialists: {len(tasks)} accuracy and {len(graded)} graded tasks, m = {m}, n of both at most 100",
        int((least <= first_step(m)).sum()),
        runs,
    )


def _is_mean(task: Task) -> bool:
    nature = nature_of(task.metric)
    return nature is not None and nature.proof is Proof.BETTING and nature.highest == 1.0


def _both_readings(tasks: Sequence[Task], cap: int, runs: int) -> tuple[Array, Array]:
    """The least p-values of each run: against specialists, and against their figures."""
    least, told = np.ones(runs), np.ones(runs)
    for position, task in enumerate(tasks):
        rng, count = np.random.Generator(np.random.SFC64([9, cap, position])), min(max(task.instances, 2), cap)
        share = min(max((task.reference_workbook or 0.0) / 100.0, 0.0), 1.0)
        model, other = rng.binomial(count, share, runs), rng.binomial(count, share, runs)
        figures = np.round(100.0 * other / count, 2)
        published = p_of_shares(model, count, figures / 100.0)
        told = np.minimum(told, published)
        near = np.flatnonzero(published <= CERTAIN)
        steps = [specialists.least_step(float(figure)) / 100.0 for figure in figures[near]]
        most = np.array([specialists.successes(float(f) / 100.0, count, s, better=True) for f, s in zip(figures[near], steps, strict=True)])
        if len(near):
            found = stats.hypergeom.sf(model[near] - 1, 2 * count, model[near] + most, count)
            least[near] = np.minimum(least[near], np.maximum(found, published[near]))
    return least, told


def _p_of_two_means(ours: Array, theirs: Array) -> Array:
    count, figures = ours.shape[1], np.round(100.0 * theirs.mean(axis=1), 2)
    found = np.ones(len(ours))
    for row in range(len(ours)):
        share = min(max(specialists.hardest(float(figures[row]), better=True) / 100.0, 0.0), 1.0)
        # What is not above the published figure, at this error, is not above its specialist.
        if p_of_gains(ours[row : row + 1] - share, *bets(share, one_unit(count)))[0] > CERTAIN:
            continue
        units = Units(ours[row], np.ones(count), np.ones(count), 1.0, 1.0)
        found[row] = specialists.p_apart(wealth_against(units, share), specialists.specialist_wealth(share, count), (share, units.ratio))
    return found


# ----------------------------------------------------------------------------------------------------------------------------- check


def check() -> None:
    """The p-values drawn at once are the scorer's, and what is certified of all tasks is what Holm's procedure rejects of them."""
    nulls, rng = [*benchmark(40, better=0.3)[::3], *(null for _name, null in hard_nulls())], np.random.default_rng(0)
    evidence, expected = [], {}
    for null in nulls:
        if null.task.metric.id not in CHECKED:
            continue
        drawn = null.draw(rng, 1)
        statistics = statistics_of(null.rows(drawn[0]))
        owners = dict(zip(statistics, null.clusters, strict=True)) if null.clusters else {}
        ends = evidence_from_statistics(null.task.metric, statistics, owners)
        assert ends is not None
        found = TaskEvidence.of(null.task, ends)
        for ours, theirs in (
            (null.p_values(drawn)[0], found.win_p_value(null.published)),
            (null.worse(drawn)[0], found.loss_p_value(null.published)),
        ):
            assert math.isclose(ours, theirs, rel_tol=1e-4) or (ours == 1.0 and theirs > CERTAIN), (null.task.id, ours, theirs)
        if null.published == null.task.reference_workbook or math.isclose(null.published, null.task.reference_workbook or 0.0):
            evidence.append(found)
            expected[null.task.id] = float(null.p_values(drawn)[0])
    results = judge_all(general_bench(), {entry.task.id: entry.low.value for entry in evidence})
    certified = {task.task.id for task in certify(results, evidence, ALPHA).tasks if task.status is Status.ATTAINED}
    rejected, left = set(), len(certifiable())
    for task_id, p_value in sorted(expected.items(), key=lambda item: item[1]):
        if p_value * left > wins_share():
            break
        rejected.add(task_id)
        left -= 1
    assert certified == rejected, (len(certified), len(rejected))
    assert 0 < len(certified) < len(evidence)
