"""How much a model's answers vary if each question is asked several times. Pure; no I/O."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, variance

from genlevel.benchmark.answer_key import AnswerKey
from scorer.metrics import Metric
from scorer.metrics.averages import instance_score

_ALIKE = 1e-9


@dataclass(frozen=True, slots=True)
class Variation:
    """Over the instances that have several answers which count.

    differing: the share of those whose answers do not all score alike, 0..1. deviation: the standard deviation within instances, in the
    unit of the score (the root of the mean over instances of their answers' variance, with n - 1); None if single answers have no score.
    """

    differing: float
    deviation: float | None


def variation(metric: Metric[object], statistics: Mapping[AnswerKey, object]) -> Variation | None:
    """Of the statistics of a task's answers; None if no instance has several.

    >>> from scorer.metrics.text.classification import Accuracy
    >>> answers = {AnswerKey(name, repeat=repeat): right for name, rights in {"a": (1.0, 0.0), "b": (1.0, 1.0)}.items()
    ...     for repeat, right in enumerate(rights)}
    >>> variation(Accuracy(), answers)
    Variation(differing=0.5, deviation=50.0)
    """
    asked: dict[AnswerKey, list[object]] = {}
    for key, statistic in statistics.items():
        asked.setdefault(key.question, []).append(statistic)
    several = [repeats for repeats in asked.values() if len(repeats) > 1]
    if not several:
        return None
    scored = [[instance_score(metric, statistic) for statistic in repeats] for repeats in several]
    scores = [[score for score in repeats if score is not None] for repeats in scored]
    if not all(scores):
        return Variation(fmean(any(statistic != repeats[0] for statistic in repeats) for repeats in several), None)
    return Variation(
        fmean(max(repeats) - min(repeats) > _ALIKE for repeats in scores), math.sqrt(fmean(variance(repeats) for repeats in scores))
    )
