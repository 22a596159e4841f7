"""Starts or continues a run and stays with it: its progress, its metrics, its files, its level card and its exit code."""

from __future__ import annotations

import json
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli import EXIT_INCOMPLETE, EXIT_INTERRUPTED, EXIT_USAGE
from genlevel.cli.card import print_card
from genlevel.cli.options import print_json
from genlevel.cli.printing import Telling, note
from genlevel.cli.watching import Watched, watch
from genlevel.client.following import patiently
from genlevel.connection.services import DEFAULT_FOLDER, Services, verdict_of
from genlevel.documents.decision_words import sought_told
from genlevel.documents.decisions import until_document
from genlevel.documents.runs import has_no_answer, result_document
from genlevel.documents.waiting_batches import batches_document, batches_told
from genlevel.documents.words import asked_told, harmless
from genlevel.runtime.errors import GenlevelError, StorageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.runtime.callers.access import Access
    from genlevel.runtime.documents import Document
    from genlevel.runtime.settings import Settings

_METRICS_FILE = "metrics.prom"
_HELD = {ev.RUN_WANTED_PAUSED: "paused by request", ev.RUN_WANTED_STOPPED: "stopped by request"}


async def drive(
    found: Services,
    request: ev.StartRunRequest,
    settings: Settings,
    out: Path,
    *,
    said: ev.DescribeRunRequest | None = None,
    telling: Telling,
    as_json: bool,
) -> int:
    """Starts or continues a run, shows how it goes and what came of it. Returns the exit code. said: what it is to be called."""
    access = _access(found, settings)  # before anything is begun
    started = await found.evaluator.start_run(request)
    if said is not None:
        said.run_id = started.run.run_id
        await _describe(found, said)
    telling.notes(started.problems)
    where = "" if out == DEFAULT_FOLDER else f" --out {shlex.quote(str(out))}"
    elsewhere = found.registry is None
    async with _served_metrics(found, settings, access) as metrics_at:
        watched = await _watched(found, started, metrics_at, telling)
        if watched.left:
            return _left(watched, where)
        run = watched.run
        try:
            verdict = await patiently(lambda: verdict_of(found, run.run_id), elsewhere=elsewhere)
        except StorageError:
            if run.status == ev.RUN_STATUS_FINISHED:
                raise
            return _exit_code(run, watched.stopped, "", where)  # it says why
        document = result_document(run, verdict)
        places: dict[str, str] = {}
        try:
            places = _leave(found, out, document) if found.registry is not None else {}
        except OSError as error:  # the journal has it all: the result is printed, and can be shown again
            note(f"the result's files cannot be written to {out / 'runs' / run.run_id} ({error.strerror})")
        failed = run.counts.failed or run.judging.failed
        failure = await patiently(lambda: _first_failure(found, run), elsewhere=elsewhere) if failed else ""
    if as_json:
        print_json(document)
    else:
        told = {**document, "reason": ""} if has_no_answer(document) else document  # the line that ends the command says it
        print_card(told, {**places, "browser": f"genlevel view {run.run_id}{where}"})
    return _exit_code(run, watched.stopped, failure, where)


async def _describe(found: Services, said: ev.DescribeRunRequest) -> None:
    """Names a run that has begun: it goes on, whatever comes of that."""
    try:
        await found.evaluator.describe_run(said)
    except GenlevelError as error:
        note(f"run {said.run_id} is not named or tagged: {harmless(str(error))}")


def _left(watched: Watched, where: str) -> int:
    """The exit code of a command that no longer watches its run; says how to look again."""
    run_id = watched.run.run_id
    click.echo(f"genlevel: run {run_id} is no longer watched: {watched.left}; `genlevel show {run_id}{where}` looks again", err=True)
    return EXIT_INCOMPLETE


async def _watched(found: Services, started: ev.StartRunResponse, metrics_at: str, telling: Telling) -> Watched:
    """Follows a run to its end, unless it was there before."""
    run = started.run
    if started.nothing_left and run.status == ev.RUN_STATUS_DECIDED:
        telling.line(f"{_decided(run)}; nothing is asked")
        return Watched(run)
    if started.nothing_left:
        judged = f" and judged by {run.judging.judge}" if run.HasField("judging") else ""
        telling.line(f"run {run.run_id} was finished{judged} before; nothing is asked")
        return Watched(run)
    where = f"; metrics at {metrics_at}" if metrics_at else ""
    told = asked_told(run.counts.total, max(1, run.specification.repeats))
    if run.traffic.HasField("until_decided"):
        told = f"{told}, asked until it is decided: {sought_told(until_document(run.traffic.until_decided)['aim'])}"
    telling.line(f"run {run.run_id}: {run.specification.model} on {run.suite}, {told}{where}")
    return await watch(found.evaluator, run, elsewhere=found.registry is None, quiet=telling.quiet)


def _access(found: Services, settings: Settings) -> Access | None:
    """Who may read the metrics of a one-shot run. Raises ConfigurationError if that must be said, and is not."""
    if found.registry is None:
        return None
    from genlevel.runtime.callers.access import Access

    access = Access(settings.auth, found.registry)
    access.check_address("evaluator.http", settings.evaluator.http, http=True)
    return access


