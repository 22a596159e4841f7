"""What has gathered of each check over the ticks: a Shiryaev-Roberts e-detector, and when it is an alarm.

For a bet with e-values E_t: R_t = (R_(t-1) + 1) E_t from R_0 = 0, and M_t is the mean of R_t over bets. If nothing has changed, M_t - t
has no upward drift, so E M_T <= E T at every stopping time; the chance that M reaches horizon / share within the horizon is at most share.
A check that was acknowledged begins anew at 0; then the expected number of its false alarms in the horizon is at most share. Steps are
ticks; one that says nothing of a stream does not move its checks. Source: Shin, Ramdas and Rinaldo 2023, "E-detectors".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from evaluator.monitors.core.watch import Check, Watch


@dataclass(frozen=True, slots=True)
class State:
    """logs: of each check by key, the logarithm of R of each bet. ticks: how many moved it.

    A check that has not moved yet is in neither.
    """

    logs: dict[str, tuple[float, ...]] = field(default_factory=dict)
    ticks: dict[str, int] = field(default_factory=dict)


def advance(watch: Watch, state: State, gains: Mapping[str, Sequence[float]]) -> tuple[State, tuple[Check, ...]]:
    """The state after a tick, and the checks whose evidence has reached its threshold with it.

    state: State() before the first tick. gains: of ``observe``. A check that stays above its threshold is told each time; who hears it
    knows which are alarms already.
    """
    logs, ticks = dict(state.logs), dict(state.ticks)
    for key, row in gains.items():
        before = logs.get(key, (-math.inf,) * len(row))
        logs[key] = tuple(_log_plus_one(value) + gain for value, gain in zip(before, row, strict=True))
        ticks[key] = ticks.get(key, 0) + 1
    after = State(logs, ticks)
    return after, tuple(check for check in watch.checks if check.key in gains and _log_mean(logs[check.key]) >= check.log_threshold)


def reset(state: State, keys: Iterable[str]) -> State:
    """With these checks at their beginning."""
    gone = set(keys)
    logs = {key: row for key, row in state.logs.items() if key not in gone}
    return State(logs, {key: count for key, count in state.ticks.items() if key not in gone})


def log_evidence(state: State, key: str) -> float | None:
    """The natural logarithm of a check's M; None before its first tick."""
    row = state.logs.get(key)
    return None if row is None else _log_mean(row)


def told_evidence(watch: Watch, state: State) -> dict[str, float]:
    """The same of all checks that have moved, by key, as exactly as a person wants to see it."""
    found = {check.key: log_evidence(state, check.key) for check in watch.checks}
    return {key: round(value, 3) for key, value in found.items() if value is not None and math.isfinite(value)}


def _log_mean(row: Sequence[float]) -> float:
    highest = max(row)
    return highest + math.log(math.fsum(math.exp(value - highest) for value in row) / len(row))


def _log_plus_one(logarithm: float) -> float:
    """log(e^x + 1)."""
    return logarithm + math.log1p(math.exp(-logarithm)) if logarithm > 0.0 else math.log1p(math.exp(logarithm))
