"""Notes of calls that are open, and what is not known of the bills of others: what makes "at least" and "at most" of a run's cost.

A note is durable before its call begins, and goes in the transaction that journals the answer. What a process that was killed leaves are
the calls whose fate nobody knows. Items of batches are their own notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add, attrgetter

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Table,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    literal,
    null,
    select,
    update,
)

from evaluator.journal.batch_records import ItemState
from evaluator.journal.records import Costs, OpenCalls, Spent
from evaluator.journal.tables import answers, batch_items, judgements, reservations
from evaluator.journal.usage import TOKEN_BUCKETS
from genlevel.runtime.storage import insert_into

Closed = tuple[str, int]
"""A run's id, and the number of a note of it."""

_MEMBERS_NOTES = 1 << 40
"""How many notes each member of a run may write."""

_COLUMNS = tuple(reservations.columns.keys())
_KEY = ("run_id", "number")
_values = attrgetter(*_COLUMNS)


def first_note(member: int) -> int:
    """The lowest number of a note of a member's: those of different members are never the same. 0: of whoever has the run alone."""
    return member * _MEMBERS_NOTES + 1


class NoteStatements:
    """Writes notes many at a time, by statements that are compiled once."""

    def __init__(self, engine: Engine) -> None:
        insertion = insert_into(reservations, engine)
        replaced = {name: insertion.excluded[name] for name in _COLUMNS if name not in _KEY}
        upsert = insertion.on_conflict_do_update(index_elements=list(_KEY), set_=replaced)
        compiled = upsert.compile(dialect=engine.dialect, column_keys=list(_COLUMNS))  # in the order of the table
        conditions = [reservations.c[name] == bindparam(f"its_{name}") for name in _KEY]
        removed = delete(reservations).where(*conditions).compile(dialect=engine.dialect)
        self._upsert, self._removal = str(compiled), str(removed)
        self._positional = compiled.positiontup is not None

    def write(self, connection: Connection, notes: Sequence[OpenCalls]) -> None:
        """Writes notes, in place of earlier ones of their numbers."""
        rows = [_values(note) for note in notes]
        if rows:
            parameters = rows if self._positional else [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
            connection.exec_driver_sql(self._upsert, parameters)

    def close(self, connection: Connection, closed: Sequence[Closed]) -> None:
        """Removes notes."""
        if closed:
            parameters = list(closed) if self._positional else [{"its_run_id": run, "its_number": number} for run, number in closed]
            connection.exec_driver_sql(self._removal, parameters)


@dataclass(frozen=True, slots=True)
class Noted:
    """What the notes of a run's open calls add up to. nano_usd: what those cost at most; None = of one it is not known."""

    calls: int
    nano_usd: int | None


def noted(connection: Connection, run_id: str, *, judges: bool, batches: bool = True) -> Noted:
    """The run's notes of calls to its model, or to its judges. batches: also what its model is asked in batches.

    Read them before answers: an answer that comes meanwhile is then counted twice in what all cost at most, and not left out.
    """
    ours: list[tuple[Table, ColumnElement[int], ColumnElement[bool]]]
    ours = [(reservations, reservations.c.calls, reservations.c.judges == int(judges))]
    if batches and not judges:
        ours.append((batch_items, literal(1), batch_items.c.state == int(ItemState.OPEN)))
    found = Noted(0, 0)
    for table, calls_of, condition in ours:
        columns = (
            func.coalesce(func.sum(calls_of), 0),
            func.coalesce(func.sum(table.c.nano_usd), 0),
            func.coalesce(func.sum(case((table.c.nano_usd.is_(None), 1), else_=0)), 0),
        )
        calls, nano, unbounded = connection.execute(select(*columns).where(table.c.run_id == run_id, condition)).one()
        most = None if unbounded or found.nano_usd is None else found.nano_usd + int(nano)
        found = Noted(found.calls + int(calls), most)
    return found


def costs(connection: Connection, table: Table, ours: ColumnElement[bool], notes: Noted, *, known: int | None) -> Costs:
    """What a run's answers or judgements cost, open calls included. known: the sum of the bills that are known.

    Once one call took more than its worst case, nobody can tell what others took at most.
    """
    columns = (
        func.coalesce(func.sum(case((table.c.unknown_calls > 0, 1), else_=0)), 0),
        func.coalesce(func.sum(table.c.unknown_calls), 0),
        func.coalesce(func.sum(table.c.unknown_nano_usd), 0),
        func.coalesce(func.sum(case((table.c.unknown_nano_usd.is_(None), 1), else_=0)), 0),
        func.coalesce(func.max(table.c.excess), 0),
    )
    answers, calls, nano, unbounded, excess = connection.execute(select(*columns).where(ours)).one()
    calls = int(calls) + notes.calls
    if unbounded or notes.nano_usd is None or (excess and calls):
        return Costs(known, int(answers), calls, None)
    return Costs(known, int(answers), calls, (known or 0) + int(nano) + notes.nano_usd)


def cost_before(connection: Connection, run_id: str, at: float) -> int:
    """What a run's answers and judgements of before a time cost, in nano-dollars: what is known, and the rest at most as far as that is.

    One that was asked again after a failure is of its last try. at: Unix seconds.
    """
    found = 0
    for table in (answers, judgements):
        nano = func.coalesce(table.c.cost_nano_usd, 0) + func.coalesce(table.c.unknown_nano_usd, 0)
        ours = select(func.coalesce(func.sum(nano), 0)).where(table.c.run_id == run_id, table.c.created < at)
        found += int(connection.execute(ours).scalar_one())
    return found


def cost_nobody_knows(connection: Connection, table: Table, run_id: str) -> None:
    """Has calls that were made while their model had no price count as calls of unknown cost."""
    without = and_(table.c.unknown_calls == 0, _tokens(table) > 0)
    unbilled = table.c.cost_nano_usd.is_(None) & (without | and_(table.c.unknown_calls > 0, table.c.unknown_nano_usd == 0))
    calls = case((table.c.unknown_calls == 0, 1), else_=table.c.unknown_calls)
    unknown = update(table).where(table.c.run_id == run_id, unbilled).values(unknown_calls=calls, unknown_nano_usd=None)
    connection.execute(unknown)
    ours = (reservations.c.run_id == run_id, reservations.c.judges == int(table is judgements), reservations.c.nano_usd == 0)
    connection.execute(update(reservations).where(*ours).values(nano_usd=None))
    if table is answers:
        asked = (batch_items.c.run_id == run_id, batch_items.c.state == int(ItemState.OPEN), batch_items.c.nano_usd == 0)
        connection.execute(update(batch_items).where(*asked).values(nano_usd=None))


def _tokens(table: Table) -> ColumnElement[int]:
    return reduce(add, (table.c[name] for name in TOKEN_BUCKETS))


def spending(connection: Connection, table: Table, run_id: str, model: str) -> list[Spent]:
    """What a run's answers or judgements and their open calls took, by task; without what is asked in batches.

    Of a call whose worst case is not known, the highest bill of any task stands in.
    """
    tokens = _tokens(table)
    uncounted = table.c.unknown_tokens.is_(None) | (table.c.unknown_tokens > 0)
    columns = (
        table.c.task,
        func.coalesce(func.sum(table.c.cost_nano_usd), 0).label("nano"),
        func.coalesce(func.sum(tokens), 0).label("tokens"),
        func.max(table.c.cost_nano_usd).label("most_nano"),
        func.max(case((tokens > 0, tokens), else_=cast(null(), BigInteger))).label("most_tokens"),
        func.sum(table.c.unknown_calls).label("calls"),
        func.coalesce(func.sum(case((uncounted, table.c.unknown_calls), else_=0)), 0).label("uncounted"),
        func.coalesce(func.sum(table.c.unknown_nano_usd), 0).label("unknown_nano"),
        func.coalesce(func.sum(table.c.unknown_tokens), 0).label("unknown_tokens"),
        func.max(table.c.excess).label("excess"),
    )
    rows = connection.execute(select(*columns).where(table.c.run_id == run_id).group_by(table.c.task)).all()
    found = [
        Spent(
            model=model,
            task=row.task,
            known=(int(row.nano), int(row.tokens)),
            most_of_one=(row.most_nano, row.most_tokens),
            calls=(int(row.calls), int(row.uncounted)),
            worst=(int(row.unknown_nano), int(row.unknown_tokens)),
            excess=float(row.excess),
        )
        for row in rows
    ]
    most = [max((entry.most_of_one[number] or 0 for entry in found), default=0) for number in (0, 1)]
    ours = (reservations.c.run_id == run_id, reservations.c.judges == int(table is judgements))
    return [*found, *noted_spending(connection, and_(*ours), model, most)]


def noted_spending(connection: Connection, ours: ColumnElement[bool], model: str, most: Sequence[int]) -> list[Spent]:
    """What these open calls to a model may take, by task. most: what stands in for a worst case that is not known: money, tokens."""
    notes = select(
        reservations.c.task,
        func.sum(reservations.c.calls).label("calls"),
        func.sum(func.coalesce(reservations.c.nano_usd, reservations.c.calls * most[0])).label("nano"),
        func.sum(func.coalesce(reservations.c.tokens, reservations.c.calls * most[1])).label("tokens"),
    ).where(ours)
    found = []
    for row in connection.execute(notes.group_by(reservations.c.task)):
        worst = (int(row.nano), int(row.tokens))
        calls = (int(row.calls), int(row.calls))
        found.append(Spent(model, row.task, known=(0, 0), most_of_one=(None, None), calls=calls, worst=worst, excess=0.0))
    return found
