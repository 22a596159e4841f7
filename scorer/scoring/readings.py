"""What was read in each answer of a task and why, kept beside the statistics for people who ask: packed while a task is scored.

A task may have hundreds of thousands of answers, each as long as a book: one is kept up to MOST_KEPT characters, all of a task up to
MOST_TOGETHER, after which each is kept up to FEW_KEPT. What is longer is cut, and said to be.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import Any

import orjson

from genlevel.benchmark.answer_key import MARK, AnswerKey
from genlevel.benchmark.answer_kinds import Shape
from scorer.parsers import Box, Parsed, Structured
from scorer.parsers.nodes import FILE, replaced_nodes

MOST_KEPT = 4_096
FEW_KEPT = 200
MOST_TOGETHER = 32 * 2**20
"""Bytes before they are compressed."""
MOST_OF_A_REASON = 400
_BLOCK = 2**16
_LEVEL = 3
"""Of zlib: nearly as small as by its usual level, in a third of the time."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in one answer. parsed: JSON in the form of labels; "" if nothing was, or if it was not kept.

    cut: ``parsed`` is the beginning of the answer (or of its JSON), as a text. reason: why nothing was read or measured, in one line.
    """

    parsed: str = ""
    cut: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class KeptReadings:
    """A task's readings as they are stored. parsed: compressed JSON, key of the answer -> [answer read] or [its beginning, 1]; of a key
    that stands there twice the last counts. reasons: compressed JSON, key of the answer -> reason, first of those that could not be read,
    then of those that were not measured; only of those that have one.
    """

    parsed: bytes
    reasons: bytes


class Readings:
    """Collects what is read in a task's answers; what is added again replaces what came before."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(_LEVEL)
        self._packed: list[bytes] = []
        self._block: list[bytes] = []
        self._waiting = self._total = 0
        self._reasons: dict[AnswerKey, str] = {}

    def add(self, key: AnswerKey, parsed: Parsed | None, reason: str = "", *, files: Sequence[str] = ()) -> None:
        """parsed: None if nothing was read. files: paths of the answer's media, which are kept by their names."""
        self.explain(key, reason)
        if parsed is None:
            self._put(str(key), b"[]")
            return
        value = in_label_form(parsed)
        if files:
            value = replaced_nodes(value, partial(_by_name, frozenset(files)))
        self._put(str(key), _written(value, MOST_KEPT if self._total < MOST_TOGETHER else FEW_KEPT))

    def explain(self, key: AnswerKey, reason: str) -> None:
        """Why an answer was not read, or not measured; "": it was."""
        if reason:
            self._reasons[key] = " ".join(reason.split())[:MOST_OF_A_REASON]
        else:
            self._reasons.pop(key, None)

    def kept(self, unparsable: Collection[str] = ()) -> KeptReadings:
        """All that was added so far; more may be added. unparsable: texts of the keys of answers that count as not read."""
        self._pack()
        packer = self._packer.copy()
        parsed = b"".join(self._packed) + packer.compress(b"}" if self._total else b"{}") + packer.flush()
        unread: dict[str, str] = {}
        others: dict[str, str] = {}
        for key, reason in self._reasons.items():
            text = str(key)
            (unread if text in unparsable else others)[text] = reason
        return KeptReadings(parsed, zlib.compress(_json([unread, others])))

    def _put(self, key: str, value: bytes) -> None:
        entry = (b"," if self._total else b"{") + _json(key) + b":" + value
        self._block.append(entry)
        self._waiting += len(entry)
        self._total += len(entry)
        if self._waiting > _BLOCK:
            self._pack()

    def _pack(self) -> None:
        self._packed.append(self._packer.compress(b"".join(self._block)))
        self._block, self._waiting = [], 0


def readings_of(kept: KeptReadings, only: Collection[str] = ()) -> dict[AnswerKey, Reading]:
    """The readings by answer. only: of these instances alone, if some are named."""
    parsed: Mapping[str, list[object]] = orjson.loads(zlib.decompress(kept.parsed))
    unread, others = orjson.loads(zlib.decompress(kept.reasons))
    reasons: Mapping[str, str] = {**unread, **others}
    found = {}
    for text in {**parsed, **reasons}:
        if only and text not in only and (text[:1] != MARK or AnswerKey.parse(text).instance not in only):
            continue
        entry = parsed.get(text) or []
        written = orjson.dumps(entry[0]).decode() if entry else ""
        found[AnswerKey.parse(text)] = Reading(written, len(entry) > 1, reasons.get(text, ""))
    return found


def unread_of(reasons: bytes) -> dict[AnswerKey, str]:
    """Why answers could not be read, of ``KeptReadings.reasons``."""
    return {AnswerKey.parse(text): reason for text, reason in orjson.loads(zlib.decompress(reasons))[0].items()}


def in_label_form(parsed: Parsed) -> object:
    """An answer that was read, as plain JSON in the normal form of labels."""
    match parsed:
        case Structured():
            value: object = parsed.value
            return value
        case float():
            return str(int(parsed) if parsed.is_integer() and abs(parsed) < 1e15 else parsed)
        case tuple():
            return [_box(part) if isinstance(part, Box) else part for part in parsed]
        case _:
            return parsed


def from_label_form(value: Any, shape: Shape) -> Parsed:
    """The inverse of ``in_label_form``."""
    match shape:
        case Shape.NUMBER:
            return float(value)
        case Shape.ITEMS:
            return tuple(value)
        case Shape.BOXES:
            boxes = [(*map(float, entry["box"]), entry["label"], entry.get("score")) for entry in value]
            return tuple(Box(x, y, width, height, label, score) for x, y, width, height, label, score in boxes)
        case Shape.STRUCTURE | Shape.FILES:
            return Structured(value)
        case _:
            return str(value)


def _box(box: Box) -> dict[str, object]:
    score = {} if box.confidence is None else {"score": box.confidence}
    return {"label": box.label, "box": [box.x, box.y, box.width, box.height], **score}


def _by_name(files: frozenset[str], node: dict[str, object]) -> dict[str, object]:
    """A node that names one of the answer's files, by that file's name alone: it lies somewhere else tomorrow."""
    path = node.get(FILE)
    return {**node, FILE: PurePath(path).name} if isinstance(path, str) and path in files else node


def _written(value: object, most: int) -> bytes:
    """The entry of an answer: [answer], or [its beginning as a text, 1] if it is too long."""
    if isinstance(value, str):
        return b"[" + _json(value) + b"]" if len(value) <= most else b"[" + _json(f"{value[:most]}…") + b",1]"
    text = _structure(value)
    if text is not None and len(text) <= most:
        return b"[" + text + b"]"
    beginning = _any_json(value) if text is None else text[: most * 4].decode(errors="ignore")
    return b"[" + _json(f"{beginning[:most]}…") + b",1]"


def _structure(value: object) -> bytes | None:
    """As JSON that can be read again; None if its numbers or its depth make that impossible."""
    try:
        return orjson.dumps(value)
    except TypeError:
        text = _any_json(value).encode(errors="replace")
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return text


def _any_json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return ""


def _json(value: object) -> bytes:
    """As JSON, whatever its texts are: half of a surrogate pair, which no file can have, becomes a question mark."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=False).encode(errors="replace")
