"""Overlap of masks: mean IoU in its two senses, Dice, pixel F1 and part IoU. How masks are read and scaled is in ``masks``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from genlevel.benchmark.answer_kinds import Shape
from scorer.metrics.averages import FARTHEST
from scorer.metrics.base import AnyMetric, Factories, Factory, Floats, JsonRow, MeanMetric, NotComparable, Parameters, Question, label_boxes
from scorer.metrics.nature import UNIT_RATIOS
from scorer.metrics.pooled import MeanOfRatios
from scorer.metrics.regions import panoptic, structure
from scorer.metrics.regions.masks import Kinds, by_class, read_masks
from scorer.metrics.regions.precision import folded
from scorer.metrics.regions.runs import Region, union
from scorer.parsers import Box, Parsed, Structured

Counts = tuple[float, float, float]
"""Area of both, of the answer, of the label."""


class _SampleOverlap(MeanMetric):
    """Mean over instances of an overlap 0..1 of one answer's masks with its label's."""

    def statistic(self, answer: Parsed, question: Question) -> float:
        pairs = overlaps(answer, question)
        return sum(self.overlap(*pair) for pair in pairs) / len(pairs)

    def overlap(self, both: float, answered: float, labelled: float) -> float:
        raise NotImplementedError


class SampleIou(_SampleOverlap):
    """Mean of IoU over instances ("gIoU" of referring and reasoning segmentation): 100 * mean of |A and L| / |A or L|.

    Of a video the pixels of all frames are pooled. Masks of one class are joined; if a label has several classes, the mean over the
    classes of label and answer is taken; if it has one, answers' names do not matter. Nothing to find and nothing named is 1.
    Source: mIoU of General-Bench's binary, referring, reasoning and video rows, whose specialists report it so (Lai et al. 2024).

    >>> square = {"size": [4, 4], "counts": [0, 8, 8]}
    >>> metric = SampleIou("miou")
    >>> metric.statistic(Structured([{"label": "", "mask": {"size": [4, 4], "counts": [4, 8, 4]}}]),
    ...                  Question("masks", [{"label": "flood", "mask": square}])) == 4 / 12
    True
    """

    def overlap(self, both: float, answered: float, labelled: float) -> float:
        joined = answered + labelled - both
        return both / joined if joined else 1.0


class Dice(_SampleOverlap):
    """Mean Dice coefficient over instances: 100 * mean of 2 |A and L| / (|A| + |L|). Boxes count as the area that they cover.

    Classes and empty masks as in ``SampleIou``. Source: Dice 1945.

    >>> metric = Dice("dice")
    >>> metric.statistic((Box(0, 0, 2, 1),), Question("boxes", [{"label": "fracture", "box": [1, 0, 2, 1]}]))
    0.5
    """

    def overlap(self, both: float, answered: float, labelled: float) -> float:
        total = answered + labelled
        return 2.0 * both / total if total else 1.0


class ClassIou(MeanOfRatios[dict[str, list[float]]]):
    """Mean IoU of semantic segmentation: 100 * mean over classes of sum |A and L| / sum |A or L|, summed over the whole data set.

    Classes are those that labels have: named masks, or the numbers of a map. 0 is background: not a class, but what is answered there
    is wrong. Pixels of a void number do not count at all: 255 in a map that has other numbers, and those of ``void``.
    Statistic: {class: [area of both, of the answer, of the label]}. Source: PASCAL VOC (Everingham et al. 2010), Cityscapes, ScanNet.

    >>> metric = ClassIou()
    >>> question = Question("masks", [{"label": "road", "mask": {"size": [4, 4], "counts": [0, 8, 8]}}])
    >>> row = metric.statistic(Structured([{"label": "Road", "mask": {"size": [4, 4], "counts": [0, 4, 12]}}]), question)
    >>> row, metric.compute([("a", row)]).score
    ({'road': [4, 4, 8]}, 50.0)
    """

    nothing = 0.0

    def __init__(self, void: Sequence[int] = ()) -> None:
        super().__init__("miou")
        self.void = frozenset(void)

    def statistic(self, answer: Parsed, question: Question) -> dict[str, list[float]]:
        read = read_masks(answer, question, Kinds(void=self.void))
        wanted, given = by_class(read.wanted), by_class(read.given)
        if read.void.area:
            wanted = {name: region.without(read.void) for name, region in wanted.items()}
            given = {name: region.without(read.void) for name, region in given.items()}
        nothing = Region.of_runs([], [])
        pairs = {name: (given.get(name, nothing), wanted.get(name, nothing)) for name in sorted({*wanted, *given})}
        return {name: [ours.shared(theirs), ours.area, theirs.area] for name, (ours, theirs) in pairs.items()}

    def worst(self, question: Question) -> dict[str, list[float]]:
        """Nothing marked."""
        return self.statistic(Structured([]), question)

    def ratios(self, statistics: Sequence[tuple[str, dict[str, list[float]]]]) -> tuple[Floats, Floats]:
        import numpy as np

        classes = sorted({name for _id, row in statistics for name, counts in row.items() if counts[2]})
        found = np.array([[row.get(name, (0, 0, 0)) for name in classes] for _id, row in statistics], dtype=float)
        found = found.reshape(len(statistics), len(classes), 3)
        return found[..., 0], found[..., 1] + found[..., 2] - found[..., 0]


class PixelF1(MeanOfRatios[list[float]]):
    """F1 of pixels: 100 * 2 TP / (2 TP + FP + FN), true and false pixels summed over the data set.

    Masks are joined, whatever their class. Statistic: [area of both, of the answer, of the label].

    >>> metric = PixelF1()
    >>> row = metric.statistic((Box(0, 0, 2, 1),), Question("boxes", [{"label": "a", "box": [1, 0, 2, 1]}]))
    >>> row, metric.compute([("a", row)]).score
    ([1.0, 2.0, 2.0], 50.0)
    """

    nothing = 0.0

    def __init__(self) -> None:
        super().__init__("f1")

    def statistic(self, answer: Parsed, question: Question) -> list[float]:
        return list(joined_overlap(answer, question))

    def worst(self, question: Question) -> list[float]:
        """Nothing marked."""
        return self.statistic(() if question.shape is Shape.BOXES else Structured([]), question)

    def ratios(self, statistics: Sequence[tuple[str, list[float]]]) -> tuple[Floats, Floats]:
        import numpy as np

        found = np.array([row for _id, row in statistics], dtype=float)
        return 2.0 * found[:, :1], found[:, 1:2] + found[:, 2:]


SHAPENET_PARTS: Mapping[str, range] = {
    name: range(first, last + 1)
    for name, first, last in (
        *(("airplane", 0, 3), ("bag", 4, 5), ("cap", 6, 7), ("car", 8, 11), ("chair", 12, 15), ("earphone", 16, 18)),
        *(("guitar", 19, 21), ("knife", 22, 23), ("lamp", 24, 27), ("laptop", 28, 29), ("motorbike", 30, 35), ("mug", 36, 37)),
        *(("pistol", 38, 40), ("rocket", 41, 43), ("skateboard", 44, 46), ("table", 47, 49)),
    )
}
"""The numbers of the parts of each category of ShapeNet part (Yi et al. 2016)."""
_MOST_PARTS = 6


class PartIou(MeanOfRatios[JsonRow]):
    """Instance mIoU of part segmentation: 100 * mean over shapes of the mean IoU over the parts of the shape's category.

    A part that neither the shape nor the answer has counts as 1. The category is the question's detail "category"; its parts are those
    that the labels of its shapes have. Without it labels that use ShapeNet part's numbers (up to 49) say it themselves; otherwise the
    parts of the shape and of the answer count. Statistic: [category, {part: IoU} of the parts in either]; None for no answer: 0.
    Source: Yi et al. 2016; Qi et al. 2017 (PointNet).

    >>> metric = PartIou()
    >>> question = Question("masks", [{"label": "wing", "mask": {"points": [0, 1]}}, {"label": "body", "mask": {"points": [2, 3]}}])
    >>> answer = Structured([{"label": "wing", "mask": {"points": [0, 1, 2]}}, {"label": "body", "mask": {"points": [3]}}])
    >>> metric.statistic(answer, question)
    ['', {'body': 0.5, 'wing': 0.6666666666666666}, ['body', 'wing']]
    """

    nature = UNIT_RATIOS

    def __init__(self) -> None:
        super().__init__("instance_miou")

    def statistic(self, answer: Parsed, question: Question) -> JsonRow:
        read = read_masks(answer, question, Kinds(background=False))
        wanted, given = by_class(read.wanted), by_class(read.given)
        nothing = Region.of_runs([], [])
        found = {}
        for part in sorted({*wanted, *given}):
            ours, theirs = given.get(part, nothing), wanted.get(part, nothing)
            joined = ours.area + theirs.area - ours.shared(theirs)
            if joined:
                found[part] = ours.shared(theirs) / joined
        return [folded(question.details.get("category", "")), found, sorted(part for part in wanted if wanted[part].area)]

    def worst(self, question: Question) -> JsonRow:
        """No part right, and none that may be absent."""
        category, _found, parts = self.statistic(Structured([]), question)
        return [category, None, parts]

    def ratios(self, statistics: Sequence[tuple[str, JsonRow]]) -> tuple[Floats, Floats]:
        import numpy as np

        known = parts_by_category([row for _id, row in statistics])
        upper = np.array([[_part_mean(row, parts)] for (_id, row), parts in zip(statistics, known, strict=True)])
        return upper, np.ones_like(upper)


def parts_by_category(rows: Sequence[JsonRow]) -> list[frozenset[str]]:
    """The parts of each shape's category, as far as they can be known."""
    numbers = {int(part) for _category, _found, parts in rows for part in parts if part.isdecimal()}
    shapenet = bool(numbers) and _MOST_PARTS < max(numbers) < 50 and all(part.isdecimal() for *_row, parts in rows for part in parts)
    by_name: dict[str, set[str]] = {}
    for category, _found, parts in rows:
        by_name.setdefault(category, set()).update(parts)
    known = []
    for category, found, parts in rows:
        if category:
            known.append(frozenset(by_name[category]))
        elif shapenet:
            ranges = [numbers for numbers in SHAPENET_PARTS.values() if any(int(part) in numbers for part in parts)]
            known.append(frozenset(str(number) for numbers in ranges for number in numbers))
        else:
            known.append(frozenset((*parts, *(found or ()))))
    return known


