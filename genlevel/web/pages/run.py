"""One run: how far it is, while it goes on and after, its tasks, failures and calls, and what may be changed of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from genlevel.connection.services import progress_of
from genlevel.documents.decision_words import decision_of, early_head, early_lines, early_title, is_completed
from genlevel.documents.decisions import decision_document
from genlevel.documents.progress_words import is_to_go_on
from genlevel.documents.run_progress import details_document, progress_document
from genlevel.documents.run_words import is_told_here, limits_told, progress_facts, recent_calls, standing_told
from genlevel.documents.runs import status_name
from genlevel.documents.traffic import NONE_RECORDED, kept_told, span_of, summary, traffic_document
from genlevel.runtime.callers import Role
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.views.figures.traffic import traffic_picture
from genlevel.views.table import Table, table
from genlevel.web.page import Asked, Moved, Page
from genlevel.web.pages.run_forms import FIRST, NUMBERS, describing_form, limits_form
from genlevel.web.places import AnswerPlace
from genlevel.web.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from genlevel.runtime.documents import Document

EVERY_S = 2
SELDOM_S = 10
"""Seconds between two looks at a run that goes on: at how far it is, and at what takes counting all of its answers."""
MANY_ANSWERS = 20_000
_TRAFFIC = (
    "from (UTC)",
    ">seconds",
    ">calls",
    ">calls/s.2",
    ">rejected",
    ">failed",
    ">pace.2",
    ">in flight.1",
    ">allowed.0",
    "waited for",
)


async def run_page(asked: Asked) -> Page | Moved:
    """A run by its id, or by how that begins. ?part=live and ?part=detail: what changes while it goes on. Raises NotFoundError."""
    made = await view_of(asked, Reply())
    run = made.document["run"]
    return made if run == asked.path["run"] else Moved(address_of(run))


async def view_of(asked: Asked, answered: Reply) -> Page:
    """The page, after a form was posted, too."""
    evaluator, part = asked.services.evaluator, asked.one("part")
    progress = await progress_of(evaluator, asked.path["run"])
    run, now = progress.run, time.time()
    document = progress_document(progress)
    here = is_told_here(progress)
    traffic = None
    if part != "live" or (run.status == ev.RUN_STATUS_RUNNING and not here):
        traffic = await evaluator.get_traffic(ev.GetTrafficRequest(run_id=run.run_id))
    recent = None if here or traffic is None else recent_calls(traffic.spans, now)
    values: dict[str, object] = {
        "run": document,
        "standing": standing_told(progress),
        "facts": progress_facts(progress, recent),
        "now": now,
        "goes_on": is_to_go_on(run),
        "running": run.status == ev.RUN_STATUS_RUNNING,
        "every_s": EVERY_S if here or run.counts.total - run.counts.pending <= MANY_ANSWERS else SELDOM_S,
        "seldom_s": SELDOM_S,
        "may_run": asked.may(Role.RUN),
        "may_delete": asked.may(Role.ADMIN),
        "base": address_of(run.run_id),
    }
    tables: dict[str, Table] = {}
    if part != "live":
        found = await evaluator.get_run(ev.GetRunRequest(run_id=run.run_id, details=True, not_added_up=True))
        details = details_document(found.details)
        document |= {"name": found.run.name, "tags": list(found.run.tags), "notes": found.run.notes, **details}
        early = {"decision": decision_document(run.decision)} if run.HasField("decision") else {}
        document |= early
        decided = {task["key"]: task["state"] for task in early["decision"]["tasks"]} if early else {}
        tables = {"tasks": tasks_table(details, decided), "failures": failures_table(details)}
        values |= {
            "early": _early({"status": status_name(run.status), "certified": None, **early}),
            "decided": decided,
            "details": details,
            "failures": [_linked(run.run_id, group) for group in details["failures"]],
            "tasks_address": f"{address_of(run.run_id)}/answers",
            "limits": limits_told(run),
            "limits_form": limits_form(run.traffic, answered.typed if answered.form == "limits" else {}),
            "describing": describing_form(found.run, answered.typed if answered.form == "describe" else {}),
            "answered": answered,
            "numbers": NUMBERS,
            "first": FIRST,
            **_traffic(run, traffic, document, tables),
        }
    title = f"Run of {run.specification.model}"
    return Page("run.html", title, values, document, tables, status=400 if answered.errors else 200)


def address_of(run: str) -> str:
    """The page of a run."""
    return f"/runs/{quote(run, safe='')}"


def tasks_table(details: Document, decided: Mapping[str, str]) -> Table:
    """How far each task is. decided: what was decided of it before all was asked, by its key; empty if nothing was to be."""
    outcomes = ("answered", "refused", "failed", "unsupported", "pending")
    columns = [
        "task",
        ">to be asked in full" if decided else ">asked",
        *(f">{outcome}" for outcome in outcomes),
        *(["decided early"] if decided else []),
    ]
    rows = [
        (
            *(task["task"], task["total"], *(task[outcome] for outcome in outcomes)),
            *([decided.get(task["task"])] if decided else []),
        )
        for task in details["tasks"]
    ]
    return table("Tasks, by outcome of their instances", columns, rows)


def _early(document: Document) -> Document | None:
    """What a page shows of a run's decision: its title, with its head if no line says it, and all that is said of it; None without one."""
    decision = decision_of(document)
    if decision is None:
        return None
    title = early_title(document)
    return {"title": title if is_completed(document) else f"{title}: {early_head(decision)}", "lines": list(early_lines(document))}


def failures_table(details: Document) -> Table:
    """What was refused, failed or not asked, by why, with an example."""
    rows = []
    for group in details["failures"]:
        example = group["examples"][0] if group["examples"] else {"task": "", "id": "", "error": ""}
        rows.append((group["outcome"], group["error"], group["answers"], example["task"], example["id"], example["error"]))
    return table("Failures, by their class", ["outcome", "class", ">answers", "task of one", "instance", "its error"], rows)


def _linked(run: str, group: Document) -> Document:
    examples = [
        {**one, "address": AnswerPlace(run, one["task"], one["id"], one["variant"], one["repeat"], one["shuffle"]).answer_address()}
        for one in group["examples"]
    ]
    return {**group, "examples": examples}


def _traffic(run: ev.Run, told: ev.GetTrafficResponse | None, document: Document, tables: dict[str, Table]) -> dict[str, object]:
    """What its calls were like. Adds to the page's document and tables."""
    assert told is not None
    spans = [span_of(span) for span in told.spans]
    known = traffic_document(run, told)
    document["traffic"] = {name: value for name, value in known.items() if name not in ("run", "model", "suite")}
    if not spans:
        return {"traffic_line": NONE_RECORDED, "traffic_kept": "", "traffic_table": None, "traffic_picture": ""}
    rows = [
        (
            span["start"],
            span["seconds"],
            span["calls"],
            span["calls_per_s"],
            span["limited"],
            span["failures"],
            span["pace"],
            span["in_flight"],
            span["concurrency"],
            ", ".join(span["waits_s"]),
        )
        for span in known["spans"]
    ]
    tables["traffic"] = table("Calls over time", _TRAFFIC, rows)
    picture = traffic_picture(told.spans).inline() if len(spans) > 1 else ""
    kept = kept_told(told.kept) if told.HasField("kept") else ""
    return {"traffic_line": summary(spans), "traffic_kept": kept, "traffic_table": tables["traffic"], "traffic_picture": picture}
