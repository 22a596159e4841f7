"""Turns an OpenAI chat request with images into one without, putting the text read in each image in its place."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.bodies import Json

MAX_IMAGES = 32


class BadRequest(Exception):
    """A request that cannot be answered, as OpenAI's API says it.

    Attributes:
        status: HTTP status. param: the field at fault ("messages[0].content[1]"). code: a word for programs.
    """

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
        self.status = status


def error_body(message: str, kind: str, *, param: str | None = None, code: str | int | None = None) -> Json:
    """The error document of OpenAI's API."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def messages_of(body: Json) -> list[Json]:
    """The messages of a checked request."""
    messages = body["messages"]
    assert isinstance(messages, list)
    return messages


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a request: its bytes as sent, and where it stood."""

    data: bytes
    param: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A checked request. contents: per message either its text, or parts: texts and positions in ``images``."""

    body: Json
    contents: tuple[str | tuple[str | int, ...] | None, ...]
    images: tuple[Image, ...]

    def with_readings(self, readings: Sequence[str]) -> Json:
        """The request with text only. readings: the text seen in each of ``images``, in their order."""
        messages: list[Json] = []
        for message, content in zip(messages_of(self.body), self.contents, strict=True):
            text = content
            if isinstance(content, tuple):
                text = "\n".join(part if isinstance(part, str) else self._caption(part, readings[part]) for part in content)
            messages.append({**message, "content": text})
        return {**self.body, "messages": messages}

    def _caption(self, position: int, reading: str) -> str:
        name = "the image" if len(self.images) == 1 else f"image {position + 1}"
        if not reading:
            return f"No text is seen in {name}."
        return f"Text seen in {name}:\n{reading}\n"


def parse_chat(body: object, model: str) -> ChatRequest:
    """Check a /v1/chat/completions body. Raises BadRequest, naming the field."""
    if not isinstance(body, dict):
        raise BadRequest("the body must be a JSON object")
    if body.get("stream"):
        raise BadRequest("the embedded model does not stream: leave out `stream`", param="stream", code="unsupported_value")
    if "model" not in body:
        raise BadRequest("`model` is missing", param="model", code="missing_required_parameter")
    if body["model"] != model:
        raise BadRequest(f"there is no model {body['model']!r} here, only {model!r}", param="model", code="model_not_found", status=404)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise BadRequest("`messages` must be a list with at least one message", param="messages")
    images: list[Image] = []
    contents = tuple(_content(message, f"messages[{index}]", images) for index, message in enumerate(messages))
    return ChatRequest(body, contents, tuple(images))


def _content(message: object, param: str, images: list[Image]) -> str | tuple[str | int, ...] | None:
    if not isinstance(message, dict):
        raise BadRequest(f"{param} must be an object", param=param)
    content = message.get("content")
    if content is None or isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise BadRequest(f"{param}.content must be text or a list of parts", param=f"{param}.content")
    return tuple(_part(part, f"{param}.content[{index}]", images) for index, part in enumerate(content))


def _part(part: object, param: str, images: list[Image]) -> str | int:
    if not isinstance(part, dict):
        raise BadRequest(f"{param} must be an object", param=param)
    match part.get("type"):
        case "text" if isinstance(part.get("text"), str):
            return str(part["text"])
        case "text":
            raise BadRequest(f"{param}.text must be a string", param=f"{param}.text")
        case "image_url":
            if len(images) == MAX_IMAGES:
                raise BadRequest(f"{param}: at most {MAX_IMAGES} images a request", param=param)
            source = part.get("image_url")
            images.append(Image(_data_uri(source.get("url") if isinstance(source, dict) else source, param), param))
            return len(images) - 1
        case kind:
            raise BadRequest(
                f"{param}: the embedded model takes text and image_url parts, not {kind!r}", param=param, code="unsupported_value"
            )


def _data_uri(url: object, param: str) -> bytes:
    """The bytes of ``data:image/...;base64,...``; other URLs are refused: the embedded model fetches nothing."""
    if not isinstance(url, str):
        raise BadRequest(f"{param}.image_url.url must be a string", param=f"{param}.image_url.url")
    head, comma, payload = url.partition(",")
    if not head.startswith("data:image/") or not head.endswith(";base64") or not comma:
        raise BadRequest(f"{param}: an image must be a data: URI (data:image/png;base64,...)", param=f"{param}.image_url.url")
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(f"{param}: the data: URI is not valid base64 ({error})", param=f"{param}.image_url.url") from error
