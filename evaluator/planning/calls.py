"""How many calls a run makes, known before any: what its model does not take or make is not asked."""

from __future__ import annotations

from evaluator.planning.outputs import MODALITIES, unsupported
from evaluator.planning.plans import Plan, TaskPlan
from genlevel.benchmark.folder_task import FolderTask
from genlevel.benchmark.model import Instance


def calls_of(plan: Plan, planned: TaskPlan) -> int:
    """How many of a task's answers the model is called for, if all are asked. Looks into no medium. Raises DatasetError.

    The annotation is read only if the model does not take the task's modality, or cannot be asked the task's first instance: else the
    model is taken to be called for all, and so is one of which the plan says nothing.
    """
    if not plan.model.output_modalities:
        return planned.answers
    if MODALITIES[planned.task.modality] in plan.model.input_modalities and _is_called(plan, planned, _first(planned)):
        return planned.answers
    task = planned.task
    wanted = None if planned.positions is None else frozenset(planned.positions)
    instances = task.labelled() if isinstance(task, FolderTask) else task.instances()
    return planned.repeats * sum(_is_called(plan, planned, one) for one in instances if wanted is None or one.position in wanted)


def _first(planned: TaskPlan) -> Instance | None:
    positions = planned.positions
    return next(planned.task.instances(positions if positions is None else positions[:1]), None)


def _is_called(plan: Plan, planned: TaskPlan, instance: Instance | None) -> bool:
    if instance is None:
        return True
    return plan.prompts.for_instance(instance) is not None and not unsupported(plan.model, planned.task, instance)
