"""``genlevel monitor run-now``: a tick at once, and with --wait what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli import EXIT_ALARM, EXIT_INCOMPLETE
from genlevel.cli.options import json_option, out_option, print_json, run_async, settings_of
from genlevel.client.following import patiently
from genlevel.connection.monitors import MonitorsPort, monitors, need_monitor_folder
from genlevel.documents.words import harmless

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document
    from genlevel.v1 import monitor_pb2 as mo

LOOK_S = 1.0
"""Seconds between two looks at a tick."""
_TICKS = 20

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Ticked:
    """What came of asking for a tick. number: 0 = there was none. tick: None = it was not waited for, or has no end. found: how the monitor
    stands then."""

    number: int
    tick: mo.MonitorTick | None
    found: mo.GetMonitorResponse

    @property
    def open_alarms(self) -> list[mo.MonitorAlarm]:
        """The alarms that nobody has acknowledged."""
        return [alarm for alarm in self.found.alarms if not alarm.HasField("acknowledged")]


@click.command("run-now", short_help="Tick at once.")
@click.argument("name")
@click.option("--wait", is_flag=True, help="Stay until the tick has ended, and say by the exit code what came of it.")
@out_option
@json_option
@click.pass_context
def run_now(ctx: click.Context, *, name: str, wait: bool, out: Path, as_json: bool) -> None:
    """Ask for a tick of monitor NAME as soon as no other one of it goes on.

    With --wait exit code 0: all is well; 1: the tick failed, or did not come to its end; 3: an alarm of the monitor is not acknowledged. A
    baseline that is not there yet is waited for, too. Without configured services this command asks it all itself, if it waits.
    """
    settings = settings_of(ctx)
    need_monitor_folder(settings, out)
    elsewhere = bool(settings.addresses.evaluator)

    def say(text: str) -> None:
        click.echo(f"genlevel: {harmless(text)}", err=True)

    async def work() -> Ticked:
        async with monitors(settings, out, watches=wait) as found:
            return await (ticked(found, name, say=say, elsewhere=elsewhere) if wait else asked(found, name))

    found = run_async(work())
    if as_json:
        print_json(_document(name, found))
    elif wait:
        _print(name, found)
    else:
        where = "" if elsewhere else "; `genlevel up` asks it, or this command with --wait"
        click.echo(f"monitor {harmless(name)}: tick {found.number} is asked for{where}")
    if wait:
        ctx.exit(exit_code(found))


async def asked(port: MonitorsPort, name: str) -> Ticked:
    """Asks for a tick and does not wait for it. Raises GenlevelError."""
    from genlevel.v1 import monitor_pb2 as mo

    number = (await port.run_monitor(mo.RunMonitorRequest(name=name))).tick
    return Ticked(number, None, await port.get_monitor(mo.GetMonitorRequest(name=name)))


async def ticked(port: MonitorsPort, name: str, *, say: Callable[[str], None], elsewhere: bool, sleep: Sleep = asyncio.sleep) -> Ticked:
    """Asks for a tick, once the baseline is there, and waits for its end. Raises GenlevelError.

    say: told what is waited for, each time that it is something else. elsewhere: the evaluator may be away for a moment.
    """
    from genlevel.v1 import monitor_pb2 as mo

    request = mo.GetMonitorRequest(name=name, ticks=_TICKS)
    told = ""

    async def look() -> mo.GetMonitorResponse:
        return await patiently(lambda: port.get_monitor(request), elsewhere=elsewhere)

    def tell(what: str) -> None:
        nonlocal told
        if what != told:
            say(what)
        told = what

    found = await look()
    while found.monitor.state == mo.MONITOR_STATE_BASELINE:
        tell(f"monitor {name}: its baseline is asked first" + (f": {found.monitor.reason}" if found.monitor.reason else ""))
        await sleep(LOOK_S)
        found = await look()
    if found.monitor.state == mo.MONITOR_STATE_FAILED:
        return Ticked(0, None, found)
    number = (await patiently(lambda: port.run_monitor(mo.RunMonitorRequest(name=name)), elsewhere=elsewhere)).tick
    while True:
        found = await look()
        tick = next((one for one in found.ticks if one.number == number), None)
        if tick is not None and tick.outcome != mo.TICK_OUTCOME_OPEN:
            return Ticked(number, tick, found)
        if found.monitor.state == mo.MONITOR_STATE_FAILED:
            return Ticked(number, None, found)
        tell(f"monitor {name}: tick {number} goes on" + (f": {found.monitor.reason}" if found.monitor.reason else ""))
        await sleep(LOOK_S)


def exit_code(found: Ticked) -> int:
    """Of a tick that was waited for."""
    from genlevel.v1 import monitor_pb2 as mo

    if found.found.monitor.alarms:
        return EXIT_ALARM
    return 0 if found.tick is not None and found.tick.outcome == mo.TICK_OUTCOME_COMPLETE else EXIT_INCOMPLETE


def _document(name: str, found: Ticked) -> Document:
    from genlevel.documents.monitors import alarm_document, tick_document

    return {
        "monitor": name,
        "number": found.number or None,
        "tick": None if found.tick is None else tick_document(found.tick),
        "alarms": [alarm_document(alarm) for alarm in found.open_alarms],
    }


def _print(name: str, found: Ticked) -> None:
    from genlevel.cli.monitor_card import print_alarm, print_next_steps
    from genlevel.cli.printing import console

    out, document = console(), _document(name, found)
    if (tick := document["tick"]) is None:
        out.print(f"monitor {harmless(name)} has failed: {harmless(found.found.monitor.reason)}", soft_wrap=True)
    else:
        score = "" if tick["score"] is None else f", score {tick['score']:.2f}"
        drop = "" if tick["drop"] is None else f", {-tick['drop']:+.2f} points from the baseline"
        why = f" ({harmless(tick['reason'])})" if tick["reason"] else ""
        out.print(f"monitor {harmless(name)}: tick {tick['number']} {tick['outcome']}{why}{score}{drop}; run {tick['run']}", soft_wrap=True)
    for alarm in document["alarms"]:
        print_alarm(out, alarm)
    if document["alarms"]:
        print_next_steps(out, name, found.found.monitor.baseline_run, document["alarms"])
