"""What the cohere package reads in an answer, as a reading."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.gateway.wire.comparing import Reading, Used, canonical

if TYPE_CHECKING:
    from cohere.types import Usage

# The package is imported where it is used: only tests with recorded exchanges have it.
FINISHES = {"COMPLETE": "STOP", "STOP_SEQUENCE": "STOP", "MAX_TOKENS": "LENGTH", "TOOL_CALL": "TOOL_CALLS"}


def reading(body: Any) -> Reading:
    """The reading of a body that came with a good status."""
    from cohere.core.unchecked_base_model import construct_type
    from cohere.v2.types import V2ChatResponse

    answer: Any = construct_type(type_=V2ChatResponse, object_=body)
    message = answer.message
    return Reading(
        text="".join(block.text for block in message.content or () if block.type == "text"),
        reasoning="\n".join(block.thinking for block in message.content or () if block.type == "thinking"),
        calls=tuple((call.id, call.function.name, canonical(call.function.arguments)) for call in message.tool_calls or ()),
        finish=FINISHES.get(answer.finish_reason, "OTHER"),
        used=used(answer.usage),
    )


def stream_reading(body: bytes) -> Reading:
    """The reading of a stream: its events one after the other."""
    from cohere.core.unchecked_base_model import construct_type
    from cohere.v2.types import V2ChatStreamResponse

    said, thought, finish, billed = "", "", "", None
    calls: list[list[str]] = []
    for line in body.decode().splitlines():
        if not line.startswith("data:") or line == "data: [DONE]":
            continue
        event: Any = construct_type(type_=V2ChatStreamResponse, object_=json.loads(line.removeprefix("data:")))
        match event.type:
            case "content-start" | "content-delta":
                said += event.delta.message.content.text or ""
                thought += event.delta.message.content.thinking or ""
            case "tool-call-start":
                call = event.delta.message.tool_calls
                calls.append([call.id, call.function.name, call.function.arguments])
            case "tool-call-delta":
                calls[-1][2] += event.delta.message.tool_calls.function.arguments
            case "message-end":
                finish, billed = event.delta.finish_reason, used(event.delta.usage)
    called = tuple((call_id, name, canonical(arguments)) for call_id, name, arguments in calls)
    return Reading(said, thought, called, 0, FINISHES.get(finish, "OTHER"), billed)


def older_reading(body: bytes, *, streamed: bool) -> Reading:
    """The reading of an answer of version 1 of the API; a stream's last line has all of it."""
    from cohere.core.unchecked_base_model import construct_type
    from cohere.types import NonStreamedChatResponse

    whole = json.loads(body.splitlines()[-1])["response"] if streamed else json.loads(body)
    answer: Any = construct_type(type_=NonStreamedChatResponse, object_=whole)
    billed = answer.meta.billed_units
    used_up = Used(int(billed.input_tokens), 0, 0, int(billed.output_tokens), 0)
    return Reading(text=answer.text, finish=FINISHES.get(answer.finish_reason, "OTHER"), used=used_up)


def used(usage: Usage | None) -> Used | None:
    """What is billed; reasoning is part of it, as far as that goes."""
    if usage is None or usage.billed_units is None:
        return None
    billed = usage.billed_units
    output = int(billed.output_tokens or 0)
    reasoning = min(int(getattr(usage.tokens, "reasoning_tokens", None) or 0), output)
    return Used(int(billed.input_tokens or 0), 0, 0, output - reasoning, reasoning)
