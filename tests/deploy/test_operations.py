"""docs/operations.md says what to do at each alert, and names no command or setting that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from genlevel.runtime.settings import Settings


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "operations.md").read_text("utf-8")


def test_each_alert_has_a_row_and_each_row_an_alert(repository: Path, page: str) -> None:
    alerts = {
        rule["alert"]
        for file in ("rules.yml", "monitors.yml")
        for group in yaml.safe_load((repository / "deploy" / "prometheus" / file).read_text("utf-8"))["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    rows = re.findall(r"^\| `(Genlevel\w+)` \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    assert {name for name, *_ in rows} == alerts
    assert len(rows) == len(alerts) > 10


def test_settings_that_it_names_are_there(page: str) -> None:
    sections = "|".join(Settings.model_fields)
    named = set(re.findall(rf"`((?:{sections})(?:\.[a-z_]+)+)`", page))
    assert {"storage.patience_s", "limits.in_flight_bytes", "addresses.gateway"} <= named
    for name in named:
        section, *path = name.split(".")
        found = getattr(Settings(), section)
        for word in path:
            assert hasattr(found, word), name
            found = getattr(found, word)
