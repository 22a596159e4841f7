"""What a judge is shown, and which replies of it are ratings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.planning.judge_prompts import answer_is_first, answer_text, judge_prompts, question_blocks, rating_in, reference_text
from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.model import Instance, MediaFile, Modality
from genlevel.benchmark.ratings import SCALES

SCORE, PREFERENCE = judge_prompts()["gpt_score"], judge_prompts()["user_preference"]


def instance(label=("a dog barks",), answer_type=AnswerType.LONG_TEXT, **fields):
    return Instance("i1", 0, "What is heard?", answer_type, list(label) if isinstance(label, tuple) else label, **fields)


def asked(prompt, one, answer, *, structured=False):
    return question_blocks(prompt, one, answer, prompt.form(structured=structured))


@pytest.mark.parametrize(
    ("reply", "rating"),
    [
        ("Rating: 0", 0.0),
        ("Rating: 7", 70.0),
        (" Rating: 10\n", 100.0),
        ("Rating:3", 30.0),
        ("<think>It is fine. Rating: 2</think>\nRating: 9", 90.0),
        ("rating: 7", None),
        ("**Rating: 7**", None),
        ("Rating: 7.", None),
        ("Rating: 07", None),
        ("Rating: 7.5", None),
        ("Rating: 11", None),
        ("Rating: ７", None),
        ("Rating: 7\nRating: 8", None),
        ("The answer says Rating: 10", None),
        ('{"rating": 7}', None),
        ("", None),
    ],
)
def test_a_line_of_text_is_a_rating_in_one_form_only(reply, rating):
    assert rating_in(SCORE, reply, "i1", SCORE.form(structured=False)) == rating


@pytest.mark.parametrize(
    ("reply", "rating"),
    [
        ('{"rating": 7}', 70.0),
        (' {"rating":10} ', 100.0),
        ('{"rating": 11}', None),
        ('{"rating": 7.0}', None),
        ('{"rating": true}', None),
        ('{"rating": "7"}', None),
        ('{"rating": 7, "why": "good"}', None),
        ('```json\n{"rating": 7}\n```', None),
        ("[7]", None),
        ("7", None),
        ("Rating: 7", None),
        ("[" * 100_000, None),
    ],
)
def test_json_is_a_rating_in_one_form_only(reply, rating):
    assert rating_in(SCORE, reply, "i1", SCORE.form(structured=True)) == rating


def test_a_schema_allows_what_is_read_and_nothing_else():
    for prompt in (SCORE, PREFERENCE):
        form = prompt.form(structured=True)
        schema = json.loads(form.schema)
        (name,) = schema["properties"]
        for value in schema["properties"][name]["enum"]:
            rating = rating_in(prompt, json.dumps({name: value}), "i1", form)
            assert rating is not None
            assert SCALES[prompt.metric].lowest <= rating <= SCALES[prompt.metric].highest
        assert schema["additionalProperties"] is False
        assert prompt.form(structured=False).schema == ""


def test_a_preference_counts_for_whoever_stands_there():
    ids = {first: next(f"i{n}" for n in range(99) if answer_is_first(f"i{n}") is first) for first in (True, False)}
    form = PREFERENCE.form(structured=False)
    for first, key in ids.items():
        one = Instance(key, 0, "Q", AnswerType.LONG_TEXT, ["the reference"])
        text = asked(PREFERENCE, one, "the answer")
        assert (text.index("the answer") < text.index("the reference")) is first
        assert rating_in(PREFERENCE, "Preferred: ONE", key, form) == (1.0 if first else 0.0)
        assert rating_in(PREFERENCE, "Preferred: TWO", key, form) == (0.0 if first else 1.0)
        assert rating_in(PREFERENCE, "Preferred: TIE", key, form) == 0.5
        assert rating_in(PREFERENCE, "Preferred: one", key, form) is None


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80), st.text(max_size=80), st.sampled_from([SCORE, PREFERENCE]))
def test_no_text_can_close_its_own_markers(answer, question, prompt):
    one = Instance("i1", 0, question, AnswerType.LONG_TEXT, ["the reference"])
    text = asked(prompt, one, answer)
    markers = [line for line in text.split("\n") if line.startswith(("[begin ", "[end ")) and line.endswith("]")]
    tokens = {line.rpartition("#")[2] for line in markers if line.rpartition("#")[2][:-1].isalnum()}
    genuine = [token for token in tokens if token[:-1] not in answer + question]
    assert genuine
    for token in genuine:
        names = [line for line in markers if line.endswith(f"#{token}")]
        assert len(names) == 2 * len({line.partition(" ")[2] for line in names})


def test_the_version_and_every_word_of_the_wording_are_in_the_hash():
    assert SCORE.hash != PREFERENCE.hash
    assert len(SCORE.hash) == 12
    # A change of wording without a new version would be told apart by the hash; this asks whoever makes one for a new version too.
    assert (SCORE.version, SCORE.hash, PREFERENCE.hash) == ("1", "1911acb61881", "405da598bda0")


def test_the_judge_is_told_of_media_that_it_does_not_see():
    heard = instance(media=(MediaFile(Modality.AUDIO, Path("/a.wav"), "audio/wav"),))
    assert "media that are not shown to you (1 audio)" in asked(SCORE, heard, "a cat")
    assert "not shown" not in asked(SCORE, instance(), "a cat")


def test_a_judge_is_shown_the_answer_without_reasoning_and_without_its_schema():
    assert answer_text("<think>maybe a cat</think> a dog ") == "a dog"
    assert answer_text('{"answer": "a dog"}') == "a dog"
    assert answer_text('{"answer": ["a dog"]}') == '{"answer": ["a dog"]}'
    assert answer_text('{"answer": "a dog", "rating": 10}') == '{"answer": "a dog", "rating": 10}'
    assert answer_text("{not json") == "{not json"


def test_references_are_written_out():
    assert reference_text(instance(("one", "two"))) == "- one\n- two"
    assert reference_text(instance("B", AnswerType.CHOICE, options=("x", "y"))) == "B. y"
    assert reference_text(instance(("a", "b"), AnswerType.ITEMS)) == "a, b"
    assert reference_text(instance(None)) == ""
    assert "reference answer" not in asked(SCORE, instance(None), "a cat").split("Rate the answer")[0]


def test_what_cannot_be_shown_in_text_is_not_judged():
    assert SCORE.takes(instance(None))
    assert not SCORE.takes(instance(answer_type=AnswerType.MEDIA))
    assert not PREFERENCE.takes(instance(None))
