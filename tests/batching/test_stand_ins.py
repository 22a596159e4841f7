"""The stand-ins of batch APIs, asked by the providers' own clients: a stand-in is only worth as much as it is like the real thing."""

from __future__ import annotations

import json

import anthropic
import openai
import pytest

from tests.batching.desk import letter, tokens
from tests.batching.serving import Process, providers

TEXTS = {f"item-{number}": f"Question {number}?" for number in range(6)}


@pytest.fixture
async def served():
    async with providers() as served:
        yield served


@pytest.fixture
async def openai_client(served):
    async with openai.AsyncOpenAI(api_key="k", base_url=served.base_url("openai"), max_retries=0) as client:
        yield client


@pytest.fixture
async def anthropic_client(served):
    async with anthropic.AsyncAnthropic(api_key="k", base_url=served.base_url("anthropic"), max_retries=0) as client:
        yield client


def lines(texts=TEXTS, model="m"):
    return b"".join(
        json.dumps({"custom_id": name, "method": "POST", "url": "/v1/chat/completions",
                    "body": {"model": model, "messages": [{"role": "user", "content": text}]}}).encode() + b"\n"
        for name, text in texts.items()
    )  # fmt: skip


async def submitted(client, content, key="k1"):
    file = await client.files.create(file=("batch.jsonl", content), purpose="batch")
    return await client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={"genlevel": key}
    )


