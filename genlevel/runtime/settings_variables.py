"""Settings from environment variables: GENLEVEL_STORAGE__URL is ``storage.url`` of genlevel.yaml, and goes before it.

A name is the way to a setting, in capitals, with two underscores between its words. Names that are free (of accounts, routes, ...) stand as
they are: GENLEVEL_ACCOUNTS__team__PROVIDER. What is text is taken as it is, without the ends of lines behind it that a file has from which
a variable is made; all else as YAML. A variable that is empty counts as not set.
Names of another form are somebody else's, such as GENLEVEL_TOKEN, or those that Kubernetes sets for every service.
"""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, JsonValue

from genlevel.runtime.default_settings import VARIABLES
from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.origin import FieldPath, Origin, dotted
from genlevel.runtime.settings import Settings
from genlevel.runtime.yaml_lines import YamlValue, inner_kind, is_text

_BETWEEN = "__"
# https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
_OF_A_SERVICE = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$")
_AN_EMPTY_TEXT = ("''", '""')
_CLOSE = 0.85


@dataclass(frozen=True, slots=True)
class Variable:
    """A setting from the environment. fields: it, and all that its value has inside."""

    name: str
    path: FieldPath
    value: object
    fields: tuple[FieldPath, ...]


def variables(environment: Mapping[str, str]) -> list[Variable]:
    """The settings that an environment has, those before others that they hold.

    Raises ConfigurationError for one that looks like a setting and is none, is set twice, or is not YAML.
    """
    found: dict[FieldPath, Variable] = {}
    for name, value in environment.items():
        if not (text := value.rstrip("\r\n")) or (path := _path(name)) is None:
            continue
        if not is_text(name + text):
            raise ConfigurationError(f"{name.encode(errors='replace').decode()}: is not UTF-8 text")
        kind = _kind(name, path)
        variable = _read(name, kind.path, kind.kind, text)
        if other := found.get(variable.path):
            raise ConfigurationError(f"{name}: {dotted(variable.path)} is set by {other.name}, too; keep one of them")
        found[variable.path] = variable
    return sorted(found.values(), key=lambda variable: len(variable.path))


def applied(data: dict[str, Any], origin: Origin, found: list[Variable]) -> tuple[dict[str, Any], Origin]:
    """The data of a file with what variables say instead, and where it all comes from.

    Raises ConfigurationError if one variable is part of another's value, which has no parts.
    """
    lines, names = dict(origin.lines), dict(origin.variables)
    result: dict[str, Any] = data
    for variable in found:
        result = _with(result, variable, (), names)
        depth = len(variable.path)
        for known in (lines, names):
            for inner in [path for path in known if path[:depth] == variable.path]:
                del known[inner]
        names |= dict.fromkeys(variable.fields, variable.name)
        for outer in (variable.path[:length] for length in range(1, depth)):  # sections that no line opens
            if outer not in lines:
                names.setdefault(outer, variable.name)
    return result, Origin(origin.file, lines, names)