def overlaps(answer: Parsed, question: Question) -> list[Counts]:
    """The areas of each class of label and answer; of all as one if the label has one class or none."""
    if question.shape is Shape.BOXES:
        wanted = label_boxes(question.label)
        names = {folded(box.label) for box in wanted}
        given = _boxes(answer)
        if len(names) < 2:
            return [box_counts(given, wanted)]
        named = sorted(names | {folded(box.label) for box in given})
        return [
            box_counts(
                [box for box in given if folded(box.label) == name],
                [box for box in wanted if folded(box.label) == name],
            )
            for name in named
        ]
    read = read_masks(answer, question)
    ours, theirs = by_class(read.given), by_class(read.wanted)
    nothing = Region.of_runs([], [])
    if len(theirs) < 2:
        return [_counts(union(list(ours.values()) or [nothing]), union(list(theirs.values()) or [nothing]))]
    return [_counts(ours.get(name, nothing), theirs.get(name, nothing)) for name in sorted({*ours, *theirs})]


def joined_overlap(answer: Parsed, question: Question) -> Counts:
    """The areas of all masks or boxes as one."""
    if question.shape is Shape.BOXES:
        return box_counts(_boxes(answer), label_boxes(question.label))
    read = read_masks(answer, question)
    nothing = [Region.of_runs([], [])]
    return _counts(union([mask.region for mask in read.given] or nothing), union([mask.region for mask in read.wanted] or nothing))


