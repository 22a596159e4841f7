"""Members of shared runs: none that is dead writes or spends any more, and what it has spent at most is known to the nano-dollar."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select, update

from evaluator.journal.members import living_calls
from evaluator.journal.records import Answer, OpenCalls
from evaluator.journal.tables import members, purses
from evaluator.journal.usage import Usage
from evaluator.sharing.allotment import NO_CAP
from evaluator.sharing.excesses import read
from evaluator.sharing.member_table import MemberTable
from evaluator.traffic.budget import Amount
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import StorageError
from genlevel.runtime.room.tables import leases
from genlevel.runtime.storage import writing

RUN = "run"


def row_of(shared, member):
    with shared.journal.engine.connect() as connection:
        mine = (members.c.run_id == member.run_id) & (members.c.number == member.number)
        return connection.execute(select(members).where(mine)).one()


def base_of(shared):
    with shared.journal.engine.connect() as connection:
        return connection.execute(select(purses).where(purses.c.run_id == RUN)).one()


def settled(shared, member):
    row = row_of(shared, member)
    return Amount(row.settled_nano_usd, row.settled_tokens)


def answer(member, instance, cost, *, outcome=Outcome.ANSWERED, tokens=10, task="t", **more):
    usage = Usage(input_tokens=tokens)
    return Answer(RUN, task, instance, outcome, usage=usage, cost_nano_usd=cost, member=member.number, created=1.0, **more)


def write(shared, *writes, under=None):
    """Writes under a member's lease, and waits until it is durable."""

    async def scenario():
        futures = [
            shared.journal.note(work, under) if isinstance(work, OpenCalls) else shared.journal.record(work, under) for work in writes
        ]
        shared.journal.flush()
        await asyncio.gather(*futures)

    asyncio.run(scenario())


def fence(shared, member, table=None):
    with writing(shared.journal.engine).begin() as connection:
        return (table or shared.members).fence(connection, member)


def expire(shared, process):
    """The time of a process's lease is over."""
    with writing(shared.journal.engine).begin() as connection:
        mine = leases.c.name == shared.held[process].name
        connection.execute(update(leases).where(mine).values(until_s=1.0))


def test_members_have_numbers_of_their_own_and_are_found_while_they_live(shared):
    first, second = shared.join("a"), shared.join("b")
    assert [first.number, second.number] == [1, 2]
    assert shared.members.open(RUN) == [first, second]
    shared.members.close(first)
    assert shared.members.open(RUN) == [second]
    assert shared.join("a").number == 3, "whoever comes again is another member"
    expire(shared, "b")
    assert [member.number for member in shared.members.open(RUN)] == [2, 3]
    assert shared.members.of(RUN, 2) == second
    assert shared.members.of(RUN, 4) is None


def test_a_process_that_did_not_hear_that_it_is_a_member_is_one_once(shared):
    unheard = shared.join("a")
    again = shared.members.join(RUN, 1, "a", shared.held["a"])
    assert shared.members.open(RUN) == [again] != [unheard]


def test_who_lives_is_not_fenced_and_who_died_writes_nothing_any_more(shared):
    member = shared.join("a")
    assert not fence(shared, member), "its lease is valid"
    expire(shared, "a")
    assert fence(shared, member)
    assert shared.members.open(RUN) == []
    with pytest.raises(StorageError) as refused:
        write(shared, answer(member, "late", 5), under=shared.held["a"])
    assert refused.value.overtaken
    assert not shared.leases.renew(shared.held["a"], ttl_s=1000.0)
    assert settled(shared, member) == (0, 0), "what was refused is not counted"
    assert fence(shared, member), "again changes nothing"
    assert shared.join("a").number > member.number, "its process may come again"


def test_a_lease_that_has_expired_is_given_a_moment_to_be_renewed(shared):
    member, patient = shared.join("a"), MemberTable(shared.journal.engine, moment_s=1000.0)
    expire(shared, "a")
    assert not fence(shared, member, patient)
    assert not fence(shared, member, patient), "the moment is not over"
    shared.leases.renew(shared.held["a"], ttl_s=1000.0)
    assert not fence(shared, member), "it has come back"
    shared.leases.release(shared.held["a"])
    assert fence(shared, member, patient), "what was given back is nobody's at once"


def test_the_moment_begins_again_if_the_lease_was_renewed_meanwhile(shared, monkeypatch):
    now = 100.0
    monkeypatch.setattr("evaluator.sharing.member_table.time.monotonic", lambda: now)
    member, table = shared.join("a"), MemberTable(shared.journal.engine, moment_s=6.0)
    expire(shared, "a")
    assert not fence(shared, member, table)
    shared.leases.renew(shared.held["a"], ttl_s=-5.0)  # renewed, and expired again
    now = 107.0
    assert not fence(shared, member, table)
    now = 112.9
    assert not fence(shared, member, table)
    now = 113.0
    assert fence(shared, member, table)


def test_all_may_be_ended_for_one_that_goes_on_alone(shared):
    alive, dead = shared.join("a"), shared.join("b")
    expire(shared, "b")
    assert shared.members.fence_dead(RUN) == [dead]
    assert shared.members.end_all(RUN) == [alive]
    with pytest.raises(StorageError):
        write(shared, answer(alive, "late", 5), under=shared.held["a"])


def test_who_led_an_earlier_start_ends_nobody_of_a_later_one(shared):
    """It hung just before, and another has the run by now."""
    old, new = shared.join("a"), shared.join("b", start=3)
    assert shared.members.end_all(RUN, 2) == [old]
    assert shared.members.open(RUN) == [new]


