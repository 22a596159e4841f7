"""Bets on the area under a ROC curve: what they win is expected to be what was bet if the area is the reference; no early look helps."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.model import TaskMetric
from genlevel.benchmark.outcomes import Outcome
from scorer.certify import evidence_from_statistics, pairs
from scorer.certify.samples import Ranked

AREA = TaskMetric("auc", "AUC", (("of", "roc"),))
CHANCES = (
    ((0.6, 0.4), (0.4, 0.6)),
    ((0.9, 0.1), (0.3, 0.7)),
    ((0.5, 0.5), (0.05, 0.95)),
)


@pytest.mark.parametrize(("low", "high"), CHANCES)
def test_all_outcomes_of_a_ranking_win_no_more_than_was_bet(low: tuple[float, ...], high: tuple[float, ...]) -> None:
    """Five positives and five negatives, each at one of two levels: all 1,024 rankings of a true area that is the reference."""
    area = high[1] * low[0] + (high[1] * low[1] + high[0] * low[0]) / 2.0
    won = lost = 0.0
    rejected: list[tuple[float, float]] = []
    for levels in itertools.product((0, 1), repeat=10):
        ranked = Ranked(levels[:5], levels[5:])
        chance = math.prod(low[level] for level in levels[:5]) * math.prod(high[level] for level in levels[5:])
        better, worse = pairs.p_above(ranked, area), pairs.p_below(ranked, area)
        won, lost = won + chance * _wealth(ranked, area, better=True), lost + chance * _wealth(ranked, area, better=False)
        rejected.append((better, chance))
        assert 0.0 < min(better, worse) <= max(better, worse) <= 1.0
    assert won == pytest.approx(1.0, abs=1e-9)
    assert lost == pytest.approx(1.0, abs=1e-9)
    for level in (0.5, 0.1, 0.05):
        assert sum(chance for p_value, chance in rejected if p_value <= level) <= level


def _wealth(ranked: Ranked, area: float, *, better: bool) -> float:
    """What the bets win, also if it is less than 1, of which a p-value says nothing."""
    blocks = pairs._blocks(ranked)
    blocks, area = (blocks, area) if better else (1.0 - blocks, 1.0 - area)
    from scorer.certify.betting import Units, log_wealth_at

    ones = np.ones(blocks.shape[1])
    return float(np.mean([math.exp(log_wealth_at(Units(row, ones, ones, 1.0, 1.0), area)) for row in blocks]))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=4, max_size=40), st.data())
def test_a_better_answer_never_makes_a_win_less_sure(answers: list[tuple[bool, int]], data: st.DataObject) -> None:
    """So what is open, and counts as wrong, hides nothing: an early look certifies no more than the finished plan."""
    position = data.draw(st.integers(0, len(answers) - 1))
    positive, _place = answers[position]
    better = [*answers[:position], (positive, 10 if positive else -1), *answers[position + 1 :]]
    assert pairs.p_above(_ranked(better), 0.6) <= pairs.p_above(_ranked(answers), 0.6) + 1e-12


def _ranked(answers: list[tuple[bool, int]]) -> Ranked:
    return Ranked(tuple(place for positive, place in answers if not positive), tuple(place for positive, place in answers if positive))


def test_answers_are_kept_in_the_order_of_their_keys() -> None:
    rows = {"c": [0.5, 0, 1], "a": [0.9, 1, 0], "b": [0.5, 1, 0], "d": [None, 0, 1]}
    ends = evidence_from_statistics(AREA, {AnswerKey(name): (Outcome.ANSWERED, [row]) for name, row in rows.items()})
    assert ends is not None
    assert ends.low.sample == Ranked(negatives=(2, 1), positives=(1, 0))