async def test_openais_client_submits_waits_and_collects(served, openai_client):
    batch = await submitted(openai_client, lines())
    assert (batch.status, batch.metadata) == ("validating", {"genlevel": "k1"})
    assert (await openai_client.batches.retrieve(batch.id)).status == "in_progress"
    ended = await openai_client.batches.retrieve(batch.id)
    assert (ended.status, ended.request_counts.completed, ended.error_file_id) == ("completed", 6, None)
    found = [json.loads(line) for line in (await openai_client.files.content(ended.output_file_id)).text.splitlines()]
    assert [one["custom_id"] for one in found] == list(reversed(TEXTS))
    said = {one["custom_id"]: one["response"]["body"]["choices"][0]["message"]["content"] for one in found}
    assert said == {name: letter(text) for name, text in TEXTS.items()}
    ledger = served.desk("openai").ledger
    assert (ledger.submitted, len(ledger.billed), ledger.more_than_once()) == ([batch.id], 6, [])
    assert ledger.nano_usd(400, 1600) == sum((tokens(text) * 400 + 2 * 1600) // 2 for text in TEXTS.values())


async def test_openais_batch_of_a_wrong_file_fails_after_it_was_taken(served, openai_client):
    twice = await submitted(openai_client, lines() + lines())
    failed = await openai_client.batches.retrieve(twice.id)
    assert (failed.status, failed.errors.data[0].code) == ("failed", "duplicate_custom_id")
    served.desk("openai").faults.queued_items = 7
    first, second = await submitted(openai_client, lines()), await submitted(openai_client, lines())
    assert (await openai_client.batches.retrieve(second.id)).errors.data[0].code == "token_limit_exceeded"
    assert (await openai_client.batches.retrieve(first.id)).status == "in_progress"
    assert all(row.batch == first.id for row in served.desk("openai").ledger.billed)


async def test_openais_batch_ends_in_parts(served, openai_client):
    faults = served.desk("openai").faults
    faults.answered_at_most, faults.fail_every = 4, 2
    batch = await submitted(openai_client, lines())
    for _ in range(2):
        batch = await openai_client.batches.retrieve(batch.id)
    assert (batch.status, batch.request_counts.completed, batch.request_counts.failed) == ("expired", 2, 4)
    bad = [json.loads(line) for line in (await openai_client.files.content(batch.error_file_id)).text.splitlines()]
    assert (
        sorted((one["response"] or {}).get("status_code", one["error"] and one["error"]["code"]) or 0 for one in bad[:2])
        == ["batch_expired"] * 2
    )
    assert [one["response"]["status_code"] for one in bad[2:]] == [500, 500]


async def test_openais_lists_have_pages_and_a_cancelled_batch_keeps_what_it_has(served, openai_client):
    for number in range(5):
        last = await submitted(openai_client, lines(), key=f"k{number}")
    keys = [batch.metadata["genlevel"] async for batch in openai_client.batches.list(limit=2)]
    assert keys == ["k4", "k3", "k2", "k1", "k0"]
    await openai_client.batches.retrieve(last.id)
    assert (await openai_client.batches.cancel(last.id)).status == "cancelling"
    cancelled = await openai_client.batches.retrieve(last.id)
    assert (cancelled.status, cancelled.request_counts.completed) == ("cancelled", 3)
    assert len([row for row in served.desk("openai").ledger.billed if row.batch == last.id]) == 3
    with pytest.raises(openai.ConflictError):
        await openai_client.batches.cancel(last.id)


async def test_a_connection_may_break_before_or_after_a_batch_is_there(served, openai_client):
    desk = served.desk("openai")
    desk.faults.cut_unread = desk.faults.cut_accepted = 1
    with pytest.raises(openai.APIConnectionError):
        await submitted(openai_client, lines(), key="never")
    with pytest.raises(openai.APIConnectionError):
        await submitted(openai_client, lines(), key="lost")
    assert [batch.metadata["genlevel"] async for batch in openai_client.batches.list()] == ["lost"]


async def test_anthropics_client_submits_waits_and_collects(served, anthropic_client):
    def requests(texts=TEXTS):
        return [{"custom_id": name, "params": {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": text}]}}
                for name, text in texts.items()]  # fmt: skip

    batches = anthropic_client.messages.batches
    batch = await batches.create(requests=requests())
    assert (batch.processing_status, batch.request_counts.processing) == ("in_progress", 6)
    served.desk("anthropic").faults.fail_every = 6
    for _ in range(2):
        batch = await batches.retrieve(batch.id)
    assert (batch.processing_status, batch.request_counts.succeeded, batch.request_counts.errored) == ("ended", 5, 1)
    raw = await anthropic_client.get(f"/v1/messages/batches/{batch.id}/results", cast_to=anthropic._response.AsyncBinaryAPIResponse)
    found = {line["custom_id"]: line["result"] for line in map(json.loads, (await raw.read()).splitlines())}
    assert found["item-0"]["message"]["content"][0]["text"] == letter(TEXTS["item-0"])
    assert found["item-5"]["type"] == "errored"
    with pytest.raises(anthropic.BadRequestError, match="Duplicate custom_id"):
        await batches.create(requests=requests() + requests())
    with pytest.raises(anthropic.BadRequestError, match="custom_id"):
        await batches.create(requests=requests({"a:b": "?"}))
    served.desk("anthropic").faults.items = 5
    with pytest.raises(anthropic.RequestTooLargeError):
        await batches.create(requests=requests())
    assert [one.id async for one in batches.list(limit=1)] == [batch.id]


def test_the_process_is_told_what_goes_wrong_and_tells_what_it_was_asked(tmp_path):
    with Process(tmp_path) as served, openai.OpenAI(api_key="k", base_url=served.base_url("openai"), max_retries=0) as client:
        served.control("openai", single_errors=[[429, {"error": {"message": "slow down", "type": "requests"}}]])
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Where?"}])
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Where?"}])
        ledger = served.ledger("openai")
    assert (ledger.calls["call"], [row.batch for row in ledger.billed]) == (2, [""])


@pytest.mark.full
async def test_mistrals_client_submits_waits_and_collects(served):
    from mistralai.client import Mistral

    url = served.base_url("mistral").removesuffix("/v1")
    async with Mistral(api_key="k", server_url=url) as client:
        file = await client.files.upload_async(file={"file_name": "b.jsonl", "content": lines()}, purpose="batch")
        jobs = client.batch.jobs
        job = await jobs.create_async(input_files=[file.id], endpoint="/v1/chat/completions", model="m", metadata={"genlevel": "k1"})
        assert (job.status, job.metadata) == ("QUEUED", {"genlevel": "k1"})
        served.desk("mistral").faults.fail_every = 6
        for _ in range(2):
            job = await jobs.get_async(job_id=job.id)
        assert (job.status, job.succeeded_requests, job.failed_requests) == ("SUCCESS", 5, 1)
        content = await (await client.files.download_async(file_id=job.output_file)).aread()
        found = {
            line["custom_id"]: line["response"]["body"]["choices"][0]["message"]["content"]
            for line in map(json.loads, content.splitlines())
        }
        assert found == {name: letter(text) for name, text in list(TEXTS.items())[:5]}
        listed = await jobs.list_async(page=0, page_size=100)
        assert [(one.id, one.metadata) for one in listed.data] == [(job.id, {"genlevel": "k1"})]
        assert (
            await jobs.cancel_async(job_id=(await jobs.create_async(input_files=[file.id], endpoint="/v1/chat/completions", model="m")).id)
        ).status == ("CANCELLATION_REQUESTED")


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_googles_client_submits_waits_and_collects(served):
    from google import genai
    from google.genai import types

    url = served.base_url("gemini").removesuffix("/v1beta")
    client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=url, api_version="v1beta"))
    inlined = [
        types.InlinedRequest(contents=[types.Content(role="user", parts=[types.Part(text=text)])], metadata={"key": name})
        for name, text in TEXTS.items()
    ]
    job = await client.aio.batches.create(model="models/m", src=inlined, config={"display_name": "k1"})
    assert (job.state, job.display_name) == (types.JobState.JOB_STATE_PENDING, "k1")
    for _ in range(2):
        job = await client.aio.batches.get(name=job.name)
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED
    found = {one.metadata["key"]: one.response.text for one in job.dest.inlined_responses}
    assert found == {name: letter(text) for name, text in TEXTS.items()}
    assert [one.display_name async for one in await client.aio.batches.list()] == ["k1"]
    await client.aio.aclose()


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_googles_client_uploads_a_file_and_downloads_another(served, tmp_path):
    from google import genai
    from google.genai import types

    url = served.base_url("gemini").removesuffix("/v1beta")
    client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=url, api_version="v1beta"))
    content = [{"key": name, "request": {"contents": [{"role": "user", "parts": [{"text": text}]}]}} for name, text in TEXTS.items()]
    (tmp_path / "b.jsonl").write_text("".join(json.dumps(line) + "\n" for line in content))
    file = await client.aio.files.upload(file=tmp_path / "b.jsonl", config={"mime_type": "application/jsonl"})
    job = await client.aio.batches.create(model="models/m", src=file.name, config={"display_name": "k1"})
    for _ in range(2):
        job = await client.aio.batches.get(name=job.name)
    results = (await client.aio.files.download(file=job.dest.file_name)).decode().splitlines()
    assert {line["key"] for line in map(json.loads, results)} == set(TEXTS)
    await client.aio.aclose()
