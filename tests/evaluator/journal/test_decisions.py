"""What is decided of a run is kept beside it, replaced by what is decided later, and goes with it."""

from __future__ import annotations

import pytest
from google.protobuf import json_format

from evaluator.journal.journal import Journal
from evaluator.journal.records import RunRecord
from evaluator.runs.records import RunRecords
from evaluator.runs.run_log import RunLog
from genlevel.runtime.leases import Lease
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import evaluator_pb2 as ev


class Lock:
    def __init__(self, lease: Lease | None = None) -> None:
        self.held, self.lease = True, lease

    def lose(self, why: str) -> None:
        self.held = False


class Nowhere:
    active, unstored, waiting = frozenset[str](), {}, {}

    async def is_orphaned(self, run_id: str) -> bool:
        return True


def a_run(run_id: str) -> RunRecord:
    return RunRecord(run_id, "i", 0, "{}", "s", "b", False, "[]", 0, True, 1, "", "p1", "{}", 0, 0, 1.0, 1.0)


def decision(verdict: int) -> str:
    return json_format.MessageToJson(ev.EarlyDecision(verdict=verdict, complete=True), indent=None)


@pytest.fixture
def journal(tmp_path):
    there = Journal(sqlite_url(tmp_path / "j.db"))
    yield there
    there.close()


async def test_the_last_decision_is_told_of_one_run_and_goes_with_it(journal):
    record = journal.create_run(a_run("r1"))
    records, log = RunRecords(journal, Nowhere()), RunLog(journal, "r1", Lock())
    assert not (await records.message(record)).HasField("decision")
    for verdict in (3, 4):
        await log.decided(decision(verdict))
    assert (await records.message(record)).decision == ev.EarlyDecision(verdict=4, complete=True)
    assert (await records.asked(ev.GetRunRequest(run_id="r1"))).run.decision.verdict == 4
    assert (await records.describe(ev.DescribeRunRequest(run_id="r1", name="n"))).name == "n"
    assert not (await records.page(ev.ListRunsRequest())).runs[0].HasField("decision")
    assert journal.deletion.take_out(record, None)
    assert journal.deletion.clear("r1", None)
    assert journal.decisions.of("r1") == ""


async def test_what_was_decided_without_the_lock_is_not_kept(journal):
    journal.create_run(a_run("r1"))
    lock = Lock()
    log = RunLog(journal, "r1", lock)
    lock.held = False
    assert log.decided(decision(3)) is None
    assert journal.decisions.of("r1") == ""


async def test_a_message_of_a_newer_version_is_read_as_far_as_it_is_known(journal):
    record = journal.create_run(a_run("r1"))
    await journal.decisions.keep("r1", '{"verdict": 5, "saidLater": [1]}')
    assert (await RunRecords(journal, Nowhere()).message(record)).decision.verdict == 5
