"""The smallest calls that say what works at a model, as values: what is asked, the most that it can cost, and what an answer shows."""

from __future__ import annotations

import base64
import io
import json
import wave
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from evaluator.planning.prices import media_bounds, most_tokens, worst_case_nano_usd
from genlevel.runtime.errors import CallFailed, ErrorClass, GenlevelError
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

LIMIT = 16
"""Output tokens of a call: the least that OpenAI's responses API takes."""
THINKING_LIMIT = 512
"""Of a model that may think before it answers: such a call may end before it says anything, and has worked all the same."""
_TEXT = "Reply with the word OK and nothing else."
_PICTURE_TEXT = "What colour is this picture? Answer with one word."
_MOST_PICTURE_TOKENS = 5_000
_MOST_SOUND_TOKENS = 100
# A red square of 32 pixels: some APIs refuse smaller ones.
_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAJ0lEQVR42u3NsQkAAAjAsP7/tF7hIASyp6lTCQQCgUAgEAgEgi/BAjLD/C5w/SM9AAAAAElFTkSuQmCC"
)
_SCHEMA = json.dumps(
    {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"], "additionalProperties": False}
)
_TOOL = json.dumps({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing. works: None = it was not asked, and said says why. reason: the error's class if it does not work."""

    check: str
    works: bool | None
    said: str = ""
    reason: str = ""


Verdict = tuple[bool | None, str]
"""Whether it works, as in Finding, and what is to be said of it."""
Judge = Callable[[gw.GenerateResponse], Verdict]


@dataclass(frozen=True, slots=True)
class Check:
    """One call. most_input_tokens: an upper bound. images, seconds: of media that it makes. unknown: why its cost has no bound, or ""."""

    name: str
    request: gw.GenerateRequest
    judge: Judge
    most_input_tokens: int
    images: int = 0
    seconds: float = 0.0
    hears: bool = False
    streamed: bool = False
    unknown: str = ""


def checks_of(model: gw.ModelInfo) -> tuple[list[Check], list[Finding]]:
    """The calls that say what works at a model, the first of them the plainest; and what is known without one."""
    if ct.MODALITY_TEXT not in model.output_modalities:
        return [_made(model)], []
    if ct.MODALITY_TEXT not in model.input_modalities:
        first = _check(model, "answer", _heard)
        return [first, replace(first, name="stream", judge=_streamed, streamed=True)], [_batches(model)]
    first = _check(model, "answer", _answered)
    calls = [first, _check(model, "temperature 0", _applied("temperature"), gw.GenerationParameters(temperature=0.0))]
    known: list[Finding] = []
    if model.takes_seed:
        calls.append(_check(model, "seed", _applied("seed"), gw.GenerationParameters(seed=1)))
    else:
        known.append(Finding("seed", None, "its API takes none"))
    for name, modality, media in (("picture", ct.MODALITY_IMAGE, _picture), ("sound", ct.MODALITY_AUDIO, _sound)):
        if modality in model.input_modalities:
            calls.append(_check(model, name, _answered, media=media()))
        else:
            known.append(Finding(name, None, "it is not said to take any"))
    calls.append(_check(model, "JSON schema", _follows, gw.GenerationParameters(response_schema_json=_SCHEMA)))
    calls.append(_with_tool(model))
    calls.append(replace(_check(model, "stream", _streamed), streamed=True))
    return calls, [*known, _batches(model)]


def _batches(model: gw.ModelInfo) -> Finding:
    if not model.HasField("batch"):
        return Finding("batches", None, "its provider has none that are known here")
    return Finding("batches", None, f"up to {model.batch.items:,} calls at {model.batch.price_factor} of the price; not tried")


def most_nano_usd(model: gw.ModelInfo, check: Check) -> int | None:
    """The most that a call can cost in nano-dollars; None: nobody can tell."""
    if not model.HasField("price"):
        return None if model.charges else 0
    if check.unknown:
        return None
    limit = check.request.parameters.max_output_tokens
    tokens = limit if ct.MODALITY_TEXT in model.output_modalities else model.max_output_tokens_per_image * check.images
    return worst_case_nano_usd(
        model.price,
        check.most_input_tokens,
        tokens,
        images=check.images,
        seconds=check.seconds,
        input_seconds=1.0 if check.hears else 0.0,
        characters=len(_TEXT),
        hears=check.hears,
    )


def failed(check: Check, error: GenlevelError) -> list[Finding]:
    """What a failed call shows: of the first one, also whether it is the key or the model."""
    kind = error.error_class if isinstance(error, CallFailed) else None
    offered = kind is not ErrorClass.UNSUPPORTED  # the gateway's own word, if the API has no such thing
    finding = Finding(check.name, False if offered else None, str(error), _reason(error))
    if check.name not in ("answer", "made"):
        return [finding]
    if kind is ErrorClass.CREDENTIAL:
        return [Finding("key", False, str(error), _reason(error))]
    if kind in (ErrorClass.MODEL_GONE, ErrorClass.MODEL_ACCESS):
        return [Finding("key", True), Finding("model", False, str(error), _reason(error))]
    return [finding]


def shown(check: Check, response: gw.GenerateResponse) -> list[Finding]:
    """What an answer shows; the first one, of key, model and usage, too."""
    works, said = check.judge(response)
    finding = Finding(check.name, works, said)
    if check.name not in ("answer", "made"):
        return [finding]
    usage = response.usage
    told = f"{usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens} tokens in, {_out(usage)} out"
    findings = [Finding("key", True), Finding("model", True, f"answered as {response.model}"), finding]
    if response.usage_incomplete:
        findings.append(Finding("usage", False, "the answer does not say what it used, so costs are not known"))
    else:
        findings.append(Finding("usage", True, told))
    return findings


# -- requests ------------------------------------------------------------------------------------------------------------


def _check(
    model: gw.ModelInfo,
    name: str,
    judge: Judge,
    parameters: gw.GenerationParameters | None = None,
    *,
    media: ct.Media | None = None,
) -> Check:
    request = gw.GenerateRequest(route=model.route, parameters=parameters)
    request.parameters.max_output_tokens = THINKING_LIMIT if model.extra_output_tokens else LIMIT
    # A sound of nothing is what a model that only hears is asked.
    heard = media is None and ct.MODALITY_TEXT not in model.input_modalities
    text = _PICTURE_TEXT if media is not None and media.modality == ct.MODALITY_IMAGE else _TEXT
    message = request.messages.add(role=ct.ROLE_USER)
    tokens = most_tokens(text) + len(_SCHEMA) + len(_TOOL)
    if not heard:
        message.parts.add(text=text)
    media = _sound() if heard else media
    if media is not None:
        message.parts.add(media=media)
        tokens += _MOST_SOUND_TOKENS if media.modality == ct.MODALITY_AUDIO else model.max_tokens_per_image or _MOST_PICTURE_TOKENS
    hears = media is not None and media.modality == ct.MODALITY_AUDIO
    return Check(name, request, judge, tokens, hears=hears)


def _with_tool(model: gw.ModelInfo) -> Check:
    check = _check(model, "tools", _called)
    check.request.messages[0].parts[0].text = "What is the weather in Paris? Use the tool."
    check.request.tools.add(name="weather", description="The weather of a city.", parameters_json=_TOOL)
    return check


def _made(model: gw.ModelInfo) -> Check:
    """The one thing that a model makes, of its smallest kind."""
    output = model.output_modalities[0]
    request = gw.GenerateRequest(route=model.route, output_modalities=[output])
    request.messages.add(role=ct.ROLE_USER).parts.add(text="OK" if output == ct.MODALITY_AUDIO else "A red circle on white.")
    bounds = media_bounds(model, output, request.parameters)
    return Check("made", request, _has_media, most_tokens(_TEXT), bounds.images, bounds.seconds, unknown=bounds.unknown)


def _picture() -> ct.Media:
    return ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", inline=_PNG)


def _sound() -> ct.Media:
    """Half a second of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        sound.writeframes(bytes(16_000))
    return ct.Media(modality=ct.MODALITY_AUDIO, mime_type="audio/wav", inline=file.getvalue())


# -- answers -------------------------------------------------------------------------------------------------------------


def _answered(response: gw.GenerateResponse) -> Verdict:
    text = _text_of(response).strip()
    return bool(text) or response.finish_reason == gw.FINISH_REASON_LENGTH, f"{text[:40]!r}" if text else _why_empty(response)


def _heard(response: gw.GenerateResponse) -> Verdict:
    text = _text_of(response).strip()
    return True, f"{text[:40]!r} in half a second of silence" if text else "no word in half a second of silence, as it should be"


def _applied(name: Literal["temperature", "seed"]) -> Judge:
    def judge(response: gw.GenerateResponse) -> Verdict:
        return (True, "") if response.applied_parameters.HasField(name) else (None, "the model does not take it, so it is not sent")

    return judge


def _follows(response: gw.GenerateResponse) -> Verdict:
    text = _text_of(response)
    try:
        document = json.loads(text)
    except ValueError:
        cut = response.finish_reason == gw.FINISH_REASON_LENGTH
        return cut, "accepted; the answer was cut off" if cut else f"accepted, and not followed: {text[:40]!r}"
    follows = isinstance(document, dict) and isinstance(document.get("answer"), str)
    return follows, "followed" if follows else f"accepted, and not followed: {text[:40]!r}"


def _called(response: gw.GenerateResponse) -> Verdict:
    called = any(part.HasField("tool_call") for part in response.parts)
    return True, "called" if called else "accepted, and not called"


def _streamed(response: gw.GenerateResponse) -> Verdict:
    if not response.HasField("first_piece_s"):
        return None, "it answers whole"
    first = f"first piece after {response.first_piece_s:.1f} s"
    return True, f"{first}, and no word of what it used" if response.usage_estimated else first


def _has_media(response: gw.GenerateResponse) -> Verdict:
    made = [part.media for part in response.parts if part.HasField("media")]
    return bool(made), ", ".join(media.mime_type for media in made) or _why_empty(response)


def _text_of(response: gw.GenerateResponse) -> str:
    return "".join(part.text for part in response.parts if part.HasField("text"))


def _why_empty(response: gw.GenerateResponse) -> str:
    limit = response.applied_parameters.max_output_tokens
    if response.finish_reason == gw.FINISH_REASON_LENGTH:
        return f"it reached the limit of {limit} tokens before it said anything"
    return "the answer is empty"


def _out(usage: gw.Usage) -> int:
    return usage.output_tokens + usage.reasoning_tokens


def _reason(error: GenlevelError) -> str:
    """The class of a failed call, or of another error."""
    return error.reason if isinstance(error, CallFailed) else type(error).__name__
