"""Labels in every form the annotations use become one normal form."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.choices import embedded_options, listed_options, to_letter
from genlevel.benchmark.forms.boxes import box_format, normal_boxes
from genlevel.benchmark.items import read_items
from genlevel.benchmark.labels import LABEL_KEYS, LabelKinds, acceptable, find_label, is_number, looks_like_boxes
from genlevel.benchmark.texts import normal_text

OPTIONS = ("a red car", "a blue car", "neither")


@pytest.mark.parametrize(
    "label",
    ["B", "b", "(B)", "B.", "B)", " [B] ", "Option B", "B. a blue car", "(b) A Blue Car.", "a blue car", "A  blue CAR", ["B"], ["B", "b"]],
)
def test_a_choice_label_is_a_letter_whatever_its_form(label: Any) -> None:
    assert to_letter(label, OPTIONS, LabelKinds()) == "B"


def test_an_index_is_read_by_how_the_task_counts() -> None:
    from_zero, from_one, unclear = LabelKinds(), LabelKinds(), LabelKinds()
    for label in (0, 1, 2):
        from_zero.add(label, 3)
        from_one.add(label + 1, 3)
    unclear.add(1, 3)
    assert to_letter(1, OPTIONS, from_zero) == "B"
    assert to_letter(1, OPTIONS, from_one) == "A"
    with pytest.raises(ValueError, match="from 0 or from 1"):
        to_letter(1, OPTIONS, unclear)


@pytest.mark.parametrize(
    ("label", "options", "why"),
    [
        ("D", OPTIONS, "not one of the 3 options"),
        ("a green car", OPTIONS, "not one of the 3 options"),
        ("yes", ("yes", "Yes!"), None),
        ("same", ("same", "same"), "text of 2 options"),
        (["A", "B"], OPTIONS, "2 options are marked right"),
        ("x", tuple(str(n) for n in range(30)), "30 options; at most 26 have letters"),
        ("long text", (), "is not a letter"),
    ],
)
def test_a_choice_label_that_is_no_option_says_why(label: Any, options: tuple[str, ...], why: str | None) -> None:
    if why is None:
        assert to_letter(label, options, LabelKinds()) == "A"
        return
    with pytest.raises(ValueError, match=why):
        to_letter(label, options, LabelKinds())


def test_options_that_are_single_letters_are_matched_by_their_text() -> None:
    assert to_letter("A", ("B", "A", "C"), LabelKinds()) == "B"


@pytest.mark.parametrize(
    ("question", "stem", "options"),
    [
        ("Which? The candidate choices are ['x', 'y'].", "Which?", ("x", "y")),
        ("It is (_). The candidate choices are ['half', \"o'clock\"].", "It is (_).", ("half", "o'clock")),
        ("Who?\nThe candidate choices are ['the children's class', 'none'].", "Who?", ("the children's class", "none")),
        ("How many? The candidate choices are [1, 2.5].", "How many?", ("1", "2.5")),
        ("The candidate choices are many.", "The candidate choices are many.", ()),
        ("One? The candidate choices are ['x'].", "One? The candidate choices are ['x'].", ()),
        ("Evil? The candidate choices are [__import__('os')].", "Evil? The candidate choices are [__import__('os')].", ()),
    ],
)
def test_choices_in_a_question_are_taken_out_of_it(question: str, stem: str, options: tuple[str, ...]) -> None:
    assert embedded_options(question) == (stem, options)


@pytest.mark.parametrize(
    "given_options",
    [
        ["one", "two"],
        ["A. one", "B. two"],
        ["(A) one", "(B) two"],
        {"B": "two", "A": "one"},
        "A) one\nB) two",
        [{"text": "one"}, {"text": "two"}],
    ],
)
def test_listed_options_lose_their_letters(given_options: Any) -> None:
    assert listed_options(given_options) == ("one", "two")


def test_options_keep_a_letter_that_is_not_their_place() -> None:
    assert listed_options(["C. elegans", "A. thaliana"]) == ("C. elegans", "A. thaliana")


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("", "xywh"),
        ("(x_min, y_min, width, height)", "xywh"),
        ("[x, y, w, h]", "xywh"),
        ("(x1, y1, x2, y2)", "xyxy"),
        ("(xmin, ymin, xmax, ymax)", "xyxy"),
        ("(left, top, right, bottom)", "xyxy"),
        ("(x_center, y_center, width, height)", "cxcywh"),
        ("(cx, cy, w, h)", "cxcywh"),
        ("XYXY", "xyxy"),
        ("clockwise corners", ""),
        ("(y_min, x_min, y_max, x_max)", "yxyx"),
    ],
)
def test_written_box_formats_are_understood_or_refused(written: str, known: str) -> None:
    assert box_format(written) == known


@pytest.mark.parametrize(
    "label",
    [
        {"bird": [[1, 2, 3, 4]]},
        {"bird": [1, 2, 3, 4]},
        [{"bird": [1, 2, 3, 4]}],
        [{"label": "bird", "bbox": [1, 2, 3, 4]}],
        {"category": "bird", "boxes": [[1, 2, 3, 4]]},
    ],
)
def test_boxes_have_one_normal_form(label: Any) -> None:
    assert normal_boxes(label) == [{"label": "bird", "box": [1.0, 2.0, 3.0, 4.0]}]


def test_a_format_that_is_written_at_length_is_not_kept() -> None:
    written = " " * 1000 + "(x1, y1, x2, y2)"
    held = sys.getrefcount(written)
    assert normal_boxes([[10, 20, 30, 60]], written)[0]["box"] == [10, 20, 20, 40]
    assert sys.getrefcount(written) == held


def test_corner_and_centre_boxes_are_converted() -> None:
    assert normal_boxes([[10, 20, 30, 60]], "(x1, y1, x2, y2)")[0]["box"] == [10, 20, 20, 40]
    assert normal_boxes([[10, 20, 4, 6]], "(cx, cy, width, height)")[0]["box"] == [8, 17, 4, 6]


@pytest.mark.parametrize("label", ["no box", [[1, 2, 3]], {"bird": "here"}, [[1, 2, -3, 4]], [[1e999, 2, 3, 4]]])
def test_what_is_no_box_is_refused(label: Any) -> None:
    with pytest.raises(ValueError, match="box"):
        normal_boxes(label)


@pytest.mark.parametrize(
    ("text", "items", "unreadable", "unbalanced"),
    [
        ("(S 2 (PER) => per:alternate_names => Mon (PER) (S 3 (PER) => per:friends => Rach (PER)", 2, 0, True),
        ("(S 2 (PER) => per:alternate_names => Mon (PER)), (S 3 (PER) => per:friends => Rach (PER))", 2, 0, False),
        ("(a => r => b) (c => r => d)", 2, 0, False),
        ("a => r => b\nc => r => d", 2, 0, False),
        ("a => r => b, c => r => d", 2, 0, False),
        ("(a (X) => r => b (Y)", 1, 0, True),
        ("(a (X) => r => b (Y)) and so on", 1, 1, False),
        ("(a (X) => r", 0, 1, True),
        ("(food, great, positive), (wine,bad , negative)", 2, 0, False),
        ("(food, great, positive), (wine, ba", 1, 1, True),
        ("Paris, New York", 2, 0, False),
        ("joy<p>anger, mostly<p>joy", 2, 0, False),
        ('["x", "y, z"]', 2, 0, False),
        ("", 0, 0, False),
        ("none", 1, 0, False),
    ],
)
def test_items_are_read_even_where_brackets_are_broken(text: str, items: int, unreadable: int, unbalanced: bool) -> None:
    read = read_items(text)
    assert (len(read.items), read.unreadable, read.unbalanced) == (items, unreadable, unbalanced)


def test_a_relation_reads_the_same_with_and_without_its_closing_bracket() -> None:
    broken = read_items("(Speaker 2 (PER) => per:alternate_names => Mon (PER) (Speaker 3 (PER) => per:friends => Rach (PER)")
    whole = read_items("(Speaker 2 (PER)  =>  per:alternate_names => Mon (PER)); (Speaker 3 (PER) => per:friends => Rach (PER))")
    assert (
        broken.items
        == whole.items
        == ["Speaker 2 (PER) => per:alternate_names => Mon (PER)", "Speaker 3 (PER) => per:friends => Rach (PER)"]
    )


def test_structured_items_become_texts() -> None:
    assert read_items([["food", "great"], "x", {"a": 1, "b": True}, None]).items == ["food, great", "x", "1, true"]
    assert read_items({"entities": ["x", "y"]}).items == ["x", "y"]
    assert read_items({"PER": ["Ann", "Bob"], "LOC": "Rome"}).items == ["PER: Ann", "PER: Bob", "LOC: Rome"]


def test_a_tuple_is_the_same_item_as_text_and_as_structure() -> None:
    assert read_items("(food,great , positive)").items == read_items('[["food", "great", "positive"]]').items == ["food, great, positive"]


word = st.text("abcdefgXYZ :_/-0123456789", min_size=1, max_size=12).map(str.strip).filter(lambda text: text.strip(" -") == text and text)


@given(st.lists(st.tuples(word, word, word, word, word), min_size=1, max_size=8), st.sampled_from(["{}", "{})", "({})", "({}"]))
def test_relations_with_types_survive_any_bracketing(relations: list[tuple[str, ...]], bracketed: str) -> None:
    written = [f"{a} ({b}) => {r} => {c} ({d})" for a, b, r, c, d in relations]
    read = read_items(" ".join(bracketed.format(text) for text in written))
    assert read.items == list(dict.fromkeys(" ".join(text.split()) for text in written))
    assert read.unreadable == 0


@given(st.text('()=>,<p>\n ab[]{}"', max_size=200))
def test_any_text_can_be_split_into_items(text: str) -> None:
    read = read_items(text)
    assert all(item == " ".join(item.split()) and item for item in read.items)
    assert read.unreadable >= 0


def test_splitting_time_grows_with_the_text_not_its_square() -> None:
    for text in ("a " * 200_000 + "=> r => b", "(" * 200_000, "a => " * 50_000, ", " * 200_000):
        read_items(text)


@pytest.mark.parametrize(
    ("output", "label"),
    [
        ({"answer": "A"}, "A"),
        ({"text": ["x", "y"]}, ["x", "y"]),
        ({"response": "hi", "note": "n"}, "hi"),
        ({"answer": None, "text": "x"}, "x"),
        ({"answer": None, "text": None}, None),
        ({"repairCode": "x = 1"}, "x = 1"),
        ({"solution": {"final_answer": 12, "steps": ["a"]}}, 12),
        ({"proof": {"steps": ["s1", "s2"], "conclusion": "qed"}}, "s1\ns2\nqed"),
        ({"mystery": "m"}, "m"),
        ({"m1": 1, "m2": 2}, {"m1": 1, "m2": 2}),
        ("plain", "plain"),
        ({}, None),
        (None, None),
        ("", None),
    ],
)
def test_a_label_is_found_under_any_of_its_names(output: Any, label: Any) -> None:
    assert find_label({"id": 1, "output": output}) == label


def test_a_closed_set_has_no_label() -> None:
    assert find_label({"id": 1, "input": {}}) is None


def test_boxes_win_over_a_class_name_where_boxes_are_asked() -> None:
    item = {"output": {"text": "fall", "bbox": [[1, 2, 3, 4]]}}
    assert find_label(item) == "fall"
    assert normal_boxes(find_label(item, AnswerType.BOXES)) == [{"label": "fall", "box": [1.0, 2.0, 3.0, 4.0]}]


def test_acceptable_texts_are_trimmed_and_distinct() -> None:
    assert acceptable([" x ", "x", 4, True, None, ""]) == ["x", "4", "true"]
    assert acceptable("") is None
    assert acceptable([]) is None


def test_signs_and_symbols_tell_options_apart() -> None:
    grades, kinds = ("A+", "A-", "F"), LabelKinds()
    assert [to_letter(grade, grades, kinds) for grade in grades] == ["A", "B", "C"]
    assert to_letter("-5", ("5", "-5"), kinds) == "B"


@given(st.text(min_size=1))
@example("⑴")
@example("İstanbul")
def test_brackets_around_a_text_are_no_part_of_it_whatever_it_says(text: str) -> None:
    if text[0].isalnum() and text[-1].isalnum():
        assert normal_text(f"({text}).") == normal_text(text)


_NAMES = st.sampled_from((*LABEL_KEYS, "name", "other"))
_PARTS = st.recursive(st.none() | st.text(max_size=3) | st.integers(), lambda part: st.lists(part, max_size=3))


@given(st.dictionaries(_NAMES, _PARTS, max_size=4))
def test_a_text_that_is_asked_for_stands_where_it_stands_if_nothing_is_known(output: dict[str, Any]) -> None:
    assert find_label({"output": output}, AnswerType.SHORT_TEXT) == find_label({"output": output})


@given(st.text())
def test_a_list_of_one_text_says_what_the_text_says(text: str) -> None:
    assert acceptable([text]) == acceptable(text) == acceptable([None, text, text])


def test_numbers_and_boxes_are_told_apart_from_texts() -> None:
    assert all(is_number(text) for text in ("12", "-3.5", "1,000", ".5"))
    assert not any(is_number(text) for text in ("nan", "inf", "twelve", "", "1-2"))
    assert looks_like_boxes({"bird": [[1, 2, 3, 4]]})
    assert not any(looks_like_boxes(label) for label in ([1, 2, 3, 4], ["a", "b"], {"a": "b"}, [], {}, "x"))
