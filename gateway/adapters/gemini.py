"""Gemini's generateContent, as Google AI Studio and Vertex AI have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile

from gateway.adapters.base import Answer, Capabilities, response_schema
from gateway.adapters.blocks import Ask, Audio, Block, Called, Choice, Document, Function, Image, Result, Thought, Turn, Vendor, Video
from gateway.adapters.gemini_answers import BEYOND, VENDOR, answer_of, used
from gateway.adapters.openai_chat import put_parameters
from gateway.adapters.paths import in_path
from gateway.bodies import Json, read_json
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

_MEDIA = frozenset({ct.MODALITY_IMAGE, ct.MODALITY_VIDEO, ct.MODALITY_AUDIO, ct.MODALITY_DOCUMENT})
_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "named": "ANY"}
_MADE: dict[int, str] = {ct.MODALITY_TEXT: "TEXT", ct.MODALITY_IMAGE: "IMAGE", ct.MODALITY_AUDIO: "AUDIO"}
_NAME = "/@:._-~"
"""What the name of a model may have beside letters and digits."""


class Gemini:
    """POST models/MODEL:generateContent. Sources: https://ai.google.dev/api/generate-content, google.genai.types."""

    api = Api.GENERATE
    capabilities = Capabilities(
        # GenerationConfig: https://ai.google.dev/api/generate-content#generationconfig
        parameters={
            "temperature": "temperature",
            "max_output_tokens": "maxOutputTokens",
            "top_p": "topP",
            "top_k": "topK",
            "seed": "seed",
            "stop": "stopSequences",
            "presence_penalty": "presencePenalty",
            "frequency_penalty": "frequencyPenalty",
        },
        special=frozenset({"logprobs", "reasoning_effort", "reasoning_tokens"}),
        max_stop=5,
        response_schema=True,
        # https://ai.google.dev/gemini-api/docs/file-input-methods: 100 MB inline
        request_bytes=100_000_000,
        # https://ai.google.dev/gemini-api/docs/media-resolution: of a part, from Gemini 3 on
        image_details=frozenset({"low", "medium", "high", "ultra_high"}),
        # https://ai.google.dev/gemini-api/docs/{image,audio,video}-understanding, document-processing, and their pages of Vertex AI
        image_types=frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"}),
        audio_types=frozenset(
            f"audio/{kind}"
            for kind in ("wav", "x-wav", "mp3", "mpeg", "mpga", "aiff", "aac", "x-aac", "ogg", "flac", "mp4", "m4a", "opus", "pcm", "webm")
        ),
        video_types=frozenset(
            f"video/{kind}" for kind in ("mp4", "mpeg", "mpegs", "mpg", "mov", "quicktime", "avi", "x-flv", "webm", "wmv", "3gpp")
        ),
        document_types=frozenset(
            {"application/pdf", "application/json", *(f"text/{kind}" for kind in ("plain", "html", "css", "markdown", "csv", "xml", "rtf"))}
        ),
        uris=_MEDIA,
        uri_schemes=("https://", "gs://"),
        video_options=True,
        outputs=frozenset(_MADE),
        tools=True,
        result_media=_MEDIA,
        thoughts=True,
        answers_media=frozenset({ct.MODALITY_IMAGE, ct.MODALITY_VIDEO, ct.MODALITY_AUDIO}),
        vendors=frozenset({VENDOR}),
    )

    def path(self, model: str, *, streamed: bool) -> str:
        """The model's own: models/NAME, or tunedModels/NAME if it is called so."""
        name = model if model.startswith(("models/", "tunedModels/")) else f"models/{model}"
        return _method(name, streamed)

    def request(self, model: str, ask: Ask) -> Json:
        """The body of a request. System messages go first; a later one is refused by its path."""
        start = len(list(takewhile(lambda turn: turn.role == "system", ask.turns)))
        for number, turn in enumerate(ask.turns[start:], start):
            if turn.role == "system":
                path = f"messages[{number}]"
                said = f"{path}: {VENDOR}/{model} takes system messages only before all others"
                raise CallFailed(ErrorClass.UNSUPPORTED, said, part=path)
        body: Json = {"contents": _contents(ask.turns[start:])}
        if start:
            body["systemInstruction"] = {"parts": [part for turn in ask.turns[:start] for part in _parts(turn)]}
        if ask.tools:
            body["tools"] = _tools(ask.tools)
        if (calling := _calling(ask.choice, ask.tools)) is not None:
            body["toolConfig"] = {"functionCallingConfig": calling}
        if config := self._config(ask.parameters):
            body["generationConfig"] = config
        return body

    def ask_for(self, body: Json, outputs: frozenset[int], media: RouteMedia) -> None:
        """Pictures come with a text, speech alone. media: size is an aspect ratio ("16:9") or a size ("2K") of a picture."""
        speech = ct.MODALITY_AUDIO in outputs
        asked = {ct.MODALITY_AUDIO} if speech else outputs | {ct.MODALITY_TEXT}
        config: Json = {"responseModalities": [_MADE[modality] for modality in sorted(asked) if modality in _MADE]}
        if speech and media.voice:
            config["speechConfig"] = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": media.voice}}}
        if media.size and not speech:
            config["imageConfig"] = {"aspectRatio" if ":" in media.size else "imageSize": media.size}
        there = body.setdefault("generationConfig", {})
        assert isinstance(there, dict)
        there.update(config | media.extra)
        if speech:
            _say_how(body)

    def headers(self, body: Json) -> None:
        """None beyond the client's own."""
        return

    def answer(self, body: Json) -> Answer:
        """The first candidate."""
        return answer_of(body)

    def usage(self, body: Json) -> tuple[gw.Usage, bool]:
        """Tokens of tools are among the input, thoughts beside the output."""
        return used(body)

    def _config(self, parameters: gw.GenerationParameters) -> Json:
        config: Json = {}
        put_parameters(config, parameters, self.capabilities)
        if parameters.HasField("logprobs"):
            config["responseLogprobs"] = True
            if parameters.logprobs:
                config["logprobs"] = parameters.logprobs
        if thinking := _thinking(parameters):
            config["thinkingConfig"] = thinking
        if (schema := response_schema(parameters)) is not None:
            config |= {"responseMimeType": "application/json", "responseJsonSchema": schema}
        return config


