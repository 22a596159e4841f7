"""The JSON documents of runs, plans and answers, from what the evaluator and the scorer say (docs/json.md has every field)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlevel.documents.decisions import decision_document, decision_stamp, expected_document
from genlevel.documents.enum_names import enum_name
from genlevel.documents.foreign_json import read_json
from genlevel.documents.price_words import price_document
from genlevel.documents.waiting_batches import batches_document
from genlevel.documents.words import NANO
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document


def result_document(run: ev.Run, verdict: sc.GetVerdictResponse) -> Document:
    """A run's result: identity, disjoint counts, usage, tasks, levels, and the stamp that says what they rest on.

    The levels are null if no instance has an outcome yet, or if the scorer does not know the run. "decision" is there only if something
    was to be decided early: other results, and their hashes, are as they were before there were decisions.
    """
    from scorer.reports.documents import (
        references_of,
        tasks_json,
        verdict_certified_against_specialists_json,
        verdict_certified_json,
        verdict_level_json,
    )
    from scorer.reports.stamps import run_stamp, stamped

    unparsable = sum(score.counts.unparsable for score in verdict.tasks)
    counts, usage = run.counts, run.usage
    levels = bool(verdict.tasks) and has_outcomes(run)
    document = {
        **_identity(run),
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
            "input_tokens": tokens_in(usage),
            "output_tokens": tokens_out(usage),
            "images": usage.output_images,
            "seconds": usage.output_milliseconds / 1000,
            **_cost(run),
        },
        "judging": _judging(run.judging) if run.HasField("judging") else None,
        "tasks": tasks_json(verdict.tasks),
        "level": verdict_level_json(verdict) if levels else None,
        "certified": verdict_certified_json(verdict) if levels else None,
        "certified_against_specialists": verdict_certified_against_specialists_json(verdict) if levels else None,
        "level_asked": verdict_level_json(verdict, asked=True) if levels else None,
        **({"decision": decision_document(run.decision)} if run.HasField("decision") else {}),
        "stamp": run_stamp(run, verdict, references_of(verdict) if levels else None, early=decision_stamp(run)),
    }
    return stamped(document)


_WANTED: dict[int, str] = {
    ev.RUN_WANTED_GO_ON: "go on",
    ev.RUN_WANTED_PAUSED: "paused",
    ev.RUN_WANTED_STOPPED: "stopped",
    ev.RUN_WANTED_CANNOT_SUCCEED: "cannot succeed",
    ev.RUN_WANTED_FINISHED: "finished",
}


def run_document(run: ev.Run) -> Document:
    """A run as `genlevel runs --json` lists it."""
    return {
        **_identity(run),
        "name": run.name or None,
        "tags": list(run.tags),
        "notes": run.notes,
        "suite_word": run.specification.suite,
        "limit": run.specification.limit or None,
        "tasks": run.tasks,
        "total": run.counts.total,
        "pending": run.counts.pending,
        "failed": run.counts.failed,
        **_cost(run, run.judging),
        "batches": batches_document(run),
        "created": run.created.ToJsonString(),
        "updated": run.updated.ToJsonString(),
    }


def tuned_document(run: ev.Run, wished: ev.TrafficSettings) -> Document:
    """A run that was told what is wanted of it, and what was changed, as `genlevel tune --json` prints it."""
    return {
        **run_document(run),
        "changed": {
            "concurrency": wished.concurrency or None,
            "rpm": wished.requests_per_minute or None,
            "tpm": wished.tokens_per_minute or None,
            "budget_usd": wished.budget_nano_usd / NANO if wished.HasField("budget_nano_usd") else None,
            "budget_tokens": wished.budget_tokens if wished.HasField("budget_tokens") else None,
            "weight": wished.weight or None,
            "interactive": wished.interactive if wished.HasField("interactive") else None,
        },
    }


def _identity(run: ev.Run) -> Document:
    """What a run is of, and how it stands."""
    return {
        "run": run.run_id,
        "model": run.specification.model,
        "suite": run.suite,
        "suite_hash": run.suite_hash or None,
        "benchmark": run.benchmark,
        "partial": run.partial,
        "status": status_name(run.status),
        "reason": run.reason,
        "wanted": wanted_name(run.wanted),
        "plan": run.plan or None,
        "occasion": run.specification.occasion or None,
        "repeats": max(1, run.specification.repeats),
    }


def _usd(of: ev.ListAnswersResponse) -> float | None:
    return of.cost_nano_usd / NANO if of.HasField("cost_nano_usd") else None


def _cost(*of: ev.Run | ev.Judging) -> Document:
    """What is known of a cost or of several together, its upper bound, and what is not known. What has no price adds nothing."""
    priced = [one for one in of if one.HasField("cost_nano_usd") or one.HasField("most_cost_nano_usd") or one.unknown_calls]
    known = [one.cost_nano_usd for one in priced if one.HasField("cost_nano_usd")]
    most = [one.most_cost_nano_usd for one in priced if one.HasField("most_cost_nano_usd")]
    return {
        "usd": sum(known) / NANO if known else None,
        "most_usd": sum(most) / NANO if most and len(most) == len(priced) else None,
        "unknown_costs": sum(one.unknown_costs for one in of),
        "unknown_calls": sum(one.unknown_calls for one in of),
    }


def tokens_in(usage: gw.Usage) -> int:
    """All tokens that went in, those from a cache included."""
    return usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens


def tokens_out(usage: gw.Usage) -> int:
    """All tokens that came out, those of reasoning included."""
    return usage.output_tokens + usage.reasoning_tokens


def has_outcomes(run: ev.Run) -> bool:
    """Whether any instance of a run has an outcome: before that there is nothing to score."""
    return run.counts.pending < run.counts.total


def has_no_answer(document: Document) -> bool:
    """Whether a run ended or goes wrong without a single answer: a card of it would be one of zeros."""
    counts = document["instances"]
    came = counts["answered"] or counts["refused"] or counts["unparsable"]
    return not came and bool(counts["failed"] or document["status"] == "failed")


def unscored_answers(document: Document) -> int:
    """Answers of a result that came after their task was last scored, as of a run whose process was killed."""
    return max(0, sum(_pending(task) for task in document.get("tasks") or ()) - _pending(document))


def _pending(part: Document) -> int:
    counts = part.get("instances")
    found = counts.get("pending") if isinstance(counts, dict) else 0
    return found if isinstance(found, int) else 0


def _judging(judging: ev.Judging) -> Document:
    """Who judges, how far the judge is, and what it has used. The "usage" of a run is its model's alone."""
    return {
        "judge": judging.judge,
        "route": judging.route,
        "judged": judging.judged,
        "failed": judging.failed,
        "input_tokens": tokens_in(judging.usage),
        "output_tokens": tokens_out(judging.usage),
        **_cost(judging),
    }


