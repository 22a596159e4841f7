"""Accuracy, exact match and the F1 scores over label sets: whether an answer names what the label names."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

from genlevel.benchmark.answer_kinds import Shape
from genlevel.benchmark.texts import normal_text
from scorer.metrics.base import (
    AnyMetric,
    Factories,
    Floats,
    JsonRow,
    MeanMetric,
    NotComparable,
    Parameters,
    Question,
    RatioMetric,
    Value,
    acceptable,
    best_reference,
    scaled,
    texts,
)
from scorer.metrics.nature import COUNTS, POOLED, SHARE
from scorer.metrics.sums import Sums, f1_of
from scorer.metrics.text.overlap import common
from scorer.metrics.text.words import words
from scorer.parsers import Parsed

RELATIVE_TOLERANCE = 1e-9
"""How far equal numbers may differ: by the rounding of binary fractions."""


class Accuracy(MeanMetric):
    """Share of instances whose answer is right: 100 * correct / all.

    Source: General-Level (arXiv 2505.04620), appendix A.1. Choices compare letters; numbers compare as numbers; labels
    and free text compare after NFKC, case folding, trimming and dropping surrounding punctuation, with any of several
    references; items compare as sets. Standard error: of a mean (for 0/1 values the binomial one, n - 1).

    >>> question = Question("label", ["Land Rover"])
    >>> Accuracy().statistic("land rover.", question), Accuracy().statistic("Rover", question)
    (1.0, 0.0)
    >>> Accuracy().compute([("a", 1.0), ("b", 0.0), ("c", 1.0), ("d", 0.0)])
    Value(score=50.0, standard_error=28.867513459481287)
    """

    nature = SHARE

    def __init__(self, metric_id: str = "accuracy") -> None:
        super().__init__(metric_id)

    def statistic(self, answer: Parsed, question: Question) -> float:
        return 1.0 if is_right(answer, question) else 0.0


class ExactMatch(Accuracy):
    """Share of instances whose top answer equals a reference (EM@1), compared as in ``Accuracy``.

    >>> ExactMatch().statistic("The sofa", Question("short_text", ["sofa", "the sofa"]))
    1.0
    """

    def __init__(self) -> None:
        super().__init__("exact_match")


class MacroAccuracy(RatioMetric[JsonRow]):
    """Mean over classes of the share of right answers among a class's instances: 100 * mean over classes of right / all.

    A class is what the label names: the text of a choice's option (its letter if there are no options), or the label by the rule
    of ``Accuracy``, which also says what is right. Statistic of an instance: [class, 1 if right else 0]. Source: General-Level,
    appendix A.1; the macro-averaged accuracy of VidSitu (Sadhu et al. 2021, section 4.2). Standard error: delta method on the
    classes' shares.

    >>> metric = MacroAccuracy()
    >>> metric.statistic("A", Question("choice", "B", ("Causes", "Enables")))
    ['enables', 0]
    >>> metric.compute([("a", ["causes", 1]), ("b", ["causes", 1]), ("c", ["causes", 0]), ("d", ["enables", 0])]).score
    33.33333333333333
    """

    nature = POOLED

    def __init__(self) -> None:
        super().__init__("macro_accuracy")

    def statistic(self, answer: Parsed, question: Question) -> JsonRow:
        return [class_of(question), int(is_right(answer, question))]

    def worst(self, question: Question) -> JsonRow:
        return [class_of(question), 0]

    def compute(self, statistics: Sequence[tuple[str, JsonRow]]) -> Value:
        sizes, hits = Counter[str](), Counter[str]()
        for _id, (name, right) in statistics:
            sizes[name] += 1
            hits[name] += right
        shares = {name: hits[name] / size for name, size in sizes.items()}
        influences = [(right - shares[name]) / sizes[name] / len(sizes) for _id, (name, right) in statistics]
        return Value(100.0 * math.fsum(shares.values()) / len(shares), scaled(self.delta_error(influences), 100.0))

    def weighted(self, statistics: Sequence[tuple[str, JsonRow]]) -> Callable[[Floats], float]:
        """The score 0..1 as a function of how often each instance counts; a class that no counted instance has is left out."""
        import numpy as np

        numbers: dict[str, int] = {}
        classes = np.array([numbers.setdefault(name, len(numbers)) for _id, (name, _right) in statistics], dtype=np.intp)
        rights = np.array([right for _id, (_name, right) in statistics], dtype=float)

        def score(weights: Floats) -> float:
            sizes, hits = np.bincount(classes, weights, len(numbers)), np.bincount(classes, weights * rights, len(numbers))
            return float((hits[sizes > 0.0] / sizes[sizes > 0.0]).mean())

        return score


class TokenF1(MeanMetric):
    """Mean over instances of the F1 of answer and reference tokens, best reference: 100 * mean(2PR / (P + R)).

    P and R count common tokens as a multiset, over the answer's and the reference's; tokens are the normalised text's
    words. Source: the F1 of SQuAD (Rajpurkar et al. 2016, section 6.1) without its English articles rule. Two texts
    without a word are compared as strings. Standard error: of a mean.

    >>> round(TokenF1().statistic("the cat", Question("short_text", ["the cat the dog"])), 4)
    0.6667
    """

    def __init__(self) -> None:
        super().__init__("f1")

    def statistic(self, answer: Parsed, question: Question) -> float:
        text, references = texts(answer, question)
        return best_reference(self._f1(text, reference) for reference in references)

    @staticmethod
    def _f1(text: str, reference: str) -> float:
        given, wanted = words(text), words(reference)
        if not given or not wanted:
            return 1.0 if normal_text(text) == normal_text(reference) else 0.0
        return 2.0 * common(given, wanted) / (len(given) + len(wanted))


class ItemF1(MeanMetric):
    """Mean over instances of the F1 of the answer's and the label's items as sets: 100 * mean(2 tp / (2 tp + fp + fn)).

    Items compare after NFKC, case folding and trimming of brackets and punctuation. An empty answer to an empty
    label is 1. Standard error: of a mean.

    >>> round(ItemF1().statistic(("Ann", "Bob"), Question("items", ["ann"])), 4)
    0.6667
    """

    def __init__(self) -> None:
        super().__init__("f1")

    def statistic(self, answer: Parsed, question: Question) -> float:
        hits, extra, missed = set_counts(answer, question)
        total = 2 * hits + extra + missed
        return 2.0 * hits / total if total else 1.0


class MicroF1(RatioMetric[list[int]]):
    """F1 of label sets pooled over all instances: 100 * 2 TP / (2 TP + FP + FN).

    Statistic of an instance: [true positives, false positives, false negatives] of its set of items; a text is split on
    ", ". Each item is trimmed and case-folded. With several acceptable references, the one with the best F1 counts.
    Source: General-Level, appendix A.1. Standard error: delta method on the ratio of sums.

    >>> metric = MicroF1()
    >>> metric.statistic(("joy", "fear"), Question("items", ["Joy", "anger"]))
    [1, 1, 1]
    >>> metric.compute([("a", [1, 1, 1]), ("b", [2, 0, 0])]).score
    75.0
    """

    nature = COUNTS

    def __init__(self) -> None:
        super().__init__("micro_f1")

    def statistic(self, answer: Parsed, question: Question) -> list[int]:
        return list(set_counts(answer, question))

    def worst(self, question: Question) -> list[int]:
        """Nothing found: every item of the label is missed."""
        return [0, 0, min(len(wanted) for wanted in _label_sets(question))]

    def compute(self, statistics: Sequence[tuple[str, list[int]]]) -> Value:
        gains = [2.0 * hits for _id, (hits, _extra, _missed) in statistics]
        sizes = [2.0 * hits + extra + missed for _id, (hits, extra, missed) in statistics]
        whole = math.fsum(sizes)
        if whole == 0.0:
            return Value(100.0, None)  # nothing was to be found, and nothing was named
        ratio = math.fsum(gains) / whole
        influences = [(gain - ratio * size) / whole for gain, size in zip(gains, sizes, strict=True)]
        return Value(100.0 * ratio, scaled(self.delta_error(influences), 100.0))

    def sums(self, statistics: Sequence[tuple[str, list[int]]]) -> Sums:
        return f1_of([row for _id, row in statistics])


def is_right(answer: Parsed, question: Question) -> bool:
    """Whether the answer is the label, by the rule of ``Accuracy``. Raises NotComparable for boxes."""
    match question.shape:
        case Shape.LETTER if isinstance(question.label, str) and isinstance(answer, str):
            return answer == question.label.strip().upper()
        case Shape.NUMBER if isinstance(answer, float):
            from scorer.parsers.number import label_number  # many patterns, which other answers do not need

            wanted = [label_number(text) for text in acceptable(question.label)]
            return any(number is not None and math.isclose(answer, number, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-12) for number in wanted)
        case Shape.ITEMS if isinstance(answer, tuple):
            _hits, extra, missed = set_counts(answer, question)
            return extra == 0 and missed == 0
        case Shape.TEXT if isinstance(answer, str):
            given = normal_text(answer)
            return any(given == normal_text(reference) for reference in acceptable(question.label))
    raise NotComparable(f"answers of type '{question.answer_type}' are neither right nor wrong as a whole")


def class_of(question: Question) -> str:
    """The class that the label names, normalised. Raises NotComparable if it names none."""
    label = question.label
    if question.shape is Shape.LETTER and isinstance(label, str):
        index = ord(label.strip().upper()[:1] or "?") - ord("A")
        return normal_text(question.options[index] if 0 <= index < len(question.options) else label)
    if question.shape in (Shape.TEXT, Shape.NUMBER) and acceptable(label):
        return normal_text(acceptable(label)[0])
    raise NotComparable(f"the label {str(label)[:80]!r} names no class")


def set_counts(answer: Parsed, question: Question) -> tuple[int, int, int]:
    """(common, extra, missed) items of the answer against the label's best matching set."""
    if question.shape is Shape.ITEMS and isinstance(answer, tuple):
        given = frozenset(_key(str(item)) for item in answer)
    else:
        given = _split(texts(answer, question)[0])
    counted = [(len(given & wanted), len(given - wanted), len(wanted - given)) for wanted in _label_sets(question)]
    return max(counted, key=lambda counts: (2.0 * counts[0] / max(1, 2 * counts[0] + counts[1] + counts[2]), -counts[1] - counts[2]))


