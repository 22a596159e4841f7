"""A certificate in brief: its levels, without its tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CertifiedLevel:
    """One level of a certificate. status: attained, not attained, undecided. interval: of its score, in 0..100."""

    status: str
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate in brief, over the whole benchmark. verdict: the highest level that is attained; None if none is."""

    alpha: float
    verdict: int | None
    certified_wins: int
    levels: Mapping[int, CertifiedLevel]
