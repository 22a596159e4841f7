"""``genlevel eval`` and ``genlevel resume``: one run from its plan to its level card."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click

from genlevel.cli import EXIT_INCOMPLETE, EXIT_INTERRUPTED, EXIT_USAGE
from genlevel.cli.connection import DEFAULT_FOLDER, Services, services, verdict_of
from genlevel.cli.options import (
    WHOLE_NUMBER,
    harmless,
    json_option,
    judge_option,
    need_run_folder,
    out_option,
    print_json,
    run_async,
    seed_option,
    settings_of,
    traffic_of,
    traffic_options,
)
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

_METRICS_FILE = "metrics.prom"


@click.command("eval")
@click.option(
    "--model",
    required=True,
    metavar="ROUTE",
    help="A configured route, or PROVIDER/MODEL: openai/..., groq/..., ollama/..., embedded/generalist.",
)
@click.option("--suite", required=True, metavar="NAME|FOLDER", help="A shipped suite, or a folder in General-Bench layout.")
@click.option("--tasks", default="", metavar="GLOB", help="Only tasks whose folder or name matches (commas separate several).")
@click.option("--limit", type=WHOLE_NUMBER, help="Instances per task: a seeded sample.")
@seed_option("Of that sample.")
@traffic_options
@click.option("--temperature", type=click.FloatRange(0, 2), help="Default: 0.")
@click.option("--max-tokens", type=WHOLE_NUMBER, help="Output tokens per answer (default: by answer type).")
@click.option(
    "--no-structured-output", is_flag=True, help="Ask for the answer's format in words alone, though the model takes JSON schemas."
)
@judge_option
@click.option("--dry-run", is_flag=True, help="Print instances, estimated tokens and cost by task; call nothing.")
@click.option("--base-url", metavar="URL", help="Send the model's name, taken literally, to this OpenAI-compatible server.")
@click.option(
    "--api",
    type=click.Choice(["chat", "images", "speech", "video"]),
    help="Which endpoint of --base-url is asked (default: chat).",
)
@click.option("--api-key-env", metavar="NAME", help="Environment variable with the key for --base-url (default: no key).")
@out_option
@click.option("--fresh", is_flag=True, help="Start over instead of continuing the same run.")
@json_option
@click.pass_context
def evaluate(ctx: click.Context, /, **options: Any) -> None:
    """Evaluate a model on a suite and print its level card.

    The same command is the same run: it continues, and asks nothing again that was answered. Exit code 0: finished; 1: finished, but
    some instances failed, or the judge failed on some, or the budget ended it; 2: bad usage or configuration, or no call can succeed
    (key, model, 25 failures in a row); 130: stopped by Ctrl-C.
    """
    settings = settings_of(ctx)
    if options["api_key_env"] and not options["base_url"]:
        raise UsageError("--api-key-env goes with --base-url; keys of configured accounts are set in genlevel.yaml")
    if options["api"] and not options["base_url"]:
        raise UsageError("--api goes with --base-url; a configured route says its api in genlevel.yaml")
    specification = ev.RunSpecification(
        model=options["model"],
        suite=options["suite"],
        tasks=options["tasks"],
        limit=options["limit"] or 0,
        seed=options["seed"],
        base_url=options["base_url"] or "",
        api_key_env=options["api_key_env"] or "",
        api="" if options["api"] == "chat" else options["api"] or "",
        no_structured_output=options["no_structured_output"],
        parameters=gw.GenerationParameters(temperature=options["temperature"], max_output_tokens=options["max_tokens"]),
    )

    async def work() -> int:
        async with services(settings, options["out"], embedded=bool(options["base_url"])) as found:
            if options["dry_run"]:
                plan = ev.PlanRunRequest(specification=specification, judge=options["judge"], traffic=traffic_of(options))
                return await _dry_run(found, plan, as_json=options["as_json"])
            request = ev.StartRunRequest(specification=specification, traffic=traffic_of(options), fresh=options["fresh"])
            return await drive(found, request, settings, options["out"], as_json=options["as_json"])

    ctx.exit(run_async(work()))


@click.command("resume")
@click.argument("run")
@traffic_options
@judge_option
@out_option
@json_option
@click.pass_context
def resume(ctx: click.Context, /, run: str, **options: Any) -> None:
    """Continue RUN as it was started; what failed for good is asked again, of its model and of its judge.

    Limits and a budget that are given here hold for the rest of the run in place of those it was started with; it stays the same run.
    """
    settings, out = settings_of(ctx), options["out"]
    need_run_folder(settings, out)

    async def work() -> int:
        async with services(settings, out) as found:
            request = ev.StartRunRequest(run_id=run, retry_failed=True, traffic=traffic_of(options), judge=options["judge"])
            return await drive(found, request, settings, out, as_json=options["as_json"])

    ctx.exit(run_async(work()))


async def _dry_run(found: Services, request: ev.PlanRunRequest, *, as_json: bool) -> int:
    from genlevel.cli.card import print_plan
    from genlevel.cli.documents import plan_document

    document = plan_document(await found.evaluator.plan_run(request))
    if as_json:
        print_json(document)
    else:
        print_plan(document)
    return 0


async def drive(found: Services, request: ev.StartRunRequest, settings: Any, out: Path, *, as_json: bool) -> int:
    """Starts or continues a run, shows how it goes and what came of it. Returns the exit code."""
    from genlevel.cli.card import print_card
    from genlevel.cli.documents import result_document

    started = await found.evaluator.start_run(request)
    for problem in started.problems:
        click.echo(f"note: {problem}", err=True)
    async with _served_metrics(found, settings) as metrics_at:
        run, interrupted = await _watch(found, started.run, metrics_at)
        verdict = await verdict_of(found, run.run_id)
        document = result_document(run, verdict)
        places: dict[str, str] = {}
        try:
            places = _leave(found, out, document) if found.registry is not None else {}
        except OSError as error:  # the journal has it all: the result is printed, and can be shown again
            click.echo(f"note: the result's files cannot be written to {out / 'runs' / run.run_id} ({error.strerror})", err=True)
        failure = await _first_failure(found, run) if run.counts.failed or run.judging.failed else ""
    if as_json:
        print_json(document)
    else:
        print_card(document, places)
    return _exit_code(run, interrupted, failure, "" if out == DEFAULT_FOLDER else f" --out {shlex.quote(str(out))}")


async def _watch(found: Services, run: ev.Run, metrics_at: str) -> tuple[ev.Run, bool]:
    """Follows a run to its end; Ctrl-C stops it. Returns its last state and whether it was interrupted here."""
    from genlevel.cli.progress import ProgressDisplay

    if run.status != ev.RUN_STATUS_RUNNING:
        judged = f" and judged by {run.judging.judge}" if run.HasField("judging") else ""
        click.echo(f"run {run.run_id} was finished{judged} before; nothing is asked", err=True)
        return run, False
    where = f"; metrics at {metrics_at}" if metrics_at else ""
    click.echo(f"run {run.run_id}: {run.specification.model} on {run.suite}, {run.counts.total:,} instances{where}", err=True)
    display = ProgressDisplay()
    stops = 0
    tasks: set[asyncio.Task[Any]] = set()

    def stop() -> None:
        nonlocal stops
        stops += 1
        if stops == 1:
            click.echo("\nstopping: waiting for the calls in flight (again to stop at once)", err=True)
        task = asyncio.ensure_future(found.evaluator.cancel_run(ev.CancelRunRequest(run_id=run.run_id, now=stops > 1)))
        tasks.add(task)

    loop = asyncio.get_running_loop()
    last: ev.WatchRunResponse | None = None
    for kind in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(kind, stop)
    try:
        async for progress in found.evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)):
            last = progress
            if progress.run.status == ev.RUN_STATUS_RUNNING:
                display.show(progress)
    finally:
        for kind in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(kind)
        display.close(last)
    assert last is not None
    return last.run, stops > 0 and last.run.status == ev.RUN_STATUS_INTERRUPTED


@asynccontextmanager
async def _served_metrics(found: Services, settings: Any) -> AsyncIterator[str]:
    """Serves /metrics while a one-shot run goes on: at the configured address, or any free port where that is taken."""
    if found.registry is None:
        yield ""
        return
    from genlevel.runtime.errors import ConfigurationError
    from genlevel.runtime.http import HttpServer, create_app

    app = create_app(found.registry)
    host = settings.evaluator.http.rpartition(":")[0]
    server = HttpServer(app, settings.evaluator.http, name="evaluator.http", grace_s=0.2)
    try:
        await server.start()
    except ConfigurationError:
        server = HttpServer(app, f"{host}:0", name="evaluator.http", grace_s=0.2)
        await server.start()
    try:
        yield f"http://{host}:{server.port}/metrics"
    finally:
        await server.stop()


def _leave(found: Services, out: Path, document: dict[str, Any]) -> dict[str, str]:
    """Writes the result and the last scrape beside the journal. Returns where they are."""
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


def _exit_code(run: ev.Run, interrupted: bool, failure: str, where: str) -> int:
    """The exit code, with what is not as it should be said on stderr. where: the option that names the run's folder."""
    if interrupted:
        click.echo(f"genlevel: run {run.run_id} was stopped; `genlevel resume {run.run_id}{where}` continues it", err=True)
        return EXIT_INTERRUPTED
    if run.status == ev.RUN_STATUS_BUDGET:
        again = f"`genlevel resume {run.run_id} --budget-usd X{where}` continues it with a higher one"
        click.echo(f"genlevel: run {run.run_id} is incomplete: {run.reason}; {again}", err=True)
        return EXIT_INCOMPLETE
    if run.status != ev.RUN_STATUS_FINISHED:
        listed = f"`genlevel show {run.run_id} --failures{where}` lists what failed, " if run.counts.failed else ""
        again = f"{listed}`genlevel resume {run.run_id}{where}` continues it"
        click.echo(f"genlevel: run {run.run_id} is incomplete: {run.reason}; {again}", err=True)
        return EXIT_USAGE
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
