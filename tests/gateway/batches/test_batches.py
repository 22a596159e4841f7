"""Batches through the gateway, against stand-ins that behave like each provider: handed over, looked at, found, cancelled, collected."""

from __future__ import annotations

import asyncio
import io
import time
import tracemalloc
from contextlib import nullcontext
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from gateway.batches import APIS
from gateway.batches.base import Request, Results
from gateway.batches.results import Reader, on_disk
from gateway.batches.service import joined
from gateway.batches.transfers import exchange
from gateway.providers import PROVIDERS
from gateway.service import Gateway
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.failures import call_failed
from genlevel.runtime.settings import Account, Route, Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.batching.desk import OUTPUT_TOKENS, letter, tokens
from tests.batching.serving import INPUT_NANO_USD, KEY, MODELS, OUTPUT_NANO_USD, Process, providers
from tests.waiting import until

NAMES = [name for name in MODELS if name in PROVIDERS]
TEXTS = {f"item-{number}": f"Question {number}?" for number in range(6)}


@pytest.fixture
async def served():
    async with providers() as served:
        yield served


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def route(name):
    return f"{name}/{MODELS[name]}"


@pytest.fixture
def desk(served, name):
    return served.desk(name)


@pytest.fixture
async def gateway(served, make_gateway, monkeypatch):
    monkeypatch.setenv(KEY, "sk-test-key-that-is-hidden")
    gateway = make_gateway(served.settings())
    yield gateway
    await gateway.close()


def asking(text, **parameters):
    parameters = {"temperature": 0.0, "max_output_tokens": 16, **parameters}
    message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text=text)])
    return gw.GenerateRequest(messages=[message], parameters=gw.GenerationParameters(**parameters))


async def messages(route, key="run-1", texts=TEXTS, size=4):
    items = [gw.BatchItem(id=name, request=text if isinstance(text, gw.GenerateRequest) else asking(text)) for name, text in texts.items()]
    yield gw.SubmitBatchRequest(route=route, key=key, items=items[:size])
    for start in range(size, len(items), size):
        yield gw.SubmitBatchRequest(items=items[start : start + size])


async def submitted(gateway, route, **kwargs):
    return (await gateway.submit_batch(messages(route, **kwargs))).batch


async def ended(gateway, route, batch):
    for _ in range(5):
        found = (await gateway.get_batch(gw.GetBatchRequest(route=route, id=batch.id))).batch
        if found.state in (gw.BATCH_STATE_ENDED, gw.BATCH_STATE_FAILED):
            return found
    raise AssertionError("it does not end")


async def collected(gateway, route, batch, *, whole=True, **kwargs):
    """The results by their ids. whole: not an answer is missing that the provider has counted."""
    request, results = gw.CollectBatchRequest(route=route, id=batch.id, **kwargs), []
    with nullcontext() if whole else pytest.raises(CallFailed, match="answers of the batch came; collect them again"):
        async for message in gateway.collect_batch(request):
            results += message.results
    found = {result.id: result for result in results}
    assert len(found) == len(results)
    return found


def said(result):
    return "".join(part.text for part in result.response.parts)


async def test_a_batch_is_handed_over_looked_at_and_collected(gateway, desk, route, name):
    before = time.time()
    batch = await submitted(gateway, route)
    assert (batch.key, batch.state in (gw.BATCH_STATE_WAITING, gw.BATCH_STATE_RUNNING)) == ("run-1", True)
    assert before - 1 <= batch.created_s <= time.time()
    assert batch.expires_s >= batch.created_s + 86_000
    with pytest.raises(CallFailed, match="has not ended"):
        await collected(gateway, route, batch)
    whole = await ended(gateway, route, batch)
    assert (whole.state, whole.cut_short, whole.total, whole.answered, whole.failed) == (gw.BATCH_STATE_ENDED, "", 6, 6, 0)
    parameters = gw.GenerationParameters(temperature=0.0, max_output_tokens=16)
    asked = [gw.AskedParameters(ids=list(TEXTS), parameters=parameters)]
    results = await collected(gateway, route, batch, asked=asked)
    assert {item: said(result) for item, result in results.items()} == {item: letter(text) for item, text in TEXTS.items()}
    answer = results["item-0"].response
    assert (answer.provider, answer.finish_reason, answer.applied_parameters) == (name, gw.FINISH_REASON_STOP, parameters)
    assert answer.usage == gw.Usage(input_tokens=tokens(TEXTS["item-0"]), output_tokens=2)
    assert sum(result.response.cost_nano_usd for result in results.values()) == desk.ledger.nano_usd(INPUT_NANO_USD, OUTPUT_NANO_USD)
    assert (desk.ledger.submitted, desk.ledger.more_than_once()) == ([batch.id], [])


