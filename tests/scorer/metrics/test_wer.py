"""Word error rates are those of jiwer, on the same words."""

from __future__ import annotations

import string

import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorer.metrics import Question, create
from scorer.metrics.text.wer import transcript_words, word_error_rate

words = st.lists(st.sampled_from(["a", "the", "cat", "sat", "cats", "2"]), max_size=8).map(" ".join)
prose = st.text(alphabet=string.ascii_letters + string.digits + " .,'-!", max_size=80)


@settings(max_examples=150)
@given(words, words.filter(bool))
def test_rates_of_words_are_those_of_jiwer(hypothesis: str, reference: str) -> None:
    assert word_error_rate(hypothesis, reference) == pytest.approx(jiwer.wer(reference, hypothesis), abs=1e-12)


@settings(max_examples=150)
@given(prose, prose.filter(lambda text: any(character.isalnum() for character in text)))
def test_rates_of_prose_are_those_of_jiwer_after_its_own_folding(hypothesis: str, reference: str) -> None:
    fold = jiwer.Compose(
        [jiwer.ToLowerCase(), jiwer.RemovePunctuation(), jiwer.RemoveMultipleSpaces(), jiwer.Strip(), jiwer.ReduceToListOfListOfWords()]
    )
    expected = jiwer.wer(reference, hypothesis, reference_transform=fold, hypothesis_transform=fold)
    assert word_error_rate(hypothesis, reference) == pytest.approx(expected, abs=1e-12)


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=40))
def test_ascii_is_folded_as_all_text_is(text: str) -> None:
    assert transcript_words(text) == transcript_words(text + "é")[:-1] + tuple(filter(None, [transcript_words(text + "é")[-1][:-1]]))


def test_chinese_counts_by_character_and_numbers_stay_as_written() -> None:
    assert word_error_rate("今天天气", "今天下雨。") == 0.5
    assert word_error_rate("two cats", "2 cats") == 0.5


def test_the_score_is_the_mean_of_the_rates_in_percent_and_may_exceed_a_hundred() -> None:
    metric = create("wer", {"of": "text"})
    assert metric is not None
    rows = [
        ("a", metric.statistic("the cat", Question("long_text", ["the cat sat on", "the cat sat"]))),
        ("b", metric.statistic("no no no no", Question("long_text", ["yes"]))),
    ]
    assert [row for _id, row in rows] == [pytest.approx(1 / 3), 4.0]
    assert metric.compute(rows).score == pytest.approx(100 * (1 / 3 + 4) / 2)
    assert metric.worst(Question("long_text", ["yes"])) == 1.0
    assert metric.direction == "lower"


@pytest.mark.parametrize(("heard", "rate"), [("", 0.0), ("...", 0.0), ("yes", 1.0), ("no no no", 1.0)])
def test_against_a_reference_without_words_silence_is_right_and_anything_else_one_error(heard: str, rate: float) -> None:
    assert word_error_rate(heard, "") == word_error_rate(heard, "!") == rate
