"""What ended runs add up to is kept, and is always what adding them up now would say."""

from __future__ import annotations

import asyncio

from hypothesis import example, given, settings
from hypothesis import strategies as st

from evaluator.journal.journal import Journal
from evaluator.journal.records import Answer, Costs, Judgement, OpenCalls, RunJudge
from evaluator.journal.sums import NO_JUDGING, Sums
from evaluator.journal.usage import NO_USAGE
from evaluator.runs.records import RunRecords
from genlevel.benchmark.outcomes import Outcome
from genlevel.cli.replayed import Ended
from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.journal.test_plan_numbers import begun, ended, started


def added_up(journal):
    """The run's sums as they are without anything that is kept."""
    judge = journal.judgements.judge_of("1")
    judging = NO_JUDGING if judge is None else journal.judgements.totals("1")
    return Sums(journal.totals("1"), judging, *journal.sent("1"), journal.details.of("1").text())


async def goes_on(journal, outcome, cost):
    """Asks the one question, again if it failed, and ends."""
    number = journal.last_note("1") + 1
    started(journal, "1")
    await journal.note(OpenCalls("1", number, "t", judges=False, calls=1, nano_usd=7, tokens=1))
    answer = Answer("1", "t", "i", outcome, cost_nano_usd=cost, attempts=1, provider_model="x" if cost else "", error="why")
    await journal.record(answer, closes=("1", number))
    ended(journal, "1")


async def is_judged(journal, judge):
    """Judges, and ends."""
    journal.judgements.set_judge(RunJudge("1", judge, judge, {"m": ("1", "hash")}))
    started(journal, "1")
    await journal.judgements.record(Judgement("1", "t", "i", judge, "hash", "1", outcome=Outcome.ANSWERED, cost_nano_usd=2))
    ended(journal, "1")


async def is_killed_with_a_call_open(journal):
    started(journal, "1")
    await journal.note(OpenCalls("1", journal.last_note("1") + 1, "t", judges=False, calls=1, nano_usd=5, tokens=1))
    ended(journal, "1")


async def has_a_price(journal):
    """From now on: what came before is not known. The start that finds the price may come to nothing."""
    journal.set_priced("1")


async def has_a_priced_judge(journal):
    journal.judgements.set_priced("1")


async def another_is_to_judge(journal, judge):
    """As before a pass that is then not begun, as the scorer is away."""
    journal.judgements.set_judge(RunJudge("1", judge, judge, {"m": ("1", "hash")}))


steps = st.one_of(
    st.tuples(st.just(goes_on), st.sampled_from([Outcome.ANSWERED, Outcome.FAILED, Outcome.REFUSED]), st.sampled_from([None, 0, 3])),
    st.tuples(st.just(is_judged), st.sampled_from("jk")),
    st.tuples(st.just(is_killed_with_a_call_open)),
    st.tuples(st.just(has_a_price)),
    st.tuples(st.just(has_a_priced_judge)),
    st.tuples(st.just(another_is_to_judge), st.sampled_from("jk")),
)
FAILS = (goes_on, Outcome.FAILED, 0)


@settings(max_examples=40, deadline=None)
@given(st.lists(steps, min_size=1, max_size=6))
@example([FAILS, (has_a_price,)])
@example([FAILS, (goes_on, Outcome.ANSWERED, None)])
@example([(goes_on, Outcome.ANSWERED, 3), (is_judged, "j"), (another_is_to_judge, "k")])
@example([(goes_on, Outcome.ANSWERED, 3), (is_judged, "j"), (has_a_priced_judge,)])
def test_what_is_kept_is_what_adding_up_says(done):
    async def law():
        journal = Journal("sqlite://")
        begun(journal, "1")
        ended(journal, "1")
        records = RunRecords(journal, Ended())
        for step, *arguments in done:
            await step(journal, *arguments)
            for _ in range(2):  # the second time they are kept
                (kept,) = records._kept_of(["1"])
                assert Sums.of(kept.sums.text()) == kept.sums
                assert kept.sums == added_up(journal)
                await records.message(kept.record)
                await journal.written()
            assert not kept.is_news
        journal.close()

    asyncio.run(law())


async def test_nothing_is_kept_of_a_run_that_goes_on():
    journal = Journal("sqlite://")
    begun(journal, "1")
    (record,) = journal.list.records(["1"])
    assert record.status == ev.RUN_STATUS_RUNNING
    await journal.sums.keep(record, Sums(journal.totals("1"), NO_JUDGING, details=journal.details.of("1").text()))
    assert journal.sums.of([record]) == {}
    ended(journal, "1")
    assert journal.sums.of(journal.list.records(["1"])) == {}
    assert (NO_JUDGING.usage, NO_JUDGING.cost) == (NO_USAGE, Costs())
    journal.close()
