"""What a run that asks only until something is decided begins with: its tasks' units, and what decides each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from evaluator.batches.keeping import Recovered
from evaluator.deciding.criteria import Criteria, criteria_of, criteria_request, to_decide
from evaluator.deciding.telling import ToldTask
from evaluator.deciding.units import TaskUnits, units_of
from evaluator.deciding.until import aim_of, is_asked, settled
from evaluator.planning.calls import calls_of
from evaluator.planning.plans import Plan, TaskPlan
from evaluator.ports import ScorerPort
from evaluator.runs.scoring import describe
from evaluator.runs.work import Work
from genlevel.deciding.decider import Decider
from genlevel.deciding.values import Aim
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc


@dataclass(frozen=True, slots=True)
class SoughtTask:
    """One task. calls: of its answers, those that the model is called for if all are asked. description: as the scorer is told of it."""

    planned: TaskPlan
    units: TaskUnits
    calls: int
    description: sc.TaskDescription


@dataclass(frozen=True, slots=True)
class Sought:
    """until: settled. tasks: in the plan's order. seed: of the order in which they are asked."""

    until: ev.UntilDecided
    tasks: tuple[SoughtTask, ...]
    criteria: Criteria
    seed: int

    @property
    def aim(self) -> Aim:
        """What is to be decided."""
        return aim_of(self.until)

    @property
    def told(self) -> Sequence[ToldTask]:
        """Its tasks, as a decision is told of them."""
        return [ToldTask(one.planned, one.units, one.calls) for one in self.tasks]

    def decider(self) -> Decider:
        """Whoever decides, before any answer."""
        tasks = [to_decide(one.planned, one.units, criterion) for one, criterion in zip(self.tasks, self.criteria.criteria, strict=True)]
        until = self.until
        return Decider(self.aim, tasks, self.criteria.shares, seed=self.seed, with_uncertifiable=until.with_uncertifiable)

    async def of_plan(self, scorer: ScorerPort, header: sc.ScoreTaskHeader) -> Sought:
        """The same for the number that the run's plan has. Raises GenlevelError."""
        if self.criteria.plan == header.plan:
            return self
        return replace(self, criteria=await _criteria(scorer, header, self.tasks, self.until))


async def sought_of(scorer: ScorerPort, header: sc.ScoreTaskHeader, work: Work, batches: Recovered | None) -> Sought | None:
    """What a start is to decide; None: nothing. batches: what earlier starts have left in some. Raises as ``sought``."""
    if not work.asks or work.winds_up or not is_asked(work.traffic):
        return None
    if batches is not None and batches.waiting:
        wait = "let them end (`genlevel resume` without --until-decided), or stop the run, and ask again"
        raise UsageError(f"run {work.record.run_id} waits for batches at its provider, which cannot be decided about: {wait}")
    return await sought(scorer, header, work.plan, work.traffic.until_decided)


async def check_certifiable(scorer: ScorerPort, header: sc.ScoreTaskHeader, plan: Plan, until: ev.UntilDecided) -> None:
    """Raises as ``sought`` if it can be told without a look at any instance, before a run is made."""
    tasks = [SoughtTask(one, TaskUnits((), ()), 0, describe(one.task)) for one in plan.tasks]
    (await _criteria(scorer, header, tasks, settled(until))).check(plan.tasks)


async def sought(scorer: ScorerPort, header: sc.ScoreTaskHeader, plan: Plan, until: ev.UntilDecided) -> Sought:
    """What is to be decided of a run, and by what.

    Raises UsageError if nothing can be certified of any of its tasks, GenlevelError if it cannot be said.
    """
    until, seed = settled(until), plan.order_seed
    tasks = await asyncio.to_thread(_tasks, plan, seed)
    criteria = await _criteria(scorer, header, tasks, until)
    criteria.check(plan.tasks)
    return Sought(until, tasks, criteria, seed)


def _tasks(plan: Plan, seed: int) -> tuple[SoughtTask, ...]:
    return tuple(SoughtTask(one, units_of(one, seed), calls_of(plan, one), describe(one.task)) for one in plan.tasks)


async def _criteria(scorer: ScorerPort, header: sc.ScoreTaskHeader, tasks: Sequence[SoughtTask], until: ev.UntilDecided) -> Criteria:
    request = criteria_request(header, ((one.planned, one.description, one.units) for one in tasks), until.alpha)
    return criteria_of(await scorer.get_criteria(request), alpha=until.alpha, epsilon=until.epsilon, plan=header.plan)