def box_counts(given: Sequence[Box], wanted: Sequence[Box]) -> Counts:
    """The areas that boxes cover together, exactly: the plane is cut at every side, and the cells that are covered are added up.

    Sides are brought within -1e9..1e9, so that an absurd box leaves every area finite.
    """
    import numpy as np

    boxes = [(box.x, box.y, box.x + box.width, box.y + box.height) for box in (*given, *wanted)]
    if not boxes:
        return 0.0, 0.0, 0.0
    sides = np.clip(np.nan_to_num(np.array(boxes, dtype=float)), -FARTHEST, FARTHEST)
    across, down = np.unique(sides[:, 0::2]), np.unique(sides[:, 1::2])
    columns, rows = np.searchsorted(across, sides[:, 0::2]), np.searchsorted(down, sides[:, 1::2])
    covered = np.zeros((2, len(down), len(across)), dtype=bool)
    for index in range(len(sides)):
        covered[int(index >= len(given)), rows[index, 0] : rows[index, 1], columns[index, 0] : columns[index, 1]] = True
    with np.errstate(over="ignore", invalid="ignore"):  # sides of numbers near the largest have an area of inf, without a word
        cells = np.diff(down, append=down[-1])[:, None] * np.diff(across, append=across[-1])[None]
        return float(cells[covered.all(axis=0)].sum()), float(cells[covered[0]].sum()), float(cells[covered[1]].sum())


def _boxes(answer: Parsed) -> list[Box]:
    if not isinstance(answer, tuple):
        raise NotComparable("the answer is not a list of boxes")
    return [box for box in answer if isinstance(box, Box)]


def _counts(ours: Region, theirs: Region) -> Counts:
    return float(ours.shared(theirs)), float(ours.area), float(theirs.area)


def _part_mean(row: JsonRow, parts: frozenset[str]) -> float:
    _category, found, _parts = row
    if found is None or not parts:
        return 0.0
    return float(sum(found.get(part, 1.0) for part in sorted(parts))) / len(parts)


def _miou(parameters: Parameters, variant: str) -> AnyMetric | None:
    if variant != "default":
        return None
    match parameters.get("of", "masks"):
        case "masks":
            return SampleIou("miou")
        case "classes":
            return ClassIou([int(number) for number in parameters.get("void", "").split()])
    return None


def _f1(parameters: Parameters, variant: str) -> AnyMetric | None:
    return PixelF1() if parameters.get("of") == "pixels" and variant == "default" else None


def _default_only(make: Callable[[], AnyMetric]) -> Factory:
    return lambda _parameters, variant: make() if variant == "default" else None


FACTORIES: Factories = {
    "miou": _miou,
    "dice": _default_only(lambda: Dice("dice")),
    "f1": _f1,
    "instance_miou": _default_only(PartIou),
    "pq": _default_only(panoptic.PanopticQuality),
    "s_measure": _default_only(lambda: structure.StructureMeasure("s_measure")),
}
