"""A real Prometheus and a real Alertmanager with what is shipped, in a hurry, and a receiver of what they tell people."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web

from tests.ports import free_ports
from tests.waiting import LONG_S

REPOSITORY = Path(__file__).resolve().parent.parent
INTERVAL = "300ms"


@dataclass
class Alerting:
    """Where both are, and what Alertmanager posted: alerts as its webhook has them, with status, labels and annotations."""

    prometheus: str
    alertmanager: str
    received: list[dict[str, Any]] = field(default_factory=list)

    def fired(self) -> set[tuple[str, str]]:
        """(alert, monitor) of all that was told as firing."""
        return {
            (alert["labels"]["alertname"], alert["labels"].get("monitor", "")) for alert in self.received if alert["status"] == "firing"
        }

    async def data(self, path: str, **parameters: str) -> Any:
        """The data of an answer of Prometheus' API; None while it does not answer."""
        return await ask(f"{self.prometheus}{path}", **parameters)

    async def result(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression gives now."""
        data = await self.data("/api/v1/query", query=expression)
        found: list[dict[str, Any]] = [] if data is None else data["result"]
        return found

    async def appears(self, expression: str) -> list[dict[str, Any]]:
        """The same, once there is a series. Raises TimeoutError if there never is."""
        async with asyncio.timeout(LONG_S):
            while not (found := await self.result(expression)):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return found


async def ask(url: str, **parameters: str) -> Any:
    """The data of an answer; None if there is none."""
    try:
        async with aiohttp.ClientSession() as session, session.get(url, params=parameters) as answer:
            return (await answer.json())["data"]
    except (aiohttp.ClientError, KeyError):
        return None


@asynccontextmanager
async def prometheus_and_alertmanager(folder: Path, targets: Mapping[str, Sequence[str]], *, token: str = "") -> AsyncIterator[Alerting]:
    """Both, with what is shipped in deploy/, until the end of the block.

    Args:
        folder: for their data and logs.
        targets: host:port by job, such as genlevel-evaluator; a job of the shipped configuration that is not in it is scraped nowhere.
        token: what is shown to the targets; "" = nothing.
    """
    async with (
        _receiver() as (receiver, received),
        _alertmanager(folder, receiver) as alertmanager,
        running_prometheus(folder, targets, alertmanager=alertmanager.removeprefix("http://"), token=token) as prometheus,
    ):
        yield Alerting(prometheus, alertmanager, received)


@asynccontextmanager
async def running_prometheus(
    folder: Path, targets: Mapping[str, Sequence[str]], *, alertmanager: str = "", token: str = ""
) -> AsyncIterator[str]:
    """A Prometheus with the shipped configuration and rules. alertmanager: host:port; "" = it tells nobody."""
    written = yaml.safe_load((REPOSITORY / "deploy/prometheus/prometheus.yml").read_text("utf-8"))
    written["global"] = {"scrape_interval": INTERVAL, "evaluation_interval": INTERVAL}
    for job in written["scrape_configs"]:
        del job["dns_sd_configs"]
        job["static_configs"] = [{"targets": list(targets.get(job["job_name"], ()))}]
        if token:
            job["authorization"] = {"credentials": token}
    written["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [alertmanager] if alertmanager else []}]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(written))
    for name in written["rule_files"]:
        shutil.copy(REPOSITORY / "deploy/prometheus" / name, folder)
    [port] = free_ports(1)
    arguments = [
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'prometheus-data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    async with _running("prometheus", arguments, folder):
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def _alertmanager(folder: Path, receiver: str) -> AsyncIterator[str]:
    written = yaml.safe_load((REPOSITORY / "deploy/alertmanager/alertmanager.yml").read_text("utf-8"))
    hurried = {"group_wait": "100ms", "group_interval": "300ms"}
    for route in (written["route"], *written["route"]["routes"]):
        route.update(hurried)
    for to in written["receivers"]:
        to["webhook_configs"] = [{"url": f"{receiver}/{to['name']}", "send_resolved": True}]
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(written))
    [port] = free_ports(1)
    arguments = [
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alertmanager-data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    async with _running("prometheus-alertmanager", arguments, folder):
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def _running(program: str, arguments: Sequence[str], folder: Path) -> AsyncIterator[None]:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    with (folder / f"{program}.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(found, *arguments, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            await process.wait()


@asynccontextmanager
async def _receiver() -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """Keeps each alert that is posted, with the receiver's name as ``to``."""
    received: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        written = await request.json()
        received.extend({**alert, "to": written["receiver"]} for alert in written["alerts"])
        return web.Response()

    app = web.Application()
    app.router.add_post("/{name}", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", received
    finally:
        await runner.cleanup()
