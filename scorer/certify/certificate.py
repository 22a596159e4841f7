"""The certified verdict: which tasks are won for certain, which levels are attained, and what it would take to know.

A win is certified by a one-sided test of "truly better than the reference". With m tasks tested and error at most alpha:

Level 3 (at least one win): smallest p * m <= alpha, Holm's first step; Holm's further steps give the certified wins, Benjamini and
    Hochberg's procedure the wins with a false discovery rate of at most alpha.
Level 4 (wins on both sides of one modality): per modality the larger of the two sides' "at least one" p-values, times the number of
    modalities. Level 5: the larger of Level 4's p-value and that of "at least one" language win.
The levels are tested in sequence from the third, so that the chance of any false "attained" is at most alpha. "Not attained" is certified
by "truly worse" tests of all tasks that could still be wins, in sequence from the fifth; tasks without a result are not wins, by the rules.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from genlevel.benchmark.metrics import METRICS, Direction, is_win, metric, sigma
from genlevel.benchmark.model import Modality, Paradigm, Task
from scorer.certify.distributions import normal_quantile
from scorer.certify.evidence import Estimate, TaskEvidence, bounded_interval
from scorer.certify.multiplicity import all_of, any_of, benjamini_hochberg, holm
from scorer.certify.planning import instances_to_decide
from scorer.levels.rules import LEVEL_MODALITIES, Levels, TaskResult, compute_levels

LEAST_ALPHA = 1e-9
"""The smallest alpha that can be told from 0 when it is shared among hundreds of tasks."""

_LARGEST_ERROR = 50.0
"""The largest standard deviation of numbers in 0..100."""


class Status(StrEnum):
    """What is known of a level or a task's win."""

    ATTAINED = "attained"
    NOT_ATTAINED = "not attained"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class TaskCertificate:
    """One task with a result. interval: at confidence 1 - alpha, in the metric's unit; None if no error is known.

    low <= high: the scores with every open instance wrong and right, in the metric's unit; of an error low is that of all right.
    status: of its win, family-wise over all tasks. discovered: among the wins with controlled false discovery rate.
    p_win, p_loss: unadjusted; 1 if there is no reference or no error. p_win_adjusted: by Holm's correction over all tested tasks.
    test, units: what the p-values are of, and on how many independent instances or clusters; empty if nothing can be tested.
    """

    task: Task
    low: float
    high: float
    interval: tuple[float, float] | None
    p_win: float
    p_loss: float
    status: Status
    discovered: bool
    p_win_adjusted: float = 1.0
    test: str = ""
    units: int = 0


@dataclass(frozen=True, slots=True)
class LevelCertificate:
    """One level. p_value: of "attained". needed: about how many instances more would decide; None if none would, or it is decided.

    score: the paper's point score. interval: Level 2's at confidence 1 - alpha (delta method; a result of unknown error counts as
    exact there, see ``Certificate.untested``); for Levels 3-5 the outer bound from simultaneous intervals of all tasks, each surely won,
    surely lost or either, and no further up than Level 2's, which no level above it exceeds.
    """

    level: int
    status: Status
    p_value: float
    needed: int | None
    score: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Certificate:
    """verdict: the highest level certified as attained; None if none is. untested: results without a usable error or reference."""

    alpha: float
    verdict: int | None
    levels: tuple[LevelCertificate, ...]
    tasks: tuple[TaskCertificate, ...]
    untested: int

    @property
    def certified_wins(self) -> int:
        return sum(task.status is Status.ATTAINED for task in self.tasks)

    @property
    def discovered_wins(self) -> int:
        return sum(task.discovered for task in self.tasks)


def certify(results: Sequence[TaskResult], evidence: Sequence[TaskEvidence], alpha: float = 0.05) -> Certificate:
    """Certifies the levels over ``results`` (all tasks of the benchmark) by what is known of those with a result.

    A result without evidence can neither be certified as a win nor as a loss. Raises ValueError for an alpha below LEAST_ALPHA or not
    below 0.5.
    """
    if not LEAST_ALPHA <= alpha < 0.5:
        raise ValueError(f"alpha must be at least {LEAST_ALPHA:g} and below 0.5, not {alpha:g}")
    known = {entry.task.id: entry for entry in evidence}
    tests = {result.task.id: _test(result, known.get(result.task.id)) for result in results}
    levels = compute_levels(results)
    groups = _Groups(results, tests)
    tested = [key for key, test in tests.items() if test.tested]
    adjusted = dict(zip(tested, holm([tests[key].win for key in tested]), strict=True))
    discovered = dict(zip(tested, benjamini_hochberg([tests[key].win for key in tested]), strict=True))
    tasks = []
    for result in results:
        entry = known.get(result.task.id)
        if entry is None:
            continue
        test = tests[result.task.id]
        status = Status.UNDECIDED
        if test.tested and adjusted[result.task.id] <= alpha:
            status = Status.ATTAINED
        elif test.tested and test.loss * len(tested) <= alpha:
            status = Status.NOT_ATTAINED
        found = bool(test.tested and discovered[result.task.id] <= alpha)
        interval = entry.interval(1.0 - alpha)
        low, high = sorted((entry.low.value, entry.high.value))
        holms = adjusted.get(result.task.id, 1.0)
        name = entry.test if test.tested else ""
        tasks.append(
            TaskCertificate(
                task=result.task,
                low=low,
                high=high,
                interval=interval,
                p_win=test.win,
                p_loss=test.loss,
                status=status,
                discovered=found,
                p_win_adjusted=holms,
                test=name,
                units=entry.low.units,
            )
        )
    certificates = _levels(results, known, levels, groups, alpha)
    attained = [certificate.level for certificate in certificates if certificate.status is Status.ATTAINED]
    untested = sum(test.result and not test.tested for test in tests.values())
    return Certificate(alpha=alpha, verdict=max(attained, default=None), levels=certificates, tasks=tuple(tasks), untested=untested)


