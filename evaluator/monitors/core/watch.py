"""What is fixed when a monitor has its baseline, until it has a new one: its streams, checks, margins, bets and thresholds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

import numpy as np

from evaluator.monitors.core import bounds
from evaluator.monitors.core.betting import bets
from evaluator.monitors.core.bounds import Measured
from evaluator.monitors.core.readings import Pooled
from evaluator.monitors.core.shares import FALL, RISE, Asked, Rules, Share, shares_of
from evaluator.monitors.core.signals import BY_NAME, SIGNALS, Direction, Signal
from evaluator.monitors.core.streams import Stream

BASELINE_MISS = 0.005
"""Error, to either side, of the baseline's part of a 95 % interval."""


class ChangeKind(StrEnum):
    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    DRIFT = "drift"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked for in one stream.

    share: of alpha, in 0..1. margin: tolerance and the bound of the baseline's error; a mean change of at most this is none. bets: falling.
    day_sd: standard deviation of effects that a tick's answers share and that are no change. log_threshold: natural logarithm of the
    evidence at which it is an alarm.
    """

    stream: str
    signal: str
    direction: Direction
    share: float
    margin: float
    bets: tuple[float, ...]
    day_sd: float
    log_threshold: float

    @property
    def key(self) -> str:
        """Its name within the monitor."""
        return f"{self.signal}:{self.direction}:{self.stream}"

    @property
    def sign(self) -> float:
        """What turns a change upwards into one in the direction that is looked for."""
        return 1.0 if self.direction is Direction.UP else -1.0

    @property
    def kind(self) -> ChangeKind:
        asked = (self.signal, self.direction)
        return ChangeKind.REGRESSION if asked == FALL else ChangeKind.IMPROVEMENT if asked == RISE else ChangeKind.DRIFT


@dataclass(frozen=True, slots=True)
class Reference:
    """What the baseline measured of a stream's signal.

    mean: weighted as ticks draw; of a signal by rank the mean of its values. over (under): how far that may be above (below) the true one,
    each with an error of 0.5 %, in the unit of changes. instances: of the pool that have a value; of failures, calls.
    """

    mean: float
    over: float
    under: float
    instances: int


@dataclass(frozen=True, slots=True)
class Watch:
    """allocation: how many instances a tick draws of each stratum. tasks: the stratum of each task of the pool.

    failure_rates: of each stratum at the baseline; None: not known. references: by stream and signal.
    """

    rules: Rules
    streams: tuple[Stream, ...]
    allocation: tuple[int, ...]
    tasks: dict[str, int]
    failure_rates: tuple[float | None, ...]
    checks: tuple[Check, ...]
    references: dict[str, dict[str, Reference]]

    def check(self, key: str) -> Check:
        """The check of this name; KeyError if there is none."""
        return {check.key: check for check in self.checks}[key]

    def stream(self, name: str) -> Stream:
        """The stream of this name; KeyError if there is none."""
        return {stream.name: stream for stream in self.streams}[name]


def make_watch(
    rules: Rules, streams: Sequence[Stream], pool: Sequence[Pooled], allocation: Sequence[int], failures: Sequence[tuple[int, int]]
) -> Watch:
    """The watch of a baseline.

    streams: the whole first. allocation: draws a tick, by stratum. failures: (failed, asked) calls of the baseline, by stratum.
    A signal that the baseline has in no instance of a stratum is not watched in streams with it.
    Raises ValueError if the baseline has no score in one of the strata.
    """
    rates = tuple(failed / asked if asked else None for failed, asked in failures)
    baseline = {signal.name: _by_stratum(signal, pool, len(allocation)) for signal in SIGNALS if not signal.of_failures}
    if without := [stratum for stratum, members in enumerate(baseline["score"]) if not members]:
        raise ValueError(f"baseline: no answer has a score in stratum {', '.join(map(str, without))}; ask again, or choose other tasks")
    sizes = Counter(one.stratum for one in pool)
    chances = [count / sizes[stratum] for stratum, count in enumerate(allocation)]
    found: dict[str, dict[str, _Bounded]] = {}
    for stream in streams:
        weights = {stratum: allocation[stratum] / sum(allocation[one] for one in stream.strata) for stratum in sorted(stream.strata)}
        of = {name: _of_answers(BY_NAME[name], {one: chances[one] for one in weights}, members) for name, members in baseline.items()}
        of |= {signal.name: _of_failures(weights, failures) for signal in SIGNALS if signal.of_failures}
        found[stream.name] = {signal.name: bounded for signal in SIGNALS if (bounded := of[signal.name]) is not None}
    shares = shares_of({name: [asked for signal in of for asked in _asked(signal)] for name, of in found.items()})
    draws = {stream.name: sum(allocation[stratum] for stratum in stream.strata) for stream in streams}
    checks = [_check(rules, at, draws[at[0]], share, found[at[0]][at[1][0]]) for at, share in shares.items()]
    references = {name: {signal: bounded.reference() for signal, bounded in of.items()} for name, of in found.items()}
    return Watch(rules, tuple(streams), tuple(allocation), {one.task: one.stratum for one in pool}, rates, tuple(checks), references)


def tolerance_of(signal: Signal, rules: Rules) -> float:
    """The change of a signal that is none, in 0..1."""
    return rules.tolerance if signal.tolerance is None else signal.tolerance


@dataclass(frozen=True, slots=True)
class _Bounded:
    """A baseline's mean and how far it may be off. rate: of failures, with the largest weight of a call and how many there were."""

    signal: Signal
    measured: Measured | None
    rate: tuple[float, float, int] = (0.0, 0.0, 0)

    def excess(self, error: float, *, above: bool) -> float:
        if self.measured is None:
            return bounds.excess_of_rates(*self.rate[:2], error, above=above)
        if self.signal.by_rank:
            return bounds.excess_of_ranks(self.measured, error)
        return bounds.excess(self.measured, error, above=above)

    def reference(self) -> Reference:
        mean, instances = (self.rate[0], self.rate[2]) if self.measured is None else (self.measured.mean, len(self.measured.means))
        return Reference(mean, self.excess(BASELINE_MISS, above=False), self.excess(BASELINE_MISS, above=True), instances)


