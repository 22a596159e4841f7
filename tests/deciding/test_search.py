"""Which task is drawn next for the levels that are not known yet."""

from __future__ import annotations

import random

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
