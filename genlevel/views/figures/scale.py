"""Where values stand on an axis, and the round numbers that are written at it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

_LARGEST = 1e300


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight axis. low < high: values at its ends; start, end: where these are, in user units."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Where a value is; one that is beyond an end is at the end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high

    def ticks(self, about: int = 5) -> tuple[float, ...]:
        """Round numbers from end to end, about so many.

        Example:
            >>> Scale(0.0, 23.0, 0.0, 100.0).ticks()
            (0.0, 5.0, 10.0, 15.0, 20.0)
        """
        step = _round_step((self.high - self.low) / max(1, about))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return tuple(number * step + 0.0 for number in range(first, min(last, first + 50) + 1))


def scale_over(values: Iterable[float | None], start: float, end: float, *, zero: bool = False, margin: float = 0.0) -> Scale:
    """An axis that all of these have room on; what is absent, NaN or infinite does not count.

    Args:
        zero: 0 has room on it, too.
        margin: a share of the range that is left free at both ends (but not below 0 or above it if the values begin or end there).
    """
    known = [min(max(value, -_LARGEST), _LARGEST) for value in values if value is not None and math.isfinite(value)]
    if zero or not known:
        known.append(0.0)
    low, high = min(known), max(known)
    if high - low <= max(abs(low), abs(high)) * 1e-9 or high - low < 1e-12:
        around = max(abs(low), abs(high)) * 0.1 or 1.0
        low, high = low - (0.0 if zero and low == 0.0 else around), high + (0.0 if zero and high == 0.0 and low < 0.0 else around)
    spare = margin * (high - low)
    return Scale(low - (0.0 if low == 0.0 else spare), high + (0.0 if high == 0.0 else spare), start, end)


def written(value: float) -> str:
    """A number at an axis: as short as it can be."""
    return f"{value:g}" if 1e-3 <= abs(value) < 1e6 or not value else f"{value:.3g}"


def _round_step(least: float) -> float:
    """1, 2 or 5 times a power of ten, at least so much."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= least * (1.0 - 1e-9))
