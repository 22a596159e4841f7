"""Looks at the batches of a run until all have ended, and collects what they brought.

What is collected is stored in pieces, each item's end with its answer. Whoever collects again after a crash finds the items that are
left. A batch of which only the key is known is looked for at the provider.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial

from evaluator.batches.chunk import asked_parameters
from evaluator.batches.keeping import Keeper, Waiting, is_for_good
from evaluator.batches.results import EXPIRED, Came
from evaluator.batches.rules import LATEST_S, Found, chosen, is_over, may_be_among
from evaluator.journal.batch_records import BatchItem, BatchRecord, BatchStep
from evaluator.journal.files import has_media, keep_files
from evaluator.traffic.traffic import RunStopped
from genlevel.runtime.errors import CallFailed, ErrorClass, GenlevelError, NotFoundError, StorageError, may_pass
from genlevel.v1 import gateway_pb2 as gw

_VAIN = 3
"""Looks in a row at which the provider must not know a batch, until it is given up."""
INCOMPLETE = "results incomplete"
"""The gateway's code of results that came, and not all that the provider has counted."""
NOT_ENDED = "batch_not_ended"
"""Its code of a batch that had ended, and has not any more."""
_UNKNOWN = (ErrorClass.DENIED, ErrorClass.MODEL_GONE, ErrorClass.CALLER_FAULT)

logger = logging.getLogger(__name__)

NotTaken = Callable[[CallFailed, int], None]
"""Learns from a batch that the provider took, and then asked nothing of: why, and its number of items. May raise RunStopped."""


