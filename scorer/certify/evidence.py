"""What is known of one task's true score, and the tests of it against the specialist's reference."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from genlevel.benchmark.metrics import Direction, metric
from genlevel.benchmark.model import Task
from scorer.certify.distributions import (
    binomial_at_least,
    binomial_at_most,
    mean_at_least,
    mean_at_most,
    means_apart,
    student_t_above,
)
from scorer.certify.intervals import errors_away, hoeffding, instances_needed, student, symmetric, trials_needed, wilson
from scorer.certify.obstacles import obstacle_of
from scorer.levels.rules import TaskResult
from scorer.metrics.registry import nature_of


@dataclass(frozen=True, slots=True)
class Estimate:
    """A score as measured. value, standard_error: in the workbook's unit. units: independent ones, instances or clusters.

    binary: the score is a share of right answers among independent instances, so that exact tests apply. clustered: units are clusters.
    standard_error None: unknown. skewness: of the units' shares in the score (see ``scaled_skewness``), 0 if it is not known.
    degrees: of freedom of the standard error (see ``effective_degrees``); None: units - 1.
    bounded: nothing was measured of its spread; the standard error is the largest that units between 0 and 100 can have, and tests and
    intervals rest on these bounds alone.
    """

    value: float
    standard_error: float | None
    units: int
    binary: bool = False
    clustered: bool = False
    skewness: float = 0.0
    degrees: float | None = None
    bounded: bool = False

    @property
    def freedom(self) -> float:
        return self.units - 1 if self.degrees is None else self.degrees

    @property
    def successes(self) -> int:
        return round(self.value / 100.0 * self.units)


@dataclass(frozen=True, slots=True)
class Ends:
    """A score between what its open answers leave open: all of them wrong (low) and right (high). Equal for a complete task.

    "low" is the worse end whatever the metric's direction.
    """

    low: Estimate
    high: Estimate


@dataclass(frozen=True, slots=True)
class TaskEvidence:
    """A task's score between the ends that its failed instances leave open: all of them wrong (low) and right (high).

    low and high are equal for a complete task. "low" is the worse end whatever the metric's direction.
    reference_units: instances on which the specialist was measured, to count its own uncertainty; None takes the reference as known.
    instances: how many the units consist of, if these are clusters; None: units are instances.
    """

    task: Task
    low: Estimate
    high: Estimate
    reference_units: int | None = None
    instances: int | None = None

    @classmethod
    def of(cls, task: Task, ends: Ends, *, reference_units: int | None = None, instances: int | None = None) -> TaskEvidence:
        """What is known of a score, as that of this task."""
        return cls(task, ends.low, ends.high, reference_units=reference_units, instances=instances)

    @property
    def obstacle(self) -> str:
        """Why nothing can be certified of the score, in one line; empty if something can."""
        found = obstacle_of(self.task.metric)
        if found or self._measured:
            return found
        return "nothing is known of its error"

    @property
    def asymptotic(self) -> bool:
        """Whether the interval holds only about, and for many units."""
        return bool(obstacle_of(self.task.metric))

    @property
    def testable(self) -> bool:
        """Whether a test against a reference can say anything."""
        return not self.obstacle

    @property
    def _measured(self) -> bool:
        return all(end.units >= 1 and (end.binary or (end.standard_error is not None and end.units >= 2)) for end in (self.low, self.high))

    @property
    def test(self) -> str:
        """The name of the test against a reference; empty if there is none."""
        if not self.testable:
            return ""
        if self.low.binary and self.reference_units is None:
            return "exact binomial"
        if self.low.bounded:
            return "Hoeffding bound"
        return "clustered t" if self.low.clustered else "t"

    def win_p_value(self, reference: float) -> float:
        """One-sided p-value of "the model is truly better than the reference", from the worse end. 1 if nothing can be said."""
        return _p_value(self.task, self.low, reference, self.reference_units, better=True)

    def loss_p_value(self, reference: float) -> float:
        """One-sided p-value of "the model is truly worse than the reference", from the better end."""
        return _p_value(self.task, self.high, reference, self.reference_units, better=False)

    def win_p_value_against_specialist(self, reference: float, reference_units: int) -> float:
        """The same of "the model is truly better than the specialist", whose score was measured on so many instances."""
        return _p_value(self.task, self.low, reference, reference_units, better=True)

    def loss_p_value_against_specialist(self, reference: float, reference_units: int) -> float:
        """The same of "the model is truly worse than the specialist"."""
        return _p_value(self.task, self.high, reference, reference_units, better=False)

    def needed(self, reference: float, alpha: float, *, better: bool) -> int | None:
        """About how many instances more would show at alpha, with a power of 0.8, that the model is better (worse) than the reference.

        0 if they show it already. None if the score leans the other way, or nothing is known of its error.
        """
        end = self.low if better else self.high
        p_value = _p_value(self.task, end, reference, self.reference_units, better=better)
        if p_value <= alpha:
            return 0
        if not self.testable or _sign(self.task, better=better) * (end.value - reference) <= 0.0:
            return None
        units = _units_needed(self.task, end, reference, self.reference_units, p_value=p_value, alpha=alpha)
        return None if units is None else max(1, math.ceil(units * (self.instances or end.units) / end.units))

    def interval(self, confidence: float) -> tuple[float, float] | None:
        """(lower, upper) in the metric's unit, outer over both ends; None if no error is known."""
        ends = [_interval(self.task, end, confidence) for end in (self.low, self.high)]
        if any(end is None for end in ends):
            return None
        found = [end for end in ends if end is not None]
        return min(end[0] for end in found), max(end[1] for end in found)


