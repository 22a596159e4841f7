"""The bytes of a medium, whole or by ranges: typed by what they are, sandboxed, and a download if a browser is not to show them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import Response, StreamingResponse

from genlevel.runtime.errors import StorageError, UsageError
from genlevel.runtime.shown import quoted
from genlevel.web.media.kinds import Sniffed, sniffed
from genlevel.web.media.ranges import NotSatisfiable, Part, asked_part
from genlevel.web.media.reading import Head, read_head
from genlevel.web.places import MEDIA_OF, AnswerPlace

if TYPE_CHECKING:
    from starlette.requests import Request

    from genlevel.web.page import Asked

HEADERS = {
    "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "private, no-cache",
}
"""Of everything that comes out of a run: no script of it runs, no page elsewhere loads it. Browsers style what is opened alone."""


async def media(asked: Asked, request: Request) -> Response:
    """A medium as it is, or with ?as= made into what a browser shows (genlevel.web.media.made). Raises GenlevelError."""
    place, of, position = AnswerPlace.asked(asked), asked_of(asked), asked.whole("position", 0, most=100_000)
    if form := asked.one("as"):
        from genlevel.web.media.made import made

        return await made(asked, place, of, position, form)
    head = await read_head(asked.services.evaluator, place, of, position)
    kind = sniffed(head.data, head.name)
    etag = etag_of(head)
    headers = {**HEADERS, "etag": etag, "accept-ranges": "bytes", **_shown_as(kind, place, of, position)}
    if request.headers.get("if-none-match", "").strip() == etag:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    try:
        part = asked_part(request.headers.get("range"), head.size, etag=etag, if_range=request.headers.get("if-range"))
    except NotSatisfiable:
        return Response(
            status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers={**headers, "content-range": f"bytes */{head.size}"}
        )
    wanted = part or Part(0, head.size)
    headers["content-length"] = str(wanted.length)
    if part is not None:
        headers["content-range"] = part.content_range(head.size)
    status = HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT
    if request.method == "HEAD" or not wanted.length:
        return Response(status_code=status, headers=headers)
    if wanted.offset + wanted.length <= len(head.data):
        return Response(head.data[wanted.offset : wanted.offset + wanted.length], status, headers)
    return StreamingResponse(_bytes(asked, place, of, position, wanted), status, headers)


def asked_of(asked: Asked) -> str:
    """Whose medium is asked for: a name in MEDIA_OF. Raises UsageError."""
    of = asked.one("of", "question")
    if of not in MEDIA_OF:
        raise UsageError(f"of is {quoted(of)}; give one of {', '.join(MEDIA_OF)}")
    return of


def etag_of(head: Head) -> str:
    """Changes if the file's size or beginning does."""
    return f'"{hashlib.sha256(b"%d:%s" % (head.size, head.data)).hexdigest()[:32]}"'


def file_name(place: AnswerPlace, of: str, position: int, suffix: str) -> str:
    """What a download is called: nothing that others wrote is in it."""
    run = "".join(letter for letter in place.run if letter.isalnum() and letter.isascii())[:12]
    which = hashlib.sha256(f"{place.task}\0{place.key}".encode("utf-8", "replace")).hexdigest()[:8]
    return f"{run}-{which}-{of}-{position}{suffix}"


def _shown_as(kind: Sniffed, place: AnswerPlace, of: str, position: int) -> dict[str, str]:
    name = file_name(place, of, position, kind.suffix)
    if kind.inline:
        return {"content-type": kind.inline, "content-disposition": f'inline; filename="{name}"'}
    return {"content-type": "application/octet-stream", "content-disposition": f'attachment; filename="{name}"'}


async def _bytes(asked: Asked, place: AnswerPlace, of: str, position: int, part: Part) -> AsyncIterator[bytes]:
    """Exactly the part, or an error that ends the response: a browser then knows that it has not got all."""
    left = part.length
    async for message in asked.services.evaluator.read_media(place.request(MEDIA_OF[of], position, part.offset, part.length)):
        data = message.data[:left]
        left -= len(data)
        if data:
            yield data
    if left:
        raise StorageError(f"the file ended {left} bytes early: it has changed while it was read")
