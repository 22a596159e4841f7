"""The HTTP side of a service: what Prometheus and an orchestrator see, over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
import threading
from typing import Any, cast

import aiohttp
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from genlevel.runtime.callers.access import Access
from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.http import MOST_CONNECTIONS, HttpServer, OnDemand, create_app
from genlevel.runtime.settings import NOBODY_IS_ASKED
from tests.waiting import until


@pytest.fixture
def registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    Counter("genlevel_test", "Tests.", ["model"], registry=registry).labels('a "b"\n').inc(3)
    return registry


async def fetch(server: HttpServer, path: str, accept: str = "") -> tuple[int, str, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{server.port}{path}", headers={"accept": accept}) as answer,
    ):
        return answer.status, answer.headers["content-type"], await answer.text()


async def test_metrics_come_as_text_and_to_who_asks_as_openmetrics(registry: CollectorRegistry) -> None:
    async with HttpServer(create_app(registry), "127.0.0.1:0") as server:
        status, kind, text = await fetch(server, "/metrics")
        assert (status, kind.split(";")[0]) == (200, "text/plain")
        samples = [sample for family in parse_text(text) for sample in family.samples]
        assert [(s.name, s.labels, s.value) for s in samples if s.name == "genlevel_test_total"] == [
            ("genlevel_test_total", {"model": 'a "b"\n'}, 3.0)
        ]
        status, kind, text = await fetch(server, "/metrics", "application/openmetrics-text;version=1.0.0")
        assert (status, kind.split(";")[0]) == (200, "application/openmetrics-text")
        assert [family.name for family in parse_openmetrics(text)] == ["genlevel_test"]


async def test_connections_without_a_request_have_to_go_if_there_are_too_many(registry: CollectorRegistry) -> None:
    async with HttpServer(create_app(registry), "127.0.0.1:0") as server:
        idle = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(MOST_CONNECTIONS + 50)]
        assert (await fetch(server, "/healthz"))[0] == 200
        await until(lambda: sum(reader.at_eof() or reader.exception() is not None for reader, _ in idle) >= 50)
        for _, writer in idle:
            writer.close()


async def test_requests_that_do_not_arrive_have_to_go_if_there_are_too_many() -> None:
    asked = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal asked
        asked += 1
        while (message := await receive()).get("more_body"):
            pass
        if message["type"] == "http.request":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"taken"})

    async with HttpServer(cast(FastAPI, app), "127.0.0.1:0", asks=True) as server:
        slow = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(MOST_CONNECTIONS)]
        for _, writer in slow:
            writer.write(b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\na")
        await until(lambda: asked == len(slow))
        assert (await fetch(server, "/"))[2] == "taken"
        for _, writer in slow:
            writer.close()


async def test_a_scrape_says_whether_the_service_is_ready_now_if_it_may_not_be(registry: CollectorRegistry) -> None:
    problems = ["starting", "", "the database is away"]

    async def ready() -> str:
        return problems.pop(0) if problems else str(1 / 0)

    async with HttpServer(create_app(registry, ready=ready), "127.0.0.1:0") as server:
        shown = []
        for _ in range(4):
            _, _, text = await fetch(server, "/metrics")
            shown += [sample.value for family in parse_text(text) for sample in family.samples if sample.name == "genlevel_ready"]
    assert shown == [0, 1, 0, 0], "a check that fails is no sign of health"


async def test_health_and_readiness_say_what_their_checks_say(registry: CollectorRegistry) -> None:
    problems = {"healthy": "", "ready": "starting"}

    async def healthy() -> str:
        return problems["healthy"]

    async def ready() -> str:
        return problems["ready"]

    app = create_app(registry, healthy=healthy, ready=ready)
    async with HttpServer(app, "127.0.0.1:0") as server:
        assert await fetch(server, "/healthz") == (200, "application/json", '{"status":"healthy"}')
        assert await fetch(server, "/readyz") == (503, "application/json", '{"status":"not ready","reason":"starting"}')
        problems.update(healthy="the journal cannot be written", ready="")
        assert await fetch(server, "/healthz") == (
            503,
            "application/json",
            '{"status":"unhealthy","reason":"the journal cannot be written"}',
        )
        assert await fetch(server, "/readyz") == (200, "application/json", '{"status":"ready"}')


async def test_it_leaves_the_processs_signal_handlers_alone_and_frees_its_port(registry: CollectorRegistry) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    first = HttpServer(create_app(registry), "127.0.0.1:0")
    port = await first.start()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    taken = rf"^scorer\.http: cannot listen on 127\.0\.0\.1:{port} \(Address already in use\); "
    with pytest.raises(ConfigurationError, match=taken + r"set another host:port as scorer\.http in genlevel\.yaml$"):
        await HttpServer(create_app(registry), f"127.0.0.1:{port}", name="scorer.http").start()
    await first.stop()
    await first.stop()
    async with HttpServer(create_app(registry), f"127.0.0.1:{port}") as second:
        assert (await fetch(second, "/healthz"))[0] == 200


@pytest.mark.parametrize("address", ["127.0.0.1:port", "127.0.0.1:70000", "256.0.0.1:80"])
async def test_an_address_that_is_none_is_refused_in_one_line(registry: CollectorRegistry, address: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^http: cannot listen on {address} \("):
        await HttpServer(create_app(registry), address, access=Access(NOBODY_IS_ASKED)).start()


async def test_an_app_on_demand_is_made_once_somebody_asks_and_who_asks_first_is_answered(registry: CollectorRegistry) -> None:
    made = []

    def make() -> FastAPI:
        made.append(threading.current_thread())
        return create_app(registry)

    async with HttpServer(OnDemand(make), "127.0.0.1:0") as server:
        assert await server.start() == server.port != 0
        assert not made
        answers = await asyncio.gather(*(fetch(server, "/healthz") for _ in range(20)))
        assert {status for status, _, _ in answers} == {200}
        assert len(made) == 1
        assert made[0] is not threading.main_thread()
        assert (await fetch(server, "/metrics"))[0] == 200
    with pytest.raises(aiohttp.ClientConnectorError):
        await fetch(server, "/healthz")
    async with HttpServer(OnDemand(make), f"127.0.0.1:{server.port}") as second:
        assert (await fetch(second, "/healthz"))[0] == 200


async def test_an_app_on_demand_is_made_before_somebody_asks_if_it_is_told_to(registry: CollectorRegistry) -> None:
    made = asyncio.Event()

    def make() -> FastAPI:
        loop.call_soon_threadsafe(made.set)
        return create_app(registry)

    loop = asyncio.get_running_loop()
    async with HttpServer(OnDemand(make), "127.0.0.1:0") as server:
        server.begin()
        server.begin()
        await asyncio.wait_for(made.wait(), 30)
        assert (await fetch(server, "/healthz"))[0] == 200


async def test_an_app_on_demand_that_cannot_be_made_is_told_in_the_log_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def make() -> FastAPI:
        raise RuntimeError("half an installation")

    async with HttpServer(OnDemand(make), "127.0.0.1:0", name="pages") as server:
        with pytest.raises(aiohttp.ClientError):
            await fetch(server, "/healthz")
        await until(lambda: "pages cannot be served" in caplog.text)
    assert "half an installation" in caplog.text


async def test_an_app_on_demand_that_nobody_asks_for_is_not_made_and_frees_its_port(registry: CollectorRegistry) -> None:
    server = HttpServer(OnDemand(lambda: pytest.fail("nobody asked")), "127.0.0.1:0")
    port = await server.start()
    with pytest.raises(ConfigurationError, match="Address already in use"):
        await HttpServer(create_app(registry), f"127.0.0.1:{port}").start()
    await server.stop()
    await server.stop()
    async with HttpServer(create_app(registry), f"127.0.0.1:{port}") as second:
        assert (await fetch(second, "/healthz"))[0] == 200


async def test_an_app_on_demand_that_is_stopped_while_it_is_made_ends_and_frees_its_port(registry: CollectorRegistry) -> None:
    making, go = threading.Event(), threading.Event()

    def make() -> FastAPI:
        making.set()
        assert go.wait(20)
        return create_app(registry)

    server = HttpServer(OnDemand(make), "127.0.0.1:0")
    port = await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await until(making.is_set)
    stopped = asyncio.create_task(server.stop())
    await asyncio.sleep(0)
    go.set()
    await stopped
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
    async with HttpServer(create_app(registry), f"127.0.0.1:{port}") as second:
        assert (await fetch(second, "/healthz"))[0] == 200


async def test_who_may_not_ask_is_refused_by_an_app_on_demand_too(registry: CollectorRegistry) -> None:
    with pytest.raises(ConfigurationError, match=r"0\.0\.0\.0"):
        await HttpServer(OnDemand(lambda: create_app(registry)), "0.0.0.0:0").start()


def test_nothing_heavy_is_imported_before_an_app_is_made() -> None:
    code = "import sys, genlevel.runtime.http; print(sorted({'fastapi', 'uvicorn', 'starlette', 'prometheus_client'} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "[]"
