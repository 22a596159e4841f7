"""What OpenAI's SDK reads in a response, as a reading."""

from __future__ import annotations

from typing import Any

from openai._models import construct_type
from openai.types.responses import CompactedResponse, Response

from tests.gateway.wire.comparing import Reading, Used, canonical

REFUSED = Reading(error="CONTENT_REFUSED")


def reading(body: Any) -> Reading:
    """The reading of a body that came with a good status."""
    if body.get("object") == "response.compaction":  # items to go on with, and nothing that the model says
        return Reading(finish="STOP", used=used(construct_type(type_=CompactedResponse, value=body).usage))
    response: Any = construct_type(type_=Response, value=body)
    if response.status in ("queued", "in_progress"):
        return Reading(error="TRANSIENT")
    blocks = [block for item in response.output if item.type == "message" for block in item.content]
    reason = response.incomplete_details.reason if response.incomplete_details else ""
    if reason == "content_filter" or any(block.type == "refusal" for block in blocks):
        return REFUSED
    thoughts = ["\n".join(piece.text for piece in (item.content or item.summary)) for item in response.output if item.type == "reasoning"]
    calls = tuple((item.call_id, item.name, canonical(item.arguments)) for item in response.output if item.type == "function_call")
    finish = "TOOL_CALLS" if calls else "STOP"
    if response.status == "incomplete":
        finish = "LENGTH" if reason == "max_output_tokens" else "OTHER"
    return Reading(
        text=response.output_text,
        reasoning="\n".join(filter(None, thoughts)),
        calls=calls,
        media=sum(item.type == "image_generation_call" and bool(item.result) for item in response.output),
        finish=finish,
        used=used(response.usage),
    )


def used(usage: Any) -> Used | None:
    """Totals, with what is in them; None if they are not counted."""
    if not usage.total_tokens:
        return None
    inputs, outputs = usage.input_tokens_details, usage.output_tokens_details
    cached, written = inputs.cached_tokens or 0, getattr(inputs, "cache_write_tokens", None) or 0
    thought = outputs.reasoning_tokens or 0
    return Used(usage.input_tokens - cached - written, cached, written, usage.output_tokens - thought, thought)
