"""What an adapter of a generator is: one request to begin with, and what each reply means, until there are media.

Pure converters, like those of conversations; ``gateway.making`` sends the requests, waits between them, and fetches what an answer names.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from urllib.parse import quote

import orjson

from gateway.adapters.base import Capabilities, ProviderError
from gateway.adapters.blocks import Audio, Image, Turn
from gateway.bodies import Json
from gateway.landing import Landed
from gateway.splicing import Piece
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import gateway_pb2 as gw


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request below the base URL.

    body: JSON, or pieces. dropped: what it leaves out of what was asked, as its API has no place for that. characters: of a text to read
    aloud.
    """

    method: str
    path: str
    body: Json | list[Piece] = field(default_factory=list)
    content_type: str = "application/json"
    dropped: Sequence[str] = ()
    characters: int = 0

    def sends(self, pieces: list[Piece]) -> Request:
        """The request with its body in pieces."""
        return replace(self, body=pieces)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply. json: its body, if that is a JSON object; else it is in body."""

    headers: Mapping[str, str]
    body: bytes | Landed
    json: Json | None


@dataclass(frozen=True, slots=True)
class Made:
    """What was made: bytes (or the file that has them) with the MIME type that came with them, and addresses to be fetched, in order.

    texts: what was said with them. seconds: the length as the provider states it, 0 if it does not. logprobs: of a text. vendor: what
    else the answer says, under the provider's names.
    """

    media: Sequence[tuple[bytes | Landed, str] | str]
    texts: Sequence[str] = ()
    usage: gw.Usage = field(default_factory=gw.Usage)
    has_usage: bool = False
    seconds: float = 0.0
    model: str = ""
    response_id: str = ""
    logprobs: Sequence[gw.TokenLogprob] = ()
    vendor: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """Work that goes on at the provider. next: what to ask after delay_s, without a body or with one of JSON; ready: it then answers with
    the media themselves."""

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
    """One provider API that makes media, or text of sound. Both converters are pure; ``answer`` raises JobFailed, Refused, AnswerError,
    or LookupError, TypeError, ValueError, AttributeError if the reply is not what the API promises."""

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


def beside(body: Json, known: Sequence[str]) -> Json:
    """What an object has beside fields that are known, as far as it says something."""
    return {name: value for name, value in body.items() if name not in known and value not in (None, "", [], {})}


def json_request(path: str, body: Json, *, dropped: Sequence[str] = (), characters: int = 0) -> Request:
    """A POST of a JSON body."""
    return Request("POST", path, body, dropped=dropped, characters=characters)


@dataclass(frozen=True, slots=True)
class File:
    """A file of a form."""

    field: str
    name: str
    mime_type: str
    content: bytes


def form_request(path: str, fields: Json, files: Sequence[File], *, dropped: Sequence[str] = ()) -> Request:
    """A POST of a form: the fields in order, a list as one of each of its items, then the files. Equal ones have the same body within
    this process, boundary included.
    """
    entries = [_entry(name, value) for name, values in fields.items() for value in (values if isinstance(values, list) else (values,))]
    heads = [_head(file) for file in files]
    digest = hashlib.sha256(_SECRET)
    for head in (*(part for entry in entries for part in entry), *heads):
        digest.update(head)
    boundary = f"genlevel-{digest.hexdigest()[:40]}".encode()  # RFC 2046: at most 70 characters
    pieces: list[Piece] = [b"--%b\r\nContent-Disposition: %b\r\n\r\n%b\r\n" % (boundary, head, content) for head, content in entries]
    for head, file in zip(heads, files, strict=True):
        pieces += [b"--%b\r\nContent-Disposition: %b\r\n\r\n" % (boundary, head), file.content, b"\r\n"]
    pieces.append(b"--%b--\r\n" % boundary)
    return Request("POST", path, pieces, f"multipart/form-data; boundary={boundary.decode()}", dropped)


_SECRET = secrets.token_bytes(16)
"""Makes boundaries that nobody can write into a file beforehand."""


def _entry(name: str, value: object) -> tuple[bytes, bytes]:
    content = value.encode() if isinstance(value, str) else orjson.dumps(value)
    return f'form-data; name="{_quoted(name)}"'.encode(), content


def _head(file: File) -> bytes:
    return f'form-data; name="{_quoted(file.field)}"; filename="{_quoted(file.name)}"\r\nContent-Type: {file.mime_type}'.encode()


def _quoted(name: str) -> str:
    return quote(name, safe="[]. -_")


EXTENSIONS = {
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/x-m4a": "m4a",
    "audio/x-wav": "wav",
    "audio/x-flac": "flac",
    "video/quicktime": "mov",
}


def file_name(stem: str, mime_type: str) -> str:
    """A name whose ending says what the file is: APIs go by that.

    Example:
        >>> file_name("sound", "audio/mpeg"), file_name("0", "image/png")
        ('sound.mp3', '0.png')
    """
    return f"{stem}.{EXTENSIONS.get(mime_type) or mime_type.partition('/')[2]}"
