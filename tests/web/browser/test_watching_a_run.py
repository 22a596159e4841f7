"""A run in a browser: watched from its first to its last instance, changed while it goes on, and through a restart of its service."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genlevel.runtime.http import HttpServer
from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.conftest import ScriptedGateway
from tests.web.driven import driven_app
from tests.web.test_run import make_suite

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from evaluator.service import Evaluator

PATIENCE_S = 60


class Served:
    """A service and its pages, in a thread of its own: the browser's loop runs in this one."""

    def __init__(self, folder: Path, gateway: ScriptedGateway, port: int = 0) -> None:
        self.port = port
        self.evaluator: Evaluator
        self._loop = asyncio.new_event_loop()
        self._begun, self._end = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(folder, gateway),))
        self._thread.start()
        assert self._begun.wait(PATIENCE_S)

    async def _serve(self, folder: Path, gateway: ScriptedGateway) -> None:
        async with (
            driven_app(folder, gateway) as (self.evaluator, app),
            HttpServer(app, f"127.0.0.1:{self.port}", grace_s=0.1) as server,
        ):
            self.port = server.port
            self._begun.set()
            await self._end.wait()

    def ask(self, work: Coroutine[Any, Any, Any]) -> Any:
        """What the service's own loop makes of it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def run(self, suite: Path) -> str:
        """Starts a run of a call at a time."""
        request = ev.StartRunRequest(
            specification=ev.RunSpecification(model="m", suite=str(suite)), traffic=ev.TrafficSettings(concurrency=1)
        )
        return str(self.ask(self.evaluator.start_run(request)).run.run_id)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(PATIENCE_S)
        self._loop.close()


@contextmanager
def tab(chromium: Browser, address: str) -> Iterator[tuple[Page, list[str], list[str]]]:
    """A page, what its console complains of, and the addresses that it asks for."""
    context = chromium.new_context()
    page, said, asked = context.new_page(), list[str](), list[str]()
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    yield page, said, asked
    context.close()


def done(page: Page) -> int:
    found = re.match(r"(\d+) of", page.inner_text("#live .counts"))
    assert found is not None
    return int(found[1])


def comes(page: Page, right: Callable[[], bool]) -> None:
    """Waits, letting the page work."""
    until = time.monotonic() + PATIENCE_S
    while not right():
        assert time.monotonic() < until, page.inner_text("#live")
        page.wait_for_timeout(50)


def test_a_run_is_watched_from_first_to_last_instance_and_its_limits_are_changed(chromium: Browser, tmp_path: Path) -> None:
    gateway = ScriptedGateway()
    gateway.latency_s = 0.4
    served = Served(tmp_path / "data", gateway)
    try:
        run = served.run(make_suite(tmp_path, 40))
        with tab(chromium, f"http://127.0.0.1:{served.port}/runs/{run}") as (page, said, asked):
            first = done(page)
            assert first < 10
            page.click("text=Change them")
            page.fill("input[name=concurrency]", "8")
            page.click("text=Stop …")
            comes(page, lambda: done(page) > first)
            comes(page, lambda: len([address for address in asked if "part=live" in address]) > 1)
            assert page.input_value("input[name=concurrency]") == "8", "what was typed is still there"
            assert page.is_visible("text=Stop the run"), "what was opened is still open"
            assert page.evaluate("document.activeElement.tagName") == "SUMMARY", "and has the focus"
            page.click("text=Change limits")
            page.wait_for_load_state()
            assert page.url.endswith(f"/runs/{run}")
            assert "at most 8" in page.inner_text("#main")
            asked.clear()
            page.wait_for_selector("#live >> text=finished", timeout=PATIENCE_S * 1000)
            assert done(page) == 40
            assert gateway.most_at_once > 4, "the limit was followed"
            assert len([address for address in asked if address.endswith(f"/runs/{run}")]) == 0, "nothing was loaded again as a whole"
            page.wait_for_timeout(500)
            asked.clear()
            page.wait_for_timeout(2500)
            assert not [address for address in asked if "part=live" in address], "nobody looks at what has ended"
            assert said == []
    finally:
        served.close()


def test_a_run_that_goes_on_is_whole_in_all_looks(chromium: Browser, tmp_path: Path) -> None:
    pytest.importorskip("axe_playwright_python")
    from tests.web.browser.looking import Looking

    gateway = ScriptedGateway()
    gateway.latency_s = 60.0
    served = Served(tmp_path / "data", gateway)
    try:
        run = served.run(make_suite(tmp_path, 5))
        looking = Looking(chromium, f"http://127.0.0.1:{served.port}", tmp_path)
        looking.check(f"/runs/{run}", looks=("light", "dark", "phone"), then=lambda page: page.click("text=Stop …"))
        looking.close()
        served.ask(served.evaluator.cancel_run(ev.CancelRunRequest(run_id=run, now=True)))
    finally:
        served.close()


def test_a_page_goes_on_after_the_service_was_away(chromium: Browser, tmp_path: Path) -> None:
    gateway = ScriptedGateway()
    gateway.latency_s = 0.3
    served = Served(tmp_path / "data", gateway)
    try:
        run = served.run(make_suite(tmp_path, 60))
        with tab(chromium, f"http://127.0.0.1:{served.port}/runs/{run}") as (page, _, asked):
            comes(page, lambda: done(page) > 1)
            served.close()
            before = done(page)
            page.wait_for_timeout(2500)
            assert page.is_visible("#stale"), "it is said that what is shown is old"
            served = Served(tmp_path / "data", gateway, served.port)
            comes(page, lambda: done(page) > before + 3)
            assert not page.is_visible("#stale")
            assert len([address for address in asked if address.endswith(f"/runs/{run}")]) == 1
    finally:
        served.close()
