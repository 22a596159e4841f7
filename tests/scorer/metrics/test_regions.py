"""Regions count pixels exactly: pycocotools draws and measures the same masks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

from scorer.metrics.regions.overlaps import Regions
from scorer.metrics.regions.runs import Region, classes_of_map, of_polygons, union
from scorer.metrics.regions.sources import foreground, resized

maps = st.tuples(st.integers(1, 8), st.integers(1, 8), st.integers(0, 2**32)).map(
    lambda case: np.random.default_rng(case[2]).integers(0, 3, case[:2])
)


@settings(max_examples=100)
@given(maps, st.integers(0, 2**32))
def test_areas_and_overlaps_are_those_of_the_pixels(numbers: np.ndarray, seed: int) -> None:
    generator = np.random.default_rng(seed)
    first, second = generator.random(numbers.shape) < 0.5, generator.random(numbers.shape) < 0.3
    ours, theirs = Region.of_bits(first), Region.of_bits(second)
    assert (ours.area, theirs.area) == (first.sum(), second.sum())
    assert ours.shared(theirs) == theirs.shared(ours) == (first & second).sum()
    assert np.array_equal(union([ours, theirs]).bits(*numbers.shape), first | second)
    assert np.array_equal(ours.without(theirs).bits(*numbers.shape), first & ~second)
    assert ours.moved(5).shared(theirs.moved(5)) == ours.shared(theirs)
    for number, region in classes_of_map(numbers).items():
        assert np.array_equal(region.bits(*numbers.shape), numbers == number)
    assert sum(region.area for region in classes_of_map(numbers).values()) == numbers.size


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning:pycocotools")
@pytest.mark.parametrize("seed", range(20))
def test_polygons_are_drawn_as_pycocotools_draws_them(seed: int) -> None:
    generator = np.random.default_rng(seed)
    for _polygon in range(50):
        height, width = (int(side) for side in generator.integers(1, 40, 2))
        corners = generator.uniform(-10, 50, (int(generator.integers(3, 9)), 2))
        polygons = [np.rint(corners).ravel().tolist() if seed % 3 == 0 else corners.ravel().tolist(), [1.0, 1.0, 7.5, 1.0, 4.0, 9.0]]
        drawn = coco.merge(coco.frPyObjects(polygons, height, width))
        assert np.array_equal(of_polygons(polygons, height, width).bits(height, width), coco.decode([drawn])[..., 0].astype(bool))


def test_run_lengths_have_the_area_and_iou_of_pycocotools() -> None:
    generator = np.random.default_rng(1)
    first, second = (np.asfortranarray(generator.random((30, 40)) < 0.4, dtype=np.uint8) for _mask in range(2))
    rles = [coco.encode(first), coco.encode(second)]
    ours = [Region.of_bits(bits.astype(bool)) for bits in (first, second)]
    assert [region.area for region in ours] == coco.area(rles).tolist()
    shared = ours[0].shared(ours[1])
    assert shared / (ours[0].area + ours[1].area - shared) == coco.iou(rles[:1], rles[1:], [0])[0, 0]
    counts, value = [0], 0
    for bit in first.ravel(order="F").tolist():
        if bit == value:
            counts[-1] += 1
        else:
            counts, value = [*counts, 1], bit
    assert np.array_equal(Regions.of_counts([counts], 30 * 40)[0].bits(30, 40), first.astype(bool))


@pytest.mark.parametrize("counts", [[], [0], [12], [0, 0, 3], [3, 0, 0, 2], [0, 12]])
def test_run_lengths_may_be_empty(counts: list[int]) -> None:
    assert Regions.of_counts([counts], 12)[0].area == sum(counts[1::2])


def test_a_polygon_that_reaches_absurdly_far_is_refused() -> None:
    for far in (1e9, 1e300, float("inf")):
        with pytest.raises(ValueError, match="too far"):
            of_polygons([[0.0, 0.0, far, 0.0, 5.0, 5.0]], 10, 10)
    assert of_polygons([[-50.0, -50.0, 60.0, -50.0, 60.0, 60.0, -50.0, 60.0]], 10, 10).area == 100


def test_pictures_of_another_size_are_scaled_by_their_nearest_pixels() -> None:
    numbers = np.arange(6).reshape(2, 3)
    assert np.array_equal(resized(numbers, (4, 6)), numbers.repeat(2, axis=0).repeat(2, axis=1))
    assert np.array_equal(resized(resized(numbers, (10, 15)), (2, 3)), numbers)


def test_foreground_is_what_is_not_zero_and_of_shades_what_is_bright() -> None:
    assert foreground(np.array([[0, 1], [2, 0]])).tolist() == [[False, True], [True, False]]
    assert foreground(np.array([[0, 255], [255, 0]])).tolist() == [[False, True], [True, False]]
    assert foreground(np.array([[3, 250], [127, 128]])).tolist() == [[False, True], [False, True]]
    assert foreground(np.array([[0, 65536 * 200], [65536 * 200, 0]])).tolist() == [[False, True], [True, False]]
