"""One result of a batch as the outcome of what was asked: read as a call's answer is, and decided as a call's failure is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from evaluator.journal.batch_records import BatchItem, ItemEnd, ItemState
from evaluator.journal.messages import usage_of
from evaluator.journal.usage import NO_USAGE, Usage
from evaluator.planning.outputs import visible_text
from evaluator.traffic.bills import FRESH, bill_of, bill_of_failure, is_surely_longer
from evaluator.traffic.budget import NOTHING, Amount, Bill
from evaluator.traffic.policy import Action, decide, outcome_of
from evaluator.traffic.tries import Try
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.v1 import gateway_pb2 as gw

EXPIRED = "batch_expired"
"""The provider's code of an item that was not asked before its batch's time was over."""

Settle = Callable[[BatchItem, Bill], bool]
"""Counts what an item took. Returns whether the worst cases of its model hold."""


class Came(NamedTuple):
    """What a result comes to.

    asked: whether the provider was asked it. failure: its error, if there was one. stop: why no further call of the run can succeed.
    """

    end: ItemEnd
    asked: bool = True
    failure: ErrorClass | None = None
    stop: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """Reads results of a run's batches. priced: the model has a price. attempts: how often one instance is tried. settle: counts bills."""

    run_id: str
    priced: bool
    attempts: int
    settle: Settle

    def answered(self, item: BatchItem, response: gw.GenerateResponse, files: str) -> Came:
        """An answer. files: its media, as the journal keeps them."""
        usage = usage_of(response.usage)
        bill = bill_of(response, usage, priced=self.priced)
        ignored = None in bill and is_surely_longer(visible_text(response), item.output_tokens)
        tried = self._tried(item, bill, usage, ignored=ignored)
        return Came(ItemEnd(item, ItemState.ENDED, tried.outcome(Outcome.ANSWERED, response, files=files)))

    def failed(self, item: BatchItem, failure: CallFailed, *, for_good: bool = False) -> Came:
        """An error. What may pass is asked again, as often as there are attempts; for_good: it is not."""
        if failure.error_class is ErrorClass.NOT_SENT and failure.provider_code != EXPIRED:
            return Came(ItemEnd(item, ItemState.RETURNED), asked=False)
        tries = item.tries + 1
        action = decide(failure, attempts=tries, waits=tries, max_attempts=self.attempts, elapsed_s=0.0, deadline_s=math.inf).action
        again = action in (Action.RETRY, Action.WAIT) and tries < self.attempts and not for_good
        if failure.error_class is ErrorClass.NOT_SENT and again:
            return Came(ItemEnd(item, ItemState.AGAIN), asked=False)
        bill = bill_of_failure(failure, priced=self.priced)
        usage = NO_USAGE if failure.usage is None else usage_of(failure.usage)
        tried = self._tried(item, bill, usage)
        stop = failure.message if action is Action.STOP_RUN else ""
        if stop and bill == NOTHING:
            return Came(ItemEnd(item, ItemState.RETURNED), failure=failure.error_class, stop=stop)
        limit = f"; tried {tries} times (runs.attempts)" if tries > 1 and not again and not stop else ""
        answer = tried.outcome(outcome_of(failure), error_class=failure.error_class, error=failure.message + limit)
        state = ItemState.AGAIN if again or stop else ItemState.ENDED
        return Came(ItemEnd(item, state, answer), failure=failure.error_class, stop=stop)

    def _tried(self, item: BatchItem, bill: Bill, usage: Usage, *, ignored: bool = False) -> Try:
        """What is known of asking an item, with what it took. ignored: it is longer than it may be."""
        fair = self.settle(item, bill) and not ignored
        tried = Try(self.run_id, item.task, item.key, item.request_hash, item.number)
        tried.calls = item.tries + 1
        bounded = (fair and item.nano_usd is not None, fair and item.output_tokens > 0)
        tried.took = FRESH.and_call(bill, usage, worst_of(item), priced=self.priced, bounded=bounded)
        return tried


def worst_of(item: BatchItem) -> Amount:
    """The most that an item takes."""
    return Amount(item.nano_usd or 0, item.tokens)
