"""The runs, the newest first: found by what they ask, how they stand and what people call them, and picked to be compared."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from genlevel.documents.run_words import standing_of
from genlevel.documents.runs import run_document
from genlevel.documents.times import since
from genlevel.documents.words import cost_short, passed
from genlevel.runtime.errors import UsageError
from genlevel.runtime.shown import quoted
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.views.table import Table, table
from genlevel.web.page import Asked, Page
from genlevel.web.pages.leaderboard import MOST_COMPARED

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

A_PAGE = 50
STATUSES: Mapping[str, ev.RunStatus] = {
    "running": ev.RUN_STATUS_RUNNING,
    "paused": ev.RUN_STATUS_PAUSED,
    "finished": ev.RUN_STATUS_FINISHED,
    "decided": ev.RUN_STATUS_DECIDED,
    "interrupted": ev.RUN_STATUS_INTERRUPTED,
    "budget": ev.RUN_STATUS_BUDGET,
    "failed": ev.RUN_STATUS_FAILED,
}
_COUNTS = (">limit", ">tasks", ">answers", ">of", ">failed")
_FILTERS = ("text", "model", "suite", "status", "tag", "since", "ticks")


async def runs_page(asked: Asked) -> Page:
    """Runs that a filter lets through, a page of them. ?ticks=1: those of monitors, too. Raises UsageError."""
    given = {name: asked.one(name) for name in _FILTERS}
    found = await asked.services.evaluator.list_runs(_request(given, asked.one("after")))
    now = time.time()
    documents = [run_document(run) for run in found.runs]
    rows = [{**document, **_told(run, document, now)} for run, document in zip(found.runs, documents, strict=True)]
    kept = {name: value for name, value in given.items() if value}
    values = {
        "runs": rows,
        "given": given,
        "filtered": bool(kept),
        "statuses": list(STATUSES),
        "most_compared": MOST_COMPARED,
        "found": found.found,
        "newest": f"/?{urlencode(kept)}" if asked.one("after") else "",
        "older": f"/?{urlencode({**kept, 'after': found.next})}" if found.next else "",
    }
    document = {"runs": documents, "found": found.found, "next": found.next or None}
    return Page("runs.html", "Runs", values, document, {"runs": _table(documents)})


def _request(given: Mapping[str, str], after: str) -> ev.ListRunsRequest:
    status = given["status"]
    if status and status not in STATUSES:
        raise UsageError(f"status {quoted(status)} is none of {', '.join(STATUSES)}")
    return ev.ListRunsRequest(
        ticks=bool(given["ticks"]),
        model=given["model"],
        suite=given["suite"],
        statuses=[STATUSES[status]] if status else [],
        tags=given["tag"].split(),
        since_s=since(given["since"], time.time(), named="since") if given["since"] else 0.0,
        text=given["text"],
        limit=A_PAGE,
        after=after,
    )


def _told(run: ev.Run, document: Document, now: float) -> dict[str, object]:
    return {
        "standing": standing_of(run),
        "done": run.counts.total - run.counts.pending,
        "cost": cost_short(document["usd"], document["most_usd"], document["unknown_calls"]),
        "age": passed(now - run.created.ToMicroseconds() / 1e6),
        "at": run.created.ToMicroseconds() / 1e6,
    }


def _table(documents: list[Document]) -> Table:
    columns = [
        *["run", "name", "model", "suite", ">limit", ">tasks", ">answers", ">of", ">failed"],
        ">US$",
        ">at most US$",
        "status",
        "created",
    ]
    rows = [
        (
            run["run"],
            run["name"],
            run["model"],
            run["suite"],
            run["limit"],
            run["tasks"],
            run["total"] - run["pending"],
            run["total"],
            run["failed"],
            run["usd"],
            run["most_usd"],
            run["status"],
            run["created"],
        )
        for run in documents
    ]
    return table("Runs, the newest first", columns, rows)
