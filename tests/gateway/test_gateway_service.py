"""The gateway over a stub provider: answers, deadlines, cancellation, what breaks on the way."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from gateway.adapters import ADAPTERS
from gateway.adapters.base import AnswerError, Refused
from gateway.adapters.embedded import EmbeddedModel
from gateway.models import known_models, providers_known
from gateway.service import Gateway
from gateway.telemetry import MAX_MODELS, Telemetry
from gateway.upstream import MAX_ANSWER_BYTES
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import CallFailed, ConfigurationError
from genlevel.runtime.settings import Account, Embedded, ModelPrice, Route, Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

Asking = Callable[..., gw.GenerateRequest]
ROUTES = ("openai-chat", "openai-responses", "anthropic-messages", "compatible-chat")


async def failure(gateway: Gateway, request: gw.GenerateRequest, timeout_s: float = 60.0) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        await gateway.generate(request, timeout_s=timeout_s)
    return caught.value


async def test_an_answer_comes_back_normalised(stub: Any, gateway: Gateway, asking: Asking) -> None:
    response = await gateway.generate(asking("compatible-chat", temperature=0, max_output_tokens=9), timeout_s=60)
    assert [part.text for part in response.parts] == ["Paris"]
    assert response.finish_reason == gw.FINISH_REASON_STOP
    assert response.usage == gw.Usage(input_tokens=36, cache_read_tokens=64, output_tokens=10, reasoning_tokens=20)
    assert (response.provider, response.model, response.response_id) == ("compatible", "stub-2026", "chatcmpl-7")
    assert response.applied_parameters == gw.GenerationParameters(temperature=0, max_output_tokens=9)
    assert not response.HasField("cost_nano_usd")
    assert response.upstream_s > 0
    assert response.overhead_s > 0
    assert response.provider_fingerprint == ""


async def test_what_a_provider_says_of_the_system_that_answered_comes_with_the_answer(stub: Any, gateway: Gateway, asking: Asking) -> None:
    stub.replies({
        "id": "x", "model": "m", "system_fingerprint": "fp_44709d6fcb",
        "choices": [{"message": {"content": "Paris"}, "finish_reason": "stop"}],
    })  # fmt: skip
    assert (await gateway.generate(asking("compatible-chat"))).provider_fingerprint == "fp_44709d6fcb"


async def test_an_answer_of_a_priced_model_has_its_cost(stub: Any, make_gateway: Any, settings_at: Any, asking: Asking) -> None:
    prices = {"compatible/a-model": ModelPrice(input="1", output="2", cache_read="0.5")}
    gateway = make_gateway(settings_at(stub.url).model_copy(update={"prices": prices}))
    response = await gateway.generate(asking("compatible-chat"))
    assert response.cost_nano_usd == 36 * 1000 + 64 * 500 + 30 * 2000
    answer = {"id": "x", "model": "m", "choices": [{"message": {"content": "Paris"}, "finish_reason": "stop"}]}
    stub.replies(answer)
    assert not (await gateway.generate(asking("compatible-chat"))).HasField("cost_nano_usd")  # no usage: unknown, not free
    await gateway.close()


@pytest.mark.parametrize(
    ("route", "path", "authorization"),
    [
        ("openai-chat", "/v1/chat/completions", "Bearer sk-test-0123456789abcdef"),
        ("openai-responses", "/v1/responses", "Bearer sk-test-0123456789abcdef"),
        ("anthropic-messages", "/v1/messages", "Bearer sk-test-0123456789abcdef"),
        ("compatible-chat", "/v1/chat/completions", "Bearer sk-test-0123456789abcdef"),
    ],
)
async def test_the_key_and_the_path_are_the_providers(
    *, route: str, path: str, authorization: str, stub: Any, gateway: Gateway, asking: Asking
) -> None:
    stub.replies({}, 500)
    await failure(gateway, asking(route))
    assert stub.requests[0][0] == path
    assert stub.requests[0][1]["authorization"] == authorization
    assert stub.requests[0][1]["content-type"] == "application/json"
    assert ("anthropic-version" in stub.requests[0][1]) == (route == "anthropic-messages")


async def test_a_server_without_a_key_gets_none(stub: Any, make_gateway: Any, asking: Asking) -> None:
    gateway = make_gateway(Settings())
    info = gateway.add_route("mine", f"{stub.url}/v1/", "any/model:name")
    assert info.ready
    await gateway.generate(asking("mine"))
    path, headers, body = stub.requests[0]
    assert (path, body["model"]) == ("/v1/chat/completions", "any/model:name")
    assert "authorization" not in headers
    await gateway.close()


async def test_a_missing_key_fails_before_any_call(stub: Any, gateway: Gateway, asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENLEVEL_TEST_KEY")
    problem = await failure(gateway, asking("openai-chat"))
    assert problem.reason == "CREDENTIAL"
    assert "GENLEVEL_TEST_KEY" in problem.message
    models = (await gateway.list_models(gw.ListModelsRequest(route="openai-chat"))).models
    assert [(model.ready, "GENLEVEL_TEST_KEY" in model.problem) for model in models] == [(False, True)]
    assert stub.requests == []


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b'{"choices": [',
        b"[]",
        b"null",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{"message": null}]}',
        b'"text"',
        b"\xff\xfe",
    ],
)
async def test_a_malformed_body_is_transient_and_may_be_charged(
    route: str, body: bytes, stub: Any, gateway: Gateway, asking: Asking
) -> None:
    stub.replies(body)
    problem = await failure(gateway, asking(route))
    assert (problem.reason, problem.may_be_charged) == ("TRANSIENT", True)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "an empty body"),
        (b'data: {"choices": []}\n\ndata: [DONE]\n\n', "a stream of events, not one JSON object, though no stream was asked for"),
        (b"OK", "not JSON"),
        (b'["a"]', "not a JSON object"),
        ({"choices": []}, "choices is an empty list, not a list of objects"),
        ({"choices": [{"message": {"content": "x", "images": 5}}]}, "images is a number or boolean, not a list of objects"),
        (
            {"choices": [{"message": {"content": "x", "audio": {"data": 5}}}]},
            "it is not what the chat API answers (TypeError a bytes-like object is required, not 'int')",
        ),
    ],
)
async def test_what_is_wrong_with_a_body_is_said_in_a_line(body: Any, said: str, stub: Any, gateway: Gateway, asking: Asking) -> None:
    stub.replies(body, headers={"content-type": "text/html"})
    problem = await failure(gateway, asking("openai-chat"))
    assert problem.message == f"openai sent a malformed body: {said}"


async def test_a_byte_order_mark_or_another_content_type_does_not_cost_the_answer(stub: Any, gateway: Gateway, asking: Asking) -> None:
    body = {"choices": [{"message": {"content": "Paris"}}]}
    for mark in (b"", b"\xef\xbb\xbf", b"\n "):
        stub.replies(mark + json.dumps(body).encode(), 201, headers={"content-type": "text/plain; charset=odd"})
        assert (await gateway.generate(asking("compatible-chat"))).parts[0].text == "Paris"


def _odd_bodies() -> st.SearchStrategy[Any]:
    """Bodies of answers with anything anywhere."""
    names = st.sampled_from(
        ["id", "model", "choices", "message", "content", "type", "text", "refusal", "tool_calls", "function", "arguments", "usage",
         "prompt_tokens", "completion_tokens", "output", "status", "stop_reason", "images", "audio", "data", "error", "code", "detail"]
    )  # fmt: skip
    leaves = (
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
    )
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5), max_leaves=25)


@given(
    message=_odd_bodies(), usage=_odd_bodies(), other=st.dictionaries(st.sampled_from(["id", "model", "error", "object"]), _odd_bodies())
)
@example(message={"content": [{"type": "image_url"}]}, usage=None, other={})
@example(message={"content": None, "tool_calls": [[]]}, usage={"prompt_tokens": 1e30}, other={})
def test_whatever_a_server_answers_is_an_answer_or_a_failure_of_its_own_kind(message: Any, usage: Any, other: dict[str, Any]) -> None:
    shapes = (
        {"choices": [{"message": message, "finish_reason": message}], "usage": usage, **other},
        {"status": "completed", "output": message, "usage": usage, **other},
        {"content": message, "stop_reason": usage, "usage": usage, **other},
    )
    for adapter in ADAPTERS.values():
        for body in shapes:
            adapter.usage(body)
            try:
                answer = adapter.answer(body)
            except (Refused, AnswerError, LookupError, TypeError, ValueError, AttributeError):
                continue
            response = gw.GenerateResponse(parts=answer.parts, usage=answer.usage, model=answer.model, response_id=answer.response_id)
            assert gw.GenerateResponse.FromString(response.SerializeToString()) == response


async def test_half_a_character_does_not_cost_the_answer(stub: Any, gateway: Gateway, asking: Asking) -> None:
    message = rb'{"content": "\ud83d\ude00 cut \ud83d", "role": "assistant"}'
    stub.replies(b'{"choices": [{"index": 0, "finish_reason": "length", "message": %s}]}' % message)
    response = await gateway.generate(asking("openai-chat"))
    assert response.parts[0].text == "\U0001f600 cut \ufffd"


async def test_a_dropped_connection_is_transient_and_may_be_charged(stub: Any, gateway: Gateway, asking: Asking) -> None:
    stub.drops()
    problem = await failure(gateway, asking("openai-chat"))
    assert (problem.reason, problem.may_be_charged, len(stub.requests)) == ("TRANSIENT", True, 1)


async def test_a_body_that_ends_early_is_transient(stub: Any, gateway: Gateway, asking: Asking) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-length": "1000", "content-type": "application/json"})
        await response.prepare(request)
        await response.write(b'{"choices": ')
        assert request.transport is not None
        request.transport.close()
        return response

    stub.answer = half
    assert (await failure(gateway, asking("openai-chat"))).reason == "TRANSIENT"


async def test_a_server_that_is_not_there_is_transient_and_costs_nothing(make_gateway: Any, asking: Asking, unused_tcp_port: int) -> None:
    gateway = make_gateway(Settings())
    gateway.add_route("gone", f"http://127.0.0.1:{unused_tcp_port}/v1", "m")
    problem = await failure(gateway, asking("gone"))
    assert (problem.reason, problem.may_be_charged) == ("TRANSIENT", False)
    assert str(unused_tcp_port) in problem.message
    await gateway.close()


async def test_a_proxy_of_the_environment_is_not_asked_for_this_machines_own_servers(
    stub: Any, make_gateway: Any, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    gateway = make_gateway(Settings())
    gateway.add_route("mine", f"{stub.url}/v1", "m")
    assert (await gateway.generate(asking("mine"))).parts[0].text == "Paris"
    await gateway.close()


async def test_a_redirect_is_not_followed_with_the_key(stub: Any, gateway: Gateway, asking: Asking) -> None:
    stub.replies({}, 307, {"location": f"{stub.url}/elsewhere"})
    problem = await failure(gateway, asking("openai-chat"))
    assert problem.reason == "MODEL_GONE"  # every call would be sent away: the run stops
    assert f"openai redirects to {stub.url}/elsewhere, which is not followed" in problem.message
    assert len(stub.requests) == 1


async def test_a_compatible_server_is_named_by_its_address(stub: Any, gateway: Gateway, asking: Asking) -> None:
    host = stub.url.removeprefix("http://")
    stub.replies(b"<!DOCTYPE html><html>Welcome</html>")
    page = await failure(gateway, asking("compatible-chat"))
    assert page.message == f"{host} sent a malformed body: a web page, not JSON; is {stub.url}/v1 the address of its API (many end in /v1)?"
    assert (page.reason, page.provider) == ("TRANSIENT", "compatible")
    stub.replies({"error": {"message": "boom"}}, 500)
    assert (await failure(gateway, asking("compatible-chat"))).message == f"{host} failed (500): boom"
    stub.drops()
    assert (await failure(gateway, asking("compatible-chat"))).message.startswith(f"{host}: the connection broke")
    stub.hangs()
    assert (await failure(gateway, asking("compatible-chat"), 0.1)).message == f"{host} did not answer for a-model within 0.1 s"


async def test_who_does_not_answer_is_said_with_what_to_do(stub: Any, make_gateway: Any, asking: Asking) -> None:
    url, secure = "http://localhost:9/v1", stub.url.replace("http:", "https:")
    accounts = {"mine": Account(provider="compatible", base_url=url), "ollama": Account(provider="ollama", base_url=url)}
    accounts["gone"] = Account(provider="compatible", base_url=secure)
    gateway = make_gateway(Settings(accounts=accounts, routes={name: Route(account=name, model="m") for name in accounts}))
    gateway.add_route("new", "http://127.0.0.1:9/v1", "m")
    said = {name: (await failure(gateway, asking(name))).message for name in (*accounts, "new")}
    await gateway.close()
    refused = f"nothing answers at {url} (connection refused)"
    assert said.pop("mine") == f"localhost:9: {refused}; start the server, or correct base_url of the account mine in genlevel.yaml"
    assert said.pop("ollama") == f"ollama: {refused}; start the server, or correct base_url of the account ollama in genlevel.yaml"
    there = refused.replace("localhost", "127.0.0.1")
    assert said.pop("new") == f"127.0.0.1:9: {there}; start the server, or correct --base-url"
    gone = said.pop("gone")
    assert gone.startswith(f"{stub.url.removeprefix('http://')}: cannot connect to {secure} (")
    assert "wrong version number" in gone
    assert "ssl:default" not in gone


async def test_a_key_that_was_never_given_is_asked_for(stub: Any, make_gateway: Any, asking: Asking) -> None:
    gateway = make_gateway(Settings())
    gateway.add_route("mine", f"{stub.url}/v1", "a-model")
    stub.replies({"error": {"message": "no key"}}, 401)
    problem = await failure(gateway, asking("mine"))
    assert problem.reason == "CREDENTIAL"
    assert "wants a key" in problem.message
    assert "--api-key-env" in problem.message
    await gateway.close()


async def test_an_answer_without_end_is_cut(stub: Any, gateway: Gateway, asking: Asking) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(MAX_ANSWER_BYTES // (1 << 20) + 2):
            await response.write(b" " * (1 << 20))
        return response

    stub.answer = endless
    assert "MiB" in (await failure(gateway, asking("compatible-chat"), 30)).message


async def test_the_deadline_holds_and_cancels_the_upstream(stub: Any, gateway: Gateway, asking: Asking) -> None:
    await gateway.generate(asking("openai-chat"))  # all is imported and connected: the next call gets to its upstream in time
    stub.hangs()
    problem = await failure(gateway, asking("openai-chat"), 1.0)
    assert (problem.reason, problem.may_be_charged) == ("TIMEOUT", True)
    await asyncio.wait_for(stub.cancelled.wait(), 60)


async def test_the_accounts_own_limit_holds_where_the_caller_gives_none(
    stub: Any, make_gateway: Any, settings_at: Any, asking: Asking
) -> None:
    gateway = make_gateway(settings_at(stub.url, timeout_s=0.2))
    stub.hangs()
    assert (await failure(gateway, asking("openai-chat"), 0)).reason == "TIMEOUT"
    assert (await failure(gateway, asking("openai-chat"), 60)).reason == "TIMEOUT"
    await gateway.close()


async def test_cancelling_the_caller_cancels_the_upstream(stub: Any, gateway: Gateway, asking: Asking) -> None:
    stub.hangs()
    task = asyncio.create_task(gateway.generate(asking("anthropic-messages"), timeout_s=30))
    await asyncio.wait_for(stub.arrived.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(stub.cancelled.wait(), 60)


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("openai-chat", {"choices": [{"message": {"refusal": "I can't do that."}, "finish_reason": "stop"}]}),
        ("openai-chat", {"choices": [{"message": {"content": "par"}, "finish_reason": "content_filter"}]}),
        ("anthropic-messages", {"type": "message", "content": [], "stop_reason": "refusal", "usage": {}}),
        ("openai-responses", {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}, "output": []}),
    ],
)
async def test_a_refusal_is_a_failure_of_its_own_class(route: str, body: Any, stub: Any, gateway: Gateway, asking: Asking) -> None:
    stub.replies(body)
    assert (await failure(gateway, asking(route))).reason == "CONTENT_REFUSED"


CHAT_USAGE = {"usage": {"prompt_tokens": 100, "completion_tokens": 30}}
TOKENS = {"usage": {"input_tokens": 100, "output_tokens": 30}}


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("openai-chat", {"choices": [{"message": {"refusal": "I can't do that."}, "finish_reason": "stop"}], **CHAT_USAGE}),
        ("compatible-chat", {"choices": [{"message": {"content": "par"}, "finish_reason": "content_filter"}], **CHAT_USAGE}),
        ("compatible-chat", {"choices": [], **CHAT_USAGE}),
        ("compatible-chat", {"error": {"message": "moderated"}, **CHAT_USAGE}),
        ("anthropic-messages", {"type": "message", "content": [], "stop_reason": "refusal", **TOKENS}),
        ("openai-responses", {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}, "output": [], **TOKENS}),
    ],
)
async def test_what_a_refusal_or_a_broken_answer_cost_is_said(
    *, route: str, body: Any, stub: Any, make_gateway: Any, settings_at: Any, asking: Asking
) -> None:
    priced = {f"{provider}/a-model": ModelPrice(input="1", output="2") for provider in ("openai", "anthropic", "compatible")}
    gateway = make_gateway(settings_at(stub.url).model_copy(update={"prices": priced}))
    stub.replies(body)
    problem = await failure(gateway, asking(route))
    assert (problem.usage, problem.cost_nano_usd) == (gw.Usage(input_tokens=100, output_tokens=30), 160_000)
    assert problem.may_be_charged
    stub.replies({**body, "usage": None})
    problem = await failure(gateway, asking(route))
    assert (problem.usage, problem.cost_nano_usd) == (None, None)
    await gateway.close()


@pytest.mark.parametrize("status", [400, 429, 500])
async def test_a_failure_that_says_what_it_used_is_billed(
    *, status: int, stub: Any, make_gateway: Any, settings_at: Any, asking: Asking
) -> None:
    gateway = make_gateway(settings_at(stub.url).model_copy(update={"prices": {"compatible/a-model": ModelPrice(input="1", output="2")}}))
    stub.replies({"error": {"message": "no"}, **CHAT_USAGE}, status=status)
    problem = await failure(gateway, asking("compatible-chat"))
    assert (problem.may_be_charged, problem.cost_nano_usd) == (True, 160_000)
    stub.replies({"error": {"message": "no"}, "usage": {"prompt_tokens": 0, "completion_tokens": 0}}, status=status)
    problem = await failure(gateway, asking("compatible-chat"))
    assert (problem.may_be_charged, problem.cost_nano_usd) == (status == 500, None)
    await gateway.close()


async def test_what_a_providers_own_tool_costs_is_not_known(*, stub: Any, make_gateway: Any, settings_at: Any, asking: Asking) -> None:
    gateway = make_gateway(settings_at(stub.url).model_copy(update={"prices": {"openai/a-model": ModelPrice(input="1", output="2")}}))
    request = asking("openai-chat")
    assert (await gateway.generate(request)).HasField("cost_nano_usd")
    request.tools.add(name="weather")
    assert (await gateway.generate(request)).HasField("cost_nano_usd")
    request.tools.add(vendor=ct.VendorPart(vendor="openai", value={"type": "web_search"}))
    response = await gateway.generate(request)
    assert (response.HasField("cost_nano_usd"), response.usage_incomplete) == (False, False)
    await gateway.close()


async def test_an_answer_whose_usage_is_zero_has_no_known_cost(*, stub: Any, make_gateway: Any, settings_at: Any, asking: Asking) -> None:
    gateway = make_gateway(settings_at(stub.url).model_copy(update={"prices": {"compatible/a-model": ModelPrice(input="1", output="2")}}))
    choices = [{"message": {"role": "assistant", "content": "A"}, "finish_reason": "stop"}]
    for usage, costs in (((100, 30), True), ((0, 0), False), ((0, 30), False), ((100, 0), False)):
        stub.replies({"choices": choices, "usage": dict(zip(("prompt_tokens", "completion_tokens"), usage, strict=True))})
        response = await gateway.generate(asking("compatible-chat"))
        assert (response.HasField("cost_nano_usd"), response.usage_incomplete) == (costs, not costs)
    await gateway.close()


async def test_an_answer_tells_of_limits_that_are_nearly_used_up(stub: Any, gateway: Gateway, asking: Asking) -> None:
    limit = {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "20s"}
    assert not (await gateway.generate(asking("compatible-chat"))).limits
    stub.replies({"choices": [{"message": {"role": "assistant", "content": "A"}, "finish_reason": "stop"}]}, headers=limit)
    response = await gateway.generate(asking("compatible-chat"))
    assert list(response.limits) == [gw.ProviderLimit(dimension="requests", remaining=1, reset_s=20.0)]


async def test_an_error_under_a_good_status_is_classified(stub: Any, gateway: Gateway, asking: Asking) -> None:
    stub.replies({"error": {"type": "rate_limit_exceeded", "message": "later"}}, headers={"Retry-After": "4"})
    problem = await failure(gateway, asking("compatible-chat"))
    assert (problem.reason, problem.retry_after_s) == ("RATE_LIMIT", 4)


async def test_anthropic_always_gets_a_limit_and_the_answer_says_which(stub: Any, gateway: Gateway, asking: Asking) -> None:
    stub.replies(
        {"type": "message", "content": [{"type": "text", "text": "Paris"}], "stop_reason": "end_turn", "usage": {"input_tokens": 1}}
    )
    response = await gateway.generate(asking("anthropic-messages"))
    assert stub.requests[0][2]["max_tokens"] == 4096
    assert response.applied_parameters.max_output_tokens == 4096


async def test_an_image_of_the_blob_store_reaches_the_provider(stub: Any, gateway: Gateway, tmp_path: Path) -> None:
    picture = bytes(range(256)) * 10
    reference = BlobStore.open(tmp_path / "blobs").put(picture, "image/jpeg")
    media = ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/jpeg", blob=reference)
    message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text="what?"), ct.Part(media=media)])
    await gateway.generate(gw.GenerateRequest(route="openai-chat", messages=[message]))
    url = stub.requests[0][2]["messages"][0]["content"][1]["image_url"]["url"]
    assert base64.b64decode(url.removeprefix("data:image/jpeg;base64,")) == picture


async def test_what_a_request_names_in_the_blob_store_is_together_no_larger_than_a_request(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.stored.MAX_REQUEST_BYTES", 1000)
    store = BlobStore.open(tmp_path / "blobs")
    parts = [
        ct.Part(media=ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", blob=store.put(b"\x89PNG" + bytes([n]) * 596)))
        for n in range(2)
    ]
    request = gw.GenerateRequest(route="openai-chat", messages=[ct.Message(role=ct.ROLE_USER, parts=parts)])
    with pytest.raises(CallFailed, match=r"messages\[0\]\.parts\[1\]: .* has 600 bytes, over the limit of 400") as caught:
        await gateway.generate(request)
    assert caught.value.reason == "CALLER_FAULT"


def shown(**source: Any) -> list[ct.Message]:
    media = ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", **source)
    return [ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text="what?"), ct.Part(media=media)])]


@pytest.mark.parametrize("served", [True, False])
@pytest.mark.parametrize("status", [200, 500])
async def test_a_service_is_small_again_after_a_call_with_much_in_memory(
    *, status: int, served: bool, stub: Any, settings_at: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLEVEL_TEST_KEY", "sk-test-0123456789abcdef")
    asked: list[object] = []
    monkeypatch.setattr("gateway.service.give_back", lambda: asked.append(None))
    stored = BlobStore.open(tmp_path / "blobs").put(b"\x89PNG", "image/png")
    settings = settings_at(stub.url)
    routes = {**settings.routes, "drawer": Route(account="openai", model="drawer", api="images")}
    gateway = Gateway(settings.model_copy(update={"routes": routes}), CollectorRegistry(), tmp_path, served=served)

    async def asks(content: str, **source: Any) -> int:
        asked.clear()
        stub.replies({"choices": [{"message": {"content": content}}]}, status)
        with suppress(CallFailed):
            await gateway.generate(gw.GenerateRequest(route="openai-chat", messages=shown(**source)))
        return len(asked)

    assert await asks("Paris", inline=b"\x89PNG") == 0
    assert await asks("Paris", blob=stored) == served
    assert await asks("Paris", inline=bytes(2 << 20)) == served
    assert await asks("x" * (2 << 20), inline=b"\x89PNG") == served
    message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text="a square")])
    asked.clear()
    with suppress(CallFailed):
        await gateway.generate(gw.GenerateRequest(route="drawer", messages=[message], output_modalities=[ct.MODALITY_IMAGE]))
    assert len(asked) == served
    await gateway.close()


async def test_a_request_over_the_providers_size_is_too_long(stub: Any, gateway: Gateway) -> None:
    media = ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", inline=bytes(25 << 20))
    message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(media=media)])
    problem = await failure(gateway, gw.GenerateRequest(route="anthropic-messages", messages=[message]), 30)
    assert problem.reason == "CONTEXT_TOO_LONG"
    assert stub.requests == []


async def test_listing_shows_configured_routes_the_embedded_one_and_known_models(gateway: Gateway) -> None:
    models = (await gateway.list_models(gw.ListModelsRequest())).models
    shipped = [f"{provider}/{name}" for provider in providers_known() for name in known_models(provider)]
    assert [model.route for model in models] == [*ROUTES, "embedded/generalist", *shipped]
    with pytest.raises(CallFailed):
        await gateway.list_models(gw.ListModelsRequest(route="no/such"))


class FakeServer:
    """Stands in for the embedded model's process."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.model = "generalist"
        self.alive = True

    async def stop(self) -> None:
        self.alive = False


