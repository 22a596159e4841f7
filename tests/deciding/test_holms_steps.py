"""Tasks that are won or not by how many others are: between the marks of Holm's procedure."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.deciding import decider
from genlevel.deciding.holm import at_least
from genlevel.deciding.standing import EARLY
from genlevel.deciding.values import (
    OPEN,
    RIGHT,
    WRONG,
    Aim,
    Criterion,
    LevelState,
    Shares,
    TaskState,
    Unit,
)
from scorer.certify.criteria import critical_count
from scorer.certify.distributions import binomial_at_least
from scorer.certify.multiplicity import holm
from tests.deciding.driving import World, in_order, restarted, shuffled
from tests.deciding.worlds import close_worlds, levels_of, task


@given(close_worlds(), st.integers(0, 2**32).map(random.Random), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_close_tasks_are_told_as_holms_procedure_does(world: World, chance: random.Random, slots: int) -> None:
    p_values = {one.key: at_least(world.outcomes[one.key].count(RIGHT), len(one.units), one.criterion.bar) for one in world.tasks}
    wins: set[str] = set()
    for key in sorted(p_values, key=p_values.__getitem__):
        if (len(world.tasks) - len(wins)) * p_values[key] > world.shares.wins:
            break
        wins.add(key)
    found = in_order(world)
    assert found.decided.complete
    assert {level.level: level.state for level in found.decided.levels} == levels_of(world, wins)
    for told in found.decided.tasks:
        if world.aim is Aim.WINS or told.state in (TaskState.WON, TaskState.NOT_WON):
            assert (told.state is TaskState.WON) == (told.key in wins)
    for other in (shuffled(world, chance, slots=slots), restarted(world, chance, slots=slots, times=2)):
        assert other.decided == found.decided


def test_holms_further_steps_decide_about_what_lies_between_the_marks() -> None:
    shares = Shares(8, 0.2, 0.0, 0.01)
    critical = critical_count(40, 0.5, 8, 0.2)
    low = critical_count(40, 0.5, 1, 0.2)
    right = {"far": 40, "near": 39, "close": critical - 1, "closest": critical - 1, "between": low, "lost": low - 1, "none": 5}
    tasks = [task(key, number % 5, 40, Criterion(bar=0.5, critical=critical)) for number, key in enumerate(right)]
    tasks.append(task("whole", 2, 3, Criterion(bar=0.5, whole="all at once")))
    for p_value in (0.001, 0.03, 0.3, None):
        outcomes = {key: [RIGHT] * count + [WRONG] * (40 - count) for key, count in right.items()} | {"whole": [RIGHT] * 3}
        for seed, units in enumerate(outcomes.values()):
            random.Random(seed).shuffle(units)
        world = World(tasks, outcomes, Aim.WINS, shares, whole={"whole": p_value})
        found = in_order(world).decided
        adjusted = holm([binomial_at_least(count, 40, 0.5) for count in right.values()] + [1.0 if p_value is None else p_value])
        states = {told.key: told.state for told in found.tasks}
        for key, entry in zip([*right, "whole"], adjusted, strict=True):
            if p_value is None and states[key] is TaskState.UNDECIDED:
                assert key not in ("far", "near", "lost", "none")
            else:
                assert states[key] is (TaskState.WON if entry <= 0.2 else TaskState.NOT_WON)
        assert found.complete == (p_value is not None)
        assert states["close"] is states["closest"]


@pytest.mark.parametrize("units", [40, EARLY - 1])
def test_a_close_task_is_certified_once_its_bar_is_known(units: int) -> None:
    """Of few units nobody has asked for the bar before."""
    critical = critical_count(units, 0.5, 2, 0.2)
    tasks = [task(key, 0, units, Criterion(bar=0.5, critical=critical)) for key in ("won", "close")]
    outcomes = {"won": [RIGHT] * units, "close": [RIGHT] * (critical - 1) + [WRONG] * (units + 1 - critical)}
    for seed, answers in enumerate(outcomes.values()):
        random.Random(seed).shuffle(answers)
    raised = Criterion(bar=0.9, critical=critical_count(units, 0.9, 2, 0.2))
    for of, state in (({}, TaskState.WON), ({"close": raised}, TaskState.NOT_WON)):
        found = in_order(World(tasks, outcomes, Aim.WINS, Shares(2, 0.2, 0.0, 0.01), raised=of)).decided
        assert [told.state for told in found.tasks] == [TaskState.WON, state]
        assert found.complete


@pytest.mark.parametrize(("last", "state"), [(RIGHT, TaskState.WON), (WRONG, TaskState.NOT_WON), (OPEN, TaskState.UNDECIDED)])
def test_a_close_task_that_hangs_on_a_failed_answer_stays_undecided(last: Unit, state: TaskState) -> None:
    critical, low = (critical_count(40, 0.5, tests, 0.2) for tests in (2, 1))
    assert low < critical
    tasks = [task(key, 0, 40, Criterion(bar=0.5, critical=critical)) for key in ("won", "close")]
    close = [RIGHT] * (low - 1) + [WRONG] * (40 - low)
    random.Random(2).shuffle(close)
    found = in_order(World(tasks, {"won": [RIGHT] * 40, "close": [*close, last]}, Aim.WINS, Shares(2, 0.2, 0.0, 0.0))).decided
    assert [told.state for told in found.tasks] == [TaskState.WON, state]
    assert found.complete == (last is not OPEN)


@pytest.mark.parametrize(("third", "state"), [(40, LevelState.ATTAINED), (10, LevelState.NOT_ATTAINED)])
def test_a_level_that_hangs_on_how_many_others_are_won_has_them_asked(third: int, state: LevelState) -> None:
    critical, few = critical_count(40, 0.5, 3, 0.2), critical_count(40, 0.5, 2, 0.2) - 1
    assert critical_count(40, 0.5, 1, 0.2) <= few
    tasks = [task(key, place, 40, Criterion(bar=0.5, critical=critical)) for key, place in (("won", 0), ("close", 1), ("language", 4))]
    right = {"won": 40, "close": few, "language": third}
    outcomes = {key: [RIGHT] * count + [WRONG] * (40 - count) for key, count in right.items()}
    for seed, units in enumerate(outcomes.values()):
        random.Random(seed).shuffle(units)
    found = in_order(World(tasks, outcomes, Aim.VERDICT, Shares(3, 0.2, 0.0, 0.01)))
    assert found.decided.complete
    assert [level.state for level in found.decided.levels] == [LevelState.ATTAINED, state, state]
    units = {key: [draw.unit for draw in found.asked.values() if draw.task == key] for key in outcomes}
    assert units["close"] == list(range(40))
    assert units["language"] == list(range(len(units["language"])))
    assert found.decided.tasks[1].state is (TaskState.WON if state is LevelState.ATTAINED else TaskState.NOT_WON)


def test_once_a_level_hangs_on_nothing_more_what_is_open_is_not_needed() -> None:
    critical, few = (critical_count(40, 0.5, tests, 0.2) for tests in (4, 2))
    assert few < critical
    places = (("won", 0), ("close", 1), ("language", 4), ("rest", 4))
    tasks = [task(key, place, 40, Criterion(bar=0.5, critical=critical)) for key, place in places]
    close = random.Random(1).sample([RIGHT] * few + [WRONG] * (40 - few), 40)
    outcomes = {"won": [RIGHT] * 40, "close": close, "language": [RIGHT] * 40, "rest": [RIGHT, WRONG] * 20}
    found = in_order(World(tasks, outcomes, Aim.VERDICT, Shares(4, 0.2, 0.0, 0.01))).decided
    assert (found.complete, found.verdict) == (True, 5)
    assert [told.state for told in found.tasks] == [TaskState.WON] * 3 + [TaskState.NOT_NEEDED]
    assert 0 < found.tasks[3].drawn < 40


@pytest.mark.parametrize(("place", "rewards"), [(4, True), (0, False)])
def test_nothing_is_bet_on_a_task_whose_win_attains_no_third_level(place: int, rewards: bool) -> None:
    """Such tasks are asked where a level hangs on how many are won."""
    critical = critical_count(40, 0.5, 3, 0.2)
    exact = Criterion(bar=0.5, critical=critical)
    tasks = [task("close", 1, 40, exact), task("other", place, 40, replace(exact, rewards=rewards)), task("lost", 4, 40, exact)]
    right = critical_count(40, 0.5, 2, 0.2) - 1
    assert critical_count(40, 0.5, 1, 0.2) <= right
    close = random.Random(1).sample([RIGHT] * right + [WRONG] * (40 - right), 40)
    outcomes = {"close": close, "other": [RIGHT] * 40, "lost": [RIGHT, WRONG] * 20}
    found = in_order(World(tasks, outcomes, Aim.VERDICT, Shares(3, 0.2, 0.2, 1e-6))).decided
    assert found.complete
    assert [told.state for told in found.tasks] == [TaskState.NOT_WON, TaskState.WON, TaskState.NOT_WON]
    assert [level.state for level in found.levels] == [LevelState.NOT_ATTAINED] * 3


def test_a_close_task_that_would_not_be_won_if_all_that_is_open_were_is_told_without_asking_that() -> None:
    exact = Criterion(bar=0.5, critical=critical_count(40, 0.5, 4, 0.2))
    tasks = [task(key, place, 40, exact) for key, place in (("close", 1), ("lost", 0), ("worse", 2), ("language", 4))]
    right = critical_count(40, 0.5, 2, 0.2) - 1
    assert critical_count(40, 0.5, 1, 0.2) <= right
    close = random.Random(1).sample([RIGHT] * right + [WRONG] * (40 - right), 40)
    outcomes = {"close": close, "lost": [WRONG] * 40, "worse": [WRONG] * 40, "language": [RIGHT] * 40}
    found = in_order(World(tasks, outcomes, Aim.VERDICT, Shares(4, 0.2, 0.0, 0.01)))
    assert [level.state for level in found.decided.levels] == [LevelState.NOT_ATTAINED] * 3
    assert [told.drawn for told in found.decided.tasks] == [40, *[told.drawn for told in found.decided.tasks[1:3]], 0]


@pytest.mark.parametrize(("p_value", "state"), [(None, TaskState.WON), (0.19, TaskState.WON), (0.21, TaskState.NOT_WON)])
def test_what_is_looked_at_again_may_have_all_of_its_units(
    monkeypatch: pytest.MonkeyPatch, p_value: float | None, state: TaskState
) -> None:
    """Of a task that is predicted, and of one that is told as a whole."""
    monkeypatch.setattr(decider, "FEW", 2)
    critical, half, whole = (critical_count(40, 0.5, tests, 0.2) for tests in (4, 2, 1))
    assert whole < half
    exact = Criterion(bar=0.5, critical=critical)
    tasks = [task(key, number, 40, exact) for number, key in enumerate("abc")]
    tasks.append(task("close", 3, 40, exact if p_value is None else Criterion(bar=0.5, whole="all at once")))
    close = [RIGHT] * (half - 1) + [WRONG] * (40 - half)
    random.Random(3).shuffle(close)
    outcomes = {"a": [RIGHT] * 40, "b": [RIGHT] * 40, "c": [RIGHT] * 40, "close": [*close, WRONG]}
    found = in_order(World(tasks, outcomes, Aim.WINS, Shares(4, 0.2, 0.0, 0.0), whole={"close": p_value})).decided
    assert found.complete
    assert [(told.state, told.drawn == 40) for told in found.tasks] == [(TaskState.WON, False)] * 3 + [(state, True)]


def test_a_bar_that_is_raised_at_a_second_look_is_held_against_all_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decider, "FEW", 2)
    units, share = EARLY - 4, 0.2
    right = critical_count(units, 0.52, 1, share)
    assert right < min(critical_count(units, bar, 2, share) for bar in (0.5, 0.52)), "neither is certified by the first look"
    low, high = (Criterion(bar=bar, critical=critical_count(units, bar, 4, share)) for bar in (0.5, 0.52))
    tasks = [task(key, number, units, low) for number, key in enumerate(("a", "b", "c", "close"))]
    close = random.Random(3).sample([RIGHT] * right + [WRONG] * (units - right), units)
    outcomes = {"a": [RIGHT] * units, "b": [RIGHT] * units, "c": [RIGHT] * units, "close": close}
    found = in_order(World(tasks, outcomes, Aim.WINS, Shares(4, share, 0.0, 0.0), raised={"close": high})).decided
    assert [(told.state, told.criterion.bar) for told in found.tasks] == [(TaskState.WON, 0.5)] * 3 + [(TaskState.WON, 0.52)]


def test_nothing_further_is_asked_for_a_level_that_hangs_on_a_failed_answer_alone() -> None:
    critical, low = critical_count(40, 0.5, 3, 0.2), critical_count(40, 0.5, 2, 0.2)
    tasks = [task(key, place, 40, Criterion(bar=0.5, critical=critical)) for key, place in (("close", 0), ("language", 4))]
    close = [RIGHT] * (low - 1) + [WRONG] * (40 - low)
    random.Random(2).shuffle(close)
    found = in_order(World(tasks, {"close": [*close, OPEN], "language": [RIGHT] * 40}, Aim.VERDICT, Shares(3, 0.2, 0.0, 0.0))).decided
    assert (found.complete, found.levels[0].state) == (False, LevelState.UNDECIDED)
    assert [told.drawn for told in found.tasks] == [40, 0]
