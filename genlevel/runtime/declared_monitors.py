"""Monitors that stand in genlevel.yaml, and what cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from genlevel.runtime.errors import UsageError
from genlevel.runtime.periods import seconds_of

if TYPE_CHECKING:
    from genlevel.runtime.settings import Monitor

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
