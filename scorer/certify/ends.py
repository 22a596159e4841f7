"""A score as measured, at one of the two ends that open answers leave, and what can be said of the true one: by the kind of its numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from genlevel.benchmark.metrics import METRICS
from genlevel.benchmark.model import Task
from scorer.certify import specialists
from scorer.certify.distributions import binomial_at_least, binomial_at_most, mean_at_least, mean_at_most
from scorer.certify.intervals import clopper_pearson, hoeffding, logit, student, wilson
from scorer.certify.samples import Ranked, Sample, Sizes

if TYPE_CHECKING:
    from scorer.certify.betting import Units

MOST_ITEMS = 200
"""The most items that answer and label of any instance have together, seen or not, if the task's metric states no fewer (``most_items``).

It is fixed before there are answers: the largest of those seen says nothing of those that were not.
"""
FEWEST_DEGREES = 5.0
"""Degrees of freedom of a standard error (``intervals.effective_degrees``) below which it says too little for an interval."""
FEWEST_UNITS = 10
_KEPT = 4096
"""Results kept of each function, about those of a run: both readings ask for the same, and so do certificates while a run goes on."""
FEWEST_THINGS = 5


@dataclass(frozen=True, slots=True)
class Estimate:
    """A score as measured. value, standard_error: in the workbook's unit. units: independent ones, instances or clusters.

    binary: the score is a share of right answers among independent instances, so that exact tests apply. clustered: units are clusters.
    standard_error None: unknown. skewness: of the units' shares in the score (see ``scaled_skewness``), 0 if it is not known.
    degrees: of freedom of the standard error (see ``effective_degrees``); None: units - 1.
    bounded: nothing was measured of its spread; the standard error is the largest that units between 0 and 100 can have, and tests and
    intervals rest on these bounds alone.
    sample: what the units are, if a test bets on them. flaw: why there is none although the metric has such a test.
    things: how many there are to find, of an average precision; 0 of other scores.
    """

    value: float
    standard_error: float | None
    units: int
    binary: bool = False
    clustered: bool = False
    skewness: float = 0.0
    degrees: float | None = None
    bounded: bool = False
    sample: Sample | Ranked | None = None
    flaw: str = ""
    things: int = 0

    @property
    def freedom(self) -> float:
        return self.units - 1 if self.degrees is None else self.degrees

    @property
    def successes(self) -> int:
        return round(self.value / 100.0 * self.units)


@dataclass(frozen=True, slots=True)
class Ends:
    """A score between what its open answers leave open: all of them wrong (low) and right (high). Equal for a complete task.

    "low" is the worse end whatever the metric's direction.
    """

    low: Estimate
    high: Estimate


class Kind(Enum):
    """What is tested, and how the test is called."""

    BINARY = "exact binomial"
    MEAN = "betting"
    CLUSTERS = "betting on clusters of at most {} instances"
    COUNTS = "betting on pooled counts, at most {} items a unit"
    PAIRS = "betting on random pairs"
    BOUNDS = "Hoeffding bound"
    UNKNOWN = ""


_BY_SIZES = {Sizes.ONE: Kind.MEAN, Sizes.PLANNED: Kind.CLUSTERS, Sizes.ANSWERED: Kind.COUNTS}


def kind_of(end: Estimate) -> Kind:
    if end.binary:
        return Kind.BINARY
    if isinstance(end.sample, Ranked):
        return Kind.PAIRS
    if end.sample is not None:
        return _BY_SIZES[end.sample.sizes]
    return Kind.BOUNDS if end.bounded else Kind.UNKNOWN


def most_items(task: Task) -> int:
    """The most items of a unit, as the task's metric states it in at most nine digits, else ``MOST_ITEMS``."""
    stated = dict(task.metric.parameters).get("most_items", "")
    return int(stated) if stated.isdecimal() and len(stated) < 10 and int(stated) > 0 else MOST_ITEMS


def test_name(end: Estimate, task: Task) -> str:
    """The name of the test, with the bounds that it rests on."""
    most = end.sample.largest if isinstance(end.sample, Sample) and end.sample.sizes is Sizes.PLANNED else most_items(task)
    return str(kind_of(end).value).format(f"{most:g}")


def flaw(end: Estimate, task: Task) -> str:
    """Why this end cannot be tested although the metric can, in one line; empty if it can."""
    kind, sample = kind_of(end), end.sample
    if end.flaw:
        return end.flaw
    if kind is Kind.UNKNOWN or end.units < 1:
        return "nothing is known of its error"
    if kind is Kind.COUNTS and isinstance(sample, Sample) and sample.largest > most_items(task):
        return f"a unit has {sample.largest:g} items, more than the {most_items(task)} that the test is for"
    if isinstance(sample, Ranked):
        from scorer.certify.betting import WANTED
        from scorer.certify.pairs import fewest_pairs

        count, name = sample.rarer
        reference = task.reference_workbook
        if count < fewest_pairs(0.5 if reference is None else reference / 100.0, WANTED):
            return f"only {count} {name}: too few pairs for any test"
    return ""


@lru_cache(maxsize=_KEPT)
def p_value(end: Estimate, task: Task, reference: float, *, above: bool) -> float:
    """Of "the true score is above (below) this number"."""
    kind, sample = kind_of(end), end.sample
    share = min(max(reference / 100.0, 0.0), 1.0)
    if kind is Kind.BINARY:
        return (binomial_at_least if above else binomial_at_most)(end.successes, end.units, share)
    if isinstance(sample, Ranked):
        from scorer.certify import pairs

        return (pairs.p_above if above else pairs.p_below)(sample, share)
    if isinstance(sample, Sample):
        from scorer.certify import betting

        return (betting.p_above if above else betting.p_below)(units_of(sample, most_items(task)), sample.share(reference))
    if kind is Kind.BOUNDS:
        return (mean_at_least if above else mean_at_most)(end.value / 100.0, end.units, share)
    return 1.0


