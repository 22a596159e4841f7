"""Errors of numbers and of series of numbers; those of depth, flow, mattes and normals are in scorer.metrics.signals.fields."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from genlevel.benchmark.answer_kinds import AnswerType, Shape
from scorer.metrics.averages import FARTHEST, AverageMetric
from scorer.metrics.base import AnyMetric, Factories, Factory, NotComparable, Parameters, Question, UnreadableAnswer, acceptable
from scorer.metrics.signals import fields
from scorer.parsers import Parsed, Structured


class MeanAbsoluteError(AverageMetric):
    """Mean absolute error of a number, or of a series of them.

    MAE = mean over instances of |a - b|; of a series the mean over its values. Of several acceptable numbers the nearest counts. A
    series that is too short ends in zeros, one that is too long is cut. Refused and unparsable answers count as 0 (of a series: zeros).
    Lower is better, from 0. Source: the usual definition; object counting by Ranjan et al. 2021 (FSC-147), section 5.

    >>> metric = MeanAbsoluteError("mae")
    >>> rows = [(key, metric.statistic(given, Question("number", ["12"]))) for key, given in (("a", 10.0), ("b", 13.0))]
    >>> rows
    [('a', [2.0]), ('b', [1.0])]
    >>> metric.compute(rows)
    Value(score=1.5, standard_error=0.5)
    """

    def statistic(self, answer: Parsed, question: Question) -> list[float]:
        return [_least(answer, question, abs)]

    def worst(self, question: Question) -> list[float]:
        return [_least(None, question, abs)]


class MeanSquaredError(AverageMetric):
    """Mean squared error of a number, or of a series of them: mean over instances of (a - b)^2, otherwise as ``MeanAbsoluteError``.

    Lower is better, from 0. Source: the usual definition.

    >>> MeanSquaredError("mse").statistic(Structured([1, 2, 5]), Question("series", [1, 2, 3]))
    [1.3333333333333333]
    """

    def statistic(self, answer: Parsed, question: Question) -> list[float]:
        return [_least(answer, question, _square)]

    def worst(self, question: Question) -> list[float]:
        return [_least(None, question, _square)]


class RootMeanSquaredError(AverageMetric):
    """Root mean squared error of numbers or of time series.

    One number an instance: sqrt(mean over instances of (a - b)^2), pooled, as a root over one number alone would be its absolute error.
    A series an instance: mean over instances of sqrt(mean over the series of (a - b)^2), so that a series of large numbers does not
    decide alone. A series that is too short ends in zeros, one that is too long is cut; refused and unparsable answers count as 0. Lower is
    better, from 0. Statistic: [square] of a number, [root, 1] of a series. Source: the usual definition; errors per series as in
    Makridakis et al. 2020 (M4).

    >>> metric = RootMeanSquaredError("rmse")
    >>> round(metric.compute([("a", [9.0]), ("b", [16.0])]).score, 6)
    3.535534
    >>> metric.statistic(Structured([1, 2]), Question("series", [1, 2, 3]))
    [1.7320508075688772, 1.0]
    >>> metric.compute([("a", [3.0, 1.0]), ("b", [4.0, 1.0])]).score
    3.5
    """

    def statistic(self, answer: Parsed, question: Question) -> list[float]:
        return self._of(_least(answer, question, _square), question)

    def worst(self, question: Question) -> list[float]:
        return self._of(_least(None, question, _square), question)

    def best(self, question: Question) -> list[float]:
        return self._of(0.0, question)

    def numbers(self, rows: Sequence[list[float]]) -> tuple[list[float], bool]:
        if all(len(row) == 1 for row in rows):
            return [row[0] for row in rows], True
        return [row[0] if len(row) > 1 else math.sqrt(row[0]) for row in rows], False

    @staticmethod
    def _of(square: float, question: Question) -> list[float]:
        return [square] if question.shape is Shape.NUMBER else [math.sqrt(square), 1.0]


def series_of(value: object) -> list[list[float]]:
    """The rows of a series in normal form. Raises ValueError for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = [value]
    if not isinstance(value, list) or not value:
        raise ValueError("is not a series of numbers")
    rows = [row if isinstance(row, list) else [row] for row in value]
    if any(len(row) != len(rows[0]) for row in rows) or not rows[0]:
        raise ValueError("has rows of different lengths")
    return [[bounded(number) for number in row] for row in rows]