def test_what_a_dead_member_spent_is_what_it_journalled_and_its_open_calls_as_the_dearest_of_their_task(shared):
    one, other = shared.join("a"), shared.join("b")
    write(
        shared,
        answer(one, "x", 30),
        answer(one, "y", 50, tokens=20),
        answer(one, "z", None, unknown_calls=1, unknown_nano_usd=1000, unknown_tokens=0),
        OpenCalls(RUN, 1, "t", False, 2, 1000, 700, member=one.number),
        OpenCalls(RUN, 2, "unseen", False, 1, 1000, 9, member=one.number),
        OpenCalls(RUN, 3, "t", False, 1, 1000, 700, member=other.number),
        OpenCalls(RUN, 4, "t", True, 1, 1000, 700),
        answer(other, "w", 80, tokens=5),
        under=None,
    )
    shared.members.end_all(RUN)
    dearest_money, dearest_tokens = 80, 20
    assert settled(shared, one) == (30 + 50 + 3 * dearest_money + 1000, 40 + 2 * dearest_tokens + 9)
    assert settled(shared, other) == (80 + dearest_money, 5 + dearest_tokens)


def test_what_nobody_can_bound_counts_as_the_dearest_of_any_task(shared):
    member = shared.join("a")
    write(shared, answer(member, "x", 30), OpenCalls(RUN, 1, "unseen", False, 2, None, None, member=member.number))
    shared.members.end_all(RUN)
    assert settled(shared, member) == (30 + 60, 10 + 20)


def test_an_answer_that_another_asks_again_leaves_its_first_cost_with_whoever_paid_it(shared):
    one, other = shared.join("a"), shared.join("b")
    write(shared, answer(one, "x", 30, outcome=Outcome.FAILED, excess=2.5))
    write(shared, answer(other, "x", 40))
    shared.members.end_all(RUN)
    assert (settled(shared, one), settled(shared, other)) == ((30, 10), (40, 10)), "the row has 70, and is the other's"
    assert read(row_of(shared, one).excess).excesses == ((2.5, 30), (2.5, 10))
    assert row_of(shared, other).excess == ""


def test_an_orderly_end_counts_what_the_journal_does_not_know(shared):
    member, again = shared.join("a"), shared.join("b")
    write(shared, answer(member, "x", 30))
    shared.members.close(member, Amount(20, 60))
    assert settled(shared, member) == (30, 60)
    shared.members.close(member, Amount(10_000, 10_000))
    assert settled(shared, member) == (30, 60), "closed once"
    shared.members.close(again)
    assert settled(shared, again) == (0, 0)


def test_books_are_closed_when_nobody_lives_and_stay_as_they_are_while_somebody_does(shared):
    shared.cap(1000)
    alone = Answer(RUN, "t", "0", Outcome.ANSWERED, usage=Usage(input_tokens=4), cost_nano_usd=100, created=1.0)
    write(shared, alone, OpenCalls(RUN, 1, "t", False, 1, 500, 7), OpenCalls(RUN, 2, "t", True, 1, 60, 1))
    one = shared.join("a")
    assert (base_of(shared).through, base_of(shared).base_nano_usd, base_of(shared).base_tokens) == (0, 260, 9), "judges' calls, too"
    write(shared, answer(one, "x", 30, excess=3.0))
    other = shared.join("b")
    assert base_of(shared).base_nano_usd == 260
    shared.members.close(one)
    shared.members.close(other)
    shared.join("c")
    assert (base_of(shared).through, base_of(shared).base_nano_usd) == (2, 290)
    assert read(base_of(shared).excess).excesses == ((3.0, 100), (3.0, 10))


def test_a_member_begins_with_nothing_of_a_cap_and_says_so_if_there_is_none(shared):
    shared.cap(tokens=1000)
    row = row_of(shared, shared.join("a"))
    assert (row.granted_nano_usd, row.granted_tokens) == (NO_CAP, 0)


def test_an_ending_is_kept_as_long_as_the_member_is_open(shared):
    member = shared.join("a")
    shared.members.set_ending(member, '{"status": 4}')
    shared.members.close(member)
    shared.members.set_ending(member, "{}")
    assert row_of(shared, member).ending == '{"status": 4}'


def tell_counts(shared, member, counts):
    with writing(shared.journal.engine).begin() as connection:
        connection.execute(update(members).where(members.c.number == member.number).values(counts=counts))


def test_calls_are_in_a_runs_record_once_their_member_is_closed_however_it_ends(shared):
    ends, dies, _lives = members = [shared.join(process) for process in "abc"]
    for calls, member in enumerate(members, start=1):
        tell_counts(shared, member, f'{{"calls": {10**calls}, "retries": 1}}')
    expire(shared, "b")
    for _ in range(2):
        shared.members.close(ends)
        assert fence(shared, dies)
    record = shared.journal.run(RUN)
    assert (record.calls, record.retries) == (110, 2)
    assert living_calls(shared.journal.engine, [RUN, "another"]) == {RUN: (1000, 1)}


def test_a_deleted_run_leaves_nothing_of_its_members(shared):
    write(shared, answer(shared.join("a"), "x", 30))
    shared.members.end_all(RUN)
    shared.journal.deletion.take_out(shared.journal.run(RUN), None)
    shared.journal.deletion.clear(RUN, None)
    with shared.journal.engine.connect() as connection:
        assert [connection.execute(select(table)).first() for table in (members, purses, leases)] == [None, None, None]


def test_no_lease_is_left_of_a_member_that_ended_in_order(shared):
    shared.members.close(shared.join("a"))
    with shared.journal.engine.connect() as connection:
        assert connection.execute(select(leases)).first() is None