def evidence_from_workbook(results: Iterable[TaskResult], units: Mapping[str, int] | None = None) -> tuple[list[TaskEvidence], list[str]]:
    """Evidence if only values are known, with n from ``units`` by Task.id, else the task list; and what cannot be certified.

    Shares of right answers are tested exactly, other means of numbers 0..100 by Hoeffding's bound, which holds however the numbers spread.
    Pooled scores, errors and scores by models give no way to their error from n alone: refused, one line a metric.
    """
    evidence: list[TaskEvidence] = []
    refused: dict[str, int] = {}
    for result in results:
        if result.value is None:
            continue
        task = result.task
        count = (units or {}).get(task.id, task.instances)
        nature = nature_of(task.metric)
        if nature is None or not nature.from_values or count < 1 or not 0.0 <= result.value <= 100.0:
            refused[task.metric.label] = refused.get(task.metric.label, 0) + 1
            continue
        widest = math.sqrt(result.value * (100.0 - result.value) / count)
        estimate = Estimate(result.value, widest, count, nature.is_share, bounded=True)
        evidence.append(TaskEvidence(task, estimate, estimate))
    lines = [f"{label}: {count} task(s) cannot be certified from values alone" for label, count in sorted(refused.items())]
    return evidence, lines


def _p_value(task: Task, end: Estimate, reference: float, reference_units: int | None, *, better: bool) -> float:
    found = _p_of_exact(task, end, reference, better=better)
    if reference_units is None or metric(task.metric.id).unit != "%":
        return found
    # An uncertain reference makes nothing surer, whatever the approximation says far in the tail.
    return max(found, _p_of_measured(task, end, reference, reference_units, better=better))


def _p_of_exact(task: Task, end: Estimate, reference: float, *, better: bool) -> float:
    """Against a reference that is known exactly."""
    share, sign = min(max(reference / 100.0, 0.0), 1.0), _sign(task, better=better)
    if end.binary:
        test = binomial_at_least if sign > 0.0 else binomial_at_most
        return test(end.successes, end.units, share)
    if _by_bounds(task, end):
        bound = mean_at_least if sign > 0.0 else mean_at_most
        return bound(end.value / 100.0, end.units, share)
    if not end.standard_error or end.units < 2:
        return 1.0
    statistic = sign * (end.value - reference) / end.standard_error
    return student_t_above(symmetric(statistic, sign * end.skewness), end.freedom)


