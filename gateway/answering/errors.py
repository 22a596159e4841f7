"""What a provider's failure means: its own code or type decides, the HTTP status only if it has neither.

The tables are the policy. Message texts are read in one place (``WORDINGS``), each row for those that give no code for the case.
"""

from __future__ import annotations

import re

from gateway.adapters.base import ProviderError
from gateway.adapters.bedrock_errors import AWS_CODES, AWS_WORDINGS
from gateway.adapters.chat_errors import CHAT_CODES, CHAT_WORDINGS
from gateway.answering.retry_after import NO_TIMES, exhausted_dimension, times_of
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.shown import without_secrets

# The provider's code or type -> class. Sources: openai.types (ErrorObject, ResponseError) and the error code guide;
# anthropic.types.shared (ErrorType and the error codes in details); llama.cpp's server (exceed_context_size_error).
CODES: dict[str, ErrorClass] = {
    "invalid_api_key": ErrorClass.CREDENTIAL,
    "invalid_authentication": ErrorClass.CREDENTIAL,
    "authentication_error": ErrorClass.CREDENTIAL,
    "account_deactivated": ErrorClass.CREDENTIAL,
    "permission_error": ErrorClass.MODEL_ACCESS,
    "model_access_denied": ErrorClass.MODEL_ACCESS,
    "organization_on_hold": ErrorClass.QUOTA,
    "insufficient_quota": ErrorClass.QUOTA,
    "billing_hard_limit_reached": ErrorClass.QUOTA,
    "billing_not_active": ErrorClass.QUOTA,
    "billing_error": ErrorClass.QUOTA,
    "contract_spend_limit_reached": ErrorClass.QUOTA,
    "enforced_spend_limit_reached": ErrorClass.QUOTA,
    "linked_organization_billing_unavailable": ErrorClass.QUOTA,
    "linked_organization_spend_limit_reached": ErrorClass.QUOTA,
    "model_not_found": ErrorClass.MODEL_GONE,
    "not_found_error": ErrorClass.MODEL_GONE,
    "unsupported_country_region_territory": ErrorClass.REGION_BLOCKED,
    "rate_limit_exceeded": ErrorClass.RATE_LIMIT,
    "rate_limit_error": ErrorClass.RATE_LIMIT,
    "ramp_limit_exceeded": ErrorClass.RATE_LIMIT,
    "context_length_exceeded": ErrorClass.CONTEXT_TOO_LONG,
    "exceed_context_size_error": ErrorClass.CONTEXT_TOO_LONG,
    "string_above_max_length": ErrorClass.CONTEXT_TOO_LONG,
    "request_too_large": ErrorClass.CONTEXT_TOO_LONG,
    "request_body_too_large_after_decoding": ErrorClass.CONTEXT_TOO_LONG,
    "image_too_large": ErrorClass.CONTEXT_TOO_LONG,
    "image_file_too_large": ErrorClass.CONTEXT_TOO_LONG,
    "image_dimensions_too_large": ErrorClass.CONTEXT_TOO_LONG,
    "content_filter": ErrorClass.CONTENT_REFUSED,
    "content_policy_violation": ErrorClass.CONTENT_REFUSED,
    "image_content_policy_violation": ErrorClass.CONTENT_REFUSED,
    "invalid_prompt": ErrorClass.CONTENT_REFUSED,
    "bio_policy": ErrorClass.CONTENT_REFUSED,
    "cyber_policy": ErrorClass.CONTENT_REFUSED,
    "misalignment_policy_violation": ErrorClass.CONTENT_REFUSED,
    "moderation_blocked": ErrorClass.CONTENT_REFUSED,
    "server_error": ErrorClass.TRANSIENT,
    "api_error": ErrorClass.TRANSIENT,
    "overloaded_error": ErrorClass.TRANSIENT,
    "unavailable_error": ErrorClass.TRANSIENT,
    "conflict_error": ErrorClass.TRANSIENT,
    "timeout_error": ErrorClass.TIMEOUT,
    "invalid_request_error": ErrorClass.CALLER_FAULT,
    "unsupported_value": ErrorClass.CALLER_FAULT,
    "unsupported_parameter": ErrorClass.CALLER_FAULT,
    "invalid_image": ErrorClass.CALLER_FAULT,
    "invalid_image_format": ErrorClass.CALLER_FAULT,
    "invalid_base64_image": ErrorClass.CALLER_FAULT,
    "invalid_image_url": ErrorClass.CALLER_FAULT,
    "invalid_image_mode": ErrorClass.CALLER_FAULT,
    "image_too_small": ErrorClass.CALLER_FAULT,
    "image_parse_error": ErrorClass.CALLER_FAULT,
    "unsupported_image_media_type": ErrorClass.CALLER_FAULT,
    "empty_image_file": ErrorClass.CALLER_FAULT,
    "failed_to_download_image": ErrorClass.CALLER_FAULT,
    "image_file_not_found": ErrorClass.CALLER_FAULT,
    "BadRequestError": ErrorClass.CALLER_FAULT,  # vLLM
    "NotFoundError": ErrorClass.MODEL_GONE,  # vLLM
    # google.rpc.Code and google.api.ErrorReason, as Google's APIs name their errors' status and reason
    "AuthenticationTypeDisabled": ErrorClass.CREDENTIAL,  # Azure: a resource that takes tokens of Entra alone
    "API_KEY_INVALID": ErrorClass.CREDENTIAL,
    "API_KEY_SERVICE_BLOCKED": ErrorClass.CREDENTIAL,
    "API_KEY_HTTP_REFERRER_BLOCKED": ErrorClass.CREDENTIAL,
    "API_KEY_IP_ADDRESS_BLOCKED": ErrorClass.CREDENTIAL,
    "CONSUMER_SUSPENDED": ErrorClass.CREDENTIAL,
    "PUP_LIMITED_DISABLED": ErrorClass.CREDENTIAL,
    "BILLING_DISABLED": ErrorClass.QUOTA,
    "quota_of_a_day": ErrorClass.QUOTA,  # gateway.adapters.base.error_of
    "UNAUTHENTICATED": ErrorClass.CREDENTIAL,
    "PERMISSION_DENIED": ErrorClass.MODEL_ACCESS,
    "RESOURCE_EXHAUSTED": ErrorClass.RATE_LIMIT,
    "UNAVAILABLE": ErrorClass.TRANSIENT,
    "DEADLINE_EXCEEDED": ErrorClass.TIMEOUT,
    "CANCELLED": ErrorClass.TRANSIENT,
    "ABORTED": ErrorClass.TRANSIENT,
    "UNIMPLEMENTED": ErrorClass.UNSUPPORTED,
    "MISSING_THOUGHT_SIGNATURE": ErrorClass.CALLER_FAULT,
    **AWS_CODES,
    **CHAT_CODES,
    # Of jobs: what their adapters find in their status
    "job_cancelled": ErrorClass.DENIED,
    "job_expired": ErrorClass.DENIED,
    "job_not_found": ErrorClass.DENIED,
}

