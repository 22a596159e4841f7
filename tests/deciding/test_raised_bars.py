"""Bars that a best constant answer raises while a run asks only until it is decided."""

from __future__ import annotations

from dataclasses import replace

from genlevel.deciding.decider import Decider
from genlevel.deciding.values import (
    RIGHT,
    WRONG,
    Aim,
    Criterion,
    LevelState,
    Shares,
    TaskState,
)
from scorer.certify.criteria import critical_count
from tests.deciding.driving import World, in_order
from tests.deciding.worlds import task


def test_a_best_constant_answer_above_the_bar_undoes_a_win_and_pooled_wealth() -> None:
    one = task("a", 0, 400, Criterion(bar=0.2, critical=120))
    right = [RIGHT if number % 5 < 2 else WRONG for number in range(400)]
    lost = World([one], {"a": right}, raised={"a": Criterion(bar=0.5, critical=240)})
    assert in_order(World([one], {"a": right})).decided.verdict == 3
    found = in_order(lost).decided
    assert found.verdict == 2
    assert found.tasks[0].state is TaskState.NOT_WON
    assert found.tasks[0].criterion.bar == 0.5


def test_pooled_wealth_is_made_again_under_a_higher_bar() -> None:
    one = task("a", 0, 400, Criterion(bar=0.5, critical=300))
    outcomes = {"a": [RIGHT if number % 10 < 7 else WRONG for number in range(400)]}
    shares = Shares(100, 0.0, 0.05, 1e-12)
    assert in_order(World([one], outcomes, shares=shares)).decided.verdict == 3
    raised = {"a": Criterion(bar=0.75, critical=330)}
    assert in_order(World([one], outcomes, shares=shares, raised=raised)).decided.verdict == 2


def test_what_is_told_of_a_bar_before_it_is_wanted_counts_only_then() -> None:
    one = task("a", 0, 400, Criterion(bar=0.2, critical=120))
    world = World(
        [one], {"a": [RIGHT if number % 5 < 2 else WRONG for number in range(400)]}, raised={"a": Criterion(bar=0.5, critical=240)}
    )
    decider = world.decider()
    decider.settle_bar("a", world.raised["a"])
    while not decider.over:
        assert not decider.wanted_bars
        for draw in decider.draws(3):
            world.weigh(decider, draw)
    assert decider.decided() == in_order(world).decided


def test_level_3_by_pooled_wealth_waits_for_all_bars_that_were_bet_on() -> None:
    tasks = [task(f"t{number}", number % 4, 200, Criterion(bar=0.4, critical=150)) for number in range(6)]
    decider = Decider(Aim.VERDICT, tasks, Shares(500, 0.05, 0.01, 0.0001), seed=1)
    wanted: set[str] = set()
    while not decider.over and decider.decided().verdict in (None, 2):
        wanted |= set(decider.wanted_bars)
        for key in decider.wanted_bars:
            decider.settle_bar(key, None)
        for draw in decider.draws(5):
            decider.weigh(draw.number, RIGHT if draw.number % 4 else WRONG)
    third = decider.decided().levels[0]
    assert third.state is LevelState.ATTAINED
    assert third.by.startswith("pooled betting over ")
    assert third.by.endswith(", needed 100")
    assert len(wanted) > 1


def test_a_raised_bar_is_looked_for_before_all_is_asked_under_the_low_one() -> None:
    tasks = [task("a", 0, 400, Criterion(bar=0.4, critical=critical_count(400, 0.4, 500, 0.04)))]
    outcomes = {"a": [RIGHT, WRONG] * 200}
    world = World(tasks, outcomes, Aim.WINS, Shares(500, 0.04, 0.0, 0.01))
    low = in_order(world)
    assert low.decided.tasks[0].state is TaskState.WON
    raised = {"a": Criterion(bar=0.6, critical=critical_count(400, 0.6, 500, 0.04))}
    found = in_order(replace(world, raised=raised))
    assert found.decided.tasks[0].state is TaskState.NOT_WON
    assert len(found.asked) == found.decided.tasks[0].decided_at < len(low.asked)


def test_level_3_by_pooled_wealth_is_told_once_the_bar_is_known() -> None:
    decider = Decider(Aim.VERDICT, [task("a", 0, 20, Criterion(bar=0.4, critical=20))], Shares(1, 0.0, 0.2, 0.0), seed=1)
    for draw in decider.draws(20):
        if decider.wanted_bars:
            break
        decider.weigh(draw.number, RIGHT)
    answers = decider.counted
    assert decider.wanted_bars == ("a",)
    assert decider.decided().levels[0].state is LevelState.UNDECIDED
    decider.settle_bar("a", None)
    third = decider.decided().levels[0]
    assert (third.state, third.decided_at) == (LevelState.ATTAINED, answers)
