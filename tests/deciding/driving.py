"""A small benchmark whose outcomes are all known, and ways to drive a decider over it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from genlevel.deciding.decider import Decider
from genlevel.deciding.values import Aim, Criterion, Decided, Draw, Shares, TaskToDecide, Unit

LOOKED_AT = 0.1
"""How often it is looked at which draws on the way need no answer any more."""
SHARES = Shares(tests=4, wins=0.2, pooled=0.2, epsilon=0.4)


@dataclass(frozen=True)
class World:
    """All that decides. outcomes: by task. raised: the criteria that tasks have once their bars are asked for. turned: (unit, criterion) of
    answers that show that a task is to be decided otherwise. whole: the p-values of tasks that are told as a whole."""

    tasks: Sequence[TaskToDecide]
    outcomes: Mapping[str, Sequence[Unit]]
    aim: Aim = Aim.VERDICT
    shares: Shares = SHARES
    seed: int = 1
    with_uncertifiable: bool = False
    raised: Mapping[str, Criterion] = field(default_factory=dict)
    turned: Mapping[tuple[str, int], Criterion] = field(default_factory=dict)
    whole: Mapping[str, float | None] = field(default_factory=dict)

    def decider(self) -> Decider:
        return Decider(self.aim, self.tasks, self.shares, seed=self.seed, with_uncertifiable=self.with_uncertifiable)

    def weigh(self, decider: Decider, draw: Draw) -> None:
        decider.weigh(draw.number, self.outcomes[draw.task][draw.unit], self.turned.get((draw.task, draw.unit)))

    def settle(self, decider: Decider) -> bool:
        """Whether anything was wanted."""
        bars, wholes = decider.wanted_bars, decider.wanted_outcomes
        for key in bars:
            decider.settle_bar(key, self.raised.get(key))
        for key in wholes:
            decider.settle_whole(key, self.whole.get(key, 1.0))
        return bool(bars or wholes)


@dataclass
class Driven:
    """What came of it. asked: by number, all draws that were asked."""

    decided: Decided
    asked: dict[int, Draw]

    @property
    def units(self) -> list[tuple[str, int]]:
        return [(draw.task, draw.unit) for draw in self.asked.values()]


def in_order(world: World) -> Driven:
    """One unit at a time, each weighed before the next is asked."""
    return shuffled(world, random.Random(0), slots=1, patience=0.0)


def shuffled(world: World, chance: random.Random, *, slots: int, patience: float = 0.5) -> Driven:
    """So many in flight, that come back in any order; what is wanted is told now, or with this chance only after others came back."""
    decider, asked = world.decider(), dict[int, Draw]()
    flight: list[Draw] = []
    while not decider.over:
        if (not flight or chance.random() >= patience) and world.settle(decider):
            continue
        most = chance.randint(0, slots) if flight else slots
        for draw in decider.draws(most):
            assert draw.number not in asked, "given out twice"
            asked[draw.number] = draw
            flight.append(draw)
        if chance.random() < LOOKED_AT:
            flight = [draw for draw in flight if decider.needs(draw) or chance.random() < 0.5]
        if flight and (len(flight) >= slots or chance.random() < 0.7):
            world.weigh(decider, flight.pop(chance.randrange(len(flight))))
        elif not flight and most == slots:
            assert world.settle(decider) or decider.over, "nothing to do, and not over"
    return Driven(decider.decided(), asked)


def restarted(world: World, chance: random.Random, *, slots: int, times: int) -> Driven:
    """Killed again and again: a new decider finds the answers of the earlier ones."""
    journal: set[tuple[str, int]] = set()
    asked: dict[int, Draw] = {}
    for time in range(times + 1):
        decider, flight = world.decider(), list[Draw]()
        left = chance.randint(1, 40) if time < times else 10**9
        while not decider.over and left > 0:
            if world.settle(decider):
                continue
            for draw in decider.draws(slots):
                asked[draw.number] = draw
                if (draw.task, draw.unit) in journal:
                    world.weigh(decider, draw)
                else:
                    flight.append(draw)
            if flight:
                draw = flight.pop(chance.randrange(len(flight)))
                journal.add((draw.task, draw.unit))
                world.weigh(decider, draw)
                left -= 1
    return Driven(decider.decided(), asked)
