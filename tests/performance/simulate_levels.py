"""Runs that are asked until their verdict is decided, by the decider itself: published models, models with wins, and nulls.

Each task's answers are a population in the seeded order, right or wrong or graded; a graded unit is asked of the decider as it is.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from simulate_wins import ALPHA, EPSILON, SHAPES, Truth, found_criteria, p_value, run_shares, tasks_to_decide

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Modality, Paradigm, Task
from genlevel.deciding.decider import Decider
from genlevel.deciding.holm import Holm
from genlevel.deciding.values import Aim, Criterion, Decided, LevelState, Shares, TaskState, TaskToDecide, Unit
from scorer.certify import Ends, Estimate, Status, TaskEvidence, certify
from scorer.certify.criteria import PlannedTask, against_specialists, criterion, critical_count
from scorer.certify.obstacles import obstacle_of
from scorer.certify.samples import Sample, Sizes
from scorer.levels.rules import judge, judge_all
from scorer.metrics.registry import nature_of

Array = Any


@dataclass(frozen=True)
class Population:
    """A task with what its units add in the full run, in the seeded order."""

    task: TaskToDecide
    above: Array
    below: Array

    def unit(self, place: int) -> Unit:
        both = (float(self.above[place]), float(self.below[place]))
        return Unit(both, both)

    @property
    def p_value(self) -> float:
        """Of the full run's test."""
        return 1.0 if self.task.criterion.obstacle or self.task.criterion.whole else p_value(self.task.criterion, self.above, self.below)


@dataclass(frozen=True)
class Early:
    """What a run came to. asked: units, with one call in flight. third: draws when Level 3 was attained, 0 if it was not; pooled: without a
    win. full_level: the highest level that the full run's certificate has, 0 if it is none of 3 to 5."""

    asked: int
    total: int
    third: int
    pooled: bool
    full_level: int
    decided: Decided

    @property
    def full_third(self) -> bool:
        return self.full_level >= 3


def populations(tasks: Sequence[TaskToDecide], shares: Sequence[float], shape: str, seed: Sequence[int]) -> list[Population]:
    """shape: of graded tasks with bounded means, one of ``simulate_wins.SHAPES``; "" takes answers as right or wrong."""
    found = []
    for place, (task, share) in enumerate(zip(tasks, shares, strict=True)):
        rng, count = np.random.Generator(np.random.SFC64([*seed, place])), len(task.units)
        below = np.ones(count)
        if task.criterion.bets is not None and task.criterion.most > 1.0:
            below = 2.0 * rng.integers(1, 7, count)
            above = 2.0 * rng.binomial((below / 2.0).astype(int), share)
        elif task.criterion.bets is not None and shape and 0.003 < share < 0.997:
            above = SHAPES[shape](share, count)(rng, 1)[0]
        else:
            above = (rng.random(count) < share).astype(float)
        found.append(Population(task, above, below))
    return found


def run(known: Sequence[Population], shares: Shares, seed: int, *, most: int = 10**9, until_third: bool = False) -> Early:
    """most: units asked, after which nothing more is. until_third: it is over once Level 3 is decided."""
    decider = Decider(Aim.VERDICT, [one.task for one in known], shares, seed=seed)
    by_key = {one.task.key: one for one in known}
    asked = 0
    while not decider.over and asked < most:
        for key in list(decider.wanted_bars):
            decider.settle_bar(key, None)
        for key in list(decider.wanted_outcomes):
            decider.settle_whole(key, 1.0)
        for draw in decider.draws(1):
            asked += 1
            decider.weigh(draw.number, by_key[draw.task].unit(draw.unit))
        if until_third and asked % 64 == 0 and decider.decided().levels[0].state is not LevelState.UNDECIDED:
            break
    decided = decider.decided()
    third = decided.levels[0]
    return Early(
        asked=asked,
        total=sum(len(one.task.units) for one in known),
        third=third.decided_at if third.state is LevelState.ATTAINED else 0,
        pooled=third.by.startswith("pooled"),
        full_level=full_level(known),
        decided=decided,
    )


def full_level(known: Sequence[Population]) -> int:
    """The highest level that the full run certifies, by Holm's procedure: 3 to 5, or 0."""
    holm = Holm.of(run_shares(EPSILON), len(known))
    certified = set(holm.certified(0, {one.task.key: one.p_value for one in known}))
    won = {(one.task.modality, one.task.paradigm) for one in known if one.task.criterion.rewards and one.task.key in certified}
    if not any(paradigm for _modality, paradigm in won):
        return 0
    both = any(won.issuperset({(modality, Paradigm.COMPREHENSION), (modality, Paradigm.GENERATION)}) for modality in Modality)
    return (5 if (Modality.LANGUAGE, None) in won else 4) if both else 3


def published_run(truth: Truth, shape: str, seed: int, **options: Any) -> Early:
    """All tasks that a value of the model was published of and that have a test."""
    places = [place for place in truth.shares if not found_criteria().tasks[place].whole]
    known = populations([tasks_to_decide()[place] for place in places], [truth.shares[place] for place in places], shape, [11, seed])
    return run(known, run_shares(EPSILON), seed, **options)


