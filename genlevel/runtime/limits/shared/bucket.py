"""One limit a minute of which this process has a part that changes every second, and ends."""

from __future__ import annotations

import math

from genlevel.runtime.limits.shared.rows import Rate, Wish

_MARGIN, _GROWTH = 1.25, 2.0
"""So much more than it used lately a process wants, to have some room; and if calls wait."""
_SOON_S = 0.25
"""As if what waits were to begin within this time."""
_FORGETS = 0.99


class SharedBucket:
    """As genlevel.runtime.limits.bucket.Bucket, for a part of the limit. Pure: times are seconds of this process's clock.

    stated: the limit a minute as this process knows it; 0: none, though another process may know of one.
    """

    def __init__(self, stated: float, now: float) -> None:
        self.stated = float(stated)
        self.unit = 1.0
        self._rate = Rate(0.0 if stated else math.inf, 0.0, 0.0, 0.0)
        self._until = now
        self._level = 0.0
        self._debt = 0.0  # told, and not confirmed
        self._at = self._asked_at = now
        self._taken = 0.0  # since it asked last
        self._need = 1.0  # of the largest call that waited since it asked last; at first there may be one

    @property
    def per_minute(self) -> float:
        """About what this process has of the limit; 0: there is none."""
        return 0.0 if self._rate.per_minute == math.inf else self._rate.part

    @property
    def is_limited(self) -> bool:
        """Whether the limit holds for this process."""
        return bool(self.stated) or self._rate.per_minute != math.inf

    def retune(self, per_minute: float, now: float) -> None:
        """This process knows of another limit from now on; how much of it is its own the next answer says."""
        self._refill(now)
        self.stated = float(per_minute)

    def delay(self, cost: float, now: float) -> float:
        """Seconds until ``cost`` units may be taken; 0 = now; inf: not before the slice is renewed."""
        if self._rate.per_minute == math.inf:
            return 0.0
        self._refill(now)
        missing = (min(cost, self._rate.most) if self._rate.per_minute else cost) - self._level
        if missing <= 1e-9:
            return 0.0
        self._need = max(self._need, cost)
        return missing / self._rate.per_minute * 60.0 if self._rate.per_minute else math.inf

    def take(self, cost: float, now: float) -> None:
        """Takes ``cost`` units, whether they are there or not."""
        self._taken += cost
        self.unit = max(cost, 1.0 + (self.unit - 1.0) * _FORGETS)
        if self._rate.per_minute != math.inf:
            self._refill(now)
            self._level -= cost

    def give_back(self, units: float, now: float) -> None:
        """Returns units that were taken and not used (negative: takes what was used beyond the estimate)."""
        self._taken -= units
        if self._rate.per_minute == math.inf:
            return
        self._refill(now)
        most = max(self._level, self._rate.most if self._rate.per_minute else math.inf)
        self._level = min(most, self._level + units)

    def ask(self, now: float, *, waiting: int, may_use: bool) -> Wish:
        """What it wants from now on. waiting: calls that wait here, for whatever. may_use: whether calls may begin at all.

        Who has no part of the flow gives back what it has not used; a debt it keeps until it was taken over.
        """
        self._refill(now)
        using = 0.0 if not may_use or (self.is_limited and now >= self._until) else self._rate.per_minute
        back = self._debt = 0.0
        if not using:
            back = self._level
            self._debt, self._level = min(0.0, back), min(0.0, back)
        used = max(0.0, self._taken) * 60.0 / max(0.25, now - self._asked_at)
        wanted = used * _MARGIN + (self.unit if used or waiting else 0.0)
        if self._need and waiting:
            wanted = used * _GROWTH + 60.0 / _SOON_S * self.unit * waiting
        wish = Wish(self.stated, wanted, self.unit, self._need if waiting else 0.0, using, back)
        self._asked_at, self._taken, self._need = now, 0.0, 0.0
        return wish

    def grant(self, rate: Rate, until: float, now: float) -> None:
        """Takes a renewed part that lasts until then."""
        self._refill(now)
        if rate.per_minute != math.inf:
            self._level -= self._debt
            if self._rate.per_minute:
                self._level = min(self._level, rate.most)
            self._level += rate.now
        self._rate, self._until, self._debt = rate, until, 0.0

    def _refill(self, now: float) -> None:
        rate = self._rate
        if rate.per_minute in (0.0, math.inf):
            self._at = now
        else:
            flowed = max(0.0, min(now, self._until) - self._at) * rate.per_minute / 60.0
            self._level = max(self._level, min(rate.most, self._level + flowed))
            self._at = max(self._at, now)
        if now >= self._until and self._level > 0.0 and self.is_limited:
            self._level = 0.0  # what was saved ends with the slice
