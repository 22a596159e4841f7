"""Each kind of test and interval on truths that are hard for it: how often a null is rejected at the threshold that General-Bench needs,
how often intervals hold the true score, how wide they are, and what is found of a model that is truly better.

``null_rates`` draws scores whose truth is exactly the reference; ``coverages`` and ``powers`` go through the scorer as a run does. In nulls
bets are settled for many draws at once; ``check`` holds that they are what the scorer says.

    python tests/performance/simulate_kinds.py [--draws 200000] [--runs 1000] [--only null|coverage|power]
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

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Task, TaskMetric
from genlevel.benchmark.outcomes import Outcome
from scorer.certify import TaskEvidence, evidence_from_statistics, specialists
from scorer.certify.betting import Units, bets
from scorer.certify.ends import MOST_ITEMS
from scorer.certify.intervals import student

THRESHOLD = 0.05 / 584
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


def one_unit(count: int) -> Units:
    return Units(np.ones(1), np.ones(1), np.array([float(count)]), 1.0, 1.0)


def p_of_means(values: Array, mean: float) -> Array:
    return np.exp(-np.maximum(0.0, wealth(values - mean, *bets(mean, one_unit(values.shape[1])))))


def p_of_clusters(values: Array, sizes: Array, mean: float) -> Array:
    """values: (draws, clusters), sums over each cluster."""
    most, spread = float(sizes.max()), math.sqrt(float((sizes.astype(float) ** 2).mean()))
    units = Units(np.ones(1), np.ones(1), np.array([float(len(sizes))]), most, spread)
    return np.exp(-np.maximum(0.0, wealth(values - mean * sizes, *bets(mean, units))))


def p_of_counts(above: Array, below: Array, ratio: float) -> Array:
    """(draws, units) each; 1 if a unit is larger than the test is for."""
    units = Units(np.ones(1), np.ones(1), np.array([float(above.shape[1])]), float(MOST_ITEMS), 0.0)
    found = np.exp(-np.maximum(0.0, wealth(above - ratio * below, *bets(ratio, units))))
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


def _clusters(case: str, sizes: Array, mean: float, alike: float) -> Null:
    """Right or wrong answers, with probability ``alike`` all of a cluster the same."""
    sizes = np.asarray(sizes)
    owners = np.repeat(np.arange(len(sizes)), sizes)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])

    def both(rng: np.random.Generator, draws: int) -> tuple[Array, Array]:
        own, common = rng.random((draws, len(owners))), rng.random((draws, len(sizes)))[:, owners]
        right = (np.where(rng.random((draws, len(sizes)))[:, owners] < alike, common, own) < mean).astype(float)
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


def _areas(case: str, positives: int, negatives: int, area: float) -> Null:
    """Normal scores; the deals as the scorer's, of each draw anew."""
    from scorer.certify.pairs import DEALS

    shift = float(stats.norm.ppf(area)) * 2**0.5
    few, many = min(positives, negatives), max(positives, negatives)
    owners = np.arange(many) * few // many
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    sizes = np.diff(starts, append=many)

    def both(rng: np.random.Generator, draws: int) -> tuple[Array, Array]:
        high, low = rng.normal(shift, 1.0, (draws, positives)), rng.normal(0.0, 1.0, (draws, negatives))
        deals = []
        for _deal in range(DEALS):
            ours, theirs = rng.permuted(high, axis=1), rng.permuted(low, axis=1)
            right = (ours[:, owners] > theirs) if positives <= negatives else (ours > theirs[:, owners])
            deals.append(np.add.reduceat(right.astype(float), starts, axis=1) / sizes)

        def p_values(blocks: list[Array], truth: float) -> Array:
            won = np.stack([wealth(block - truth, *bets(truth, one_unit(few))) for block in blocks])
            return np.exp(-np.maximum(0.0, np.logaddexp.reduce(won, axis=0) - math.log(DEALS)))

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
        _areas("40 positives of 464, area 60", 40, 424, 0.6),
        _areas("100 of 200, area 80", 100, 100, 0.8),
        _areas("40 positives of 464, area 90", 40, 424, 0.9),
        _specialists("Beta(2, 2), both n = 464", beta(0.5, 4.0, 464), beta(0.5, 4.0, 464), (464, 464), 1),
        _specialists("F1-like at 80, n = 464 and 100", f1_like(0.8, 464), f1_like(0.8, 100), (464, 100), 2),
    ]
    return cases


def binomial_rate(chance: float, count: int) -> float:
    """The exact chance that the exact test rejects a null."""
    from scorer.certify.distributions import binomial_at_least

    first = next((right for right in range(count + 1) if binomial_at_least(right, count, chance) <= THRESHOLD), count + 1)
    return float(stats.binom.sf(first - 1, count, chance))


