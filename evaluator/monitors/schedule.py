"""When ticks are due: every so many minutes, hours or days, or by a cron expression in a time zone.

Times are Unix seconds. How clocks change in summer and winter is cronsim's to know: what is due in an hour that there is not is due at its
end, and what is due in an hour that there is twice is due once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from genlevel.runtime.errors import UsageError
from genlevel.runtime.shown import quoted

MINUTE_S = 60
_UNITS = {"m": MINUTE_S, "h": 3600, "d": 86_400}
_INTERVAL = re.compile(r"\s*(\d{1,6})\s*([mhd])\s*")
_MOST_COUNTED = 150_000
_MOST_MISSED = 100_000


def zone_of(name: str) -> tzinfo:
    """The time zone of an IANA name; UTC for "". Raises UsageError for a name that there is not."""
    if not name or name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UsageError(f"no time zone is named {quoted(name)}; take an IANA name such as Europe/Berlin") from None


def day_of(at: float, zone: tzinfo) -> str:
    """The day at a time, as YYYY-MM-DD."""
    return datetime.fromtimestamp(at, zone).date().isoformat()


def day_began(at: float, zone: tzinfo) -> float:
    """When the day at a time began.

    >>> day_began(90_000.0, UTC)
    86400.0
    """
    return datetime.fromtimestamp(at, zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0).timestamp()


@dataclass(frozen=True, slots=True)
class Schedule:
    """When ticks are due. interval_s: seconds between two, counted from ``anchor``; 0 = by ``cron``, in ``zone``."""

    interval_s: int
    cron: str
    zone: tzinfo
    anchor: float

    @classmethod
    def of(cls, every: str, time_zone: str, anchor: float) -> Schedule:
        """What a person wrote. Raises UsageError in one line.

        >>> Schedule.of("6h", "", 0.0).following(3600.0)
        21600.0
        >>> Schedule.of("0 6 * * *", "UTC", 0.0).following(0.0)
        21600.0
        """
        zone = zone_of(time_zone)
        if (found := _INTERVAL.fullmatch(every)) is not None:
            interval_s = int(found[1]) * _UNITS[found[2]]
            if not interval_s:
                raise UsageError(f"a tick every {quoted(every)} is too often; take 1m or more")
            return cls(interval_s, "", zone, anchor)
        if len(every.split()) != 5:
            told = "write an interval such as 30m, 6h or 1d, or five cron fields such as '0 6 * * *'"
            raise UsageError(f"{quoted(every)} is no schedule; {told}")
        try:
            next(CronSim(every, datetime.fromtimestamp(0, zone)))
        except (CronSimError, StopIteration) as error:
            told = str(error) or "it never comes"
            raise UsageError(f"{quoted(every)} is no cron expression: {told[:1].lower()}{told[1:]}") from None
        return cls(0, every, zone, anchor)

    def following(self, after: float) -> float:
        """The first time at which a tick is due after this one."""
        if self.interval_s:
            return self.anchor + ((after - self.anchor) // self.interval_s + 1) * self.interval_s
        return next(self._from(after)).timestamp()

    def count(self, after: float, until: float) -> int:
        """How many ticks are due after the one time, up to the other; 100,000 at most."""
        if until <= after:
            return 0
        if self.interval_s:
            passed = (until - self.anchor) // self.interval_s - (after - self.anchor) // self.interval_s
            return min(_MOST_MISSED, int(passed))
        due = takewhile(lambda at: at.timestamp() <= until, self._from(after))
        return sum(1 for _ in islice(due, _MOST_MISSED))

    def ticks_in(self, seconds: float) -> int:
        """How many ticks are due within so long a time from the anchor on, at least 1; of very many an upper bound.

        >>> Schedule.of("6h", "", 0.0).ticks_in(365 * 86400)
        1460
        """
        if self.interval_s:
            return max(1, int(seconds // self.interval_s))
        end = self.anchor + seconds
        due = takewhile(lambda at: at.timestamp() <= end, self._from(self.anchor))
        found = sum(1 for _ in islice(due, _MOST_COUNTED))
        return max(1, found if found < _MOST_COUNTED else int(seconds // MINUTE_S))

    def _from(self, after: float) -> CronSim:
        return CronSim(self.cron, datetime.fromtimestamp(after, self.zone))
