"""The pace of an account: found where calls are turned away, kept below it, tried again beyond it."""

import random

import pytest

from genlevel.runtime.limits.chance import Chance
from genlevel.runtime.limits.pace import Pace


class Bucket:
    """A provider: ``rate`` a second, ``capacity`` at once."""

    def __init__(self, rate, capacity):
        self.rate, self.capacity = rate, capacity
        self.level, self.at = capacity, 0.0

    def admits(self, now):
        self.level, self.at = min(self.capacity, self.level + (now - self.at) * self.rate), now
        if self.level < 1.0:
            return False
        self.level -= 1.0
        return True


def sends(pace, admits, start, end):
    """Calls as fast as the pace lets them, answered at once; the shares that were admitted and turned away, a second and of all."""
    now, good, bad = start, 0, 0
    while now < end:
        waited = pace.delay(now) > 0
        now += pace.delay(now)
        pace.take(now, waited=waited)
        if admits(now):
            good += 1
        else:
            bad += 1
            pace.refused(now, now, waited=waited, closed=False)
        now += 0.001
    return good / (end - start), bad / (good + bad)


@pytest.mark.parametrize("rate", [0.5, 5.0, 50.0])
@pytest.mark.parametrize("capacity", [2, 10, 50])
def test_a_limit_is_found_and_used_with_few_calls_turned_away(rate, capacity):
    pace, provider = Pace(0.0), Bucket(rate, capacity)
    settles = max(30.0, 60 / rate)
    sends(pace, provider.admits, 0.0, settles)
    used, refused = sends(pace, provider.admits, settles, settles + max(60.0, 200 / rate))
    assert used >= 0.9 * rate
    assert refused < (0.02 if rate > 1 else 0.05)


def test_a_limit_that_halves_and_comes_back_is_followed_within_thirty_seconds():
    pace, provider = Pace(0.0), Bucket(50.0, 10)
    sends(pace, provider.admits, 0.0, 60.0)
    provider.rate, provider.capacity = 25.0, 5
    assert sends(pace, provider.admits, 60.0, 90.0)[1] < 0.1
    used, refused = sends(pace, provider.admits, 90.0, 120.0)
    assert (used >= 0.9 * 25, refused < 0.02) == (True, True)
    provider.rate, provider.capacity = 50.0, 10
    sends(pace, provider.admits, 120.0, 150.0)
    used, refused = sends(pace, provider.admits, 150.0, 180.0)
    assert (used >= 0.9 * 50, refused < 0.02) == (True, True)


def test_nothing_is_paced_before_a_call_is_turned_away():
    pace = Pace(0.0)
    for _ in range(1000):
        pace.take(0.0, waited=False)
    assert (pace.rate, pace.delay(0.0)) == (None, 0.0)


def test_calls_that_were_sent_before_a_cut_belong_to_it():
    pace = Pace(0.0, 50.0)
    for number in range(60):
        pace.take(number * 0.02, waited=True)
    pace.refused(1.1, 1.2, waited=True, closed=False)
    cut = pace.rate
    pace.refused(1.12, 1.21, waited=True, closed=False)
    assert 0.97 * cut < pace.rate < cut, "a little lower, as more was beyond the limit, but no cut of its own"


def test_the_next_call_keeps_its_distance_from_when_a_call_was_sent_not_from_when_it_might_have_been():
    pace = Pace(0.0, 50.0)
    pace.take(1.0, waited=True)
    pace.begins(1.008)
    assert pace.delay(1.008) == pytest.approx(1 / pace.rate)
    pace.begins(1.001)
    assert pace.delay(1.008) == pytest.approx(1 / pace.rate), "another call, which was sent before"


def test_what_is_late_at_a_fast_pace_is_made_good():
    pace = Pace(0.0, 500.0)
    pace.take(1.0, waited=True)
    pace.begins(1.008)
    assert pace.delay(1.0) < 1 / pace.rate + 1e-9


def test_a_pace_that_nobody_waits_for_does_not_grow():
    pace = Pace(0.0, 50.0)
    before = pace.rate
    for second in range(100):
        pace.take(float(second), waited=False)
    assert pace.rate == before


def test_while_the_account_takes_no_call_its_pace_stays():
    pace = Pace(0.0, 50.0)
    for number in range(100):
        pace.take(number * 0.02, waited=True)
        pace.refused(number * 0.02, number * 0.02 + 0.001, waited=True, closed=number > 0)
    assert pace.rate > 40.0


def test_a_window_that_is_used_up_early_again_and_again_is_spread():
    pace = Pace(0.0, 200.0)
    now = 0.0
    for window in range(3):
        for _ in range(500):
            now += pace.delay(now)
            pace.take(now, waited=True)
            pace.admitted()
        now = max(now, 10.0 * (window + 1))
        pace.opened(5.0, now)
    assert pace.rate == pytest.approx(48.5, rel=0.05)


def test_calls_that_were_not_answered_say_nothing_of_what_an_account_took_that_was_closed_all_the_time():
    pace = Pace(0.0, 50.0)
    for window in range(2):
        for number in range(20):
            pace.take(window * 120.0 + number * 0.02, waited=True)
        pace.opened(115.0, 120.0 * (window + 1))
    assert pace.rate == pytest.approx(48.5, rel=0.05)


