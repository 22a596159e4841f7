"""A small model whose answers are known, and the pool and watch of its baseline."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from evaluator.monitors.core.draws import allocation, draw_tick
from evaluator.monitors.core.readings import Pooled, Reading
from evaluator.monitors.core.shares import Rules
from evaluator.monitors.core.streams import Layout, Place, streams_of
from evaluator.monitors.core.watch import Watch, make_watch


@dataclass
class Model:
    """Answers each instance right with a chance of its own; drop is taken from all of them in the same proportion."""

    rng: random.Random
    chances: dict[tuple[str, int], float] = field(default_factory=dict)
    drop: float = 0.0
    failing: float = 0.0

    def answer(self, task: str, position: int) -> Reading:
        chance = self.chances.setdefault((task, position), self.rng.choice([0.05] * 3 + [0.95] * 7))
        if self.rng.random() < self.failing:
            return Reading(failed=True)
        right = self.rng.random() < chance * (1.0 - self.drop / 0.68)
        refused = not right and self.rng.random() < 0.05
        return Reading(float(right), refused, latency_s=1.0 + self.rng.random(), output_tokens=self.rng.randrange(50))


@dataclass
class Setting:
    """A monitor of two modalities with two groups each."""

    model: Model
    layout: Layout
    pool: tuple[Pooled, ...]
    watch: Watch

    def tick(self, number: int) -> tuple[tuple[int, ...], dict[tuple[str, str], Reading]]:
        drawn = draw_tick(self.pool, self.watch.allocation, f"m:1:{number}")
        members = [self.pool[index] for index in drawn]
        return drawn, {(one.task, one.instance): self.model.answer(one.task, one.position) for one in members}


PLACES = [
    Place(f"{group}-{number}", group, modality, paradigm)
    for modality, paradigm, groups in (("image", "comprehension", ("counting", "charts")), ("language", "", ("algebra", "facts")))
    for group in groups
    for number in range(2)
]


def setting(*, sample: int = 40, per_task: int = 100, repeats: int = 5, tolerance: float = 0.01, seed: int = 1) -> Setting:
    model = Model(random.Random(seed))
    layout = streams_of(PLACES, sample)

    def pooled(task: str, position: int) -> Pooled:
        readings = tuple(model.answer(task, position) for _repeat in range(repeats))
        return Pooled(task, f"{task}:{position}", position, layout.stratum_of[task], readings)

    pool = tuple(pooled(place.task, position) for place in PLACES for position in range(per_task))
    sizes = [sum(one.stratum == stratum for one in pool) for stratum in range(len(layout.strata))]
    failures = [(0, size * repeats) for size in sizes]
    return Setting(model, layout, pool, make_watch(Rules(0.05, tolerance, 365), layout.streams, pool, allocation(sample, sizes), failures))


@pytest.fixture
def make_setting():
    return setting
