"""Dashboards, rules and destinations in a live deployment: three services, a model that gets worse, a real Prometheus and Alertmanager."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from genlevel.runtime.destinations import DestinationKind
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import monitor_pb2 as mo
from genlevel.v1.monitor_pb2_grpc import MonitorServiceStub
from tests.alerting import Alerting, prometheus_and_alertmanager
from tests.deploy.dashboards import Shown, shown, without_data
from tests.evaluator.alarms.receiver import Receiver, receiving
from tests.integration.conftest import Command, Deployment
from tests.waiting import LONG_S, until

pytestmark = [pytest.mark.full, pytest.mark.slow, pytest.mark.services]

WITHOUT_DATA = {
    ("gateway", "Calls that were refused"): "nobody was refused",
    ("runs", "Ratings"): "no judge was asked",
    ("runs", "Batches at providers"): "the run asks call by call",
    ("runs", "Instances in batches"): "the run asks call by call",
    ("runs", "The queue can be used"): "there is none",
    ("runs", "Messages that are not done"): "there is no queue",
    ("runs", "Messages that were given up"): "there is no queue",
    ("runs", "Parts of shared limits"): "the database is not shared",
    ("gateway", "First piece of a stream"): "no answer comes as a stream",
    ("gateway", "Time for each token of a stream"): "no answer comes as a stream",
}
"""Why a panel has no data in a live run."""


class Model:
    """A stand-in model: says A, which is right, until it is told to say something else; each tenth call fails."""

    def __init__(self) -> None:
        self.says = "A"
        self.calls = 0
        self.url = ""

    async def complete(self, request: web.Request) -> web.Response:
        await request.read()
        self.calls += 1
        await asyncio.sleep(0.05)
        if self.calls % 10 == 0:
            return web.json_response({"error": {"message": "The server had an error", "type": "server_error"}}, status=500)
        choice = {"index": 0, "message": {"role": "assistant", "content": self.says}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 20, "completion_tokens": 2, "total_tokens": 22}
        return web.json_response({"id": "x", "model": "stub-1", "choices": [choice], "usage": usage})


@asynccontextmanager
async def a_model() -> AsyncIterator[Model]:
    model = Model()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", model.complete)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    model.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield model
    finally:
        await runner.cleanup()


async def test_every_panel_shows_a_live_run_and_a_model_that_gets_worse_is_told(
    genlevel: Command, deployed: Any, choice_suite: Any, tmp_path: Path
) -> None:
    choice_suite(60)
    async with a_model() as model, receiving() as receiver:
        hook = {"kind": DestinationKind.WEBHOOK.value, "url": f"{receiver.url}/alarms"}
        account = {"provider": "compatible", "base_url": model.url, "limits": {"concurrency": 4, "requests_per_minute": 6000}}
        deployment: Deployment = deployed(model.url, destinations={"hook": hook}, accounts={"stub": account})
        await asyncio.to_thread(deployment.start, "gateway", "scorer", "evaluator")
        targets = {f"genlevel-{name}": [f"127.0.0.1:{port}"] for name, port in deployment.http.items()}
        async with prometheus_and_alertmanager(tmp_path, targets) as alerting, deployment.channel("evaluator") as channel:
            monitors = MonitorServiceStub(channel)
            await add_monitor(monitors)
            await alerting.appears("sum(up) == 3")
            evaluating = asyncio.create_task(
                asyncio.to_thread(genlevel.run, "eval", "--model", "stubbed", "--suite", "bench", "--concurrency", "1", "--json")
            )
            watching = asyncio.create_task(watch(monitors, model))
            silent = await panels_without_data(alerting, (evaluating, watching))
            assert (await evaluating).returncode == 0
            await watching
            await arrived(receiver, alerting)
    assert {(one.dashboard, one.panel) for one in silent} == set(WITHOUT_DATA)


async def add_monitor(monitors: Any) -> None:
    asked = ev.RunSpecification(model="stubbed", suite="bench")
    specification = mo.MonitorSpecification(asked=asked, every="6h", sample=20, pool=3, baseline_repeats=1, budget_nano_usd=5_000_000_000)
    await monitors.AddMonitor(mo.AddMonitorRequest(name="nightly", specification=specification))
    await until_so(lambda answer: answer.monitor.state == mo.MONITOR_STATE_WATCHING, monitors)


async def found(monitors: Any) -> mo.GetMonitorResponse:
    answer: mo.GetMonitorResponse = await monitors.GetMonitor(mo.GetMonitorRequest(name="nightly"))
    return answer


async def until_so(condition: Callable[[mo.GetMonitorResponse], bool], monitors: Any) -> None:
    """Waits until the monitor is so."""
    async with asyncio.timeout(LONG_S):
        while not condition(await found(monitors)):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def watch(monitors: Any, model: Model) -> None:
    """One tick while the model is well, and then more until there is an alarm."""
    await tick(monitors)
    assert not (await found(monitors)).alarms
    model.says = "B"
    async with asyncio.timeout(120):
        while not (await found(monitors)).alarms:
            await tick(monitors)


async def tick(monitors: Any) -> None:
    number = (await monitors.RunMonitor(mo.RunMonitorRequest(name="nightly"))).tick
    await until_so(lambda answer: any(one.number == number and one.outcome > mo.TICK_OUTCOME_OPEN for one in answer.ticks), monitors)


async def panels_without_data(alerting: Alerting, tasks: tuple[asyncio.Task[Any], ...]) -> set[Shown]:
    """Those that never had any from now until some seconds after the tasks have ended."""
    silent = set(shown())
    more = 20
    while more and {(one.dashboard, one.panel) for one in silent} != set(WITHOUT_DATA):
        silent &= set(await without_data(alerting))
        more -= all(task.done() for task in tasks)
        await asyncio.sleep(0.3)
    return silent


async def arrived(receiver: Receiver, alerting: Alerting) -> None:
    """Waits until both ways have told of it."""
    await until(lambda: receiver.received and ("GenlevelModelRegressed", "nightly") in alerting.fired())
    told = [json.loads(one.body) for one in receiver.received]
    assert {"alarm.regression"} <= {one["type"] for one in told}
    assert len({one.headers["webhook-id"] for one in receiver.received}) == len(receiver.received), "once each"
