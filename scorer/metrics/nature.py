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


class Basis(Enum):
    """What a test of a score against a reference may rest on."""

    BINOMIAL = "the exact distribution of a share of independent instances"
    STUDENT = "the score's measured standard error"
    BOUNDS = "the number of instances and the bounds of their numbers alone (Hoeffding), so that a bare score is enough"


@dataclass(frozen=True, slots=True)
class Nature:
    """lowest, highest: the bounds of one instance's number, in its statistic's unit; infinite if it has none.

    tests: what a certificate's test of the score may rest on.
    """

    makeup: Makeup
    lowest: float = -math.inf
    highest: float = math.inf
    tests: frozenset[Basis] = frozenset({Basis.STUDENT})

    @property
    def is_share(self) -> bool:
        """Whether exact tests of right and wrong answers apply."""
        return Basis.BINOMIAL in self.tests

    @property
    def needs_no_spread(self) -> bool:
        """Whether a score and its number of instances are enough for a test, without their statistics."""
        return Basis.BOUNDS in self.tests


SHARE = Nature(Makeup.SHARE, 0.0, 1.0, frozenset(Basis))
"""Right or wrong answers."""
BOUNDED_MEAN = Nature(Makeup.MEAN, 0.0, 1.0, frozenset({Basis.STUDENT, Basis.BOUNDS}))
"""The mean of numbers 0..1."""
MEASURED_MEAN = Nature(Makeup.MEAN, 0.0, 1.0)
"""The mean of numbers 0..1 that a network or a person gives: their spread alone tells how sure the mean is."""
COSINES = Nature(Makeup.MEAN, -1.0, 1.0)
"""The mean of cosines."""
ERRORS = Nature(Makeup.MEAN, 0.0)
"""The mean of errors without an upper bound, or the root of it."""
POOLED = Nature(Makeup.POOLED)
RANKED = Nature(Makeup.RANKED)
WHOLE = Nature(Makeup.WHOLE)
