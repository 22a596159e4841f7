"""Whether one answer is right, and how far from right it is, by the score of its instance alone."""

from __future__ import annotations

import math
from enum import IntEnum

from genlevel.benchmark.outcomes import Outcome

UNEQUAL = 1e-9
"""Scores that differ by less are alike: they are sums of floats."""


class Rightness(IntEnum):
    """Its values are those of the contract's enumeration of this name."""

    RIGHT = 1
    WRONG = 2
    UNKNOWN = 3


def rightness(outcome: Outcome, score: float | None, best: float | None) -> Rightness:
    """Of an answer with this outcome, as it was scored.

    score, best: of its instance, and the best that one can have, in the metric's unit; None: there is none, or it is not known.

    >>> rightness(Outcome.ANSWERED, 100.0, 100.0).name, rightness(Outcome.ANSWERED, 3.5, 0.0).name
    ('RIGHT', 'WRONG')
    >>> rightness(Outcome.FAILED, 0.0, 100.0).name
    'UNKNOWN'
    """
    if outcome in (Outcome.REFUSED, Outcome.UNPARSABLE):
        return Rightness.WRONG
    if outcome is not Outcome.ANSWERED or score is None or best is None:
        return Rightness.UNKNOWN
    return Rightness.WRONG if abs(best - score) > UNEQUAL else Rightness.RIGHT


def known_score(score: float) -> float | None:
    """A score as it is kept: a number that can be compared, else none."""
    return score if math.isfinite(score) else None


def as_scored(journalled: Outcome, told: tuple[Outcome, float | None] | None) -> tuple[Outcome, float | None]:
    """An answer's outcome and score. told: what the scorer says; None: nothing. What it says of an answer before this one is nothing.

    >>> as_scored(Outcome.ANSWERED, (Outcome.UNPARSABLE, 0.0)), as_scored(Outcome.ANSWERED, (Outcome.FAILED, None))
    ((<Outcome.UNPARSABLE: 'unparsable'>, 0.0), (<Outcome.ANSWERED: 'answered'>, None))
    """
    if told is None or (told[0] is not journalled and (told[0], journalled) != (Outcome.UNPARSABLE, Outcome.ANSWERED)):
        return journalled, None
    outcome, score = told
    return outcome, None if score is None else known_score(score)
