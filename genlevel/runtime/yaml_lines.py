"""YAML that people write, read with the place of each key and value, so that every mistake in it is answered with where it stands."""

from __future__ import annotations

import difflib
import json
import math
import re
import typing
from collections.abc import Iterable
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.origin import FieldPath, Origin, dotted
from genlevel.runtime.shown import without_secrets

Model = TypeVar("Model", bound=BaseModel)

_HALF = re.compile("[\ud800-\udfff]")


class _Loader(yaml.SafeLoader):
    """YAML as people mean it: dates stay text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class YamlValue:
    """A YAML text that holds any value: its data, and the line of every key and value.

    Args:
        place: what has the text, such as the name of a variable, for messages.
        path: of the field that the value is for.

    Raises ConfigurationError, which names the place, if it is not YAML.
    """

    def __init__(self, text: str, place: str, path: FieldPath = ()) -> None:
        self.lines: dict[FieldPath, int] = {}
        self._place = place
        self._open: list[yaml.Node] = []
        try:
            self._loader = _Loader(text)
            root = self._loader.get_single_node()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise self._problem(mark.line + 1 if mark else 1, f"not valid YAML: {error.problem or error.context}") from None
        except yaml.YAMLError as error:
            raise self._problem(1, f"not valid YAML: {str(error).splitlines()[0]}") from None
        except RecursionError:
            raise self._problem(1, "nested too deeply") from None
        self.data: Any = None if root is None else self._value(root, path)

    def _value(self, node: yaml.Node, path: FieldPath) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if any(node is outer for outer in self._open):
            raise self._problem(node.start_mark.line + 1, f"{dotted(path)}: refers to itself")
        self._open.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
            return self._scalar(node, path)
        finally:
            self._open.pop()

    def _mapping(self, node: yaml.MappingNode, path: FieldPath) -> dict[str, Any]:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise self._problem(line, f"{dotted(path)}: a field's name must be plain text")
            if not is_text(key.value):
                raise self._problem(line, f"{dotted(path)}: a field's name has half a character (\\ud800 to \\udfff)")
            if key.value in seen:
                raise self._problem(line, f"{dotted((*path, key.value))}: written twice (first in line {seen[key.value]}); keep one")
            seen[key.value] = line
        try:
            self._loader.flatten_mapping(node)  # resolves "<<"
        except yaml.MarkedYAMLError as error:
            raise self._problem(node.start_mark.line + 1, f"{dotted(path)}: {error.problem}") from None
        result = {}
        for key, value in node.value:
            inner = (*path, str(key.value))
            self.lines[inner] = key.start_mark.line + 1
            result[str(key.value)] = self._value(value, inner)
        return result

    def _scalar(self, node: yaml.Node, path: FieldPath) -> Any:
        try:
            value = self._loader.construct_object(node)
        except yaml.YAMLError:
            raise self._problem(
                node.start_mark.line + 1, f"{dotted(path)}: the tag {node.tag} is not known here; write a plain value"
            ) from None
        except ValueError:
            raise self._problem(
                node.start_mark.line + 1, f"{dotted(path)}: {node.value!r} cannot be read; put it in quotes if it is text"
            ) from None
        if isinstance(value, float) and not math.isfinite(value):
            raise self._problem(node.start_mark.line + 1, f"{dotted(path)}: must be a finite number")
        if isinstance(value, str) and not is_text(value):
            raise self._problem(node.start_mark.line + 1, f"{dotted(path)}: has half a character (\\ud800 to \\udfff)")
        if value is not None and not isinstance(value, str | int | float | bool):
            raise self._problem(node.start_mark.line + 1, f"{dotted(path)}: must be text, a number, true or false")
        return value

    def _problem(self, line: int, text: str) -> ConfigurationError:
        return ConfigurationError(f"{self._place}: {text}")


class YamlText(YamlValue):
    """The YAML text of a file, which holds a mapping. file: its name for messages; section: one that it could have, for messages.

    Raises ConfigurationError, which names file and line, if it is not YAML or no mapping.
    """

    def __init__(self, text: str, file: str, section: str = "routes") -> None:
        super().__init__(text, file)
        self.origin = Origin(file, self.lines)
        if self.data is None:
            self.data = {}
        if not isinstance(self.data, dict):
            raise self._problem(1, f"must hold sections such as '{section}:', not a single value or list")

    def checked(self, kind: type[Model], data: object = None) -> Model:
        """The data (or what was made of it) as a model. Raises as the function ``checked``."""
        return checked(kind, self.data if data is None else data, self.origin)

    def _problem(self, line: int, text: str) -> ConfigurationError:
        return ConfigurationError(f"{self._place}:{line}: {text}")


def is_text(value: str) -> bool:
    """Whether a text can be written as UTF-8: not if it has half of a pair of surrogates, as bytes that are no text have in Python."""
    return value.isascii() or _HALF.search(value) is None


def checked(kind: type[Model], data: object, origin: Origin) -> Model:
    """Data as a model. Raises ConfigurationError for the first of what is unknown or wrong, with its place."""
    try:
        return kind.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        entries = error.errors(include_url=False)
        # A misspelt field is also a missing one: the misspelling is what to name.
        entries.sort(key=lambda entry: (entry["type"] == "missing", origin.line(tuple(entry["loc"]))))
        raise first([(tuple(entry["loc"]), _explained(entry, kind)) for entry in entries], origin) from None


def in_order(problems: Iterable[tuple[FieldPath, str]], origin: Origin) -> list[tuple[FieldPath, str]]:
    """Problems, by field, as their fields are written."""
    return sorted(problems, key=lambda problem: (origin.line(problem[0]), dotted(problem[0]), problem[1]))


def first(problems: list[tuple[FieldPath, str]], origin: Origin) -> ConfigurationError:
    """The error of the first of several problems, by field, which says how many more there are."""
    path, text = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return ConfigurationError(f"{origin.place(path)}: {text}{more}")


def _explained(entry: Any, kind: type[BaseModel]) -> str:
    path: FieldPath = tuple(entry["loc"])
    if entry["type"] == "extra_forbidden":
        fields = _fields_at(path[:-1], kind)
        close = difflib.get_close_matches(str(path[-1]), list(fields), n=1)
        return "unknown field; " + (f"did you mean '{close[0]}'?" if close else f"known here: {', '.join(fields)}")
    if entry["type"] == "missing":
        return "is missing"
    message = entry["msg"].removeprefix("Value error, ").removeprefix("Input ").replace(" dictionary", " section")
    given = entry["input"]
    given = without_secrets(given) if isinstance(given, str) else given
    shown = f", not {json.dumps(given)}" if isinstance(given, str | int | float | bool) or given is None else ""
    hint = "; put it in quotes" if entry["type"] == "string_type" and isinstance(given, int | float) else ""
    hint = "; write it without quotes" if _reads_as_number(given) and entry["type"] in {"int_type", "float_type"} else hint
    return f"{message}{shown}{hint}"


def _reads_as_number(value: Any) -> bool:
    try:
        return isinstance(value, str) and math.isfinite(float(value))
    except ValueError:
        return False


def _fields_at(path: FieldPath, root: type[BaseModel]) -> tuple[str, ...]:
    """The field names that a model knows at a place; empty if names are free."""
    kind: Any = root
    for part in path:
        kind = inner_kind(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(part))
            kind = field.annotation if field else None
        else:
            kind = next((argument for argument in reversed(typing.get_args(kind))), None)
    kind = inner_kind(kind)
    return tuple(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else ()


def inner_kind(kind: Any) -> Any:
    """``Tls | None`` as Tls, what is annotated without what is said of it; anything else as it is."""
    while typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    options = [option for option in typing.get_args(kind) if option is not type(None)]
    optional = len(options) == 1 and typing.get_origin(kind) not in (dict, list, typing.Literal)
    return inner_kind(options[0]) if optional else kind