def test_two_closings_at_odd_times_are_no_windows():
    pace = Pace(0.0, 20.0)
    pace.opened(3.4, 3.4)
    for _ in range(34):
        pace.admitted()
    pace.opened(3.5, 14.3)
    assert pace.rate == pytest.approx(19.4)


def test_a_short_closing_says_nothing_of_the_pace():
    pace = Pace(0.0, 50.0)
    for number in range(500):
        pace.take(number * 0.02, waited=False)
        pace.admitted()
    pace.opened(1.0, 20.0)
    assert pace.rate == pytest.approx(48.5)


def test_a_guess_comes_back_within_seconds_if_nothing_is_turned_away():
    pace = Pace(0.0)
    pace.take(0.0, waited=False)
    for _ in range(10):
        pace.refused(0.0, 0.1, waited=False, closed=True)
    assert pace.rate <= 1.0
    sends(pace, lambda now: True, 0.1, 20.0)
    assert pace.rate > 50.0


def test_calls_turned_away_by_chance_do_not_stop_an_account():
    pace, count = Pace(0.0), 0

    def admits(now):
        nonlocal count
        count += 1
        return count % 100 != 0 and now >= 0

    sends(pace, admits, 0.0, 120.0)
    used, _ = sends(pace, admits, 120.0, 180.0)
    assert used > 100.0


@pytest.mark.parametrize("seed", range(3))
def test_an_account_that_turns_two_calls_in_a_hundred_away_at_random_is_used_within_half_a_minute(seed):
    pace, chance, unlucky = Pace(0.0), random.Random(seed), 0.02
    for _ in range(100):  # more than a second's worth is asked for at once, and nothing is known
        pace.take(0.0, waited=False)
    pace.refused(0.0, 0.01, waited=False, closed=False)
    sends(pace, lambda now: chance.random() >= unlucky, 0.01, 30.0)
    used, refused = sends(pace, lambda now: chance.random() >= unlucky, 30.0, 40.0)
    assert used > 400.0
    assert refused < 2 * unlucky


def test_one_call_that_is_turned_away_does_not_end_the_search_and_several_do():
    pace, sent = Pace(0.0, 20.0, sure=False), 0

    def admits(now):
        nonlocal sent
        sent += 1
        return sent != 10 and now < 3.0

    sends(pace, admits, 0.0, 3.0)
    searched = pace.rate
    assert searched > 100.0
    sends(pace, admits, 3.0, 3.1)
    assert pace.rate < 0.7 * searched


def test_chance_is_what_is_turned_away_as_often_at_a_much_lower_pace():
    chance = Chance()
    for number in range(1000):
        chance.sent(100.0)
        if number % 100 == 0:
            chance.refused(100.0)
    for number in range(1000):
        chance.sent(60.0)
        if number % 100 == 0:
            chance.refused(60.0)
    assert chance.earlier(60.0) == 100.0
    assert chance.borne == pytest.approx(0.01, rel=0.1)
    assert chance.refused(100.0), "borne"


def test_what_is_turned_away_less_at_a_lower_pace_is_not_chance():
    chance = Chance()
    for _ in range(100):
        chance.sent(100.0)
        chance.refused(100.0)
    for number in range(1000):
        chance.sent(60.0)
        if number % 100 == 0:
            assert not chance.refused(60.0)
    assert chance.earlier(60.0) is None
    assert chance.borne == 0.0


def _borne_by_mistake(chance: Chance) -> None:
    for rate in (100.0, 60.0):
        for number in range(2000):
            chance.sent(rate)
            if number % 40 == 0:
                chance.refused(rate)
    assert chance.earlier(60.0) == 100.0


def test_an_earlier_pace_at_which_far_more_is_turned_away_is_left_at_once_and_not_tried_again_soon():
    chance = Chance()
    _borne_by_mistake(chance)
    refused = 0
    while not chance.is_disproved:
        for _ in range(4):
            chance.sent(100.0)
        chance.refused(100.0)
        refused += 1
    assert refused <= 5
    assert chance.forget() == 60.0
    for number in range(1000):
        chance.sent(100.0 if number < 500 else 60.0)
        if number % 50 == 0:
            chance.refused(100.0 if number < 500 else 60.0)
    assert chance.earlier(60.0) is None, "ten calls are not enough any more"


def test_an_earlier_pace_at_which_no_more_is_turned_away_holds():
    chance = Chance()
    _borne_by_mistake(chance)
    held = 0
    for number in range(1, 1000):
        held += chance.sent(100.0)
        if number % 40 == 0:
            chance.refused(100.0)
            assert not chance.is_disproved
    assert held == 1
    assert chance.forget() == 0.0


def test_an_earlier_pace_at_which_more_is_turned_away_but_not_far_more_is_no_proof():
    chance = Chance()
    _borne_by_mistake(chance)
    for number in range(1, 1000):
        assert not chance.sent(100.0)
        if number % 20 == 0:
            chance.refused(100.0)


@pytest.mark.parametrize("calls", [0.2, 1.0, 40.0])
def test_a_call_that_counts_for_several_leaves_as_much_time_to_the_next_one(calls):
    pace = Pace(0.0, 10.0)
    pace.take(1.0, waited=False, calls=calls)
    assert pace.delay(1.0) == pytest.approx(calls / pace.rate)
    pace.give_back(1.0, calls)
    assert pace.delay(1.0) == 0.0
