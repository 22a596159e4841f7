"""The batches of a gateway: hands them over, looks at them, collects them. It keeps nothing of them, and never tries anything twice.

What a provider says of a batch and its items is converted by ``gateway.batches.base.BatchApi``; an item's request is written, and its
answer read, by the adapter that does so for single calls.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import BinaryIO, TypeVar

from gateway.adapters import error_reader
from gateway.answering.errors import malformed, redact
from gateway.answering.replies import failure_of
from gateway.asking.media_blocks import Fetch
from gateway.asking.parts import LARGE_BYTES, blobs_of
from gateway.asking.prepared import prepared
from gateway.asking.sizes import checked_size
from gateway.batches import APIS
from gateway.batches.base import NOT_FOUND, BatchApi, Reply, Request, Steps, Submission
from gateway.batches.items import NO_ROOM, ItemFile, check_item, check_key, no_room
from gateway.batches.results import Reader, Settle, asked_with, on_disk
from gateway.batches.transfers import Came, download, exchange
from gateway.bodies import body_of, read_json
from gateway.calls import Call, Calls
from gateway.pricing.prices import DatedPrice
from gateway.resolved import ResolvedRoute
from gateway.routes import Routes
from gateway.telemetry import ModelSeries
from gateway.upstream import Upstream
from gateway.upstreams import Upstreams
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.failures import to_status
from genlevel.runtime.memory import give_back
from genlevel.runtime.settings import CallLimits
from genlevel.v1 import gateway_pb2 as gw

TRANSFER_S = 3600.0
"""A batch is handed over, or its results are fetched, within this time."""
MOST_COUNTED = 10_000
NOT_ENDED = "batch_not_ended"
_AT_ONCE = nullcontext()
_UNREAD = (LookupError, TypeError, ValueError, AttributeError)

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Shared:
    """What batches have of the gateway. stored: reads stored media of one request. limits: of requests.
    settle: ``gateway.batches.results.Settle``. failed: takes note of a failure, by its provider. series: what counts a model's answers.
    encoding: large requests, so many at once.
    """

    routes: Routes
    upstreams: Upstreams
    calls: Calls
    stored: Callable[[], Fetch]
    limits: CallLimits
    settle: Settle
    failed: Callable[[str, CallFailed], None]
    series: Callable[[ResolvedRoute], ModelSeries]
    encoding: asyncio.Semaphore


class Batches:
    """SubmitBatch, GetBatch, FindBatches, CollectBatch and CancelBatch. All of them raise CallFailed."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._counted: OrderedDict[tuple[object, ...], None] = OrderedDict()  # batches whose answers were counted
        self._under_way: set[tuple[str, str]] = set()  # routes and keys of batches that are being handed over

    async def submit(self, requests: AsyncIterator[gw.SubmitBatchRequest]) -> gw.SubmitBatchResponse:
        """Hands a batch over: what cannot be asked is told, the rest goes to the provider.

        A failure that may be charged means that the batch may be there all the same: FindBatches tells.
        """
        first = await anext(requests, gw.SubmitBatchRequest())
        route, api = self._of(first.route)
        check_key(first.key)
        with (
            self._alone(route, first.key),
            self._within(route, TRANSFER_S, "a batch was not handed over") as call,
            ItemFile(api.framing) as file,
        ):
            writing = _Writing(self._shared, route, api, first.key, file)
            await writing.write(first)
            async for request in requests:
                await writing.write(request)
            await file.end()
            response = gw.SubmitBatchResponse(rejected=writing.rejected)
            if not file.count:
                if not writing.rejected:
                    raise CallFailed(ErrorClass.CALLER_FAULT, "items: a batch has at least one", part="items")
                return response
            submission = Submission(first.key, route.model, writing.path, file.count, file.size, file.read, writing.headers)
            upstream = await self._shared.upstreams.of(route)
            batch = await self._run(api.submit(submission), route, upstream, call, file)
            response.batch.CopyFrom(batch)
        return response

    async def get(self, request: gw.GetBatchRequest) -> gw.GetBatchResponse:
        """How a batch stands. DENIED: the provider does not know it."""
        route, api = self._of(request.route)
        return gw.GetBatchResponse(batch=await self._short(route, api.get(request.id)))

    async def cancel(self, request: gw.CancelBatchRequest) -> gw.CancelBatchResponse:
        """Has a batch cancelled; one that has ended is told as it stands."""
        route, api = self._of(request.route)
        return gw.CancelBatchResponse(batch=await self._short(route, api.cancel(request.id)))

    async def find(self, request: gw.FindBatchesRequest) -> gw.FindBatchesResponse:
        """The batches of a key, the newest first."""
        route, api = self._of(request.route)
        check_key(request.key)
        with self._alone(route, request.key):
            pass
        return gw.FindBatchesResponse(batches=await self._short(route, api.find(request.key, request.since_s)))

    async def collect(self, request: gw.CollectBatchRequest) -> AsyncIterator[gw.CollectBatchResponse]:
        """The results of a batch that has ended. They are fetched whole before the first one is told."""
        route, api = self._of(request.route)
        batched = route if route.price is None else replace(route, priced=DatedPrice(api.limits.price(route.price)))
        with ExitStack() as files:
            with self._within(route, TRANSFER_S, "the results of a batch did not come") as call:
                upstream = await self._shared.upstreams.of(route)
                batch, results = await self._run(api.results(request.id), route, upstream, call)
                if batch.state not in (gw.BATCH_STATE_ENDED, gw.BATCH_STATE_FAILED):
                    said = f"id: the batch {batch.id} has not ended; GetBatch tells when it has"
                    raise CallFailed(ErrorClass.CALLER_FAULT, said, part="id", provider_code=NOT_ENDED)
                fetched = []
                if results.inline:
                    fetched.append(files.enter_context(_temporary()))
                    try:
                        await asyncio.to_thread(on_disk, results.inline, fetched[-1])
                    except OSError as error:
                        raise no_room(error) from None
                    results = results._replace(inline=())
                for path in results.paths:
                    fetched.append(files.enter_context(_temporary()))
                    came = await download(upstream, path, fetched[-1])
                    if not 200 <= came.status < 300:
                        raise self._gone(route, upstream, came, "its results", charged=True)
            series = self._shared.series(route) if self._is_new(route, batch) else None
            reader = Reader(batched, upstream, api, self._shared.settle, asked_with(route, request.asked), series)
            try:
                async for message in reader.messages(fetched, results):
                    yield message
            except CallFailed as failure:
                self._shared.failed(route.provider, failure)
                raise

    @contextmanager
    def _alone(self, route: ResolvedRoute, key: str) -> Iterator[None]:
        """While a batch is handed over here, nobody can say whether it is there. Raises CallFailed for whoever asks, or hands it over."""
        name = (route.name, key)
        if name in self._under_way:
            said = f"{route.shown}: a batch with the key {key} is being handed over; look for it when that has ended"
            raise CallFailed(ErrorClass.TRANSIENT, said, part="key", provider=route.provider, provider_code="batch_under_way")
        self._under_way.add(name)
        try:
            yield
        finally:
            self._under_way.discard(name)

    def _is_new(self, route: ResolvedRoute, batch: gw.Batch) -> bool:
        """Whether nobody has collected the batch here before; from now on somebody has."""
        name = (*route.client, batch.id)
        if name in self._counted:
            return False
        self._counted[name] = None
        if len(self._counted) > MOST_COUNTED:
            self._counted.popitem(last=False)
        return True

    def _of(self, name: str) -> tuple[ResolvedRoute, BatchApi]:
        """A route and its provider's batch API. Raises CallFailed if it has none."""
        route = self._shared.routes.resolve(name)
        api = APIS.get((route.provider, route.api))
        if api is None:
            said = f"{route.name}: {route.provider} has no batches of its {route.api} API that are known here; ask it without a batch"
            raise CallFailed(ErrorClass.UNSUPPORTED, said, part="route", provider=route.provider)
        return route, api

    async def _short(self, route: ResolvedRoute, steps: Steps[Found]) -> Found:
        """What comes of a few small requests."""
        with self._within(route, route.timeout_s, "nothing was said of a batch") as call:
            return await self._run(steps, route, await self._shared.upstreams.of(route), call)

    async def _run(self, steps: Steps[Found], route: ResolvedRoute, upstream: Upstream, call: Call, items: ItemFile | None = None) -> Found:
        """Sends what is to be asked, one request after another."""
        makes = False
        try:
            request = next(steps)
            while True:
                if request.makes:
                    call.begin()
                makes = request.makes
                try:
                    reply = await self._reply(route, upstream, request, call, items)
                except CallFailed as failure:
                    failure.may_be_charged &= makes
                    request = steps.throw(failure)
                else:
                    request = steps.send(reply)
        except StopIteration as done:
            found: Found = done.value
            return found
        except _UNREAD as problem:
            unread = malformed(route.provider, redact(str(problem), upstream.key), name=route.shown)
            unread.may_be_charged = makes
            raise unread from None

    async def _reply(self, route: ResolvedRoute, upstream: Upstream, request: Request, call: Call, items: ItemFile | None) -> Reply:
        came = await exchange(upstream, request, call, items)
        if not 200 <= came.status < 300:
            raise self._gone(route, upstream, came, "" if items is not None else "the batch")
        body = read_json(came.body.partition(b"\n")[0] if request.first_line else came.body)
        return Reply(came.headers, body if isinstance(body, dict) else {})

    def _gone(self, route: ResolvedRoute, upstream: Upstream, came: Came, what: str, *, charged: bool = False) -> CallFailed:
        """The failure that a reply amounts to. what: that is not there, if it says so; "" = the model, or the API."""
        failure = failure_of(route, upstream, error_reader(route.row.dialect)(came.status, body_of(came.body), came.headers))
        if what and came.status in (404, 410) and failure.error_class is ErrorClass.MODEL_GONE:
            said = f"{route.shown} does not know {what} (any more): {failure.message.rpartition(': ')[2]}"
            failure = CallFailed(ErrorClass.DENIED, said, provider=route.provider, provider_code=NOT_FOUND)
        elif failure.error_class is ErrorClass.CONTEXT_TOO_LONG:
            failure.error_class = ErrorClass.TOO_LARGE
            failure.message = f"{route.shown} takes no batch so large ({failure.provider_code}); make several of it"
            failure.args = (failure.message,)
        failure.may_be_charged |= charged
        return failure

    @contextmanager
    def _within(self, route: ResolvedRoute, limit_s: float, late: str) -> Iterator[Call]:
        """A call within its time. late: what to say if that is over. Its failure is noted."""
        call = self._shared.calls.call(limit_s)
        call.is_large = True
        began = time.monotonic()
        try:
            with call:
                yield call
        except TimeoutError:
            said = f"{route.shown}: {late} within {time.monotonic() - began:.0f} s"
            over = CallFailed(ErrorClass.TIMEOUT, said, provider=route.provider, provider_code="deadline", may_be_charged=call.begun)
            self._shared.failed(route.provider, over)
            raise over from None
        except CallFailed as failure:
            self._shared.failed(route.provider, failure)
            raise
        finally:
            if limit_s == TRANSFER_S:
                give_back()


