"""Which try of its model a run is: decided when it starts, one start at a time, whichever process it is in."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.journal.journal import Journal
from evaluator.journal.plan_numbers import Part, Standing, Tried, number_after
from evaluator.journal.records import Answer, RunRecord
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import evaluator_pb2 as ev


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def url(request, tmp_path):
    return sqlite_url(tmp_path / "j.db") if request.param == "sqlite" else request.getfixturevalue("postgresql")


@pytest.fixture
def journal(url):
    opened = Journal(url)
    yield opened
    opened.close()


def record(run_id, tasks="a", *, model="m", benchmark="b", created=1.0, number=0):
    return RunRecord(
        run_id=run_id, identity=run_id, generation=0, specification="{}", suite="s", benchmark=benchmark, partial=False, plan="[]", total=1,
        priced=True, status=ev.RUN_STATUS_INTERRUPTED, reason="not begun", prompt_version="1", traffic="{}", calls=0, retries=0,
        created=created, updated=created, model=model, covers=json.dumps(list(tasks)), plan_number=number,
    )  # fmt: skip


def started(journal, run_id):
    return journal.start_run(run_id, traffic="{}", wish={}, seen=0)


def begun(journal, run_id, tasks="a", **fields):
    """The number of a new run that has started."""
    journal.create_run(record(run_id, tasks, **fields))
    return started(journal, run_id)


def ended(journal, run_id):
    journal.update_run(run_id, status=ev.RUN_STATUS_FAILED, reason="why")


async def answered(journal, run_id, outcome=Outcome.ANSWERED):
    await journal.record(Answer(run_id, "t", "i", outcome))


def test_each_plan_that_shares_a_task_is_a_further_try(journal):
    assert [begun(journal, "1", "ab"), begun(journal, "2", "bc"), begun(journal, "3", "d"), begun(journal, "4", "cd")] == [1, 2, 1, 3]
    assert begun(journal, "5", "a") == 2, "the largest number of a plan that shares a task, not the number of all plans"
    assert journal.run("4").plan_number == 3


def test_other_models_and_benchmarks_have_tries_of_their_own(journal):
    assert begun(journal, "1") == begun(journal, "2", model="n") == begun(journal, "3", benchmark="c") == 1
    assert begun(journal, "4") == 2


async def test_what_ended_without_an_answer_does_not_count(journal):
    assert begun(journal, "1") == 1
    await answered(journal, "1", Outcome.FAILED)
    assert begun(journal, "2") == 2, "the first one goes on, and may have an answer yet"
    ended(journal, "1"), ended(journal, "2")
    assert begun(journal, "3") == 1
    await answered(journal, "3", Outcome.REFUSED)
    ended(journal, "3")
    assert begun(journal, "4") == 2, "a refusal is an answer"


async def test_a_run_that_goes_on_keeps_its_number_only_if_it_has_an_answer(journal):
    """Else one could start many, stop each before its first answer, and let all of them go on as first tries."""
    assert begun(journal, "1") == 1
    ended(journal, "1")
    assert begun(journal, "2") == 1
    await answered(journal, "2")
    ended(journal, "2")
    assert (journal.expected_number("1"), started(journal, "1"), started(journal, "2")) == (2, 2, 1)
    assert started(journal, "1") == 2, "its process was killed before an answer came: it does not count for itself"


async def test_older_runs_count_in_the_order_in_which_they_were_made(journal):
    for run_id, tasks, created in (("late", "a", 2.0), ("early", "ab", 1.0), ("other", "c", 1.5), ("vain", "a", 3.0)):
        journal.create_run(record(run_id, tasks, created=created))
    for run_id in ("late", "early", "other"):
        await answered(journal, run_id)
    assert [journal.new_number("m", "b", tasks) for tasks in ("a", "b", "c", "d")] == [3, 2, 2, 1]
    assert begun(journal, "new", "a", created=4.0) == 3
    assert started(journal, "early") == 0, "what it was is not told"


def test_what_is_expected_is_what_a_start_gets_and_stores_nothing(journal):
    begun(journal, "1")
    journal.create_run(record("2"))
    assert (journal.new_number("m", "b", ["a"]), journal.expected_number("2"), journal.run("2").plan_number) == (2, 2, 0)
    assert (started(journal, "2"), journal.expected_number("nothing")) == (2, 0)


def test_a_start_that_is_overtaken_by_a_wish_has_no_number(journal):
    journal.create_run(record("1"))
    journal.wishes.store("1")
    assert started(journal, "1") is None
    assert (journal.run("1").plan_number, journal.run("1").status) == (0, ev.RUN_STATUS_INTERRUPTED)


def test_of_runs_that_start_at_once_each_has_a_number_of_its_own(url):
    journals = [Journal(url) for _ in range(6)]
    for number, journal in enumerate(journals):
        journal.create_run(record(f"r{number}"))
    with ThreadPoolExecutor(len(journals)) as pool:
        numbers = list(pool.map(started, journals, (f"r{number}" for number in range(len(journals)))))
    for journal in journals:
        journal.close()
    assert sorted(numbers) == list(range(1, len(journals) + 1))


def test_who_is_killed_while_it_starts_leaves_no_number_and_nobody_waiting(url, journal):
    """It dies once its number is decided, before that is stored: the next start has it."""
    journal.create_run(record("killed"))
    program = """
