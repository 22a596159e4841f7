"""What is turned away by chance, in large part, is told from a limit that is low."""

from __future__ import annotations

import random

import pytest

from genlevel.runtime.limits.pace import Pace
from genlevel.runtime.limits.standstill import Standstill


def shown(part_at_high: float, part_at_low: float, *, high: float = 100.0, low: float = 5.0, at_high: int = 60, at_low: int = 100) -> float:
    """What is shown of calls at a high pace and then at a low one, by the latest of them."""
    standstill, found = Standstill(), 0.0
    for rate, part, count in ((high, part_at_high, at_high), (low, part_at_low, at_low)):
        owed = 0.0
        for _ in range(count):
            standstill.sent(rate)
            owed += part
            if owed >= 1.0:
                owed -= 1.0
                standstill.refused(rate)
                found = found or standstill.part()
    return found


@pytest.mark.parametrize("part", [0.15, 0.25, 0.4, 0.55])
def test_as_large_a_part_far_below_is_chance(part):
    assert shown(part, part) == pytest.approx(part, rel=0.2)


@pytest.mark.parametrize(
    ("at_high", "at_low", "low"),
    [
        (0.4, 0.1, 5.0),  # less is turned away: it follows the pace
        (0.1, 0.4, 5.0),  # more is: the account takes less than it did
        (0.4, 0.4, 15.0),  # others may take what is left for a while
        (0.05, 0.05, 5.0),  # so little is told from a pace that is a little too high elsewhere
        (0.7, 0.7, 1.0),  # so much is an outage
    ],
)
def test_what_is_not_shown_to_be_chance(at_high, at_low, low):
    assert shown(at_high, at_low, low=low) == 0.0


def test_a_few_calls_show_nothing():
    assert shown(0.4, 0.4, at_high=5) == 0.0
    assert shown(0.4, 0.4, at_low=10) == 0.0


def test_what_was_shown_is_shown_anew_next_time():
    standstill = Standstill()
    for rate in (100.0, 5.0):
        for number in range(40):
            standstill.sent(rate)
            if number % 2:
                standstill.refused(rate)
    assert standstill.part() == 0.5
    assert standstill.part() == 0.0
    standstill.sent(1.0)
    standstill.refused(1.0)
    assert standstill.part() == 0.0


def test_nothing_goes_slower_yet_where_it_is_not_known_what_is_so():
    standstill = Standstill()
    for number in range(40):
        standstill.sent(100.0)
        if number % 2:
            standstill.refused(100.0)
    assert not standstill.is_undecided(10.0)
    assert standstill.is_undecided(3.0), "of 50 admitted"
    few = Standstill()
    for number in range(400):
        few.sent(100.0)
        if number % 100 == 0:
            few.refused(100.0)
    assert not few.is_undecided(3.0), "what is turned away now is more than that, and for a new limit"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("unlucky", [0.2, 0.4])
def test_a_pace_does_not_fall_for_ever_if_calls_are_turned_away_by_chance(unlucky, seed):
    chance, pace, now = random.Random(seed), Pace(0.0, 20.0), 0.0
    highest = 0.0
    for _ in range(2_000):
        now += max(0.001, pace.delay(now))
        pace.take(now, waited=True)
        if chance.random() < unlucky:
            pace.refused(now, now + 0.01, waited=True, closed=False)
        else:
            pace.admitted()
        highest = max(highest, pace.rate if now > 60.0 else 0.0)
    assert pace.rate > 0.5
    assert highest > 20.0, "and it is searched again further up"
