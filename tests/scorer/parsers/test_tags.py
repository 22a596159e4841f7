"""What of a raw answer is read: no reasoning, nothing of chat templates, and of answers in tags the last."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.benchmark.answer_kinds import AnswerType
from scorer.parsers import Unparsable, parse_answer
from scorer.parsers.tags import visible_text


@pytest.mark.parametrize(
    "raw",
    [
        "<answer>{}</answer>",
        "First it seems to be 3.\nThen 5 + 7 is more.\n<answer>{}</answer>",
        "Reasoning, 1 and 2.\n<answer>\n{}\n</answer>\n",
        "Reasoning, 1 and 2. <answer>{}",
        "<answer>{}<answer>",
        "<ANSWER> {} </ANSWER>",
        "<answer>9</answer> Let me see again. 9 is too much.\n<answer>{}</answer>",
        "<answer>9</answer> 9 is too much, so <answer>{}",
        "<answer></answer> is the format. <answer>{}</answer> It is right.",
        "<answer>{}</answer> and <answer></answer>",
        "The result goes into <answer> tags, and 4 is wrong. <answer>{}</answer>",
        "<final>{}</final>",
        "1 or 2? <final_answer>{}</final_answer>",
        "1 or 2? <final answer>{}</final answer>",
        "1 or 2? [ANSWER]{}[/ANSWER]",
        "1 or 2? [ANSWER]: {}",
        "1 or 2? [FINAL ANSWER] {} [/FINAL ANSWER]",
        "1 or 2? <|begin_of_box|>{}<|end_of_box|>",
        "<SUMMARY>1 or 2</SUMMARY><REASONING>3</REASONING><CONCLUSION>{}</CONCLUSION>",
        "<think>1 or 2</think>{}",
        "<think>1 or 2</think><answer>{}</answer></s>",
        "<think>1 or 2 <answer>3</answer></think> 3 is wrong. <answer>{}</answer><EOS_TOKEN>",
        "1 or 2</think>\n\n{}",
        "<think>1 or 2, I think.\n<answer>{}</answer>",
        "<think>1 or 2, I think.\n<answer>{}</answer>\n</think><|im_end|>",
        "```\n<answer>{}</answer>\n```",
        "`<answer>{}</answer>`",
        "It goes between <answer> and </answer>. <answer>{}</answer>",
        "{}</answer>",
        "{}</answer></s>",
        "{}</s></answer>",
        "<s> {}</s>",
        "<s>[INST] {} [/INST]",
        "<bos>{}<eos>",
        "<|im_start|>assistant\n{}<|im_end|>",
        "<|begin_of_text|><|start_header_id|>assistant<|end_header_id|>\n\n{}<|eot_id|>",
        "<start_of_turn>model\n{}<end_of_turn>",
        "<|assistant|>{}<|end|>",
        "<|channel|>analysis<|message|>1 or 2?<|end|><|start|>assistant<|channel|>final<|message|>{}<|return|>",
    ],
)
def test_a_tagged_answer_is_read_whatever_stands_around_it(raw: str) -> None:
    assert visible_text(raw.format("12")) == "12"
    assert parse_answer("number", raw.format("12")) == 12.0
    assert parse_answer("short_text", raw.format("a red car")) == "a red car"


@pytest.mark.parametrize(
    "raw",
    [
        "<think>",
        "<think>So it is 12",
        "<think>So it is 12.\n\n12",
        "<think>The format is <answer>12</answer>, and it is 13",
        "<think>It goes into <answer></answer>",
        "<think>So it is 12</think>",
        "So it is 12</think><|im_end|>",
        "<|channel|>analysis<|message|>So it is 12<|end|>",
    ],
)
@pytest.mark.parametrize("kind", ["number", "label", "choice", "items", "short_text", "long_text"])
def test_reasoning_without_an_answer_behind_it_is_none(raw: str, kind: str) -> None:
    assert parse_answer(kind, raw, ["12", "13"]) == Unparsable("the answer is nothing but reasoning")


@pytest.mark.parametrize("raw", ["<answer></answer>", "<answer> </answer></s>", "<s></s>", "<|im_start|>assistant\n<|im_end|>"])
def test_tags_around_nothing_are_no_answer(raw: str) -> None:
    assert isinstance(parse_answer("short_text", raw), Unparsable)


def test_what_takes_a_tagged_answer_back_is_read_too() -> None:
    assert visible_text("It is 3. <answer>12</answer> Wait, it is 13.") == "12\n Wait, it is 13."
    assert parse_answer("number", "<answer>12</answer> Wait, that is wrong: it is 13.") == 13.0
    assert isinstance(parse_answer("number", "<answer>12</answer> Wait, that is wrong."), Unparsable)
    assert parse_answer("number", "<answer>12</answer> There are 13 in all, 12 of them red.") == 12.0


@pytest.mark.parametrize(
    "raw", ["Put it into <answer> tags.", "Use `<answer>` for it.", "[answer] is a place", "<|box_start|>(1,2),(3,4)<|box_end|>"]
)
def test_what_only_speaks_of_a_tag_or_is_a_part_of_the_answer_stays(raw: str) -> None:
    assert visible_text(raw) == raw


def test_tags_in_code_are_code_and_those_around_it_are_not() -> None:
    code = 's = "<answer>1</answer>"'
    assert parse_answer("code", f"```python\n{code}\n```") == code
    assert parse_answer("code", "<answer>\n```python\nx = 1\n```\n</answer>") == "x = 1"


@given(st.text(st.characters(exclude_characters="<>[]`:："), max_size=60), st.text(st.characters(exclude_characters="<>[]`"), max_size=60))
def test_the_same_is_seen_in_tags_as_without(answer: str, before: str) -> None:
    assert visible_text(f"{before}<answer>{answer}</answer>") == (visible_text(answer) or visible_text(before))
    assert visible_text(f"<think>{before}</think>{answer}</s>") == visible_text(answer)


@pytest.mark.parametrize(
    "unit", ["<answer>", "</answer>", "<think>", "</think>", "<answer>a</answer>", "<s>", "</s>", "[ANSWER]", "<|x|>", "<|channel|>"]
)
def test_long_repetitions_of_tags_end_soon(unit: str) -> None:
    for kind in (AnswerType.NUMBER, AnswerType.SHORT_TEXT):
        parse_answer(kind, unit * (200_000 // len(unit)))
