"""Limits that are stated: so many units (requests, tokens) in any minute."""

from __future__ import annotations


class Bucket:
    """At most ``per_minute`` units in any 60 seconds, spread evenly with a small burst.

    burst_s: how much may go at once, in seconds' worth; least: that is at least so many units.
    A burst of c units and a refill of (per_minute - c + 1) / 60 a second admit at most per_minute units in any minute.
    A single cost above c is admitted when the bucket is full and leaves a debt. per_minute 0 = no limit.
    """

    def __init__(self, per_minute: int, burst_s: float, now: float, *, least: float = 1.0) -> None:
        self._burst_s, self._least = burst_s, least
        self._set(per_minute)
        self._level = self.capacity
        self._at = now

    def _set(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self.capacity = min(float(per_minute), max(self._least, per_minute * self._burst_s / 60.0))
        self.rate = (per_minute - self.capacity + 1.0) / 60.0

    def retune(self, per_minute: int, now: float) -> None:
        """Admits so many from now on. What was taken stays taken; a bucket that had no limit begins empty, as nobody has counted before."""
        if self.per_minute:
            self._refill(now)
        else:
            self._level, self._at = 0.0, now
        self._set(per_minute)

    def delay(self, cost: float, now: float) -> float:
        """Seconds until ``cost`` units may be taken; 0 = now."""
        if not self.per_minute:
            return 0.0
        self._refill(now)
        missing = min(cost, self.capacity) - self._level
        return missing / self.rate if missing > 1e-9 else 0.0

    def take(self, cost: float, now: float) -> None:
        """Takes ``cost`` units, whether they are there or not."""
        if self.per_minute:
            self._refill(now)
            self._level -= cost

    def give_back(self, units: float, now: float) -> None:
        """Returns units that were taken and not used (negative: takes what was used beyond the estimate)."""
        if self.per_minute:
            self._refill(now)
            self._level = min(self.capacity, self._level + units)

    def _refill(self, now: float) -> None:
        self._level = min(self.capacity, self._level + (now - self._at) * self.rate)
        self._at = now
