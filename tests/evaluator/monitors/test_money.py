"""What a monitor may spend a day is kept, whatever its runs cost, when they go over midnight, and what the clock does."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from evaluator.journal.monitor_records import MonitorRecord
from evaluator.monitors import money

RECORD = MonitorRecord("one", "0", "{}", declared=False, created=0.0)
DAILY = 1000
PIECES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2000), st.booleans()), max_size=40)
"""What happens: days that pass (0 to 3), what the run that goes on would like to spend, and whether it ends then."""


@given(PIECES)
def test_no_day_costs_more_than_its_budget(pieces: list[tuple[int, int, bool]]) -> None:
    record, cost, day, running, spent = RECORD, 0, 1, False, {1: 0}
    for passed, wished, ends in pieces:
        day += passed
        today = (date(2026, 1, 1) + timedelta(day)).isoformat()
        record = money.on_day(record, today, cost if running else 0)
        if not running:
            record, cost, running = money.begun(record), 0, True
        allowed = money.run_budget(record, DAILY) - cost
        piece = min(wished, max(0, allowed))
        spent[day] = spent.get(day, 0) + piece
        cost += piece
        assert money.spent_today(record, today, cost) == spent[day]
        if ends:
            record, cost, running = money.ended(record, cost, DAILY), 0, False
    assert max(spent.values()) <= DAILY
    assert record.spent + cost == sum(spent.values())


def test_a_clock_that_goes_back_begins_no_new_day() -> None:
    record = money.ended(money.begun(money.on_day(RECORD, "2026-01-02", 0)), 900, DAILY)
    for day in ("2026-01-01", "2026-01-02"):
        assert money.left_today(money.on_day(record, day, 0), DAILY) == 100
    assert money.left_today(money.on_day(money.on_day(record, "2026-01-01", 0), "2026-01-02", 0), DAILY) == 100
    assert money.left_today(money.on_day(record, "2026-01-03", 0), DAILY) == DAILY


def test_a_cost_that_nobody_can_bound_takes_all_that_the_day_had_left() -> None:
    record = money.ended(money.begun(money.on_day(RECORD, "2026-01-02", 0)), None, DAILY)
    assert (money.left_today(record, DAILY), record.unknown) == (0, True)
    assert money.left_today(money.on_day(record, "2026-01-03", 0), DAILY) == DAILY


def test_a_run_that_goes_over_midnight_has_what_it_had_cost_and_the_new_days_budget() -> None:
    record = money.begun(money.on_day(RECORD, "2026-01-02", 0))
    record = money.on_day(record, "2026-01-03", 700)
    assert money.run_budget(record, DAILY) == 1700
    record = money.ended(record, 1200, DAILY)
    assert (record.day_spent, record.spent) == (500, 1200)


def test_a_clock_that_was_days_ahead_does_not_hold_back_what_is_due() -> None:
    record = money.ended(money.begun(money.on_day(RECORD, "2099-01-02", 0)), 900, DAILY)
    record = money.on_day(record, "2026-01-02", 0)
    assert (record.day, money.left_today(record, DAILY)) == ("2026-01-02", 100), "what was spent counts on the day that it is"
    assert money.left_today(money.on_day(record, "2026-01-03", 0), DAILY) == DAILY
