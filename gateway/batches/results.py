"""What became of a batch's items, read line by line from the files that its provider gave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple

import orjson

from gateway.adapters import error_reader
from gateway.answering.replies import answer_in, failure_of, has_media, response_of, set_cost
from gateway.asking.parameters import Applied
from gateway.asking.prepared import parameters_of
from gateway.batches.base import NO_ANSWER, BatchApi, Result, Results
from gateway.bodies import Json, read_json
from gateway.resolved import ResolvedRoute
from gateway.telemetry import ModelSeries
from gateway.upstream import MAX_ANSWER_BYTES, Upstream
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.failures import to_status
from genlevel.runtime.rpc import MESSAGE_LIMIT_BYTES
from genlevel.v1 import gateway_pb2 as gw

MAX_RESULTS_PER_MESSAGE = 128
MAX_BYTES_PER_MESSAGE = 4 << 20  # one larger result goes alone
_FRAME_BYTES = 16
_LINES_AT_ONCE = 256
"""After so many that tell nothing new, others have their turn."""
_LINES_AN_ITEM = 4
"""More lines than so many times the items of a batch are no results."""
_EMPTY: Json = {}
"""What is in an empty line of a file."""
_UNREAD = (LookupError, TypeError, ValueError, AttributeError)
_UNASKED = {"expired": "the batch expired before it was asked", "cancelled": "the batch was cancelled before it was asked"}

Settle = Callable[[gw.GenerateResponse], Awaitable[bool]]
"""Counts an answer's media and stores the large ones; whether the length of each is known."""


class Reader(NamedTuple):
    """What it takes to read results. route: with the price of a call in a batch. asked: what items were asked with, by their ids.
    series: what counts the answers; None: they were counted before.
    """

    route: ResolvedRoute
    upstream: Upstream
    api: BatchApi
    settle: Settle
    asked: Mapping[str, Applied]
    series: ModelSeries | None = None

    async def messages(self, files: Sequence[BinaryIO], results: Results) -> AsyncIterator[gw.CollectBatchResponse]:
        """The results in these files, and those that came with the batch: the first one of each item.

        A line that is no result of an item is left out. Raises CallFailed (TRANSIENT) at the end if a file ends within a line, or answers
        are missing that the provider has counted.
        """
        message, size, answers, known, broken = gw.CollectBatchResponse(), 0, 0, set[str](), _Broken()
        for number, line in enumerate(_chained(results.inline, files, broken), 1):
            if number % _LINES_AT_ONCE == 0:
                await asyncio.sleep(0)
            if number > _LINES_AN_ITEM * self.api.limits.items:
                raise self._wrong("it tells more results than a batch has items", ErrorClass.UNKNOWN, "too many results")
            if line is _EMPTY:
                continue
            found = self._found(line)
            if found is None:
                broken.lines += 1
                continue
            if found.id in known:
                continue
            known.add(found.id)
            answers += found.status in (200, NO_ANSWER) and not found.unasked
            if len(known) > self.api.limits.items:
                raise self._wrong("it tells more results than a batch has items", ErrorClass.UNKNOWN, "too many results")
            result = await self._result(found)
            written = result.ByteSize() + _FRAME_BYTES
            if message.results and (len(message.results) >= MAX_RESULTS_PER_MESSAGE or size + written > MAX_BYTES_PER_MESSAGE):
                yield message
                await asyncio.sleep(0)  # others have their turn
                message, size = gw.CollectBatchResponse(), 0
            message.results.append(result)
            size += written
        if message.results:
            yield message
        if broken.ends or answers + broken.lines < results.answers:
            said = f"{answers:,} of {results.answers:,} answers of the batch came; collect them again"
            raise self._wrong(said, ErrorClass.TRANSIENT, "results incomplete")

    def _wrong(self, said: str, kind: ErrorClass, code: str) -> CallFailed:
        route = self.route
        return CallFailed(kind, f"{route.shown}: {said}", provider=route.provider, provider_code=code, may_be_charged=True)

    def _found(self, line: object) -> Result | None:
        try:
            return self.api.result(line) if isinstance(line, dict) else None
        except _UNREAD:
            return None

    async def _result(self, found: Result) -> gw.BatchResult:
        result = gw.BatchResult(id=found.id)
        try:
            response = await self._response(found)
        except CallFailed as failure:
            result.error.CopyFrom(to_status(failure))
            if self.series is not None and not found.unasked:
                self.series.failed_in_batch(failure)
            return result
        result.response.CopyFrom(response)
        if self.series is not None:
            self.series.collected(response, not response.usage_incomplete)
        if (size := result.ByteSize()) + _FRAME_BYTES > MESSAGE_LIMIT_BYTES:
            result.error.CopyFrom(to_status(_too_large(size, result.response)))
        return result

    async def _response(self, found: Result) -> gw.GenerateResponse:
        """An item's answer, as of a single call. Raises CallFailed."""
        route = self.route
        if found.unasked:
            said = f"{route.shown} did not ask it: {_UNASKED[found.unasked]}"
            raise CallFailed(ErrorClass.NOT_SENT, said, provider=route.provider, provider_code=f"batch_{found.unasked}")
        good = 200 <= found.status < 300
        failed = None if good else failure_of(route, self.upstream, error_reader(route.row.dialect)(found.status, found.body, {}))
        try:
            answer = answer_in(route, self.upstream, {}, found.body, failed)
        except CallFailed as failure:
            if not good:  # an item that failed is not billed, unless it says what it used
                failure.may_be_charged = failure.usage is not None or found.status == NO_ANSWER
            raise
        applied = self.asked.get(found.id)
        parameters, dropped = applied or Applied(gw.GenerationParameters(), ())
        response = response_of(route, answer, parameters, dropped, upstream_s=0.0)
        if applied is None:
            response.ClearField("applied_parameters")
        lengths = not has_media(response) or await self.settle(response)
        set_cost(response, route, tokens=answer.usage_is_known, lengths=lengths)
        return response


