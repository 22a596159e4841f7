"""JSON of labels and answers, whatever it is: as a document, and as the rows of a tree."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.documents.foreign_json import DEEPEST, plain, read_json
from genlevel.views.answers.tree import MOST_ROWS, tree

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=10),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=5),
    max_leaves=30,
)


def _nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("text", ["[" * 10_000 + "]" * 10_000, '{"a":' * 10_000, "not json", ""])
def test_json_that_cannot_be_read_stays_a_text(text: str) -> None:
    assert read_json(text) == text


@given(ANY)
def test_a_document_can_always_be_written(value: object) -> None:
    json.dumps(plain(value), allow_nan=False, ensure_ascii=False).encode()


def test_a_document_is_as_deep_as_can_be_written() -> None:
    written = json.dumps(plain(_nested(800)))
    assert written.count("[") == DEEPEST
    assert "list of 1" in written


def test_numbers_that_json_has_not_are_texts() -> None:
    assert plain([float("nan"), float("-inf"), 10**400, "\ud800x"]) == ["nan", "-inf", "a whole number of hundreds of digits", "?x"]


def test_a_tree_shows_names_values_and_sizes() -> None:
    found = tree({"subject": "man", "boxes": [[1, 2, 3.5]], "none": [], "more": {"a": None}})
    shown = [(row.depth, row.name, row.value) for row in found.rows]
    assert shown == [
        (0, "subject", "man"),
        (0, "boxes", "list of 1"),
        (1, "1", "[1, 2, 3.5]"),
        (0, "none", "[]"),
        (0, "more", "object of 1"),
        (1, "a", "null"),
    ]


def test_a_large_tree_is_bounded_and_says_so() -> None:
    found = tree({str(number): "x" * 10_000 for number in range(5_000)})
    assert len(found.rows) == MOST_ROWS
    assert found.left_out == 5_000 - MOST_ROWS
    assert max(len(row.value) for row in found.rows) <= 300


@given(ANY)
def test_a_tree_of_anything_has_texts_alone(value: object) -> None:
    assert all(row.depth <= DEEPEST for row in tree(value).rows)
    tree(_nested(500))
