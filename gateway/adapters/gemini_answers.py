"""What Gemini answers, in our terms."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterable

from gateway.adapters.base import (
    Answer,
    AnswerError,
    ProviderError,
    Refused,
    add_fields,
    check_error,
    count,
    name_of,
    objects,
    tool_call,
    usage_of,
    vendor_part,
)
from gateway.bodies import Json
from gateway.media import decoded, media_part
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

VENDOR = "gemini"
# Why it stopped: https://ai.google.dev/api/generate-content#FinishReason and google.genai.types.FinishReason. All others are OTHER.
FINISH_REASONS = {
    "STOP": gw.FINISH_REASON_STOP,
    "MAX_TOKENS": gw.FINISH_REASON_LENGTH,
    "CONTINUATION": gw.FINISH_REASON_LENGTH,
}
WITHHELD = frozenset(
    {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "ESCALATION"}
    | {"IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"}
)
"""By a filter, or because of what is in it."""
AT_FAULT = frozenset({"MISSING_THOUGHT_SIGNATURE", "PUP_LIMITED_DISABLED"})
"""What is no answer, but what is wrong with the request or the account."""
_NUMBERS = {1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION"}
"""Google's client for Vertex AI asks for enumerations as numbers, and proxies pass them on; the others mean different things there."""
_KINDS: dict[str, int] = {"image": ct.MODALITY_IMAGE, "video": ct.MODALITY_VIDEO, "audio": ct.MODALITY_AUDIO}
BEYOND = frozenset(
    {"avgLogprobs", "citationMetadata", "continuationToken", "finishMessage", "finishReason", "groundingMetadata", "logprobsResult"}
    | {"safetyRatings", "tokenCount", "urlContextMetadata", "candidates", "modelStatus", "promptFeedback", "usageMetadata"}
)
"""Fields of what an answer has beyond its parts. No part has one of these names."""
# Fields that are read, or say nothing that one could need.
_READ_OF_CANDIDATE = frozenset({"content", "finishReason", "index"})
_READ_OF_BODY = frozenset({"candidates", "usageMetadata", "modelVersion", "responseId", "createTime"})
_USUAL = frozenset({"", "on_demand", "standard", "1"})
"""Ways in which a call is served."""
RATE = 24_000
"""Samples a second of raw sound that does not say."""


def answer_of(body: Json) -> Answer:
    """The first candidate of a body; see ``gateway.adapters.base.Adapter.answer``."""
    check_error(body, "candidates")
    _check_prompt(body)
    candidates = objects(body, "candidates")
    first = candidates[0]
    reason = _reason(first)
    parts = _parts(first.get("content"))
    if reason in AT_FAULT:
        raise AnswerError(ProviderError(400, code=reason, message=_said(first, reason)))
    if reason in WITHHELD and not parts:
        raise Refused(_said(first, reason))
    finish = gw.FINISH_REASON_CONTENT_FILTER if reason in WITHHELD else FINISH_REASONS.get(reason, gw.FINISH_REASON_OTHER)
    if finish == gw.FINISH_REASON_STOP and any(part.HasField("tool_call") for part in parts):
        finish = gw.FINISH_REASON_TOOL_CALLS
    logprobs = _logprobs(first.get("logprobsResult"))
    if beyond := _beyond(body, candidates, reason, told=bool(logprobs)):
        parts.append(vendor_part(VENDOR, beyond))
    usage, known = used(body)
    return Answer(parts, finish, usage, known, name_of(body.get("modelVersion")), name_of(body.get("responseId")), logprobs=logprobs)


def used(body: Json) -> tuple[gw.Usage, bool]:
    """What a body says was used. Cached tokens are among the prompt's; those of tools' results and of thoughts are counted beside.

    What the total has beyond them is output: it is billed. https://ai.google.dev/api/generate-content#UsageMetadata
    """
    usage = body.get("usageMetadata")
    if not isinstance(usage, dict):
        return gw.Usage(), False
    prompt, results = count(usage, "promptTokenCount", None), count(usage, "toolUsePromptTokenCount")
    written, thought = count(usage, "candidatesTokenCount"), count(usage, "thoughtsTokenCount")
    inputs = None if prompt is None or results is None else prompt + results
    outputs = None if written is None or thought is None else written + thought
    total = count(usage, "totalTokenCount")
    if total and inputs is not None and outputs is not None and total > inputs + outputs:
        outputs = total - inputs
    return usage_of(total_input=inputs, cache_read=count(usage, "cachedContentTokenCount"), total_output=outputs, reasoning=thought)


def wav(data: bytes, mime_type: str) -> bytes:
    """Raw sound (audio/L16;codec=pcm;rate=24000: 16 bits, little-endian) as a WAV file."""
    said = dict(field.strip().partition("=")[::2] for field in mime_type.split(";")[1:])
    rate, channels = (count(said, name) or usual for name, usual in (("rate", RATE), ("channels", 1)))
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(data)
    return file.getvalue()


