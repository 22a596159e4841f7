"""What an alarm tells of its change: since when, how much, and in which tasks.

**Onset.** Of all ticks the one from which on the bets have won most. **Size.** The interval is the union over all plausible onsets s, from
which on the bets have won at most a factor of e^2 less, of an interval of the mean change of the ticks s..now that holds at every stopping
time (``intervals``), widened by what the baseline's mean may be off (``watch``). Its lower end is at least the tolerance, as the alarm
itself has shown that, at its share of alpha. If the true onset is among these, the interval misses the
true change with an error of 4 % (ticks: 1.5 % to either side; baseline: 0.5 %); the last hundredth is for onsets that were left out, which
is measured, not proven.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluator.monitors.core.betting import shared_cost
from evaluator.monitors.core.intervals import Sums, least_log_gains, mean_interval
from evaluator.monitors.core.signals import BY_NAME
from evaluator.monitors.core.ticks import TickSummary
from evaluator.monitors.core.watch import Check, Watch, tolerance_of

PLAUSIBLE = 2.0
"""How much less, in logarithms, the bets may have won from a plausible onset on."""
MISS = 0.015


@dataclass(frozen=True, slots=True)
class ChangedTask:
    """A task of the stream since the onset: instances compared, and their mean value at the baseline and now."""

    task: str
    instances: int
    before: float
    now: float


@dataclass(frozen=True, slots=True)
class Change:
    """onset: index of the tick since which it seems to be.

    estimate, low, high: the change in the check's direction (a fall of 10 points and a rise of 10 points are 0.1) and its 95 % interval;
    of a signal by rank it is the mean of sign(now - baseline). instances: compared since the onset. before, now: their mean values. tasks:
    worst first.
    """

    onset: int
    estimate: float
    low: float
    high: float
    instances: int
    before: float
    now: float
    tasks: tuple[ChangedTask, ...]


def explain(watch: Watch, check: Check, summaries: Sequence[TickSummary]) -> Change:
    """The change that an alarm of this check is about.

    summaries: of all ticks since the check began, the oldest first, those of outages among them. Raises ValueError if none says anything.
    """
    found = [
        (index, one.streams[check.stream][check.signal])
        for index, one in enumerate(summaries)
        if check.signal in one.streams.get(check.stream, {})
    ]
    if not found:
        raise ValueError(f"{check.key}: no tick says anything of it")
    sums = [Sums(one.changes.number, check.sign * one.changes.total, one.changes.squares) for _index, one in found]
    won = _won_since(check, sums)
    first = int(won.argmax())
    tolerance = tolerance_of(BY_NAME[check.signal], watch.rules)
    plausible = np.flatnonzero(won >= won[first] - PLAUSIBLE)
    ends = [mean_interval(sums[start:], check.day_sd, MISS) for start in plausible]
    reference = watch.references[check.stream][check.signal]
    # The baseline may be above the truth by "over": a rise is then larger, a fall smaller.
    under, over = (reference.under, reference.over) if check.sign > 0.0 else (reference.over, reference.under)
    since = [one for _index, one in found[first:]]
    instances = sum(one.changes.number for one in since)
    return Change(
        found[first][0],
        sum(one.total for one in sums[first:]) / instances,
        max(tolerance, min(low for low, _high in ends) - under),
        min(1.0, max(high for _low, high in ends) + over),
        instances,
        sum(one.before for one in since) / instances,
        sum(one.now for one in since) / instances,
        _tasks(watch, check, summaries[found[first][0] :]),
    )


def _won_since(check: Check, sums: Sequence[Sums]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """For each tick the logarithm of what the mean bet has won from it on, at least."""
    amounts = np.array(check.bets)
    gains = np.array([least_log_gains(one, check.margin, amounts) - shared_cost(one.number, amounts, check.day_sd) for one in sums])
    from_here = gains[::-1].cumsum(axis=0)[::-1]
    highest = from_here.max(axis=1)
    found: np.ndarray[tuple[int], np.dtype[np.float64]] = highest + np.log(np.exp(from_here - highest[:, None]).mean(axis=1))
    return found


def _tasks(watch: Watch, check: Check, summaries: Sequence[TickSummary]) -> tuple[ChangedTask, ...]:
    sums: dict[str, list[float]] = {}
    strata = watch.stream(check.stream).strata
    for summary in summaries:
        if check.stream not in summary.streams:
            continue
        for task, of in summary.tasks.items():
            if check.signal in of and watch.tasks[task] in strata:
                one, row = of[check.signal], sums.setdefault(task, [0.0, 0.0, 0.0])
                for index, value in enumerate((one.instances, one.before, one.now)):
                    row[index] += value
    found = [ChangedTask(task, int(count), before / count, now / count) for task, (count, before, now) in sums.items()]
    return tuple(sorted(found, key=lambda one: (-check.sign * (one.now - one.before) * one.instances, one.task)))
