"""Answers in objects: under any usual key, in fences and in prose, and in objects that are no JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer.parsers import Unparsable, parse_answer
from scorer.parsers.envelope import unwrapped


@pytest.mark.parametrize(
    "raw",
    [
        '{"answer": "wet"}',
        '{"final_answer": "wet", "answer": "dry"}',
        '{"Final Answer": "wet"}',
        '{"correct-answer": "wet", "confidence": 0.4}',
        *(
            f'{{"{key}": "wet"}}'
            for key in ("result", "choice", "label", "value", "option", "category", "class", "prediction", "text", "Antwort")
        ),
        '{"choice": "wet", "label": "the second one"}',
        '{"result": {"answer": "wet"}}',
        '{"answer": {"label": "wet", "confidence": 0.4}}',
        '{"answer": {"value": ["wet"]}}',
        '{"response": {"output": {"answer": "wet"}}}',
        '{"answer": ["wet"]}',
        '[{"answer": "wet"}]',
        '{"state": "wet"}',
        '{"reasoning": "It rained, so it is not dry.", "state": "wet", "confidence": 0.9}',
        '```json\n{"answer": "wet"}\n```',
        '```\n{"label": "wet"}\n```\nI hope this helps.',
        'It rained. {"answer": "wet"} So it is.',
        "{'answer': 'wet', 'sure': True,}",
        # No JSON: LaTeX, line breaks, quotes, no quotes, cut off.
        '{"reasoning": "so \\( x \\in \\mathbb{R} \\)", "answer": "wet"}',
        '{"reasoning": "First\nthen", "answer": "wet"}',
        '{"reasoning": "It says "wet", in red.", "answer": "wet"}',
        "{'reasoning': 'It's raining', 'answer': 'wet'}",
        '{"answer": "wet", "reasoning": "It rained for',
        '```json\n{"reasoning": "a "b" c",\n "answer": "wet"\n}\n```',
        '{"reasoning": "a "b" c", "answer": wet}',
        "{answer: wet}",
        "{\n  reasoning: it rained,\n  final_answer: 'wet'\n}",
        "{“reasoning”: “it rained”, “answer”: “wet”}",
    ],
)
def test_the_answer_of_an_object_is_read(raw: str) -> None:
    assert parse_answer("short_text", raw) == "wet"
    assert parse_answer("choice", raw, ["dry", "wet"]) == "B"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ('{"answer": "wet"} or {"answer": "dry"}', "it has several objects with different answers"),
        ('{"answer": "a "b" c", "x": "y" z}\n{"answer": "dry', "its JSON breaks off in the answer"),
        ('{"reasoning": "a "b" c", "answer": "we', "its JSON breaks off in the answer"),
        ('```json\n{"answer": "wet"}\n```\n```json\n{"answer": "dry"}\n```', "it has several objects with different answers"),
        (
            '```json\n{"answer": "wet"}\n```\nOr, if you see it as those do who live there:\n```json\n{"answer": "dry"}\n```',
            "it has several objects with different answers",
        ),
        ('{"choice": "A", "option": "B"}', "it has several objects with different answers"),
        ('{x, "answer": "wet",\n "answer": "dry"}', "it has several objects with different answers"),
    ],
)
def test_an_object_of_which_no_answer_follows_says_why(raw: str, reason: str) -> None:
    assert unwrapped(raw) == Unparsable(reason)


@pytest.mark.parametrize(
    "raw",
    [
        "no object",
        "{x} and {y}",
        r"\frac{3}{4} in {1, 2}",
        '{"reasoning": "it rained"}',
        '{"a": "wet", "b": "dry"}',
        '[{"label": "a"}, {"label": "b"}]',
        'It is {"label": "wet"}, or {"value": "dry"}.',
        '{"labels": ["a", "b"]}',
    ],
)
def test_a_text_that_says_nothing_of_an_answer_stays_as_it_is(raw: str) -> None:
    assert unwrapped(raw) == raw


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        (r'{"answer": "\frac{3}{4}"}', r"\frac{3}{4}"),
        (r'{"answer": "\\frac{3}{4}"}', r"\frac{3}{4}"),
        (r'{"answer": "\boxed{3}"}', r"\boxed{3}"),
        (r'{"answer": "3 \times 4"}', r"3 \times 4"),
        (r'{"answer": "a \neq b"}', r"a \neq b"),
        (r'{"answer": "\sqrt{2}"}', r"\sqrt{2}"),
        (r'{"answer": "one\ntwo\ttoo"}', "one\ntwo\ttoo"),
        (r'{"answer": "\u00e9t\u00e9"}', "été"),
        (r'{"answer": "say \"no\""}', 'say "no"'),
        (r'{"reasoning": "a "b" c", "answer": "say \"no\" to \frac12"}', r'say "no" to \frac12'),
    ],
)
def test_backslashes_of_latex_stay_and_those_of_json_are_read(raw: str, written: str) -> None:
    assert unwrapped(raw) == written


def test_lists_stay_lists_where_a_list_is_asked_for() -> None:
    assert parse_answer("items", '{"answer": ["a"]}') == ("a",)
    assert parse_answer("items", '{"result": ["a", "b"]}') == ("a", "b")
    assert parse_answer("items", '{"explanation": "it "is"", "answer": ["a", "b"]}') == ("a", "b")
    assert isinstance(parse_answer("number", '{"answer": [3, 4]}'), Unparsable)


@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from(["answer", "final_answer", "Answer"]), st.booleans())
def test_what_is_written_as_json_is_read_back(answer: str, reasoning: str, key: str, first: bool) -> None:
    entries = {"reasoning": reasoning, key: answer}
    written = json.dumps(dict(reversed(entries.items())) if first else entries, ensure_ascii=False)
    assert unwrapped(written) == answer


@pytest.mark.parametrize(
    "unit", ['{"answer": "', '{"answer":{', '"answer": x,', "{answer: ", ',\n"answer" : "a" ', "\\f", '{"a":{"answer":']
)
def test_long_repetitions_of_objects_end_soon(unit: str) -> None:
    parse_answer("number", "{" + unit * (100_000 // len(unit)))


def test_of_blocks_between_which_the_text_works_on_the_last_is_the_answer() -> None:
    worked = "Let's go through it again: the ball falls, rises, and falls once more."
    first, last = '```json\n{"answer": "510"}\n```', '``` json\n{"reasoning": "corrected", "answer": "968"}\n```'
    assert unwrapped(f"{first}\n\n{worked}\n\n{last}") == "968"
