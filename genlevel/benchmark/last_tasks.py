"""Single instances of a suite that are looked up again and again: how the tasks that were looked at last are read is remembered.

Finding one task among hundreds means to read the suite's layout and the head of each annotation before it, which takes far longer than to
find an instance in an annotation that is known.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from genlevel.benchmark.folder_task import FolderTask
from genlevel.benchmark.layout import Layout
from genlevel.benchmark.loading import find_tasks, instances_in, layout_of
from genlevel.benchmark.manifest import MANIFEST, Manifest
from genlevel.benchmark.model import Instance
from genlevel.benchmark.suites import placed_suite

MOST_TASKS = 8
FRESH_S = 600.0
"""After which a task is looked for again, as it may lie elsewhere now."""


@dataclass(frozen=True, slots=True)
class _Known:
    """files: each with what it was like when the task was found."""

    task: FolderTask
    files: Mapping[Path, tuple[int, int]]
    until: float


@dataclass(frozen=True, slots=True)
class _Suite:
    """The suite that was looked through last. files: each with what it was like then."""

    place: str
    root: Path
    manifest: Manifest | None
    layout: Layout
    files: Mapping[Path, tuple[int, int]]
    until: float


class LastTasks:
    """Looks instances up as ``genlevel.benchmark.suites.find_instances`` does. Safe to use from several threads."""

    def __init__(self, most: int = MOST_TASKS) -> None:
        self._most = most
        self._suite: _Suite | None = None
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, place: str | Path, wanted: Mapping[str, Collection[str]]) -> dict[str, dict[str, Instance]]:
        """Instances by task and id; none for what the suite does not have, or cannot be read. Raises DatasetError.

        place: of the suite, a shipped one's name or a folder. wanted: ids by the task's key.
        """
        ids = {key: frozenset(some) for key, some in wanted.items()}
        known = {key: self._fresh(place, key) for key in ids} if len(ids) <= self._most else {}
        if known and all(known.values()):
            return {key: instances_in(one.task, ids[key]) for key, one in known.items() if one is not None}
        found = self._found(place, ids)
        return {key: instances for key, (_task, instances) in found.items()}

    def _found(self, place: str | Path, ids: Mapping[str, frozenset[str]]) -> Mapping[str, tuple[FolderTask | None, dict[str, Instance]]]:
        """By the suite's layout, as it was when it was last looked through; looked through again if that does not have all tasks."""
        suite = self._suite_of(place)
        found = find_tasks(suite.root, suite.manifest, ids, suite.layout)
        if len(found) < len(ids) or not all(task for task, _instances in found.values()):
            suite = self._suite_of(place, again=True)
            found = find_tasks(suite.root, suite.manifest, ids, suite.layout)
        if len(ids) <= self._most:
            for key, (task, _instances) in found.items():
                if task is not None:
                    self._remember(place, suite.root, key, task)
        return found

    def _suite_of(self, place: str | Path, *, again: bool = False) -> _Suite:
        with self._lock:
            suite = self._suite
        if again or suite is None or suite.place != str(place) or not _is_fresh(suite.until, suite.files):
            root, manifest = placed_suite(place)
            files = {path: _state(path) for path in (root, root / MANIFEST)}
            suite = _Suite(str(place), root, manifest, layout_of(root), files, time.monotonic() + FRESH_S)
            with self._lock:
                self._suite = suite
        return suite

    def _fresh(self, place: str | Path, key: str) -> _Known | None:
        with self._lock:
            known = self._known.get((str(place), key))
            if known is None or not _is_fresh(known.until, known.files):
                self._known.pop((str(place), key), None)
                return None
            self._known.move_to_end((str(place), key))
            return known

    def _remember(self, place: str | Path, root: Path, key: str, task: FolderTask) -> None:
        paths = (root, root / MANIFEST, task.annotation)
        known = _Known(task, {path: _state(path) for path in paths}, time.monotonic() + FRESH_S)
        with self._lock:
            self._known[str(place), key] = known
            while len(self._known) > self._most:
                self._known.popitem(last=False)


def _is_fresh(until: float, files: Mapping[Path, tuple[int, int]]) -> bool:
    return time.monotonic() <= until and all(_state(path) == state for path, state in files.items())


def _state(path: Path) -> tuple[int, int]:
    """Changes if the file does; (0, 0) if there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size
