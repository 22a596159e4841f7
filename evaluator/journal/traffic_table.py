"""What the calls of runs were like over time, and what was learnt of accounts' limits, in the journal's database."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields

import orjson
from sqlalchemy import Connection, Engine, delete, select

from evaluator.journal.spans import Span
from evaluator.journal.tables import accounts, traffic
from genlevel.runtime.leases import Lease
from genlevel.runtime.limits import Learnt
from genlevel.runtime.storage import insert_into

_CLOCKS_DIFFER_S = 60.0
_LEARNT = [field.name for field in fields(Learnt)]  # other versions store others beside them

logger = logging.getLogger(__name__)

Submit = Callable[[Callable[[Connection], object], Lease | None], "asyncio.Future[None]"]


class TrafficTable:
    """Reading is synchronous (call it off the event loop); writing is grouped with the rest of the journal."""

    def __init__(self, engine: Engine, submit: Submit) -> None:
        self._engine = engine
        self._submit = submit
        self._unreadable: set[str] = set()  # accounts of which that was said

    def of(self, run_id: str) -> list[Span]:
        """A run's spans in order."""
        query = select(traffic).where(traffic.c.run_id == run_id).order_by(traffic.c.start_s)
        with self._engine.connect() as connection:
            rows = [dict(row._mapping) for row in connection.execute(query)]
        for row in rows:
            del row["run_id"]
            row["stated"], row["waits_s"] = bool(row["stated"]), orjson.loads(row["waits_s"])
        return [Span(**row) for row in rows]

    def keep(self, run_id: str, spans: Sequence[Span], lease: Lease | None, *, whole: bool) -> asyncio.Future[None]:
        """Stores spans of a run in place of those that begin when they do; whole: in place of all."""
        ours = traffic.c.run_id == run_id
        gone = delete(traffic).where(ours if whole else ours & traffic.c.start_s.in_([span.start_s for span in spans]))
        rows = [
            {**asdict(span), "run_id": run_id, "stated": int(span.stated), "waits_s": orjson.dumps(span.waits_s).decode()} for span in spans
        ]

        def store(connection: Connection) -> None:
            connection.execute(gone)
            if rows:
                connection.execute(traffic.insert(), rows)

        return self._submit(store, lease)

    def learnt(self, account: str) -> Learnt | None:
        """What was learnt of an account's limits; None: nothing is kept, or nothing that this version understands."""
        query = select(accounts.c.learnt).where(accounts.c.account == account)
        with self._engine.connect() as connection:
            text = connection.execute(query).scalar_one_or_none()
        try:
            stored = {} if text is None else orjson.loads(text)
            return Learnt(**{name: stored[name] for name in _LEARNT})
        except orjson.JSONDecodeError:
            if account not in self._unreadable:
                self._unreadable.add(account)
                logger.warning("what was learnt of the limits of account %s cannot be read, and is learnt anew", account)
            return None
        except (KeyError, TypeError):
            return None

    def keep_learnt(self, account: str, learnt: Learnt, lease: Lease | None = None) -> asyncio.Future[None]:
        """Stores what was learnt of an account, unless something newer is there. What is of a time to come is of a clock that was wrong."""
        insert = insert_into(accounts, self._engine).values(account=account, learnt=orjson.dumps(asdict(learnt)).decode(), at_s=learnt.at)
        newer = insert.on_conflict_do_update(
            index_elements=["account"],
            set_={"learnt": insert.excluded.learnt, "at_s": insert.excluded.at_s},
            where=(accounts.c.at_s <= insert.excluded.at_s) | (accounts.c.at_s > time.time() + _CLOCKS_DIFFER_S),
        )
        return self._submit(lambda connection: connection.execute(newer), lease)
