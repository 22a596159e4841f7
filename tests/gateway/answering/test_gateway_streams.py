"""Answers that come as streams, through a gateway: pieces as they come, the whole at the end, or one typed failure."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway.answering import streamed
from gateway.calls import Call
from gateway.service import Gateway
from gateway.telemetry import Telemetry
from genlevel.runtime.errors import CallFailed, ConfigurationError
from genlevel.runtime.settings import Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

Asking = Callable[..., gw.GenerateRequest]
MakeGateway = Callable[[Settings], Gateway]

USAGE = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14, "completion_tokens_details": {"reasoning_tokens": 2}}
LIMITS = {"x-ratelimit-limit-requests": "100", "x-ratelimit-remaining-requests": "7", "x-ratelimit-reset-requests": "9s"}
HANGS = object()


def chunk(text: str = "", finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"id": "c-1", "model": "m-1", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}], **fields}


END = [chunk("", "stop"), {"id": "c-1", "model": "m-1", "choices": [], "usage": USAGE}, "[DONE]"]


def sse(event: Any) -> bytes:
    return f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n".encode()


def streams(stub: Any, *events: Any, wait_s: float = 0.0, kind: str = "text/event-stream") -> None:
    """Each call is answered by these events, so long after one another. Bytes go out as they are; after HANGS nothing comes."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": kind, **LIMITS})
        await response.prepare(request)
        try:
            for event in events:
                if event is HANGS:
                    await asyncio.sleep(60)
                await response.write(event if isinstance(event, bytes) else sse(event))
                await asyncio.sleep(wait_s)
        except (asyncio.CancelledError, ConnectionError):
            stub.cancelled.set()
            raise
        return response

    stub.answer = answer


class Pieces:
    """What was passed on, a list for each time."""

    def __init__(self) -> None:
        self.lists: list[list[ct.Part]] = []
        self.arrived = asyncio.Event()
        self.wanted = ""

    async def __call__(self, pieces: Sequence[ct.Part]) -> None:
        self.lists.append(list(pieces))
        if self.text.startswith(self.wanted):
            self.arrived.set()

    @property
    def text(self) -> str:
        return "".join(piece.text for pieces in self.lists for piece in pieces)


@pytest.fixture
async def quick(stub: Any, make_gateway: MakeGateway, settings_at: Callable[..., Settings]) -> AsyncIterator[Gateway]:
    """A gateway that bears a silence of 0.2 s, with a price and with routes that stream."""
    settings = settings_at(stub.url, idle_timeout_s=0.2)
    for name, route in list(settings.routes.items()):
        settings.routes[f"streaming-{name}"] = route.model_copy(update={"stream": True})
    price = {"input": 1, "output": 2}
    gateway = make_gateway(
        Settings.model_validate({**settings.model_dump(), "prices": {"openai-chat": price, "streaming-openai-chat": price}})
    )
    yield gateway
    await gateway.close()


async def test_pieces_come_while_the_model_speaks_and_the_whole_at_the_end(stub: Any, quick: Gateway, asking: Asking) -> None:
    streams(stub, chunk(""), chunk("Par"), chunk("is"), *END, wait_s=0.07)
    pieces = Pieces()
    task = asyncio.create_task(quick.stream(asking("openai-chat", temperature=0), pieces))
    await asyncio.wait_for(pieces.arrived.wait(), 5)
    assert not task.done()
    response = await task
    assert [[piece.text for piece in each] for each in pieces.lists] == [["Par"], ["is"]]
    assert [part.text for part in response.parts] == ["Paris"]
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.reasoning_tokens) == (9, 3, 2)
    assert (response.cost_nano_usd, response.model, response.response_id) == (9 * 1000 + 5 * 2000, "m-1", "c-1")
    assert 0.05 < response.first_piece_s < response.upstream_s
    assert not response.usage_incomplete
    assert response.applied_parameters.HasField("temperature")
    body = stub.requests[0][2]
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})


