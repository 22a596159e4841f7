"""Scores of a ranking: area under the ROC curve, and average precision of an anomaly score."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from genlevel.benchmark.answer_kinds import AnswerType, Shape
from genlevel.benchmark.texts import normal_text
from scorer.metrics.base import AnyMetric, Factories, Floats, JsonRow, Metric, NotComparable, Parameters, Question, Value, acceptable
from scorer.metrics.nature import PAIRS, RANKED
from scorer.metrics.pooled import by_statistic
from scorer.metrics.signals.files import answer_files, label_files, of_answer, of_label, resized
from scorer.parsers import Parsed, Structured
from scorer.parsers.number import label_number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bits = NDArray[np.bool_]

BOOTSTRAP_DRAWS = 200
_SEED = 20250504
_YES = frozenset({"yes", "true", "positive", "anomaly", "anomalous", "abnormal", "defect", "defective", "bad", "infected"})
_NO = frozenset({"no", "false", "negative", "normal", "good", "no anomaly", "no defect", "non-defective", "ok", "healthy"})

Triple = JsonRow
"""[score, negatives, positives] with this score. A score of None is no answer, and ranks at the wrong end; BEST, at the right one."""
BEST = "best"
"""The best that an unknown answer may be: surer than all known ones."""


class _Ranking(Metric[list[Triple]]):
    """What both have in common: statistics, weights and the bootstrap.

    best_is_first: at best an answer stands before all others, also before those that rank at the wrong end as they have no answer.
    """

    nature = RANKED
    best_is_first = False

    def statistic(self, answer: Parsed, question: Question) -> list[Triple]:
        positive = is_positive(question)
        return [[_score(answer, question), int(not positive), int(positive)]]

    def worst(self, question: Question) -> list[Triple]:
        """No score: behind all others if there is something to find, before all others if there is nothing."""
        positive = is_positive(question)
        return [[None, int(not positive), int(positive)]]

    def best(self, question: Question) -> list[Triple]:
        """Before all other answers if there is something to find, behind them if there is nothing."""
        positive = is_positive(question)
        return [[BEST, int(not positive), int(positive)]]

    def weighted(self, statistics: Sequence[tuple[str, list[Triple]]]) -> Callable[[Floats], float]:
        """The score 0..1 as a function of how often each instance counts: an array of weights in the order of ``statistics``."""
        import numpy as np

        parts = self.placed(statistics)
        owners = np.array([part[0] for part in parts], dtype=np.intp)
        levels, level = np.unique(np.array([part[1] for part in parts], dtype=float), return_inverse=True)
        below = np.array([part[2] for part in parts], dtype=float)
        above = np.array([part[3] for part in parts], dtype=float)
        unscored = bool(len(levels)) and levels[0] == -math.inf

        def score(weights: Floats) -> float:
            weight = np.asarray(weights, dtype=float)[owners]
            negatives = np.bincount(level, weight * below, len(levels)).astype(float, copy=False)
            positives = np.bincount(level, weight * above, len(levels)).astype(float, copy=False)
            return self._score(negatives, positives, unscored)

        return score

    def placed(self, statistics: Sequence[tuple[str, list[Triple]]]) -> list[tuple[int, float, int, int]]:
        """(position in ``statistics``, place in the ranking, negatives, positives) of all that is ranked."""
        rows = [(owner, *triple) for owner, (_id, triples) in enumerate(statistics) for triple in triples]
        scores = sorted({score for _owner, score, *_counts in rows if score is not None and score != BEST})
        places = {score: float(place) for place, score in enumerate(scores)}
        # The places of (negatives, positives) without a score: nothing ranks lower than a positive without an answer, and nothing
        # higher than a negative without one, not even those at their best, unless ``best_is_first``.
        top = float(len(scores))
        ends = {None: (top + 1.0, -math.inf), BEST: (-1.0, top + 2.0 if self.best_is_first else top)}
        return [
            part
            for owner, score, negatives, positives in rows
            for part in (
                ((owner, places[score], negatives, positives),)
                if score in places
                else ((owner, ends[score][0], negatives, 0), (owner, ends[score][1], 0, positives))
            )
        ]

    def compute(self, statistics: Sequence[tuple[str, list[Triple]]]) -> Value:
        import numpy as np

        rows = [statistics[index] for index in by_statistic(statistics)]
        score, count = self.weighted(rows), len(rows)
        value = 100.0 * score(np.ones(count))
        if count < 2:
            return Value(value, None)
        generator = np.random.Generator(np.random.PCG64(_SEED))
        draws = [score(generator.multinomial(count, np.full(count, 1.0 / count)).astype(float)) for _draw in range(BOOTSTRAP_DRAWS)]
        return Value(value, 100.0 * float(np.std(draws, ddof=1)))

    @abstractmethod
    def _score(self, negatives: Floats, positives: Floats, unscored: bool) -> float:
        """0..1 from the counts at each level, the lowest score first. unscored: the first level is of positives without a score."""


class RocArea(_Ranking):
    """Area under the ROC curve: 100 * the share of (positive, negative) pairs in which the positive has the higher score, ties half.

    Answers are scores, the higher the surer; labels are 0 or 1 (or words such as "normal" and "anomaly"). If both are pictures, such
    as maps of an infection, every pixel is one to rank: the answer's grey value, in 256 steps and brought to the label's size, against a
    label of at least half white. Statistic of an instance: [[score, negatives, positives], ...]. Without pairs the area is 50, that
    of no ranking at all. An instance without an answer loses all of its pairs. Source: Hanley and McNeil 1982; equal to
    scikit-learn's roc_auc_score. Standard error: bootstrap over instances, 200 draws with a fixed seed.

    >>> metric = RocArea()
    >>> rows = [("a", 0.9, "1"), ("b", 0.4, "1"), ("c", 0.4, "0"), ("d", 0.1, "0")]
    >>> metric.compute([(key, metric.statistic(score, Question("number", [label]))) for key, score, label in rows]).score
    87.5
    """

    nature = PAIRS

    def __init__(self) -> None:
        super().__init__("auc")

    def statistic(self, answer: Parsed, question: Question) -> list[Triple]:
        if not isinstance(answer, Structured):
            return super().statistic(answer, question)
        from scorer.media import images

        mask = _mask(question)
        (path, *_others) = answer_files(answer, question)
        with of_answer():
            found = images.read_alpha(path)
        return _histogram(resized(found, *mask.shape), mask)

    def worst(self, question: Question) -> list[Triple]:
        """No score: every positive behind all others, every negative before them."""
        if question.answer_type not in _PICTURES:
            return super().worst(question)
        mask = _mask(question)
        return [[None, int(mask.size - mask.sum()), int(mask.sum())]]

    def best(self, question: Question) -> list[Triple]:
        """The label itself as the scores."""
        if question.answer_type not in _PICTURES:
            return super().best(question)
        mask = _mask(question)
        return _histogram(mask.astype(float), mask)

    def _score(self, negatives: Floats, positives: Floats, unscored: bool) -> float:
        pairs = float(negatives.sum() * positives.sum())
        return float(positives @ (negatives.cumsum() - 0.5 * negatives)) / pairs if pairs else 0.5


class AnomalyPrecision(_Ranking):
    """Average precision of an anomaly score: 100 * sum over thresholds of (R_k - R_(k-1)) P_k, the scores from high to low.

    P_k, R_k: precision and recall of all instances with at least the k-th highest distinct score. Answers are scores, labels are 0
    or 1 (or words such as "normal" and "anomaly"). An anomaly without an answer is never found; a normal instance without one stands
    before all others. No score if there is nothing to find. Source: the average precision of anomaly detection on MVTec AD (Bergmann et
    al. 2019); equal to scikit-learn's average_precision_score. Standard error: bootstrap over instances, 200 draws with a fixed seed.

    >>> metric = AnomalyPrecision()
    >>> rows = [("a", 0.9, "1"), ("b", 0.5, "0"), ("c", 0.4, "1"), ("d", 0.1, "0")]
    >>> round(metric.compute([(key, metric.statistic(score, Question("number", [label]))) for key, score, label in rows]).score, 4)
    83.3333
    """

    # Behind a normal instance without an answer, a tie with other anomalies can be worth more than the first place that is left.
    best_is_first = True

    def __init__(self) -> None:
        super().__init__("average_precision")

    def lacking(self, statistics: Sequence[tuple[str, list[Triple]]]) -> str:
        found = any(positives for _id, triples in statistics for _score, _negatives, positives in triples)
        return "" if found else "no label is an anomaly, so that there is no recall to read precision at"

    def _score(self, negatives: Floats, positives: Floats, unscored: bool) -> float:
        import numpy as np

        wanted = float(positives.sum())
        if not wanted:
            return 0.0
        gains, false = positives[::-1], negatives[::-1].cumsum()
        if unscored:
            gains, false = gains[:-1], false[:-1]
        found = gains.cumsum()
        named = found + false
        return float((gains * np.divide(found, named, out=np.zeros(len(named)), where=named > 0.0)).sum()) / wanted


def is_positive(question: Question) -> bool:
    """Whether the label says that there is something to find. Raises NotComparable for a label that says neither."""
    for text in acceptable(question.label):
        found = _truth(text)
        if found is not None:
            return found >= 0.5
    raise NotComparable(f"the label {str(question.label)[:80]!r} is neither 0 nor 1")


_PICTURES = frozenset((AnswerType.MEDIA, AnswerType.MASKS, AnswerType.STRUCTURE))
_LEVELS = 255


def _mask(question: Question) -> Bits:
    """bool (H, W): where the label's picture is at least half white."""
    from scorer.media import images

    (path, *_others) = label_files(question)
    with of_label():
        return images.read_alpha(path) >= 0.5


