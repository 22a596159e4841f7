"""The gateway itself, without a wire: one call in, one normalised answer or CallFailed out. It never retries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from gateway.adapters import maker_of
from gateway.adapters.base import Pending
from gateway.adapters.embedded import EmbeddedModel, EmbeddedServer
from gateway.answering.background import awaited
from gateway.answering.remaining import nearly_used_up
from gateway.answering.replies import answer_of, has_media, response_of, set_cost
from gateway.answering.streamed import PassOn, ask_streamed
from gateway.asking.parts import LARGE_BYTES, blobs_of
from gateway.asking.prepared import outputs_of, prepared
from gateway.asking.sizes import checked_size
from gateway.batches.core import BatchCore
from gateway.calls import Call, Calls
from gateway.failure_log import FailureLog
from gateway.generating import Generators
from gateway.making import left_behind
from gateway.pricing.estimates import fill_in
from gateway.resolved import ResolvedRoute
from gateway.routes import Routes
from gateway.spans import traced
from gateway.stored import StoredMedia
from gateway.streams.table import STREAMS
from gateway.telemetry import ModelSeries, Telemetry
from gateway.upstream import Upstream
from gateway.upstreams import Upstreams
from genlevel.runtime.errors import CallFailed, ErrorClass, GenlevelError
from genlevel.runtime.memory import give_back
from genlevel.runtime.settings import Settings
from genlevel.runtime.traces import spans
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

if TYPE_CHECKING:
    from gateway.batches.service import Batches

# Large requests are written in the provider's form, in which they are in memory several times, so many at a time.
LARGE_AT_ONCE = 2
_AT_ONCE = nullcontext()


class Gateway(BatchCore):
    """Generate, ListModels and batches over the configured routes.

    settings: the whole configuration. registry: where its series go. data_folder: where blobs are looked for (unless
    the settings say otherwise) and the embedded model's server keeps its log. served: others can call it (gateway.routes). Use it on one
    event loop; close it.
    """

    def __init__(self, settings: Settings, registry: CollectorRegistry, data_folder: Path, *, served: bool = False) -> None:
        self._settings = settings
        self._served = served
        self._routes = Routes(settings, served=served)
        self._telemetry = Telemetry(registry)
        self._failures = FailureLog() if served else None  # a command says itself what went wrong
        self._spans = spans(settings.traces.endpoint, "genlevel-gateway")
        self._upstreams = Upstreams()
        self._stored = StoredMedia(settings.storage, data_folder)
        self._generators = Generators(self._upstreams, self._stored)
        self._calls = Calls(settings.limits.media_bytes)
        self._embedded = EmbeddedModel(settings.embedded, data_folder)
        self._encoding = asyncio.Semaphore(LARGE_AT_ONCE)

    def add_route(self, name: str, base_url: str, model: str, api_key_env: str = "", api: str = "") -> gw.ModelInfo:
        """Registers a route to an OpenAI-compatible server at base_url (".../v1"); the model's name is taken literally.

        Raises ConfigurationError if base_url is not an address, or the server has no such api.
        """
        return self._routes.add(name, base_url, model, api_key_env, api).info()

    async def api_at(self, base_url: str) -> str:
        """The address, with /v1 if only there an API answers (gateway.reaching)."""
        from gateway.reaching import api_at

        return await api_at(base_url)

    async def list_models(self, request: gw.ListModelsRequest) -> gw.ListModelsResponse:
        """The configured routes, the embedded one and well-known hosted models, or one route resolved.

        Raises CallFailed for an unknown route.
        """
        routes = [self._routes.resolve(request.route)] if request.route else [*self._routes.configured(), *self._routes.known()]
        return gw.ListModelsResponse(models=[route.info() for route in routes])

    def generate(
        self, request: gw.GenerateRequest, *, timeout_s: float = 0.0, size: int = 0
    ) -> Coroutine[object, None, gw.GenerateResponse]:
        """Asks the route's model once, within timeout_s seconds (0 = the account's own limit, which always holds too).

        size: about the request's bytes, if that is known; to count them takes as long as to write them.
        Raises CallFailed; NOT_SENT if the gateway stops before the provider was asked. Cancelling it cancels the upstream call.
        """
        return self._traced(request, self._generate(request, timeout_s, size))

    def stream(
        self, request: gw.GenerateRequest, pass_on: PassOn, *, timeout_s: float = 0.0, size: int = 0
    ) -> Coroutine[object, None, gw.GenerateResponse]:
        """As ``generate``; what the model says is passed on while it says it, in order and ahead of the whole answer.

        An API that does not answer in streams, and one whose answer has sound, answers whole. What pass_on raises ends the call.
        """
        return self._traced(request, self._generate(request, timeout_s, size, pass_on))

    def _traced(
        self, request: gw.GenerateRequest, call: Coroutine[object, None, gw.GenerateResponse]
    ) -> Coroutine[object, None, gw.GenerateResponse]:
        if self._spans is None:
            return call
        try:
            route = self._routes.resolve(request.route)
        except CallFailed:
            return call
        return traced(self._spans, route, request, call)

    async def _generate(
        self, request: gw.GenerateRequest, timeout_s: float, size: int, pass_on: PassOn | None = None
    ) -> gw.GenerateResponse:
        started = time.perf_counter()
        provider = ""
        series = None
        self._telemetry.open_calls += 1
        try:
            route = self._routes.resolve(request.route)
            provider = route.provider
            series = self._series(route)
            limit_s = min(timeout_s, route.timeout_s) if timeout_s > 0 else route.timeout_s
            call = self._calls.call(limit_s)
            try:
                with call:
                    response, has_usage = await self._ask(route, request, call, size, pass_on)
            except TimeoutError:
                raise CallFailed(
                    ErrorClass.TIMEOUT,
                    f"{route.shown} did not answer for {route.model} within {limit_s:g} s{left_behind(route.api)}"
                    if call.begun
                    else f"the call of {route.model} at {route.shown} could not begin within {limit_s:g} s",
                    provider=route.provider,
                    provider_code="deadline",
                    may_be_charged=call.begun,
                ) from None
            finally:
                if call.is_large and self._served:
                    give_back()
        except CallFailed as failure:
            self._note(provider, failure)
            if series is not None:
                series.failed(time.perf_counter() - started, failure)
            raise
        except asyncio.CancelledError:
            if series is not None:
                series.cancelled()
            raise
        else:
            response.overhead_s = max(0.0, time.perf_counter() - started - response.upstream_s)
            series.answered(response, has_usage)
            return response
        finally:
            self._telemetry.open_calls -= 1

    def begin_nothing(self) -> None:
        """Before it closes: calls whose provider was not asked yet end as NOT_SENT, now and from now on; the others may end."""
        self._calls.begin_nothing()

    async def ended(self) -> None:
        """Returns once no call is open."""
        await self._calls.ended()

    def cut(self) -> None:
        """Ends the calls that are still open, as failures that may be charged."""
        self._calls.cut()

    async def close(self) -> None:
        """Closes all connections, stops the embedded model's server, and sends the last spans."""
        self._calls.close()
        await self._upstreams.close()
        await self._embedded.close()
        if self._spans is not None:
            await self._spans.close()

    async def _ask(
        self, route: ResolvedRoute, request: gw.GenerateRequest, call: Call, size: int, pass_on: PassOn | None
    ) -> tuple[gw.GenerateResponse, bool]:
        messages = list(request.messages)
        size = checked_size(request, messages, size, self._settings.limits)
        maker = maker_of(route.row, route.api)
        if maker is not None:
            outputs_of(request, route)
            return await self._generators.make(route, maker, request, call)
        stored = blobs_of(messages)
        call.is_large = size > LARGE_BYTES or bool(stored)
        if stored:
            await call.sends(await self._stored.bytes_of(stored))
        async with self._encoding if call.is_large else _AT_ONCE:
            upstream, model, starting_s = await self._upstream(route)
            streamed = (route.stream or pass_on is not None) and _streams(route, request)
            sent = await prepared(request, route, model, self._stored.fetch(), size=size, streamed=streamed)
        call.begin()
        first_piece_s, upstream_s = None, 0.0
        try:
            if streamed:
                answer, headers, upstream_s, first_piece_s = await ask_streamed(route, upstream, sent, call, pass_on)
            else:
                status, headers, raw, upstream_s = await upstream.post(sent.path, sent.pieces, sent.headers, call=call)
                call.is_large |= len(raw) > LARGE_BYTES
                answer = answer_of(route, upstream, status, headers, raw)
        except Pending as pending:
            answer, headers, more_s = await awaited(route, upstream, pending, call)
            upstream_s += more_s
        response = response_of(route, answer, sent.parameters, sent.dropped, upstream_s=starting_s + upstream_s)
        apart = sent.apart
        del sent  # media are not kept in two forms while an answer is stored
        if limits := nearly_used_up(headers):
            response.limits.extend(limits)
        lengths = not has_media(response) or await self._stored.settle(response)
        set_cost(response, route, tokens=answer.usage_is_known and not apart, lengths=lengths)
        if first_piece_s is not None:
            response.first_piece_s = starting_s + first_piece_s
        if streamed and not answer.has_usage:
            response.usage_estimated = fill_in(response.usage, messages, response.parts)
        return response, answer.usage_is_known

    def _batches_made(self) -> Batches:
        from gateway.batches.service import Batches, Shared

        shared = Shared(
            self._routes,
            self._upstreams,
            self._calls,
            self._stored.fetch,
            self._settings.limits,
            self._stored.settle,
            self._note,
            self._series,
            self._encoding,
        )
        return Batches(shared)

    def _series(self, route: ResolvedRoute) -> ModelSeries:
        return self._telemetry.model(route.provider, route.model, route.api, priced=route.price is not None)

    def _note(self, provider: str, failure: CallFailed) -> None:
        """Counts a failure, and writes it into the log of a service."""
        self._telemetry.failed(provider, failure.reason)
        if self._failures is not None:
            self._failures.note(provider, failure)

    async def _upstream(self, route: ResolvedRoute) -> tuple[Upstream, str, float]:
        """The client of a route, its model's name there, and the seconds that its server took to start."""
        if not route.row.is_started_here:
            return await self._upstreams.of(route), route.model, 0.0
        began = time.perf_counter()
        server = await self._embedded_server()
        starting_s = time.perf_counter() - began
        return await self._upstreams.of(route, base_url=server.base_url), server.model, starting_s

    async def _embedded_server(self) -> EmbeddedServer:
        try:
            return await self._embedded.server()
        except GenlevelError as problem:
            raise CallFailed(ErrorClass.MODEL_GONE, str(problem), provider="embedded", provider_code="not started") from None


def _streams(route: ResolvedRoute, request: gw.GenerateRequest) -> bool:
    """Whether an answer can come as a stream. Sound cannot: a stream of OpenAI's has raw samples in no container."""
    return (route.row.dialect, route.api) in STREAMS and ct.MODALITY_AUDIO not in request.output_modalities
