"""The level card of a run."""

from __future__ import annotations

from genlevel.connection.services import verdict_of
from genlevel.documents.runs import result_document
from genlevel.documents.verdict_words import certified_line, point_line
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.web.page import Asked, Page


async def card_page(asked: Asked) -> Page:
    """The verdict of a run. Raises NotFoundError for a run that is not there."""
    run = (await asked.services.evaluator.get_run(ev.GetRunRequest(run_id=asked.path["run"]))).run
    result = result_document(run, await verdict_of(asked.services, run.run_id))
    lines = []
    if (level := result["level"]) is not None:
        referenced = level["references"] is not None
        lines = [certified_line(result["certified"], result["certified_against_specialists"], referenced=referenced), point_line(level)]
    return Page("card.html", f"Level card of {run.specification.model}", {"result": result, "lines": lines}, result)
