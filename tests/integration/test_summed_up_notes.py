"""Notes of one kind are one line; nothing is dropped without a word."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from genlevel.documents.summing_up import summed_up

LINES = st.lists(
    st.builds("{}{} {}".format, st.sampled_from(["", "a/b: ", "c/d: ", "e: "]), st.sampled_from(["lacks 'x'", "has"]), st.integers(0, 99))
)


@given(LINES)
def test_every_line_is_said_or_counted(lines):
    said = summed_up(lines)
    assert len(lines) == len(said) + sum(
        int(found[1].replace(",", "")) for line in said if (found := re.search(r"\(and ([\d,]+) more", line))
    )
    assert summed_up(said[:3]) == said[:3]


def test_three_hundred_tasks_that_lack_the_same_are_one_line():
    lines = [f"image/comprehension/Task-{number}: is not scored: needs the extra vision" for number in range(300)]
    (said,) = summed_up(lines)
    others = ", ".join(f"image/comprehension/Task-{number}" for number in (1, 2, 3))
    assert said == f"{lines[0]} (and 299 more like this: {others}, ...)"


def test_few_lines_of_a_kind_and_other_lines_stay_as_they_are():
    lines = ["a: 1 label is odd", "b: 2 labels are odd", "c: 3 labels are odd", "the model has no price"]
    assert summed_up(lines) == lines
