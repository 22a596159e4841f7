"""Each kind of test on truths that are hard for it and exactly the reference: how often it is rejected at the threshold that General-Bench
needs. Bets are settled for many draws at once; ``check`` holds that they are what the scorer says. Of two points it is exact.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats
from simulate_exact import THRESHOLD, binomial_rate, fisher_rate, one_unit, worst_of_two_points

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Task, TaskMetric
from genlevel.benchmark.outcomes import Outcome
from scorer.certify import TaskEvidence, evidence_from_statistics, specialists
from scorer.certify.betting import Units, bets
from scorer.certify.ends import MOST_ITEMS

CERTAIN = 1e-3
"""p-values above this are given as 1: no step of Holm's procedure over hundreds of tasks comes near it."""
Array = Any
Draw = Callable[[np.random.Generator, int], Array]
"""(generator, draws) -> (draws, n) numbers 0..1."""


def near_perfect(zeros: float, least: float) -> tuple[Draw, Callable[[int], Draw], float]:
    """Nearly all between ``least`` and 1, a few 0; and how it is drawn for n, and its mean."""

    def sized(count: int) -> Draw:
        return lambda rng, draws: np.where(rng.random((draws, count)) < zeros, 0.0, rng.uniform(least, 1.0, (draws, count)))

    return sized(464), sized, (1.0 - zeros) * (1.0 + least) / 2.0


def beta(mean: float, weight: float, count: int) -> Draw:
    return lambda rng, draws: rng.beta(mean * weight, (1.0 - mean) * weight, (draws, count))


def f1_like(mean: float, count: int) -> Draw:
    between = min(0.4, 1.8 * mean, 1.8 * (1.0 - mean))
    zeros = 1.0 - between - (mean - between / 2.0)
    return lambda rng, draws: np.clip((rng.random((draws, count)) - zeros) / between, 0.0, 1.0)


def bleu_like(mean: float, count: int) -> Draw:
    return lambda rng, draws: rng.random((draws, count)) ** (1.0 / mean - 1.0)


def right_or_wrong(chance: float, count: int) -> Draw:
    return lambda rng, draws: (rng.random((draws, count)) < chance).astype(float)


def unalike(mean: float, count: int) -> Draw:
    """Right or wrong, half of the instances easy and half hard, in a fixed design."""
    reach = min(mean, 1.0 - mean) * 0.9
    chances = np.where(np.arange(count) % 2 == 0, mean - reach, mean + reach)
    return lambda rng, draws: (rng.random((draws, count)) < chances).astype(float)


def wealth(gains: Array, amounts: Array, weights: Array) -> Array:
    """The mean over bets of prod (1 + L d) of each row of gains, as a logarithm."""
    logarithms = np.stack([np.log1p(np.maximum(amount * gains, -1.0 + 1e-15)).sum(axis=1) for amount in amounts], axis=1)
    highest = logarithms.max(axis=1)
    return highest + np.log((weights * np.exp(logarithms - highest[:, None])).sum(axis=1))


def p_of_gains(gains: Array, amounts: Array, weights: Array) -> Array:
    """The p-value of each row, 1 if it is above CERTAIN. Most rows need no logarithm: log(1 + x) <= x - x^2 / 2 + x^3 / 3."""
    p_values = np.ones(len(gains))
    near = np.flatnonzero(_may_win(gains, amounts))
    if len(near):
        found = np.exp(-np.maximum(0.0, wealth(gains[near], amounts, weights)))
        p_values[near] = np.where(found <= CERTAIN, found, 1.0)
    return p_values


def _may_win(gains: Array, amounts: Array) -> Array:
    """Which rows may win 1 over CERTAIN with one of these bets; no other can with their mean."""
    squares = gains * gains
    first, second, third = gains.sum(axis=1), squares.sum(axis=1), np.einsum("ij,ij->i", squares, gains)
    bound = (amounts[:, None] * first - amounts[:, None] ** 2 * second / 2.0 + amounts[:, None] ** 3 * third / 3.0).max(axis=0)
    return bound >= -math.log(CERTAIN)