def status_name(status: int) -> str:
    """A run's status as users see it: running, finished, interrupted, budget, failed, paused, decided."""
    return enum_name(ev.RunStatus, status)


def wanted_name(wanted: int) -> str | None:
    """What is to become of a run as users see it: go on, paused, stopped, cannot succeed, finished; None: nothing is stored."""
    return _WANTED.get(wanted)


def plan_document(plan: ev.PlanRunResponse) -> Document:
    """What ``--dry-run`` prints."""
    priced = plan.model.HasField("price")
    tasks = [
        {
            "task": task.name,
            "key": task.key,
            "sheet": task.sheet or None,
            "metric": task.metric or None,
            "instances": task.instances,
            "answers": task.answers,
            "calls": task.calls,
            "input_tokens": task.estimated_input_tokens,
            "max_output_tokens": task.max_output_tokens,
            "usd": task.estimated_nano_usd / NANO if task.HasField("estimated_nano_usd") else None,
            "usual_usd": task.usual_nano_usd / NANO if task.HasField("usual_nano_usd") else None,
            "note": task.note,
        }
        for task in plan.tasks
    ]
    return {
        "run": plan.run_id,
        "plan": plan.plan or None,
        "benchmark": plan.benchmark,
        "model": {
            "route": plan.model.route,
            "provider": plan.model.provider,
            "ready": plan.model.ready,
            "problem": plan.model.problem,
            "price": price_document(plan.model.price) if priced else None,
        },
        "instances": sum(task.instances for task in plan.tasks),
        "answers": sum(task.answers for task in plan.tasks),
        "calls": sum(task.calls for task in plan.tasks),
        "input_tokens": sum(task.estimated_input_tokens for task in plan.tasks),
        "max_output_tokens": sum(task.max_output_tokens for task in plan.tasks),
        "usd": sum(task.estimated_nano_usd for task in plan.tasks) / NANO if priced else None,
        "usual_usd": sum(task.usual_nano_usd for task in plan.tasks) / NANO
        if any(task["usual_usd"] is not None for task in tasks)
        else None,
        "called": plan.called,
        "judging": _planned_judging(plan.judging) if plan.HasField("judging") else None,
        "expected": expected_document(plan.expected) if plan.HasField("expected") else None,
        "tasks": tasks,
        "problems": list(plan.problems),
    }


def _planned_judging(judging: ev.PlannedJudging) -> Document:
    """What a judge would be asked, beside what the run's model would."""
    return {
        "judge": judging.judge,
        "route": judging.route,
        "answers": judging.answers,
        "input_tokens": judging.estimated_input_tokens,
        "max_output_tokens": judging.max_output_tokens,
        "usd": judging.estimated_nano_usd / NANO if judging.HasField("estimated_nano_usd") else None,
    }


def answer_document(answer: ev.ListAnswersResponse) -> Document:
    """One journalled answer."""
    return {
        "task": answer.task,
        "id": answer.instance_id,
        "variant": answer.variant,
        "repeat": answer.repeat,
        "shuffle": answer.shuffle,
        "outcome": outcome_name(answer.outcome),
        "error": answer.error,
        "prompt": answer.prompt or None,
        "media": list(answer.media),
        "answer": answer.raw_answer,
        "files": [_file(file) for file in answer.files],
        "label": read_json(answer.label_json) if answer.label_json else None,
        "options": list(answer.options),
        "attempts": answer.attempts,
        "input_tokens": tokens_in(answer.usage),
        "output_tokens": tokens_out(answer.usage),
        "usd": _usd(answer),
        "upstream_s": answer.upstream_s,
        "ratings": [_rating(rating) for rating in answer.ratings],
    }


def outcome_name(outcome: int) -> str:
    """An outcome as users see it: answered, refused, failed, unsupported, pending."""
    return enum_name(sc.Outcome, outcome)


def _rating(rating: ev.AnswerRating) -> Document:
    """One rating, by a judge or by a person (the rater)."""
    return {
        "judge": rating.judge or None,
        "prompt_version": rating.prompt_version or None,
        "rater": rating.rater or None,
        "rating": rating.rating if rating.HasField("rating") else None,
        "error": rating.error or None,
        "reply": rating.reply or None,
    }


def _file(file: sc.File) -> Document:
    """A file of an answer: its path on the evaluator's machine, or its hash in the blob store."""
    return {"path": file.path} if file.WhichOneof("source") == "path" else {"sha256": file.blob.sha256, "bytes": file.blob.size_bytes}
