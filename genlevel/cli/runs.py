"""``genlevel runs``: the runs that are stored."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from genlevel.cli.options import WHOLE_NUMBER, json_option, need_run_folder, out_option, print_json, run_async, settings_of
from genlevel.cli.printing import console, table
from genlevel.connection.services import runs_beside, stored
from genlevel.documents.decisions import stays_undecided
from genlevel.documents.runs import run_document
from genlevel.documents.suite_names import shown_suites
from genlevel.documents.times import since
from genlevel.documents.waiting_batches import batches_told
from genlevel.documents.words import cost_short, harmless, one_line, passed
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from typing import Unpack

    from genlevel.runtime.documents import Document

_WIDE = 120
"""Columns of a terminal from which each fact of a run has a column of its own."""
_STATUSES = ("running", "finished", "interrupted", "budget", "failed", "paused", "decided")


class _Options(TypedDict):
    model: str
    suite: str
    statuses: tuple[str, ...]
    tags: tuple[str, ...]
    since: str
    text: str
    limit: int | None
    ticks: bool
    out: Path
    as_json: bool


@click.command("runs")
@click.option("--model", default="", metavar="GLOB", help="Only runs of such models (commas separate several globs).")
@click.option("--suite", default="", metavar="GLOB", help="Only runs on such suites, by their names or paths.")
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice(_STATUSES), help="Only runs in this state; may be given several times."
)
@click.option("--tag", "tags", multiple=True, metavar="WORD", help="Only runs with this tag; several: with all of them.")
@click.option("--since", default="", metavar="7d|DATE", help="Only runs that began within that time, or since that day (UTC).")
@click.option("--text", default="", help="Only runs with this in their id, name, notes, tags, model or suite.")
@click.option("--limit", type=WHOLE_NUMBER, help="At most so many, the newest.")
@click.option("--ticks", is_flag=True, help="Show the runs of monitors, too.")
@out_option
@json_option
@click.pass_context
def runs(ctx: click.Context, /, **options: Unpack[_Options]) -> None:
    """List runs, the newest first. If services are configured, those that commands made by themselves (--base-url) are marked as local."""
    settings, out, limit = settings_of(ctx), options["out"], options["limit"]
    request = _request(options)
    need_run_folder(settings, out)

    async def work() -> tuple[list[Document], int]:
        here = await runs_beside(settings, out, request)
        local = not settings.addresses.evaluator
        async with stored(settings, out) as found:
            there = await found.evaluator.list_runs(request)
        known = {run.run_id for run in there.runs}  # services that keep their runs in this very folder have told of them
        beside = [run for run in here if run.run_id not in known]
        listed = [*((run, local) for run in there.runs), *((run, True) for run in beside)]
        listed.sort(key=lambda entry: entry[0].created.ToNanoseconds(), reverse=True)
        documents = [{**run_document(run), "local": is_local} for run, is_local in listed[:limit]]
        return documents, there.found + len(beside) - len(documents)

    documents, more = run_async(work())
    if options["as_json"]:
        print_json(documents)
    elif documents:
        _print(documents, marked=bool(settings.addresses.evaluator))
        if more:
            click.echo(f"and {more:,} more; --limit shows so many")
    elif len(request.ListFields()) > options["ticks"]:
        click.echo("no run is as you ask for it; `genlevel runs` without filters lists all")
    else:
        shared = settings.addresses.evaluator or settings.storage.url
        click.echo(f"no runs yet in {'the configured storage' if shared else out}")


def _request(options: _Options) -> ev.ListRunsRequest:
    statuses = [f"RUN_STATUS_{name.upper()}" for name in options["statuses"]]
    return ev.ListRunsRequest(
        ticks=options["ticks"],
        model=options["model"],
        suite=options["suite"],
        statuses=statuses,
        tags=options["tags"],
        since_s=since(options["since"], time.time(), named="--since") if options["since"] else 0.0,
        text=options["text"],
        limit=options["limit"] or 0,
    )


def _print(documents: list[Document], *, marked: bool) -> None:
    """marked: say which runs are local."""
    out = console()
    names = shown_suites((run["suite"], run["suite_hash"] or "") for run in documents)
    told = [{**run, "suite": names[run["suite"], run["suite_hash"] or ""]} for run in documents]
    out.print(_wide(told, marked=marked) if out.width >= _WIDE else _narrow(told, marked=marked))
    for run in documents:
        if run["batches"] is not None:
            click.echo(f"{run['run']} waits for {batches_told(run['batches'])}")


def _wide(documents: list[Document], *, marked: bool) -> object:
    """A column for each fact."""
    ticks, named = (any(run[field] for run in documents) for field in ("occasion", "name"))
    more = [*(["occasion"] if ticks else []), *(["where"] if marked else [])]
    first = ["run", *(["name"] if named else []), "model", "suite", ">limit", ">tasks", ">plan", "status"]
    rows = table(*first, ">answers", ">of", ">failed", ">US$", ">age", *more)
    for run in documents:
        name = [one_line(run["name"] or "-", 40)] if named else []
        where = [harmless(run["occasion"] or "-")] if ticks else []
        where += [_where(run)] if marked else []
        asked = (str(run["limit"] or "all"), f"{run['tasks']:,}", str(run["plan"] or "-"))
        counts = (f"{count:,}" for count in (run["total"] - run["pending"], run["total"], run["failed"]))
        cells = [run["run"], *name, harmless(run["model"]), run["suite"], *asked, _status(run)]
        rows.add_row(*cells, *counts, cost_short(run["usd"], run["most_usd"], run["unknown_calls"]), _age(run), *where)
    return rows


def _narrow(documents: list[Document], *, marked: bool) -> object:
    """Two lines for each run: its id, model and state, and beneath what it is called and what it asks."""
    rows = table("run", "model and suite", "status", ">answers", ">US$", ">age")
    rows.expand, rows.padding, rows.columns[0].max_width, rows.columns[1].ratio = True, (0, 1, 0, 0), 16, 1
    for column in rows.columns:
        column.no_wrap, column.overflow = True, "ellipsis"
    for run in documents:
        called = one_line(run["name"] or run["occasion"] or (_where(run) if marked else ""), 40)
        limit = f", {run['limit']:,} each" if run["limit"] else ""
        tasks = f"{run['tasks']:,} task{'' if run['tasks'] == 1 else 's'}"
        of = f"{harmless(run['model'])}\n{run['suite']}, {tasks}{limit}"
        state = _status(run).replace(" (", "\n(") + (f"\n{run['failed']:,} failed" if run["failed"] else "")
        answers = f"{run['total'] - run['pending']:,}\nof {run['total']:,}"
        cost = cost_short(run["usd"], run["most_usd"], run["unknown_calls"]).replace("at least ", "at least\n").replace(" to ", "\nto ")
        rows.add_row(f"{run['run']}\n{called}".rstrip(), of, state, answers, cost, _age(run))
    return rows


def _status(run: Document) -> str:
    status = "undecided" if stays_undecided(run["status"], run["reason"]) else run["status"]
    return f"{status}{' (is to go on)' if run['wanted'] == 'go on' and run['status'] != 'running' else ''}"


def _where(run: Document) -> str:
    return "local" if run["local"] else "service"


def _age(run: Document) -> str:
    from datetime import datetime

    return passed(time.time() - datetime.fromisoformat(run["created"]).timestamp())
