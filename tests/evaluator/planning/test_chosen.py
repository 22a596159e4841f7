"""Chosen instances: what may be chosen, and when two choices are the same run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.planning.chosen import check_occasion, check_positions, chosen_by_task, chosen_hash
from genlevel.runtime.errors import UsageError

CHOICES = st.dictionaries(st.text(max_size=8), st.sets(st.integers(0, 99), min_size=1).map(sorted), max_size=5)


@given(CHOICES, CHOICES, st.randoms())
def test_choices_have_one_hash_if_and_only_if_they_are_the_same_whatever_the_order_of_tasks(one, other, random):
    shuffled = list(one.items())
    random.shuffle(shuffled)
    assert chosen_hash(shuffled) == chosen_hash(one.items())
    assert (chosen_hash(one.items()) == chosen_hash(other.items())) == (one == other)


def test_no_choice_has_no_hash():
    assert chosen_hash([]) == ""


@given(st.lists(st.integers(0, 12), max_size=6), st.integers(0, 10))
def test_positions_are_taken_if_and_only_if_they_are_ascending_different_and_there(positions, count):
    if positions and positions == sorted(set(positions)) and max(positions) < count:
        check_positions("nlp/A", positions, count)
    else:
        with pytest.raises(UsageError, match=r"\Achosen: [^\n]*'nlp/A'[^\n]*\Z"):
            check_positions("nlp/A", positions, count)


@pytest.mark.parametrize(
    ("chosen", "limit", "said"),
    [
        ([("a", [0])], 5, "chosen instances and a limit of 5 cannot be asked for together"),
        ([("a", [0]), ("c", [0])], 0, "the run has no task 'c'"),
        ([("a", [0]), ("b", [0]), ("a", [1])], 0, "'a' is named twice"),
    ],
)
def test_what_cannot_be_chosen_is_said_with_the_task(chosen, limit, said):
    with pytest.raises(UsageError, match=said):
        chosen_by_task(chosen, meant={"a", "b"}, limit=limit)


@pytest.mark.parametrize(
    ("positions", "said"),
    [
        ([], "no instance of 'a' is named"),
        ([3, 2], "'a' has 2 after 3; name positions ascending"),
        ([2, 2], "'a' has 2 after 2"),
        ([0, 10], "'a' has 10 instances, 0 to 9, and none at 10"),
    ],
)
def test_positions_that_cannot_be_asked_are_said_one_by_one(positions, said):
    with pytest.raises(UsageError, match=said):
        check_positions("a", positions, 10)


def test_a_limit_without_a_choice_is_no_conflict():
    assert chosen_by_task([], meant={"a"}, limit=5) == {}


@pytest.mark.parametrize("occasion", ["", "hourly#12", "täglich #1", "x" * 200])
def test_an_occasion_that_can_be_shown_is_taken(occasion):
    check_occasion(occasion)


@pytest.mark.parametrize(
    ("occasion", "said"), [("x" * 201, "201 characters is too long"), ("a\nb", "cannot be shown"), ("\x1b[0m", "cannot")]
)
def test_an_occasion_that_is_too_long_or_cannot_be_shown_is_refused(occasion, said):
    with pytest.raises(UsageError, match=said):
        check_occasion(occasion)
