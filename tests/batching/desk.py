"""What the stand-ins of all providers' batch APIs share: batches that go on as they are asked about, what goes wrong, and what was billed.

A stand-in is told what is to go wrong by ``Faults``, and tells what it was asked by its ``Ledger``. Time does not pass in it: a batch is
further by a step each time somebody asks how it stands.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
import zlib
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]


@dataclass
class Faults:
    """What goes wrong, and how large things may be. Numbers of times count down.

    polls: a batch has ended when it was asked about so often. held: it does not end before this is False again. items, bytes: of a
    batch at most (0: as the provider). queued_items: so many may wait in all batches that have not ended; 0: any number. submit_errors:
    [status, body] for the next ones that are submitted. cut_unread, cut_accepted: the connection of so many submissions breaks before
    the batch is there, or after. hang: so many are taken and never answered. cut_uploads: of so many files. invalid: {"code": ...,
    "message": ...}: batches end with that before any item is asked. fail_every, refuse_every, lose_every: every so-manieth item fails
    with fail_status and fail_error, is refused by the model, or has no result at all. answered_at_most: then the batch expires. twice,
    unknown, broken_line: the results have the first item again with another answer, an item that nobody asked, or half a line.
    cut_results: so many downloads break off in the middle. short_results: so many end there, as if that were all. gone_results: so many
    are not found. unlisted: new batches are not in so many lists. single_errors: [status, body] for the next calls outside of batches.
    """

    polls: int = 2
    held: bool = False
    items: int = 0
    bytes: int = 0
    queued_items: int = 0
    submit_errors: list[Any] = field(default_factory=list)
    cut_unread: int = 0
    cut_accepted: int = 0
    hang: int = 0
    cut_uploads: int = 0
    invalid: Json | None = None
    fail_every: int = 0
    fail_status: int = 500
    fail_error: Json = field(default_factory=lambda: {"type": "server_error", "message": "The server had an error"})
    refuse_every: int = 0
    lose_every: int = 0
    answered_at_most: int | None = None
    twice: bool = False
    unknown: bool = False
    broken_line: bool = False
    cut_results: int = 0
    short_results: int = 0
    gone_results: int = 0
    unlisted: int = 0
    single_errors: list[Any] = field(default_factory=list)
    padding: int = 0

    def take(self, name: str) -> bool:
        """Whether it goes wrong now; counts down."""
        left = getattr(self, name)
        if left:
            setattr(self, name, left - 1)
        return bool(left)


@dataclass(frozen=True)
class Billed:
    """A request that was answered, and billed. batch: its id, "" = a call of its own. asked: digest of the request, without its id."""

    batch: str
    item: str
    asked: str
    input_tokens: int
    output_tokens: int


@dataclass
class Ledger:
    """What a stand-in was asked. submitted: ids of all batches. calls: HTTP requests by method and kind of path. seen: bodies of items."""

    billed: list[Billed] = field(default_factory=list)
    submitted: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    seen: list[Json] = field(default_factory=list)

    def more_than_once(self) -> list[str]:
        """Digests of requests that were billed more than once."""
        return [asked for asked, times in Counter(row.asked for row in self.billed).items() if times > 1]

    def nano_usd(self, input_price: int, output_price: int, batched: float = 0.5) -> int:
        """What all of it costs. Prices: nano-dollars a token, so that halves of them are whole."""
        full = [(row.input_tokens * input_price + row.output_tokens * output_price, row.batch) for row in self.billed]
        return sum(round(cost * batched) if batch else cost for cost, batch in full)

    def as_json(self) -> Json:
        """All of it, for another process."""
        return {**vars(self), "billed": [asdict(row) for row in self.billed], "calls": dict(self.calls)}


@dataclass
class Item:
    """One request of a batch. outcome: "" (waits), "answered", "failed", "expired", "cancelled", "lost". answer: the API's body."""

    id: str
    body: Json
    outcome: str = ""
    answer: Json = field(default_factory=dict)