@asynccontextmanager
async def _served_metrics(found: Services, settings: Settings, access: Access | None) -> AsyncIterator[str]:
    """Serves /metrics while a one-shot run goes on: at the configured address, or at any free port if that is taken."""
    if found.registry is None:
        yield ""
        return
    from genlevel.runtime.http import HttpServer, OnDemand, create_app

    app = OnDemand(partial(create_app, found.registry, ready=found.ready))
    host, _, port = settings.evaluator.http.rpartition(":")
    server = HttpServer(app, settings.evaluator.http, name="evaluator.http", access=access, grace_s=0.2)
    await server.start_near([int(port)] if port.isdecimal() else [])
    async with server:
        yield f"http://{host}:{server.port}/metrics"


def _leave(found: Services, out: Path, document: Document) -> dict[str, str]:
    """Writes the result and the last metrics beside the journal. Returns their places."""
    from prometheus_client import write_to_textfile

    folder = out / "runs" / document["run"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    assert found.registry is not None
    write_to_textfile(str(folder / _METRICS_FILE), found.registry)
    return {"result": str(folder / "result.json"), "metrics": str(folder / _METRICS_FILE), "answers": str(out / "genlevel.db")}


async def _first_failure(found: Services, run: ev.Run) -> str:
    """One instance that failed for good, else one that the judge failed on, and why."""
    if run.counts.failed:
        async for answer in found.evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id, outcomes=[sc.OUTCOME_FAILED])):
            return f"{answer.task}/{answer.instance_id}: {answer.error}"
    async for answer in found.evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id, judge_failures=True)):
        return harmless(f"{answer.task}/{answer.instance_id}: {answer.ratings[0].error}")
    return ""


def _decided(run: ev.Run) -> str:
    """That a run is decided, and how the rest of it is asked."""
    return f"run {run.run_id} is decided, and not all of it was asked: `genlevel eval` without --until-decided asks the rest"


def _tell_decided(run: ev.Run, failure: str, where: str) -> None:
    """Says what else a person has to know of a run that ended before all of it was asked: why, and what failed for good."""
    complete = run.decision.complete
    if not complete:
        why = run.reason or "nothing further is to be asked"
        click.echo(f"genlevel: run {run.run_id} is not decided: {why}", err=True)
    elif run.reason:
        click.echo(f"genlevel: run {run.run_id}: {run.reason}", err=True)
    if run.counts.failed:
        meant = "it is decided whatever they would be" if complete else f"`genlevel resume {run.run_id}{where}` asks them again"
        listed = f"`genlevel show {run.run_id} --failures{where}` lists them"
        click.echo(f"genlevel: {run.counts.failed:,} instances failed, such as {failure}; {listed}, {meant}", err=True)


def _more_of(run: ev.Run) -> list[str]:
    """What there is to be known of the end of a run besides that a person wanted it, such as that answers could not be stored."""
    return [said for said in run.reason.split("; ") if said.removeprefix("judging: ") not in ("", *_HELD.values())]


def _exit_code(run: ev.Run, interrupted: bool, failure: str, where: str) -> int:
    """The exit code; says on stderr what went wrong. where: the option that names the run's folder."""
    if run.status == ev.RUN_STATUS_DECIDED:
        _tell_decided(run, failure, where)
        return 0 if run.decision.complete else EXIT_INCOMPLETE
    if interrupted or (run.wanted in _HELD and run.status != ev.RUN_STATUS_FINISHED):
        how = "stopped" if interrupted else _HELD[run.wanted]
        waiting = batches_document(run)
        waits = [f"it has {batches_told(waiting)}"] if waiting is not None else []
        told = "; ".join((f"was {how}", *_more_of(run), *waits))
        click.echo(f"genlevel: run {run.run_id} {told}; `genlevel resume {run.run_id}{where}` continues it", err=True)
        return EXIT_INTERRUPTED
    if run.status == ev.RUN_STATUS_BUDGET:
        higher = "--budget-tokens N" if "--budget-tokens" in run.reason else "--budget-usd X"
        again = f"`genlevel resume {run.run_id} {higher}{where}` continues it"
        click.echo(f"genlevel: run {run.run_id} is incomplete: {run.reason}; {again}", err=True)
        return EXIT_INCOMPLETE
    if run.status != ev.RUN_STATUS_FINISHED:
        listed = f"`genlevel show {run.run_id} --failures{where}` lists what failed, " if run.counts.failed else ""
        again = f"{listed}`genlevel resume {run.run_id}{where}` continues it"
        click.echo(f"genlevel: run {run.run_id} is incomplete: {run.reason}; {again}", err=True)
        return EXIT_USAGE
    if run.reason:  # what a person has to know of a run that came to its end, such as that it went over its budget
        click.echo(f"genlevel: run {run.run_id}: {run.reason}", err=True)
    if not run.counts.failed and not run.judging.failed:
        return 0
    if not run.counts.failed:
        click.echo(
            f"genlevel: the judge failed on {run.judging.failed:,} answers, such as {failure}; "
            f"`genlevel show {run.run_id} --failures{where}` lists them, `genlevel resume {run.run_id}{where}` asks it again",
            err=True,
        )
        return EXIT_INCOMPLETE
    click.echo(
        f"genlevel: {run.counts.failed:,} of {run.counts.total:,} instances failed, such as {failure}; "
        f"`genlevel show {run.run_id} --failures{where}` lists them, `genlevel resume {run.run_id}{where}` asks them again",
        err=True,
    )
    return EXIT_INCOMPLETE
