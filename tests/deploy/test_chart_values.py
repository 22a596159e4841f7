"""Every value of the chart is in its schema, is described, and stands in the documentation."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.deploy.chart_room import checks


@pytest.fixture(scope="module")
def chart(repository: Path) -> Path:
    return repository / "deploy/helm/genlevel"


@pytest.fixture(scope="module")
def values(chart: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((chart / "values.yaml").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def schema(chart: Path) -> Draft202012Validator:
    document = json.loads((chart / "values.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


def sections(values: object, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The path of each mapping that has fields of its own."""
    if not isinstance(values, dict) or not values:
        return []
    return [before, *(path for key, value in values.items() for path in sections(value, (*before, key)))]


def test_every_value_is_described(chart: Path, values: dict[str, Any]) -> None:
    charts, _ = checks()
    described = [value.path for value in charts.described((chart / "values.yaml").read_text("utf-8"))]
    assert len(described) == len(set(described)) > 100
    assert [path for path in charts.paths(values) if not any(f"{path}.".startswith(f"{each}.") for each in described)] == []


def test_the_documentation_has_the_table_of_values(repository: Path, chart: Path) -> None:
    charts, _ = checks()
    page = (repository / "docs/kubernetes.md").read_text("utf-8")
    for value in charts.described((chart / "values.yaml").read_text("utf-8")):
        assert f"| `{value.path}` | `{value.default}` | {value.said} |\n" in page


def test_the_schema_takes_the_defaults_and_every_set_of_values(schema: Draft202012Validator, values: dict[str, Any]) -> None:
    charts, _ = checks()
    for name, changed in charts.value_sets().items():
        assert [error.message for error in schema.iter_errors(merged(values, changed))] == [], name


def test_the_schema_knows_every_section_and_refuses_what_it_does_not_know(schema: Draft202012Validator, values: dict[str, Any]) -> None:
    open_ones = {("gateway", "resources", kind) for kind in ("requests", "limits")}
    open_ones |= {
        (part, "resources", kind) for part in ("evaluator", "scorer", "web", "postgresql", "nats") for kind in ("requests", "limits")
    }
    labels = ("monitoring", "dashboards", "labels")
    for path in sections(values):
        changed = copy.deepcopy(values)
        section = changed
        for key in path:
            section = section[key]
        if path == labels:
            section["surprise"] = 1  # a number is no label
            assert [error for error in schema.iter_errors(changed)], path
            continue
        section["surprise"] = "x"
        assert [error for error in schema.iter_errors(changed)], path
        if path not in open_ones:
            assert any("surprise" in error.message for error in schema.iter_errors(changed)), path


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("gateway.replicas", "2"),
        ("gateway.replicas", -1),
        ("image.digest", "sha256:abc"),
        ("image.pullPolicy", "Sometimes"),
        ("auth.metrics", "closed"),
        ("auth.tokens.rows", [{"name": "me", "sha256": "gl_a_token_and_no_hash", "roles": ["read"]}]),
        ("storage.url", "mysql://host/database"),
        ("queue.url", "http://host"),
        ("fullnameOverride", "a" * 31),
        ("pools", {"Vision": {"scores": ["vision"]}}),
        ("pools", {"vision": {}}),
        ("jobs", {"first": {"reportsClaim": "x"}}),
        ("cronJobs", {"nightly": {"schedule": "daily", "eval": []}}),
        ("terminationGracePeriodSeconds", 20),
        ("keda.lagThreshold", 0),
    ],
)
def test_the_schema_refuses(schema: Draft202012Validator, values: dict[str, Any], path: str, wrong: object) -> None:
    changed = copy.deepcopy(values)
    section = changed
    *before, last = path.split(".")
    for key in before:
        section = section[key]
    section[last] = wrong
    assert [list(error.absolute_path)[: len(before) + 1] for error in schema.iter_errors(changed)] == [path.split(".")]


def merged(values: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    """As Helm merges them."""
    return values | {
        key: merged(values[key], value) if isinstance(value, dict) and isinstance(values.get(key), dict) else value
        for key, value in changed.items()
    }


def test_the_chart_s_copies_of_rules_and_dashboards_are_current(repository: Path, chart: Path) -> None:
    copies = [file for file in (chart / "files").rglob("*") if file.is_file()]
    sources = [repository / "deploy/prometheus" / name for name in ("rules.yml", "monitors.yml")]
    sources += (repository / "deploy/grafana/dashboards").glob("*.json")
    assert {file.name: file.read_text("utf-8") for file in copies} == {file.name: file.read_text("utf-8") for file in sources}, (
        "run python deploy/check/chart.py --write"
    )
