"""What has to be known of a result beside its figures, a sentence each: how its run stands, what levels leave out, what counts as wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.benchmark.model import GENERAL_BENCH
from genlevel.documents.runs import has_no_answer, unscored_answers
from genlevel.documents.words import one_line

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

STATES = {
    "running": "The run goes on",
    "interrupted": "The run was interrupted",
    "budget": "The run ended at its budget",
    "failed": "The run failed",
}


@dataclass(frozen=True, slots=True)
class Remark:
    """What has to be known of a result, as a sentence. kind: plain or warn."""

    told: str
    kind: str = "plain"


def unscored_remarks(document: Document) -> Iterator[Remark]:
    """Of a result without any score: why there is none."""
    yield from _state(document)
    if has_no_answer(document):
        yield Remark("No call succeeded: there is nothing to score.", "warn")
    else:
        yield Remark("No task has been scored yet.")


def _state(document: Document) -> Iterator[Remark]:
    """How a run stands that has not ended well, or early."""
    if document["status"] == "decided":
        yield Remark(
            "Only what decides was asked: this is no full run. Scores, levels and certificates count what was not asked as open.", "warn"
        )
    if (said := STATES.get(document["status"])) is not None:
        reason = f" ({one_line(document['reason'], 300)})" if document["reason"] else ""
        yield Remark(f"{said}{reason}: this is of what was scored so far.", "plain" if document["status"] == "running" else "warn")


def remarks_of(document: Document, asked_tasks: int, *, below: int, unlisted: int) -> Iterator[Remark]:
    """What the levels do not count, and what counts as wrong.

    asked_tasks: how many were asked. below: how many of them score worse than guessing. unlisted: how many are not of the benchmark.
    """
    counts, level = document["instances"], document["level"]
    yield from _state(document)
    if document["partial"]:
        tasks = sum(entry["tasks"] for entry in (*level["modalities"].values(), level["language"]))
        whole = "General-Bench" if document["benchmark"] == GENERAL_BENCH else "the benchmark"
        asked = f"Partial: {_counted(asked_tasks, 'task')} asked, or a sample of their instances, of the {tasks:,} of {whole}."
        if asked_tasks == tasks:
            asked = f"Partial: of the {tasks:,} tasks of {whole} only a sample of instances was asked."
        yield Remark(f"{asked} What was not asked counts as 0 in the levels; those over the asked tasks alone are further down.", "warn")
    if counts["failed"] or counts["pending"]:
        told = " and ".join(f"{counts[name]:,} {name}" for name in ("failed", "pending") if counts[name])
        yield Remark(f"Incomplete: {told} instances. Their tasks have bounds instead of a score, so levels are lower bounds.", "warn")
    if (unscored := unscored_answers(document)) and document["status"] != "running":
        yield Remark(f"{unscored:,} answers came after their tasks were scored: `genlevel rescore {document['run']}` scores them.", "warn")
    if counts["unsupported"]:
        told = f"{_counted(counts['unsupported'], 'instance')} not asked: the model does not take or make what is needed (unsupported)."
        yield Remark(f"{told} A task that is unsupported as a whole has no result, which counts as 0.")
    said = (("refused", "refused"), ("unparsable", "unreadable"))
    if wrong := " and ".join(f"{counts[name]:,} {word}" for name, word in said if counts[name]):
        yield Remark(f"{wrong} answers count as wrong.")
    if below:
        yield Remark(f"{below:,} {'task is' if below == 1 else 'tasks are'} below chance: guessing would have scored more.", "warn")
    if unlisted:
        yield Remark(
            f"{unlisted:,} {'task is' if unlisted == 1 else 'tasks are'} not of the benchmark: scored and shown, outside the levels."
        )


def _counted(number: int, noun: str) -> str:
    return f"1 {noun} was" if number == 1 else f"{number:,} {noun}s were"
