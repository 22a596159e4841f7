"""Every form in which providers ask to wait."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.retry_after import BUCKETS, LONGEST_S, exhausted_dimension, retry_after_s

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
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "1500", "retry-after": "1"}, 1.5),
        ({"x-ratelimit-reset-requests": "1m30s"}, 90),
        ({"x-ratelimit-reset-tokens": "500ms"}, 0.5),
        ({"x-ratelimit-reset-tokens": "6m0s"}, 360),
        ({"x-ratelimit-reset-tokens": "2m59.56s"}, 179.56),
        ({"x-ratelimit-reset-tokens": "1h0m0.5s"}, 3600.5),
        ({"x-ratelimit-reset-tokens": "7"}, 7),
        ({"x-ratelimit-reset-requests": "1800000012"}, 12),
        ({"x-ratelimit-reset-requests": "1800000012500"}, 12.5),
        ({"anthropic-ratelimit-requests-reset": "2027-01-15T08:00:07Z"}, 7),
        ({"anthropic-ratelimit-input-tokens-reset": "2027-01-15T10:00:07.5+02:00"}, 7.5),
        ({"anthropic-ratelimit-output-tokens-reset": "2027-01-15T08:01:00Z", "retry-after": "12"}, 60),
    ],
)
def test_every_form_is_read(headers: dict[str, str], seconds: float) -> None:
    assert retry_after_s(headers, now=NOW) == pytest.approx(seconds)


@pytest.mark.parametrize("headers", [{}, {"retry-after": "soon"}, {"retry-after": ""}, {"retry-after-ms": "nan"}, {"retry-after": "inf"}])
def test_a_header_that_says_nothing_is_none(headers: dict[str, str]) -> None:
    assert retry_after_s(headers, now=NOW) is None


def test_the_longest_that_applies_counts() -> None:
    headers = {
        "retry-after": "2",
        "x-ratelimit-reset-requests": "10s",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-tokens": "50s",
        "x-ratelimit-remaining-tokens": "9000",
    }
    assert retry_after_s(headers, now=NOW) == 10


def test_a_bucket_that_is_not_exhausted_does_not_apply_unless_the_error_names_it() -> None:
    headers = {"x-ratelimit-reset-tokens": "50s", "x-ratelimit-remaining-tokens": "9000"}
    assert retry_after_s(headers, now=NOW) is None
    assert retry_after_s(headers, dimension="tokens", now=NOW) == 50
    assert retry_after_s(headers, dimension="requests", now=NOW) is None


def test_a_date_is_compared_with_the_servers_own_clock() -> None:
    headers = {"retry-after": "Fri, 15 Jan 2027 08:00:30 GMT", "date": "Fri, 15 Jan 2027 08:00:20 GMT"}
    assert retry_after_s(headers, now=NOW - 3600) == 10


def test_the_exhausted_bucket_is_named_only_where_it_is_one() -> None:
    assert exhausted_dimension({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-remaining-requests": "3"}) == "tokens"
    assert exhausted_dimension({"anthropic-ratelimit-requests-remaining": "0"}) == "requests"
    assert exhausted_dimension({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-remaining-requests": "0"}) == ""
    assert exhausted_dimension({}) == ""


NAMES = ["retry-after", "retry-after-ms", "date", *(name for reset, remaining, _ in BUCKETS for name in (reset, remaining))]
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
def test_no_header_makes_it_raise_or_wait_without_sense(headers: dict[str, str], dimension: str) -> None:
    seconds = retry_after_s(headers, dimension=dimension)
    assert seconds is None or 0 <= seconds <= LONGEST_S
    assert exhausted_dimension(headers) in ("", "requests", "tokens")
