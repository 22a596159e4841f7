"""Deletes runs, for good: their answers, their scores, the files of their results, and those of their media that no other run has.

A run that goes on or is to, that has batches at a provider, or that a monitor needs is not deleted. What ends in the middle, as its process
was killed, is ended by the next deletion, or by a service at its start and once a day: the run is not seen any more from the first step on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from evaluator.journal.batch_records import Standing
from evaluator.journal.journal import Journal
from evaluator.journal.monitor_records import MonitorRecord, Phase
from evaluator.journal.records import RunRecord
from evaluator.journal.wishes import Wanted
from evaluator.ports import ScorerPort
from evaluator.runs.records import RunRecords
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import GenlevelError, NotFoundError, UsageError
from genlevel.runtime.locks import RunLock, RunLocks
from genlevel.runtime.threads import in_thread
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

UNSTORED_S = 10.0
"""Seconds within which an answer is journalled after its media were stored, while no run goes on: a merge, or the last answer of a run."""
UNSTORED_WHILE_RUNS_GO_ON_S = 7200.0
"""The same while runs go on: calls are long, and storage may be away for an hour at most."""

_RESULTS = ("result.json", "metrics.prom")


class Deleting:
    """Deletes runs of one storage.

    Args:
        blobs: the store of the runs' media.
        folder: where commands leave the results of runs that they have driven themselves.
    """

    def __init__(
        self, journal: Journal, records: RunRecords, locks: RunLocks, *, scorer: ScorerPort, blobs: BlobStore, folder: Path
    ) -> None:
        self._journal = journal
        self._records = records
        self._locks = locks
        self._scorer = scorer
        self._blobs = blobs
        self._folder = folder

    async def delete(self, request: ev.DeleteRunRequest, *, still: Callable[[], object] | None = None) -> ev.DeleteRunResponse:
        """Deletes a run, or says what that would free. Raises UsageError if it may not be deleted, GenlevelError.

        still: says something true if it is still to be deleted, asked (off the event loop) once nobody else can work on it; None: it is.
        """
        cleared = await self._journal.reads(self._journal.deletion.is_cleared, request.run_id)
        if cleared is not None and not await self._journal.reads(self._journal.list.records, [request.run_id]):
            # Else an id that begins so, as of a run that was asked afresh, would be meant.
            if cleared:
                raise NotFoundError(f"run {request.run_id} was deleted before")
            response = await self._freed(request.run_id)
            response.problems.extend(["it was being deleted before", *([] if request.dry_run else await self.end())])
            return response
        record = await self._records.find(request.run_id)
        lock = self._locks.of(record.run_id)
        if request.dry_run:
            if await lock.holder():
                raise UsageError(_goes_on(record.run_id))
            await self._check(record)
            return await self._freed(record.run_id)
        if not await lock.acquire():
            raise UsageError(_goes_on(record.run_id))
        try:
            records = await self._journal.reads(self._journal.list.records, [record.run_id])
            if not records:
                raise NotFoundError(f"run {record.run_id} is not there any more")
            await self._check(records[0])
            response = await self._freed(record.run_id)
            if still is not None and not await self._journal.reads(still):
                raise UsageError(f"run {record.run_id} is to be kept, or was asked more, since it was chosen")
            await self._journal.writes(self._journal.deletion.take_out, records[0], lock.lease)
            problems = await self._clear(record.run_id, lock)
        finally:
            await lock.release()
        response.problems.extend(dict.fromkeys([*problems, *await self.end()]))
        return response

    async def end(self) -> list[str]:
        """Ends deletions that did not come to their end. Returns what a person has to know. Raises StorageError."""
        problems = []
        for run_id in await self._journal.reads(self._journal.deletion.to_clear):
            lock = self._locks.of(run_id)
            if not await lock.acquire():
                continue
            try:
                problems += await self._clear(run_id, lock)
            finally:
                await lock.release()
        return [*problems, *await self.remove_unused()]

    async def clear_again(self, run_id: str) -> list[str]:
        """Removes what was written of a run while it was deleted, by who had begun before. Returns what a person has to know."""
        lock = self._locks.of(run_id)
        if not await lock.acquire():  # whoever deletes it now removes the rest
            await self._scorer.forget_run(sc.ForgetRunRequest(run_id=run_id))
            return []
        try:
            return await self._clear(run_id, lock)
        finally:
            await lock.release()

    async def remove_unused(self) -> list[str]:
        """Removes the files of deleted runs that nobody has. Returns what a person has to know. Raises StorageError.

        What somebody stored, or stored again, a short while ago may be of an answer that is not journalled yet, and stays until later.
        """
        deletion, began = self._journal.deletion, time.time()
        files = await self._journal.reads(deletion.unused)
        if not files:
            return []
        before = began - (UNSTORED_WHILE_RUNS_GO_ON_S if await self._runs_go_on() else UNSTORED_S)
        used = await self._journal.reads(deletion.of_others, files)  # after the runs were looked at: what they stored is journalled
        blobs = self._blobs

        def remove() -> list[str]:
            for sha256 in used:
                blobs.remove(sha256, before=0.0)  # nothing is so old: puts back what a process that was killed was about to remove
            return [sha256 for sha256 in files if sha256 in used or blobs.remove(sha256, before=before)]

        settled = await blobs.writes(remove)
        await self._journal.writes(deletion.settled, settled)
        left = len(files) - len(settled)
        return [f"{left:,} files were stored only a while ago and go with the next deletion, or within a day"] if left else []

    async def _runs_go_on(self) -> bool:
        for run in await self._journal.reads(lambda: self._journal.list.all(ticks=True)):
            if run.status == ev.RUN_STATUS_RUNNING and await self._locks.of(run.run_id).holder():
                return True
        return False

    async def _check(self, record: RunRecord) -> None:
        """Raises UsageError if a run that nobody works on may not be deleted."""
        batches = await self._journal.reads(self._journal.batches.standing, record.run_id)
        monitors = await self._journal.reads(self._journal.monitors.all)
        ticks = {}
        for monitor in monitors:
            tick = await self._journal.reads(self._journal.monitors.tick, monitor.name, monitor.open_tick) if monitor.open_tick else None
            ticks[monitor.name] = tick.run_id if tick is not None else ""
        if why := refusal(record, batches, [(monitor, ticks[monitor.name]) for monitor in monitors]):
            raise UsageError(why)

    async def _freed(self, run_id: str) -> ev.DeleteRunResponse:
        """What deleting a run frees."""
        deletion = self._journal.deletion
        has = await self._journal.reads(deletion.contents, run_id)
        others = await self._journal.reads(lambda: deletion.of_others(has.files, besides=run_id))
        own = {sha256: size for sha256, size in has.files.items() if sha256 not in others}
        merged = await self._journal.reads(deletion.merged_from, run_id)
        problems = [f"run {other}, which was merged from it, keeps its answers, but cannot be merged from it again" for other in merged]
        return ev.DeleteRunResponse(
            run_id=run_id, answers=has.answers, files=len(own), bytes=has.characters + sum(own.values()), problems=problems
        )

    async def _clear(self, run_id: str, lock: RunLock) -> list[str]:
        """Removes what is left of a run that was taken out. Returns what a person has to know. Raises StorageError."""
        deletion = self._journal.deletion
        if not await self._journal.writes(deletion.clear, run_id, lock.lease):
            return []  # its scores and results are those of the run that is there
        try:
            await self._scorer.forget_run(sc.ForgetRunRequest(run_id=run_id))
        except GenlevelError as error:
            return [f"the scores of run {run_id} cannot be deleted now ({error}); they go with the next deletion, or within a day"]
        problem = await in_thread(lambda: remove_results(self._folder / "runs" / run_id), name="results")
        await self._journal.writes(deletion.cleared, run_id, lock.lease)
        return [problem] if problem else []


def refusal(record: RunRecord, batches: Standing | None, monitors: Sequence[tuple[MonitorRecord, str]]) -> str:
    """Why a run that nobody works on may not be deleted, in one line; "" if it may.

    batches: how those stand that wait at a provider. monitors: each with the run of its open tick; "" if it has none.
    """
    run_id = record.run_id
    if record.wanted in (Wanted.GO_ON, Wanted.PAUSED):
        return f"run {run_id} is to go on; `genlevel tune {run_id} --stop` stops it, then it can be deleted"
    if batches is not None:
        count = f"{batches.batches} batch{'es' if batches.batches > 1 else ''}"
        ways = f"`genlevel resume {run_id}` collects what is answered, `genlevel tune {run_id} --stop` cancels"
        return f"run {run_id} has {count} at {batches.provider}, which may be charged; {ways}, then it can be deleted"
    for monitor, tick in monitors:
        named = monitor.phase is Phase.BASELINE and _baseline(monitor) in (run_id, record.name or None)
        if monitor.baseline_run == run_id or named:
            another = f"`genlevel monitor rebase {monitor.name}` asks another one"
            return f"run {run_id} is the baseline of monitor {monitor.name}, which needs it; {another}, or remove the monitor first"
        if tick == run_id or (record.occasion and monitor.occasion == record.occasion):
            return f"run {run_id} is the tick that monitor {monitor.name} asks now; it can be deleted once that has ended"
    return ""


def _baseline(monitor: MonitorRecord) -> str:
    """The run that a monitor is to be compared with; "" = one of its own."""
    import orjson

    return str(orjson.loads(monitor.specification).get("baseline", ""))


def remove_results(folder: Path) -> str:
    """Removes the files that commands have left of a run's result. Returns what stays, in one line; "" if nothing does."""
    try:
        for name in _RESULTS:
            (folder / name).unlink(missing_ok=True)
        if folder.is_dir():
            folder.rmdir()
    except OSError as error:
        return f"the folder {folder} stays ({error.strerror})"
    return ""


def _goes_on(run_id: str) -> str:
    return f"run {run_id} goes on; `genlevel tune {run_id} --stop` stops it, then it can be deleted"
