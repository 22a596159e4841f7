"""Processes that race for the last of a budget, in PostgreSQL: one is killed, and what it may have spent counts."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import update

from evaluator.journal.journal import Journal
from evaluator.sharing.member_table import MemberTable
from genlevel.runtime.room import open_room
from genlevel.runtime.room.tables import leases
from genlevel.runtime.storage import writing
from tests.evaluator.sharing.conftest import RUN, record
from tests.evaluator.sharing.racer import AT_ONCE, BILLED, DEAREST

CAP = 12_000


@pytest.mark.full
def test_three_processes_spend_a_budget_to_its_end_and_not_beyond_though_one_is_killed(postgresql, tmp_path):
    open_room(postgresql).dispose()
    journal = Journal(postgresql)
    journal.create_run(record(traffic=f'{{"budgetNanoUsd": "{CAP}"}}'))
    ledger = tmp_path / "ledger"
    ledger.touch()
    racer = Path(__file__).parent / "racer.py"
    racing = {name: subprocess.Popen([sys.executable, racer, postgresql, name, ledger]) for name in "abc"}
    try:
        until_s = time.monotonic() + 60
        while ledger.read_text().count("a ") < 15:
            assert time.monotonic() < until_s
            time.sleep(0.005)
        racing["a"].kill()
        racing["a"].wait()
        members = MemberTable(journal.engine, moment_s=0.0)
        with writing(journal.engine).begin() as connection:
            connection.execute(update(leases).where(leases.c.name == f"member {RUN} a").values(until_s=1.0))
        assert [member.process for member in members.fence_dead(RUN)] == ["a"]
        assert [racing[name].wait(60) for name in "bc"] == [0, 0]
    finally:
        for process in racing.values():
            process.kill()
            process.wait()
    bills = [line.split() for line in ledger.read_text().splitlines()]
    spent = sum(int(amount) for _name, amount in bills)
    assert {name for name, _amount in bills} == {"a", "b", "c"}
    assert CAP - DEAREST - AT_ONCE * BILLED < spent <= CAP
    assert members.open(RUN) == []
    totals = journal.totals(RUN)
    assert totals.cost.nano_usd <= spent <= totals.cost.most_nano_usd
    journal.close()