def _p_of_measured(task: Task, end: Estimate, reference: float, reference_units: int, *, better: bool) -> float:
    """Against a percentage that was measured on ``reference_units`` instances, with the largest error that this allows."""
    distance = _sign(task, better=better) * (end.value - reference)
    if _by_bounds(task, end):
        return means_apart(distance / 100.0, end.units, reference_units)
    spread = max(0.0, reference * (100.0 - reference))
    # A share's own error is that of the reference if the two are alike, which is what is tested.
    own = math.sqrt(spread / end.units) if end.binary else end.standard_error
    if own is None or end.units < 2:
        return 1.0
    error = math.hypot(own, math.sqrt(spread / reference_units))
    if error == 0.0:
        return 1.0
    skewness = end.skewness * (own / error) ** 3
    return student_t_above(symmetric(distance / error, _sign(task, better=better) * skewness), end.freedom)


def _units_needed(task: Task, end: Estimate, reference: float, reference_units: int | None, *, p_value: float, alpha: float) -> int | None:
    """About how many units more ``_p_value`` needs to be at most alpha, for a true score like the one seen. p_value: the one now."""
    shares = end.binary and 0.0 < end.value < 100.0
    error = math.sqrt(end.value * (100.0 - end.value) / end.units) if shares else end.standard_error or 0.0
    by_bound = not shares and (end.binary or _by_bounds(task, end))
    measured = reference_units if metric(task.metric.id).unit == "%" else None
    # The bound of two means is that of numbers with the largest spread, 50.
    spread = 50.0 if by_bound and measured else math.sqrt(max(0.0, reference * (100.0 - reference)))
    null = spread / math.sqrt(end.units) if by_bound or end.binary else error
    fixed = spread / math.sqrt(measured) if measured else 0.0
    # The distance as the test sees it, corrections included; the p-value of a few right answers is too coarse for that.
    distance = abs(end.value - reference) if shares else errors_away(p_value, by_bound=by_bound) * math.hypot(null, fixed)
    more = instances_needed(end.units, distance, error, alpha, null_error=null, fixed_error=fixed, by_bound=by_bound)
    return more if more is None or not shares else trials_needed(end.units + more, distance / 100.0) - end.units


def _sign(task: Task, *, better: bool) -> float:
    """1 if a higher score speaks for what is tested, else -1."""
    return 1.0 if (metric(task.metric.id).direction is Direction.HIGHER) == better else -1.0


def _by_bounds(task: Task, end: Estimate) -> bool:
    """Whether nothing but its bounds says how far a score may be off: from values alone, or if all instances are alike.

    These have an error of 0, which is not certainty.
    """
    info = metric(task.metric.id)
    return end.bounded or (end.standard_error == 0.0 and info.is_bounded)


def bounded_interval(task: Task, end: Estimate, confidence: float) -> tuple[float, float] | None:
    """What n and the metric's bounds alone say of a score, in its unit; None if the metric has no bounds."""
    info = metric(task.metric.id)
    if not end.binary and not info.is_bounded:
        return None
    share = min(max(end.value / 100.0, 0.0), 1.0)
    lower, upper = wilson(share * end.units, end.units, confidence) if end.binary else hoeffding(share, end.units, confidence)
    return 100.0 * lower, 100.0 * upper


def _interval(task: Task, end: Estimate, confidence: float) -> tuple[float, float] | None:
    info = metric(task.metric.id)
    if end.binary or _by_bounds(task, end):
        return bounded_interval(task, end, confidence)
    # If all instances are alike, the error is 0, which proves nothing if the metric has no bounds to fall back on.
    if not end.standard_error or end.units < 2:
        return None
    lower, upper = student(end.value, end.standard_error, end.freedom, confidence, end.skewness)
    return max(lower, info.lowest), min(upper, info.highest)
