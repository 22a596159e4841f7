"""The task-level synergy map: in which modality and paradigm, on which skills and tasks a model does better than their specialists.

A win (at least as good as the specialist) is what the paper reads as evidence of synergy (arXiv 2505.04620, section 3.2). This module
says where the wins are, as values; genlevel/views/figures/synergy.py draws them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from genlevel.benchmark.model import Modality, Paradigm
from genlevel.runtime.errors import UsageError
from scorer.levels.rules import TaskResult


class Mark(StrEnum):
    """How a model stands on one task.

    WON: at least as good as the specialist. LOST: supported, not as good. ZERO: a result of sigma 0 that is not a win.
    OPEN: no result (unsupported, incomplete or not scored). UNASKED: not asked at all.
    UNCONTESTED: a result, but no specialist to compare with.
    """

    WON = "won"
    LOST = "lost"
    ZERO = "zero"
    OPEN = "no result"
    UNASKED = "not asked"
    UNCONTESTED = "no specialist"


@dataclass(frozen=True, slots=True)
class MarkedTask:
    """A task's result and what it says of synergy."""

    result: TaskResult
    mark: Mark


@dataclass(frozen=True, slots=True)
class SkillSynergy:
    """One skill's tasks in the benchmark's order. id: as in the paper ("I-C-26")."""

    id: str
    name: str
    tasks: tuple[MarkedTask, ...]

    @property
    def wins(self) -> int:
        return sum(task.mark is Mark.WON for task in self.tasks)

    @property
    def supported(self) -> int:
        return sum(task.result.supported for task in self.tasks)


@dataclass(frozen=True, slots=True)
class Panel:
    """The skills of one modality and paradigm; language has no paradigm."""

    modality: Modality
    paradigm: Paradigm | None
    skills: tuple[SkillSynergy, ...]

    @property
    def title(self) -> str:
        name = {Modality.THREE_D: "3D"}.get(self.modality, self.modality.value.capitalize())
        return f"{name} {self.paradigm.value}" if self.paradigm else name

    @property
    def wins(self) -> int:
        return sum(skill.wins for skill in self.skills)

    @property
    def tasks(self) -> int:
        return sum(len(skill.tasks) for skill in self.skills)

    @property
    def skills_won(self) -> int:
        """Skills with at least one win."""
        return sum(skill.wins > 0 for skill in self.skills)


@dataclass(frozen=True, slots=True)
class SynergyMap:
    """One model over one benchmark. panels: image, video, audio, 3D by paradigm, then language; only those the benchmark has."""

    model: str
    references: str
    panels: tuple[Panel, ...]

    @property
    def wins(self) -> int:
        return sum(panel.wins for panel in self.panels)

    @property
    def tasks(self) -> int:
        return sum(panel.tasks for panel in self.panels)

    @property
    def asked(self) -> int:
        """Tasks that were asked."""
        return sum(task.mark is not Mark.UNASKED for panel in self.panels for skill in panel.skills for task in skill.tasks)

    @property
    def skills(self) -> int:
        return sum(len(panel.skills) for panel in self.panels)

    @property
    def skills_won(self) -> int:
        return sum(panel.skills_won for panel in self.panels)


def synergy_map(
    model: str, results: Sequence[TaskResult], references: str = "workbook", asked: Collection[str] | None = None
) -> SynergyMap:
    """The map of these results, one per task of the benchmark.

    asked: ids of the tasks that were asked, to tell apart what has no result; None = all were.
    Raises UsageError if the tasks have no skills (a suite of one's own).
    """
    if not any(row.task.skill_id for row in results):
        raise UsageError("the tasks of this benchmark have no skills; a synergy map is for General-Bench")
    wanted = None if asked is None else frozenset(asked)
    panels: dict[tuple[Modality, Paradigm | None], dict[str, list[TaskResult]]] = {}
    for row in results:
        panels.setdefault((row.task.modality, row.task.paradigm), {}).setdefault(row.task.skill_id, []).append(row)
    order = [(modality, paradigm) for modality in Modality for paradigm in (*Paradigm, None)]
    return SynergyMap(
        model,
        references,
        tuple(
            Panel(*place, tuple(_skill(skill_id, rows, wanted) for skill_id, rows in panels[place].items()))
            for place in order
            if place in panels
        ),
    )


def synergy_json(found: SynergyMap) -> dict[str, object]:
    """The map as `genlevel synergy --json` prints it."""
    return {
        "model": found.model,
        "references": found.references,
        "wins": found.wins,
        "tasks": found.tasks,
        "asked": found.asked,
        "skills_won": found.skills_won,
        "skills": found.skills,
        "panels": [
            {
                "modality": panel.modality.value,
                "paradigm": panel.paradigm.value if panel.paradigm else None,
                "wins": panel.wins,
                "tasks": panel.tasks,
                "skills_won": panel.skills_won,
                "skills": [_skill_json(skill) for skill in panel.skills],
            }
            for panel in found.panels
        ],
    }


def _skill(skill_id: str, rows: Sequence[TaskResult], asked: frozenset[str] | None) -> SkillSynergy:
    return SkillSynergy(skill_id, rows[0].task.skill, tuple(MarkedTask(row, _mark(row, asked)) for row in rows))


def _mark(row: TaskResult, asked: frozenset[str] | None) -> Mark:
    if asked is not None and row.task.id not in asked:
        return Mark.UNASKED
    if row.value is None:
        return Mark.OPEN
    if row.win is None:
        return Mark.UNCONTESTED
    if row.win:
        return Mark.WON
    return Mark.LOST if row.supported else Mark.ZERO


def _skill_json(skill: SkillSynergy) -> dict[str, object]:
    return {
        "id": skill.id,
        "skill": skill.name,
        "wins": skill.wins,
        "supported": skill.supported,
        "tasks": [
            {
                "task": task.result.task.name,
                "id": task.result.task.id,
                "metric": task.result.task.metric.label,
                "value": task.result.value,
                "reference": task.result.reference,
                "sigma": task.result.sigma,
                "specialist": task.result.task.specialist or None,
                "mark": task.mark.value,
            }
            for task in skill.tasks
        ],
    }
