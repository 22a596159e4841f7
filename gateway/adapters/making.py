"""What an adapter of a generator is: one request to begin with, and what each reply means, until there are media.

Pure converters, like those of conversations; ``gateway.making`` sends the requests, waits between them, and fetches what an answer names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote

import orjson

from gateway.adapters.base import Capabilities, ProviderError
from gateway.adapters.blocks import Audio, Image, Turn
from gateway.bodies import Json
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import gateway_pb2 as gw


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request below the base URL."""

    method: str
    path: str
    body: bytes = b""
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply with a good status. json: its body, if it is a JSON object."""

    headers: Mapping[str, str]
    body: bytes
    json: Json | None


@dataclass(frozen=True, slots=True)
class Made:
    """What was made: bytes with the MIME type that came with them, and addresses to be fetched, in order.

    texts: what was said with them. seconds: the length as the provider states it, 0 if it does not.
    """

    media: Sequence[tuple[bytes, str] | str]
    texts: Sequence[str] = ()
    usage: gw.Usage = field(default_factory=gw.Usage)
    has_usage: bool = False
    seconds: float = 0.0
    model: str = ""
    response_id: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """Work that goes on at the provider. next: what to ask after delay_s; ready: it then answers with the media themselves."""

    id: str
    next: Request
    delay_s: float
    status: str
    made: Made | None = None


class JobFailed(Exception):
    """The provider ended a job without an answer. lost: it may have done its work, and bill it, all the same."""

    def __init__(self, error: ProviderError, *, lost: bool = False) -> None:
        super().__init__(error.message)
        self.error = error
        self.lost = lost


class Maker(Protocol):
    """One provider API that makes media. Both converters are pure; ``answer`` raises JobFailed, Refused, AnswerError, or LookupError,
    TypeError, ValueError, AttributeError if the reply is not what the API promises."""

    @property
    def api(self) -> Api:
        """Which API it is."""
        ...

    @property
    def modality(self) -> int:
        """What it makes."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can be sent."""
        ...

    def request(self, model: str, turns: Sequence[Turn], parameters: gw.GenerationParameters, media: RouteMedia) -> Request:
        """The request that begins. media: what the route fixes of its answers. Raises CallFailed if it cannot be asked."""
        ...

    def answer(self, reply: Reply, job: Job | None) -> Made | Job:
        """What a reply means: an answer, or a job to be waited for. job: the one that was asked about."""
        ...


def asked_texts(turns: Sequence[Turn]) -> list[str]:
    """The texts of a request, in order. Raises CallFailed if it is a conversation: a generator has no memory."""
    if any(turn.role == "assistant" for turn in turns):
        raise CallFailed(ErrorClass.UNSUPPORTED, "messages: a generator takes no earlier answers, only what is to be made", part="messages")
    texts = [block for turn in turns for block in turn.blocks if isinstance(block, str) and block.strip()]
    if not texts:
        raise CallFailed(ErrorClass.CALLER_FAULT, "messages: nothing says what is to be made; add a text", part="messages")
    return texts


def pictures(turns: Sequence[Turn]) -> list[Image]:
    """The pictures of a request, in order."""
    return [block for turn in turns for block in turn.blocks if isinstance(block, Image)]


def sounds(turns: Sequence[Turn]) -> list[Audio]:
    """The sounds of a request, in order."""
    return [block for turn in turns for block in turn.blocks if isinstance(block, Audio)]


def json_request(path: str, body: Json) -> Request:
    """A POST of a JSON body."""
    return Request("POST", path, orjson.dumps(body))


def form_request(path: str, fields: Json, files: Sequence[tuple[str, str, str, bytes]]) -> Request:
    """A POST of a form. files: (field, file name, MIME type, bytes). The same content gives the same body, boundary included."""
    entries: list[tuple[bytes, bytes]] = []
    for name, value in fields.items():
        entries.append((f'form-data; name="{_quoted(name)}"'.encode(), _field(value)))
    for name, file_name, mime_type, content in files:
        head = f'form-data; name="{_quoted(name)}"; filename="{_quoted(file_name)}"\r\nContent-Type: {mime_type}'
        entries.append((head.encode(), content))
    digest = hashlib.sha256()
    for head_bytes, content in entries:
        digest.update(head_bytes + content)
    boundary = f"genlevel-{digest.hexdigest()[:40]}".encode()  # RFC 2046: at most 70 characters
    pieces = [b"--%b\r\nContent-Disposition: %b\r\n\r\n%b\r\n" % (boundary, head_bytes, content) for head_bytes, content in entries]
    return Request("POST", path, b"".join([*pieces, b"--%b--\r\n" % boundary]), f"multipart/form-data; boundary={boundary.decode()}")


def _field(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else orjson.dumps(value)


def _quoted(name: str) -> str:
    return quote(name, safe="[]. -_")
