"""What all pictures are built with: any text and number makes XML, and only what is drawn is said."""

from __future__ import annotations

import math
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.views.figures.drawing import fitting, group, link, picture, plain, rect, room, text
from genlevel.views.figures.scale import Scale, scale_over, written
from tests.views.figures.svg import drawn, elements, titles

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=80)
ANY_NUMBER = st.floats(allow_nan=True, allow_infinity=True)


@given(ANY_TEXT, ANY_TEXT)
def test_any_text_is_text_and_well_formed(said: str, more: str) -> None:
    made = picture(10.0, 10.0, said, more, linked=True)
    text(group(made.body, "task", more), 1.0, 2.0, said)
    root = drawn(made)
    assert len(elements(root, "text")) == 1
    whole = ET.fromstring(made.standalone().encode("utf-8"))
    assert len(elements(whole, "text")) == 1


def test_markup_and_what_turns_texts_around_is_shown_as_it_is() -> None:
    made = picture(10.0, 10.0, "a")
    text(made.body, 0.0, 0.0, "<script>\u202e&\x00")
    (said,) = elements(drawn(made), "text")
    assert said.text == r"<script>\u202e&\x00"


def test_a_picture_is_one_image_by_its_label_and_no_tooltip_lies_over_it() -> None:
    root = drawn(picture(10.0, 10.0, "Levels", "Level 2"))
    assert (root.get("role"), root.get("aria-label")) == ("img", "Levels. Level 2")
    assert titles([root]) == [""]


@pytest.mark.parametrize("address", ["javascript:alert(1)", "//elsewhere\n", "/a b\x1f", "/ü", "relative"])
def test_what_is_no_address_of_a_page_is_no_link(address: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        link(picture(1.0, 1.0, "a").body, address)


def test_links_are_for_the_pointer_alone() -> None:
    made = picture(10.0, 10.0, "Levels", linked=True)
    link(made.body, "/answers?task=a&b")
    link(made.body, "")
    root = drawn(made)
    assert root.get("role") == "group"
    assert [body.get("aria-hidden") for body in root] == ["true"]
    assert [found.get("href") for found in elements(root, "a")] == ["/answers?task=a&b"]


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_length_has_two_decimals_at_most(value: float) -> None:
    said = plain(value)
    assert float(said) == pytest.approx(value, abs=0.0051)
    assert "e" not in said
    assert said != "-0"
    assert len(said.partition(".")[2]) <= 2


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_length_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="no length"):
        rect(picture(1.0, 1.0, "a").body, (0.0, value, 1.0, 1.0), "won")


@given(ANY_TEXT, st.floats(20.0, 400.0))
def test_a_text_is_cut_to_its_room(said: str, width: float) -> None:
    assert room(fitting(said, width, 12.0), 12.0) <= width or fitting(said, width, 12.0) == "…"


@given(st.lists(st.none() | ANY_NUMBER, max_size=8), st.booleans(), st.sampled_from([0.0, 0.05]))
def test_any_values_have_room_on_an_axis(values: list[float | None], zero: bool, margin: float) -> None:
    axis = scale_over(values, 10.0, 110.0, zero=zero, margin=margin)
    assert axis.low < axis.high
    assert not zero or axis.holds(0.0)
    for value in (*values, math.inf):
        if value is not None and not math.isnan(value):
            assert 10.0 <= axis.at(value) <= 110.0
    ticks = axis.ticks()
    assert 1 <= len(ticks) <= 51
    assert all(10.0 <= axis.at(tick) <= 110.0 and math.isfinite(float(written(tick))) for tick in ticks)


def test_ticks_are_round_numbers() -> None:
    assert Scale(0.0, 1.0, 0.0, 1.0).ticks(4) == (0.0, 0.5, 1.0)
    assert Scale(-12.0, 31.0, 0.0, 1.0).ticks() == (-10.0, 0.0, 10.0, 20.0, 30.0)
