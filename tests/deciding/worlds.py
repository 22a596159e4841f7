"""Small benchmarks whose outcomes are all known: of every kind, and with p-values near what Holm's steps hold them against."""

from __future__ import annotations

import random

from hypothesis import strategies as st

from genlevel.benchmark.model import Modality, Paradigm
from genlevel.deciding.holm import at_least
from genlevel.deciding.values import (
    OPEN,
    RIGHT,
    WRONG,
    Aim,
    Bets,
    Criterion,
    LevelState,
    Shares,
    TaskToDecide,
    Unit,
)
from tests.deciding.driving import World

PLACES = [(modality, paradigm) for modality in (Modality.IMAGE, Modality.AUDIO) for paradigm in Paradigm] + [(Modality.LANGUAGE, None)]
HALF = Unit((0.5, 1.0), (0.5, 1.0))


def task(key: str, place: int = 0, units: int = 20, criterion: Criterion | None = None) -> TaskToDecide:
    modality, paradigm = PLACES[place]
    return TaskToDecide(key, modality, paradigm, [1] * units, criterion or Criterion(bar=0.4, critical=14))


def graded(bar: float, *, most: float = 1.0) -> Criterion:
    return Criterion(bar=bar, most=most, bets=Bets((0.3 / bar / most, 0.8 / bar / most), (0.5, 0.5), 2.0))


@st.composite
def worlds(draw: st.DrawFn, *, aims: tuple[Aim, ...] = tuple(Aim), epsilon: float = 0.4, wins: float = 0.2) -> World:
    tasks: list[TaskToDecide] = []
    outcomes: dict[str, list[Unit]] = {}
    raised: dict[str, Criterion] = {}
    turned: dict[tuple[str, int], Criterion] = {}
    chance = random.Random(draw(st.integers(0, 2**32)))
    for number in range(draw(st.integers(1, 7))):
        units, bar = chance.choice([0, 1, 3, 12, 40]), chance.choice([0.0, 0.3, 0.6, 1.0])
        critical = Criterion(bar=bar, critical=min(units + 1, int(bar * units) + chance.randint(1, 4)), rewards=chance.random() < 0.9)
        kinds = [critical, critical, Criterion(bar=bar, whole="all at once"), Criterion(obstacle="no test")]
        criterion = chance.choice([*kinds, graded(bar) if 0.0 < bar < 1.0 else critical])
        one = task(f"t{number}", chance.randrange(5), units, criterion)
        tasks.append(one)
        better = chance.random()
        of = [RIGHT, WRONG, OPEN] if criterion.critical is not None else [RIGHT, WRONG, OPEN, HALF]
        outcomes[one.key] = [RIGHT if chance.random() < better else chance.choice(of) for _ in range(units)]
        if criterion.critical is not None and chance.random() < 0.3:
            raised[one.key] = Criterion(bar=bar, critical=criterion.critical + chance.randint(1, 5), rewards=criterion.rewards)
        if units and chance.random() < 0.1:
            turned[one.key, chance.randrange(units)] = chance.choice([Criterion(whole="now"), Criterion(obstacle="now")])
    return World(
        tasks,
        outcomes,
        chance.choice(aims),
        Shares(4, wins, 0.2, epsilon),
        chance.randrange(100),
        chance.random() < 0.3,
        raised,
        turned,
        {one.key: chance.choice([0.0, 0.03, 0.07, 0.15, 0.5, None]) for one in tasks},
    )


def levels_of(world: World, wins: set[str]) -> dict[int, LevelState]:
    """By the rules, of all outcomes."""
    rewarded = {(one.modality, one.paradigm) for one in world.tasks if one.key in wins and one.criterion.rewards}
    fourth = any({(modality, paradigm) for paradigm in Paradigm} <= rewarded for modality in Modality)
    found = {3: any(place[1] for place in rewarded), 4: fourth, 5: fourth and (Modality.LANGUAGE, None) in rewarded}
    return {level: LevelState.ATTAINED if is_so else LevelState.NOT_ATTAINED for level, is_so in found.items()}


@st.composite
def close_worlds(draw: st.DrawFn) -> World:
    """Exact tests whose p-values are near what Holm's steps hold them against."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    number, share = chance.randint(2, 7), chance.choice([0.05, 0.2, 0.4])
    tasks: list[TaskToDecide] = []
    outcomes: dict[str, list[Unit]] = {}
    for place in range(number):
        units, bar = chance.randint(4, 30), chance.choice([0.2, 0.5, 0.8])
        critical = next(right for right in range(units + 2) if number * at_least(right, units, bar) <= share)
        tasks.append(task(f"t{place}", chance.randrange(5), units, Criterion(bar=bar, critical=critical, rewards=chance.random() < 0.9)))
        right = min(units, max(0, critical + chance.choice([-3, -1, -1, 0, 1])))
        outcomes[f"t{place}"] = chance.sample([RIGHT] * right + [WRONG] * (units - right), units)
    return World(tasks, outcomes, chance.choice(list(Aim)), Shares(number, share, 0.0, 0.0), chance.randrange(100))
