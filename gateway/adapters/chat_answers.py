"""What chat completions say, OpenAI's and those of other servers that speak the format. Source: the openai package's types.chat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from gateway.adapters.base import (
    Answer,
    AnswerError,
    Refused,
    add_fields,
    check_error,
    count,
    entries,
    error_of,
    name_of,
    objects,
    tool_call,
    usage_of,
    vendor_part,
)
from gateway.adapters.beside import beside
from gateway.adapters.chat_requests import OLDER_CALL
from gateway.bodies import Json
from gateway.media import data_uri, decoded, media_part
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

FINISH_REASONS = {
    "stop": gw.FINISH_REASON_STOP,
    "eos": gw.FINISH_REASON_STOP,  # Together: https://docs.together.ai/reference/chat-completions
    "eos_token": gw.FINISH_REASON_STOP,  # text-generation-inference
    "stop_sequence": gw.FINISH_REASON_STOP,
    "end_turn": gw.FINISH_REASON_STOP,  # xAI: https://docs.x.ai/docs/api-reference#chat-completions
    "length": gw.FINISH_REASON_LENGTH,
    "max_tokens": gw.FINISH_REASON_LENGTH,
    "model_length": gw.FINISH_REASON_LENGTH,  # Mistral: https://docs.mistral.ai/api
    "model_context_window_exceeded": gw.FINISH_REASON_LENGTH,  # Z.ai: https://docs.z.ai/api-reference/llm/chat-completion
    "tool_calls": gw.FINISH_REASON_TOOL_CALLS,
    "function_call": gw.FINISH_REASON_TOOL_CALLS,
}
# OpenAI, Azure; Z.ai
WITHHELD = frozenset({"content_filter", "sensitive"})
# The upstream failed after it had begun to answer. OpenRouter; Mistral; DeepSeek; Z.ai
BROKEN = frozenset({"error", "insufficient_system_resource", "network_error"})
FAILED = {"type": "server_error", "message": "the answer ended with an error"}

# What is read, and what says nothing of the answer: when it was made, and how long that took.
_TOP = frozenset(
    {
        "choices",
        "created",
        "error",
        "id",
        "kv_transfer_params",
        "model",
        "object",
        "prompt_filter_results",
        "prompt_token_ids",
        "request_id",
        "service_tier",
        "system_fingerprint",
        "time_info",
        "timings",
        "usage",
        "usage_breakdown",
        "x_groq",
    }
)
_CHOICE = frozenset({"content_filter_results", "delta", "error", "finish_reason", "index", "logprobs", "message", "native_finish_reason"})
_MESSAGE = frozenset(
    {
        "annotations",
        "audio",
        "content",
        "function_call",
        "images",
        "reasoning",
        "reasoning_content",
        "reasoning_details",
        "refusal",
        "role",
        "tool_calls",
    }
)
_CALL = frozenset(["id", "type", "index", "function", "custom"])
_TEXT = frozenset({"type", "text"})
_THINKING = frozenset({"type", "thinking", "closed"})
_USUAL_TIERS = frozenset({"default", "standard", "auto", "on_demand", "on-demand"})


def read(body: Json, vendor: str, counts: Callable[[Json], tuple[gw.Usage, bool]]) -> Answer:
    """The first choice of a completion; all else that it says goes into vendor parts.

    vendor: whose those are. counts: reads what was used, and whether that is known.

    Raises Refused, AnswerError, LookupError, TypeError, ValueError or AttributeError.
    """
    check_error(body, "choices")
    choices = objects(body, "choices")
    choice = choices[0]
    finish = choice.get("finish_reason")
    if choice.get("error") or (isinstance(finish, str) and finish in BROKEN):
        raise AnswerError(error_of(200, {"error": choice.get("error") or FAILED}, {}))
    message = choice.get("message")
    if isinstance(message, dict) and message.get("refusal"):
        raise Refused(str(message["refusal"]))
    if isinstance(finish, str) and finish in WITHHELD:
        raise Refused("the answer was withheld by the provider's content filter")
    if not isinstance(message, dict):
        raise ValueError("choices[0] has no message" + (", only a piece of a stream" if "delta" in choice else ""))
    parts = _parts(message, vendor)
    if left := _left(body, choices, message):
        parts.append(vendor_part(vendor, left))
    usage, has_usage = counts(body)
    finish_reason = finish_of(choice)
    fingerprint = name_of(body.get("system_fingerprint"))
    logprobs = _logprobs(choice["logprobs"]) if choice.get("logprobs") else ()
    return Answer(parts, finish_reason, usage, has_usage, name_of(body.get("model")), name_of(body.get("id")), fingerprint, logprobs)


def finish_of(choice: Json) -> int:
    """Why a choice ended: a gw.FinishReason."""
    finish = choice.get("finish_reason")
    return FINISH_REASONS.get(finish, gw.FINISH_REASON_OTHER) if isinstance(finish, str) else gw.FINISH_REASON_OTHER


def usage_in(body: Json) -> tuple[gw.Usage, bool]:
    """Totals, with the cached ones among the prompt's and those of reasoning among the completion's, or beside them."""
    usage = body.get("usage")
    if not isinstance(usage, dict):
        return gw.Usage(), False
    prompt, completion = count(usage, "prompt_tokens", None), count(usage, "completion_tokens", None)
    inputs, outputs = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    read, written = count(inputs, "cached_tokens"), count(inputs, "cache_write_tokens")
    if read == 0:
        # Mistral; Moonshot; DeepSeek
        read = count(usage, "num_cached_tokens") or count(usage, "cached_tokens") or count(usage, "prompt_cache_hit_tokens")
    reasoning, total, heard = count(outputs, "reasoning_tokens"), count(usage, "total_tokens"), count(inputs, "audio_tokens")
    if total and prompt is not None and completion is not None and (beside_both := total - prompt - completion) > 0:
        if beside_both == heard:  # Voxtral's sound is no part of its prompt
            prompt += beside_both
        elif beside_both != (read or 0) + (written or 0):
            # Some servers count reasoning beside the completion, not in it; Gemini's says so nowhere else.
            completion += beside_both
            reasoning = reasoning or beside_both
    return usage_of(total_input=prompt, cache_read=read, cache_write=written, total_output=completion, reasoning=reasoning)


def _parts(message: Json, vendor: str) -> list[ct.Part]:
    parts = []
    details = message.get("reasoning_details")
    thought = message.get("reasoning_content") or message.get("reasoning")
    if details or thought:
        parts.extend(_thought(thought, details))
    said = _content_parts(message.get("content"), vendor)
    if annotations := message.get("annotations"):
        text = next((part for part in said if part.HasField("text")), None)
        if text is None:
            said.append(vendor_part(vendor, {"message": {"annotations": annotations}}))
        else:
            add_fields(text, {"annotations": annotations})
    parts += said
    if message.get("images"):
        parts += [_image_part(block, vendor) for block in entries(message, "images")]
    if isinstance(audio := message.get("audio"), dict):
        if transcript := audio.get("transcript"):
            parts.append(ct.Part(text=transcript))
        if data := audio.get("data"):
            spoken = media_part(decoded(data), ct.MODALITY_AUDIO)
            parts.append(add_fields(spoken, {"audio": {"id": audio["id"]}}) if audio.get("id") else spoken)
    if message.get("tool_calls"):
        parts += map(_call, entries(message, "tool_calls"))
    function = message.get(OLDER_CALL)
    if isinstance(function, dict) and function.get("name"):
        parts.append(add_fields(tool_call("", function["name"], function.get("arguments")), {"type": OLDER_CALL}))
    return parts


def _thought(thought: object, details: object) -> list[ct.Part]:
    """Reasoning, with what its provider wants back of it. Its text may stand in those details alone."""
    kept = details if isinstance(details, list) else []
    if not isinstance(thought, str) or not thought:
        found = [one.get("text") or one.get("summary") for one in kept if isinstance(one, dict)]
        thought = "\n".join(text for text in found if isinstance(text, str) and text)
    if not thought and not kept:
        return []
    part = ct.Part(reasoning=ct.Reasoning(text=thought))
    return [add_fields(part, {"reasoning_details": kept}) if kept else part]


def _call(call: Json) -> ct.Part:
    function = call.get("function")
    if call.get("type") == "custom" and isinstance(custom := call.get("custom"), dict):  # a tool that takes any text
        return add_fields(tool_call(call.get("id"), custom.get("name"), custom.get("input")), {"type": "custom", "custom": custom})
    asked = function if isinstance(function, dict) else {}
    part = tool_call(call.get("id"), asked.get("name"), asked.get("arguments"))
    left = beside(call, _CALL)
    return add_fields(part, left) if left else part


def _left(body: Json, choices: Sequence[Json], message: Json) -> Json:
    """What an answer says beyond what the contract has a place for; mostly nothing."""
    left = beside(body, _TOP)
    if (tier := body.get("service_tier")) and tier not in _USUAL_TIERS:
        left["service_tier"] = tier
    if (filtered := body.get("prompt_filter_results")) and is_flagged(filtered):
        left["prompt_filter_results"] = filtered
    choice = choices[0]
    left |= beside(choice, _CHOICE)
    if (native := choice.get("native_finish_reason")) and finish_of(choice) == gw.FINISH_REASON_OTHER:
        left["native_finish_reason"] = native
    if (filtered := choice.get("content_filter_results")) and is_flagged(filtered):
        left["content_filter_results"] = filtered
    if of_message := beside(message, _MESSAGE):
        left["message"] = of_message
    if len(choices) > 1:
        left["choices"] = choices[1:]
    return left


def is_flagged(value: object) -> bool:
    """Whether Azure's filters found something.

    Source: https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter (annotations).
    """
    if isinstance(value, dict):
        return any(
            (name in ("filtered", "detected") and one is True) or (name == "severity" and one != "safe") or is_flagged(one)
            for name, one in value.items()
        )
    return isinstance(value, list) and any(map(is_flagged, value))


def _logprobs(said: object) -> list[gw.TokenLogprob]:
    """OpenAI's form, {"content": [{token, logprob, top_logprobs}]}, or the older one of parallel lists, which Together answers."""
    if not isinstance(said, dict):
        return []
    if isinstance(tokens := said.get("tokens"), list) and isinstance(values := said.get("token_logprobs"), list):
        tops = said.get("top_logprobs")
        above = tops if isinstance(tops, list) and len(tops) == len(tokens) else [None] * len(tokens)
        rows: Iterable[object] = (
            {"token": token, "logprob": value, "top_logprobs": [{"token": name, "logprob": one} for name, one in (top or {}).items()]}
            for token, value, top in zip(tokens, values, above, strict=False)
        )
    else:
        rows = said.get("content") or ()
    return [token_logprob(row) for row in rows if isinstance(row, dict)]


