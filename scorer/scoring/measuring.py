"""What single answers of a task add to its score's share while it is being asked, as a certificate will count them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.metrics import Direction
from genlevel.benchmark.outcomes import OPEN
from genlevel.deciding.values import Unit
from scorer.metrics.base import AnyMetric, Metric
from scorer.metrics.parts import parts_of
from scorer.scoring.answered import AnsweredInstance
from scorer.scoring.conventions import readings
from scorer.scoring.task_scoring import TaskScoring, Told

EXPLAINED = "what its coordinates mean follows from all of the task's answers"
OUTSIDE = "nothing bets on its number, or that is outside the bounds of its metric"

_Row = tuple[str, object]
_Part = tuple[float, float]


class Added(NamedTuple):
    """What an answer adds above and below; higher is better whatever the metric. An open one adds at worst and at best, any other alike.

    whole: why this can only be said once the task has all of its answers, in one line; empty if it can. With a unit: that is between.
    obstacle: why the task has no score whatever the others come to, in one line; empty if nothing says so.
    """

    unit: Unit | None
    whole: str = ""
    obstacle: str = ""


class Measuring:
    """Measures answers of one task, each by itself, as ``TaskScoring`` does. metric, no_metric: as of ``metric_of``."""

    def __init__(self, metric: Metric[object] | None, no_metric: str) -> None:
        self._metric = metric
        self._no_metric = no_metric
        self._scorings = [TaskScoring(metric, no_metric)]
        self._readings: dict[AnswerKey, int] = {}

    def add(self, instances: Sequence[AnsweredInstance]) -> None:
        """Parses and measures: an answer with coordinates that may be read in several ways, in each of them."""
        read: list[list[AnsweredInstance]] = [[] for _scoring in self._scorings]
        for instance in instances:
            found = readings(instance)
            ways = [instance._replace(place=replace(instance.place, found=one)) for one in found] or [instance]
            while len(read) < len(ways):
                read.append([])
                self._scorings.append(TaskScoring(self._metric, self._no_metric))
            for number, way in enumerate(ways):
                read[number].append(way)
            self._readings[instance.key] = len(found)
        for scoring, some in zip(self._scorings, read, strict=True):
            scoring.add_read(some)

    def added(self, keys: Sequence[AnswerKey]) -> list[Added]:
        """What these answers, which were added, add."""
        plain = self._of(0, keys)
        ways = {key: [one] for key, one in zip(keys, plain, strict=True)}
        for number in range(1, len(self._scorings)):
            some = [key for key in ways if self._readings[key] > number]
            for key, one in zip(some, self._of(number, some), strict=True):
                ways[key].append(one)
        return [_between(ways[key]) if self._readings[key] else one for key, one in zip(keys, plain, strict=True)]

    def _of(self, number: int, keys: Sequence[AnswerKey]) -> list[Added]:
        """As they are read in one way."""
        scoring = self._scorings[number]
        told, metric = [scoring.told(key) for key in keys], scoring.metric
        if metric is None:
            return [Added(None, one.problem) for one in told]
        reasons = [one.problem or metric.nature.whole for one in told]
        found = iter(_added(metric, [one for one, reason in zip(told, reasons, strict=True) if not reason]))
        lasts = [one.lasts for one in told]
        return [
            Added(None, obstacle=reason) if forever else Added(None, reason) if reason else next(found)
            for reason, forever in zip(reasons, lasts, strict=True)
        ]


def _between(ways: Sequence[Added]) -> Added:
    """What an answer adds whichever way it will be read."""
    units = [way.unit for way in ways if way.unit is not None]
    if len(units) < len(ways):
        missing = next(way for way in ways if way.unit is None)
        return missing if all(way.obstacle for way in ways) else Added(None, missing.whole or missing.obstacle)
    if all(unit == units[0] for unit in units):
        return Added(units[0])
    if len({unit.worst[1] for unit in units} | {unit.best[1] for unit in units}) > 1:
        return Added(None, EXPLAINED)
    return Added(Unit(min(unit.worst for unit in units), max(unit.best for unit in units)), EXPLAINED)


def _added(metric: AnyMetric, measured: Sequence[Told]) -> list[Added]:
    ends = [one.statistic if one.outcome in OPEN and isinstance(one.statistic, list) else None for one in measured]
    worst = _parts(metric, [("", one.statistic if end is None else end[0]) for one, end in zip(measured, ends, strict=True)])
    best = iter(_parts(metric, [("", end[1]) for end in ends if end is not None]))
    pairs = ((low, low if end is None else next(best)) for low, end in zip(worst, ends, strict=True))
    return [Added(None, OUTSIDE) if low is None or high is None else Added(Unit(low, high)) for low, high in pairs]


def _parts(metric: AnyMetric, rows: Sequence[_Row]) -> Sequence[_Part | None]:
    """None of one that is outside of the bounds, which says nothing of the others."""
    found: Sequence[_Part | None] | None = parts_of(metric, rows) if rows else []
    if found is None:
        alone = [parts_of(metric, [row]) for row in rows]
        found = [None if part is None else part[0] for part in alone]
    return [_mirrored(part) for part in found] if metric.direction is Direction.LOWER else found


def _mirrored(part: _Part | None) -> _Part | None:
    return None if part is None else (part[1] - part[0], part[1])
