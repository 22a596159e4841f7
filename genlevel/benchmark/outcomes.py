"""What became of one question: one vocabulary for journal, scorer, commands and pages. Imports nothing of the wire."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Outcome(StrEnum):
    """What became of one instance; the six are disjoint."""

    ANSWERED = "answered"
    """The model gave an answer."""
    REFUSED = "refused"
    """The model or its provider would not answer, or the input is too long for it: counts as wrong."""
    UNPARSABLE = "unparsable"
    """Answered, but no answer of the task's type could be read: counts as wrong. Only the scorer says so."""
    FAILED = "failed"
    """The call failed for good: the task is incomplete."""
    UNSUPPORTED = "unsupported"
    """The model or adapter does not take the modality: not asked."""
    PENDING = "pending"
    """Not asked yet."""

    @property
    def number(self) -> int:
        """Its number in the contract (``OUTCOME_...`` of genlevel.v1) and in databases."""
        return _NUMBERS[self]

    @classmethod
    def of(cls, number: int) -> Outcome:
        """The outcome with that number. Raises ValueError if there is none, such as for 0 (unspecified)."""
        found = _OUTCOMES.get(number)
        if found is None:
            raise ValueError(f"no outcome has the number {number}")
        return found


_NUMBERS: Mapping[Outcome, int] = {
    Outcome.ANSWERED: 1,
    Outcome.REFUSED: 2,
    Outcome.FAILED: 3,
    Outcome.UNSUPPORTED: 4,
    Outcome.PENDING: 5,
    Outcome.UNPARSABLE: 6,
}
_OUTCOMES: Mapping[int, Outcome] = {number: outcome for outcome, number in _NUMBERS.items()}

OPEN = frozenset({Outcome.FAILED, Outcome.PENDING})
"""Outcomes that say nothing about the model: the task is incomplete."""
