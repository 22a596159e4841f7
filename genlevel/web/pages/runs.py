"""All runs, the newest first."""

from __future__ import annotations

from genlevel.documents.runs import run_document
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.web.page import Asked, Page


async def runs_page(asked: Asked) -> Page:
    """The runs of the evaluator. ?ticks=1: those of monitors, too."""
    found = await asked.services.evaluator.list_runs(ev.ListRunsRequest(ticks=bool(asked.one("ticks"))))
    entries = [run_document(run) for run in found.runs]
    return Page("runs.html", "Runs", {"runs": entries}, {"runs": entries})
