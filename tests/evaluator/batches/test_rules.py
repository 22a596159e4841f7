"""Decisions about batches, as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.batches.rules import MOST_ITEMS, Advice, Found, Pauses, Sizes, advice_on, chosen, may_be_among
from genlevel.runtime.errors import ErrorClass

SIZES = st.integers(1, 1 << 30)


@given(items=st.integers(0, 10**6), limit=st.integers(0, 10**9), calls=st.lists(SIZES, max_size=50))
def test_no_batch_of_several_is_over_the_limits(items, limit, calls):
    sizes, count, size = Sizes.of(items, limit), 0, 0
    assert 0 < sizes.items <= MOST_ITEMS
    for more in calls:
        if not sizes.takes(count, size, more):
            count = size = 0
        count, size = count + 1, size + more
        assert count == 1 or (count <= (items or MOST_ITEMS) and (size <= limit or not limit))


@given(items=st.integers(1, 10**5), size=SIZES)
def test_batches_that_are_too_large_become_half_as_large_and_never_empty(items, size):
    sizes = Sizes.of(0, 0)
    sizes.too_large(items, size)
    assert 1 <= sizes.items <= max(1, items // 2)
    assert sizes.takes(0, 0, size)
    sizes.at_fault(items)
    assert 1 <= sizes.part <= max(1, items // 2)
    for _ in range(20):
        sizes.taken()
    assert sizes.part == MOST_ITEMS, "it grows again"
    before = sizes.items
    sizes.no_room(items, size, alone=False)
    assert (sizes.items, sizes.serial) == (before, True)


@given(longest=st.floats(0.01, 3600), chances=st.lists(st.floats(0, 1), min_size=40, max_size=40))
def test_pauses_grow_to_the_longest_and_begin_short_again(longest, chances):
    pauses = Pauses(longest)
    told = [pauses.next(0.5) for _ in range(40)]
    assert told == sorted(told)
    assert told[0] == pytest.approx(min(5.0, longest))
    assert told[-1] == pytest.approx(longest)
    assert all(0.8 * longest - 1e-9 <= pauses.next(chance) <= 1.2 * longest + 1e-9 for chance in chances)
    pauses.begin_again()
    assert pauses.next(0.5) == pytest.approx(min(5.0, longest))
    assert pauses.settle_s <= min(60.0, longest)


FOUND = st.builds(Found, st.sampled_from("abcdef"), st.sampled_from(["", "mine", "other"]), st.floats(0, 10))


@given(found=st.lists(FOUND, unique_by=lambda one: one.id), known=st.frozensets(st.sampled_from("abcdef")))
def test_only_a_batch_that_surely_has_the_key_is_chosen_the_oldest_of_several(found, known):
    ours = [one for one in found if one.key == "mine" and one.id not in known]
    one = chosen(found, "mine", known)
    assert (one is None) == (not ours)
    assert one is None or one.created == min(other.created for other in ours)
    assert may_be_among(found, known, 10.0) == any(not one.key and one.id not in known for one in found)


def test_every_class_of_error_has_its_advice():
    later = {ErrorClass.RATE_LIMIT, ErrorClass.NOT_SENT, ErrorClass.TRANSIENT, ErrorClass.TIMEOUT}
    assert {kind for kind in ErrorClass if advice_on(kind) is Advice.LATER} == later
    assert {kind for kind in ErrorClass if advice_on(kind) is Advice.SMALLER} == {ErrorClass.TOO_LARGE, ErrorClass.CALLER_FAULT}


@given(found=st.lists(FOUND), latest=st.floats(0, 10))
def test_a_batch_that_was_made_later_than_it_can_have_been_is_anothers(found, latest):
    """At a provider that keeps no keys, and where others always have batches, one that was never taken is asked again some day."""
    assert may_be_among(found, frozenset(), latest) == may_be_among([one for one in found if one.created <= latest], frozenset(), 1e9)
