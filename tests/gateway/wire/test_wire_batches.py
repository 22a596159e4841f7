"""Every recorded batch of a model's calls: handed over as it was, and read as the provider's own SDK reads it."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import anthropic.types
import openai.types.responses
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from gateway.service import Gateway
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.settings import Account, Api, Route, Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.gateway.wire.reading_gemini import parsed
from tests.gateway.wire.recordings import Recording, recordings

KEY = "GENLEVEL_WIRE_KEY"
APIS = {"anthropic": Api.MESSAGES, "openai": Api.RESPONSES, "gemini": Api.GENERATE}
BASES = {"anthropic": "", "openai": "/v1", "gemini": "/v1beta"}


class Conversation:
    """Answers requests by what was recorded of one batch, each exchange once, the last one of a place again and again."""

    def __init__(self, rows: list[Recording]) -> None:
        self.rows: dict[tuple[str, str], list[Recording]] = defaultdict(list)
        self.asked: dict[str, Any] = {}
        for row in rows:
            self.rows[row.method, row.url_path].append(row)

    async def handle(self, request: web.Request) -> web.Response:
        left = self.rows.get((request.method, request.path))
        raw = await request.read()
        if request.method == "POST" and request.content_type == "application/json" and raw:
            self.asked[request.path] = json.loads(raw)
        if not left:
            return web.json_response({"error": {"message": f"nothing was recorded of {request.path}"}}, status=404)
        row = left.pop(0) if len(left) > 1 else left[0]
        return web.Response(body=row.body, status=row.status, content_type=row.headers.get("content-type", "").partition(";")[0] or None)


def conversations(wire: Path) -> dict[str, list[Recording]]:
    """The exchanges of each batch of calls; those of embeddings are none."""
    found: dict[str, list[Recording]] = defaultdict(list)
    for row in recordings(wire):
        if row.endpoint in ("batch", "files"):
            found[row.name.partition(" #")[0]].append(row)
    return {
        name: rows for name, rows in found.items() if any(row.endpoint == "batch" for row in rows) and "embeddings" not in name.casefold()
    }


def asked_in(provider: str, rows: list[Recording]) -> dict[str, dict[str, Any]]:
    """The recorded items: id to body. What was in OpenAI's file was not recorded."""
    body = rows[0].request
    if provider == "anthropic":
        return {item["custom_id"]: item["params"] for item in body["requests"]}
    if provider == "gemini":
        return {item["metadata"]["custom_id"]: item["request"] for item in body["batch"]["inputConfig"]["requests"]["requests"]}
    return {str(number): {"model": "gpt-5-nano", "input": "2 + 2?"} for number in range(2)}


def request_of(provider: str, body: dict[str, Any]) -> gw.GenerateRequest:
    """The same in our terms: texts alone were recorded."""
    request = gw.GenerateRequest()
    for block in body.get("system") or ():
        request.messages.add(role=ct.ROLE_SYSTEM, parts=[ct.Part(text=block["text"])])
    if provider == "anthropic":
        request.parameters.max_output_tokens = body["max_tokens"]
        texts = [block["text"] for block in body["messages"][0]["content"]]
    else:
        texts = [part["text"] for part in body["contents"][0]["parts"]] if provider == "gemini" else [body["input"]]
    request.messages.add(role=ct.ROLE_USER, parts=[ct.Part(text=text) for text in texts])
    return request


def plain(body: Any) -> Any:
    """What a body says, however it is written: a text is as good as the one block with it, and nothing as good as a default."""
    if isinstance(body, dict):
        return {name: plain(value) for name, value in body.items() if name not in ("stream", "generationConfig") or value}
    if isinstance(body, list):
        return (
            plain(body[0]["text"])
            if len(body) == 1 and isinstance(body[0], dict) and body[0].keys() <= {"type", "text"}
            else list(map(plain, body))
        )
    return body


def sent(provider: str, asked: dict[str, Any]) -> dict[str, Any]:
    """The items as they arrived."""
    (body,) = [body for path, body in asked.items() if path.endswith(("batches", ":batchGenerateContent"))]
    if provider == "anthropic":
        return {item["custom_id"][17:]: item["params"] for item in body["requests"]}
    source = body["batch"]["inputConfig"]["requests"]["requests"]
    return {item["metadata"]["key"]: {**item["request"], "model": "models/gemini-2.5-flash"} for item in source}


