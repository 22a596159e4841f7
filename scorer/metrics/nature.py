"""What a metric declares of itself, so that code that uses its scores need not infer it: a certificate, a comparison, a bootstrap."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum


class Makeup(Enum):
    """How instances make up a score."""

    SHARE = "each instance is right (1) or wrong (0), and the score is 100 times the share of the right ones"
    MEAN = "one number an instance, and the score is their mean, or follows from it alone"
    POOLED = "numerators and denominators are summed over instances, and the score follows from the sums"
    RANKED = "the order of confidences over all instances decides"
    WHOLE = "a property of the set as a whole, such as a distance between distributions"


class Proof(Enum):
    """What test of a score against a reference has a proven error at any number of instances, named as certificates print it."""

    BINOMIAL = "exact binomial"
    BETTING = "betting"
    POOLED_BETTING = "betting on pooled counts"
    PAIR_BETTING = "betting on random pairs"
    NONE = ""


FROM_ORDER = "its score follows from the order of all of its answers"
FROM_COUNT = "how many of its instances count follows from all of them"


@dataclass(frozen=True, slots=True)
class Nature:
    """lowest, highest: the bounds of one instance's number, in its statistic's unit; infinite if it has none.

    proof: the test that a certificate rests on. obstacle: why there is none, in one line; empty if there is one.
    from_values: whether a score and its number of instances are enough for a test, without their statistics.
    """

    makeup: Makeup
    lowest: float = -math.inf
    highest: float = math.inf
    proof: Proof = Proof.NONE
    obstacle: str = ""
    from_values: bool = False

    @property
    def is_share(self) -> bool:
        """Whether exact tests of right and wrong answers apply."""
        return self.proof is Proof.BINOMIAL

    @property
    def whole(self) -> str:
        """Why what an instance adds to the test follows from all answers alone, in one line; empty if it is known of each by itself."""
        if self.proof is Proof.PAIR_BETTING:
            return FROM_ORDER
        return FROM_COUNT if self.makeup is Makeup.POOLED and self.proof is Proof.BETTING else ""


SHARE = Nature(Makeup.SHARE, 0.0, 1.0, Proof.BINOMIAL, from_values=True)
"""Right or wrong answers."""
BOUNDED_MEAN = Nature(Makeup.MEAN, 0.0, 1.0, Proof.BETTING, from_values=True)
"""The mean of numbers 0..1."""
MEASURED_MEAN = Nature(Makeup.MEAN, 0.0, 1.0, Proof.BETTING)
"""The mean of numbers 0..1 that a network or a person gives: not tested from their mean alone."""
COSINES = MEASURED_MEAN
"""The mean of cosines, those below 0 taken as 0."""
OPINIONS = Nature(Makeup.MEAN, 1.0, 5.0, Proof.BETTING)
"""The mean of opinions 1..5."""
HUNDREDTHS = Nature(Makeup.MEAN, 0.0, 100.0, Proof.BETTING)
"""The mean of numbers 0..100, such as ratings, or decibels: bytes are at worst 0 dB apart, and what is the same counts as 100."""
UNIT_RATIOS = Nature(Makeup.POOLED, 0.0, 1.0, Proof.BETTING, from_values=True)
"""The mean of numbers 0..1 over the instances that count, each of which adds 1 to the sum below, or 0."""
ERRORS = Nature(Makeup.MEAN, 0.0, obstacle="an error has no upper bound, so one that was not seen could outweigh all that were")
"""The mean of errors without an upper bound, or the root of it."""
COUNTS = Nature(Makeup.POOLED, proof=Proof.POOLED_BETTING)
"""One ratio of sums of counts over instances: a unit's items that are right, by all of its items."""
POOLED = Nature(Makeup.POOLED, obstacle="the score is not one ratio of sums over instances")
RANKED = Nature(Makeup.RANKED, obstacle="the score follows from the order of all answers at once, not from a sum over instances")
PAIRS = Nature(Makeup.RANKED, proof=Proof.PAIR_BETTING)
"""The share of (positive, negative) pairs that are in the right order."""
WHOLE = Nature(Makeup.WHOLE, obstacle="the score is a property of all answers together, not of sums over instances")
