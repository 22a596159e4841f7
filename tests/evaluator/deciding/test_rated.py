"""A task that a judge rates is asked as a whole, and decided once it is judged."""

from __future__ import annotations

import json

import pytest

from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.runs.judging.bench import Bench, finish
from tests.evaluator.runs.judging.conftest import services  # noqa: F401 - a fixture

WINS = ev.UntilDecided(aim=ev.UntilDecided.AIM_WINS)
WON, NOT_WON, UNDECIDED = ev.DecidedTask.STATE_WON, ev.DecidedTask.STATE_NOT_WON, ev.DecidedTask.STATE_UNDECIDED
CHOICES, SOUNDS = "nlp/Choices", "nlp/Sounds"


@pytest.fixture
def bench():
    there = Bench()
    there.answer = lambda question: "A" if question.startswith("Which") else f"an answer to {question}"
    return there


@pytest.fixture
def suite(tmp_path):
    root = tmp_path / "bench"
    items = {
        "Sounds": [
            {"id": f"s{n}", "input": {"question": f"Describe sound {n}."}, "output": {"text": f"A dog barks {n} times."}} for n in range(30)
        ],
        "Choices": [
            {"id": f"c{n}", "input": {"question": f"Which {n}?", "options": ["yes", "no"]}, "output": {"answer": "AAAB"[n % 4]}}
            for n in range(60)
        ],
    }
    for name, data in items.items():
        folder = root / "nlp" / name
        folder.mkdir(parents=True)
        kind = "OpenEndedQA" if name == "Sounds" else "MultipleChoiceQA"
        (folder / "annotation.json").write_text(json.dumps({"task": name, "type": kind, "data": data}))
    (root / "suite.yaml").write_text(
        "name: sounds\ntasks:\n  nlp/Sounds: {metric: GPT-Score, reference: 40}\n  nlp/Choices: {metric: ACC, reference: 90}\n"
    )
    return root


def states(run):
    return {task.task: task.state for task in run.decision.tasks}


@pytest.mark.parametrize(("rating", "state"), [(9, WON), (1, NOT_WON)])
async def test_it_is_decided_by_what_the_judge_says(services, suite, bench, rating, state):  # noqa: F811
    bench.judge = lambda text, calls: f"Rating: {rating}"
    evaluator, _, _ = services()
    traffic = ev.TrafficSettings(judge="j", until_decided=WINS)
    run = await finish(evaluator, specification=ev.RunSpecification(model="m", suite=str(suite)), traffic=traffic)
    assert states(run) == {CHOICES: NOT_WON, SOUNDS: state}
    assert (run.status, run.decision.complete) == (ev.RUN_STATUS_DECIDED, True)
    assert sum(bench.asked.values()) < 90
    assert run.calls == sum(bench.asked.values())
    assert set(bench.judged.values()) == {1}
    assert bench.judged.total() == 30


async def test_nobody_rates_it_and_it_stays_undecided_until_somebody_does(services, suite, bench):  # noqa: F811
    evaluator, _, _ = services()
    specification = ev.RunSpecification(model="m", suite=str(suite))
    run = await finish(evaluator, specification=specification, traffic=ev.TrafficSettings(until_decided=WINS))
    assert states(run) == {CHOICES: NOT_WON, SOUNDS: UNDECIDED}
    assert (run.status, run.decision.complete) == (ev.RUN_STATUS_DECIDED, False)
    assert "undecided" in run.reason
    asked = bench.asked.total()
    judged = await finish(evaluator, specification=specification, traffic=ev.TrafficSettings(judge="j", until_decided=WINS))
    assert (judged.decision.complete, judged.status, bench.asked.total()) == (True, ev.RUN_STATUS_DECIDED, asked)
