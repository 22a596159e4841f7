"""Tasks of shared runs are scored by workers that can do what they need; if one dies or cannot, another does, or it is said."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from evaluator.sharing import scorers, scoring
from evaluator.sharing.score_table import FIRST, MOST_FAILURES, ScoreRow
from evaluator.sharing.watching import progress_elsewhere
from evaluator.sharing.work import WorkState
from evaluator.workers.abilities import Abilities
from genlevel.benchmark.metrics import Need
from genlevel.runtime.errors import DatasetError, QueueError, Unavailable
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from tests.evaluator.runs.places import reaches
from tests.evaluator.sharing.crowd import BOTH
from tests.evaluator.sharing.test_shared_runs import request_of, wish
from tests.waiting import until

DONE, FAILED = ev.RUN_STATUS_FINISHED, ev.RUN_STATUS_FAILED


def watched(evaluator):
    """Tasks that its scorer was asked to score."""
    scorer, tasks = evaluator._context.scorer, []
    score = scorer.score_task

    async def score_task(requests):
        tasks.append(1)
        return await score(requests)

    scorer.score_task = score_task
    return tasks


async def score_of(crowd, run_id):
    verdict = await crowd.made[0][1].get_verdict(sc.GetVerdictRequest(run_id=run_id))
    return [task.score for task in verdict.tasks]


@pytest.fixture
def needs_vision(monkeypatch):
    monkeypatch.setattr(scoring, "need_of", lambda metric: Need.VISION)


@BOTH
async def test_a_task_goes_to_who_can_do_what_it_needs(crowd, suite_folder, needs_vision):
    leader, able = crowd.start(), crowd.start(asks=False)
    able.workers._found = Abilities(("vision",))
    leads, scores = watched(leader), watched(able)
    run = (await leader.start_run(request_of(suite_folder(20)))).run
    run = await reaches(leader, run.run_id, DONE)
    assert (len(leads), len(scores)) == (0, 1)
    assert run.reason == ""
    assert await score_of(crowd, run.run_id) == [50.0]
    assert not leader._sharing._shop.work.has_any(run.run_id)


async def test_what_nobody_can_do_is_said_and_left_to_the_leaders_scorer(crowd, suite_folder, needs_vision, monkeypatch):
    monkeypatch.setattr(scoring, "NOBODY_S", 0.3)
    leader = crowd.start()
    run = (await leader.start_run(request_of(suite_folder(8)))).run
    run = await reaches(leader, run.run_id, DONE)
    assert "needs vision: no worker declares it; start one with worker.scores: [vision]" in run.reason
    assert not await leader.workers.queue.topics()
    assert await score_of(crowd, run.run_id) == [50.0]  # as this one needs no network in truth


@BOTH
async def test_a_worker_that_stops_gives_a_task_back(crowd, suite_folder, needs_vision):
    leader, slow = crowd.start(), crowd.start(asks=False)
    slow.workers._found = Abilities(("vision",))
    begun = asyncio.Event()

    async def for_ever(requests):
        begun.set()
        await asyncio.Event().wait()

    slow._context.scorer.score_task = for_ever
    run = (await leader.start_run(request_of(suite_folder(8)))).run
    await asyncio.wait_for(begun.wait(), 60)
    leader.workers.who_can = somebody
    await until_async(lambda: tells(leader, run.run_id, "task nlp/Causal-Reasoning to be scored (1 being scored now)"))
    assert slow._sharing.scoring
    await crowd.stop(slow)
    able = crowd.start(asks=False)
    able.workers._found = Abilities(("vision",))
    scores = watched(able)
    await reaches(leader, run.run_id, DONE)
    assert len(scores) == 1


async def test_a_message_that_is_refused_or_lost_is_told_again(crowd, suite_folder, needs_vision):
    leader = crowd.start()
    queue = leader.workers.queue
    publish = queue.publish

    async def refuse(topic, body, *, key):
        if topic.startswith("score."):
            raise QueueError("the queue at nats://queue has no room")
        return await publish(topic, body, key=key)

    leader.workers.who_can = somebody
    queue.publish = refuse
    run = (await leader.start_run(request_of(suite_folder(8)))).run
    await until(lambda: leader._control.active[run.run_id].progress().waits_for == "the queue: nats://queue has no room")
    queue.publish = publish
    await until_async(lambda: _waiting(queue))
    await queue.drop("score.vision")
    others = ScoreRow("other run", FIRST, 1, "t", "vision", WorkState.OPEN)
    await leader._sharing._room.table.add([others], None)
    await queue.publish("score.vision", others.notice().body(), key="a message that is not lost")
    await until_async(lambda: _waiting(queue, 2))
    leader.workers._found = Abilities(("vision",))
    await reaches(leader, run.run_id, DONE)


async def somebody(need):
    return frozenset(["another worker"])


async def nobody(need):
    return frozenset()


async def _waiting(queue, least=1):
    return (await queue.depth("score.vision")).waiting >= least


async def until_async(look):
    """Waits until a queue says so."""
    async with asyncio.timeout(60):
        while not await look():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def failing(evaluator, *errors):
    """Has its scorer fail so often, and score then."""
    score, left = evaluator._context.scorer.score_task, list(errors)

    async def score_task(requests):
        if left:
            raise left.pop()
        return await score(requests)

    evaluator._context.scorer.score_task = score_task


async def test_a_scorer_that_is_away_for_long_ends_nothing(crowd, suite_folder):
    leader = crowd.start()
    failing(leader, *[Unavailable("away")] * (MOST_FAILURES + 2))
    run = (await leader.start_run(request_of(suite_folder(4)))).run
    await reaches(leader, run.run_id, DONE)
    assert await score_of(crowd, run.run_id) == [50.0]


async def test_a_task_waits_for_a_scorer_that_is_away_and_others_may_have_it(crowd, suite_folder):
    leader = crowd.start()
    scorer, tried, away = leader._context.scorer, watched(leader), ["the scorer is away"]

    async def problem():
        return "".join(away)

    scorer.problem = problem
    run = (await leader.start_run(request_of(suite_folder(4)))).run
    await until_async(lambda: tells(leader, run.run_id, "task nlp/Causal-Reasoning to be scored: the scorer is away"))
    assert tried == []
    away.clear()
    await reaches(leader, run.run_id, DONE)
    assert await score_of(crowd, run.run_id) == [50.0]


@pytest.mark.parametrize("alive", [True, False])
async def test_who_was_not_heard_of_and_scores_on_keeps_its_task(crowd, suite_folder, needs_vision, alive):
    """A queue that is away for long delivers a message again."""
    leader = crowd.start()
    leader.workers.who_can = somebody

    async def is_scoring(*_):
        return alive

    leader.workers.is_scoring = is_scoring
    scores = watched(leader)
    run = (await leader.start_run(request_of(suite_folder(8)))).run
    table, queue = leader._sharing._room.table, leader.workers.queue
    await until_async(lambda: _waiting(queue))
    _, theirs = table.claim(*table.rows(run.run_id), "slow worker", orphaned=False)
    [delivery] = await queue.pull("score.vision", most=1, wait_s=1.0)
    delivery.tries = 2
    await leader._sharing._scorers._follow(delivery)
    assert len(scores) == (0 if alive else 1)
    assert table.end(theirs, replace(theirs, state=WorkState.DONE)) is alive
    await delivery.done()
    await reaches(leader, run.run_id, DONE)


async def test_what_a_worker_died_of_that_was_the_last_is_left_to_the_leaders_scorer(crowd, suite_folder, needs_vision, monkeypatch):
    monkeypatch.setattr(scoring, "NOBODY_S", 0.3)
    leader = crowd.start()
    leader.workers.who_can = somebody
    run = (await leader.start_run(request_of(suite_folder(8)))).run
    table = leader._sharing._room.table
    await until(lambda: table.rows(run.run_id))
    table.claim(*table.rows(run.run_id), "killed worker", orphaned=False)
    leader.workers.who_can = nobody
    run = await reaches(leader, run.run_id, DONE)
    assert "needs vision: no worker declares it" in run.reason
    assert await score_of(crowd, run.run_id) == [50.0]


@pytest.mark.parametrize("error", [DatasetError("its labels are gone"), Unavailable("the scorer did not answer in time")])
async def test_what_cannot_be_scored_is_given_up_and_ends_the_run(crowd, suite_folder, error, monkeypatch):
    if isinstance(error, Unavailable):
        monkeypatch.setattr(scorers, "LONG_S", 0.0)
    leader = crowd.start()
    failing(leader, *[error] * MOST_FAILURES)
    run = (await leader.start_run(request_of(suite_folder(4)))).run
    run = await reaches(leader, run.run_id, FAILED)
    assert run.reason == f"task nlp/Causal-Reasoning could not be scored: {error}"
    queue = leader.workers.queue
    await until_async(queue.count_dead)
    assert [one.reason for one in await queue.dead_letters()] == [str(error)]


async def test_a_task_that_was_begun_since_the_leader_last_looked_is_scored_as_the_run_is_stopped(crowd, suite_folder):
    leader = crowd.start(asks=False)
    run = (await leader.start_run(request_of(suite_folder(60)))).run
    await until(lambda: run.run_id in leader._control.active and leader._control.active[run.run_id].execution.view.parts())

    async def sees_nothing_new():
        pass

    leader._control.active[run.run_id].execution._look = sees_nothing_new
    crowd.gateway.latency_s = 0.02
    asking = crowd.start()
    await until(lambda: crowd.gateway.calls.total() >= 12)
    await asking.update_run(wish(run, ev.RUN_WANTED_STOPPED))
    run = await reaches(asking, run.run_id, ev.RUN_STATUS_INTERRUPTED)
    assert 0 < run.counts.answered < 60
    verdict = await crowd.made[0][1].get_verdict(sc.GetVerdictRequest(run_id=run.run_id))
    assert [task.counts.answered for task in verdict.tasks] == [run.counts.answered]


async def lacks(record, start):
    raise DatasetError("no suite of this name here")


async def test_an_evaluator_without_the_suite_costs_a_task_no_try(crowd, suite_folder, needs_vision):
    leader, lacking = crowd.start(), crowd.start(asks=False)
    lacking.workers._found = Abilities(("vision",))
    lacking.workers.who_can = leader.workers.who_can = somebody
    tried = []

    async def plan(record, start):
        tried.append(record.run_id)
        await lacks(record, start)

    change_room(lacking, plan=plan)
    run = (await leader.start_run(request_of(suite_folder(8)))).run
    await until(lambda: len(tried) > MOST_FAILURES)
    await until_async(lambda: tells(leader, run.run_id, "task nlp/Causal-Reasoning to be scored: no suite of this name here"))
    leader.workers._found = Abilities(("vision",))
    run = await reaches(leader, run.run_id, DONE)
    assert await score_of(crowd, run.run_id) == [50.0]


async def tells(evaluator, run_id, told):
    """Whether those who watch a run are told that it waits for this, be it led here or elsewhere."""
    progress = evaluator._control.active[run_id].progress()
    elsewhere = await progress_elsewhere(evaluator._journal, ev.Run(run_id=run_id, status=ev.RUN_STATUS_RUNNING))
    return progress.waits_for == elsewhere.waits_for == told


async def test_what_no_evaluator_has_is_given_up(crowd, suite_folder, needs_vision):
    """Two that can do what is needed, and have no such suite."""

    async def both(need):
        return frozenset(["one", "two"])

    for name in ("one", "two"):
        evaluator = crowd.start(asks=name == "one")
        evaluator.workers._found, evaluator.workers.who_can = Abilities(("vision",)), both
        change_room(evaluator, plan=lacks, process=name)
    leader = crowd.made[0][0]
    run = (await leader.start_run(request_of(suite_folder(8)))).run
    run = await reaches(leader, run.run_id, FAILED)
    assert run.reason == "task nlp/Causal-Reasoning could not be scored: no suite of this name here"


def change_room(evaluator, **changed):
    """Has its part in scoring work with something else."""
    scorers = evaluator._sharing._scorers
    scorers._room = replace(scorers._room, **changed)


async def test_a_leader_that_dies_leaves_the_scoring_to_the_next(crowd, suite_folder, needs_vision):
    first = crowd.start()
    first.workers.who_can = somebody
    run = (await first.start_run(request_of(suite_folder(8)))).run
    table = first._sharing._room.table
    await until(lambda: table.rows(run.run_id))
    await crowd.stop(first)
    second = crowd.start()
    second.workers._found = Abilities(("vision", "any"))
    await reaches(second, run.run_id, DONE)
    assert await score_of(crowd, run.run_id) == [50.0]
