"""What is tested of one task: what it is held against, in which of the two readings, and the p-values of a win and of a loss.

A task is *truly won* if the model's true score is better than the published figure and, of choices and labels, better than what the best
constant answer scores on the same labels; against the specialist itself also better than the specialist's own true score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from genlevel.benchmark.metrics import Direction, metric, sigma
from genlevel.benchmark.model import Task
from scorer.certify.evidence import TaskEvidence
from scorer.certify.intervals import wilson
from scorer.certify.obstacles import obstacle_of, specialist_obstacle_of
from scorer.levels.rules import TaskResult

_JUST = 1e-6
"""What is just above a reference, in the metric's unit."""
UNKNOWN_UNITS = "it is not known on how many instances its specialist was measured"


class Reading(StrEnum):
    """What a certified win is above."""

    PUBLISHED = "published figures"
    SPECIALISTS = "specialists"


@dataclass(frozen=True, slots=True)
class Claim:
    """One task of the benchmark, and what is known of its win.

    entry: None of a task that was not asked, or of whose error nothing is known. constant: what the best constant answer scores; None: not
    known, or of another kind of task. units: instances that the specialist was measured on, 0 if that is not known; None holds the task
    against the published figure.
    """

    result: TaskResult
    entry: TaskEvidence | None = None
    constant: float | None = None
    units: int | None = None

    @property
    def task(self) -> Task:
        return self.result.task

    @property
    def counts(self) -> bool:
        """Whether the task is one of the m that could be certified, whatever was asked."""
        return self.result.reference is not None and not obstacle_of(self.task.metric)

    @property
    def obstacle(self) -> str:
        """Why nothing can be certified of the task, in one line; empty if something can."""
        if self.result.reference is None:
            return "no reference"
        if found := obstacle_of(self.task.metric) or ("" if self.entry is None else self.entry.obstacle):
            return found
        if self.units is None:
            return ""
        return specialist_obstacle_of(self.task.metric) or ("" if self.units else UNKNOWN_UNITS)

    @property
    def is_tested(self) -> bool:
        return self.entry is not None and self.entry.testable and not self.obstacle

    @property
    def test(self) -> str:
        """The name of the test; empty if there is none."""
        if self.entry is None or not self.is_tested:
            return ""
        return self.entry.test if self.units is None else self.entry.test_against_specialist

    @property
    def has_result(self) -> bool:
        """Whether the model has a result, or may still have one as the task is incomplete."""
        return self.result.value is not None or self.entry is not None

    @property
    def may_be_won(self) -> bool:
        """Without a result or a reference there is no win, by the rules; a result of unknown error could be one."""
        return self.has_result and self.result.reference is not None

    @property
    def rewards(self) -> bool:
        """Whether a win adds to a level's score: all but one against a reference so bad that scores just above it map to 0."""
        reference = self.result.reference
        if reference is None:
            return False
        return sigma(self.task.metric.id, reference + (_JUST if self._higher else -_JUST)) > 0.0

    def win(self) -> float:
        """p-value of "truly not won"; 1 if nothing can be said. Against the specialist never below the one against its published figure."""
        reference, entry = self.result.reference, self.entry
        if reference is None or entry is None or not self.is_tested:
            return 1.0
        found = max(entry.win_p_value(bar) for bar in self._bars(reference))
        return max(found, entry.win_p_value_against_specialist(reference, self.units)) if self.units else found

    def loss(self) -> float:
        """p-value of "truly at least as good as the reference", whose opposite rules a win out; 1 if nothing can be said."""
        reference, entry = self.result.reference, self.entry
        if reference is None or entry is None or not self.is_tested:
            return 1.0
        return entry.loss_p_value_against_specialist(reference, self.units) if self.units else entry.loss_p_value(reference)

    def needed(self, share: float, *, better: bool) -> int | None:
        """About how many instances more would show a win (a loss) at this error; None if none would."""
        reference, entry = self.result.reference, self.entry
        if reference is None or entry is None or not self.is_tested or share <= 0.0:
            return None
        bars = self._bars(reference) if better else [reference]
        counts = [entry.needed(bar, share, better=better) for bar in bars]
        if self.units:
            counts.append(entry.needed(reference, share, better=better, reference_units=self.units))
        known = [count for count in counts if count is not None]
        return max(known) if len(known) == len(counts) else None

    def leans(self, *, better: bool) -> bool:
        """Whether the score is on that side of what it is held against, open instances taken as in the test."""
        reference, entry = self.result.reference, self.entry
        if reference is None or entry is None:
            return False
        value = (entry.low if better else entry.high).value
        return all((value > bar) == (self._higher == better) and value != bar for bar in (self._bars(reference) if better else [reference]))

    def is_hopeless(self, share: float, *, better: bool) -> bool:
        """Whether the specialist is known too poorly: no number of instances would show at this error that a true score as seen differs."""
        reach = self.specialist_range(share)
        if reach is None or self.entry is None:
            return False
        return reach[0] <= (self.entry.low if better else self.entry.high).value <= reach[1]

    def specialist_range(self, share: float) -> tuple[float, float] | None:
        """Where the specialist's own true score may lie, to either side at this error, in the metric's unit; None if not known."""
        reference = self.result.reference
        if not self.units or reference is None or self.entry is None or not self.is_tested:
            return None
        return self.entry.specialist_range(reference, self.units, share)

    def specialist_interval(self, confidence: float) -> tuple[float, float] | None:
        """The same for people, at this confidence."""
        reference = self.result.reference
        if not self.units or reference is None or not self.is_tested or not 0.0 <= reference <= 100.0:
            return None
        lower, upper = wilson(reference / 100.0 * self.units, self.units, confidence)
        return 100.0 * lower, 100.0 * upper

    @property
    def _higher(self) -> bool:
        return metric(self.task.metric.id).direction is Direction.HIGHER

    def _bars(self, reference: float) -> list[float]:
        """What a win has to be above."""
        return [reference] if self.constant is None else [reference, self.constant]


def claims_of(
    results: Sequence[TaskResult],
    evidence: Mapping[str, TaskEvidence],
    constants: Mapping[str, float],
    specialists: Mapping[str, int] | None,
) -> tuple[Claim, ...]:
    """All tasks of a benchmark, in its order. The mappings are by Task.id. specialists: see ``Claim.units``, None for the first reading."""
    return tuple(
        Claim(
            result,
            evidence.get(result.task.id),
            constants.get(result.task.id),
            None if specialists is None else specialists.get(result.task.id, 0),
        )
        for result in results
    )
