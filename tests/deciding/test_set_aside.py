"""Tasks of which no further unit can be asked, as there is no money for one."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.deciding.decider import Decider
from genlevel.deciding.values import (
    WRONG,
    Aim,
    Criterion,
    Draw,
    Shares,
    TaskState,
)
from tests.deciding.driving import World, in_order
from tests.deciding.worlds import task, worlds


def test_the_money_of_one_task_ends() -> None:
    tasks = [task("a", 0, 50, Criterion(bar=0.4, critical=40)), task("b", 1, 50, Criterion(bar=0.4, critical=40))]
    decider = Decider(Aim.WINS, tasks, Shares(2, 0.05, 0.05, 0.01), seed=1)
    first = decider.draws(60)
    for draw in first:
        if draw.task == "b" or draw.unit != 2:
            decider.weigh(draw.number, WRONG)
    decider.set_aside("a")
    assert not any(decider.needs(draw) for draw in first if draw.task == "a")
    while found := decider.draws(10):
        assert {draw.task for draw in found} == {"b"}
        for draw in found:
            decider.weigh(draw.number, WRONG)
    assert decider.over
    aside, other = decider.decided().tasks
    # What came before the draw that was never asked counts, nothing after it.
    assert (aside.state, aside.drawn) == (TaskState.UNDECIDED, 2)
    assert other.state is TaskState.NOT_WON
    assert not decider.decided().complete


def test_what_came_before_the_money_ended_counts_although_it_has_not_yet() -> None:
    tasks = [task("a", 0, 50, Criterion(bar=0.4, critical=40)), task("b", 1, 50, Criterion(bar=0.4, critical=40))]
    decider = Decider(Aim.WINS, tasks, Shares(2, 0.05, 0.05, 0.01), seed=1)
    first = decider.draws(20)
    assert [draw.task for draw in first[:4]] == ["a", "b", "a", "b"]
    for draw in first:
        if draw.task == "a" and draw.unit < 4:
            decider.weigh(draw.number, WRONG)
    decider.set_aside("a")
    assert decider.counted == 1
    for draw in first:
        if draw.task == "b":
            decider.weigh(draw.number, WRONG)
    assert decider.decided().tasks[0].drawn == 4
    blocked = Decider(Aim.WINS, tasks, Shares(2, 0.05, 0.05, 0.01), seed=1)
    for draw in blocked.draws(20)[1:]:
        if draw.task == "a" and draw.unit < 4:
            blocked.weigh(draw.number, WRONG)
    # Its own first draw has no outcome: nothing of it counts, and the other task's goes on.
    blocked.set_aside("a")
    assert blocked.decided().tasks[0].drawn == 0


@given(worlds(wins=0.0), st.integers(0, 2**32).map(random.Random), st.integers(1, 30))
@settings(max_examples=60, deadline=None)
def test_a_run_ends_whatever_tasks_the_money_ends_of(world: World, chance: random.Random, slots: int) -> None:
    decider, short = world.decider(), set[str]()
    flight: list[Draw] = []
    while not decider.over:
        if world.settle(decider):
            continue
        drawn = [draw for draw in decider.draws(slots - len(flight)) if draw.task not in short]
        flight += drawn
        short |= {draw.task for draw in drawn if chance.random() < 0.02}
        flight = [draw for draw in flight if draw.task not in short or chance.random() < 0.5]
        for key in short - {draw.task for draw in flight}:
            decider.set_aside(key)
        if flight:
            world.weigh(decider, flight.pop(chance.randrange(len(flight))))
    found = decider.decided()
    if not short:
        assert found == in_order(world).decided
    calm = {told.key: told for told in in_order(world).decided.tasks}
    for told in found.tasks:
        # Of a task that was decided all the same, for wins, it makes no difference that others were not.
        if world.aim is Aim.WINS and told.decided_at:
            assert told == calm[told.key]