async def test_items_are_asked_as_they_would_be_alone(gateway, served, desk, route):
    request = asking("Alone or not?")
    request.route = route
    await gateway.generate(request)
    await submitted(gateway, route, texts={"a": "Alone or not?"})
    alone, together = desk.ledger.billed, desk.ledger.seen
    await ended(gateway, route, await submitted(gateway, route, texts={"a": "Alone or not?"}, key="again"))
    assert len({row.asked for row in alone}) == 1
    assert together[0] == together[1]


async def test_what_is_not_known_of_an_item_is_not_told(gateway, route):
    batch = await submitted(gateway, route)
    await ended(gateway, route, batch)
    answers = await collected(gateway, route, batch)
    assert not any(result.response.HasField("applied_parameters") for result in answers.values())


async def test_an_item_that_cannot_be_asked_is_told_and_the_others_are_asked(gateway, desk, route):
    clip = ct.Media(modality=ct.MODALITY_THREE_D, mime_type="model/gltf-binary", inline=b"x")
    bad = gw.GenerateRequest(messages=[ct.Message(role=ct.ROLE_USER, parts=[ct.Part(media=clip)])])
    elsewhere = asking("?")
    elsewhere.route = "openai/another"
    response = await gateway.submit_batch(messages(route, texts={"bad": bad, "good": "Really?", "elsewhere": elsewhere}))
    rejected = {one.id: call_failed(one.error) for one in response.rejected}
    assert (rejected["bad"].error_class, rejected["bad"].part) == (ErrorClass.UNSUPPORTED, "messages[0].parts[0]")
    assert (rejected["elsewhere"].error_class, rejected["elsewhere"].part) == (ErrorClass.CALLER_FAULT, "request.route")
    assert len(desk.ledger.seen) == 1
    none_left = await gateway.submit_batch(messages(route, texts={"bad": bad}, key="none"))
    assert (none_left.HasField("batch"), len(none_left.rejected), len(desk.ledger.submitted)) == (False, 1, 1)


async def test_items_that_fail_are_errors_of_their_own_and_not_charged(gateway, desk, route, name):
    desk.faults.fail_every, desk.faults.refuse_every, desk.faults.lose_every = 2, 3, 5
    batch = await submitted(gateway, route)
    await ended(gateway, route, batch)
    results = await collected(gateway, route, batch, whole=name not in ("anthropic", "mistral", "gemini"))
    assert sorted(results) == ["item-0", "item-1", "item-2", "item-3", "item-5"]
    failed, refused = call_failed(results["item-1"].error), call_failed(results["item-2"].error)
    assert (failed.error_class, failed.may_be_charged) == (ErrorClass.TRANSIENT, False)
    assert (refused.error_class, refused.may_be_charged) == (ErrorClass.CONTENT_REFUSED, True)
    row = next(row for row in desk.ledger.billed if row.item.endswith("item-2"))
    assert refused.cost_nano_usd == (row.input_tokens * INPUT_NANO_USD + row.output_tokens * OUTPUT_NANO_USD) // 2


async def test_a_batch_that_expires_or_is_cancelled_has_what_was_answered(gateway, desk, route, name):
    desk.faults.answered_at_most = 4
    batch = await submitted(gateway, route)
    cut = await ended(gateway, route, batch)
    assert (cut.state, cut.cut_short) == (gw.BATCH_STATE_ENDED, "expired")
    results = await collected(gateway, route, batch)
    unasked = [call_failed(result.error) for result in results.values() if result.WhichOneof("result") == "error"]
    assert {(one.error_class, one.provider_code, one.may_be_charged) for one in unasked} <= {(ErrorClass.NOT_SENT, "batch_expired", False)}
    assert len(results) - len(unasked) == (0 if name == "gemini" else 4)  # Gemini gives nothing of what has expired
    desk.faults.answered_at_most, desk.faults.held = None, True
    batch = await submitted(gateway, route, key="run-2")
    await gateway.get_batch(gw.GetBatchRequest(route=route, id=batch.id))
    cancelling = (await gateway.cancel_batch(gw.CancelBatchRequest(route=route, id=batch.id))).batch
    assert cancelling.state in (gw.BATCH_STATE_CANCELLING, gw.BATCH_STATE_ENDED)
    cancelled = await ended(gateway, route, batch)
    assert cancelled.cut_short == "cancelled"
    again = (await gateway.cancel_batch(gw.CancelBatchRequest(route=route, id=batch.id))).batch
    assert (again.state, desk.ledger.cancelled) == (gw.BATCH_STATE_ENDED, [batch.id.removeprefix("batches/")])


