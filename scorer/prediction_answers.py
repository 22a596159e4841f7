"""From a prediction, in whatever form a submission has it, to the text that the answer parsers read.

A prediction is text, a number, a file path, or the same structure as the task's label. Structures and numbers are written out in the
form of their answer type; text stays as it is, since a model may have written it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from genlevel.benchmark.choices import to_letter
from genlevel.benchmark.forms.boxes import normal_boxes
from genlevel.benchmark.items import read_items
from genlevel.benchmark.labels import LABEL_KEYS, LabelKinds, acceptable, find_label
from genlevel.benchmark.model import AnswerType, Instance
from scorer.parsers import Box, Unparsable, parse_answer

_NO_INDEX = LabelKinds().lowest_index


@dataclass(frozen=True, slots=True)
class LabelForm:
    """How a task's file writes its labels, and so may write predictions. bbox_format: "" is x, y, width, height."""

    kinds: LabelKinds
    bbox_format: str = ""


def as_answer(prediction: Any, instance: Instance, form: LabelForm) -> str:
    """The prediction as a raw answer to ``instance``; "" for none. What is no answer of its type comes out unparsable, never guessed."""
    try:
        if isinstance(prediction, dict) and instance.answer_type is not AnswerType.BOXES and any(key in prediction for key in LABEL_KEYS):
            prediction = find_label({"output": prediction})
        if prediction is None:
            return ""
        return _WRITERS.get(instance.answer_type, _plain)(prediction, instance, form)
    except RecursionError:
        return ""


def _choice(prediction: Any, instance: Instance, form: LabelForm) -> str:
    """A letter for what the task's own labels could say: a letter, an option's text or its index."""
    if isinstance(prediction, str) and not isinstance(parse_answer("choice", prediction, instance.options), Unparsable):
        return prediction
    candidates = [prediction]
    if isinstance(prediction, str) and form.kinds.lowest_index != _NO_INDEX and prediction.strip().isdecimal() and len(prediction) < 9:
        candidates.append(int(prediction))
    for candidate in candidates:
        try:
            return to_letter(candidate, instance.options, form.kinds)
        except ValueError:
            continue
    # Written out, a structure could read like a letter that nobody gave.
    return prediction if isinstance(prediction, str) else ""


def _text(prediction: Any, _instance: Instance, _form: LabelForm) -> str:
    """Of several texts the first: the one that the model ranks highest."""
    return prediction if isinstance(prediction, str) else next(iter(acceptable(prediction) or ()), "")


def _items(prediction: Any, _instance: Instance, _form: LabelForm) -> str:
    if isinstance(prediction, str) and "<p>" not in prediction:
        return prediction
    return json.dumps(read_items(prediction).items)


def _boxes(prediction: Any, _instance: Instance, form: LabelForm) -> str:
    """In the format of the task's labels, with a confidence where one is stated."""
    if isinstance(prediction, str):
        return prediction
    written = json.dumps(prediction)
    found = parse_answer("boxes", written)
    if isinstance(found, Unparsable) or not isinstance(found, tuple):
        return written
    return json.dumps([_box(box, form) for box in found if isinstance(box, Box)])


def _box(box: Box, form: LabelForm) -> dict[str, Any]:
    try:
        sides = normal_boxes([[box.x, box.y, box.width, box.height]], form.bbox_format)[0]["box"]
    except ValueError:
        sides = [box.x, box.y, 0.0, 0.0]  # impossible in that format: a box that matches nothing
    written: dict[str, Any] = {"label": box.label, "box": sides}
    return written if box.confidence is None else {**written, "score": box.confidence}


def _plain(prediction: Any, _instance: Instance, _form: LabelForm) -> str:
    return prediction if isinstance(prediction, str) else json.dumps(prediction)


_WRITERS: dict[AnswerType, Callable[[Any, Instance, LabelForm], str]] = {
    AnswerType.CHOICE: _choice,
    AnswerType.LABEL: _text,
    AnswerType.NUMBER: _text,
    AnswerType.SHORT_TEXT: _text,
    AnswerType.LONG_TEXT: _text,
    AnswerType.ITEMS: _items,
    AnswerType.BOXES: _boxes,
}
