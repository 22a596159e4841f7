"""Asks for an answer that comes as a stream: passes on what of it has come, and gives the whole in the end, or none of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from gateway.adapters.base import Answer
from gateway.answering.replies import UNREAD, answer_in, answer_of, reading
from gateway.asking.parts import LARGE_BYTES
from gateway.asking.prepared import Prepared
from gateway.bodies import Json
from gateway.calls import Call
from gateway.resolved import ResolvedRoute
from gateway.streams.reading import Reading
from gateway.streams.table import STREAMS
from gateway.upstream import LARGE_ANSWER_BYTES, MAX_ANSWER_BYTES, Incoming, Upstream
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.v1 import content_pb2 as ct

# A gRPC message costs more than what is in it: pieces wait for so long, or for so many bytes of the stream, to be passed on as one.
PIECES_S = 0.05
PIECES_BYTES = 64 << 10
# A piece of a few bytes comes in an event of a few hundred.
MAX_STREAM_BYTES = 4 * MAX_ANSWER_BYTES
# No conversation says so much: what is beyond needs room as any large answer does. Of text and reasoning; of all that a stream brings.
_MUCH_SAID, _MUCH_BROUGHT = 8 << 20, 32 << 20

# Streams that may begin as an object of JSON does. Server-sent events do not, whatever a server calls what it sends.
_MAY_BEGIN_SO = frozenset({"application/x-ndjson", "application/stream+json", "application/vnd.amazon.eventstream"})

PassOn = Callable[[Sequence[ct.Part]], Awaitable[None]]
"""Takes pieces of an answer, in order: a text continues the last text, reasoning the last reasoning. While it waits nothing is read."""


class Streamed(NamedTuple):
    """What a stream came to. first_piece_s: from when it was asked for; None: nothing came in pieces."""

    answer: Answer
    headers: Mapping[str, str]
    upstream_s: float
    first_piece_s: float | None


async def ask_streamed(route: ResolvedRoute, upstream: Upstream, sent: Prepared, call: Call, pass_on: PassOn | None) -> Streamed:
    """Asks once. call: what for. pass_on: None: nobody wants pieces. Raises CallFailed; then what was passed on is half an answer.

    A server that answers whole is taken at its word, and so is one that fails.
    """
    started = time.perf_counter()
    async with upstream.stream(sent.path, sent.pieces, sent.headers, call=call) as incoming:
        stream = _Stream(route, upstream, incoming, call=call, pass_on=pass_on, started=started)
        first = await stream.next()
        if not 200 <= incoming.status < 300 or _is_whole(incoming.headers, first):
            raw = await stream.rest(first)
            answer = answer_of(route, upstream, incoming.status, incoming.headers, raw)
            if pass_on is not None:
                await pass_on([part for part in answer.parts if part.WhichOneof("part") in ("text", "reasoning", "tool_call")])
            return Streamed(answer, incoming.headers, time.perf_counter() - started, None)
        body = await stream.body(first)
    upstream_s = time.perf_counter() - started
    return Streamed(answer_in(route, upstream, incoming.headers, body), incoming.headers, upstream_s, stream.first_piece_s)


def joined(pieces: Sequence[ct.Part]) -> list[ct.Part]:
    """The same with texts that follow one another as one, and reasoning as well."""
    found: list[ct.Part] = []
    kinds = [piece.WhichOneof("part") for piece in pieces]
    start = 0
    for end in range(1, len(pieces) + 1):
        if end < len(pieces) and kinds[end] == kinds[start] and kinds[start] in ("text", "reasoning"):
            continue
        if end - start == 1:
            found.append(pieces[start])
        elif kinds[start] == "text":
            found.append(ct.Part(text="".join([piece.text for piece in pieces[start:end]])))
        else:
            found.append(ct.Part(reasoning=ct.Reasoning(text="".join([piece.reasoning.text for piece in pieces[start:end]]))))
        start = end
    return found


class _Stream:
    """One stream while it comes. first_piece_s: as in Streamed."""

    def __init__(
        self, route: ResolvedRoute, upstream: Upstream, incoming: Incoming, *, call: Call, pass_on: PassOn | None, started: float
    ) -> None:
        streaming = STREAMS[route.row.dialect, route.api]
        self.first_piece_s: float | None = None
        self._route = route
        self._upstream = upstream
        self._incoming = incoming
        self._call = call
        self._size = 0  # bytes that have come
        self._said = 0  # bytes of pieces
        self._pass_on = pass_on
        self._started = started
        self._reading = Reading(streaming.framing(), streaming.assembler())
        self._pending: list[ct.Part] = []
        self._pending_bytes = 0
        self._due = 0.0  # by the loop's clock: when what is pending is passed on

    async def next(self) -> bytes:
        """The next bytes, b"" at the end. What is pending is passed on meanwhile. Raises CallFailed, also for too long a silence."""
        data = self._incoming.ready()
        loop = asyncio.get_running_loop()
        while not data:
            waits_for_more = bool(self._pending)
            try:
                async with asyncio.timeout_at(self._due if waits_for_more else loop.time() + self._route.idle_timeout_s):
                    data = await self._incoming.read()
            except TimeoutError:
                if not waits_for_more:
                    raise self._silent() from None
                await self._flush()
            else:
                break
        self._size += len(data)
        if self._size > MAX_STREAM_BYTES:
            raise self._too_large(MAX_STREAM_BYTES)
        self._call.is_large |= self._size > LARGE_BYTES
        return data

    async def rest(self, first: bytes) -> bytes:
        """All of an answer that is no stream."""
        chunks = [first]
        while self._size <= MAX_ANSWER_BYTES and (data := await self.next()):
            chunks.append(data)
            if self._size > LARGE_ANSWER_BYTES:
                await self._call.receives(self._size)
        if self._size > MAX_ANSWER_BYTES:
            raise self._too_large(MAX_ANSWER_BYTES)
        return b"".join(chunks)

    async def body(self, first: bytes) -> Json:
        """Reads to the end. Returns the body that the API would have answered whole. Raises CallFailed."""
        data = first
        while data:
            await self._take(data)
            try:
                data = await self.next()
            except CallFailed as broken:
                try:
                    body = self._reading.end()  # whole all the same: its connection broke behind its end, or was not closed
                except UNREAD:
                    raise broken from None
                await self._flush()
                return body
        with reading(self._route, self._upstream, self._incoming.headers):
            try:
                body = self._reading.end()
            except ValueError as problem:
                raise self._failure(ErrorClass.TRANSIENT, str(problem), "cut") from None
        await self._flush()
        return body

    async def _take(self, data: bytes) -> None:
        try:
            with reading(self._route, self._upstream, self._incoming.headers):
                pieces = self._reading.feed(data)
        except CallFailed as failure:
            failure.may_be_charged |= self._reading.began
            raise
        self._said += sum([piece.ByteSize() for piece in pieces])
        if (kept := self._kept()) > LARGE_ANSWER_BYTES:
            await self._call.receives(kept)
        if not pieces:
            return
        is_first = self.first_piece_s is None
        if is_first:
            self.first_piece_s = time.perf_counter() - self._started
        if self._pass_on is None:
            return
        now = asyncio.get_running_loop().time()
        if not self._pending:
            self._due = now + PIECES_S
        self._pending += pieces
        self._pending_bytes += len(data)
        if is_first or now >= self._due or self._pending_bytes >= PIECES_BYTES:
            await self._flush()

    def _kept(self) -> int:
        """About how many bytes of it are in memory beyond what any answer has: a picture, say."""
        if self._size > _MUCH_BROUGHT:
            return self._size
        return max(self._reading.held, self._said) if self._said > _MUCH_SAID else self._reading.held

    async def _flush(self) -> None:
        if self._pending and self._pass_on is not None:
            pieces, self._pending, self._pending_bytes = self._pending, [], 0
            await self._pass_on(joined(pieces))

    def _silent(self) -> CallFailed:
        return self._failure(ErrorClass.TIMEOUT, f"it said nothing for {self._route.idle_timeout_s:g} s within its answer", "idle")

    def _too_large(self, most: int) -> CallFailed:
        return self._failure(ErrorClass.UNKNOWN, f"it sent more than {most >> 20} MiB in one answer", "too large")

    def _failure(self, kind: ErrorClass, said: str, code: str) -> CallFailed:
        return CallFailed(kind, f"{self._route.shown}: {said}", provider=self._route.provider, provider_code=code, may_be_charged=True)


def _is_whole(headers: Mapping[str, str], first: bytes) -> bool:
    """Whether an answer is no stream, though one was asked for. first: how it begins. A list of JSON is left to the framing."""
    kind, begins = headers.get("content-type", "").partition(";")[0].strip().lower(), first.lstrip()[:1]
    return kind not in _MAY_BEGIN_SO and (begins in (b"{", b"<") or (kind == "application/json" and begins != b"["))
