"""Has media made: sends the first request, waits for a job if the provider makes one, and fetches what the answer names.

One call begins at most one job. If the call ends before its job does (its time is over, or the provider cannot be reached any
more), the job is remembered, and the same request asked again waits for it instead of beginning another.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping

import orjson

from gateway.adapters.making import Job, Made, Reply, Request
from gateway.asking.parts import LARGE_BYTES
from gateway.bodies import read_json
from gateway.calls import Call
from gateway.downloads import MAX_MEDIA_BYTES
from gateway.landing import Landed, Landing
from gateway.splicing import Encoded, Piece
from gateway.upstream import Upstream
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import Api

MOST_UNFINISHED = 1000
MOST_FAILURES = 8
_WAITING_S = (0.5, 1.0, 2.0, 5.0, 10.0)
# A job that cannot be asked about just now goes on all the same.
_PASSING = frozenset({ErrorClass.TRANSIENT, ErrorClass.TIMEOUT, ErrorClass.RATE_LIMIT})


class Ended(Exception):
    """A job is over, without an answer; says why as CallFailed."""

    def __init__(self, failure: CallFailed) -> None:
        super().__init__(failure.message)
        self.failure = failure


Read = Callable[[int, Reply, Job | None], Made | Job]
"""What a reply means: its status, the reply, the job that was asked about. Raises CallFailed, or Ended."""
Send = Callable[[Request], Awaitable[tuple[int, Reply, float]]]
"""Asks once. Returns the status, the reply, and the seconds during which it was open."""


class Jobs:
    """Jobs that their calls left behind, by what was asked."""

    def __init__(self) -> None:
        self._left: OrderedDict[tuple[str, str], Job] = OrderedDict()  # of one request there are several if it was asked several times

    async def make(self, asked: str, send: Send, request: Request, read: Read) -> tuple[Made, float]:
        """What the request makes, and the seconds with a request open. asked: ``asked_of`` it. Raises CallFailed.

        Cancelling it leaves the job, if one was begun, to the next call that asks the same.
        """
        left = next((key for key in self._left if key[0] == asked), None)
        open_s, job, failures = 0.0, None if left is None else self._left.pop(left), 0
        try:
            while True:
                if job is not None:
                    await asyncio.sleep(job.delay_s if not failures else _WAITING_S[min(failures, len(_WAITING_S)) - 1])
                    request = job.next
                try:
                    status, reply, seconds = await send(request)
                    open_s += seconds
                    found = read(status, reply, job)
                except Ended as ended:
                    job = None
                    raise ended.failure from None
                except CallFailed as failure:
                    failures += 1
                    failure.may_be_charged |= job is not None  # what was begun is billed, whatever becomes of asking about it
                    if job is None or failure.error_class not in _PASSING or failures > MOST_FAILURES:
                        if failure.error_class not in _PASSING:
                            job = None  # it failed for good: asking again begins another
                        raise
                    if failure.retry_after_s:
                        await asyncio.sleep(failure.retry_after_s)
                    continue
                if isinstance(found, Made):
                    job = None
                    return found, open_s
                failures, job = 0, found
        finally:
            if job is not None:
                self._left[asked, job.id] = job
                if len(self._left) > MOST_UNFINISHED:
                    self._left.popitem(last=False)


def asked_of(name: str, path: str, pieces: Iterable[Piece]) -> str:
    """What is asked, as a hash. name: the route. Media count as they came; blocks."""
    digest = hashlib.sha256(f"{name}\0{path}\0".encode())
    for piece in pieces:
        digest.update(piece.data if isinstance(piece, Encoded) else piece)
    return digest.hexdigest()


async def send(upstream: Upstream, request: Request, call: Call | None = None, landing: Landing | None = None) -> tuple[int, Reply, float]:
    """Asks once: a ``Send``. landing: where media go."""
    body: list[Piece] = [orjson.dumps(request.body)] if isinstance(request.body, dict) else request.body
    headers = {"content-type": request.content_type} if body else None
    status, answered, raw, seconds = await upstream.send(
        request.method, request.path, body, headers, limit=MAX_MEDIA_BYTES, call=call, landing=landing
    )
    landed = raw or (b"" if landing is None else await landing.landed())
    if isinstance(landed, Landed):
        return status, Reply(answered, landed, None), seconds
    reply = await asyncio.to_thread(reply_of, answered, landed) if len(landed) > LARGE_BYTES else reply_of(answered, landed)
    return status, reply, seconds


def reply_of(headers: Mapping[str, str], body: bytes) -> Reply:
    """A reply; JSON is looked for only if the body may be some."""
    found = read_json(body) if body[:1] in (b"{", b" ", b"\n", b"\r", b"\t") else None
    return Reply(headers, b"", found) if isinstance(found, dict) else Reply(headers, body, None)


def left_behind(api: Api) -> str:
    """What to say of a call whose time was over."""
    return "; its job goes on at the provider, and the same request asked again waits for it" if api is Api.VIDEO else ""
