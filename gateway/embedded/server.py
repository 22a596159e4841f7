"""The embedded model's HTTP server: OpenAI's chat endpoint, with images read before the language model sees them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import httpx2
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from gateway.embedded.chat import BadRequest, ChatRequest, Image, error_body, parse_chat
from gateway.embedded.language import Language
from gateway.embedded.reading import Reader, UnreadableImage
from genlevel.runtime.errors import ConfigurationError

MAX_BODY_BYTES = 64 << 20

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


@dataclass
class Parts:
    """What the server is made of. language is None until the weights are loaded."""

    model: str
    reader: Reader
    language: Language | None = None
    client: httpx2.AsyncClient = field(default_factory=lambda: httpx2.AsyncClient(timeout=None, trust_env=False))


class _ClientGone(Exception):
    """Nobody waits for the answer any more."""


def create_app(parts: Parts) -> FastAPI:
    """The ASGI application over its parts."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        parts.reader.close()
        await parts.client.aclose()

    app = FastAPI(title="embedded generalist", lifespan=lifespan, openapi_url=None)

    @app.get("/health")
    async def health() -> Response:
        if parts.language is None:
            return _loading()
        return JSONResponse({"status": "ok"})

    @app.get("/v1/models")
    async def models() -> Response:
        return JSONResponse({"object": "list", "data": [{"id": parts.model, "object": "model", "created": 0, "owned_by": "genlevel"}]})

    @app.post("/v1/chat/completions")
    async def chat_completions(request: Request) -> Response:
        if parts.language is None:
            return _loading()
        try:
            chat = parse_chat(await _json(request), parts.model)
            return await _unless_gone(request, _answer(parts.reader, parts.language, chat))
        except BadRequest as error:
            return JSONResponse(error_body(error.message, "invalid_request_error", param=error.param, code=error.code), error.status)
        except _ClientGone:
            return Response(status_code=499)
        except ConfigurationError as error:
            _log.error("%s", error)
            return JSONResponse(error_body(str(error), "server_error"), 500)
        except httpx2.HTTPError as error:
            _log.error("the language model's server does not answer: %r", error)
            return JSONResponse(error_body("the language model's server does not answer", "server_error"), 502)

    @app.exception_handler(404)
    @app.exception_handler(405)
    async def unknown(request: Request, error: Exception) -> Response:
        status = getattr(error, "status_code", 404)
        message = f"{request.method} {request.url.path} is not offered; there are /v1/chat/completions, /v1/models and /health"
        return JSONResponse(error_body(message, "invalid_request_error", code="unknown_url"), status)

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        return JSONResponse(error_body(f"the embedded server failed: {type(error).__name__}", "server_error"), 500)

    return app


def _loading() -> Response:
    return JSONResponse(error_body("the model is loading", "unavailable_error", code=503), 503, {"Retry-After": "1"})


async def _json(request: Request) -> object:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise BadRequest(f"the body is over {MAX_BODY_BYTES >> 20} MiB", code="request_too_large", status=413)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from error


async def _answer(reader: Reader, language: Language, chat: ChatRequest) -> Response:
    readings = [await _read(reader, image) for image in chat.images]
    answer = await language.answer(chat.with_readings(readings))
    return Response(answer.content, answer.status_code, media_type="application/json")


async def _read(reader: Reader, image: Image) -> str:
    try:
        return await reader.read(image.data)
    except UnreadableImage as error:
        raise BadRequest(f"{image.param}: {error}", param=image.param, code="invalid_image") from error


async def _unless_gone(request: Request, work: Coroutine[None, None, _T]) -> _T:
    """The work's result; the work is cancelled, and its slot freed, when the client goes away."""
    doing = asyncio.create_task(work)
    watching = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({doing, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise _ClientGone
        return doing.result()
    finally:
        for task in (doing, watching):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(doing, watching, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