async def test_a_batch_whose_answer_was_lost_is_found_by_its_key(gateway, desk, route, name):
    desk.faults.cut_accepted = 1
    with pytest.raises(CallFailed) as lost:
        await submitted(gateway, route, key="lost")
    assert (lost.value.error_class, lost.value.may_be_charged) == (ErrorClass.TRANSIENT, True)
    other = await submitted(gateway, route, key="other", texts={"a": "b?"})
    since = time.time() - 60

    async def found(key):
        request = gw.FindBatchesRequest(route=route, key=key, since_s=since)
        return {batch.id: batch.key for batch in (await gateway.find_batches(request)).batches}

    first = await found("lost")
    assert first if name == "anthropic" else list(first.values()) == ["lost"]
    if name == "anthropic":  # which keeps no key: any that has not ended may be it
        assert set(first.values()) == {""}
        for batch in first:
            await ended(gateway, route, gw.Batch(id=batch))
    assert list((await found("lost")).values()) == ["lost"]
    assert await found("other") == {other.id: "other"}
    assert await found("never") == {}
    assert len(desk.ledger.submitted) == 2


async def test_what_breaks_before_a_batch_is_there_is_surely_not_charged(gateway, desk, route, name):
    if name in ("openai", "mistral"):
        desk.faults.cut_uploads = 1
        with pytest.raises(CallFailed) as broken:
            await submitted(gateway, route)
        assert (broken.value.error_class, broken.value.may_be_charged) == (ErrorClass.TRANSIENT, False)
    desk.faults.submit_errors = [[429, {"error": {"message": "Slow down", "type": "rate_limit_error", "code": None}}]]
    with pytest.raises(CallFailed) as full:
        await submitted(gateway, route)
    assert (full.value.error_class, full.value.may_be_charged) == (ErrorClass.RATE_LIMIT, False)
    assert desk.ledger.submitted == []


async def test_a_full_queue_is_a_rate_limit(gateway, desk, route, name):
    desk.faults.queued_items, desk.faults.held = 7, True
    await submitted(gateway, route)
    if name != "openai":
        with pytest.raises(CallFailed) as full:
            await submitted(gateway, route, key="run-2")
        assert (full.value.error_class, full.value.may_be_charged) == (ErrorClass.RATE_LIMIT, False)
        return
    batch = await submitted(gateway, route, key="run-2")  # OpenAI says so later
    failed = await ended(gateway, route, batch)
    assert (failed.state, failed.problem_class) == (gw.BATCH_STATE_FAILED, gw.ERROR_CLASS_RATE_LIMIT)
    assert "Enqueued token limit reached" in failed.problem
    assert await collected(gateway, route, batch) == {}


@pytest.mark.parametrize("name", ["openai", "gemini", "mistral"])  # Anthropic checks a batch as it takes it
async def test_a_batch_that_is_not_valid_says_why(gateway, desk, route, name):
    desk.faults.invalid = {"code": "model_not_found", "message": "The model gpt-nothing does not exist", "line": 1}
    failed = await ended(gateway, route, await submitted(gateway, route))
    assert failed.state == gw.BATCH_STATE_FAILED
    assert "does not exist" in failed.problem
    if name == "openai":
        assert failed.problem_class == gw.ERROR_CLASS_MODEL_GONE
        assert failed.problem.endswith("(line 1)")


@pytest.mark.parametrize("fault", ["twice", "unknown", "broken_line"])
async def test_results_that_are_not_as_they_should_be(gateway, desk, route, fault):
    setattr(desk.faults, fault, True)
    batch = await submitted(gateway, route)
    await ended(gateway, route, batch)
    results = await collected(gateway, route, batch)
    missing = {"item-2"} if fault == "broken_line" and set(TEXTS) - set(results) else set()
    assert {item: said(results[item]) for item in TEXTS if item in results} == {
        item: letter(text) for item, text in TEXTS.items() if item not in missing
    }
    assert set(results) - set(TEXTS) <= ({"nobody-asked-this"} if fault == "unknown" else set())


