"""What a person wants of a run that is there: pause, go on, stop, other limits, another budget.

A wish is stored, whoever works on the run: that process sees it within a second, in whichever folder's or database's company it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from google.protobuf import json_format

from evaluator.journal.journal import Journal
from evaluator.journal.records import RunRecord
from evaluator.journal.wishes import Wanted
from evaluator.runs.limits import check_limits
from evaluator.runs.records import RunRecords
from genlevel.deciding.values import STAYS_UNDECIDED
from genlevel.runtime.errors import UsageError
from genlevel.runtime.stored_messages import stored_message
from genlevel.v1 import evaluator_pb2 as ev

_A_PERSONS = {
    ev.RUN_WANTED_UNSPECIFIED: None,
    ev.RUN_WANTED_GO_ON: Wanted.GO_ON,
    ev.RUN_WANTED_PAUSED: Wanted.PAUSED,
    ev.RUN_WANTED_STOPPED: Wanted.STOPPED,
}
_GOING = (ev.RUN_STATUS_RUNNING, ev.RUN_STATUS_PAUSED)


class Updating:
    """Stores wishes.

    Args:
        continues: whether this process continues what is to go on.
        told: called with a run's id once a wish of it is stored.
    """

    def __init__(self, journal: Journal, records: RunRecords, *, continues: bool, told: Callable[[str], Awaitable[None]]) -> None:
        self._journal = journal
        self._records = records
        self._continues = continues
        self._told = told

    async def update(self, request: ev.UpdateRunRequest) -> ev.UpdateRunResponse:
        """Stores what is wanted of a run. Returns it as it stands, and what a person has to know. Raises GenlevelError."""
        record = await self._records.find(request.run_id)
        run = await self._records.message(record)
        traffic = _change(record, request.traffic)
        wanted = self._wanted(record, run, request)
        if wanted is not None:
            await self._journal.writes(partial(self._journal.batches.want_cancelled, record.run_id, wanted=wanted is Wanted.STOPPED))
        await self._store(record, wanted=wanted, at_once=request.now, traffic=traffic)
        run = await self._records.message(await self._records.find(record.run_id))
        notes = []
        if wanted is Wanted.GO_ON and run.status != ev.RUN_STATUS_RUNNING and not self._continues:
            notes.append(f"a service over this storage goes on with it; without one, `genlevel resume {record.run_id}` does")
        return ev.UpdateRunResponse(run=run, problems=notes)

    async def stop(self, request: ev.CancelRunRequest) -> None:
        """Stops a run, and stores that it is stopped. One that neither goes on nor is to stays as it is. Raises GenlevelError."""
        record = await self._records.find(request.run_id)
        if record.status == ev.RUN_STATUS_RUNNING or record.wanted in (Wanted.GO_ON, Wanted.PAUSED):
            await self._store(record, wanted=Wanted.STOPPED, at_once=request.now, traffic=None)

    async def _store(self, record: RunRecord, *, wanted: Wanted | None, at_once: bool, traffic: Callable[[str], str] | None) -> None:
        def store() -> None:
            self._journal.wishes.store(record.run_id, wanted=wanted, at_once=at_once, traffic=traffic)

        await self._journal.writes(store)
        await self._told(record.run_id)

    def _wanted(self, record: RunRecord, run: ev.Run, request: ev.UpdateRunRequest) -> Wanted | None:
        """What is wanted from now on; None: as it was. Raises UsageError for what makes no sense."""
        if run.status == ev.RUN_STATUS_FINISHED:
            raise UsageError(f"run {record.run_id} has finished; there is nothing left to change")
        if run.status == ev.RUN_STATUS_DECIDED:
            completes = "`genlevel eval` without --until-decided asks the rest"
            if STAYS_UNDECIDED in run.reason:
                again = "`genlevel resume` asks again what failed"
                raise UsageError(f"run {record.run_id} came to its end undecided; {again}, and {completes}")
            raise UsageError(f"run {record.run_id} is decided; there is nothing left to change, and {completes}")
        if request.wanted not in _A_PERSONS:
            raise UsageError("a run can be paused, stopped, or told to go on; the rest is for the evaluator to say")
        wanted = _A_PERSONS[request.wanted]
        going = run.status in _GOING or record.wanted in (Wanted.GO_ON, Wanted.PAUSED)
        going |= wanted is Wanted.STOPPED and run.HasField("batches")  # which are cancelled
        if wanted in (Wanted.PAUSED, Wanted.STOPPED) and not going:
            raise UsageError(f"run {record.run_id} does not go on ({run.reason}); there is nothing to {_VERBS[wanted]}")
        if wanted is Wanted.GO_ON and run.specification.base_url and run.status != ev.RUN_STATUS_RUNNING:
            raise UsageError(
                f"run {record.run_id} asks a server that --base-url named, which no service calls; `genlevel resume` continues it"
            )
        raised = any(request.traffic.HasField(name) for name in _BUDGETS)
        if wanted is None and raised and run.status == ev.RUN_STATUS_BUDGET and self._continues and not run.specification.base_url:
            return Wanted.GO_ON
        return wanted


_VERBS = {Wanted.PAUSED: "pause", Wanted.STOPPED: "stop"}
_BUDGETS = ("budget_nano_usd", "budget_tokens")
_TUNABLE = ("concurrency", "requests_per_minute", "tokens_per_minute", "weight", "interactive", *_BUDGETS)


def _change(record: RunRecord, wished: ev.TrafficSettings) -> Callable[[str], str] | None:
    """Puts what is wished into a run's settings, as JSON; None if nothing is. Raises UsageError."""
    fields = {field.name for field, _ in wished.ListFields()}
    if not fields:
        return None
    check_limits(wished)
    if other := fields.difference(_TUNABLE):
        raise UsageError(f"{', '.join(sorted(other))} cannot be changed while a run goes on; stop it, then `genlevel resume` it so")
    if "budget_nano_usd" in fields and not record.priced:
        again = f"`genlevel resume {record.run_id} --budget-usd X` takes one if it has a price now"
        raise UsageError(f"a budget in US$ cannot be kept for run {record.run_id}: its model has no price, or had none yet; {again}")

    def changed(stored: str) -> str:
        traffic = stored_message(stored, ev.TrafficSettings())
        traffic.MergeFrom(wished)
        return json_format.MessageToJson(traffic, indent=None)

    return changed
