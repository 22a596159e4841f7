"""Whether an account takes calls: how it closes, who tries, and what opens it."""

import itertools

import pytest

from genlevel.runtime.limits.gate import Gate, Named


def closes(gate, named, at):
    for number in [gate.take(at) for _ in range(4)]:
        gate.refused(number, at, at, named)
    assert not gate.is_open


def closed(wait_s, shorter_s=None, *, at=0.0, reset_s=None):
    gate = Gate()
    closes(gate, Named(wait_s, shorter_s, reset_s), at)
    return gate


def tries(gate, until, wait_s=None, *, ends_s=None, named=None):
    """When calls try up to a time, each turned away at once. ends_s: when the provider would take them again. named: what it says then."""
    now, found = 0.0, []
    while (now := now + max(gate.delay(now), 1e-9)) < until and not gate.is_open:
        number = gate.take(now)
        found.append(round(now, 2))
        gate.refused(number, now, now, named or Named(wait_s if ends_s is None else ends_s - now))
    return found


def test_three_in_a_row_are_unlucky_and_four_close_it():
    gate = Gate()
    for number in [gate.take(0.0) for _ in range(3)]:
        gate.refused(number, 0.0, 0.0, Named(60.0))
    assert gate.is_open
    gate.refused(gate.take(0.0), 0.0, 0.0, Named(60.0))
    assert (gate.is_open, gate.is_confirmed) == (False, False)


def test_one_that_was_admitted_between_keeps_it_open():
    gate = Gate()
    numbers = [gate.take(0.0) for _ in range(8)]
    gate.passed(numbers[3], 0.0)
    for number in numbers[:3] + numbers[4:7]:
        gate.refused(number, 0.0, 0.0, Named(60.0))
    assert gate.is_open
    gate.refused(numbers[7], 0.0, 0.0, Named(60.0))
    assert not gate.is_open


def test_refusals_in_any_order_close_it():
    gate = Gate()
    numbers = [gate.take(0.0) for _ in range(5)]
    for number in (numbers[2], numbers[4], numbers[1], numbers[3]):
        gate.refused(number, 0.0, 0.0)
    assert not gate.is_open


def test_a_long_wait_that_is_true_costs_a_few_tries():
    assert tries(closed(60.0), 60.0, ends_s=60.0) == [1.0, 4.0, 13.0, 40.0]


def test_a_wait_that_is_not_named_is_tried_for_ever_later_and_at_least_every_half_minute():
    found = tries(closed(None), 150.0)
    assert found[:4] == [0.25, 1.0, 3.25, 10.0]
    assert all(later - earlier <= 30.01 for earlier, later in itertools.pairwise(found))


def test_the_first_one_that_is_not_turned_away_opens_it():
    gate = closed(60.0)
    number = gate.take(1.0)
    assert gate.tries(number)
    assert gate.delay(1.0) > 0, "one at a time"
    assert gate.passed(number, 1.2)
    assert (gate.is_open, gate.delay(1.2)) == (True, 0.0)


def test_one_that_tries_and_is_long_in_coming_was_not_turned_away():
    gate = closed(60.0)
    gate.take(1.0)
    gate.take(1.0 + gate.delay(1.0))
    assert gate.is_open


def refused_at(gate, at, named):
    gate.refused(gate.take(at), at, at, named)


def test_what_was_named_is_believed_more_once_it_held_and_less_once_it_did_not():
    gate = closed(60.0)
    refused_at(gate, 40.0, Named(20.0))
    assert gate.passed(gate.take(60.0), 60.0)
    closes(gate, Named(60.0), 100.0)
    assert gate.delay(100.0) == 3.0
    gate.passed(gate.take(103.0), 103.0)
    closes(gate, Named(60.0), 110.0)
    assert gate.delay(110.0) == 1.0


def test_what_no_call_has_tried_may_have_been_said_too_long():
    gate = closed(60.0)
    for at in (100.0, 200.0, 300.0, 400.0):
        refused_at(gate, at - 50.0, Named(10.0))
        gate.passed(gate.take(at - 40.0), at - 40.0)
        closes(gate, Named(60.0), at)
    assert gate.delay(400.0) == 60.0
    gate.passed(gate.take(460.0), 460.0)
    closes(gate, Named(60.0), 500.0)
    assert gate.delay(500.0) == 30.0


