"""What a body says of parts of its usage that a provider bills apart: sound, pictures, an hour's cache, and the bill itself.

Read only for routes that need it. Shapes: OpenAI's chat, responses, images and transcriptions (and of servers like them), Anthropic's
messages, Mistral's sound, Gemini's counts by modality.
"""

from __future__ import annotations

import math
from decimal import Decimal

from gateway.adapters.base import count
from gateway.bodies import Json
from genlevel.v1 import gateway_pb2 as gw

_MOST_NANO_USD = 10**15
"""A million dollars for a call is no bill."""


def add_details(usage: gw.Usage, body: Json, bill: str = "") -> None:
    """Adds what a body says to the usage that was read in it: usage.details is there if it says anything.

    bill: where its usage says what the provider bills (``Provider.bill``); "" = nowhere.

    Example:
        >>> usage = gw.Usage(input_tokens=50)
        >>> add_details(usage, {"usage": {"prompt_tokens_details": {"audio_tokens": 40}}})
        >>> usage.details.input_audio_tokens
        40
    """
    said = body.get("usage") or body.get("usageMetadata")
    if not isinstance(said, dict):
        return
    details = gw.UsageDetails()
    told = _modalities(said, details, usage) | _objects(said, details, usage) | _seconds(said, details)
    if usage.cache_write_tokens and (hour := count(said.get("cache_creation"), "ephemeral_1h_input_tokens")):
        details.cache_write_hour_tokens, told = min(hour, usage.cache_write_tokens), True
    if bill and (billed := billed_nano_usd(said, bill)) is not None:
        details.billed_nano_usd, told = billed, True
    if told:
        usage.details.MergeFrom(details)
        usage.details.SetInParent()


def billed_nano_usd(said: Json, bill: str) -> int | None:
    """What a usage says that is billed, in nano-dollars; None if it says nothing that can be read.

    bill: the path of a number of dollars, or of xAI's ticks of 1e-10 dollars. What OpenRouter's customer pays the upstream's own account
    (is_byok) comes on top.

    Example:
        >>> billed_nano_usd({"cost": {"total_cost": 0.00502}}, "cost.total_cost")
        5020000
    """
    amount = _number(said, bill)
    if amount is None:
        return None
    if said.get("is_byok") is True:
        beside = _number(said, "cost_details.upstream_inference_cost")
        if beside is None:
            return None
        amount += beside
    nano = round(amount / 10) if bill.endswith("_ticks") else round(amount * 1_000_000_000)
    return nano if 0 <= nano <= _MOST_NANO_USD else None


def _number(said: Json, path: str) -> Decimal | None:
    value: object = said
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return Decimal(repr(value))


def _objects(said: Json, details: gw.UsageDetails, usage: gw.Usage) -> bool:
    """OpenAI's details: counts by their names in an object of what went in, and one of what came out."""
    told = False
    for inputs in (said.get("prompt_tokens_details"), said.get("input_tokens_details"), said.get("input_token_details")):
        if isinstance(inputs, dict) and ("audio_tokens" in inputs or "image_tokens" in inputs):
            told = True
            details.input_audio_tokens = min(count(inputs, "audio_tokens") or 0, usage.input_tokens)
            details.input_image_tokens = min(count(inputs, "image_tokens") or 0, usage.input_tokens - details.input_audio_tokens)
    for outputs in (said.get("completion_tokens_details"), said.get("output_tokens_details")):
        if isinstance(outputs, dict) and ("audio_tokens" in outputs or "image_tokens" in outputs):
            told = True
            details.output_audio_tokens = min(count(outputs, "audio_tokens") or 0, usage.output_tokens)
            details.output_image_tokens = min(count(outputs, "image_tokens") or 0, usage.output_tokens - details.output_audio_tokens)
    return told


def _modalities(said: Json, details: gw.UsageDetails, usage: gw.Usage) -> bool:
    """Gemini's details: lists of {modality, tokenCount}; what went in has the cached ones among it."""
    if not isinstance(said.get("promptTokensDetails"), list):
        return False
    cached = min(_of(said, "cacheTokensDetails", "AUDIO"), usage.cache_read_tokens)
    details.cache_read_audio_tokens = cached
    details.input_audio_tokens = min(max(_of(said, "promptTokensDetails", "AUDIO") - cached, 0), usage.input_tokens)
    details.output_image_tokens = min(_of(said, "candidatesTokensDetails", "IMAGE"), usage.output_tokens)
    details.output_audio_tokens = min(_of(said, "candidatesTokensDetails", "AUDIO"), usage.output_tokens - details.output_image_tokens)
    return True


def _of(said: Json, name: str, modality: str) -> int:
    listed = said.get(name)
    entries = listed if isinstance(listed, list) else ()
    return sum(count(one, "tokenCount") or 0 for one in entries if isinstance(one, dict) and one.get("modality") == modality)


def _seconds(said: Json, details: gw.UsageDetails) -> bool:
    """The length of sound that went in: Mistral's field, which is there (null) without sound, and that of transcriptions."""
    for name in ("prompt_audio_seconds", "seconds"):
        if name in said:
            seconds = _number(said, name)
            details.input_milliseconds = round((seconds or 0) * 1000) if seconds is None or 0 <= seconds <= 1_000_000 else 0
            return True
    return False
