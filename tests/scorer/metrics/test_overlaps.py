"""Many regions at once are what each is alone, and what cannot be run lengths never gets that far."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorer.metrics import NotComparable, Question, UnreadableAnswer
from scorer.metrics.base import AnyMetric
from scorer.metrics.regions import masks, overlaps, pairing
from scorer.metrics.regions.detection import MaskPrecision
from scorer.metrics.regions.overlaps import Regions, alike
from scorer.metrics.regions.runs import Region
from scorer.metrics.regions.segmentation import ClassIou, SampleIou
from scorer.parsers import Structured

HEIGHT, WIDTH = 5, 6
PIXELS = HEIGHT * WIDTH


@st.composite
def run_lengths(draw: st.DrawFn) -> list[int]:
    """Of at most so many pixels: also none, runs of nothing in the middle, and such as end before the last pixel."""
    counts, rest = [], PIXELS
    for count in draw(st.lists(st.integers(0, 9), max_size=9)):
        counts.append(min(count, rest))
        rest -= counts[-1]
    return [*counts, rest] if draw(st.booleans()) else counts


lists = st.lists(run_lengths(), max_size=5)


def alone_of(counts: Sequence[int]) -> Region:
    """One region of run lengths, run by run."""
    bounds = [sum(counts[:end]) for end in range(len(counts) + 1)]
    runs = [(bounds[index], bounds[index + 1]) for index in range(1, len(counts), 2)]
    return Region.of_runs([start for start, _end in runs], [end for _start, end in runs])


def bits_of(region: Region) -> np.ndarray:
    return region.bits(HEIGHT, WIDTH)


@settings(max_examples=150)
@given(lists, lists, st.sampled_from([1, 5, 1_000_000]), st.booleans(), st.integers(0, 3))
def test_many_regions_are_what_each_is_alone(
    first: list[list[int]], second: list[list[int]], at_once: int, by_region: bool, split: int
) -> None:
    alone, others = [alone_of(counts) for counts in first], [alone_of(counts) for counts in second]
    ours = Regions.joined(alone) if by_region else Regions.of_counts(first, PIXELS)
    theirs = Regions.of_counts(second, PIXELS)
    before, behind = ours.split(min(split, len(ours)))
    assert [*before.areas, *behind.areas] == ours.areas.tolist() == [region.area for region in alone]
    for found in (list(ours), [*before, *behind]):
        assert all(np.array_equal(bits_of(one), bits_of(other)) for one, other in zip(found, alone, strict=True))
    pairs = [(row, column) for row in range(len(first)) for column in range(len(second))]
    rows, columns = [row for row, _column in pairs], [column for _row, column in pairs]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairing, "AT_ONCE", at_once)
        expected = [alone[row].shared(others[column]) for row, column in pairs]
        assert expected == [(bits_of(alone[row]) & bits_of(others[column])).sum() for row, column in pairs]
        assert ours.shared(theirs, rows, columns).tolist() == theirs.shared(ours, columns, rows).tolist() == expected
        latter = [(row, column) for row, column in pairs if row >= len(before)]
        shared = behind.shared(theirs, [row - len(before) for row, _column in latter], [column for _row, column in latter])
        assert shared.tolist() == [alone[row].shared(others[column]) for row, column in latter]


@settings(max_examples=150)
@given(lists, lists, st.data(), st.sampled_from([(1, -1), (7, -1), (7, 1000), (1_000_000, 1000)]), st.sampled_from([0.01, 0.5, 0.75]))
def test_what_is_alike_is_what_a_look_at_every_pair_finds(
    first: list[list[int]], second: list[list[int]], data: st.DataObject, at_once: tuple[int, int], least: float
) -> None:
    names, classes = ([data.draw(st.sampled_from("ab")) for _region in side] for side in (first, second))
    ours, theirs = [alone_of(counts) for counts in first], [alone_of(counts) for counts in second]
    expected = []
    for row, (name, one) in enumerate(zip(names, ours, strict=True)):
        for column, (label, other) in enumerate(zip(classes, theirs, strict=True)):
            shared = one.shared(other)
            if name == label and shared and shared / (one.area + other.area - shared) >= least:
                expected.append((row, column, shared / (one.area + other.area - shared)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairing, "AT_ONCE", at_once[0])
        patch.setattr(overlaps, "FEW", at_once[1])
        for given_regions in (Regions.joined(ours), Regions.of_counts(first, PIXELS)):
            found = alike(given_regions, Regions.of_counts(second, PIXELS), names, classes, least)
            assert list(zip(*(side.tolist() for side in found), strict=True)) == expected


@pytest.mark.parametrize(
    "counts",
    [[-1, 31], [31], [10, 10, 11], [2**62, 2**62, 2**62, 2**62], [2**63], [2**64 - 1], [2**70], [-(2**63)], ["x"], [None], [[3]], [1e300]],
)
def test_what_cannot_be_run_lengths_of_a_picture_is_refused(counts: list[int]) -> None:
    for several in ([counts], [[0, 30], counts], [counts, [30]]):
        with pytest.raises(ValueError, match="run lengths"):
            Regions.of_counts(several, PIXELS)


def test_a_point_beyond_all_counting_is_refused() -> None:
    far = Question("masks", [{"label": "a", "mask": {"points": [2**62]}}])
    with pytest.raises(NotComparable, match="cannot be counted"):
        MaskPrecision("ap_at_iou", [0.5]).statistic(Structured([]), far)
    near = Question("masks", [{"label": "a", "mask": {"points": [1]}}])
    with pytest.raises(UnreadableAnswer, match="cannot be counted"):
        MaskPrecision("ap_at_iou", [0.5]).statistic(Structured([{"label": "a", "mask": {"points": [2**62]}}]), near)


values = st.one_of(st.none(), st.integers(-2, 40), st.sampled_from(["", "7", 2**63, float("nan"), 1.5, [], {}]))
entries = st.fixed_dictionaries(
    {"label": st.sampled_from(["a", "b", "A ", "", "0", "255", "2001"])},
    optional={
        "score": st.one_of(st.none(), st.sampled_from([0.25, 0.5, 1]), values),
        "mask": st.one_of(
            *[st.fixed_dictionaries({"size": st.just([HEIGHT, WIDTH]), "counts": run_lengths()})] * 6,
            st.fixed_dictionaries({"size": st.just([HEIGHT, WIDTH]), "counts": st.lists(values, max_size=3)}),
            st.fixed_dictionaries({"size": st.lists(values, max_size=3), "counts": run_lengths()}),
            st.fixed_dictionaries({"size": st.just([3, 2]), "counts": st.just([1, 3, 2])}),
            st.just({"polygons": [[0.0, 0.0, 4.0, 0.0, 4.0, 4.0]]}),
            st.just([{"size": [HEIGHT, WIDTH], "counts": [3, 9]}, None]),
            values,
        ),
    },
)


def measured(metric: AnyMetric, answer: Sequence[object], label: Sequence[object]) -> object:
    """The statistic, or which error says what."""
    try:
        return metric.statistic(Structured(list(answer)), Question("masks", list(label)))
    except (NotComparable, UnreadableAnswer) as problem:
        return type(problem), str(problem)


@settings(max_examples=300)
@given(
    st.lists(entries, max_size=4),
    st.lists(entries, min_size=1, max_size=3),
    st.sampled_from([MaskPrecision("map"), SampleIou("miou"), ClassIou((7,))]),
)
def test_run_lengths_read_all_at_once_say_what_they_say_one_by_one(answer: list[object], label: list[object], metric: AnyMetric) -> None:
    at_once = measured(metric, answer, label)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(masks, "_run_lengths", lambda *_all: None)
        assert measured(metric, answer, label) == at_once


def test_run_lengths_of_one_size_are_read_all_at_once() -> None:
    mask = {"size": [HEIGHT, WIDTH], "counts": [3, 9, 18]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(masks, "_sources", lambda *_all: pytest.fail("one by one"))
        found = measured(MaskPrecision("map"), [{"label": "a", "mask": mask, "score": 0.5}] * 2, [{"label": "a", "mask": mask}])
        assert found == {"a": [1, [[0.5, 1023], [0.5, 0]]]}
        with contextlib.suppress(NotComparable):
            assert measured(MaskPrecision("map"), [], [{"label": "a", "mask": mask}]) == {"a": [1, []]}
