"""What answers say remains of a limit: believed once calls were turned away as it said, and no more once they are not."""

import pytest

from genlevel.runtime.limits.remaining import Left, Remaining

NONE = [Left("requests", 0, 10.0)]


def says(remaining, left=NONE, *, number=10, sent=10, took_s=0.1, used_tokens=50, now=0.0):
    return remaining.says(left, number=number, sent=sent, took_s=took_s, used_tokens=used_tokens, now=now)


def believed(left=NONE):
    """After a first window in which calls were turned away as was said."""
    remaining = Remaining()
    assert says(remaining, left) is None
    for number in range(11, 15):
        remaining.refused(number, 0.1)
    remaining.closed(0.1)
    return remaining


def test_it_is_believed_once_it_held():
    assert says(believed(), now=10.0) == 10.0


def test_what_is_admitted_all_the_same_is_never_believed():
    remaining = Remaining()
    for number in range(10, 200):
        assert says(remaining, number=number, sent=number, now=0.02 * number) is None
        if number % 50:
            remaining.passed(number + 1, 0.02 * number + 0.01)
        else:
            remaining.refused(number + 1, 0.02 * number + 0.01)


def test_one_call_that_overtook_others_and_is_admitted_disproves_nothing_and_two_do():
    remaining = believed()
    assert says(remaining, now=10.0, sent=20, number=20)
    remaining.passed(21, 11.0)
    assert says(remaining, now=11.0, sent=21, number=21)
    remaining.passed(22, 12.0)
    assert says(remaining, now=12.0, sent=22, number=22) is None
    remaining.closed(12.1)
    assert says(remaining, now=12.2, sent=22, number=22) is None, "it must hold twice as often from then on"
    remaining.closed(12.3)
    assert says(remaining, now=12.4, sent=22, number=22)


@pytest.mark.parametrize("calls_before", [5, 10])
def test_calls_that_were_sent_before_it_was_said_disprove_nothing(calls_before):
    remaining = believed()
    says(remaining, now=10.0, sent=20, number=20)
    for _ in range(3):
        remaining.passed(20 - calls_before, 10.1)
    assert says(remaining, now=10.2, sent=20, number=20)


def test_a_call_that_is_admitted_after_others_were_turned_away_shows_that_the_limit_is_there_again():
    remaining = believed()
    says(remaining, now=10.0, sent=20, number=20)
    remaining.refused(21, 11.0)
    for number in (22, 23, 24):
        remaining.passed(number, 12.0)
    assert says(remaining, now=13.0, sent=30, number=30)


def test_what_was_not_seen_for_long_is_not_believed():
    assert says(believed(), now=29.0)
    assert says(believed(), now=31.0) is None


@pytest.mark.parametrize(
    ("left", "facts", "reset_s"),
    [
        ([Left("requests", 3, 10.0)], {"number": 7}, 10.0),
        ([Left("requests", 3, 10.0)], {"number": 8}, None),
        ([Left("tokens", 49, 10.0)], {}, 10.0),
        ([Left("tokens", 50, 10.0)], {}, None),
        ([Left("tokens", 199, 10.0)], {"number": 7}, 10.0),
        ([Left("tokens", 0, 10.0)], {"used_tokens": 0}, None),
        ([Left("requests", 0, 0.2)], {}, None),
        ([Left("requests", 0, 10.0), Left("tokens", 0, 40.0)], {}, 40.0),
        ([Left("requests", 9, 10.0), Left("tokens", 0, 4.0)], {}, 4.0),
        ([Left("requests", 0, 10.0)], {"took_s": 5.0}, 6.0),
        ([Left("requests", 0, 10.0)], {"took_s": 12.0}, None),
        ([], {}, None),
    ],
)
def test_nothing_remains_if_the_calls_sent_since_take_it(left, facts, reset_s):
    assert says(believed(), left, now=1.0, **facts) == reset_s