async def test_more_results_than_a_batch_has_items_end_it(gateway, desk, route, name, monkeypatch):
    batch = await submitted(gateway, route)
    await ended(gateway, route, batch)
    api = APIS[name, gateway._routes.resolve(route).api]
    monkeypatch.setattr(type(api), "limits", replace(api.limits, items=5))
    with pytest.raises(CallFailed, match="more results than a batch has items"):
        await collected(gateway, route, batch)


@pytest.mark.parametrize("fault", ["cut_results", "short_results"])
@pytest.mark.parametrize("name", ["openai", "anthropic", "mistral"])  # small results of Gemini come with the batch itself
async def test_results_that_break_off_are_to_be_collected_again(gateway, desk, route, fault):
    setattr(desk.faults, fault, 1)
    batch = await submitted(gateway, route)
    await ended(gateway, route, batch)
    with pytest.raises(CallFailed) as broken:
        await collected(gateway, route, batch)
    assert broken.value.error_class == ErrorClass.TRANSIENT
    assert len(await collected(gateway, route, batch)) == 6


async def test_results_that_are_gone_and_batches_that_nobody_knows(gateway, desk, route, name):
    batch = await submitted(gateway, route)
    await ended(gateway, route, batch)
    if name != "gemini":
        desk.faults.gone_results = 1
        with pytest.raises(CallFailed, match="does not know its results") as gone:
            await collected(gateway, route, batch)
        assert (gone.value.error_class, gone.value.may_be_charged) == (ErrorClass.DENIED, True)
    with pytest.raises(CallFailed, match="does not know the batch") as unknown:
        await gateway.get_batch(gw.GetBatchRequest(route=route, id="batch_nothing"))
    assert (unknown.value.error_class, unknown.value.provider_code) == (ErrorClass.DENIED, "batch_not_found")


@pytest.mark.parametrize("wrong", ["", "../files", "a/b", "x?y", "a" * 201])
async def test_an_id_that_is_none_asks_nobody(gateway, desk, route, wrong):
    for ask in (
        gateway.get_batch(gw.GetBatchRequest(route=route, id=wrong)),
        gateway.cancel_batch(gw.CancelBatchRequest(route=route, id=wrong)),
    ):
        with pytest.raises(CallFailed, match="not the id of a batch"):
            await ask
    with pytest.raises(CallFailed, match="not the id of a batch"):
        await collected(gateway, route, gw.Batch(id=wrong))
    assert not desk.ledger.calls


@pytest.mark.parametrize(
    ("said", "kwargs"),
    [
        ("key: give each batch", {"key": "a b"}),
        ("key: give each batch", {"key": ""}),
        ("has 1 to 40 letters", {"texts": {"a/b": "?"}}),
        ("has 1 to 40 letters", {"texts": {"x" * 41: "?"}}),
        ("a batch has at least one", {"texts": {}}),
    ],
)
async def test_what_is_wrong_with_a_batch_is_said_before_anything_is_sent(gateway, desk, route, said, kwargs):
    with pytest.raises(CallFailed, match=said) as wrong:
        await submitted(gateway, route, **kwargs)
    assert (wrong.value.error_class, wrong.value.may_be_charged) == (ErrorClass.CALLER_FAULT, False)
    assert not desk.ledger.calls


async def test_an_id_that_is_there_twice_is_refused(gateway, desk, route):
    async def twice():
        yield gw.SubmitBatchRequest(route=route, key="k", items=[gw.BatchItem(id="a", request=asking("1?"))])
        yield gw.SubmitBatchRequest(items=[gw.BatchItem(id="a", request=asking("2?"))])

    with pytest.raises(CallFailed, match="the id a is there twice"):
        await gateway.submit_batch(twice())
    assert not desk.ledger.calls


async def test_a_bad_key_is_the_keys_fault(gateway, desk, route):
    desk.faults.submit_errors = [[401, {"error": {"message": "Incorrect API key", "type": "authentication_error"}}]]
    with pytest.raises(CallFailed) as refused:
        await submitted(gateway, route)
    assert (refused.value.error_class, refused.value.may_be_charged) == (ErrorClass.CREDENTIAL, False)


