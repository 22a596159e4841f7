"""Tasks of shared runs that are to be scored, in the journal's database: who has which, and what has become of it.

They are rows beside the parts that are asked, with numbers of their own. Scoring a task twice does no harm, as the scorer keeps the score
that was begun last. So no lease is needed: each claim has a number, and what an earlier one comes to does not count.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

import orjson
from sqlalchemy import ColumnElement, Connection, Engine, func, select, update

from evaluator.journal.tables import work
from evaluator.sharing.work import Notice, WorkKind, WorkState
from evaluator.sharing.work_table import Submit
from genlevel.runtime.leases import Lease
from genlevel.runtime.storage import insert_into, writing

FIRST = 1_000_000_000
"""Number of a run's first task that is scored: no part that is asked has one as high."""
MOST_FAILURES = 5
"""Times that a task could not be scored, or whoever scored it died, after which it is given up: it may be what kills them."""


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A task that is to be scored.

    number: of its row. start: with which the run's work was cut. needs: of whoever scores it. claim: of whoever has it, or had it last; 0:
    nobody had it. failures: how often it went wrong. holder: who has it, or had it last. said: why it was given back or given up last.
    lacking: who was given it, and has not what it is of.
    """

    run_id: str
    number: int
    start: int
    task: str
    needs: str
    state: WorkState
    claim: int = 0
    failures: int = 0
    holder: str = ""
    said: str = ""
    lacking: frozenset[str] = frozenset()

    def notice(self) -> Notice:
        """What a message says of it."""
        return Notice(self.run_id, self.start, self.number)


class ScoreClaim(Enum):
    """What comes of wanting a task. TAKEN: one has it now. BUSY: another has it. VOID: it is not to be scored. DEAD: it is given up."""

    TAKEN = auto()
    BUSY = auto()
    VOID = auto()
    DEAD = auto()


class ScoreTable:
    """Tasks that are to be scored. Blocking, but for what the journal writes: call it off the event loop. All raise StorageError.

    Args:
        engine: of the journal's database.
        submit: writes with the rest of the journal.
    """

    def __init__(self, engine: Engine, submit: Submit) -> None:
        self._engine = engine
        self._submit = submit

    # -- by whoever leads ------------------------------------------------------------------------------------------

    def add(self, rows: Sequence[ScoreRow], lease: Lease | None) -> asyncio.Future[None]:
        """Stores tasks that are to be scored; those that are there already stay as they are."""
        values = [
            {
                "run_id": row.run_id,
                "number": row.number,
                "start": row.start,
                "kind": int(WorkKind.SCORE),
                "task": row.task,
                "needs": row.needs,
                "state": int(WorkState.OPEN),
            }
            for row in rows
        ]

        def store(connection: Connection) -> None:
            for row in values:
                connection.execute(insert_into(work, self._engine).values(row).on_conflict_do_nothing(index_elements=["run_id", "number"]))

        return self._submit(store, lease)

    def rows(self, run_id: str) -> list[ScoreRow]:
        """Those of a run that are not done."""
        undone = (work.c.kind == int(WorkKind.SCORE)) & (work.c.state != int(WorkState.DONE))
        query = select(*_COLUMNS).where(work.c.run_id == run_id, undone).order_by(work.c.number)
        with self._engine.connect() as connection:
            return [_row(row) for row in connection.execute(query)]

    def wanted(self, need: str) -> int:
        """How many of all runs have this need and are not done."""
        open_ones = work.c.state.in_([int(WorkState.OPEN), int(WorkState.TAKEN)])
        query = select(func.count()).where(work.c.kind == int(WorkKind.SCORE), work.c.needs == need, open_ones)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    # -- by whoever scores -----------------------------------------------------------------------------------------

    def of(self, notice: Notice) -> ScoreRow | None:
        """The task that a message tells of, if it is still there with the same start."""
        query = select(*_COLUMNS).where(work.c.run_id == notice.run_id, work.c.number == notice.number)
        with self._engine.connect() as connection:
            found = connection.execute(query).one_or_none()
        return None if found is None or found.start != notice.start else _row(found)

    def claim(self, seen: ScoreRow | None, holder: str, *, orphaned: bool) -> tuple[ScoreClaim, ScoreRow | None]:
        """Takes a task as it was seen.

        holder: who takes it. orphaned: whoever has it is gone, which counts as a failure.
        """
        if seen is None or seen.state not in (WorkState.OPEN, WorkState.TAKEN):
            return ScoreClaim.VOID, seen
        taken = seen.state is WorkState.TAKEN
        if taken and not orphaned:
            return ScoreClaim.BUSY, seen
        failures = seen.failures + taken
        if failures >= MOST_FAILURES:
            last = f"{seen.holder}, which has ended" if taken else seen.said
            said = f"{failures} times it could not be scored; last: {last}"
            given_up = replace(seen, state=WorkState.DEAD, failures=failures, said=said)
            return (ScoreClaim.DEAD if self.end(seen, given_up) else ScoreClaim.BUSY), given_up
        row = replace(seen, state=WorkState.TAKEN, claim=seen.claim + 1, failures=failures, holder=holder)
        return (ScoreClaim.TAKEN, row) if self.end(seen, row) else (ScoreClaim.BUSY, seen)

    def end(self, row: ScoreRow, after: ScoreRow) -> bool:
        """Stores what has become of a task. row: as it was seen, or taken. False: it has changed, and is not one's own."""
        values = {"state": int(after.state), "tries": after.failures, "first": after.claim, "reason": _told(after)}
        with writing(self._engine).begin() as connection:
            return bool(connection.execute(update(work).where(_as_seen(row)).values(values)).rowcount)


def waits_told(rows: Iterable[ScoreRow], *, asked: bool) -> str:
    """What a run waits for that has these, in one line; "" = nothing, as far as is known. asked: nothing else is left to do.

    >>> waits_told([ScoreRow("r", 1, 1, "t", "any", WorkState.OPEN, said="the scorer is away")], asked=False)
    'task t to be scored: the scorer is away'
    """
    undone = [row for row in rows if row.state in (WorkState.OPEN, WorkState.TAKEN)]
    given_back = [row for row in undone if row.state is WorkState.OPEN and row.said]
    told = given_back or (undone if asked else [])
    if not told:
        return ""
    others = f" and {len(told) - 1:,} more" if len(told) > 1 else ""
    going = sum(row.state is WorkState.TAKEN for row in undone)
    return f"task {told[0].task}{others} to be scored" + (f": {told[0].said}" if given_back else f" ({going:,} being scored now)")


_COLUMNS = (
    work.c.run_id,
    work.c.number,
    work.c.start,
    work.c.task,
    work.c.needs,
    work.c.state,
    work.c.first.label("claim"),
    work.c.tries.label("failures"),
    work.c.reason,
)


def _as_seen(row: ScoreRow) -> ColumnElement[bool]:
    its = (work.c.run_id == row.run_id) & (work.c.number == row.number) & (work.c.start == row.start)
    return its & (work.c.state == int(row.state)) & (work.c.first == row.claim)


def _row(row: object) -> ScoreRow:
    values = dict(row._mapping)  # type: ignore[attr-defined]
    holder, said, *lacking = orjson.loads(values.pop("reason") or '["", ""]')
    return ScoreRow(**{**values, "state": WorkState(values["state"])}, holder=holder, said=said, lacking=frozenset(lacking))


def _told(row: ScoreRow) -> str:
    """What its row keeps as its reason."""
    return orjson.dumps([row.holder, row.said, *sorted(row.lacking)]).decode()
