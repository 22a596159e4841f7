"""Makes the references of settings and of the gRPC interface from what they are references of.

    python scripts/make_references.py

docs/settings.md is made from genlevel/runtime/settings.py, docs/api.md from proto/ and genlevel/runtime/callers/roles.py. A test holds both
to their sources.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from genlevel.runtime.callers.roles import RPCS
from genlevel.runtime.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
PROTO = ROOT / "proto" / "genlevel" / "v1"
SETTINGS_PAGE, API_PAGE = ROOT / "docs" / "settings.md", ROOT / "docs" / "api.md"
FILES = ("gateway", "evaluator", "monitor", "scorer", "content")
_MADE = "<!-- made by scripts/make_references.py -->"
_BLOCK = re.compile(r"(service|message|enum|oneof) (\w+) \{")
_RPC = re.compile(r"rpc (\w+)\((stream )?(\w+)\) returns \((stream )?(\w+)\);")
_FIELD = re.compile(r"(?:(optional|repeated) )?([\w.]+|map<[^>]+>) (\w+) = (\d+)[^;]*;")
_VALUE = re.compile(r"([A-Z][A-Z0-9_]*) = (\d+)[^;]*;")


def main() -> None:
    """Writes the pages."""
    SETTINGS_PAGE.write_text(settings_page(), "utf-8")
    API_PAGE.write_text(api_page(), "utf-8")


# -- settings ------------------------------------------------------------------------------------------------------------


def settings_page() -> str:
    """The reference of settings."""
    lines = [
        "# Settings",
        "",
        _MADE,
        "",
        "Every setting of `genlevel.yaml`, with its default. [Configuration](configuration.md) says what they are for, and how they are",
        "given as environment variables: `GENLEVEL_` and the way to a setting in capitals, with two underscores between its words.",
        "`NAME` stands for a name of your own.",
    ]
    for name, field in Settings.model_fields.items():
        lines += ["", f"## {name}", "", *_section(name, field)]
    return "\n".join(lines) + "\n"


def _section(name: str, field: FieldInfo) -> Iterator[str]:
    model, several = _model(field.annotation)
    said = _described(field, model)
    if said:
        yield said
        yield ""
    yield "| setting | variable | values | default | |"
    yield "|---|---|---|---|---|"
    if model is None:
        yield _row([name], field)
    else:
        yield from _rows([name, "NAME"] if several else [name], model, field.default)


def _rows(path: list[str], model: type[BaseModel], default: object) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner, several = _model(field.annotation)
        here = [*path, name, "NAME"] if several and inner is not None else [*path, name]
        given = getattr(default, name, field.default) if isinstance(default, BaseModel) else field.default
        if inner is None:
            yield _row(here, field, given)
        else:
            yield from _rows(here, inner, given)


def _row(path: list[str], field: FieldInfo, default: object = PydanticUndefined) -> str:
    default = field.get_default(call_default_factory=True) if default is PydanticUndefined else default
    if default is PydanticUndefined:
        shown = "(to be given)"
    elif default in (None, "", [], {}):
        shown = ""
    else:
        shown = f"`{_plain(default)}`"
    variable = "GENLEVEL_" + "__".join(word if word == "NAME" else word.upper() for word in path)
    cells = (f"`{'.'.join(path)}`", f"`{variable}`", _kind(field.annotation), shown, field.description or "")
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _described(field: FieldInfo, model: type[BaseModel] | None) -> str:
    said = field.description or (inspect.getdoc(model) if model is not None else "") or ""
    return said.replace("``", "`")


def _model(annotation: object) -> tuple[type[BaseModel] | None, bool]:
    """The section that a type is, and whether there are several by names."""
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is dict:
        return _model(arguments[1])[0], True
    if arguments:
        found = [model for model, _ in map(_model, arguments) if model is not None]
        return (found[0], any(several for _, several in map(_model, arguments))) if found else (None, False)
    return (annotation, False) if isinstance(annotation, type) and issubclass(annotation, BaseModel) else (None, False)


def _kind(annotation: object) -> str:
    """What may be written, in words."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" if value else "empty" for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join("null" if one is type(None) else _kind(one) for one in arguments)
    if origin is typing.Annotated:
        return _kind(arguments[0])
    if origin is list:
        return f"list of {_kind(arguments[0])}"
    if origin is dict:
        return "mapping"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{one.value}`" for one in annotation)
    names = {bool: "`true`, `false`", int: "whole number", float: "number", str: "text", Path: "path"}
    return names.get(typing.cast(type, annotation), "number" if getattr(annotation, "__name__", "") == "Decimal" else "text")


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return str(value.value)
    return "[" + ", ".join(map(_plain, value)) + "]" if isinstance(value, list) else str(value)


# -- the interface -------------------------------------------------------------------------------------------------------


def api_page() -> str:
    """The reference of the gRPC interface."""
    lines = [
        "# The gRPC interface",
        "",
        _MADE,
        "",
        "What `proto/genlevel/v1` says, with the [role](security.md) that a caller of each method needs. Fields and values that are",
        "not known are left alone, so services of neighbouring versions work together",
        "([operations](operations.md#upgrading-and-rolling-back)).",
    ]
    for name in FILES:
        lines += ["", f"## {name}.proto"]
        lines += _file((PROTO / f"{name}.proto").read_text("utf-8"))
    return "\n".join(lines) + "\n"


def _file(text: str) -> list[str]:
    """A file's services, messages and enumerations, each with all of its rows, and then what is declared within it."""
    said: list[str] = []
    sections: list[list[str]] = [[]]
    stack: list[tuple[str, str, list[str]]] = []
    for line in map(str.strip, text.splitlines()):
        if line.startswith("//"):
            said.append(line[2:].strip())
            continue
        if line.startswith("syntax"):
            sections[0] += ["", " ".join(said)] if said else []
        elif line == "}":
            stack.pop()
        elif block := _BLOCK.match(line):
            section = stack[-1][2] if block[1] == "oneof" else _opening(block[1], [*(one[1] for one in stack), block[2]], " ".join(said))
            if block[1] != "oneof":
                sections.append(section)
            if not line.endswith("}"):
                stack.append((block[1], block[2], section))
        elif stack and (row := _row_of(line, stack[-1][0], stack[-1][1], " ".join(said).replace("|", "\\|"))):
            stack[-1][2].append(row)
        said = []
    return [line for section in sections for line in section]


def _row_of(line: str, kind: str, name: str, said: str) -> str:
    """A row of a service, a message or an enumeration; "" if the line declares none."""
    if rpc := _RPC.match(line):
        role = RPCS[f"/genlevel.v1.{name}/{rpc[1]}"].value
        return f"| `{rpc[1]}` | {rpc[2] or ''}`{rpc[3]}` | {rpc[4] or ''}`{rpc[5]}` | {role} | {said} |"
    if kind == "enum" and (value := _VALUE.match(line)):
        return f"| `{value[1]}` | {value[2]} | {said} |"
    if kind in ("message", "oneof") and (found := _FIELD.match(line)):
        how = f"one of {name}" if kind == "oneof" else found[1] or ""
        return f"| `{found[3]}` | {found[4]} | {how} | `{found[2]}` | {said} |"
    return ""


def _opening(kind: str, names: list[str], said: str) -> list[str]:
    """The head of a section. names: of what it is declared in, and its own."""
    heads = {
        "service": ["| method | takes | gives | role | |", "|---|---|---|---|---|"],
        "message": ["| field | number | | type | |", "|---|---|---|---|---|"],
        "enum": ["| value | number | |", "|---|---|---|"],
    }
    return ["", f"### {'.'.join(names)}", "", *([said, ""] if said else []), *heads[kind]]


if __name__ == "__main__":
    main()