def fisher_rate(chance: float, count: int, others: int, digits: int) -> float:
    """The exact chance that the model is called better than a specialist that is as good, whose percentage is published to some digits."""
    total = 0.0
    for right in range(others + 1):
        weight = float(stats.binom.pmf(right, others, chance))
        if weight < 1e-12:
            continue
        published = round(100.0 * right / others, digits)
        taken = specialists.successes(published / 100.0, others, specialists.least_step(published) / 100.0, better=True)
        low, high = 0, count + 1
        while low < high:
            middle = (low + high) // 2
            if middle > count or specialists.fisher_above(middle, count, taken, others) <= THRESHOLD:
                high = middle
            else:
                low = middle + 1
        total += weight * float(stats.binom.sf(low - 1, count, chance))
    return total


def null_rates(draws: int, seed: int = 1, only: str = "") -> Iterator[tuple[str, str, int, float, float]]:
    """(kind, case, draws, rate of "better", rate of "worse") at THRESHOLD, both over THRESHOLD."""
    for chance, count in ((0.5, 25), (0.9, 464), (0.98, 464)):
        rate = binomial_rate(chance, count) / THRESHOLD
        yield "right or wrong", f"{100 * chance:g}, n = {count} (exact)", 0, rate, binomial_rate(1 - chance, count) / THRESHOLD
    for chance, count, others, digits in ((0.5, 464, 464, 1), (0.72, 464, 100, 2), (0.95, 200, 500, 1)):
        sides = [fisher_rate(side, count, others, digits) / THRESHOLD for side in (chance, 1 - chance)]
        yield "right or wrong against specialist", f"{100 * chance:g}, n = {count} and {others} (exact)", 0, sides[0], sides[1]
    for number, null in enumerate(nulls()):
        if only and only not in f"{null.kind}: {null.case}":
            continue
        rng = np.random.Generator(np.random.SFC64([seed, number]))
        better = worse = done = 0
        while done < draws:
            batch = min(2000, draws - done)
            high, low = null.draw(rng, batch)
            better, worse, done = better + int((high <= THRESHOLD).sum()), worse + int((low <= THRESHOLD).sum()), done + batch
        yield null.kind, null.case, done, better / done / THRESHOLD, worse / done / THRESHOLD


# --------------------------------------------------------------------------------------------------------- coverage, power, one run


def task_of(metric_id: str, parameters: tuple[tuple[str, str], ...] = ()) -> Task:
    """A task of General-Bench with this metric."""
    named = [task for task in general_bench().tasks if task.metric.id == metric_id]
    return next((task for task in named if task.metric.parameters == parameters), named[0])


def statistics_of(rows: Any) -> dict[AnswerKey, tuple[Outcome, object]]:
    return {AnswerKey(f"{index:05}"): (Outcome.ANSWERED, row) for index, row in enumerate(rows)}


@dataclass(frozen=True)
class Coverage:
    """draw: statistics, clusters by position. truth: of the score, in the metric's unit."""

    name: str
    metric: str
    parameters: tuple[tuple[str, str], ...]
    count: int
    truth: float
    draw: Callable[[np.random.Generator], tuple[list[Any], dict[int, int]]]


def _plain(name: str, count: int, draw: Draw, mean: float, metric: str = "f1") -> Coverage:
    return Coverage(f"{name}, n = {count}", metric, (), count, 100.0 * mean, lambda rng: (draw(rng, 1)[0].tolist(), {}))


def _auc(count: int, share: float, area: float) -> Coverage:
    shift = float(stats.norm.ppf(area)) * 2**0.5

    def draw(rng: np.random.Generator) -> tuple[list[Any], dict[int, int]]:
        positive = np.arange(count) < round(share * count)
        scores = rng.normal(0.0, 1.0, count) + shift * positive
        return [[[float(score), int(not one), int(one)]] for score, one in zip(scores, positive, strict=True)], {}

    return Coverage(f"ROC AUC {100 * area:g}, {100 * share:g} % positives, n = {count}", "auc", (("of", "roc"),), count, 100.0 * area, draw)


def _anomalies(count: int, share: float, shift: float) -> Coverage:
    """Average precision; the truth is that of a very large sample."""
    positives = round(share * count)

    def draw(rng: np.random.Generator) -> tuple[list[Any], dict[int, int]]:
        positive = np.arange(count) < positives
        scores = rng.normal(0.0, 1.0, count) + shift * positive
        return [[[float(score), int(not one), int(one)]] for score, one in zip(scores, positive, strict=True)], {}

    places = np.linspace(-8.0, shift + 8.0, 20_001)
    found, false = stats.norm.sf(places - shift), stats.norm.sf(places)
    precision = share * found / (share * found + (1 - share) * false)
    truth = float(np.trapezoid(precision * stats.norm.pdf(places - shift), places))
    name = f"anomaly AP {100 * truth:.0f}, {100 * share:g} % positives, n = {count}"
    return Coverage(name, "average_precision", (("of", "anomaly_score"),), count, 100.0 * truth, draw)


