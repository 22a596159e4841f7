"""The cost of a run while calls are made is what the journal will add up to."""

from __future__ import annotations

from evaluator.journal.records import Answer, Costs, Judgement
from evaluator.runs.costs import RunningCost
from genlevel.benchmark.outcomes import Outcome


def as_costs(running):
    return Costs(running.nano_usd, running.unknown_costs, running.unknown_calls, running.most_nano_usd)


def answer(cost=None, **unknown):
    return Answer("r", "t", "i", Outcome.ANSWERED, cost_nano_usd=cost, **unknown)


def test_answers_add_up():
    for costs in (Costs(), Costs(5, 1, 3, 45), Costs(5, 1, 3, None)):
        assert as_costs(RunningCost.of(costs)) == costs
    running = RunningCost.of(Costs(5, 1, 3, 45))
    running.add(answer(7))
    running.add(answer(2, unknown_calls=2, unknown_nano_usd=10))
    assert as_costs(running) == Costs(14, 2, 5, 64)
    running.add(answer(1, excess=3.0))
    assert as_costs(running) == Costs(15, 2, 5, None), "of the unknown ones nobody can tell any more"
    exact = RunningCost()
    exact.add(answer(9, excess=3.0))
    assert as_costs(exact) == Costs(9, 0, 0, 9)
    exact.add(answer(unknown_calls=1, unknown_nano_usd=None))
    assert as_costs(exact) == Costs(9, 1, 1, None)


def test_a_judgement_that_goes_on_is_counted_once():
    def judgement(cost, **unknown):
        return Judgement("r", "t", "i", "j", "h", "1", cost_nano_usd=cost, **unknown)

    running = RunningCost.of(Costs(100, 4, 4, 500))
    first, second = judgement(3, unknown_calls=1, unknown_nano_usd=20), judgement(8, unknown_calls=3, unknown_nano_usd=60)
    running.change(judgement(None), first)
    assert as_costs(running) == Costs(103, 5, 5, 523)
    running.change(first, second)
    assert as_costs(running) == Costs(108, 5, 7, 568)
