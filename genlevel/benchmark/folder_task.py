"""One task folder of a suite: which task it is, how it is scored, and its instances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from genlevel.benchmark.annotation import fingerprint, stream_items
from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.answer_types import TaskFacts
from genlevel.benchmark.cursor import Cursor
from genlevel.benchmark.layout import TaskFolder
from genlevel.benchmark.model import Instance, Modality, Paradigm, Task, TaskMetric
from genlevel.benchmark.reader import Reader, Survey

DEPTH_UNITS = ("m", "cm", "mm")
DEPTH_ADVICE = 'write "depth_unit": "m", "cm" or "mm" beside "data"'
_NAMED_PROBLEMS = 20


class FolderTask:
    """A SuiteTask (see genlevel.benchmark.model) over a folder, whose annotation was read to its end once (found).

    Raises DatasetError if its media are in an archive that cannot be unpacked.
    """

    def __init__(
        self,
        folder: TaskFolder,
        found: Survey,
        *,
        name: str,
        modality: Modality,
        paradigm: Paradigm | None,
        task: Task | None,
        metric: TaskMetric | None,
    ) -> None:
        self.key = folder.key
        self.name = name
        self.task = task
        self.modality = modality
        self.paradigm = paradigm
        self.metric = metric
        self.annotation = folder.annotation
        self.folder = folder.path
        self.fingerprint = fingerprint(folder.annotation)
        self.survey = found
        self._count = found.count
        envelope = found.envelope
        facts = TaskFacts(name, envelope.type, envelope.skill, modality, paradigm, metric, envelope.modality_out, found.kinds)
        self._reader = Reader(folder.annotation, folder.path, folder.root, found, facts)
        self.renumbered = found.renumbered

    @cached_property
    def content(self) -> str:
        """The hash of the annotation and of the files that lie with it (genlevel.benchmark.content)."""
        from genlevel.benchmark.content import folder_content

        return folder_content(self.fingerprint, self.folder)

    def __repr__(self) -> str:
        return f"FolderTask({self.key!r}, {self._count} instances)"

    @property
    def answer_type(self) -> AnswerType:
        """The answer type of instances that offer no options."""
        return self._reader.answer_type

    def count(self) -> int:
        """Number of instances."""
        return self._count

    def instances(self, positions: Iterable[int] | None = None) -> Iterator[Instance]:
        """Instances in file order, streamed; only these positions if given.

        An instance that cannot be asked carries a problem. Raises DatasetError naming the item if the file has been broken since.
        """
        return self._reader.instances(positions)

    def instance(self, item: object, position: int) -> Instance:
        """The instance that an item of the annotation is, as ``instances`` gives it."""
        return self._reader.instance(item, position)

    def cursor(self) -> Cursor:
        """Reads instances as ``instance`` gives them, a portion at a time."""
        return Cursor(lambda: stream_items(self.annotation, sound=self._count), self.instance)

    def shared(self) -> Iterator[str]:
        """Of each instance in order what it shares with others about the same thing, as ``Reader.shared``. Raises DatasetError."""
        return self._reader.shared(self.key)

    def labelled(self) -> Iterator[Instance]:
        """All instances, also if their media are missing: holding answers against labels seldom needs them. Raises DatasetError.

        A medium that is missing is a path at which nothing lies, the same for all instances that name it alike.
        """
        return self._reader.instances(with_media=False)

    def remarks(self, *, look_inside: bool = False) -> Iterator[tuple[Instance, str, int]]:
        """As of ``Reader``: every instance with a problem or a remark."""
        return self._reader.remarks(look_inside=look_inside)

    def envelope_problem(self) -> str:
        """What the annotation as a whole lacks to be scored, in one line; "" if it lacks nothing."""
        unit = self.survey.envelope.depth_unit.strip()
        if self.metric is None or self.metric.id != "rms" or unit.casefold() in DEPTH_UNITS:
            return ""
        said = f"is {unit[:60]!r}, not one of {', '.join(DEPTH_UNITS)}" if unit else "is not said"
        return f"the unit of its depth files {said}, so they cannot be scored"

    def problems(self) -> tuple[str, ...]:
        """One line for each thing that cannot be asked or scored as the annotation stands; many alike are counted."""
        lines = [f"{self.key}: {problem}; {DEPTH_ADVICE}"] if (problem := self.envelope_problem()) else []
        alike: dict[str, tuple[int, Instance]] = {}
        unnamed = 0
        for instance, remark, amount in self._reader.remarks():
            if instance.problem and len(lines) < _NAMED_PROBLEMS:
                lines.append(f"{self.key}: {instance.problem}")
            elif instance.problem:
                unnamed += 1
            elif remark in alike or len(alike) < _NAMED_PROBLEMS:
                total, first = alike.get(remark, (0, instance))
                alike[remark] = (total + amount, first)
            else:
                unnamed += 1
        lines += [_counted(self.key, remark, total, first) for remark, (total, first) in alike.items()]
        if unnamed:
            lines.append(f"{self.key}: and {unnamed} more items with problems of this kind")
        if self.renumbered:
            lines.append(f"{self.key}: some ids are missing or repeated; these items are told apart by '#' and their position")
        return tuple(lines)


def _counted(key: str, remark: str, total: int, first: Instance) -> str:
    where = f"item {first.position} (id {first.id!r})"
    return (
        f"{key}: {where}: {remark}"
        if total == 1
        else f"{key}: {total} {remark}, first in {where}"
        if remark.endswith(_PLURAL)
        else f"{key}: {total} items, first {where}: {remark}"
    )


_PLURAL = ("cannot be read as items", "could be read")
