"""A short answer is what is said, less what is wrapped around it and what explains it; nothing of the answer itself is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer.parsers import parse_answer


@pytest.mark.parametrize(
    "raw",
    [
        "a red car",
        "Answer: a red car",
        "**Answer:** a red car",
        "## Final Answer\na red car",
        "**Answer**\n\na red car",
        "It has wheels.\n\n### Answer\n\n**a red car**",
        "**a red car**",
        "**a red car**.",
        "**a red car**\n\nIt stands on the left.",
        "It stands on the left.\n\n**a red car**",
        "a red car\n\nExplanation: it stands on the left.",
        "a red car\n\n**Reasoning:** it stands on the left.",
        "a red car (Note: it stands on the left)",
        "Answer: a red car (explanation: it stands there)",
        "Answer: a red car\nIt stands on the left.",
        "Q: What is it?\nA: a red car",
        "It has wheels.\n#### a red car",
        r"Answer: \( a red car \)",
        "$a red car$",
        '"a red car"',
        "`a red car`",
        "```\na red car\n```",
        "It has four wheels, so it can drive.\nThe answer is a red car.",
        "My final answer is: **a red car**",
        r"It has four wheels. So it is \boxed{\text{a red car}}.",
        "It has wheels. <answer>a red car</answer>",
        "It has wheels.\nanswer>a red car</answer>",
        '{"answer": "a red car", "explanation": "it has wheels"}',
        "<think>a bus?</think>a red car</s>",
        "Réponse : a red car",
    ],
)
def test_what_is_around_a_short_answer_falls_away(raw: str) -> None:
    assert parse_answer("short_text", raw) == "a red car"


@pytest.mark.parametrize(
    "raw",
    [
        "He left because he was tired.",
        "A. Smith",
        "A: dry\nB: wet",
        "$5 and $6",
        "note: the sharp sign",
        "It is **red** and **blue**",
        "**Step 1**\nGo.\n**Step 2**\nStop.",
        "**What I see:**\na car",
        "Explanation: it rains",
        "one\ntwo",
        "x = \\frac{1}{2}",
        "f(x) = (x + 1)(x - 1)",
        "the answer to everything",
        "## Answer",
    ],
)
def test_what_belongs_to_an_answer_stays(raw: str) -> None:
    assert parse_answer("short_text", raw) == raw


@given(
    st.text("abc äé-,.()=+xyz09", min_size=1, max_size=30)
    .map(str.strip)
    .filter(lambda text: any(map(str.isalnum, text)) and "=" not in text[:2])
)
def test_an_answer_is_the_same_in_any_wrapping(text: str) -> None:
    alone = parse_answer("short_text", text)
    assert alone == text
    for wrapping in (
        "Answer: {}",
        "**{}**",
        "<answer>{}</answer>",
        "{}\n\nExplanation: none",
        "`{}`",
        "So.\n#### {}",
        "So.\n\n## Answer\n{}",
    ):
        assert parse_answer("short_text", wrapping.format(text)) == alone
