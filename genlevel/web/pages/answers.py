"""The answers of a run: those that are looked for, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.documents.runs import run_document
from genlevel.documents.search import search_document
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.views.answers.texts import marked
from genlevel.views.environment import line
from genlevel.views.table import Table, table
from genlevel.web.answer_filter import ORDERS, OUTCOMES, RIGHT, AnswerFilter
from genlevel.web.page import Asked, Page
from genlevel.web.places import AnswerPlace

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

_LONGEST = 300
_MOST_TASKS = 100
"""Of the table. All are in the choice above it, and in its CSV."""


@dataclass(frozen=True, slots=True)
class Found:
    """An answer of the list. question, excerpt, error: in pieces, those with the searched text marked."""

    entry: Document
    address: str
    question: list[tuple[str, bool]]
    excerpt: list[tuple[str, bool]]
    error: list[tuple[str, bool]]


async def answers_page(asked: Asked) -> Page:
    """Answers by task, outcome, right or wrong, score and text. Raises UsageError, NotFoundError."""
    evaluator, wanted = asked.services.evaluator, AnswerFilter.asked(asked)
    found = await evaluator.search_answers(wanted.request(asked.path["run"]))
    run = run_document((await evaluator.get_run(ev.GetRunRequest(run_id=found.run_id))).run)
    document = search_document(found)
    rows = [_found(found.run_id, entry, one, wanted) for entry, one in zip(document["answers"], found.answers, strict=True)]
    values = {
        "run": run,
        "found": document,
        "rows": rows,
        "filter": wanted,
        "address": f"/runs/{found.run_id}/answers",
        "first": wanted.address(found.run_id),
        "csv": wanted.address(found.run_id, table="answers", after=wanted.after),
        "next": wanted.address(found.run_id, after=found.next) if found.next else "",
        "nothing": AnswerFilter(order=wanted.order).address(found.run_id),
        "outcomes": OUTCOMES,
        "rights": {name: "less than right" if name == "wrong" else name for name in RIGHT},
        "orders": {name: told for name, (_order, told) in ORDERS.items()},
        "tasks": _tasks(found.run_id, document, wanted)[:_MOST_TASKS],
        "tasks_csv": wanted.address(found.run_id, table="tasks"),
    }
    return Page(
        "answers.html", f"Answers of {line(run['model'])}", values, document, {"answers": _table(document), "tasks": _task_table(document)}
    )


def _found(run: str, entry: Document, one: ev.FoundAnswer, wanted: AnswerFilter) -> Found:
    place = AnswerPlace.of(run, one)
    more = [*wanted.pairs(of_one=True), ("list", "1")]
    texts = (line(text, _LONGEST) for text in (one.question, one.excerpt, one.error))
    question, excerpt, error = (marked(text, wanted.text) for text in texts)
    return Found(entry, place.answer_address(more), question, excerpt, error)


@dataclass(frozen=True, slots=True)
class Facet:
    """A task of the choice beside the list. here: whether the list is of this task alone."""

    entry: Document
    address: str
    here: bool


def _tasks(run: str, document: Document, wanted: AnswerFilter) -> list[Facet]:
    """Tasks that have answers, the most wrong ones first."""
    order = sorted(document["tasks"], key=lambda task: (-task["wrong"], -task["answers"], task["task"]))
    return [Facet(entry, wanted.address(run, tasks=(entry["task"],)), wanted.tasks == (entry["task"],)) for entry in order]


def _table(document: Document) -> Table:
    columns = ["task", "id", ">variant", ">repeat", ">shuffle", "outcome", "right", ">score", ">best", "question", "answer", "error"]
    keys = ("task", "id", "variant", "repeat", "shuffle", "outcome", "right", "score", "best", "question", "excerpt", "error")
    more, more_keys = [">attempts", ">usd", ">seconds", ">created (Unix s)"], ("attempts", "usd", "upstream_s", "created_s")
    rows = [tuple(entry[key] for key in (*keys, *more_keys)) for entry in document["answers"]]
    return table("Answers of this page", [*columns, *more], rows)


def _task_table(document: Document) -> Table:
    keys = ("task", "answers", "right", "wrong", "unknown")
    rows = [tuple(entry[key] for key in keys) for entry in document["tasks"]]
    return table("Tasks that have such answers", ["task", *(f">{key}" for key in keys[1:])], rows)
