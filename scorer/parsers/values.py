"""What parsers return: an answer as a plain value, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unparsable:
    """No answer of the asked type could be read. reason: one line for a person."""

    reason: str


@dataclass(frozen=True, slots=True)
class Box:
    """One box, in pixels from the top left. confidence: None where the model stated none."""

    x: float
    y: float
    width: float
    height: float
    label: str = ""
    confidence: float | None = None


Parsed = str | float | tuple[str, ...] | tuple[Box, ...]
