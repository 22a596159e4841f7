"""The converters of batch APIs on their own: what providers tell, told rightly; what nobody should tell, no more than a typed failure."""

from __future__ import annotations

import copy
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.batches import APIS
from gateway.batches.anthropic import AnthropicBatches
from gateway.batches.base import NO_ANSWER, Reply, Result, Submission, upload
from gateway.batches.gemini import GeminiBatches
from gateway.batches.items import ItemFile
from gateway.batches.mistral import MistralBatches
from gateway.batches.openai import OpenAIBatches
from gateway.pricing.prices import Price
from gateway.splicing import Splice
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.v1 import gateway_pb2 as gw

BATCHES = {
    OpenAIBatches: {
        "id": "batch_1", "status": "in_progress", "created_at": 100, "expires_at": 86500, "metadata": {"genlevel": "k"},
        "request_counts": {"total": 9, "completed": 5, "failed": 1}, "output_file_id": "file-o", "error_file_id": "file-e",
        "errors": {"data": [{"code": "model_not_found", "message": "no such model", "line": 3}]},
    },
    AnthropicBatches: {
        "id": "msgbatch_1", "processing_status": "ended", "created_at": "1970-01-01T00:01:40+00:00", "expires_at": "1970-01-02T00:01:40Z",
        "request_counts": {"processing": 0, "succeeded": 5, "errored": 1, "expired": 3},
    },
    MistralBatches: {
        "id": "0-1-2", "status": "RUNNING", "created_at": 100, "metadata": {"genlevel": "k"}, "total_requests": 9, "succeeded_requests": 5,
        "failed_requests": 1, "output_file": "f-o", "error_file": None, "errors": [{"message": "bad"}],
    },
    GeminiBatches: {
        "name": "batches/b1", "done": True, "response": {"responsesFile": "files/batch-b1"}, "error": {"code": 8, "message": "too much"},
        "metadata": {"state": "BATCH_STATE_SUCCEEDED", "displayName": "k", "createTime": "1970-01-01T00:01:40.123456789Z",
                     "batchStats": {"requestCount": "9", "successfulRequestCount": "5", "failedRequestCount": "1"}},
    },
}  # fmt: skip
LINES = {
    OpenAIBatches: {"custom_id": "a", "response": {"status_code": 200, "body": {"id": "x"}}, "error": None},
    MistralBatches: {"custom_id": "a", "response": {"status_code": 200, "body": {"id": "x"}}, "error": None},
    AnthropicBatches: {"custom_id": "0123456789abcdef-a", "result": {"type": "succeeded", "message": {"id": "x"}}},
    GeminiBatches: {"key": "a", "response": {"id": "x"}},
}
ALL = sorted(BATCHES, key=lambda api: api.__name__)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NOTHING = Result("a", NO_ANSWER, {"error": {"message": "the item has no answer"}})
PROMISED = (LookupError, TypeError, ValueError, AttributeError)


def played(steps, *replies):
    """What comes of steps whose requests are answered so, and the requests."""
    asked, left = [next(steps)], list(replies)
    try:
        while True:
            reply = left.pop(0)
            asked.append(steps.throw(reply) if isinstance(reply, Exception) else steps.send(Reply({}, reply)))
    except StopIteration as done:
        return done.value, asked


def places(value, path=()):
    """All places in a value."""
    yield path
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, name))


@st.composite
def mutated(draw, body):
    """A body with something else at one of its places, or nothing."""
    body = copy.deepcopy(body)
    *above, last = draw(st.sampled_from([place for place in places(body) if place]))
    holder = body
    for name in above:
        holder = holder[name]
    if draw(st.booleans()) and isinstance(holder, dict):
        del holder[last]
    else:
        holder[last] = draw(JSON)
    return body


@pytest.mark.parametrize("api", ALL)
@given(data=st.data())
def test_whatever_is_told_of_a_batch_is_read_or_a_promised_error(api, data):
    body = data.draw(mutated(BATCHES[api]))
    for steps in (api().get("b-1"), api().results("b-1")):
        try:
            found, _ = played(steps, body)
        except PROMISED:
            continue
        batch = found if isinstance(found, gw.Batch) else found[0]
        assert batch.state != gw.BATCH_STATE_UNSPECIFIED
        assert batch.id