async def test_the_embedded_server_is_started_once_shared_and_stopped(stub: Any, make_gateway: Any, asking: Asking, tmp_path: Path) -> None:
    started: list[FakeServer] = []

    async def start(settings: Embedded, folder: Path) -> FakeServer:
        await asyncio.sleep(0.2)
        started.append(FakeServer(f"{stub.url}/v1"))
        return started[-1]

    gateway = make_gateway(Settings())
    gateway._embedded = EmbeddedModel(Embedded(), tmp_path, start)
    first = asyncio.create_task(gateway.generate(asking("embedded/generalist"), timeout_s=0.01))
    responses = await asyncio.gather(*(gateway.generate(asking("embedded/generalist"), timeout_s=60) for _ in range(8)))
    assert {response.provider for response in responses} == {"embedded"}
    assert min(response.upstream_s for response in responses) > 0.15, "who waits for its start waits for the model, not for the gateway"
    with pytest.raises(CallFailed):  # who could not wait left the start to the others
        await first
    assert len(started) == 1
    assert stub.requests[0][2]["model"] == "generalist"
    started[0].alive = False
    await gateway.generate(asking("embedded/generalist"), timeout_s=60)
    assert len(started) == 2
    await gateway.close()
    assert not started[1].alive


async def test_an_embedded_server_that_cannot_start_says_why_and_is_tried_again(make_gateway: Any, asking: Asking, tmp_path: Path) -> None:
    tries = 0

    async def start(settings: Embedded, folder: Path) -> FakeServer:
        nonlocal tries
        tries += 1
        raise ConfigurationError("the embedded model is not installed: run `genlevel install-embedded`")

    gateway = make_gateway(Settings())
    gateway._embedded = EmbeddedModel(Embedded(), tmp_path, start)
    for _ in range(2):
        problem = await failure(gateway, asking("embedded/generalist"))
        assert "install-embedded" in problem.message
        assert problem.reason == "MODEL_GONE"
    assert tries == 2
    await gateway.close()


