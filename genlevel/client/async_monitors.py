"""One deployed model that is watched. ``Monitor`` is made of it (scripts/make_client.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlevel.client.asking import check
from genlevel.client.values.monitors import MonitorReport, MonitorState, monitor_state, report_of

if TYPE_CHECKING:
    from genlevel.client.reaching import Connection
    from genlevel.v1 import monitor_pb2 as mo


class AsyncMonitor:
    """One monitor.

    Attributes:
        name: the monitor's.
        last: how it stood when it was last heard of; ``report`` asks again.
    """

    def __init__(self, connection: Connection, monitor: mo.Monitor) -> None:
        self._connection = connection
        self._monitor = monitor

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {self.last.model}, {self.last.status}, {self.last.open_alarms} open alarms>"

    @property
    def name(self) -> str:
        """The monitor's name.

        Example:
            >>> monitor.name
            'nightly'
        """
        return self._monitor.name

    @property
    def last(self) -> MonitorState:
        """How it stood when it was last heard of; asks nobody.

        Example:
            >>> monitor.last.model
            'my-model'
        """
        return monitor_state(self._monitor)

    async def report(self, *, ticks: int = 20) -> MonitorReport:
        """How it stands now, with its groups, alarms and ticks.

        Args:
            ticks: the last so many.

        Example:
            >>> report = await monitor.report()
            >>> report.state.open_alarms, report.alarms
            (0, ())
        """
        from genlevel.v1 import monitor_pb2 as mo

        check("ticks", ticks)
        async with self._connection.using() as found:
            got = await found.monitors.get_monitor(mo.GetMonitorRequest(name=self.name, ticks=ticks))
        self._monitor = got.monitor
        return report_of(got)

    async def pause(self) -> MonitorState:
        """Begins no further tick until ``resume``; one that goes on comes to its end.

        Example:
            >>> (await monitor.pause()).status
            <MonitorStatus.PAUSED: 'paused'>
        """
        return await self._pause(paused=True)

    async def resume(self) -> MonitorState:
        """Goes on. Ticks that were due while it was paused are neither made up for nor counted as missed.

        Example:
            >>> (await monitor.resume()).status == "paused"
            False
        """
        return await self._pause(paused=False)

    async def run_now(self) -> int:
        """Asks for a tick as soon as no other one goes on; a service makes it. Returns its number, or that of the one that goes on.

        Example:
            >>> await monitor.run_now()
            1
        """
        from genlevel.v1 import monitor_pb2 as mo

        async with self._connection.using() as found:
            return (await found.monitors.run_monitor(mo.RunMonitorRequest(name=self.name))).tick

    async def acknowledge(self, *alarms: str, note: str = "") -> tuple[str, ...]:
        """Acknowledges alarms: what they were raised by is watched from anew. Returns the ids of those that were.

        Args:
            alarms: their ids; none = all that are not acknowledged.
            note: why, for those who look later.

        Example:
            >>> await monitor.acknowledge(note="a new version was meant to come")
            ()
        """
        from genlevel.v1 import monitor_pb2 as mo

        async with self._connection.using() as found:
            told = await found.monitors.acknowledge_alarms(mo.AcknowledgeAlarmsRequest(name=self.name, alarms=alarms, note=note))
        self._monitor = told.monitor
        return tuple(told.acknowledged)

    async def _pause(self, *, paused: bool) -> MonitorState:
        from genlevel.v1 import monitor_pb2 as mo

        async with self._connection.using() as found:
            told = await found.monitors.pause_monitor(mo.PauseMonitorRequest(name=self.name, paused=paused))
        self._monitor = told.monitor
        return self.last
