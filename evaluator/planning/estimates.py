"""What a run would take, without calling a model: instances, tokens and money by task and for a judge, and how slowly it would go."""

from __future__ import annotations

from dataclasses import replace

from evaluator.planning.batching import batched
from evaluator.planning.judge_prompts import judge_prompts
from evaluator.planning.judge_requests import judge_name, judged_tasks, prepare_judgement
from evaluator.planning.outputs import asked_output, unsupported
from evaluator.planning.plans import Plan, TaskPlan
from evaluator.planning.prices import CallBounds, call_bounds, dollars, estimated_nano_usd, money_notes, most_nano_usd, worst_case_nano_usd
from evaluator.planning.prompts import prompt_text
from evaluator.planning.requests import put_parameters
from genlevel.benchmark.model import Instance, SuiteTask
from genlevel.benchmark.pictures import Size
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw

_LOOKED_AT = 20


def planned_run(plan: Plan, *, judge: gw.ModelInfo | None, traffic: ev.TrafficSettings) -> ev.PlanRunResponse:
    """What a run would ask and take. Reads all of its instances: call it in a thread. judge: who would rate its answers, if anybody."""
    problems = list(plan.problems)
    if traffic.batch:
        try:
            plan = replace(plan, model=batched(plan.model))
        except UsageError as error:
            problems.append(str(error))
    response = ev.PlanRunResponse(run_id=plan.identity, benchmark=plan.suite.benchmark.name, model=plan.model, problems=problems)
    response.problems.extend(_told_money_notes(plan.model, traffic))
    response.problems.extend(budget_notes(plan, traffic))
    response.tasks.extend(estimate(plan, planned) for planned in plan.tasks)
    if judge is not None and judged_tasks(plan.tasks):
        response.problems.extend(_told_money_notes(judge, traffic))
        response.judging.CopyFrom(estimate_judging(plan, judge))
    return response


def estimate(plan: Plan, planned: TaskPlan) -> ev.PlannedTask:
    """What asking one task takes: instances, tokens, money at most. Reads all of its instances."""
    task, info = planned.task, plan.model
    entry = ev.PlannedTask(
        key=task.key,
        name=task.name,
        sheet=task.task.sheet if task.task else "",
        metric=task.metric.id if task.metric else "",
        instances=planned.count,
        answers=planned.answers,
    )
    cost = 0
    for instance in task.instances(planned.positions):
        bounds = bounds_of(plan, task, instance)
        if isinstance(bounds, str):
            entry.note = bounds
            continue
        entry.calls += planned.repeats
        entry.estimated_input_tokens += bounds.estimated_input_tokens * planned.repeats
        entry.max_output_tokens += bounds.most_output_tokens * planned.repeats
        if info.HasField("price"):
            cost += estimated_nano_usd(info.price, bounds) * planned.repeats
            entry.note = bounds.unknown or entry.note
    if info.HasField("price"):
        entry.estimated_nano_usd = cost
    if not entry.note and task.metric is None:
        entry.note = "no metric is known: asked, not scored"
    return entry


_LARGEST = Size(99_999, 99_999)
"""A size whose statement is as long as any: to plan looks into no picture."""


def bounds_of(plan: Plan, task: SuiteTask, instance: Instance) -> CallBounds | str:
    """The bounds of asking one instance, or why it is not asked, in one line."""
    if instance.problem:
        return instance.problem
    template = plan.prompts.for_instance(instance)
    if template is None:
        return f"answers of type {instance.answer_type} cannot be asked"
    if problem := unsupported(plan.model, task, instance):
        return f"{problem}: unsupported"
    output = asked_output(task, instance)
    asked = plan.specification.parameters
    parameters = gw.GenerationParameters()
    put_parameters(parameters, template, asked, plan.model, output)
    limit = parameters.max_output_tokens
    bounds = call_bounds(instance, prompt_text(instance, template, _LARGEST), plan.model, output=output, asked=asked, text_tokens=limit)
    return bounds if bounds.most_output_tokens else bounds._replace(most_output_tokens=limit)


