"""How much a run until something is decided may take, before it begins: by the scorer's simulation, at what its plan says of costs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from evaluator.deciding.units import TaskUnits, units_of
from evaluator.deciding.until import check_kind, check_until, is_asked, settled
from evaluator.planning.judge_requests import judged_tasks
from evaluator.planning.plans import Plan, TaskPlan
from evaluator.ports import ScorerPort
from evaluator.runs.scoring import describe, describe_benchmark
from genlevel.benchmark.suites import load_benchmark
from genlevel.runtime.errors import GenlevelError, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc


async def with_expected(scorer: ScorerPort, plan: Plan, planned: ev.PlanRunResponse, traffic: ev.TrafficSettings) -> ev.PlanRunResponse:
    """A plan, with what is expected if the run is to ask only until something is decided; why that cannot be kept is a problem of it."""
    if is_asked(traffic):
        try:
            check_until(traffic)
            check_kind(plan.specification)
        except UsageError as error:
            planned.problems.append(str(error))
            return planned
        planned.expected.CopyFrom(await expected_decision(scorer, plan, planned, traffic.until_decided))
    return planned


async def expected_decision(scorer: ScorerPort, plan: Plan, planned: ev.PlanRunResponse, until: ev.UntilDecided) -> ev.ExpectedDecision:
    """planned: what the whole run would take. If nothing can be expected, it says why. Raises DatasetError."""
    until = settled(until)
    request = sc.ExpectDecisionRequest(
        header=_header(plan, planned.plan),
        tasks=await asyncio.to_thread(_tasks, plan, planned),
        alpha=until.alpha,
        epsilon=until.epsilon,
        aim=until.aim,
        with_uncertifiable=until.with_uncertifiable,
    )
    found = ev.ExpectedDecision(total=plan.total)
    try:
        response = await scorer.expect_decision(request)
    except GenlevelError as error:
        found.note = str(error)
        return found
    if not response.runs:
        found.note = response.note
        return found
    found.models, found.runs = response.models, max(1, len(response.runs) // max(1, response.models))
    found.median, found.worst = response.runs[len(response.runs) // 2].answers, response.runs[-1].answers
    if planned.model.HasField("price"):
        costs = {task.key: task.estimated_nano_usd / task.answers for task in planned.tasks if task.answers}
        money = sorted(sum(costs.get(key, 0.0) * count for key, count in run.answers_of.items()) for run in response.runs)
        found.median_nano_usd, found.worst_nano_usd = round(money[len(money) // 2]), round(money[-1])
    return found


def criteria_task(planned: TaskPlan, units: TaskUnits, *, rated: bool) -> sc.CriteriaTask:
    """A task as it is held against the full run's certificate. rated: by a judge, once it has its answers."""
    return sc.CriteriaTask(
        task=describe(planned.task),
        instances=planned.count,
        repeats=planned.repeats,
        sizes=[sc.UnitSize(instances=size, units=count) for size, count in units.sizes.items()],
        rated=rated,
    )


def _tasks(plan: Plan, planned: ev.PlanRunResponse) -> list[sc.CriteriaTask]:
    """Reads all annotations. What the model cannot be asked takes no call, and is no win."""
    rated = {one.task.key for one in judged_tasks(plan.tasks)}
    asked: Mapping[str, bool] = {task.key: bool(task.max_output_tokens or not task.note) for task in planned.tasks}
    found = []
    for one in plan.tasks:
        if asked.get(one.task.key, True):
            found.append(criteria_task(one, units_of(one, plan.order_seed), rated=one.task.key in rated))
        else:
            found.append(sc.CriteriaTask(task=describe(one.task)))
    return found


def _header(plan: Plan, number: int) -> sc.ScoreTaskHeader:
    header = sc.ScoreTaskHeader(
        run_id=plan.identity,
        model=plan.specification.model,
        suite=plan.suite.name,
        benchmark=plan.suite.benchmark.name,
        partial=plan.is_sampled,
        plan=number,
    )
    if load_benchmark(plan.suite.benchmark.name) is None:
        header.benchmark_tasks.extend(describe_benchmark(plan.suite.benchmark))
    return header
