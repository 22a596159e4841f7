"""What answers' headers say of limits that are nearly used up, in every form in which providers write it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.answering.limit_headers import LIMITS
from gateway.answering.remaining import nearly_used_up
from genlevel.runtime.header_values import LONGEST_S

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (
            {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "2", "x-ratelimit-reset-requests": "58s"},
            [("requests", 2, 58)],
        ),
        (
            {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "15", "x-ratelimit-reset-requests": "1s"},
            [("requests", 15, 1)],
        ),
        ({"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "16", "x-ratelimit-reset-requests": "1s"}, []),
        ({"x-ratelimit-remaining-tokens": "16", "x-ratelimit-reset-tokens": "6m0s"}, [("tokens", 16, 360)]),
        (
            {
                "date": "Fri, 15 Jan 2027 09:00:00 GMT",
                "anthropic-ratelimit-requests-limit": "50",
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2027-01-15T09:00:07Z",
                "anthropic-ratelimit-input-tokens-limit": "50000",
                "anthropic-ratelimit-input-tokens-remaining": "50000",
                "anthropic-ratelimit-input-tokens-reset": "2027-01-15T09:00:07Z",
            },
            [("requests", 0, 7)],
        ),
        ({"x-ratelimit-limit": "2", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"}, [("requests", 0, 2)]),
        ({"ratelimit-limit": "100", "ratelimit-remaining": "5", "ratelimit-reset": "30"}, [("requests", 5, 30)]),
        ({"ratelimit": '"default";r=5;t=30'}, [("requests", 5, 30)]),
        ({"ratelimit": '"burst";r=5;t=30, "daily";r=70;t=3600'}, [("requests", 5, 30), ("requests", 70, 3600)]),
        ({"ratelimit": "limit=100, remaining=5, reset=30"}, [("requests", 5, 30)]),
        ({"ratelimit-policy": '"default";q=100;w=60', "ratelimit": '"default";q=100'}, []),
        # Mistral says when nothing is there again; what is past, unreadable or several values is not said either.
        ({"x-ratelimit-limit-req-minute": "100", "x-ratelimit-remaining-req-minute": "0"}, []),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1500000000"}, []),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "0s"}, []),
        ({"x-ratelimit-remaining-requests": "many", "x-ratelimit-reset-requests": "1s"}, []),
        ({"x-ratelimit-remaining-requests": "0, 5", "x-ratelimit-reset-requests": "1s"}, []),
        ({"x-ratelimit-remaining-requests": "NaN", "x-ratelimit-reset-requests": "1s"}, []),
        ({"x-ratelimit-remaining-requests": "1e400", "x-ratelimit-reset-requests": "1s"}, []),
        ({"x-ratelimit-remaining-requests": "1e300", "x-ratelimit-reset-requests": "1s"}, []),
        ({"x-ratelimit-limit-requests": "1e308", "x-ratelimit-remaining-requests": "1e300", "x-ratelimit-reset-requests": "1s"}, []),
        ({"x-ratelimit-remaining-requests": "-3", "x-ratelimit-reset-requests": "1s"}, [("requests", 0, 1)]),
        ({"x-ratelimit-reset-requests": "1s"}, []),
        ({"content-type": "application/json"}, []),
    ],
)
def test_limits_of_which_little_remains_are_read(headers: dict[str, str], found: list[tuple[str, int, float]]) -> None:
    assert [(one.dimension, one.remaining, one.reset_s) for one in nearly_used_up(headers, NOW)] == found


NAMES = ["date", "ratelimit", *(name for limit in LIMITS for name in (limit.limit, limit.remaining, limit.reset))]
VALUES = st.one_of(
    st.text(max_size=40),
    st.floats().map(str),
    st.integers().map(str),
    st.lists(st.integers().map(str), max_size=3).map(", ".join),
    st.from_regex(r"([0-9]{1,400}(ms|s|m|h|d)){1,3}", fullmatch=True),
    st.from_regex(r'("[a-z]";)?(r|remaining)=[0-9]{1,400}[;,] ?(t|reset)=[0-9]{1,400}', fullmatch=True),
)


@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
@example({"x-ratelimit-remaining": "٣", "x-ratelimit-reset": "١"})
@example({"ratelimit": f"r={10**400};t={10**400}"})
def test_no_header_makes_it_raise_or_tell_what_cannot_be(headers: dict[str, str]) -> None:
    for limit in nearly_used_up(headers):
        assert limit.dimension in ("requests", "tokens")
        assert 0.0 < limit.reset_s <= LONGEST_S