@dataclass(frozen=True, slots=True)
class _Test:
    """p-values of one task. result: the model has one, or may still have (incomplete). tested: reference and error are known."""

    win: float
    loss: float
    result: bool
    tested: bool


def _test(result: TaskResult, entry: TaskEvidence | None) -> _Test:
    reference = result.reference
    if reference is None:
        return _Test(1.0, 0.0, result.value is not None or entry is not None, tested=False)
    if entry is None:
        # A task without a result is not a win, by the rules; a result of unknown error could be either.
        return _Test(1.0, 0.0 if result.value is None else 1.0, result.value is not None, tested=False)
    if not entry.testable:
        return _Test(1.0, 1.0, result=True, tested=False)
    return _Test(entry.win_p_value(reference), entry.loss_p_value(reference), result=True, tested=True)


class _Groups:
    """p-values by modality and paradigm."""

    def __init__(self, results: Sequence[TaskResult], tests: Mapping[str, _Test]) -> None:
        self.sides = {
            (modality, paradigm): [tests[row.task.id] for row in results if row.task.modality is modality and row.task.paradigm is paradigm]
            for modality in LEVEL_MODALITIES
            for paradigm in Paradigm
        }
        self.language = [tests[row.task.id] for row in results if row.task.modality is Modality.LANGUAGE]
        self.all = [test for side in self.sides.values() for test in side]

    @staticmethod
    def some_win(tests: Sequence[_Test]) -> float:
        return any_of([test.win for test in tests if test.tested])

    @staticmethod
    def no_win(tests: Sequence[_Test]) -> float:
        return all_of([test.loss for test in tests])

    def attained(self) -> dict[int, float]:
        """p-values of Levels 3-5, each at least that of the level below."""
        third = self.some_win(self.all)
        pairs = [[self.some_win(self.sides[modality, paradigm]) for paradigm in Paradigm] for modality in LEVEL_MODALITIES]
        fourth = max(third, any_of([all_of(pair) for pair in pairs]))
        return {3: third, 4: fourth, 5: max(fourth, self.some_win(self.language))}

    def not_attained(self) -> dict[int, float]:
        """p-values of Levels 3-5 being out of reach, each at least that of the level above, whose loss is the weaker claim."""
        pairs = [[self.no_win(self.sides[modality, paradigm]) for paradigm in Paradigm] for modality in LEVEL_MODALITIES]
        no_pair = all_of([any_of(pair) for pair in pairs])
        fifth = any_of([no_pair, self.no_win(self.language)])
        fourth = max(no_pair, fifth)
        return {3: max(self.no_win(self.all), fourth), 4: fourth, 5: fifth}


def _levels(
    results: Sequence[TaskResult], known: Mapping[str, TaskEvidence], levels: Levels, groups: _Groups, alpha: float
) -> tuple[LevelCertificate, ...]:
    attained, lost = groups.attained(), groups.not_attained()
    worst, best = _outer(results, known, alpha)
    certificates = [_level_2(results, known, levels, alpha)]
    most = certificates[0].interval[1]
    for level in (3, 4, 5):
        status = Status.UNDECIDED
        if attained[level] <= alpha:
            status = Status.ATTAINED
        elif lost[level] <= alpha:
            status = Status.NOT_ATTAINED
        needed = None
        if status is Status.UNDECIDED:
            needed = instances_to_decide(level, results, known, alpha, reached=levels.scores[level] > 0.0)
        interval = (worst.scores[level], max(worst.scores[level], min(best.scores[level], most)))
        certificates.append(
            LevelCertificate(
                level=level, status=status, p_value=attained[level], needed=needed, score=levels.scores[level], interval=interval
            )
        )
    return tuple(certificates)


