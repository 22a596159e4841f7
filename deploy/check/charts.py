"""The Helm chart as the checks see it: its sets of values, what each renders, and what values.yaml says of each value."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/genlevel"
VALUES = ROOT / "deploy/helm/values"
NAMESPACE = "genlevel"

Document = dict[str, object]


@dataclass(frozen=True, slots=True)
class Rendered:
    """One object that the chart makes. source: its template, such as gateway.yaml."""

    source: str
    document: Document

    @property
    def kind(self) -> str:
        return str(self.document["kind"])

    @property
    def name(self) -> str:
        metadata = self.document["metadata"]
        assert isinstance(metadata, dict)
        return str(metadata["name"])


def value_sets() -> dict[str, Document]:
    """The sets of values that are checked, by name: the chart's own (default), and those in deploy/helm/values."""
    return {"default": {}} | {file.stem: yaml.safe_load(file.read_text("utf-8")) for file in sorted(VALUES.glob("*.yaml"))}


def render(values: Document, *, release: str = "genlevel", upgrade: bool = False) -> list[Rendered]:
    """What `helm template` makes of values. Raises helm_python.HelmError with the message that a user would see."""
    import helm_python

    with helm_python.Chart.load(CHART) as chart:
        texts = chart.render(values, name=release, namespace=NAMESPACE, is_install=not upgrade, is_upgrade=upgrade)
    return [
        Rendered(path.partition("/templates/")[2], document)
        for path, text in sorted(texts.items())
        if path.endswith(".yaml")
        for document in yaml.load_all(text, yaml.CSafeLoader)
        if document
    ]


@dataclass(frozen=True, slots=True)
class Value:
    """One value of values.yaml. path: such as gateway.replicas; default: as JSON."""

    path: str
    default: str
    said: str


def described(text: str) -> list[Value]:
    """The values that a comment in values.yaml describes, in their order. A value below a described one is part of it."""
    whole = yaml.safe_load(text)
    found: list[Value] = []
    comment: list[str] = []
    parents: list[tuple[int, str]] = []
    for line in text.splitlines():
        if match := re.fullmatch(r" *# ?(.*)", line):
            comment.append(match[1])
            continue
        if match := re.match(r"( *)(\w+):", line):
            indent = len(match[1])
            parents = [*((at, key) for at, key in parents if at < indent), (indent, match[2])]
            if comment:
                keys = [key for _, key in parents]
                found.append(Value(".".join(keys), json.dumps(_at(whole, keys)), " ".join(comment)))
        comment = []
    return found


def paths(values: object, before: str = "") -> list[str]:
    """The path of every value in a document that is neither a mapping nor a list of others."""
    inner = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    found = [path for key, value in inner for path in paths(value, f"{before}.{key}" if before else str(key))]
    return found or [before]


def _at(values: object, keys: list[str]) -> object:
    for key in keys:
        assert isinstance(values, dict)
        values = values[key]
    return values
