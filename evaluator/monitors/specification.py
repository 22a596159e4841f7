"""What a monitor is told to do: its specification with all defaults filled in, or what is wrong with it in one line."""

from __future__ import annotations

import math
import re

from evaluator.monitors.schedule import Schedule
from genlevel.runtime.errors import UsageError
from genlevel.runtime.shown import quoted
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import monitor_pb2 as mo

SAMPLE, POOL, REPEATS = 200, 20, 5
TOLERANCE, PANEL_TOLERANCE = 1.0, 2.0
ALPHA = 0.05
HORIZON_S = 365 * 86_400
YEAR_S = 365 * 86_400
MOST_SAMPLE, MOST_POOL = 100_000, 1_000
MOST_REPEATS, PANEL_REPEATS = 1000, 5
LEAST_SAMPLE = 5

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_NOT_ASKED = ("limit", "seed", "repeats", "chosen", "occasion", "base_url", "api_key_env", "api", "suite_hash", "video_frames", "boxes")


def is_name(name: str) -> bool:
    """Whether a monitor can be called so."""
    return _NAME.fullmatch(name) is not None


def checked_name(name: str) -> str:
    """The name of a monitor. Raises UsageError for one that cannot be."""
    if not is_name(name):
        told = "take letters, digits, '-', '_' and '.', at most 64, a letter or digit first"
        raise UsageError(f"{quoted(name)} cannot name a monitor; {told}")
    return name


def settled(given: mo.MonitorSpecification) -> mo.MonitorSpecification:
    """The specification with its defaults in place of what was left out. Raises UsageError in one line for what cannot be."""
    found = mo.MonitorSpecification()
    found.CopyFrom(given)
    if named := [name for name in _NOT_ASKED if getattr(given.asked, name)]:
        raise UsageError(f"a monitor chooses its instances and calls configured routes: leave out {' and '.join(named)}")
    for name in ("model", "suite"):
        if not getattr(given.asked, name).strip():
            raise UsageError(f"a monitor needs a {name} (`genlevel {name}s` lists some)")
    found.sample = given.sample or SAMPLE
    found.pool = 1 if given.panel else given.pool or POOL
    found.baseline_repeats = 0 if given.baseline else given.baseline_repeats or REPEATS
    if not given.HasField("tolerance"):
        found.tolerance = PANEL_TOLERANCE if given.panel else TOLERANCE
    found.horizon_s = given.horizon_s or HORIZON_S
    found.alpha = given.alpha or ALPHA
    _check(given, found)
    Schedule.of(found.every, found.time_zone, 0.0)
    return found


def _check(given: mo.MonitorSpecification, found: mo.MonitorSpecification) -> None:
    if not LEAST_SAMPLE <= found.sample <= MOST_SAMPLE:
        raise UsageError(f"a sample of {found.sample:,} is not between {LEAST_SAMPLE} and {MOST_SAMPLE:,} instances")
    if found.pool > MOST_POOL:
        raise UsageError(f"a pool of {found.pool:,} times the sample is too large; take at most {MOST_POOL:,}")
    if given.panel and given.pool > 1:
        raise UsageError("a panel asks the same instances each time and has no pool; leave out the one or the other")
    if given.baseline and given.baseline_repeats:
        raise UsageError("a baseline that is there is not asked again; leave out baseline or baseline_repeats")
    if found.baseline_repeats > MOST_REPEATS:
        raise UsageError(f"{found.baseline_repeats:,} repeats of the baseline are too many; take at most {MOST_REPEATS:,}")
    if given.panel and not given.baseline and found.baseline_repeats < PANEL_REPEATS:
        raise UsageError(f"a panel needs a baseline of at least {PANEL_REPEATS} repeats: its error does not average out")
    if not 0.0 <= found.tolerance <= 50.0:
        raise UsageError(f"a tolerance of {found.tolerance:g} points is not between 0 and 50")
    if not (math.isfinite(found.alpha) and 1e-6 <= found.alpha <= 0.5):
        raise UsageError(f"alpha is {found.alpha:g}, and must be between 0.000001 and 0.5")
    if not 3600 <= found.horizon_s <= 100 * YEAR_S:
        raise UsageError("a horizon is between an hour and 100 years")
    if found.HasField("budget_nano_usd") and found.budget_nano_usd <= 0:
        raise UsageError("a monitor's budget of a day must be above 0")


def schedule_of(specification: mo.MonitorSpecification, anchor: float) -> Schedule:
    """When its ticks are due."""
    return Schedule.of(specification.every, specification.time_zone, anchor)


def daily_budget(specification: mo.MonitorSpecification) -> int | None:
    """What it may spend a day, in nano-dollars; None: there is no limit."""
    return specification.budget_nano_usd if specification.HasField("budget_nano_usd") else None


def traffic_of(specification: mo.MonitorSpecification, budget: int | None) -> ev.TrafficSettings:
    """How its runs go: behind those for which somebody waits. budget: of the run, as a whole."""
    return ev.TrafficSettings(budget_nano_usd=budget, unpriced_ok=specification.unpriced_ok, interactive=False)


def asks_the_same(one: mo.MonitorSpecification, other: mo.MonitorSpecification) -> bool:
    """Whether a baseline of the one serves the other."""
    fields = ("asked", "sample", "pool", "panel", "baseline", "baseline_repeats")
    return all(getattr(one, name) == getattr(other, name) for name in fields)
