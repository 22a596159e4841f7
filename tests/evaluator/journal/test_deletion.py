"""Runs that are taken out of the journal: what still counts of them, what is left when it breaks off, and which files nobody has."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from evaluator.journal import deletion
from evaluator.journal.deletion import tables_of_runs
from evaluator.journal.journal import Journal
from evaluator.journal.plan_numbers import Part
from evaluator.journal.records import Answer, Judgement, OpenCalls, RunJudge
from evaluator.journal.tables import deleted_runs, runs, unused_files
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import StorageError
from genlevel.runtime.leases import LeaseTable
from genlevel.runtime.storage import sqlite_url
from tests.evaluator.journal.test_plan_numbers import begun, ended, record, started


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def journal(request, tmp_path):
    opened = Journal(sqlite_url(tmp_path / "j.db") if request.param == "sqlite" else request.getfixturevalue("postgresql"))
    yield opened
    opened.close()


def deleted(journal, run_id):
    assert journal.deletion.take_out(journal.list.records([run_id])[0], None)
    journal.deletion.clear(run_id, None)
    journal.deletion.cleared(run_id, None)


def files(*names):
    return json.dumps([[name * 64, len(name), "image/png"] for name in names])


async def filled(journal, run_id, *named):
    """A run with something in many of the tables."""
    begun(journal, run_id)
    await journal.record(Answer(run_id, "t", "i", Outcome.ANSWERED, files=files(*named) if named else "", created=2.0, response_id="x"))
    await journal.record(Answer(run_id, "u", "i", Outcome.FAILED))
    await journal.judgements.record(Judgement(run_id, "t", "i", "judge", "hash", "1"))
    journal.judgements.set_judge(RunJudge(run_id, "judge", "route", {}))
    journal.judgements.store_people(run_id, {"t": {"i": {"anna": 3.0}}})
    await journal.note(OpenCalls(run_id, 1, "t", judges=False, calls=1, nano_usd=1, tokens=1))
    ended(journal, run_id)


def left(journal, run_id):
    """The tables that have something of a run."""
    with journal._engine.connect() as connection:
        tables = [runs, *tables_of_runs()]
        return {table.name for table in tables if connection.execute(select(table).where(table.c.run_id == run_id)).first() is not None}


async def test_nothing_of_a_run_is_left_and_all_of_the_others(journal):
    await filled(journal, "1")
    await filled(journal, "2")
    before = left(journal, "2")
    assert len(before) >= 6
    assert left(journal, "1") == before
    assert journal.deletion.take_out(journal.list.records(["1"])[0], None)
    assert (journal.deletion.is_cleared("1"), journal.deletion.is_cleared("2")) == (False, None), "the first time it was"
    assert journal.deletion.clear("1", None)
    journal.deletion.cleared("1", None)
    assert journal.deletion.is_cleared("1")
    assert (left(journal, "1"), left(journal, "2")) == (set(), before)
    assert (journal.deletion.is_cleared("1"), journal.deletion.is_cleared("2")) == (True, None)
    assert not journal.deletion.take_out(record("1"), None), "it is not there any more"


async def test_a_deleted_run_is_a_try_as_it_was_before(journal):
    await filled(journal, "bad")
    assert journal.new_number("m", "b", ["a"]) == 2
    deleted(journal, "bad")
    assert [begun(journal, "next"), begun(journal, "other", "z")] == [2, 1]


async def test_what_was_no_try_is_none_when_it_was_deleted(journal):
    begun(journal, "vain")
    ended(journal, "vain")
    journal.create_run(replace(record("tick"), occasion="hourly#1"))
    started(journal, "tick")
    await journal.record(Answer("tick", "t", "i", Outcome.ANSWERED))
    ended(journal, "tick")
    for run_id in ("vain", "tick"):
        deleted(journal, run_id)
    assert begun(journal, "next") == 1


def test_one_that_was_killed_before_its_first_answer_counts_when_it_is_deleted(journal):
    begun(journal, "killed")
    deleted(journal, "killed")
    assert begun(journal, "next") == 2


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.sets(st.sampled_from("abc"), min_size=1), st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=5)
)
def test_deleting_changes_no_later_number(plans):
    """A law: whichever earlier runs are deleted, and whenever, a later one has the number that it would have had."""

    async def numbers(deletes):
        journal = Journal("sqlite://")
        found = []
        for number, (tasks, has_answer, goes_on, is_deleted) in enumerate(plans):
            run_id = f"r{number}"
            found.append(begun(journal, run_id, sorted(tasks), created=float(number)))
            if has_answer:
                await journal.record(Answer(run_id, "t", "i", Outcome.ANSWERED))
            if not goes_on:
                ended(journal, run_id)
            if is_deleted and deletes:
                deleted(journal, run_id)
        found.append(journal.new_number("m", "b", "abc"))
        journal.close()
        return found

    assert asyncio.run(numbers(deletes=True)) == asyncio.run(numbers(deletes=False))


async def test_what_is_merged_again_from_a_deleted_run_is_the_try_that_that_was(journal):
    await filled(journal, "1")
    (first,) = journal.list_answers("1", outcomes=[Outcome.ANSWERED])
    part = Part("1", ("a",), first)
    deleted(journal, "1")
    begun(journal, "2")
    found = []

    def merged(standings):
        found.extend(standings)
        return record("merged", "")

    journal.create_merged("m", "b", [part, replace(part, run_id="elsewhere"), replace(part, first=first._replace(created=9.0))], merged)
    assert [(standing.least, standing.counts) for standing in found] == [(0, False), (1, False), (3, True)]


async def test_what_is_merged_from_a_deleted_tick_is_a_try_of_its_own(journal):
    """As while the tick was there: that was no try, and what is merged from its answers is one."""
    journal.create_run(replace(record("tick"), occasion="hourly#1"))
    started(journal, "tick")
    await journal.record(Answer("tick", "t", "i", Outcome.ANSWERED, created=2.0))
    ended(journal, "tick")
    (first,) = journal.list_answers("tick")
    found = []

    def merged(standings):
        found.append([(standing.least, standing.counts) for standing in standings])
        return record("merged", "")

    journal.create_merged("m", "b", [Part("tick", ("a",), first)], merged)
    deleted(journal, "tick")
    journal.create_merged("m", "b", [Part("tick", ("a",), first)], merged)
    assert found[0] == found[1] == [(1, True)]


async def test_what_is_merged_again_has_the_number_of_the_plan_of_its_task(journal):
    """A deleted run that was merged itself has asked its tasks in several plans."""
    plans = json.dumps({"taskPlans": {"t": 3, "u": 5}})
    journal.create_run(replace(record("both"), facts=plans, plan_number=5))
    for task in "tu":
        await journal.record(Answer("both", task, "i", Outcome.ANSWERED, created=2.0))
    firsts = list(journal.list_answers("both"))
    deleted(journal, "both")
    found = []

    def merged(standings):
        found.extend((standing.least, standing.counts) for standing in standings)
        return record("merged", "")

    journal.create_merged("m", "b", [Part("elsewhere", (first.task,), first) for first in firsts], merged)
    assert [first.task for first in firsts] == ["t", "u"]
    assert found == [(3, False), (5, False)]


@pytest.mark.parametrize("other", [{"model": "n"}, {"benchmark": "c"}])
async def test_deleted_runs_of_other_models_and_benchmarks_are_no_tries(journal, other):
    journal.create_run(record("1", "a", number=4, **other))
    started(journal, "1")
    await journal.record(Answer("1", "t", "i", Outcome.ANSWERED, created=2.0))
    (first,) = journal.list_answers("1")
    deleted(journal, "1")
    assert journal.new_number("m", "b", "a") == 1
    found = []

    def merged(standings):
        found.extend((standing.least, standing.counts) for standing in standings)
        return record("merged", "")

    journal.create_merged("m", "b", [Part("1", ("a",), first)], merged)
    assert found == [(1, True)]


def test_a_new_run_of_a_plan_comes_after_all_that_were_deleted(journal):
    assert journal.deletion.last_generation("1") == -1
    for run_id, generation in (("1-2", 2), ("1-7", 7), ("1-3", 3)):
        journal.create_run(replace(record(run_id), identity="1", generation=generation))
        deleted(journal, run_id)
    assert journal.deletion.last_generation("1") == 7


async def test_who_has_lost_the_run_deletes_nothing_of_it(journal):
    await filled(journal, "1", "a")
    before = left(journal, "1")
    leases = LeaseTable(journal._engine.url.render_as_string(hide_password=False))
    late = leases.acquire("run 1", "a", ttl_s=-1.0)
    now = leases.acquire("run 1", "b", ttl_s=100.0)
    with pytest.raises(StorageError, match="another process works on the run"):
        journal.deletion.take_out(journal.list.records(["1"])[0], late)
    assert (left(journal, "1"), journal.run("1") is not None) == (before, True)
    assert journal.deletion.take_out(journal.list.records(["1"])[0], now)
    for broken_off in (journal.deletion.clear, journal.deletion.cleared):
        with pytest.raises(StorageError, match="another process works on the run"):
            broken_off("1", late)
    assert (left(journal, "1"), journal.deletion.to_clear()) == (before - {"evaluator_runs"}, ["1"])
    journal.deletion.clear("1", now)
    assert left(journal, "1") == set()
    leases.close()


async def test_files_that_another_run_has_are_not_unused(journal):
    await filled(journal, "1", "a", "b")
    await filled(journal, "2", "b", "c")
    assert set(journal.deletion.contents("1").files) == {"a" * 64, "b" * 64}
    assert journal.deletion.of_others(["a" * 64, "b" * 64, "c" * 64], besides="1") == {"b" * 64, "c" * 64}
    deleted(journal, "1")
    assert set(journal.deletion.unused()) == {"a" * 64, "b" * 64}
    assert journal.deletion.of_others(journal.deletion.unused()) == {"b" * 64}
    journal.deletion.settled(["a" * 64, "b" * 64])
    assert journal.deletion.unused() == {}


async def test_what_breaks_off_is_ended_by_whoever_comes_next(journal, monkeypatch):
    """Broken off after each transaction: the run is never seen again, and no file of it is forgotten."""
    monkeypatch.setattr(deletion, "_TOGETHER", 1)
    for steps in range(4):
        run_id = f"r{steps}"
        await filled(journal, run_id, str(steps))
        with monkeypatch.context() as broken:
            counted = []

            def note_files(*arguments, counted=counted, most=steps, inner=deletion._note_files):
                counted.append(arguments)
                if len(counted) > most:
                    raise KeyboardInterrupt
                inner(*arguments)

            broken.setattr(deletion, "_note_files", note_files)
            journal.deletion.take_out(journal.list.records([run_id])[0], None)
            try:
                journal.deletion.clear(run_id, None)
            except KeyboardInterrupt:
                assert steps < 3
        assert journal.list.records([run_id]) == []
        assert journal.run(run_id) is None
        assert journal.deletion.to_clear() == [run_id]
        journal.deletion.clear(run_id, None)
        journal.deletion.cleared(run_id, None)
        assert (left(journal, run_id), journal.deletion.to_clear()) == (set(), [])
        assert str(steps) * 64 in journal.deletion.unused()


async def test_what_is_written_anew_under_the_id_of_a_deleted_run_stays(journal):
    """A merged run's id is the hash of its answers: whoever merges them again has the id again."""
    await filled(journal, "1", "a")
    journal.deletion.take_out(journal.list.records(["1"])[0], None)
    journal.clear("1")
    assert (left(journal, "1"), journal.deletion.to_clear()) == (set(), [])
    await filled(journal, "1", "a")
    before = left(journal, "1")
    journal.deletion.clear("1", None)
    assert left(journal, "1") == before
    assert journal.deletion.take_out(journal.list.records(["1"])[0], None)
    assert (journal.deletion.is_cleared("1"), journal.deletion.is_cleared("2")) == (False, None), "the first time it was"
    assert journal.deletion.clear("1", None)
    journal.deletion.cleared("1", None)
    assert journal.deletion.is_cleared("1")
    with journal._engine.connect() as connection:
        assert len(connection.execute(select(deleted_runs)).all()) == 2
        assert len(connection.execute(select(unused_files)).all()) == 1
