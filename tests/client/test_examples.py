"""Every public method of both clients has an example, and each is true: they are run over a model's server that answers "A"."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from genlevel import AsyncClient, Client
from genlevel.client.answers import Answers
from genlevel.client.async_answers import AsyncAnswers
from genlevel.client.async_monitors import AsyncMonitor
from genlevel.client.async_runs import AsyncRun
from genlevel.client.monitors import Monitor
from genlevel.client.runs import Run
from genlevel.runtime.loop import loop_factory
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import monitor_pb2 as mo
from tests.client import examples
from tests.client.conftest import configuration
from tests.client.stand_in import StandIn

WAITING = (Client, Run, Answers, Monitor)
ASYNCHRONOUS = (AsyncClient, AsyncRun, AsyncAnswers, AsyncMonitor)
pytestmark = pytest.mark.xdist_group("client_examples")
ASKED: dict[str, Any] = {"tasks": "General-Knowledge", "limit": 4, "seed": 3}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, upstream: StandIn) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("examples")
    (folder / "genlevel.yaml").write_text(yaml.safe_dump(configuration(upstream)))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GENLEVEL_CONFIG", raising=False)
        patch.chdir(folder)
        yield folder


async def begun(client: AsyncClient) -> dict[str, Any]:
    """Two finished runs, and a monitor that watches: it is compared with a third one."""
    run, other = await client.start("my-model", "starter", **ASKED), await client.start("my-other-model", "starter", **ASKED)
    whole = await client.start("my-model", "starter", tasks="General-Knowledge")
    for one in (run, other, whole):
        await one.wait()
    asked = ev.RunSpecification(model="my-model", suite="starter", tasks="General-Knowledge")
    specification = mo.MonitorSpecification(asked=asked, every="1d", sample=6, baseline=whole.id)
    async with client._connection.using() as found:
        await found.monitors.add_monitor(mo.AddMonitorRequest(name="nightly", specification=specification))
        scheduler = found.evaluator.watching.scheduler  # as a service's does every two seconds
        await scheduler.lead()
        for _ in range(2):
            await scheduler.look()
            await scheduler.settled()
    return {"client": client, "run": run, "other": other, "monitor": await client.monitor("nightly")}


@pytest.fixture(scope="module")
def waiting(place: Path) -> Iterator[dict[str, object]]:
    """What examples of the client that waits begin with."""
    with Client(folder=place / "waiting") as client:
        there = client._portal.call(begun(client._inner))
        run, other, monitor = (client.run(there["run"].id), client.run(there["other"].id), client.monitor("nightly"))
        yield {"Client": Client, "client": client, "run": run, "other": other, "monitor": monitor}


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        yield runner


@pytest.fixture(scope="module")
def asynchronous(place: Path, runner: asyncio.Runner) -> Iterator[dict[str, object]]:
    """The same of the other."""
    client = AsyncClient(folder=place / "asynchronous")

    yield {"AsyncClient": AsyncClient, **runner.run(begun(client))}
    runner.run(client.close())


@pytest.mark.parametrize(("name", "text"), list(examples.public(*WAITING)))
def test_examples_of_the_client_that_waits_hold(name: str, text: str, waiting: dict[str, object], runner: asyncio.Runner) -> None:
    waiting["monitor"].resume()  # type: ignore[attr-defined]
    assert examples.run(text, dict(waiting), runner) or name in ("Run", "Monitor")


@pytest.mark.parametrize(("name", "text"), list(examples.public(*ASYNCHRONOUS)))
def test_examples_of_the_asynchronous_client_hold(name: str, text: str, asynchronous: dict[str, object], runner: asyncio.Runner) -> None:
    runner.run(asynchronous["monitor"].resume())  # type: ignore[attr-defined]
    assert examples.run(text, dict(asynchronous), runner) or name in ("AsyncRun", "AsyncMonitor")
