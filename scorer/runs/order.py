"""Which score of a task is kept if several are computed at once, as when a run is rescored while it goes on."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from weakref import WeakSet


class Scoring:
    """One computation of a task's score. number: of its beginning. late: one that began after it has been stored."""

    def __init__(self, of: tuple[str, str], number: int) -> None:
        self.of = of
        self.number = number
        self.late = False


class Order:
    """Stores scores so that the one whose answers were told last is kept, whichever is there first. Thread-safe."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._open: WeakSet[Scoring] = WeakSet()  # for as long as somebody works on it, be its caller gone or not
        self._lock = threading.Lock()
        self._storing = threading.Lock()

    def begin(self, run_id: str, task: str) -> Scoring:
        """A score of a task, whose answers are told from now on."""
        with self._lock:
            scoring = Scoring((run_id, task), next(self._numbers))
            self._open.add(scoring)
        return scoring

    def going(self) -> list[tuple[str, str]]:
        """Runs and tasks whose scores are computed now, the longest first."""
        with self._lock:
            return [one.of for one in sorted(self._open, key=lambda one: one.number)]

    def store(self, scoring: Scoring, save: Callable[[], None]) -> None:
        """Saves it, unless one of the same task that began later has been saved."""
        with self._storing:
            if scoring.late:
                return
            save()
            with self._lock:
                for other in self._open:
                    other.late = other.late or (other.of == scoring.of and other.number < scoring.number)
