"""Transcription as OpenAI's API has it, and the same format as other servers speak it: the text of a sound."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

import orjson

from gateway.adapters.base import AnswerError, Capabilities, check_error, count, error_of, name_of, usage_of
from gateway.adapters.blocks import Audio, Turn
from gateway.adapters.images import json_of
from gateway.adapters.making import File, Job, Made, Reply, Request, beside, file_name, form_request, sounds
from gateway.adapters.openai_chat import put_parameters
from gateway.bodies import Json
from gateway.streams.sse import ServerSentEvents
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

# openai.types.audio.transcription_create_params: "flac, mp3, mp4, mpeg, mpga, m4a, ogg, wav, or webm"
SOUNDS = frozenset(
    f"audio/{kind}" for kind in ("flac", "x-flac", "mpeg", "mp3", "mp4", "m4a", "x-m4a", "aac", "ogg", "opus", "wav", "x-wav", "webm")
)
PROMPT = "prompt"
"""The name of what is left out if an API takes no text with a sound."""
_LONGEST_S = 86_400 * 30


class OpenAITranscription:
    """POST /audio/transcriptions, a form. Source: the openai package's types.audio."""

    api = Api.TRANSCRIPTION
    modality = ct.MODALITY_TEXT
    path = "audio/transcriptions"
    takes_prompt = True
    uri_field = "url"
    capabilities = Capabilities(
        parameters={"temperature": "temperature"}, special=frozenset({"logprobs"}), image_types=frozenset(), audio_types=SOUNDS
    )

    def request(self, model: str, turns: Sequence[Turn], parameters: gw.GenerationParameters, media: RouteMedia) -> Request:
        """The sound as a file; texts guide the model, if it lets itself be guided."""
        sound, text = heard(turns)
        fields = self._fields(model)
        labels_speakers = "diarize" in model
        if labels_speakers:  # "Required when using gpt-4o-transcribe-diarize for inputs longer than 30 seconds"
            fields["chunking_strategy"] = "auto"
        if takes := text and self.takes_prompt and not labels_speakers:
            fields[PROMPT] = text
        put_parameters(fields, parameters, self.capabilities)
        if parameters.HasField("logprobs"):
            fields["include[]"] = "logprobs"
        for name, value in media.extra.items():
            fields[f"{name}[]" if isinstance(value, list) else name] = value
        dropped = (PROMPT,) if text and not takes else ()
        if sound.uri:
            fields[self.uri_field] = sound.uri
        files = [] if sound.uri else [File("file", file_name("sound", sound.mime_type), sound.mime_type, sound.data)]
        return form_request(self.path, fields, files, dropped=dropped)

    def _fields(self, model: str) -> Json:
        return {"model": model}

    def answer(self, reply: Reply, job: Job | None) -> Made:
        """The text, and what is said of it: of JSON, of a stream of events if one was asked for, or of a plain text."""
        kind, raw = reply.headers.get("content-type", ""), reply.body
        if reply.json is None and isinstance(raw, bytes):
            if kind.startswith("text/event-stream"):
                return self._read(_streamed(raw), reply)
            if kind.startswith(("text/plain", "text/vtt", "application/x-subrip")):
                return Made((), [raw.decode("utf-8", "replace").rstrip("\n")])
        return self._read(json_of(reply), reply)

    def _read(self, body: Json, reply: Reply) -> Made:
        check_error(body, "text")
        text, groq = body["text"], body.get("x_groq")
        if not isinstance(text, str):
            raise ValueError("text is not a text")
        usage, known = self.usage(body)
        return Made(
            (),
            [text],
            usage=usage,
            has_usage=known,
            model=name_of(body.get("model")),
            response_id=name_of(groq.get("id")) if isinstance(groq, dict) else reply.headers.get("x-generation-id", ""),
            logprobs=_logprobs(body.get("logprobs")),
            vendor=beside(body, ("text", "usage", "model", "logprobs", "x_groq", "task", "finish_reason", "object")),
        )

    def usage(self, body: Json) -> tuple[gw.Usage, bool]:
        """Tokens, or the sound's length; what OpenRouter says that it costs."""
        said = body.get("usage")
        details = said.get("input_token_details") if isinstance(said, dict) else None
        total = count(said, "input_tokens", None)
        usage, known = usage_of(total_input=total, total_output=count(said, "output_tokens", None))
        if sound := count(details, "audio_tokens"):
            usage.details.input_audio_tokens = min(sound, total or 0)
        seconds = said.get("seconds") if isinstance(said, dict) else None
        if length := milliseconds(body.get("duration") if seconds is None else seconds):
            usage.details.input_milliseconds = length
        if isinstance(said, dict) and (billed := nano_usd(said.get("cost"))) is not None:
            usage.details.billed_nano_usd = billed
        return usage, known


