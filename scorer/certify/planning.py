"""About how many instances more would decide a level: for planning, at a power of 0.8 for each of the tests that it takes.

Or why no number of them would, in one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from genlevel.benchmark.model import Modality, Paradigm
from scorer.certify.claims import Claim
from scorer.certify.shares import Shares
from scorer.levels.rules import LEVEL_MODALITIES


def instances_to_decide(level: int, claims: Sequence[Claim], shares: Shares, *, reached: bool) -> int | None:
    """How many would decide Level 3, 4 or 5 the way the points lean; None if none would, or nothing is known of their error.

    claims: all tasks of the benchmark. reached: by the points. Then the fewest that would certify the wins it takes, each by the first step
    of Holm's procedure over the benchmark's tests; else the fewest that would certify the losses after which it is out of reach.
    """
    plan = _Plan(claims, shares)
    return plan.to_attain(level) if reached else plan.to_rule_out(level)


def why_none(level: int, claims: Sequence[Claim], shares: Shares, alpha: float, *, reached: bool) -> str:
    """Why no number of instances would decide an undecided level, in one line; empty if that is not known.

    alpha: of the specialist's interval.
    """
    rows = [one for one in claims if level == 5 or one.task.modality is not Modality.LANGUAGE]
    if shares.wins <= 0.0:
        return "so many plans came before that no error is left for this one"
    asked = [one for one in rows if one.may_be_won]
    if asked and all(one.units == 0 for one in asked):
        return "on how many instances the specialists were measured is not known (`genlevel certify --reference-n N` takes it)"
    tested = [one for one in asked if one.is_tested]
    leaning = [one for one in tested if one.leans(better=reached)]
    share = shares.wins / max(1, sum(one.counts for one in claims)) if reached else shares.lost_levels
    poor = [one for one in leaning if one.is_hopeless(share, better=reached)]
    if poor and (len(poor) == len(leaning) or not reached):
        return _poorly_known(min(poor, key=lambda one: one.win() if reached else one.loss()), alpha, share)
    if not reached and (without := len(asked) - len(tested)):
        return f"no number of instances would decide: {without} result(s) that no test is for could be wins"
    if reached and not leaning:
        return "no number of instances would decide: no task that can be certified scores above what a win has to be above"
    return ""


def _poorly_known(claim: Claim, alpha: float, share: float) -> str:
    likely, possible = claim.specialist_interval(1.0 - alpha), claim.specialist_range(share)
    ends = [f"{low:.0f} to {high:.0f}" for low, high in (pair for pair in (likely, possible) if pair is not None)]
    return (
        f"the specialist's {claim.result.reference:g} on {claim.task.name.strip()} was measured on {claim.units:,} instances: it may be"
        f" {f' ({100 * (1 - alpha):g} %), at the error that one test has '.join(ends)}; no number of the model's instances would decide"
    )


class _Plan:
    def __init__(self, claims: Sequence[Claim], shares: Shares) -> None:
        self._shares = shares
        self._tests = sum(one.counts for one in claims)
        self._all = [one for one in claims if one.task.modality is not Modality.LANGUAGE]
        self._language = [one for one in claims if one.task.modality is Modality.LANGUAGE]
        self._pairs = [
            [[one for one in self._all if (one.task.modality, one.task.paradigm) == (modality, paradigm)] for paradigm in Paradigm]
            for modality in LEVEL_MODALITIES
        ]

    def to_attain(self, level: int) -> int | None:
        if level == 3:
            return self._win(self._all)
        # The two wins of Level 4 make Level 3, too.
        fourth = _least(_total(self._win(side) for side in pair) for pair in self._pairs)
        return fourth if level == 4 else _total([fourth, self._win(self._language)])

    def to_rule_out(self, level: int) -> int | None:
        """A level is out of reach with all above it; the fifth without pairs or without language wins, each at half of the error."""
        share = self._shares.lost_levels
        without_language = self._lose(self._language, share / 2.0)
        if level == 5:
            return _least([self._no_pair(share / 2.0), without_language])
        others = share if level == 3 else None
        return _least([self._no_pair(share / 2.0, others), _total([self._no_pair(share, others), without_language])])

    def _no_pair(self, share: float, others: float | None = None) -> int | None:
        """One side of each modality without a win at this error, half of it for either side; others: the other side too, at that error."""
        return _total(
            _least(
                _total([self._lose(side, share / 2.0), 0 if others is None else self._lose(other, others)])
                for side, other in (pair, pair[::-1])
            )
            for pair in self._pairs
        )

    def _win(self, claims: Sequence[Claim]) -> int | None:
        """The fewest for some win."""
        return _least(one.needed(self._shares.wins / self._tests, better=True) for one in claims if one.counts and one.rewards)

    def _lose(self, claims: Sequence[Claim], share: float) -> int | None:
        """Those for the loss of every task that may still be a win."""
        return _total(one.needed(share, better=False) for one in claims if one.may_be_won)


def _least(counts: Iterable[int | None]) -> int | None:
    return min((count for count in counts if count is not None), default=None)


def _total(counts: Iterable[int | None]) -> int | None:
    found = list(counts)
    return None if None in found else sum(count for count in found if count is not None)