def p_of_means(values: Array, mean: float) -> Array:
    return p_of_gains(values - mean, *bets(mean, one_unit(values.shape[1])))


def p_of_clusters(values: Array, sizes: Array, mean: float) -> Array:
    """values: (draws, clusters), sums over each cluster."""
    most, spread = float(sizes.max()), math.sqrt(float((sizes.astype(float) ** 2).mean()))
    units = Units(np.ones(1), np.ones(1), np.array([float(len(sizes))]), most, spread)
    return p_of_gains(values - mean * sizes, *bets(mean, units))


def p_of_counts(above: Array, below: Array, ratio: float) -> Array:
    """(draws, units) each; 1 if a unit is larger than the test is for."""
    units = Units(np.ones(1), np.ones(1), np.array([float(above.shape[1])]), float(MOST_ITEMS), 0.0)
    found = p_of_gains(above - ratio * below, *bets(ratio, units))
    return np.where(below.max(axis=1) > MOST_ITEMS, 1.0, found)


# ---------------------------------------------------------------------------------------------------------------------------- nulls


@dataclass(frozen=True)
class Null:
    """p-values of "better" and "worse" in a batch of draws whose truth is the reference."""

    kind: str
    case: str
    draw: Callable[[np.random.Generator, int], tuple[Array, Array]]


def _means(case: str, draw: Draw, mean: float) -> Null:
    def both(rng: np.random.Generator, draws: int) -> tuple[Array, Array]:
        values = draw(rng, draws)
        return p_of_means(values, mean), p_of_means(1.0 - values, 1.0 - mean)

    return Null("bounded mean", case, both)


def _clusters(case: str, sizes: Array, chances: Array, alike: float) -> Null:
    """Right or wrong answers with the chance of their cluster, with probability ``alike`` all of a cluster the same."""
    sizes = np.asarray(sizes)
    chances = np.broadcast_to(np.asarray(chances, dtype=float), sizes.shape)
    mean = float(chances @ sizes) / float(sizes.sum())
    owners = np.repeat(np.arange(len(sizes)), sizes)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])

    def both(rng: np.random.Generator, draws: int) -> tuple[Array, Array]:
        own, common = rng.random((draws, len(owners))), rng.random((draws, len(sizes)))[:, owners]
        right = (np.where(rng.random((draws, len(sizes)))[:, owners] < alike, common, own) < chances[owners]).astype(float)
        sums = np.add.reduceat(right, starts, axis=1)
        return p_of_clusters(sums, sizes, mean), p_of_clusters(sizes - sums, sizes, 1.0 - mean)

    return Null("clusters", case, both)


@dataclass(frozen=True)
class Documents:
    """With 1 to 4 labels, named with some skill; a share of huge ones of so many items that fail, or are right, as a whole."""

    skill: float
    huge: float = 0.0
    items: int = 0
    failing: bool = True

    @property
    def ratio(self) -> float:
        """The true micro-F1, 0..1: 2.5 labels are expected, 2.5 * skill hits, 0.3 extra."""
        gain, size = 5.0 * self.skill * (1 - self.huge), (2.5 + 2.5 * self.skill + 0.3) * (1 - self.huge) + self.huge * self.items
        return (gain + (0.0 if self.failing else self.huge * self.items)) / size

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[Array, Array]:
        """What each adds above and below."""
        wanted = rng.integers(1, 5, shape)
        hits, extra, rare = rng.binomial(wanted, self.skill), rng.poisson(0.3, shape), rng.random(shape) < self.huge
        above = np.where(rare, 0 if self.failing else self.items, 2 * hits)
        return above.astype(float), np.where(rare, self.items, wanted + hits + extra).astype(float)


