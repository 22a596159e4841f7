"""An answer that is made in the background is asked for until it is there, whatever becomes of one asking, and cancelled with its call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from gateway.answering import background
from gateway.service import Gateway
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.settings import Settings
from genlevel.v1 import gateway_pb2 as gw

IN_BACKGROUND = '{"background": true}'


def response(status: str, **more: Any) -> dict[str, Any]:
    said = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Paris", "annotations": []}]}]
    whole = {"output": said, "usage": {"input_tokens": 7, "output_tokens": 3}} if status == "completed" else {"output": []}
    return {"id": "resp_1", "object": "response", "status": status, "model": "gpt-x", **whole, **more}


class Provider:
    """Says in turn what it was told to, the last again and again; asked: what came."""

    def __init__(self) -> None:
        self.url = ""
        self.says: list[tuple[int, dict[str, Any]]] = []
        self.asked: list[tuple[str, str, Any]] = []

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else None
        self.asked.append((request.method, request.path, body))
        status, said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        return web.json_response(said, status=status)


@pytest.fixture
async def provider(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Provider]:
    monkeypatch.setattr(background, "WAITING_S", (0.01,))
    provider = Provider()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", provider.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield provider
    await runner.cleanup()


@pytest.fixture
async def gateway(
    provider: Provider, settings_at: Callable[..., Settings], make_gateway: Callable[[Settings], Gateway]
) -> AsyncIterator[Gateway]:
    gateway = make_gateway(settings_at(provider.url))
    yield gateway
    await gateway.close()


@pytest.fixture
def request_of(asking: Callable[..., gw.GenerateRequest]) -> gw.GenerateRequest:
    request = asking("openai-responses")
    request.extra_json = IN_BACKGROUND
    return request


async def test_it_is_asked_for_until_it_is_there(provider: Provider, gateway: Gateway, request_of: gw.GenerateRequest) -> None:
    provider.says = [(200, response("queued")), (200, response("in_progress")), (500, {}), (200, response("completed"))]
    answer = await gateway.generate(request_of)
    assert [part.text for part in answer.parts] == ["Paris"]
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (7, 3)
    assert [(method, path) for method, path, _ in provider.asked] == [("POST", "/v1/responses"), *[("GET", "/v1/responses/resp_1")] * 3]
    assert provider.asked[0][2]["store"] is True, "what is not kept cannot be fetched"


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        ((200, response("failed", error={"code": "server_error", "message": "no"})), "TRANSIENT"),
        ((200, response("cancelled")), "DENIED"),
        ((404, {"error": {"code": "not_found", "message": "no"}}), "MODEL_GONE"),
        ((401, {"error": {"code": "invalid_api_key", "message": "no"}}), "CREDENTIAL"),
    ],
)
async def test_what_has_begun_and_fails_may_be_charged(
    *, last: tuple[int, Any], reason: str, provider: Provider, gateway: Gateway, request_of: gw.GenerateRequest
) -> None:
    provider.says = [(200, response("queued")), last]
    with pytest.raises(CallFailed) as caught:
        await gateway.generate(request_of)
    assert (caught.value.reason, caught.value.may_be_charged) == (reason, True)
    assert len(provider.asked) == 2, "it is over"


async def test_it_is_cancelled_with_its_call(provider: Provider, gateway: Gateway, request_of: gw.GenerateRequest) -> None:
    provider.says = [(200, response("queued"))]
    with pytest.raises(CallFailed) as caught:
        await gateway.generate(request_of, timeout_s=0.2)
    assert (caught.value.reason, caught.value.may_be_charged) == ("TIMEOUT", True)
    assert provider.asked[-1][:2] == ("POST", "/v1/responses/resp_1/cancel")
    call = asyncio.create_task(gateway.generate(request_of))
    await asyncio.sleep(0.1)
    provider.asked.clear()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert provider.asked[-1][:2] == ("POST", "/v1/responses/resp_1/cancel")


async def test_one_that_is_not_named_is_no_answer(provider: Provider, gateway: Gateway, request_of: gw.GenerateRequest) -> None:
    provider.says = [(200, response("queued", id=None))]
    with pytest.raises(CallFailed, match="its status is queued") as caught:
        await gateway.generate(request_of)
    assert caught.value.reason == "TRANSIENT"
