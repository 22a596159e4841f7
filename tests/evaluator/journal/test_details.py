"""What the answers of a run are, task by task and failure by failure."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluator.journal.details import MOST_EXAMPLES, Details
from evaluator.journal.journal import Journal
from evaluator.journal.records import Answer, Costs, RunRecord, Totals
from evaluator.journal.sums import NO_JUDGING, Sums
from evaluator.journal.usage import NO_USAGE
from evaluator.runs.details_message import details_message
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import ErrorClass
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

NUMBERS = itertools.count()
KINDS = [(Outcome.ANSWERED, ErrorClass.UNSPECIFIED)] + [
    (outcome, error) for outcome in (Outcome.FAILED, Outcome.REFUSED) for error in (ErrorClass.TIMEOUT, ErrorClass.CONTENT_REFUSED)
]
told = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3), st.integers(0, 1), st.sampled_from(KINDS)), max_size=40)


def answer(run, task, instance, repeat, kind):
    outcome, error = kind
    at = 1000.0 + instance + 10 * repeat
    return Answer(run, task, f"i{instance}", outcome, repeat=repeat, error_class=error, error=f"{task}{instance}{repeat}", created=at)


def record(run, plan):
    empty = dict.fromkeys(("identity", "suite", "benchmark", "reason", "prompt_version"), "")
    numbers = dict.fromkeys(("generation", "calls", "retries", "created", "updated"), 0)
    return RunRecord(run, **empty, **numbers, specification="{}", partial=False, plan=plan, total=9, priced=True, status=1, traffic="{}")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def journal(request, tmp_path):
    opened = Journal(f"sqlite:///{tmp_path}/j.db" if request.param == "sqlite" else request.getfixturevalue("postgresql"))
    yield opened
    opened.close()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told)
def test_they_are_what_counting_every_answer_comes_to(journal, told):
    run = f"r{next(NUMBERS)}"
    kept = {(task, instance, repeat): kind for task, instance, repeat, kind in told}

    async def write():
        for place, kind in kept.items():
            await journal.record(answer(run, *place, kind))

    asyncio.run(write())
    found = journal.details.of(run)
    assert Details.of(found.text()) == found
    for task in "abcdef":
        outcomes = [outcome for place, (outcome, _) in kept.items() if place[0] == task]
        assert found.tasks.get(task, {}) == {outcome: outcomes.count(outcome) for outcome in set(outcomes)}
    failed = [kind for kind in kept.values() if kind[0] is not Outcome.ANSWERED]
    assert {(kind.outcome, kind.error_class): count for kind, count, _ in found.failures} == {
        (outcome, error.value): failed.count((outcome, error)) for outcome, error in failed
    }
    assert [count for _, count, _ in found.failures] == sorted((count for _, count, _ in found.failures), reverse=True)
    for kind, _, examples in found.failures:
        tasks = {place[0] for place, (outcome, error) in kept.items() if (outcome, error.value) == (kind.outcome, kind.error_class)}
        assert len({example.task for example in examples}) == len(examples) == min(MOST_EXAMPLES, len(tasks))
        for example in examples:
            outcome, error = kept[example.task, int(example.key.instance[1:]), example.key.repeat]
            assert (outcome, error.value) == (kind.outcome, kind.error_class)
            assert example.error == f"{example.task}{example.key.instance[1:]}{example.key.repeat}"
    assert found.last == max((1000.0 + place[1] + 10 * place[2] for place in kept), default=0.0)


async def test_a_task_without_an_answer_is_told_of_in_its_place(journal):
    await journal.record(answer("told", "z", 1, 0, (Outcome.FAILED, ErrorClass.TIMEOUT)))
    await journal.record(answer("told", "a", 1, 0, (Outcome.ANSWERED, ErrorClass.UNSPECIFIED)))
    message = details_message(record("told", '[["z", 5], ["m", 2], ["a", 1]]'), journal.details.of("told"))
    counts = [(one.task, one.counts.total, one.counts.answered, one.counts.failed, one.counts.pending) for one in message.tasks]
    assert counts == [("z", 5, 0, 1, 4), ("m", 2, 0, 0, 2), ("a", 1, 1, 0, 0)]
    (group,) = message.failures
    assert (group.outcome, group.error_class, group.answers) == (sc.OUTCOME_FAILED, gw.ERROR_CLASS_TIMEOUT, 1)
    assert group.examples[0] == ev.FailureExample(task="z", instance_id="i1", error="z10")


async def test_sums_that_were_kept_without_details_are_added_up_once_more(journal):
    ended = replace(record("ended", "[]"), status=ev.RUN_STATUS_FINISHED)
    sums = Sums(Totals({}, NO_USAGE, Costs()), NO_JUDGING)
    await journal.sums.keep(ended, sums)
    assert journal.sums.of([ended]) == {}
    sums = replace(sums, details=Details({}, [], 0.0).text())
    await journal.sums.keep(ended, sums)
    assert journal.sums.of([ended])["ended"].details == sums.details
