"""Tasks of which nothing can be certified: from the beginning, or as their answers show."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from genlevel.deciding.decider import Decider
from genlevel.deciding.pooled import PooledWealth
from genlevel.deciding.values import (
    OPEN,
    RIGHT,
    WRONG,
    Aim,
    Bets,
    Criterion,
    Decided,
    LevelState,
    Shares,
    TaskState,
    Unit,
)
from tests.deciding.driving import World, in_order
from tests.deciding.worlds import graded, task


def only(criterion: Criterion, units: int = 20, aim: Aim = Aim.WINS) -> Decided:
    return Decider(aim, [task("a", 0, units, criterion)], Shares(1, 0.05, 0.05, 0.01), seed=1).decided()


@pytest.mark.parametrize("aim", list(Aim))
@pytest.mark.parametrize(
    ("criterion", "units", "state"),
    [
        (Criterion(bar=0.4, critical=21), 20, TaskState.NOT_WON),
        (Criterion(bar=1.0, bets=Bets((0.5,), (1.0,), 3.0)), 20, TaskState.NOT_WON),
        (Criterion(bar=0.4, critical=1), 0, TaskState.NOT_WON),
        (Criterion(whole="all at once"), 0, TaskState.NOT_WON),
        (Criterion(obstacle="no test"), 20, TaskState.UNCERTIFIABLE),
    ],
)
def test_what_can_never_be_won_is_not_asked(aim: Aim, criterion: Criterion, units: int, state: TaskState) -> None:
    decider = Decider(aim, [task("a", 0, units, criterion)], Shares(1, 0.05, 0.05, 0.01), seed=1)
    found = decider.decided()
    assert decider.over
    assert not decider.draws(10)
    assert found.complete
    assert [one.state for one in found.tasks] == [state]
    assert {level.state for level in found.levels} == {LevelState.NOT_ATTAINED}
    assert found.verdict is None


def test_a_unit_larger_than_the_test_allows_shows_that_nothing_is_certified() -> None:
    world = World([task("a", 0, 30, graded(0.5, most=4.0))], {"a": [Unit((5.0, 5.0), (5.0, 5.0))] * 30}, Aim.WINS)
    (found,) = in_order(world).decided.tasks
    assert (found.state, found.decided_at) == (TaskState.NOT_WON, 1)


def test_answers_that_show_an_obstacle_end_a_task() -> None:
    world = World(
        [task("a", 0, 300, Criterion(bar=0.4, critical=150)), task("b", 1, 300, Criterion(bar=0.4, critical=150))],
        {"a": [RIGHT] * 300, "b": [WRONG, RIGHT] * 150},
        Aim.WINS,
        Shares(2, 0.05, 0.05, 1e-6),
        turned={("a", 3): Criterion(obstacle="a label does not fit")},
    )
    decider = world.decider()
    first = decider.draws(30)
    for draw in first:
        world.weigh(decider, draw)
    first = decider.draws(300)
    assert {draw.task for draw in first} == {"b"}
    found = decider.decided().tasks[0]
    assert (found.state, found.drawn, found.criterion.obstacle) == (TaskState.UNCERTIFIABLE, 4, "a label does not fit")


def test_an_obstacle_is_known_of_draws_on_the_way() -> None:
    decider = Decider(Aim.WINS, [task("a", 0, 300, Criterion(bar=0.4, critical=150))], Shares(2, 0.05, 0.05, 1e-6), seed=1)
    first, *others = decider.draws(30)
    decider.weigh(first.number, WRONG, Criterion(obstacle="a label does not fit"))
    assert not any(decider.needs(draw) for draw in others)
    assert decider.over


def test_tasks_of_which_nothing_can_be_certified_come_last() -> None:
    tasks = [task("a", 0, 5, Criterion(obstacle="no test")), task("b", 1, 9, Criterion(whole="all at once")), task("c", 2, 30)]
    for aim in Aim:
        world = World(tasks, {"a": [OPEN] * 5, "b": [OPEN] * 9, "c": [WRONG] * 30}, aim, with_uncertifiable=True)
        driven = in_order(world)
        order = list(dict.fromkeys(draw.task for draw in driven.asked.values()))
        assert order == ["c", "b", "a"]
        assert [one.drawn for one in driven.decided.tasks][:2] == [5, 9]


@pytest.mark.parametrize("turned", [Criterion(whole="now"), Criterion(obstacle="now")])
def test_what_was_won_on_a_task_that_says_nothing_after_all_is_taken_back(turned: Criterion) -> None:
    pooled = PooledWealth(0.01)
    good, bad = Criterion(bar=0.4, critical=14), Criterion(bar=0.5, critical=14)
    for _draw in range(20):
        pooled.add("good", good, RIGHT)
        pooled.add("bad", bad, RIGHT)
    for _draw in range(60):
        pooled.add("bad", bad, WRONG)
    without = PooledWealth(0.01)
    for unit in [RIGHT] * 20 + [WRONG] * 60:
        without.add("bad", bad, unit)
    assert pooled.log > without.log
    pooled.void("good")
    pooled.void("bad")
    assert pooled.log <= without.log + 1e-9
    assert pooled.log <= 0.0
    # A decider does so: what is won on the other task is not enough.
    tasks = [task("a", 0, 40, Criterion(bar=0.4, critical=40)), task("b", 1, 12, Criterion(bar=0.4, critical=12))]
    outcomes = {"a": [RIGHT] * 39 + [WRONG], "b": [RIGHT] * 11 + [WRONG]}
    shares = Shares(2, 0.0, math.exp(-4.0), 0.0)
    told_by: list[tuple[dict[str, Any], LevelState]] = [
        ({}, LevelState.ATTAINED),
        ({"turned": {("a", 8): turned}}, LevelState.NOT_ATTAINED),
        ({"raised": {"a": turned}}, LevelState.NOT_ATTAINED),
    ]
    for how, state in told_by:
        world = World(tasks, outcomes, Aim.VERDICT, shares, seed=0, whole={"a": 1.0}, **how)
        assert in_order(world).decided.levels[0].state is state


@pytest.mark.parametrize("unit", [0, 19])
@pytest.mark.parametrize(("p_value", "state"), [(0.01, TaskState.WON), (0.9, TaskState.NOT_WON)])
def test_a_task_that_an_answer_shows_to_be_told_as_a_whole_is_told_so(unit: int, p_value: float, state: TaskState) -> None:
    answers = [RIGHT] * 13 + [WRONG] * 6 + [OPEN]
    world = World([task("a")], {"a": answers}, Aim.WINS, turned={("a", unit): Criterion(whole="now")}, whole={"a": p_value})
    told = in_order(replace(world, shares=Shares(1, 0.05, 0.05, 0.0))).decided.tasks[0]
    assert (told.state, told.decided_at, told.criterion.whole) == (state, 20, "now")
