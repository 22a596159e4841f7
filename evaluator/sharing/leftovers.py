"""What of a shared run is left over: what the budget did not allow, and what was given up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from evaluator.journal.journal import Journal
from evaluator.journal.tables import answers
from evaluator.runs.work import Work
from evaluator.sharing.purse_table import PurseTable
from evaluator.sharing.work import Left, WorkRow, WorkState
from evaluator.sharing.work_table import WorkTable
from evaluator.traffic.budget import Amount, Budget
from evaluator.traffic.told import LeftOut
from genlevel.benchmark.outcomes import Outcome


async def money_of(journal: Journal, purses: PurseTable, work: Work) -> Budget:
    """What a run may spend and has spent, by its journal, and its members' wrong bills. Raises StorageError."""
    run_id = work.record.run_id
    judge = work.judge.model.route if work.judge is not None else ""
    spent = await journal.reads(journal.spending, run_id, work.plan.model.route, judge)
    return await journal.writes(purses.whole, run_id, spent)


async def left_of(journal: Journal, table: WorkTable, run_id: str) -> LeftOut:
    """What the budget has not allowed of a run. Raises StorageError."""
    left_out = LeftOut()
    add_left(left_out, [Left.of(row.reason) for row in await journal.reads(table.rows, run_id, WorkState.LEFT)])
    return left_out


def add_left(left_out: LeftOut, parts: Iterable[Left]) -> None:
    """Counts what was left of parts."""
    for left in parts:
        left_out.add(Amount(left.nano_usd, left.tokens))
        left_out.count += left.count - 1


def one_failure(journal: Journal, run_id: str) -> str:
    """What one of a run's failed answers says. Blocks."""
    query = select(answers.c.error).where(answers.c.run_id == run_id, answers.c.outcome == Outcome.FAILED.number).limit(1)
    with journal.engine.connect() as connection:
        return str(connection.execute(query).scalar_one_or_none() or "")


def given_up_told(rows: Sequence[WorkRow]) -> str:
    """Which instances are given up, and why, in one line. rows: one at least."""
    first = rows[0]
    which = f"{first.task}, instances {first.first + 1:,} to {first.first + first.count:,} of those planned"
    others = f", and {len(rows) - 1:,} more parts" if len(rows) > 1 else ""
    return f"{which}{others}: {first.reason}; look into their logs, then resume the run"