def _micro(count: int, documents: Documents) -> Coverage:
    def draw(rng: np.random.Generator) -> tuple[list[Any], dict[int, int]]:
        above, below = documents.draw(rng, (count,))
        return [[int(up / 2), 0, int(down - up)] for up, down in zip(above, below, strict=True)], {}

    huge = f", {100 * documents.huge:g} % huge failing documents" if documents.huge else ""
    return Coverage(f"micro-F1{huge}, n = {count}", "micro_f1", (), count, 100.0 * documents.ratio, draw)


def _clustered(name: str, sizes: list[int], mean: float, alike: float) -> Coverage:
    owners = np.repeat(np.arange(len(sizes)), sizes)

    def draw(rng: np.random.Generator) -> tuple[list[Any], dict[int, int]]:
        own, common = rng.random(len(owners)), rng.random(len(sizes))[owners]
        right = (np.where(rng.random(len(sizes))[owners] < alike, common, own) < mean).astype(float)
        return right.tolist(), dict(enumerate(owners.tolist()))

    return Coverage(f"{name}, {len(owners)} answers", "accuracy", (), len(owners), 100.0 * mean, draw)


def _errors(name: str, count: int, draw: Callable[[np.random.Generator], Array], truth: float) -> Coverage:
    return Coverage(f"{name}, n = {count}", "mae", (), count, truth, lambda rng: ([[float(value)] for value in draw(rng)], {}))


def _corpus_bleu(count: int, skill: float) -> Coverage:
    def draw(rng: np.random.Generator) -> tuple[list[Any], dict[int, int]]:
        given, wanted = rng.integers(3, 20, count), rng.integers(8, 25, count)
        return np.stack([rng.binomial(given, skill), given, wanted], axis=1).tolist(), {}

    truth = 100.0 * skill * math.exp(1.0 - 16.0 / 11.0)
    return Coverage(f"corpus BLEU-1, n = {count}", "bleu_1", (("level", "corpus"),), count, truth, draw)


def coverages() -> list[Coverage]:
    cases = []
    for count in (50, 200, 464):
        for chance in (0.5, 0.9, 0.98):
            cases.append(_plain(f"right or wrong at {100 * chance:g}", count, right_or_wrong(chance, count), chance, "accuracy"))
        cases += [_plain("Beta(2, 2)", count, beta(0.5, 4.0, count), 0.5), _plain("F1-like at 80", count, f1_like(0.8, count), 0.8)]
        for zeros, least in ((0.02, 0.98), (0.005, 0.995)):
            _draw, sized, mean = near_perfect(zeros, least)
            cases.append(_plain(f"{100 * zeros:g} % zeros, else {least:g}-1", count, sized(count), mean))
        cases += [_auc(count, share, area) for share, area in ((0.02, 0.9), (0.1, 0.9), (0.5, 0.6))]
        cases += [_anomalies(count, share, shift) for share, shift in ((0.05, 1.5), (0.05, 3.0), (0.3, 1.5))]
        cases += [_micro(count, Documents(0.8)), _micro(count, Documents(0.9, 0.01, 100)), _corpus_bleu(count, 0.5)]
        cases += [
            _errors("MAE, exponential", count, lambda rng, n=count: rng.exponential(10.0, n), 10.0),
            _errors("MAE, lognormal", count, lambda rng, n=count: rng.lognormal(0.0, 1.0, n), math.exp(0.5)),
            _errors(
                "MAE, 0.2 % outliers", count, lambda rng, n=count: np.where(rng.random(n) < 0.002, 500.0, rng.exponential(1.0, n)), 1.998
            ),
        ]
    cases += [
        _clustered("10 clusters of 20 at 90", [20] * 10, 0.9, 0.5),
        _clustered("116 clusters of 1-7 at 60", [1 + index % 7 for index in range(116)], 0.6, 0.5),
        _clustered("one cluster holds half, at 70", [100] + [2] * 50, 0.7, 1.0),
    ]
    return cases


def right_or_wrong(chance: float, count: int) -> Draw:
    return lambda rng, draws: (rng.random((draws, count)) < chance).astype(float)


@dataclass(frozen=True)
class Covered:
    """share: of the intervals said that hold the truth. said: how many were. width, before: the mean widths of ours and of Student's."""

    case: Coverage
    said: int
    share: float
    width: float
    before: float
    asymptotic: bool


