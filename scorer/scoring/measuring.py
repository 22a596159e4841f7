"""What single answers of a task add to its score's share while it is being asked, as a certificate will count them."""

from __future__ import annotations

from collections.abc import Sequence

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.metrics import Direction
from genlevel.benchmark.outcomes import OPEN
from genlevel.deciding.values import Unit
from scorer.metrics.base import AnyMetric
from scorer.metrics.parts import parts_of
from scorer.scoring.task_scoring import TaskScoring, Told

EXPLAINED = "what its coordinates mean follows from all of the task's answers"
OUTSIDE = "nothing bets on its number, or that is outside the bounds of its metric"

_Row = tuple[str, object]


def adds(scoring: TaskScoring, keys: Sequence[AnswerKey]) -> list[Unit | str]:
    """What each of these answers, which the scoring has taken, adds above and below: an open one at worst and at best, any other alike.

    Higher is better whatever the metric. A text instead: why it can only be said of all of the task's answers together, in one line.
    """
    told = [scoring.told(key) for key in keys]
    metric = scoring.metric
    whole = "" if metric is None else metric.nature.whole
    reasons = [EXPLAINED if one is None else one.problem or whole for one in told]
    measured = [one for one, reason in zip(told, reasons, strict=True) if one is not None and not reason]
    if metric is None:
        return list(reasons)
    found = iter(_units(metric, measured))
    return [reason or next(found) for reason in reasons]


def _units(metric: AnyMetric, measured: Sequence[Told]) -> list[Unit | str]:
    worst, best = (_parts(metric, [("", _at(one, end)) for one in measured]) for end in (0, 1))
    mirrored = metric.direction is Direction.LOWER
    return [
        OUTSIDE if low is None or high is None else Unit(_mirrored(low), _mirrored(high)) if mirrored else Unit(low, high)
        for low, high in zip(worst, best, strict=True)
    ]


def _at(told: Told, end: int) -> object:
    return told.statistic[end] if told.outcome in OPEN and isinstance(told.statistic, list) else told.statistic


def _parts(metric: AnyMetric, rows: Sequence[_Row]) -> Sequence[tuple[float, float] | None]:
    """One that is outside of the bounds says nothing of the others."""
    found = parts_of(metric, rows) if rows else []
    if found is not None:
        return found
    alone = [parts_of(metric, [row]) for row in rows]
    return [None if part is None else part[0] for part in alone]


def _mirrored(part: tuple[float, float]) -> tuple[float, float]:
    above, below = part
    return below - above, below
