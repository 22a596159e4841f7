"""What a tick's answers say: the evidence of each check, and the sums that are kept of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from evaluator.monitors.core.betting import log_gains
from evaluator.monitors.core.intervals import TICK_MISS, Sums, mean_interval
from evaluator.monitors.core.readings import Pooled, Reading
from evaluator.monitors.core.signals import SCORE, SIGNALS, Signal
from evaluator.monitors.core.watch import Watch

OUTAGE = 0.5
"""More than this part of a tick's instances failed: an outage."""


class StreamTick(NamedTuple):
    """One signal of a stream in a tick.

    changes: of the instances that were compared, now less the baseline. before, now: the sums of their values.
    """

    changes: Sums
    before: float
    now: float


class TaskTick(NamedTuple):
    """One signal of a task in a tick: instances compared, and the sums of their values at the baseline and now."""

    instances: int
    before: float
    now: float


@dataclass(frozen=True, slots=True)
class TickSummary:
    """What is kept of a tick.

    asked: instances that have an outcome. failed: those without an answer. outage: so many that nothing was compared. streams: by name and
    signal; a stream is left out if a stratum of it is not complete. tasks: by key and signal. evidence: the logarithm of each check's as of
    this tick, by key. intervals: of the mean change of each stream's score (``change_interval``). Both are empty in one from before they
    were kept.
    """

    asked: int
    failed: int
    outage: bool
    streams: dict[str, dict[str, StreamTick]] = field(default_factory=dict)
    tasks: dict[str, dict[str, TaskTick]] = field(default_factory=dict)
    evidence: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observation:
    """gains: of each check that a tick moves, by key, the logarithm of the e-value of each bet."""

    summary: TickSummary
    gains: dict[str, tuple[float, ...]]


def observe(watch: Watch, pool: Sequence[Pooled], drawn: Sequence[int], readings: Mapping[tuple[str, str], Reading]) -> Observation:
    """What a tick says.

    drawn: which of the pool it asked, as ``draw_tick`` gave them. readings: its answers by (task, instance); those that have no outcome are
    not there. A failed answer is no wrong one: it is looked at as an error, and nowhere else.
    """
    members = [pool[index] for index in drawn]
    answered = [(one, readings[one.task, one.instance]) for one in members if (one.task, one.instance) in readings]
    failed = sum(reading.failed for _one, reading in answered)
    if failed > OUTAGE * len(members):
        return Observation(TickSummary(len(answered), failed, outage=True), {})
    wanted, found = Counter(one.stratum for one in members), Counter(one.stratum for one, _reading in answered)
    complete = {stratum for stratum in range(len(watch.allocation)) if wanted[stratum] == found[stratum]}
    rows = {signal.name: _by_stratum(signal, answered, watch) for signal in SIGNALS}
    streams: dict[str, dict[str, StreamTick]] = {}
    gains: dict[str, tuple[float, ...]] = {}
    for stream in watch.streams:
        if stream.strata <= complete:
            of = {name: [row for stratum in stream.strata for row in rows[name].get(stratum, ())] for name in watch.references[stream.name]}
            streams[stream.name] = {name: _summed(of[name]) for name in of if of[name]}
            gains |= _gains(watch, stream.name, of)
    return Observation(TickSummary(len(answered), failed, outage=False, streams=streams, tasks=_tasks(rows)), gains)


def change_interval(watch: Watch, stream: str, signal: str, tick: StreamTick) -> tuple[float, float]:
    """A 95 % interval of the pool's true mean change in this tick, now less the baseline, in -1..1; the baseline's error counted in."""
    low, high = mean_interval([tick.changes], 0.0, TICK_MISS)
    reference = watch.references[stream][signal]
    return max(-1.0, low - reference.under), min(1.0, high + reference.over)


def score_intervals(watch: Watch, streams: Mapping[str, Mapping[str, StreamTick]]) -> dict[str, tuple[float, float]]:
    """The same of the score of each stream that a tick has: to be kept, as it takes milliseconds."""
    return {name: change_interval(watch, name, SCORE.name, tick[SCORE.name]) for name, tick in streams.items() if SCORE.name in tick}


class _Row(NamedTuple):
    """An instance's value of a signal, at the baseline and now."""

    task: str
    change: float
    before: float
    now: float


def _by_stratum(signal: Signal, answered: Sequence[tuple[Pooled, Reading]], watch: Watch) -> dict[int, list[_Row]]:
    found: dict[int, list[_Row]] = {}
    for one, reading in answered:
        now = signal.value(reading)
        if signal.of_failures:
            rate = watch.failure_rates[one.stratum]
            baseline: tuple[float, ...] = () if rate is None else (rate,)
        else:
            baseline = signal.known(one.readings)
        if now is not None and baseline:
            before = math.fsum(baseline) / len(baseline)
            found.setdefault(one.stratum, []).append(_Row(one.task, signal.difference(now, baseline), before, float(now)))
    return found


def _summed(rows: Sequence[_Row]) -> StreamTick:
    changes = Sums(len(rows), math.fsum(row.change for row in rows), math.fsum(row.change**2 for row in rows))
    return StreamTick(changes, math.fsum(row.before for row in rows), math.fsum(row.now for row in rows))


def _gains(watch: Watch, stream: str, rows: Mapping[str, Sequence[_Row]]) -> dict[str, tuple[float, ...]]:
    found: dict[str, tuple[float, ...]] = {}
    for check in watch.checks:
        if check.stream == stream and rows[check.signal]:
            values = np.sort([check.sign * row.change for row in rows[check.signal]])
            found[check.key] = tuple(log_gains(values, check.margin, np.array(check.bets), check.day_sd).tolist())
    return found


def _tasks(rows: Mapping[str, Mapping[int, Sequence[_Row]]]) -> dict[str, dict[str, TaskTick]]:
    found: dict[str, dict[str, list[_Row]]] = {}
    for name, of in rows.items():
        for row in (row for stratum in sorted(of) for row in of[stratum]):
            found.setdefault(row.task, {}).setdefault(name, []).append(row)
    return {
        task: {
            name: TaskTick(len(members), math.fsum(row.before for row in members), math.fsum(row.now for row in members))
            for name, members in found[task].items()
        }
        for task in sorted(found)
    }
