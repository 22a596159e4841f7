"""Grafana's dashboards are what their code makes, ask for series that exist, and show data of a real Prometheus."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
import yaml
from prometheus_client import CollectorRegistry

from evaluator.monitors.series import DeliveryCounter, MonitorSeries
from genlevel.runtime.http import HttpServer, create_app
from genlevel.runtime.readiness import Life, fine
from tests.alerting import prometheus_and_alertmanager
from tests.deploy.dashboards import dashboards, named_in, shown, without_data
from tests.deploy.monitor_page import Monitors, monitor_page
from tests.deploy.pages import Pages
from tests.deploy.test_deployment_files import SUFFIXES, rules_of

if TYPE_CHECKING:
    from evaluator.journal.monitor_store import MonitorStore

KINDS = {"row", "timeseries", "stat", "table", "bargauge"}


def test_they_are_what_their_code_makes(repository: Path) -> None:
    done = subprocess.run([sys.executable, repository / "deploy/grafana/build.py"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", dashboards())
def test_panels_have_places_of_their_own_a_kind_that_grafana_has_and_our_datasource(name: str) -> None:
    document = dashboards()[name]
    assert document["uid"] == f"genlevel-{name}"
    panels = document["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) >= 15
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["type"] in KINDS
        for target in panel.get("targets", []):
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert target["instant"] != target["range"]
    chosen = {variable["name"] for variable in document["templating"]["list"]}
    text = str(panels)
    assert set(re.findall(r"\$\{?(\w+)", text)) - {"__rate_interval", "__range"} <= chosen
    unused = {name for name in chosen if f"${name}" not in text and f"${{{name}}}" not in text}
    assert not unused


def test_every_series_that_a_dashboard_asks_for_is_shown_or_recorded(repository: Path) -> None:
    registries: list[CollectorRegistry] = [*Pages().registries.values(), monitor_page(0.0)[0]]
    create_app(registries[0], ready=Life())
    known = {rule["record"] for rule in rules_of(repository) if "record" in rule} | {"up", "ALERTS"}
    for registry in registries:
        for family in registry.collect():
            known |= {family.name + suffix for suffix in SUFFIXES[family.type]}
    asked = {name for one in shown() for name in named_in(one.expression)}
    assert len(asked) > 60
    assert asked <= known


def test_every_series_of_the_page_on_metrics_is_in_a_dashboard_or_left_out_for_a_reason(repository: Path) -> None:
    page = (repository / "docs/metrics.md").read_text("utf-8")
    documented = set(re.findall(r"`((?:genlevel|gen_ai)_\w+)`", page))
    rules = {name for rule in rules_of(repository) for name in named_in(rule["expr"])}
    asked = {re.sub(r"_(?:bucket|sum|count)$", "", name) for name in {name for one in shown() for name in named_in(one.expression)} | rules}
    assert documented - asked == set()


def test_the_page_of_tests_has_the_series_and_labels_that_an_evaluator_shows() -> None:
    registry = CollectorRegistry()
    DeliveryCounter(registry, ["ops"])
    made = [*MonitorSeries(cast("MonitorStore", None), time.time).collect(), *registry.collect()]
    monitors = Monitors(time.time())
    monitors.alarms |= {("nightly", "all", "regression", "score")}
    pages = {family.name: {tuple(sample.labels) for sample in family.samples} for family in monitors.collect()}
    # A family keeps its labels' names to itself.
    labels = {family.name: {tuple(getattr(family, "_labelnames", ("destination", "outcome")))} for family in made}
    assert pages == labels


def test_every_series_of_monitors_is_in_a_dashboard() -> None:
    asked = {name for one in shown() for name in named_in(one.expression)}
    series = {family.name + SUFFIXES[family.type][0] for family in Monitors(0.0).collect()}
    assert series - asked - {"genlevel_monitor_cost_usd_total"} == set(), "of costs there is what a day adds"


def test_compose_provisions_them_and_nothing_leaves_the_machine(repository: Path) -> None:
    compose = yaml.safe_load((repository / "docker-compose.yml").read_text("utf-8"))
    grafana = compose["services"]["grafana"]
    assert grafana["ports"] == ["127.0.0.1:3000:3000"]
    mounts = dict(volume.split(":")[:2] for volume in grafana["volumes"] if volume.startswith("./"))
    folders = {path: repository / folder for folder, path in mounts.items()}
    assert all(folder.is_dir() for folder in folders.values())
    provider = yaml.safe_load((folders["/etc/grafana/provisioning"] / "dashboards/genlevel.yml").read_text("utf-8"))["providers"][0]
    assert folders[provider["options"]["path"]] == repository / "deploy/grafana/dashboards"
    sources = yaml.safe_load((folders["/etc/grafana/provisioning"] / "datasources/genlevel.yml").read_text("utf-8"))["datasources"]
    for source in sources:
        service, _, port = source["url"].removeprefix("http://").partition(":")
        assert compose["services"][service]["ports"] == [f"127.0.0.1:{port}:{port}"]
    off = {name: value for name, value in grafana["environment"].items() if name.startswith(("GF_ANALYTICS_", "GF_NEWS_", "GF_SNAPSHOTS_"))}
    assert len(off) >= 5
    assert set(off.values()) == {"false"}
    assert not re.findall(
        r"https?://(?!127\.0\.0\.1|localhost)", str([panel for each in dashboards().values() for panel in each["panels"]])
    )


WITHOUT_DATA = {
    ("gateway", "Calls that were refused"): "nobody was refused",
}
"""Why a panel has no data although all services have done a little of everything."""


@pytest.mark.full
async def test_prometheus_evaluates_every_rule_and_every_expression_gives_data_of_services_that_do_something(
    repository: Path, tmp_path: Path
) -> None:
    """With the shipped configuration, of the series that the services really make."""
    pages = Pages()
    monitors = Monitors(time.time())
    monitors.alarms |= {("nightly", "all", "regression", "score")}
    pages.registries["evaluator"].register(monitors)
    async with AsyncExitStack() as stack:
        targets = {}
        for service, registry in pages.registries.items():
            life = Life()
            life.begin(fine)
            server = await stack.enter_async_context(HttpServer(create_app(registry, ready=life), "127.0.0.1:0"))
            targets[f"genlevel-{service}"] = [f"127.0.0.1:{server.port}"]
        alerting = await stack.enter_async_context(prometheus_and_alertmanager(tmp_path, targets))

        async def value(expression: str) -> float:
            [found] = await alerting.appears(expression)
            return float(found["value"][1])

        assert await value("sum(up) == 3") == 3
        assert await value('genlevel_verdict{model="m", suite="starter"}') == 2
        assert await value('genlevel_gateway_cost_usd_total{provider="openai"}') == 0.0025
        assert await value('genlevel_gateway_errors_total{class="RATE_LIMIT"}') == 1
        assert await value('genlevel_evaluator_answers_total{outcome="answered"}') == 1
        assert await value("genlevel:evaluator_answers:rate5m") == 0
        assert await value("sum(gen_ai_client_token_usage_sum)") == 5
        for _ in range(200):
            missing = await without_data(alerting)
            if {(one.dashboard, one.panel) for one in missing} == set(WITHOUT_DATA):
                break
            pages.goes_on()
            await asyncio.sleep(0.1)
        assert {(one.dashboard, one.panel): one.expression for one in missing}.keys() == WITHOUT_DATA.keys()
        rules = [rule for group in (await alerting.data("/api/v1/rules"))["groups"] for rule in group["rules"]]
    assert len(rules) == len(rules_of(repository))
    assert {(rule["name"], rule["health"], rule.get("lastError", "")) for rule in rules} == {(rule["name"], "ok", "") for rule in rules}
