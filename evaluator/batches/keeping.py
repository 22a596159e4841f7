"""The batches of a run that are not closed, and how what becomes of them is stored, counted and told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from evaluator.batches.results import Came, Results, worst_of
from evaluator.batches.rules import Advice, Pauses, Sizes, advice_on
from evaluator.journal.batch_records import BatchItem, BatchRecord, BatchStep, ItemEnd, ItemState, Standing, standing_of
from evaluator.journal.journal import Journal
from evaluator.ports import BatchPort
from evaluator.traffic.bills import WorstCase
from evaluator.traffic.budget import Bill, Budget, Reservation
from evaluator.traffic.policy import Action, decide
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.leases import Lease
from genlevel.v1 import gateway_pb2 as gw

_KEYS = 500
"""Of a task that the journal is asked for together."""


class BatchLog(Protocol):
    """Where what becomes of batches is made durable, under the run's lease. Raises RunStopped once that is lost."""

    def under_lease(self, write: Callable[[Lease | None], asyncio.Future[None]]) -> asyncio.Future[None]: ...


class Told(Protocol):
    """Who is told of what becomes of items, once it is stored. Synchronous: nothing comes between."""

    def item_ended(self, came: Came) -> None: ...


@dataclass(frozen=True, slots=True)
class Setup:
    """What the batches of one run work with.

    model: at the prices of a batch. attempts: how often one instance is tried. longest_look_s: seconds between two looks, at most.
    priced_before: as of ``WorstCase``.
    """

    run_id: str
    model: gw.ModelInfo
    gateway: BatchPort
    journal: Journal
    log: BatchLog
    blobs: BlobStore
    budget: Budget
    attempts: int
    longest_look_s: float
    priced_before: bool = False


@dataclass(slots=True, eq=False)
class Waiting:
    """A batch that a provider has, or may have.

    reservations: of its items that have not ended, by number. missing_since: when it was first not found, by time.monotonic; None = it was
    not looked for. known: whether this process was told how it stands. vain: looks in a row at which the provider did not know it, or its
    results. broken: how often results have come, and not all. cancelled: whether the provider was told to cancel it by this process.
    """

    record: BatchRecord
    reservations: dict[int, Reservation]
    missing_since: float | None = None
    known: bool = False
    vain: int = 0
    broken: int = 0
    cancelled: bool = False


