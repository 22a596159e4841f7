"""Lengths of time as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.runtime.errors import UsageError
from genlevel.runtime.periods import period_of, seconds_of


@given(st.integers(1, 10**6 - 1), st.sampled_from("mhd"), st.text(" ", max_size=2), st.text(" ", max_size=2))
def test_what_is_written_is_read_and_comes_back_as_the_same_length(count, unit, before, between):
    seconds = seconds_of(f"{before}{count}{between}{unit}")
    assert seconds == count * {"m": 60, "h": 3600, "d": 86_400}[unit]
    assert seconds_of(period_of(seconds)) == seconds


@given(st.text(max_size=12))
def test_any_other_text_is_refused_in_one_line(text):
    try:
        seconds = seconds_of(text)
    except UsageError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 - whether it raises is not known before
    else:
        assert seconds >= 60
        assert text.strip()[-1] in "mhd"


@pytest.mark.parametrize("text", ["", "6", "h", "6 weeks", "1y", "-6h", "1.5h", "6H", "0d", "\u0666h", "1h30m", "9999999m"])
def test_what_is_no_length_of_time_is_named_with_what_to_write(text):
    with pytest.raises(UsageError, match="write minutes, hours or days, such as 30m, 6h or 365d"):
        seconds_of(text)
