"""Monitor, whose calls wait for their answers.

Made of async_monitors.py by scripts/make_client.py: change that.
"""

from __future__ import annotations

from genlevel.client.async_monitors import AsyncMonitor
from genlevel.client.portal import Portal
from genlevel.client.values.monitors import MonitorReport, MonitorState


class Monitor:
    """One monitor.

    Attributes:
        name: the monitor's.
        last: how it stood when it was last heard of; ``report`` asks again.
    """

    def __init__(self, inner: AsyncMonitor, portal: Portal) -> None:
        self._inner = inner
        self._portal = portal

    def __repr__(self) -> str:
        return repr(self._inner).replace("<Async", "<", 1)

    @property
    def name(self) -> str:
        """The monitor's name.

        Example:
            >>> monitor.name
            'nightly'
        """
        return self._inner.name

    @property
    def last(self) -> MonitorState:
        """How it stood when it was last heard of; asks nobody.

        Example:
            >>> monitor.last.model
            'my-model'
        """
        return self._inner.last

    def report(self, *, ticks: int = 20) -> MonitorReport:
        """How it stands now, with its groups, alarms and ticks.

        Args:
            ticks: the last so many.

        Example:
            >>> report = monitor.report()
            >>> report.state.open_alarms, report.alarms
            (0, ())
        """
        return self._portal.call(self._inner.report(ticks=ticks))

    def pause(self) -> MonitorState:
        """Begins no further tick until ``resume``; one that goes on comes to its end.

        Example:
            >>> monitor.pause().status
            <MonitorStatus.PAUSED: 'paused'>
        """
        return self._portal.call(self._inner.pause())

    def resume(self) -> MonitorState:
        """Goes on. Ticks that were due while it was paused are neither made up for nor counted as missed.

        Example:
            >>> monitor.resume().status == "paused"
            False
        """
        return self._portal.call(self._inner.resume())

    def run_now(self) -> int:
        """Asks for a tick as soon as no other one goes on; a service makes it. Returns its number, or that of the one that goes on.

        Example:
            >>> monitor.run_now()
            1
        """
        return self._portal.call(self._inner.run_now())

    def acknowledge(self, *alarms: str, note: str = "") -> tuple[str, ...]:
        """Acknowledges alarms: what they were raised by is watched from anew. Returns the ids of those that were.

        Args:
            alarms: their ids; none = all that are not acknowledged.
            note: why, for those who look later.

        Example:
            >>> monitor.acknowledge(note="a new version was meant to come")
            ()
        """
        return self._portal.call(self._inner.acknowledge(*alarms, note=note))
