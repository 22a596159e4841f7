"""The vocabulary of outcomes and the keys of answers: as the contract numbers them, and unambiguous as text."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import OPEN, Outcome
from genlevel.v1 import scorer_pb2 as sc


def test_outcomes_are_those_of_the_contract():
    contract = {name.removeprefix("OUTCOME_").lower(): number for name, number in sc.Outcome.items() if number}
    assert {outcome.value: outcome.number for outcome in Outcome} == contract
    assert all(Outcome.of(number).value == name for name, number in contract.items())
    assert {Outcome.FAILED, Outcome.PENDING} == OPEN


@pytest.mark.parametrize("number", [0, 7, -1])
def test_a_number_without_an_outcome_is_refused(number):
    with pytest.raises(ValueError, match=f"no outcome has the number {number}"):
        Outcome.of(number)


def test_the_key_of_the_plain_question_is_its_id():
    assert str(AnswerKey("image/7")) == "image/7"
    assert AnswerKey.parse("image/7") == AnswerKey("image/7", 0, 0, 0)


def test_a_variant_repeat_or_shuffle_shows_in_the_text():
    keys = [AnswerKey("a"), AnswerKey("a", variant=1), AnswerKey("a", repeat=1), AnswerKey("a", shuffle=1)]
    assert len({str(key) for key in keys}) == 4
    assert [AnswerKey.parse(str(key)) for key in keys] == keys


numbers = st.integers(min_value=0, max_value=10**6)
ids = st.one_of(st.text(), st.text(alphabet="\x1f.01a\n", max_size=12))
keys = st.builds(AnswerKey, ids, numbers, numbers, numbers)


@given(keys)
@example(AnswerKey("\x1f0.1.0\x1fa"))
@example(AnswerKey("\x1f0.1.0\x1fa", repeat=1))
@example(AnswerKey("\x1f"))
@example(AnswerKey("", repeat=1))
@example(AnswerKey("a\n\x1f0.1.0\x1f"))
def test_text_says_the_key_whatever_the_id_contains(key):
    assert AnswerKey.parse(str(key)) == key


@given(keys, keys)
def test_different_keys_have_different_texts(one, other):
    assert (str(one) == str(other)) == (one == other)


@given(ids.filter(lambda text: not text.startswith("\x1f")))
def test_ids_kept_before_there_were_keys_read_as_themselves(text):
    assert AnswerKey.parse(text) == AnswerKey(text)
