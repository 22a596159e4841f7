"""Answers written as predictions: in the form of the task's labels, and read back as the same answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.benchmark.annotation import stream_items
from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.folder_task import FolderTask
from genlevel.benchmark.labels import LabelKinds, find_label
from genlevel.benchmark.model import Instance
from genlevel.benchmark.suites import load_suite
from scorer.parsers import Box, Unparsable, parse_answer
from scorer.predictions.answers import LabelForm, as_answer
from scorer.predictions.writing import PredictionStyle, as_prediction, style_of

OPTIONS = ("dry", "wet", "cold")


def asked(kind: AnswerType, options: tuple[str, ...] = ()) -> Instance:
    return Instance("1", 0, "What?", kind, options=options)


def style(kind: str = "", separator: str = ", ", bbox_format: str = "", **kinds: Any) -> PredictionStyle:
    return PredictionStyle(LabelForm(LabelKinds(**kinds), bbox_format), kind, separator)


@pytest.mark.parametrize(
    ("kind", "options", "raw", "labels", "prediction"),
    [
        (AnswerType.CHOICE, OPTIONS, "The answer is (B).", style("letter"), "B"),
        (AnswerType.CHOICE, OPTIONS, "The answer is (B).", style("text"), "wet"),
        (AnswerType.CHOICE, OPTIONS, "The answer is (B).", style("number", lowest_index=0), 1),
        (AnswerType.CHOICE, OPTIONS, "The answer is (B).", style("number", lowest_index=1, beyond_options=True), 2),
        (AnswerType.CHOICE, OPTIONS, "The answer is (B).", style(), "B"),
        (AnswerType.CHOICE, ("same", "same"), "B", style("text"), "B"),
        (AnswerType.LABEL, (), "Answer: **cat**", style("text"), "cat"),
        (AnswerType.NUMBER, (), "It is 12.0", style("number"), 12),
        (AnswerType.NUMBER, (), "It is 12.5", style("text"), "12.5"),
        (AnswerType.ITEMS, (), '["joy", "fear"]', style("text", "<p>"), "joy<p>fear"),
        (AnswerType.ITEMS, (), '["joy", "fear"]', style("text"), "joy, fear"),
        (AnswerType.ITEMS, (), '["EU, ORG", "x, PER"]', style("text"), "(EU, ORG), (x, PER)"),
        (AnswerType.ITEMS, (), "- joy\n- fear", style("list"), ["joy", "fear"]),
        (AnswerType.CODE, (), "Sure:\n```python\nx = 1\n```", style("text"), "x = 1"),
        (AnswerType.BOXES, (), '[{"label": "cat", "box": [1, 2, 3, 4]}]', style("object"), {"cat": [[1, 2, 3, 4]]}),
        (
            AnswerType.BOXES,
            (),
            '[{"label": "cat", "box": [1, 2, 3, 4], "score": 0.5}]',
            style("object", bbox_format="(x1, y1, x2, y2)"),
            [{"label": "cat", "bbox": [1, 2, 4, 6], "score": 0.5}],
        ),
        (AnswerType.SERIES, (), "1, 2, 3.5", style("list"), [1.0, 2.0, 3.5]),
        (AnswerType.LONG_TEXT, (), "Answer: Well, yes.", style("text"), "Well, yes."),
        (AnswerType.CHOICE, OPTIONS, "Who knows?", style("letter"), None),
        (AnswerType.NUMBER, (), "none", style("number"), None),
    ],
)
def test_an_answer_is_written_as_the_labels_are(
    kind: AnswerType, options: tuple[str, ...], raw: str, labels: PredictionStyle, prediction: Any
) -> None:
    assert as_prediction(raw, asked(kind, options), labels) == prediction


def test_what_the_scorer_has_read_is_written_as_all_of_a_tasks_answers_may_say_what_one_does_not() -> None:
    read = (Box(64.0, 48.0, 32.0, 24.0, "cat"),)
    written = as_prediction('[{"label": "cat", "box": [100, 100, 50, 50]}]', asked(AnswerType.BOXES), style("object"), read=read)
    assert written == {"cat": [[64, 48, 32, 24]]}


def test_media_and_masks_name_their_files() -> None:
    assert as_prediction("", asked(AnswerType.MEDIA), style(), ("images/1.png",)) == "images/1.png"
    assert as_prediction("", asked(AnswerType.MEDIA), style(), ("a.png", "b.png")) == ["a.png", "b.png"]
    assert as_prediction("", asked(AnswerType.MASKS), style(), ("a.png",)) == [{"label": "", "mask": "a.png"}]


@pytest.mark.parametrize(("options", "written"), [(("1", "A"), "1"), (("B", "A", "B"), "A. B"), (("yes", "A"), "A")])
def test_a_letter_that_is_the_text_of_another_option_is_written_so_that_it_is_read_back(options: tuple[str, ...], written: str) -> None:
    one = asked(AnswerType.CHOICE, options)
    assert as_prediction("A", one, style("letter")) == written
    assert parse_answer(AnswerType.CHOICE, as_answer(written, one, style("letter").form).text, options) == "A"


words = st.text(st.sampled_from("abcAB12 ,.<>p()=-é\"'"), max_size=14)


@settings(max_examples=250)
@given(
    kind=st.sampled_from(
        [AnswerType.CHOICE, AnswerType.LABEL, AnswerType.NUMBER, AnswerType.SHORT_TEXT, AnswerType.ITEMS, AnswerType.CODE]
    ),
    raw=st.one_of(words, st.lists(words, max_size=4).map(json.dumps), st.sampled_from(["A", "C", "3/4", "1e3"])),
    options=st.lists(words, min_size=2, max_size=4),
    shape=st.sampled_from(["letter", "number", "text", "list", "object", ""]),
    separator=st.sampled_from([", ", "<p>"]),
)
def test_whatever_is_written_is_read_back_as_the_same_answer(
    kind: AnswerType, raw: str, options: list[str], shape: str, separator: str
) -> None:
    one = asked(kind, tuple(options) if kind is AnswerType.CHOICE else ())
    answer = parse_answer(kind.value, raw, one.options)
    written = as_prediction(raw, one, style(shape, separator, lowest_index=0))
    if isinstance(answer, Unparsable):
        assert written is None
        return
    given_back = as_answer(json.loads(json.dumps(written)), one, style(shape, separator, lowest_index=0).form)
    assert parse_answer(kind.value, given_back.text, one.options) == answer


@pytest.mark.full
def test_right_answers_to_the_open_set_are_written_exactly_as_its_labels_are(openset: Path) -> None:
    """What an exact comparison with the annotation needs."""
    exact = {}
    for task in load_suite(openset).tasks:
        assert isinstance(task, FolderTask)
        labels = style_of(task)
        same = total = 0
        for instance, item in zip(task.labelled(), stream_items(task.annotation), strict=True):
            label = find_label(item, instance.answer_type)
            first = label[0] if isinstance(label, list) and label and instance.answer_type.value.endswith("text") else label
            match instance.answer_type:
                case AnswerType.CHOICE:
                    raw = f"The answer is ({instance.label})."
                case AnswerType.ITEMS | AnswerType.BOXES:
                    raw = json.dumps(instance.label)
                case _:
                    raw = f"Answer: {instance.label[0]}"
            written = as_prediction(raw, instance, labels)
            same += written == (first.strip() if isinstance(first, str) else first)
            total += 1
        exact[task.key] = same / total
    assert len(exact) == 12
    assert {key: share for key, share in exact.items() if share < 0.95 and "Extraction" not in key} == {}
