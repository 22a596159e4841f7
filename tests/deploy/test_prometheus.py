"""A real Prometheus, with the shipped configuration and rules, scrapes the series that the services really make."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import yaml

from genlevel.runtime.http import HttpServer, create_app
from tests.alerting import REPOSITORY, Alerting, running_prometheus
from tests.deploy.pages import Pages

pytestmark = pytest.mark.full


async def test_prometheus_scrapes_all_services_and_evaluates_the_rules(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        targets = {}
        for service, registry in Pages().registries.items():
            server = await stack.enter_async_context(HttpServer(create_app(registry), "127.0.0.1:0"))
            targets[f"genlevel-{service}"] = [f"127.0.0.1:{server.port}"]
        alerting = Alerting(await stack.enter_async_context(running_prometheus(tmp_path, targets)), "")

        async def value(expression: str) -> float:
            [found] = await alerting.appears(expression)
            return float(found["value"][1])

        async with asyncio.timeout(90):
            assert await value("sum(up) == 3") == 3
            assert await value('genlevel_verdict{model="m", suite="starter"}') == 2
            assert await value('genlevel_gateway_cost_usd_total{provider="openai"}') == 0.0025
            assert await value('genlevel_gateway_errors_total{class="RATE_LIMIT"}') == 1
            assert await value('genlevel_evaluator_answers_total{outcome="answered"}') == 1
            assert await value("genlevel:evaluator_answers:rate5m") == 0
            assert await value("sum(gen_ai_client_token_usage_sum)") == 5
            groups = (await alerting.data("/api/v1/rules"))["groups"]
            while any(rule["health"] == "unknown" for group in groups for rule in group["rules"]):
                await asyncio.sleep(0.2)
                groups = (await alerting.data("/api/v1/rules"))["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        shipped = [REPOSITORY / "deploy/prometheus" / name for name in ("rules.yml", "monitors.yml")]
        assert len(rules) == sum(len(group["rules"]) for file in shipped for group in yaml.safe_load(file.read_text("utf-8"))["groups"])
        assert {(rule["name"], rule["health"], rule.get("lastError", "")) for rule in rules} == {(rule["name"], "ok", "") for rule in rules}