class Looker:
    """Looks at batches. not_taken: told of those of which the provider asked nothing."""

    def __init__(self, keeper: Keeper, not_taken: NotTaken) -> None:
        self._keeper = keeper
        self._setup = keeper.setup
        self._not_taken = not_taken
        self._woken = asyncio.Event()
        self._leaving = False
        self._cancelling = False

    def leave(self, *, cancels: bool) -> None:
        """Ends ``run`` once what is being collected is. cancels: once all batches are cancelled, and what they brought is collected."""
        self._leaving, self._cancelling = True, cancels
        self._keeper.pauses.begin_again()
        self._woken.set()

    async def run(self) -> None:
        """Looks again and again, until it is to leave. Raises RunStopped, GenlevelError."""
        while not self._is_over:
            await self._pause()
            for waiting in list(self._keeper.open.values()):
                if self._leaving and not self._cancelling:
                    return
                await self._look_at(waiting)

    @property
    def _is_over(self) -> bool:
        return self._leaving and not (self._cancelling and self._keeper.open)

    async def _pause(self) -> None:
        """Waits for the next look; if nothing waits, for a batch."""
        keeper = self._keeper
        while not keeper.open and not self._leaving:
            keeper.changed.clear()
            await self._first(keeper.changed.wait(), self._woken.wait())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(keeper.pauses.next()):
                await self._woken.wait()
        self._woken.clear()

    @staticmethod
    async def _first(*waits: object) -> None:
        tasks = [asyncio.ensure_future(wait) for wait in waits]  # type: ignore[call-overload]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    async def _look_at(self, waiting: Waiting) -> None:
        """Looks at one batch. What passes leaves it for the next look."""
        try:
            if waiting.record.state is BatchStep.HANDED_OVER:
                await self._find(waiting)
            else:
                await self._get(waiting)
            self._keeper.trouble = ""
        except StorageError:
            raise
        except CallFailed as failure:
            if is_for_good(failure):
                raise RunStopped(f"its batches cannot be looked at: {failure.message}") from None
            self._keeper.trouble = f"{self._setup.model.provider} to say how batches stand ({failure.message})"
        except GenlevelError as error:
            if not may_pass(error):
                raise
            self._keeper.trouble = f"the gateway to say how batches stand ({error})"

    # -- one whose id is not known ---------------------------------------------------------------------------------------

    async def _find(self, waiting: Waiting) -> None:
        """Looks for a batch by its key. If it is surely not there, it was never taken: what is in it is asked again."""
        record, journal = waiting.record, self._setup.journal
        request = gw.FindBatchesRequest(route=self._setup.model.route, key=record.key, since_s=record.created)
        batches = {batch.id: batch for batch in (await self._setup.gateway.find_batches(request)).batches}
        found = [Found(batch.id, batch.key, batch.created_s) for batch in batches.values()]
        known = await journal.reads(journal.batches.open_ids)
        if (ours := chosen(found, record.key, known)) is not None:
            batch = batches[ours.id]
            logger.info("run %s: batch %s was found by its key", record.run_id, batch.id)
            items = min(record.items, batch.total) if batch.total else record.items
            await self._keeper.change(waiting, state=BatchStep.WAITS, batch_id=batch.id, expires=batch.expires_s, items=items, found=True)
        elif may_be_among(found, known, record.created + LATEST_S):
            waiting.missing_since = None
        elif waiting.missing_since is None:
            waiting.missing_since = time.monotonic()
        elif time.monotonic() - waiting.missing_since >= self._keeper.pauses.settle_s:
            logger.info("run %s: batch %s was never taken, and is asked again", record.run_id, record.key)
            await self._keeper.close(waiting)

    # -- one whose id is known -------------------------------------------------------------------------------------------

    async def _get(self, waiting: Waiting) -> None:
        """Asks how a batch stands; if it has ended, collects it. One that the provider does not know, again and again, is given up."""
        try:
            await self._got(waiting)
        except (CallFailed, NotFoundError) as error:
            if isinstance(error, CallFailed) and (error.error_class not in _UNKNOWN or error.provider_code == NOT_ENDED):
                raise
            waiting.vain += 1
            if waiting.vain < _VAIN:
                return
            if not (waiting.known or self._cancelling or is_over(waiting.record, time.time())):
                raise RunStopped(_elsewhere(waiting.record, str(error))) from None
            await self._lost(waiting, str(error))

    async def _got(self, waiting: Waiting) -> None:
        gateway, route, batch_id = self._setup.gateway, self._setup.model.route, waiting.record.batch_id
        if self._cancelling and not waiting.cancelled:
            await self._keeper.change(waiting, cancelled=True)
            await gateway.cancel_batch(gw.CancelBatchRequest(route=route, id=batch_id))
            waiting.cancelled = True
        batch = (await gateway.get_batch(gw.GetBatchRequest(route=route, id=batch_id))).batch
        waiting.known = True
        if batch.state == gw.BATCH_STATE_ENDED or (batch.state == gw.BATCH_STATE_FAILED and batch.answered):
            await self._collect(waiting, batch)
            return
        waiting.vain = 0
        if batch.state == gw.BATCH_STATE_FAILED:
            await self._failed(waiting, batch)
        else:
            done = min(waiting.record.items, batch.answered + batch.failed)
            await self._keeper.change(waiting, answered=done, expires=batch.expires_s or waiting.record.expires)

    async def _collect(self, waiting: Waiting, batch: gw.Batch) -> None:
        """Stores what a batch brought, and closes it."""
        record = waiting.record
        stop = await self._collected(waiting, batch)
        await self._keeper.close(waiting)
        self._keeper.sizes.taken()
        if stop:
            raise RunStopped(stop)
        if batch.cut_short == "cancelled" and not record.cancelled:
            told = f"batch {batch.id} was cancelled at {record.provider}"
            raise RunStopped(f"{told}; what it has not answered is asked again if the run goes on")

    async def _collected(self, waiting: Waiting, batch: gw.Batch) -> str:
        """Stores the results of a batch. Returns why no further call can succeed; "" if one can. Raises CallFailed if not all came."""
        record, table = waiting.record, self._setup.journal.batches
        items = {item.number: item for item in await self._setup.journal.reads(table.open_items, record.run_id, record.number)}
        asked = asked_parameters(record.parameters, {number: item.asked for number, item in items.items()})
        request = gw.CollectBatchRequest(route=self._setup.model.route, id=record.batch_id, asked=asked)
        stop, seen, strange = "", 0, 0
        try:
            async for message in self._setup.gateway.collect_batch(request):
                came = []
                for result in message.results:
                    seen += 1
                    item = items.pop(int(result.id), None) if result.id.isdecimal() else None
                    if item is None:
                        strange += 1
                        continue
                    came.append(await self._read(item, result, batch))
                    stop = stop or came[-1].stop
                await self._keeper.end(waiting, came)
        except CallFailed as failure:
            waiting.broken += bool(seen) or failure.provider_code == INCOMPLETE
            if failure.error_class is not ErrorClass.TRANSIENT or waiting.broken < self._setup.attempts:
                raise
        if strange and len(waiting.reservations) + seen - strange == record.items:  # else it was collected before, in part
            logger.warning("run %s: %d results of batch %s belong to nothing in it", record.run_id, strange, record.batch_id)
        await self._missing(waiting, batch, list(items.values()))
        return stop

    async def _read(self, item: BatchItem, result: gw.BatchResult, batch: gw.Batch) -> Came:
        """One result as an outcome; its media are stored before they are named."""
        from genlevel.runtime.failures import call_failed  # gRPC, which a run without batches does without

        results = self._keeper.results
        if result.WhichOneof("result") == "error":
            failure = call_failed(result.error)
            if failure.error_class is ErrorClass.NOT_SENT and not batch.cut_short:
                failure.provider_code = EXPIRED  # it was to be asked: without end it is not tried
            return results.failed(item, failure)
        response = result.response
        files = await self._setup.blobs.writes(keep_files, response, self._setup.blobs) if has_media(response) else ""
        return results.answered(item, response, files)

    async def _missing(self, waiting: Waiting, batch: gw.Batch, missing: Sequence[BatchItem]) -> None:
        """Items without a result. Some may never have been in the batch, or were not asked before it was cut short: they are left open."""
        record = waiting.record
        put_in = await self._setup.journal.reads(self._setup.journal.batches.count_items, record.run_id, record.number)
        lost = len(missing) - (put_in - record.items if record.found else 0)
        if lost <= 0:
            return
        if batch.cut_short and batch.total and record.items - lost >= batch.answered + batch.failed:  # all that was asked has its result
            if batch.cut_short != "expired":
                return
            failure = CallFailed(ErrorClass.NOT_SENT, f"batch {record.batch_id} expired before it was asked", provider_code=EXPIRED)
        else:
            failure = CallFailed(ErrorClass.TRANSIENT, f"batch {record.batch_id} ended without a result of it", may_be_charged=True)
        await self._keeper.end(waiting, [self._keeper.results.failed(item, failure) for item in missing])

    async def _failed(self, waiting: Waiting, batch: gw.Batch) -> None:
        """A batch of which the provider asked nothing."""
        error_class = ErrorClass.of(batch.problem_class)
        failure = CallFailed(error_class, batch.problem or "it does not say why")
        await self._keeper.refused(waiting, failure)
        self._not_taken(failure, waiting.record.items)

    async def _lost(self, waiting: Waiting, why: str) -> None:
        """A batch that the provider does not know any more: its items were asked, and nobody knows what came of them."""
        record, table = waiting.record, self._setup.journal.batches
        items = await self._setup.journal.reads(table.open_items, record.run_id, record.number)
        told = f"{record.provider} does not know batch {record.batch_id} any more: {why}"
        failure = CallFailed(ErrorClass.UNKNOWN, told, may_be_charged=True)
        logger.warning("run %s: %s", record.run_id, told)
        await self._keeper.end(waiting, list(map(partial(self._keeper.results.failed, failure=failure, for_good=True), items)))
        await self._keeper.close(waiting)


def _elsewhere(record: BatchRecord, why: str) -> str:
    """That a provider has never known a batch since this start, and what to do."""
    told = (
        f"{record.provider} does not know batch {record.batch_id}: {why}; is the key, or the address, another than it was submitted with?"
    )
    return f"{told} With that the run goes on; `tune RUN --stop` gives the batch up"
