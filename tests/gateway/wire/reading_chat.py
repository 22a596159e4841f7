"""What OpenAI's SDK reads in a chat completion, and in the fields that other providers add to it, as a reading."""

from __future__ import annotations

from typing import Any

from openai._models import construct_type
from openai.types.chat import ChatCompletion

from tests.gateway.wire.comparing import Reading, Used, canonical

FINISHES = {
    "stop": "STOP",
    "eos": "STOP",  # Together, https://docs.together.ai/reference/chat-completions
    "length": "LENGTH",
    "tool_calls": "TOOL_CALLS",
    "function_call": "TOOL_CALLS",
}
REFUSED = Reading(error="CONTENT_REFUSED")


def reading(body: Any) -> Reading:
    """The reading of a body that came with a good status."""
    completion: Any = construct_type(type_=ChatCompletion, value=body)
    if getattr(completion, "error", None):
        return REFUSED if completion.error["code"] == "content_filter" else Reading(error="TRANSIENT")
    choice = completion.choices[0]
    message = choice.message
    if choice.finish_reason == "content_filter" or message.refusal:
        return REFUSED
    blocks = message.content if isinstance(message.content, list) else []
    said = message.content if isinstance(message.content, str) else "".join(one["text"] for one in blocks if one["type"] == "text")
    heard = bool(message.audio and message.audio.data)
    if message.audio and message.audio.transcript:
        said += message.audio.transcript
    details = getattr(message, "reasoning_details", None) or ()
    thoughts = [
        getattr(message, "reasoning_content", None)
        or getattr(message, "reasoning", None)
        or "\n".join(filter(None, (one.get("text") or one.get("summary") for one in details))),
        *("".join(part["text"] for part in one["thinking"]) for one in blocks if one["type"] == "thinking"),
    ]
    calls = [(call.id, call.function.name, canonical(call.function.arguments)) for call in message.tool_calls or ()]
    if message.function_call and message.function_call.name:
        calls.append(("", message.function_call.name, canonical(message.function_call.arguments)))
    return Reading(
        text=said,
        reasoning="\n".join(filter(None, thoughts)),
        calls=tuple(calls),
        media=heard + len(getattr(message, "images", None) or ()),
        finish=FINISHES.get(choice.finish_reason, "OTHER"),
        used=used(completion.usage),
    )


def used(usage: Any) -> Used | None:
    """The counts of a usage object of the SDK, which are totals with what is in them, as buckets without anything in common."""
    if usage is None:
        return None
    inputs, outputs = usage.prompt_tokens_details, usage.completion_tokens_details
    cached = (inputs and inputs.cached_tokens) or getattr(usage, "num_cached_tokens", None) or 0
    written = getattr(inputs, "cache_write_tokens", None) or 0
    reasoning = (outputs and outputs.reasoning_tokens) or 0
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    beside = usage.total_tokens - prompt - completion
    if cached > prompt:  # Azure's Grok counts them beside the prompt
        return Used(prompt, cached, written, completion - reasoning, reasoning)
    if beside > 0 and inputs and beside == inputs.audio_tokens:  # Mistral's sound is beside the prompt
        return Used(prompt + beside - cached, cached, written, completion - reasoning, reasoning)
    if cached + written > prompt:  # OpenRouter counts what is written and read at once twice
        written = 0
    # What is counted beside both belongs to the answer: hidden reasoning.
    reasoning = reasoning or max(0, beside)
    output = completion + max(0, beside)
    return Used(prompt - cached - written, cached, written, output - reasoning, reasoning)
