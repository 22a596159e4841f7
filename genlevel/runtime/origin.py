"""Where settings were written, in a file or in environment variables, so that whoever finds a mistake later can name its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FieldPath = tuple[str | int, ...]
"""The way to a field: section, name, ..., numbers in lists."""


@dataclass(frozen=True, slots=True)
class Origin:
    """file: its name for messages, "" = the settings come from no file. lines: of keys and values, from 1. variables: names, by the fields
    that come from the environment instead.

    Any two are equal: where settings were written is not part of what they say.
    """

    file: str = field(default="", compare=False)
    lines: Mapping[FieldPath, int] = field(default_factory=dict, compare=False)
    variables: Mapping[FieldPath, str] = field(default_factory=dict, compare=False)

    def line(self, path: FieldPath) -> int:
        """The line of a field, or of what it would stand in if it is not written down; 0 if it comes from the environment."""
        while path not in self.lines and path not in self.variables and path:
            path = path[:-1]
        return 0 if path in self.variables else self.lines.get(path, 1)

    def writes(self, path: FieldPath) -> bool:
        """Whether a field is written down, and no default."""
        return path in self.lines or path in self.variables

    def place(self, path: FieldPath) -> str:
        """A field for a message: "genlevel.yaml:12: accounts.team.provider", or "GENLEVEL_QUEUE: queue"; its name alone if neither."""
        outer = path
        while outer and not self.writes(outer):
            outer = outer[:-1]
        if outer in self.variables:
            return f"{self.variables[outer]}: {dotted(path)}"
        return f"{self.file}:{self.line(path)}: {dotted(path)}" if self.file else dotted(path)


def dotted(path: FieldPath) -> str:
    """A field's name as people write it.

    Example:
        >>> dotted(("routes", "fast", "input_modalities", 0))
        'routes.fast.input_modalities[0]'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".") or "the file"
