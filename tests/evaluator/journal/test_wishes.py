"""What is wanted of a run, as stored and as the contract says it."""

from __future__ import annotations

import time

import pytest

from evaluator.journal.journal import Journal
from evaluator.journal.records import Answer, Judgement, RunRecord
from evaluator.journal.wish_table import continued_by_itself, newly_started, run_ended
from evaluator.journal.wishes import Wanted, Wish
from genlevel.benchmark.outcomes import Outcome
from genlevel.v1 import evaluator_pb2 as ev


def test_the_wishes_are_those_of_the_contract():
    names = {value.name.removeprefix("RUN_WANTED_"): value.number for value in ev.RunWanted.DESCRIPTOR.values}
    names["NOTHING"] = names.pop("UNSPECIFIED")
    assert {wanted.name: wanted.value for wanted in Wanted} == names


def test_a_wish_of_a_newer_contract_is_none():
    assert Wanted.of(99) is Wanted.NOTHING


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def journal(request, tmp_path):
    """A journal with one run, on either database."""
    opened = Journal(f"sqlite:///{tmp_path}/j.db" if request.param == "sqlite" else request.getfixturevalue("postgresql"))
    opened.create_run(
        RunRecord(
            run_id="r", identity="r", generation=0, specification="{}", suite="s", benchmark="b", partial=False, plan="[]", total=3,
            priced=False, status=ev.RUN_STATUS_RUNNING, reason="", prompt_version="1", traffic="{}", calls=0, retries=0,
            created=1.0, updated=1.0,
        )
    )  # fmt: skip
    yield opened
    opened.close()


def started(journal, wanted=Wanted.GO_ON, **asked):
    wish = newly_started(wanted, **{"retry_failed": False, "judge_only": False, **asked})
    journal.update_run("r", status=ev.RUN_STATUS_RUNNING, wish=wish)
    return journal.run("r")


def ended(journal, status, wanted, seen):
    journal.update_run("r", status=status, reason="why", wish=run_ended(wanted, seen=seen))
    return journal.run("r")


def test_of_a_run_that_nobody_started_yet_nothing_is_wanted(journal):
    assert journal.wishes.of("r") == Wish(0, Wanted.NOTHING, at_once=False, traffic="{}")
    assert journal.wishes.of("other") is None
    assert journal.wishes.going_on() == []


def test_a_start_is_a_wish_of_its_own(journal):
    journal.wishes.store("r", wanted=Wanted.STOPPED, at_once=True, traffic=lambda _: '{"concurrency": 3}')
    assert journal.wishes.of("r") == Wish(1, Wanted.STOPPED, at_once=True, traffic='{"concurrency": 3}')
    record = started(journal, retry_failed=True, judge_only=True)
    assert (record.wanted, record.wishes, record.at_once) == (Wanted.GO_ON, 2, False)
    assert (record.retry_failed, record.judge_only) == (True, True)
    assert journal.wishes.going_on() == ["r"]
    assert started(journal).retry_failed is False


def test_limits_alone_leave_what_is_wanted(journal):
    started(journal)
    journal.wishes.store("r", traffic=lambda _: '{"concurrency": 3}')
    assert journal.wishes.of("r") == Wish(2, Wanted.GO_ON, at_once=False, traffic='{"concurrency": 3}')


def test_a_wish_that_came_after_the_last_one_seen_survives_the_end(journal):
    seen = started(journal).wishes
    journal.wishes.store("r", wanted=Wanted.GO_ON, traffic=lambda _: '{"budgetNanoUsd": "5"}')
    record = ended(journal, ev.RUN_STATUS_BUDGET, Wanted.CANNOT_SUCCEED, seen)
    assert (record.status, record.wanted) == (ev.RUN_STATUS_BUDGET, Wanted.GO_ON), "a budget that was raised in the last moment"
    assert ended(journal, ev.RUN_STATUS_BUDGET, Wanted.CANNOT_SUCCEED, seen + 1).wanted is Wanted.CANNOT_SUCCEED
    assert journal.wishes.going_on() == []


def test_a_run_that_has_finished_has_whatever_was_wanted_last(journal):
    seen = started(journal).wishes
    journal.wishes.store("r", wanted=Wanted.PAUSED)
    assert ended(journal, ev.RUN_STATUS_FINISHED, Wanted.FINISHED, seen).wanted is Wanted.FINISHED


def test_an_end_of_which_nothing_follows_leaves_what_is_wanted(journal):
    seen = started(journal).wishes
    assert ended(journal, ev.RUN_STATUS_INTERRUPTED, None, seen).wanted is Wanted.GO_ON


async def test_vain_starts_are_counted_until_an_answer_comes_or_it_ends_in_order(journal):
    seen = started(journal).wishes

    def continued():
        got_on = journal.wishes.got_on_since("r", journal.run("r").continued)
        journal.update_run("r", status=ev.RUN_STATUS_RUNNING, wish=continued_by_itself(got_on=got_on))
        return journal.run("r").vain_starts

    assert [continued() for _ in range(3)] == [1, 2, 3]
    assert journal.run("r").continued == pytest.approx(time.time(), abs=60)
    await journal.record(Answer("r", "t", "q", Outcome.ANSWERED, created=time.time() + 1))
    assert continued() == 1
    await journal.record(Answer("r", "t", "q2", Outcome.ANSWERED, created=1.0))
    assert continued() == 1, "the one answer is still newer"
    assert ended(journal, ev.RUN_STATUS_INTERRUPTED, None, seen).vain_starts == 0
    assert continued() >= 1
    assert started(journal).vain_starts == 0


async def test_a_judgement_is_progress_too(journal):
    started(journal)
    assert not journal.wishes.got_on_since("r", 5.0)
    await journal.judgements.record(Judgement("r", "t", "q", judge="j", prompt_hash="p", prompt_version="1", created=6.0))
    assert journal.wishes.got_on_since("r", 5.0)
