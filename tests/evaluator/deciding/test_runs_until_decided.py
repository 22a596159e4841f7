"""Runs that ask only until something is decided: what they ask, what they decide, and how they are completed."""

from __future__ import annotations

import asyncio
import json
import random

import pytest

from evaluator.runs import deciding
from genlevel.deciding.values import Aim
from genlevel.runtime.errors import CallFailed, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from tests.evaluator.deciding.worlds import (
    CAUSAL,
    COMMON,
    HUMAN,
    NOT_WON,
    SPORTS,
    UNDECIDED,
    VERDICT,
    WINS,
    WON,
    asked_twice,
    cut_after,
    decide,
    jittery,
    request_of,
    settled_of,
    states,
)
from tests.evaluator.runs.asking import finish, specification
from tests.evaluator.runs.places import reaches, seen
from tests.waiting import until


async def test_wins_are_decided_and_the_rest_is_asked_when_the_run_is_completed(make_evaluator, world, scripted):
    world.task(CAUSAL, 300, 0.95)
    world.task(COMMON, 300, 0.5)
    evaluator, _ = make_evaluator()
    run = await decide(evaluator, world)
    assert (run.status, run.reason) == (ev.RUN_STATUS_DECIDED, "")
    assert states(run) == {CAUSAL: WON, COMMON: NOT_WON}
    asked = sum(scripted.calls.values())
    assert run.decision.asked == run.counts.answered == asked < 300
    assert (run.decision.total, run.decision.complete, run.wanted) == (600, True, ev.RUN_WANTED_FINISHED)
    again = await evaluator.start_run(request_of(world))
    assert (again.nothing_left, again.run.status) == (True, ev.RUN_STATUS_DECIDED)
    whole = await finish(evaluator, ev.StartRunRequest(specification=specification(world.root)))
    assert (whole.run_id, whole.status, whole.counts.answered) == (run.run_id, ev.RUN_STATUS_FINISHED, 600)
    assert not asked_twice(scripted.calls)
    assert whole.decision == run.decision


@pytest.fixture
def mixed(world):
    """Tasks of several kinds: alone, with pictures that several questions share, won, lost and close."""
    world.task(CAUSAL, 60, 0.95)
    world.task(COMMON, 60, 0.7)
    world.task(HUMAN, 45, 0.6, kind="classification", picture_each=3)
    world.task(SPORTS, 50, 0.95, kind="classification", picture_each=2)
    return world


async def test_a_seed_that_tells_no_run_apart_gives_no_other_order(place_of, mixed):
    runs = []
    for seed in (0, 5):
        request = request_of(mixed)
        request.specification.seed = seed
        runs.append(await finish(place_of(f"data{seed}").start(going=False), request))
    assert runs[0].run_id == runs[1].run_id
    assert str(settled_of(runs[0].decision)) == str(settled_of(runs[1].decision))


@pytest.mark.parametrize("sought", [WINS, VERDICT])
async def test_what_is_decided_depends_neither_on_latencies_nor_on_how_many_calls_are_in_flight(place_of, mixed, sought):
    found = []
    for concurrency, seed in ((1, 0), (4, 1), (64, 2)):
        place = place_of(f"data{concurrency}")
        jittery(place.gateway, seed)
        run = await decide(place.start(going=False), mixed, sought, concurrency)
        assert run.status in (ev.RUN_STATUS_DECIDED, ev.RUN_STATUS_FINISHED)
        assert not asked_twice(place.gateway.calls)
        found.append(settled_of(run.decision))
    assert str(found[0]) == str(found[1]) == str(found[2])
    assert found[0].complete