def token_logprob(row: Json) -> gw.TokenLogprob:
    """One token with its alternatives: {token, logprob, top_logprobs}."""
    value = row.get("logprob")
    found = gw.TokenLogprob(token=str(row.get("token") or ""), logprob=float(value) if isinstance(value, (int, float)) else 0.0)
    top = row.get("top_logprobs")
    found.top.extend(
        token_logprob({**one, "top_logprobs": None}) for one in (top if isinstance(top, list) else ()) if isinstance(one, dict)
    )
    return found


def _content_parts(value: object, vendor: str) -> list[ct.Part]:
    """The parts of an answer: one text, or blocks, as some servers answer. Raises Refused for a block that is a refusal."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [ct.Part(text=value)]
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        raise ValueError("the message's content is neither text nor blocks")
    return [part for block in value for part in _block_parts(block, vendor)]


def _block_parts(block: object, vendor: str) -> list[ct.Part]:
    if isinstance(block, str):
        return [ct.Part(text=block)] if block else []
    if not isinstance(block, dict):
        raise ValueError("the message's content has a block that is neither text nor an object")
    kind = block.get("type")
    if kind == "refusal":
        raise Refused(str(block.get("refusal") or "no reason given"))
    if kind == "image_url":
        return [_image_part(block, vendor)]
    text = block.get("text")
    if kind in ("text", "output_text", None) and (isinstance(text, str) or (text is None and kind)):
        left = beside(block, _TEXT)
        if not text and not left:
            return []
        part = ct.Part(text=text or "")
        return [add_fields(part, left) if left else part]
    if kind == "thinking" and (thought := _thinking(block.get("thinking"))) is not None:  # Mistral
        left = beside(block, _THINKING)
        if isinstance(block["thinking"], list) and len(block["thinking"]) > 1:
            left["thinking"] = block["thinking"]
        part = ct.Part(reasoning=ct.Reasoning(text=thought))
        return [add_fields(part, left) if left else part] if thought or left else []
    return [vendor_part(vendor, block)]


def _thinking(value: object) -> str | None:
    """The text of a block of thinking; None if there is more in it than text."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return None
    texts = [one.get("text") if isinstance(one, dict) and one.get("type") == "text" else None for one in value]
    return "".join(map(str, texts)) if all(isinstance(text, str) for text in texts) else None


def _image_part(block: Json, vendor: str) -> ct.Part:
    """A picture; one that is only named by its address stays as it came."""
    image = block.get("image_url")
    url = image.get("url") if isinstance(image, dict) else image
    if not isinstance(url, str):
        raise ValueError("an image without its address")
    if url.startswith("https://"):
        return vendor_part(vendor, {"type": "image_url", **block})
    return media_part(data_uri(url), ct.MODALITY_IMAGE)
