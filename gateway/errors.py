"""What a provider's failure means: its own code or type decides, the HTTP status only where it has neither.

The tables are the policy. Message texts are read in one place (``WORDINGS``), each row for one dialect that gives no
code for the case, never across providers.
"""

from __future__ import annotations

import re

from gateway.adapters.base import ProviderError
from gateway.retry_after import exhausted_dimension, retry_after_s
from genlevel.runtime.errors import CallFailed
from genlevel.v1 import gateway_pb2 as pb

# The provider's code or type -> class. Sources: openai.types (ErrorObject, ResponseError) and the error code guide;
# anthropic.types.shared (ErrorType and the error codes in details); llama.cpp's server (exceed_context_size_error).
CODES: dict[str, int] = {
    "invalid_api_key": pb.ERROR_CLASS_CREDENTIAL,
    "invalid_authentication": pb.ERROR_CLASS_CREDENTIAL,
    "authentication_error": pb.ERROR_CLASS_CREDENTIAL,
    "account_deactivated": pb.ERROR_CLASS_CREDENTIAL,
    "permission_error": pb.ERROR_CLASS_MODEL_ACCESS,
    "model_access_denied": pb.ERROR_CLASS_MODEL_ACCESS,
    "organization_on_hold": pb.ERROR_CLASS_QUOTA,
    "insufficient_quota": pb.ERROR_CLASS_QUOTA,
    "billing_hard_limit_reached": pb.ERROR_CLASS_QUOTA,
    "billing_not_active": pb.ERROR_CLASS_QUOTA,
    "billing_error": pb.ERROR_CLASS_QUOTA,
    "contract_spend_limit_reached": pb.ERROR_CLASS_QUOTA,
    "enforced_spend_limit_reached": pb.ERROR_CLASS_QUOTA,
    "linked_organization_billing_unavailable": pb.ERROR_CLASS_QUOTA,
    "linked_organization_spend_limit_reached": pb.ERROR_CLASS_QUOTA,
    "model_not_found": pb.ERROR_CLASS_MODEL_GONE,
    "not_found_error": pb.ERROR_CLASS_MODEL_GONE,
    "unsupported_country_region_territory": pb.ERROR_CLASS_REGION_BLOCKED,
    "rate_limit_exceeded": pb.ERROR_CLASS_RATE_LIMIT,
    "rate_limit_error": pb.ERROR_CLASS_RATE_LIMIT,
    "ramp_limit_exceeded": pb.ERROR_CLASS_RATE_LIMIT,
    "context_length_exceeded": pb.ERROR_CLASS_CONTEXT_TOO_LONG,
    "exceed_context_size_error": pb.ERROR_CLASS_CONTEXT_TOO_LONG,
    "string_above_max_length": pb.ERROR_CLASS_CONTEXT_TOO_LONG,
    "request_too_large": pb.ERROR_CLASS_CONTEXT_TOO_LONG,
    "request_body_too_large_after_decoding": pb.ERROR_CLASS_CONTEXT_TOO_LONG,
    "image_too_large": pb.ERROR_CLASS_CONTEXT_TOO_LONG,
    "image_file_too_large": pb.ERROR_CLASS_CONTEXT_TOO_LONG,
    "image_dimensions_too_large": pb.ERROR_CLASS_CONTEXT_TOO_LONG,
    "content_filter": pb.ERROR_CLASS_CONTENT_REFUSED,
    "content_policy_violation": pb.ERROR_CLASS_CONTENT_REFUSED,
    "image_content_policy_violation": pb.ERROR_CLASS_CONTENT_REFUSED,
    "invalid_prompt": pb.ERROR_CLASS_CONTENT_REFUSED,
    "bio_policy": pb.ERROR_CLASS_CONTENT_REFUSED,
    "cyber_policy": pb.ERROR_CLASS_CONTENT_REFUSED,
    "misalignment_policy_violation": pb.ERROR_CLASS_CONTENT_REFUSED,
    "moderation_blocked": pb.ERROR_CLASS_CONTENT_REFUSED,
    "server_error": pb.ERROR_CLASS_TRANSIENT,
    "api_error": pb.ERROR_CLASS_TRANSIENT,
    "overloaded_error": pb.ERROR_CLASS_TRANSIENT,
    "unavailable_error": pb.ERROR_CLASS_TRANSIENT,
    "conflict_error": pb.ERROR_CLASS_TRANSIENT,
    "timeout_error": pb.ERROR_CLASS_TIMEOUT,
    "invalid_request_error": pb.ERROR_CLASS_CALLER_FAULT,
    "unsupported_value": pb.ERROR_CLASS_CALLER_FAULT,
    "unsupported_parameter": pb.ERROR_CLASS_CALLER_FAULT,
    "invalid_image": pb.ERROR_CLASS_CALLER_FAULT,
    "invalid_image_format": pb.ERROR_CLASS_CALLER_FAULT,
    "invalid_base64_image": pb.ERROR_CLASS_CALLER_FAULT,
    "invalid_image_url": pb.ERROR_CLASS_CALLER_FAULT,
    "invalid_image_mode": pb.ERROR_CLASS_CALLER_FAULT,
    "image_too_small": pb.ERROR_CLASS_CALLER_FAULT,
    "image_parse_error": pb.ERROR_CLASS_CALLER_FAULT,
    "unsupported_image_media_type": pb.ERROR_CLASS_CALLER_FAULT,
    "empty_image_file": pb.ERROR_CLASS_CALLER_FAULT,
    "failed_to_download_image": pb.ERROR_CLASS_CALLER_FAULT,
    "image_file_not_found": pb.ERROR_CLASS_CALLER_FAULT,
    "BadRequestError": pb.ERROR_CLASS_CALLER_FAULT,  # vLLM
    "NotFoundError": pb.ERROR_CLASS_MODEL_GONE,  # vLLM
    # google.rpc.Code, as Google's compatible endpoints name their errors' status
    "API_KEY_INVALID": pb.ERROR_CLASS_CREDENTIAL,
    "UNAUTHENTICATED": pb.ERROR_CLASS_CREDENTIAL,
    "PERMISSION_DENIED": pb.ERROR_CLASS_MODEL_ACCESS,
    "RESOURCE_EXHAUSTED": pb.ERROR_CLASS_RATE_LIMIT,
    "UNAVAILABLE": pb.ERROR_CLASS_TRANSIENT,
    "DEADLINE_EXCEEDED": pb.ERROR_CLASS_TIMEOUT,
    # Of jobs: what their adapters find in their status
    "job_cancelled": pb.ERROR_CLASS_DENIED,
    "job_expired": pb.ERROR_CLASS_DENIED,
    "job_not_found": pb.ERROR_CLASS_DENIED,
}