@pytest.mark.parametrize("seed", range(2))
async def test_a_run_that_is_interrupted_anywhere_decides_as_one_that_is_not(place_of, mixed, seed):
    whole = (await decide(place_of("whole").start(going=False), mixed)).decision
    place, chance = place_of("cut"), random.Random(seed)
    jittery(place.gateway, seed)
    run_id, starts = "", 0
    for stop_after in (*sorted(chance.sample(range(5, whole.asked), 3)), 10**9):
        evaluator = place.start(going=False)
        run = (await evaluator.start_run(request_of(mixed))).run
        run_id, starts = run.run_id, starts + 1
        await cut_after(place, evaluator, stop_after)
        run = await seen(evaluator, run_id)
        if run.status == ev.RUN_STATUS_DECIDED:
            break
        await place.stop(evaluator)
    assert starts > 1
    scored = (await place.made[-1][1].get_verdict(sc.GetVerdictRequest(run_id=run_id))).tasks
    assert {one.task.key: one.counts.answered for one in scored} == {task.task: task.asked for task in run.decision.tasks}
    assert str(settled_of(run.decision)) == str(settled_of(whole))


@pytest.mark.parametrize("aim", list(Aim))
async def test_no_more_is_asked_beyond_what_decides_than_is_in_flight(place_of, world, monkeypatch, aim):
    times = {Aim.VERDICT: 1, Aim.WINS: 4}[aim]
    monkeypatch.setitem(deciding.FARTHEST, Aim.WINS, deciding.FARTHEST[aim])
    world.task(CAUSAL, 300, 0.95)
    place = place_of("data")
    place.gateway.latency_s = 0.02
    run = await decide(place.start(going=False), world, concurrency=12)
    (task,) = run.decision.tasks
    assert task.state == WON
    assert 0 < task.decided_at <= place.gateway.calls.total() <= task.decided_at + 12 * times
    assert place.gateway.most_at_once <= 12


async def test_answers_that_are_not_weighed_yet_take_up_slots(place_of, world):
    world.task(CAUSAL, 300, 0.95)
    place = place_of("data")
    evaluator = place.start(going=False)
    scorer = place.made[-1][1]

    async def slowly(request, measure=scorer.measure_answers):
        await asyncio.sleep(0.03)
        return await measure(request)

    scorer.measure_answers = slowly
    (task,) = (await decide(evaluator, world, concurrency=8)).decision.tasks
    assert place.gateway.calls.total() <= task.decided_at + 8


async def test_what_waits_for_its_call_is_not_asked_once_its_task_is_decided(place_of, world, monkeypatch):
    """The limit lets 50 calls begin a second: the others have room, and wait for it. A busy machine takes a while to weigh what came."""
    monkeypatch.setitem(deciding.FARTHEST, Aim.WINS, deciding.FARTHEST[Aim.VERDICT])
    world.task(CAUSAL, 300, 1.0)
    place = place_of("data")
    run = await decide(place.start(going=False), world, concurrency=32, requests_per_minute=3000)
    (task,) = run.decision.tasks
    assert place.gateway.calls.total() <= task.decided_at + 16


async def test_a_call_that_fails_once_all_is_decided_is_not_made_again(place_of, world):
    world.task(CAUSAL, 300, 0.95)
    alone, place = place_of("alone"), place_of("data")
    expected = await decide(alone.start(going=False), world, concurrency=1)
    at_once = place.gateway.generate

    async def generate(request, *, timeout_s):
        question = request.messages[0].parts[-1].text.splitlines()[0]
        answer = await at_once(request, timeout_s=timeout_s)
        if question not in alone.gateway.calls:
            await asyncio.sleep(0.4)
            raise CallFailed(gw.ERROR_CLASS_TRANSIENT, "the server had an error")
        return answer

    place.gateway.generate = generate
    run = await decide(place.start(going=False), world, concurrency=8)
    assert str(settled_of(run.decision)) == str(settled_of(expected.decision))
    assert place.gateway.calls.keys() > alone.gateway.calls.keys()
    assert not asked_twice(place.gateway.calls)


