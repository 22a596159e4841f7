"""``genlevel monitor``: deployed models that are asked again and again, and the alarms that tell if they have changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from genlevel.cli import EXIT_INCOMPLETE
from genlevel.cli.monitor_add import add
from genlevel.cli.monitor_run import run_now
from genlevel.cli.options import WHOLE_NUMBER, json_option, out_option, print_json, run_async, settings_of
from genlevel.cli.printing import note
from genlevel.connection.monitors import MonitorsPort, monitors, need_monitor_folder
from genlevel.documents.words import harmless

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

T = TypeVar("T")


@click.group("monitor")
def monitor() -> None:
    """Watch deployed models: ask them at times that are set, and raise an alarm if they have changed.

    A monitor lives where its runs do: at the configured evaluator, or in a folder (--out), where `genlevel up` goes on with it.
    """


def _asked(ctx: click.Context, out: Path, ask: Callable[[MonitorsPort], Awaitable[T]]) -> T:
    """What the services, or an evaluator over the folder, say."""
    settings = settings_of(ctx)
    need_monitor_folder(settings, out)

    async def work() -> T:
        async with monitors(settings, out) as found:
            return await ask(found)

    return run_async(work())


@monitor.command("list", short_help="List monitors.")
@out_option
@json_option
@click.pass_context
def list_all(ctx: click.Context, out: Path, as_json: bool) -> None:
    """List monitors: how each stands, when it ticks, its alarms, and what it has spent today."""
    from genlevel.documents.monitors import monitor_document
    from genlevel.v1 import monitor_pb2 as mo

    found = _asked(ctx, out, lambda port: port.list_monitors(mo.ListMonitorsRequest())).monitors
    documents = [monitor_document(one) for one in found]
    if as_json:
        print_json(documents)
    elif documents:
        from genlevel.cli.monitor_card import print_monitors

        print_monitors(documents)
    else:
        click.echo("no monitors yet; add one with `genlevel monitor add`")


@monitor.command("show", short_help="Show how a monitor stands: alarms, evidence, ticks, money.")
@click.argument("name")
@click.option("--ticks", type=WHOLE_NUMBER, default=20, show_default=True, help="The last so many ticks and events.")
@out_option
@json_option
@click.pass_context
def show(ctx: click.Context, *, name: str, ticks: int, out: Path, as_json: bool) -> None:
    """Show monitor NAME: its alarms with answers before and after, how much evidence of a change there is, its last ticks and its cost."""
    from genlevel.documents.monitors import watched_document
    from genlevel.v1 import monitor_pb2 as mo

    document = watched_document(_asked(ctx, out, lambda port: port.get_monitor(mo.GetMonitorRequest(name=name, ticks=ticks))))
    if as_json:
        print_json(document)
    else:
        from genlevel.cli.monitor_card import print_monitor

        print_monitor(document)


@monitor.command("pause", short_help="Begin no further tick.")
@click.argument("name")
@out_option
@json_option
@click.pass_context
def pause(ctx: click.Context, name: str, out: Path, as_json: bool) -> None:
    """Begin no further tick of monitor NAME until `resume`; one that goes on comes to its end."""
    _pause(ctx, name, out, paused=True, as_json=as_json)


@monitor.command("resume", short_help="Go on with a monitor that is paused.")
@click.argument("name")
@out_option
@json_option
@click.pass_context
def resume(ctx: click.Context, name: str, out: Path, as_json: bool) -> None:
    """Go on with monitor NAME. Ticks that were due while it was paused are neither made up for nor counted as missed."""
    _pause(ctx, name, out, paused=False, as_json=as_json)


def _pause(ctx: click.Context, name: str, out: Path, *, paused: bool, as_json: bool) -> None:
    from genlevel.documents.monitors import monitor_document
    from genlevel.v1 import monitor_pb2 as mo

    response = _asked(ctx, out, lambda port: port.pause_monitor(mo.PauseMonitorRequest(name=name, paused=paused)))
    _tell(monitor_document(response.monitor), "is paused" if paused else "goes on", as_json=as_json)


@monitor.command("acknowledge", short_help="Acknowledge alarms, and watch from anew.")
@click.argument("name")
@click.argument("alarms", nargs=-1, metavar="[ALARM]...")
@click.option("--note", "noted", default="", metavar="TEXT", help="Why, for those who look later.")
@out_option
@json_option
@click.pass_context
def acknowledge(ctx: click.Context, *, name: str, alarms: tuple[str, ...], noted: str, out: Path, as_json: bool) -> None:
    """Acknowledge the alarms of monitor NAME that are named by their ids, or all of them.

    What they were raised by is watched from anew, still against the same baseline: `rebase` compares with a new one.
    """
    from genlevel.documents.monitors import monitor_document
    from genlevel.v1 import monitor_pb2 as mo

    request = mo.AcknowledgeAlarmsRequest(name=name, alarms=alarms, note=noted)
    response = _asked(ctx, out, lambda port: port.acknowledge_alarms(request))
    done = list(response.acknowledged)
    said = f"acknowledged: {', '.join(done)}" if done else "there was no alarm to acknowledge"
    _tell({**monitor_document(response.monitor), "acknowledged": done}, said, as_json=as_json)


@monitor.command("rebase", short_help="Compare with a new baseline from now on.")
@click.argument("name")
@click.option("--baseline", default="", metavar="RUN", help="A finished run that is the new baseline (default: a new one is asked).")
@click.option("--repeats", type=click.IntRange(1, 1000), help="How often the new baseline asks each instance (default: as before).")
@out_option
@json_option
@click.pass_context
def rebase(ctx: click.Context, *, name: str, baseline: str, repeats: int | None, out: Path, as_json: bool) -> None:
    """Compare monitor NAME with a new baseline from now on, such as after a change that was meant. Acknowledges all of its alarms."""
    from genlevel.documents.monitors import monitor_document
    from genlevel.v1 import monitor_pb2 as mo

    if baseline and repeats:
        raise click.UsageError("--repeats goes without --baseline, which is a run that is there")
    request = mo.RebaseMonitorRequest(name=name, baseline=baseline, baseline_repeats=repeats or 0)
    response = _asked(ctx, out, lambda port: port.rebase_monitor(request))
    for problem in response.problems:
        note(harmless(problem))
    _tell(monitor_document(response.monitor), f"is compared with {baseline or 'a new baseline'} from now on", as_json=as_json)


@monitor.command("remove", short_help="Remove a monitor; the runs of its ticks stay.")
@click.argument("name")
@out_option
@json_option
@click.pass_context
def remove(ctx: click.Context, name: str, out: Path, as_json: bool) -> None:
    """Remove monitor NAME with its alarms. The runs of its ticks stay (`genlevel runs --ticks`)."""
    from genlevel.v1 import monitor_pb2 as mo

    _asked(ctx, out, lambda port: port.remove_monitor(mo.RemoveMonitorRequest(name=name)))
    _tell({"monitor": name, "removed": True}, "is removed", as_json=as_json)


@monitor.command("test-alarm", short_help="Send a test alarm to destinations.")
@click.argument("name", default="")
@click.option("--destination", default="", metavar="NAME", help="Only this destination of the evaluator's genlevel.yaml.")
@out_option
@json_option
@click.pass_context
def test_alarm(ctx: click.Context, *, name: str, destination: str, out: Path, as_json: bool) -> None:
    """Send an alarm that is marked as a test to the destinations of monitor NAME, or to one, and say what they said.

    Exit code 0: all took it; 1: one did not.
    """
    from genlevel.v1 import monitor_pb2 as mo

    if not name and not destination:
        raise click.UsageError("name a monitor, or a destination with --destination")
    settings = settings_of(ctx)

    async def work() -> mo.TestAlarmResponse:
        async with monitors(settings, out) as found:
            return await found.test_alarm(mo.TestAlarmRequest(name=name, destination=destination))

    tested = run_async(work()).destinations
    if as_json:
        print_json([{"destination": one.destination, "problem": one.problem or None} for one in tested])
    else:
        for one in tested:
            click.echo(f"{harmless(one.destination)}: {harmless(one.problem) or 'took it'}")
    if any(one.problem for one in tested):
        ctx.exit(EXIT_INCOMPLETE)


def _tell(document: Document, said: str, *, as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        click.echo(f"monitor {harmless(document['monitor'])}: {harmless(said)}")


monitor.add_command(add)
monitor.add_command(run_now)
