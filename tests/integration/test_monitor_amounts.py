"""What options of monitors are written in."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.cli.monitor_amounts import horizon_s, nano_usd_a_day, times
from genlevel.runtime.errors import UsageError

CENTS = st.integers(1, 10**8).map(lambda cents: Decimal(cents) / 100)


@given(CENTS, st.sampled_from(["", "$", " $ "]), st.sampled_from(["/day", " / day", "/ day "]))
def test_an_amount_a_day_is_exact(amount, before, after):
    assert nano_usd_a_day(f"{before}{amount}{after}") == amount * 10**9


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5", "'5' is an amount of no time; a monitor's budget is a day's, such as 5/day"),
        ("5/month", "'5/month' is an amount a month; a monitor's budget is a day's, such as 5/day"),
        ("five/day", "no amount of dollars a day; write it as 5/day"),
        ("-5/day", "no amount of dollars a day"),
        ("1e3/day", "no amount of dollars a day"),
        ("0/day", "not above 0"),
        ("1000001/day", "at most 1,000,000 dollars a day"),
        ("", "no amount of dollars"),
        ("\u0665/day", "no amount of dollars"),
    ],
)
def test_what_is_no_amount_a_day_is_said_with_what_to_write(text, said):
    with pytest.raises(UsageError, match=said):
        nano_usd_a_day(text)


@given(st.integers(1, 1000), st.sampled_from(["", "x", "X", " x"]))
def test_a_number_of_times_is_read_with_and_without_its_x(count, after):
    assert times(f"{count}{after}") == count


@pytest.mark.parametrize("text", ["0x", "1001x", "2.5x", "x", "-1", "twenty", "0x10"])
def test_what_is_no_number_of_times_is_refused(text):
    with pytest.raises(UsageError, match="is no number of times; write 1x to 1,000x, such as 20x"):
        times(text)


@given(st.text(max_size=10))
def test_no_text_makes_anything_but_a_number_or_one_line(text):
    for read in (nano_usd_a_day, times, horizon_s):
        try:
            assert read(text) > 0
        except UsageError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017 - whether it raises is not known before


@pytest.mark.parametrize(("text", "seconds"), [("1h", 3600), ("365d", 31_536_000)])
def test_a_horizon_is_between_an_hour_and_a_century(text, seconds):
    assert horizon_s(text) == seconds
    for wrong in ("59m", "36501d"):
        with pytest.raises(UsageError, match="not between an hour and 100 years"):
            horizon_s(wrong)
