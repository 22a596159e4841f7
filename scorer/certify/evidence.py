"""What is known of one task's true score, and the tests of it against the specialist's reference."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from genlevel.benchmark.metrics import Direction, metric
from genlevel.benchmark.model import Task
from scorer.certify import ends
from scorer.certify.ends import Ends, Estimate
from scorer.certify.needs import units_needed
from scorer.certify.obstacles import obstacle_of, specialist_obstacle_of
from scorer.certify.samples import Sample, Sizes
from scorer.levels.rules import TaskResult
from scorer.metrics.registry import nature_of

__all__ = ["Ends", "Estimate", "TaskEvidence", "evidence_from_workbook"]


@dataclass(frozen=True, slots=True)
class TaskEvidence:
    """A task's score between the ends that its failed instances leave open: all of them wrong (low) and right (high).

    low and high are equal for a complete task. "low" is the worse end whatever the metric's direction.
    reference_units: instances on which the specialist was measured, to count its own uncertainty; None takes the reference as known.
    instances: how many the units consist of; None: as many as the clusters hold, if that is known, else as there are units.
    """

    task: Task
    low: Estimate
    high: Estimate
    reference_units: int | None = None
    instances: int | None = None

    @classmethod
    def of(cls, task: Task, found: Ends, *, reference_units: int | None = None, instances: int | None = None) -> TaskEvidence:
        """What is known of a score, as that of this task."""
        return cls(task, found.low, found.high, reference_units=reference_units, instances=instances)

    @property
    def obstacle(self) -> str:
        """Why nothing can be certified of the score, in one line; empty if something can."""
        return obstacle_of(self.task.metric) or next(filter(None, (ends.flaw(end, self.task) for end in (self.low, self.high))), "")

    @property
    def testable(self) -> bool:
        """Whether a test against a reference can say anything."""
        return not self.obstacle

    @property
    def asymptotic(self) -> bool:
        """Whether the interval holds only about, the better the more units there are."""
        return not (ends.is_proven(self.low) and ends.is_proven(self.high))

    @property
    def test(self) -> str:
        """The name of the test against a reference; empty if there is none."""
        if not self.testable:
            return ""
        return ends.test_name(self.low, self.task) if self.reference_units is None else self.test_against_specialist

    @property
    def test_against_specialist(self) -> str:
        """The name of the test against the specialist's own true score; empty if there is none."""
        if self.specialist_obstacle:
            return ""
        return "Fisher's exact" if self.low.binary else "betting against both"

    @property
    def specialist_obstacle(self) -> str:
        """Why the score cannot be held against the specialist's own true score, in one line; empty if it can."""
        return self.obstacle or specialist_obstacle_of(self.task.metric)

    def win_p_value(self, reference: float) -> float:
        """One-sided p-value of "the model is truly better than the reference", from the worse end. 1 if nothing can be said."""
        return self._p_value(self.low, reference, self.reference_units, better=True)

    def loss_p_value(self, reference: float) -> float:
        """One-sided p-value of "the model is truly worse than the reference", from the better end."""
        return self._p_value(self.high, reference, self.reference_units, better=False)

    def win_p_value_against_specialist(self, reference: float, reference_units: int) -> float:
        """The same of "the model is truly better than the specialist", which scored the reference on so many instances of its own."""
        return self._p_value(self.low, reference, reference_units, better=True)

    def loss_p_value_against_specialist(self, reference: float, reference_units: int) -> float:
        """The same of "the model is truly worse than the specialist"."""
        return self._p_value(self.high, reference, reference_units, better=False)

    def specialist_range(self, reference: float, reference_units: int, threshold: float) -> tuple[float, float] | None:
        """Where the specialist's true score may lie, in the metric's unit, its score being known on so many instances.

        To either side at this error: no number of the model's instances shows at this threshold that a score in between is better or
        worse than the specialist. None if nothing can be said.
        """
        if self.specialist_obstacle:
            return None
        return ends.specialist_range(self.low, reference, reference_units, threshold)

    def needed(self, reference: float, alpha: float, *, better: bool, reference_units: int | None = None) -> int | None:
        """About how many instances more would show at alpha, with a power of 0.8, that the model is better (worse) than the reference.

        reference_units: than the specialist, which was measured on so many. 0 if they show it already. None if no number would: the score
        leans the other way, the specialist's is known too poorly, or nothing is known of its error.
        """
        end = self.low if better else self.high
        others = self.reference_units if reference_units is None else reference_units
        p_value = self._p_value(end, reference, others, better=better)
        if p_value <= alpha:
            return 0
        if not self.testable or _sign(self.task, better=better) * (end.value - reference) <= 0.0:
            return None
        units = units_needed(end, self.task, reference, others, alpha, above=_sign(self.task, better=better) > 0.0)
        return None if units is None else max(1, math.ceil(units * (self.instances or _held(end)) / end.units))

    def interval(self, confidence: float) -> tuple[float, float] | None:
        """(lower, upper) in the metric's unit, outer over both ends; None if no error is known."""
        found = [ends.interval(end, self.task, confidence) for end in ((self.low,) if self.low == self.high else (self.low, self.high))]
        known = [end for end in found if end is not None]
        return None if len(known) < len(found) else (min(end[0] for end in known), max(end[1] for end in known))

    def _p_value(self, end: Estimate, reference: float, reference_units: int | None, *, better: bool) -> float:
        if self.obstacle:
            return 1.0
        above = _sign(self.task, better=better) > 0.0
        found = ends.p_value(end, self.task, reference, above=above)
        if reference_units is None:
            return found
        if self.specialist_obstacle:
            return 1.0
        # An uncertain reference makes nothing surer.
        return max(found, ends.p_value_against(end, reference, reference_units, above=above))


def evidence_from_workbook(
    results: Iterable[TaskResult], units: Mapping[str, int] | None = None, *, repeats: int = 1
) -> tuple[list[TaskEvidence], list[str]]:
    """Evidence if only values are known, with n from ``units`` by Task.id, else the task list; and what cannot be certified.

    Shares of right answers are tested exactly if each instance was asked once (``repeats``), other means of numbers 0..100 by Hoeffding's
    bound, which holds however the numbers spread.
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
        estimate = Estimate(result.value, widest, count, nature.is_share and repeats == 1, bounded=True)
        evidence.append(TaskEvidence(task, estimate, estimate))
    lines = [f"{label}: {count} task(s) cannot be certified from values alone" for label, count in sorted(refused.items())]
    return evidence, lines


def _sign(task: Task, *, better: bool) -> float:
    """1 if a higher score speaks for what is tested, else -1."""
    return 1.0 if (metric(task.metric.id).direction is Direction.HIGHER) == better else -1.0


def _held(end: Estimate) -> float:
    """How many instances the units hold, however often each was asked."""
    return end.sample.total if isinstance(end.sample, Sample) and end.sample.sizes is Sizes.PLANNED else end.units
