"""Tells an account that turns away a large part of its calls, however slowly they are sent, from one whose limit is low.

A server that is shared, and full, may turn away every third call. Then each pace is too high, and calls would end at a standstill. Where a
limit turned away that part, nothing would be turned away at a small fraction of what was admitted: if as large a part still is, it is
chance. Only so far below is that said: an account's other processes may for a while take what one of them leaves.
"""

from __future__ import annotations

_HIGH, _LOW, _LOWEST = 0.5, 0.15, 0.075
"""Paces that are compared: above the first part of the highest one, and below the second part of what was admitted there. Below the third
nothing goes any slower while it is not known what is so."""
_LEAST_PART, _MOST_PART = 0.1, 0.6
_LEAST_REFUSED, _SHOWN = 4.0, 6.0
"""Calls that were turned away at the high paces and at the low ones, before that is judged."""
_AS_MANY, _NO_MORE = 0.6, 1.8


class Standstill:
    """What is turned away at high paces, and at those far below. Pure."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._high = 0.0
        self._sent = [0.0, 0.0]  # at high paces, at low ones
        self._refused = [0.0, 0.0]

    def sent(self, rate: float) -> None:
        """A call is sent at this pace."""
        self._high = max(self._high, rate)
        self._count(self._sent, rate)

    def refused(self, rate: float) -> None:
        """A call was turned away at this pace."""
        self._count(self._refused, rate)

    def part(self) -> float:
        """The part of all calls that is turned away by chance; 0: that is not shown."""
        (high, low), (refused, found) = self._sent, self._refused
        if min(high, low) < 1.0 or refused < _LEAST_REFUSED:
            return 0.0
        expected = low * refused / high
        if max(found, expected) < _SHOWN:
            return 0.0
        part = (refused + found) / (high + low)
        if found < _AS_MANY * expected:  # fewer are turned away: that may be luck, and is counted again
            self._sent[1] = self._refused[1] = 0.0
            return 0.0
        is_chance = found <= _NO_MORE * expected and _LEAST_PART <= part <= _MOST_PART
        self._begin()
        return part if is_chance else 0.0

    def is_undecided(self, rate: float) -> bool:
        """Whether this pace is low enough, as far as the part at the high ones is known."""
        return self._refused[0] >= max(_LEAST_REFUSED, _LEAST_PART * self._sent[0]) and rate < _LOWEST * self._admitted

    @property
    def _admitted(self) -> float:
        """What was admitted at the highest pace."""
        return self._high * (1.0 - self._refused[0] / (self._sent[0] + 1.0))

    def _count(self, counts: list[float], rate: float) -> None:
        if rate >= _HIGH * self._high:
            counts[0] += 1.0
        elif rate < _LOW * self._admitted:
            counts[1] += 1.0