@dataclass(slots=True)
class Keeper:
    """What is known of a run's batches.

    open: those that are not closed, by number. tries: how often what is to be asked again was asked, by task and key. changed: set
    whenever a batch is opened or closed. trouble: why it is not known how they stand, in one line; "" = it is.
    """

    setup: Setup
    told: Told
    sizes: Sizes
    pauses: Pauses
    worst: WorstCase
    open: dict[int, Waiting] = field(default_factory=dict)
    tries: dict[tuple[str, AnswerKey], int] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    trouble: str = ""

    @classmethod
    def of(cls, setup: Setup, told: Told, found: Recovered) -> Keeper:
        """With what earlier starts have left, whose places in the budget are taken again."""
        limits, adopt = setup.model.batch, setup.budget.adopt
        price = setup.model.price if setup.model.HasField("price") else None
        worst = WorstCase(price, priced_before=setup.priced_before)
        keeper = cls(setup, told, Sizes.of(limits.items, limits.bytes), Pauses(setup.longest_look_s), worst, tries=dict(found.tries))
        for record, items in found.waiting:
            reservations = {item.number: adopt(setup.model.route, item.task, worst_of(item)) for item in items}
            keeper.open[record.number] = Waiting(record, reservations)
        return keeper

    @property
    def results(self) -> Results:
        """Reads results."""
        return Results(self.setup.run_id, self.worst.costs, self.setup.attempts, self._settle)

    def standing(self) -> Standing | None:
        """How they stand together; None if none waits."""
        return standing_of([waiting.record for waiting in self.open.values()])

    # -- storing ---------------------------------------------------------------------------------------------------

    async def writes(self, write: Callable[[Lease | None], asyncio.Future[None]]) -> None:
        """Waits until something is durable. Who is cancelled leaves it to be written."""
        await asyncio.shield(self.setup.log.under_lease(write))

    async def change(self, waiting: Waiting, **columns: object) -> None:
        """Stores how a batch stands, if that is new."""
        record = replace(waiting.record, **columns)  # type: ignore[arg-type]
        if record != waiting.record:
            waiting.record = record
            await self.writes(lambda lease: self.setup.journal.batches.change(record, lease))

    async def end(self, waiting: Waiting, came: Sequence[Came]) -> None:
        """Stores what items came to, and tells of it."""
        if came:
            ends = [one.end for one in came]
            await self.writes(lambda lease: self.setup.journal.batches.end(ends, lease))
            self._tell(waiting, came)

    async def close(self, waiting: Waiting) -> None:
        """Closes a batch; what of it has not ended was not asked, and is told so."""
        record, table = waiting.record, self.setup.journal.batches
        left = await self.setup.journal.reads(table.open_items, record.run_id, record.number)
        await self.writes(lambda lease: table.close(record, lease))
        self._tell(waiting, [Came(ItemEnd(item, ItemState.RETURNED), asked=False) for item in left])
        waiting.record = replace(record, state=BatchStep.CLOSED)
        self.open.pop(record.number, None)
        self.pauses.begin_again()
        self.changed.set()

    async def refused(self, waiting: Waiting, failure: CallFailed | None) -> None:
        """Closes a batch that was not taken. If it has but one item, and what is wrong is in that, this is the item's outcome."""
        record, table = waiting.record, self.setup.journal.batches
        if failure is not None and advice_on(failure.error_class) is Advice.SMALLER:
            items = await self.setup.journal.reads(table.open_items, record.run_id, record.number)
            if len(items) == 1:
                await self.end(waiting, [self.results.failed(items[0], failure)])
        await self.close(waiting)

    def _tell(self, waiting: Waiting, came: Sequence[Came]) -> None:
        for one in came:
            item, state = one.end.item, one.end.state
            if (reservation := waiting.reservations.pop(item.number, None)) is not None:  # it was not settled
                self.setup.budget.cancel(reservation)
            if state is ItemState.AGAIN:
                self.tries[item.task, item.key] = item.tries + 1
            elif state is ItemState.RETURNED and item.tries:
                self.tries[item.task, item.key] = item.tries
            self.told.item_ended(one)

    def _settle(self, item: BatchItem, bill: Bill) -> bool:
        """Counts what an item took. Returns whether the worst cases of its model hold."""
        budget, route = self.setup.budget, self.setup.model.route
        for waiting in self.open.values():
            if (reservation := waiting.reservations.pop(item.number, None)) is not None:
                budget.settle(reservation, bill)
                break
        return not budget.is_exceeded_by(route)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What earlier starts of a run have left: batches that are not closed and their items, what is asked again, the last numbers.

    failed: which of these have an answer that failed in the journal, by task.
    """

    waiting: Sequence[tuple[BatchRecord, Sequence[BatchItem]]]
    tries: Mapping[tuple[str, AnswerKey], int]
    failed: Mapping[str, frozenset[AnswerKey]]
    last_batch: int
    last_item: int


async def recovered(journal: Journal, log: BatchLog, run_id: str) -> Recovered:
    """Reads it, under the run's lock. One that was being filled was never handed over: it is closed. Raises StorageError."""
    table, waiting = journal.batches, []
    for record in await journal.reads(table.open, run_id):
        if record.state is BatchStep.FILLING:
            await log.under_lease(partial(table.close, record))
        else:
            waiting.append((record, await journal.reads(table.open_items, run_id, record.number)))
    tries = await journal.reads(table.to_ask_again, run_id)
    found = [*tries, *((item.task, item.key) for _, items in waiting for item in items)]
    failed = await journal.reads(_failed_of, journal, run_id, found)
    return Recovered(waiting, tries, failed, *await journal.reads(table.last_numbers, run_id))


def _failed_of(journal: Journal, run_id: str, found: Sequence[tuple[str, AnswerKey]]) -> dict[str, frozenset[AnswerKey]]:
    """Which of these failed, by task."""
    by_task: dict[str, list[AnswerKey]] = {}
    for task, key in found:
        by_task.setdefault(task, []).append(key)
    return {
        task: frozenset(
            key
            for start in range(0, len(keys), _KEYS)
            for key, outcome in journal.outcomes_of(run_id, task, keys[start : start + _KEYS]).items()
            if outcome is Outcome.FAILED
        )
        for task, keys in by_task.items()
    }


def is_for_good(failure: CallFailed) -> bool:
    """Whether no further call of any kind can succeed: the key, the quota, the model."""
    action = decide(failure, attempts=1, waits=1, max_attempts=2, elapsed_s=0.0, deadline_s=1.0, closed=False).action
    return action is Action.STOP_RUN