@dataclass(slots=True)
class _Writing:
    """Writes items to their file. path, headers: what the provider's API says of their requests. rejected: those that cannot be asked."""

    shared: Shared
    route: ResolvedRoute
    api: BatchApi
    key: str
    file: ItemFile
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    rejected: list[gw.BatchResult] = field(default_factory=list)
    known: set[str] = field(default_factory=set)

    async def write(self, request: gw.SubmitBatchRequest) -> None:
        """Writes the items of a message."""
        limits = self.api.limits
        for item in request.items:
            check_item(item.id, self.known)
            self.known.add(item.id)
            try:
                await self._write(item)
            except CallFailed as failure:
                if failure.provider_code == NO_ROOM:
                    raise
                rejected = gw.BatchResult(id=item.id)
                rejected.error.CopyFrom(to_status(failure))
                self.rejected.append(rejected)
                continue
            for what, found, most in (("items", self.file.count, limits.items), ("bytes", self.file.size, limits.bytes)):
                if found > most:
                    said = f"items: a batch of {self.route.provider} has at most {most:,} {what}; make several of it"
                    raise CallFailed(ErrorClass.TOO_LARGE, said, part="items", provider_code="batch limit")

    async def _write(self, item: gw.BatchItem) -> None:
        """Writes an item, as its request would be sent. Raises CallFailed if it cannot be asked."""
        request = item.request
        if request.route not in ("", self.route.name):
            said = "request.route: all items of a batch have its route; leave it out"
            raise CallFailed(ErrorClass.CALLER_FAULT, said, part="request.route")
        size = checked_size(request, request.messages, 0, self.shared.limits)
        async with self.shared.encoding if size > LARGE_BYTES or blobs_of(request.messages) else _AT_ONCE:
            sent = await prepared(request, self.route, self.route.model, self.shared.stored(), size=size)
            self.path = sent.path
            for name, value in (sent.headers or {}).items():
                self.headers[name] = joined(self.headers.get(name, ""), value)
            await self.file.add(self.api.before(self.key, item.id, self.path), sent.pieces)


def _temporary() -> BinaryIO:
    """A file that is gone when it is closed. Raises CallFailed."""
    try:
        return tempfile.TemporaryFile()
    except OSError as error:
        raise no_room(error) from None


def joined(one: str, other: str) -> str:
    """The values of a header that either item needs, such as beta features."""
    return ",".join(dict.fromkeys(value.strip() for value in f"{one},{other}".split(",") if value.strip()))
