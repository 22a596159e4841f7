"""A real Prometheus, with the shipped configuration and rules, scrapes the series that the services really make."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from evaluator.telemetry import EvaluatorTelemetry, SuiteName
from gateway.telemetry import Telemetry
from genlevel.benchmark.model import Benchmark, Modality, Paradigm, Task, TaskMetric
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.http import HttpServer, create_app
from genlevel.v1 import gateway_pb2 as gw
from scorer.certify import certify
from scorer.runs.exporter import Current, ScoreExporter, Shown
from scorer.runs.verdict import compute_verdict
from scorer.scoring.task_scoring import TaskOutcome
from scorer.store.records import StoredScore
from scorer.tasks import TaskRecord
from tests.alerting import Alerting, running_prometheus

pytestmark = pytest.mark.full


def registries() -> dict[str, CollectorRegistry]:
    """What each service shows after one answered call, one failed one, and one verdict."""
    by_service = {name: CollectorRegistry() for name in ("gateway", "evaluator", "scorer")}
    telemetry = Telemetry(by_service["gateway"])
    series = telemetry.model("openai", "m", "chat")
    usage = gw.Usage(input_tokens=3, output_tokens=2)
    series.answered(gw.GenerateResponse(upstream_s=0.5, overhead_s=0.001, cost_nano_usd=2_500_000, usage=usage), True)
    telemetry.failed("openai", "RATE_LIMIT")
    EvaluatorTelemetry(by_service["evaluator"]).answered("m", SuiteName("starter", "1f3a5b7c"), Outcome.ANSWERED)
    exporter = ScoreExporter()
    task = Task("t", "T", "T", "", 0, "1", Modality.IMAGE, Paradigm.COMPREHENSION, TaskMetric("accuracy", "ACC"), 90.0, 90.0)
    outcome = TaskOutcome(50.0, 50.0, 50.0, 1.0, {Outcome.ANSWERED: 2}, "", ())
    verdict = compute_verdict(Benchmark("b", (task,)), [StoredScore(TaskRecord(key="t", name="T"), False, outcome)])
    shown = Shown(verdict, certify(verdict.results, []), certify(verdict.results, [], specialists={}))
    exporter.update(("m", "starter", "1f3a5b7c9d"), lambda: [Current("run", False, lambda: shown)], changed="run")
    by_service["scorer"].register(exporter)
    return by_service


async def test_prometheus_scrapes_all_services_and_evaluates_the_rules(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        targets = {}
        for service, registry in registries().items():
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
        assert len(rules) == 26
        assert {(rule["name"], rule["health"], rule.get("lastError", "")) for rule in rules} == {(rule["name"], "ok", "") for rule in rules}