async def test_a_model_that_is_not_known_when_a_batch_is_made_is_the_models_fault(gateway, desk, route):
    desk.faults.submit_errors = [[404, {"error": {"message": "models/x is not found", "type": "not_found_error", "status": "NOT_FOUND"}}]]
    with pytest.raises(CallFailed) as unknown:
        await submitted(gateway, route)
    assert (unknown.value.error_class, unknown.value.may_be_charged) == (ErrorClass.MODEL_GONE, False)


async def test_a_batch_over_the_limits_is_not_sent(gateway, desk, route, name, monkeypatch):
    api = APIS[name, gateway._routes.resolve(route).api]
    monkeypatch.setattr(type(api), "limits", replace(api.limits, items=5))
    with pytest.raises(CallFailed, match="at most 5 items") as over:
        await submitted(gateway, route)
    assert (over.value.error_class, over.value.may_be_charged) == (ErrorClass.TOO_LARGE, False)
    monkeypatch.setattr(type(api), "limits", replace(api.limits, items=100, bytes=300))
    with pytest.raises(CallFailed, match="at most 300 bytes"):
        await submitted(gateway, route)
    assert not desk.ledger.calls


async def test_the_responses_api_has_batches_too(served, make_gateway, monkeypatch):
    monkeypatch.setenv(KEY, "sk-test-key-that-is-hidden")
    settings = served.settings("openai").model_copy(
        update={"routes": {"r": Route(account="openai", model="gpt-stand-in", api="responses")}}
    )
    gateway = make_gateway(settings)
    served.desk("openai").faults.refuse_every = 6
    batch = await submitted(gateway, "r")
    assert (await ended(gateway, "r", batch)).answered == 6
    results = await collected(gateway, "r", batch)
    assert said(results["item-0"]) == letter(TEXTS["item-0"])
    assert call_failed(results["item-5"].error).error_class == ErrorClass.CONTENT_REFUSED
    await gateway.close()


async def test_a_provider_without_batches_says_so(served, make_gateway):
    gateway = make_gateway(served.settings().model_copy(update={"accounts": {"local": Account(provider="ollama", base_url=served.url)},
                                                               "routes": {"r": Route(account="local", model="m")}}))  # fmt: skip
    with pytest.raises(CallFailed, match="ollama has no batches") as none:
        await submitted(gateway, "r")
    assert (none.value.error_class, none.value.part) == (ErrorClass.UNSUPPORTED, "route")
    models = await gateway.list_models(gw.ListModelsRequest(route="r"))
    assert not models.models[0].HasField("batch")
    await gateway.close()


async def test_models_tell_what_their_batches_take(gateway, route, name):
    (model,) = (await gateway.list_models(gw.ListModelsRequest(route=route))).models
    assert model.batch.price_factor == "0.5"
    assert (model.batch.items, model.batch.bytes // 1_000_000) == {
        "openai": (50_000, 200), "anthropic": (100_000, 256), "mistral": (100_000, 512), "gemini": (100_000, 2000),
    }[name]  # fmt: skip


async def test_a_gateway_that_stops_hands_nothing_over(gateway, desk, route):
    gateway.begin_nothing()
    with pytest.raises(CallFailed) as stopped:
        await submitted(gateway, route)
    assert (stopped.value.error_class, desk.ledger.submitted) == (ErrorClass.NOT_SENT, [])


@pytest.mark.parametrize(("most", "value"), [("INLINE_BYTES", 100), ("INLINE_ITEMS", 5)])
async def test_a_large_batch_of_gemini_goes_as_a_file_and_comes_back_as_one(gateway, served, monkeypatch, most, value):
    monkeypatch.setattr(f"gateway.batches.gemini.{most}", value)
    desk, route = served.desk("gemini"), "gemini/gemini-stand-in"
    desk.faults.fail_every, desk.faults.cut_uploads = 6, 1
    with pytest.raises(CallFailed) as broken:
        await submitted(gateway, route)
    assert (broken.value.error_class, broken.value.may_be_charged) == (ErrorClass.TRANSIENT, False)
    batch = await submitted(gateway, route)
    assert desk.ledger.calls["upload"] == 4
    whole = await ended(gateway, route, batch)
    assert (whole.answered, whole.failed) == (5, 1)
    desk.faults.cut_results = desk.faults.short_results = 1
    for _ in range(2):
        with pytest.raises(CallFailed) as broken:
            await collected(gateway, route, batch)
        assert broken.value.error_class == ErrorClass.TRANSIENT
    results = await collected(gateway, route, batch)
    assert {item: said(result) for item, result in results.items() if result.WhichOneof("result") == "response"} == {
        item: letter(text) for item, text in list(TEXTS.items())[:5]
    }
    assert call_failed(results["item-5"].error).error_class == ErrorClass.TRANSIENT