class VertexGemini(Gemini):
    """POST publishers/google/models/MODEL:generateContent below a project's location (or below the API itself, with a key).

    Source: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
    """

    def path(self, model: str, *, streamed: bool) -> str:
        """The model's own. Another publisher's are named PUBLISHER/NAME, a model that was tuned or deployed endpoints/ID."""
        return _method(vertex_name(model), streamed)


def vertex_name(model: str) -> str:
    """What a model is called below a project's location. Raises CallFailed for the name of one in a project."""
    if model.startswith("projects/"):
        said = f"route: write {model!r} as what comes behind its location (endpoints/ID), and project and region in its account"
        raise CallFailed(ErrorClass.CALLER_FAULT, said, part="route")
    if model.startswith(("publishers/", "endpoints/", "models/")):
        return model
    publisher, slash, name = model.partition("/")
    return f"publishers/{publisher}/models/{name}" if slash else f"publishers/google/models/{model}"


def _say_how(body: Json) -> None:
    """Of several texts the first is what is read aloud, and the others say how: they go before it, as Gemini's readers want.

    https://ai.google.dev/gemini-api/docs/speech-generation
    """
    match body.get("contents"):
        case [{"parts": [{"text": str(what)}, *others] as parts}] if others and all(part.keys() == {"text"} for part in parts):
            parts[:] = [{"text": "\n\n".join(str(part["text"]) for part in others) + f":\n\n{what}"}]


def _method(name: str, streamed: bool) -> str:
    return f"{in_path(name, _NAME)}:{'streamGenerateContent?alt=sse' if streamed else 'generateContent'}"


def _contents(turns: Sequence[Turn]) -> list[Json]:
    """The turns. Results of one round of calls go together, however many messages they came in: Gemini counts them."""
    contents: list[Json] = []
    before = ""
    for turn in turns:
        parts = _parts(turn)
        last = contents[-1]["parts"] if contents else None
        if turn.role == before == "tool" and isinstance(last, list):
            last.extend(parts)
        else:
            contents.append({"role": "model" if turn.role == "assistant" else "user", "parts": parts})
        before = turn.role
    return contents


def _parts(turn: Turn) -> list[Json]:
    """Parts of a content. What an answer had beyond its parts does not go back."""
    parts = [_part(block) for block in turn.blocks]
    for number, fields in turn.fields.items():
        _merge(parts[number], fields)
    return [part for part, block in zip(parts, turn.blocks, strict=True) if not (isinstance(block, Vendor) and part.keys() & BEYOND)]


