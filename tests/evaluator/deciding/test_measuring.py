"""What units add, of what the scorer says of their answers: whatever they are measured with, and in however many messages."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from evaluator.journal.records import Said
from evaluator.planning.plans import TaskPlan
from evaluator.runs import measuring
from evaluator.runs.measuring import AnsweredUnit, Measured, Measuring
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.model import Instance
from genlevel.benchmark.outcomes import Outcome
from genlevel.deciding.values import OPEN, RIGHT, WRONG, Unit
from genlevel.v1 import scorer_pb2 as sc

DESCRIPTIONS = {key: sc.TaskDescription(key=key) for key in ("a", "b")}


class Scorer:
    """Says of an answer "0.3" that it adds 0.3; of one that is not there that it is open; of others why they say nothing."""

    takes_paths = True

    def __init__(self):
        self.requests = []

    async def measure_answers(self, request):
        self.requests.append(request)
        return sc.MeasureAnswersResponse(answers=[said_of(one) for asked in request.tasks for one in asked.instances])


def said_of(answer):
    if answer.outcome == sc.OUTCOME_PENDING:
        return sc.MeasuredAnswer(worst_below=1.0, best_above=1.0, best_below=1.0)
    if answer.raw_answer in ("whole", "obstacle"):
        return sc.MeasuredAnswer(**{answer.raw_answer: f"{answer.raw_answer} of {answer.id}"})
    above = float(answer.raw_answer)
    return sc.MeasuredAnswer(worst_above=above, worst_below=1.0, best_above=above, best_below=1.0)


def unit(task, *answers, repeats=1):
    """A unit of one instance for each string of answers, which are parted by blanks; "-" is none."""
    planned = TaskPlan(SimpleNamespace(key=task, metric=None), None, 100, repeats)
    instances, said = [], {}
    for number, given in enumerate(answers):
        instances.append(Instance(f"i{number}", number, "?", AnswerType.SHORT_TEXT))
        for repeat, raw in enumerate(given.split()):
            if raw != "-":
                said[AnswerKey(f"i{number}", repeat=repeat)] = Said(Outcome.ANSWERED, raw, "")
    return AnsweredUnit(planned, instances, said)


def adds(above, below=1.0):
    return Measured(Unit((above, below), (above, below)))


@pytest.mark.parametrize("most", [1, 150, 8 << 20])
async def test_units_are_told_in_their_order_whatever_they_are_measured_with(monkeypatch, most):
    monkeypatch.setattr(measuring, "_MOST_BYTES", most)
    scorer = Scorer()
    units = [unit("b", "0.1"), unit("a", "1"), unit("b", "0.2", "0.4"), unit("a", "0"), unit("a", "0.3"), unit("b", "1")]
    found = await Measuring(scorer, None, DESCRIPTIONS).units(units)
    assert found == [adds(0.1), Measured(RIGHT), adds(0.6, 2.0), Measured(WRONG), adds(0.3), Measured(RIGHT)]
    told = [(asked.task.key, one.raw_answer) for request in scorer.requests for asked in request.tasks for one in asked.instances]
    assert told == [("a", "1"), ("a", "0"), ("a", "0.3"), ("b", "0.1"), ("b", "0.2"), ("b", "0.4"), ("b", "1")]
    assert len(scorer.requests) == {1: 7, 8 << 20: 1}.get(most, len(scorer.requests))


async def test_an_instance_adds_the_mean_of_its_answers_and_a_unit_what_its_instances_do():
    found = await Measuring(Scorer(), None, DESCRIPTIONS).units([unit("a", "1 0 1 0", repeats=4), unit("a", "1 1", "0 1", repeats=2)])
    assert found == [adds(0.5), adds(1.5, 2.0)]
    (half,) = await Measuring(Scorer(), None, DESCRIPTIONS).units([unit("a", "1 -", repeats=2)])
    assert half == Measured(Unit((0.5, 1.0), (1.0, 1.0)))


async def test_one_answer_that_says_nothing_alone_says_so_of_its_unit():
    units = [unit("a", "1", "whole"), unit("a", "whole", "obstacle"), unit("a", "-")]
    assert await Measuring(Scorer(), None, DESCRIPTIONS).units(units) == [
        Measured(OPEN, whole="whole of i1"),
        Measured(OPEN, obstacle="obstacle of i1"),
        Measured(OPEN),
    ]
