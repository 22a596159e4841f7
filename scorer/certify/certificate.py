"""The certified verdict: which tasks are won for certain, which levels are attained, and what it would take to know.

It has two readings, each with its own error alpha (see ``scorer.certify.claims``): a certified win is above the published figure, or above
the specialist's own true score. Of each reading one statement is true: *with probability at least 1 - alpha, none of the certified wins,
of "attained" and of "not attained" is false*, for all plans of the model together. Proof, with the shares of ``scorer.certify.shares``:

Wins: m is the number of the benchmark's tasks with a reference and a metric that has a test, fixed with the benchmark. A task that was not
    asked has p = 1. Holm's procedure over m makes any false win at most as likely as their share, however the tasks depend on each other.
Levels attained: Level 3 is a true win in some modality; Level 4 true wins on both sides of one modality; Level 5 that and a true language
    win. They are read off the certified wins: if none of these is false, no attained level is. They cost no error.
Tasks not attained: Holm's procedure over m again, with their own share.
Levels not attained: tested in sequence from the fifth, each only if the one above is rejected, so that a false one is at most as likely as
    their share. "No win among these tasks" has the largest of the tasks' p-values of a loss (Berger 1982: a false claim needs a false
    rejection of a task that is won); a task without a result is no win, by the rules; a result without a test could be one, and has p = 1.
The shares add up to the plan's, and those of all plans to at most alpha (Bonferroni). Plans of one number share no task. A false win of
    one, by Holm's procedure over m, has a chance of at most a * share / (m - b), if a of its tasks are truly no wins and b are; over all
    these plans the a and b add up to at most m, so the chances to at most one share. If runs of plans of different numbers are merged, a
    p-value of a later one is multiplied by how many times smaller its share is, and so has at most its own part of the first one's.
Looking early: the number of instances is fixed by the plan, and open ones count as wrong against a win and as right against a loss. So no
    p-value is below that of the finished plan, and what is certified on the way is certified at the end.

Outside of the statement stand the wins *discovered*: by Benjamini and Hochberg's procedure over the same m, among them an expected share of
at most alpha is false, in this plan alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from genlevel.benchmark.model import Modality, Paradigm, Task
from scorer.certify.claims import Claim, Reading, claims_of
from scorer.certify.evidence import TaskEvidence
from scorer.certify.level_scores import is_above_worst, score_intervals
from scorer.certify.multiplicity import all_of, any_of, benjamini_hochberg, holm
from scorer.certify.planning import instances_to_decide, why_none
from scorer.certify.shares import Shares, is_rejected, weighed
from scorer.levels.rules import LEVEL_MODALITIES, TaskResult, compute_levels

LEAST_ALPHA = 1e-9
"""The smallest alpha that can be told from 0 when it is shared among hundreds of tasks."""


class Status(StrEnum):
    """What is known of a level or a task's win."""

    ATTAINED = "attained"
    NOT_ATTAINED = "not attained"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class TaskCertificate:
    """One task with a result. interval: at confidence 1 - alpha, in the metric's unit; None if no error is known.

    low <= high: the scores with every open instance wrong and right, in the metric's unit; of an error low is that of all right.
    status: of its win, within the joint statement. discovered: among the wins with controlled false discovery rate.
    p_win, p_loss: unadjusted; 1 if there is no test. p_win_adjusted: by Holm's correction over the benchmark's m tasks; it is held against
    ``Shares.wins``. test, units: what the p-values are of, and on how many independent instances or clusters; empty if there is none.
    obstacle: why nothing can be certified, in one line; empty if something can. asymptotic: the interval holds for many instances alone.
    reference, constant: what a win has to be above; None if there is none. reference_units, reference_interval: of the reading against
    specialists, the instances its figure was measured on (0: not known) and what its own true score may be, at confidence 1 - alpha.
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
    obstacle: str = ""
    asymptotic: bool = False
    reference: float | None = None
    constant: float | None = None
    reference_units: int | None = None
    reference_interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class LevelCertificate:
    """One level. p_value: of "attained", held against ``Shares.wins``. needed: about how many instances more would decide; None if none
    would, or it is decided. They are asked with those there are as the next plan. note: why none would, in one line; empty else.

    score: the paper's point score. interval: see ``scorer.certify.level_scores.score_intervals``.
    """

    level: int
    status: Status
    p_value: float
    needed: int | None
    score: float
    interval: tuple[float, float]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """verdict: the highest level certified as attained; None if none is. untested: results without a test or reference.

    tests: m, the tasks of the benchmark that could be certified, of ``listed`` in all. plan: its number, from 1; 0: it is no try.
    """

    alpha: float
    verdict: int | None
    levels: tuple[LevelCertificate, ...]
    tasks: tuple[TaskCertificate, ...]
    untested: int
    reading: Reading
    plan: int
    shares: Shares
    tests: int
    listed: int

    @property
    def certified_wins(self) -> int:
        return sum(task.status is Status.ATTAINED for task in self.tasks)

    @property
    def discovered_wins(self) -> int:
        return sum(task.discovered for task in self.tasks)


def certify(
    results: Sequence[TaskResult],
    evidence: Sequence[TaskEvidence],
    alpha: float = 0.05,
    *,
    plan: int = 1,
    plans: Mapping[str, int] | None = None,
    constants: Mapping[str, float] | None = None,
    specialists: Mapping[str, int] | None = None,
) -> Certificate:
    """Certifies the levels over ``results`` (all tasks of the benchmark) by what is known of those with a result.

    plan: its number among the model's plans on this benchmark, from 1 (0: not known, taken as 1). plans: those of a merged run's tasks, by
    Task.id, if its parts are of different numbers; the certificate's is then the first. constants: by Task.id, what the best
    constant answer scores. specialists: by Task.id, the instances that each specialist was measured on; certifies against the specialists'
    own true scores, None against the published figures. A result without a test can neither be certified as a win nor as a loss.
    Raises ValueError for an alpha below LEAST_ALPHA or not below 0.5.
    """
    if not LEAST_ALPHA <= alpha < 0.5:
        raise ValueError(f"alpha must be at least {LEAST_ALPHA:g} and below 0.5, not {alpha:g}")
    known = {entry.task.id: entry for entry in evidence}
    plans = {task_id: max(1, plans[task_id]) for task_id in plans if task_id in known} if plans else {}
    first, last = (pick(plans.values(), default=max(1, plan)) for pick in (min, max))
    claims = claims_of(results, known, constants or {}, specialists)
    tested = tuple(_Tested.of(claim, plans.get(claim.task.id, first), first) for claim in claims)
    counted = [one for one in tested if one.claim.counts]
    part = sum(one.claim.entry is not None for one in counted) / max(1, len(counted))
    shares = Shares.of(alpha, first, part)
    adjusted = _Adjusted.of(counted)
    # More instances are the next plan, which has less of the error.
    levels = _levels(results, known, _Groups(tested, adjusted.wins), alpha, shares=shares, following=Shares.of(alpha, last + 1, part))
    return Certificate(
        alpha=alpha,
        verdict=max((level.level for level in levels if level.status is Status.ATTAINED), default=None),
        levels=levels,
        tasks=tuple(_task(one, one.claim.entry, adjusted, shares, alpha) for one in tested if one.claim.entry is not None),
        untested=sum(one.claim.has_result and not one.claim.is_tested for one in tested),
        reading=Reading.PUBLISHED if specialists is None else Reading.SPECIALISTS,
        plan=first,
        shares=shares,
        tests=len(counted),
        listed=len(tested),
    )


@dataclass(frozen=True, slots=True)
class _Tested:
    """A task with its p-values, and as they count beside those of the first plan. out: that of "this is no win", 0 if the rules say so."""

    claim: Claim
    win: float
    loss: float
    counted_win: float
    counted_loss: float
    out: float

    @classmethod
    def of(cls, claim: Claim, plan: int, first: int) -> _Tested:
        win, loss = claim.win(), claim.loss()
        counted = weighed(loss, plan, first)
        return cls(claim, win, loss, weighed(win, plan, first), counted, counted if claim.may_be_won else 0.0)


@dataclass(frozen=True, slots=True)
class _Adjusted:
    """p-values after correction over the tasks that could be certified, by Task.id: of wins and losses Holm's, found: of wins BH's."""

    wins: Mapping[str, float]
    losses: Mapping[str, float]
    found: Mapping[str, float]

    @classmethod
    def of(cls, counted: Sequence[_Tested]) -> _Adjusted:
        keys = [one.claim.task.id for one in counted]
        corrected = (
            holm([one.counted_win for one in counted]),
            holm([one.counted_loss for one in counted]),
            benjamini_hochberg([one.win for one in counted]),
        )
        return cls(*(dict(zip(keys, values, strict=True)) for values in corrected))


def _task(one: _Tested, entry: TaskEvidence, adjusted: _Adjusted, shares: Shares, alpha: float) -> TaskCertificate:
    claim, key = one.claim, one.claim.task.id
    low, high = sorted((entry.low.value, entry.high.value))
    status = Status.UNDECIDED
    if is_rejected(adjusted.wins.get(key, 1.0), shares.wins):
        status = Status.ATTAINED
    elif is_rejected(adjusted.losses.get(key, 1.0), shares.lost_tasks):
        status = Status.NOT_ATTAINED
    return TaskCertificate(
        task=claim.task,
        low=low,
        high=high,
        interval=entry.interval(1.0 - alpha),
        p_win=one.win,
        p_loss=one.loss,
        status=status,
        discovered=adjusted.found.get(key, 1.0) <= alpha,
        p_win_adjusted=adjusted.wins.get(key, 1.0),
        test=claim.test,
        units=entry.low.units,
        obstacle=claim.obstacle,
        asymptotic=entry.asymptotic,
        reference=claim.result.reference,
        constant=claim.constant,
        reference_units=claim.units,
        reference_interval=claim.specialist_interval(1.0 - alpha),
    )


class _Groups:
    """The tasks by modality and paradigm. wins: adjusted p-values by Task.id, of the tasks that could be certified."""

    def __init__(self, tested: Sequence[_Tested], wins: Mapping[str, float]) -> None:
        self._wins = wins
        self.tested = tested
        self._language = [one for one in tested if one.claim.task.modality is Modality.LANGUAGE]
        self._others = [one for one in tested if one.claim.task.modality is not Modality.LANGUAGE]
        self._pairs = [[self._side(modality, paradigm) for paradigm in Paradigm] for modality in LEVEL_MODALITIES]

    def attained(self) -> dict[int, float]:
        """The least share of the error at which the certified wins attain Levels 3-5; 1 if none does."""
        third = self._some_win(self._others)
        fourth = min(all_of([self._some_win(side) for side in pair]) for pair in self._pairs)
        return {3: third, 4: fourth, 5: max(fourth, self._some_win(self._language))}

    def not_attained(self) -> dict[int, float]:
        """p-values of Levels 3-5 being out of reach, each at least that of the level above, whose loss is the weaker claim."""
        no_pair = all_of([any_of([self._no_win(side) for side in pair]) for pair in self._pairs])
        fifth = any_of([no_pair, self._no_win(self._language)])
        fourth = max(no_pair, fifth)
        return {3: max(self._no_win(self._others), fourth), 4: fourth, 5: fifth}

    def _side(self, modality: Modality, paradigm: Paradigm) -> list[_Tested]:
        return [one for one in self._others if (one.claim.task.modality, one.claim.task.paradigm) == (modality, paradigm)]

    def _some_win(self, side: Sequence[_Tested]) -> float:
        return min((self._wins.get(one.claim.task.id, 1.0) for one in side if one.claim.rewards), default=1.0)

    def _no_win(self, side: Sequence[_Tested]) -> float:
        return all_of([one.out for one in side])


def _levels(
    results: Sequence[TaskResult],
    known: Mapping[str, TaskEvidence],
    groups: _Groups,
    alpha: float,
    *,
    shares: Shares,
    following: Shares,
) -> tuple[LevelCertificate, ...]:
    """following: the shares of the plan after this one."""
    levels = compute_levels(results)
    attained, lost = groups.attained(), groups.not_attained()
    intervals = score_intervals(results, known, levels, alpha)
    claims = [one.claim for one in groups.tested]
    status = _level_2(results, known)
    certificates = [LevelCertificate(2, status, 0.0 if status is Status.ATTAINED else 1.0, None, levels.level_2, intervals[2])]
    for level in (3, 4, 5):
        status, needed, note = Status.UNDECIDED, None, ""
        if is_rejected(attained[level], shares.wins):
            status = Status.ATTAINED
        elif lost[level] == 0.0 or is_rejected(lost[level], shares.lost_levels):
            status = Status.NOT_ATTAINED
        else:
            reached = levels.scores[level] > 0.0
            needed = instances_to_decide(level, claims, following, reached=reached)
            note = why_none(level, claims, following, alpha, reached=reached) if needed is None else ""
        certificates.append(LevelCertificate(level, status, attained[level], needed, levels.scores[level], intervals[level], note))
    return tuple(certificates)


def _level_2(results: Sequence[TaskResult], known: Mapping[str, TaskEvidence]) -> Status:
    """Level 2 needs one result above the worst, and no test.

    Without one it is undecided if there are results at all: the worst on this many instances does not prove the worst.
    """
    rows = [row for row in results if row.task.modality is not Modality.LANGUAGE]
    if any(is_above_worst(row, known.get(row.task.id)) for row in rows):
        return Status.ATTAINED
    possible = any(row.task.id in known or row.value is not None for row in rows)
    return Status.UNDECIDED if possible else Status.NOT_ATTAINED