@pytest.mark.parametrize("api", ALL)
@given(data=st.data())
def test_whatever_a_line_says_is_of_an_item_or_a_promised_error(api, data):
    try:
        result = api().result(data.draw(mutated(LINES[api])))
    except PROMISED:
        return
    assert result.id
    assert isinstance(result.body, dict)
    assert result.unasked in ("", "expired", "cancelled")


@pytest.mark.parametrize("api", ALL)
@given(data=st.data())
def test_whatever_a_list_says_batches_of_other_keys_are_not_found(api, data):
    names = {GeminiBatches: "operations"}
    page = {names.get(api, "data"): [data.draw(mutated(BATCHES[api]))], "has_more": False}
    try:
        found, _ = played(api().find("another", 0.0), page, {"custom_id": "0123456789abcdef-a"})
    except PROMISED:
        return
    assert all(not batch.key for batch in found)


@pytest.mark.parametrize("api", ALL)
def test_counts_and_times_are_read(api):
    batch, _ = played(api().get("b-1"), BATCHES[api])
    assert (batch.total, batch.answered) == (9, 5)
    assert int(batch.created_s) == 100
    assert batch.expires_s >= 86_500 - 1


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("token_limit_exceeded", "Enqueued token limit reached", gw.ERROR_CLASS_RATE_LIMIT),
        ("model_not_found", "The model does not exist", gw.ERROR_CLASS_MODEL_GONE),
        ("billing_hard_limit_reached", "Billing hard limit has been reached", gw.ERROR_CLASS_QUOTA),
        ("invalid_json_line", "This line is not JSON", gw.ERROR_CLASS_CALLER_FAULT),
        ("empty_file", "The input file is empty", gw.ERROR_CLASS_CALLER_FAULT),
    ],
)
def test_why_openai_took_none_of_a_batch(code, message, expected):
    body = {**BATCHES[OpenAIBatches], "status": "failed", "errors": {"data": [{"code": code, "message": message, "line": 7}]}}
    batch, _ = played(OpenAIBatches().get("b-1"), body)
    assert (batch.state, batch.problem_class, batch.problem) == (gw.BATCH_STATE_FAILED, expected, f"{code}: {message} (line 7)")


def test_why_others_took_none_of_a_batch():
    job, _ = played(MistralBatches().get("b-1"), {**BATCHES[MistralBatches], "status": "FAILED"})
    assert (job.problem_class, job.problem) == (gw.ERROR_CLASS_CALLER_FAULT, "invalid_request_error: bad")
    body = copy.deepcopy(BATCHES[GeminiBatches])
    body["metadata"]["state"] = "JOB_STATE_FAILED"
    operation, _ = played(GeminiBatches().get("b-1"), body)
    assert (operation.problem_class, operation.problem) == (gw.ERROR_CLASS_RATE_LIMIT, "too much")


@pytest.mark.parametrize("api", ALL)
@pytest.mark.parametrize("state", ["paused", "", None, 7, "BATCH_STATE_NEW"])
def test_a_state_that_nobody_knows_is_no_batch(api, state):
    body = copy.deepcopy(BATCHES[api])
    names = {AnthropicBatches: "processing_status", GeminiBatches: "state"}
    (body["metadata"] if api is GeminiBatches else body)[names.get(api, "status")] = state
    with pytest.raises(ValueError, match=r"state|status"):
        played(api().get("b-1"), body)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"error": {"code": "batch_expired", "message": "late"}, "response": None}, Result("a", unasked="expired")),
        ({"error": {"code": "batch_cancelled", "message": "stopped"}, "response": None}, Result("a", unasked="cancelled")),
        ({"error": {"code": "x", "message": "m"}, "response": None}, Result("a", 500, {"error": {"code": "x", "message": "m"}})),
        ({"error": "it broke", "response": None}, Result("a", 500, {"error": {"message": "it broke"}})),
        (
            {"error": None, "response": {"status_code": 429, "body": {"error": {"message": "m"}}}},
            Result("a", 429, {"error": {"message": "m"}}),
        ),
        # https://community.openai.com: completed, and yet nothing but a status of 0
        (
            {"error": None, "response": {"status_code": 0, "body": ""}},
            NOTHING,
        ),
        ({"error": None, "response": None}, NOTHING),
    ],
)
def test_what_became_of_an_item_at_openai(line, expected):
    assert OpenAIBatches().result({"custom_id": "a", **line}) == expected


