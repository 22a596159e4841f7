"""Media in a body of JSON: they become base64 while the body is sent, piece by piece, and are in memory as they came until then.

Base64 needs no escapes in JSON. A picture that passes through strings, a data URI and a JSON encoder is copied four times and looked at
twice, which takes as long as all else that a call with it costs.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

import orjson
import pybase64

from gateway.bodies import Json
from genlevel.runtime.errors import CallFailed, ErrorClass

_MARK = secrets.token_hex(16)
"""What stands for media in JSON until they are written: nobody outside of this process knows it, so that no text of a request has it."""
_PLACES = re.compile(rf"{_MARK}:(\d+):".encode())
_STEP_BYTES = 768 << 10
"""So many bytes at a time become base64, 1 MiB of it: a multiple of 3, so that what follows fits on."""


class Encoded:
    """The base64 of media, made while it is sent; its length is known before."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __len__(self) -> int:
        return (len(self.data) + 2) // 3 * 4

    def __bytes__(self) -> bytes:
        encoded: bytes = pybase64.b64encode(self.data)
        return encoded

    def pieces(self) -> Iterator[bytes]:
        """It, in pieces of at most 1 MiB."""
        view = memoryview(self.data)
        for start in range(0, len(view), _STEP_BYTES):
            yield pybase64.b64encode(view[start : start + _STEP_BYTES])


Piece = bytes | Encoded
"""A piece of a body."""


class Splice:
    """The media of one request.

    Example:
        >>> splice = Splice()
        >>> body = {"image": f"data:image/png;base64,{splice.put(b'abc')}"}
        >>> b"".join(map(bytes, splice.written(body)))
        b'{"image":"data:image/png;base64,YWJj"}'
    """

    __slots__ = ("_media", "size")

    def __init__(self) -> None:
        self._media: list[bytes] = []
        self.size = 0
        """Bytes of all of them."""

    def put(self, data: bytes) -> str:
        """What stands for these bytes' base64 in the body."""
        self._media.append(data)
        self.size += len(data)
        return f"{_MARK}:{len(self._media) - 1}:"

    def written(self, body: Json) -> list[Piece]:
        """The body as JSON, in pieces. Raises CallFailed (CALLER_FAULT) for one that is nested too deep: some 250 levels."""
        try:
            written = orjson.dumps(body)
        except TypeError as problem:
            said = f"the request cannot be written as JSON ({problem}): nest its tools, arguments and extra_json less"
            raise CallFailed(ErrorClass.CALLER_FAULT, said) from None
        if not self._media:
            return [written]
        pieces = _PLACES.split(written)  # JSON, number, JSON, number, ..., JSON
        return [Encoded(self._media[int(piece)]) if place % 2 else piece for place, piece in enumerate(pieces)]


def base64_text(data: bytes) -> str:
    """Base64 of bytes that are not sent in JSON."""
    text: str = pybase64.b64encode_as_string(data)
    return text
