"""Sends a task's journalled answers with its labels to the scorer. Calls no model, so it can be repeated at any time."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import orjson

from evaluator.journal import Journal
from evaluator.ports import ScorerPort
from genlevel.benchmark.model import Benchmark, Instance, SuiteTask, Task
from genlevel.v1 import scorer_pb2 as sc

_CHUNK = 200


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task as one run asks it. positions: the instances asked, ascending; None = all. count: how many."""

    task: SuiteTask
    positions: Sequence[int] | None
    count: int


def describe(task: SuiteTask) -> sc.TaskDescription:
    """A suite's task as the scorer is told of it."""
    description = sc.TaskDescription(
        key=task.key,
        name=task.name,
        sheet=task.task.sheet if task.task else "",
        modality=task.modality.value,
        paradigm=task.paradigm.value if task.paradigm else "",
        unlisted=task.task is None,
    )
    if task.metric is not None:
        description.metric = task.metric.id
        description.metric_label = task.metric.label
        description.metric_parameters.update(dict(task.metric.parameters))
    return description


def cluster_of(instance: Instance, key: str) -> str:
    """What the instance shares with others about the same thing: the hash of its media, else of its context; empty where it has neither.

    Media are told apart by their paths within the task's folder: the same file is the same medium, and none has to be read again.
    """
    shared = [file.path.as_posix().rpartition(f"/{key}/")[2] for file in instance.media] or [instance.context]
    return hashlib.sha256("\n".join(shared).encode()).hexdigest() if any(shared) else ""


def describe_benchmark(benchmark: Benchmark) -> list[sc.TaskDescription]:
    """All tasks of a benchmark that the scorer does not ship."""
    return [_describe_listed(task) for task in benchmark.tasks]


def _describe_listed(task: Task) -> sc.TaskDescription:
    return sc.TaskDescription(
        key=task.id,
        name=task.name,
        sheet=task.sheet,
        modality=task.modality.value,
        paradigm=task.paradigm.value if task.paradigm else "",
        metric=task.metric.id,
        metric_label=task.metric.label,
        metric_parameters=dict(task.metric.parameters),
        reference=task.reference_workbook,
    )


async def score_task(scorer: ScorerPort, journal: Journal, header: sc.ScoreTaskHeader, planned: PlannedTask, run_id: str) -> sc.TaskScore:
    """Scores one task of a run from its journal. Raises GenlevelError (dataset, journal or scorer)."""
    task_header = sc.ScoreTaskHeader()
    task_header.CopyFrom(header)
    task_header.task.CopyFrom(describe(planned.task))
    response = await scorer.score_task(_messages(journal, task_header, planned, run_id))
    return response.score


async def _messages(journal: Journal, header: sc.ScoreTaskHeader, planned: PlannedTask, run_id: str) -> AsyncIterator[sc.ScoreTaskRequest]:
    yield sc.ScoreTaskRequest(header=header)
    instances = planned.task.instances(planned.positions)
    while message := await asyncio.to_thread(_next_message, journal, planned.task.key, instances, run_id):
        yield message


def _next_message(journal: Journal, key: str, instances: Iterator[Instance], run_id: str) -> sc.ScoreTaskRequest | None:
    chunk = list(islice(instances, _CHUNK))
    if not chunk:
        return None
    answers = journal.answers_to(run_id, key, [instance.id for instance in chunk])
    message = sc.ScoreTaskRequest()
    for instance in chunk:
        answer = answers.get(instance.id)
        message.instances.add(
            id=instance.id,
            outcome=answer.outcome if answer else sc.OUTCOME_PENDING,
            raw_answer=answer.raw_answer if answer else "",
            answer_type=instance.answer_type.value,
            label_json=orjson.dumps(instance.label).decode(),
            options=instance.options,
            cluster=cluster_of(instance, key),
        )
    return message
