"""Who may have which part of a run's work, through deaths and late awakenings."""

from __future__ import annotations

import asyncio

import pytest

from evaluator.journal.records import Answer
from evaluator.sharing.view import Next, next_of
from evaluator.sharing.work import Notice, Shard, WorkState
from evaluator.sharing.work_table import MOST_DEATHS, Claim, WorkTable
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import StorageError
from genlevel.runtime.leases import Lease

RUN = "run"
START = 1


@pytest.fixture
async def work(shared):
    """Three parts of one task, that nobody has."""
    table = WorkTable(shared.journal.engine, shared.journal.submit, shared.members)
    await table.cut(RUN, START, [Shard("t", first, 4) for first in (0, 4, 8)], None)
    return table


def notice(number: int, start: int = START) -> Notice:
    return Notice(RUN, start, number)


def states(table: WorkTable) -> list[tuple[WorkState, int]]:
    return [(row.state, row.member) for row in table.rows(RUN)]


def expire(shared, process: str) -> None:
    """The time of a process's lease is over."""
    shared.leases.renew(shared.held[process], ttl_s=-1.0)


async def test_two_never_have_the_same_part(shared, work):
    one, other = shared.join("a"), shared.join("b")
    assert work.claim(notice(1), one).claim is Claim.TAKEN
    assert work.claim(notice(1), other).claim is Claim.BUSY
    assert work.claim(notice(1), one).claim is Claim.TAKEN, "who did not hear that he has it may ask again"
    assert states(work)[0] == (WorkState.TAKEN, one.number)
    assert work.rows(RUN)[0].tries == 0, "nobody died"


async def test_of_two_that_find_a_dead_member_at_once_one_has_its_part(shared, work, monkeypatch):
    dead, quick, slow = shared.join("a"), shared.join("b"), shared.join("c")
    work.claim(notice(1), dead)
    expire(shared, "a")
    find = shared.members.of
    claims = []

    def found(run_id, number):
        if not claims:  # the slow one has seen the row; now the other one is quicker
            claims.append(None)
            claims[0] = work.claim(notice(1), quick).claim
        return find(run_id, number)

    monkeypatch.setattr(shared.members, "of", found)
    assert work.claim(notice(1), slow).claim is Claim.BUSY
    assert claims == [Claim.TAKEN]
    assert states(work)[0] == (WorkState.TAKEN, quick.number)


async def test_what_is_done_or_of_another_start_is_void(shared, work):
    member = shared.join("a")
    row = work.claim(notice(1), member).row
    await work.end(row, member, WorkState.DONE, shared.held["a"])
    assert work.claim(notice(1), member).claim is Claim.VOID
    assert work.claim(notice(2, start=START - 1), member).claim is Claim.VOID
    assert work.claim(notice(9), member).claim is Claim.VOID
    assert states(work) == [(WorkState.DONE, member.number), (WorkState.OPEN, 0), (WorkState.OPEN, 0)]


async def test_a_part_of_a_dead_member_is_taken_and_what_that_one_still_writes_is_refused(shared, work):
    slept, other = shared.join("a"), shared.join("b")
    row = work.claim(notice(1), slept).row
    expire(shared, "a")
    assert work.claim(notice(1), other).claim is Claim.TAKEN
    assert states(work)[0] == (WorkState.TAKEN, other.number)
    for late in (
        work.end(row, slept, WorkState.DONE, shared.held["a"]),
        shared.journal.record(Answer(RUN, "t", "q", Outcome.ANSWERED), shared.held["a"]),
    ):
        with pytest.raises(StorageError, match="another process's"):
            await late
    assert states(work)[0] == (WorkState.TAKEN, other.number)
    assert not shared.journal.outcome_counts(RUN, "t")
    assert not shared.leases.renew(shared.held["a"], ttl_s=30.0)
    assert work.claim(notice(2), slept).claim is Claim.LOST, "one that was fenced takes nothing"
    assert not work.asked(slept).live


async def test_a_member_of_an_earlier_start_is_over(shared, work):
    member = shared.join("a")
    assert work.asked(member).works
    await work.cut(RUN, START + 1, [Shard("t", 0, 12)], None)
    assert not work.asked(member).works
    assert work.claim(notice(1, start=START + 1), member).claim is Claim.LOST
    await work.cut(RUN, START, [Shard("t", 0, 12)], None)
    assert work.claim(notice(1, start=member.start), member).claim is Claim.TAKEN
    await work.clear(RUN, None, set())
    assert not work.asked(member).works


async def test_who_comes_too_late_changes_nothing_even_without_a_lease(shared, work):
    """The row itself says whose it is."""
    slept, other = shared.join("a"), shared.join("b")
    row = work.claim(notice(1), slept).row
    expire(shared, "a")
    assert work.claim(notice(1), other).claim is Claim.TAKEN
    await work.end(row, slept, WorkState.DONE, None)
    shared.members.close(slept)
    assert states(work)[0] == (WorkState.TAKEN, other.number)


