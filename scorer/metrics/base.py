"""What a metric is: sufficient statistics of one instance, and a score from the statistics of many.

The state is keyed by instance, so an instance delivered twice counts once and the order of delivery does not
matter: update and merge are idempotent and commutative for equal statistics. Scores are in the workbook's unit.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeAlias, TypeVar

from genlevel.benchmark.answer_kinds import KINDS, AnswerType, Shape
from genlevel.benchmark.metrics import Direction, MetricInfo, metric
from scorer.metrics.entries import entries_of
from scorer.metrics.nature import BOUNDED_MEAN, Nature
from scorer.metrics.sums import Sums, mean_of
from scorer.parsers import Box, Parsed, Structured

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

S = TypeVar("S")

Floats: TypeAlias = "NDArray[np.float64]"
JsonRow: TypeAlias = list[Any]
"""A statistic that is a list of plain JSON: numbers and strings, and lists of them."""

NO_DETAILS: Mapping[str, str] = {}


class Question(NamedTuple):
    """What an answer is held against. label: in the normal form of its answer type (genlevel.benchmark.answer_kinds.AnswerType).

    prompt: what was asked. inputs: the media files that it came with. details: facts such as {"language": "python"}.
    ratings: by people or a judge, if the metric is one of ratings, in its own unit.
    """

    answer_type: AnswerType
    label: object
    options: tuple[str, ...] = ()
    prompt: str = ""
    inputs: tuple[str, ...] = ()
    details: Mapping[str, str] = NO_DETAILS
    ratings: tuple[float, ...] = ()

    @property
    def shape(self) -> Shape:
        """What an answer to it is."""
        return KINDS[self.answer_type].shape


@dataclass(frozen=True, slots=True)
class Value:
    """A score in the workbook's unit, and its standard error in the same unit (None if one instance says nothing)."""

    score: float
    standard_error: float | None


class NotComparable(Exception):
    """The metric cannot hold this kind of answer against this kind of label."""


class NotRated(NotComparable):
    """An answer has no rating; the message says how to get one. If no answer of a task has one, it is said once, for the task."""


class UnreadableAnswer(Exception):
    """An answer has the right form but holds nothing that can be measured, such as a picture that cannot be decoded."""


class MetricUnavailable(Exception):
    """The metric is known but cannot run here; says in one line what is missing and how to get it."""


class Metric(ABC, Generic[S]):
    """One metric with its parameters. It has no state of its own: see ``MetricState``.

    A statistic is plain JSON and holds all that ``compute`` needs of one instance. nature: what others must know of the metric.
    needs_label: whether an instance without label (of a closed set) cannot be measured.
    """

    nature: Nature
    needs_label: ClassVar[bool] = True

    def __init__(self, metric_id: str) -> None:
        self.info: MetricInfo = metric(metric_id)

    @property
    def id(self) -> str:
        return self.info.id

    @property
    def direction(self) -> Direction:
        return self.info.direction

    def check(self) -> None:
        """Raises MetricUnavailable if something is missing here that ``statistic`` needs (``compute`` never does). Quick; loads
        nothing."""

    def provenance(self) -> str:
        """What decides the scores besides the data: weights with their hash, in one line; empty if nothing does."""
        return ""

    def statistics_many(self, pairs: Sequence[tuple[Parsed, Question]]) -> list[S | NotComparable | UnreadableAnswer]:
        """``statistic`` of each, or what it raises. Faster than one by one if a network measures many at once."""
        found: list[S | NotComparable | UnreadableAnswer] = []
        for answer, question in pairs:
            try:
                found.append(self.statistic(answer, question))
            except (NotComparable, UnreadableAnswer) as problem:
                found.append(problem)
        return found

    @abstractmethod
    def statistic(self, answer: Parsed, question: Question) -> S:
        """The statistic of one answer. Raises NotComparable if answer type and metric do not go together."""

    @abstractmethod
    def worst(self, question: Question) -> S:
        """The statistic of a wrong answer: what a refused or unparsable one counts as, and a failed one at worst."""

    @abstractmethod
    def compute(self, statistics: Sequence[tuple[str, S]]) -> Value:
        """The score over at least one (instance id, statistic), in any order."""

    def best(self, question: Question) -> S:
        """The statistic of a right answer, the label itself: what a failed instance counts as at best."""
        return self.statistic(label_as_answer(question), question)

    def lacking(self, statistics: Sequence[tuple[str, S]]) -> str:
        """Why these instances have no score, in one line, such as that there was nothing to find; "" if they have one."""
        return ""

    def sums(self, statistics: Sequence[tuple[str, S]]) -> Sums | None:
        """The sums over instances that the score follows from; None if it does not follow from sums."""
        return None

    def influences(self, statistics: Sequence[tuple[str, S]]) -> list[float] | None:
        """Each instance's first-order share in the score's deviation, in the order of ``statistics``; None if only resampling tells it."""
        return None

    def weighted(self, statistics: Sequence[tuple[str, S]]) -> Callable[[Floats], float] | None:
        """The score divided by 100, as a function of an array of weights in the order of ``statistics``, which counts some instances more
        often than others: what a bootstrap over clusters needs. None for a metric that cannot weight instances."""
        return None


Parameters = Mapping[str, str]
AnyMetric: TypeAlias = "Metric[Any]"
"""A metric with statistics of any kind."""
Factory: TypeAlias = Callable[[Parameters, str], "AnyMetric | None"]
Factories: TypeAlias = Mapping[str, Factory]
"""By metric id: from parameters (genlevel.benchmark.meaning) and a variant's name ("default", "official") to the metric.

None if this family has no metric for them; ValueError for a parameter that the metric cannot have.
"""