def _level_2(results: Sequence[TaskResult], known: Mapping[str, TaskEvidence], levels: Levels, alpha: float) -> LevelCertificate:
    """Level 2 needs one result above the worst, and no test: only the worst answers could give the worst.

    Without one it is undecided if there are results at all: the worst on this many instances does not prove the worst.
    """
    rows = [row for row in results if row.task.modality is not Modality.LANGUAGE]
    certain = any(_sigma(row.task, known[row.task.id].low.value if row.task.id in known else row.value) > 0.0 for row in rows)
    possible = any(row.task.id in known or row.value is not None for row in rows)
    status = Status.ATTAINED if certain else Status.UNDECIDED if possible else Status.NOT_ATTAINED
    sides: dict[tuple[Modality, Paradigm | None], list[TaskResult]] = {}
    for row in rows:
        sides.setdefault((row.task.modality, row.task.paradigm), []).append(row)
    paradigms = {modality: sum(key[0] is modality for key in sides) for modality in LEVEL_MODALITIES}
    modalities = sum(count > 0 for count in paradigms.values())
    squares = [0.0, 0.0]
    low, high = levels.level_2, levels.level_2
    for (modality, _paradigm), side in sides.items():
        weight = 1.0 / len(side) / paradigms[modality] / modalities
        for row in side:
            entry = known.get(row.task.id)
            if entry is None:
                continue
            squares[0] += (weight * _sigma_reach(row.task, entry.low, alpha)[0]) ** 2
            squares[1] += (weight * _sigma_reach(row.task, entry.high, alpha)[1]) ** 2
            low += weight * (_sigma(row.task, entry.low.value) - row.contribution)
            high += weight * (_sigma(row.task, entry.high.value) - row.contribution)
    interval = (max(0.0, low - math.sqrt(squares[0])), min(100.0, high + math.sqrt(squares[1])))
    return LevelCertificate(level=2, status=status, p_value=0.0 if certain else 1.0, needed=None, score=levels.level_2, interval=interval)


def _sigma(task: Task, value: float | None) -> float:
    return 0.0 if value is None else sigma(task.metric.id, value)


def _sigma_reach(task: Task, estimate: Estimate, alpha: float) -> tuple[float, float]:
    """How far below and above itself sigma may truly be, at confidence 1 - alpha.

    If all answers are alike no error was seen, which is not certainty: then as far as the task's own interval goes, and if its
    metric has no bounds to give one, as far as sigma does. One answer says nothing of its error, which is the largest that sigma can have.
    """
    single = estimate.units == 1 and not estimate.standard_error
    if single or estimate.standard_error != 0.0:
        reach = normal_quantile(1.0 - alpha / 2.0) * (_LARGEST_ERROR if single else _sigma_error(task, estimate))
        return reach, reach
    value = _sigma(task, estimate.value)
    interval = bounded_interval(task, estimate, 1.0 - alpha)
    low, high = (0.0, 100.0) if interval is None else sorted(_sigma(task, end) for end in interval)
    return max(0.0, value - low), max(0.0, high - value)


def _sigma_error(task: Task, estimate: Estimate) -> float:
    """Standard error of sigma: that of the value times the mapping's slope, measured across one error to each side."""
    error = estimate.standard_error
    if not error:
        return 0.0
    info = METRICS[task.metric.id]
    above, below = min(estimate.value + error, info.highest), max(estimate.value - error, info.lowest)
    return 0.0 if above <= below else abs(_sigma(task, above) - _sigma(task, below)) / (above - below) * error


def _outer(results: Sequence[TaskResult], known: Mapping[str, TaskEvidence], alpha: float) -> tuple[Levels, Levels]:
    """Levels with every task at the worse and at the better end of its interval; all intervals hold together at 1 - alpha / 2.

    The other half of the error is that of Level 2's upper end, at which the levels above it end.
    """
    confidence = 1.0 - alpha / 2.0 / max(1, len(known))
    return (
        compute_levels([_moved(row, known.get(row.task.id), confidence, better=False) for row in results]),
        compute_levels([_moved(row, known.get(row.task.id), confidence, better=True) for row in results]),
    )


def _moved(row: TaskResult, entry: TaskEvidence | None, confidence: float, *, better: bool) -> TaskResult:
    if entry is None:
        if row.value is None or row.win is None:
            return row
        # Of unknown error: surely neither won nor lost.
        return TaskResult(task=row.task, value=row.value, reference=row.reference, sigma=row.sigma, win=better)
    interval = entry.interval(confidence)
    if interval is None:
        value, win = (entry.high if better else entry.low).value, None if row.reference is None else better
    else:
        higher = metric(row.task.metric.id).direction is Direction.HIGHER
        value = interval[1] if higher == better else interval[0]
        win = None if row.reference is None else is_win(row.task.metric.id, value, row.reference)
    return TaskResult(task=row.task, value=value, reference=row.reference, sigma=sigma(row.task.metric.id, value), win=win)