def asked_with(route: ResolvedRoute, groups: Iterable[gw.AskedParameters]) -> dict[str, Applied]:
    """What was sent of the parameters that items were asked with, by their ids. Those that could not be sent are left out."""
    found: dict[str, Applied] = {}
    for group in groups:
        try:
            applied = parameters_of(gw.GenerateRequest(parameters=group.parameters, droppable=group.droppable), route)
        except CallFailed:
            continue
        found.update(dict.fromkeys(group.ids, applied))
    return found


class _Broken:
    """What could not be read. lines: that are no results. ends: files that end within a line."""

    def __init__(self) -> None:
        self.lines = self.ends = 0


def on_disk(inline: Iterable[object], file: BinaryIO) -> None:
    """Writes results that came with a batch as lines: they may be many, and who collects them may take long. Raises OSError."""
    for one in inline:
        try:
            line = orjson.dumps(one)
        except TypeError:  # nested deeper than any answer
            line = b"null"
        file.write(line + b"\n")


def _chained(inline: Iterable[object], files: Sequence[BinaryIO], broken: _Broken) -> Iterator[object]:
    yield from inline
    for file in files:
        file.seek(0)
        yield from _lines(file, broken)


def _lines(file: BinaryIO, broken: _Broken) -> Iterator[Json | None]:
    """The objects in a file's lines; None for a line that is none."""
    while line := file.readline(MAX_ANSWER_BYTES):
        whole = line.endswith(b"\n")
        body = read_json(line) if line.strip() else {}
        if isinstance(body, dict):
            yield body or _EMPTY
            continue
        yield None
        while not whole and len(line) == MAX_ANSWER_BYTES:  # a line that is longer than any answer
            line = file.readline(MAX_ANSWER_BYTES)
            whole = line.endswith(b"\n")
        broken.ends += not whole


def _too_large(size: int, answer: gw.GenerateResponse) -> CallFailed:
    said = f"the answer has {size / (1 << 20):.1f} MiB, and a message from the gateway at most {MESSAGE_LIMIT_BYTES >> 20} MiB"
    return CallFailed(
        ErrorClass.CALLER_FAULT,
        said,
        provider_code="too large",
        may_be_charged=True,
        usage=answer.usage,
        cost_nano_usd=answer.cost_nano_usd if answer.HasField("cost_nano_usd") else None,
    )
