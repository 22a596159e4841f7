"""How a run goes, as documents: how far it is, its tasks, its failures, and its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlevel.documents.decisions import until_document
from genlevel.documents.enum_names import enum_name
from genlevel.documents.runs import outcome_name, run_document, tokens_in, tokens_out
from genlevel.documents.words import NANO
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document


def progress_document(progress: ev.WatchRunResponse) -> Document:
    """How far a run is. What is not known, such as the rate of a run that does not go on, is null."""
    run, going = progress.run, progress.run.status == ev.RUN_STATUS_RUNNING
    return {
        **run_document(run),
        "instances": counts_document(run.counts),
        "usage": {
            "input_tokens": tokens_in(run.usage),
            "output_tokens": tokens_out(run.usage),
            "images": run.usage.output_images,
            "seconds": run.usage.output_milliseconds / 1000,
        },
        "calls": run.calls,
        "retries": run.retries,
        "judging": progress.judging,
        "judged": run.judging.judged if run.HasField("judging") else None,
        "in_flight": progress.in_flight if going else None,
        "rate": progress.rate or None,
        "pace": progress.pace or None,
        "waiting": {reason: count for reason, count in sorted(progress.waiting.items()) if count},
        "waits_for": progress.waits_for or None,
        "provider_wait_s": progress.provider_wait_s or None,
        "remaining_s": progress.remaining_s if progress.HasField("remaining_s") else None,
        "deciding": _deciding(progress.deciding) if progress.HasField("deciding") else None,
        "limits": limits_document(run.traffic),
    }


def details_document(details: ev.RunDetails) -> Document:
    """A run's tasks in the order in which they are asked, and its failures, the most first."""
    return {
        "tasks": [{"task": one.task, **counts_document(one.counts)} for one in details.tasks],
        "failures": [_failures(group) for group in details.failures],
        "last_answer_s": details.last_answer_s or None,
    }


def limits_document(traffic: ev.TrafficSettings) -> Document:
    """How fast and how far a run was told to go; null: as its account is configured, or without a bound."""
    return {
        "concurrency": traffic.concurrency or None,
        "rpm": traffic.requests_per_minute or None,
        "tpm": traffic.tokens_per_minute or None,
        "weight": traffic.weight or None,
        "interactive": traffic.interactive if traffic.HasField("interactive") else None,
        "budget_usd": traffic.budget_nano_usd / NANO if traffic.HasField("budget_nano_usd") else None,
        "budget_tokens": traffic.budget_tokens if traffic.HasField("budget_tokens") else None,
        "batch": traffic.batch if traffic.HasField("batch") else None,
        "judge": traffic.judge or None,
        "until_decided": until_document(traffic.until_decided) if traffic.HasField("until_decided") else None,
    }


def counts_document(counts: sc.OutcomeCounts) -> Document:
    """How many instances have which outcome, as a run knows it: what cannot be read counts as answered."""
    return {
        "total": counts.total,
        "answered": counts.answered,
        "refused": counts.refused,
        "failed": counts.failed,
        "unsupported": counts.unsupported,
        "pending": counts.pending,
    }


def _deciding(progress: ev.DecidingProgress) -> Document:
    return {"settled": progress.settled, "tasks": progress.tasks, "calls": progress.calls if progress.HasField("calls") else None}


def error_class_name(error_class: int) -> str:
    """As people see it: timeout, content_refused, ...; empty: none is known."""
    return "" if error_class == gw.ERROR_CLASS_UNSPECIFIED else enum_name(gw.ErrorClass, error_class)


def _failures(group: ev.FailureGroup) -> Document:
    return {
        "outcome": outcome_name(group.outcome),
        "error": error_class_name(group.error_class) or None,
        "answers": group.answers,
        "examples": [
            {
                "task": one.task,
                "id": one.instance_id,
                "variant": one.variant,
                "repeat": one.repeat,
                "shuffle": one.shuffle,
                "error": one.error,
            }
            for one in group.examples
        ],
    }
