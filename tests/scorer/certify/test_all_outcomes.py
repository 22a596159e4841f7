"""Every kind of test against a second implementation with 40 digits, and against all outcomes of few instances: p <= t as rarely as t says.

Truths are two-point distributions, among which the worst ones for a bounded mean are: with equal and unequal instances, clusters, pooled
counts, rounded figures and specialists of all shares. A null is any truth at most the reference.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, localcontext
from functools import cache

import pytest

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Task
from genlevel.benchmark.outcomes import Outcome
from scorer.certify import TaskEvidence, evidence_from_statistics
from scorer.certify.ends import MOST_ITEMS

Chances = list[tuple[float, float]]
"""(p-value, its chance)"""


@cache
def _task(metric: str) -> Task:
    return next(task for task in general_bench().tasks if task.metric.id == metric)


def _found(metric: str, rows: Iterable[object], clusters: Sequence[int] = ()) -> TaskEvidence:
    statistics = {AnswerKey(f"{index:02}"): (Outcome.ANSWERED, row) for index, row in enumerate(rows)}
    ends = evidence_from_statistics(_task(metric).metric, statistics, dict(zip(statistics, clusters, strict=False)))
    assert ends is not None
    return TaskEvidence.of(_task(metric), ends)


def _holds(chances: Chances) -> None:
    """P(p <= t) <= t at every t that a p-value takes; below it, at any other."""
    assert math.fsum(chance for _p_value, chance in chances) == pytest.approx(1.0)
    whole = 0.0
    ordered = sorted(chances)
    for index, (p_value, chance) in enumerate(ordered):
        whole += chance
        if index + 1 == len(ordered) or ordered[index + 1][0] > p_value * (1.0 + 1e-12):
            assert whole <= p_value * (1.0 + 1e-9), (whole, p_value)


def _binomial(right: int, count: int, chance: float) -> float:
    return math.comb(count, right) * chance**right * (1.0 - chance) ** (count - right)


# ------------------------------------------------------------------------------------------------------------ a second implementation


def _bets(ratio: Decimal, number: int, most: Decimal, spread: Decimal) -> list[tuple[Decimal, Decimal]]:
    """(bet, weight) as the docstrings of ``betting`` have them, for a p-value of 1e-4."""
    largest = 1 / (ratio * most)
    if not spread:
        return [(Decimal(share) * largest, Decimal(weight)) for share, weight in (("0.999", "0.7"), ("0.3", "0.2"), ("0.08", "0.1"))]
    best = (Decimal(-2) * Decimal("1e-4").ln() / number).sqrt() / ((ratio * (1 - ratio)).sqrt() * spread)
    found = [(("0.75", "0.32")), ("0.45", "0.37"), ("0.22", "0.18"), ("0.08", "0.07")]
    near = [(min(best / Decimal(share), Decimal("0.999") * largest), Decimal(weight)) for share, weight in found]
    return near + [(Decimal(share) * largest, Decimal("0.03")) for share in ("0.5", "0.999")]


def _second(units: Sequence[tuple[Decimal, Decimal]], ratio: Decimal, most: Decimal, *, sizes_known: bool) -> float:
    """The p-value of "the true ratio is above this": 1 over the mean over bets of prod (1 + L (a - ratio b))."""
    with localcontext() as context:
        context.prec = 40
        squares = sum((below * below for _above, below in units), Decimal(0)) / len(units)
        won = Decimal(0)
        for bet, weight in _bets(ratio, len(units), most, squares.sqrt() if sizes_known else Decimal(0)):
            product = weight
            for above, below in units:
                product *= 1 + bet * (above - ratio * below)
            won += product
        return float(min(Decimal(1), 1 / won))


def _exact(numbers: Iterable[float]) -> list[Decimal]:
    return [Decimal(repr(number)) for number in numbers]


@pytest.mark.parametrize("values", [[1.0] * 12, [0.9, 1.0, 0.35, 0.99, 0.7, 1.0, 0.0], [0.2, 0.25] * 5, [0.999] * 11 + [0.0]])
@pytest.mark.parametrize("reference", [5.0, 33.3, 71.25, 97.0])
def test_bets_on_a_mean_are_those_of_the_second_implementation(values: list[float], reference: float) -> None:
    found, share, one = _found("f1", values), Decimal(repr(reference)) / 100, Decimal(1)
    better = _second([(value, one) for value in _exact(values)], share, one, sizes_known=True)
    worse = _second([(1 - value, one) for value in _exact(values)], 1 - share, one, sizes_known=True)
    assert (found.win_p_value(reference), found.loss_p_value(reference)) == (
        pytest.approx(better, rel=1e-9),
        pytest.approx(worse, rel=1e-9),
    )


def test_bets_on_clusters_are_those_of_the_second_implementation() -> None:
    rows, owners = [1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0], [1, 1, 2, 2, 2, 3, 4, 4]
    units = [(Decimal(2), Decimal(2)), (Decimal(2), Decimal(3)), (Decimal(1), Decimal(1)), (Decimal(2), Decimal(2))]
    expected = _second(units, Decimal("0.3"), Decimal(3), sizes_known=True)
    assert _found("accuracy", rows, owners).win_p_value(30.0) == pytest.approx(expected, rel=1e-9)
    assert expected < 1.0


def test_bets_on_counts_are_those_of_the_second_implementation() -> None:
    rows = [[3, 0, 1], [2, 1, 0], [1, 0, 0], [4, 0, 0], [40, 1, 2], [60, 0, 4]]
    units = [(Decimal(2 * hits), Decimal(2 * hits + extra + missed)) for hits, extra, missed in rows]
    expected = _second(units, Decimal("0.2"), Decimal(MOST_ITEMS), sizes_known=False)
    assert _found("micro_f1", rows).win_p_value(20.0) == pytest.approx(expected, rel=1e-9)
    assert expected < 0.5


# ---------------------------------------------------------------------------------------------------------------------- all outcomes


@pytest.mark.parametrize("count", [1, 3, 12])
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0, 0.999), (0.5, 1.0), (0.98, 1.0), (0.0, 0.02), (0.3, 0.7)])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.8, 0.99])
def test_a_mean_of_two_points_is_rejected_as_rarely_as_said(count: int, low: float, high: float, share: float) -> None:
    reference = 100.0 * (low + (high - low) * share)
    outcomes = [_found("f1", [high] * right + [low] * (count - right)) for right in range(count + 1)]
    _holds([(found.loss_p_value(reference), _binomial(right, count, share)) for right, found in enumerate(outcomes)])
    better = [found.win_p_value(reference) for found in outcomes]
    for truth in (share, 0.9 * share, 0.5 * share):
        _holds([(p_value, _binomial(right, count, truth)) for right, p_value in enumerate(better)])


def test_a_mean_of_unlike_instances_is_rejected_as_rarely_as_said() -> None:
    kinds = [(0.0, 1.0, 0.95), (0.0, 1.0, 0.95), (0.9, 1.0, 0.5), (0.0, 0.4, 0.5), (0.0, 1.0, 0.05), (0.0, 1.0, 0.9), (0.2, 0.3, 0.1)]
    mean = math.fsum(low + (high - low) * share for low, high, share in kinds) / len(kinds)
    chances = []
    for highs in itertools.product((0, 1), repeat=len(kinds)):
        chance = math.prod(share if up else 1.0 - share for up, (_low, _high, share) in zip(highs, kinds, strict=True))
        values = [kind[1] if up else kind[0] for up, kind in zip(highs, kinds, strict=True)]
        chances.append((_found("f1", values).win_p_value(100.0 * mean), chance))
    _holds(chances)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("sizes", [(1, 1, 2, 5), (6, 1, 1, 1, 1, 1, 1), (3, 3, 3, 3)])
def test_clusters_that_are_all_alike_are_rejected_as_rarely_as_said(sizes: tuple[int, ...], share: float) -> None:
    owners = [index for index, size in enumerate(sizes) for _instance in range(size)]
    better, worse = [], []
    for rights in itertools.product((0.0, 1.0), repeat=len(sizes)):
        found = _found("accuracy", [rights[owner] for owner in owners], owners)
        chance = math.prod(share if right else 1.0 - share for right in rights)
        better.append((found.win_p_value(100.0 * share), chance))
        worse.append((found.loss_p_value(100.0 * share), chance))
    _holds(better)
    _holds(worse)


@pytest.mark.parametrize(("hits", "misses", "share"), [(1, 2, 0.5), (2, 90, 0.95), (90, 4, 0.05), (5, 40, 0.9)])
def test_pooled_counts_of_two_kinds_of_documents_are_rejected_as_rarely_as_said(hits: int, misses: int, share: float) -> None:
    """All right with so many hits, or all wrong with so many misses; the reference is the ratio of what both are expected to add."""
    right, wrong, count = 2 * hits * share, misses * (1.0 - share), 9
    reference = 100.0 * right / (right + wrong)
    outcomes = [_found("micro_f1", [[hits, 0, 0]] * good + [[0, 0, misses]] * (count - good)) for good in range(count + 1)]
    _holds([(found.win_p_value(reference), _binomial(good, count, share)) for good, found in enumerate(outcomes)])
    _holds([(found.loss_p_value(reference), _binomial(good, count, share)) for good, found in enumerate(outcomes)])


@pytest.mark.parametrize("share", [0.05, 0.5, 0.83, 0.99])
def test_right_and_wrong_answers_are_rejected_as_rarely_as_said(share: float) -> None:
    outcomes = [_found("accuracy", [1.0] * right + [0.0] * (12 - right)) for right in range(13)]
    for right, found in enumerate(outcomes):
        tail = math.fsum(_binomial(other, 12, share) for other in range(right, 13))
        assert found.win_p_value(100.0 * share) == pytest.approx(tail, rel=1e-9)
    _holds([(found.win_p_value(100.0 * share), _binomial(right, 12, share)) for right, found in enumerate(outcomes)])
    _holds([(found.loss_p_value(100.0 * share), _binomial(right, 12, share)) for right, found in enumerate(outcomes)])


@pytest.mark.parametrize("digits", [0, 1, 2])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.875, 0.99])
@pytest.mark.parametrize("metric", ["accuracy", "f1"])
@pytest.mark.parametrize(("count", "others"), [(9, 8), (12, 3), (3, 40)])
def test_a_specialist_of_the_same_truth_is_beaten_as_rarely_as_said(
    metric: str, count: int, others: int, share: float, digits: int
) -> None:
    """All scores of both, the specialist's published in percent with so many digits, rounded as people do: a half up, or to even."""
    outcomes = [_found(metric, [1.0] * right + [0.0] * (count - right)) for right in range(count + 1)]
    for rounded in (_half_up, round):
        better, worse = [], []
        for theirs in range(others + 1):
            published = rounded(100.0 * theirs / others, digits)
            for right, found in enumerate(outcomes):
                chance = _binomial(right, count, share) * _binomial(theirs, others, share)
                better.append((found.win_p_value_against_specialist(published, others), chance))
                worse.append((found.loss_p_value_against_specialist(published, others), chance))
        _holds(better)
        _holds(worse)


def _half_up(number: float, digits: int) -> float:
    return math.floor(number * 10**digits + 0.5) / 10**digits


@pytest.mark.parametrize("pick", [min, max])
def test_what_a_rounded_figure_may_stand_for_is_on_the_safe_side(pick: Callable[[Iterable[float]], float]) -> None:
    """62.5 % of 8 is published as 62 or 63: neither makes a win over it surer than the exact figure does."""
    found = _found("accuracy", [1.0] * 12)
    exact = found.win_p_value_against_specialist(62.5, 8)
    assert found.win_p_value_against_specialist(pick((62.0, 63.0)), 8) >= exact * (1.0 - 1e-9)
