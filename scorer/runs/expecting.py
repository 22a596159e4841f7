"""What a run that asks until something is decided may take: simulated runs, with published models in the place of its own."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.benchmark.model import GENERAL_BENCH, Task
from genlevel.deciding.expected import answers_of_wins
from genlevel.deciding.expected_levels import answers_of_verdict
from genlevel.deciding.values import Criterion, Shares, TaskToDecide
from genlevel.runtime.errors import UsageError
from genlevel.v1 import scorer_pb2 as sc
from scorer.certify.criteria import Criteria, PlannedTask, criteria
from scorer.certify.stand_ins import StandIns, stand_ins
from scorer.runs.certified import checked_alpha
from scorer.runs.deciding import PlannedRun, planned_run

if TYPE_CHECKING:
    from genlevel.deciding.expected import Counts, Floats

EPSILON = 0.01
NO_VALUES = "no published model has values of these tasks"
NO_TESTS = "nothing can be certified of these tasks, so that a run that asks only what decides is refused"
_SEED = 0
_MOST_INSTANCES, _MOST_TASKS = 2_000_000, 2_000
"""Six times those of General-Bench: within 10 seconds or so."""
TOO_MANY = f"more than {_MOST_TASKS:,} tasks or {_MOST_INSTANCES:,} answers are not simulated"
_MOST_ANSWERS = 20_000_000
"""Simulated at once of a task."""
_MOST_RUNS = 32
_LARGE = 800_000
"""Answers of all simulated runs together, about, from which on there are fewer."""


@dataclass(frozen=True, slots=True)
class _Way:
    """fewest: simulated runs, at most, of a large benchmark; more of smaller ones, up to ``_MOST_RUNS``."""

    answers: Callable[[Sequence[TaskToDecide], Floats, Shares, int], Counts]
    fewest: int


_WAYS: Mapping[int, _Way] = {1: _Way(answers_of_wins, _MOST_RUNS), 2: _Way(answers_of_verdict, 8)}
"""By ``evaluator.v1.UntilDecided.Aim``."""


def expected_message(request: sc.ExpectDecisionRequest) -> sc.ExpectDecisionResponse:
    """Takes up to some seconds. Raises UsageError for a request that does not add up."""
    alpha = checked_alpha(request.alpha)
    epsilon = request.epsilon or EPSILON
    if not 0.0 < epsilon < 0.5:
        raise UsageError(f"epsilon must be above 0 and below 0.5, such as {EPSILON:g}, not {epsilon:g}")
    if (way := _WAYS.get(request.aim)) is None:
        raise UsageError(f"what is to be decided is 1 (wins) or 2 (verdict), not {request.aim}")
    run = planned_run(request.header, request.tasks)
    listed = [(entry, task) for entry, task in zip(request.tasks, run.tasks, strict=True) if task is not None]
    if len(listed) > _MOST_TASKS:
        return sc.ExpectDecisionResponse(note=TOO_MANY)
    found = criteria(run.results, [task for _entry, task in listed], alpha, run.plan)
    if sum(entry.instances * max(1, entry.repeats) for entry, _task in listed) > _MOST_INSTANCES:
        return sc.ExpectDecisionResponse(note=TOO_MANY)
    if all(criterion.obstacle for criterion in found.tasks):
        return sc.ExpectDecisionResponse(note=NO_TESTS)
    models = _models(request.header.benchmark, [task for _entry, task in listed], found, way.fewest)
    if not models.models:
        return sc.ExpectDecisionResponse(note=NO_VALUES)
    to_decide = [_to_decide(entry.task.key, task, criterion) for (entry, task), criterion in zip(listed, found.tasks, strict=True)]
    answers = way.answers(to_decide, models.shares, Shares(found.tests, found.wins, found.pooled, epsilon), _SEED)
    asked_whole = _asked_whole(request, run, found) if request.with_uncertifiable else {}
    runs = [_run(model, to_decide, row.tolist(), asked_whole) for model, row in zip(models.models, answers, strict=True)]
    runs.sort(key=_answers)
    return sc.ExpectDecisionResponse(runs=runs, models=len(set(models.models)))


def _models(benchmark: str, tasks: Sequence[PlannedTask], found: Criteria, fewest: int) -> StandIns:
    """Values were published of General-Bench alone."""
    largest = max(task.instances for task in tasks)
    pairs: list[tuple[Task, Criterion]] = [(task.result.task, criterion) for task, criterion in zip(tasks, found.tasks, strict=True)]
    if benchmark != GENERAL_BENCH:
        pairs = []
    runs = min(_MOST_RUNS, max(fewest, _LARGE // max(1, sum(task.instances for task in tasks))))
    return stand_ins(pairs, min(runs, _MOST_ANSWERS // max(1, largest)), _SEED)


def _to_decide(key: str, task: PlannedTask, criterion: Criterion) -> TaskToDecide:
    sizes = [size for size, count in task.units.items() for _unit in range(count)]
    if len(task.units) > 1:
        random.Random(_SEED).shuffle(sizes)
    return TaskToDecide(key, task.result.task.modality, task.result.task.paradigm, [size * task.repeats for size in sizes], criterion)


def _asked_whole(request: sc.ExpectDecisionRequest, run: PlannedRun, found: Criteria) -> dict[str, int]:
    """Answers of each task that nothing can be certified of, by its key."""
    of_listed = iter(found.tasks)
    criteria_of = [None if task is None else next(of_listed) for task in run.tasks]
    return {
        entry.task.key: entry.instances * max(1, entry.repeats)
        for entry, criterion in zip(request.tasks, criteria_of, strict=True)
        if criterion is None or criterion.obstacle
    }


def _run(model: str, tasks: Sequence[TaskToDecide], answers: Sequence[int], whole: Mapping[str, int]) -> sc.ExpectedRun:
    asked = {**{task.key: count for task, count in zip(tasks, answers, strict=True) if count}, **whole}
    return sc.ExpectedRun(model=model, answers=sum(asked.values()), answers_of=asked)


def _answers(run: sc.ExpectedRun) -> int:
    return run.answers
