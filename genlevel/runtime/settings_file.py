"""Reads genlevel.yaml into Settings, so that a mistake in it is answered with its line and not with a surprise later."""

from __future__ import annotations

import difflib
import json
import math
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from genlevel.runtime import declared_monitors, destinations
from genlevel.runtime.default_settings import DEFAULT_FILE, settings_file
from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.listening import ServiceListen, Tls
from genlevel.runtime.origin import FieldPath, Origin, dotted
from genlevel.runtime.settings import Settings
from genlevel.runtime.shown import is_variable_name, looks_like_key, quoted, without_secrets

_SERVICES = ("gateway", "evaluator", "scorer")
_LIMIT_BYTES = 1 << 20

Model = TypeVar("Model", bound=BaseModel)


def load_settings(path: Path | None = None) -> Settings:
    """The settings of ``path``, else of the file that GENLEVEL_CONFIG names, else of ./genlevel.yaml if there is one, else the defaults.

    A service's section may leave out what it does not change; an empty file is fine.

    Raises:
        ConfigurationError: the file cannot be read, is not YAML, or holds something unknown or wrong; names file and line.
    """
    found = settings_file(path)
    return Settings() if found is None else _read(*found)


def parse_settings(text: str, file: str = DEFAULT_FILE) -> Settings:
    """The settings that a YAML text holds; ``file`` is the name that errors carry. Raises as ``load_settings``."""
    return _settings(YamlText(text, file))


def read_text(path: Path, origin: str, *, limit_bytes: int = _LIMIT_BYTES) -> str:
    """A file for people to write. origin: who names it, for messages. Raises ConfigurationError if it cannot be read or is too large."""
    try:
        if path.stat().st_size > limit_bytes:
            raise ConfigurationError(f"{path}: larger than {limit_bytes} bytes; this is not a configuration file")
        return path.read_text("utf-8")
    except OSError as error:
        raise ConfigurationError(f"{origin}: cannot read {path} ({_reason(error)})") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: is not UTF-8 text") from None


def _read(path: Path, origin: str) -> Settings:
    return parse_settings(read_text(path, origin), str(path))


def _reason(error: Exception) -> str:
    return (error.strerror or "unreadable") if isinstance(error, OSError) else "not UTF-8 text"