def bounded(number: object) -> float:
    """A number within -FARTHEST..FARTHEST; 0 for what is not a number."""
    if isinstance(number, bool) or not isinstance(number, int | float) or math.isnan(number):
        return 0.0
    return float(min(max(number, -FARTHEST), FARTHEST))


def _least(answer: Parsed | None, question: Question, error: Callable[[float], float]) -> float:
    """The mean error against the nearest of the labels; answer None: zeros."""
    labels = _labels(question)
    rows: list[list[float]] = []
    if isinstance(answer, Structured):
        try:
            rows = series_of(answer.value)
        except ValueError as problem:
            raise UnreadableAnswer(f"the answer {problem}") from None
    elif isinstance(answer, float | int):
        rows = [[bounded(answer)]]
    elif answer is not None:
        raise NotComparable(f"answers of type '{question.answer_type}' are not numbers")
    return min(_mean_error(rows, label, error) for label in labels)


def _labels(question: Question) -> list[list[list[float]]]:
    if question.shape is Shape.NUMBER:
        from scorer.parsers.number import label_number

        numbers = [number for number in map(label_number, acceptable(question.label)) if number is not None]
        if not numbers:
            raise NotComparable(f"the label {str(question.label)[:80]!r} is not a number")
        return [[[bounded(number)]] for number in numbers]
    if question.answer_type != AnswerType.SERIES:
        raise NotComparable(f"answers of type '{question.answer_type}' are not numbers")
    try:
        return [series_of(question.label)]
    except ValueError as problem:
        raise NotComparable(f"the label {problem}") from None


def _mean_error(rows: list[list[float]], label: list[list[float]], error: Callable[[float], float]) -> float:
    width = len(label[0])
    if width == 1 and len(rows) == 1 and len(label) > 1:
        rows = [[number] for number in rows[0]]
    if rows and len(rows[0]) != width:
        raise UnreadableAnswer(f"the answer has {len(rows[0])} numbers a row, the label {width}")
    filled = rows[: len(label)] + [[0.0] * width] * (len(label) - len(rows))
    errors = [error(a - b) for given, wanted in zip(filled, label, strict=True) for a, b in zip(given, wanted, strict=True)]
    return math.fsum(errors) / len(errors)


def _square(difference: float) -> float:
    return difference * difference


_NUMBERS: dict[str, Callable[[str], AnyMetric]] = {
    "mae": MeanAbsoluteError,
    "mse": MeanSquaredError,
    "rmse": RootMeanSquaredError,
    "rms": RootMeanSquaredError,
}
_FIELDS: dict[tuple[str, str], Callable[[str], AnyMetric]] = {
    ("rmse", "picture"): fields.PictureError,
    ("rmse", "normals"): fields.NormalError,
    ("rms", "depth"): fields.DepthError,
    ("rmse", "depth"): fields.DepthError,
    ("mse", "matte"): fields.MatteSquaredError,
    ("sad", "matte"): fields.MatteAbsoluteError,
    ("abs_rel", "depth"): fields.RelativeDepthError,
    ("epe", "flow"): fields.EndPointError,
}
_USUAL = {"mae": "number", "rmse": "number", "rms": "depth", "mse": "matte", "sad": "matte", "abs_rel": "depth", "epe": "flow"}


def _factory(metric_id: str) -> Factory:
    def create(parameters: Parameters, variant: str) -> AnyMetric | None:
        of = parameters.get("of", _USUAL[metric_id])
        if variant != "default" or set(parameters) - {"of"}:
            return None
        kind = _NUMBERS.get(metric_id) if of in (AnswerType.NUMBER, AnswerType.SERIES) else _FIELDS.get((metric_id, of))
        return kind(metric_id) if kind is not None else None

    return create


FACTORIES: Factories = {metric_id: _factory(metric_id) for metric_id in _USUAL}