@dataclass(slots=True)
class MetricState(Generic[S]):
    """Statistics of the instances seen so far, by instance id."""

    metric: Metric[S]
    statistics: dict[str, S] = field(default_factory=dict)

    def update(self, instance_id: str, statistic: S) -> None:
        """Sets an instance's statistic; one that came before is replaced."""
        self.statistics[instance_id] = statistic

    def merge(self, other: MetricState[S]) -> None:
        """Takes over the other's instances."""
        self.statistics.update(other.statistics)

    def compute(self, substitutes: Mapping[str, S] | None = None) -> Value:
        """The score, with ``substitutes`` set in for instances of which nothing is known."""
        return self.metric.compute(sorted(({**self.statistics, **substitutes} if substitutes else self.statistics).items()))


class MeanMetric(Metric[float]):
    """A metric that is 100 times the mean of one number 0..1 per instance.

    Standard error: that of a mean, s / sqrt(n) with the sample's standard deviation s (n - 1 in its denominator).
    """

    nature = BOUNDED_MEAN

    def worst(self, question: Question) -> float:
        return 0.0

    def best(self, question: Question) -> float:
        if question.shape is not Shape.TEXT or not acceptable(question.label):
            return self.statistic(label_as_answer(question), question)
        # Not every reference scores as high as another against itself: short ones may be smoothed.
        return max(self.statistic(reference, question) for reference in acceptable(question.label))

    def compute(self, statistics: Sequence[tuple[str, float]]) -> Value:
        values = [value for _id, value in statistics]
        mean = math.fsum(values) / len(values)
        return Value(100.0 * mean, scaled(standard_error_of_mean(values, mean), 100.0))

    def sums(self, statistics: Sequence[tuple[str, float]]) -> Sums:
        return mean_of([value for _id, value in statistics])


class RatioMetric(Metric[S]):
    """A metric that is a smooth function of sums over instances.

    Standard error: delta method. ``influences`` gives each instance's first-order share of the score's deviation;
    their sum is 0, and the standard error is sqrt(n / (n - 1) * sum of their squares).
    """

    @staticmethod
    def delta_error(influences: Sequence[float]) -> float | None:
        count = len(influences)
        if count < 2:
            return None
        return math.sqrt(count / (count - 1) * math.fsum(influence * influence for influence in influences))


def standard_error_of_mean(values: Sequence[float], mean: float) -> float | None:
    """s / sqrt(n); None for fewer than two values."""
    count = len(values)
    if count < 2:
        return None
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1) / count)


def scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def label_as_answer(question: Question) -> Parsed:
    """A right answer, as a parser would have read it. Raises NotComparable for a label not in its normal form."""
    label = question.label
    match question.shape:
        case Shape.LETTER if isinstance(label, str):
            return label
        case Shape.ITEMS if isinstance(label, list):
            return tuple(str(item) for item in label)
        case Shape.BOXES if isinstance(label, list):
            return label_boxes(label)
        case Shape.NUMBER if acceptable(label):
            from scorer.parsers.number import label_number

            number = label_number(acceptable(label)[0])
            if number is None:
                raise NotComparable(f"the label {acceptable(label)[0]!r} is not a number")
            return number
        case Shape.TEXT if acceptable(label):
            return acceptable(label)[0]
        case Shape.STRUCTURE if isinstance(label, list):
            return Structured(label)
    raise NotComparable(f"the label {str(label)[:80]!r} is not one of type '{question.answer_type}'")


def label_boxes(label: object) -> tuple[Box, ...]:
    """The boxes of a label in normal form. Raises NotComparable for a label in any other form."""
    names, sides = label_sides(label)
    return tuple(
        Box(x, y, width, height, name) for name, x, y, width, height in zip(names, *(sides[side::4] for side in range(4)), strict=True)
    )


def label_sides(label: object) -> tuple[list[str], list[float]]:
    """Names, and sides x, y, width, height, x, y, ..., of the boxes of a label in normal form. Raises NotComparable for any other form."""
    names: list[str] = []
    sides: list[float] = []
    try:
        for entry in entries_of(label):
            x, y, width, height = map(float, entry["box"])
            sides += x, y, width, height
            names.append(str(entry.get("label", "")))
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
        raise NotComparable(f"the label {str(label)[:80]!r} is not a list of boxes") from None
    return names, sides


_PLAIN = (str, int, float)


def acceptable(label: object) -> list[str]:
    """The strings of a label, any of which counts as right; empty if it has no strings."""
    if isinstance(label, str):
        return [label]
    return [str(entry) for entry in label if isinstance(entry, _PLAIN)] if isinstance(label, list) else []


def texts(answer: Parsed, question: Question) -> tuple[str, list[str]]:
    """Answer and references as text, for metrics of text whatever the answer type.

    A choice stands for its option's text, items for their list joined by ", ". Raises NotComparable for boxes.
    """
    match question.shape:
        case Shape.LETTER if isinstance(answer, str) and isinstance(question.label, str):
            return _option(answer, question.options), [_option(question.label, question.options)]
        case Shape.ITEMS if isinstance(answer, tuple) and isinstance(question.label, list):
            return ", ".join(map(str, answer)), [", ".join(map(str, question.label))]
        case Shape.NUMBER if isinstance(answer, float):
            return f"{answer:.12g}", acceptable(question.label)
        case Shape.TEXT if isinstance(answer, str):
            return answer, acceptable(question.label)
    raise NotComparable(f"answers of type '{question.answer_type}' are not text")


def best_reference(scores: Iterable[float]) -> float:
    """The highest of the scores against single references; 0 without any."""
    return max(scores, default=0.0)


def _option(letter: str, options: tuple[str, ...]) -> str:
    index = ord(letter[:1] or "?") - ord("A")
    return options[index] if 0 <= index < len(options) else letter
