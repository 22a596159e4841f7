"""Media in a body of JSON: they are written into it as base64 once the rest is JSON, and are in memory no more often than that.

Base64 needs no escapes in JSON. A picture that passes through strings, a data URI and a JSON encoder is copied four times and looked at
twice, which takes as long as all else that a call with it costs.
"""

from __future__ import annotations

import re
import secrets

import orjson
import pybase64

from gateway.bodies import Json

_MARK = secrets.token_hex(16)
"""What stands for media in JSON until they are written: nobody outside of this process knows it, so that no text of a request has it."""
_PLACES = re.compile(rf"{_MARK}:(\d+):".encode())


class Splice:
    """The media of one request.

    Example:
        >>> splice = Splice()
        >>> body = {"image": f"data:image/png;base64,{splice.put(b'abc')}"}
        >>> b"".join(splice.written(body))
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

    def written(self, body: Json) -> list[bytes]:
        """The body as JSON, in pieces. A piece may be as large as the largest media."""
        written = orjson.dumps(body)
        if not self._media:
            return [written]
        pieces = _PLACES.split(written)  # JSON, number, JSON, number, ..., JSON
        return [pybase64.b64encode(self._media[int(piece)]) if place % 2 else piece for place, piece in enumerate(pieces)]


def base64_text(data: bytes) -> str:
    """Base64 of bytes that are not sent in JSON."""
    text: str = pybase64.b64encode_as_string(data)
    return text
