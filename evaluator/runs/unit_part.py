"""A unit of a run that is decided early, while it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluator.journal.records import Said
from evaluator.runs.alone import TaskState
from evaluator.runs.asking import Part
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.model import Instance
from genlevel.deciding.values import Draw


@dataclass(slots=True, kw_only=True)
class UnitPart(Part):
    """A unit that was drawn. said: its answers so far. known: the journal had all of them."""

    draw: Draw
    task: TaskState
    instances: Sequence[Instance]
    said: dict[AnswerKey, Said]
    known: bool = False

    @property
    def keys(self) -> list[AnswerKey]:
        """Of all of its answers."""
        return [key for instance in self.instances for key in self.planned.keys(instance)]

    @property
    def is_complete(self) -> bool:
        """Whether all of its answers are there."""
        return len(self.said) == len(self.instances) * self.planned.repeats