# Types that say only that the request was refused, or that it failed; a status that says more goes first.
GENERIC = frozenset({"invalid_request_error", "BadRequestError", "invalid-argument"})
_FAILED = frozenset({"api_error", "server_error"})

# (type or code, wording, class), for cases without a code in their dialect.
WORDINGS: tuple[tuple[str, re.Pattern[str], ErrorClass], ...] = (
    # Anthropic: https://docs.anthropic.com/en/docs/build-with-claude/context-windows
    (
        "invalid_request_error",
        re.compile(r"^prompt is too long\b|^input length and `max_tokens` exceed context limit"),
        ErrorClass.CONTEXT_TOO_LONG,
    ),
    ("invalid_request_error", re.compile(r"^Your credit balance is too low\b"), ErrorClass.QUOTA),
    ("invalid_request_error", re.compile(r"^Output blocked by content filtering policy"), ErrorClass.CONTENT_REFUSED),
    # Gemini: https://ai.google.dev/gemini-api/docs/troubleshooting, and recorded failures
    (
        "INVALID_ARGUMENT",
        re.compile(r"input token count .*exceeds the maximum number of tokens|^Request payload size exceeds the limit"),
        ErrorClass.CONTEXT_TOO_LONG,
    ),
    (
        "FAILED_PRECONDITION",
        re.compile(r"^User location is not supported\b|free tier is not available in your country"),
        ErrorClass.REGION_BLOCKED,
    ),
    ("PERMISSION_DENIED", re.compile(r"API key was reported as leaked\b"), ErrorClass.CREDENTIAL),
    ("RESOURCE_EXHAUSTED", re.compile(r"prepayment credits are depleted|monthly spending cap"), ErrorClass.QUOTA),
    # llama.cpp without a projector
    ("server_error", re.compile(r"^image input is not supported\b"), ErrorClass.UNSUPPORTED),
    *CHAT_WORDINGS,
    *AWS_WORDINGS,
    # Cohere, whose errors have a message alone
    ("cohere", re.compile(r"^too many tokens\b"), ErrorClass.CONTEXT_TOO_LONG),
    ("cohere", re.compile(r"^invalid (api )?token\b"), ErrorClass.CREDENTIAL),
)

