"""Whether an account takes calls: how it closes, who tries, and what opens it."""

import itertools

from genlevel.runtime.limits.gate import Gate


def closed(longest_s, least_s=None, *, at=0.0):
    gate = Gate()
    for number in [gate.take(at) for _ in range(4)]:
        gate.refused(number, at, at, longest_s, least_s)
    assert not gate.is_open
    return gate


def tries(gate, until, longest_s=None, least_s=None, *, ends_s=None):
    """When calls try up to a time, each turned away at once. ends_s: when the provider would take them again."""
    now, found = 0.0, []
    while (now := now + max(gate.delay(now), 1e-9)) < until and not gate.is_open:
        number = gate.take(now)
        found.append(round(now, 2))
        left = None if ends_s is None else ends_s - now
        gate.refused(number, now, now, longest_s if left is None else left, least_s)
    return found


def test_three_in_a_row_are_unlucky_and_four_close_it():
    gate = Gate()
    for number in [gate.take(0.0) for _ in range(3)]:
        gate.refused(number, 0.0, 0.0, 60.0, None)
    assert gate.is_open
    gate.refused(gate.take(0.0), 0.0, 0.0, 60.0, None)
    assert (gate.is_open, gate.is_confirmed) == (False, False)


def test_one_that_was_admitted_between_keeps_it_open():
    gate = Gate()
    numbers = [gate.take(0.0) for _ in range(8)]
    gate.passed(numbers[3], 0.0)
    for number in numbers[:3] + numbers[4:7]:
        gate.refused(number, 0.0, 0.0, 60.0, None)
    assert gate.is_open
    gate.refused(numbers[7], 0.0, 0.0, 60.0, None)
    assert not gate.is_open


def test_refusals_in_any_order_close_it():
    gate = Gate()
    numbers = [gate.take(0.0) for _ in range(5)]
    for number in (numbers[2], numbers[4], numbers[1], numbers[3]):
        gate.refused(number, 0.0, 0.0, None, None)
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
    assert (gate.is_open, gate.delay(1.2), gate.claims_held) == (True, 0.0, False)


def test_one_that_tries_and_is_long_in_coming_was_not_turned_away():
    gate = closed(60.0)
    gate.take(1.0)
    gate.take(1.0 + gate.delay(1.0))
    assert gate.is_open


def test_what_was_named_is_believed_more_once_it_held_and_less_once_it_did_not():
    gate = closed(60.0)
    assert gate.passed(gate.take(59.0), 59.0)
    assert gate.claims_held
    for number in [gate.take(100.0) for _ in range(4)]:
        gate.refused(number, 100.0, 100.0, 60.0, None)
    assert gate.delay(100.0) == 3.0
    gate.passed(gate.take(103.0), 103.0)
    for number in [gate.take(110.0) for _ in range(4)]:
        gate.refused(number, 110.0, 110.0, 60.0, None)
    assert gate.delay(110.0) == 1.0


def test_the_shorter_of_two_waits_is_tried_once_and_not_again_if_it_did_not_hold():
    gate = closed(8.0, 0.02)
    assert gate.delay(0.0) == 0.02
    gate.refused(gate.take(0.02), 0.02, 0.02, 8.0, 0.02)
    assert gate.is_confirmed
    assert gate.passed(gate.take(8.1), 8.1)
    for number in [gate.take(10.0) for _ in range(4)]:
        gate.refused(number, 10.0, 10.0, 8.0, 0.02)
    assert gate.delay(10.0) > 0.2


def test_a_call_that_was_not_made_has_not_tried():
    gate = closed(60.0)
    gate.give_back(gate.take(1.0), 1.0)
    assert gate.delay(1.0) == 0.0
    assert gate.tries(gate.take(1.0))
