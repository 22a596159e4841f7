"""The inverse of scorer.predictions.answers: what a model answered, as a prediction in the form of its task's own labels.

The official scorer compares most predictions with the label as the annotation writes it, exactly; so a choice is a letter, an index or the
option's text, and items are a list or a text with the annotation's separator, whichever the labels are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from genlevel.benchmark.annotation import stream_items
from genlevel.benchmark.answer_kinds import KINDS, Shape
from genlevel.benchmark.choices import LETTERS, to_letter
from genlevel.benchmark.folder_task import FolderTask
from genlevel.benchmark.forms.boxes import known_format
from genlevel.benchmark.labels import find_label
from genlevel.benchmark.model import Instance
from scorer.parsers import Box, Parsed, Structured, Unparsable, parse_answer
from scorer.predictions.answers import LabelForm, as_answer

_LOOKED_AT = 1_000
_PARAGRAPH = "<p>"


@dataclass(frozen=True, slots=True)
class PredictionStyle:
    """How a task's labels are written. kind: "letter", "number", "text", "list" or "object", whichever most are; "" without labels.

    separator: between the items of a label that is a text.
    """

    form: LabelForm
    kind: str = ""
    separator: str = ", "


def style_of(task: FolderTask) -> PredictionStyle:
    """The style of a task's labels, from the first thousand of them. Raises DatasetError for an annotation that cannot be read."""
    envelope = task.survey.envelope
    form = LabelForm(task.survey.kinds, envelope.bbox_format, task.modality)
    labels = [find_label(item, task.answer_type) for item in islice(stream_items(task.annotation), _LOOKED_AT) if isinstance(item, dict)]
    return _style(form, [label for label in labels if label is not None])


def _style(form: LabelForm, labels: Iterable[Any]) -> PredictionStyle:
    kinds: Counter[str] = Counter()
    paragraphs = 0
    for label in labels:
        paragraphs += isinstance(label, str) and _PARAGRAPH in label
        kinds[_kind(label)] += 1
    return PredictionStyle(form, kinds.most_common(1)[0][0] if kinds else "", _PARAGRAPH if paragraphs else ", ")


def _kind(label: Any) -> str:
    match label:
        case str():
            return "letter" if len(label.strip()) == 1 and label.strip().isalpha() else "text"
        case bool():
            return "text"
        case int() | float():
            return "number"
        case list():
            return "list"
        case _:
            return "object"


def as_prediction(raw: str, instance: Instance, style: PredictionStyle, files: tuple[str, ...] = (), *, read: Parsed | None = None) -> Any:
    """A raw answer as a prediction; None if no answer can be read in it.

    files: the files that it came with, by their paths as the prediction is to name them. read: what was read in it, if that is known:
    all of a task's answers may have said what one alone does not. What would not be read back as the same answer is written plainly: a
    letter, a list, or the model's own text.
    """
    parsed = parse_answer(instance.answer_type, raw, instance.options, files) if read is None else read
    if isinstance(parsed, Unparsable):
        return None
    if KINDS[instance.answer_type].shape is Shape.FILES:
        return files[0] if len(files) == 1 else list(files)
    if isinstance(parsed, Structured):
        return _without_nodes(parsed.value)
    return next((way for way in _ways(parsed, instance, style) if _reads_as(way, parsed, instance, style)), raw)


def _reads_as(prediction: Any, parsed: Parsed, instance: Instance, style: PredictionStyle) -> bool:
    given = as_answer(prediction, instance, style.form)
    again = parse_answer(instance.answer_type, given.text, instance.options)
    if KINDS[instance.answer_type].shape is Shape.BOXES and isinstance(parsed, tuple) and isinstance(again, tuple):
        # Corners and sides differ by a rounding.
        return [_rounded(box) for box in again] == [_rounded(box) for box in parsed]
    return again == parsed


def _rounded(box: Any) -> tuple[Any, ...]:
    return (*(round(side, 6) for side in (box.x, box.y, box.width, box.height)), box.label, box.confidence)


def _ways(parsed: Any, instance: Instance, style: PredictionStyle) -> Iterable[Any]:
    """Ways of writing an answer, the labels' own first."""
    match KINDS[instance.answer_type].shape:
        case Shape.LETTER:
            yield from _choice(parsed, instance, style)
        case Shape.NUMBER:
            number = int(parsed) if parsed.is_integer() and abs(parsed) < 1e15 else parsed
            yield number if style.kind == "number" else str(number)
        case Shape.ITEMS:
            items = list(parsed)
            if style.kind == "text":
                nested = style.separator != _PARAGRAPH and any("," in item or "=>" in item for item in items)
                yield style.separator.join(f"({item})" if nested else item for item in items)
            yield items
        case Shape.BOXES:
            yield from _boxes(parsed, style)
        case _:
            yield parsed


def _choice(letter: str, instance: Instance, style: PredictionStyle) -> Iterable[Any]:
    position = LETTERS.index(letter)
    if style.kind == "number":
        for index in (position, position + 1):
            try:
                if to_letter(index, instance.options, style.form.kinds) == letter:
                    yield index
            except ValueError:
                continue
    if style.kind == "text" and position < len(instance.options):
        yield instance.options[position]
    yield letter
    # A letter that is the text of another option would be read as that one.
    if position < len(instance.options):
        yield instance.options[position]
        yield f"{letter}. {instance.options[position]}"


def _boxes(boxes: tuple[Box, ...], style: PredictionStyle) -> Iterable[Any]:
    """In the annotation's format of boxes; by label if its labels are, unless there are confidences to keep."""
    known = known_format(style.form.bbox_format)
    sides = [_sides(box, known) for box in boxes]
    if style.kind == "object" and all(box.confidence is None for box in boxes):
        by_label: dict[str, list[Any]] = {}
        for box, written in zip(boxes, sides, strict=True):
            by_label.setdefault(box.label, []).append(written)
        yield by_label
    yield [
        {"label": box.label, "bbox": written} | ({} if box.confidence is None else {"score": box.confidence})
        for box, written in zip(boxes, sides, strict=True)
    ]


def _sides(box: Box, known: str) -> list[float]:
    sides = [box.x, box.y, box.width, box.height]
    if known == "xyxy":
        sides = [box.x, box.y, box.x + box.width, box.y + box.height]
    elif known == "cxcywh":
        sides = [box.x + box.width / 2, box.y + box.height / 2, box.width, box.height]
    return [int(side) if side.is_integer() else side for side in sides]


def _without_nodes(value: Any) -> Any:
    """The structure with files by their paths, as annotations write them."""
    match value:
        case {"file": str(path)} if len(value) == 1:
            return path
        case dict():
            return {key: _without_nodes(part) for key, part in value.items()}
        case list():
            return [_without_nodes(part) for part in value]
        case _:
            return value
