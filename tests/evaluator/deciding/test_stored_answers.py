"""Deciding once more: something else of a run whose answers are stored, or a further plan on the same tasks."""

from __future__ import annotations

import asyncio

import pytest

from genlevel.v1 import evaluator_pb2 as ev
from scorer.certify.shares import Shares
from tests.evaluator.deciding.worlds import CAUSAL, WINS, decide, request_of
from tests.evaluator.runs.asking import finish


async def test_nothing_is_asked_that_stored_answers_decide(place_of, world):
    """Another decision, of a larger error, takes fewer answers than the run has already."""
    world.task(CAUSAL, 300, 0.95)
    place = place_of("data")
    evaluator = place.start(going=False)
    (task,) = (await decide(evaluator, world)).decision.tasks
    calls, scorer = place.gateway.calls.total(), place.made[-1][1]

    async def slowly(request, measure=scorer.measure_answers):
        await asyncio.sleep(0.03)
        return await measure(request)

    scorer.measure_answers = slowly
    sooner = await decide(evaluator, world, ev.UntilDecided(aim=WINS.aim, epsilon=0.45), concurrency=200)
    assert 0 < sooner.decision.tasks[0].decided_at < task.decided_at
    assert place.gateway.calls.total() == calls


async def test_a_second_plan_is_decided_at_the_error_that_is_left_for_it(place_of, world):
    world.task(CAUSAL, 300, 0.95)
    evaluator = place_of("data").start(going=False)
    first = (await decide(evaluator, world)).decision
    request = request_of(world)
    request.specification.limit = 200
    second = (await finish(evaluator, request)).decision
    wins = [Shares.of(0.05, plan).wins for plan in (1, 2)]
    assert [found.win_threshold * found.tests for found in (first, second)] == pytest.approx(wins)
