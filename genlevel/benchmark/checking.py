"""Checking a copy of General-Bench: everything that cannot be asked or scored as it stands, each with what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.folder_task import DEPTH_ADVICE, FolderTask
from genlevel.benchmark.model import Instance, Suite, Task
from genlevel.benchmark.suites import load_suite
from genlevel.runtime.errors import DatasetError

_FETCH = "fetch the task again (genlevel bench fetch --tasks {task})"
# What to do about a problem, by words in it; the first that fits. {task}: the task folder's name.
_ADVICE: tuple[tuple[str, str], ...] = (
    ("mend the file or fetch it again", ""),
    ("fetch it again", ""),
    ("Git LFS", "run `git lfs pull`, or " + _FETCH),
    ("is missing (looked in", _FETCH),
    ("is empty (", _FETCH),
    ("link out of the suite", "put the file itself in its place"),
    ("leads out of the task folder", "write the path relative to the task folder"),
    ("not a path relative to the task folder", "write the path relative to the task folder"),
    ("is not a file name", "write the name of a file"),
    ("placeholder", "add the field to the item's input, or take the placeholder out"),
    ("asks nothing", "give the item a prompt, a question or a file"),
    ("its label is empty", "give the item a label, or take it out"),
    ("its label", "correct the item's output"),
    ("annotation files (", "move all but one away"),
    ("task folders lie below", "move the file away"),
    (
        "is not one of the 699",
        "rename the folder if it is meant to be one (genlevel tasks lists their names)",
    ),
    ("could be any of", "rename the folder to the one that is meant"),
    ("not here", "move the folder to where that task belongs, or rename it"),
    ("already; asked", "keep one of the two folders"),
    ("says a modality", "put the folder below nlp/, or below image/, video/, audio/ or 3d/ and comprehension/ or generation/"),
    ("no metric is known", "rename the folder to a task's name, or leave it: it is asked, not scored"),
    ("not an annotation", "give it a `data` list of items with input and output, or rename the file"),
    ("not used", _FETCH),
    ("left out", _FETCH),
    ("; an object or a text is expected", "correct the item's input"),
    ("; a text is expected", "correct the item's input"),
    ("; a list of turns is expected", "correct the item's input"),
    ("it is not an object", "correct the item"),
    ("nested too deeply", "flatten the item"),
    ("the unit of its depth files", DEPTH_ADVICE),
)
# Notes: what they tell of is asked and scored all the same.
_NOTES = ("some ids are missing", "asked as a free label", "unbalanced brackets", "the folder's name counts")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or to know. file: relative to the folder. item, id: of an annotation's item, else None and ""."""

    file: str
    said: str
    advice: str = ""
    item: int | None = None
    id: str = ""

    def line(self) -> str:
        """All of it in one line."""
        where = self.file if self.item is None else f"{self.file}: item {self.item} (id {self.id!r})"
        return f"{where}: {self.said}" + (f"; {self.advice}" if self.advice else "")


@dataclass(frozen=True, slots=True)
class TaskCheck:
    """One task folder. unusable: instances that cannot be asked."""

    key: str
    task: Task | None
    metric: str
    answer_type: AnswerType
    instances: int
    unusable: int


@dataclass(slots=True)
class Check:
    """What checking found."""

    suite: Suite
    tasks: list[TaskCheck] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    missing_media: int = 0

    @property
    def missing(self) -> tuple[Task, ...]:
        """Tasks of the benchmark that the copy does not have."""
        found = {check.task.id for check in self.tasks if check.task is not None}
        return tuple(task for task in self.suite.benchmark.tasks if task.id not in found)

    @property
    def missing_by_sheet(self) -> dict[str, int]:
        """How many tasks each sheet lacks, in the workbook's order."""
        return dict(Counter(task.sheet for task in self.missing))

    def summary(self) -> dict[str, int]:
        """The figures."""
        listed = sum(check.task is not None for check in self.tasks)
        return {
            "tasks": len(self.tasks),
            "listed": listed,
            "unlisted": len(self.tasks) - listed,
            "missing": len(self.missing),
            "of": len(self.suite.benchmark.tasks),
            "instances": sum(check.instances for check in self.tasks),
            "unusable_instances": sum(check.unusable for check in self.tasks),
            "missing_media": self.missing_media,
            "problems": len(self.problems),
            "notes": len(self.notes),
        }


