"""Pictures of a level card: any numbers and names make well-formed pictures, and picture and table say the same."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.benchmark.model import Modality, Paradigm
from genlevel.views.figures.forest import ForestRow, Mark, forest
from genlevel.views.figures.levels import LevelRow, Standing, levels_picture, levels_table
from genlevel.views.figures.places import Place, places_picture, places_table
from tests.views.figures.svg import drawn, elements, texts

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
ANY_NUMBER = st.floats(allow_nan=True, allow_infinity=True)
INTERVALS = st.none() | st.tuples(ANY_NUMBER, ANY_NUMBER)
FOREST_ROWS = st.builds(
    ForestRow,
    name=ANY_TEXT,
    value=ANY_NUMBER,
    interval=INTERVALS,
    mark=st.sampled_from(Mark),
    told=ANY_TEXT,
    address=st.sampled_from(["", "/runs/r/answers?task=a%20b"]),
    band=INTERVALS,
)
LEVEL_ROWS = st.builds(
    LevelRow,
    number=st.integers(1, 5),
    meaning=ANY_TEXT,
    score=st.none() | ANY_NUMBER,
    interval=INTERVALS,
    published=st.none() | st.sampled_from(Standing),
    specialists=st.none() | st.sampled_from(Standing),
    point=st.booleans(),
)
COUNTS = st.integers(0, 10**6)
PLACES = st.builds(
    lambda modality, paradigm, counts, wins, sigma: Place(
        modality, paradigm, counts[3], counts[2], counts[1], counts[0] if wins else None, sigma
    ),
    st.sampled_from(Modality),
    st.none() | st.sampled_from(Paradigm),
    st.tuples(COUNTS, COUNTS, COUNTS, COUNTS).map(sorted),
    st.booleans(),
    st.none() | st.floats(0.0, 100.0) | st.sampled_from([math.nan, math.inf, -math.inf]),
)


def numbers(root) -> list[float]:
    """All lengths of a picture."""
    names = ("x", "y", "x1", "x2", "y1", "y2", "width", "height", "cx", "cy", "r")
    return [float(found.get(name)) for found in root.iter() for name in names if found.get(name) is not None]


@settings(max_examples=40)
@given(st.lists(FOREST_ROWS, max_size=6))
def test_any_intervals_are_drawn_within_the_picture(rows):
    made = forest(rows, "Wins", axis="points", sides=("below", "above"), legend=dict.fromkeys(Mark, "so"))
    root = drawn(made)
    assert "nan" not in made.inline().lower().replace("\\u", "") or any("nan" in f"{row.name}{row.told}".lower() for row in rows)
    assert all(-20.0 <= number <= made.width + made.height + 20.0 for number in numbers(root))
    assert len([group for group in elements(root, "g", "task")]) == len(rows)


@settings(max_examples=40)
@given(st.lists(LEVEL_ROWS, max_size=5, unique_by=lambda row: row.number))
def test_any_levels_are_drawn_within_the_picture(rows):
    made = levels_picture(rows, "Levels")
    assert all(0.0 <= number <= made.width + made.height for number in numbers(drawn(made)))
    assert len(levels_table(rows).rows) == len(rows)


@settings(max_examples=40)
@given(st.lists(PLACES, max_size=9, unique_by=lambda place: (place.modality, place.paradigm)))
def test_any_places_are_drawn_within_the_picture(places):
    made = places_picture(places, "Places")
    assert all(0.0 <= number <= made.width + made.height for number in numbers(drawn(made)))
    assert len(places_table(places).rows) == len(places)


def test_shapes_say_how_sure_a_win_is_without_colours():
    shapes = {}
    for mark in Mark:
        root = drawn(forest([ForestRow("a", 1.0, (0.5, 1.5), mark)], "t", axis="points"))
        (row,) = elements(root, "g", "task")
        shapes[mark] = tuple(
            sorted(
                (found.tag.rpartition("}")[2], found.get("class", "")) for found in row.iter() if "whisker" not in found.get("class", "")
            )
        )
    assert len(set(shapes.values())) == len(Mark)


def test_an_interval_that_reaches_far_out_does_not_press_the_others_together():
    rows = [ForestRow(f"t{number}", 1.0, (0.5, 1.5), Mark.BETTER) for number in range(9)]
    root = drawn(forest([*rows, ForestRow("wide", 1.0, (-1e9, 1e9), Mark.BETTER)], "t", axis="points"))
    widths = [float(line.get("x2", "")) - float(line.get("x1", "")) for line in elements(root, "line", "whisker-won")]
    assert max(widths[:27]) > 30.0
    assert len(elements(root, "path", "whisker-won")) == 2  # arrows at both ends


def test_the_picture_has_the_scores_and_standings_of_the_table():
    rows = [
        LevelRow(1, "the specialists themselves", None, None, None, None, False),
        LevelRow(2, "two", 48.06, (47.5, 48.6), Standing.ATTAINED, Standing.ATTAINED, True),
        LevelRow(3, "three", 45.62, (34.4, 47.5), Standing.ATTAINED, Standing.UNDECIDED, True),
        LevelRow(4, "four", 0.0, (0.0, 0.5), Standing.NOT_ATTAINED, Standing.UNDECIDED, False),
    ]
    root = drawn(levels_picture(rows, "Levels"))
    said = texts(root)
    assert {"48.06", "45.62", "0.00", "attained", "not attained", "undecided"} <= set(said)
    assert (said.count("attained"), said.count("undecided"), said.count("not attained")) == (3, 2, 1)
    assert [row[2] for row in levels_table(rows).rows] == [None, 48.06, 45.62, 0.0]
    assert "Level 3: score 45.62 (34.40 to 47.50), attained above published scores, undecided against the specialists" in root.get(
        "aria-label", ""
    )
    bars = sorted(float(bar.get("width", "")) for bar in elements(root, "rect", "won") if bar.get("height") == "14")
    assert bars[2] / bars[1] == pytest.approx(48.06 / 45.62, rel=1e-3)


def test_without_references_nothing_is_said_of_specialists():
    row = LevelRow(2, "two", 46.25, (32.9, 62.5), Standing.ATTAINED, None, True)
    said = texts(drawn(levels_picture([row], "Levels")))
    assert "specialists" not in said
    assert "certified" in said


def test_a_place_says_what_was_asked_supported_and_won():
    place = Place(Modality.IMAGE, Paradigm.COMPREHENSION, 271, 134, 132, 29, 40.3)
    root = drawn(places_picture([place, Place(Modality.LANGUAGE, None, 115, 0, 0, 0, None)], "Places"))
    assert "29 won, 132 supported, 134 of 271 asked" in texts(root)
    assert "none of 115 tasks asked" in texts(root)
    assert not math.isnan(sum(numbers(root)))
    shares = [
        float(bar.get("width", ""))
        for bar in elements(root, "rect")
        if bar.get("class") in ("won", "fill") and bar.get("height") in ("12", "8")
    ][:2]
    assert shares[0] / shares[1] == pytest.approx(132 / 29, rel=1e-2)
