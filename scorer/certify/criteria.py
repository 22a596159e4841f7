"""What a full run's certificate will ask of each task, known before there are answers: critical counts, and bets with what they must win.

Of the published figures alone, and of each task by itself: a win at the m-th part of the share of all certified wins (Bonferroni). Holm's
procedure, which the certificate takes, certifies these wins, and may certify more. Scores are shares 0..1 here, and higher is better: of
an error what is missing stands for what is there, as ``scorer.certify.betting`` tests "worse".
A certificate rounds what units add to ``DIGITS``, as ``genlevel.deciding.summing`` does: numbers before rounding differ in ties alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from genlevel.benchmark.metrics import Direction, metric
from genlevel.benchmark.model import Task
from genlevel.deciding.values import Bets, Criterion
from scorer.certify import specialists
from scorer.certify.claims import Claim
from scorer.certify.distributions import binomial_at_least
from scorer.certify.ends import Kind, most_items
from scorer.certify.intervals import clopper_pearson
from scorer.certify.shares import Shares, is_rejected
from scorer.levels.rules import TaskResult
from scorer.metrics.nature import Nature, Proof
from scorer.metrics.registry import create, nature_of

RATED = "its ratings come once it has all of its answers"
NOTHING_LEFT = "nothing of the error is left for a plan of this number"
NOT_ASKED = "no instance of it is asked"
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task as the full run asks it. result: its place in the benchmark, without a value.

    instances: how many. repeats: answers to each. sizes: of units that share a medium or a text, how many there are by how many instances
    they hold; empty: each instance is a unit. rated: its ratings come after its answers. constant: what the best constant answer scores,
    in the metric's unit; None: not known. problem: why it cannot be scored here, in one line.
    """

    result: TaskResult
    instances: int
    repeats: int = 1
    sizes: Mapping[int, int] = field(default_factory=dict)
    rated: bool = False
    constant: float | None = None
    problem: str = ""

    @property
    def units(self) -> Mapping[int, int]:
        """How many units there are by size. What all instances share makes no unit of them (``shared_clusters``)."""
        return {1: self.instances} if not self.sizes or self.sizes == {self.instances: 1} else self.sizes


@dataclass(frozen=True, slots=True)
class Criteria:
    """In the order of the tasks asked for. tests: m. wins: the share of all certified wins. pooled: that of the pooled test of Level 3."""

    tasks: tuple[Criterion, ...]
    tests: int
    wins: float
    pooled: float


def criteria(results: Sequence[TaskResult], planned: Sequence[PlannedTask], alpha: float, plan: int = 1) -> Criteria:
    """results: all tasks of the benchmark. planned: all that the run asks, as ``pooled`` follows from their number."""
    tests = sum(Claim(result).counts for result in results)
    asked = sum(Claim(task.result).counts and not task.problem for task in planned)
    shares = Shares.of(alpha, plan, asked / max(1, tests))
    return Criteria(tuple(criterion(task, tests, shares.wins) for task in planned), tests, shares.wins, shares.lost_levels)


def criterion(task: PlannedTask, tests: int, share: float, *, least: float = 0.0) -> Criterion:
    """Of one task, at the part of ``share`` that one of so many ``tests`` has. least: what the bar is at least."""
    claim = Claim(task.result)
    rewards = claim.rewards
    reference, nature = task.result.reference, nature_of(claim.task.metric)
    obstacle = claim.obstacle or task.problem or ("" if share > 0.0 else NOTHING_LEFT) or ("" if task.instances else NOT_ASKED)
    if obstacle or nature is None or reference is None:
        return Criterion(obstacle=obstacle, rewards=rewards)
    scores = [reference] if task.constant is None else [reference, task.constant]
    bar = max(least, *(share_of(claim.task, score) for score in scores))
    if whole := nature.whole or (RATED if task.rated else ""):
        test = Kind.PAIRS.value if nature.proof is Proof.PAIR_BETTING else ""
        return Criterion(bar=bar, whole=whole, test=test, rewards=rewards)
    if _is_exact(task, nature):
        critical = critical_count(task.instances, min(max(bar, 0.0), 1.0), tests, share)
        return Criterion(bar=bar, critical=critical, test=Kind.BINARY.value, rewards=rewards)
    kind, most = _kind(task, nature)
    test = str(kind.value).format(f"{most:g}")
    if bar >= 1.0:
        return Criterion(bar=bar, most=most, critical=task.instances + 1, test=test, rewards=rewards)
    bar = max(bar, _LEAST)
    found = _bets(task, bar, math.log(tests / share), pooled=kind is Kind.COUNTS)
    return Criterion(bar=bar, most=most, bets=found, test=test, rewards=rewards)


