"""What to expect of a monitor before it has a baseline: its false alarms a year, and how long a drop stays unseen.

By simulation with a fixed seed, at stated assumptions: the model scores 0.7 and answers are right or wrong; a stated share of them flips
each way between two askings (each instance is nearly always right or nearly always wrong); the baseline happens to measure the truth; ticks
share no effects. Margins, bets and thresholds are those that ``watch`` would fix for such a baseline.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from evaluator.monitors.core.betting import bets, shared_cost
from evaluator.monitors.core.bounds import Floats, Measured, excess
from evaluator.monitors.core.shares import FALL, Rules, shares_of
from evaluator.monitors.core.signals import SCORE, SIGNALS
from evaluator.monitors.core.streams import Stream

DROPS = (0.03, 0.05, 0.1, 0.2)
FLIPS = 0.05
"""Of answers, each way."""
LEVEL = 0.7
_RUNS = 400
_MOST_REPEATS = 20
"""Of a baseline as it is simulated: more make little difference, and take long."""
_ONE_BY_ONE = 200
"""Ticks that are drawn one by one; later ones in steps of a 200th of what has passed, as a year may have half a million."""


@dataclass(frozen=True, slots=True)
class Delay:
    """ticks: the median number from a drop to its alarm, by drop (0..1); None: not within a year. margin: the smallest drop that counts."""

    stream: str
    instances: int
    margin: float
    ticks: dict[float, int | None]


@dataclass(frozen=True, slots=True)
class Outlook:
    """false_alarms_a_year: the most that are to be expected, of all checks together. delays: of the whole, and of the smallest stream."""

    false_alarms_a_year: float
    delays: tuple[Delay, ...]


@dataclass(frozen=True, slots=True)
class Design:
    """allocation, pool: draws a tick and pooled instances, by stratum. repeats: of the baseline. streams: the whole first."""

    streams: tuple[Stream, ...]
    allocation: tuple[int, ...]
    pool: tuple[int, ...]
    repeats: int


def outlook(rules: Rules, design: Design, ticks_a_year: int) -> Outlook:
    """What to expect of a monitor with so many ticks a year."""
    smallest = min(design.streams, key=lambda stream: sum(design.allocation[stratum] for stratum in stream.strata))
    watched = dict.fromkeys((design.streams[0], smallest))
    return Outlook(
        rules.alpha * ticks_a_year / rules.horizon_ticks, tuple(_delay(rules, design, stream, ticks_a_year) for stream in watched)
    )


def _delay(rules: Rules, design: Design, stream: Stream, ticks_a_year: int) -> Delay:
    asked = [(signal.name, direction) for signal in SIGNALS for direction in signal.directions]
    share = shares_of({one.name: asked for one in design.streams})[stream.name, FALL]
    strata = sorted(stream.strata)
    draws = sum(design.allocation[stratum] for stratum in strata)
    weights = np.concatenate(
        [np.full(design.pool[stratum], design.allocation[stratum] / draws / design.pool[stratum]) for stratum in strata]
    )
    alike = np.ones_like(weights)
    measured = Measured(weights, LEVEL * alike, design.repeats * alike, FLIPS * alike)
    margin = rules.tolerance + excess(measured, float(rules.alpha * share.baseline), above=False)
    amounts = np.array(bets(draws, margin, SCORE.day_sd))
    wanted = rules.horizon_ticks / float(rules.alpha * share.check)
    values, chances = _changes(min(design.repeats, _MOST_REPEATS))
    logs = np.log1p(np.outer(amounts, -values - margin)) - (shared_cost(draws, amounts, SCORE.day_sd) / draws)[:, None]
    ticks = {
        drop: _median_delay(draws, (1.0 - drop / LEVEL) * chances[0] + drop / LEVEL * chances[1], logs, wanted, ticks_a_year)
        for drop in DROPS
    }
    return Delay(stream.name, draws, margin, ticks)


def _changes(repeats: int) -> tuple[Floats, Floats]:
    """The changes that an instance can have, and how likely each is: (2, V), as the model is and if all it said were wrong."""
    right = np.arange(repeats + 1)
    hard = (1.0 - math.sqrt(1.0 - 4.0 * FLIPS)) / 2.0
    easy = (LEVEL - hard) / (1.0 - 2.0 * hard)
    found: dict[float, list[float]] = {}
    for part, chance in ((easy, 1.0 - hard), (1.0 - easy, hard)):
        for count in right:
            baseline = part * math.comb(repeats, count) * chance**count * (1.0 - chance) ** (repeats - count)
            for now, likely, without in ((1, chance, 0.0), (0, 1.0 - chance, 1.0)):
                sums = found.setdefault(round(now - count / repeats, 9), [0.0, 0.0])
                sums[0] += baseline * likely
                sums[1] += baseline * without
    return np.array(list(found)), np.array(list(found.values())).T


def _median_delay(draws: int, chances: Floats, logs: Floats, wanted: float, most: int) -> int | None:
    """The tick at which half of the runs have an alarm, to half a per cent; None if they have not by the last one.

    chances: of each change. logs: (bets, changes) the logarithms of what one multiplies by, a part of what shared effects cost in each.
    """
    rng = np.random.default_rng(11)
    gathered, alarmed = np.zeros((_RUNS, len(logs))), np.zeros(_RUNS, dtype=bool)
    tick = 0
    while tick < most:
        step = min(max(1, tick // _ONE_BY_ONE), most - tick)
        counts = rng.multinomial(draws * step, chances, size=_RUNS)
        gathered = np.minimum((gathered + step) * np.exp(np.minimum(counts @ logs.T, 500.0)), 1e200)
        tick += step
        alarmed |= gathered.mean(axis=1) >= wanted
        if 2 * alarmed.sum() >= _RUNS:
            return tick
    return None
