"""The JSON documents that ``eval`` and ``show`` print, from what the evaluator and the scorer say."""

from __future__ import annotations

from typing import Any

from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

NANO = 1_000_000_000


def result_document(run: ev.Run, verdict: sc.GetVerdictResponse) -> dict[str, Any]:
    """A run's result: identity, disjoint counts, usage, tasks and levels (docs/json.md has every field).

    The levels are null where no instance has an outcome yet, or the scorer knows nothing of the run.
    """
    from scorer.reports.documents import tasks_json, verdict_certified_json, verdict_level_json

    unparsable = sum(score.counts.unparsable for score in verdict.tasks)
    counts = run.counts
    usage = run.usage
    levels = bool(verdict.tasks) and has_outcomes(run)
    return {
        "run": run.run_id,
        "model": run.specification.model,
        "suite": run.suite,
        "benchmark": run.benchmark,
        "partial": run.partial,
        "status": status_name(run.status),
        "reason": run.reason,
        "instances": {
            "total": counts.total,
            "answered": counts.answered - unparsable,
            "refused": counts.refused,
            "unparsable": unparsable,
            "failed": counts.failed,
            "unsupported": counts.unsupported,
            "pending": counts.pending,
        },
        "usage": {
            "input_tokens": usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens,
            "output_tokens": usage.output_tokens + usage.reasoning_tokens,
            "images": usage.output_images,
            "seconds": usage.output_milliseconds / 1000,
            "usd": run.cost_nano_usd / NANO if run.HasField("cost_nano_usd") else None,
            "unknown_costs": run.unknown_costs,
        },
        "judging": _judging(run.judging) if run.HasField("judging") else None,
        "tasks": tasks_json(verdict.tasks),
        "level": verdict_level_json(verdict) if levels else None,
        "certified": verdict_certified_json(verdict) if levels else None,
        "level_asked": verdict_level_json(verdict, asked=True) if levels else None,
    }


def has_outcomes(run: ev.Run) -> bool:
    """Whether any instance of a run was answered, or is known not to be: before that there is nothing to be scored."""
    return run.counts.pending < run.counts.total


def _judging(judging: ev.Judging) -> dict[str, Any]:
    """Who judges, how far that is, and what all judging of the run took (beside "usage", which is the run's model's)."""
    usage = judging.usage
    return {
        "judge": judging.judge,
        "route": judging.route,
        "judged": judging.judged,
        "failed": judging.failed,
        "input_tokens": usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens,
        "output_tokens": usage.output_tokens + usage.reasoning_tokens,
        "usd": judging.cost_nano_usd / NANO if judging.HasField("cost_nano_usd") else None,
        "unknown_costs": judging.unknown_costs,
    }


def status_name(status: int) -> str:
    """A run's status as users see it: running, finished, interrupted, budget, failed."""
    name: str = ev.RunStatus.Name(status)
    return name.removeprefix("RUN_STATUS_").lower()


def plan_document(plan: ev.PlanRunResponse) -> dict[str, Any]:
    """What ``--dry-run`` prints."""
    priced = plan.model.HasField("price")
    tasks = [
        {
            "task": task.name,
            "key": task.key,
            "sheet": task.sheet or None,
            "metric": task.metric or None,
            "instances": task.instances,
            "input_tokens": task.estimated_input_tokens,
            "max_output_tokens": task.max_output_tokens,
            "usd": task.estimated_nano_usd / NANO if task.HasField("estimated_nano_usd") else None,
            "note": task.note,
        }
        for task in plan.tasks
    ]
    return {
        "run": plan.run_id,
        "benchmark": plan.benchmark,
        "model": {"route": plan.model.route, "provider": plan.model.provider, "ready": plan.model.ready, "problem": plan.model.problem},
        "instances": sum(task.instances for task in plan.tasks),
        "input_tokens": sum(task.estimated_input_tokens for task in plan.tasks),
        "max_output_tokens": sum(task.max_output_tokens for task in plan.tasks),
        "usd": sum(task.estimated_nano_usd for task in plan.tasks) / NANO if priced else None,
        "judging": _planned_judging(plan.judging) if plan.HasField("judging") else None,
        "tasks": tasks,
        "problems": list(plan.problems),
    }


def _planned_judging(judging: ev.PlannedJudging) -> dict[str, Any]:
    """What a judge would be asked, beside what the run's model would."""
    return {
        "judge": judging.judge,
        "route": judging.route,
        "answers": judging.answers,
        "input_tokens": judging.estimated_input_tokens,
        "max_output_tokens": judging.max_output_tokens,
        "usd": judging.estimated_nano_usd / NANO if judging.HasField("estimated_nano_usd") else None,
    }
