"""Runs that ask each instance several times: every answer is one of its own, and none is asked for twice."""

from __future__ import annotations

import asyncio
from statistics import stdev

import pytest

from evaluator.journal.journal import Journal
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.runtime.errors import ErrorClass, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from tests.evaluator.runs.asking import answers, finish, specification, start, watched
from tests.waiting import until

TASK = "nlp/Causal-Reasoning"
WARM = gw.GenerationParameters(temperature=0.7)
ONE = ev.TrafficSettings(concurrency=1)  # so that repeats come in their order


@pytest.fixture
def seeded(scripted):
    scripted.info.takes_seed = True
    return scripted


def seeds_of(gateway):
    """(question, seed) of every request; None: without a seed."""
    return [
        (request.messages[0].parts[-1].text.splitlines()[0], request.parameters.seed if request.parameters.HasField("seed") else None)
        for request in gateway.requests
    ]


async def score_of(scorer, run):
    return (await scorer.get_verdict(sc.GetVerdictRequest(run_id=run.run_id))).tasks[0]


async def test_each_instance_is_asked_with_the_seeds_of_its_repeats(make_evaluator, seeded, suite_folder, tmp_path):
    evaluator, scorer = make_evaluator()
    seeded.script = lambda question, calls: "A" if calls == 1 else "B"
    run = await start(evaluator, suite_folder(4), ONE, repeats=3, parameters=WARM)
    assert (run.status, run.counts.total, run.counts.answered, run.calls) == (ev.RUN_STATUS_FINISHED, 12, 12, 12)
    assert sorted(seeds_of(seeded)) == [(f"Question {number}?", seed) for number in range(4) for seed in range(3)]
    assert {request.parameters.temperature for request in seeded.requests} == {0.7}
    journal = Journal(f"sqlite:///{tmp_path / 'data' / 'genlevel.db'}")
    keys = [AnswerKey(f"q{number}", repeat=repeat) for number in range(4) for repeat in range(3)]
    assert set(journal.answers_to(run.run_id, TASK, keys)) == set(keys)
    assert len({answer.request_hash for answer in journal.answers_to(run.run_id, TASK, keys).values()}) == 12
    journal.close()
    score = await score_of(scorer, run)
    assert (score.counts.total, score.score) == (12, pytest.approx(50.0)), "of q0 and q2 B is right, of q1 and q3 A"
    assert (score.variation.differing, score.variation.deviation) == (1.0, pytest.approx(100 * (1 / 3) ** 0.5))
    assert score.standard_error == pytest.approx(100 * stdev([1 / 3, 2 / 3, 1 / 3, 2 / 3]) / 2), (
        "of the means 1/3, 2/3, 1/3 and 2/3 of four instances"
    )
    shown = await answers(evaluator, run, instance="q1")
    assert sorted((one.repeat, one.raw_answer) for one in shown) == [(0, "A"), (1, "B"), (2, "B")]
    again = await start(evaluator, suite_folder(4), repeats=3, parameters=WARM)
    assert (again.run_id, len(seeded.requests)) == (run.run_id, 12)


