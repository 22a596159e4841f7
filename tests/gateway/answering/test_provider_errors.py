"""What each provider's errors mean, over HTTP as they come, and that their SDKs' own exceptions lead to the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.base import ProviderError, error_of
from gateway.answering.errors import CODES, WORDINGS, classify, error_class, redact
from gateway.service import Gateway
from genlevel.runtime.errors import CallFailed
from genlevel.v1 import gateway_pb2 as gw


def openai_error(code: str | None, type_: str, message: str = "no", param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": type_, "param": param, "code": code}}


def anthropic_error(type_: str, message: str = "no", **details: str) -> dict[str, Any]:
    error: dict[str, Any] = {"type": type_, "message": message}
    if details:
        error["details"] = details
    return {"type": "error", "error": error, "request_id": "req_1"}


OPENAI = [
    (401, openai_error("invalid_api_key", "invalid_request_error"), "CREDENTIAL"),
    (401, openai_error(None, "invalid_request_error"), "CREDENTIAL"),
    (403, openai_error(None, "invalid_request_error"), "DENIED"),
    (403, openai_error("model_access_denied", "invalid_request_error"), "MODEL_ACCESS"),
    (403, openai_error("unsupported_country_region_territory", "request_forbidden"), "REGION_BLOCKED"),
    (404, openai_error("model_not_found", "invalid_request_error"), "MODEL_GONE"),
    (400, openai_error("model_not_found", "invalid_request_error"), "MODEL_GONE"),
    (429, openai_error("insufficient_quota", "insufficient_quota"), "QUOTA"),
    (429, openai_error("billing_hard_limit_reached", "invalid_request_error"), "QUOTA"),
    (429, openai_error("rate_limit_exceeded", "requests"), "RATE_LIMIT"),
    (429, openai_error("rate_limit_exceeded", "tokens"), "RATE_LIMIT"),
    (400, openai_error("context_length_exceeded", "invalid_request_error"), "CONTEXT_TOO_LONG"),
    (400, openai_error("content_policy_violation", "invalid_request_error"), "CONTENT_REFUSED"),
    (400, openai_error("invalid_prompt", "invalid_request_error"), "CONTENT_REFUSED"),
    (400, openai_error("unsupported_value", "invalid_request_error", param="temperature"), "CALLER_FAULT"),
    (400, openai_error(None, "invalid_request_error", param="messages"), "CALLER_FAULT"),
    (500, openai_error(None, "server_error"), "TRANSIENT"),
    (503, openai_error(None, "service_unavailable_error"), "TRANSIENT"),
    (408, openai_error(None, "request_timeout"), "TIMEOUT"),
    (402, openai_error(None, "unknown_type"), "QUOTA"),
    (418, openai_error(None, "teapot"), "UNKNOWN"),
]
ANTHROPIC = [
    (401, anthropic_error("authentication_error"), "CREDENTIAL"),
    (402, anthropic_error("billing_error"), "QUOTA"),
    (403, anthropic_error("permission_error"), "MODEL_ACCESS"),
    (404, anthropic_error("not_found_error"), "MODEL_GONE"),
    (413, anthropic_error("request_too_large"), "CONTEXT_TOO_LONG"),
    (429, anthropic_error("rate_limit_error"), "RATE_LIMIT"),
    (429, anthropic_error("rate_limit_error", error_code="enforced_spend_limit_reached"), "QUOTA"),
    (429, anthropic_error("rate_limit_error", error_code="ramp_limit_exceeded"), "RATE_LIMIT"),
    (400, anthropic_error("invalid_request_error", error_code="image_dimensions_too_large"), "CONTEXT_TOO_LONG"),
    (400, anthropic_error("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"), "CONTEXT_TOO_LONG"),
    (400, anthropic_error("invalid_request_error", "Your credit balance is too low to access the API."), "QUOTA"),
    (400, anthropic_error("invalid_request_error", "messages: at least one message is required"), "CALLER_FAULT"),
    (500, anthropic_error("api_error"), "TRANSIENT"),
    (504, anthropic_error("timeout_error"), "TIMEOUT"),
    (529, anthropic_error("overloaded_error"), "TRANSIENT"),
]
COMPATIBLE = [
    (400, {"error": {"code": 400, "type": "exceed_context_size_error", "message": "too long"}}, "CONTEXT_TOO_LONG"),
    (
        400,
        {"object": "error", "type": "BadRequestError", "code": 400, "message": "This model's maximum context length is 2048 tokens."},
        "CONTEXT_TOO_LONG",
    ),
    (404, {"object": "error", "type": "NotFoundError", "code": 404, "message": "The model `x` does not exist."}, "MODEL_GONE"),
    (422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, "CALLER_FAULT"),
    (404, {"error": "model 'x' not found"}, "MODEL_GONE"),
    (400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***1. See console.x.ai."}, "CREDENTIAL"),
    (400, {"code": "Client specified an invalid argument", "error": "Argument not supported on this model: stop"}, "CALLER_FAULT"),
    # xAI's codes, today's and older ones: recorded, and UKGovernmentBEIS/inspect_ai#2267
    (400, {"code": "invalid-argument", "error": "Incorrect API key provided. You can obtain an API key from console.x.ai."}, "CREDENTIAL"),
    (400, {"code": "invalid-argument", "error": "Argument not supported on this model: stop"}, "CALLER_FAULT"),
    (
        400,
        {"code": "invalid-argument", "error": "This model's maximum prompt length is 131072 but the request contains 537812 tokens."},
        "CONTEXT_TOO_LONG",
    ),
    (403, {"code": "permission-denied", "error": "Content violates usage guidelines. "}, "CONTENT_REFUSED"),
    (
        403,
        {"code": "The caller does not have permission to execute the specified operation", "error": "Your team has no credits yet."},
        "QUOTA",
    ),
    (403, {"code": "permission-denied", "error": "Access to the chat endpoint is denied."}, "MODEL_ACCESS"),
    # Ollama's, whose type says only that something failed
    (401, {"error": {"message": "Unauthorized", "type": "api_error", "param": None, "code": None}}, "CREDENTIAL"),
    (400, {"error": {"message": "gemma does not support tools", "type": "api_error", "param": None, "code": None}}, "CALLER_FAULT"),
    (400, {"error": {"message": "prompt too long; exceeded max context length by 7 tokens", "type": "api_error"}}, "CONTEXT_TOO_LONG"),
    (500, {"error": {"message": "llama runner ended", "type": "api_error"}}, "TRANSIENT"),
    # DeepSeek, whose code is the type once more; Mistral; Moonshot; Fireworks; text-generation-inference; SGLang
    *(
        (400, body, "CONTEXT_TOO_LONG")
        for body in (
            openai_error(
                "invalid_request_error", "invalid_request_error", "This model's maximum context length is 1048565 tokens. However, ..."
            ),
            {
                "object": "error",
                "message": "Prompt contains 34513 tokens, too large for model with 32768 maximum context length",
                "type": "",
            },
            openai_error(None, "invalid_request_error", "Invalid request: Your request exceeded model token limit: 131072"),
            openai_error(None, "invalid_request_error", "The prompt is too long: 267657, model maximum context length: 262143"),
            {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193", "error_type": "validation"},
            {"object": "error", "message": "The input (9 tokens) is longer than the model's context length (8 tokens).", "code": 400},
            {"error": {"code": "1261", "message": "Prompt too long"}},
            {"error": {"message": "This endpoint's maximum context length is 163840 tokens. However, you requested more", "code": 400}},
            {
                "error": {
                    "message": "Provider returned error",
                    "code": 400,
                    "metadata": {
                        "provider_name": "Anthropic",
                        "raw": '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 2 > 1"}}',
                    },
                }
            },
        )
    ),
    # Azure's filter, in the forms in which it says what it found
    (
        400,
        {"error": {"code": "content_filter", "message": "filtered", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
        "CONTENT_REFUSED",
    ),
    (
        400,
        {"error": {"code": None, "message": "filtered", "innererror": {"content_filter_result": {"hate": {"filtered": True}}}}},
        "CONTENT_REFUSED",
    ),
    (400, {"error": {"message": "filtered", "content_filter_results": {"hate": {"filtered": True}}}}, "CONTENT_REFUSED"),
    (400, {"object": "error", "message": "Invalid model: x", "type": "invalid_model", "param": None, "code": "1500"}, "MODEL_GONE"),
    (400, {"error": {"message": "x is not a valid model ID", "code": 400}}, "MODEL_GONE"),
    (429, {"error": {"type": "exceeded_current_quota_error", "message": "no balance"}}, "QUOTA"),
    (410, {"detail": "retired"}, "MODEL_GONE"),
    (403, {"error": {"code": 403, "message": "no", "metadata": {"reasons": ["violence"], "flagged_input": "x"}}}, "CONTENT_REFUSED"),
    (403, {"error": {"code": 403, "message": "Forbidden"}}, "DENIED"),
    # OpenRouter tells with every error which of its upstreams failed, and how
    (403, {"error": {"code": 403, "message": "no", "metadata": {"provider_name": "x", "raw": "no"}}}, "DENIED"),
    (429, {"error": {"code": 429, "message": "later", "metadata": {"provider_name": "x", "raw": "later"}}}, "RATE_LIMIT"),
    (400, {"error": {"code": 400, "message": "odd", "metadata": {}}}, "CALLER_FAULT"),
    (413, b"<html>Request Entity Too Large</html>", "CONTEXT_TOO_LONG"),
    (412, b"<html>Precondition Failed</html>", "UNKNOWN"),
    (403, b"<html>Forbidden</html>", "DENIED"),
    (403, [{"error": {"code": 403, "message": "no", "status": "PERMISSION_DENIED"}}], "MODEL_ACCESS"),
    (429, [{"error": {"code": 429, "message": "no", "status": "RESOURCE_EXHAUSTED"}}], "RATE_LIMIT"),
    (502, b"<html>Bad gateway</html>", "TRANSIENT"),
    (429, b"", "RATE_LIMIT"),
    (503, {"error": {"code": 503, "type": "unavailable_error", "message": "Loading model"}}, "TRANSIENT"),
]


def google_error(code: int, status: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


def violation(quota: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaMetric": "m", "quotaId": quota}]}


RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "22.5s"}
KEY_INVALID = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
GEMINI = [
    (400, google_error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", KEY_INVALID), "CREDENTIAL"),
    (403, google_error(403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key."), "CREDENTIAL"),
    (403, google_error(403, "PERMISSION_DENIED", "no", {"reason": "SERVICE_DISABLED"}), "MODEL_ACCESS"),
    (401, google_error(401, "UNAUTHENTICATED", "no", {"reason": "ACCESS_TOKEN_EXPIRED"}), "CREDENTIAL"),
    (400, google_error(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), "REGION_BLOCKED"),
    (400, google_error(400, "INVALID_ARGUMENT", "Invalid value at 'contents'"), "CALLER_FAULT"),
    (
        400,
        google_error(400, "INVALID_ARGUMENT", "The input token count (1250074) exceeds the maximum number of tokens allowed (1048576)."),
        "CONTEXT_TOO_LONG",
    ),
    (400, google_error(400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes."), "CONTEXT_TOO_LONG"),
    (404, google_error(404, "NOT_FOUND", "models/x is not found for API version v1beta"), "MODEL_GONE"),
    (429, google_error(429, "RESOURCE_EXHAUSTED", "Resource exhausted. Please try again later."), "RATE_LIMIT"),
    (429, google_error(429, "RESOURCE_EXHAUSTED", "quota", violation("GenerateRequestsPerMinutePerProjectPerModel"), RETRY), "RATE_LIMIT"),
    (429, google_error(429, "RESOURCE_EXHAUSTED", "quota", violation("GenerateRequestsPerDayPerProjectPerModel-FreeTier"), RETRY), "QUOTA"),
    (429, google_error(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted. Please go to AI Studio."), "QUOTA"),
    (500, google_error(500, "INTERNAL", "An internal error has occurred."), "TRANSIENT"),
    (503, google_error(503, "UNAVAILABLE", "The model is overloaded. Please try again later."), "TRANSIENT"),
    (504, google_error(504, "DEADLINE_EXCEEDED", "late"), "TIMEOUT"),
    (429, [google_error(429, "RESOURCE_EXHAUSTED", "in a list")], "RATE_LIMIT"),
]


@pytest.mark.parametrize(("status", "body", "reason"), GEMINI)
def test_googles_errors_have_one_class(status: int, body: Any, reason: str) -> None:
    assert error_class(error_of(status, body, {})).name == reason


@pytest.mark.parametrize(
    ("provider", "body", "where", "said"),
    [
        ("compatible", {"detail": "Not Found"}, "http://h", "at http://h, or has no API there (many addresses end in /v1) (404)"),
        ("compatible", {"detail": "Not Found"}, "http://h/v1", "at http://h/v1 (404)"),
        (
            "azure",
            {},
            "https://h/openai/deployments/m-1",
            "at https://h/openai/deployments/m-1, or has no API there (is api_version right?)",
        ),
        ("ollama-native", {"error": "model 'm-1' not found"}, "http://h", "at http://h (404): model 'm-1' not found"),
    ],
)
def test_what_may_be_wrong_with_an_address_is_said_if_nothing_tells_that_it_is_the_model(
    provider: str, body: object, where: str, said: str
) -> None:
    failure = classify(error_of(404, body, {}), provider=provider, model="m-1", where=where)
    assert f"does not know the model m-1 {said}" in failure.message


def test_a_provider_that_tells_no_code_is_not_named_twice() -> None:
    failure = classify(
        ProviderError(401, type="cohere", message="invalid api token"), provider="cohere", model="m", credential="CO_API_KEY"
    )
    assert failure.message == "cohere refused the key; check CO_API_KEY (401)"


def test_credentials_of_the_machine_are_told_apart_from_a_key() -> None:
    error = error_of(401, google_error(401, "UNAUTHENTICATED", "expired"), {})
    failure = classify(error, provider="vertex", model="m", credential="GOOGLE_VERTEX_API_KEY", machines=True)
    assert failure.message.startswith("vertex refused this machine's own credentials; renew them, or give a key (401")


def test_googles_delay_is_the_time_to_wait_and_that_of_a_day_is_none() -> None:
    minute, day = (error_of(429, body, {}) for _, body, _ in GEMINI[10:12])
    failures = [classify(error, provider="gemini", model="m") for error in (minute, day)]
    assert [failure.retry_after_s for failure in failures] == [22.5, None]


@pytest.mark.parametrize(
    ("route", "status", "body", "reason"),
    [
        *(("openai-chat", *case) for case in OPENAI),
        *(("openai-responses", *case) for case in OPENAI),
        *(("anthropic-messages", *case) for case in ANTHROPIC),
        *(("compatible-chat", *case) for case in COMPATIBLE),
    ],
)
async def test_a_providers_error_has_one_class(
    *, route: str, status: int, body: Any, reason: str, stub: Any, gateway: Gateway, asking: Callable[..., gw.GenerateRequest]
) -> None:
    stub.replies(body, status)
    with pytest.raises(CallFailed) as caught:
        await gateway.generate(asking(route))
    assert caught.value.reason == reason
    assert caught.value.provider == route.split("-", maxsplit=1)[0]
    assert str(status) in caught.value.provider_code
    assert "\n" not in caught.value.message
    assert len(stub.requests) == 1  # neither we nor the SDK tries again


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"code": 429, "message": "later"}, "RATE_LIMIT"),
        ({"code": "429", "message": "later"}, "RATE_LIMIT"),
        ({"code": 401, "message": "no"}, "CREDENTIAL"),
        ({"code": 402, "message": "no"}, "QUOTA"),
        ({"code": 403, "message": "no"}, "DENIED"),
        ({"code": 400, "message": "no"}, "CALLER_FAULT"),
        ({"code": 502.0, "message": "no"}, "TRANSIENT"),
        ({"code": 40303, "message": "no"}, "UNKNOWN"),
        ({"code": 0, "message": "no"}, "UNKNOWN"),
        ({"code": [429], "message": "no"}, "UNKNOWN"),
    ],
)
async def test_a_number_as_the_code_of_an_error_under_a_good_status_is_its_status(
    error: Any, reason: str, stub: Any, gateway: Gateway, asking: Callable[..., gw.GenerateRequest]
) -> None:
    stub.replies({"error": error}, 200, {"Retry-After": "3"})
    with pytest.raises(CallFailed, match=error["message"] if reason != "CREDENTIAL" else "check GENLEVEL_TEST_KEY") as caught:
        await gateway.generate(asking("compatible-chat"))
    assert caught.value.reason == reason
    assert caught.value.retry_after_s == (3 if reason in ("RATE_LIMIT", "TRANSIENT") else None)
    assert caught.value.may_be_charged == (reason in ("TRANSIENT", "UNKNOWN")), "it has begun, and does not say what came of it"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"detail": "Model is not loaded"}, "Model is not loaded"),
        (
            {"detail": [{"loc": ["body", "messages", 0], "msg": "field required"}, {"msg": "too few"}]},
            "body.messages.0: field required; too few",
        ),
        (
            {"object": "error", "message": {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs"}]}, "type": "invalid_request_error"},
            "body.seed: Extra inputs",
        ),
        ({"detail": {"message": "no such adapter", "code": "x"}}, "no such adapter"),
        ({"error": {"detail": "deep"}}, "deep"),
        ({"error": "Bad Request", "message": "top is missing"}, "top is missing: Bad Request"),
        ({"error": None, "message": "still said"}, "still said"),
        ({"error": ["one", {"message": "two"}]}, "one; two"),
        ([{"message": "in a list"}], "in a list"),
        (b"plain words\nof a proxy", "plain words of a proxy"),
        ("a JSON text", "a JSON text"),
    ],
)
async def test_what_an_error_says_is_not_lost(
    body: Any, said: str, stub: Any, gateway: Gateway, asking: Callable[..., gw.GenerateRequest]
) -> None:
    stub.replies(body, 400)
    with pytest.raises(CallFailed) as caught:
        await gateway.generate(asking("compatible-chat"))
    assert caught.value.message.endswith(f": {said}")


@pytest.mark.parametrize("body", [b"<html>no</html>", b"\x00\x01binary", b"", b"\xff\xfe"])
async def test_a_page_or_binary_is_not_quoted(body: bytes, stub: Any, gateway: Gateway, asking: Callable[..., gw.GenerateRequest]) -> None:
    stub.replies(body, 418)
    with pytest.raises(CallFailed) as caught:
        await gateway.generate(asking("compatible-chat"))
    assert caught.value.message.endswith("answered with an error of unknown meaning (418)")


@pytest.mark.parametrize(("status", "body", "reason"), OPENAI)
async def test_the_openai_sdks_exceptions_lead_to_the_same_class(status: int, body: Any, reason: str, stub: Any) -> None:
    stub.replies(body, status)
    async with openai.AsyncOpenAI(api_key="k", base_url=f"{stub.url}/v1", max_retries=0) as client:
        with pytest.raises(openai.APIStatusError) as caught:
            await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "q"}])
    response = caught.value.response
    error = error_of(response.status_code, {"error": caught.value.body}, response.headers)
    assert CallFailed(error_class(error), "").reason == reason


@pytest.mark.parametrize(("status", "body", "reason"), ANTHROPIC)
async def test_the_anthropic_sdks_exceptions_lead_to_the_same_class(status: int, body: Any, reason: str, stub: Any) -> None:
    stub.replies(body, status)
    async with anthropic.AsyncAnthropic(api_key="k", base_url=stub.url, max_retries=0) as client:
        with pytest.raises(anthropic.APIStatusError) as caught:
            await client.messages.create(model="m", max_tokens=5, messages=[{"role": "user", "content": "q"}])
    response = caught.value.response
    assert CallFailed(error_class(error_of(response.status_code, caught.value.body, response.headers)), "").reason == reason


@pytest.mark.parametrize(
    ("route", "headers", "seconds", "reset_s", "dimension"),
    [
        ("openai-chat", {"Retry-After": "1"}, 1, None, "tokens"),
        ("openai-chat", {"Retry-After": "0.5"}, 0.5, None, "tokens"),
        ("openai-chat", {"retry-after-ms": "250"}, 0.25, None, "tokens"),
        ("openai-chat", {"Retry-After": "2", "x-ratelimit-reset-tokens": "1m30s", "x-ratelimit-remaining-tokens": "12"}, 2, 90, "tokens"),
        ("openai-chat", {"Retry-After": "Fri, 15 Jan 2027 08:00:30 GMT", "Date": "Fri, 15 Jan 2027 08:00:20 GMT"}, 10, None, "tokens"),
        (
            "anthropic-messages",
            {
                "Date": "Fri, 15 Jan 2027 08:00:00 GMT",
                "retry-after": "3",
                "anthropic-ratelimit-requests-reset": "2027-01-15T08:00:09Z",
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-input-tokens-reset": "2027-01-15T08:00:59Z",
                "anthropic-ratelimit-input-tokens-remaining": "50000",
            },
            3,
            9,
            "requests",
        ),
        ("openai-chat", {"x-ratelimit-reset-tokens": "1m30s"}, 90, 90, "tokens"),
        ("openai-chat", {}, None, None, "tokens"),
    ],
)
async def test_a_429_says_how_long_to_wait_and_of_what(
    *,
    route: str,
    headers: dict[str, str],
    seconds: float | None,
    reset_s: float | None,
    dimension: str,
    stub: Any,
    gateway: Gateway,
    asking: Callable[..., gw.GenerateRequest],
) -> None:
    body = openai_error("rate_limit_exceeded", "tokens") if route.startswith("openai") else anthropic_error("rate_limit_error")
    stub.replies(body, 429, headers)
    with pytest.raises(CallFailed) as caught:
        await gateway.generate(asking(route))
    assert caught.value.reason == "RATE_LIMIT"
    assert (caught.value.retry_after_s, caught.value.reset_s) == (seconds, reset_s)
    assert caught.value.dimension == dimension


GOOGLE = "type.googleapis.com/google.rpc"


@pytest.mark.parametrize("wrapped", [True, False])
async def test_what_googles_details_say_is_read(
    *, wrapped: bool, stub: Any, gateway: Gateway, asking: Callable[..., gw.GenerateRequest]
) -> None:
    key = {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}
    key["details"] = [{"@type": f"{GOOGLE}.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}, "odd", {"reason2": 1}]
    limit = {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED"}
    limit["details"] = [{"@type": f"{GOOGLE}.Help", "links": []}, {"@type": f"{GOOGLE}.RetryInfo", "retryDelay": "37.5s"}]
    for status, error, reason, wait in ((400, key, "CREDENTIAL", None), (429, limit, "RATE_LIMIT", 37.5)):
        stub.replies([{"error": error}] if wrapped else {"error": error}, status)
        with pytest.raises(CallFailed) as caught:
            await gateway.generate(asking("compatible-chat"))
        assert (caught.value.reason, caught.value.retry_after_s) == (reason, wait)


async def test_an_overloaded_server_says_how_long_to_wait(stub: Any, gateway: Gateway, asking: Callable[..., gw.GenerateRequest]) -> None:
    stub.replies(anthropic_error("overloaded_error"), 529, {"retry-after": "7"})
    with pytest.raises(CallFailed) as caught:
        await gateway.generate(asking("anthropic-messages"))
    assert (caught.value.reason, caught.value.retry_after_s) == ("TRANSIENT", 7)


@pytest.mark.parametrize("key", ["sk-test-0123456789abcdef", "0f3a9c77-plain"])
async def test_no_message_contains_the_key(
    key: str, stub: Any, gateway: Gateway, asking: Callable[..., gw.GenerateRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLEVEL_TEST_KEY", key)
    leaky = openai_error(f"bad {key}", "strange", f"Incorrect key {key} or Bearer {key}", param=key)
    for status in (400, 401, 404, 418, 429, 500):
        stub.replies(leaky, status)
        with pytest.raises(CallFailed) as caught:
            await gateway.generate(asking("openai-chat"))
        assert key not in str(vars(caught.value))
        assert key[8:] not in str(vars(caught.value))


async def test_a_refused_key_names_the_variable_to_check(stub: Any, gateway: Gateway, asking: Callable[..., gw.GenerateRequest]) -> None:
    stub.replies(openai_error("invalid_api_key", "invalid_request_error"), 401)
    with pytest.raises(CallFailed, match="GENLEVEL_TEST_KEY"):
        await gateway.generate(asking("openai-chat"))


async def test_a_fault_at_a_parameter_names_it(stub: Any, gateway: Gateway, asking: Callable[..., gw.GenerateRequest]) -> None:
    stub.replies(openai_error("unsupported_value", "invalid_request_error", param="temperature"), 400)
    with pytest.raises(CallFailed) as caught:
        await gateway.generate(asking("openai-chat"))
    assert caught.value.part == "temperature"


@given(
    status=st.integers(300, 599),
    code=st.one_of(st.text(max_size=20), st.sampled_from(sorted(CODES))),
    kind=st.one_of(st.text(max_size=20), st.sampled_from(sorted(CODES))),
    message=st.text(max_size=500),
)
def test_whatever_comes_is_classified_in_one_line(status: int, code: str, kind: str, message: str) -> None:
    failure = classify(ProviderError(status, code, kind, message), provider="p", model="m", secret="hush")
    assert failure.error_class != gw.ERROR_CLASS_UNSPECIFIED
    assert len(failure.message.splitlines()) == 1
    assert len(failure.message) < 600


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.dictionaries(st.sampled_from(["error", "code", "type", "message", "param", "details", "error_code"]), inner),
    )
)
def test_an_error_body_of_any_shape_is_read(body: Any) -> None:
    error = error_of(500, body, {})
    assert all(isinstance(value, str) for value in (error.code, error.type, error.message, error.param))


def test_an_error_body_is_looked_into_only_so_far() -> None:
    deep: Any = "too deep"
    for _ in range(1000):
        deep = {"detail": [deep]}
    assert error_of(500, deep, {}).message == ""


def test_the_words_of_one_dialect_do_not_decide_in_another() -> None:
    for kind, wording, _ in WORDINGS:
        assert kind or wording.pattern  # every row is bound to a type, or to an error without one
    other = ProviderError(400, "", "another_type", "prompt is too long: maximum context length is 5 tokens")
    assert error_class(other) == gw.ERROR_CLASS_CALLER_FAULT


def test_redaction_keeps_ordinary_words() -> None:
    assert redact("The risk-averse desk-top model failed") == "The risk-averse desk-top model failed"
    assert "sk-proj" not in redact("key sk-proj-AbC123456789 is wrong")