@dataclass
class StoredBatch:
    """A batch as the provider keeps it. state: "validating", "running", "cancelling", "ended" or "invalid"."""

    id: str
    items: list[Item]
    key: str = ""
    model: str = ""
    endpoint: str = ""
    source: str = ""
    state: str = "validating"
    cut_short: str = ""
    error: Json | None = None
    asked: int = 0
    created: float = field(default_factory=time.time)

    def count(self, *outcomes: str) -> int:
        """How many items have these outcomes."""
        return sum(item.outcome in outcomes for item in self.items)


def digest(body: Json) -> str:
    """What tells a request from others."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]


def letter(text: str) -> str:
    """What every stand-in answers to a text: A, B, C or D, so that answers that are mixed up are seen."""
    return "ABCD"[zlib.crc32(text.encode()) % 4]


def tokens(text: str) -> int:
    """What it counts as its input."""
    return len(text) // 4 + 8


OUTPUT_TOKENS = 2


class Desk:
    """A provider's batches, in memory. Subclasses know its formats: what a request says, and how an answer is written."""

    name = ""
    most_items = 0
    most_bytes = 0

    def __init__(self) -> None:
        self.faults = Faults()
        self.ledger = Ledger()
        self.batches: dict[str, StoredBatch] = {}
        self.files: dict[str, bytes] = {}
        self._unlisted: dict[str, int] = {}

    # -- of each provider

    def said(self, body: Json) -> str:
        """The text that a request asks."""
        raise NotImplementedError

    def answer(self, body: Json, text: str, *, refused: bool) -> Json:
        """The API's body of an answer."""
        raise NotImplementedError

    def spoken(self, text: str) -> str:
        """What it answers to a text."""
        return letter(text) + " " * self.faults.padding

    def routes(self) -> list[web.RouteDef]:
        """Where it answers."""
        raise NotImplementedError

    # -- of all

    def control(self, changes: Json) -> None:
        """Sets what goes wrong."""
        self.faults = Faults(**{**asdict(self.faults), **changes})

    def submit(self, batch: StoredBatch) -> StoredBatch:
        """Takes a batch. If it is not valid, or too much waits already, it says so as the provider does."""
        faults = self.faults
        if faults.invalid is not None:
            batch.error = faults.invalid
        elif repeated := [item for item, times in Counter(item.id for item in batch.items).items() if times > 1]:
            batch.error = {"code": "duplicate_custom_id", "message": f"The custom_id {repeated[0]} is there more than once"}
        elif self.is_full(len(batch.items)):
            batch.error = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached. Limit: 90,000 enqueued tokens."}
        self.batches[batch.id] = batch
        self._unlisted[batch.id] = faults.unlisted
        self.ledger.submitted.append(batch.id)
        self.ledger.seen += [item.body for item in batch.items]
        return batch

    def is_full(self, more: int) -> bool:
        """Whether too much waits for so many items to be taken."""
        waiting = sum(len(batch.items) for batch in self.batches.values() if batch.state in ("validating", "running", "cancelling"))
        return bool(self.faults.queued_items) and waiting + more > self.faults.queued_items

    def listed(self) -> list[StoredBatch]:
        """All that lists show, the newest first."""
        shown = [batch for batch in self.batches.values() if not self._unlisted[batch.id]]
        for batch in self.batches:
            self._unlisted[batch] = max(0, self._unlisted[batch] - 1)
        return sorted(shown, key=lambda batch: batch.created, reverse=True)

    def look(self, batch: StoredBatch) -> StoredBatch:
        """The batch as it stands, a step further than before."""
        if batch.state in ("ended", "invalid"):
            return batch
        batch.asked += 1
        if batch.error is not None:
            batch.state = "invalid"
            return batch
        if batch.state == "cancelling":
            return self._end(batch, "cancelled")
        faults, most = self.faults, self.faults.answered_at_most
        batch.state = "running"
        steps = max(1, faults.polls)
        share = len(batch.items) * min(batch.asked, steps) // steps
        if faults.held:
            share = min(share, len(batch.items) // 2)
        for number, item in enumerate(batch.items[: share if most is None else min(share, most)]):
            if not item.outcome:
                self._work(batch, item, number)
        if not faults.held and batch.asked >= steps:
            self._end(batch, "expired" if most is not None and most < len(batch.items) else "")
        return batch

    def cancel(self, batch: StoredBatch) -> StoredBatch:
        """Has it end."""
        if batch.state in ("validating", "running"):
            batch.state = "cancelling"
            self.ledger.cancelled.append(batch.id)
        return batch

    def call(self, body: Json) -> Json:
        """A call outside of batches."""
        text = self.said(body)
        self.ledger.billed.append(Billed("", "", digest(body), tokens(text), OUTPUT_TOKENS))
        return self.answer(body, text, refused=False)

    def ordered(self, batch: StoredBatch) -> list[Item]:
        """Items whose results there are, in an order that is not theirs."""
        return [item for item in reversed(batch.items) if item.outcome != "lost"]

    def lines(self, batch: StoredBatch, written: list[bytes], other: bytes) -> bytes:
        """A file of results, with what is wrong with it. other: a result of an item that nobody asked."""
        faults, lines = self.faults, list(written)
        if faults.twice and lines:
            again = lines[0].replace(b'"A"', b'"B"').replace(b'"C"', b'"B"').replace(b'"D"', b'"B"')
            lines.append(again)
        if faults.unknown:
            lines.insert(0, other)
        if faults.broken_line and lines:
            middle = len(lines) // 2
            lines[middle] = lines[middle][: len(lines[middle]) // 2]
        return b"".join(line + b"\n" for line in lines)

    async def send(self, request: web.Request, content: bytes) -> web.StreamResponse:
        """A file of results, unless that goes wrong."""
        faults = self.faults
        if faults.take("gone_results"):
            return web.json_response({"error": {"message": "No such File object", "type": "invalid_request_error"}}, status=404)
        if faults.take("short_results"):
            return web.Response(body=content[: len(content) // 2], content_type="application/octet-stream")
        response = web.StreamResponse(headers={"content-type": "application/octet-stream", "content-length": str(len(content))})
        await response.prepare(request)
        if faults.take("cut_results"):
            await response.write(content[: len(content) // 2])
            drop(request)
            return response
        await response.write(content)
        return response

    def _work(self, batch: StoredBatch, item: Item, number: int) -> None:
        faults, place = self.faults, number + 1
        if faults.fail_every and place % faults.fail_every == 0:
            item.outcome = "failed"
            return
        text = self.said(item.body)
        item.answer = self.answer(item.body, text, refused=bool(faults.refuse_every and place % faults.refuse_every == 0))
        item.outcome = "lost" if faults.lose_every and place % faults.lose_every == 0 else "answered"
        self.ledger.billed.append(Billed(batch.id, item.id, digest(item.body), tokens(text), OUTPUT_TOKENS))

    def _end(self, batch: StoredBatch, cut_short: str) -> StoredBatch:
        batch.state, batch.cut_short = "ended", cut_short
        for item in batch.items:
            item.outcome = item.outcome or cut_short or "failed"
        return batch


def drop(request: web.Request) -> None:
    """Breaks the connection off."""
    assert request.transport is not None
    request.transport.close()


def too_large(desk: Desk, items: int, size: int) -> str:
    """Why a batch is over the provider's limits, "" if it is not."""
    most_items, most_bytes = desk.faults.items or desk.most_items, desk.faults.bytes or desk.most_bytes
    if items > most_items:
        return f"The batch has {items} requests, the limit is {most_items}"
    return f"The batch has {size} bytes, the limit is {most_bytes}" if size > most_bytes else ""


async def submission(desk: Desk, request: web.Request, take: Any) -> web.StreamResponse:
    """Answers a request that submits a batch, unless that goes wrong. take: takes the batch and writes the provider's answer."""
    faults = desk.faults
    if faults.take("cut_unread"):
        drop(request)
        return web.Response()
    if faults.submit_errors:
        status, body = faults.submit_errors.pop(0)
        return web.json_response(body, status=status)
    answer = take()
    if faults.take("hang"):
        await asyncio.sleep(3600)
    if faults.take("cut_accepted"):
        drop(request)
        return web.Response()
    return answer if isinstance(answer, web.Response) else web.json_response(answer)
