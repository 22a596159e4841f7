"""A task's units in the order in which a run that asks until something is decided asks them.

A unit is what its full run's test counts as one: the instances that share a medium or a text (``genlevel.benchmark.clusters``), or one
instance alone, each with its repeats. What all of a task's instances share is part of the task: then each is alone.
"""

from __future__ import annotations

import hashlib
import random
from array import array
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from evaluator.planning.plans import TaskPlan
from genlevel.benchmark.clusters import shared_by
from genlevel.benchmark.folder_task import FolderTask
from genlevel.benchmark.model import Instance
from genlevel.runtime.errors import DatasetError

_FIRST_BLOCK, _GROWTH, _LAST_BLOCK = 16, 8, 512
"""Units."""
_PASSES = 64
"""Of a task that is read to its end in blocks of equal length, at most: a pass over its annotation may take as long as many calls."""
_LARGEST_BLOCK = 1024
"""Instances."""
_MOST_KEPT = 16 << 20
"""Bytes of instances, about, that are read ahead of all tasks together."""
_INSTANCE_BYTES = 1500


@dataclass(frozen=True, slots=True)
class TaskUnits:
    """The units of one task in their order. positions: of all planned instances, unit after unit. ends: where each unit ends in them.

    repeats: how often each instance is asked.
    """

    positions: Sequence[int]
    ends: Sequence[int]
    repeats: int = 1

    def __len__(self) -> int:
        return len(self.ends)

    def of(self, unit: int) -> Sequence[int]:
        """The positions of a unit's instances, ascending."""
        return self.positions[self.ends[unit - 1] if unit else 0 : self.ends[unit]]

    @property
    def instances(self) -> Sequence[int]:
        """How many instances each unit has."""
        before = 0
        found = array("I")
        for end in self.ends:
            found.append(end - before)
            before = end
        return found

    @property
    def answers(self) -> Sequence[int]:
        """How many answers each unit takes."""
        return array("I", [count * self.repeats for count in self.instances])

    @property
    def sizes(self) -> dict[int, int]:
        """How many units have so many instances; empty if each has one."""
        counted = Counter(self.instances)
        return dict(sorted(counted.items())) if max(counted, default=1) > 1 else {}

    def answers_of_first(self, units: int) -> int:
        """How many answers the first so many units take."""
        return self.ends[units - 1] * self.repeats if units else 0


def units_of(planned: TaskPlan, seed: int) -> TaskUnits:
    """The units of a task in their order, which follows from the run's seed and the task's key. Raises DatasetError.

    Reads the annotation once, and looks into no medium.
    """
    order = random.Random(f"units:{seed}:{planned.task.key}")
    groups = _groups(planned)
    if all(len(group) == 1 for group in groups):
        alone = [group[0] for group in groups]
        order.shuffle(alone)
        return TaskUnits(array("I", alone), range(1, len(alone) + 1), planned.repeats)
    order.shuffle(groups)
    positions = array("I", [position for group in groups for position in group])
    return TaskUnits(positions, array("I", accumulate(map(len, groups))), planned.repeats)


def _groups(planned: TaskPlan) -> list[Sequence[int]]:
    """The positions of each unit, in the order of its first one."""
    groups: list[Sequence[int]] = []
    known: dict[bytes, list[int]] = {}
    for position, shared in _shared(planned):
        if not shared:
            groups.append((position,))
            continue
        key = hashlib.sha256(shared.encode("utf-8", "backslashreplace")).digest()
        if (group := known.get(key)) is None:
            groups.append(known.setdefault(key, [position]))
        else:
            group.append(position)
    if len(groups) == 1:
        return [(position,) for position in groups[0]]
    return groups


def _shared(planned: TaskPlan) -> Iterator[tuple[int, str]]:
    """What each planned instance shares with others, with its position."""
    task = planned.task
    if not isinstance(task, FolderTask):
        for instance in task.instances(planned.positions):
            yield instance.position, shared_by([file.path.as_posix() for file in instance.media], instance.context, task.key)
        return
    wanted = None if planned.positions is None else frozenset(planned.positions)
    for position, shared in enumerate(task.shared()):
        if wanted is None or position in wanted:
            yield position, shared


class UnitReader:
    """Reads the instances of units: a block of a task's next ones at a time, as each pass over its annotation takes a while.

    What was read ahead of many tasks is bounded; beyond that it is read again. Blocking: call it off the event loop, one at a time.
    """

    def __init__(self, tasks: Iterable[tuple[TaskPlan, TaskUnits]]) -> None:
        self._tasks = {planned.task.key: (planned, units) for planned, units in tasks}
        self._blocks: OrderedDict[str, _Block] = OrderedDict()
        self._lengths: dict[str, int] = {}  # of the last block, in units
        self._kept = 0

    def ready(self, task: str, unit: int) -> bool:
        """Whether a unit is read already, so that ``take`` does not block."""
        block = self._blocks.get(task)
        return block is not None and unit in block.units

    def take(self, task: str, unit: int) -> list[Instance]:
        """The instances of a unit, by position. Those of the task's units before it are forgotten. Raises DatasetError."""
        if not self.ready(task, unit):
            self._forget(task)
            self._blocks[task] = block = self._read(task, unit)
            self._kept += block.size
        block = self._blocks[task]
        self._blocks.move_to_end(task)
        while self._kept > _MOST_KEPT and len(self._blocks) > 1:
            given_up = next(iter(self._blocks))
            self._forget(given_up)
            del self._lengths[given_up]
        found = block.units.pop(unit)
        for before in [one for one in block.units if one < unit]:
            del block.units[before]
        if not block.units:
            self._forget(task)
        return found

    def _forget(self, task: str) -> None:
        if (block := self._blocks.pop(task, None)) is not None:
            self._kept -= block.size

    def _read(self, task: str, first: int) -> _Block:
        planned, units = self._tasks[task]
        least = max(_FIRST_BLOCK, len(units) // _PASSES)
        length = self._lengths[task] = min(max(_LAST_BLOCK, least), max(least, _GROWTH * self._lengths.get(task, 0)))
        wanted: dict[int, int] = {}  # the unit of each position
        for unit in range(first, min(first + length, len(units))):
            if wanted and len(wanted) + len(units.of(unit)) > _LARGEST_BLOCK:
                break
            wanted.update(dict.fromkeys(units.of(unit), unit))
        found: dict[int, list[Instance]] = {}
        for instance in planned.task.instances(sorted(wanted)):
            found.setdefault(wanted[instance.position], []).append(instance)
        if sum(map(len, found.values())) < len(wanted):
            raise DatasetError(f"{task}: its annotation has become shorter since the run began; put it back and resume the run")
        return _Block(found, len(wanted) * self._bytes(planned))

    def _bytes(self, planned: TaskPlan) -> int:
        """About how many bytes an instance takes."""
        task = planned.task
        written = task.annotation.stat().st_size // max(1, task.count()) if isinstance(task, FolderTask) else 0
        return _INSTANCE_BYTES + 2 * written


@dataclass(frozen=True, slots=True)
class _Block:
    units: dict[int, list[Instance]]
    size: int