def _micro_f1(case: str, count: int, documents: Documents) -> Null:
    ratio = documents.ratio

    def both(rng: np.random.Generator, draws: int) -> tuple[Array, Array]:
        above, below = documents.draw(rng, (draws, count))
        return p_of_counts(above, below, ratio), p_of_counts(below - above, below, 1.0 - ratio)

    return Null("pooled counts", f"{case}, n = {count}", both)


def _bell(case: str, positives: int, negatives: int, area: float) -> Null:
    shift = float(stats.norm.ppf(area)) * 2**0.5
    return _areas(
        case,
        lambda rng, draws: rng.normal(shift, 1.0, (draws, positives)),
        lambda rng, draws: rng.normal(0.0, 1.0, (draws, negatives)),
        area,
    )


def _tied(case: str, counts: tuple[int, int], high: tuple[float, ...], low: tuple[float, ...]) -> Null:
    """Confidences of a few levels, of these chances for positives and for negatives."""
    area = sum(chance * (sum(low[:level]) + low[level] / 2.0) for level, chance in enumerate(high))
    sides = [
        lambda rng, draws, count=count, side=side: rng.choice(len(side), (draws, count), p=side)
        for count, side in zip(counts, (high, low), strict=True)
    ]
    return _areas(f"{case}, area {100 * area:.1f}", sides[0], sides[1], area)


def _areas(case: str, highs: Draw, lows: Draw, area: float) -> Null:
    """The deals as the scorer's, of each draw anew."""
    from scorer.certify.pairs import DEALS

    positives, negatives = (draw(np.random.default_rng(0), 1).shape[1] for draw in (highs, lows))
    few, many = min(positives, negatives), max(positives, negatives)
    owners = np.arange(many) * few // many
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    sizes = np.diff(starts, append=many)

    def both(rng: np.random.Generator, draws: int) -> tuple[Array, Array]:
        high, low = highs(rng, draws), lows(rng, draws)
        deals = []
        for _deal in range(DEALS):
            ours, theirs = rng.permuted(high, axis=1), rng.permuted(low, axis=1)
            apart = ours[:, owners] - theirs if positives <= negatives else ours - theirs[:, owners]
            deals.append(np.add.reduceat(0.5 + 0.5 * np.sign(apart), starts, axis=1) / sizes)

        def p_values(blocks: list[Array], truth: float) -> Array:
            amounts, weights = bets(truth, one_unit(few))
            found = np.ones(len(blocks[0]))
            near = np.flatnonzero(np.any([_may_win(block - truth, amounts) for block in blocks], axis=0))
            if len(near):
                won = np.stack([wealth(block[near] - truth, amounts, weights) for block in blocks])
                found[near] = np.exp(-np.maximum(0.0, np.logaddexp.reduce(won, axis=0) - math.log(DEALS)))
            return found

        return p_values(deals, area), p_values([1.0 - block for block in deals], 1.0 - area)

    return Null("ROC AUC", case, both)


def _specialists(case: str, ours: Draw, theirs: Draw, counts: tuple[int, int], digits: int) -> Null:
    """Both have one true mean; the specialist's is published to some digits of a percentage."""
    from scorer.certify.betting import wealth_against

    count, others = counts

    def both(rng: np.random.Generator, draws: int) -> tuple[Array, Array]:
        model, published = ours(rng, draws), np.round(100.0 * theirs(rng, draws).mean(axis=1), digits)
        found = np.ones((2, draws))
        # Only what is far apart can be rejected: for the rest the p-value is not needed.
        far = np.abs(model.mean(axis=1) - published / 100.0) / np.sqrt(model.var(axis=1) / count + 0.25 / others) > 1.5
        for row in np.flatnonzero(far):
            for side, better in enumerate((True, False)):
                share = min(max(specialists.hardest(float(published[row]), better=better) / 100.0, 0.0), 1.0)
                values = model[row] if better else 1.0 - model[row]
                share = share if better else 1.0 - share
                units = Units(values, np.ones(count), np.ones(count), 1.0, 1.0)
                if units.ratio > share:
                    theirs_won = specialists.specialist_wealth(share, others)
                    found[side, row] = specialists.p_apart(wealth_against(units, share), theirs_won, (share, units.ratio))
        return found[0], found[1]

    return Null("mean against specialist", case, both)