@lru_cache(maxsize=_KEPT)
def p_value_against(end: Estimate, reference: float, reference_units: int, *, above: bool) -> float:
    """Of "the true score is above (below) the specialist's own", which was found to be this on so many instances."""
    kind, sample = kind_of(end), end.sample
    if kind is Kind.BINARY:
        step = specialists.least_step(reference) / 100.0
        right = specialists.successes(reference / 100.0, reference_units, step, better=above)
        test = specialists.fisher_above if above else specialists.fisher_below
        return test(end.successes, end.units, right, reference_units)
    hard = specialists.hardest(reference, better=above)
    if isinstance(sample, Sample) and sample.sizes is not Sizes.ANSWERED:
        from scorer.certify import betting

        units, share = units_of(sample, 0), min(max(sample.share(hard), 0.0), 1.0)
        if not above:
            units, share = units.mirrored(), 1.0 - share
        theirs = specialists.specialist_wealth(share, reference_units / units.most)
        return specialists.p_apart(betting.wealth_against(units, share), theirs, (share, units.ratio))
    if kind is Kind.BOUNDS:
        share, found = min(max(hard / 100.0, 0.0), 1.0), min(max(end.value / 100.0, 0.0), 1.0)
        if not above:
            share, found = 1.0 - share, 1.0 - found
        ours = specialists.specialist_wealth(1.0 - found, end.units)
        return specialists.p_apart(lambda at: ours(1.0 - at), specialists.specialist_wealth(share, reference_units), (share, found))
    return 1.0


def specialist_range(end: Estimate, reference: float, reference_units: int, threshold: float) -> tuple[float, float]:
    """Where a specialist's true score may lie, in the metric's unit, at this error to either side; of the kinds it can be said of."""
    if end.binary:
        step = specialists.least_step(reference) / 100.0
        fewest, most = (specialists.successes(reference / 100.0, reference_units, step, better=better) for better in (False, True))
        low = clopper_pearson(fewest, reference_units, 1.0 - 2.0 * threshold)[0]
        return 100.0 * low, 100.0 * clopper_pearson(most, reference_units, 1.0 - 2.0 * threshold)[1]
    sample = end.sample if isinstance(end.sample, Sample) else Sample((), (), ())
    units = reference_units / (sample.largest if sample.sizes is Sizes.PLANNED else 1.0)
    shares = [min(max(sample.share(specialists.hardest(reference, better=better)), 0.0), 1.0) for better in (False, True)]
    low = 1.0 - specialists.highest_share(specialists.specialist_wealth(1.0 - shares[0], units), threshold)
    return sample.score(low), sample.score(specialists.highest_share(specialists.specialist_wealth(shares[1], units), threshold))


def is_proven(end: Estimate) -> bool:
    """Whether the interval has its confidence at any number of units."""
    return kind_of(end) not in (Kind.PAIRS, Kind.UNKNOWN)


@lru_cache(maxsize=_KEPT)
def interval(end: Estimate, task: Task, confidence: float) -> tuple[float, float] | None:
    """(lower, upper) in the metric's unit; None if nothing is known of the error."""
    info, sample = METRICS[task.metric.id], end.sample
    if isinstance(sample, Sample) and kind_of(end) is not Kind.BINARY:
        from scorer.certify import betting

        if kind_of(end) is Kind.COUNTS and sample.largest > most_items(task):
            return None
        low, high = betting.interval(units_of(sample, most_items(task)), confidence)
        return sample.score(low), sample.score(high)
    if isinstance(sample, Ranked):
        from scorer.certify import pairs

        found = pairs.interval(sample, confidence)
        return None if found is None else (100.0 * found[0], 100.0 * found[1])
    if end.binary or end.bounded:
        return bounded_interval(task, end, confidence)
    # If all instances are alike, the error is 0, which proves nothing; a few, or a few that outweigh all others, tell too little.
    if not end.standard_error or end.units < FEWEST_UNITS or end.freedom < FEWEST_DEGREES:
        return None
    if end.things and info.is_bounded:
        if end.things < FEWEST_THINGS:
            return None
        lower, upper = logit(end.value / 100.0, end.standard_error / 100.0, end.things, confidence)
        return 100.0 * lower, 100.0 * upper
    lower, upper = student(end.value, end.standard_error, end.freedom, confidence, end.skewness)
    return max(lower, info.lowest), min(upper, info.highest)


def bounded_interval(task: Task, end: Estimate, confidence: float) -> tuple[float, float] | None:
    """What n and the metric's bounds alone say of a score, in its unit; None if the metric has no bounds."""
    if not end.binary and not METRICS[task.metric.id].is_bounded:
        return None
    share = min(max(end.value / 100.0, 0.0), 1.0)
    lower, upper = wilson(share * end.units, end.units, confidence) if end.binary else hoeffding(share, end.units, confidence)
    return 100.0 * lower, 100.0 * upper


@lru_cache(maxsize=1024)
def units_of(sample: Sample, items: int) -> Units:
    """The sample as bets take it; items: the most that any unit has, if the answers decide how many it has."""
    import numpy as np

    from scorer.certify.betting import Units

    above, below, counts = np.array(sample.above), np.array(sample.below), np.array(sample.counts, dtype=np.float64)
    if sample.sizes is Sizes.ANSWERED:
        return Units(above, below, counts, float(max(items, 1)), 0.0)
    return Units(above, below, counts, max(sample.largest, 1.0), math.sqrt(float(counts @ below**2) / float(counts.sum())) or 1.0)
