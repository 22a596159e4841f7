"""What every adapter is: declared capabilities, a pure converter each way, and the provider's dialect of errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from genlevel.runtime.settings import RouteMedia
from genlevel.v1 import content_pb2 as content
from genlevel.v1 import gateway_pb2 as pb

Json = dict[str, Any]

# The parameters of pb.GenerationParameters, by field name.
PARAMETERS = ("temperature", "max_output_tokens", "top_p", "seed", "stop")
TEXT_ALONE: frozenset[int] = frozenset({content.MODALITY_TEXT})
WEB_IMAGES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an adapter can send, as data; the parts that it cannot are refused by name before a call.

    parameters: our name -> the provider's name, for those that its API has. max_stop: stop sequences at most.
    image_types: MIME types. image_bytes, image_count, request_bytes: at most, 0 = no limit known. image_details: values of
    MediaOptions.detail. image_uris: takes https URIs, which the provider then fetches. needs_max_output_tokens: a
    request without an output limit is not valid. response_schema: it can hold the answer to a JSON schema. audio_types: MIME types.
    outputs: modalities that some model of this API makes.
    """

    parameters: Mapping[str, str]
    image_types: frozenset[str] = WEB_IMAGES
    image_bytes: int = 0
    image_count: int = 0
    request_bytes: int = 0
    image_details: frozenset[str] = frozenset()
    image_uris: bool = False
    max_stop: int = 4
    needs_max_output_tokens: bool = False
    response_schema: bool = False
    audio_types: frozenset[str] = frozenset()
    outputs: frozenset[int] = TEXT_ALONE


@dataclass(frozen=True, slots=True)
class Image:
    """One image ready to be sent: base64 text of its bytes, or a URI that the provider fetches."""

    mime_type: str
    base64: str = ""
    uri: str = ""
    detail: str = ""

    @property
    def url(self) -> str:
        """The URI, or a data URI."""
        return self.uri or f"data:{self.mime_type};base64,{self.base64}"


@dataclass(frozen=True, slots=True)
class Audio:
    """One sound ready to be sent: base64 text of its bytes."""

    mime_type: str
    base64: str


Block = str | Image | Audio


@dataclass(frozen=True, slots=True)
class Turn:
    """One message after its parts were checked: role "system", "user" or "assistant", and texts, images and sounds."""

    role: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer in our terms. has_usage: the provider said what was used."""

    parts: list[content.Part]
    finish_reason: int
    usage: pb.Usage
    has_usage: bool
    model: str
    response_id: str


@dataclass(frozen=True, slots=True)
class ProviderError:
    """What a provider says of a failure, before it is classified."""

    status: int
    code: str = ""
    type: str = ""
    message: str = ""
    param: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """The provider's policy refused, inside an answer that is otherwise well formed."""


class AnswerError(Exception):
    """A failure inside an answer with a good HTTP status."""

    def __init__(self, error: ProviderError) -> None:
        super().__init__(error.message)
        self.error = error


class Adapter(Protocol):
    """One provider API. Both converters are pure; ``answer`` raises Refused, AnswerError, or LookupError, TypeError,
    ValueError, AttributeError where the body is not what the API promises (then it counts as malformed)."""

    @property
    def api(self) -> str:
        """The API's name in a route: "chat", "responses", "messages"."""
        ...

    @property
    def path(self) -> str:
        """The path below the base URL."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can send."""
        ...

    def request(self, model: str, turns: Sequence[Turn], parameters: pb.GenerationParameters) -> Json:
        """The body to send. parameters: only those that are to be sent."""
        ...

    def ask_for(self, body: Json, outputs: frozenset[int], media: RouteMedia) -> None:
        """Has the body ask for an answer of these modalities, of which one is not text. media: what the route fixes of them."""
        ...

    def headers(self, body: Json) -> Mapping[str, str] | None:
        """Headers that this body needs beyond the client's own."""
        ...

    def answer(self, body: Json) -> Answer:
        """The answer in a body that came with a good HTTP status."""
        ...


def response_schema(parameters: pb.GenerationParameters) -> Json | None:
    """The JSON schema that the answer is to follow; None where none is asked. It was checked before (gateway.routes.applied)."""
    return orjson.loads(parameters.response_schema_json) if parameters.response_schema_json else None


def usage_of(
    *,
    total_input: int,
    cache_read: int = 0,
    cache_write: int = 0,
    total_output: int,
    reasoning: int = 0,
) -> pb.Usage:
    """Disjoint buckets from totals that include their parts. A part larger than its total was not included in it."""
    cached = cache_read + cache_write
    return pb.Usage(
        input_tokens=total_input - cached if cached <= total_input else total_input,
        cache_read_tokens=cache_read,
        cache_write_tokens=cache_write,
        output_tokens=total_output - reasoning if reasoning <= total_output else total_output,
        reasoning_tokens=reasoning,
    )


def count(container: Any, name: str) -> int:
    """A non-negative integer field of an optional object; 0 where it is absent or null."""
    value = container.get(name) if isinstance(container, dict) else None
    return value if isinstance(value, int) and value > 0 else 0


def error_of(status: int, body: Any, headers: Mapping[str, str]) -> ProviderError:
    """The error object in the shapes that providers use: {"error": {...}}, {"error": "text"}, or its fields on top."""
    error = body.get("error", body) if isinstance(body, dict) else {}
    if isinstance(error, str):
        return ProviderError(status, message=error, headers=headers)
    if not isinstance(error, dict):
        return ProviderError(status, headers=headers)
    details = error.get("details")
    code = error.get("code") or (details.get("error_code") if isinstance(details, dict) else None)
    return ProviderError(
        status,
        code=code if isinstance(code, str) else "",
        type=_text(error.get("type")),
        message=_text(error.get("message")),
        param=_text(error.get("param")),
        headers=headers,
    )


def tool_call(call_id: Any, name: str, arguments: Any) -> content.Part:
    """A tool call of the model; arguments as an object or as its JSON text."""
    if isinstance(arguments, str):
        arguments = orjson.loads(arguments or "{}")
    part = content.Part(tool_call=content.ToolCall(id=call_id or "", name=name))
    part.tool_call.arguments.update(arguments or {})
    return part


def vendor_part(vendor: str, value: Json) -> content.Part:
    """Something of the vendor's that has no common form, as it came."""
    part = content.Part(vendor=content.VendorPart(vendor=vendor))
    part.vendor.value.update(value)
    return part


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