class _Loader(yaml.SafeLoader):
    """YAML as people mean it: dates stay text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class YamlText:
    """One YAML text: its data, and the line of every key and value.

    Raises ConfigurationError, which names file and line, if it is not YAML or no mapping.
    """

    def __init__(self, text: str, file: str, section: str = "routes") -> None:
        self.lines: dict[FieldPath, int] = {}
        self.origin = Origin(file, self.lines)
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
        self.data: Any = {} if root is None else self._value(root, ())
        if self.data is None:
            self.data = {}
        if not isinstance(self.data, dict):
            raise self._problem(1, f"must hold sections such as '{section}:', not a single value or list")

    def checked(self, kind: type[Model], data: object = None) -> Model:
        """The data (or what was made of it) as a model. Raises ConfigurationError for the first of what is unknown or wrong."""
        try:
            return kind.model_validate_json(json.dumps(self.data if data is None else data), strict=True)
        except ValidationError as error:
            entries = error.errors(include_url=False)
            # A misspelt field is also a missing one: the misspelling is what to name.
            entries.sort(key=lambda entry: (entry["type"] == "missing", self.origin.line(tuple(entry["loc"]))))
            raise self.first([self._explain(entry, kind) for entry in entries]) from None

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
        if value is not None and not isinstance(value, str | int | float | bool):
            raise self._problem(node.start_mark.line + 1, f"{dotted(path)}: must be text, a number, true or false")
        return value

    def _explain(self, entry: Any, kind: type[BaseModel]) -> tuple[int, str]:
        path: FieldPath = tuple(entry["loc"])
        line = self.origin.line(path)
        if entry["type"] == "extra_forbidden":
            fields = _fields_at(path[:-1], kind)
            close = difflib.get_close_matches(str(path[-1]), list(fields), n=1)
            known = ", ".join(fields)
            return line, f"{dotted(path)}: unknown field; " + (f"did you mean '{close[0]}'?" if close else f"known here: {known}")
        if entry["type"] == "missing":
            return self.origin.line(path[:-1]), f"{dotted(path)}: is missing"
        message = entry["msg"].removeprefix("Value error, ").removeprefix("Input ").replace(" dictionary", " section")
        given = entry["input"]
        given = without_secrets(given) if isinstance(given, str) else given
        shown = f", not {json.dumps(given)}" if isinstance(given, str | int | float | bool) or given is None else ""
        hint = "; put it in quotes" if entry["type"] == "string_type" and isinstance(given, int | float) else ""
        hint = "; write it without quotes" if _reads_as_number(given) and entry["type"] in {"int_type", "float_type"} else hint
        return line, f"{dotted(path)}: {message}{shown}{hint}"

    def first(self, problems: list[tuple[int, str]]) -> ConfigurationError:
        """The error of the first of several (line, problem), which says how many more there are."""
        line, text = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return self._problem(line, text + more)

    def _problem(self, line: int, text: str) -> ConfigurationError:
        return ConfigurationError(f"{self.origin.file}:{line}: {text}")


def _settings(text: YamlText) -> Settings:
    data = {name: {} if value is None else value for name, value in text.data.items()}
    for service in _SERVICES:
        if isinstance(data.get(service), dict):
            default: ServiceListen = Settings.model_fields[service].default
            data[service] = {"grpc": default.grpc, "http": default.http} | data[service]
    settings = text.checked(Settings, data)
    problems = sorted((text.origin.line(path), f"{dotted(path)}: {said}") for path, said in _contradictions(settings))
    if problems:
        raise text.first(problems)
    return settings.read_from(text.origin)


def _reads_as_number(value: Any) -> bool:
    try:
        return isinstance(value, str) and math.isfinite(float(value))
    except ValueError:
        return False


def _fields_at(path: FieldPath, root: type[BaseModel]) -> tuple[str, ...]:
    """The field names that a model knows at a place; empty if names are free."""
    kind: Any = root
    for part in path:
        kind = _model_in(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(part))
            kind = field.annotation if field else None
        else:
            kind = next((argument for argument in reversed(typing.get_args(kind))), None)
    kind = _model_in(kind)
    return tuple(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else ()


def _model_in(kind: Any) -> Any:
    """``Tls | None`` as Tls; anything else as it is."""
    options = [option for option in typing.get_args(kind) if option is not type(None)]
    return options[0] if len(options) == 1 and typing.get_origin(kind) is not dict and typing.get_origin(kind) is not list else kind


def _contradictions(settings: Settings) -> Iterator[tuple[FieldPath, str]]:
    """What each value alone allows and all of them together do not."""
    for name, account in settings.accounts.items():
        if account.api_key_env and not is_variable_name(account.api_key_env):
            yield ("accounts", name, "api_key_env"), "must be the name of an environment variable, such as MY_KEY, and not the key itself"
        if account.api_key_file and looks_like_key(str(account.api_key_file)):
            yield ("accounts", name, "api_key_file"), "must be the path of a file that holds the key, and not the key itself"
        if account.api_key_env and account.api_key_file:
            yield ("accounts", name, "api_key_file"), "api_key_env is set too; keep one of them"
        if account.base_url and not account.base_url.startswith(("http://", "https://")):
            yield ("accounts", name, "base_url"), f"must start with http:// or https://, not '{without_secrets(account.base_url)}'"
    for name, destination in settings.destinations.items():
        if not _is_name(name):
            yield ("destinations", name), "must be named with letters, digits, '-', '_' and '.', 64 at most"
        for field, said in destinations.contradictions(destination):
            yield ("destinations", name, field), said
    for name, monitor in settings.monitors.items():
        if not _is_name(name):
            yield ("monitors", name), "must be named with letters, digits, '-', '_' and '.', 64 at most"
        for field, said in declared_monitors.contradictions(monitor):
            yield ("monitors", name, field), said
        for index, wanted in enumerate(monitor.destinations):
            if wanted not in settings.destinations:
                yield ("monitors", name, "destinations", index), f"no destination is named {quoted(wanted)} in this file"
    for key in settings.prices:
        if "/" not in key:
            yield ("prices", key), "must be named provider/model, such as openai/gpt-5"
    for service in _SERVICES:
        listen: ServiceListen = getattr(settings, service)
        for field in ("grpc", "http"):
            if not _is_address(getattr(listen, field)):
                yield (service, field), f"must be host:port, such as 0.0.0.0:7401, not '{getattr(listen, field)}'"
        if listen.tls is not None:
            yield from _incomplete_tls(listen.tls, (service, "tls"))
    if settings.web is not None:
        if not _is_address(settings.web.http):
            yield ("web", "http"), f"must be host:port, such as 127.0.0.1:7400, not '{settings.web.http}'"
        if settings.web.tls is not None:
            yield from _incomplete_tls(settings.web.tls, ("web", "tls"))
    if (settings.addresses.certificate is None) != (settings.addresses.key is None):
        yield ("addresses",), "certificate and key must be given together"
    if settings.addresses.certificate is not None and settings.addresses.ca is None:
        yield ("addresses", "certificate"), "needs ca; without it nothing is encrypted, and no certificate is shown"


def _incomplete_tls(tls: Tls, path: FieldPath) -> Iterator[tuple[FieldPath, str]]:
    if tls.certificate is None or tls.key is None:
        yield path, "needs both certificate and key"


def _is_name(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", text) is not None


def _is_address(text: str) -> bool:
    host, colon, port = text.rpartition(":")
    return bool(colon and host and port.isdecimal() and int(port) <= 65535)