async def test_a_route_that_streams_gives_the_same_answer_as_one_that_does_not(stub: Any, quick: Gateway, asking: Asking) -> None:
    streams(stub, chunk("Par"), chunk("is"), *END)
    whole = {**END[1], "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}]}
    by_stream = await quick.generate(asking("streaming-openai-chat"))
    stub.replies(whole, headers=LIMITS)
    at_once = await quick.generate(asking("openai-chat"))
    assert by_stream.HasField("first_piece_s")
    for name in ("first_piece_s", "upstream_s", "overhead_s"):
        by_stream.ClearField(name)
        at_once.ClearField(name)
    assert by_stream == at_once
    assert "stream" not in stub.requests[1][2]


async def test_many_small_pieces_travel_together(stub: Any, quick: Gateway, asking: Asking) -> None:
    streams(stub, *[chunk(f"{number} ") for number in range(400)], *END)
    pieces = Pieces()
    response = await quick.stream(asking("openai-chat"), pieces)
    assert pieces.text == response.parts[0].text == "".join(f"{number} " for number in range(400))
    assert len(pieces.lists) < 40
    assert all(len(each) == 1 for each in pieces.lists)


async def test_a_piece_is_not_kept_back_until_the_next_one_comes(stub: Any, quick: Gateway, asking: Asking) -> None:
    streams(stub, chunk("a"), chunk("b"), HANGS)
    pieces = Pieces()
    pieces.wanted = "ab"
    task = asyncio.create_task(quick.stream(asking("openai-chat"), pieces))
    await asyncio.wait_for(pieces.arrived.wait(), 5)
    assert not task.done()
    task.cancel()
    await asyncio.wait([task])


async def test_who_reads_slowly_holds_up_the_reading_and_loses_nothing(stub: Any, quick: Gateway, asking: Asking) -> None:
    streams(stub, *[chunk("x" * 1000) for _ in range(100)], *END)
    sizes: list[int] = []

    async def slowly(pieces: Sequence[ct.Part]) -> None:
        await asyncio.sleep(0.02)
        sizes.append(sum(len(piece.text) for piece in pieces))

    response = await quick.stream(asking("openai-chat"), slowly)
    assert sum(sizes) == len(response.parts[0].text) == 100_000


@pytest.mark.parametrize(
    ("events", "reason", "said", "charged"),
    [
        ([chunk("Par"), {"error": {"type": "server_error", "message": "it died"}}], "TRANSIENT", "it died", True),
        ([chunk("Par"), {"error": {"type": "invalid_request_error", "message": "no"}}], "CALLER_FAULT", "no", True),
        ([{"error": {"code": "rate_limit_exceeded", "message": "slow down"}}], "RATE_LIMIT", "slow down", False),
        ([chunk("Par")], "TRANSIENT", "the stream ended before the answer did", True),
        ([chunk("Par"), END[0]], "TRANSIENT", "the stream ended before the answer did", True),
        ([], "TRANSIENT", "the stream ended before the answer did", True),
        ([chunk("Par"), b"data: {half"], "TRANSIENT", "the stream ended before the answer did", True),
        ([chunk("Par"), "{half", chunk("is"), *END], "TRANSIENT", "an event of the stream is not a JSON object", True),
        ([chunk("Par"), HANGS], "TIMEOUT", "it said nothing for 0.2 s within its answer", True),
        ([chunk("", "content_filter"), *END[1:]], "CONTENT_REFUSED", "content filter", True),
    ],
)
async def test_half_an_answer_is_a_failure(
    events: list[Any], reason: str, said: str, charged: bool, *, stub: Any, quick: Gateway, asking: Asking
) -> None:
    streams(stub, *events)
    for pieces in (Pieces(), None):
        with pytest.raises(CallFailed) as failed:
            await (quick.stream(asking("openai-chat"), pieces) if pieces else quick.generate(asking("streaming-openai-chat")))
        assert (failed.value.reason, failed.value.may_be_charged) == (reason, charged)
        assert said in failed.value.message
        assert failed.value.message.startswith("openai")


@pytest.mark.parametrize("cleanly", [True, False])
async def test_a_stream_cut_off_on_the_wire_is_a_failure_or_the_whole_answer(
    stub: Any, quick: Gateway, asking: Asking, cleanly: bool
) -> None:
    whole = b"".join(map(sse, (chunk("Par"), chunk("is"), *END)))
    seen = set()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await response.write(whole[:cut])
        if not cleanly and request.transport is not None:
            await asyncio.sleep(0)
            request.transport.close()
        return response

    stub.answer = answer
    for cut in [*range(1, len(whole), 5), len(whole) - 1, len(whole)]:  # noqa: B007 (read by the answer)
        try:
            response = await quick.generate(asking("streaming-openai-chat"))
        except CallFailed as failed:
            seen.add((failed.reason, failed.provider_code, failed.may_be_charged))
        else:
            seen.add(response.parts[0].text)
            assert (response.usage.output_tokens, response.finish_reason) == (3, gw.FINISH_REASON_STOP)
    assert seen == {"Paris", ("TRANSIENT", "cut" if cleanly else "ClientPayloadError", True)}


async def test_a_refusal_says_what_it_cost(stub: Any, quick: Gateway, asking: Asking) -> None:
    streams(stub, chunk("", "content_filter"), *END[1:])
    with pytest.raises(CallFailed) as failed:
        await quick.generate(asking("streaming-openai-chat"))
    assert failed.value.cost_nano_usd == 19_000


@pytest.mark.parametrize("after", [[HANGS], [b"garbage that ends nothing"], ["[DONE]", chunk("more")]])
async def test_an_answer_that_has_come_whole_is_one_whatever_follows(stub: Any, quick: Gateway, asking: Asking, after: list[Any]) -> None:
    streams(stub, chunk("Paris"), *END, *after)
    pieces = Pieces()
    response = await quick.stream(asking("openai-chat"), pieces)
    assert response.parts[0].text == pieces.text == "Paris"


async def test_an_error_by_its_status_is_the_same_as_without_a_stream(stub: Any, quick: Gateway, asking: Asking) -> None:
    stub.replies({"error": {"code": "rate_limit_exceeded", "type": "requests"}}, 429, {"Retry-After": "3"})
    failures = []
    for ask in (quick.stream(asking("openai-chat"), Pieces()), quick.generate(asking("openai-chat"))):
        with pytest.raises(CallFailed) as failed:
            await ask
        failures.append((failed.value.reason, failed.value.retry_after_s, failed.value.dimension, failed.value.message))
    assert failures[0] == failures[1]


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/event-stream"])
async def test_a_server_that_answers_whole_is_taken_at_its_word(stub: Any, quick: Gateway, asking: Asking, kind: str) -> None:
    whole = {**END[1], "choices": [{"index": 0, "message": {"content": "Paris", "reasoning": "hm"}, "finish_reason": "stop"}]}
    stub.replies(whole, headers={"content-type": kind})
    pieces = Pieces()
    response = await quick.stream(asking("openai-chat"), pieces)
    assert pieces.lists == [list(response.parts)]
    assert not response.HasField("first_piece_s")
    assert not response.usage_estimated


async def test_a_web_page_is_said_to_be_one(stub: Any, quick: Gateway, asking: Asking) -> None:
    stub.replies(b"<!doctype html><html>hello", headers={"content-type": "text/html"})
    with pytest.raises(CallFailed, match="a web page, not JSON"):
        await quick.stream(asking("openai-chat"), Pieces())


async def test_what_was_used_is_estimated_and_costs_nothing_known_if_nobody_says(stub: Any, quick: Gateway, asking: Asking) -> None:
    streams(stub, chunk("Paris is it."), END[0], "[DONE]")
    response = await quick.generate(asking("streaming-openai-chat", "Capital of France?"))
    assert (response.usage_estimated, response.usage_incomplete, response.HasField("cost_nano_usd")) == (True, True, False)
    assert (response.usage.input_tokens, response.usage.output_tokens) == (5, 3)


async def test_what_a_provider_said_in_part_is_no_guess(stub: Any, quick: Gateway, asking: Asking) -> None:
    streams(stub, chunk("Paris"), END[0], {**END[1], "usage": {**USAGE, "prompt_tokens_details": {"cached_tokens": "some"}}}, "[DONE]")
    response = await quick.generate(asking("streaming-openai-chat"))
    assert (response.usage_estimated, response.usage_incomplete, response.HasField("cost_nano_usd")) == (False, True, False)
    assert (response.usage.input_tokens, response.usage.output_tokens) == (9, 3)


@pytest.mark.parametrize("began", [True, False])
async def test_cancelling_it_closes_the_connection_to_the_provider(stub: Any, quick: Gateway, asking: Asking, began: bool) -> None:
    if began:
        streams(stub, chunk("Par"), HANGS)
    else:
        stub.hangs()
    pieces = Pieces()
    task = asyncio.create_task(quick.stream(asking("openai-chat"), pieces))
    await asyncio.wait_for((pieces.arrived if began else stub.arrived).wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(stub.cancelled.wait(), 5)


async def test_its_deadline_holds_for_the_whole_stream(stub: Any, gateway: Gateway, asking: Asking) -> None:
    streams(stub, *[chunk("a") for _ in range(100)], wait_s=0.03)
    with pytest.raises(CallFailed, match=r"did not answer for a-model within 0\.3 s") as failed:
        await gateway.stream(asking("openai-chat"), Pieces(), timeout_s=0.3)
    assert (failed.value.reason, failed.value.may_be_charged) == ("TIMEOUT", True)
    await asyncio.wait_for(stub.cancelled.wait(), 5)


async def test_what_a_taker_of_pieces_raises_ends_the_call(stub: Any, quick: Gateway, asking: Asking) -> None:
    streams(stub, chunk("Par"), HANGS)

    async def gone(pieces: Sequence[ct.Part]) -> None:
        raise ConnectionResetError("mine")

    with pytest.raises(ConnectionResetError, match="mine"):
        await quick.stream(asking("openai-chat"), gone)
    await asyncio.wait_for(stub.cancelled.wait(), 5)


async def test_a_stream_without_end_is_cut(stub: Any, quick: Gateway, asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed, "MAX_STREAM_BYTES", 1 << 20)
    streams(stub, *[chunk("x" * 100_000) for _ in range(20)], HANGS)
    with pytest.raises(CallFailed, match="more than 1 MiB in one answer") as failed:
        await quick.stream(asking("openai-chat"), Pieces())
    assert failed.value.may_be_charged


async def test_a_large_event_takes_room_and_many_small_ones_do_not(
    stub: Any, quick: Gateway, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    receives = Call.receives

    async def noted(call: Call, size: int) -> None:
        taken.append(size)
        await receives(call, size)

    monkeypatch.setattr(Call, "receives", noted)
    streams(stub, *[chunk("x" * 1000) for _ in range(3000)], *END)
    await quick.generate(asking("streaming-openai-chat"))
    assert not taken
    streams(stub, chunk("x" * (3 << 20)), *END)
    response = await quick.generate(asking("streaming-openai-chat"))
    assert len(response.parts[0].text) == 3 << 20
    assert 2 << 20 < max(taken) < 4 << 20
    assert quick._calls.receiving.used == 0
    taken.clear()
    streams(stub, *[chunk("x" * 50_000) for _ in range(200)], *END)  # a server that goes on and on
    await quick.generate(asking("streaming-openai-chat"))
    assert 9 << 20 < max(taken) < 11 << 20
    taken.clear()
    hidden = chunk()
    hidden["choices"].append({"index": 1, "delta": {"content": "x" * 50_000}})
    streams(stub, *[hidden] * 800, chunk("Paris"), *END)
    await quick.generate(asking("streaming-openai-chat"))
    assert max(taken) > 32 << 20
    assert quick._calls.receiving.used == 0


async def test_limits_are_told_as_of_other_answers(stub: Any, quick: Gateway, asking: Asking) -> None:
    streams(stub, chunk("Paris"), *END)
    response = await quick.generate(asking("streaming-openai-chat"))
    assert [(limit.dimension, limit.remaining) for limit in response.limits] == [("requests", 7)]


def test_times_of_streams_are_counted_and_those_of_other_answers_are_not() -> None:
    registry = CollectorRegistry()
    series = Telemetry(registry).model("openai", "m", "chat")
    labels = {"gen_ai_provider_name": "openai", "gen_ai_request_model": "m", "gen_ai_operation_name": "chat"}

    def value(name: str) -> float | None:
        return registry.get_sample_value(name, labels)

    first, each = "gen_ai_client_operation_time_to_first_chunk_seconds", "gen_ai_server_time_per_output_token_seconds"
    usage = gw.Usage(input_tokens=9, output_tokens=5, reasoning_tokens=100)
    series.answered(gw.GenerateResponse(upstream_s=3.0, usage=usage), True)
    assert (value(f"{first}_count"), value(f"{each}_count")) == (None, None)
    series.answered(gw.GenerateResponse(upstream_s=3.0, first_piece_s=1.0, usage=usage), True)
    assert (value(f"{first}_sum"), value(f"{each}_sum")) == (1.0, 0.5), "hidden reasoning came before the first piece"
    shown = gw.GenerateResponse(upstream_s=3.0, first_piece_s=1.0, usage=usage, parts=[ct.Part(reasoning=ct.Reasoning(text="hm"))])
    series.answered(shown, True)
    assert value(f"{each}_sum") == pytest.approx(0.5 + 2 / 104)
    series.answered(gw.GenerateResponse(upstream_s=3.0, first_piece_s=1.0, usage=usage, usage_estimated=True), False)
    series.answered(gw.GenerateResponse(upstream_s=3.0, first_piece_s=3.0, usage=gw.Usage(output_tokens=1)), True)
    assert (value(f"{first}_count"), value(f"{each}_count")) == (4, 2)


async def test_each_api_streams(stub: Any, quick: Gateway, asking: Asking) -> None:
    item = {"type": "message", "content": [{"type": "output_text", "text": "Paris"}]}
    response = {"status": "completed", "output": [item], "usage": {"input_tokens": 9, "output_tokens": 3}}
    streams(stub, {"type": "response.output_text.delta", "delta": "Paris"}, {"type": "response.completed", "response": response})
    pieces = Pieces()
    answer = await quick.stream(asking("openai-responses"), pieces)
    assert (answer.parts[0].text, pieces.text, stub.requests[-1][2]["stream"]) == ("Paris", "Paris", True)
    streams(
        stub,
        {"type": "message_start", "message": {"id": "m", "content": [], "usage": {"input_tokens": 9, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Paris"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    )
    pieces = Pieces()
    answer = await quick.stream(asking("anthropic-messages"), pieces)
    assert (answer.parts[0].text, pieces.text, answer.usage.output_tokens) == ("Paris", "Paris", 3)


async def test_an_answer_with_sound_comes_whole(stub: Any, make_gateway: MakeGateway, settings_at: Callable[..., Settings]) -> None:
    settings = settings_at(stub.url)
    settings.routes["sound"] = settings.routes["openai-chat"].model_copy(update={"output_modalities": ["text", "audio"], "stream": True})
    gateway = make_gateway(settings)
    request = gw.GenerateRequest(route="sound", messages=[ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text="Say it")])])
    request.output_modalities.extend([ct.MODALITY_TEXT, ct.MODALITY_AUDIO])
    assert (await gateway.generate(request)).parts[0].text == "Paris"
    assert "stream" not in stub.requests[0][2]
    await gateway.close()


def test_a_route_cannot_stream_what_does_not(make_gateway: MakeGateway, settings_at: Callable[..., Settings]) -> None:
    settings = settings_at("http://127.0.0.1:9")
    settings.routes["drawing"] = settings.routes["openai-chat"].model_copy(update={"api": "images", "stream": True})
    with pytest.raises(ConfigurationError, match=r"drawing.*stream.*the API images of openai does not answer in streams"):
        make_gateway(settings)