def misspelt(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that are no settings and are called nearly as one, with that one's name. Nobody reads them."""
    others = [name for name in environment if name.startswith(VARIABLES) and not _OF_A_SERVICE.search(name) and _path(name) is None]
    close = {name: difflib.get_close_matches(name.removeprefix(VARIABLES), list(_flat()), n=1, cutoff=_CLOSE) for name in others}
    return {name: _name_of(_flat()[found[0]]) for name, found in close.items() if found}


def _path(name: str) -> list[str] | None:
    """The words of a name that is a setting's; None: it is somebody else's."""
    if not name.startswith(VARIABLES) or _OF_A_SERVICE.search(name):
        return None
    rest = name.removeprefix(VARIABLES)
    if _BETWEEN in rest or rest.lower() in Settings.model_fields:
        return rest.split(_BETWEEN)
    if rest in _flat():  # one underscore instead of two
        raise ConfigurationError(f"{name}: is no setting; did you mean {_name_of(_flat()[rest])}?")
    return None


@dataclass(frozen=True, slots=True)
class _Known:
    """A field, and what it holds."""

    path: FieldPath
    kind: Any


def _kind(name: str, words: list[str]) -> _Known:
    """The field that a variable names. Raises ConfigurationError if there is none."""
    path: FieldPath = ()
    kind: Any = Settings
    for number, word in enumerate(words):
        kind = inner_kind(kind)
        if _is_model(kind):
            if word.lower() not in kind.model_fields:
                raise ConfigurationError(f"{name}: {_unknown(name, path, word, kind, words[number + 1 :])}")
            path, kind = (*path, word.lower()), kind.model_fields[word.lower()].annotation
        elif typing.get_origin(kind) is dict or kind is JsonValue:
            if not word:
                raise ConfigurationError(f"{name}: the name after {_name_of(path)} is empty")
            path, kind = (*path, word), JsonValue if kind is JsonValue else typing.get_args(kind)[1]
        else:
            what = "a list: give all of it" if typing.get_origin(kind) is list else "a single value: give it"
            raise ConfigurationError(f"{name}: {dotted(path)} is {what} in {_name_of(path)}")
    return _Known(path, inner_kind(kind))


def _unknown(name: str, path: FieldPath, word: str, kind: Any, rest: list[str]) -> str:
    where = f"{dotted(path)} has no setting '{word.lower()}'" if path else f"there is no setting '{word.lower()}'"
    flat = _flat().get(re.sub("_+", "_", name.removeprefix(VARIABLES)).upper())
    if close := [] if flat else difflib.get_close_matches(word.lower(), list(kind.model_fields), n=1):
        flat = (*path, close[0], *rest)
    return f"{where}; did you mean {_name_of(flat)}?" if flat else f"{where}; known here: {', '.join(kind.model_fields)}"


def _read(name: str, path: FieldPath, kind: Any, text: str) -> Variable:
    if _is_text(kind):
        return Variable(name, path, "" if text in _AN_EMPTY_TEXT else text, (path,))
    read = YamlValue(text, name, path)
    return Variable(name, path, read.data, tuple(read.lines) or (path,))


def _with(data: dict[str, Any], variable: Variable, above: FieldPath, names: Mapping[FieldPath, str]) -> dict[str, Any]:
    """The data with one value set. above: where the data stand; names: of the variables that have set something so far."""
    word, *deeper = variable.path[len(above) :]
    if not deeper:
        return {**data, str(word): variable.value}
    here = (*above, word)
    inner = data.get(str(word))
    if not isinstance(inner, dict):
        if here in names and inner is not None:
            raise ConfigurationError(f"{variable.name}: {names[here]} has no such part; keep one of them")
        inner = {}
    return {**data, str(word): _with(inner, variable, here, names)}


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _is_text(kind: Any) -> bool:
    """Whether a field holds text, a path, or one of some words. (Amounts of money are read exactly if they are read from text.)"""
    if typing.get_origin(kind) is typing.Literal:
        return all(isinstance(word, str) for word in typing.get_args(kind))
    return isinstance(kind, type) and issubclass(kind, str | Path | Decimal)


def _name_of(path: FieldPath) -> str:
    """The variable of a field; names that are free stand in it as they are."""
    kind: Any = Settings
    words = []
    for word in map(str, path):
        kind = inner_kind(kind)
        is_field = _is_model(kind)
        words.append(word.upper() if is_field else word)
        field = kind.model_fields.get(word.lower()) if is_field else None
        kind = field.annotation if field else next(reversed(typing.get_args(kind)), None)
    return VARIABLES + _BETWEEN.join(words)


@cache
def _flat() -> dict[str, FieldPath]:
    """All fields that have no free name above them, by their words with one underscore between."""
    return {"_".join(map(str, path)).upper(): path for path in _fields(Settings, ())}


def _fields(kind: type[BaseModel], above: FieldPath) -> Iterator[FieldPath]:
    for name, field in kind.model_fields.items():
        yield (*above, name)
        inner = inner_kind(field.annotation)
        if _is_model(inner):
            yield from _fields(inner, (*above, name))
