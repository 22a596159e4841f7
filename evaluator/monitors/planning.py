"""What a monitor would cost, how often it would be wrong, and how soon it would tell of a drop: before anything is spent."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass

from evaluator.alarms.alarm import WHOLE
from evaluator.monitors.asking import MonitorRuns
from evaluator.monitors.baselines import available, check_serves, layout_for, rules_of, watched_tasks
from evaluator.monitors.core.draws import allocation
from evaluator.monitors.core.outlook import FLIPS, LEVEL, Design, Outlook, outlook
from evaluator.monitors.core.streams import Layout
from evaluator.monitors.specification import YEAR_S, daily_budget, schedule_of, traffic_of
from evaluator.planning.estimates import bounds_of
from evaluator.planning.plans import Plan
from evaluator.planning.prices import CallBounds, dollars, estimated_nano_usd, money_notes
from genlevel.benchmark.model import SuiteTask
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import monitor_pb2 as mo

_LOOKED_AT = 200
"""Instances of a task of which the mean cost is taken."""
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Planned:
    """specification: with its defaults, and its suite as runs store it."""

    specification: mo.MonitorSpecification
    response: mo.PlanMonitorResponse


async def planned(runs: MonitorRuns, specification: mo.MonitorSpecification, now: float, *, stored: bool) -> Planned:
    """What a settled specification comes to. stored: it is of a monitor that is there. Raises GenlevelError if it cannot be watched."""
    plan = await runs.plan(specification.asked, stored=stored)
    found = mo.MonitorSpecification()
    found.CopyFrom(specification)
    found.asked.suite = plan.specification.suite
    base: ev.Run | None = None
    if specification.baseline:
        base = await runs.state(specification.baseline)
        check_serves(base, found)
        found.baseline = base.run_id
    traffic = traffic_of(found, daily_budget(found))
    problems = [*plan.problems, *money_notes(plan.model, traffic)]
    return Planned(found, await asyncio.to_thread(_response, plan, found, base, problems, now))


def _response(
    plan: Plan, specification: mo.MonitorSpecification, base: ev.Run | None, problems: list[str], now: float
) -> mo.PlanMonitorResponse:
    tasks = watched_tasks(plan)
    if not tasks:
        raise UsageError("no task that it asks has a metric, so that nothing can be compared")
    if without := len(plan.tasks) - len(tasks):
        problems.append(f"{without} task(s) have no metric and are left out")
    layout = layout_for(tasks, specification)
    counts = [sum(of.values()) for of in available(tasks, layout)]
    draws = _allocated(specification, counts)
    pool = _pool_sizes(specification, base, counts, draws)
    schedule, rules = schedule_of(specification, now), rules_of(specification, now)
    ticks_a_year = schedule.ticks_in(YEAR_S)
    repeats = max(1, base.specification.repeats if base is not None else specification.baseline_repeats)
    expected = outlook(rules, Design(layout.streams, tuple(draws), tuple(pool), repeats), ticks_a_year)
    response = mo.PlanMonitorResponse(
        ticks_a_year=ticks_a_year,
        horizon_ticks=rules.horizon_ticks,
        sample=sum(draws),
        pool=sum(pool),
        groups=[_group(layout, index, draws) for index in range(1, len(layout.streams))],
        false_alarms_a_year=expected.false_alarms_a_year,
        delays=_delays(expected, ticks_a_year),
        model=plan.model,
        baseline_calls=0 if base is not None else sum(pool) * repeats,
        problems=[*problems, *layout.notes, *_notes(specification, expected, draws, pool, repeats)],
    )
    if plan.model.HasField("price"):
        costs = _mean_costs(plan, layout, tasks)
        tick = sum(cost * drawn for cost, drawn in zip(costs, draws, strict=True))
        response.tick_nano_usd = math.ceil(tick)
        response.day_nano_usd = math.ceil(tick * ticks_a_year / 365)
        response.year_nano_usd = math.ceil(tick * ticks_a_year)
        whole = 0.0 if base is not None else repeats * sum(cost * size for cost, size in zip(costs, pool, strict=True))
        response.baseline_nano_usd = math.ceil(whole)
        response.problems.extend(_budget_notes(specification, response))
    return response


def _allocated(specification: mo.MonitorSpecification, counts: Sequence[int]) -> Sequence[int]:
    try:
        return allocation(specification.sample, counts)
    except ValueError as error:
        raise UsageError(f"this cannot be watched: {error}") from None


def _pool_sizes(specification: mo.MonitorSpecification, base: ev.Run | None, counts: Sequence[int], draws: Sequence[int]) -> list[int]:
    """Pooled instances by stratum. Of a run that is there it is known how many it has in all alone: they are taken to be spread evenly."""
    if base is None:
        return [min(count, drawn * specification.pool) for count, drawn in zip(counts, draws, strict=True)]
    whole = base.counts.total / max(1, base.specification.repeats)
    return [max(drawn, min(count, math.floor(whole * count / sum(counts)))) for count, drawn in zip(counts, draws, strict=True)]


def _group(layout: Layout, index: int, draws: Sequence[int]) -> mo.PlannedGroup:
    stream = layout.streams[index]
    return mo.PlannedGroup(group=stream.name, instances=sum(draws[stratum] for stratum in stream.strata))


def _delays(expected: Outlook, ticks_a_year: int) -> list[mo.PlannedDelay]:
    found = []
    for delay in expected.delays:
        for drop, ticks in delay.ticks.items():
            days = None if ticks is None else ticks * YEAR_S / _DAY_S / ticks_a_year
            found.append(mo.PlannedDelay(group=delay.stream, drop=round(100.0 * drop, 6), ticks=ticks, days=days))
    return found


def _notes(specification: mo.MonitorSpecification, expected: Outlook, draws: Sequence[int], pool: Sequence[int], repeats: int) -> list[str]:
    notes = [
        f"delays are medians for a model that scores {100 * LEVEL:.0f} and of whose answers {100 * FLIPS:.0f} % flip each way between two"
        f" askings, compared with a baseline of {repeats} {'repeat' if repeats == 1 else 'repeats'}"
    ]
    notes += [
        f"{'the whole' if delay.stream == WHOLE else delay.stream}: drops of up to {100 * delay.margin:.1f} points raise no alarm"
        " (tolerance, and the error of the baseline);"
        " more repeats or a larger pool lower that"
        for delay in expected.delays
    ]
    if sum(draws) < specification.sample:
        notes.append(f"its tasks have {sum(draws):,} instances: a tick asks these, not {specification.sample:,}")
    if not specification.panel and sum(pool) < 5 * sum(draws):
        told = f"a tick draws {sum(draws):,} of a pool of {sum(pool):,} instances, which is small: the baseline's error weighs more"
        notes.append(f"{told}; take more tasks, a smaller sample, or more repeats")
    return notes


def _mean_costs(plan: Plan, layout: Layout, tasks: Sequence[SuiteTask]) -> list[float]:
    """What an instance of each stratum costs at most about: a mean, each with the longest answer that it may have."""
    totals, counts = [0] * len(layout.strata), [0] * len(layout.strata)
    for task in tasks:
        costs = _costs(plan, task)
        totals[layout.stratum_of[task.key]] += sum(costs)
        counts[layout.stratum_of[task.key]] += len(costs)
    return [total / count if count else 0.0 for total, count in zip(totals, counts, strict=True)]


def _costs(plan: Plan, task: SuiteTask) -> list[int]:
    """Of some instances of a task, spread over it. What the model is not called for costs nothing."""
    step = max(1, task.count() // _LOOKED_AT)
    bounds = (bounds_of(plan, task, instance) for instance in task.instances(range(0, task.count(), step)))
    return [estimated_nano_usd(plan.model.price, one) if isinstance(one, CallBounds) else 0 for one in bounds]


def _budget_notes(specification: mo.MonitorSpecification, response: mo.PlanMonitorResponse) -> list[str]:
    daily = daily_budget(specification)
    if daily is None:
        return []
    notes = []
    if response.tick_nano_usd > daily:
        told = f"one tick may cost {dollars(response.tick_nano_usd, up=True)}, and the budget of a day is {dollars(daily)}"
        notes.append(f"{told}: ticks may be partial or missed; take a smaller sample, or a higher budget")
    elif response.day_nano_usd > daily:
        told = f"a day's ticks may cost {dollars(response.day_nano_usd, up=True)}, and the budget is {dollars(daily)}"
        notes.append(f"{told}: ticks may be partial or missed; tick less often, or take a smaller sample or a higher budget")
    if response.baseline_nano_usd > daily:
        notes.append(f"the baseline may take {math.ceil(response.baseline_nano_usd / daily):,} days of the budget")
    return notes
