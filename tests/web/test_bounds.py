"""What a reader can make the pages do is bounded, and what is wrong is one line: each bound, passed on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, cast

import httpx2
import pytest

from genlevel.connection.monitors import MonitorsPort
from genlevel.connection.services import EvaluatorPort, ModelsPort, Services, VerdictPort
from genlevel.runtime.errors import (
    CallFailed,
    ErrorClass,
    GenlevelError,
    NotFoundError,
    RequestTooLarge,
    RunTaken,
    StorageError,
    Unavailable,
    UsageError,
)
from genlevel.runtime.settings import Settings
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.web import app as web_app
from genlevel.web import forms, guard, unsent
from genlevel.web.app import create_app
from genlevel.web.door import Door
from genlevel.web.room import Room
from genlevel.web.static_files import static_address
from tests.waiting import until

Answer = Callable[[], Coroutine[Any, Any, ev.ListRunsResponse]]
READS = {"accept": "text/html"}


class Pages:
    """The page of runs, whose evaluator answers as a test says."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        found = Services(cast(EvaluatorPort, self), cast(VerdictPort, None), cast(ModelsPort, None), lambda: cast(MonitorsPort, None), None)
        self.app = create_app(found, Settings(), Door())

    async def list_runs(self, request: ev.ListRunsRequest) -> ev.ListRunsResponse:
        return await self._answer()

    def client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(self.app, raise_app_exceptions=False), base_url="http://127.0.0.1")


async def no_runs() -> ev.ListRunsResponse:
    return ev.ListRunsResponse()


def failing(error: Exception) -> Answer:
    async def fail() -> ev.ListRunsResponse:
        raise error

    return fail


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with Pages(no_runs).client() as client:
        yield client


# -- what is wrong -------------------------------------------------------------------------------------------------------

FAILURES: list[tuple[GenlevelError, int]] = [
    (NotFoundError("there is no such run"), 404),
    (UsageError("say which"), 400),
    (RunTaken("another process works on it"), 409),
    (RequestTooLarge("too large"), 413),
    (Unavailable("the evaluator is away"), 503),
    (StorageError("the disk is full"), 500),
    (CallFailed(ErrorClass.TIMEOUT, "the model does not answer"), 500),
]


@pytest.mark.parametrize(("error", "status"), FAILURES, ids=[type(error).__name__ for error, _ in FAILURES])
async def test_what_goes_wrong_is_one_line(error: GenlevelError, status: int) -> None:
    async with Pages(failing(error)).client() as client:
        answer = await client.get("/runs.json")
        assert (answer.status_code, answer.json()) == (status, {"error": str(error)})
        answer = await client.get("/", headers=READS)
        assert answer.status_code == status
        assert str(error) in answer.text
        assert 'role="alert"' in answer.text


async def test_what_a_message_quotes_is_text(caplog: pytest.LogCaptureFixture) -> None:
    async with Pages(failing(UsageError("no run '<script>alert(1)</script>\u202e'"))).client() as client:
        text = (await client.get("/", headers=READS)).text
        assert "<script>alert" not in text
        assert "\u202e" not in text


async def test_a_fault_of_ours_is_told_without_its_trace_and_logged_with_it(caplog: pytest.LogCaptureFixture) -> None:
    async with Pages(failing(ZeroDivisionError("secret place"))).client() as client:
        for path in ("/", "/runs.json"):
            answer = await client.get(path, headers=READS)
            assert answer.status_code == 500
            assert "this page has a fault" in answer.text
            assert "secret place" not in answer.text
            assert "Traceback" not in answer.text
            assert "content-security-policy" in answer.headers
    assert "secret place" in caplog.text
    assert "Traceback" in caplog.text


async def test_what_is_not_there_and_what_is_not_taken_says_so(client: httpx2.AsyncClient) -> None:
    for path in ("/nothing", "/runs/a/b/c", "/static/nothing.css", "/static/../app.py", "/static/%2e%2e/app.py"):
        answer = await client.get(path)
        assert (answer.status_code, "there is no such page" in answer.text) == (404, True), path
    assert (await client.get("/nothing.json")).json() == {"error": "there is no such page"}
    for method in ("PUT", "DELETE", "PATCH", "POST"):
        assert (await client.request(method, "/runs.json")).status_code == 405


