"""A missing /v1 is found without a call of a model and without a key."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from gateway.reaching import api_at

Answers = dict[str, tuple[int, str]]


class Server:
    """Answers GET by path: status and content type; all else is 404."""

    def __init__(self) -> None:
        self.answers: Answers = {}
        self.asked: list[tuple[str, str]] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path))
        assert "authorization" not in request.headers
        status, kind = self.answers.get(request.path, (404, "text/plain"))
        return web.Response(status=status, content_type=kind, text="{}", headers={"location": "/v1/models"} if status == 307 else {})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    found = Server()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", found.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield found
    await runner.cleanup()


JSON, PAGE = "application/json", "text/html"


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ({"/v1/models": (200, JSON)}, "/v1"),
        ({"/v1/models": (401, PAGE)}, "/v1"),
        ({"/models": (200, PAGE), "/v1/models": (200, JSON)}, "/v1"),
        ({"/models": (307, PAGE), "/v1/models": (200, JSON)}, "/v1"),
        ({"/models": (200, JSON), "/v1/models": (200, JSON)}, ""),
        ({"/models": (401, JSON), "/v1/models": (200, JSON)}, ""),
        ({"/models": (200, PAGE), "/v1/models": (200, PAGE)}, ""),
        ({"/v1/models": (500, JSON)}, ""),
        ({}, ""),
    ],
)
async def test_v1_is_added_only_if_an_api_is_there_and_none_at_the_address(server: Server, answers: Answers, found: str) -> None:
    server.answers = answers
    assert await api_at(server.url) == server.url + found
    assert {method for method, _ in server.asked} == {"GET"}
    assert len(server.asked) <= 2


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/openai/v1", "/v2beta"])
async def test_an_address_with_a_version_is_asked_nothing(server: Server, path: str) -> None:
    assert await api_at(server.url + path) == server.url + path
    assert server.asked == []


async def test_a_path_is_kept_before_v1(server: Server) -> None:
    server.answers = {"/openai/v1/models": (200, JSON)}
    assert await api_at(f"{server.url}/openai/") == f"{server.url}/openai/v1"
