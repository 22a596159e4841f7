"""Texts of models: bounded, calm, and marked where a searched text stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.views.answers.texts import MOST_SHOWN, calm, marked, shown

ZALGO = "H" + "\u0301" * 500 + "i"


def test_a_long_text_is_cut_and_says_how_long_it_is() -> None:
    found = shown("x" * 1_000_000)
    assert (len(found.text), found.length, found.cut) == (MOST_SHOWN, 1_000_000, True)
    assert not shown("x" * MOST_SHOWN).cut


def test_a_flood_of_marks_is_told_by_its_number() -> None:
    assert calm(ZALGO) == "H" + "\u0301" * 6 + "[494 marks]i"
    assert calm("e\u0302\u0301\u0323\u0308") == "e\u0302\u0301\u0323\u0308"


@pytest.mark.parametrize("text", ["👩\u200d👩\u200d👧", "می\u200cخواهم", "क\u094d\u200dष", "plain", "größer"])
def test_characters_that_scripts_join_letters_with_stay(text: str) -> None:
    assert calm(text) == text


@pytest.mark.parametrize(
    ("text", "calmed"),
    [
        ("a\u200b\u200b\u200b\u200bb", "a[4 invisible characters]b"),
        ("a\U000e0041b", "a[1 invisible character]b"),
        ("a" + "\ufe0f" * 9, "a[9 invisible characters]"),
        ("\u3164" * 3, "[3 invisible characters]"),
    ],
)
def test_what_shows_nothing_is_told(text: str, calmed: str) -> None:
    assert calm(text) == calmed


@pytest.mark.parametrize(
    ("text", "searched", "found"),
    [
        ("Die Straße hier", "STRASSE", ["Straße"]),
        ("aAaA", "aa", ["aA", "aA"]),
        ("İstanbul", "i̇stanbul", ["İstanbul"]),
        ("ПРИВЕТ мир", "привет", ["ПРИВЕТ"]),
        ("<b>x</b>", "<B>", ["<b>"]),
        ("abc", "x", []),
        ("abc", "  ", []),
        ("ß", "s", ["ß"]),
    ],
)
def test_a_searched_text_is_marked_in_any_case(text: str, searched: str, found: list[str]) -> None:
    assert [piece for piece, hit in marked(text, searched) if hit] == found


@given(st.text(max_size=60), st.text(max_size=3))
def test_the_pieces_of_a_marked_text_are_the_text(text: str, searched: str) -> None:
    pieces = marked(text, searched)
    assert "".join(piece for piece, _ in pieces) == text
    assert all(piece for piece, _ in pieces)
    if searched.strip() and " ".join(searched.split()).casefold() in text.casefold():
        assert any(hit for _, hit in pieces)


@given(st.text(st.characters(), max_size=80))
def test_what_is_calm_stays_as_it_is(text: str) -> None:
    once = calm(text)
    assert calm(once) == once
    if text.isascii():
        assert once == text
