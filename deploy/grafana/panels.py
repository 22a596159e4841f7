"""Panels and dashboards as plain JSON, as far as ours need them. Source: grafana.com, "Dashboard JSON model"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

DATASOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
_COLUMNS = 24


@dataclass(frozen=True, slots=True)
class Query:
    """An expression, and how its series are called: labels in double braces. At a moment alone if it is for a number or a table."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel without its place. width: of 24 columns."""

    width: int
    height: int
    content: Json


def lines(
    title: str, *queries: Query, unit: str = "short", note: str = "", width: int = 12, stacked: bool = False, most: float | None = None
) -> Panel:
    """Series over time. unit: as Grafana calls it. most: the end of the axis."""
    style = {
        "lineWidth": 1,
        "fillOpacity": 30 if stacked else 8,
        "showPoints": "auto",
        "stacking": {"mode": "normal" if stacked else "none"},
    }
    defaults: Json = {"unit": unit, "min": 0, "custom": style}
    if most is not None:
        defaults["max"] = most
    options = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
    return _panel("timeseries", title, queries, (width, 8), note=note, fields={"defaults": defaults, "overrides": []}, options=options)


def differences(title: str, *queries: Query, unit: str = "short", note: str = "", width: int = 12) -> Panel:
    """Series over time that may be below zero."""
    panel = lines(title, *queries, unit=unit, note=note, width=width)
    del panel.content["fieldConfig"]["defaults"]["min"]
    return panel


def number(
    title: str,
    query: Query,
    *,
    unit: str = "short",
    note: str = "",
    width: int = 4,
    warns_at: float | None = None,
    bad: Sequence[float] = (),
) -> Panel:
    """The last value, large. warns_at: red from there on. bad: red if it is one of these."""
    steps: list[Json] = [{"color": "green", "value": None}]
    if warns_at is not None:
        steps.append({"color": "red", "value": warns_at})
    mappings = [{"type": "value", "options": {f"{value:g}": {"color": "red"}}} for value in bad]
    defaults = {"unit": unit, "thresholds": {"mode": "absolute", "steps": steps}, "mappings": mappings}
    options = {"reduceOptions": {"calcs": ["lastNotNull"], "values": False}, "colorMode": "value", "textMode": "auto"}
    return _panel(
        "stat", title, [query], (width, 4), note=note, fields={"defaults": defaults, "overrides": []}, options=options, instant=True
    )


def bars(title: str, query: Query, *, unit: str = "short", note: str = "", width: int = 12, height: int = 8, most: float = 100) -> Panel:
    """The last values as bars."""
    defaults = {"unit": unit, "min": 0, "max": most, "thresholds": {"mode": "absolute", "steps": [{"color": "blue", "value": None}]}}
    options = {"displayMode": "basic", "orientation": "horizontal", "reduceOptions": {"calcs": ["lastNotNull"], "values": False}}
    return _panel(
        "bargauge",
        title,
        [query],
        (width, height),
        note=note,
        fields={"defaults": defaults, "overrides": []},
        options=options,
        instant=True,
    )


def table(title: str, query: Query, *, columns: Sequence[str], note: str = "", width: int = 12, height: int = 8, value: str = "") -> Panel:
    """The last values by their labels. columns: labels that are shown, in order. value: how the value is called; "": it is not shown."""
    shown = [*columns, *(["Value"] if value else [])]
    organized = {
        "includeByName": dict.fromkeys(shown, True),
        "indexByName": {name: place for place, name in enumerate(shown)},
        "renameByName": {"Value": value} if value else {},
    }
    panel = _panel(
        "table",
        title,
        [query],
        (width, height),
        note=note,
        fields={"defaults": {}, "overrides": []},
        options={"showHeader": True},
        instant=True,
    )
    panel.content["targets"][0]["format"] = "table"
    panel.content["transformations"] = [{"id": "organize", "options": organized}]
    return panel


def row(title: str) -> Panel:
    """A heading."""
    return Panel(_COLUMNS, 1, {"type": "row", "title": title, "collapsed": False, "panels": []})


def _panel(
    kind: str,
    title: str,
    queries: Sequence[Query],
    size: tuple[int, int],
    *,
    note: str,
    fields: Json,
    options: Json,
    instant: bool = False,
) -> Panel:
    targets = [
        {
            "refId": chr(ord("A") + place),
            "datasource": DATASOURCE,
            "expr": query.expression,
            "legendFormat": query.legend or "__auto",
            "instant": instant,
            "range": not instant,
        }
        for place, query in enumerate(queries)
    ]
    content = {
        "type": kind,
        "title": title,
        "description": note,
        "datasource": DATASOURCE,
        "targets": targets,
        "fieldConfig": fields,
        "options": options,
    }
    return Panel(*size, content)


def choice(name: str, series: str, label: str | None = None) -> Json:
    """A variable: the values that a label has in a series, all of them at first. label: if it is called otherwise than the variable."""
    query = f"label_values({series}, {label or name})"
    return {
        "name": name,
        "label": name.replace("_", " "),
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"], "selected": True},
    }


def dashboard(uid: str, title: str, about: str, choices: Sequence[Json], panels: Sequence[Panel], *, since: str = "now-6h") -> Json:
    """A dashboard: its panels fill lines from left to right. since: where its time begins."""
    datasource = {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "current": {}, "hide": 0}
    return {
        "uid": uid,
        "title": title,
        "description": about,
        "tags": ["genlevel"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": since, "to": "now"},
        "timezone": "browser",
        "templating": {"list": [datasource, *choices]},
        "links": [
            {"type": "dashboards", "title": "genlevel", "tags": ["genlevel"], "asDropdown": True, "includeVars": False, "keepTime": True}
        ],
        "annotations": {"list": []},
        "panels": _placed(panels),
    }


def _placed(panels: Sequence[Panel]) -> list[Json]:
    """Panels with their numbers and places."""
    placed, x, y, line = [], 0, 0, 0
    for place_in_all, panel in enumerate(panels, start=1):
        if x + panel.width > _COLUMNS:
            x, y, line = 0, y + line, 0
        place = {"x": x, "y": y, "w": panel.width, "h": panel.height}
        placed.append({"id": place_in_all, "gridPos": place, **panel.content})
        x, line = x + panel.width, max(line, panel.height)
    return placed
