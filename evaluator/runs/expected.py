"""How much a run until something is decided may take, before it begins: by the scorer's simulation, at what its plan says of costs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial

from evaluator.deciding.units import TaskUnits, units_of
from evaluator.deciding.until import check_kind, check_until, is_asked, settled
from evaluator.journal.usual_costs import usual_nano_usd
from evaluator.planning.judge_requests import judged_tasks
from evaluator.planning.plans import Plan, TaskPlan
from evaluator.ports import ScorerPort
from evaluator.runs.context import Context
from evaluator.runs.scoring import describe, describe_benchmark
from genlevel.benchmark.suites import load_benchmark
from genlevel.runtime.errors import GenlevelError, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

NO_CALLS = "the model takes or makes nothing of it"


async def with_expected(context: Context, plan: Plan, planned: ev.PlanRunResponse, request: ev.PlanRunRequest) -> ev.PlanRunResponse:
    """A plan, with what its calls cost usually, how many are made already, and how many are expected if the run is to ask only until
    something is decided; why that cannot be kept is a problem of it."""
    journal, traffic = context.journal, request.traffic
    costs = await journal.reads(partial(journal.usual_costs.of, plan.specification, batch=traffic.batch))
    estimates = {task.key: (task.estimated_nano_usd, task.calls) for task in planned.tasks}
    each = usual_nano_usd(costs, estimates)
    for task in planned.tasks:
        if task.key in each:
            task.usual_nano_usd = round(each[task.key] * task.calls)
    record = None if request.fresh else await journal.reads(journal.latest, plan.identity)
    if record is not None:
        planned.called = sum(one.called for one in (await journal.reads(journal.decisions.asked, record.run_id)).values())
    if is_asked(traffic):
        try:
            check_until(traffic)
            check_kind(plan.specification)
        except UsageError as error:
            planned.problems.append(str(error))
            return planned
        planned.expected.CopyFrom(await expected_decision(context.scorer, plan, planned, traffic.until_decided))
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
    found = ev.ExpectedDecision(total=sum(task.calls for task in planned.tasks))
    if not found.total:
        found.note = NO_CALLS
        return found
    try:
        response = await scorer.expect_decision(request)
    except GenlevelError as error:
        found.note = str(error)
        return found
    if not response.runs:
        found.note = response.note
        return found
    found.models, found.runs = response.models, max(1, len(response.runs) // max(1, response.models))
    found.median, found.worst = _median_and_most(response.runs, {task.key: task.calls / max(1, task.answers) for task in planned.tasks})
    if planned.model.HasField("price"):
        costs = {task.key: task.estimated_nano_usd / max(1, task.answers) for task in planned.tasks}
        found.median_nano_usd, found.worst_nano_usd = _median_and_most(response.runs, costs)
    if any(task.HasField("usual_nano_usd") for task in planned.tasks):
        usual = {task.key: task.usual_nano_usd / max(1, task.answers) for task in planned.tasks}
        found.usual_median_nano_usd, found.usual_worst_nano_usd = _median_and_most(response.runs, usual)
    return found


def _median_and_most(runs: Iterable[sc.ExpectedRun], each: Mapping[str, float]) -> tuple[int, int]:
    """Of what simulated runs take. each: what an answer of each task does on average."""
    taken = sorted(sum(each.get(key, 0.0) * count for key, count in run.answers_of.items()) for run in runs)
    return round(taken[len(taken) // 2]), round(taken[-1])


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
    """Reads all annotations. Tasks of which the model cannot be asked anything take no call, and are no wins."""
    rated = {one.task.key for one in judged_tasks(plan.tasks)}
    called = {task.key for task in planned.tasks if task.calls}
    found = []
    for one in plan.tasks:
        if one.task.key in called:
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
