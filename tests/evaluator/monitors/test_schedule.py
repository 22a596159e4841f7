"""When ticks are due."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.monitors.schedule import Schedule, day_began, day_of, zone_of
from genlevel.runtime.errors import UsageError

BERLIN = ZoneInfo("Europe/Berlin")
TIMES = st.floats(1.7e9, 1.9e9)


def at(*parts: int, zone: ZoneInfo = BERLIN) -> float:
    return datetime(*parts, tzinfo=zone).timestamp()  # type: ignore[arg-type, misc]


@given(st.sampled_from(["1m", "30m", "6h", "1d", "0 6 * * *", "*/15 8-17 * * mon-fri", "0 0 1 * *"]), TIMES, TIMES)
def test_what_follows_is_later_and_what_is_counted_follows_one_by_one(every: str, anchor: float, after: float) -> None:
    schedule = Schedule.of(every, "Europe/Berlin", anchor)
    first = schedule.following(after)
    second = schedule.following(first)
    assert after < first < second
    assert (schedule.count(after, first), schedule.count(after, second), schedule.count(first, first)) == (1, 2, 0)
    assert schedule.count(second, after) == 0, "a clock that went back"


def test_a_day_is_every_day_at_six_whatever_the_clock_does() -> None:
    schedule = Schedule.of("0 6 * * *", "Europe/Berlin", 0.0)
    for month, day in ((3, 28), (3, 29), (10, 24), (10, 25)):  # the clock goes forward, and back, on the second of each
        assert schedule.following(at(2026, month, day, 0)) == at(2026, month, day, 6)


def test_what_is_due_in_an_hour_that_there_is_not_comes_once_and_so_does_what_is_due_in_one_that_there_is_twice() -> None:
    schedule = Schedule.of("30 2 * * *", "Europe/Berlin", 0.0)
    assert schedule.count(at(2026, 3, 28, 12), at(2026, 3, 29, 12)) == 1
    assert schedule.count(at(2026, 10, 24, 12), at(2026, 10, 25, 12)) == 1


def test_a_horizon_has_as_many_ticks_as_are_due_in_it() -> None:
    year = 365 * 86_400
    assert Schedule.of("6h", "", 1e9).ticks_in(year) == 1460
    assert Schedule.of("0 6 * * *", "", at(2026, 1, 1)).ticks_in(year) == 365
    assert Schedule.of("1d", "", 0.0).ticks_in(60) == 1
    assert Schedule.of("* * * * *", "", 0.0).ticks_in(year) == year // 60


@pytest.mark.parametrize(
    ("every", "said"),
    [
        ("", "is no schedule"),
        ("6 hours", "is no schedule"),
        ("0m", "too often"),
        ("61 * * * *", "is no cron expression: bad minute"),
        ("0 0 30 2 *", "is no cron expression"),
        ("* * * * * *", "is no schedule"),
    ],
)
def test_what_is_no_schedule_is_said_in_one_line(every: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        Schedule.of(every, "", 0.0)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["Europe/Nowhere", "../etc/passwd", "/etc/localtime", "\0"])
def test_a_time_zone_that_there_is_not_is_said(name: str) -> None:
    with pytest.raises(UsageError, match="no time zone"):
        zone_of(name)


def test_a_day_begins_at_midnight_of_its_zone() -> None:
    midnight = at(2026, 11, 29)
    assert (day_of(midnight - 1, BERLIN), day_of(midnight, BERLIN), day_of(midnight, UTC)) == ("2026-11-28", "2026-11-29", "2026-11-28")


@given(st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia"]), st.floats(1.2e9, 1.9e9))
def test_a_day_begins_at_its_first_moment(name: str, at: float) -> None:
    zone = zone_of(name)
    began = day_began(at, zone)
    assert 0.0 <= at - began < 25 * 3600
    assert day_of(began, zone) == day_of(at, zone) != day_of(began - 0.001, zone)
