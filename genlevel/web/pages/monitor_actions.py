"""What a person does with a monitor: pauses it, lets it go on, has it tick now, and acknowledges its alarms."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from genlevel.documents.words import harmless
from genlevel.runtime.errors import CallerRefused, NotFoundError, UsageError
from genlevel.v1 import monitor_pb2 as mo
from genlevel.web.page import Asked, Moved, Page
from genlevel.web.pages.monitors import address_of, monitor_view
from genlevel.web.reply import Reply

T = TypeVar("T")


async def pause(asked: Asked) -> Moved | Page:
    """Begins no further tick."""
    name = asked.path["name"]
    return await _done(asked, asked.services.monitors.pause_monitor(mo.PauseMonitorRequest(name=name, paused=True)))


async def resume(asked: Asked) -> Moved | Page:
    """Lets it tick again."""
    name = asked.path["name"]
    return await _done(asked, asked.services.monitors.pause_monitor(mo.PauseMonitorRequest(name=name, paused=False)))


async def run_now(asked: Asked) -> Moved | Page:
    """Asks for a tick as soon as no other one goes on."""
    return await _done(asked, asked.services.monitors.run_monitor(mo.RunMonitorRequest(name=asked.path["name"])))


async def acknowledge(asked: Asked) -> Moved | Page:
    """Acknowledges the alarms that are named, with a note: what they were raised by is watched from anew."""
    alarms, said = asked.many("alarm"), asked.one("note")
    if not alarms:
        raise UsageError("name the alarms that are to be acknowledged")
    request = mo.AcknowledgeAlarmsRequest(name=asked.path["name"], alarms=alarms, note=said)
    return await _done(asked, asked.services.monitors.acknowledge_alarms(request), form="acknowledge", note=said)


async def _done(asked: Asked, work: Awaitable[T], *, form: str = "do", **typed: str) -> Moved | Page:
    name = asked.path["name"]
    try:
        await work
    except CallerRefused:
        raise
    except UsageError as error:
        if isinstance(error, NotFoundError) and form == "do":
            raise
        return await monitor_view(asked, name, Reply(form, {"": harmless(str(error))}, typed))
    return Moved(address_of(name))
