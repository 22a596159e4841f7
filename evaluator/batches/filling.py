"""Puts what is asked into batches, and hands these to the provider one after the other.

Each step is durable before the next: the batch and its items, that it is handed over (only then the gateway is told that it is whole), and
the provider's id of it. So whoever goes on after a crash knows of every batch that a provider may have.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import time
from collections import Counter

from evaluator.batches.chunk import Chunk, sent_bytes
from evaluator.batches.keeping import Keeper, Waiting, is_for_good
from evaluator.batches.rules import FIRST_LOOK_S, SUBMIT_S, Advice, advice_on
from evaluator.journal.batch_records import BatchItem, BatchRecord, BatchStep, ItemState
from evaluator.planning.requests import PreparedCall
from evaluator.traffic.budget import Reservation
from evaluator.traffic.traffic import RunStopped
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.runtime.errors import CallFailed, ErrorClass, GenlevelError, StorageError, UsageError, may_pass
from genlevel.v1 import gateway_pb2 as gw

logger = logging.getLogger(__name__)


class Filler:
    """Fills batches of one run.

    waiting: items that wait to be put into one, by reason.
    """

    def __init__(self, keeper: Keeper, last_batch: int, last_item: int) -> None:
        self.waiting: Counter[str] = Counter()
        self._keeper = keeper
        self._setup = keeper.setup
        self._numbers, self._items = itertools.count(last_batch + 1), itertools.count(last_item + 1)
        self._turn = asyncio.Lock()
        self._chunk: Chunk | None = None
        self._handing: asyncio.Task[None] | None = None
        self._not_before = 0.0  # by time.monotonic
        self._vain = 0  # batches in a row that were not taken

    # -- putting in ------------------------------------------------------------------------------------------------

    async def put(self, task: str, key: AnswerKey, call: PreparedCall) -> None:
        """Puts one instance into a batch. Raises DoesNotFit, RunStopped, GenlevelError."""
        if call.bounds.unknown and self._keeper.worst.price is not None and self._setup.budget.limits[0] is not None:
            raise RunStopped(f"--budget-usd cannot be kept: {call.bounds.unknown}")
        size = sent_bytes(call.request)
        async with self._turn:
            reservation = await self._reserved(task, call)
            try:
                chunk = await self._chunk_for(size)
            except BaseException:
                self._setup.budget.cancel(reservation)
                raise
            item = self._item(task, key, call, chunk)
            if await chunk.put(item, call.request, size, reservation):
                await self._store(chunk)

    async def flush(self) -> None:
        """Hands over what was put in."""
        async with self._turn:
            await self._hand_over()

    async def discard(self) -> None:
        """Gives up what was put in and not handed over, and waits for what is being handed over."""
        if self._handing is not None:
            await asyncio.wait((self._handing,))
        if (chunk := self._chunk) is not None:
            self._chunk = None
            await self._not_taken(chunk)

    def cut(self) -> None:
        """Ends what is being handed over: the provider may have it."""
        if self._handing is not None:
            self._handing.cancel()

    async def _reserved(self, task: str, call: PreparedCall) -> Reservation:
        """A place in the budget. Nothing waits for one with a batch half full: what is in that may be all that has to end first."""
        budget, route, worst = self._setup.budget, self._setup.model.route, self._keeper.worst.of(call.bounds)
        while True:
            if (reservation := budget.take(route, task, worst)) is None:
                await self._hand_over()
                self.waiting["budget"] += 1
                try:
                    reservation = await budget.reserve(route, task, worst)
                finally:
                    self.waiting["budget"] -= 1
            if budget.begin(reservation):
                return reservation

    async def _chunk_for(self, size: int) -> Chunk:
        """A batch that has room for so many bytes more."""
        chunk = self._chunk
        if chunk is not None and (chunk.is_broken or not self._keeper.sizes.takes(chunk.count, chunk.bytes, size)):
            await self._hand_over()
        while (chunk := self._chunk) is None:
            await self._room()
            self._chunk = await self._begun()
        return chunk

    async def _room(self) -> None:
        """Waits until a further batch may go to the provider."""
        keeper = self._keeper
        self.waiting["batch"] += 1
        try:
            if (left := self._not_before - time.monotonic()) > 0:
                await asyncio.sleep(left)
            while keeper.sizes.serial and keeper.open:
                keeper.changed.clear()
                await keeper.changed.wait()
        finally:
            self.waiting["batch"] -= 1

    async def _begun(self) -> Chunk:
        """A new batch, stored, whose items go to the gateway as they come."""
        number, model = next(self._numbers), self._setup.model
        key = f"{self._setup.run_id}-{number}-{secrets.token_hex(4)}"  # other storages may have a run of the same id
        record = BatchRecord(self._setup.run_id, number, key, model.provider, BatchStep.FILLING, time.time())
        await self._keeper.writes(lambda lease: self._setup.journal.batches.begin(record, lease))
        chunk = Chunk(record, model.route)
        chunk.submitting = asyncio.create_task(self._submitted(chunk), name=f"batch-{key}")
        chunk.submitting.add_done_callback(_noticed)
        return chunk

    async def _submitted(self, chunk: Chunk) -> gw.SubmitBatchResponse:
        return await self._setup.gateway.submit_batch(chunk.requests())

    def _item(self, task: str, key: AnswerKey, call: PreparedCall, chunk: Chunk) -> BatchItem:
        worst, known = self._keeper.worst.of(call.bounds), self._keeper.worst.is_known(call.bounds)
        return BatchItem(
            self._setup.run_id,
            next(self._items),
            chunk.record.number,
            task,
            key.instance,
            key.variant,
            key.repeat,
            key.shuffle,
            ItemState.OPEN,
            self._keeper.tries.pop((task, key), 0),
            call.request_hash,
            chunk.place_of(call.request.parameters),
            worst.nano_usd if known else None,
            worst.tokens,
            call.bounds.most_output_tokens,
        )

    async def _store(self, chunk: Chunk) -> None:
        items = chunk.stored()
        await self._keeper.writes(lambda lease: self._setup.journal.batches.add(items, lease))

    # -- handing over ----------------------------------------------------------------------------------------------

    async def _hand_over(self) -> None:
        """Hands over what was put in, to its end, whoever is cancelled meanwhile. Raises RunStopped if no batch will ever be taken."""
        if (chunk := self._chunk) is None:
            return
        self._chunk = None
        self._handing = asyncio.create_task(self._handed_over(chunk), name=f"hand-over-{chunk.record.key}")
        self._handing.add_done_callback(_noticed)
        await asyncio.shield(self._handing)

    async def _handed_over(self, chunk: Chunk) -> None:
        assert chunk.submitting is not None
        try:
            await chunk.whole()
            if chunk.unstored:
                await self._store(chunk)
            if not chunk.is_broken:
                record = chunk.changed(state=BatchStep.HANDED_OVER, items=chunk.count, parameters=chunk.parameters, created=time.time())
                await self._keeper.writes(lambda lease: self._setup.journal.batches.change(record, lease))
            async with asyncio.timeout(SUBMIT_S):
                await chunk.hand_over()
                response = await chunk.submitting
        except UsageError as error:  # the gateway does not take this service's calls, or does not know them
            await self._refused(chunk, CallFailed(ErrorClass.CREDENTIAL, str(error)))
        except StorageError:
            raise
        except (GenlevelError, TimeoutError) as error:
            await self._refused(chunk, error)
        else:
            await self._taken(chunk, response)
        finally:
            chunk.submitting.cancel()

    async def _taken(self, chunk: Chunk, response: gw.SubmitBatchResponse) -> None:
        """Stores the provider's id, before anything waits; and what was not put into the batch."""
        from genlevel.runtime.failures import call_failed  # gRPC, which a run without batches does without

        self._vain = 0
        waiting = self._opened(chunk)
        batch = response.batch
        if response.HasField("batch"):
            taken, told = chunk.count - len(response.rejected), not response.rejected
            await self._keeper.change(
                waiting, state=BatchStep.WAITS, batch_id=batch.id, expires=batch.expires_s, items=taken, found=not told
            )
            logger.info("run %s: batch %s of %s has %d instances", chunk.record.run_id, batch.id, chunk.record.provider, chunk.count)
        if response.rejected:
            table, record = self._setup.journal.batches, chunk.record
            items = {item.number: item for item in await self._setup.journal.reads(table.open_items, record.run_id, record.number)}
            results = self._keeper.results
            found = [
                results.failed(items[int(one.id)], call_failed(one.error))
                for one in response.rejected
                if one.id.isdecimal() and int(one.id) in items
            ]
            await self._keeper.end(waiting, found)
            await self._keeper.change(waiting, found=False)
        if not response.HasField("batch"):
            await self._keeper.close(waiting)

    async def _refused(self, chunk: Chunk, error: GenlevelError | TimeoutError) -> None:
        """A batch that was not taken, or of which nobody knows whether it was: that is found out by its key."""
        failure = error if isinstance(error, CallFailed) else None
        handed_over = chunk.record.state is BatchStep.HANDED_OVER
        if handed_over and (failure is None or failure.may_be_charged):
            logger.warning("run %s: whether batch %s was taken is not known: %s", chunk.record.run_id, chunk.record.key, error)
            self._opened(chunk)
            return
        away = isinstance(error, GenlevelError) and may_pass(error)  # the gateway, before the batch was whole
        failure = failure or CallFailed(ErrorClass.NOT_SENT if away else ErrorClass.TRANSIENT, str(error))
        await self._not_taken(chunk, failure)
        self.not_taken(failure, chunk.count, chunk.bytes)

    async def _not_taken(self, chunk: Chunk, failure: CallFailed | None = None) -> None:
        """Closes a batch that surely nobody has. failure: why it was not taken."""
        if chunk.submitting is not None:
            chunk.submitting.cancel()
        if chunk.unstored:
            await self._store(chunk)
        waiting = self._opened(chunk)
        await self._keeper.refused(waiting, failure)

    def _opened(self, chunk: Chunk) -> Waiting:
        waiting = self._keeper.open[chunk.record.number] = Waiting(chunk.record, chunk.reservations)
        self._keeper.pauses.begin_again()
        self._keeper.changed.set()
        return waiting

    def not_taken(self, failure: CallFailed, items: int, size: int) -> None:
        """Learns from a batch that was not taken. Raises RunStopped if no further one would be. size: in bytes; 0 = not known."""
        self._vain += 1
        advice, sizes = advice_on(failure.error_class), self._keeper.sizes
        if advice is Advice.SMALLER:
            if failure.error_class is ErrorClass.TOO_LARGE:
                sizes.too_large(items, size or sizes.bytes)
            else:
                sizes.at_fault(items)
            return
        limited = failure.error_class in (ErrorClass.RATE_LIMIT, ErrorClass.NOT_SENT)
        if advice is not Advice.LATER or is_for_good(failure) or (self._vain >= self._setup.attempts and not limited):
            raise RunStopped(f"{self._setup.model.provider} takes no batch: {failure.message}")
        if failure.error_class is ErrorClass.RATE_LIMIT:
            sizes.no_room(items, size or sizes.bytes, alone=not self._keeper.open)
        longest = self._setup.longest_look_s
        pause = max(failure.retry_after_s or 0.0, min(longest, FIRST_LOOK_S * 2.0 ** (self._vain - 1)))
        self._not_before = time.monotonic() + pause
        logger.warning(
            "run %s: a batch of %d instances was not taken, again in %.0f s: %s", self._setup.run_id, items, pause, failure.message
        )


def _noticed(task: asyncio.Task[gw.SubmitBatchResponse] | asyncio.Task[None]) -> None:
    """What nobody waits for any more need not be logged."""
    if not task.cancelled():
        task.exception()