@dataclass(frozen=True)
class Beside:
    """A run until its wins are decided, and one until its verdict is, beside what the scorer certifies of the full run's answers."""

    model: str
    asked: int
    total: int
    certified: int
    apart: int
    verdict: int | None
    certified_verdict: int | None


def beside_certificate(truth: Truth, shape: str, seed: int) -> Beside:
    places = [place for place in truth.shares if not found_criteria().tasks[place].whole]
    known = populations([tasks_to_decide()[place] for place in places], [truth.shares[place] for place in places], shape, [15, seed])
    evidence = [_evidence(one, general_bench().tasks[place]) for one, place in zip(known, places, strict=True)]
    values: dict[str, float | None] = {one.task.id: one.low.value for one in evidence}
    certificate = certify(judge_all(general_bench(), values), evidence, ALPHA)
    certified = {one.task.id for one in certificate.tasks if one.status is Status.ATTAINED}
    asked, decided = _asked(known, Decider(Aim.WINS, [one.task for one in known], run_shares(EPSILON), seed=seed))
    apart = certified ^ {one.key for one in decided.tasks if one.state is TaskState.WON}
    verdict = run(known, run_shares(EPSILON), seed).decided.verdict
    total = sum(len(one.task.units) for one in known)
    return Beside(truth.model, asked, total, len(certified), len(apart), verdict, certificate.verdict)


def _evidence(one: Population, task: Task) -> TaskEvidence:
    """Of all answers, as a run's store would have it."""
    count, nature = len(one.above), nature_of(task.metric)
    assert nature is not None
    lowest, highest = (nature.lowest, nature.highest) if 1.0 < nature.highest < math.inf else (0.0, 100.0)
    score = lowest + (highest - lowest) * float(one.above.sum() / one.below.sum())
    if one.task.criterion.critical is not None:
        end = Estimate(score, None, count, binary=True)
    else:
        sizes = Sizes.ANSWERED if one.task.criterion.most > 1.0 else Sizes.ONE
        units = zip(one.above.tolist(), one.below.tolist(), strict=True)
        end = Estimate(score, None, count, sample=Sample.of(units, sizes, (lowest, highest)))
    return TaskEvidence.of(task, Ends(end, end))


def _asked(known: Sequence[Population], decider: Decider) -> tuple[int, Decided]:
    by_key, asked = {one.task.key: one for one in known}, 0
    while not decider.over:
        for key in list(decider.wanted_bars):
            decider.settle_bar(key, None)
        for draw in decider.draws(1):
            asked += 1
            decider.weigh(draw.number, by_key[draw.task].unit(draw.unit))
    return asked, decider.decided()


def better_run(seed: int, shape: str, **options: Any) -> Early:
    """A model that is 8 to 15 points better than its specialists on 10 to 30 % of all tasks that have a test, and worse on the others."""
    rng = np.random.default_rng([12, seed])
    tasks = [task for task in tasks_to_decide() if not (task.criterion.obstacle or task.criterion.whole)]
    part = rng.uniform(0.1, 0.3)
    shares = []
    for task in tasks:
        points = rng.uniform(0.08, 0.15) if rng.random() < part else -rng.uniform(0.05, 0.25)
        shares.append(float(np.clip(task.criterion.bar + points, 0.01, 0.99)))
    return run(populations(tasks, shares, shape, [13, seed]), run_shares(EPSILON), seed, **options)


@dataclass(frozen=True)
class Null:
    """Tasks whose truth is their bar. draw: (generator, units) -> what they add above. units: of each task; None: its own. sizes: of its
    clusters. items: units are documents of some items, of which one in a hundred is huge and fails."""

    name: str
    bar: float | None
    draw: Callable[[np.random.Generator, int], Array] | None
    units: int | None
    sizes: tuple[int, ...] = ()
    items: bool = False


def _near_perfect(zeros: float, least: float) -> tuple[float, Callable[[np.random.Generator, int], Array]]:
    mean = (1.0 - zeros) * (1.0 + least) / 2.0
    return mean, lambda rng, count: np.where(rng.random(count) < zeros, 0.0, rng.uniform(least, 1.0, count))


def nulls() -> tuple[Null, ...]:
    found = [Null(f"right or wrong, n = {count or 'real'}", None, None, count) for count in (25, 50, None)]
    for zeros, least in ((0.02, 0.98), (0.005, 0.995)):
        mean, draw = _near_perfect(zeros, least)
        found += [
            Null(f"graded, {100 * zeros:g} % zeros, else {least:g}-1, n = {count or 'real'}", mean, draw, count) for count in (25, 50, None)
        ]
    found.append(Null("one cluster holds half of the data", 0.7, None, None, (100, *[2] * 50)))
    found.append(Null("one cluster is ten times as large as the others", 0.7, None, None, (20, *[2] * 490)))
    found.append(Null("100 clusters of 20, each of them right or wrong", 0.9, None, None, (20,) * 100))
    found.append(Null("pooled counts, 1 % of huge failing documents, n = 2,000", None, None, 2000, items=True))
    return tuple(found)


