"""What decides each task of a run, as the scorer says it: asked for, and as values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from evaluator.deciding.units import TaskUnits
from evaluator.planning.plans import TaskPlan
from genlevel.benchmark.answer_kinds import KINDS
from genlevel.benchmark.folder_task import FolderTask
from genlevel.benchmark.ratings import SCALES
from genlevel.deciding.values import Bets, Criterion, Shares, TaskToDecide
from genlevel.runtime.errors import UsageError
from genlevel.v1 import scorer_pb2 as sc


@dataclass(frozen=True, slots=True)
class Criteria:
    """Of a run's tasks, in their order; shares: of the errors. alpha: of the certificate. plan: the run's number that they hold for."""

    criteria: tuple[Criterion, ...]
    shares: Shares
    alpha: float
    plan: int

    def check(self, tasks: Sequence[TaskPlan]) -> None:
        """Raises UsageError if nothing can be certified of any of the tasks."""
        if any(not criterion.obstacle for criterion in self.criteria):
            return
        first = f", such as {tasks[0].task.key}: {self.criteria[0].obstacle}" if tasks else ""
        raise UsageError(f"--until-decided: nothing can be certified of any task of this run{first}; leave it out to ask all instances")


def criteria_request(
    header: sc.ScoreTaskHeader,
    tasks: Iterable[tuple[TaskPlan, sc.TaskDescription, TaskUnits]],
    alpha: float,
    constants: Mapping[str, float] | None = None,
) -> sc.GetCriteriaRequest:
    """What asks the scorer for the criteria of tasks. constants: their best constant answers, by key, as far as they are known."""
    request = sc.GetCriteriaRequest(header=header, alpha=alpha)
    for planned, description, units in tasks:
        entry = request.tasks.add(
            task=description,
            instances=planned.count,
            repeats=planned.repeats,
            answer_type=planned.task.answer_type.value if isinstance(planned.task, FolderTask) else "",
            rated=is_rated(planned),
        )
        for size, count in units.sizes.items():
            entry.sizes.add(instances=size, units=count)
        if constants is not None and planned.task.key in constants:
            entry.best_constant = constants[planned.task.key]
    return request


def is_rated(planned: TaskPlan) -> bool:
    """Whether ratings make a task's score, which come after its answers."""
    return planned.metric in SCALES


def has_coordinates(planned: TaskPlan) -> bool:
    """Whether its answers are coordinates in pictures, whose meaning may follow from all of them together."""
    return isinstance(planned.task, FolderTask) and KINDS[planned.task.answer_type].in_picture


def criterion_of(message: sc.Criterion) -> Criterion:
    """One criterion as the scorer has said it."""
    full = message.WhichOneof("full")
    betting = message.betting
    return Criterion(
        bar=message.bar,
        most=message.most,
        critical=message.critical if full == "critical" and not (message.obstacle or message.whole) else None,
        bets=Bets(tuple(betting.amounts), tuple(betting.weights), betting.log_threshold) if full == "betting" else None,
        obstacle=message.obstacle,
        whole=message.whole,
        test=message.test,
        rewards=message.rewards,
    )


def criteria_of(response: sc.GetCriteriaResponse, *, alpha: float, epsilon: float, plan: int) -> Criteria:
    """What the scorer has said of all tasks."""
    shares = Shares(tests=response.tests, wins=response.wins_share, pooled=response.pooled_share, epsilon=epsilon)
    return Criteria(tuple(map(criterion_of, response.criteria)), shares, alpha, plan)


def to_decide(planned: TaskPlan, units: TaskUnits, criterion: Criterion) -> TaskToDecide:
    """A task as the decider sees it."""
    return TaskToDecide(planned.task.key, planned.task.modality, planned.task.paradigm, units.answers, criterion)


def told_as_a_whole(criterion: Criterion, why: str) -> Criterion:
    """The same, of a task of which only all answers together say anything."""
    return replace(criterion, whole=why, critical=None, bets=None)


def without_test(criterion: Criterion, why: str) -> Criterion:
    """The same, of a task of which nothing can be certified after all."""
    return replace(criterion, obstacle=why, critical=None, bets=None)
