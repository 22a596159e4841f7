"""Batches in the journal's database. An item's end, and the answer that tells of it, are stored in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields

from sqlalchemy import ColumnElement, Connection, Engine, Row, bindparam, func, select, update

from evaluator.journal.batch_records import BatchItem, BatchRecord, BatchStep, ItemEnd, ItemState, Standing, standing_of
from evaluator.journal.rows import AnswerInsert, storable
from evaluator.journal.tables import batch_items, batches
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.runtime.leases import Lease

_KEY = ("task", "instance_id", "variant", "repeat", "shuffle")
_COLUMNS = tuple(field.name for field in fields(BatchRecord))

Submit = Callable[[Callable[[Connection], object], Lease | None], "asyncio.Future[None]"]


class BatchTable:
    """Reading is synchronous (call it off the event loop); writing is grouped with the rest of the journal. insert: journals answers."""

    def __init__(self, engine: Engine, submit: Submit, insert: AnswerInsert) -> None:
        self._engine = engine
        self._submit = submit
        self._insert = insert

    # -- reading ---------------------------------------------------------------------------------------------------

    def open(self, run_id: str) -> list[BatchRecord]:
        """The batches of a run that are not closed, the oldest first."""
        query = select(batches).where(batches.c.run_id == run_id, batches.c.state < int(BatchStep.CLOSED)).order_by(batches.c.number)
        with self._engine.connect() as connection:
            return [_record(row) for row in connection.execute(query)]

    def standing(self, run_id: str) -> Standing | None:
        """How the batches of a run stand; None if none waits."""
        return standing_of(self.open(run_id))

    def standings(self, run_ids: Sequence[str]) -> dict[str, Standing]:
        """The same of several runs, by their ids, of those whose batches wait."""
        found: dict[str, list[BatchRecord]] = {}
        query = select(batches).where(batches.c.state < int(BatchStep.CLOSED)).order_by(batches.c.run_id, batches.c.number)
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                found.setdefault(row.run_id, []).append(_record(row))
        waiting = {run_id: standing_of(found[run_id]) for run_id in run_ids if run_id in found}
        return {run_id: standing for run_id, standing in waiting.items() if standing is not None}

    def open_ids(self) -> frozenset[str]:
        """The providers' ids of all batches that are not closed, of whatever run."""
        query = select(batches.c.batch_id).where(batches.c.state < int(BatchStep.CLOSED), batches.c.batch_id != "")
        with self._engine.connect() as connection:
            return frozenset(connection.execute(query).scalars())

    def to_cancel(self) -> list[str]:
        """The runs of which a person wants batches cancelled."""
        query = select(batches.c.run_id).where(batches.c.state < int(BatchStep.CLOSED), batches.c.cancel == 1).distinct()
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def last_numbers(self, run_id: str) -> tuple[int, int]:
        """The highest numbers of a run's batches and of their items; 0 = there is none."""
        with self._engine.connect() as connection:
            batch, item = (
                connection.execute(select(func.coalesce(func.max(table.c.number), 0)).where(table.c.run_id == run_id)).scalar_one()
                for table in (batches, batch_items)
            )
        return int(batch), int(item)

    def open_items(self, run_id: str, batch: int) -> list[BatchItem]:
        """The items of a batch that have not ended."""
        query = select(batch_items).where(batch_items.c.run_id == run_id, batch_items.c.batch == batch, _is(ItemState.OPEN))
        with self._engine.connect() as connection:
            return [_item(row) for row in connection.execute(query.order_by(batch_items.c.number))]

    def count_items(self, run_id: str, batch: int) -> int:
        """How many items were put into a batch."""
        query = select(func.count()).where(batch_items.c.run_id == run_id, batch_items.c.batch == batch)
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def open_keys(self, run_id: str, task: str, keys: Iterable[AnswerKey]) -> set[AnswerKey]:
        """Those of these keys of a task that are being asked for in batches (a few hundred at a time)."""
        wanted = frozenset(keys)
        query = select(*(batch_items.c[name] for name in _KEY[1:])).where(
            batch_items.c.run_id == run_id,
            batch_items.c.task == task,
            batch_items.c.instance_id.in_({key.instance for key in wanted}),
            _is(ItemState.OPEN),
        )
        with self._engine.connect() as connection:
            return {key for row in connection.execute(query) if (key := AnswerKey(*row)) in wanted}

    def to_ask_again(self, run_id: str) -> dict[tuple[str, AnswerKey], int]:
        """What failed in batches and is to be asked again, with how often it has been asked: by task and key."""
        query = select(*(batch_items.c[name] for name in _KEY), batch_items.c.tries).where(
            batch_items.c.run_id == run_id, _is(ItemState.AGAIN)
        )
        with self._engine.connect() as connection:
            return {(task, AnswerKey(*key)): tries + 1 for task, *key, tries in connection.execute(query)}

    # -- writing ---------------------------------------------------------------------------------------------------

    def begin(self, record: BatchRecord, lease: Lease | None = None) -> asyncio.Future[None]:
        """Stores a new batch."""
        row = _row(record)
        return self._submit(lambda connection: connection.execute(batches.insert(), row), lease)

    def add(self, items: Sequence[BatchItem], lease: Lease | None = None) -> asyncio.Future[None]:
        """Stores items. One that was asked before is not to be asked again for what it was."""
        rows = [item._asdict() | {"state": int(item.state)} for item in items]
        again = [{f"its_{name}": row[name] for name in ("run_id", *_KEY)} for row in rows if row["tries"]]
        superseded = update(batch_items).where(
            *(batch_items.c[name] == bindparam(f"its_{name}") for name in ("run_id", *_KEY)), _is(ItemState.AGAIN)
        )

        def store(connection: Connection) -> None:
            if again:
                connection.execute(superseded.values(state=int(ItemState.ENDED)), again)
            connection.execute(batch_items.insert(), rows)

        return self._submit(store, lease)

    def change(self, record: BatchRecord, lease: Lease | None = None) -> asyncio.Future[None]:
        """Stores how a batch stands. Whether a person wants it cancelled stays as it is."""
        row = {name: value for name, value in _row(record).items() if name not in ("run_id", "number", "cancel")}
        change = update(batches).where(_of(record)).values(**row)
        return self._submit(lambda connection: connection.execute(change), lease)

    def end(self, ends: Sequence[ItemEnd], lease: Lease | None = None) -> asyncio.Future[None]:
        """Stores what became of items, with their answers."""
        answers = [self._insert.row(storable(end.answer)) for end in ends if end.answer is not None]
        rows = [{"its_run": end.item.run_id, "its_number": end.item.number, **_after(end)} for end in ends]
        change = update(batch_items).where(batch_items.c.run_id == bindparam("its_run"), batch_items.c.number == bindparam("its_number"))

        def store(connection: Connection) -> None:
            if answers:
                connection.exec_driver_sql(self._insert.sql, answers)
            if rows:
                connection.execute(change.values(state=bindparam("new"), tries=bindparam("tried")), rows)

        return self._submit(store, lease)

    def close(self, record: BatchRecord, lease: Lease | None = None) -> asyncio.Future[None]:
        """Closes a batch. What of it has not ended was not asked: it is as it was before."""
        ours = (batch_items.c.run_id == record.run_id, batch_items.c.batch == record.number, _is(ItemState.OPEN))
        tried = update(batch_items).where(*ours, batch_items.c.tries > 0).values(state=int(ItemState.AGAIN), tries=batch_items.c.tries - 1)
        untried = update(batch_items).where(*ours).values(state=int(ItemState.RETURNED))

        def store(connection: Connection) -> None:
            connection.execute(tried)
            connection.execute(untried)
            connection.execute(update(batches).where(_of(record)).values(state=int(BatchStep.CLOSED)))

        return self._submit(store, lease)

    def want_cancelled(self, run_id: str, *, wanted: bool) -> None:
        """Stores whether a person wants a run's batches cancelled at the provider."""
        waiting = update(batches).where(batches.c.run_id == run_id, batches.c.state < int(BatchStep.CLOSED))
        with self._engine.begin() as connection:
            connection.execute(waiting.values(cancel=int(wanted)))


def _is(state: ItemState) -> ColumnElement[bool]:
    return batch_items.c.state == int(state)


def _of(record: BatchRecord) -> ColumnElement[bool]:
    return (batches.c.run_id == record.run_id) & (batches.c.number == record.number)


def _after(end: ItemEnd) -> dict[str, int]:
    """State and tries of an item that has ended. One that was asked before and was not asked now is as it was before."""
    if end.state is ItemState.RETURNED and end.item.tries:
        return {"new": int(ItemState.AGAIN), "tried": end.item.tries - 1}
    return {"new": int(end.state), "tried": end.item.tries}


def _row(record: BatchRecord) -> dict[str, object]:
    return {name: int(value) if isinstance(value, (bool, BatchStep)) else value for name, value in asdict(record).items()}


def _record(row: Row[*tuple[object, ...]]) -> BatchRecord:
    values = {name: row._mapping[name] for name in _COLUMNS}
    flags = {name: bool(values[name]) for name in ("cancel", "cancelled", "found")}
    return BatchRecord(**{**values, **flags, "state": BatchStep(values["state"])})


def _item(row: Row[*tuple[object, ...]]) -> BatchItem:
    return BatchItem(**{**row._mapping, "state": ItemState(row.state)})
