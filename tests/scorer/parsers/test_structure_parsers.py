"""Answers of structure and code, as models write them: read into the normal form, repaired where one reading is left, else unparsable."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.benchmark.forms import normal_form
from scorer.parsers import Structured, Unparsable, parse_answer

# By type, a right answer in normal form of two entries at least.
ANSWERS: dict[str, list[Any]] = {
    "masks": [
        {"label": "cat", "mask": {"polygons": [[0.0, 0.0, 4.0, 0.0, 4.0, 4.0]]}},
        {"label": "dog", "mask": {"size": [2, 2], "counts": [1, 2, 1]}},
        {"label": "leg", "mask": {"points": [0, 3]}},
    ],
    "keypoints": [{"label": "person", "points": [[1.0, 2.0, 2.0], [3.0, 4.0, 1.0]], "score": 0.5}] * 2,
    "boxes_3d": [{"label": "car", "box": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.1], "score": 0.5}, {"label": "bus", "box": [0.0] * 7}],
    "track": [[1.0, 2.0, 3.0, 4.0], None, [2.0, 2.0, 3.0, 4.0]],
    "tubes": [
        {"label": "run", "boxes": {"0": [1.0, 2.0, 3.0, 4.0], "3": [1.0, 2.0, 3.0, 4.0]}},
        {"label": "sit", "boxes": {"1": [1.0] * 4}},
    ],
    "tracks": [{"frame": frame, "id": "a", "label": "car", "box": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.1]} for frame in range(3)],
    "relations": [{"subject": "man", "predicate": "rides", "object": "horse"}, {"subject": "man", "predicate": "wears", "object": "hat"}],
    "poses": [[1.0, 0.0, 0.0, float(frame), 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0] for frame in range(3)],
    "series": [1.0, 2.5, -3.0, 1e3],
    "structure": [{"a": [1, 2]}, {"b": None}],
}
KINDS = sorted(ANSWERS)


WRITTEN = {
    "bare": json.dumps,
    "held to a schema": lambda value: json.dumps({"answer": value}),
    "with an explanation": lambda value: json.dumps({"answer": value, "explanation": "as seen", "confidence": 0.9}),
    "in tags": lambda value: f"<answer>{json.dumps(value)}</answer>",
    "before a token that ends the turn": lambda value: f"{json.dumps(value)}<|im_end|>",
    "fenced": lambda value: f"Here it is:\n```json\n{json.dumps(value, indent=1)}\n```\nI hope that it helps [1].",
    "after a marker": lambda value: f"First I thought of [1, 2].\n**Answer:** {json.dumps(value)}",
    "in prose": lambda value: f"What I found is {json.dumps(value)}, and nothing else.",
    "as Python": repr,
    "with a comma too many": lambda value: json.dumps(value)[:-1] + ",\n]",
    "after reasoning": lambda value: f"<think>[7, 7]</think>{json.dumps(value)}",
    "in a fence that is never closed": lambda value: f"```json\n{json.dumps(value)}",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WRITTEN)
def test_every_way_of_writing_is_read_into_the_normal_form(kind: str, way: str) -> None:
    if kind == "structure" and way in ("held to a schema", "with an explanation"):
        return  # it is held to none, and "answer" may be a field of its own
    assert parse_answer(kind, WRITTEN[way](ANSWERS[kind])) == Structured(ANSWERS[kind])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrapper", ["", '{"answer": '])
def test_a_list_that_breaks_off_counts_up_to_its_last_complete_entry(kind: str, wrapper: str) -> None:
    whole, entries = wrapper + json.dumps(ANSWERS[kind]), ANSWERS[kind]
    seen = set()
    for end in range(len(whole) - (not wrapper), len(wrapper), -1):
        found = parse_answer(kind, whole[:end])
        if isinstance(found, Structured):
            assert found.value in ([], entries[: len(found.value)]), whole[:end]
            seen.add(len(found.value))
    # A number may go on, so the last one is complete only with what follows it; a list of one number is a footnote.
    complete = range(2, len(entries)) if kind == "series" and not wrapper else range(1, len(entries) + 1)
    assert seen - {0} == set(complete)


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("masks", "I see a cat."),
        ("masks", '[{"label": "cat"}]'),
        ("masks", '[{"label": "cat", "mask": {"polygons": [[0, 0, 4, 0, 1]]}}]'),
        ("masks", '[{"label": "cat", "mask": {"file": "/etc/passwd"}}]'),
        ("structure", '{"file": "/etc/passwd"}'),
        ("structure", "no JSON"),
        ("structure", '{"a": NaN}'),
        ("structure", '{"a": 1e999}'),
        ("structure", "12"),
        ("boxes_3d", "[[1, 2, 3]]"),
        ("track", "[]"),
        ("track", "I do not know"),
        ("track", "[1, 2, 3]"),
        ("poses", "[]"),
        ("poses", "[[1, 2, 3]]"),
        ("series", "[]"),
        ("series", "see [1]"),
        ("series", "about 3 or 4"),
        ("series", "[1, [2, 3]]"),
        ("series", "[1, 2] or [3, 4]"),
        ("series", "1. 20.5\n2. 21.5"),
        *[("series", text) for text in ("1,234, 1,310, 1,290", "1,234", "1,234; 5,678", "1 – 2", "1,234\n5,678 or 5,679")],
        ("series", "[1, NaN]"),
        ("relations", "A man rides a horse."),
        ("relations", "man - rides - horse\nand so on"),
        ("relations", "a - b - c - d"),
        ("tracks", '[{"label": "car", "box": [1, 2, 3, 4, 5, 6, 0]}]'),
        ("keypoints", "[[[1, 2"),
        ("media", "/etc/passwd"),
        ("media", '{"file": "/etc/passwd"}'),
        ("code", "``````"),
        ("code", "```python\na = 1\n```\nor\n```python\na = 2\n```"),
    ],
)
def test_what_is_no_answer_of_the_type_is_unparsable_with_a_reason_in_a_line(kind: str, raw: str) -> None:
    found = parse_answer(kind, raw)
    assert isinstance(found, Unparsable), found
    assert found.reason
    assert "\n" not in found.reason
    assert len(found.reason) < 400


@pytest.mark.parametrize("kind", ["masks", "keypoints", "boxes_3d", "tubes", "tracks", "relations"])
def test_an_empty_list_says_that_nothing_is_there(kind: str) -> None:
    assert parse_answer(kind, "[]") == parse_answer(kind, 'Answer: {"answer": []}') == Structured([])


def test_objects_line_by_line_are_one_list() -> None:
    lines = "\n".join(json.dumps(entry) for entry in ANSWERS["boxes_3d"])
    assert parse_answer("boxes_3d", lines) == parse_answer("boxes_3d", f"```\n{lines}\n```") == Structured(ANSWERS["boxes_3d"])


def test_the_last_of_several_fenced_answers_counts_and_a_marker_settles_prose() -> None:
    assert parse_answer("series", "```\n[1, 2]\n```\nNo:\n```\n[3, 4]\n```") == Structured([3.0, 4.0])
    assert parse_answer("series", "Either [1, 2] or [3, 4]. Answer: [3, 4]") == Structured([3.0, 4.0])
    assert parse_answer("series", "It is [1, 2]; yes, [1, 2].") == Structured([1.0, 2.0])


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        ("1.5, 2, -3e2", [1.5, 2, -300]),
        ("1.5 2 3", [1.5, 2, 3]),
        ("1; 2; 3", [1, 2, 3]),
        ("1\n2\n3\n", [1, 2, 3]),
        ("Answer: 1, 2", [1, 2]),
        ("1, 2,\n3, 4,\n5", [1, 2, 3, 4, 5]),
        ("1, 2\n3, 4", [[1, 2], [3, 4]]),
        ("```\n1\n2\n```", [1, 2]),
        ("12", [12]),
        ("10%, 20%", [10, 20]),
        ("1,234\n5,678", [1234, 5678]),
        ("1,234,\n5,678", [1234, 5678]),
        ("950\n-1,234.5\n1,234,567\n", [950, -1234.5, 1234567]),
        ("Answer:\n1,234%\n5%", [1234, 5]),
        ("−1, 2", [-1, 2]),
        ("–1.5\n−.5", [-1.5, -0.5]),
        ("[−1, –2]", [-1, -2]),
    ],
)
def test_series_are_read_from_numbers_alone(raw: str, values: list[Any]) -> None:
    assert parse_answer("series", raw) == Structured(values)


@pytest.mark.parametrize(
    "raw",
    [
        "man - rides - horse\nman - wears - hat",
        "1. man -> rides -> horse\n2. man -> wears -> hat",
        "- (man, rides, horse)\n- (man, wears, hat)",
        "Relations:\n* man | rides | horse\n* man | wears | hat",
        "man => rides => horse.\nman => wears => hat.",
        "man → rides → horse\n\nman → wears → hat",
        '[["man", "rides", "horse"], ["man", "wears", "hat"]]',
    ],
)
def test_relations_are_read_from_lines_and_lists_of_three(raw: str) -> None:
    assert parse_answer("relations", raw) == Structured(ANSWERS["relations"])


def test_hyphens_within_names_divide_nothing() -> None:
    relation = {"subject": "T-shirt", "predicate": "worn-by", "object": "man"}
    assert parse_answer("relations", "T-shirt - worn-by - man") == Structured([relation])


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("x = 1", "x = 1"),
        ("```\nx = 1\n```", "x = 1"),
        ("```python\n    x = 1\n    y = 2\n```", "    x = 1\n    y = 2"),
        ("Sure!\n```c++\nint x;\n```\nThis is it.", "int x;"),
        ("```python\nx = 1\n```\nRun it:\n```bash\npython x.py\n```\n```output\n1\n```", "x = 1"),
        ("```bash\nls\n```", "ls"),
        ("```x = 1```", "x = 1"),
        ("```sql\nSELECT 1", "SELECT 1"),
        ("Answer: SELECT 1", "SELECT 1".strip()),
        ("```py\na\n```\nAnswer:\n```py\nb\n```", "b"),
        ("```py\nprint('Answer: ', x)\n```", "print('Answer: ', x)"),
        ("print('Answer: ', x)", "print('Answer: ', x)"),
        ("<think>```x```</think>```\ny\n```", "y"),
        ("```py\na\n```\n```py\na\n```", "a"),
    ],
)
def test_code_is_the_fenced_block_else_all_of_the_text(raw: str, code: str) -> None:
    found = parse_answer("code", raw)
    assert isinstance(found, str)
    assert found.strip(" ") == code.strip(" ") if raw.startswith("Answer") else found == code


def test_media_are_the_files_in_their_order_and_nothing_else() -> None:
    assert parse_answer("media", "Here it is", files=["/b.png", "/a.png"]) == Structured([{"file": "/b.png"}, {"file": "/a.png"}])
    assert isinstance(parse_answer("media", ""), Unparsable)


def test_masks_may_be_pictures_that_the_answer_came_with() -> None:
    one, two = "/x/1.png", "/x/2.png"
    assert parse_answer("masks", "", files=[one]) == Structured([{"label": "", "mask": {"file": one}}])
    assert parse_answer("masks", "Done.", files=[one, two]) == Structured([{"label": "", "mask": [{"file": one}, {"file": two}]}])
    said = [{"label": "cat", "mask": {"file": two}}]
    assert parse_answer("masks", json.dumps(said), files=[one, two]) == Structured(said)
    other = parse_answer("masks", json.dumps([{"label": "cat", "mask": {"file": "/etc/passwd"}}]), files=[one])
    assert other == Structured([{"label": "", "mask": {"file": one}}]), "a file that is named is none of the answer's"


@pytest.mark.parametrize(
    ("kind", "raw", "found"),
    [
        ("choice", '{"answer": "B"}', "B"),
        ("choice", '```json\n{"answer": "B"}\n```', "B"),
        ("label", '{"answer": "Wet"}', "wet"),
        ("short_text", '{"answer": "a cat"}', "a cat"),
        ("number", '{"answer": -2.5e1}', -25.0),
        ("items", '{"answer": ["a", "b, c"]}', ("a", "b, c")),
        ("items", '{"answer": []}', ()),
        ("long_text", '{"answer": "x"}', '{"answer": "x"}'),
    ],
)
def test_answers_held_to_a_schema_are_taken_out_of_their_object(kind: str, raw: str, found: Any) -> None:
    assert parse_answer(kind, raw, ["dry", "wet"]) == found


@pytest.mark.parametrize("kind", ["choice", "label", "short_text", "number", "items", "boxes", *KINDS])
def test_no_answer_in_the_object_is_no_answer(kind: str) -> None:
    if kind != "structure":
        assert isinstance(parse_answer(kind, '{"answer": null}', ["dry", "wet"]), Unparsable)


plain_json = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-9, 9),
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from(["a", "0", "person"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                ["label", "box", "mask", "points", "polygons", "counts", "size", "frame", "id", "boxes", "subject", "answer", "0"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=24,
)


@settings(max_examples=300)
@given(st.sampled_from(KINDS), plain_json, st.sampled_from(sorted(WRITTEN)), st.integers(0, 400))
def test_any_json_in_any_way_of_writing_and_cut_anywhere_ends_in_normal_form_or_a_reason(kind: str, value: Any, way: str, end: int) -> None:
    found = parse_answer(kind, WRITTEN[way](value)[:end])
    if isinstance(found, Unparsable):
        assert "\n" not in found.reason
    else:
        assert isinstance(found, Structured)
        json.dumps(found.value, allow_nan=False)
        assert normal_form(kind, found.value) == found.value, "the normal form is its own"


@settings(max_examples=100)
@given(st.sampled_from(KINDS), plain_json)
def test_what_the_labels_reader_takes_the_parser_takes_too(kind: str, value: Any) -> None:
    try:
        expected = normal_form(kind, value)
    except ValueError:
        return
    if isinstance(value, list | dict) and value and expected and not (isinstance(value, dict) and set(value) == {"answer"}):
        assert parse_answer(kind, json.dumps(value)) == Structured(expected)


@pytest.mark.parametrize("kind", ["masks", "relations", "series", "structure", "code"])
@pytest.mark.parametrize(
    "unit", ['["', "['", "[x", '["\\', "[1,", '{"a":', "[[1,2],", "1,", "- a - ", "-=", "a -> ", "```", "```\n", "}{", '"[', "],[", "   "]
)
def test_hostile_repetition_is_read_in_linear_time(kind: str, unit: str) -> None:
    text = unit * (50_000 // len(unit))
    started = time.process_time()
    parse_answer(kind, text)
    assert time.process_time() - started < 2.0
