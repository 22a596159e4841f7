"""Recall of relations in scene graphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genlevel.benchmark.answer_kinds import AnswerType
from scorer.metrics.base import AnyMetric, Factories, Floats, NotComparable, Parameters, Question
from scorer.metrics.entries import entries_of, iterated
from scorer.metrics.faults import of_answer, of_label, score_of
from scorer.metrics.nature import UNIT_RATIOS
from scorer.metrics.pooled import MeanOfRatios
from scorer.metrics.regions.boxes import intersection_over_union
from scorer.metrics.regions.precision import folded
from scorer.parsers import Box, Parsed, Structured

_OVERLAP = 0.5


@dataclass(frozen=True, slots=True)
class Relation:
    """Who does what to whom; boxes if they are stated."""

    names: tuple[str, str, str]
    boxes: tuple[Box | None, Box | None]
    score: float = 1.0


class RecallAtK(MeanOfRatios[list[float]]):
    """R@K of scene graphs: 100 * mean over pictures of the share of a picture's relations that are among the answer's surest K.

    A relation is found by one of the same subject, predicate and object, compared case-folded; if both state a subject's (object's)
    box, these overlap with an IoU of at least .5, too. One answer finds one relation of the label, and a relation that is said again
    counts once. Answers with "score" are ranked by it, others by their order. Pictures without a relation are left out.
    Statistic: [share found, 1]; [0, 0] for those. Source: Lu et al. 2016; Xu et al. 2017 (SGDet; SGCls without boxes).

    >>> metric = RecallAtK(50)
    >>> label = [{"subject": "man", "predicate": "rides", "object": "horse"}, {"subject": "man", "predicate": "has", "object": "hat"}]
    >>> metric.statistic(Structured([{"subject": "Man", "predicate": "rides", "object": "horse"}]), Question("relations", label))
    [0.5, 1]
    """

    nature = UNIT_RATIOS
    nothing = 0.0

    def __init__(self, most: int) -> None:
        super().__init__("recall_at_k")
        if most < 1:
            raise ValueError(f"the K of R@K is at least 1, not {most}")
        self.most = most

    def statistic(self, answer: Parsed, question: Question) -> list[float]:
        if question.answer_type != AnswerType.RELATIONS or not isinstance(answer, Structured):
            raise NotComparable(f"answers of type '{question.answer_type}' are not relations")
        with of_label("a list of relations with subject, predicate and object"):
            wanted = list(dict.fromkeys(_relations(question.label)))
        with of_answer("a list of relations with subject, predicate and object"):
            given = sorted(dict.fromkeys(_relations(answer.value)), key=lambda relation: relation.score, reverse=True)[: self.most]
        if not wanted:
            return [0.0, 0]
        return [found(given, wanted) / len(wanted), 1]

    def worst(self, question: Question) -> list[float]:
        """No relation found."""
        return self.statistic(Structured([]), question)

    def ratios(self, statistics: Sequence[tuple[str, list[float]]]) -> tuple[Floats, Floats]:
        import numpy as np

        rows = np.array([row for _id, row in statistics], dtype=float)
        return rows[:, :1], rows[:, 1:]


def found(given: Sequence[Relation], wanted: Sequence[Relation]) -> int:
    """How many of ``wanted`` can be given one each of ``given`` that states them: a largest matching (augmenting paths)."""
    chances = [[index for index, target in enumerate(wanted) if states(relation, target)] for relation in given]
    holder: dict[int, int] = {}

    def placed(number: int, tried: set[int]) -> bool:
        for index in chances[number]:
            if index not in tried:
                tried.add(index)
                if index not in holder or placed(holder[index], tried):
                    holder[index] = number
                    return True
        return False

    return sum(placed(number, set()) for number in range(len(given)))


def states(relation: Relation, target: Relation) -> bool:
    """Whether an answer's relation says what a label's does."""
    return relation.names == target.names and all(
        ours is None or theirs is None or intersection_over_union(ours, theirs) >= _OVERLAP
        for ours, theirs in zip(relation.boxes, target.boxes, strict=True)
    )


def _relations(value: object) -> list[Relation]:
    found = []
    for entry in entries_of(value):
        names = folded(entry["subject"]), folded(entry["predicate"]), folded(entry["object"])
        boxes = _box(entry.get("subject_box")), _box(entry.get("object_box"))
        found.append(Relation(names, boxes, score_of(entry)))
    return found


def _box(sides: object) -> Box | None:
    if sides is None:
        return None
    x, y, width, height = map(float, iterated(sides))
    return Box(x, y, width, height)


def _recall_at_k(parameters: Parameters, variant: str) -> AnyMetric | None:
    return RecallAtK(int(parameters.get("k", "50"))) if variant == "default" else None


FACTORIES: Factories = {"recall_at_k": _recall_at_k}