def null_run(null: Null, seed: int, shares: Shares, most: int) -> Early:
    """Tasks of the benchmark that have a test of answers or of their mean, in the place of their own answers such as the null's."""
    known = []
    for place, task in enumerate(tasks_to_decide()):
        criterion = task.criterion
        if criterion.obstacle or criterion.whole or (criterion.bets is not None and criterion.most > 1.0):
            continue
        rng = np.random.Generator(np.random.SFC64([14, seed, place]))
        known.append(_null_population(null, place, null.units or len(task.units), rng))
    return run(known, shares, seed, most=most)


def _null_population(null: Null, place: int, units: int, rng: np.random.Generator) -> Population:
    task = tasks_to_decide()[place]
    if null.sizes:
        sizes = rng.permutation(null.sizes).astype(float)
        of_sizes = _criterion("accuracy", null.bar or 0.5, sum(null.sizes), null.sizes)
        right = (rng.random(len(sizes)) < of_sizes.bar).astype(float)
        return Population(replace(task, units=sizes.astype(int).tolist(), criterion=of_sizes), right * sizes, sizes)
    if null.items:
        huge = rng.random(units) < _HUGE
        below = np.where(huge, 200.0, 2.0 * rng.integers(1, 7, units))
        above = np.where(huge, 0.0, 2.0 * rng.binomial((below / 2.0).astype(int), _RIGHT))
        share = (1.0 - _HUGE) * 7.0 * _RIGHT / ((1.0 - _HUGE) * 7.0 + _HUGE * 200.0)
        return Population(replace(task, units=[1] * units, criterion=_criterion("micro_f1", share, units)), above, below)
    if null.draw is not None and null.bar is not None:
        graded = replace(task, units=[1] * units, criterion=_criterion("f1", null.bar, units))
        return Population(graded, null.draw(rng, units), np.ones(units))
    binary = replace(task, units=[1] * units, criterion=_criterion("accuracy", min(max(task.criterion.bar, 0.02), 0.98), units))
    return Population(binary, (rng.random(units) < binary.criterion.bar).astype(float), np.ones(units))


_HUGE, _RIGHT = 0.01, 0.95
"""The share of huge documents, and of the items of others that are right."""


def copies_run(seed: int, copies: int, *, alike: bool) -> Early:
    """Tasks at their bar; alike: one task under several names, of which each has its own order. The wealth is to reach 100."""
    found, count, bar = run_shares(EPSILON), 300, 0.6
    rng = np.random.Generator(np.random.SFC64([17, seed, copies]))
    exact = Criterion(bar=bar, critical=critical_count(count, bar, found.tests, found.wins))
    first = (rng.random(count) < bar).astype(float)
    known = []
    for number in range(copies):
        right = rng.permutation(first) if alike else (rng.random(count) < bar).astype(float)
        task = TaskToDecide(f"t{number}", Modality.IMAGE, list(Paradigm)[number % 2], [1] * count, exact)
        known.append(Population(task, right, np.ones(count)))
    return run(known, replace(found, pooled=0.01), seed, until_third=True)


UNLUCKY, MEASURED = 188, 464
"""Tasks, and instances that their specialists were measured on."""


def unlucky_run(seed: int, *, limits: bool) -> Early:
    """A model exactly as good as its specialists, whose published figures came out by chance. limits: bars are upper ends of where the
    specialists' own true scores may be, else the figures."""
    rng, found = np.random.Generator(np.random.SFC64([16, seed])), found_criteria()
    places = [place for place, criterion in enumerate(found.tasks) if criterion.critical is not None and criterion.rewards]
    outside = [place for place in places if general_bench().tasks[place].modality is not Modality.LANGUAGE][:UNLUCKY]
    known = []
    for place in outside:
        true = rng.uniform(0.4, 0.9)
        published = round(100.0 * rng.binomial(MEASURED, true) / MEASURED, 2)
        planned = PlannedTask(judge(replace(general_bench().tasks[place], reference_workbook=published), None), MEASURED)
        bar = against_specialists(planned, found.tests, found.wins, MEASURED) if limits else criterion(planned, found.tests, found.wins)
        task = replace(tasks_to_decide()[place], units=[1] * MEASURED, criterion=bar)
        known.append(Population(task, (rng.random(MEASURED) < true).astype(float), np.ones(MEASURED)))
    return run(known, run_shares(EPSILON), seed, until_third=True)


@cache
def _criterion(metric: str, bar: float, instances: int, sizes: tuple[int, ...] = ()) -> Criterion:
    """Of a task with this metric and reference."""
    plain = next(task for task in general_bench().tasks if task.metric.id == metric and not obstacle_of(task.metric))
    of_bar = replace(plain, reference_workbook=100.0 * bar)
    found = found_criteria()
    planned = PlannedTask(judge(of_bar, None), instances, sizes=Counter(sizes) if sizes else {})
    return criterion(planned, found.tests, found.wins)
