"""Style sheets: colours that can be read, and no class without a rule."""

from __future__ import annotations

import re

import pytest

from genlevel.views.figures.drawing import picture
from genlevel.views.styles import picture_style, scoped_style, shared_style, sheet

VARIABLES = re.compile(r"--([\w-]+):\s*(#[0-9a-f]{6});")
LIGHT, DARK = (dict(VARIABLES.findall(part)) for part in sheet("colours.css").split("@media (prefers-color-scheme: dark)"))


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio of two colours."""

    def luminance(colour: str) -> float:
        channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
        linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_are_told_from_the_paper(palette: dict[str, str]) -> None:
    assert palette.keys() == LIGHT.keys()
    for paper in ("paper", "panel"):
        assert contrast(palette["ink"], palette[paper]) >= 7.0
        for name in ("muted", "link", "won", "good", "bad", "warn"):
            assert contrast(palette[name], palette[paper]) >= 4.5, (name, paper)
        for name in ("edge", "dot", "focus", "series-1", "series-2", "series-3", "series-4"):
            assert contrast(palette[name], palette[paper]) >= 3.0, (name, paper)
    for name in ("good", "bad", "warn"):
        assert contrast(palette[name], palette[f"{name}-paper"]) >= 4.5, name


def test_a_picture_that_stands_alone_has_its_colours_written_out_for_light_and_dark() -> None:
    style = picture_style()
    assert "var(" not in style
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    assert f".paper {{ fill: {LIGHT['paper']}; }}" in light
    assert f".paper {{ fill: {DARK['paper']}; }}" in dark
    assert picture(1.0, 1.0, "a").standalone().count("<style>") == 1


def test_nothing_is_loaded_from_elsewhere_and_all_variables_are_known() -> None:
    style = shared_style()
    assert "url(" not in style
    assert "@import" not in style
    assert set(re.findall(r"var\(--([\w-]+)\)", style)) <= LIGHT.keys()


def test_within_somebody_elses_page_all_rules_stay_in_one_element() -> None:
    style = scoped_style(".genlevel")
    assert style.startswith(".genlevel {")
    assert ":root" not in style
    assert style.count("{") == style.count("}")
