"""What a run gives up is seen among the dead letters, and done after all if somebody wants that while the run goes on."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from evaluator.journal.tables import work
from evaluator.sharing.given_up import reviving
from evaluator.sharing.work import WorkState
from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.runs.places import reaches
from tests.evaluator.sharing.test_shared_runs import DONE, two_at_it
from tests.waiting import until


def give_up_one(evaluator, run_id):
    """Makes an open part of a run one that too many have died of."""
    table = evaluator._sharing._shop.work
    row = table.rows(run_id, WorkState.OPEN)[-1]
    its = (work.c.run_id == run_id) & (work.c.number == row.number)
    with evaluator._journal.engine.begin() as connection:
        connection.execute(update(work).where(its).values(state=int(WorkState.DEAD), reason="they died of it", tries=5))
    return row


async def letters_of(evaluator):
    return await evaluator._sharing._shop.queue.dead_letters()


async def test_what_is_given_up_is_a_dead_letter_and_can_be_done_after_all(crowd, suite_folder):
    first, _, run = await two_at_it(crowd, suite_folder(120))
    crowd.gateway.latency_s = 0.3  # so that the rest is not done meanwhile
    row = give_up_one(first, run.run_id)
    await until(lambda: first._control.active[run.run_id].execution._given_up.told)
    [letter] = await letters_of(first)
    crowd.gateway.latency_s = 0.0
    assert letter.key == f"{run.run_id}/{row.start}/{row.number}"
    assert letter.reason.endswith("they died of it; look into their logs, then resume the run")
    await reviving(first._journal)(letter.body)  # as if the queue had gone away just then
    await first.change_dead_letter(ev.ChangeDeadLetterRequest(key=letter.key, change=ev.DEAD_LETTER_CHANGE_RETRY))
    run = await reaches(first, run.run_id, DONE)
    assert run.counts.answered == 120
    assert await letters_of(first) == []


async def test_a_dead_letter_of_a_run_that_ended_is_not_tried_again(crowd, suite_folder):
    first, _, run = await two_at_it(crowd, suite_folder(120))
    give_up_one(first, run.run_id)
    run = await reaches(first, run.run_id, ev.RUN_STATUS_FAILED)
    assert "they died of it" in run.reason
    [letter] = await letters_of(first)
    retry = ev.ChangeDeadLetterRequest(key=letter.key, change=ev.DEAD_LETTER_CHANGE_RETRY)
    with pytest.raises(UsageError, match=f"`genlevel resume {run.run_id}` asks all that is missing of it; then forget it"):
        await first.change_dead_letter(retry)
    assert await letters_of(first) == [letter]