async def test_heads_are_as_long_as_what_they_are_of(client: httpx2.AsyncClient) -> None:
    head, whole = await client.head("/runs.json"), await client.get("/runs.json")
    assert head.headers["content-length"] == whole.headers["content-length"] == str(len(whole.content))


async def test_sheets_are_kept_by_their_content_and_pages_never(client: httpx2.AsyncClient) -> None:
    sheet = await client.get(static_address("style.css"))
    assert sheet.headers["cache-control"] == "public, max-age=31536000, immutable"
    other = await client.get("/static/style.css?v=older")
    assert other.headers["cache-control"] == "no-cache"
    assert (await client.get("/static/style.css", headers={"if-none-match": other.headers["etag"]})).status_code == 304
    assert (await client.get("/")).headers["cache-control"] == "no-store"


# -- sizes ---------------------------------------------------------------------------------------------------------------


async def test_forms_and_addresses_have_a_size(client: httpx2.AsyncClient) -> None:
    post = {"content-type": "application/x-www-form-urlencoded"}
    answer = await client.post("/logout", content=b"x" * (forms.MOST_BYTES + 1), headers=post)
    assert (answer.status_code, "larger than 256 KiB" in answer.text) == (413, True)
    answer = await client.post("/logout", content="&".join(f"a{n}=" for n in range(1001)), headers=post)
    assert (answer.status_code, "more than 1000 values" in answer.text) == (400, True)
    assert (await client.post("/logout", json={"a": 1})).status_code == 400
    assert (await client.post("/logout", files={"a": b"x"})).status_code == 400
    assert (await client.get("/runs.json?x=" + "y" * guard.MOST_QUERY_BYTES)).status_code == 414
    assert (await client.get("/runs.json?" + "&".join("a=" for _ in range(1001)))).status_code == 400


async def test_a_form_that_does_not_arrive_is_not_waited_for(client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "ARRIVES_S", 0.05)

    async def slow() -> AsyncIterator[bytes]:
        yield b"csrf="
        await asyncio.sleep(30)

    answer = await client.post("/logout", content=slow(), headers={"content-type": "application/x-www-form-urlencoded"})
    assert (answer.status_code, "did not arrive" in answer.text) == (400, True)


# -- time and room -------------------------------------------------------------------------------------------------------


async def test_a_page_whose_services_hang_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_app, "PAGE_S", 0.05)
    ended = asyncio.Event()

    async def hangs() -> ev.ListRunsResponse:
        try:
            return await asyncio.Future[ev.ListRunsResponse]()
        finally:
            ended.set()

    async with Pages(hangs).client() as client:
        answer = await client.get("/runs.json")
        assert answer.status_code == 504
        assert "was not made within" in answer.json()["error"]
        assert ended.is_set(), "what it waited for goes on"


async def test_so_many_pages_are_made_at_once_and_so_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_app, "Room", lambda _: Room(at_once=2, waiting=3))
    go, made = asyncio.Event(), []

    async def waits() -> ev.ListRunsResponse:
        made.append(1)
        await go.wait()
        return ev.ListRunsResponse()

    async with Pages(waits).client() as client:
        asked = [asyncio.create_task(client.get("/runs.json")) for _ in range(9)]
        await until(lambda: sum(each.done() for each in asked) == 4)
        assert len(made) == 2
        go.set()
        statuses = [(await each).status_code for each in asked]
        assert sorted(statuses) == [200] * 5 + [503] * 4
        assert (await client.get("/healthz")).status_code == 200


async def test_what_nobody_waits_for_any_more_is_not_made() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def hangs() -> ev.ListRunsResponse:
        begun.set()
        try:
            return await asyncio.Future[ev.ListRunsResponse]()
        finally:
            ended.set()

    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        for message in asked:
            return message
        await begun.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    await asyncio.wait_for(Pages(hangs).app(scope("/runs.json"), receive, send), 30)
    assert ended.is_set()


async def test_a_reader_who_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(unsent, "TAKES_S", 0.05)

    async def receive() -> dict[str, Any]:
        return await asyncio.Future[dict[str, Any]]()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Future[None]()

    await asyncio.wait_for(Pages(no_runs).app(scope("/static/style.css"), receive, send), 30)
    assert "Traceback" not in caplog.text


def scope(path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }


async def test_how_the_process_is_can_be_asked_without_a_page(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/readyz")).json() == {"status": "ready"}
    assert (await client.get("/metrics")).status_code == 200