# Types that say only that the request was refused, so that a status that says more goes first.
GENERIC = frozenset({"invalid_request_error", "BadRequestError"})

# (type, wording, class): where a dialect has no code for the case.
WORDINGS: tuple[tuple[str, re.Pattern[str], int], ...] = (
    # Anthropic: https://docs.anthropic.com/en/docs/build-with-claude/context-windows
    (
        "invalid_request_error",
        re.compile(r"^prompt is too long\b|^input length and `max_tokens` exceed context limit"),
        pb.ERROR_CLASS_CONTEXT_TOO_LONG,
    ),
    ("invalid_request_error", re.compile(r"^Your credit balance is too low\b"), pb.ERROR_CLASS_QUOTA),
    ("invalid_request_error", re.compile(r"^Output blocked by content filtering policy"), pb.ERROR_CLASS_CONTENT_REFUSED),
    # llama.cpp without a projector
    ("server_error", re.compile(r"^image input is not supported\b"), pb.ERROR_CLASS_UNSUPPORTED),
    # vLLM
    ("BadRequestError", re.compile(r"maximum context length is \d+ tokens"), pb.ERROR_CLASS_CONTEXT_TOO_LONG),
)

# Where a server sends elsewhere: not followed, as it would carry the key there.
REDIRECTS = frozenset({301, 302, 303, 307, 308})
STATUSES: dict[int, int] = {
    **dict.fromkeys(REDIRECTS, pb.ERROR_CLASS_MODEL_GONE),
    401: pb.ERROR_CLASS_CREDENTIAL,
    402: pb.ERROR_CLASS_QUOTA,
    403: pb.ERROR_CLASS_DENIED,  # without a word about the key it may be this one request alone
    404: pb.ERROR_CLASS_MODEL_GONE,
    410: pb.ERROR_CLASS_MODEL_GONE,
    408: pb.ERROR_CLASS_TIMEOUT,
    413: pb.ERROR_CLASS_CONTEXT_TOO_LONG,
    429: pb.ERROR_CLASS_RATE_LIMIT,
}
# What a rate limit counts, where the error's own type says so (OpenAI's does).
DIMENSIONS = frozenset({"requests", "tokens", "concurrency"})
_WAITS = frozenset({pb.ERROR_CLASS_RATE_LIMIT, pb.ERROR_CLASS_TRANSIENT})
# Under a good status: the provider has begun, and what came of it is not told.
_BEGUN = frozenset({pb.ERROR_CLASS_TRANSIENT, pb.ERROR_CLASS_TIMEOUT, pb.ERROR_CLASS_UNKNOWN})
_SECRET = re.compile(r"\b(?:sk|pk|xai|gsk|key)-[A-Za-z0-9_\-*.]{6,}|(?i:bearer)\s+\S+")


