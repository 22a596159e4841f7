"""What members of a run may spend, in the database: each asks for what it needs, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, Engine, select, update

from evaluator.journal.members import MemberState
from evaluator.journal.records import Spent
from evaluator.journal.tables import members
from evaluator.sharing.allotment import Allotment, Ask, Stake, allotted, plus, total
from evaluator.sharing.excesses import Taught, all_wrong, highest, read, written
from evaluator.sharing.member_table import Books, Member, caps_of, is_member, is_there, lock_books
from evaluator.traffic.budget import Amount, Budget, Caps
from evaluator.traffic.purses import Excesses
from genlevel.runtime.storage import writing


class Answer(NamedTuple):
    """What a member is told. excesses: what all have learnt of the bills of the run's model."""

    allotment: Allotment
    excesses: Excesses


class _Row(NamedTuple):
    number: int
    live: bool
    granted: Amount
    settled: Amount
    wanting: bool
    taught: Taught


class PurseTable:
    """The purses of runs that many share. Blocking, thread-safe; every method raises StorageError if the database cannot be used.

    engine: of the journal's database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def exchange(self, member: Member, ask: Ask) -> Answer | None:
        """Takes what a member says of itself, and tells what it may spend from now on. None: it is closed, or its run was deleted.

        Whoever did not hear the answer may ask again, with what his budget is by then.
        """
        with writing(self._engine).begin() as connection:
            if not is_there(connection, member):
                return None
            books = lock_books(connection, self._engine, member.run_id)
            rows = _rows(connection, member.run_id, books)
            if (own := rows.pop(member.number, None)) is None or not own.live:
                return None
            known = highest([books.excesses, ask.taught.excesses, *(row.taught.excesses for row in rows.values())])
            others = [Stake(row.granted, row.settled, row.wanting) for row in rows.values() if row.live]
            spent = plus(books.base, total(row.settled for row in rows.values() if not row.live))
            told = allotted(ask, caps_of(connection, member.run_id), spent, others)
            change = update(members).where(is_member(member)).values(
                granted_nano_usd=told.granted.nano_usd,
                granted_tokens=told.granted.tokens,
                settled_nano_usd=ask.committed.nano_usd,
                settled_tokens=ask.committed.tokens,
                wanting=int(told.wanting),
                excess=written(ask.taught),
            )  # fmt: skip
            connection.execute(change)
        return Answer(told, known)

    def whole(self, run_id: str, spent: Iterable[Spent]) -> Budget:
        """A budget of the whole run, for one who goes on alone, or tells how it ended.

        spent: by the journal. Its wrong bills are those of all members since the books were closed.
        """
        with writing(self._engine).begin() as connection:
            rows = _rows(connection, run_id, lock_books(connection, self._engine, run_id))
            return Budget(*caps_of(connection, run_id), spent, wrong=all_wrong(row.taught for row in rows.values()))

    def left(self, run_id: str) -> Caps:
        """What of a run's caps is not spent, if no call in flight costs anything: nano-dollars, tokens; None = no cap.

        What living members have spent is as of their last look.
        """
        with writing(self._engine).begin() as connection:
            books = lock_books(connection, self._engine, run_id)
            spent = plus(books.base, total(row.settled for row in _rows(connection, run_id, books).values()))
            money, tokens = caps_of(connection, run_id)
        return None if money is None else money - spent.nano_usd, None if tokens is None else tokens - spent.tokens


def _rows(connection: Connection, run_id: str, books: Books) -> dict[int, _Row]:
    """The members whose spending is not in the books, by number."""
    query = select(
        members.c.number,
        members.c.state,
        members.c.granted_nano_usd,
        members.c.granted_tokens,
        members.c.settled_nano_usd,
        members.c.settled_tokens,
        members.c.wanting,
        members.c.excess,
    ).where(members.c.run_id == run_id, members.c.number > books.through)
    return {
        row.number: _Row(
            row.number,
            row.state == int(MemberState.LIVE),
            Amount(row.granted_nano_usd, row.granted_tokens),
            Amount(row.settled_nano_usd, row.settled_tokens),
            bool(row.wanting),
            read(row.excess),
        )
        for row in connection.execute(query)
    }
