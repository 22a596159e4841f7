"""How many calls a run makes, known before any: what its model does not take or make is not asked."""

from __future__ import annotations

from itertools import islice

from evaluator.planning.outputs import MODALITIES, unsupported
from evaluator.planning.plans import Plan, TaskPlan
from genlevel.benchmark.folder_task import FolderTask
from genlevel.benchmark.model import Instance

_LOOKED_AT = 32
"""Instances of a task of which all or none can be asked, before it is taken to be so of all: to read all of 700 tasks takes seconds."""


def calls_of(plan: Plan, planned: TaskPlan) -> int:
    """How many of a task's answers the model is called for, if all are asked. Looks into no medium. Raises DatasetError.

    More than the first instance is read only if that one cannot be asked, or the model does not take the task's modality: else the model
    is taken to be called for all. So it is if the plan says nothing of it.
    """
    if not plan.model.output_modalities:
        return planned.answers
    if MODALITIES[planned.task.modality] in plan.model.input_modalities and _is_called(plan, planned, _first(planned)):
        return planned.answers
    task = planned.task
    wanted = None if planned.positions is None else frozenset(planned.positions)
    instances = task.labelled() if isinstance(task, FolderTask) else task.instances()
    called = (_is_called(plan, planned, one) for one in instances if wanted is None or one.position in wanted)
    first = list(islice(called, _LOOKED_AT))
    if len(first) == _LOOKED_AT and len(set(first)) == 1:
        return planned.answers if first[0] else 0
    return planned.repeats * (sum(first) + sum(called))


def _first(planned: TaskPlan) -> Instance | None:
    positions = planned.positions
    return next(planned.task.instances(positions if positions is None else positions[:1]), None)


def _is_called(plan: Plan, planned: TaskPlan, instance: Instance | None) -> bool:
    if instance is None:
        return True
    return plan.prompts.for_instance(instance) is not None and not unsupported(plan.model, planned.task, instance)
