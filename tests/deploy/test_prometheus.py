"""A real Prometheus, with the shipped configuration and rules, scrapes the series that the services really make."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
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
from tests.ports import free_ports

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


@asynccontextmanager
async def running_prometheus(repository: Path, folder: Path, ports: dict[str, int]) -> AsyncIterator[str]:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not installed")
    shipped = yaml.safe_load((repository / "deploy/prometheus/prometheus.yml").read_text("utf-8"))
    shipped["global"] = {"scrape_interval": "500ms", "evaluation_interval": "500ms"}
    for job in shipped["scrape_configs"]:
        service = job["job_name"].removeprefix("genlevel-")
        job["static_configs"] = [{"targets": [f"127.0.0.1:{ports[service]}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(shipped))
    shutil.copy(repository / "deploy/prometheus/rules.yml", folder)
    [port] = free_ports(1)
    log = (folder / "log").open("w")
    arguments = [
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    process = await asyncio.create_subprocess_exec(program, *arguments, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()
        log.close()


async def ask(session: aiohttp.ClientSession, path: str, **parameters: str) -> Any:
    """The data of an answer of Prometheus' API; None while it does not answer."""
    try:
        async with session.get(path, params=parameters) as answer:
            return (await answer.json())["data"]
    except (aiohttp.ClientError, KeyError):
        return None


async def value(session: aiohttp.ClientSession, base: str, query: str) -> float:
    """The value of a query with one result, waiting for it to appear."""
    while True:
        data = await ask(session, f"{base}/api/v1/query", query=query)
        if data and data["result"]:
            (result,) = data["result"]
            return float(result["value"][1])
        await asyncio.sleep(0.2)


async def test_prometheus_scrapes_all_services_and_evaluates_the_rules(repository: Path, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        ports = {}
        for service, registry in registries().items():
            server = await stack.enter_async_context(HttpServer(create_app(registry), "127.0.0.1:0"))
            ports[service] = server.port
        base = await stack.enter_async_context(running_prometheus(repository, tmp_path, ports))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        async with asyncio.timeout(90):
            assert await value(session, base, "sum(up) == 3") == 3
            assert await value(session, base, 'genlevel_verdict{model="m", suite="starter"}') == 2
            assert await value(session, base, 'genlevel_gateway_cost_usd_total{provider="openai"}') == 0.0025
            assert await value(session, base, 'genlevel_gateway_errors_total{class="RATE_LIMIT"}') == 1
            assert await value(session, base, 'genlevel_evaluator_answers_total{outcome="answered"}') == 1
            assert await value(session, base, "genlevel:evaluator_answers:rate5m") == 0
            assert await value(session, base, "sum(gen_ai_client_token_usage_sum)") == 5
            groups = (await ask(session, f"{base}/api/v1/rules"))["groups"]
            while any(rule["health"] == "unknown" for group in groups for rule in group["rules"]):
                await asyncio.sleep(0.2)
                groups = (await ask(session, f"{base}/api/v1/rules"))["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        assert len(rules) == 10
        assert {(rule["name"], rule["health"], rule.get("lastError", "")) for rule in rules} == {(rule["name"], "ok", "") for rule in rules}
