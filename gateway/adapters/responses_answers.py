"""What a response of OpenAI's responses API says, and that of others who speak it. Source: the openai package's types.responses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.adapters.base import (
    AnswerError,
    Refused,
    add_fields,
    entries,
    error_of,
    tool_call,
    vendor_part,
)
from gateway.adapters.beside import beside, counts_something, says_something
from gateway.adapters.chat_answers import is_flagged, token_logprob
from gateway.adapters.responses_requests import CUSTOM_CALL, message_fields
from gateway.bodies import Json
from gateway.media import decoded, media_part
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

# Calls that the caller has to answer. openai.types.responses: ResponseComputerToolCall and the like.
PENDING = frozenset({"computer_call", "local_shell_call", "shell_call", "apply_patch_call", "mcp_approval_request"})

# What is read, and what only repeats the request or says when and for whom the answer was made.
_TOP = frozenset(
    {
        "background",
        "billing",
        "completed_at",
        "content_filters",
        "conversation",
        "created",
        "created_at",
        "error",
        "frequency_penalty",
        "id",
        "include",
        "incomplete_details",
        "instructions",
        "logprobs",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "model",
        "n",
        "object",
        "output",
        "output_text",
        "parallel_tool_calls",
        "presence_penalty",
        "previous_response_id",
        "prompt",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning",
        "safety_identifier",
        "seed",
        "service_tier",
        "status",
        "store",
        "stream",
        "temperature",
        "text",
        "tool_choice",
        "tool_usage",
        "tools",
        "top_logprobs",
        "top_p",
        "total_tokens",
        "truncation",
        "usage",
        "user",
    }
)
_MESSAGE_TEXT = frozenset({"type", "text", "logprobs"})
_CALL = frozenset(["type", "call_id", "name", "arguments", "id", "status", "item_id", "output_index"])
_CUSTOM = frozenset(["call_id", "name", "input", "id", "status"])
_REASONING = frozenset({"type", "id", "status"})
_PICTURE = frozenset({"type", "result", "status", "error"})
_USUAL_TIERS = frozenset({"default", "auto", "standard"})
# openai.types.responses.ResponseUsage; xAI's: https://docs.x.ai/docs/api-reference#create-new-response
_USAGE = frozenset(
    {
        "context_details",
        "cost_in_usd_ticks",
        "input_tokens",
        "input_tokens_details",
        "output_tokens",
        "output_tokens_details",
        "total_tokens",
    }
)


def parts_of(output: Iterable[object], vendor: str) -> list[ct.Part]:
    """The parts of an output. vendor: whose its vendor parts are. Raises Refused for a refusal, AnswerError for a picture that failed."""
    return [part for item in output for part in _parts(item, vendor)]


def logprobs_of(output: Iterable[Json]) -> list[gw.TokenLogprob]:
    """Log probabilities of the tokens of its texts, if they were asked for."""
    found = [block for item in output if item.get("type") == "message" for block in entries(item, "content") if block.get("logprobs")]
    return [token_logprob(row) for block in found for row in entries(block, "logprobs")]


def is_pending(output: Iterable[Json]) -> bool:
    """Whether the caller has to answer something before the model goes on."""
    return any(item.get("type") in PENDING for item in output)


def left_of(body: Json) -> Json:
    """What a response says beyond what the contract has a place for; mostly nothing."""
    left = beside(body, _TOP)
    if (tier := body.get("service_tier")) and tier not in _USUAL_TIERS:
        left["service_tier"] = tier
    if (filters := body.get("content_filters")) and is_flagged(filters):
        left["content_filters"] = filters
    if counts_something(used := body.get("tool_usage")):
        left["tool_usage"] = used
    usage = body.get("usage")
    if isinstance(usage, dict) and (more := beside(usage, _USAGE)):
        more = {name: value for name, value in more.items() if counts_something(value)}
        left |= {"usage": more} if more else {}
    details = body.get("incomplete_details")
    if isinstance(details, dict) and details.get("reason") not in (None, "max_output_tokens"):
        left["incomplete_details"] = details
    return left


def _parts(item: object, vendor: str) -> list[ct.Part]:
    if not isinstance(item, dict):
        raise ValueError("output has an item that is not an object")
    match item.get("type"):
        case "message" if item.get("role") in ("assistant", None):
            own = message_fields(item)
            return [part for block in entries(item, "content") for part in _text(block, own, vendor)]
        case "reasoning":
            return _reasoning(item)
        case "function_call":
            part = tool_call(item.get("call_id"), item.get("name"), item.get("arguments"))
            return [_with(part, beside(item, _CALL))]
        case "custom_tool_call":
            part = tool_call(item.get("call_id"), item.get("name"), item.get("input"))
            return [_with(part, {**beside(item, _CUSTOM), "type": CUSTOM_CALL})]
        case "image_generation_call" if item.get("result"):
            return [_with(media_part(decoded(item["result"]), ct.MODALITY_IMAGE), beside(item, _PICTURE))]
        case "image_generation_call" if item.get("error"):
            raise AnswerError(error_of(200, {"error": item["error"]}, {}))
    return [vendor_part(vendor, item)]


def _text(block: Json, of_message: Mapping[str, object], vendor: str) -> list[ct.Part]:
    kind, text = block.get("type"), block.get("text")
    if kind == "refusal":
        raise Refused(str(block.get("refusal") or "no reason given"))
    if kind not in ("output_text", "text"):
        return [vendor_part(vendor, block)]
    if not isinstance(text, str):
        raise ValueError("a text of its output is none")
    fields = beside(block, _MESSAGE_TEXT)
    if of_message:
        fields["message"] = dict(of_message)
    return [_with(ct.Part(text=text), fields)] if text or block.get("annotations") else []


def _reasoning(item: Json) -> list[ct.Part]:
    """Its text, and what its provider wants back of it: its encrypted form, and texts if they are several."""
    content, summary = entries(item, "content"), entries(item, "summary")
    text = "\n".join(str(piece["text"]) for piece in (content or summary))
    fields = beside(item, _REASONING)
    if not content and len(summary) <= 1:
        fields.pop("summary", None)
    if not text and not fields:
        return []
    return [_with(ct.Part(reasoning=ct.Reasoning(text=text)), fields)]


def _with(part: ct.Part, fields: Json) -> ct.Part:
    return add_fields(part, fields) if says_something(fields) else part
