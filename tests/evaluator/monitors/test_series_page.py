"""docs/metrics.md has every series of monitors, with its type and labels."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

from prometheus_client import CollectorRegistry

from evaluator.monitors.series import DeliveryCounter, MonitorSeries

if TYPE_CHECKING:
    from evaluator.journal.monitor_store import MonitorStore


def test_the_page_has_every_series_with_its_type_and_labels(repository: Path) -> None:
    page = (repository / "docs/metrics.md").read_text("utf-8").partition("## Monitors")[2].partition("\n## ")[0]
    documented: dict[str, tuple[str, tuple[str, ...]]] = {}
    labels: tuple[str, ...] = ()
    for names, kind, said, _ in re.findall(r"^\| (`.*?`) \| (\w+) \|(.*?)\|(.*)\|$", page, re.MULTILINE):
        labels = labels if said.strip() == "same" else tuple(re.findall(r"\w+", re.sub(r"\(.*?\)", "", said)))
        documented |= dict.fromkeys(re.findall(r"\w+", names), (kind, labels))
    registry = CollectorRegistry()
    DeliveryCounter(registry, ["ops"])
    shown = {"genlevel_alarm_deliveries_total": ("counter", ("destination", "outcome"))}
    assert [family.name + "_total" for family in registry.collect()] == list(shown)
    for family in MonitorSeries(cast("MonitorStore", None), time.time).collect():
        # A family keeps its labels' names to itself.
        shown[family.name + ("_total" if family.type == "counter" else "")] = family.type, tuple(getattr(family, "_labelnames", ()))
    assert documented == shown