# Redirects are not followed: they would carry the key elsewhere.
REDIRECTS = frozenset({301, 302, 303, 307, 308})
STATUSES: dict[int, ErrorClass] = {
    **dict.fromkeys(REDIRECTS, ErrorClass.MODEL_GONE),
    401: ErrorClass.CREDENTIAL,
    402: ErrorClass.QUOTA,
    403: ErrorClass.DENIED,  # if it does not name the key, it may mean this request alone
    404: ErrorClass.MODEL_GONE,
    410: ErrorClass.MODEL_GONE,
    408: ErrorClass.TIMEOUT,
    413: ErrorClass.CONTEXT_TOO_LONG,
    429: ErrorClass.RATE_LIMIT,
}
# What a rate limit counts, if the error's own type says so (OpenAI's does).
DIMENSIONS = frozenset({"requests", "tokens", "concurrency"})
_WAITS = frozenset({ErrorClass.RATE_LIMIT, ErrorClass.TRANSIENT})
# Under a good status: the provider has begun, and does not say what came of it.
_BEGUN = frozenset({ErrorClass.TRANSIENT, ErrorClass.TIMEOUT, ErrorClass.UNKNOWN})
_VERSION = re.compile(r"/v\d")
_DEPLOYMENT = "/openai/deployments/"
"""In an address of Azure's that has a version beside it."""
_SECRET = re.compile(r"\b(?:sk|pk|xai|gsk|key)-[A-Za-z0-9_\-*.]{6,}|(?i:bearer)\s+\S+")


def error_class(error: ProviderError) -> ErrorClass:
    """The class of a provider's error, by its code, its type, and its status, in this order."""
    names = [name for name in (error.code, error.type) if name]
    for kind, wording, wording_class in WORDINGS:
        if (kind in names if kind else not names) and wording.search(error.message):
            return wording_class
    for name in names:
        if _specific(name, error.status):
            return CODES[name]
    if error.status in STATUSES:
        return STATUSES[error.status]
    if error.status >= 500:
        return ErrorClass.TRANSIENT
    if error.code in CODES or error.type in CODES or error.status in (400, 422):
        return ErrorClass.CALLER_FAULT
    return ErrorClass.UNKNOWN


