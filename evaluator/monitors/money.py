"""What a monitor may spend a day: what its runs cost at most is counted, a run that goes on over midnight on either day for its part.

Amounts are nano-dollars. A cost that nobody can bound counts as all that the day had left. A clock that goes back begins no new day; if it
had been days ahead, what was spent meanwhile counts on the day that it is.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from evaluator.journal.monitor_records import MonitorRecord

_CLOCKS_DIFFER = timedelta(days=1)
"""A day that is further ahead is of a clock that was wrong."""


def on_day(record: MonitorRecord, day: str, cost: int) -> MonitorRecord:
    """The monitor on this day, as YYYY-MM-DD. cost: of the run that goes on, what it had cost when this day began."""
    if day > record.day:
        return replace(record, day=day, day_spent=0, before=cost)
    if date.fromisoformat(record.day) - date.fromisoformat(day) > _CLOCKS_DIFFER:
        return replace(record, day=day)
    return record


def left_today(record: MonitorRecord, daily: int) -> int:
    """What runs that are to begin may spend today."""
    return max(0, daily - record.day_spent)


def run_budget(record: MonitorRecord, daily: int) -> int:
    """The budget of the run that goes on, as a whole: what it had cost before today, and what is left of today."""
    return record.before + left_today(record, daily)


def begun(record: MonitorRecord) -> MonitorRecord:
    """A run begins: it has cost nothing before today."""
    return replace(record, before=0)


def ended(record: MonitorRecord, cost: int | None, daily: int | None) -> MonitorRecord:
    """A run has ended. cost: at most; None: not known. daily: the budget of a day, if there is one."""
    if cost is None:
        return replace(record, unknown=True, day_spent=max(record.day_spent, daily or 0), before=0)
    return replace(record, spent=record.spent + cost, day_spent=record.day_spent + max(0, cost - record.before), before=0)


def spent_today(record: MonitorRecord, day: str, cost: int) -> int:
    """What was spent on a day. cost: of the run that goes on; 0 = none does."""
    return 0 if day > record.day else record.day_spent + max(0, cost - record.before)
