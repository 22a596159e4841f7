"""Which tasks' scores are computed now, for those who ask what a scorer does."""

from __future__ import annotations

import itertools
import threading
from weakref import WeakSet


class Scoring:
    """One computation of a task's score, for as long as somebody keeps this. of: the run and the task. number: of its beginning."""

    def __init__(self, of: tuple[str, str], number: int) -> None:
        self.of = of
        self.number = number


class Going:
    """The computations that go on. Thread-safe."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._open: WeakSet[Scoring] = WeakSet()  # for as long as somebody works on it, be its caller gone or not
        self._lock = threading.Lock()

    def begin(self, run_id: str, task: str) -> Scoring:
        """One that begins now."""
        with self._lock:
            scoring = Scoring((run_id, task), next(self._numbers))
            self._open.add(scoring)
        return scoring

    def all(self) -> list[tuple[str, str]]:
        """Their runs and tasks, the longest first."""
        with self._lock:
            return [one.of for one in sorted(self._open, key=lambda one: one.number)]
