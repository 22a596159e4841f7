"""From a prediction, in whatever form a submission has it, to the text and files that the answer parsers read.

A prediction is text, a number, a file path, or the same structure as the task's label. Structures and numbers are written out in the
form of their answer type; text stays as it is, since a model may have written it. Files lie where a label's would: relative to the
folder of the task's predictions or in its media folders, and never outside of the predictions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from genlevel.benchmark.answer_kinds import KINDS, AnswerType, Shape
from genlevel.benchmark.choices import to_letter
from genlevel.benchmark.forms import normal_form
from genlevel.benchmark.forms.boxes import known_format
from genlevel.benchmark.forms.written_boxes import Layout, Said, Unit, written_boxes
from genlevel.benchmark.items import read_items
from genlevel.benchmark.label_files import with_files
from genlevel.benchmark.labels import LABEL_KEYS, LabelKinds, acceptable, find_label, looks_like_file
from genlevel.benchmark.media import MediaPlace, MediaProblem, find_media
from genlevel.benchmark.model import Instance, Modality
from scorer.parsers.conventions import NOWHERE, all_fractions, located
from scorer.parsers.nodes import FILE, named_files

_NO_INDEX = LabelKinds().lowest_index


@dataclass(frozen=True, slots=True)
class LabelForm:
    """How a task's file writes its labels, and so may write predictions. bbox_format: "" is x, y, width, height.

    place: where the files that predictions name may lie; None: there are none.
    """

    kinds: LabelKinds
    bbox_format: str = ""
    modality: Modality = Modality.LANGUAGE
    place: MediaPlace | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A prediction as the parsers take it: the raw answer, and the absolute paths of the files that it came with."""

    text: str
    files: tuple[str, ...] = ()


def as_answer(prediction: Any, instance: Instance, form: LabelForm) -> Given:
    """The prediction as a raw answer to ``instance``; without text and files for none.

    What is not an answer of its type is unparsable, never guessed. Raises MediaProblem for a file that is missing, empty or outside
    of the predictions.
    """
    if prediction is None:
        return Given("")
    try:
        kind = KINDS[instance.answer_type]
        if kind.shape is Shape.FILES:
            return _media(prediction, form)
        if kind.shape is Shape.STRUCTURE:
            return _structure(prediction, instance.answer_type, form)
        if isinstance(prediction, dict) and kind.shape is not Shape.BOXES and any(key in prediction for key in LABEL_KEYS):
            prediction = find_label({"output": prediction}, instance.answer_type)
        write = _verbatim if kind.verbatim else _WRITERS[kind.shape]
        return Given("" if prediction is None else write(prediction, instance, form))
    except RecursionError:
        return Given("")


def _media(prediction: Any, form: LabelForm) -> Given:
    """The files that a prediction names, in its order; a folder counts as the frames in it."""
    if form.place is None:
        return Given("")
    try:
        found = with_files(_as_files(prediction), AnswerType.MEDIA, form.place, form.modality)
    except ValueError:
        return Given("")
    return Given("", tuple(_files(found)))


def _as_files(prediction: Any) -> Any:
    """A path, or a list of them, as file nodes: it needs no suffix there, as a folder of frames has none."""
    match prediction:
        case str() if prediction.strip()[:1] not in ("[", "{"):
            return {FILE: prediction} if prediction.strip() else None
        case list():
            return [_as_files(part) for part in prediction]
        case _:
            return prediction


def _files(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and isinstance(value.get(FILE), str):
        yield value[FILE]
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _files(part)


def _structure(prediction: Any, kind: AnswerType, form: LabelForm) -> Given:
    """A structure as the task's labels have it, with its files in place; text, unless it names a file or a folder, as it is."""
    if isinstance(prediction, str) and not looks_like_file(prediction):
        if not _is_folder(prediction, form):
            return Given(prediction)
        prediction = {FILE: prediction}
    label = find_label({"output": prediction}, kind) if isinstance(prediction, dict) else prediction
    try:
        if form.place is not None:
            label = with_files(label, kind, form.place, form.modality)
        found = normal_form(kind, label, box_format=form.bbox_format, modality=form.modality)
        return Given(json.dumps(found), tuple(sorted(named_files(found))))
    except ValueError:
        return Given(json.dumps(prediction))  # the parser says what is wrong with it


def _is_folder(written: str, form: LabelForm) -> bool:
    """Whether a text is the path of what lies in the predictions, such as a folder of frames, whose name has no suffix."""
    if form.place is None or len(written) > 400 or "\n" in written:
        return False
    try:
        return bool(find_media(form.place, written, form.modality, look_inside=False, of_label=True))
    except MediaProblem:
        return False


def _choice(prediction: Any, instance: Instance, form: LabelForm) -> str:
    """A letter for what the task's own labels could say, a letter, an option's text or its index; any other text is for the parser."""
    candidates = [prediction]
    if isinstance(prediction, str) and form.kinds.lowest_index != _NO_INDEX and prediction.strip().isdecimal():
        candidates.append(int(prediction.strip()[:9]))
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
    """Of the format of the task's labels, if nothing in them says another, with a confidence if one is stated."""
    if isinstance(prediction, str):
        return prediction
    try:
        found = written_boxes(prediction, Said(layout=Layout(known_format(form.bbox_format))))
        boxes = [located(box, NOWHERE) for box in found]
    except ValueError:
        return json.dumps(prediction)  # the parser says what is wrong with it
    # Labels may be fractions, and so are then predictions: these are not those of a picture's pixels.
    unit = {"unit": Unit.PIXELS} if all_fractions([side for box in found for side in box.numbers]) else {}
    entries = [
        {"label": box.label, "box": [box.x, box.y, box.width, box.height]}
        | ({} if box.confidence is None else {"score": box.confidence})
        | unit
        for box in boxes
    ]
    return json.dumps(entries or prediction)


def _number(prediction: Any, instance: Instance, form: LabelForm) -> str:
    """For an anomaly's label true is 1 and false 0, as labels are read."""
    return str(int(prediction)) if isinstance(prediction, bool) else _text(prediction, instance, form)


def _verbatim(prediction: Any, _instance: Instance, _form: LabelForm) -> str:
    """A text as it stands, its indentation included; of several the first."""
    listed = prediction if isinstance(prediction, list) else [prediction]
    return next((text for text in listed if isinstance(text, str)), "")


_WRITERS: dict[Shape, Callable[[Any, Instance, LabelForm], str]] = {
    Shape.LETTER: _choice,
    Shape.TEXT: _text,
    Shape.NUMBER: _number,
    Shape.ITEMS: _items,
    Shape.BOXES: _boxes,
}
