"""A request as adapters convert it: messages whose parts were checked, and the tools and parameters that go with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

import orjson

from gateway.bodies import Json
from genlevel.v1 import gateway_pb2 as gw

NO_FIELDS: Mapping[int, Json] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Image:
    """One image to be sent: its bytes, and their base64 text (or what stands for it, gateway.splicing); or a URI that its provider
    fetches."""

    mime_type: str
    base64: str = ""
    uri: str = ""
    detail: str = ""
    data: bytes = field(default=b"", repr=False, compare=False)

    @property
    def url(self) -> str:
        """The URI, or a data URI."""
        return self.uri or f"data:{self.mime_type};base64,{self.base64}"


@dataclass(frozen=True, slots=True)
class Audio:
    """One sound: its bytes and their base64 text, or a URI that its provider fetches."""

    mime_type: str
    base64: str = ""
    uri: str = ""
    data: bytes = field(default=b"", repr=False, compare=False)

    @property
    def url(self) -> str:
        """The URI, or a data URI."""
        return self.uri or f"data:{self.mime_type};base64,{self.base64}"


@dataclass(frozen=True, slots=True)
class Video:
    """One video: base64 text of its bytes, or a URI that its provider fetches. fps, start_s, end_s: 0 = not said."""

    mime_type: str
    base64: str = ""
    uri: str = ""
    fps: float = 0.0
    start_s: float = 0.0
    end_s: float = 0.0

    @property
    def url(self) -> str:
        """The URI, or a data URI."""
        return self.uri or f"data:{self.mime_type};base64,{self.base64}"


@dataclass(frozen=True, slots=True)
class Document:
    """One document: base64 text of its bytes, or a URI that its provider fetches. name: that of its file, "" = not said.

    text: the content, if it is plain text (text/*), which some providers take as such; base64 is set then too.
    """

    mime_type: str
    base64: str = ""
    uri: str = ""
    name: str = ""
    text: str = ""

    @property
    def url(self) -> str:
        """The URI, or a data URI."""
        return self.uri or f"data:{self.mime_type};base64,{self.base64}"


@dataclass(frozen=True, slots=True)
class Called:
    """A tool call of an earlier answer. arguments_json: as the model wrote them."""

    id: str
    name: str
    arguments_json: str

    @property
    def arguments(self) -> Json:
        """The arguments as an object; {"text": ...} if the model wrote something else."""
        try:
            found = orjson.loads(self.arguments_json) if self.arguments_json.strip() else {}
        except orjson.JSONDecodeError:
            found = None
        return found if isinstance(found, dict) else {"text": self.arguments_json}


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool gave back. name: the tool's. media: beside the text."""

    call_id: str
    name: str
    text: str
    is_error: bool = False
    media: Sequence[Image | Audio | Video | Document] = ()


@dataclass(frozen=True, slots=True)
class Thought:
    """Reasoning of an earlier answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Vendor:
    """Something of the vendor's own, to be sent as it is."""

    value: Json


Block = str | Image | Audio | Video | Document | Called | Result | Thought | Vendor


class Turn(NamedTuple):
    """One message after its parts were checked.

    role: "system", "user", "assistant" or "tool" (with Result blocks alone). fields: what goes beside a block under the vendor's own names,
    by the block's number.
    """

    role: str
    blocks: Sequence[Block]
    fields: Mapping[int, Json] = NO_FIELDS


@dataclass(frozen=True, slots=True)
class Function:
    """A function that the model may call. parameters: a JSON schema; None: it takes none. strict: None = not said."""

    name: str
    description: str
    parameters: Json | None
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Whether a tool has to be called. mode: "auto", "none", "required", "named" or "" (not said). parallel: None = not said."""

    mode: str = ""
    name: str = ""
    parallel: bool | None = None


NO_CHOICE = Choice()


class Ask(NamedTuple):
    """What a request's body is made of. parameters: only those that are to be sent. tools: functions, and the provider's own as
    they are."""

    turns: Sequence[Turn]
    parameters: gw.GenerationParameters
    tools: Sequence[Function | Vendor] = ()
    choice: Choice = NO_CHOICE
