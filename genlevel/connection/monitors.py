"""Where a command finds monitors: at the configured evaluator over gRPC, else in the folder, by an evaluator of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from genlevel.connection.services import nothing_stored
from genlevel.runtime.errors import UsageError

if TYPE_CHECKING:
    from genlevel.runtime.settings import Settings
    from genlevel.v1 import monitor_pb2 as mo

MONITOR_TIMEOUTS_S = {"PlanMonitor": 600.0, "AddMonitor": 600.0, "RebaseMonitor": 600.0, "TestAlarm": 120.0}
"""Seconds, by the name of the RPC, of those that take long."""
_SENT_S = 30.0


class MonitorsPort(Protocol):
    """Monitors as a command sees them, in this process or far away. Methods raise GenlevelError."""

    async def plan_monitor(self, request: mo.PlanMonitorRequest) -> mo.PlanMonitorResponse: ...
    async def add_monitor(self, request: mo.AddMonitorRequest) -> mo.AddMonitorResponse: ...
    async def list_monitors(self, request: mo.ListMonitorsRequest) -> mo.ListMonitorsResponse: ...
    async def get_monitor(self, request: mo.GetMonitorRequest) -> mo.GetMonitorResponse: ...
    async def pause_monitor(self, request: mo.PauseMonitorRequest) -> mo.PauseMonitorResponse: ...
    async def run_monitor(self, request: mo.RunMonitorRequest) -> mo.RunMonitorResponse: ...
    async def acknowledge_alarms(self, request: mo.AcknowledgeAlarmsRequest) -> mo.AcknowledgeAlarmsResponse: ...
    async def rebase_monitor(self, request: mo.RebaseMonitorRequest) -> mo.RebaseMonitorResponse: ...
    async def remove_monitor(self, request: mo.RemoveMonitorRequest) -> mo.RemoveMonitorResponse: ...
    async def test_alarm(self, request: mo.TestAlarmRequest) -> mo.TestAlarmResponse: ...


@asynccontextmanager
async def monitors(settings: Settings, folder: Path, *, watches: bool = False) -> AsyncIterator[MonitorsPort]:
    """The monitors of the configured evaluator, or those in a folder.

    watches: an evaluator of this command's own asks what is due, and sends alarms, until the command ends; else what is wanted is stored.
    """
    if settings.addresses.evaluator:
        async with _configured(settings) as found:
            yield found
        return
    from genlevel.embedded import embedded_services

    async with embedded_services(settings, folder) as local:
        if not watches:
            yield local.evaluator.monitors
            return
        local.evaluator.watching.begin()
        yield local.evaluator.monitors
        await local.evaluator.watching.send(_SENT_S)


@asynccontextmanager
async def _configured(settings: Settings) -> AsyncIterator[MonitorsPort]:
    from genlevel.runtime.remote import Remote
    from genlevel.runtime.rpc import connect
    from genlevel.v1 import monitor_pb2 as mo

    address, service = settings.addresses.evaluator, mo.DESCRIPTOR.services_by_name["MonitorService"]
    remote = Remote(connect(address, settings.addresses), service, name="evaluator", address=address, timeouts_s=MONITOR_TIMEOUTS_S)
    try:
        yield cast(MonitorsPort, remote)
    finally:
        await remote.close()


def need_monitor_folder(settings: Settings, folder: Path) -> None:
    """Raises UsageError if nothing was ever stored there; looking for a monitor would only make an empty database."""
    if nothing_stored(settings, folder):
        raise UsageError(f"no monitors in {folder}; add one with `genlevel monitor add`, or name the folder of earlier ones with --out")
