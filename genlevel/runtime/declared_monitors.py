"""Monitors that stand in genlevel.yaml: what cannot be, and each as the message that a monitor is added by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from genlevel.runtime.errors import UsageError
from genlevel.runtime.periods import seconds_of

if TYPE_CHECKING:
    from genlevel.runtime.watching_settings import Monitor
    from genlevel.v1 import monitor_pb2 as mo

_NANO = 1_000_000_000
_CRON_FIELDS = 5
LEAST_HORIZON_S, MOST_HORIZON_S = 3600, 36_500 * 86_400


def contradictions(monitor: Monitor) -> Iterator[tuple[str, str]]:
    """(field, what is wrong and what to do) of what each value alone allows and the monitor does not."""
    for field in ("model", "suite"):
        if not getattr(monitor, field).strip():
            yield field, f"is empty; give a name (`genlevel {field}s` lists some)"
    if len(monitor.every.split()) != _CRON_FIELDS and (said := _no_period(monitor.every)):
        yield "every", f"{said}; or give five cron fields such as '0 6 * * *'"
    if said := _no_period(monitor.horizon):
        yield "horizon", said
    elif not LEAST_HORIZON_S <= seconds_of(monitor.horizon) <= MOST_HORIZON_S:
        yield "horizon", "must be between an hour and 100 years, such as 365d"
    if monitor.panel and monitor.pool is not None:
        yield "pool", "goes without panel, which asks the same instances each time; keep one of them"
    if monitor.baseline and monitor.baseline_repeats is not None:
        yield "baseline_repeats", "goes without baseline, which is a run that is there; keep one of them"


def _no_period(text: str) -> str:
    try:
        seconds_of(text)
    except UsageError as error:
        return str(error)
    return ""


def specification_of(monitor: Monitor) -> mo.MonitorSpecification:
    """The monitor as a message; what the file leaves out is not set. It has no contradictions."""
    from genlevel.v1 import evaluator_pb2 as ev
    from genlevel.v1 import monitor_pb2 as mo

    budget = monitor.budget_usd_per_day
    return mo.MonitorSpecification(
        asked=ev.RunSpecification(model=monitor.model, suite=monitor.suite, tasks=monitor.tasks),
        every=monitor.every,
        time_zone=monitor.time_zone,
        sample=monitor.sample,
        pool=monitor.pool or 0,
        budget_nano_usd=None if budget is None else int(budget * _NANO),
        baseline=monitor.baseline,
        baseline_repeats=monitor.baseline_repeats or 0,
        panel=monitor.panel,
        tolerance=monitor.tolerance,
        horizon_s=seconds_of(monitor.horizon),
        alpha=monitor.alpha,
        destinations=monitor.destinations,
        unpriced_ok=monitor.unpriced_ok,
    )
