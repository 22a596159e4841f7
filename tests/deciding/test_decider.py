"""Which units are drawn, what follows from their outcomes, and that it follows from nothing else."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.benchmark.model import Modality, Paradigm
from genlevel.deciding.decider import Decider
from genlevel.deciding.predictions import prediction_of
from genlevel.deciding.values import (
    OPEN,
    RIGHT,
    WRONG,
    Aim,
    Criterion,
    LevelState,
    Shares,
    TaskState,
    TaskToDecide,
    Unit,
)
from scorer.certify.criteria import critical_count
from tests.deciding.driving import World, in_order, restarted, shuffled
from tests.deciding.worlds import graded, levels_of, task, worlds


@given(worlds(), st.integers(0, 2**32).map(random.Random), st.integers(1, 90))
@settings(max_examples=60, deadline=None)
def test_neither_arrival_nor_slots_nor_restarts_change_anything(world: World, chance: random.Random, slots: int) -> None:
    calm = in_order(world)
    for other in (shuffled(world, chance, slots=slots), restarted(world, chance, slots=slots, times=2)):
        assert other.decided == calm.decided
        both = calm.asked.keys() & other.asked.keys()
        assert {number: calm.asked[number] for number in both} == {number: other.asked[number] for number in both}
        # Asked one at a time, nothing is asked in vain but what nobody could know of.
        assert set(calm.units) <= set(other.units)


@given(worlds(aims=(Aim.WINS,), wins=0.0))
@settings(max_examples=80, deadline=None)
def test_wins_are_what_each_tasks_prediction_says(world: World) -> None:
    found = in_order(world).decided
    # Failed answers may leave a task open to the end.
    epsilon = world.shares.epsilon / max(1, sum(not (one.criterion.whole or one.criterion.obstacle) for one in world.tasks))
    assert found.complete == all(told.state is not TaskState.UNDECIDED for told in found.tasks)
    for one, told in zip(world.tasks, found.tasks, strict=True):
        if one.criterion.critical is None or any(key == one.key for key, _unit in world.turned):
            continue
        prediction = prediction_of(one.criterion, len(one.units), epsilon)
        for unit in world.outcomes[one.key]:
            prediction.add(unit)
        if prediction.state is TaskState.WON and one.key in world.raised:
            continue
        assert told.state is prediction.state
        if one.criterion.bar < 1.0:
            assert told.decided_at == prediction.decided_at
            assert told.drawn == (len(one.units) if told.state is TaskState.UNDECIDED else told.decided_at)


@given(worlds(epsilon=0.0))
@settings(max_examples=60, deadline=None)
def test_without_an_error_the_levels_are_those_of_all_outcomes(world: World) -> None:
    world = World(
        world.tasks,
        {key: [RIGHT if unit == RIGHT else WRONG for unit in units] for key, units in world.outcomes.items()},
        world.aim,
        Shares(4, 0.0, 0.0, 0.0),
        world.seed,
        whole={key: 1.0 if p_value is None else p_value for key, p_value in world.whole.items()},
    )
    found = in_order(world).decided
    wins = {one.key for one in world.tasks if full_run_wins(world, one)}
    assert found.complete
    assert {level.level: level.state for level in found.levels} == levels_of(world, wins)
    for told in found.tasks:
        if told.state in (TaskState.WON, TaskState.NOT_WON):
            assert (told.state is TaskState.WON) == (told.key in wins)


def full_run_wins(world: World, one: TaskToDecide) -> bool:
    criterion, units = one.criterion, world.outcomes[one.key]
    if criterion.obstacle or not units:
        return False
    if criterion.whole:
        return world.whole[one.key] == 0.0
    prediction = prediction_of(criterion, len(units), 0.0)
    for unit in units:
        prediction.add(unit)
    return prediction.state is TaskState.WON and criterion.bar < 1.0


@pytest.mark.parametrize(("aim", "lag", "growth"), [(Aim.VERDICT, 64, 32), (Aim.WINS, 256, 8)])
def test_one_slow_answer_holds_back_only_what_comes_after_its_lag(aim: Aim, lag: int, growth: int) -> None:
    def drawn(counted: int) -> int:
        return next(number for number in range(10_000) if number - lag - number // growth > counted)

    tasks = [task(f"t{number}", number % 4, 10_000, Criterion(bar=0.4, critical=4_400)) for number in range(3)]
    decider = Decider(aim, tasks, Shares(4, 0.05, 0.05, 0.01), seed=1)
    slow, *others = decider.draws(10_000)
    assert 1 + len(others) == drawn(0)
    for draw in others:
        decider.weigh(draw.number, WRONG)
    assert decider.draws(10) == []
    decider.weigh(slow.number, WRONG)
    assert len(decider.draws(10_000)) == drawn(drawn(0)) - drawn(0) or decider.over


def test_a_draw_that_was_never_made_is_no_outcome() -> None:
    decider = Decider(Aim.WINS, [task("a")], Shares(1, 0.05, 0.05, 0.01), seed=1)
    with pytest.raises(ValueError, match="no draw 20"):
        decider.weigh(20, RIGHT)


def test_decisions_count_the_answers_of_clusters() -> None:
    one = TaskToDecide("a", Modality.IMAGE, Paradigm.GENERATION, [3] * 60, graded(0.5, most=3.0))
    found = in_order(World([one], {"a": [Unit((3.0, 3.0), (3.0, 3.0))] * 60}, shares=Shares(4, 0.2, 0.0, 0.4))).decided
    assert found.levels[0].decided_at == 3 * found.tasks[0].decided_at > 0


def test_of_what_nothing_depends_on_nothing_is_drawn() -> None:
    sides = [task(f"t{number}", number % 2, 400, Criterion(bar=0.3, critical=150)) for number in range(20)]
    decider = Decider(Aim.VERDICT, sides, Shares(20, 0.05, 0.05, 0.01), seed=1)
    drawn = []
    while not decider.over:
        for key in decider.wanted_bars:
            decider.settle_bar(key, None)
        for draw in decider.draws(1):
            decider.weigh(draw.number, RIGHT if draw.task in ("t0", "t1") else WRONG)
            drawn.append(draw)
    assert decider.decided().levels[1].state is LevelState.ATTAINED
    # Beyond what was asked, hardly more was drawn than may be on the way.
    assert decider.counted - len(drawn) < 150


def test_what_nothing_depends_on_is_not_needed() -> None:
    tasks = [task("comprehension", 0, 40), task("generation", 1, 40), task("other", 1, 40), task("text", 4, 40)]
    world = World(tasks, {one.key: [WRONG if one.key == "generation" else RIGHT] * 40 for one in tasks}, shares=Shares(4, 0.05, 0.05, 0.01))
    found = in_order(world).decided
    assert found.verdict == 5
    assert [level.state for level in found.levels] == [LevelState.ATTAINED] * 3
    assert found.levels[1].by == "wins of comprehension (image comprehension) and other (image generation)"
    none = {one.key: [RIGHT if one.key == "comprehension" else WRONG] * 40 for one in tasks}
    found = in_order(World(tasks, none, shares=Shares(4, 0.05, 0.05, 0.01))).decided
    assert found.verdict == 3
    assert found.levels[1].by == "no task of image generation would be certified as won"
    assert {one.key: one.state for one in found.tasks}["text"] is TaskState.NOT_NEEDED


@pytest.mark.parametrize(("place", "unit", "verdict"), [(0, RIGHT, 2), (0, WRONG, None), (0, OPEN, None), (4, RIGHT, None)])
def test_level_2_is_a_right_answer_outside_language(place: int, unit: Unit, verdict: int | None) -> None:
    world = World([task("a", place, 20, Criterion(bar=0.4, critical=20))], {"a": [unit] + [WRONG] * 19}, Aim.WINS)
    assert in_order(world).decided.verdict == verdict


def test_of_two_outcomes_of_a_draw_the_first_one_counts() -> None:
    decider = Decider(Aim.WINS, [task("a", 0, 20, Criterion(bar=0.4, critical=14))], Shares(1, 0.05, 0.05, 0.01), seed=1)
    first, second, third, *_others = decider.draws(20)
    decider.weigh(second.number, WRONG)
    decider.weigh(second.number, RIGHT)
    decider.weigh(first.number, WRONG)
    decider.weigh(first.number, RIGHT)
    assert decider.counted == 2
    assert [decider.needs(draw) for draw in (first, second, third)] == [False, False, True]
    assert decider.decided().verdict is None


def test_levels_allow_for_more_of_holms_steps_than_wins() -> None:
    for tests, verdict in ((100, 1), (600, 150)):
        exact = Criterion(bar=0.5, critical=critical_count(100, 0.5, tests, 0.04))
        tasks, shares = [task(f"t{number}", 0, 100, exact) for number in range(tests)], Shares(tests, 0.04, 0.0, 0.01)
        lows = {aim: Decider(aim, tasks, shares, seed=1).decided().tasks[0].criterion.low for aim in Aim}
        assert lows == {aim: critical_count(100, 0.5, step, 0.04) for aim, step in ((Aim.VERDICT, verdict), (Aim.WINS, tests // 2))}
