"""What google-genai reads in an answer of Gemini's, as a reading."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import Any

from tests.gateway.wire.comparing import Reading, Used, canonical

FINISHES = {"STOP": "STOP", "MAX_TOKENS": "LENGTH"}
WITHHELD = frozenset({"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"})
KINDS = ("image/", "video/", "audio/")
NUMBERS = {1: "STOP", 2: "MAX_TOKENS"}
"""An exchange of Google's older SDK has enumerations as numbers, which google-genai cannot read."""


def reading(chunks: Sequence[dict[str, Any]]) -> Reading:
    """The reading of a body that came with a good status, or of the chunks of a stream, each of which has the form of one."""
    answers = [parsed(chunk) for chunk in chunks]
    candidates = [answer.candidates[0] for answer in answers if answer.candidates]
    if not candidates:
        return Reading(error="CONTENT_REFUSED")
    parts = [part for candidate in candidates if candidate.content for part in candidate.content.parts or ()]
    ended = [candidate.finish_reason.value for candidate in candidates if candidate.finish_reason][-1]
    if ended in WITHHELD and not parts:
        return Reading(error="CONTENT_REFUSED")
    calls = [
        (part.function_call.id or "", part.function_call.name, canonical(part.function_call.args or {}))
        for part in parts
        if part.function_call
    ]
    finish = FINISHES.get(ended, "OTHER")
    return Reading(
        text="".join(part.text for part in parts if part.text and not part.thought),
        reasoning=_thoughts(parts),
        calls=tuple(calls),
        media=sum(bool(part.inline_data and part.inline_data.mime_type.startswith(KINDS) and not part.thought) for part in parts),
        finish="TOOL_CALLS" if calls and finish == "STOP" else finish,
        used=_used([answer.usage_metadata for answer in answers if answer.usage_metadata]),
    )


def parsed(chunk: dict[str, Any]) -> Any:
    """What google-genai makes of one answer, or chunk of a stream."""
    from google.genai import models, types

    body = copy.deepcopy(chunk)
    for candidate in body.get("candidates", ()):
        if isinstance(candidate.get("finishReason"), int):
            candidate["finishReason"] = NUMBERS[candidate["finishReason"]]
    usage = body.get("usageMetadata", {})
    body["usageMetadata"] = {name: value for name, value in usage.items() if not isinstance(value, list) and name != "trafficType"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that this version of it does not know
        return types.GenerateContentResponse._from_response(
            response=models._GenerateContentResponse_from_mldev(body), kwargs={"config": {}}
        )


def _thoughts(parts: Sequence[Any]) -> str:
    """Thoughts in a row are one text; others are told apart by a line break."""
    texts: list[str] = []
    before = None
    for part in parts:
        if part.text and part.thought:
            if before is not None and before.thought:
                texts[-1] += part.text
            else:
                texts.append(part.text)
        before = part
    return "\n".join(texts)


def _used(usages: Sequence[Any]) -> Used | None:
    """Of a stream its last counts, which are totals."""
    if not usages:
        return None
    usage = usages[-1]
    cached = usage.cached_content_token_count or 0
    inputs = (usage.prompt_token_count or 0) + (usage.tool_use_prompt_token_count or 0)
    return Used(inputs - cached, cached, 0, usage.candidates_token_count or 0, usage.thoughts_token_count or 0)