async def test_the_metrics_say_what_happened(
    stub: Any, settings_at: Any, asking: Asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLEVEL_TEST_KEY", "k")
    registry = CollectorRegistry()
    prices = {"compatible/a-model": ModelPrice(input="1", output="2")}
    gateway = Gateway(settings_at(stub.url).model_copy(update={"prices": prices}), registry, tmp_path)
    await gateway.generate(asking("compatible-chat"))
    stub.replies({"error": {"code": "insufficient_quota"}}, 429)
    await failure(gateway, asking("compatible-chat"))
    await failure(gateway, asking("no/such"))
    stub.replies({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 1}})
    await failure(gateway, asking("compatible-chat"))
    stub.replies({"error": {"message": "failed"}}, 500)
    await failure(gateway, asking("compatible-chat"))

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    model = {"provider": "compatible", "model": "a-model"}
    assert value("genlevel_gateway_requests_total", **model, api="chat", outcome="answered") == 1
    assert value("genlevel_gateway_requests_total", **model, api="chat", outcome="failed") == 3
    assert value("genlevel_gateway_errors_total", provider="compatible", **{"class": "QUOTA"}) == 1
    assert value("genlevel_gateway_errors_total", provider="none", **{"class": "CALLER_FAULT"}) == 1
    assert value("genlevel_gateway_tokens_total", **model, bucket="cache_read") == 64
    assert value("genlevel_gateway_tokens_total", **model, bucket="reasoning") == 20
    assert value("genlevel_gateway_cost_usd_total", **model) == pytest.approx((105 * 1 + 31 * 2) / 1e6)
    assert value("genlevel_gateway_unknown_cost_calls_total", **model) == 1, "of the one that may be billed, nobody knows how much"
    assert value("genlevel_gateway_in_flight") == 0
    genai = {"gen_ai_provider_name": "compatible", "gen_ai_request_model": "a-model"}
    assert value("gen_ai_client_operation_duration_seconds_count", **genai, gen_ai_operation_name="chat") == 4
    assert value("gen_ai_client_operation_duration_seconds_bucket", **genai, gen_ai_operation_name="chat", le="900.0") == 4
    assert value("gen_ai_client_token_usage_sum", **genai, gen_ai_token_type="input") == 105
    assert value("genlevel_gateway_overhead_seconds_count", provider="compatible", api="chat") == 1
    await gateway.close()


def test_model_labels_are_bounded() -> None:
    registry = CollectorRegistry()
    telemetry = Telemetry(registry)
    for number in range(MAX_MODELS * 3):
        telemetry.model("openai", f"m{number}", "chat").failed(0.1, CallFailed(gw.ERROR_CLASS_TRANSIENT, "no"))
    models = {
        sample.labels["model"] for metric in registry.collect() if metric.name == "genlevel_gateway_requests" for sample in metric.samples
    }
    assert len(models) == MAX_MODELS + 1
    assert (
        registry.get_sample_value(
            "genlevel_gateway_requests_total", {"provider": "openai", "model": "other", "api": "chat", "outcome": "failed"}
        )
        == 2 * MAX_MODELS
    )
