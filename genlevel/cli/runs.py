"""``genlevel runs``: the runs that are stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli.options import json_option, need_run_folder, out_option, print_json, run_async, settings_of
from genlevel.cli.printing import console, table
from genlevel.cli.suite_names import shown_suites
from genlevel.connection.services import runs_beside, stored
from genlevel.documents.runs import run_document
from genlevel.documents.waiting_batches import batches_told
from genlevel.documents.words import harmless
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document


@click.command("runs")
@click.option("--ticks", is_flag=True, help="Show the runs of monitors, too.")
@out_option
@json_option
@click.pass_context
def runs(ctx: click.Context, *, ticks: bool, out: Path, as_json: bool) -> None:
    """List runs, the newest first. If services are configured, those that commands made by themselves (--base-url) are marked as local."""
    settings = settings_of(ctx)
    need_run_folder(settings, out)

    async def work() -> list[Document]:
        request = ev.ListRunsRequest(ticks=ticks)
        here = await runs_beside(settings, out, request)
        local = not settings.addresses.evaluator
        async with stored(settings, out) as found:
            there = (await found.evaluator.list_runs(request)).runs
        known = {run.run_id for run in there}  # services that keep their runs in this very folder have told of them
        listed = [*((run, local) for run in there), *((run, True) for run in here if run.run_id not in known)]
        listed.sort(key=lambda entry: entry[0].created.ToNanoseconds(), reverse=True)
        return [{**run_document(run), "local": is_local} for run, is_local in listed]

    documents = run_async(work())
    if as_json:
        print_json(documents)
    elif documents:
        _print(documents, marked=bool(settings.addresses.evaluator))
    else:
        shared = settings.addresses.evaluator or settings.storage.url
        click.echo(f"no runs yet in {'the configured storage' if shared else out}")


def _print(documents: list[Document], *, marked: bool) -> None:
    """marked: say which runs are local."""
    ticks = any(run["occasion"] for run in documents)
    more = [*(["occasion"] if ticks else []), *(["where"] if marked else [])]
    rows = table("run", "model", "suite", ">plan", "status", ">done", ">failed", ">total", ">US$", "started", *more)
    names = shown_suites((run["suite"], run["suite_hash"] or "") for run in documents)
    for run in documents:
        counts = (f"{count:,}" for count in (run["total"] - run["pending"], run["failed"], run["total"]))
        started = run["created"][:16].replace("T", " ")
        where = [harmless(run["occasion"] or "-")] if ticks else []
        where += ["local" if run["local"] else "service"] if marked else []
        waits = " (is to go on)" if run["wanted"] == "go on" and run["status"] != "running" else ""
        suite = names[run["suite"], run["suite_hash"] or ""]
        rows.add_row(
            run["run"], harmless(run["model"]), suite, str(run["plan"] or "-"), run["status"] + waits, *counts, _cost(run), started, *where
        )
    console().print(rows)
    for run in documents:
        if run["batches"] is not None:
            click.echo(f"{run['run']} waits for {batches_told(run['batches'])}")


def _cost(run: Document) -> str:
    """What a run cost: an amount, two bounds, or what is not known."""
    known, most = run["usd"], run["most_usd"]
    if known is None and most is None:
        return "unknown" if run["unknown_calls"] else "-"
    exact = f"{known or 0:.4f}"
    if not run["unknown_calls"] or most == (known or 0):  # such as calls of a model that is free
        return exact
    return f"{exact} to {most:.4f}" if most is not None else f"at least {exact}"
