"""What members of a run say of themselves is told as one, to whoever leads the run and to those who watch it elsewhere."""

from __future__ import annotations

from collections import Counter

import pytest

from evaluator.journal.usage import Usage
from evaluator.runs.asking import RunState
from evaluator.runs.costs import RunningCost
from evaluator.sharing.counts import Counts, of_state, summed
from evaluator.sharing.together import Together
from evaluator.sharing.watching import progress_elsewhere
from evaluator.sharing.work import Shard
from evaluator.sharing.work_table import WorkTable
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import ErrorClass
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

RUN = "run"
ONE = Counts(calls=7, retries=1, in_flight=3, rate=2.0, waiting={"budget": 1}, provider_wait_s=4.0, pace=1.5, failed={"6": 2})
OTHER = Counts(calls=5, in_flight=4, rate=0.5, waiting={"budget": 2, "slot": 1}, waits_for="the database is away")


async def test_those_who_watch_elsewhere_are_told_what_all_do(shared):
    table = WorkTable(shared.journal.engine, shared.journal.submit, shared.members)
    await table.cut(RUN, 1, [Shard("t", 0, 4)], None)
    for process, counts in (("a", ONE), ("b", OTHER), ("c", Counts(calls=2, in_flight=9))):
        await table.tell_counts(shared.join(process), counts.text(), shared.held[process])
    gone = shared.members.of(RUN, 3)
    shared.members.close(gone)
    run = ev.Run(run_id=RUN, status=ev.RUN_STATUS_RUNNING, calls=100, counts=sc.OutcomeCounts(pending=50))
    told = await progress_elsewhere(shared.journal, run)
    assert (told.in_flight, told.rate, told.provider_wait_s, told.remaining_s) == (7, 2.5, 4.0, 20.0)
    assert dict(told.waiting) == {"budget": 3, "slot": 1}
    assert (told.waits_for, told.pace) == ("the database is away", 1.5)
    view = table.view(RUN, 1)
    assert (view.calls, view.retries) == (14, 1), "also of those that have left"
    together = Together()
    together.view, together.before = view, {1: ONE, 3: Counts()}
    assert (dict(together.failed_calls()), together.limits().limited) == ({ErrorClass.of(6): 0}, 0), "what an earlier leader has told"


async def test_a_run_that_is_over_or_that_one_process_has_is_told_as_it_is(shared):
    for status in (ev.RUN_STATUS_FINISHED, ev.RUN_STATUS_RUNNING):
        run = ev.Run(run_id=RUN, status=status, calls=3)
        assert await progress_elsewhere(shared.journal, run) == ev.WatchRunResponse(run=run)


def state(answered: int, failed: int, nano_usd: int | None, unknown: int | None = 0) -> RunState:
    outcomes = Counter({Outcome.ANSWERED: answered, Outcome.FAILED: failed})
    return RunState(outcomes, Usage(answered, output_tokens=2 * answered), RunningCost(nano_usd, unknown_nano_usd=unknown))


@pytest.mark.parametrize("known", [5, None])
def test_what_was_counted_before_the_journal_was_added_up_counts_once(known):
    then, now = of_state(state(2, 3, known)), of_state(state(6, 1, known and 9))
    read = Counts.of(now.text())
    assert read == now
    total = summed(state(10, 4, 100), [(read, then), (of_state(state(1, 0, None, unknown=None)), Counts())])
    assert (total.outcomes[Outcome.ANSWERED], total.outcomes[Outcome.FAILED]) == (15, 2), "two that failed were asked again"
    assert total.usage == Usage(15, output_tokens=30)
    assert total.cost.nano_usd == (104 if known else 100)
    assert total.cost.unknown_nano_usd is None, "what nobody can tell of one, nobody can of all"


def test_counts_of_another_version_are_read():
    assert Counts.of('{"calls": 3, "newer": 1}') == Counts(calls=3)
    assert Counts.of("") == Counts()