def _label_sets(question: Question) -> list[frozenset[str]]:
    """The sets any of which is right: one for items, one a reference otherwise."""
    if question.shape is Shape.ITEMS and isinstance(question.label, list):
        return [frozenset(_key(str(item)) for item in question.label)]
    references = texts("" if question.shape is not Shape.NUMBER else 0.0, question)[1]
    if not references:
        raise NotComparable(f"the label {str(question.label)[:80]!r} names nothing")
    return [_split(reference) for reference in references]


def _split(text: str) -> frozenset[str]:
    return frozenset(key for key in map(_key, text.split(", ")) if key)


def _key(item: str) -> str:
    """An item's comparable form: brackets do not count, because labels have unbalanced ones."""
    folded = unicodedata.normalize("NFKC", item).casefold()
    plain = "".join(" " if character in "()[]{}" else character for character in folded)
    return " ".join(plain.split()).strip(" .,;:'\"`") or folded.strip()


def _f1(parameters: Parameters, variant: str) -> AnyMetric | None:
    made = {"tokens": TokenF1, "items": ItemF1}.get(parameters.get("of", "tokens"))
    return made() if made is not None and variant == "default" else None


def _accuracy(parameters: Parameters, variant: str) -> AnyMetric | None:
    return Accuracy() if variant == "default" and parameters.get("of", "text") == "text" else None


FACTORIES: Factories = {
    "accuracy": _accuracy,
    "macro_accuracy": lambda _parameters, variant: MacroAccuracy() if variant == "default" else None,
    "exact_match": lambda _parameters, variant: ExactMatch() if variant == "default" else None,
    "f1": _f1,
    "micro_f1": lambda _parameters, variant: MicroF1() if variant == "default" else None,
}