def classify(
    error: ProviderError,
    *,
    provider: str,
    model: str,
    name: str = "",
    credential: str = "",
    usual: str = "",
    where: str = "",
    secret: str = "",
    machines: bool = False,
) -> CallFailed:
    """The failure that a provider's error amounts to.

    name: the provider as its user knows it. credential: where its key comes from ("OPENAI_API_KEY"); "" = none was sent. usual: where the
    provider's usually does. where: the server's address, for a model or path that it does not know. secret: the key itself, so that it
    never appears. machines: credentials of the machine itself went in place of a key. The message keeps the provider's own words, cut and
    without secrets, if they help.
    """
    kind = error_class(error)
    said = redact(error.message, secret)
    name = name or provider
    dimension = error.type if error.type in DIMENSIONS else ""
    if kind == ErrorClass.RATE_LIMIT and not dimension:
        dimension = exhausted_dimension(error.headers)
    times = times_of(error.headers, dimension=dimension) if kind in _WAITS else NO_TIMES
    advice: dict[ErrorClass, str] = {
        ErrorClass.CREDENTIAL: _credential(name, credential, usual, where, machines=machines),
        ErrorClass.MODEL_ACCESS: f"the key may not use {model} at {name}",
        ErrorClass.QUOTA: f"the quota of this account at {name} is used up",
        ErrorClass.MODEL_GONE: f"{name} does not know the model {model}{_not_found(error, model, where)}",
        ErrorClass.REGION_BLOCKED: f"{name} does not serve this region",
        ErrorClass.RATE_LIMIT: f"{name} limits the rate" + (f" of {dimension}" if dimension else ""),
        ErrorClass.CALLER_FAULT: f"{name} refused the request as wrong",
        ErrorClass.CONTENT_REFUSED: f"{name} refused the content",
        ErrorClass.CONTEXT_TOO_LONG: f"the input is too long for {model} at {name}",
        ErrorClass.TRANSIENT: f"{name} failed",
        ErrorClass.UNSUPPORTED: f"{model} at {name} does not take this input",
        ErrorClass.TIMEOUT: f"{name} did not answer in time",
        ErrorClass.DENIED: f"{name} denied this request",
        ErrorClass.UNKNOWN: f"{name} answered with an error of unknown meaning",
    }
    if error.status in REDIRECTS:
        target = redact(error.headers.get("location", ""), secret).partition("?")[0] or "another address"
        advice[kind] = f"{name} redirects to {target}, which is not followed; give the address of the API itself"
    code = redact(_code(error, provider), secret, 80)
    hidden = kind == ErrorClass.CREDENTIAL or not said
    return CallFailed(
        kind,
        f"{advice[kind]} ({code})" if hidden else f"{advice[kind]} ({code}): {said}",
        retry_after_s=times.wait_s if times.wait_s is not None else times.reset_s,
        shorter_s=times.shorter_s,
        reset_s=times.reset_s,
        dimension=dimension if kind == ErrorClass.RATE_LIMIT else "",
        part=redact(error.param, secret) if kind == ErrorClass.CALLER_FAULT else "",
        provider=provider,
        provider_code=code,
        may_be_charged=(error.status >= 500 and error.status not in (503, 529)) or (200 <= error.status < 300 and kind in _BEGUN),
    )


def _code(error: ProviderError, provider: str) -> str:
    """Status and code, or type. A type that is the provider's name says nothing more."""
    named = error.code or (error.type if error.type != provider else "")
    return f"{error.status} {named}".rstrip()


def _not_found(error: ProviderError, model: str, where: str) -> str:
    """Where a model is not known, and what may be wrong with an address at which nothing is found."""
    if not where:
        return ""
    if error.status != 404 or error.code or model in error.message or _VERSION.search(where):
        return f" at {where}"
    hint = "is api_version right?" if _DEPLOYMENT in where else "many addresses end in /v1"
    return f" at {where}, or has no API there ({hint})"


def _credential(name: str, credential: str, usual: str, where: str, *, machines: bool) -> str:
    """What to do about credentials that are refused."""
    if machines:
        return f"{name} refused this machine's own credentials; renew them, or give a key"
    return f"{name} refused the key; check {credential}" if credential else _no_key(name, usual, where)


def _no_key(name: str, usual: str, where: str) -> str:
    """What to do if a server wants a key and none was sent. usual: the variable whose key goes to the provider's own address alone."""
    if usual:
        return (
            f"{name} at {where} wants a key, and that of {usual} is sent to {name}'s own address alone; "
            "name the variable that holds the key as api_key_env of its account in genlevel.yaml"
        )
    return f"{name} wants a key; name the environment variable that holds it with --api-key-env, or as api_key_env of its account"


def malformed(provider: str, what: str, *, name: str = "") -> CallFailed:
    """A body that is not what the API promises: it may be well formed next time."""
    return CallFailed(
        ErrorClass.TRANSIENT,
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
    line = _SECRET.sub("[secret]", without_secrets(line) if "@" in line else line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _specific(name: str, status: int) -> bool:
    """Whether a code or type says more than the status. That something failed says less than a status that blames the request."""
    return name in CODES and name not in GENERIC and not (name in _FAILED and 400 <= status < 500)
