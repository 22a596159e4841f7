"""Which file settings were read from and in which line each of them stands, so that whoever finds a mistake later can name its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FieldPath = tuple[str | int, ...]
"""The way to a field: section, name, ..., numbers in lists."""


@dataclass(frozen=True, slots=True)
class Origin:
    """file: its name for messages, "" = the settings come from no file. lines: of keys and values, from 1.

    Any two are equal: where settings were written is not part of what they say.
    """

    file: str = field(default="", compare=False)
    lines: Mapping[FieldPath, int] = field(default_factory=dict, compare=False)

    def line(self, path: FieldPath) -> int:
        """The line of a field, or of what it would stand in if it is not written down."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)

    def place(self, path: FieldPath) -> str:
        """A field for a message: "genlevel.yaml:12: accounts.team.provider", or its name alone if there is no file."""
        return f"{self.file}:{self.line(path)}: {dotted(path)}" if self.file else dotted(path)


def dotted(path: FieldPath) -> str:
    """A field's name as people write it.

    Example:
        >>> dotted(("routes", "fast", "input_modalities", 0))
        'routes.fast.input_modalities[0]'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".") or "the file"