async def test_a_batch_that_is_being_handed_over_when_the_gateway_is_cut_may_be_there(gateway, desk, route):
    desk.faults.hang = 1
    handing = asyncio.create_task(gateway.submit_batch(messages(route)))
    await until(lambda: desk.ledger.submitted)
    gateway.begin_nothing()
    await asyncio.sleep(0.05)
    assert not handing.done()
    gateway.cut()
    with pytest.raises(CallFailed) as cut:
        await handing
    assert (cut.value.error_class, cut.value.provider_code, cut.value.may_be_charged) == (ErrorClass.TRANSIENT, "stopped", True)


async def test_a_caller_that_goes_away_while_it_says_what_to_ask_has_asked_nothing(gateway, desk, route):
    async def endless():
        yield gw.SubmitBatchRequest(route=route, key="k", items=[gw.BatchItem(id="a", request=asking("?"))])
        await asyncio.sleep(3600)

    handing = asyncio.create_task(gateway.submit_batch(endless()))
    await asyncio.sleep(0.05)
    handing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await handing
    assert not desk.ledger.calls


async def test_answers_of_batches_are_counted_once(served, monkeypatch, tmp_path):
    monkeypatch.setenv(KEY, "sk-test-key-that-is-hidden")
    registry, route, desk = CollectorRegistry(), "openai/gpt-stand-in", served.desk("openai")
    desk.faults.fail_every, desk.faults.answered_at_most = 2, 5
    gateway = Gateway(served.settings("openai"), registry, tmp_path)
    batch = await submitted(gateway, route)
    await ended(gateway, route, batch)
    for _ in range(2):
        await collected(gateway, route, batch)
    names = {"provider": "openai", "model": "gpt-stand-in"}
    assert (
        registry.get_sample_value("genlevel_gateway_cost_usd_total", names) == desk.ledger.nano_usd(INPUT_NANO_USD, OUTPUT_NANO_USD) / 1e9
    )
    outcomes = [
        registry.get_sample_value("genlevel_gateway_requests_total", {**names, "api": "chat", "outcome": outcome})
        for outcome in ("answered", "failed")
    ]
    assert outcomes == [3, 2]
    assert registry.get_sample_value("genlevel_gateway_tokens_total", {**names, "bucket": "output"}) == 3 * OUTPUT_TOKENS
    await gateway.close()


async def test_a_batch_of_pictures_is_on_disk_and_not_in_memory(make_gateway, monkeypatch, tmp_path):
    monkeypatch.setenv(KEY, "sk-test-key-that-is-hidden")
    size, count = 1 << 20, 16

    async def pictures():
        for number in range(count):
            picture = ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", inline=b"\x89PNG" + bytes([number]) * size)
            message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text="What is it?"), ct.Part(media=picture)])
            items = [gw.BatchItem(id=f"i{number}", request=gw.GenerateRequest(messages=[message]))]
            yield gw.SubmitBatchRequest(route="openai/gpt-stand-in", key="k", items=items)

    with Process(tmp_path) as served:
        account = Account(provider="openai", base_url=served.base_url("openai"), api_key_env=KEY)
        gateway = make_gateway(Settings(accounts={"openai": account}))
        await gateway.submit_batch(pictures())  # what is made once
        tracemalloc.start()
        try:
            await gateway.submit_batch(pictures())
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        await gateway.close()
        assert len(served.ledger("openai").submitted) == 2
    assert peak < 8 * size


@pytest.mark.parametrize(("one", "other", "expected"), [("", "a", "a"), ("a", "b, a", "a,b"), ("2023-06-01", "2023-06-01", "2023-06-01")])
def test_headers_that_any_item_needs_go_with_the_batch(one, other, expected):
    assert joined(one, other) == expected


