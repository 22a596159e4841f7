"""Which tick begins, which were missed, and whether the day pays it: decided by values alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.journal.monitor_records import MonitorRecord, Phase
from evaluator.monitors.notes import Notes
from evaluator.monitors.ticks import due_tick, missed_meanwhile, planned_anew
from genlevel.v1 import monitor_pb2 as mo

HOUR = 3600.0
EVERY = 6 * HOUR
BEGAN = 1_800_000_000.0
RECORD = MonitorRecord("one", "0", "{}", declared=False, created=BEGAN, phase=Phase.WATCHING, next_due=BEGAN + EVERY)


def specification(daily: int | None = None) -> mo.MonitorSpecification:
    return mo.MonitorSpecification(every="6h", budget_nano_usd=daily)


@given(st.integers(0, 50), st.floats(0.0, EVERY - 1.0))
def test_of_many_ticks_that_are_due_one_begins_and_the_others_were_missed(more: int, after: float) -> None:
    now = BEGAN + (1 + more) * EVERY + after
    record, beside = due_tick(RECORD, specification(), now)
    assert (record.tick, record.open_tick, record.missed) == (1, 1, more)
    assert record.next_due == BEGAN + (2 + more) * EVERY > now
    assert beside.begun is not None
    assert (beside.begun.number, beside.begun.due, beside.begun.begun) == (1, BEGAN + EVERY, now)


def test_a_tick_that_somebody_asked_for_is_not_one_that_is_due() -> None:
    asked = replace(RECORD, asked=True, tick=4, missed=2, reason="it waited", before=7, day="2027-01-15")
    record, beside = due_tick(asked, specification(), BEGAN + HOUR)
    assert (record.tick, record.open_tick, record.missed, record.asked) == (5, 5, 2, False)
    assert (record.next_due, record.reason, record.before) == (BEGAN + EVERY, "", 0)
    assert beside.begun is not None
    assert beside.begun.due == beside.begun.begun == BEGAN + HOUR


@pytest.mark.parametrize(
    ("spent", "cost", "begins"),
    [(0, 0, True), (0, 5000, True), (1, 0, True), (999, 1, True), (1000, 0, False), (900, 100, True), (901, 100, False), (2000, 0, False)],
)
def test_a_tick_begins_if_the_day_pays_one_like_the_last_or_has_paid_nothing(spent: int, cost: int, *, begins: bool) -> None:
    known = replace(RECORD, day="2027-01-15", day_spent=spent, notes=Notes(tick_cost=cost).text(), asked=True)
    record, beside = due_tick(known, specification(1000), BEGAN + HOUR)
    assert (beside.begun is not None, bool(record.open_tick), record.tick) == (begins, begins, int(begins))
    assert record.missed == (0 if begins else 1), "what somebody asked for and did not get was missed, too"
    assert [event.kind for event in beside.events] == ([] if begins else ["budget"])
    assert not record.asked
    later, beside = due_tick(replace(known, next_due=BEGAN + EVERY), specification(1000), BEGAN + 24 * HOUR)
    assert beside.begun is not None, "the next day pays it"
    assert (later.day, later.day_spent) == ("2027-01-16", 0)


@given(st.integers(0, 50), st.floats(0.0, EVERY - 1.0))
def test_ticks_that_are_due_while_one_goes_on_are_missed_once_each(passed: int, after: float) -> None:
    now = BEGAN + passed * EVERY + after
    record = missed_meanwhile(RECORD, specification(), now)
    assert (record.missed, record.next_due) == (passed, BEGAN + (passed + 1) * EVERY)
    assert missed_meanwhile(record, specification(), now) == record
    assert missed_meanwhile(replace(RECORD, paused=True), specification(), now) == replace(RECORD, paused=True)


@given(st.floats(-400 * EVERY, 400 * EVERY))
def test_however_far_a_clock_went_back_the_next_tick_is_the_second_at_most(passed: float) -> None:
    now = BEGAN + passed
    record = planned_anew(RECORD, specification(), now)
    assert record.next_due is not None
    assert record.next_due <= now + 2 * EVERY
    assert record == RECORD or now < record.next_due <= now + EVERY
    assert planned_anew(record, specification(), now) == record


def test_a_clock_that_is_set_back_a_little_repeats_no_tick() -> None:
    assert planned_anew(RECORD, specification(), BEGAN - 10.0) == RECORD