def error_class(error: ProviderError) -> int:
    """The class of a provider's error, by its code, its type, and its status, in this order."""
    for kind, wording, wording_class in WORDINGS:
        if error.type == kind and wording.search(error.message):
            return wording_class
    if _specific(error.code):
        return CODES[error.code]
    if _specific(error.type):
        return CODES[error.type]
    if error.status in STATUSES:
        return STATUSES[error.status]
    if error.status >= 500:
        return pb.ERROR_CLASS_TRANSIENT
    if error.code in CODES or error.type in CODES or error.status in (400, 422):
        return pb.ERROR_CLASS_CALLER_FAULT
    return pb.ERROR_CLASS_UNKNOWN


def classify(
    error: ProviderError, *, provider: str, model: str, name: str = "", credential: str = "", where: str = "", secret: str = ""
) -> CallFailed:
    """The failure that a provider's error amounts to.

    name: the provider as its user knows it. credential: where its key comes from ("OPENAI_API_KEY"). where: the server's
    address, for a model or path that it does not know. secret: the key itself, so that it never appears. The message keeps
    the provider's own words, cut and without secrets, where they help.
    """
    kind = error_class(error)
    said = redact(error.message, secret)
    name = name or provider
    dimension = error.type if error.type in DIMENSIONS else ""
    if kind == pb.ERROR_CLASS_RATE_LIMIT and not dimension:
        dimension = exhausted_dimension(error.headers)
    advice: dict[int, str] = {
        pb.ERROR_CLASS_CREDENTIAL: f"{name} refused the key; check {credential}"
        if credential
        else f"{name} wants a key; name the environment variable that holds it with --api-key-env, or as api_key_env of its account",
        pb.ERROR_CLASS_MODEL_ACCESS: f"the key may not use {model} at {name}",
        pb.ERROR_CLASS_QUOTA: f"the quota of this account at {name} is used up",
        pb.ERROR_CLASS_MODEL_GONE: f"{name} does not know the model {model}" + (f" at {where}" if where else ""),
        pb.ERROR_CLASS_REGION_BLOCKED: f"{name} does not serve this region",
        pb.ERROR_CLASS_RATE_LIMIT: f"{name} limits the rate" + (f" of {dimension}" if dimension else ""),
        pb.ERROR_CLASS_CALLER_FAULT: f"{name} refused the request as wrong",
        pb.ERROR_CLASS_CONTENT_REFUSED: f"{name} refused the content",
        pb.ERROR_CLASS_CONTEXT_TOO_LONG: f"the input is too long for {model} at {name}",
        pb.ERROR_CLASS_TRANSIENT: f"{name} failed",
        pb.ERROR_CLASS_UNSUPPORTED: f"{model} at {name} does not take this input",
        pb.ERROR_CLASS_TIMEOUT: f"{name} did not answer in time",
        pb.ERROR_CLASS_DENIED: f"{name} will not do this request",
        pb.ERROR_CLASS_UNKNOWN: f"{name} answered with an error of unknown meaning",
    }
    if error.status in REDIRECTS:
        target = redact(error.headers.get("location", ""), secret).partition("?")[0] or "another address"
        advice[kind] = f"{name} redirects to {target}, which is not followed; give the address that answers itself"
    names = [str(error.status), error.code or error.type]
    code = redact(" ".join(name for name in names if name), secret, 80)
    hidden = kind == pb.ERROR_CLASS_CREDENTIAL or not said
    return CallFailed(
        kind,
        f"{advice[kind]} ({code})" if hidden else f"{advice[kind]} ({code}): {said}",
        retry_after_s=retry_after_s(error.headers, dimension=dimension) if kind in _WAITS else None,
        dimension=dimension if kind == pb.ERROR_CLASS_RATE_LIMIT else "",
        part=redact(error.param, secret) if kind == pb.ERROR_CLASS_CALLER_FAULT else "",
        provider=provider,
        provider_code=code,
        may_be_charged=(error.status >= 500 and error.status not in (503, 529)) or (200 <= error.status < 300 and kind in _BEGUN),
    )


def malformed(provider: str, what: str, *, name: str = "") -> CallFailed:
    """A body that is not what the API promises: it may be well formed next time."""
    return CallFailed(
        pb.ERROR_CLASS_TRANSIENT,
        f"{name or provider} sent a malformed body: {what}",
        provider=provider,
        provider_code="malformed",
        may_be_charged=True,
    )


def redact(text: str, secret: str = "", limit: int = 300) -> str:
    """One printable line of at most limit characters, without the secret and without anything that looks like a key."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if secret:
        line = line.replace(secret, "[secret]")
    line = _SECRET.sub("[secret]", line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _specific(name: str) -> bool:
    return name in CODES and name not in GENERIC
