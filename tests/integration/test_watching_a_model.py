"""Deployed models, watched for real: three services that a real Prometheus scrapes, a real Alertmanager, and a model that gets worse.

Time is injected: the evaluator runs in the test, by a clock that is set, beside a gateway and a scorer that are processes of their own.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from prometheus_client import CollectorRegistry

from evaluator.clients import GrpcGateway, GrpcScorer
from evaluator.service import Evaluator
from genlevel.runtime.http import HttpServer, create_app
from genlevel.runtime.readiness import Life, fine
from genlevel.runtime.settings_file import parse_settings
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import monitor_pb2 as mo
from tests.alerting import prometheus_and_alertmanager
from tests.evaluator.monitors.watched import HOUR, Clock, Deployed, make_suite
from tests.integration.serving import configuration, ports_of, wait_until_ready

pytestmark = [pytest.mark.full, pytest.mark.slow, pytest.mark.own_auth("the evaluator is in the test, and shows nothing")]

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
LATENCY_S = 0.02
DRIFT = "GenlevelModelDrifted"
"""Not looked at: how long calls take, and so whether their latency drifts, is of what else this machine does."""


class Model:
    """An OpenAI-compatible server with a model for each name: "steady" stays as it is, "falling" can be made worse."""

    def __init__(self, labels: dict[str, str]) -> None:
        self.models = {name: Deployed(labels, seed=seed) for seed, name in enumerate(("steady", "falling"))}

    async def complete(self, request: web.Request) -> web.Response:
        body = await request.json()
        await asyncio.sleep(LATENCY_S)
        question = body["messages"][-1]["content"].partition("\n")[0]
        text = self.models[body["model"]](question, 1)
        usage = {"prompt_tokens": 20, "completion_tokens": 1, "total_tokens": 21}
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        return web.json_response({"id": "1", "object": "chat.completion", "model": body["model"], "choices": [choice], "usage": usage})


class Receiver:
    """Takes signed alarms, and keeps those whose signature is right."""

    def __init__(self) -> None:
        self.alarms: list[dict[str, Any]] = []
        self.refuses = 2

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.refuses:
            self.refuses -= 1
            return web.Response(status=503)
        signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + body
        wanted = base64.b64encode(hmac.new(b"k" * 32, signed, hashlib.sha256).digest()).decode()
        assert request.headers["webhook-signature"] == f"v1,{wanted}"
        self.alarms.append(json.loads(body))
        return web.Response()


@asynccontextmanager
async def served(path: str, handler: Callable[[web.Request], Any]) -> AsyncIterator[str]:
    """A server with one page; its address."""
    app = web.Application()
    app.router.add_post(path, handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def watching(document: dict[str, Any], folder: Path, clock: Clock) -> AsyncIterator[tuple[Evaluator, str]]:
    """An evaluator of this process over the other two services; and host:port of its page."""
    settings, registry = parse_settings(yaml.safe_dump(document)), CollectorRegistry()
    gateway = GrpcGateway(settings.addresses.gateway, settings.addresses)
    scorer: Any = GrpcScorer(settings.addresses.scorer, settings.addresses)
    evaluator = Evaluator(settings, gateway, scorer, registry=registry, data_folder=folder, continues=True, clock=clock)
    life = Life()
    life.begin(fine)
    try:
        async with HttpServer(create_app(registry, ready=life), "127.0.0.1:0") as page:
            yield evaluator, f"127.0.0.1:{page.port}"
    finally:
        await evaluator.close()
        await scorer.close()
        await gateway.close()


def ended(process: Any) -> None:
    process.kill()
    process.communicate()


async def seen(evaluator: Evaluator, name: str) -> mo.GetMonitorResponse:
    return await evaluator.monitors.get_monitor(mo.GetMonitorRequest(name=name, ticks=1000))


async def ticks(evaluator: Evaluator, clock: Clock, count: int) -> None:
    """So many ticks of all monitors, one after another, without waiting for time to pass."""
    scheduler = evaluator.watching.scheduler
    for _ in range(count):
        clock.now += 6 * HOUR
        await scheduler.look()
        while True:
            await scheduler.settled()
            if not any(monitor.open_tick for monitor in (await evaluator.monitors.list_monitors(mo.ListMonitorsRequest())).monitors):
                break
            await evaluator.ended()
            await scheduler.look()


@pytest.mark.parametrize("in_all", [30, pytest.param(365, marks=pytest.mark.soak)])
async def test_a_model_that_falls_is_told_to_people_and_one_that_does_not_is_not(
    in_all: int, genlevel: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPS_SECRET", SECRET)
    labels = make_suite(tmp_path / "suites" / "bench", {"Causal-Reasoning": 400, "Sentiment": 400})
    model, receiver, clock = Model(labels), Receiver(), Clock()
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(served("/v1/chat/completions", model.complete))
        hook = await stack.enter_async_context(served("/", receiver.take))
        document = configuration(f"{address}/v1", tmp_path / "suites", concurrency=16)
        account = {"account": "stub", "price": {"input": "1", "output": "4"}}
        document["routes"] = {name: {**account, "model": name} for name in model.models}
        (genlevel.folder / "genlevel.yaml").write_text(yaml.safe_dump(document))
        document["destinations"] = {"ops": {"kind": "webhook", "url": f"{hook}/", "secret_env": "OPS_SECRET"}}
        pages = ports_of(document, "http")
        for name in ("gateway", "scorer"):
            process = genlevel.start(name, "--out", f"data-{name}")
            stack.callback(ended, process)
            wait_until_ready(process, pages[name])
        evaluator, page = await stack.enter_async_context(watching(document, tmp_path / "data", clock))
        targets = {f"genlevel-{name}": [f"127.0.0.1:{pages[name]}"] for name in ("gateway", "scorer")}
        alerting = await stack.enter_async_context(prometheus_and_alertmanager(tmp_path, {**targets, "genlevel-evaluator": [page]}))
        await alerting.appears("sum(up) == 3")

        asked = {name: ev.RunSpecification(model=name, suite="bench") for name in model.models}
        for name, sample in (("steady", 20), ("falling", 100)):
            specification = mo.MonitorSpecification(asked=asked[name], every="6h", sample=sample, pool=8)
            await evaluator.monitors.add_monitor(mo.AddMonitorRequest(name=name, specification=specification))
        for name in asked:
            await watches(evaluator, name)

        await ticks(evaluator, clock, 10)
        assert not {name for name, _ in alerting.fired()} - {DRIFT}
        model.models["falling"].drop = 0.1
        found: list[mo.MonitorAlarm] = []
        while not found:
            await ticks(evaluator, clock, 1)
            found = [alarm for alarm in (await seen(evaluator, "falling")).alarms if alarm.kind == "regression" and alarm.group == "all"]
        (alarm,) = found
        assert 11 <= alarm.since_tick <= 14 <= alarm.tick <= 30
        assert alarm.low <= 10.5 <= alarm.high

        await evaluator.watching.scheduler.look()  # shows what was found
        async with asyncio.timeout(60):
            while ("GenlevelModelRegressed", "falling") not in alerting.fired():  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        for _ in range(4):
            await evaluator.watching.courier.deliver()
            clock.now += 1800.0
        assert [sent["data"]["id"] for sent in receiver.alarms].count(alarm.id) == 1
        assert {sent["data"]["monitor"] for sent in receiver.alarms if sent["data"]["kind"] != "drift"} == {"falling"}

        await evaluator.monitors.acknowledge_alarms(mo.AcknowledgeAlarmsRequest(name="falling"))
        await evaluator.monitors.pause_monitor(mo.PauseMonitorRequest(name="falling", paused=True))
        await ticks(evaluator, clock, in_all - (await seen(evaluator, "steady")).monitor.ticks)
        steady = await seen(evaluator, "steady")
        alarms = [alarm for alarm in steady.alarms if alarm.kind != "drift"]
        assert (steady.monitor.ticks, steady.monitor.missed, alarms) == (in_all, 0, [])
        assert {tick.outcome for tick in steady.ticks} == {mo.TICK_OUTCOME_COMPLETE}
        assert {monitor for name, monitor in alerting.fired() if name != DRIFT} <= {"falling"}


async def watches(evaluator: Evaluator, name: str) -> None:
    """Looks until the monitor has its baseline."""
    async with asyncio.timeout(120):
        while (await seen(evaluator, name)).monitor.state != mo.MONITOR_STATE_WATCHING:
            assert await evaluator.watching.scheduler.lead()
            await evaluator.watching.scheduler.look()
            await evaluator.watching.scheduler.settled()
            await asyncio.sleep(0.05)
