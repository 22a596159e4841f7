"""A journal whose database has leases, and runs in it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from evaluator.journal.journal import Journal
from evaluator.journal.records import RunRecord
from evaluator.runs import continuing, control
from evaluator.sharing import members, membership, scorers, scoring, shared_pass, taking
from evaluator.sharing.member_table import Member, MemberTable
from genlevel.runtime.leases import Lease, LeaseTable
from genlevel.runtime.room import open_room
from genlevel.runtime.storage import sqlite_url
from tests.evaluator.sharing.crowd import Crowd

RUN = "run"
_NUMBERS = itertools.count(1)


def record(run_id: str = RUN, traffic: str = "{}") -> RunRecord:
    return RunRecord(run_id, "i", 1, "{}", "s", "b", False, "[]", 0, True, 1, "", "p1", traffic, 0, 0, 1.0, 1.0)


@dataclass
class Shared:
    """A run's database, and processes that come and go."""

    journal: Journal
    members: MemberTable
    leases: LeaseTable
    held: dict[str, Lease] = field(default_factory=dict)
    joined: int = 0

    def cap(self, nano_usd: int | None = None, tokens: int | None = None, run: str = RUN) -> None:
        """Sets the caps of a run, as ``tune`` does."""
        caps = {"budgetNanoUsd": nano_usd, "budgetTokens": tokens}
        text = ", ".join(f'"{name}": "{cap}"' for name, cap in caps.items() if cap is not None)
        self.journal.wishes.store(run, traffic=lambda _: "{" + text + "}")

    def join(self, process: str, run: str = RUN, start: int = 1) -> Member:
        """A process takes its lease and becomes a member."""
        self.joined += 1
        lease = self.leases.acquire(f"member {run} {process} {self.joined}", process, ttl_s=1000.0)
        assert lease is not None
        self.held[process] = lease
        return self.members.join(run, start, process, lease)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database of each kind."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "genlevel.db")
    return str(request.getfixturevalue("postgresql"))


@pytest.fixture
def shared(url: str) -> Iterator[Shared]:
    open_room(url).dispose()
    journal = Journal(url)
    journal.create_run(record())
    yield Shared(journal, MemberTable(journal.engine, moment_s=0.0), LeaseTable(journal.engine))
    journal.close()


@pytest.fixture
def make_record() -> Callable[..., RunRecord]:
    return record


@pytest.fixture(scope="module")
def nats(tmp_path_factory):
    from tests.nats_server import NatsServer

    server = NatsServer(tmp_path_factory.mktemp("nats")).start()
    yield server
    server.stop()


@pytest.fixture(params=["local", pytest.param("nats", marks=[pytest.mark.full, pytest.mark.soak])])
async def crowd(request, tmp_path, scripted, monkeypatch) -> AsyncIterator[Crowd]:
    """Evaluators that look often, over either kind of queue and database."""
    for module, name, value in (
        (continuing, "LOOK_S", 0.1),
        (control, "LOOK_S", 0.1),
        (membership, "LOOK_S", 0.1),
        (membership, "SWEEP_S", 0.3),
        (members, "LOOK_S", 0.1),
        (shared_pass, "LOOK_S", 0.1),
        (shared_pass, "SWEEP_S", 0.3),
        (taking, "PULL_S", 0.3),
        (taking, "BUSY_S", 0.3),
        (scorers, "PULL_S", 0.3),
        (scorers, "LOOK_S", 0.1),
        (scorers, "AGAIN_S", 0.1),
        (scoring, "LOOK_S", 0.1),
        (scoring, "SWEEP_S", 0.2),
    ):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr("evaluator.service.LOOK_INTERVAL_S", 0.05)
    if request.param == "local":
        there = Crowd(tmp_path, f"sqlite:///{tmp_path / 'shared.db'}", "", scripted)
    else:
        url = f"{request.getfixturevalue('nats').url}/crowd{next(_NUMBERS)}"  # each finds a queue in which nothing was
        there = Crowd(tmp_path, request.getfixturevalue("postgresql"), url, scripted)
    yield there
    for evaluator, _ in list(there.made):
        await there.stop(evaluator)
