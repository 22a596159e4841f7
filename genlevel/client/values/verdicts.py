"""Verdicts, levels, scores of tasks and certificates as values, from the documents that commands print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.client.values.runs import Counts
from genlevel.documents.decision_words import is_in_part
from genlevel.documents.verdict_words import certified_line, point_line

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

Interval = tuple[float, float]
"""Its lower and upper end."""


@dataclass(frozen=True, slots=True)
class ModalityLevels:
    """The levels of one modality.

    Attributes:
        level_2: 0-100.
        level_3: 0-100.
        level_4: 0-100.
        supported: tasks with a sigma above 0.
        wins: tasks at least as good as their specialist.
        tasks: in the benchmark.
    """

    level_2: float
    level_3: float
    level_4: float
    supported: int
    wins: int
    tasks: int


@dataclass(frozen=True, slots=True)
class Levels:
    """General-Level's levels by the paper's point rule.

    Attributes:
        reached: the highest level with a score above 0. None: none.
        scores: 0-100, by level, 2 to 5.
        modalities: by name: image, video, audio, 3d.
    """

    reached: int | None
    scores: Mapping[int, float]
    modalities: Mapping[str, ModalityLevels]


@dataclass(frozen=True, slots=True)
class TaskScore:
    """One task's score. A score, its bounds, error and reference are in the metric's own unit.

    Attributes:
        task: the workbook's name, or the folder's.
        key: its folder in the suite.
        sheet: the workbook's sheet. None: outside the levels.
        metric: its id. None: none is known, so that there is no score.
        score: None: incomplete, unsupported or not scored (``note`` says which).
        bounds: the scores with all open instances wrong, and right, the smaller number first. None: nothing can be said.
        sigma: the score on the scale 0-100, higher is better. None as ``score``.
        stderr: its standard error. None: not known.
        reference: what the best specialist reached. None: not known.
        win: at least as good as that. None: it cannot be said.
        chance: expected of a guess. None: of another kind of task, or not known.
        best_constant: the best score of one answer that is given to all. None as ``chance``.
        counts: answers by outcome.
        partial: only a sample of its instances is asked.
        note: why there is no score; empty if there is one.
        remarks: how answers were read that could mean several things.
    """

    task: str
    key: str
    sheet: str | None
    metric: str | None
    score: float | None
    bounds: Interval | None
    sigma: float | None
    stderr: float | None
    reference: float | None
    win: bool | None
    chance: float | None
    best_constant: float | None
    counts: Counts
    partial: bool
    note: str
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CertifiedLevel:
    """What is certain of one level.

    Attributes:
        status: ``attained``, ``not attained`` or ``undecided``.
        score: the paper's point score, 0-100.
        interval: of the score, at confidence 1 - alpha.
        p_value: of "attained".
        needed: about how many instances more would decide it. None: decided, none would, or it is not known.
        note: why none would; empty else.
        bootstrap: the interval by the bootstrap. None: not asked for.
    """

    status: str
    score: float
    interval: Interval
    p_value: float
    needed: int | None
    note: str
    bootstrap: Interval | None


@dataclass(frozen=True, slots=True)
class CertifiedTask:
    """What is certain of one task.

    Attributes:
        task: the workbook's name.
        key: its folder in the suite.
        win: ``attained``, ``not attained`` or ``undecided``, within the joint statement.
        interval: of its true score alone, in the metric's unit. None: its error is not known.
        reference: what a win is above, in the metric's unit. None: there is none.
        test: the kind of test. None: nothing can be tested.
        obstacle: why nothing can be certified; empty if something can.
        p_win: of "truly above", unadjusted. None: no test.
        p_win_adjusted: after Holm's correction over all tasks that can be certified. None: no test.
        discovered: among the wins at a false discovery rate of alpha.
    """

    task: str
    key: str
    win: str
    interval: Interval | None
    reference: float | None
    test: str | None
    obstacle: str
    p_win: float | None
    p_win_adjusted: float | None
    discovered: bool


@dataclass(frozen=True, slots=True)
class Certificate:
    """What of a verdict is certain, with its error controlled (docs/statistics.md).

    Attributes:
        reading: what a win is above: ``published figures``, or ``specialists`` (their own true scores).
        level: the highest level that is certified. None: none.
        alpha: the most that the chance can be that any of its claims is false.
        plan: the number of the try that it is drawn for; 0: the run is no try, and nothing is certified of it.
        wins: certified together.
        discovered: wins at a false discovery rate of alpha, no part of the joint statement.
        tests: tasks of the benchmark that can be certified, however few were asked.
        levels: by level, 2 to 5.
        tasks: those with evidence.
        notes: what it rests on, and what was refused, a line each.
    """

    reading: str
    level: int | None
    alpha: float
    plan: int
    wins: int
    discovered: int
    tests: int
    levels: Mapping[int, CertifiedLevel]
    tasks: tuple[CertifiedTask, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A run's verdict. As a text: its first two lines on the level card.

    Attributes:
        run: the run's id.
        model: as it was asked for.
        suite: its name.
        benchmark: ``general-bench``, or the suite's own.
        partial: less than the whole benchmark is asked.
        levels: over the whole benchmark, where what was not asked counts as 0. None: no instance has an outcome yet.
        asked_levels: over the asked tasks alone. None as ``levels``.
        certificate: against the published scores. None as ``levels``.
        against_specialists: the certificate against the specialists' own true scores. None as ``levels``.
        counts: answers by outcome, of the whole run.
        tasks: those that were scored.
        document: all of it and its stamp, in the fields of docs/json.md, result.
    """

    run: str
    model: str
    suite: str
    benchmark: str
    partial: bool
    levels: Levels | None
    asked_levels: Levels | None
    certificate: Certificate | None
    against_specialists: Certificate | None
    counts: Counts
    tasks: tuple[TaskScore, ...]
    document: Mapping[str, object]

    def __str__(self) -> str:
        return verdict_text(dict(self.document))