def nulls() -> list[Null]:
    huge = [100] + [2] * 50
    cases = [_means(f"Beta(2, 2), n = {n}", beta(0.5, 4.0, n), 0.5) for n in (25, 50, 464)]
    for zeros, least, counts in ((0.02, 0.98, (25, 50, 200)), (0.005, 0.995, (464,))):
        _plain, sized, mean = near_perfect(zeros, least)
        cases += [_means(f"{100 * zeros:g} % zeros, else {least:g}-1, n = {n}", sized(n), mean) for n in counts]
    cases += [_means(f"F1-like at {100 * mean:g}, n = 464", f1_like(mean, 464), mean) for mean in (0.1, 0.9)]
    cases += [_means(f"BLEU-like at {100 * mean:g}, n = 464", bleu_like(mean, 464), mean) for mean in (0.1, 0.9)]
    cases += [_means(f"right or wrong, easy and hard, at {100 * mean:g}, n = 200", unalike(mean, 200), mean) for mean in (0.5, 0.9)]
    cases += [
        _clusters("one cluster holds half", huge, 0.7, 1.0),
        _clusters("10 clusters of 20 at 90", [20] * 10, 0.9, 0.5),
        _clusters("10 clusters of 20 at 90, each all alike", [20] * 10, 0.9, 1.0),
        _clusters("116 clusters of 1-7", [1 + index % 7 for index in range(116)], 0.6, 0.5),
        _micro_f1("1 % huge failing documents of 300 items", 200, Documents(0.9, 0.01, 300)),
        _micro_f1("1 % huge failing documents of 100 items", 200, Documents(0.9, 0.01, 100)),
        _micro_f1("1 % huge failing documents of 100 items", 464, Documents(0.9, 0.01, 100)),
        _micro_f1("0.5 % huge failing documents of 200 items", 464, Documents(0.9, 0.005, 200)),
        _micro_f1("1 % huge right documents of 200 items", 200, Documents(0.5, 0.01, 200, failing=False)),
        _micro_f1("no huge documents", 464, Documents(0.8)),
        _clusters("one cluster holds half and is right at 40, others at 100", huge, [0.4] + [1.0] * 50, 1.0),
        _clusters(
            "5 clusters of 10 that fail as a whole at 10, 50 single answers at 95", [10] * 5 + [1] * 50, [0.9] * 5 + [0.95] * 50, 1.0
        ),
        _bell("40 positives of 464, area 60", 40, 424, 0.6),
        _bell("100 of 200, area 80", 100, 100, 0.8),
        _bell("40 positives of 464, area 90", 40, 424, 0.9),
        _bell("15 of 30, area 50", 15, 15, 0.5),
        _tied("two levels, 20 of 40", (20, 20), (0.4, 0.6), (0.6, 0.4)),
        _tied("three levels, 15 of 215", (15, 200), (0.05, 0.15, 0.8), (0.5, 0.4, 0.1)),
        _tied("nearly all at one level, 50 of 100", (50, 50), (0.02, 0.9, 0.08), (0.04, 0.94, 0.02)),
        _specialists("Beta(2, 2), both n = 464", beta(0.5, 4.0, 464), beta(0.5, 4.0, 464), (464, 464), 1),
        _specialists("F1-like at 80, n = 464 and 100", f1_like(0.8, 464), f1_like(0.8, 100), (464, 100), 2),
        _specialists("all or nothing at 97, n = 200 and 200", right_or_wrong(0.97, 200), right_or_wrong(0.97, 200), (200, 200), 0),
        _specialists("all or nothing at 50, n = 464 and 25", right_or_wrong(0.5, 464), right_or_wrong(0.5, 25), (464, 25), 0),
        _specialists("2 % zeros, else 0.98-1, n = 100 and 100", *(2 * [near_perfect(0.02, 0.98)[1](100)]), (100, 100), 1),
    ]
    return cases