def read_by_sdk(provider: str, rows: list[Recording]) -> dict[str, tuple[str, int, int]]:
    """Text, tokens in and tokens out of each item, as the provider's SDK reads them."""
    last = rows[-1]
    if provider == "gemini":
        entries = last.response["response"]["inlinedResponses"]["inlinedResponses"]
        answers = {one["metadata"]["custom_id"]: parsed(one["response"]) for one in entries}
        usage = {item: answer.usage_metadata for item, answer in answers.items()}
        return {
            item: (answer.text, usage[item].prompt_token_count, usage[item].candidates_token_count + usage[item].thoughts_token_count)
            for item, answer in answers.items()
        }
    lines = [json.loads(line) for line in last.body.splitlines()]
    if provider == "anthropic":
        read = [anthropic.types.messages.MessageBatchIndividualResponse.model_validate(line) for line in lines]
        messages = {one.custom_id: one.result.message for one in read if one.result.type == "succeeded"}
        return {
            item: ("".join(block.text for block in one.content if block.type == "text"), one.usage.input_tokens, one.usage.output_tokens)
            for item, one in messages.items()
        }
    responses = {line["custom_id"]: openai.types.responses.Response.model_validate(line["response"]["body"]) for line in lines}
    return {item: (one.output_text, one.usage.input_tokens, one.usage.output_tokens) for item, one in responses.items() if one.usage}


async def replayed(rows: list[Recording], gateway: Gateway, conversation: Conversation, provider: str) -> dict[str, tuple[str, int, int]]:
    """What the gateway reads of a batch that goes as the recorded one did; {} if that was cancelled."""
    items = asked_in(provider, rows)

    async def messages():
        yield gw.SubmitBatchRequest(
            route="r", key="k", items=[gw.BatchItem(id=item, request=request_of(provider, body)) for item, body in items.items()]
        )

    batch = (await gateway.submit_batch(messages())).batch
    assert batch.id in rows[-1].url_path or provider == "openai"
    if provider != "openai":
        assert plain(sent(provider, conversation.asked)) == plain(items)
    if rows[-1].url_path.endswith("/cancel"):
        cancelled = (await gateway.cancel_batch(gw.CancelBatchRequest(route="r", id=batch.id))).batch
        assert cancelled.state == gw.BATCH_STATE_CANCELLING
        return {}
    for _ in range(10):
        batch = (await gateway.get_batch(gw.GetBatchRequest(route="r", id=batch.id))).batch
        if batch.state == gw.BATCH_STATE_ENDED:
            break
    assert (batch.answered, batch.failed, batch.cut_short) == (len(items), 0, "")
    results = [
        result async for message in gateway.collect_batch(gw.CollectBatchRequest(route="r", id=batch.id)) for result in message.results
    ]
    return {
        result.id: (
            "".join(part.text for part in result.response.parts),
            result.response.usage.input_tokens,
            result.response.usage.output_tokens + result.response.usage.reasoning_tokens,
        )
        for result in results
    }


@pytest.mark.full
async def test_recorded_batches_are_handed_over_and_read_as_the_sdks_do(
    wire: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, "key-of-nobody-0123456789")
    recorded, wrong = conversations(wire), {}
    assert len(recorded) >= 5
    for name, rows in recorded.items():
        provider, conversation = rows[0].provider, Conversation(rows)
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", conversation.handle)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}{BASES[provider]}"
        model = {"anthropic": "claude-haiku-4-5", "gemini": "gemini-2.5-flash", "openai": "gpt-5-nano"}[provider]
        settings = Settings(
            accounts={"a": Account(provider=provider, base_url=url, api_key_env=KEY)},
            routes={"r": Route(account="a", model=model, api=APIS[provider])},
        )
        gateway = Gateway(settings, CollectorRegistry(), tmp_path)
        try:
            found = await replayed(rows, gateway, conversation, provider)
            expected = {} if rows[-1].url_path.endswith("/cancel") else read_by_sdk(provider, rows)
            if found != expected:
                wrong[name] = f"wanted {expected}, read {found}"
        except (CallFailed, AssertionError) as problem:
            wrong[name] = f"{type(problem).__name__}: {problem}"
        finally:
            await gateway.close()
            await runner.cleanup()
    print(f"{len(recorded)} batches, {len(wrong)} of them wrong")
    assert not wrong, "\n".join(f"{name}\n    {why}" for name, why in wrong.items())
