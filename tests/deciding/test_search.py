"""Which task is drawn next for the levels that are not known yet."""

from __future__ import annotations

import random

from genlevel.deciding.holm import Holm
from genlevel.deciding.orders import FIRST, WinsOrder
from genlevel.deciding.standing import Standing
from genlevel.deciding.values import RIGHT, WRONG, Aim, Criterion, LevelState, Shares
from scorer.certify.criteria import critical_count
from tests.deciding.driving import World, in_order
from tests.deciding.worlds import task

UNITS, OTHERS = 200, 30


def test_a_task_that_may_be_won_is_finished_before_others_are_begun() -> None:
    """A fifth of the tasks of language are just won. Without what a task's end promises, all of them are asked about as often: 1,270
    calls on average, not 880."""
    exact = Criterion(bar=0.5, critical=critical_count(UNITS, 0.5, 40, 0.04))
    tasks = [task("see", 0, UNITS, exact), task("draw", 1, UNITS, exact)]
    tasks += [task(f"t{number}", 4, UNITS, exact) for number in range(OTHERS)]
    assert exact.critical is not None
    asked = 0
    for seed in range(3):
        chance, outcomes = random.Random(seed), {"see": [RIGHT] * UNITS, "draw": [RIGHT] * UNITS}
        for number in range(OTHERS):
            right = exact.critical + chance.choice([4, 8]) if number % 5 == 0 else UNITS // 2
            outcomes[f"t{number}"] = chance.sample([RIGHT] * right + [WRONG] * (UNITS - right), UNITS)
        found = in_order(World(tasks, outcomes, Aim.VERDICT, Shares(40, 0.04, 0.0, 0.01), seed))
        assert [level.state for level in found.decided.levels] == [LevelState.ATTAINED] * 3
        asked += len(found.asked)
    assert asked < 3 * 1_050


def test_units_that_were_drawn_before_all_wins_are_looked_for_are_among_the_first_of_their_task() -> None:
    exact = Criterion(bar=0.5, critical=critical_count(UNITS, 0.5, 40, 0.04))
    holm = Holm.of(Shares(40, 0.04, 0.0, 0.01), 3)
    half, fresh, done = found = [Standing(task(key, 0, UNITS, exact), exact, 1e-3, holm) for key in ("half", "fresh", "done")]
    half.drawn, done.drawn = FIRST // 2, FIRST
    order, drawn = WinsOrder(found, with_uncertifiable=False), []
    for number in range(FIRST + FIRST // 2):
        one = order.next(number)
        assert one is not None
        one.drawn += 1
        order.drawn(one)
        drawn.append(one.key)
    assert drawn == ["fresh"] * (FIRST // 2) + ["half", "fresh"] * (FIRST // 2)
    assert [one.drawn for one in (half, fresh, done)] == [FIRST] * 3
