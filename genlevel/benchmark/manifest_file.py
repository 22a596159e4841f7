"""Reads a suite.yaml from outside, field by field; what is in it: genlevel.benchmark.manifest."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from genlevel.benchmark.manifest import Manifest, ManifestTask
from genlevel.benchmark.model import GENERAL_BENCH, Modality, Paradigm
from genlevel.runtime.errors import DatasetError
from genlevel.runtime.yaml_text import read_written


class _Task(BaseModel):
    """One task folder of the suite."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    metric_parameters: dict[str, str] = {}
    name: str = ""
    modality: Modality | None = None
    paradigm: Paradigm | None = None
    reference: Annotated[float, Field(allow_inf_nan=False)] | None = None
    skill: str = ""
    domain: str = ""
    capability: str = ""

    @field_validator("metric_parameters", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return {str(key): str(item) for key, item in value.items()} if isinstance(value, dict) else value


class _File(BaseModel):
    """The whole of suite.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    title: str = ""
    licence: str = ""
    tasks: Annotated[dict[str, _Task], Field(min_length=1)]

    @field_validator("name")
    @classmethod
    def _not_the_published_one(cls, value: str) -> str:
        if value == GENERAL_BENCH:
            raise ValueError(f"{GENERAL_BENCH} is the published benchmark's name; a suite needs one of its own")
        return value

    @field_validator("tasks")
    @classmethod
    def _folders_inside(cls, value: dict[str, _Task]) -> dict[str, _Task]:
        for folder in value:
            path = PurePosixPath(folder)
            if not folder or path.is_absolute() or ".." in path.parts or "\\" in folder or str(path) != folder or folder == ".":
                raise ValueError(f"{folder!r} is not a folder within the suite; write it as parts joined by '/'")
        return value


def load_manifest(path: Path) -> Manifest:
    """Reads suite.yaml. Raises DatasetError naming file, line and field."""
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise DatasetError(f"{path}: not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        document = read_written(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        raise DatasetError(f"{path}{line}: not valid YAML: {getattr(error, 'problem', None) or str(error).splitlines()[0]}") from None
    if not isinstance(document, dict):
        raise DatasetError(f"{path}: a suite is a mapping with name and tasks")
    try:
        return _plain(_File.model_validate(document))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        number = _line(yaml.compose(text, Loader=yaml.SafeLoader), first["loc"])
        said = "unknown field" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
        raise DatasetError(f"{path}:{number}: {where}: {said}") from None


def _plain(file: _File) -> Manifest:
    tasks = {folder: ManifestTask(**dict(task)) for folder, task in file.tasks.items()}
    return Manifest(name=file.name, tasks=tasks, title=file.title, licence=file.licence)


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """The line (from 1) of the deepest part of a field's path that the file has."""
    line = 1 if node is None else int(node.start_mark.line) + 1
    for part in location:
        if not isinstance(node, yaml.MappingNode):
            break
        found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
        if found is None:
            break
        line, node = int(found[0].start_mark.line) + 1, found[1]
    return line