def against_specialists(task: PlannedTask, tests: int, share: float, units: int) -> Criterion:
    """The same against the specialist's own true score, its figure being known on so many instances; whether or not this is decided early.

    Half of the error says how high that score may be, half is the test's against this limit: by the union bound a false win is at most
    as likely as ``share`` / ``tests``. The certificate's own tests (``scorer.certify.specialists``) look at both sides at once and are a
    little stronger, but no mark for the model's answers alone follows from them.
    """
    claim = Claim(task.result, units=units)
    if claim.obstacle or share <= 0.0:
        return Criterion(obstacle=claim.obstacle or NOTHING_LEFT, rewards=claim.rewards)
    return criterion(task, tests, share / 2.0, least=specialist_limit(task, units, share / 2.0 / tests))


def specialist_limit(task: PlannedTask, units: int, error: float) -> float:
    """The share that the specialist's own true score is at most, but for this error. Raises ValueError for a task without reference."""
    reference, asked = task.result.reference, task.result.task
    nature = nature_of(asked.metric)
    if reference is None or nature is None:
        raise ValueError(f"task {asked.id!r} has no specialist to be above")
    higher = metric(asked.metric.id).direction is Direction.HIGHER
    if _is_exact(task, nature):
        share, step = share_of(asked, reference), specialists.least_step(reference) / 100.0
        right = specialists.successes(share, units, step, better=True)
        return clopper_pearson(right, units, 1.0 - 2.0 * error)[1]
    found = min(max(share_of(asked, specialists.hardest(reference, better=higher)), 0.0), 1.0)
    return specialists.highest_share(specialists.specialist_wealth(found, units / _kind(task, nature)[1]), error)


def critical_count(trials: int, bar: float, tests: int, share: float) -> int:
    """The fewest right answers that are certified to be a share above the bar; one more than there are trials if none are.

    >>> critical_count(100, 0.5, 500, 0.0405), critical_count(5, 0.5, 500, 0.0405)
    (70, 6)
    """
    low, high = 0, trials + 1
    while low < high:
        middle = (low + high) // 2
        # As Holm's first step has it.
        if is_rejected(min(1.0, tests * binomial_at_least(middle, trials, bar)), share):
            high = middle
        else:
            low = middle + 1
    return high


def share_of(task: Task, score: float) -> float:
    """A score in the metric's unit as a share that higher is better of; below 0 or above 1 if it is outside of the metric's bounds."""
    from scorer.metrics.parts import bounds_of

    made = create(task.metric.id, dict(task.metric.parameters), measuring=False)
    lowest, highest = (0.0, 100.0) if made is None or made.nature.proof is Proof.PAIR_BETTING else bounds_of(made)
    share = (score - lowest) / (highest - lowest)
    return share if metric(task.metric.id).direction is Direction.HIGHER else 1.0 - share


def _is_exact(task: PlannedTask, nature: Nature) -> bool:
    """Whether each answer is a unit of its own, and right or wrong."""
    return nature.is_share and task.repeats <= 1 and set(task.units) == {1}


def _kind(task: PlannedTask, nature: Nature) -> tuple[Kind, float]:
    """What is tested, and the most that a unit can add below."""
    if nature.proof is Proof.POOLED_BETTING:
        return Kind.COUNTS, float(most_items(task.result.task))
    largest = float(max(task.units))
    return (Kind.CLUSTERS, largest) if largest > 1.0 else (Kind.MEAN, 1.0)


def _bets(task: PlannedTask, bar: float, log_threshold: float, *, pooled: bool) -> Bets:
    import numpy as np

    from scorer.certify import betting

    sizes, counts = np.array(list(task.units), dtype=float), np.array(list(task.units.values()), dtype=float)
    spread = 0.0 if pooled else math.sqrt(float(counts @ sizes**2) / float(counts.sum()))
    most = float(most_items(task.result.task)) if pooled else float(sizes.max())
    amounts, weights = betting.bets(bar, betting.Units(sizes, sizes, counts, most, spread))
    return Bets(tuple(amounts.tolist()), tuple(weights.tolist()), log_threshold)
