"""How far a shared run is, for those who watch it at an evaluator that does not lead it."""

from __future__ import annotations

from evaluator.journal.journal import Journal
from evaluator.sharing.member_table import MemberTable
from evaluator.sharing.score_table import ScoreTable, waits_told
from evaluator.sharing.together import Together
from evaluator.sharing.work_table import WorkTable
from genlevel.v1 import evaluator_pb2 as ev


async def progress_elsewhere(journal: Journal, run: ev.Run) -> ev.WatchRunResponse:
    """A run with what its members do now, if it goes on. run: as the journal has it. Raises StorageError."""
    progress = ev.WatchRunResponse(run=run)
    if run.status != ev.RUN_STATUS_RUNNING:
        return progress
    table = WorkTable(journal.engine, journal.submit, MemberTable(journal.engine))
    start = await journal.reads(table.start_of, run.run_id)
    to_score = await journal.reads(ScoreTable(journal.engine, journal.submit).rows, run.run_id)
    progress.waits_for = waits_told(to_score, asked=start is None)
    if start is None:
        return progress
    together = Together()
    together.view = await journal.reads(table.view, run.run_id, start)
    progress.in_flight, progress.rate = together.in_flight(), together.rate()
    progress.waiting.update(together.waiting())
    progress.provider_wait_s = together.provider_wait_s()
    progress.pace = together.limits().pace or 0.0
    progress.waits_for = next(filter(None, (counts.waits_for for counts in together.living())), progress.waits_for)
    if progress.rate:
        progress.remaining_s = run.counts.pending / progress.rate
    return progress