async def test_failed_answers_decide_nothing_until_they_are_asked_again(place_of, world, failing_script):
    world.task(CAUSAL, 60, 1.0)
    place, fails = place_of("data"), failing_script(gw.ERROR_CLASS_CALLER_FAULT)
    lost = sorted(world.labels)[::3]
    place.gateway.script = lambda question, calls: fails(question, calls) if question in lost else world.say(question)
    evaluator = place.start(going=False)
    run = await decide(evaluator, world, concurrency=4)
    assert (run.status, run.counts.failed, run.decision.complete, states(run)) == (ev.RUN_STATUS_FINISHED, 20, False, {CAUSAL: UNDECIDED})
    place.gateway.script = world.script
    # The limit lets 20 calls begin a second: what waits once it is decided stays failed.
    again = await finish(evaluator, request_of(world, concurrency=32, retry_failed=True, requests_per_minute=1200))
    assert (again.status, again.decision.complete, states(again)) == (ev.RUN_STATUS_FINISHED, True, {CAUSAL: WON})
    assert 0 < again.counts.failed == sum(place.gateway.calls[question] == 1 for question in lost)
    assert {place.gateway.calls[question] for question in world.labels if question not in lost} == {1}


async def test_an_undecided_end_says_so_and_how_it_goes_on(place_of, world, failing_script):
    world.task(CAUSAL, 60, 1.0)
    lost = sorted(world.labels)[::3]
    world.task(COMMON, 200, 0.3)
    place, fails = place_of("data"), failing_script(gw.ERROR_CLASS_CALLER_FAULT)
    place.gateway.script = lambda question, calls: fails(question, calls) if question in lost else world.say(question)
    evaluator = place.start(going=False)
    run = await decide(evaluator, world)
    assert (run.status, run.decision.complete, states(run)) == (ev.RUN_STATUS_DECIDED, False, {CAUSAL: UNDECIDED, COMMON: NOT_WON})
    with pytest.raises(UsageError, match="came to its end undecided; `genlevel resume` asks again what failed"):
        await evaluator.update_run(ev.UpdateRunRequest(run_id=run.run_id, wanted=ev.RUN_WANTED_PAUSED))
    place.gateway.script = world.script
    again = await finish(evaluator, ev.StartRunRequest(run_id=run.run_id, retry_failed=True))
    assert (again.status, again.decision.complete, again.reason) == (ev.RUN_STATUS_DECIDED, True, "")


async def test_one_slow_answer_holds_back_only_what_is_far_beyond_it(place_of, world):
    world.task(CAUSAL, 300, 0.95)
    place, at_once = place_of("data"), place_of("again")
    expected = (await decide(at_once.start(going=False), world, concurrency=8)).decision
    slow, reached = next(iter(at_once.gateway.calls)), []

    async def hold(request, *, timeout_s, answer=place.gateway.generate):
        if slow in request.messages[0].parts[-1].text:
            await until(lambda: place.gateway.calls.total() >= 31 and not place.gateway._open)
            reached.append(place.gateway.calls.total())
        return await answer(request, timeout_s=timeout_s)

    place.gateway.generate = hold
    run = await decide(place.start(going=False), world, concurrency=8)
    assert reached[0] <= 32, "4 times the slots, itself included"
    assert str(settled_of(run.decision)) == str(settled_of(expected))


async def test_a_paused_run_goes_on_to_the_same_end(place_of, world):
    world.task(CAUSAL, 300, 0.95)
    whole = (await decide(place_of("whole").start(going=False), world)).decision
    place = place_of("data")
    place.gateway.latency_s = 0.02
    evaluator = place.start()
    run = (await evaluator.start_run(request_of(world))).run
    await until(lambda: place.gateway.calls.total() >= 20)
    await evaluator.update_run(ev.UpdateRunRequest(run_id=run.run_id, wanted=ev.RUN_WANTED_PAUSED))
    paused = await reaches(evaluator, run.run_id, ev.RUN_STATUS_PAUSED)
    assert not paused.decision.complete
    await evaluator.update_run(ev.UpdateRunRequest(run_id=run.run_id, wanted=ev.RUN_WANTED_GO_ON))
    ended = await reaches(evaluator, run.run_id, ev.RUN_STATUS_DECIDED)
    assert str(settled_of(ended.decision)) == str(settled_of(whole))
    assert not asked_twice(place.gateway.calls)
    with pytest.raises(UsageError, match="is decided"):
        await evaluator.update_run(ev.UpdateRunRequest(run_id=run.run_id, wanted=ev.RUN_WANTED_PAUSED))