async def test_a_member_may_be_dead_only_if_its_lease_has_expired(shared, work):
    lives, other = shared.join("a"), shared.join("b")
    work.claim(notice(1), lives)
    assert shared.members.fence_dead(RUN) == []
    assert work.free(RUN) == []
    expire(shared, "b")
    assert work.claim(notice(1), other).claim is Claim.BUSY


async def test_what_a_dead_member_had_is_free_again_and_nothing_else(shared, work):
    dead, lives = shared.join("a"), shared.join("b")
    for number, member in ((1, dead), (2, lives)):
        work.claim(notice(number), member)
    expire(shared, "a")
    assert [member.number for member in shared.members.fence_dead(RUN)] == [dead.number]
    assert [row.number for row in work.free(RUN)] == [1]
    assert work.free(RUN) == []
    assert states(work) == [(WorkState.OPEN, dead.number), (WorkState.TAKEN, lives.number), (WorkState.OPEN, 0)]


@pytest.mark.parametrize("by_claim", [True, False])
async def test_a_part_that_its_members_die_of_is_given_up(shared, work, by_claim):
    for death in range(MOST_DEATHS):
        process = f"p{death}"
        member = shared.join(process)
        claimed = work.claim(notice(1), member)
        assert (claimed.claim, work.rows(RUN)[0].tries) == (Claim.TAKEN, death)
        expire(shared, process)
        if not by_claim or death < MOST_DEATHS - 1:
            shared.members.fence_dead(RUN)
            free = work.free(RUN)
            assert bool(free) == (death < MOST_DEATHS - 1)
    if by_claim:
        assert work.claim(notice(1), shared.join("last")).claim is Claim.DEAD
    row = work.rows(RUN)[0]
    assert (row.state, row.reason) == (WorkState.DEAD, "5 processes ended while they had it")
    assert work.claim(notice(1), shared.join("later")).claim is Claim.VOID
    assert work.revive(notice(1))
    assert work.revive(notice(1)), "somebody else let it be done meanwhile"
    claimed = work.claim(notice(1), shared.join("after"))
    assert (claimed.claim, claimed.row.tries, work.rows(RUN)[0].reason) == (Claim.TAKEN, 0, "")
    assert work.revive(notice(1))
    assert work.rows(RUN)[0].state is WorkState.TAKEN, "which changes nothing"
    assert not work.revive(notice(99))


async def test_a_member_that_leaves_gives_back_what_it_has_and_not_what_it_has_done(shared, work):
    member = shared.join("a")
    done = work.claim(notice(1), member).row
    work.claim(notice(2), member)
    await work.end(done, member, WorkState.DONE, shared.held["a"])
    shared.members.close(member)
    assert states(work) == [(WorkState.DONE, member.number), (WorkState.OPEN, member.number), (WorkState.OPEN, 0)]
    assert work.rows(RUN)[1].tries == 0, "nobody died"


async def test_what_follows_for_whoever_leads(shared, work):
    member = shared.join("a")
    lease = shared.held["a"]
    assert next_of(work.view(RUN, START)) is Next.ASK
    rows = [work.claim(notice(number), member).row for number in (1, 2, 3)]
    assert next_of(work.view(RUN, START)) is Next.ASK
    await work.end(rows[0], member, WorkState.LEFT, lease, "[1,2,3]")
    await asyncio.gather(*(work.end(row, member, WorkState.DONE, lease) for row in rows[1:]))
    assert next_of(work.view(RUN, START)) is Next.SHORT
    assert work.view(RUN, START).asked() == frozenset()
    await work.reopen(RUN, None)
    assert (next_of(work.view(RUN, START)), states(work)[0]) == (Next.ASK, (WorkState.OPEN, member.number))
    await work.end(work.claim(notice(1), member).row, member, WorkState.DONE, lease)
    assert (next_of(work.view(RUN, START)), work.view(RUN, START).asked()) == (Next.FINISHED, frozenset({"t"}))
    await work.clear(RUN, None, set())
    assert next_of(work.view(RUN, START)) is Next.GONE


async def test_a_leader_that_was_replaced_cuts_nothing(shared, work):
    old = shared.leases.acquire("run run", "old", ttl_s=-1.0)
    new = shared.leases.acquire("run run", "new", ttl_s=30.0)
    assert isinstance(old, Lease)
    assert isinstance(new, Lease)
    with pytest.raises(StorageError, match="another process's"):
        await work.cut(RUN, old.number, [], old)
    with pytest.raises(StorageError, match="another process's"):
        await work.clear(RUN, old, set())
    assert len(work.rows(RUN)) == 3


async def test_tasks_of_which_somebody_had_a_part_are_told_as_all_is_removed(shared, work):
    """Also of those that gave it back: some of it may be answered."""
    await work.cut(RUN, START, [Shard("back", 0, 4), Shard("taken", 0, 4), Shard("untouched", 0, 4)], None)
    left, stays = shared.join("a"), shared.join("b")
    assert work.claim(notice(1), left).claim is Claim.TAKEN
    assert work.claim(notice(2), stays).claim is Claim.TAKEN
    shared.members.close(left)
    begun: set[str] = set()
    await work.clear(RUN, None, begun)
    assert begun == {"back", "taken"}
