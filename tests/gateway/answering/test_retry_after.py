"""Every form in which providers say when to ask again."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.adapters.base import error_of
from gateway.answering.limit_headers import LIMITS
from gateway.answering.retry_after import NO_TIMES, Times, exhausted_dimension, times_of
from genlevel.runtime.header_values import LONGEST_S

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "1"}, 1),
        ({"retry-after": " 0.25 "}, 0.25),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "Fri, 15 Jan 2027 08:00:30 GMT"}, 30),
        ({"retry-after": "Fri, 15 Jan 2027 07:00:30 GMT"}, 0),
        ({"retry-after": "1m30s"}, 90),
        ({"retry-after": "1800000012"}, 12),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"x-ms-retry-after-ms": "200"}, 0.2),
        ({"retry-after": "37.5s"}, 37.5),
        ({"retry-after": "Friday, 15-Jan-27 08:00:30 GMT"}, 30),
        ({"retry-after": "Fri Jan 15 08:00:30 2027"}, 30),
        ({"retry-after": "2027-01-15T08:00:30Z"}, 30),
        ({"retry-after": "5, 5"}, 5),
        ({"retry-after": "soon, 5"}, 5),
    ],
)
def test_every_form_of_a_wait_is_read(headers: dict[str, str], seconds: float) -> None:
    assert times_of(headers, now=NOW) == Times(wait_s=pytest.approx(seconds))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-reset-requests": "1m30s"}, 90),
        ({"x-ratelimit-reset-tokens": "500ms"}, 0.5),
        ({"x-ratelimit-reset-tokens": "6m0s"}, 360),
        ({"x-ratelimit-reset-tokens": "2m59.56s"}, 179.56),
        ({"x-ratelimit-reset-tokens": "1h0m0.5s"}, 3600.5),
        ({"x-ratelimit-reset-tokens": "7"}, 7),
        ({"x-ratelimit-reset-requests": "1800000012"}, 12),
        ({"x-ratelimit-reset-requests": "1800000012500"}, 12.5),
        ({"x-ratelimit-reset": "1800000012500", "x-ratelimit-remaining": "0"}, 12.5),
        ({"ratelimit-reset": "12", "ratelimit-remaining": "0", "ratelimit-limit": "100"}, 12),
        ({"x-ratelimit-reset-project-tokens": "12s", "x-ratelimit-remaining-project-tokens": "0"}, 12),
        ({"anthropic-ratelimit-requests-reset": "2027-01-15T08:00:07Z"}, 7),
        ({"anthropic-ratelimit-input-tokens-reset": "2027-01-15T10:00:07.5+02:00"}, 7.5),
    ],
)
def test_every_form_of_a_reset_is_read(headers: dict[str, str], seconds: float) -> None:
    assert times_of(headers, now=NOW) == Times(reset_s=pytest.approx(seconds))


@pytest.mark.parametrize(
    ("headers", "longest", "shortest"),
    [
        ({"retry-after": "1", "retry-after-ms": "0"}, 1, 0),
        ({"retry-after": "1, 20"}, 20, 1),
        ({"retry-after": "7", "x-ms-retry-after-ms": "200", "retry-after-ms": "300"}, 7, 0.2),
        ({"retry-after": "Fri, 15 Jan 2027 08:00:30 GMT, 5"}, 30, 5),
        ({"retry-after": "5, Friday, 15-Jan-27 08:00:30 GMT, 2m"}, 120, 5),
    ],
)
def test_waits_that_contradict_each_other_are_the_longest_and_the_shortest(
    headers: dict[str, str], longest: float, shortest: float
) -> None:
    assert times_of(headers, now=NOW) == Times(pytest.approx(longest), pytest.approx(shortest))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"retry-after": "soon"},
        {"retry-after": ""},
        {"retry-after-ms": "nan"},
        {"retry-after": "inf"},
        {"retry-after": "1e400"},
        {"x-ratelimit-reset-requests": "0s"},
        {"x-ratelimit-reset-requests": "-5"},
        {"x-ratelimit-reset-requests": "1500000000"},
        {"anthropic-ratelimit-requests-reset": "2026-01-15T08:00:07Z"},
        {"x-ratelimit-reset-requests": "367d"},
    ],
)
def test_a_header_that_says_nothing_and_a_reset_that_is_past_are_none(headers: dict[str, str]) -> None:
    assert times_of(headers, now=NOW) == NO_TIMES


def test_two_waits_that_contradict_each_other_are_both_told() -> None:
    assert times_of({"retry-after-ms": "1500", "retry-after": "2"}) == Times(wait_s=2, shorter_s=1.5)
    assert times_of({"retry-after-ms": "1", "retry-after": "60"}) == Times(wait_s=60, shorter_s=0.001)
    assert times_of({"retry-after-ms": "2000", "retry-after": "2"}) == Times(wait_s=2)


def test_a_wait_speaks_of_the_call_and_a_reset_of_a_whole_limit() -> None:
    headers = {
        "retry-after": "2",
        "x-ratelimit-reset-requests": "10s",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-tokens": "50s",
        "x-ratelimit-remaining-tokens": "9000",
    }
    assert times_of(headers, now=NOW) == Times(wait_s=2, reset_s=10)


def test_of_several_limits_that_are_used_up_the_one_that_is_there_again_last_counts() -> None:
    headers = {
        "anthropic-ratelimit-output-tokens-reset": "2027-01-15T08:01:00Z",
        "anthropic-ratelimit-tokens-reset": "2027-01-15T08:00:10Z",
    }
    assert times_of(headers, now=NOW) == Times(reset_s=60)


def test_a_limit_that_is_not_used_up_does_not_apply_unless_the_error_names_it() -> None:
    headers = {"x-ratelimit-reset-tokens": "50s", "x-ratelimit-remaining-tokens": "9000"}
    assert times_of(headers, now=NOW) == NO_TIMES
    assert times_of(headers, dimension="tokens", now=NOW) == Times(reset_s=50)
    assert times_of(headers, dimension="requests", now=NOW) == NO_TIMES


def test_a_date_is_compared_with_the_servers_own_clock() -> None:
    headers = {"retry-after": "Fri, 15 Jan 2027 08:00:30 GMT", "date": "Fri, 15 Jan 2027 08:00:20 GMT"}
    assert times_of(headers, now=NOW - 3600) == Times(wait_s=10)


def test_the_used_up_limit_is_named_only_where_it_is_one() -> None:
    assert exhausted_dimension({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-remaining-requests": "3"}) == "tokens"
    assert exhausted_dimension({"anthropic-ratelimit-requests-remaining": "0"}) == "requests"
    assert exhausted_dimension({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-remaining-requests": "0"}) == ""
    assert exhausted_dimension({}) == ""


NAMES = ["retry-after", "retry-after-ms", "date", *(name for limit in LIMITS for name in (limit.limit, limit.remaining, limit.reset))]
VALUES = st.one_of(
    st.text(max_size=40),
    st.floats().map(str),
    st.integers().map(str),
    st.datetimes().map(str),
    st.from_regex(r"([0-9]{1,400}(ms|s|m|h|d)){1,3}", fullmatch=True),
    st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} [0-9]{1,5} [0-9]{2}:[0-9]{2}:[0-9]{2} [A-Z+0-9]{1,6}", fullmatch=True),
)


@given(st.dictionaries(st.sampled_from(NAMES), VALUES), st.sampled_from(["", "requests", "tokens"]))
@example({"retry-after": "Fri, 15 Jan 99999 08:00:30 +9999"}, "")
@example({"anthropic-ratelimit-tokens-reset": "0001-01-01T00:00:00+23:59"}, "")
@example({"retry-after": "1e400", "retry-after-ms": "-1e400", "x-ratelimit-remaining-requests": "١"}, "")
@example({"x-ratelimit-remaining-requests": "0, 5", "x-ratelimit-reset-requests": "1s, 2s"}, "")
def test_no_header_makes_it_raise_or_wait_without_sense(headers: dict[str, str], dimension: str) -> None:
    wait_s, shorter_s, reset_s = times_of(headers, dimension=dimension)
    assert wait_s is None or 0 <= wait_s <= LONGEST_S
    assert shorter_s is None or (wait_s is not None and 0 <= shorter_s < wait_s)
    assert reset_s is None or 0 < reset_s <= LONGEST_S
    assert exhausted_dimension(headers) in ("", "requests", "tokens")


def test_what_a_body_says_counts_beside_what_a_header_says() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "22.5s"}]
    body = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "slow down", "details": details}}
    assert times_of(error_of(429, body, {}).headers) == Times(wait_s=22.5)
    assert times_of(error_of(429, body, {"retry-after": "60"}).headers) == Times(60, 22.5)
