"""The level card of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from genlevel.benchmark.model import GENERAL_BENCH
from genlevel.connection.services import verdict_of
from genlevel.documents.runs import result_document
from genlevel.documents.verdict_words import merged_parts, plan_line
from genlevel.runtime.errors import UsageError
from genlevel.runtime.shown import quoted
from genlevel.runtime.threads import in_thread
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from genlevel.views.card import READINGS, Card, baseline_words, card_of
from genlevel.views.card_pictures import Figure, contested_figure, levels_figure, places_figure, synergy_figure
from genlevel.views.card_tables import SKILLS_SHOWN, in_order, tables_of
from genlevel.web.page import Asked, Page
from scorer.levels.rules import REFERENCES

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document


TASKS_OPEN = 60
"""So many tasks are listed at once; more are folded, until somebody orders them."""


async def card_page(asked: Asked) -> Page:
    """The verdict of a run, and what it is made of.

    ?references=appendix: held against other references; ?alpha=0.01: another chance of a false claim; ?reading=specialists: intervals and
    wins of that reading; ?sort=-score: the order of tasks. Raises NotFoundError for a run that is not there, and UsageError.
    """
    references, alpha, reading, order = asked.one("references"), _alpha(asked), _reading(asked), asked.one("sort")
    run = (await asked.services.evaluator.get_run(ev.GetRunRequest(run_id=asked.path["run"]))).run
    verdict = await verdict_of(asked.services, run.run_id, references, alpha)
    return await in_thread(lambda: _page(asked, run, verdict, reading, order), name="level card")


def _page(asked: Asked, run: ev.Run, verdict: sc.GetVerdictResponse, reading: str, order: str) -> Page:
    result = result_document(run, verdict)
    card = card_of(result, reading)
    base = f"/runs/{quote(run.run_id, safe='')}"

    def answers(key: str) -> str:
        return f"{base}/answers?{urlencode({'task': key})}" if key else ""

    figures = _figures(card, answers)
    tables = tables_of(card)
    values = {
        "result": result,
        "about": {"run": run.run_id, "name": run.name, "model": run.specification.model, "suite": run.suite},  # no result has a name
        "card": card,
        "figures": figures,
        "answers": answers,
        "ordered": in_order(card.tasks, order),
        "order": order,
        "references": REFERENCES if run.benchmark == GENERAL_BENCH else (),
        "baseline": baseline_words,
        "skills_shown": SKILLS_SHOWN,
        "tasks_open": TASKS_OPEN,
        "plan": plan_line(result) if card.scored else "",
        "parts": merged_parts(result),
        "stamp": json.dumps(result["stamp"], ensure_ascii=False, indent=2),
        **_addresses(asked, f"{base}/card", order),
    }
    drawn = {name: figure.table for name, figure in figures.items() if figure is not None}
    return Page("card.html", f"Level card of {run.specification.model}", values, result, {**drawn, **tables})


def _figures(card: Card, answers: Callable[[str], str]) -> dict[str, Figure | None]:
    if not card.scored:
        return {}
    return {
        "levels": levels_figure(card),
        "places": places_figure(card),
        "contested": contested_figure(card, answers, whole=True),
        "synergy": synergy_figure(card, answers),
    }


def _addresses(asked: Asked, page: str, order: str) -> Document:
    """Addresses of tables and of other orders of the same card."""
    kept = {name: value for name in ("references", "alpha", "reading") if (value := asked.one(name))}

    def table_address(name: str) -> str:
        return f"{page}.{name}.csv" + (f"?{urlencode(kept)}" if kept else "")

    def sort_address(name: str) -> str:
        other = f"-{name}" if order == name else name
        return f"{page}?{urlencode({**kept, 'sort': other})}#tasks"

    return {"table_address": table_address, "sort_address": sort_address}


def _alpha(asked: Asked) -> float:
    """The error rate asked for; 0: the usual one. The scorer says which are possible."""
    written = asked.one("alpha")
    try:
        return float(written) if written else 0.0
    except ValueError:
        raise UsageError(f"alpha is {quoted(written)}; give an error rate such as 0.05") from None


def _reading(asked: Asked) -> str:
    written = asked.one("reading") or READINGS[0]
    if written not in READINGS:
        raise UsageError(f"reading is {quoted(written)}; use one of: {', '.join(READINGS)}")
    return written
