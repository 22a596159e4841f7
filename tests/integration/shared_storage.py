"""A PostgreSQL and a NATS for services that tests start, so that any test of services is one of shared storage, too.

GENLEVEL_TEST_STORAGE=shared says so. Each configuration's folder has a database of its own, and its own subjects in the queue.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from tests.conftest import PostgresqlServer
from tests.nats_server import NatsServer


class SharedStorage:
    """What configurations get of it. database, queue: both run."""

    def __init__(self, database: PostgresqlServer, queue: NatsServer) -> None:
        self._database, self._queue = database, queue
        self._made: set[str] = set()

    def extended(self, document: dict[str, Any], folder: Path) -> dict[str, Any]:
        """A service's configuration, with this storage unless it says itself where things are kept: ``url: ""`` is in its folder."""
        storage = document.get("storage") or {}
        if "url" in storage:
            return document
        blobs = storage.get("blobs") or str(folder / "blobs")
        storage = {**storage, "url": self.url(folder), "blobs": blobs}
        return {**document, "storage": storage, "queue": f"{self._queue.url}/{self._name(folder)}"}

    def url(self, folder: Path) -> str:
        """The database of the configuration in a folder."""
        name = self._name(folder)
        if name not in self._made:
            self._database.psql(f"CREATE DATABASE {name};")
            self._made.add(name)
        return self._database.get_uri(name)

    def _name(self, folder: Path) -> str:
        return f"test_{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
