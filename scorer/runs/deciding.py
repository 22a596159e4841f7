"""What a run that asks until something is decided needs of the scorer: what decides each task, and what its answers add to that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.model import Task
from genlevel.deciding.values import Criterion, Unit
from genlevel.runtime.errors import UsageError
from genlevel.runtime.patience import Patience
from genlevel.runtime.shown import quoted
from genlevel.v1 import scorer_pb2 as sc
from scorer.certify.criteria import PlannedTask, criteria
from scorer.levels.rules import TaskResult, judge, judge_all
from scorer.metrics import Metric
from scorer.runs.answers import take
from scorer.runs.certified import NO_TRY, checked_alpha
from scorer.runs.headers import benchmark_of_run, lacking, run_of
from scorer.scoring.files import FileAccess
from scorer.scoring.measuring import Measuring
from scorer.scoring.task_metric import metric_of
from scorer.tasks import TaskIndex, TaskRecord
from scorer.wire import task_of

UNLISTED = "it is outside the levels"
MOST_INSTANCES = 10**9
"""Of a task; up to this every count is exact."""
_SHORT = frozenset((AnswerType.CHOICE, AnswerType.LABEL))
_FEW, _CHARACTERS = 128, 1000
"""Tasks and answers; characters of one."""
_TASKS = 1000
"""Those of a benchmark."""
OTHER_METRIC = "it is scored by another metric than the benchmark's"


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """results: all tasks of the benchmark, without values. tasks: in the order of the request; None of one that is outside the levels."""

    results: tuple[TaskResult, ...]
    tasks: tuple[PlannedTask | None, ...]
    plan: int


def planned_run(header: sc.ScoreTaskHeader, tasks: Sequence[sc.CriteriaTask]) -> PlannedRun:
    """What a run asks, as a certificate sees it. Raises UsageError for a header that lacks something, or a task that does not add up."""
    if missing := lacking(header):
        raise UsageError(f"the header of a run's criteria lacks {', '.join(missing)}")
    run = run_of(header)
    benchmark = benchmark_of_run(run)
    index, no_try = TaskIndex(benchmark), "" if run.is_try else NO_TRY
    return PlannedRun(judge_all(benchmark, {}), tuple(_planned(entry, index, no_try) for entry in tasks), run.plan)


def criteria_message(request: sc.GetCriteriaRequest) -> sc.GetCriteriaResponse:
    """Raises UsageError as ``planned_run``, and for an alpha that cannot be met."""
    alpha = checked_alpha(request.alpha)
    run = planned_run(request.header, request.tasks)
    found = criteria(run.results, [task for task in run.tasks if task is not None], alpha, run.plan)
    of_listed = iter(found.tasks)
    return sc.GetCriteriaResponse(
        criteria=[
            _message(entry.task.key, Criterion(obstacle=UNLISTED, rewards=False) if task is None else next(of_listed))
            for entry, task in zip(request.tasks, run.tasks, strict=True)
        ],
        tests=found.tests,
        wins_share=found.wins,
        pooled_share=found.pooled,
    )


def is_quick(request: sc.MeasureAnswersRequest) -> bool:
    """Whether few short answers are to be compared with their labels: that takes some ten microseconds each."""
    return sum(1 + len(asked.instances) for asked in request.tasks) <= _FEW and all(
        answer.answer_type in _SHORT and len(answer.raw_answer) + len(answer.label_json) <= _CHARACTERS
        for asked in request.tasks
        for answer in asked.instances
    )


def measured_message(request: sc.MeasureAnswersRequest, access: FileAccess, patience: Patience) -> sc.MeasureAnswersResponse:
    """Takes as long as the metric does. Raises UsageError for an answer that cannot be read, StorageError for a file that is not there."""
    if not all(asked.task.key for asked in request.tasks):
        raise UsageError("what is to be measured lacks task.key")
    quick = is_quick(request)
    answers: list[sc.MeasuredAnswer] = []
    for asked in request.tasks:
        task = asked.task
        measuring = Measuring(*(_metric_of(task.SerializeToString(deterministic=True)) if quick else metric_of(task_of(task).metric)))
        take(measuring, asked.instances, access, patience)
        keys = [AnswerKey(answer.id, answer.variant, answer.repeat, answer.shuffle) for answer in asked.instances]
        answers += [_added(*one) for one in measuring.added(keys)]
    return sc.MeasureAnswersResponse(answers=answers)


@lru_cache(_TASKS)
def _metric_of(task: bytes) -> tuple[Metric[object] | None, str]:
    """What measures a task, told by its description: to find it takes longer than to measure a short answer."""
    return metric_of(task_of(sc.TaskDescription.FromString(task)).metric)


def _planned(entry: sc.CriteriaTask, index: TaskIndex, no_try: str) -> PlannedTask | None:
    record = task_of(entry.task)
    sizes = {size.instances: size.units for size in entry.sizes}
    if sizes and (0 in sizes or len(sizes) < len(entry.sizes) or sum(size * units for size, units in sizes.items()) != entry.instances):
        raise UsageError(f"task {quoted(record.key)}: the sizes of its units do not add up to its {entry.instances} instances")
    if entry.instances > MOST_INSTANCES:
        raise UsageError(f"task {quoted(record.key)}: {entry.instances:,} instances are too many; the most are {MOST_INSTANCES:,}")
    if not math.isfinite(entry.best_constant):
        raise UsageError(f"task {quoted(record.key)}: {entry.best_constant} is no score of a best constant answer")
    if (task := index.find(record)) is None:
        return None
    problem = no_try or metric_of(record.metric)[1] or ("" if _is_same(record, task) else OTHER_METRIC)
    return PlannedTask(
        result=judge(task, None),
        instances=entry.instances,
        repeats=max(1, entry.repeats),
        sizes=sizes,
        rated=entry.rated,
        constant=entry.best_constant if entry.HasField("best_constant") else None,
        problem=problem,
    )


def _is_same(record: TaskRecord, task: Task) -> bool:
    """Whether what is measured is what the benchmark's reference is of."""
    asked = record.metric
    return asked is not None and (asked.id, dict(asked.parameters)) == (task.metric.id, dict(task.metric.parameters))


def _message(key: str, found: Criterion) -> sc.Criterion:
    message = sc.Criterion(
        task=key,
        obstacle=found.obstacle,
        whole=found.whole,
        test=found.test,
        bar=found.bar,
        most=found.most,
        critical=found.critical,
        rewards=found.rewards,
    )
    if found.bets is not None:
        message.betting.CopyFrom(_betting(found.bets.amounts, found.bets.weights, found.bets.log_threshold))
    return message


def _betting(amounts: Sequence[float], weights: Sequence[float], log_threshold: float) -> sc.BettingCriterion:
    return sc.BettingCriterion(amounts=amounts, weights=weights, log_threshold=log_threshold)


def _added(unit: Unit | None, whole: str, obstacle: str) -> sc.MeasuredAnswer:
    if unit is None:
        return sc.MeasuredAnswer(whole=whole, obstacle=obstacle)
    (worst_above, worst_below), (best_above, best_below) = unit.worst, unit.best
    return sc.MeasuredAnswer(worst_above=worst_above, worst_below=worst_below, best_above=best_above, best_below=best_below, whole=whole)
