"""Tasks of a shared run that are to be scored: each is one worker's at a time, and what an earlier one comes to does not count."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evaluator.sharing.member_table import MemberTable
from evaluator.sharing.score_table import FIRST, MOST_FAILURES, ScoreClaim, ScoreRow, ScoreTable
from evaluator.sharing.work import Shard, WorkState
from evaluator.sharing.work_table import WorkTable

RUN, START = "run", 3
ROW = ScoreRow(RUN, FIRST, START, "t", "vision", WorkState.OPEN)


@pytest.fixture
async def tables(shared):
    """A run with a part to ask and a task to score, which was told of twice."""
    journal = shared.journal
    scores, work = ScoreTable(journal.engine, journal.submit), WorkTable(journal.engine, journal.submit, MemberTable(journal.engine))
    stored = [work.cut(RUN, START, [Shard("t", 0, 5)], None), scores.add([ROW], None), scores.add([ROW], None)]
    journal.flush()
    for one in stored:
        await one
    return scores, work


def taken(scores, holder, *, orphaned=False):
    claim, mine = scores.claim(scores.of(ROW.notice()), holder, orphaned=orphaned)
    assert claim is ScoreClaim.TAKEN
    return mine


def end(scores, mine, state, **changed):
    return scores.end(mine, replace(mine, state=state, **changed))


async def test_what_is_scored_is_no_part_that_is_asked(tables, shared):
    scores, work = tables
    assert scores.rows(RUN) == [ROW]
    assert [row.task for row in work.rows(RUN)] == ["t"]
    assert work.start_of(RUN) == START
    cleared = work.clear(RUN, None, set())
    shared.journal.flush()
    await cleared
    assert (work.start_of(RUN), work.rows(RUN), scores.rows(RUN), work.has_any(RUN)) == (None, [], [ROW], True)
    removed = work.remove(RUN, None)
    shared.journal.flush()
    await removed
    assert not work.has_any(RUN)


async def test_one_worker_has_a_task_at_a_time(tables):
    scores, _ = tables
    mine = taken(scores, "here")
    assert scores.claim(scores.of(ROW.notice()), "there", orphaned=False)[0] is ScoreClaim.BUSY
    assert end(scores, mine, WorkState.DONE)
    assert scores.claim(scores.of(ROW.notice()), "there", orphaned=True)[0] is ScoreClaim.VOID
    assert scores.claim(scores.of(ROW.notice()._replace(start=START + 1)), "there", orphaned=True)[0] is ScoreClaim.VOID


async def test_two_that_see_the_same_do_not_both_get_it(tables):
    scores, _ = tables
    seen = scores.of(ROW.notice())
    assert scores.claim(seen, "here", orphaned=False)[0] is ScoreClaim.TAKEN
    assert scores.claim(seen, "there", orphaned=False)[0] is ScoreClaim.BUSY


async def test_who_was_taken_for_dead_changes_nothing(tables):
    scores, _ = tables
    late = taken(scores, "here")
    mine = taken(scores, "there", orphaned=True)
    assert not end(scores, late, WorkState.OPEN)
    assert not end(scores, late, WorkState.DONE)
    assert (mine.failures, scores.of(ROW.notice()).holder) == (1, "there")
    assert end(scores, mine, WorkState.DONE)
    assert not end(scores, late, WorkState.OPEN)
    assert scores.of(ROW.notice()).state is WorkState.DONE


async def test_what_is_given_back_is_somebody_elses_and_no_failure(tables):
    scores, _ = tables
    mine = taken(scores, "here")
    assert end(scores, mine, WorkState.OPEN, said="no suite", lacking=frozenset(["here", "elsewhere"]))
    other = taken(scores, "there")
    assert (other.failures, other.said, other.lacking) == (0, "no suite", {"here", "elsewhere"})
    assert not end(scores, mine, WorkState.DONE)
    assert end(scores, other, WorkState.DONE)


async def test_what_kills_whoever_has_it_is_given_up(tables):
    scores, _ = tables
    taken(scores, "first")
    for number in range(MOST_FAILURES - 1):
        taken(scores, f"next {number}", orphaned=True)
    claim, row = scores.claim(scores.of(ROW.notice()), "last", orphaned=True)
    assert claim is ScoreClaim.DEAD
    found = scores.of(ROW.notice())
    assert (found.state, found.said) == (WorkState.DEAD, "5 times it could not be scored; last: next 3, which has ended")
    assert row.said == found.said
