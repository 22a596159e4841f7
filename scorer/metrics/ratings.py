"""Metrics that are means of ratings: by people (MOS, user preference) or by a judge model (GPT-Score).

No answer is measured here: its ratings come with it (``Question.ratings``). A refused or unparsable answer has the worst rating without
anybody being asked; an answer without a rating is not comparable, never zero. How ratings are made: docs/judging.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import ClassVar

from genlevel.benchmark.ratings import SCALES
from scorer.metrics.base import (
    Factories,
    Metric,
    NotComparable,
    NotRated,
    Parameters,
    Question,
    Value,
    scaled,
    standard_error_of_mean,
)
from scorer.metrics.nature import HUNDREDTHS, MEASURED_MEAN, OPINIONS
from scorer.metrics.sums import Sums, mean_of
from scorer.parsers import Parsed


class RatingMetric(Metric[list[float]]):
    """The mean over instances of each instance's mean rating, times ``factor``.

    Statistic of an instance: its ratings, one a rater, in the scale of ``genlevel.benchmark.ratings``. Every instance counts alike however
    many rated it. Standard error: s / sqrt(n) with the standard deviation s (n - 1 in its denominator) of the n instance means. It covers
    what the raters of one instance differ in, as each mean has their noise. It does not cover that another panel could be stricter on
    all instances: it is the error of these raters' opinion.

    >>> instance_mean([4.0, 5.0])
    4.5
    """

    needs_label = False
    factor: ClassVar[float] = 1.0
    missing: ClassVar[str]

    def statistic(self, answer: Parsed, question: Question) -> list[float]:
        if not question.ratings:
            raise NotRated(self.missing)
        scale = SCALES[self.id]
        for rating in question.ratings:
            if not scale.lowest <= rating <= scale.highest:
                raise NotComparable(f"a rating of {rating:g} lies outside {scale.lowest:g}..{scale.highest:g}")
        return [float(rating) for rating in question.ratings]

    def worst(self, question: Question) -> list[float]:
        """The lowest rating."""
        return [SCALES[self.id].lowest]

    def best(self, question: Question) -> list[float]:
        """The highest rating."""
        return [SCALES[self.id].highest]

    def compute(self, statistics: Sequence[tuple[str, list[float]]]) -> Value:
        means = [instance_mean(ratings) for _id, ratings in statistics]
        mean = math.fsum(means) / len(means)
        return Value(self.factor * mean, scaled(standard_error_of_mean(means, mean), self.factor))

    def sums(self, statistics: Sequence[tuple[str, list[float]]]) -> Sums:
        return mean_of([self.factor / 100.0 * instance_mean(ratings) for _id, ratings in statistics])


class MeanOpinionScore(RatingMetric):
    """Mean opinion score, 1..5: how good people find an answer, 1 bad, 2 poor, 3 fair, 4 good, 5 excellent.

    MOS = mean over instances of the mean of each instance's ratings. Refused and unparsable answers are rated 1. Raises NotRated if an
    instance has no rating, NotComparable for one outside 1..5. A predictor's values are another metric's, never mixed with these.
    Source: absolute category rating of ITU-T P.800; General-Level (arXiv 2505.04620), appendix A.1.

    >>> metric = MeanOpinionScore("mos")
    >>> rows = [(key, metric.statistic("", Question("media", None, ratings=given))) for key, given in (("a", (4.0, 5.0)), ("b", (3.0,)))]
    >>> rows
    [('a', [4.0, 5.0]), ('b', [3.0])]
    >>> metric.compute(rows)
    Value(score=3.75, standard_error=0.75)
    """

    nature = OPINIONS
    missing = "no rating: give a CSV by --ratings"


class UserPreference(RatingMetric):
    """User preference rate, 0..100 %: the share of pairwise comparisons that the answer wins; a tie counts half.

    100 * mean over instances of the mean of each instance's comparisons (1 won, 0.5 tie, 0 lost; those who compare choose what the
    answer is compared with: for General-Bench the specialist's output). Refused and unparsable answers lose. Raises NotRated if
    nobody compared an instance, NotComparable for a rating outside 0..1.
    Source: user preference rate, General-Level (arXiv 2505.04620), appendix A.1.

    >>> metric = UserPreference("user_preference")
    >>> score = metric.compute([("a", [1.0, 0.5]), ("b", [0.0])])
    >>> (score.score, round(score.standard_error, 6))
    (37.5, 37.5)
    """

    nature = MEASURED_MEAN
    factor = 100.0
    missing = "no preference: give a CSV by --ratings, or, for answers in text, a judge by --judge ROUTE"


class GptScore(RatingMetric):
    """GPT-Score, 0..100 %: how well an answer follows the instruction and agrees with the reference, as a judge model rates it.

    Mean over instances of the judge's rating; the judge answers with a whole number 0..10, and 10 times it is the rating (the evaluator's
    judge_prompts.yaml has its version and wording). Refused and unparsable answers are rated 0 without asking. Raises NotRated if no
    judge was asked, NotComparable for a rating outside 0..100.
    Source: General-Level (arXiv 2505.04620), appendix A.1, which rates by GPT and gives no scale; this one is ours.

    >>> metric = GptScore("gpt_score")
    >>> metric.compute([("a", [70.0]), ("b", [40.0]), ("c", metric.worst(Question("long_text", ["a dog barks"])))]).score
    36.666666666666664
    >>> metric.statistic("a dog", Question("long_text", ["a dog barks"]))
    Traceback (most recent call last):
        ...
    scorer.metrics.base.NotRated: needs a judge; give --judge ROUTE
    """

    nature = HUNDREDTHS
    missing = "needs a judge; give --judge ROUTE"


def instance_mean(ratings: Sequence[float]) -> float:
    """The mean of one instance's ratings (at least one)."""
    return math.fsum(ratings) / len(ratings)


def _plain(kind: type[RatingMetric]) -> Callable[[Parameters, str], Metric[list[float]] | None]:
    """Ratings have one sense: a parameter or another variant asks for something else."""
    return lambda parameters, variant: kind(_IDS[kind]) if not parameters and variant == "default" else None


_IDS: dict[type[RatingMetric], str] = {MeanOpinionScore: "mos", UserPreference: "user_preference", GptScore: "gpt_score"}

FACTORIES: Factories = {metric_id: _plain(kind) for kind, metric_id in _IDS.items()}
