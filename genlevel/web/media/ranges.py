"""The part of a file that a request asks for (RFC 9110, sections 14.1.2, 14.2 and 13.1.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.IGNORECASE | re.ASCII)


class NotSatisfiable(Exception):
    """The range begins behind the end of the file."""


@dataclass(frozen=True, slots=True)
class Part:
    """length bytes from offset on."""

    offset: int
    length: int

    def content_range(self, size: int) -> str:
        """As the header Content-Range says it."""
        return f"bytes {self.offset}-{self.offset + self.length - 1}/{size}"


def asked_part(header: str | None, size: int, *, etag: str, if_range: str | None = None) -> Part | None:
    """The part that a header Range means; None: the whole file, as there is no header, it asks for several parts, or cannot be read.

    size: of the file, in bytes. if_range: of the header If-Range; the part is for whoever has the rest of this very file.
    Raises NotSatisfiable.

    Example:
        >>> asked_part("bytes=-2", 10, etag='"a"')
        Part(offset=8, length=2)
    """
    if header is None or (if_range is not None and if_range.strip() != etag):
        return None
    found = _ONE_RANGE.fullmatch(header)
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        length = min(int(last), size)
        if not length:
            raise NotSatisfiable
        return Part(size - length, length)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise NotSatisfiable
    end = min(int(last), size - 1) if last else size - 1
    return Part(int(first), end - int(first) + 1)
