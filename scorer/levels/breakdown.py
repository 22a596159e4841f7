"""Where a model's points come from: its results grouped by skill, domain, capability, modality or paradigm.

A task with several domains or capabilities (the task list writes "Art; Culture") counts in each of them; their names are kept as the
paper prints them, variants included.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from genlevel.benchmark.model import Modality, Paradigm, Task
from genlevel.runtime.errors import UsageError
from scorer.levels.rules import TaskResult


class GroupBy(StrEnum):
    """By what tasks are grouped."""

    SKILL = "skill"
    DOMAIN = "domain"
    CAPABILITY = "capability"
    MODALITY = "modality"
    PARADIGM = "paradigm"


@dataclass(frozen=True, slots=True)
class Group:
    """The results of one group of tasks.

    name: "Object Detection", "Biology", "image", ...; id: the skill's id, else empty. modality, paradigm: those that all of its tasks
    share, else None. tasks: all of the benchmark's. asked: those that were asked. supported, wins: as in levels.
    mean_sigma: 0..100 over all tasks, one without a result counting as 0. mean_sigma_asked: over the asked ones alone; None without any.
    """

    name: str
    id: str
    modality: Modality | None
    paradigm: Paradigm | None
    tasks: int
    asked: int
    supported: int
    wins: int
    mean_sigma: float
    mean_sigma_asked: float | None


def break_down(results: Sequence[TaskResult], by: GroupBy, asked: Collection[str] | None = None) -> tuple[Group, ...]:
    """One group for each skill, domain, ... of these results: skills, modalities and paradigms in their order, others by name.

    asked: ids of the tasks that were asked; None = those with a value. Language tasks have no paradigm: they are in no paradigm's group.
    Raises UsageError if the benchmark's tasks have no such property (a suite of one's own has no skills).
    """
    wanted = {row.task.id for row in results if row.value is not None} if asked is None else frozenset(asked)
    groups: dict[str, list[TaskResult]] = {}
    for row in results:
        for key in _keys(row.task, by):
            groups.setdefault(key, []).append(row)
    if not groups:
        raise UsageError(
            f"the tasks of this benchmark have no {by}; group by modality" + (" or paradigm" if by is not GroupBy.PARADIGM else "")
        )
    ordered = sorted(groups) if by in (GroupBy.DOMAIN, GroupBy.CAPABILITY) else list(groups)
    return tuple(_group(key, groups[key], by, wanted) for key in ordered)


def breakdown_json(groups: Iterable[Group], by: GroupBy) -> list[dict[str, object]]:
    """Groups as `genlevel show RUN --by ... --json` lists them."""
    return [
        {
            by.value: group.name,
            **({"id": group.id} if by is GroupBy.SKILL else {}),
            "modality": None if group.modality is None else group.modality.value,
            "paradigm": None if group.paradigm is None else group.paradigm.value,
            "tasks": group.tasks,
            "asked": group.asked,
            "supported": group.supported,
            "wins": group.wins,
            "mean_sigma": group.mean_sigma,
            "mean_sigma_asked": group.mean_sigma_asked,
        }
        for group in groups
    ]


def _keys(task: Task, by: GroupBy) -> list[str]:
    if by is GroupBy.SKILL:
        return [task.skill_id] if task.skill_id else []
    if by is GroupBy.MODALITY:
        return [task.modality.value]
    if by is GroupBy.PARADIGM:
        return [task.paradigm.value] if task.paradigm else []
    text = task.domain if by is GroupBy.DOMAIN else task.capability
    return list(dict.fromkeys(part.strip() for part in text.split(";") if part.strip()))


def _group(key: str, rows: Sequence[TaskResult], by: GroupBy, asked: Collection[str]) -> Group:
    modalities = {row.task.modality for row in rows}
    paradigms = {row.task.paradigm for row in rows}
    asked_rows = [row for row in rows if row.task.id in asked]
    total = math.fsum(row.contribution for row in rows)
    return Group(
        name=rows[0].task.skill if by is GroupBy.SKILL else key,
        id=key if by is GroupBy.SKILL else "",
        modality=modalities.pop() if len(modalities) == 1 else None,
        paradigm=paradigms.pop() if len(paradigms) == 1 else None,
        tasks=len(rows),
        asked=len(asked_rows),
        supported=sum(row.supported for row in rows),
        wins=sum(row.win is True for row in rows),
        mean_sigma=total / len(rows),
        mean_sigma_asked=math.fsum(row.contribution for row in asked_rows) / len(asked_rows) if asked_rows else None,
    )