@pytest.mark.parametrize(
    ("kind", "status"), [("invalid_request_error", 400), ("overloaded_error", 529), ("api_error", 500), ("something_new", 500)]
)
def test_an_item_that_errored_at_anthropic_has_the_status_of_a_single_call(kind, status):
    error = {"type": "error", "error": {"type": kind, "message": "m"}, "request_id": None}
    line = {"custom_id": "0123456789abcdef-a-b", "result": {"type": "errored", "error": error}}
    assert AnthropicBatches().result(line) == Result("a-b", status, {"type": "error", "error": error["error"]})


def test_what_became_of_an_item_at_gemini():
    google = GeminiBatches()
    assert google.result({"metadata": {"key": "a"}, "error": {"code": 8, "message": "m"}}) == Result(
        "a", 429, {"error": {"code": 429, "message": "m"}}
    )
    assert google.result({"key": "a", "error": {"code": 1, "message": "m"}}) == Result("a", unasked="cancelled")
    with pytest.raises(ValueError, match="no id"):
        google.result({"response": {}})


def test_pages_are_read_until_they_are_too_old():
    def page(number, created):
        body = {**BATCHES[OpenAIBatches], "id": f"b{number}", "created_at": created, "metadata": {"genlevel": f"k{number % 2}"}}
        return {"data": [body], "has_more": True}

    found, asked = played(OpenAIBatches().find("k1", 8300.0), page(1, 9000), page(2, 8000), page(3, 4900), page(4, 4000))
    assert [batch.id for batch in found] == ["b1", "b3"]
    assert [request.path for request in asked] == [
        "batches?limit=100", "batches?limit=100&after=b1", "batches?limit=100&after=b2", "batches?limit=100&after=b3",
    ]  # fmt: skip


def test_anthropics_batches_are_known_by_their_first_result():
    api = AnthropicBatches()
    mine = api.before("k", "a", "").split(b'"')[3].decode()
    page = {"data": [{**BATCHES[AnthropicBatches], "id": f"b{number}"} for number in range(2)]}
    page["data"].append({**BATCHES[AnthropicBatches], "id": "b2", "processing_status": "in_progress"})
    found, asked = played(api.find("k", 0.0), page, {"custom_id": "0" * 16 + "-a"}, {"custom_id": mine})
    assert [(batch.id, batch.key) for batch in found] == [("b1", "k"), ("b2", "")]
    assert [request.first_line for request in asked] == [False, True, True]


def test_anthropics_pages_are_read_until_there_are_no_more():
    waiting = {**BATCHES[AnthropicBatches], "processing_status": "in_progress"}
    pages = [{"data": [{**waiting, "id": f"b{number}"}], "has_more": number < 2} for number in range(3)]
    found, asked = played(AnthropicBatches().find("k", 0.0), *pages)
    assert [batch.id for batch in found] == ["b0", "b1", "b2"]
    assert [request.path.partition("?")[2] for request in asked] == ["limit=100", "limit=100&after_id=b0", "limit=100&after_id=b1"]


@pytest.mark.parametrize(("api", "names"), [(MistralBatches, ("page=0", "page=1")), (GeminiBatches, ("pageSize=100", "pageToken=t%3D"))])
def test_other_lists_have_pages_too(api, names):
    body = copy.deepcopy(BATCHES[api])
    pages = (
        [{"data": [body] * 100}, {"data": [body]}]
        if api is MistralBatches
        else [{"operations": [body], "nextPageToken": "t="}, {"operations": [body]}]
    )
    found, asked = played(api().find("k", 100.0), *pages)
    assert len(found) == (101 if api is MistralBatches else 2)
    assert all(name in request.path for name, request in zip(names, asked, strict=True))


def test_a_cancel_that_is_refused_for_another_reason_is_a_failure():
    refused = CallFailed(ErrorClass.CALLER_FAULT, "no")
    with pytest.raises(CallFailed, match="no"):
        played(OpenAIBatches().cancel("b-1"), refused, BATCHES[OpenAIBatches])
    with pytest.raises(CallFailed, match="later"):
        played(OpenAIBatches().cancel("b-1"), CallFailed(ErrorClass.RATE_LIMIT, "later"))