async def test_a_route_without_a_seed_is_just_asked_again(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    asked = ev.StartRunRequest(specification=specification(suite_folder(2), repeats=2, parameters=WARM))
    started = await evaluator.start_run(asked)
    run = await watched(evaluator, started.run)
    assert run.counts.answered == 4
    assert {seed for _question, seed in seeds_of(scripted)} == {None}
    assert "m takes no seed: each repeat just asks again" in started.problems


async def test_at_temperature_0_a_plan_says_that_repeats_measure_nothing(make_evaluator, seeded, suite_folder):
    evaluator, _ = make_evaluator()

    async def told(**fields):
        return list((await evaluator.plan_run(ev.PlanRunRequest(specification=specification(suite_folder(2), **fields)))).problems)

    assert "to ask each instance 5 times at temperature 0 mostly measures nothing" in "\n".join(await told(repeats=5))
    assert not await told(repeats=5, parameters=WARM)
    assert not await told(repeats=1)
    with pytest.raises(UsageError, match="--repeats 1001 is too much; take at most 1000"):
        await told(repeats=1001)


async def test_a_run_without_repeats_has_the_id_that_it_always_had_and_no_seed(make_evaluator, seeded, suite_folder):
    evaluator, _ = make_evaluator()
    ids = [(await start(evaluator, suite_folder(2), repeats=repeats)).run_id for repeats in (0, 1, 2, 3)]
    assert len(set(ids)) == 3
    assert ids[0] == ids[1]
    assert {seed for _question, seed in seeds_of(seeded)[:2]} == {None}


async def test_a_plan_counts_all_answers_in_tokens_and_money(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    scripted.info.price.CopyFrom(gw.Price(input="1", output="10"))

    async def planned(repeats):
        (task,) = (await evaluator.plan_run(ev.PlanRunRequest(specification=specification(suite_folder(5), repeats=repeats)))).tasks
        return task

    once, often = await planned(1), await planned(4)
    assert (once.instances, once.answers, often.instances, often.answers) == (5, 5, 5, 20)
    for name in ("estimated_input_tokens", "max_output_tokens", "estimated_nano_usd"):
        assert getattr(often, name) == 4 * getattr(once, name) > 0


async def test_a_run_that_is_stopped_goes_on_with_the_repeats_that_are_left(make_evaluator, seeded, suite_folder):
    evaluator, scorer = make_evaluator()
    seeded.latency_s = 0.05
    request = ev.StartRunRequest(specification=specification(suite_folder(10), repeats=4), traffic=ev.TrafficSettings(concurrency=2))
    run = (await evaluator.start_run(request)).run
    await until(lambda: len(seeded.requests) > 6)
    await evaluator.cancel_run(ev.CancelRunRequest(run_id=run.run_id))
    stopped = await watched(evaluator, run)
    assert 0 < stopped.counts.answered < 40
    assert stopped.counts.pending == 40 - stopped.counts.answered
    score = await score_of(scorer, run)
    assert (score.counts.pending, score.counts.total, score.HasField("score")) == (stopped.counts.pending, 40, False)
    seeded.latency_s = 0.0
    other, _ = make_evaluator()
    done = await finish(other, ev.StartRunRequest(run_id=run.run_id))
    assert (done.status, done.counts.answered, done.plan) == (ev.RUN_STATUS_FINISHED, 40, 1)
    assert len(seeds_of(seeded)) == len(set(seeds_of(seeded))) == 40, "none is asked for twice"
    assert (await score_of(scorer, run)).counts.answered == 40


async def test_of_an_instance_only_the_repeats_that_failed_are_asked_again(make_evaluator, seeded, suite_folder, failing_script):
    evaluator, _ = make_evaluator(attempts=1)
    failing = failing_script(ErrorClass.TRANSIENT)
    seeded.script = lambda question, calls: failing(question, calls) if calls == 2 else "A"
    run = await start(evaluator, suite_folder(6), ONE, repeats=3)
    assert (run.counts.answered, run.counts.failed) == (12, 6)
    failed = {(one.instance_id, one.repeat) for one in await answers(evaluator, run, outcomes=[sc.OUTCOME_FAILED])}
    asked, seeded.script = len(seeded.requests), lambda question, calls: "A"
    again = await finish(evaluator, ev.StartRunRequest(run_id=run.run_id, retry_failed=True))
    assert (again.counts.answered, again.counts.failed, again.plan) == (18, 0, 1)
    assert {(f"Question {name[1:]}?", repeat) for name, repeat in failed} == set(seeds_of(seeded)[asked:])


async def test_a_budget_holds_with_repeats(make_evaluator, seeded, suite_folder):
    evaluator, _ = make_evaluator()
    seeded.info.price.CopyFrom(gw.Price(input="1", output="10"))
    seeded.cost = 100_000
    limit = 3_000_000
    traffic = ev.TrafficSettings(budget_nano_usd=limit, concurrency=8)
    run = await start(evaluator, suite_folder(10), traffic, repeats=10)
    assert run.status == ev.RUN_STATUS_BUDGET
    assert (run.cost_nano_usd, run.counts.answered) == (100_000 * len(seeded.requests), len(seeded.requests))
    assert 0 < run.cost_nano_usd <= limit
    assert run.counts.pending == 100 - run.counts.answered
    more = ev.TrafficSettings(budget_nano_usd=1_000_000_000)
    done = await finish(evaluator, ev.StartRunRequest(run_id=run.run_id, traffic=more))
    assert (done.status, done.cost_nano_usd, len(set(seeds_of(seeded)))) == (ev.RUN_STATUS_FINISHED, 10_000_000, 100)


async def test_what_cannot_be_asked_has_its_outcome_in_every_repeat(make_evaluator, scripted, suite_folder):
    evaluator, scorer = make_evaluator()
    del scripted.info.output_modalities[:]
    run = await start(evaluator, suite_folder(3), repeats=2)
    assert (run.counts.unsupported, run.counts.total, len(scripted.requests)) == (6, 6, 0)
    score = await score_of(scorer, run)
    assert score.note == "the model does not take or make this task's modality"


async def test_people_rate_only_runs_that_ask_once(make_evaluator, scripted, suite_folder):
    evaluator, _ = make_evaluator()
    run = await start(evaluator, suite_folder(2), repeats=2)
    rating = ev.WrittenRating(task=TASK, instance="q0", rater="anna", rating="4")
    with pytest.raises(UsageError, match="people rate runs that ask each instance once"):
        await evaluator.rescore_run(ev.RescoreRunRequest(run_id=run.run_id, ratings=[rating]))


async def test_while_it_goes_on_a_run_with_repeats_tells_how_many_answers_are_left(make_evaluator, seeded, suite_folder):
    evaluator, _ = make_evaluator()
    seeded.latency_s = 0.05
    run = (await evaluator.start_run(ev.StartRunRequest(specification=specification(suite_folder(5), repeats=3)))).run
    seen = []
    async with asyncio.timeout(60):
        async for progress in evaluator.watch_run(ev.WatchRunRequest(run_id=run.run_id)):
            seen.append(progress.run.counts)
    assert {counts.total for counts in seen} == {15}
    assert (seen[-1].answered, seen[-1].pending) == (15, 0)
