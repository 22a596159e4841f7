"""What Anthropic's SDK reads in a message, as a reading."""

from __future__ import annotations

from typing import Any

from anthropic._models import construct_type
from anthropic.types.beta import BetaMessage

from tests.gateway.wire.comparing import Reading, Used, canonical

FINISHES = {
    "end_turn": "STOP",
    "stop_sequence": "STOP",
    "max_tokens": "LENGTH",
    "model_context_window_exceeded": "LENGTH",
    "tool_use": "TOOL_CALLS",
}


def reading(body: Any) -> Reading:
    """The reading of a body that came with a good status."""
    message: Any = construct_type(type_=BetaMessage, value=body)
    if message.stop_reason == "refusal":
        return Reading(error="CONTENT_REFUSED")
    blocks = message.content
    return Reading(
        text="".join(block.text for block in blocks if block.type == "text"),
        reasoning="\n".join(block.thinking for block in blocks if block.type == "thinking" and block.thinking),
        calls=tuple((block.id, block.name, canonical(block.input)) for block in blocks if block.type == "tool_use"),
        finish=FINISHES.get(message.stop_reason, "OTHER"),
        used=used(message.usage),
    )


def used(usage: Any) -> Used:
    """Its counts of input have nothing in common; thinking is among the output."""
    thought = usage.output_tokens_details.thinking_tokens if usage.output_tokens_details else 0
    return Used(
        usage.input_tokens,
        usage.cache_read_input_tokens or 0,
        usage.cache_creation_input_tokens or 0,
        usage.output_tokens - thought,
        thought,
    )
