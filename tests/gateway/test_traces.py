"""A real receiver of OTLP over HTTP gets one span a call, with what the conventions ask for and nothing of what was said."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from gateway.rpc import add_to_server
from gateway.service import Gateway
from genlevel.cli import diagnosis
from genlevel.runtime import logs, traces
from genlevel.runtime.errors import CallFailed, ConfigurationError
from genlevel.runtime.rpc import RpcServer, connect
from genlevel.runtime.settings import Account, Route, Settings, Traces
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import gateway_pb2_grpc
from tests.gateway.answering.test_gateway_streams import END, chunk, streams
from tests.ports import free_ports

Asking = Callable[..., gw.GenerateRequest]


class Collector:
    """Receives what is exported on a loopback port."""

    url = ""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []

    async def take(self, request: web.Request) -> web.Response:
        message = ExportTraceServiceRequest()
        message.ParseFromString(await request.read())
        self.requests.append(message)
        return web.Response(body=b"", content_type="application/x-protobuf")

    async def lead_elsewhere(self, request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=307, headers={"Location": f"{self.url}/v1/traces"})

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in (*traces.ENDPOINTS, "OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "OTEL_SERVICE_NAME"):
        monkeypatch.delenv(name, raising=False)
    yield
    logging.getLogger("opentelemetry").setLevel(logging.NOTSET)
    traces.Spans.recording = False


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    found = Collector()
    application = web.Application()
    application.router.add_post("/v1/traces", found.take)
    application.router.add_post("/moved/v1/traces", found.lead_elsewhere)
    runner = web.AppRunner(application)
    await runner.setup()
    (port,) = free_ports(1)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    found.url = f"http://127.0.0.1:{port}"
    yield found
    await runner.cleanup()


@pytest.fixture
def traced_at(stub: Any, settings_at: Any, make_gateway: Any) -> Callable[[str], Gateway]:
    """Makes a gateway that tells the collector at an address of its calls of the stub."""

    def make(url: str) -> Gateway:
        settings = settings_at(stub.url)
        gateway: Gateway = make_gateway(settings.model_copy(update={"traces": Traces(endpoint=url)}))
        return gateway

    return make


def attributes(span: Span) -> dict[str, object]:
    found: dict[str, object] = {}
    for entry in span.attributes:
        kind = entry.value.WhichOneof("value")
        value = getattr(entry.value, str(kind))
        found[entry.key] = [one.string_value for one in value.values] if kind == "array_value" else value
    return found


async def test_an_answer_is_a_span_with_what_the_conventions_ask_for(
    collector: Collector, stub: Any, traced_at: Callable[[str], Gateway], asking: Asking
) -> None:
    gateway = traced_at(collector.url)
    await gateway.generate(asking("compatible-chat", temperature=0.5, max_output_tokens=9, seed=3, top_p=0.25), timeout_s=60)
    await gateway.close()
    (span,) = collector.spans
    port = int(stub.url.rsplit(":", 1)[1].split("/")[0])
    assert (span.name, span.kind, span.parent_span_id, span.status.code) == (
        "chat a-model",
        Span.SPAN_KIND_CLIENT,
        b"",
        Status.STATUS_CODE_UNSET,
    )
    assert attributes(span) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "compatible",
        "gen_ai.request.model": "a-model",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.seed": 3,
        "gen_ai.request.top_p": 0.25,
        "gen_ai.response.model": "stub-2026",
        "gen_ai.response.id": "chatcmpl-7",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 30,
        "server.address": "127.0.0.1",
        "server.port": port,
    }
    assert 0 < span.end_time_unix_nano - span.start_time_unix_nano < 60e9
    (resource,) = collector.requests[0].resource_spans
    assert ("service.name", "genlevel-gateway") in [(entry.key, entry.value.string_value) for entry in resource.resource.attributes]


async def test_a_stream_is_a_span_with_the_time_to_its_first_piece(
    collector: Collector, stub: Any, traced_at: Callable[[str], Gateway], asking: Asking
) -> None:
    async def ignored(pieces: Sequence[ct.Part]) -> None:
        pass

    gateway = traced_at(collector.url)
    streams(stub, chunk("Paris"), *END, wait_s=0.01)
    response = await gateway.stream(asking("compatible-chat"), ignored)
    streams(stub, chunk("Paris"), END[0], "[DONE]")
    await gateway.stream(asking("compatible-chat"), ignored)
    await gateway.close()
    told, guessed = map(attributes, collector.spans)
    assert told["gen_ai.response.time_to_first_chunk"] == pytest.approx(response.first_piece_s)
    assert told["gen_ai.usage.output_tokens"] == 5
    assert "gen_ai.usage.output_tokens" not in guessed


async def test_failures_and_calls_that_are_given_up_are_spans_and_say_nothing_of_the_content(
    collector: Collector, stub: Any, traced_at: Callable[[str], Gateway], asking: Asking
) -> None:
    gateway = traced_at(collector.url)
    request = asking("compatible-chat")
    request.messages[0].parts[0].text = "the secret of the prompt"
    stub.replies({"error": {"message": "the secret of the prompt is wrong"}}, status=429)
    with pytest.raises(CallFailed):
        await gateway.generate(request)
    with pytest.raises(CallFailed):
        await gateway.generate(asking("no such route"))  # of no model: not a call

    stub.arrived.clear()
    stub.hangs()
    call = asyncio.create_task(gateway.generate(request))
    await stub.arrived.wait()
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    await gateway.close()
    limited, cancelled = collector.spans
    assert (limited.status.code, limited.status.message) == (Status.STATUS_CODE_ERROR, "")
    assert attributes(limited)["error.type"] == "RATE_LIMIT"
    assert (cancelled.status.code, attributes(cancelled)["error.type"]) == (Status.STATUS_CODE_ERROR, "cancelled")
    sent = json.dumps([str(one) for one in collector.requests])
    assert "secret" not in sent


async def test_a_server_that_repeats_what_it_was_sent_puts_neither_key_nor_content_into_a_span(
    collector: Collector, stub: Any, traced_at: Callable[[str], Gateway], asking: Asking
) -> None:
    logs.hide("plain-key-of-nobody")
    choices = [{"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}]
    stub.replies({"id": "id-plain-key-of-nobody", "model": "what you asked: the prompt", "choices": choices})
    gateway = traced_at(collector.url)
    await gateway.generate(asking("compatible-chat"))
    await gateway.close()
    (span,) = collector.spans
    assert attributes(span)["gen_ai.response.id"] == "id-***"
    assert "gen_ai.response.model" not in attributes(span)


async def test_the_callers_span_is_the_parent(collector: Collector, traced_at: Callable[[str], Gateway], asking: Asking) -> None:
    gateway = traced_at(collector.url)

    async def called(metadata: list[tuple[str, str | bytes]]) -> None:
        traces.hear(lambda: metadata)
        await gateway.generate(asking("compatible-chat"))

    await asyncio.create_task(called([("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]))
    await asyncio.create_task(called([("traceparent", "not one")]))
    await gateway.close()
    below, alone = collector.spans
    assert (below.trace_id.hex(), below.parent_span_id.hex()) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    assert alone.parent_span_id == b""


async def test_a_call_over_grpc_names_its_parent_alone_and_on_a_stream(
    collector: Collector, traced_at: Callable[[str], Gateway], asking: Asking
) -> None:
    gateway = traced_at(collector.url)
    server = RpcServer("127.0.0.1:0", grace_s=0.2)
    add_to_server(server, gateway)
    metadata = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    async with server, connect(f"127.0.0.1:{server.port}") as channel:
        client = gateway_pb2_grpc.GatewayServiceStub(channel)  # type: ignore[no-untyped-call]
        await client.Generate(asking("compatible-chat"), timeout=60, metadata=metadata)
        call = client.GenerateMany(timeout=60, metadata=metadata)
        await call.write(gw.GenerateManyRequest(items=[gw.GenerateManyItem(id=1, request=asking("compatible-chat"))]))
        await call.done_writing()
        assert [len(answer.results) async for answer in call] == [1]
        await client.Generate(asking("compatible-chat"), timeout=60)
    await gateway.close()
    assert [span.parent_span_id.hex() for span in collector.spans] == ["b7ad6b7169203331", "b7ad6b7169203331", ""]


async def test_a_picture_is_a_span_of_its_own_kind(collector: Collector, make_gateway: Any, media_upstream: Any) -> None:
    settings = Settings(
        accounts={"local": Account(provider="compatible", base_url=media_upstream.base_url)},
        routes={"local-images": Route(account="local", model="drawer", api="images")},
        traces=Traces(endpoint=collector.url),
    )
    gateway = make_gateway(settings)
    message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text="a red square")])
    await gateway.generate(gw.GenerateRequest(route="local-images", messages=[message], output_modalities=[ct.MODALITY_IMAGE]))
    await gateway.close()
    (span,) = collector.spans
    assert (span.name, attributes(span)["gen_ai.operation.name"]) == ("image_generation drawer", "image_generation")
    assert "red square" not in str(collector.requests)


async def test_a_collector_that_is_down_costs_a_line_and_no_call(
    traced_at: Callable[[str], Gateway], asking: Asking, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = traced_at(f"http://127.0.0.1:{free_ports(1)[0]}")
    for _call in range(3):
        assert (await gateway.generate(asking("compatible-chat"))).parts[0].text == "Paris"
    began = time.monotonic()
    await gateway.close()
    assert time.monotonic() - began < 2, "the last spans have a second"
    assert 1 <= len([record for record in caplog.records if record.levelno >= logging.WARNING]) <= 2
    assert all(record.name == "genlevel.runtime.traces" for record in caplog.records if record.levelno >= logging.WARNING)


async def test_a_collector_that_leads_elsewhere_is_said_without_its_password(
    collector: Collector,
    traced_at: Callable[[str], Gateway],
    asking: Asking,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = collector.url.replace("://", "://me:secretword@") + "/moved"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    gateway = traced_at("")
    for _call in range(2):
        await gateway.generate(asking("compatible-chat"))
    await gateway.close()
    (told,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    address = collector.url.removeprefix("http://")
    assert told.startswith(f"the collector of traces at http://…@{address}/moved")
    assert "leads elsewhere (307): name the address that it leads to; spans that do not get through are dropped" in told
    assert "secretword" not in told
    assert collector.requests == []


def test_nothing_is_told_to_anybody_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not traces.is_wanted("")
    assert traces.spans("", "x") is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    assert traces.is_wanted("")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    assert not traces.is_wanted("")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert not traces.is_wanted("http://127.0.0.1:4318")


def test_without_the_extra_settings_that_ask_for_traces_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError, match="genlevel\\[otlp\\]"):
        traces.spans("http://127.0.0.1:4318", "x")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    assert traces.spans("", "x") is None


def test_a_collectors_password_is_in_no_finding_and_in_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(traces=Traces(endpoint="http://me:secretword@collector:4318"))
    (finding,) = diagnosis._traces(settings)
    assert finding.said == "a span of each call goes to http://…@collector:4318"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:otherword@collector:4318")
    spans = traces.spans(settings.traces.endpoint, "genlevel-gateway")
    assert spans is not None
    spans._provider.shutdown()
    assert logs.redact("secretword, otherword") == "***, ***"


def test_an_endpoint_is_an_address() -> None:
    assert Settings.model_validate({"traces": {"endpoint": "https://collector:4318"}}).traces.endpoint == "https://collector:4318"
    for wrong in ("collector:4318", "http://", "http:///v1/traces", "ftp://collector", "http://a b"):
        with pytest.raises(ValueError, match=r"should be an address such as http://localhost:4318"):
            Settings.model_validate({"traces": {"endpoint": wrong}})