def _merge(part: Json, fields: Mapping[str, object]) -> None:
    for name, value in fields.items():
        there = part.get(name)
        if isinstance(there, dict) and isinstance(value, dict):
            part[name] = there | value
        else:
            part[name] = value


def _part(block: Block) -> Json:
    match block:
        case str():
            return {"text": block}
        case Thought():
            return {"thought": True, "text": block.text} if block.text else {"thought": True}
        case Called():
            call: Json = {"name": block.name, "args": block.arguments}
            return {"functionCall": call | {"id": block.id} if block.id else call}
        case Result():
            return {"functionResponse": _result(block)}
        case Vendor():
            return dict(block.value)
        case Video():
            return _media(block) | _sampling(block)
        case Image(detail=detail) if detail:
            return _media(block) | {"mediaResolution": {"level": f"MEDIA_RESOLUTION_{detail.upper()}"}}
        case _:
            return _media(block)


def _media(block: Image | Audio | Video | Document) -> Json:
    if block.uri:
        source: Json = {"fileUri": block.uri}
        return {"fileData": source | {"mimeType": block.mime_type} if block.mime_type else source}
    return {"inlineData": {"mimeType": block.mime_type, "data": block.base64}}


def _sampling(video: Video) -> Json:
    """How a video is looked at. https://ai.google.dev/api/caching#VideoMetadata"""
    asked: Json = {}
    if video.fps:
        asked["fps"] = video.fps
    for name, value in (("startOffset", video.start_s), ("endOffset", video.end_s)):
        if value:
            asked[name] = f"{value:.9f}".rstrip("0").rstrip(".") + "s"  # a Duration, of at most nine places
    return {"videoMetadata": asked} if asked else {}


def _result(result: Result) -> Json:
    """A function's response: the object that its text is, or its text as "output" or "error", as FunctionResponse says."""
    found = read_json(result.text.encode()) if result.text.lstrip()[:1] == "{" else None
    said = found if isinstance(found, dict) else result.text
    response = said if isinstance(said, dict) and not result.is_error else {"error" if result.is_error else "output": said}
    made: Json = {"name": result.name, "response": response}
    if result.call_id:
        made["id"] = result.call_id
    if result.media:
        made["parts"] = [_media(block) for block in result.media]
    return made


def _tools(tools: Sequence[Function | Vendor]) -> list[Json]:
    functions = [_declaration(tool) for tool in tools if isinstance(tool, Function)]
    others = [dict(tool.value) for tool in tools if isinstance(tool, Vendor)]
    return [{"functionDeclarations": functions}, *others] if functions else others


def _declaration(function: Function) -> Json:
    declared: Json = {"name": function.name}
    if function.description:
        declared["description"] = function.description
    if function.parameters is not None:
        declared["parametersJsonSchema"] = function.parameters
    return declared


def _calling(choice: Choice, tools: Sequence[Function | Vendor]) -> Json | None:
    """Whether a function has to be called. A strict function makes Gemini hold all arguments to their schemas.

    https://ai.google.dev/gemini-api/docs/function-calling#function_calling_modes
    """
    if choice.parallel is False:
        said = f"tool_choice.parallel: {VENDOR} cannot be kept from calling several tools at once; leave it out"
        raise CallFailed(ErrorClass.UNSUPPORTED, said, part="tool_choice")
    mode = _MODES.get(choice.mode)
    if mode in (None, "AUTO") and any(isinstance(tool, Function) and tool.strict for tool in tools):
        mode = "VALIDATED"
    if mode is None:
        return None
    return {"mode": mode, "allowedFunctionNames": [choice.name]} if choice.name else {"mode": mode}


def _thinking(parameters: gw.GenerationParameters) -> Json:
    """How much it may think: a level (Gemini 3 and later) or a number of tokens. "none" is a budget of 0.

    https://ai.google.dev/gemini-api/docs/thinking
    """
    thinking: Json = {}
    if parameters.HasField("reasoning_tokens"):
        thinking["thinkingBudget"] = parameters.reasoning_tokens
    if parameters.reasoning_effort == "none":
        thinking.setdefault("thinkingBudget", 0)
    elif parameters.reasoning_effort:
        thinking["thinkingLevel"] = parameters.reasoning_effort
    return thinking