def test_cached_tokens_cost_what_each_provider_says():
    price = Price(Decimal(2), Decimal(10), Decimal("0.2"), Decimal(2))
    halved = OpenAIBatches.limits.price(price)
    assert (halved.input, halved.output, halved.cache_read) == (Decimal(1), Decimal(5), Decimal("0.1"))
    googles = GeminiBatches.limits.price(price)
    assert (googles.input, googles.output, googles.cache_read) == (Decimal(1), Decimal(5), Decimal("0.2"))


@given(
    ids=st.lists(st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True), unique=True, max_size=5),
    texts=st.lists(st.text(), min_size=5, max_size=5),
)
async def test_a_file_of_items_says_of_each_what_it_asks(ids, texts):
    """A law of all APIs: whatever a text has in it, a line is an item, and all of the file can be read again."""
    for api in {type(api): api for api in APIS.values()}.values():
        with ItemFile(api.framing) as file:
            for item, text in zip(ids, texts, strict=False):
                await file.add(api.before("k", item, "chat/completions"), Splice().written({"text": text}))
            await file.end()
            content = file.read()
            assert file.size == len(content)
            assert b"".join([piece async for piece in file.pieces(b"<", b">")]) == b"<" + content + b">"
        if isinstance(api, AnthropicBatches):
            found = {one["custom_id"][17:]: one["params"] for one in json.loads(content)["requests"]} if ids else {}
        else:
            lines = map(json.loads, content.splitlines())
            found = {line.get("custom_id") or line["key"]: line.get("body") or line["request"] for line in lines}
        assert found == {item: {"text": text} for item, text in zip(ids, texts, strict=False)}


def test_small_batches_of_gemini_are_in_the_request_itself():
    lines = b'{"key":"a","request":{"contents":["\\",\\"request\\":"]}}\n{"key":"b","request":{}}\n'
    batch = Submission("k", "m", "models/m:generateContent", 2, len(lines), lambda: lines)
    made, asked = played(GeminiBatches().submit(batch), BATCHES[GeminiBatches])
    assert (made.id, asked[0].path, asked[0].makes) == ("b1", "models/m:batchGenerateContent", True)
    assert json.loads(asked[0].body)["batch"] == {
        "displayName": "k",
        "inputConfig": {"requests": {"requests": [
            {"request": {"contents": ['","request":']}, "metadata": {"key": "a"}}, {"request": {}, "metadata": {"key": "b"}},
        ]}},
    }  # fmt: skip


def test_an_upload_is_a_form():
    request = upload("files", {"purpose": "batch"}, "k.jsonl")
    form = (request.body + b'{"a":1}\n' + request.tail).split(b"\r\n--genlevel-batch-of-items")
    assert form[0].endswith(b'name="purpose"\r\n\r\nbatch')
    assert form[1].endswith(b'\r\n\r\n{"a":1}\n')
    assert form[2] == b"--\r\n"


def test_another_batch_of_anthropics_whose_results_are_gone_hides_none():
    api = AnthropicBatches()
    mine = api.before("k", "a", "").split(b'"')[3].decode()
    page = {"data": [{**BATCHES[AnthropicBatches], "id": f"b{number}"} for number in range(2)]}
    gone = CallFailed(ErrorClass.DENIED, "no results", provider_code="batch_not_found")
    found, _ = played(api.find("k", 0.0), page, gone, {"custom_id": mine})
    assert [(batch.id, batch.key) for batch in found] == [("b1", "k")]
    with pytest.raises(CallFailed, match="away"):
        played(api.find("k", 0.0), page, CallFailed(ErrorClass.TRANSIENT, "away"))


@pytest.mark.parametrize("api", ALL)
def test_a_batch_is_found_though_clocks_differ(api):
    """That of whoever handed it over was ahead by some fifty minutes."""
    body = BATCHES[api]
    page = {name: [body] for name in ("data", "operations")}
    mark = api().before("k", "a", "").split(b'"')[3].decode()
    replies = [page, {"custom_id": mark}] if api is AnthropicBatches else [page]
    (batch,), _ = played(api().find("k", 100.0 + 3000.0), *replies)
    assert batch.key == "k"
