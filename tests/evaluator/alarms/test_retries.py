"""What follows a try to deliver."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.alarms.retries import LONGEST_WAIT_S, MOST_TRIES, Delivered, Fate, GivenUp, PutOff, after_answer, after_silence


def answered(status: int, *, tries: int = 0, **headers: str) -> Fate:
    return after_answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, "", tries=tries, jitter=0.0, now_s=1e9)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_good_status_is_a_delivery(status: int) -> None:
    assert answered(status) == Delivered()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
def test_what_will_not_pass_is_given_up_with_the_reason(status: int) -> None:
    fate = after_answer(status, {}, "no_service", tries=0, jitter=0.0, now_s=0.0)
    assert fate == GivenUp(f"it answered {status} (no_service)")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_address_to_be_corrected(status: int) -> None:
    fate = answered(status, location="https://elsewhere.example")
    assert isinstance(fate, GivenUp)
    assert "correct its address" in fate.why


@pytest.mark.parametrize("status", [407, 408, 425, 429, 500, 502, 503, 504, 599])
def test_what_may_pass_is_tried_later_by_growing_waits(status: int) -> None:
    waits = [fate.wait_s for tries in range(8) if isinstance(fate := answered(status, tries=tries), PutOff)]
    assert waits == [10.0, 30.0, 90.0, 270.0, 810.0, 2430.0, 3600.0, 3600.0]


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [("120", 120.0), ("5", 10.0), ("86400", 3600.0), ("-3", 10.0), ("nonsense", 10.0), ("Sun, 09 Sep 2001 01:50:00 GMT", 200.0)],
)
def test_a_receiver_that_asks_for_time_gets_it_up_to_an_hour(value: str, wait_s: float) -> None:
    fate = answered(429, retry_after=value)
    assert isinstance(fate, PutOff)
    assert (fate.wait_s, fate.for_all) == (wait_s, True)


def test_a_server_error_is_about_this_message_unless_it_asks_for_time() -> None:
    fates = answered(500), answered(503, retry_after="60"), after_silence("gone", tries=0, jitter=0.0)
    assert [fate.for_all for fate in fates if isinstance(fate, PutOff)] == [False, True, True]


@given(st.floats(0, 1))
def test_tries_go_on_for_about_a_day_and_end(jitter: float) -> None:
    fates = [after_silence("gone", tries=tries, jitter=jitter) for tries in range(MOST_TRIES)]
    waited_s = sum(fate.wait_s for fate in fates if isinstance(fate, PutOff))
    assert 23 * 3600 <= waited_s <= 27 * 3600
    assert fates[-1] == GivenUp("gone; 30 tries in a day were in vain")
    assert not any(isinstance(fate, GivenUp) for fate in fates[:-1])


@given(st.integers(-1000, 1000), st.text(max_size=30), st.integers(0, 100), st.floats(0, 1))
def test_no_answer_makes_it_fail_or_wait_for_ever(status: int, retry_after: str, tries: int, jitter: float) -> None:
    fate = after_answer(status, {"retry-after": retry_after}, "", tries=tries, jitter=jitter, now_s=1e9)
    assert not isinstance(fate, PutOff) or 10 <= fate.wait_s <= LONGEST_WAIT_S * 1.1
