"""The runtime's own tables in a database that processes share: what all services stand on, whichever of them opens it first."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import ColumnElement, Double, Engine, cast, extract, func, literal_column

from genlevel.runtime.durability import Durability
from genlevel.runtime.room.tables import HEAD, ROOM, metadata
from genlevel.runtime.schema import Schema
from genlevel.runtime.storage import open_engine

__all__ = ["SCHEMA", "clock_of", "open_room"]

SCHEMA = Schema(ROOM, HEAD, Path(__file__).parent / "migrations" / "versions", metadata, oldest="0004")


def open_room(url: str, *, patience_s: float = 0.0, durability: Durability = Durability.PROCESS) -> Engine:
    """An engine whose database has these tables. Close it with ``dispose``.

    Args:
        url: an SQLAlchemy URL (see genlevel.runtime.storage).
        patience_s: for which whoever uses them tries again.
        durability: what is committed survives.

    Raises:
        ConfigurationError: it is not a database URL.
        StorageError: the database cannot be opened.
    """
    return open_engine(url, SCHEMA, patience_s=patience_s, durability=durability)


def clock_of(engine: Engine) -> ColumnElement[float]:
    """The database's clock as Unix time.

    PostgreSQL's now() is when the transaction began, and a statement may wait for another's row after that: clock_timestamp() is now.
    """
    if engine.dialect.name == "postgresql":
        return cast(extract("epoch", func.clock_timestamp()), Double)
    return literal_column("((julianday('now') - 2440587.5) * 86400.0)", Double)