def test_what_it_says_before_any_call_is_turned_away_is_tried_within_a_second():
    gate = Gate()
    gate.close(0.0, 60.0)
    assert (gate.is_open, gate.is_confirmed, gate.delay(0.0)) == (False, False, 1.0)
    assert gate.passed(gate.take(1.0), 1.1)
    assert gate.closed_s == 0.0, "it was not closed"
    gate.close(2.0, 60.0)
    refused_at(gate, 3.0, Named(20.0, reset_s=59.0))
    assert gate.is_confirmed
    while (at := 3.0 + gate.delay(3.0)) < 23.0:
        refused_at(gate, at, Named(23.0 - at, reset_s=62.0 - at))
    assert gate.passed(gate.take(23.0), 23.1)
    assert round(gate.closed_s, 6) == 21.1


def test_the_shorter_of_two_waits_is_tried_once_a_closing_for_as_long_as_it_holds():
    gate = closed(8.0, 0.02)
    for at in (0.0, 10.0, 20.0):
        assert round(gate.delay(at), 6) == 0.02
        assert gate.passed(gate.take(at + 0.02), at + 0.02)
        closes(gate, Named(8.0, 0.02), at + 10.0)
    number = gate.take(30.02)
    gate.refused(number, 30.02, 30.02, Named(8.0, 0.02))
    assert gate.delay(30.02) > 0.2, "it is tried once, though it is said again"


def test_a_shorter_wait_that_did_not_hold_is_tried_less_often_and_again_once_it_holds():
    gate, tried = closed(8.0, 0.02), []
    for closing in range(40):
        at = 10.0 * closing
        tried.append(gate.delay(at) < 0.1)
        if tried[-1]:
            gate.refused(gate.take(at + 0.02), at + 0.02, at + 0.02, Named(8.0, 0.02))
        assert gate.passed(gate.take(at + 8.1), at + 8.1)
        closes(gate, Named(8.0, 0.02), at + 10.0)
    assert [number for number, is_tried in enumerate(tried) if is_tried] == [0, 2, 6, 14, 30]
    while gate.delay(at := at + 10.0) > 0.1:
        gate.passed(gate.take(at + 8.1), at + 8.1)
        closes(gate, Named(8.0, 0.02), at + 10.0)
    assert gate.passed(gate.take(at + 0.02), at + 0.02)
    closes(gate, Named(8.0, 0.02), at + 10.0)
    assert gate.delay(at + 10.0) < 0.1


def test_a_shorter_wait_that_a_call_tried_before_its_time_may_hold():
    gate = closed(54.0, 53.2)
    gate.refused(gate.take(1.0), 1.0, 1.0, Named(53.0, 52.2))
    while (at := gate.delay(0.0)) < 53.0:
        gate.refused(gate.take(at), at, at, Named(54.0 - at, 53.2 - at))
    assert round(at, 6) == 53.2


@pytest.mark.parametrize("said", [Named(0.001), Named(60.0, 0.001), Named(0.3), Named(0.0), Named(1.0, reset_s=1.0)])
def test_a_wait_that_is_never_long_enough_is_not_asked_for_again_and_again(said):
    gate = Gate()
    closes(gate, said, 0.0)
    assert len(tries(gate, 60.0, named=said)) <= 9


def test_a_reset_beside_a_wait_is_tried_only_if_the_wait_does_not_hold():
    gate = closed(10.0, reset_s=60.0)
    for at in (1.0, 4.0):
        gate.refused(gate.take(at), at, at, Named(10.0 - at, reset_s=60.0 - at))
    gate.refused(gate.take(9.9), 9.9, 9.9, Named(0.1, reset_s=50.1))
    assert round(gate.delay(9.9), 6) == 0.1
    lying = Gate()
    closes(lying, Named(1.0, reset_s=60.0), 0.0)
    now, count = 0.0, 0
    while (now := now + lying.delay(now)) < 60.0:
        lying.refused(lying.take(now), now, now, Named(1.0, reset_s=60.0 - now))
        count += 1
    assert round(now, 6) == 60.0
    assert count <= 9


def test_a_reset_that_was_long_after_the_end_is_tried_earlier_the_next_time():
    gate, first = Gate(), []
    for closing in range(4):
        at = 100.0 * closing
        closes(gate, Named(60.0, reset_s=60.0), at)
        first.append(round(gate.delay(at), 2))
        gate.passed(gate.take(at + 50.0), at + 50.0)
    assert first == [1.0, 0.33, 0.11, 0.1]
    for closing in range(4, 8):
        at = 100.0 * closing
        closes(gate, Named(60.0, reset_s=60.0), at)
        first.append(round(gate.delay(at), 2))
        refused_at(gate, at + 40.0, Named(20.0, reset_s=20.0))
        gate.passed(gate.take(at + 60.0), at + 60.0)
    assert first[-1] == 2.7


def test_a_call_that_was_not_made_has_not_tried():
    gate = closed(60.0)
    gate.give_back(gate.take(1.0), 1.0)
    assert gate.delay(1.0) == 0.0
    assert gate.tries(gate.take(1.0))