def _histogram(scores: Floats, mask: Bits) -> list[Triple]:
    """The pixels of a map (H, W) 0..1 by their score, in steps of 1 / 255."""
    import numpy as np

    steps = np.rint(np.clip(scores, 0.0, 1.0) * _LEVELS).astype(np.intp)
    positives = np.bincount(steps[mask], minlength=_LEVELS + 1)
    negatives = np.bincount(steps[~mask], minlength=_LEVELS + 1)
    there = np.flatnonzero(positives + negatives)
    return [[int(step) / _LEVELS, int(negatives[step]), int(positives[step])] for step in there]


def _score(answer: Parsed, question: Question) -> float:
    if isinstance(answer, float) and math.isfinite(answer):
        return answer
    found = _truth(answer) if isinstance(answer, str) and question.shape is not Shape.LETTER else None
    if found is None:
        raise NotComparable(f"answers of type '{question.answer_type}' are not scores; a score is a number, such as 0.7")
    return found


def _truth(text: str) -> float | None:
    plain = normal_text(text)
    return 1.0 if plain in _YES else 0.0 if plain in _NO else label_number(text)


def _roc(parameters: Parameters, variant: str) -> AnyMetric | None:
    return RocArea() if parameters.get("of", "roc") == "roc" and variant == "default" else None


def _anomaly(parameters: Parameters, variant: str) -> AnyMetric | None:
    return AnomalyPrecision() if parameters.get("of") == "anomaly_score" and variant == "default" else None


FACTORIES: Factories = {"auc": _roc, "average_precision": _anomaly}
