"""Asks a generator, or a transcriber: one request, further ones if it is a job, and then what its answer names."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from gateway.adapters.base import ProviderError, error_of, vendor_part
from gateway.adapters.blocks import Turn
from gateway.adapters.making import Job, JobFailed, Made, Maker, Reply, Request, sounds
from gateway.answering.errors import REDIRECTS
from gateway.answering.replies import charge, failure_of, job_failure, reading, set_cost
from gateway.asking.extras import PART, extra_of
from gateway.asking.own_servers import refuse_addresses
from gateway.asking.parameters import Applied, applied
from gateway.asking.parts import blobs_of, turns_of
from gateway.asking.tools import tools_of
from gateway.bodies import Json, body_of
from gateway.calls import Call
from gateway.downloads import download
from gateway.faults import fault
from gateway.landing import Landed, Landing
from gateway.making import Ended, Jobs, Read, asked_of, send
from gateway.media import duration_ms
from gateway.resolved import ResolvedRoute
from gateway.splicing import Splice
from gateway.stored import StoredMedia
from gateway.upstream import Upstream
from gateway.upstreams import Upstreams
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

# Fields of a request that its messages and its route say.
_OURS = ("model", "prompt", "input", "text", "file", "image", "images")


class _Sent(NamedTuple):
    """What is asked. dropped: what is left out. heard_ms: length of the sound that goes in, if it is billed by that, as its file says."""

    request: Request
    parameters: gw.GenerationParameters
    dropped: Sequence[str]
    asked: str
    heard_ms: int


class Generators:
    """Routes whose API makes media, or makes text of sound, over the clients and the blob store of one gateway."""

    def __init__(self, upstreams: Upstreams, stored: StoredMedia) -> None:
        self._upstreams = upstreams
        self._stored = stored
        self.jobs = Jobs()

    async def make(self, route: ResolvedRoute, maker: Maker, request: gw.GenerateRequest, call: Call) -> tuple[gw.GenerateResponse, bool]:
        """The answer, and whether all tokens that it used are known. Raises CallFailed."""
        sent = await self._sent(route, maker, request, call)
        upstream = await self._upstreams.of(route)
        call.begin()
        landings: list[Landing] = []

        async def ask(asked: Request) -> tuple[int, Reply, float]:
            landings.append(self._stored.landing())
            return await send(upstream, asked, call, landings[-1])

        try:
            made, upstream_s = await self.jobs.make(sent.asked, ask, sent.request, _reader(route, maker, upstream))
            response = _response(route, sent, made)
            try:
                fetching_s, lengths = await self._add_media(response, made, _Fetching(route, maker, upstream, landings))
            except CallFailed as failure:  # what was made is billed, though it cannot be had
                if maker.modality == ct.MODALITY_IMAGE:
                    made.usage.output_images = len(made.media)
                charge(failure, route, made.usage, tokens=made.has_usage, lengths=False)
                raise
        finally:
            for landing in landings:
                landing.drop()
        if made.vendor:
            response.parts.append(vendor_part(route.provider, made.vendor))
        response.upstream_s = upstream_s + fetching_s
        if route.price is not None and route.price.per_input_second:
            lengths = lengths and response.usage.details.input_milliseconds > 0
        set_cost(response, route, tokens=made.has_usage, lengths=lengths)
        return response, made.has_usage

    async def _sent(self, route: ResolvedRoute, maker: Maker, request: gw.GenerateRequest, call: Call) -> _Sent:
        found: Applied = applied(request, route, maker.capabilities)
        taker = f"{route.provider}/{route.model}"
        call.is_large = True
        if stored := blobs_of(request.messages):
            await call.sends(await self._stored.bytes_of(stored))
        splice = Splice()
        capable = maker.capabilities if route.takes_uris else replace(maker.capabilities, uris=frozenset(), fetches=False)
        tools_of(request, capable, taker)
        turns = await turns_of(request.messages, capable, route.modalities, self._stored.fetch(), taker, encode=splice.put)
        first = maker.request(route.model, turns, found.parameters, _media(request, route))
        pieces = splice.written(first.body) if isinstance(first.body, dict) else first.body
        # Only jobs are asked about again, by what was asked.
        asked = await asyncio.to_thread(asked_of, route.name, first.path, pieces) if maker.api is Api.VIDEO else ""
        billed = maker.api is Api.TRANSCRIPTION and route.price is not None and route.price.per_input_second
        heard_ms = await asyncio.to_thread(_length_ms, turns) if billed else 0
        return _Sent(first.sends(pieces), found.parameters, found.dropped, asked, heard_ms)

    async def _add_media(self, response: gw.GenerateResponse, made: Made, way: _Fetching) -> tuple[float, bool]:
        """Adds the media of an answer, in order, and counts them. Returns the seconds in which what it only names was fetched, and whether
        the length of each is known."""
        fetching_s, known = 0.0, True
        for item in made.media:
            started = time.perf_counter()
            if isinstance(item, tuple):
                data, claimed = item
            else:
                way.landings.append(self._stored.landing())
                route, base_url = way.route, way.upstream.base_url
                data, claimed = await download(item, base_url, way.landings[-1], shown=route.shown, provider=route.provider)
                fetching_s += time.perf_counter() - started
            with reading(way.route, way.upstream, {}):
                part, length_ms = await self._stored.part_of(data, way.maker.modality, claimed)
            response.parts.append(part)
            if way.maker.modality == ct.MODALITY_IMAGE:
                response.usage.output_images += 1
            else:
                length_ms = length_ms or round(made.seconds * 1000)
                response.usage.output_milliseconds += length_ms
                known = known and length_ms > 0
        return fetching_s, known


class _Fetching(NamedTuple):
    """How media of an answer are had. landings: of the call, which ends them."""

    route: ResolvedRoute
    maker: Maker
    upstream: Upstream
    landings: list[Landing]


def _response(route: ResolvedRoute, sent: _Sent, made: Made) -> gw.GenerateResponse:
    """An answer without its media."""
    details = made.usage.details
    if sent.request.characters:
        details.input_characters = sent.request.characters
    if sent.heard_ms and not details.input_milliseconds:
        details.input_milliseconds = sent.heard_ms
    response = gw.GenerateResponse(
        finish_reason=gw.FINISH_REASON_STOP,
        usage=made.usage,
        provider=route.provider,
        model=made.model or route.model,
        response_id=made.response_id,
        applied_parameters=sent.parameters,
        dropped_parameters=sorted({*sent.dropped, *sent.request.dropped}),
        usage_incomplete=not (made.has_usage or details.input_milliseconds or details.input_characters),
    )
    response.parts.extend(ct.Part(text=text) for text in made.texts)
    response.logprobs.extend(made.logprobs)
    return response


def _reader(route: ResolvedRoute, maker: Maker, upstream: Upstream) -> Read:
    """What replies of this API mean."""

    def read(status: int, reply: Reply, job: Job | None) -> Made | Job:
        headers = reply.headers
        try:
            if status in REDIRECTS and job is not None and job.made is not None and "location" in headers:
                return replace(job.made, media=[headers["location"]], response_id=job.id)  # fetched like any address: without the key
            if not 200 <= status < 300:
                body = reply.json if isinstance(reply.body, Landed) or reply.json is not None else body_of(reply.body)
                raise failure_of(route, upstream, error_of(status, body, headers))
            with reading(route, upstream, headers):
                return maker.answer(reply, job)
        except JobFailed as failed:
            raise Ended(job_failure(route, upstream, failed)) from None
        except CallFailed as failure:
            if job is None or failure.error_class != ErrorClass.MODEL_GONE or status in REDIRECTS:
                raise
            gone = ProviderError(status, "job_not_found", "", f"the job {job.id} is not known any more")
            raise Ended(job_failure(route, upstream, JobFailed(gone, lost=True))) from None

    return read


def _media(request: gw.GenerateRequest, route: ResolvedRoute) -> RouteMedia:
    """What a route fixes, with the further fields of the request. Raises CallFailed (CALLER_FAULT) for a field that is said already."""
    extra: Json = {**route.parameters.extra, **route.media.extra}
    asked = extra_of(request)
    if not route.takes_uris:
        refuse_addresses(asked, PART)
    for name, value in asked.items():
        if name in extra or name in _OURS:
            raise fault("extra_json", f"extra_json: the request has {name} already; set it in one place")
        extra[name] = value
    return route.media.model_copy(update={"extra": extra}) if extra else route.media


def _length_ms(turns: Sequence[Turn]) -> int:
    return sum(duration_ms(sound.data) for sound in sounds(turns) if sound.data)