def _check_prompt(body: Json) -> None:
    """Raises Refused if the prompt was blocked. https://ai.google.dev/api/generate-content#PromptFeedback"""
    feedback = body.get("promptFeedback")
    if isinstance(feedback, dict) and (reason := feedback.get("blockReason")) and not body.get("candidates"):
        said = feedback.get("blockReasonMessage")
        raise Refused(f"the prompt was blocked: {name_of(reason)}" + (f", {said}" if isinstance(said, str) and said else ""))


def _reason(candidate: Json) -> str:
    reason = candidate.get("finishReason")
    return _NUMBERS.get(reason, "") if isinstance(reason, int) else name_of(reason)


def _said(candidate: Json, reason: str) -> str:
    said = candidate.get("finishMessage")
    return f"{reason}: {said}" if isinstance(said, str) and said else reason


def _parts(content: object) -> list[ct.Part]:
    """The parts of a content. One without parts is an answer that is empty, as of a model that thought until its limit."""
    if not isinstance(content, dict):
        if content is None:
            return []
        raise ValueError("a candidate's content is not an object")
    parts = content.get("parts")
    if parts is None:
        return []
    if not isinstance(parts, list):
        raise ValueError("content.parts is not a list")
    return [part for entry in parts if (part := part_of(entry)) is not None]


def part_of(entry: object) -> ct.Part | None:
    """One part of a content; None for an empty text. Raises ValueError for what is none."""
    if not isinstance(entry, dict):
        raise ValueError("content.parts has an entry that is not an object")
    thought = entry.get("thought") is True
    text, call, blob = entry.get("text"), entry.get("functionCall"), entry.get("inlineData")
    read = {"text", "thought"}
    if isinstance(text, str) or (thought and "thoughtSignature" in entry and blob is None):
        part = ct.Part(reasoning=ct.Reasoning(text=text or "")) if thought else ct.Part(text=text or "")
        if not text and not entry.keys() - read:
            return None
    elif isinstance(call, dict) and "partialArgs" not in call:
        read = {"functionCall"}
        part = tool_call(call.get("id"), call.get("name"), call.get("args"))
    elif isinstance(blob, dict) and not thought and (kind := _KINDS.get(name_of(blob.get("mimeType")).partition("/")[0])):
        read = {"inlineData"}
        part = _media(blob, kind)
    else:  # code and what it printed, searches, pictures on the way to the answer's
        return vendor_part(VENDOR, entry)
    fields = {name: value for name, value in entry.items() if name not in read}
    return add_fields(part, fields) if fields else part


def _media(blob: Json, kind: int) -> ct.Part:
    claimed = name_of(blob.get("mimeType")).lower()
    data = blob.get("data")
    if not isinstance(data, str):
        raise ValueError("inlineData without data")
    content = decoded(data)
    raw = claimed.startswith(("audio/l16", "audio/pcm"))
    return media_part(wav(content, claimed) if raw else content, kind, claimed)


def _beyond(body: Json, candidates: list[Json], reason: str, *, told: bool) -> Json:
    """What an answer has that our parts have not: citations, grounding, ratings, further candidates. told: logprobs are read."""
    first = candidates[0]
    beyond = {name: value for name, value in first.items() if name not in _READ_OF_CANDIDATE and value not in (None, "", [], {})}
    if told:
        beyond.pop("logprobsResult", None)
    if reason in FINISH_REASONS:
        beyond.pop("finishMessage", None)  # "Model generated function call(s)."
    elif reason:
        beyond["finishReason"] = reason
    if len(candidates) > 1:
        beyond["candidates"] = candidates[1:]
    beyond |= {name: value for name, value in body.items() if name not in _READ_OF_BODY and value not in (None, "", [], {})}
    if details := _usage_beyond(body.get("usageMetadata")):
        beyond["usageMetadata"] = details
    return beyond


def _usage_beyond(usage: object) -> Json:
    """Tokens of media, and how a call was served if that is not as usual."""
    if not isinstance(usage, dict):
        return {}
    found: Json = {}
    for name, value in usage.items():
        if isinstance(value, list):
            if any(isinstance(one, dict) and one.get("modality") not in ("TEXT", 1) for one in value):
                found[name] = value
        elif name in ("trafficType", "serviceTier") and name_of(value).lower() not in _USUAL:
            found[name] = value
    return found


def _logprobs(result: object) -> list[gw.TokenLogprob]:
    """The tokens of an answer; none if they are not there, or not as the API has them (they are then kept as they came)."""
    if not isinstance(result, dict):
        return []
    chosen, alternatives = result.get("chosenCandidates"), result.get("topCandidates") or []
    if not isinstance(chosen, list) or not isinstance(alternatives, list):
        return []
    try:
        tokens = list(_tokens(chosen))
        for token, others in zip(tokens, alternatives, strict=False):
            token.top.extend(_tokens(others.get("candidates") or []))
    except (AttributeError, TypeError, ValueError):
        return []
    return tokens


def _tokens(found: Iterable[Json]) -> Iterable[gw.TokenLogprob]:
    """A probability of 0 is left out by the API, as all zeros are."""
    for one in found:
        yield gw.TokenLogprob(token=one.get("token") or "", logprob=one.get("logProbability") or 0.0)  # type: ignore[arg-type]