import os, signal, sys
from sqlalchemy import Engine, event
from evaluator.journal.journal import Journal

@event.listens_for(Engine, "before_cursor_execute")
def kill(connection, cursor, statement, *_):
    if statement.startswith("UPDATE evaluator_runs"):
        os.kill(os.getpid(), signal.SIGKILL)

Journal(sys.argv[1]).start_run("killed", traffic="{}", wish={}, seen=0)
"""
    done = subprocess.run([sys.executable, "-c", program, url], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (journal.run("killed").plan_number, begun(journal, "next"), started(journal, "killed")) == (0, 1, 2)


def merges(journal, run_id, *parts, facts="", number=0, covers=()):
    """What each part of a merged run is here. number, facts, covers: as the merged run is stored."""
    found = []

    def merged(standings):
        found.extend(standings)
        return replace(record(run_id, covers, number=number), facts=facts)

    journal.create_merged("m", "b", parts, merged)
    return found


async def test_a_part_is_known_by_its_answers_and_not_by_its_id(journal):
    ours, theirs = Answer("1", "a", "i", Outcome.ANSWERED, created=1.5), Answer("1", "a", "i", Outcome.ANSWERED, created=1.25)
    begun(journal, "1")
    await journal.record(ours)
    assert merges(journal, "m1", Part("1", ("a",), ours)) == [Standing(0, counts=False)], "this storage's own run"
    assert merges(journal, "m2", Part("1", ("a",), theirs), number=2, covers=["a"]) == [Standing(2, counts=True)], "another machine's"
    await journal.record(theirs._replace(run_id="m2"))
    assert merges(journal, "m3", Part("1", ("a",), theirs)) == [Standing(2, counts=False)], "the same again"
    assert merges(journal, "m4", Part("2", ("a",), theirs._replace(response_id="r"))) == [Standing(3, counts=True)]
    assert merges(journal, "m5", Part("2", ("a",), None), Part("3", ("b",), ours._replace(task="b"))) == [
        Standing(0, counts=False),
        Standing(1, counts=True),
    ]


async def test_answers_of_a_tick_that_come_as_another_runs_are_a_try_after_all(journal):
    """Else who asks as a monitor, and takes the occasion out of the bundle, would have had one try whatever was tried."""
    said = Answer("tick", "a", "i", Outcome.ANSWERED, created=1.5)
    begun(journal, "1")
    await journal.record(said._replace(run_id="1", created=1.25))
    journal.create_run(replace(record("tick"), occasion="hourly#1"))
    assert started(journal, "tick") == 0
    await journal.record(said)
    assert merges(journal, "m1", Part("tick", ("a",), said)) == [Standing(2, counts=True)]


async def test_a_part_that_was_merged_before_is_the_try_that_its_own_tasks_were_there(journal):
    theirs = Answer("m1", "a", "i", Outcome.REFUSED, created=1.25)
    merges(journal, "m1", facts='{"taskPlans": {"a": 2, "b": 5}}', number=5, covers=["a"])
    await journal.record(theirs)
    assert merges(journal, "m2", Part("1", ("a",), theirs)) == [Standing(2, counts=False)]


plans = st.lists(st.frozensets(st.sampled_from("abcd"), min_size=1), max_size=8)


@given(plans)
def test_no_two_plans_that_share_a_task_have_one_number(asked):
    tried: list[Tried] = []
    for tasks in asked:
        tried.append(Tried(tasks, number_after(tasks, tried)))
    for task in "abcd":
        numbers = [plan.number for plan in tried if task in plan.tasks]
        assert all(earlier < later for earlier, later in pairwise(numbers))
    untold = [Tried(plan.tasks, 0) for plan in tried]
    assert number_after("abcd", untold) == number_after("abcd", tried), "older plans have the numbers that they would have got"
