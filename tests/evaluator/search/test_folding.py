"""Case makes no difference in any script, and an excerpt shows what was found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.search.folding import EXCERPT, excerpt, folded

WORDS = [
    ("STRASSE", "Straße"), ("ПРИВЕТ", "привет"), ("ΌΣΟΣ", "όσος"), ("İSTANBUL", "i̇stanbul"), ("ՀԱՅ", "հայ"), ("ᏣᎳᎩ", "ꮳꮃꭹ"), ("ﬁn", "FIN"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), WORDS)
def test_case_makes_no_difference(one, other):
    assert folded(one) == folded(other)
    assert folded(one) in folded(f"before {other} after")


@given(st.text(), st.text(min_size=1), st.text())
def test_an_excerpt_has_what_was_found(before, word, after):
    text = before + word + after
    wanted = folded(word)
    shown = excerpt(text, wanted)
    assert len(shown) <= EXCERPT
    assert shown in text
    assert len(wanted) > 100 or wanted in folded(shown)


@given(st.integers(0, 2000), st.sampled_from(["ß", "İ", "a", "\0", "ﬃ"]), st.integers(0, 2000))
def test_an_excerpt_has_what_was_found_however_letters_before_it_fold(before, letter, after):
    text = letter * before + "needle" + letter * after
    assert "needle" in excerpt(text, "needle")


def test_without_a_text_it_is_the_beginning():
    assert excerpt("x" * 299 + "yz") == "x" * 299 + "y"
    assert not excerpt("")