def check_copy(folder: Path) -> Check:
    """Reads a copy, or a part of one, to its end: every annotation, the labels in it, and the first bytes of every file that is named.

    Raises DatasetError if there is no task at all.
    """
    suite = load_suite(folder, with_items=False)
    check = Check(suite)
    for problem in suite.problems:
        file, _, said = problem.partition(": ")
        (check.notes if _is_note(said) else check.problems).append(Finding(file, said, _advice(said, file)))
    for task in suite.tasks:
        assert isinstance(task, FolderTask)
        unusable = 0
        for finding, is_problem, asks_nothing in _findings(task):
            (check.problems if is_problem else check.notes).append(finding)
            unusable += asks_nothing
            check.missing_media += "is missing (looked in" in finding.said
        metric = task.metric.id if task.metric is not None else ""
        check.tasks.append(TaskCheck(task.key, task.task, metric, task.answer_type, task.count(), unusable))
    return check


def _findings(task: FolderTask) -> Iterator[tuple[Finding, bool, bool]]:
    """(finding, whether it is a problem, whether its instance cannot be asked)."""
    file = f"{task.key}/{task.annotation.relative_to(task.folder).as_posix()}"
    if said := task.envelope_problem():
        yield Finding(file, said, _advice(said, task.key)), True, False
    try:
        for instance, remark, amount in task.remarks(look_inside=True):
            said = _reason(task, instance) if instance.problem else f"{amount} {remark}" if remark.startswith("parts of") else remark
            finding = Finding(file, said, _advice(said, task.key), instance.position, instance.id)
            yield finding, bool(instance.problem) or not _is_note(said), bool(instance.problem)
    except DatasetError as error:
        said = str(error).removeprefix(f"{task.annotation}: ")
        yield Finding(file, said, _advice("left out", task.key)), True, False
    if task.renumbered:
        yield Finding(file, "some ids are missing or repeated; these items are told apart by '#' and their position"), False, False


def _reason(task: FolderTask, instance: Instance) -> str:
    """An instance's problem without the place that its line begins with."""
    rest = instance.problem.removeprefix(f"{task.annotation}: item {instance.position} (id ")
    return rest.partition("): ")[2] or instance.problem


def _is_note(said: str) -> bool:
    return any(words in said for words in _NOTES)


def _advice(said: str, place: str) -> str:
    advice = next((advice for words, advice in _ADVICE if words in said), "")
    name = place.removesuffix(".zip").rsplit("/", 1)[-1] if not place.endswith(".json") else place.rsplit("/", 2)[-2]
    return advice.replace("{task}", name)


def lines(findings: list[Finding]) -> Iterator[str]:
    """A line for each finding; those of one file that say the same are one line, which counts them."""
    alike: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        alike.setdefault((finding.file, finding.said), []).append(finding)
    for (file, said), found in alike.items():
        first = found[0]
        if len(found) == 1:
            yield first.line()
        else:
            advice = f"; {first.advice}" if first.advice else ""
            yield f"{file}: {len(found)} items, the first of them item {first.item} (id {first.id!r}): {said}{advice}"


def as_json(check: Check) -> dict[str, object]:
    """The check as one document."""

    def finding(one: Finding) -> dict[str, object]:
        return {"file": one.file, "item": one.item, "id": one.id or None, "problem": one.said, "advice": one.advice or None}

    return {
        "folder": str(check.suite.root),
        "benchmark": check.suite.benchmark.name,
        "summary": check.summary(),
        "tasks": [
            {
                "key": one.key,
                "task": one.task.id if one.task is not None else None,
                "metric": one.metric or None,
                "answer_type": one.answer_type,
                "instances": one.instances,
                "unusable_instances": one.unusable,
            }
            for one in check.tasks
        ],
        "problems": [finding(one) for one in check.problems],
        "notes": [finding(one) for one in check.notes],
        "missing": [task.id for task in check.missing],
    }
