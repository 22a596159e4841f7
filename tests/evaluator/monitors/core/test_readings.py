"""What the baseline answered is stored and comes back to the last bit."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.monitors.core.readings import Pooled, Reading, pack, unpack

READINGS = st.builds(
    Reading,
    st.none() | st.floats(0, 1),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.none() | st.floats(0, 1e6),
    st.none() | st.integers(0, 10**7),
    st.none() | st.integers(0, 10**13),
)
POOLED = st.builds(Pooled, st.text(), st.text(), st.integers(0, 10**6), st.integers(0, 50), st.lists(READINGS, max_size=6).map(tuple))


@given(st.lists(POOLED, max_size=8))
def test_a_pool_comes_back_as_it_was(pool):
    assert unpack(pack(pool)) == tuple(pool)


STRANGE = [*map(zlib.compress, (b"{}", b"[2, [], []]", b"[1, [[1]], []]")), b"", b"no pool", pack([])[:-3]]


@pytest.mark.parametrize("stored", STRANGE)
def test_what_is_no_pool_is_named(stored):
    with pytest.raises(ValueError, match="the stored pool cannot be read"):
        unpack(stored)


def test_four_thousand_instances_asked_five_times_are_small():
    pool = [Pooled(f"task {n % 40}", f"{n}", n, n % 20, (Reading(n % 2, latency_s=1.25, output_tokens=n),) * 5) for n in range(4000)]
    assert len(pack(pool)) < 200_000