def _asked(signal: str) -> list[Asked]:
    return [(signal, direction) for direction in BY_NAME[signal].directions]


def _by_stratum(signal: Signal, pool: Sequence[Pooled], strata: int) -> list[list[tuple[float, ...]]]:
    found: list[list[tuple[float, ...]]] = [[] for _stratum in range(strata)]
    for one in pool:
        if known := signal.known(one.readings):
            found[one.stratum].append(known)
    return found


def _of_answers(signal: Signal, chances: Mapping[int, float], members: Sequence[Sequence[tuple[float, ...]]]) -> _Bounded | None:
    """chances: by stratum of the stream, of an instance to be drawn: its weight if it has a value, as others leave a tick's factor 1.

    members: of every stratum, what each instance of the pool with a value answered.
    """
    if any(not members[stratum] for stratum in chances):
        return None
    each = np.array([chances[stratum] for stratum in chances for _one in members[stratum]])
    means, counts, variances = _moments([known for stratum in chances for known in members[stratum]])
    return _Bounded(signal, Measured(each / math.fsum(each), means, counts, variances))


def _moments(values: Sequence[tuple[float, ...]]) -> tuple[bounds.Floats, bounds.Floats, bounds.Floats]:
    """(means, numbers, variances) of each instance's values; all of one number at once."""
    means, counts, variances = np.empty(len(values)), np.empty(len(values)), np.zeros(len(values))
    order = sorted(range(len(values)), key=lambda index: len(values[index]))
    for count, alike in groupby(order, key=lambda index: len(values[index])):
        rows = list(alike)
        table = np.array([values[index] for index in rows], dtype=np.float64)
        counts[rows], means[rows] = count, table.mean(axis=1)
        if count > 1:
            variances[rows] = table.var(axis=1, ddof=1)
    return means, counts, variances


def _of_failures(weights: Mapping[int, float], failures: Sequence[tuple[int, int]]) -> _Bounded | None:
    if any(not failures[stratum][1] for stratum in weights):
        return None
    rate = math.fsum(weight * failures[stratum][0] / failures[stratum][1] for stratum, weight in weights.items())
    steepest = max(weight / failures[stratum][1] for stratum, weight in weights.items())
    asked = sum(failures[stratum][1] for stratum in weights)
    return _Bounded(next(signal for signal in SIGNALS if signal.of_failures), None, (rate, steepest, asked))


def _check(rules: Rules, at: tuple[str, Asked], draws: int, share: Share, bounded: _Bounded) -> Check:
    stream, (name, direction) = at
    error, signal = float(rules.alpha * share.check), bounded.signal
    tolerance = tolerance_of(signal, rules)
    # A rise of the score now is a rise against the truth less what the baseline may lie below it; a fall the other way round.
    margin = tolerance + bounded.excess(float(rules.alpha * share.baseline), above=direction is Direction.UP)
    amounts = bets(draws, margin, signal.day_sd)
    return Check(stream, name, direction, error, margin, amounts, signal.day_sd, math.log(rules.horizon_ticks / error))
