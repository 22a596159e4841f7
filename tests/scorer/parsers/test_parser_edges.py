"""Edges of the parsers that the usual answers do not reach: one case for each branch that a slip could turn round unseen."""

from __future__ import annotations

import pytest

from genlevel.benchmark.answer_kinds import AnswerType
from scorer.parsers import Unparsable, parse_answer
from scorer.parsers.tags import visible_text
from scorer.parsers.text import after_marker

OPTIONS = ["dry", "wet", "A man walks", "red"]


def choice(raw: str) -> str | Unparsable:
    read = parse_answer(AnswerType.CHOICE, raw, OPTIONS)
    assert isinstance(read, str | Unparsable)
    return read


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        (r"\boxed{\frac{3}{4}}", 0.75),
        (r"So it is \boxed{\frac{3}{4}} in all.", 0.75),
        (r"\boxed{3/4}", 0.75),
        (r"\boxed{7} and no more than \boxed{8}", 8.0),
    ],
)
def test_a_box_is_read_up_to_the_brace_that_closes_it(raw: str, number: float) -> None:
    assert parse_answer(AnswerType.NUMBER, raw) == number


def test_what_stands_in_a_box_is_its_whole_content() -> None:
    assert after_marker(r"\boxed{\frac{3}{4}} or so") == r"\frac{3}{4}"
    assert after_marker(r"\boxed{\text{wet}} or so") == "wet"
    assert after_marker("\\boxed{wet\nor dry") == "wet"


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        ("Rome <think>or is it Paris", "Rome"),
        ("<think>Rome? No.</think> Paris <think>or Rome", "Paris"),
        ("a<think>b<think>c</think>d", "ad"),
        ("a<think>b</think>c</think>d", "d"),
        ("Paris it is</think>Rome<think>no", "Rome"),
        ("<think>Paris", ""),
    ],
)
def test_reasoning_that_is_not_closed_hides_all_that_follows(raw: str, seen: str) -> None:
    assert visible_text(raw) == seen


@pytest.mark.parametrize("kind", [AnswerType.LABEL, AnswerType.LONG_TEXT, AnswerType.NUMBER, AnswerType.ITEMS])
def test_reasoning_that_is_not_closed_is_no_answer(kind: AnswerType) -> None:
    assert parse_answer(kind, '<think>So the answer is 4: ["x"]') == Unparsable("the answer is nothing but reasoning")


@pytest.mark.parametrize(
    ("raw", "letter"),
    [
        # What is chosen may be an option's text, with a reason behind it.
        ("I choose wet because it rains.", "B"),
        ("I choose A man walks since he does.", "C"),
        ("The answer is wet, since it rained", "B"),
        ("Answer: wet since it rained. A man walks.", "B"),
        ("The correct option is red. A man walks there.", "D"),
        ("A is correct", "A"),
        ("(D) is the best one", "D"),
        # What was chosen before the answer is stated counts no more.
        ("I choose A at first.\nAnswer: B", "B"),
        ("I choose A at first. So the answer is B", "B"),
        ("The answer is A. Wait, the answer is B.", "B"),
        # Only the clause that it stands in can deny it.
        ("This is not easy. I choose B", "B"),
        ("It is not dry, so I choose wet", "B"),
        ("not dry; I choose B", "B"),
        ("I choose B. It is not A.", "B"),
        ("not" + " x" * 150 + " I choose B", "B"),
    ],
)
def test_what_is_chosen_in_a_sentence_is_read(raw: str, letter: str) -> None:
    assert choice(raw) == letter


@pytest.mark.parametrize(
    "raw",
    [
        "not" + " x" * 50 + " I choose B",
        "It rained. Nobody says that I never choose B",
        "I choose E, the last one",
    ],
)
def test_what_is_denied_in_its_own_clause_or_beyond_the_options_is_none(raw: str) -> None:
    assert isinstance(choice(raw), Unparsable)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("Option A is correct. Option B is correct.", "it states different answers: A, B"),
        ("Answer: something else", "no option's letter or text follows the answer marker"),
        ("I choose A.\nAnswer: something else", "no option's letter or text follows the answer marker"),
    ],
)
def test_what_is_stated_twice_or_names_nothing_is_none_and_says_why(raw: str, reason: str) -> None:
    assert choice(raw) == Unparsable(reason)


@pytest.mark.parametrize(
    ("raw", "letters"),
    [
        ("(B) wet and (A)", "A, B"),
        ("B: wet, or maybe A", "A, B"),
        ("B: A", "A, B"),
        ("B) C.", "B, C"),
        ("(B) wet (C) A man walks", "B, C"),
        ("B because A) dry is a lie", "A, B"),
        ("Answer: B because (A) dry is wrong", "A, B"),
    ],
)
def test_a_letter_with_another_beside_it_is_none(raw: str, letters: str) -> None:
    assert choice(raw) == Unparsable(f"it names several letters: {letters}")


@pytest.mark.parametrize("raw", ["B: wet, and E", "B because (E) nothing is there", "B: wet (A) it is"])
def test_another_letter_that_is_no_option_or_has_not_its_text_takes_nothing_back(raw: str) -> None:
    assert choice(raw) == "B"