def covered(case: Coverage, runs: int, seed: int = 1) -> Covered:
    task, rng = task_of(case.metric, case.parameters), np.random.Generator(np.random.SFC64([seed, case.count]))
    hits = said = 0
    widths, before, asymptotic = [], [], False
    for _run in range(runs):
        rows, owners = case.draw(rng)
        clusters = {AnswerKey(f"{index:05}"): owner for index, owner in owners.items()}
        ends = evidence_from_statistics(TaskMetric(case.metric, "", case.parameters), statistics_of(rows), clusters)
        assert ends is not None
        found = TaskEvidence.of(task, ends)
        interval, asymptotic = found.interval(0.95), found.asymptotic
        if interval is None:
            continue
        said += 1
        hits += interval[0] <= case.truth <= interval[1]
        widths.append(interval[1] - interval[0])
        end = ends.low
        if end.standard_error:
            low, high = student(end.value, end.standard_error, end.freedom, 0.95, end.skewness)
            before.append(high - low)
    return Covered(
        case, said, hits / said if said else math.nan, float(np.mean(widths or [math.nan])), float(np.mean(before or [0.0])), asymptotic
    )


def powers(runs: int, seed: int = 1) -> Iterator[tuple[str, float, float, float, float]]:
    """(case, points better, power of Student's t, of ours against the published figure, against a specialist measured on as many)."""
    count = 464
    shapes: list[tuple[str, str, float, Callable[[float], Draw]]] = [
        ("right or wrong", "accuracy", 0.5, lambda mean: right_or_wrong(mean, count)),
        ("Beta(2, 2)", "f1", 0.5, lambda mean: beta(mean, 4.0, count)),
        ("F1-like", "f1", 0.6, lambda mean: f1_like(mean, count)),
        ("BLEU-like", "f1", 0.3, lambda mean: bleu_like(mean, count)),
    ]
    for name, metric, reference, made in shapes:
        task = task_of(metric)
        for points in (5, 8, 10, 15):
            rng, draw = np.random.Generator(np.random.SFC64([seed, points])), made(reference + points / 100.0)
            wins = np.zeros(3)
            for _run in range(runs):
                values = draw(rng, 1)[0]
                ends = evidence_from_statistics(TaskMetric(metric, ""), statistics_of(values.tolist()))
                assert ends is not None
                found = TaskEvidence.of(task, ends)
                statistic = (ends.low.value - 100.0 * reference) / max(ends.low.standard_error or 0.0, 1e-9)
                wins += [
                    stats.t.sf(statistic, count - 1) <= THRESHOLD,
                    found.win_p_value(100.0 * reference) <= THRESHOLD,
                    found.win_p_value_against_specialist(100.0 * reference, count) <= THRESHOLD,
                ]
            yield (f"{name} at {100 * reference:g}, n = {count}", points, *(wins / runs).tolist())


def check() -> None:
    """What is settled for many draws at once is what the scorer says."""
    rng = np.random.default_rng(0)
    values = np.round(rng.beta(2.5, 2.0, (3, 100)), 6)
    found = p_of_means(values, 0.5)
    for row, p_value in zip(values, found, strict=True):
        ends = evidence_from_statistics(TaskMetric("f1", ""), statistics_of(row.tolist()))
        assert ends is not None
        assert math.isclose(TaskEvidence.of(task_of("f1"), ends).win_p_value(50.0), p_value, rel_tol=1e-6)
    above, below = Documents(0.9, 0.01, 100).draw(rng, (2, 100))
    for up, down, p_value in zip(above, below, p_of_counts(above, below, 0.3), strict=True):
        rows = [[int(one / 2), 0, int(other - one)] for one, other in zip(up, down, strict=True)]
        ends = evidence_from_statistics(TaskMetric("micro_f1", ""), statistics_of(rows))
        assert ends is not None
        assert math.isclose(TaskEvidence.of(task_of("micro_f1"), ends).win_p_value(30.0), p_value, rel_tol=1e-6)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--only", default="")
    parser.add_argument("--case", default="")
    asked = parser.parse_args()
    check()
    if asked.only in ("", "null"):
        for kind, case, draws, better, worse in null_rates(asked.draws, only=asked.case):
            print(f"| {kind} | {case} | {draws} | {better:.3f} | {worse:.3f} |", flush=True)
    if asked.only in ("", "coverage"):
        for case in coverages():
            if asked.case in case.name:
                found = covered(case, asked.runs)
                label = "asymptotic" if found.asymptotic else "proven"
                print(
                    f"| {case.name} | {label} | {found.said}/{asked.runs} | {found.share:.4f} | {found.width:.2f} | {found.before:.2f} |",
                    flush=True,
                )
    if asked.only in ("", "power"):
        for name, points, *found in powers(asked.runs):
            print(f"| {name} | +{points} | {found[0]:.3f} | {found[1]:.3f} | {found[2]:.3f} |", flush=True)


if __name__ == "__main__":
    started = time.perf_counter()
    main()
    print(f"{time.perf_counter() - started:.0f} s")
