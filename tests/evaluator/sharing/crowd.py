"""Evaluators that share the runs of one database through one queue, in one process."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select

from evaluator.journal.tables import members
from evaluator.planning.suites import AnySuites
from evaluator.service import Evaluator
from genlevel.runtime.leases import LeaseTable
from genlevel.runtime.locks import LeaseLocks
from genlevel.runtime.queue import open_queue
from genlevel.runtime.settings import Settings
from scorer.service import Scorer
from tests.runtime.queue.local import LocalQueue

TTL_S = 2.0

BOTH = pytest.mark.parametrize("crowd", ["local", pytest.param("nats", marks=pytest.mark.full)], indirect=True)
"""Of a test that make test-full runs over NATS and PostgreSQL, too; make soak runs all so."""
LOCAL = pytest.mark.parametrize("crowd", ["local"], indirect=True)
"""Of a test that has the queue within the process fail."""


def members_of(evaluator, run_id):
    """The rows of all members that a run has had."""
    with evaluator._journal.engine.connect() as connection:
        return connection.execute(select(members).where(members.c.run_id == run_id)).all()


class Crowd:
    """Evaluators over one database and one queue; each has a machine of its own."""

    def __init__(self, folder, url, queue_url, gateway):
        self.folder, self.url, self.queue_url, self.gateway = folder, url, queue_url, gateway
        self.local = None if queue_url else LocalQueue()
        self.made = []

    def start(self, *, asks=True, going=True, ttl_s=TTL_S, **settings):
        scorer = Scorer(self.url)
        told = {"storage": {"url": self.url}, "worker": {"asks": asks}, "runs": {"attempts": 3, "deadline_s": 20}, **settings}
        number = len(self.made)
        queue = self.local or open_queue(self.queue_url, name=f"evaluator {number}")
        evaluator = Evaluator(
            Settings.model_validate(told),
            self.gateway,
            scorer,
            registry=CollectorRegistry(),
            data_folder=self.folder / f"machine-{number}",
            suites=AnySuites(),
            continues=True,
            queue=queue,
        )
        evaluator._control._locks.close()
        evaluator._locks = evaluator._control._locks = evaluator._deleting._locks = LeaseLocks(LeaseTable(self.url), ttl_s=ttl_s)
        self.made.append((evaluator, scorer))
        if going:
            evaluator.go_on()
        return evaluator

    async def stop(self, evaluator):
        found = next(one for one in self.made if one[0] is evaluator)
        self.made.remove(found)
        await evaluator.close()
        found[1].close()
