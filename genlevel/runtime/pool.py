"""A database's connections, none of which stays open after their engine was closed."""

from __future__ import annotations

from sqlalchemy.pool import ConnectionPoolEntry, QueuePool


class ClosingPool(QueuePool):
    """SQLAlchemy's pool, which also closes what comes back to it after it was disposed of.

    ``Engine.dispose`` closes connections that nobody uses. One that a thread uses just then (a look at readiness, a statement that a hung
    server answers late) comes back to a pool that is no longer the engine's, and would stay open until Python collects it.
    """

    _disposed = False

    def dispose(self) -> None:
        """Closes all connections that nobody uses, and from now on each one that comes back."""
        self._disposed = True  # before the others are closed: one that comes back meanwhile sees it, or is among them
        super().dispose()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        super()._do_return_conn(record)
        if self._disposed:
            super().dispose()
