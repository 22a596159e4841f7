"""What errors of hosted servers of the chat format mean, beyond OpenAI's own codes."""

from __future__ import annotations

import re

from genlevel.runtime.errors import ErrorClass

CHAT_CODES: dict[str, ErrorClass] = {
    # xAI, in the names of google.rpc.Code: https://docs.x.ai/docs/key-information/debugging and recorded failures
    "unauthenticated": ErrorClass.CREDENTIAL,
    "permission-denied": ErrorClass.MODEL_ACCESS,
    "not-found": ErrorClass.MODEL_GONE,
    "resource-exhausted": ErrorClass.RATE_LIMIT,
    "unavailable": ErrorClass.TRANSIENT,
    "internal": ErrorClass.TRANSIENT,
    "deadline-exceeded": ErrorClass.TIMEOUT,
    "invalid-argument": ErrorClass.CALLER_FAULT,
    # Mistral and Perplexity: https://docs.perplexity.ai/guides/error-codes
    "invalid_model": ErrorClass.MODEL_GONE,
    # Hugging Face's router: https://huggingface.co/docs/inference-providers
    "model_not_supported": ErrorClass.MODEL_GONE,
    # Fireworks: https://docs.fireworks.ai/guides/inference-error-codes
    "NOT_FOUND": ErrorClass.MODEL_GONE,
    # Cerebras: https://inference-docs.cerebras.ai/support/error
    "wrong_api_key": ErrorClass.CREDENTIAL,
    "token_quota_exceeded": ErrorClass.RATE_LIMIT,
    "request_quota_exceeded": ErrorClass.RATE_LIMIT,
    "queue_exceeded": ErrorClass.RATE_LIMIT,
    # Moonshot: https://platform.moonshot.ai/docs/api/errors
    "invalid_authentication_error": ErrorClass.CREDENTIAL,
    "incorrect_api_key_error": ErrorClass.CREDENTIAL,
    "permission_denied_error": ErrorClass.MODEL_ACCESS,
    "resource_not_found_error": ErrorClass.MODEL_GONE,
    "exceeded_current_quota_error": ErrorClass.QUOTA,
    "rate_limit_reached_error": ErrorClass.RATE_LIMIT,
    "engine_overloaded_error": ErrorClass.RATE_LIMIT,
    # Z.ai: https://docs.z.ai/api-reference/api-code
    "1000": ErrorClass.CREDENTIAL,
    "1001": ErrorClass.CREDENTIAL,
    "1002": ErrorClass.CREDENTIAL,
    "1003": ErrorClass.CREDENTIAL,
    "1004": ErrorClass.CREDENTIAL,
    "1113": ErrorClass.QUOTA,
    "1211": ErrorClass.MODEL_GONE,
    "1220": ErrorClass.MODEL_ACCESS,
    "1234": ErrorClass.TRANSIENT,
    "1261": ErrorClass.CONTEXT_TOO_LONG,
    "1301": ErrorClass.CONTENT_REFUSED,
    "1302": ErrorClass.RATE_LIMIT,
    "1303": ErrorClass.RATE_LIMIT,
    "1305": ErrorClass.RATE_LIMIT,
    "1308": ErrorClass.QUOTA,
}

XAI_DENIED = ("permission-denied", "The caller does not have permission to execute the specified operation")
XAI_WRONG = ("invalid-argument", "Client specified an invalid argument")
XAI_EXHAUSTED = ("resource-exhausted", "Some resource has been exhausted", *XAI_DENIED)

# How servers without a code for it say that a prompt is too long.
_TOO_LONG = re.compile(
    "|".join(
        (
            r"maximum context length (?:is|of) [\d,]+ tokens",  # DeepSeek, OpenRouter, and older vLLM
            r"too large for model with \d+ maximum context length",  # Mistral
            r"^The prompt is too long: \d+, model maximum context length",  # Fireworks
            r"exceeded model token limit",  # Moonshot
            r"inputs?`? tokens \+ `?max_new_tokens`? must be",  # text-generation-inference, Together
            r"longer than the model's context length",  # SGLang
            r"exceeds the available context size",  # llama.cpp before it had a code
            r"exceeded max context length",  # Ollama
            r"greater than the context length",  # LM Studio
            r"reduce the length of the messages",  # Groq, Cerebras
            r"context window exceeds limit",  # MiniMax
        )
    )
)

CHAT_WORDINGS: tuple[tuple[str, re.Pattern[str], ErrorClass], ...] = (
    # "": neither a code nor a type
    *(
        (kind, _TOO_LONG, ErrorClass.CONTEXT_TOO_LONG)
        for kind in ("invalid_request_error", "api_error", "BadRequestError", "validation", "")
    ),
    # xAI, whose codes stand for several things. It answers 400 to a wrong key.
    *((kind, re.compile(r"^Incorrect API key provided\b"), ErrorClass.CREDENTIAL) for kind in XAI_WRONG),
    *((kind, re.compile(r"maximum prompt length is \d+"), ErrorClass.CONTEXT_TOO_LONG) for kind in XAI_WRONG),
    *((kind, re.compile(r"^Content violates usage guidelines"), ErrorClass.CONTENT_REFUSED) for kind in XAI_DENIED),
    *((kind, re.compile(r"\bcredits\b|spending limit"), ErrorClass.QUOTA) for kind in XAI_EXHAUSTED),
    # OpenRouter
    ("", re.compile(r"is not a valid model ID$"), ErrorClass.MODEL_GONE),
)
