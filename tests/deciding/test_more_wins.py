"""What is known late of some tasks: that more are won than the marks allow for at first, or that one has no score."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest

from genlevel.benchmark.model import Modality, Paradigm
from genlevel.deciding import decider
from genlevel.deciding.holm import at_least
from genlevel.deciding.values import RIGHT, WRONG, Aim, Criterion, LevelState, Shares, TaskState, TaskToDecide
from scorer.certify.criteria import critical_count
from tests.deciding.driving import World, in_order, restarted, shuffled

TESTS, WINS, UNITS = 8, 0.04, 60


def task(key: str, criterion: Criterion) -> TaskToDecide:
    return TaskToDecide(key, Modality.IMAGE, Paradigm.GENERATION, [1] * UNITS, criterion)


def world(epsilon: float) -> World:
    """Six tasks that are won for sure, one that Holm's seventh step certifies and its first four do not, and one that ratings decide."""
    exact = Criterion(bar=0.5, critical=critical_count(UNITS, 0.5, TESTS, WINS))
    late = critical_count(UNITS, 0.5, 2, WINS)
    assert WINS / 4 < at_least(late, UNITS, 0.5) <= WINS / 2
    tasks = [task(f"t{number}", exact) for number in range(6)] + [task("late", exact), task("rated", Criterion(bar=0.5, whole="rated"))]
    outcomes = {one.key: [RIGHT] * UNITS for one in tasks} | {"late": [RIGHT] * late + [WRONG] * (UNITS - late)}
    random.Random(5).shuffle(outcomes["late"])
    return World(tasks, outcomes, Aim.WINS, Shares(TESTS, WINS, 0.0, epsilon), whole={"rated": None})


@pytest.mark.parametrize("epsilon", [0.0, 0.01])
def test_what_is_not_won_at_first_is_looked_at_again_though_a_task_stays_undecided(monkeypatch: pytest.MonkeyPatch, epsilon: float) -> None:
    monkeypatch.setattr(decider, "FEW", 2)
    found = in_order(world(epsilon)).decided
    states = {told.key: told.state for told in found.tasks}
    assert states.pop("rated") is TaskState.UNDECIDED
    assert set(states.values()) == {TaskState.WON}
    chance = random.Random(1)
    for other in (shuffled(world(epsilon), chance, slots=30), restarted(world(epsilon), chance, slots=30, times=2)):
        assert other.decided == found


def test_a_task_whose_money_ended_keeps_no_other_from_being_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decider, "FEW", 2)
    known = world(0.01)
    run = known.decider()
    run.set_aside("rated")
    while not run.over:
        known.settle(run)
        for draw in run.draws(5):
            known.weigh(run, draw)
    states = {told.key: told.state for told in run.decided().tasks}
    assert (states["late"], states["rated"]) == (TaskState.WON, TaskState.UNDECIDED)


@pytest.mark.parametrize("raised", [Criterion(bar=0.4, obstacle="it has no score"), Criterion(bar=0.4, whole="as a whole")])
def test_what_was_won_on_a_task_that_is_not_won_and_has_no_test_is_taken_back(raised: Criterion) -> None:
    tasks = [replace(task(key, Criterion(bar=0.4, critical=units)), units=[1] * units) for key, units in (("a", 40), ("b", 12))]
    outcomes = {"a": [RIGHT] * 8 + [WRONG] * 32, "b": [RIGHT] * 10 + [WRONG] * 2}
    known = World(tasks, outcomes, Aim.VERDICT, Shares(2, 0.0, math.exp(-4.0), 0.0), seed=0)
    told = in_order(known).decided
    assert (told.tasks[0].state, told.levels[0].state) == (TaskState.NOT_WON, LevelState.ATTAINED)
    told = in_order(replace(known, raised={"a": raised})).decided
    assert (told.tasks[0].state, told.levels[0].state) == (TaskState.NOT_WON, LevelState.NOT_ATTAINED)


YES, NO = LevelState.ATTAINED, LevelState.NOT_ATTAINED
Places = list[tuple[Modality, Paradigm | None]]
SIDES: Places = [(Modality.IMAGE, paradigm) for paradigm in Paradigm]
LANGUAGE: Places = [(Modality.LANGUAGE, None)]


@pytest.mark.parametrize("aim", Aim)
@pytest.mark.parametrize(
    ("places", "wrong", "levels"),
    [
        ((SIDES, LANGUAGE), 1, [YES, YES, YES]),
        ((SIDES, LANGUAGE), 5, [YES, YES, NO]),
        ((LANGUAGE, SIDES), 1, [YES, NO, NO]),
        ((LANGUAGE, SIDES), 5, [NO, NO, NO]),
    ],
)
def test_a_level_that_a_late_step_may_attain_is_not_told_as_lost_before(
    monkeypatch: pytest.MonkeyPatch, aim: Aim, places: tuple[Places, Places], wrong: int, levels: list[LevelState]
) -> None:
    """A task is won by Holm's last step or by none, after 20 others: what its first mark says of it is not all."""
    monkeypatch.setattr(decider, "FEW", 2)
    monkeypatch.setattr(decider, "FEW_FOR_LEVELS", 2)
    (others, late), tests, won, units, bar = places, 24, 20, 10, 0.49
    assert WINS / 6 < at_least(units - 1, units, bar) <= WINS / (tests - won)
    exact = Criterion(bar=bar, critical=critical_count(units, bar, tests, WINS))
    other = replace(exact, rewards=others is SIDES)  # A win that adds to no level is one of Holm's all the same.
    tasks = [TaskToDecide(f"t{number}", *others[number % len(others)], [1] * units, other) for number in range(won)]
    tasks.append(TaskToDecide("late", *late[0], [1] * units, exact))
    outcomes = {one.key: [RIGHT] * units for one in tasks} | {"late": [RIGHT] * 3 + [WRONG] * wrong + [RIGHT] * (units - 3 - wrong)}
    known = World(tasks, outcomes, aim, Shares(tests, WINS, 0.0, 0.01))
    found = in_order(known).decided
    assert found.complete
    assert [level.state for level in found.levels] == levels
    chance = random.Random(1)
    for again in (shuffled(known, chance, slots=30), restarted(known, chance, slots=30, times=2)):
        assert again.decided == found
