"""A conversation's request in its provider's form: what a single call sends, a stream asks and a batch collects."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gateway.adapters import WITHOUT_URIS, adapter_of
from gateway.adapters.base import TEXT_ALONE, Adapter, Capabilities
from gateway.adapters.blocks import Ask, Turn
from gateway.asking.extras import PART, extra_of, put_extra
from gateway.asking.media_blocks import MODALITY_NAMES, Fetch
from gateway.asking.own_servers import refuse_addresses
from gateway.asking.parameters import Applied, applied
from gateway.asking.parts import LARGE_BYTES, turns_of
from gateway.asking.tools import choice_of, tools_of
from gateway.bodies import Json
from gateway.pricing.otherwise import BESIDE, TIERS, billed_otherwise
from gateway.resolved import ResolvedRoute
from gateway.splicing import Piece, Splice
from gateway.streams.table import STREAMS
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.v1 import gateway_pb2 as gw

# If an API needs an output limit and the caller gives none.
DEFAULT_OUTPUT_TOKENS = 4096


class Prepared(NamedTuple):
    """A request to be sent. pieces: its body, emptied while it is sent. headers: beyond the client's own. parameters: what is sent of them.
    dropped: names of those that were asked for and are not. apart: it asks for something that is billed otherwise than by its tokens.
    """

    path: str
    pieces: list[Piece]
    headers: Mapping[str, str] | None
    parameters: gw.GenerationParameters
    dropped: Sequence[str]
    apart: bool = False


def outputs_of(request: gw.GenerateRequest, route: ResolvedRoute) -> frozenset[int]:
    """What the answer is to consist of. Raises CallFailed (UNSUPPORTED) for what the model does not make."""
    outputs = frozenset(request.output_modalities) if request.output_modalities else TEXT_ALONE
    if not outputs <= route.outputs:
        wrong = outputs - route.outputs
        names = " or ".join(MODALITY_NAMES.get(modality, "nothing") for modality in sorted(wrong))
        raise CallFailed(ErrorClass.UNSUPPORTED, f"{route.provider}/{route.model} does not make {names}", part="output_modalities")
    return outputs


def parameters_of(request: gw.GenerateRequest, route: ResolvedRoute) -> Applied:
    """What is sent of a conversation's parameters. Raises CallFailed for one that cannot be sent."""
    capabilities = adapter_of(route.row, route.api).capabilities
    sent = applied(request, route, capabilities)
    if capabilities.needs_max_output_tokens and not sent.parameters.HasField("max_output_tokens"):
        sent.parameters.max_output_tokens = min(DEFAULT_OUTPUT_TOKENS, route.facts.max_output_tokens or DEFAULT_OUTPUT_TOKENS)
    return sent


async def prepared(
    request: gw.GenerateRequest, route: ResolvedRoute, model: str, fetch: Fetch, *, size: int = 0, streamed: bool = False
) -> Prepared:
    """The request as its provider gets it.

    model: its name there. fetch: reads stored media. size: about the request's bytes. streamed: the answer is to come as a stream; its API
    is in STREAMS.
    Raises CallFailed for what cannot be sent, by its path.
    """
    dialect, api = route.row.dialect, route.api
    adapter = adapter_of(route.row, route.api)
    outputs, taker = outputs_of(request, route), f"{route.provider}/{route.model}"
    parameters, dropped = parameters_of(request, route)
    capable = adapter.capabilities if route.takes_uris else WITHOUT_URIS[adapter]
    splice = Splice()
    turns = await turns_of(request.messages, capable, route.modalities, fetch, taker, video_frames=route.video_frames, encode=splice.put)
    ask = _asked(request, turns, parameters, capable, taker)
    body, refused = _written(adapter, model, ask, request.droppable)
    if refused:
        dropped = sorted({*dropped, *refused})
    if outputs != TEXT_ALONE:
        adapter.ask_for(body, outputs, route.media)
    apart = _add(body, request, route, adapter.capabilities.defaults)
    # What a provider's own tools cost, such as a search, is among no tokens.
    apart = apart or any([tool.HasField("vendor") for tool in request.tools])
    if streamed:
        STREAMS[dialect, api].ask(body, route.row)
    headers = adapter.headers(body)
    beside = size - splice.size
    pieces = await asyncio.to_thread(splice.written, body) if beside > LARGE_BYTES else splice.written(body)
    _check_length(pieces, adapter.capabilities.request_bytes, taker)
    return Prepared(adapter.path(model, streamed=streamed), pieces, headers, parameters, dropped, apart)


def _asked(
    request: gw.GenerateRequest, turns: Sequence[Turn], parameters: gw.GenerationParameters, capabilities: Capabilities, taker: str
) -> Ask:
    if not request.tools and not request.HasField("tool_choice"):
        return Ask(turns, parameters)
    tools = tools_of(request, capabilities, taker)
    return Ask(turns, parameters, tools, choice_of(request, tools))


def _written(adapter: Adapter, model: str, ask: Ask, droppable: Sequence[str]) -> tuple[Json, Sequence[str]]:
    """The body, and the names of parameters that the adapter refuses for this model alone, and that may be left out."""
    refused: list[str] = []
    while True:
        try:
            return adapter.request(model, ask), refused
        except CallFailed as refusal:
            name = refusal.part.removeprefix("parameters.")
            if name == refusal.part or name not in droppable:
                raise
            ask.parameters.ClearField(name)
            refused.append(name)


def _add(body: Json, request: gw.GenerateRequest, route: ResolvedRoute, defaults: Mapping[str, object]) -> bool:
    """Adds to a body what the route and the request say beyond the contract. defaults: of the API, for what is not said.

    Returns whether the request asks by it for something that is billed otherwise.
    """
    apart = False
    if route.parameters.extra:
        put_extra(body, route.parameters.extra, said_by=f"parameters.extra of the route {route.name}")
    if request.extra_json:
        extra = extra_of(request)
        if not route.takes_uris:
            refuse_addresses(extra, PART)
        put_extra(body, extra)
        apart = bool(billed_otherwise(extra, TIERS | BESIDE))
    for name, value in defaults.items():
        body.setdefault(name, value)
    return apart


def _check_length(pieces: Sequence[Piece], most: int, taker: str) -> None:
    """Raises CallFailed for a body of more bytes than its provider takes. most: 0 = not known."""
    if most and (length := sum(map(len, pieces))) > most:
        raise CallFailed(
            ErrorClass.CONTEXT_TOO_LONG,
            f"{taker} takes at most {most:,} bytes in one request; this has {length:,}",
            part="messages",
        )
