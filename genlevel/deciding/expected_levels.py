"""How many answers a run takes until its verdict is decided, by simulation: the decider itself asks, up to a number of draws.

What is undecided then is about what all tasks take that the levels still depend on, each until it is decided by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from genlevel.benchmark.model import Modality, Paradigm
from genlevel.deciding.decider import Decider
from genlevel.deciding.expected import Simulated, own_epsilon, simulated
from genlevel.deciding.values import Aim, LevelState, Shares, TaskToDecide

if TYPE_CHECKING:
    from genlevel.deciding.expected import Counts, Floats

MOST_DRAWS = 60_000
"""Of all simulated runs together: some seconds."""
Sides = Mapping[tuple[Modality, Paradigm | None], Sequence[int]]


def answers_of_verdict(tasks: Sequence[TaskToDecide], truths: Floats, shares: Shares, seed: int) -> Counts:
    """Answers asked of each task (columns) in each simulated run (rows of ``truths``) until the highest level is decided."""
    import numpy as np

    found = np.zeros(truths.shape, dtype=np.int64)
    epsilon = own_epsilon(tasks, shares)
    known = [
        simulated(task, truths[:, place], epsilon, np.random.Generator(np.random.SFC64([seed, place]))) for place, task in enumerate(tasks)
    ]
    sides = _sides(tasks)
    for run in range(len(truths)):
        asked, states = _asked(tasks, known, run, shares, MOST_DRAWS // len(truths))
        units = np.array([asked[task.key] for task in tasks], dtype=np.int64)
        for place in _missing(sides, known, run, states):
            units[place] = max(units[place], known[place].units[run])
        found[run] = [one.answers(units[place : place + 1])[0] for place, one in enumerate(known)]
    return found


def _asked(
    tasks: Sequence[TaskToDecide], known: Sequence[Simulated], run: int, shares: Shares, most: int
) -> tuple[Counter[str], Mapping[int, LevelState]]:
    """Units asked of each task by its key, and what is decided of the levels, after at most so many draws."""
    decider = Decider(Aim.VERDICT, tasks, shares, seed=run)
    by_key = {one.task.key: one for one in known}
    asked: Counter[str] = Counter()
    while not decider.over and asked.total() < most:
        for key in list(decider.wanted_bars):
            decider.settle_bar(key, None)
        for key in list(decider.wanted_outcomes):
            decider.settle_whole(key, 0.0 if by_key[key].won[run] else 1.0)
        for draw in decider.draws(1):
            asked[draw.task] += 1
            decider.weigh(draw.number, by_key[draw.task].unit(run, draw.unit))
    return asked, {level.level: level.state for level in decider.decided().levels}


def _missing(sides: Sides, known: Sequence[Simulated], run: int, states: Mapping[int, LevelState]) -> Iterable[int]:
    """Places of the tasks that the levels still depend on.

    To rule out a pair of sides one of them suffices; the cheaper one is taken, and of a pair that is won both.
    """
    if LevelState.UNDECIDED not in states.values():
        return []
    units = {side: sum(int(known[place].units[run]) for place in places) for side, places in sides.items()}
    won = {side for side, places in sides.items() if any(known[place].won[run] for place in places)}
    outside = [side for side in sides if side[1] is not None]
    if states[3] is LevelState.UNDECIDED and not won.intersection(outside):
        return [place for side in outside for place in sides[side]]
    asked: list[tuple[Modality, Paradigm | None]] = []
    attained = states[4] is LevelState.ATTAINED
    if states[4] is LevelState.UNDECIDED:
        pairs = [[(modality, paradigm) for paradigm in Paradigm] for modality in {side[0] for side in outside}]
        both = [pair for pair in pairs if won.issuperset(pair)]
        attained = bool(both)
        if both:
            asked += min(both, key=lambda pair: sum(units[side] for side in pair))
        else:
            asked += [min((side for side in pair if side not in won), key=lambda side: units.get(side, 0)) for pair in pairs]
    if attained and states[5] is LevelState.UNDECIDED:
        asked += [side for side in sides if side[1] is None]
    return [place for side in asked for place in sides.get(side, ())]


def _sides(tasks: Sequence[TaskToDecide]) -> Sides:
    """Places of the tasks whose wins attain a level, by modality and paradigm."""
    found: dict[tuple[Modality, Paradigm | None], list[int]] = {}
    for place, task in enumerate(tasks):
        if task.criterion.rewards and not task.criterion.obstacle:
            found.setdefault((task.modality, task.paradigm), []).append(place)
    return found