def estimate_judging(plan: Plan, judge: gw.ModelInfo) -> ev.PlannedJudging:
    """What judging all answers of judged tasks takes, each as long as it may be. Reads all of their instances."""
    found = ev.PlannedJudging(judge=judge_name(judge), route=judge.route)
    cost = 0
    for planned in judged_tasks(plan.tasks):
        prompt = judge_prompts()[planned.metric]
        for instance in planned.task.instances(planned.positions):
            if instance.problem or not prompt.takes(instance):
                continue
            call = prepare_judgement(prompt, instance, "-", judge)
            tokens = call.bounds.estimated_input_tokens + _longest_answer(plan, instance)
            found.answers += planned.repeats
            found.estimated_input_tokens += tokens * planned.repeats
            found.max_output_tokens += call.bounds.most_output_tokens * planned.repeats
            if judge.HasField("price"):
                cost += worst_case_nano_usd(judge.price, tokens, call.bounds.most_output_tokens) * planned.repeats
    if judge.HasField("price"):
        found.estimated_nano_usd = cost
    return found


def traffic_notes(plan: Plan, traffic: ev.TrafficSettings) -> list[str]:
    """What a person has to know if a run will be slow, one line each. Reads the first instance of a few tasks."""
    limit = traffic.tokens_per_minute or plan.model.limits.tokens_per_minute
    if not limit:
        return []
    most = (0, 0)
    for planned in plan.tasks[:_LOOKED_AT]:
        instance = next(iter(planned.task.instances(planned.positions)), None)
        bounds = "" if instance is None else bounds_of(plan, planned.task, instance)
        if isinstance(bounds, CallBounds):
            most = max(most, (bounds.estimated_input_tokens, bounds.most_output_tokens), key=sum)
    if sum(most) <= limit:
        return []
    name = "--tpm" if traffic.tokens_per_minute else f"the limit of account {plan.model.account}"
    counted = f"one request counts as about {sum(most):,} until it is answered ({most[0]:,} in, at most {most[1]:,} out)"
    minutes = sum(most) / limit
    advice = f"only one goes out in about {minutes:,.0f} minutes; raise it, or lower --max-tokens"
    return [f"{name} allows {limit:,} tokens a minute, and {counted}: {advice}"]


def budget_notes(plan: Plan, traffic: ev.TrafficSettings) -> list[str]:
    """Which instances a budget does not allow even if nothing else is asked, a line for each cap. Reads all instances if there is one."""
    price = plan.model.price if plan.model.HasField("price") and traffic.HasField("budget_nano_usd") else None
    if price is None and not traffic.HasField("budget_tokens"):
        return []
    costs, tokens = [], []
    for planned in plan.tasks:
        for instance in planned.task.instances(planned.positions):
            bounds = bounds_of(plan, planned.task, instance)
            if isinstance(bounds, CallBounds):
                tokens.append(bounds.most_input_tokens + bounds.most_output_tokens)
                costs.append(most_nano_usd(price, bounds) if price is not None else 0)
    notes = []
    if price is not None and (over := [cost for cost in costs if cost > traffic.budget_nano_usd]):
        least = f"the least of them may cost {dollars(min(over), up=True)}"
        notes.append(f"--budget-usd {dollars(traffic.budget_nano_usd)} does not allow {len(over):,} of {len(costs):,} instances; {least}")
    if traffic.HasField("budget_tokens") and (over := [count for count in tokens if count > traffic.budget_tokens]):
        least = f"the least of them may take {min(over):,}"
        notes.append(f"--budget-tokens {traffic.budget_tokens:,} does not allow {len(over):,} of {len(tokens):,} instances; {least}")
    return notes


def _longest_answer(plan: Plan, instance: Instance) -> int:
    """How many tokens an answer to the instance has at most, as far as that is limited; 0 if the instance cannot be asked."""
    if plan.specification.parameters.max_output_tokens:
        return int(plan.specification.parameters.max_output_tokens)
    template = plan.prompts.for_instance(instance)
    return template.max_output_tokens if template is not None else 0


def _told_money_notes(model: gw.ModelInfo, traffic: ev.TrafficSettings) -> list[str]:
    """``money_notes`` for a plan, which refuses nothing: what a start would refuse is a line too."""
    try:
        return money_notes(model, traffic)
    except UsageError as error:
        return [str(error)]