async def test_many_failures_in_a_row_end_it(place_of, world, failing_script):
    world.task(CAUSAL, 300, 0.95)
    place = place_of("data")
    place.gateway.script = failing_script(gw.ERROR_CLASS_CALLER_FAULT)
    run = await decide(place.start(going=False), world)
    assert run.status == ev.RUN_STATUS_FAILED
    assert "the last 25 instances all failed" in run.reason
    assert place.gateway.calls.total() < 300


async def test_a_suite_of_which_nothing_can_be_certified_is_refused_before_it_is_asked(place_of, world):
    world.task("nlp/Of-No-Benchmark", 10, 1.0)
    place = place_of("data")
    evaluator = place.start(going=False)
    with pytest.raises(UsageError, match="nothing can be certified of any task of this run, such as nlp/Of-No-Benchmark") as raised:
        await decide(evaluator, world)
    assert "\n" not in str(raised.value)
    assert not place.gateway.calls
    assert not (await evaluator.list_runs(ev.ListRunsRequest())).runs


async def test_tasks_without_a_test_are_asked_only_if_that_is_wanted(place_of, world):
    world.task(CAUSAL, 60, 1.0)
    world.task("nlp/Of-No-Benchmark", 10, 1.0)
    place = place_of("data")
    evaluator = place.start(going=False)
    run = await decide(evaluator, world)
    assert run.decision.tasks[1].state == ev.DecidedTask.STATE_UNCERTIFIABLE
    assert (run.decision.tasks[1].asked, run.decision.tasks[1].note) == (0, "it is outside the levels")
    every = ev.UntilDecided(aim=ev.UntilDecided.AIM_WINS, with_uncertifiable=True)
    more = await decide(evaluator, world, every)
    assert [task.asked for task in more.decision.tasks] == [run.decision.tasks[0].asked, 10]
    assert not asked_twice(place.gateway.calls)


async def test_a_task_that_lacks_a_label_is_not_asked_further_once_that_is_seen(place_of, world):
    world.task(CAUSAL, 300, 0.7)
    path = world.root / CAUSAL / "annotation.json"
    content = json.loads(path.read_text())
    for item in content["data"][::5]:
        item["output"] = {}
    path.write_text(json.dumps(content))
    found = []
    for concurrency in (1, 16):
        place = place_of(f"data{concurrency}")
        run = await decide(place.start(going=False), world, concurrency=concurrency)
        (task,) = run.decision.tasks
        assert (run.status, states(run)) == (ev.RUN_STATUS_DECIDED, {CAUSAL: ev.DecidedTask.STATE_UNCERTIFIABLE})
        assert task.note == "has no label (closed set)"
        assert task.asked < 100
        found.append(str(settled_of(run.decision)))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("going", "asked", "told"),
    [
        (None, WINS, "goes on to ask all of its instances"),
        (WINS, None, "goes on to ask only until it is decided (--until-decided wins)"),
        (VERDICT, WINS, "goes on to ask only until it is decided (--until-decided verdict)"),
        (WINS, WINS, ""),
        (None, None, ""),
    ],
)
async def test_who_asks_for_more_or_less_than_a_run_in_progress_asks_is_told(place_of, world, going, asked, told):
    world.task(SPORTS, 60, 0.95)
    place = place_of("data")
    place.gateway.latency_s = 0.3
    evaluator = place.start(going=False)
    await evaluator.start_run(request_of(world, going))
    again = await evaluator.start_run(request_of(world, asked))
    assert [told in problem for problem in again.problems] == [True] * bool(told)
