"""What is watched in answers: a row each. To add a signal is to add a row.

Each signal gives an instance of a tick a number in -1..1: what it is now, less what it was at the baseline of the same instance. Shares and
scores are the difference from the mean over the baseline's repeats; what has no bounds (latency, length, cost) goes by rank, the mean over
repeats of 1 if now is larger by the signal's factor or more, -1 if it is smaller by as much, else 0: a change that nobody would mind is
none, however regular it is. It is 0 if nothing has changed, 1 if now is that much larger always.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from evaluator.monitors.core.readings import Reading


class Direction(StrEnum):
    DOWN = "down"
    UP = "up"


@dataclass(frozen=True, slots=True)
class Signal:
    """A row.

    called: what people call it. read: an answer's value; None takes no part. directions: which changes are looked for. tolerance: a change
    that is none, in 0..1; None: the monitor's own. day_sd: standard deviation of effects that a tick's answers share and that are no
    change, in 0..1. factor: read has no bounds, and goes by rank: how many times as large a value is that counts as larger; 0 = read is
    0..1. of_failures: a failed answer has a value, and the baseline is how often answers failed.
    """

    name: str
    called: str
    read: Callable[[Reading], float | None]
    directions: tuple[Direction, ...]
    tolerance: float | None
    day_sd: float
    factor: float = 0.0
    of_failures: bool = False

    @property
    def by_rank(self) -> bool:
        """Whether values have no bounds, and are compared by which is larger alone."""
        return self.factor > 0.0

    def value(self, reading: Reading) -> float | None:
        """An answer's value; None if it is not known, or a failed answer has none."""
        return None if reading.failed and not self.of_failures else self.read(reading)

    def known(self, readings: Sequence[Reading]) -> tuple[float, ...]:
        """The values that are known."""
        return tuple(value for value in map(self.value, readings) if value is not None)

    def difference(self, now: float, baseline: Sequence[float]) -> float:
        """-1..1: how much larger the value is now. baseline: at least one value."""
        if self.by_rank:
            return sum((now >= self.factor * then) - (then >= self.factor * now) for then in baseline) / len(baseline)
        return now - math.fsum(baseline) / len(baseline)


def _score(reading: Reading) -> float | None:
    if reading.score is not None and not 0.0 <= reading.score <= 1.0:
        raise ValueError(f"score: {reading.score} is not between 0 and 1")
    return reading.score


_BOTH = (Direction.DOWN, Direction.UP)
_UP = (Direction.UP,)

SCORE = Signal("score", "the score", _score, _BOTH, None, 0.01)
SIGNALS: tuple[Signal, ...] = (
    SCORE,
    Signal("refusals", "the share of refusals", lambda reading: float(reading.refused), _UP, 0.02, 0.01),
    Signal("unparsable", "the share of answers that cannot be read", lambda reading: float(reading.unparsable), _UP, 0.02, 0.01),
    Signal("errors", "the share of failed calls", lambda reading: float(reading.failed), _UP, 0.02, 0.01, of_failures=True),
    Signal("latency", "latency", lambda reading: reading.latency_s, _UP, 0.25, 0.1, factor=2.0),
    Signal("length", "the length of answers", lambda reading: reading.output_tokens, _BOTH, 0.1, 0.03, factor=1.25),
    Signal("cost", "the cost of an answer", lambda reading: reading.cost_nano_usd, _BOTH, 0.1, 0.03, factor=1.25),
)
BY_NAME = {signal.name: signal for signal in SIGNALS}
