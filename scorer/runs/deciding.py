"""What a run that asks until something is decided needs of the scorer: what decides each task, and what its answers add to that."""

from __future__ import annotations

from collections.abc import Sequence

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.model import Task
from genlevel.deciding.values import Criterion, Unit
from genlevel.runtime.errors import UsageError
from genlevel.runtime.patience import Patience
from genlevel.runtime.shown import quoted
from genlevel.v1 import scorer_pb2 as sc
from scorer.certify.criteria import PlannedTask, criteria
from scorer.levels.rules import judge, judge_all
from scorer.runs.answers import take
from scorer.runs.certified import NO_TRY, checked_alpha
from scorer.runs.headers import benchmark_of_run, lacking, run_of
from scorer.scoring.files import FileAccess
from scorer.scoring.measuring import adds
from scorer.scoring.task_metric import metric_of
from scorer.scoring.task_scoring import TaskScoring
from scorer.tasks import TaskIndex, TaskRecord
from scorer.wire import task_of

UNLISTED = "it is outside the levels"
OTHER_METRIC = "it is scored by another metric than the benchmark's"


def criteria_message(request: sc.GetCriteriaRequest) -> sc.GetCriteriaResponse:
    """Raises UsageError for a header that lacks something, an alpha that cannot be met, or a task whose plan does not add up."""
    if missing := lacking(request.header):
        raise UsageError(f"the header of a run's criteria lacks {', '.join(missing)}")
    alpha = checked_alpha(request.alpha)
    run = run_of(request.header)
    benchmark = benchmark_of_run(run)
    index = TaskIndex(benchmark)
    tasks = [task_of(entry.task) for entry in request.tasks]
    listed = [index.find(task) for task in tasks]
    no_try = "" if run.is_try else NO_TRY
    planned = [
        _planned(entry, task, found, no_try) for entry, task, found in zip(request.tasks, tasks, listed, strict=True) if found is not None
    ]
    found = criteria(judge_all(benchmark, {}), planned, alpha, run.plan)
    of_listed = iter(found.tasks)
    return sc.GetCriteriaResponse(
        criteria=[
            _message(task.key, Criterion(obstacle=UNLISTED, rewards=False) if entry is None else next(of_listed))
            for task, entry in zip(tasks, listed, strict=True)
        ],
        tests=found.tests,
        wins_share=found.wins,
        pooled_share=found.pooled,
    )


def measured_message(request: sc.MeasureAnswersRequest, access: FileAccess, patience: Patience) -> sc.MeasureAnswersResponse:
    """Takes as long as the metric does. Raises UsageError for an answer that cannot be read, StorageError for a file that is not there."""
    if not request.header.task.key:
        raise UsageError("the header of answers to be measured lacks task.key")
    scoring = TaskScoring(*metric_of(task_of(request.header.task).metric))
    take(scoring, request.instances, access, patience)
    keys = [AnswerKey(answer.id, answer.variant, answer.repeat, answer.shuffle) for answer in request.instances]
    return sc.MeasureAnswersResponse(answers=[_added(one) for one in adds(scoring, keys)])


def _planned(entry: sc.CriteriaTask, record: TaskRecord, task: Task, no_try: str) -> PlannedTask:
    sizes = {size.instances: size.units for size in entry.sizes}
    if sizes and (0 in sizes or len(sizes) < len(entry.sizes) or sum(size * units for size, units in sizes.items()) != entry.instances):
        raise UsageError(f"task {quoted(record.key)}: the sizes of its units do not add up to its {entry.instances} instances")
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


def _added(found: Unit | str) -> sc.MeasuredAnswer:
    if isinstance(found, str):
        return sc.MeasuredAnswer(whole=found)
    (worst_above, worst_below), (best_above, best_below) = found.worst, found.best
    return sc.MeasuredAnswer(worst_above=worst_above, worst_below=worst_below, best_above=best_above, best_below=best_below)
