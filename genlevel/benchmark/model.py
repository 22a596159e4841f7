"""The nouns of General-Bench as plain values: tasks, metrics of tasks, suites, instances, answer types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from genlevel.benchmark.answer_kinds import AnswerType

GENERAL_BENCH = "general-bench"


class Modality(StrEnum):
    """The modality a task belongs to (its workbook sheet)."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    THREE_D = "3d"
    LANGUAGE = "language"


class Paradigm(StrEnum):
    """Comprehension or generation; language tasks have none."""

    COMPREHENSION = "comprehension"
    GENERATION = "generation"


@dataclass(frozen=True, slots=True)
class TaskMetric:
    """A metric as one task uses it: id in the registry, parameters, and the label the workbook writes."""

    id: str
    label: str
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """One row of General-Bench (or of a suite that is its own benchmark).

    name: the workbook's exact name, typos and stray spaces included: it is a key. id: a clean one beside it.
    References are in the metric's own unit as the workbook writes it; None if there is no specialist.
    reference_appendix is the value of the paper's appendix (equal to reference_workbook if they agree).
    paper_name, paper_metric: what the paper's task list writes, which differs from the workbook here and there.
    """

    id: str
    name: str
    short_name: str
    sheet: str
    row: int
    number: str
    modality: Modality
    paradigm: Paradigm | None
    metric: TaskMetric
    reference_workbook: float | None
    reference_appendix: float | None
    skill_id: str = ""
    skill: str = ""
    domain: str = ""
    capability: str = ""
    data_source: str = ""
    instances: int = 0
    specialist: str = ""
    paper_name: str = ""
    paper_metric: str = ""

    def reference(self, references: str = "workbook") -> float | None:
        """The specialist's value in the named reference set: "workbook" or "appendix"."""
        return self.reference_appendix if references == "appendix" else self.reference_workbook


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A set of tasks with references, over which levels are computed. Order is the workbook's."""

    name: str
    tasks: tuple[Task, ...]

    def has_references(self, references: str) -> bool:
        """Whether there is any specialist to win against, which all levels but 2 need."""
        return any(task.reference(references) is not None for task in self.tasks)


@dataclass(frozen=True, slots=True)
class MediaFile:
    """One media input of an instance, as a file that exists.

    A video may be a folder of frames (MIME type inode/directory); frames: those that count, in order, if not all do.
    genlevel.benchmark.frames makes one file of them.
    """

    modality: Modality
    path: Path
    mime_type: str
    frames: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Instance:
    """One question with its label, in normal form.

    id: unique within its task. position: index in the annotation's data list. prompt: what the dataset asks,
    placeholders filled; options: choices in order (for other types than choice: candidates without the label).
    label: None if the set is closed. details: facts a prompt needs, such as {"language": ...}; {"dialog": "context"} if something
    is asked about the dialogue, else its next turn is.
    longest_label: bytes of the longest label of the whole task, so that a limit fits every one and betrays none; 0 if none is known.
    problem: why this instance cannot be asked, in one line that names file and item ("" if it can): a missing media
    file, a placeholder without a value, a wrong type. It is never dropped: it is to be counted as failed, without a call.
    """

    id: str
    position: int
    prompt: str
    answer_type: AnswerType
    label: object = None
    context: str = ""
    options: tuple[str, ...] = ()
    dialog: tuple[str, ...] = ()
    media: tuple[MediaFile, ...] = ()
    details: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    longest_label: int = 0


class SuiteTask(Protocol):
    """One task folder of a suite."""

    key: str  # the folder's path within the suite, "/"-separated: "nlp/Causal-Reasoning"
    name: str  # the workbook's name, or the folder's if unlisted
    task: Task | None  # None: unlisted
    modality: Modality
    paradigm: Paradigm | None
    metric: TaskMetric | None  # None: no metric is known; asked, not scored
    fingerprint: str  # sha256 of the annotation's bytes

    def count(self) -> int:
        """Number of instances (streams the file once, then remembered)."""
        ...

    def instances(self, positions: Iterable[int] | None = None) -> Iterator[Instance]:
        """Instances in file order, streamed; only these positions if given. Raises DatasetError naming file and row.

        An instance that cannot be asked has a problem; only a file that cannot be read any further raises.
        """
        ...


@dataclass(frozen=True, slots=True)
class Suite:
    """What is asked: task folders, and the benchmark that levels are computed over.

    root: the folder, or the archive that it was read from.
    problems: what could not be resolved or read, one line each; never dropped silently.
    """

    name: str
    root: Path
    benchmark: Benchmark
    tasks: tuple[SuiteTask, ...]
    problems: tuple[str, ...] = ()