def verdict_text(document: Document) -> str:
    """The first two lines of a result's level card."""
    if document["level"] is None:
        return f"run {document['run']}: no instance has an outcome yet"
    certified, against = document["certified"], document["certified_against_specialists"]
    referenced = document["level"]["references"] is not None
    return f"{certified_line(certified, against, referenced=referenced)}\n{point_line(document['level'], in_part=is_in_part(document))}"


def verdict_of_document(document: Document) -> Verdict:
    """A result's document (docs/json.md) as a value."""
    levels, asked, certified = document["level"], document["level_asked"], document["certified"]
    return Verdict(
        run=document["run"],
        model=document["model"],
        suite=document["suite"],
        benchmark=document["benchmark"],
        partial=document["partial"],
        levels=None if levels is None else _levels(levels),
        asked_levels=None if asked is None else _levels(asked),
        certificate=None if certified is None else certificate_of(certified),
        against_specialists=None if certified is None else certificate_of(document["certified_against_specialists"]),
        counts=Counts(**document["instances"]),
        tasks=tuple(_task(task) for task in document["tasks"]),
        document=document,
    )


def certificate_of(document: Document) -> Certificate:
    """A certificate's document as a value."""
    return Certificate(
        reading=document["reading"],
        level=document["verdict"],
        alpha=document["alpha"],
        plan=document["plan"],
        wins=document["certified_wins"],
        discovered=document["discovered_wins"],
        tests=document["tests"],
        levels={int(level): _certified_level(entry) for level, entry in document["levels"].items()},
        tasks=tuple(_certified_task(task) for task in document["tasks"]),
        notes=tuple(document["notes"]),
    )


def interval_of(ends: list[float] | None) -> Interval | None:
    """A document's interval as a value."""
    return None if ends is None else (ends[0], ends[1])


def _levels(document: Document) -> Levels:
    return Levels(
        reached=document["verdict"],
        scores={int(level): score for level, score in document["levels"].items()},
        modalities={
            name: ModalityLevels(entry["2"], entry["3"], entry["4"], entry["supported"], entry["wins"], entry["tasks"])
            for name, entry in document["modalities"].items()
        },
    )


def _task(document: Document) -> TaskScore:
    plain = ("task", "key", "sheet", "metric", "score", "sigma", "stderr", "reference", "win", "chance", "best_constant", "partial")
    return TaskScore(
        **{name: document[name] for name in plain},
        bounds=interval_of(document["bounds"]),
        counts=Counts(**document["instances"]),
        note=document["note"] or "",
        remarks=tuple(document["remarks"]),
    )


def _certified_level(document: Document) -> CertifiedLevel:
    return CertifiedLevel(
        status=document["status"],
        score=document["score"],
        interval=(document["interval"][0], document["interval"][1]),
        p_value=document["p_value"],
        needed=document["needed"],
        note=document["note"] or "",
        bootstrap=interval_of(document["bootstrap"]),
    )


def _certified_task(document: Document) -> CertifiedTask:
    plain = ("task", "key", "win", "reference", "test", "p_win", "p_win_adjusted", "discovered")
    return CertifiedTask(
        **{name: document[name] for name in plain},
        interval=interval_of(document["interval"]),
        obstacle=document["obstacle"] or "",
    )