class CompatibleTranscription(OpenAITranscription):
    """Other servers' (vLLM, Groq, Together)."""

    capabilities = Capabilities(parameters={"temperature": "temperature"}, image_types=frozenset(), audio_types=SOUNDS)


class OpenRouterTranscription(CompatibleTranscription):
    """Takes the same form, without a prompt. Source: https://openrouter.ai/docs/guides/overview/multimodal/stt."""

    takes_prompt = False


class MistralTranscription(OpenAITranscription):
    """Takes no text with a sound; fetches a sound by its address. Source: https://docs.mistral.ai/studio/audio/speech-to-text."""

    takes_prompt = False
    uri_field = "file_url"
    capabilities = Capabilities(
        parameters={"temperature": "temperature"},
        image_types=frozenset(),
        audio_types=SOUNDS,
        uris=frozenset({ct.MODALITY_AUDIO}),
    )

    def usage(self, body: Json) -> tuple[gw.Usage, bool]:
        """Tokens of the sound are beside those of the prompt, and in the total."""
        said = body.get("usage")
        details = said.get("prompt_tokens_details") if isinstance(said, dict) else None
        prompt, output, total = (count(said, name, None) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
        sound = count(details, "audio_tokens") or 0
        whole = total - output if total is not None and output is not None and total >= output else prompt
        usage, known = usage_of(total_input=whole, cache_read=count(details, "cached_tokens"), total_output=output)
        if sound:
            usage.details.input_audio_tokens = min(sound, whole or 0)
        if isinstance(said, dict) and (length := milliseconds(said.get("prompt_audio_seconds"))):
            usage.details.input_milliseconds = length
        return usage, known


def heard(turns: Sequence[Turn]) -> tuple[Audio, str]:
    """The one sound of a request, and its texts. Raises CallFailed if it has none or several, or is a conversation."""
    if any(turn.role == "assistant" for turn in turns):
        said = "messages: a transcriber takes no earlier answers, only a sound"
        raise CallFailed(ErrorClass.UNSUPPORTED, said, part="messages")
    found = sounds(turns)
    if len(found) != 1:
        said = f"messages: a transcriber takes one sound; this request has {len(found)}"
        raise CallFailed(ErrorClass.UNSUPPORTED, said, part="messages")
    texts = [block for turn in turns for block in turn.blocks if isinstance(block, str) and block.strip()]
    return found[0], "\n\n".join(texts)


def milliseconds(seconds: object) -> int:
    """A length that an answer says in seconds; 0 if it says none."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return 0
    return round(seconds * 1000) if 0 < seconds < _LONGEST_S else 0


def nano_usd(dollars: object) -> int | None:
    """A price that an answer says in dollars, in billionths; None if it says none."""
    if isinstance(dollars, bool) or not isinstance(dollars, (int, float, str)):
        return None
    try:
        found = Decimal(str(dollars))
    except InvalidOperation:
        return None
    return int(found.scaleb(9).to_integral_value()) if 0 <= found < 1_000_000 else None


def _logprobs(value: object) -> list[gw.TokenLogprob]:
    entries = value if isinstance(value, list) else ()
    return [
        gw.TokenLogprob(token=name_of(entry.get("token")), logprob=entry["logprob"])
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("logprob"), (int, float))
    ]


def _streamed(raw: bytes) -> Json:
    """The body that a stream of events amounts to. Source: openai.types.audio.transcription_stream_event.

    Raises ValueError if it ends before its last event, AnswerError for an error in it.
    """
    events = ServerSentEvents()
    done: Json | None = None
    segments: list[object] = []
    for event in [*events.feed(raw), *events.end()]:
        if event.data == b"[DONE]":
            continue
        said = orjson.loads(event.data)
        kind = said.get("type")
        if kind == "error" or "error" in said:
            raise AnswerError(error_of(200, said, {}))
        if kind == "transcript.text.segment":
            segments.append(beside(said, ("type",)))
        elif kind == "transcript.text.done":
            done = beside(said, ("type",))
    if done is None:
        raise ValueError("the stream ended before the transcript was done")
    return done | {"segments": segments} if segments else done