@dataclass(frozen=True)
class Rate:
    """Rejections of "better" and of "worse" at THRESHOLD over those that are allowed. draws: 0 if exact."""

    kind: str
    case: str
    draws: int
    better: float
    worse: float

    def __str__(self) -> str:
        return f"| {self.kind} | {self.case}{'' if self.draws else ' (exact)'} | {self.better:.3f} | {self.worse:.3f} |"


def null_rates(draws: int, seed: int = 1, only: str = "") -> Iterator[Rate]:
    for chance, count in ((0.5, 25), (0.9, 464), (0.98, 464), (0.999, 464)):
        sides = [binomial_rate(side, count) / THRESHOLD for side in (chance, 1 - chance)]
        yield Rate("right or wrong", f"{100 * chance:g}, n = {count}", 0, *sides)
    for chance, count, others, digits in (
        (0.5, 464, 464, 1),
        (0.72, 464, 100, 2),
        (0.95, 200, 500, 1),
        (0.995, 464, 464, 2),
        (0.5, 464, 40, 0),
    ):
        sides = [fisher_rate(side, count, others, digits) / THRESHOLD for side in (chance, 1 - chance)]
        yield Rate("right or wrong against specialist", f"{100 * chance:g}, n = {count} and {others}", 0, *sides)
    for case, better, worse in worst_of_two_points():
        yield Rate("bounded mean", case, 0, better, worse)
    for number, null in enumerate(nulls()):
        if only and only not in f"{null.kind}: {null.case}":
            continue
        rng = np.random.Generator(np.random.SFC64([seed, number]))
        better = worse = done = 0
        while done < draws:
            batch = min(2000, draws - done)
            high, low = null.draw(rng, batch)
            better, worse, done = better + int((high <= THRESHOLD).sum()), worse + int((low <= THRESHOLD).sum()), done + batch
        yield Rate(null.kind, null.case, done, better / done / THRESHOLD, worse / done / THRESHOLD)


def statistics_of(rows: Any) -> dict[AnswerKey, tuple[Outcome, object]]:
    return {AnswerKey(f"{index:05}"): (Outcome.ANSWERED, row) for index, row in enumerate(rows)}


def task_of(metric_id: str, parameters: tuple[tuple[str, str], ...] = ()) -> Task:
    """A task of General-Bench with this metric."""
    named = [task for task in general_bench().tasks if task.metric.id == metric_id]
    return next((task for task in named if task.metric.parameters == parameters), named[0])


def check() -> None:
    """What is settled for many draws at once is what the scorer says."""
    rng = np.random.default_rng(0)
    values = np.round(rng.beta(5.0, 2.0, (3, 100)), 6)
    found = p_of_means(values, 0.5)
    for row, p_value in zip(values, found, strict=True):
        ends = evidence_from_statistics(TaskMetric("f1", ""), statistics_of(row.tolist()))
        assert ends is not None
        assert math.isclose(TaskEvidence.of(task_of("f1"), ends).win_p_value(50.0), p_value, rel_tol=1e-6)
    above, below = Documents(0.9, 0.01, 100).draw(rng, (2, 100))
    for up, down, p_value in zip(above, below, p_of_counts(above, below, 0.05), strict=True):
        rows = [[int(one / 2), 0, int(other - one)] for one, other in zip(up, down, strict=True)]
        ends = evidence_from_statistics(TaskMetric("micro_f1", ""), statistics_of(rows))
        assert ends is not None
        found = TaskEvidence.of(task_of("micro_f1"), ends).win_p_value(5.0)
        assert math.isclose(found if found <= CERTAIN else 1.0, p_value, rel_tol=1e-6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=200_000)
    parser.add_argument("--case", default="", help="only cases whose names have this in them")
    asked = parser.parse_args()
    started = time.perf_counter()
    check()
    for rate in null_rates(asked.draws, only=asked.case):
        print(rate, flush=True)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
