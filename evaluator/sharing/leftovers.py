"""What of a shared run is left over: what the budget did not allow, and what was given up."""

from __future__ import annotations

from collections.abc import Sequence

from evaluator.journal.journal import Journal
from evaluator.runs.kept_traffic import caps, parsed
from evaluator.runs.work import Work
from evaluator.sharing.work import Left, WorkRow, WorkState
from evaluator.sharing.work_table import WorkTable
from evaluator.traffic.budget import Amount, Budget
from evaluator.traffic.told import LeftOut


async def money_of(journal: Journal, table: WorkTable, work: Work) -> tuple[Budget, LeftOut]:
    """What a run may spend and has spent, by its journal, and what was left out of it. Raises StorageError."""
    run_id = work.record.run_id
    wish = await journal.reads(journal.wishes.of, run_id)
    judge = work.judge.model.route if work.judge is not None else ""
    spent = await journal.reads(journal.spending, run_id, work.plan.model.route, judge)
    left_out = LeftOut()
    for row in await journal.reads(table.rows, run_id, WorkState.LEFT):
        left = Left.of(row.reason)
        left_out.add(Amount(left.nano_usd, left.tokens))
        left_out.count += left.count - 1
    return Budget(*caps(work.traffic if wish is None else parsed(wish.traffic)), spent), left_out


def given_up_told(rows: Sequence[WorkRow]) -> str:
    """Which instances are given up, and why, in one line. rows: one at least."""
    first = rows[0]
    which = f"{first.task}, instances {first.first + 1:,} to {first.first + first.count:,} of those planned"
    others = f", and {len(rows) - 1:,} more parts" if len(rows) > 1 else ""
    return f"{which}{others}: {first.reason}; look into their logs, then resume the run"
