"""The expressions of the shipped dashboards, and which of them give no data in a Prometheus."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from tests.alerting import Alerting

FOLDER = Path(__file__).resolve().parents[2] / "deploy/grafana/dashboards"


class Shown(NamedTuple):
    """One expression of one panel."""

    dashboard: str
    panel: str
    expression: str


def dashboards() -> dict[str, Any]:
    """The documents, by the names of their files."""
    return {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(FOLDER.glob("*.json"))}


def shown() -> list[Shown]:
    """All expressions."""
    return [
        Shown(name, panel["title"], target["expr"])
        for name, document in dashboards().items()
        for panel in document["panels"]
        for target in panel.get("targets", [])
    ]


def filled_in(expression: str, *, window: str) -> str:
    """An expression as Grafana asks it if nothing was chosen. window: of rates, and the dashboard's time."""
    named = re.sub(r'=~"\$\w+"', '=~".*"', expression)
    return named.replace("$__rate_interval", window).replace("$__range", window)


async def without_data(alerting: Alerting, *, window: str = "1m") -> list[Shown]:
    """The expressions that give no series now. Raises AssertionError for one that Prometheus cannot read."""
    asked = shown()
    answered = await asyncio.gather(*(_has_data(alerting, filled_in(one.expression, window=window)) for one in asked))
    return [one for one, has_data in zip(asked, answered, strict=True) if not has_data]


async def _has_data(alerting: Alerting, expression: str) -> bool:
    data = await alerting.data("/api/v1/query", query=expression)
    assert data is not None, f"Prometheus cannot read {expression}"
    return bool(data["result"])


def named_in(expression: str) -> set[str]:
    """The series in an expression: ours, OpenTelemetry's, and Prometheus' own. (No label is called like one.)"""
    names = re.findall(r"[a-zA-Z_:][\w:]*", re.sub(r"\{[^}]*\}", "", expression))
    return {
        name for name in names if name.startswith(("genlevel", "gen_ai_client_", "gen_ai_server_", "process_")) or name in ("ALERTS", "up")
    }
