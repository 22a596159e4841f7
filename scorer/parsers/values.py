"""What parsers return: an answer as a plain value, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Unparsable:
    """No answer of the asked type could be read. reason: one line for a person."""

    reason: str


@dataclass(frozen=True, slots=True)
class Box:
    """One box, in pixels from the top left. confidence: None if the model stated none."""

    x: float
    y: float
    width: float
    height: float
    label: str = ""
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Structured:
    """An answer that is not text, a number or boxes: masks, tracks, files, and so on.

    value: plain JSON in the normal form of its answer type, as labels have it (genlevel.benchmark.model.AnswerType); entries may have
    "score", their confidence. A file is {"file": path}.
    """

    value: Any


Parsed = str | float | tuple[str, ...] | tuple[Box, ...] | Structured
