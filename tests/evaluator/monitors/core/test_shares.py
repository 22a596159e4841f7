"""Alpha is shared out to the last part, and no more."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.monitors.core.shares import FALL, RISE, Rules, shares_of
from evaluator.monitors.core.signals import SIGNALS

EVERYTHING = [(signal.name, direction) for signal in SIGNALS for direction in signal.directions]
DRIFTS = [one for one in EVERYTHING if one not in (FALL, RISE)]


@given(st.lists(st.lists(st.sampled_from(DRIFTS), min_size=1, unique=True), min_size=1, max_size=30))
def test_shares_add_up_to_alpha_exactly(drifts):
    found = shares_of({f"stream {index}": [FALL, RISE, *of] for index, of in enumerate(drifts)})
    assert sum(share.check + share.baseline for share in found.values()) == 1


def test_the_whole_has_half_and_the_others_the_rest_evenly():
    found = shares_of({name: EVERYTHING for name in ("all", "image", "language")})
    assert found["all", FALL].check == Fraction(3, 10)
    assert found["image", FALL].check == found["language", FALL].check == Fraction(3, 20)
    assert found["all", RISE].check == Fraction(1, 20)
    assert sum(found["all", one].check for one in DRIFTS) == Fraction(1, 10)
    assert sum(found["all", one].baseline for one in EVERYTHING) == Fraction(1, 20)
    assert found["all", FALL].baseline == Fraction(1, 40)


def test_the_whole_alone_has_it_all():
    assert shares_of({"all": EVERYTHING})["all", FALL].check == Fraction(3, 5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((1.0, 0.01, 365), "alpha: 1 is not between 0 and 1"),
        ((0.0, 0.01, 365), "alpha: 0 is not between 0 and 1"),
        ((0.05, -0.01, 365), "tolerance: -1 points are not between 0 and 50"),
        ((0.05, 0.01, 0), "horizon: 0 ticks are too few"),
    ],
)
def test_rules_that_no_monitor_can_keep_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        Rules(*values)
