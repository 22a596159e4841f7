"""What a dry run expects of a run that asks only until something is decided."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.runs.expected import NO_CALLS
from genlevel.documents.decision_words import expected_told
from genlevel.documents.decisions import expected_document
from genlevel.runtime.errors import Unavailable
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from tests.evaluator.deciding.worlds import World
from tests.evaluator.runs.asking import specification

WINS = ev.UntilDecided(aim=ev.UntilDecided.AIM_WINS)


@pytest.fixture
def suite(suite_folder):
    suite_folder(120, "Causal-Reasoning")
    return suite_folder(120, "Medical-Reasoning")


async def planned(evaluator, suite, until=WINS, *, batch=False, **fields):
    traffic = ev.TrafficSettings(until_decided=until, batch=batch)
    return await evaluator.plan_run(ev.PlanRunRequest(specification=specification(suite, **fields), traffic=traffic))


async def test_a_dry_run_says_how_many_answers_and_how_much_money(make_evaluator, suite, scripted):
    scripted.info.price.CopyFrom(gw.Price(input="1", output="2"))
    evaluator, _ = make_evaluator()
    found = await planned(evaluator, suite)
    expected = found.expected
    assert not expected.note
    assert expected.total == 240
    assert 0 < expected.median <= expected.worst <= 240
    assert expected.models >= 1
    assert expected.runs >= 1
    whole = sum(task.estimated_nano_usd for task in found.tasks)
    assert 0 < expected.median_nano_usd <= expected.worst_nano_usd <= whole
    twice = (await planned(evaluator, suite, repeats=2)).expected
    assert twice.total == 480
    without = await evaluator.plan_run(ev.PlanRunRequest(specification=specification(suite)))
    assert not without.HasField("expected")


async def test_what_the_model_cannot_be_asked_takes_nothing(make_evaluator, drawing_suite):
    evaluator, _ = make_evaluator()
    expected = (await planned(evaluator, drawing_suite(30))).expected
    assert (expected.total, expected.median, expected.note) == (0, 0, NO_CALLS)
    assert expected_told(expected_document(expected), 0.0) == f"no call is made: {NO_CALLS}"


async def test_what_the_model_does_not_take_is_no_call_and_costs_nothing(make_evaluator, suite, scripted):
    scripted.info.price.CopyFrom(gw.Price(input="1", output="2"))
    evaluator, _ = make_evaluator()
    with_pictures = World(Path(suite))
    with_pictures.task("image/comprehension/Human-Action-Recognition", 50, 0.5, picture_each=1)
    found = await planned(evaluator, suite)
    *_, known = sorted(found.tasks, key=lambda task: task.calls)
    unknown = next(task for task in found.tasks if task.key.startswith("image/"))
    assert (unknown.answers, unknown.calls, unknown.estimated_nano_usd) == (50, 0, 0)
    assert unknown.note == "m does not take image: unsupported"
    assert known.calls == known.answers == 120
    assert found.expected.total == 240
    assert found.expected.worst_nano_usd <= sum(task.estimated_nano_usd for task in found.tasks)


async def test_what_cannot_be_kept_is_a_problem_and_a_scorer_that_is_away_a_note(make_evaluator, suite, monkeypatch):
    evaluator, scorer = make_evaluator()
    found = await planned(evaluator, suite, batch=True)
    assert any("--until-decided" in line for line in found.problems)
    assert not found.HasField("expected")

    async def away(request):
        raise Unavailable("the scorer is away")

    monkeypatch.setattr(scorer, "expect_decision", away)
    assert (await planned(evaluator, suite)).expected.note == "the scorer is away"


async def test_the_scorer_expects_the_run_that_would_be_asked(make_evaluator, suite, monkeypatch):
    evaluator, scorer = make_evaluator()
    with_pictures = World(Path(suite))
    with_pictures.task("nlp/Captions", 30, 0.5, kind="OpenEndedQA")
    lines = ("nlp/Captions: {metric: GPT-Score, reference: 40}", "nlp/Causal-Reasoning: {metric: ACC, reference: 50}")
    (Path(suite) / "suite.yaml").write_text("\n  ".join(["name: mine\ntasks:", *lines]))
    asked = []

    async def keeps(request):
        asked.append(request)
        return sc.ExpectDecisionResponse(note="nothing is expected")

    monkeypatch.setattr(scorer, "expect_decision", keeps)
    until = ev.UntilDecided(aim=ev.UntilDecided.AIM_VERDICT, epsilon=0.02, alpha=0.1, with_uncertifiable=True)
    found = await planned(evaluator, suite, until, repeats=2, limit=20)
    assert found.expected.note == "nothing is expected"
    (request,) = asked
    assert (request.alpha, request.epsilon, request.aim, request.with_uncertifiable) == (0.1, 0.02, 2, True)
    assert (request.header.plan, request.header.partial, request.header.model) == (1, True, "m")
    told = {one.task.key: (one.instances, one.repeats, one.rated) for one in request.tasks}
    assert (told["nlp/Captions"], told["nlp/Causal-Reasoning"]) == ((20, 2, True), (20, 2, False))
