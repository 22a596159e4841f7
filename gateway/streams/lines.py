"""Lines of bytes that come in pieces, in time that grows with the bytes alone."""

from __future__ import annotations

import re

from gateway.streams.assembler import MAX_EVENT_BYTES

_END = re.compile(rb"\r\n|\n|\r")


class Lines:
    """Cuts bytes into lines, which end with LF, CRLF or CR. most: bytes of one line; a longer one raises ValueError."""

    __slots__ = ("_most", "_pieces", "_size", "_was_cr")

    def __init__(self, most: int = MAX_EVENT_BYTES) -> None:
        self._most = most
        self._pieces: list[bytes] = []
        self._size = 0
        self._was_cr = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that these bytes end, without their ends."""
        if not data:
            return []
        if self._was_cr and data[:1] == b"\n":  # the second half of an end
            data = data[1:]
        self._was_cr = data[-1:] == b"\r" if data else False
        lines = _END.split(data)
        rest = lines.pop()
        if lines and self._pieces:
            lines[0] = b"".join((*self._pieces, lines[0]))
            self._pieces, self._size = [], 0
        if rest:
            self._pieces.append(rest)
            self._size += len(rest)
        if self._size > self._most or any(len(line) > self._most for line in lines):
            raise ValueError(f"an event of the stream has more than {self._most >> 20} MiB")
        return lines

    def end(self) -> bytes:
        """The bytes behind the last end of a line."""
        rest, self._pieces, self._size = b"".join(self._pieces), [], 0
        return rest
