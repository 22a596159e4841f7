"""File nodes in labels and answers: {"file": path} stands for a file wherever one is named."""

from __future__ import annotations

from collections.abc import Callable

FILE = "file"


def replaced_nodes(value: object, replace: Callable[[dict[str, object]], dict[str, object]]) -> object:
    """The same JSON with every object replaced, the outermost first; what replaces one is not looked into if it is another object."""
    match value:
        case dict():
            replaced = replace(value)
            return replaced if replaced is not value else {key: replaced_nodes(entry, replace) for key, entry in value.items()}
        case list():
            return [entry if isinstance(entry, str | int | float) else replaced_nodes(entry, replace) for entry in value]
        case _:
            return value


def named_files(value: object) -> set[str]:
    """The paths of all file nodes in an answer or a label."""
    found: set[str] = set()

    def note(node: dict[str, object]) -> dict[str, object]:
        if FILE in node:
            found.add(str(node[FILE]))
        return node

    replaced_nodes(value, note)
    return found
