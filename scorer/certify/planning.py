"""About how many instances more would decide a level: for planning, at a power of 0.8 for each of the tests that it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from genlevel.benchmark.model import Modality, Paradigm
from scorer.certify.evidence import TaskEvidence
from scorer.levels.rules import LEVEL_MODALITIES, TaskResult


def instances_to_decide(
    level: int, results: Sequence[TaskResult], known: Mapping[str, TaskEvidence], alpha: float, *, reached: bool
) -> int | None:
    """How many would decide Level 3, 4 or 5 the way the points lean; None if none would, or nothing is known of their error.

    reached: by the points. Then the fewest that would certify the wins it takes; else the fewest that would certify the losses after
    which it is out of reach. Each test has the error that the level's certificate leaves it.
    """
    plan = _Plan(results, known, alpha)
    return plan.to_attain(level) if reached else plan.to_rule_out(level)


class _Plan:
    """known: by Task.id."""

    def __init__(self, results: Sequence[TaskResult], known: Mapping[str, TaskEvidence], alpha: float) -> None:
        self._known, self._alpha = known, alpha
        self._all = [row for row in results if row.task.modality is not Modality.LANGUAGE]
        self._language = [row for row in results if row.task.modality is Modality.LANGUAGE]
        self._pairs = [
            [[row for row in self._all if (row.task.modality, row.task.paradigm) == (modality, paradigm)] for paradigm in Paradigm]
            for modality in LEVEL_MODALITIES
        ]

    def to_attain(self, level: int) -> int | None:
        tests = len(self._tested(self._all))
        if level == 3:
            return self._win(self._all, tests)
        # The two wins of Level 4 make Level 3, too.
        fourth = _least(
            _total(self._win(side, max(tests, len(self._pairs) * len(self._tested(side)))) for side in pair) for pair in self._pairs
        )
        return fourth if level == 4 else _total([fourth, self._win(self._language, len(self._tested(self._language)))])

    def to_rule_out(self, level: int) -> int | None:
        """A level is out of reach with all above it; the fifth without pairs or without language wins, each at half of the error."""
        without_language = self._lose(self._language, self._alpha / 2.0)
        if level == 5:
            return _least([self._no_pair(self._alpha / 2.0), without_language])
        others = self._alpha if level == 3 else None
        return _least([self._no_pair(self._alpha / 2.0, others), _total([self._no_pair(self._alpha, others), without_language])])

    def _no_pair(self, alpha: float, others: float | None = None) -> int | None:
        """One side of each modality without a win at this error, half of it for either side; others: the other side too, at that error."""
        return _total(
            _least(
                _total([self._lose(side, alpha / 2.0), 0 if others is None else self._lose(other, others)])
                for side, other in (pair, pair[::-1])
            )
            for pair in self._pairs
        )

    def _tested(self, rows: Sequence[TaskResult]) -> list[tuple[TaskEvidence, float]]:
        return [
            (entry, row.reference)
            for row in rows
            if row.reference is not None and (entry := self._known.get(row.task.id)) is not None and entry.testable
        ]

    def _win(self, rows: Sequence[TaskResult], tests: int) -> int | None:
        """The fewest for some win, corrected for so many tests."""
        return _least(entry.needed(reference, self._alpha / tests, better=True) for entry, reference in self._tested(rows))

    def _lose(self, rows: Sequence[TaskResult], alpha: float) -> int | None:
        """Those for the loss of every task that may still be a win."""
        tested = self._tested(rows)
        # Without a result or a reference there is no win; a result of unknown error stays open.
        open_ended = sum(row.reference is not None and (row.value is not None or row.task.id in self._known) for row in rows)
        if open_ended > len(tested):
            return None
        return _total(entry.needed(reference, alpha, better=False) for entry, reference in tested)


def _least(counts: Iterable[int | None]) -> int | None:
    return min((count for count in counts if count is not None), default=None)


def _total(counts: Iterable[int | None]) -> int | None:
    found = list(counts)
    return None if None in found else sum(count for count in found if count is not None)
