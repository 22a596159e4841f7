"""The table of workers, by the database's clock: who is there, and what they do."""

from __future__ import annotations

from sqlalchemy import Engine, Row, delete, select

from genlevel.runtime.durability import Durability
from genlevel.runtime.room import clock_of, open_room
from genlevel.runtime.room.tables import workers
from genlevel.runtime.storage import insert_into, writing
from genlevel.runtime.workers.worker import FORGOTTEN_S, Doing, Seen, Worker, as_told, scores_of


class WorkerTable:
    """Workers by name. Blocking, thread-safe: call it off the event loop. Every method raises StorageError if the database cannot be used.

    Args:
        storage: an SQLAlchemy URL (see genlevel.runtime.storage), or an engine whose database has this table.
        patience_s: for which whoever uses the table tries again.
    """

    def __init__(self, storage: Engine | str, *, patience_s: float = 0.0) -> None:
        self._owned = isinstance(storage, str)
        # Who works is known anew a few seconds later: it need not survive more than a process.
        opened = open_room(storage, patience_s=patience_s, durability=Durability.PROCESS) if isinstance(storage, str) else storage
        self._engine = opened
        self._now = clock_of(opened)

    def close(self) -> None:
        """Closes the database, unless its engine was given."""
        if self._owned:
            self._engine.dispose()

    def write(self, worker: Worker, doing: Doing) -> None:
        """Notes that a worker is there now. When it was first seen stays."""
        told = {**as_told(worker), "doing": doing.written(), "seen_s": self._now}
        statement = insert_into(workers, self._engine).values(started_s=self._now, **told)
        told.pop("name")
        with writing(self._engine).begin() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=told))

    def remove(self, name: str) -> None:
        """Forgets a worker."""
        with writing(self._engine).begin() as connection:
            connection.execute(delete(workers).where(workers.c.name == name))

    def forget_lost(self) -> int:
        """Forgets those that were not seen for an hour. Returns how many."""
        with writing(self._engine).begin() as connection:
            return connection.execute(delete(workers).where(workers.c.seen_s < self._now - FORGOTTEN_S)).rowcount

    def listed(self) -> list[Seen]:
        """All that were seen within an hour, by service, host and name."""
        query = select(workers, self._now.label("now_s")).where(workers.c.seen_s >= self._now - FORGOTTEN_S)
        with self._engine.connect() as connection:
            found = connection.execute(query.order_by(workers.c.service, workers.c.host, workers.c.name)).all()
        return [_seen(row) for row in found]


def _seen(row: Row[tuple[object, ...]]) -> Seen:
    worker = Worker(
        name=row.name,
        service=row.service,
        version=row.version,
        host=row.host,
        asks=row.asks,
        scores=scores_of(row.scores),
        device=row.device,
        problem=row.problem,
    )
    return Seen(worker, Doing.read(row.doing), row.started_s, row.seen_s, max(0.0, row.now_s - row.seen_s))
