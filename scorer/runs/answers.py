"""A task's answers as they come in messages: read, with their files where they lie, parsed and measured a few at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Protocol

from genlevel.runtime.errors import UsageError
from genlevel.runtime.files import Lease
from genlevel.runtime.patience import Patience
from genlevel.v1 import scorer_pb2 as sc
from scorer.runs.certified import evidence_found, with_clustered_error
from scorer.runs.going import Scoring
from scorer.runs.headers import benchmark_of_run, lacking, run_of
from scorer.scoring.answered import AnsweredInstance
from scorer.scoring.files import FileAccess
from scorer.scoring.task_scoring import TOGETHER, TaskScoring
from scorer.store.records import StoredRun, StoredScore
from scorer.tasks import TaskIndex, TaskRecord, with_ratings
from scorer.wire import instance_of, task_of


@dataclass(frozen=True, slots=True)
class AskedTask:
    """What the header of a task's stream says. index: of the run's benchmark. scoring: that it goes on."""

    run: StoredRun
    index: TaskIndex
    task: TaskRecord
    partial: bool
    scoring: Scoring


def asked_task(request: sc.ScoreTaskRequest, scoring: Scoring) -> AskedTask:
    """Raises UsageError for a request without a header, or one that lacks something."""
    header = request.header
    if not request.HasField("header"):
        raise UsageError("a task's stream must begin with its header")
    missing = lacking(header)
    if missing or not header.task.key:
        raise UsageError(f"the header of a task's stream lacks {', '.join([*missing, *([] if header.task.key else ['task.key'])])}")
    run = run_of(header)
    return AskedTask(run, TaskIndex(benchmark_of_run(run)), task_of(header.task), header.partial, scoring)


def score_of(asked: AskedTask, scoring: TaskScoring) -> StoredScore:
    """The task's score from the answers that have come."""
    task, outcome = asked.task, scoring.finish()
    evidence = evidence_found(task.metric, outcome.statistics, outcome.clusters)
    outcome = with_clustered_error(outcome, evidence)
    source = None if task.rating_source is None else with_ratings(task.rating_source, scoring.ratings())
    task = replace(task, rating_source=source, provenance=scoring.provenance())
    return StoredScore(task, asked.partial, outcome, evidence=evidence, examined=True)


class Takes(Protocol):
    """Parses and measures answers."""

    def add(self, instances: Sequence[AnsweredInstance]) -> None:
        """Takes as long as the metric does; whatever files the answers name are there until then."""
        ...


def take(scoring: Takes, answers: Iterable[sc.InstanceAnswer], access: FileAccess, patience: Patience) -> None:
    """Measures a few instances at a time, as their files are only here for as long; networks look at them together."""
    remaining = iter(answers)
    while group := list(islice(remaining, TOGETHER)):
        with access.lease() or nullcontext() as lease:
            found = patience.repeat(partial(_instances, group, access, lease))
            scoring.add(found)


def _instances(answers: Sequence[sc.InstanceAnswer], access: FileAccess, lease: Lease | None) -> list[AnsweredInstance]:
    return [instance_of(answer, access, lease) for answer in answers]
