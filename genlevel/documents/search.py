"""Answers that were found in a run, as JSON (docs/json.md has every field)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlevel.documents.runs import outcome_name
from genlevel.documents.words import NANO
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document


def search_document(found: ev.SearchAnswersResponse) -> Document:
    """A page of answers, how many there are, and the tasks that have some."""
    return {
        "run": found.run_id,
        "found": found.found,
        "unscored": found.unscored,
        "next": found.next or None,
        "answers": [found_document(one) for one in found.answers],
        "tasks": [
            {
                "task": one.task,
                "answers": one.answers,
                "right": one.right,
                "wrong": one.wrong,
                "unknown": one.answers - one.right - one.wrong,
            }
            for one in found.tasks
        ],
    }


def found_document(one: ev.FoundAnswer) -> Document:
    """One answer that was found: which it is, how it was scored, and the beginnings of its texts."""
    return {
        "task": one.task,
        "id": one.instance_id,
        "variant": one.variant,
        "repeat": one.repeat,
        "shuffle": one.shuffle,
        "outcome": outcome_name(one.outcome),
        "right": right_of(one.rightness),
        "score": one.score if one.HasField("score") else None,
        "best": one.best if one.HasField("best") else None,
        "question": one.question or None,
        "excerpt": one.excerpt,
        "files": one.files,
        "error": one.error,
        "attempts": one.attempts,
        "usd": one.cost_nano_usd / NANO if one.HasField("cost_nano_usd") else None,
        "upstream_s": one.upstream_s,
        "created_s": one.created_s,
    }


def right_of(rightness: int) -> bool | None:
    """Whether an answer is right; None if that is not known."""
    return True if rightness == ev.RIGHTNESS_RIGHT else False if rightness == ev.RIGHTNESS_WRONG else None
