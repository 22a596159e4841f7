"""Questions and answers that stay in memory until their task is scored: to read them again costs a fifth of asking them.

What is kept is what the journal and the annotation have, so whether a task is scored from here or from there makes no difference.
"""

from __future__ import annotations

from collections.abc import Sequence

from evaluator.journal.records import Answer, Said
from evaluator.planning.plans import TaskPlan
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.folder_task import FolderTask
from genlevel.benchmark.model import Instance, SuiteTask

_SMALL_BYTES = 512 << 10
_INSTANCE_BYTES = 500
"""Of an instance in memory, beside what its annotation has of it."""

_ANSWER_BYTES = 400
"""Of an answer in memory, beside its text."""

_CHARACTER_BYTES = 4


class Room:
    """Bytes in memory, about, that are left for what is kept of a run's tasks."""

    def __init__(self, most: int) -> None:
        self.left = most


class _Place:
    """What one list or dictionary takes of the room."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._taken = 0

    def take(self, size: int) -> bool:
        """Takes so many bytes more, if they are left."""
        if size > self._room.left:
            return False
        self._taken += size
        self._room.left -= size
        return True

    def leave(self) -> None:
        """Takes nothing any more."""
        self._room.left += self._taken
        self._taken = 0


class KeptTask:
    """What is kept of one task.

    instances: all that were read so far; None: not kept, as they are many or large, or have media. said: what was answered so far, by
    answer; None: not kept.
    """

    def __init__(self, planned: TaskPlan, room: Room) -> None:
        self._planned = planned
        self._questions, self._answers = _Place(room), _Place(room)
        self.instances: list[Instance] | None = None
        self.said: dict[AnswerKey, Said] | None = None

    def begin(self) -> None:
        """Its instances are read from the first one on."""
        self.forget()
        self.instances, self.said = [], {}

    def read(self, chunk: Sequence[Instance]) -> None:
        """The next instances."""
        if self.instances is None:
            return
        each = bytes_each(self._planned.task)
        if each is None or any(instance.media for instance in chunk) or not self._questions.take(each * len(chunk)):
            self._questions.leave()
            self.instances = None
        else:
            self.instances += chunk

    def answered(self, answer: Answer) -> None:
        """An answer is durable. The journal keeps the first of several, and no null characters: what it has is then read from there."""
        if self.said is None:
            return
        key, size = answer.key, _ANSWER_BYTES + _CHARACTER_BYTES * len(answer.raw_answer) + len(answer.files)
        if key in self.said or "\0" in answer.raw_answer or not self._answers.take(size):
            self._answers.leave()
            self.said = None
        else:
            self.said[key] = Said(answer.outcome, answer.raw_answer, answer.files)

    def all_said(self) -> dict[AnswerKey, Said] | None:
        """What was answered, if all of it is here."""
        return self.said if self.said is not None and len(self.said) == self._planned.answers else None

    def forget(self) -> None:
        """Keeps nothing any more."""
        self._questions.leave()
        self._answers.leave()
        self.instances = self.said = None


def bytes_each(task: SuiteTask) -> int | None:
    """About how many bytes an instance of a task takes in memory; None if they may not stay there, as the task is large."""
    try:
        size = task.annotation.stat().st_size if isinstance(task, FolderTask) else _SMALL_BYTES + 1
    except OSError:  # it is said when it is read again
        return None
    return _INSTANCE_BYTES + size // max(1, task.count()) if size <= _SMALL_BYTES else None