@pytest.mark.parametrize("name", ["openai", "anthropic", "mistral"])
async def test_results_cut_at_any_byte_are_never_taken_for_all_of_them(gateway, desk, route, name):
    batch = await submitted(gateway, route, texts=dict(list(TEXTS.items())[:3]))
    await ended(gateway, route, batch)
    whole = await collected(gateway, route, batch)
    stored = desk.batches[batch.id]
    content = b"".join(desk._line(item) + b"\n" for item in desk.ordered(stored))
    resolved = gateway._routes.resolve(route)
    reader = Reader(resolved, await gateway._upstreams.of(resolved), APIS[name, resolved.api], gateway._stored.settle, {})
    for end in range(len(content)):
        found = {}
        try:
            async for message in reader.messages([io.BytesIO(content[:end])], Results(answers=3)):
                found |= {result.id: said(result) for result in message.results}
        except CallFailed as cut:
            failed = (cut.error_class, cut.provider_code)
        else:
            failed = None
        assert all(answer == said(whole[item]) for item, answer in found.items())
        if end < len(content) - 1:  # the last line break is not missed
            assert failed == (ErrorClass.TRANSIENT, "results incomplete"), end


class Endless:
    """A file of one line again and again."""

    def __init__(self, line: bytes) -> None:
        self.line, self.lines = line, 0

    def seek(self, *place: int) -> int:
        return 0

    def readline(self, limit: int | None = -1) -> bytes:
        self.lines += 1
        return self.line


@pytest.mark.parametrize("line", [b"\n", b"{}\n", b"x\n", b'{"custom_id": "q"}\n'])
async def test_results_without_end_hold_nobody_up_and_end(gateway, served, line):
    served.desk("openai")
    resolved = gateway._routes.resolve("openai/gpt-stand-in")
    api = APIS["openai", resolved.api]
    reader = Reader(resolved, await gateway._upstreams.of(resolved), api, gateway._stored.settle, {})
    file, turns = Endless(line), 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.create_task(others())
    with pytest.raises(CallFailed) as failed:
        async for _ in reader.messages([file], Results(answers=3)):
            pass
    task.cancel()
    assert failed.value.provider_code == "too many results"
    assert file.lines < 5 * api.limits.items
    assert turns > file.lines / 300


def test_results_that_came_with_a_batch_lie_on_disk():
    deep: list[object] = []
    for _ in range(500):
        deep = [deep]
    file = io.BytesIO()
    on_disk([{"a": 1}, {"b": deep}, "c"], file)
    assert file.getvalue() == b'{"a":1}\nnull\n"c"\n'


async def test_of_results_that_are_only_looked_at_little_is_read(gateway, served):
    desk, route = served.desk("anthropic"), "anthropic/claude-stand-in"
    desk.faults.padding = 4 << 20
    batch = await submitted(gateway, route)
    await ended(gateway, route, batch)
    upstream = await gateway._upstreams.of(gateway._routes.resolve(route))
    path = f"v1/messages/batches/{batch.id}/results"
    calls = gateway._calls
    with calls.call(30.0) as call:
        looked = await exchange(upstream, Request("GET", path, first_line=True), call)
    assert looked.body.startswith(b'{"custom_id":')
    assert len(looked.body) < 8 << 20  # an answer has 4 MiB, all of them 24
    with calls.call(30.0) as call:
        whole = await exchange(upstream, Request("GET", path), call)
        assert calls.receiving.used == len(whole.body) > 24 << 20  # a reply in memory takes room, as a large answer does
    assert calls.receiving.used == 0
    found = await gateway.find_batches(gw.FindBatchesRequest(route=route, key="run-1"))
    assert [one.key for one in found.batches] == ["run-1"]


@pytest.mark.parametrize("name", ["openai"])
async def test_while_a_batch_is_handed_over_nobody_says_that_it_is_not_there(gateway, desk, route):
    """Whoever took the run over from one that hangs would ask it again."""
    desk.faults.hang = 1
    handing = asyncio.create_task(submitted(gateway, route, key="slow"))
    await until(lambda: desk.ledger.submitted)
    request = gw.FindBatchesRequest(route=route, key="slow", since_s=time.time())
    for asked in (gateway.find_batches(request), submitted(gateway, route, key="slow")):
        with pytest.raises(CallFailed, match="is being handed over") as under_way:
            await asked
        assert (under_way.value.error_class, under_way.value.may_be_charged) == (ErrorClass.TRANSIENT, False)
    handing.cancel()
    await asyncio.wait((handing,))
    assert len((await gateway.find_batches(request)).batches) == 1
