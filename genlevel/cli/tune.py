"""``genlevel tune``: what is wanted of a run, told to whoever works on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli.options import (
    LimitOptions,
    json_option,
    limit_options,
    limits_of,
    need_run_folder,
    out_option,
    print_json,
    run_async,
    settings_of,
)
from genlevel.cli.printing import note
from genlevel.connection.services import is_beside, services, stored
from genlevel.documents.runs import tuned_document
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from typing import Unpack

    from genlevel.runtime.settings import Settings


class _Options(LimitOptions):
    wanted: ev.RunWanted | None
    out: Path
    as_json: bool


_SAID = {
    ev.RUN_WANTED_GO_ON: "is to go on",
    ev.RUN_WANTED_PAUSED: "is to pause; calls in flight may end",
    ev.RUN_WANTED_STOPPED: "is to stop; calls in flight may end",
}
_REACHED = {
    (ev.RUN_WANTED_GO_ON, ev.RUN_STATUS_RUNNING): "goes on",
    (ev.RUN_WANTED_PAUSED, ev.RUN_STATUS_PAUSED): "is paused; `genlevel tune {run} --resume` lets it go on",
    (ev.RUN_WANTED_STOPPED, ev.RUN_STATUS_INTERRUPTED): "is stopped; `genlevel resume {run}` continues it",
}


@click.command("tune")
@click.argument("run")
@click.option(
    "--pause", "wanted", flag_value=ev.RUN_WANTED_PAUSED, type=int, help="Ask nothing further until it is resumed; it stays paused."
)
@click.option("--resume", "wanted", flag_value=ev.RUN_WANTED_GO_ON, type=int, help="Go on: a service that serves the run continues it.")
@click.option(
    "--stop", "wanted", flag_value=ev.RUN_WANTED_STOPPED, type=int, help="Ask nothing further, and cancel its batches; it stays stopped."
)
@limit_options
@out_option
@json_option
@click.pass_context
def tune(ctx: click.Context, /, run: str, **options: Unpack[_Options]) -> None:
    """Pause, resume or stop RUN, or change its limits and budget: while it goes on, or for when it does.

    It is stored at once; whichever process works on the run follows within seconds. Limits are the account's: of several runs of one
    account, those hold that were given last. A run that its budget ended goes on with a higher one, if a service serves it.
    """
    settings, out, wanted = settings_of(ctx), options["out"], options["wanted"]
    traffic = limits_of(options)
    if wanted is None and not traffic.ListFields():
        raise click.UsageError("say what is to change: --pause, --resume, --stop, a limit, a budget, --weight or --interactive")
    need_run_folder(settings, out)

    async def work() -> ev.UpdateRunResponse:
        request = ev.UpdateRunRequest(run_id=run, wanted=wanted, traffic=traffic)
        async with stored(settings, out) as found:
            told = await found.evaluator.update_run(request)
        batches = wanted == ev.RUN_WANTED_STOPPED and told.run.HasField("batches") and told.run.status != ev.RUN_STATUS_RUNNING
        if batches and (not settings.addresses.evaluator or await is_beside(settings, out, run)):
            return await _cancelled(settings, out, request)
        return told

    told = run_async(work())
    for problem in told.problems:
        note(problem)
    if options["as_json"]:
        print_json(tuned_document(told.run, traffic))
        return
    said = [f"run {told.run.run_id}"]
    if wanted is not None:
        said.append(_REACHED.get((wanted, told.run.status), _SAID[wanted]).format(run=told.run.run_id))
        if wanted == ev.RUN_WANTED_STOPPED and told.run.HasField("batches"):
            said.append("and its batches are cancelled; what they have answered is collected")
    else:
        said.append("goes on" if told.run.status == ev.RUN_STATUS_RUNNING or told.run.wanted == ev.RUN_WANTED_GO_ON else "does not go on")
    changed = ", ".join(_words(traffic))
    click.echo(" ".join(said) + (f", with {changed}" if changed else ""))


async def _cancelled(settings: Settings, out: Path, request: ev.UpdateRunRequest) -> ev.UpdateRunResponse:
    """Has the batches of a run that nobody works on cancelled at the provider, and what they brought collected."""
    from genlevel.cli.watching import watch

    async with services(settings, out, embedded=True) as found:
        told = await found.evaluator.update_run(request)
        if told.run.status == ev.RUN_STATUS_RUNNING:
            told.run.CopyFrom((await watch(found.evaluator, told.run, elsewhere=False)).run)
    return told


def _words(traffic: ev.TrafficSettings) -> list[str]:
    from genlevel.documents.words import money

    words = []
    if traffic.concurrency:
        words.append(f"{traffic.concurrency:,} call{'s' if traffic.concurrency > 1 else ''} in flight")
    if traffic.requests_per_minute:
        words.append(f"{traffic.requests_per_minute:,} requests a minute")
    if traffic.tokens_per_minute:
        words.append(f"{traffic.tokens_per_minute:,} tokens a minute")
    if traffic.HasField("budget_nano_usd"):
        words.append(f"a budget of {money(traffic.budget_nano_usd)}")
    if traffic.HasField("budget_tokens"):
        words.append(f"a budget of {traffic.budget_tokens:,} tokens")
    if traffic.weight:
        words.append(f"a weight of {traffic.weight}")
    if traffic.HasField("interactive"):
        words.append("its calls first" if traffic.interactive else "its calls in turn")
    return words
