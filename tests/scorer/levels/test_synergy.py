"""The synergy map: every task once, with what it says of synergy, in data and in the picture."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Modality, Paradigm
from genlevel.benchmark.suites import load_benchmark
from genlevel.runtime.errors import UsageError
from scorer.levels.published import published_model
from scorer.levels.rules import judge_all
from scorer.levels.synergy import Mark, SynergyMap, synergy_json, synergy_map
from scorer.reports.synergy_figure import COLUMN, GUTTER, LABEL, MARGIN, PER_LINE, SVG, synergy_html, synergy_svg

BENCHMARK = general_bench()
GPT_4V = published_model("GPT-4V").values


def drawn(found: SynergyMap) -> ET.Element:
    return ET.fromstring(synergy_svg(found))


def elements(root: ET.Element, tag: str, kind: str) -> list[ET.Element]:
    return [element for element in root.iter(f"{{{SVG}}}{tag}") if kind in element.get("class", "").split()]


def titles(elements_with_titles: list[ET.Element]) -> list[str]:
    return [element.findtext(f"{{{SVG}}}title") or "" for element in elements_with_titles]


@pytest.fixture(scope="module")
def gpt_4v() -> SynergyMap:
    return synergy_map("GPT-4V", judge_all(BENCHMARK, GPT_4V))


def test_the_map_has_every_task_once_in_its_panel_and_skill(gpt_4v):
    assert [(panel.modality, panel.paradigm) for panel in gpt_4v.panels] == [
        *((modality, paradigm) for modality in (Modality.IMAGE, Modality.VIDEO, Modality.AUDIO, Modality.THREE_D) for paradigm in Paradigm),
        (Modality.LANGUAGE, None),
    ]
    listed = [task.result.task.id for panel in gpt_4v.panels for skill in panel.skills for task in skill.tasks]
    assert sorted(listed) == sorted(task.id for task in BENCHMARK.tasks)
    assert (gpt_4v.tasks, gpt_4v.skills) == (699, 145)


def test_wins_are_those_of_the_levels(gpt_4v):
    assert gpt_4v.wins == 119
    assert {(panel.modality, panel.paradigm): panel.wins for panel in gpt_4v.panels if panel.wins} == {
        (Modality.IMAGE, Paradigm.COMPREHENSION): 105,
        (Modality.LANGUAGE, None): 14,
    }
    assert synergy_map("m", judge_all(BENCHMARK, GPT_4V, "appendix"), "appendix").wins == 105


def test_what_is_no_win_is_told_apart():
    tasks = [task for task in BENCHMARK.tasks if task.skill_id == "I-C-28"]
    assert all(task.reference_workbook and task.metric.id == "accuracy" for task in tasks[:3])
    values = {tasks[0].id: tasks[0].reference_workbook, tasks[1].id: 0.5, tasks[2].id: 0.0, tasks[3].id: None}
    found = synergy_map("m", judge_all(BENCHMARK, values), asked=values)
    marks = next(skill for panel in found.panels for skill in panel.skills if skill.id == "I-C-28").tasks
    assert [task.mark for task in marks[:5]] == [Mark.WON, Mark.LOST, Mark.ZERO, Mark.OPEN, Mark.UNASKED]


def test_the_data_says_value_reference_and_specialist(gpt_4v):
    document = synergy_json(gpt_4v)
    assert document["panels"][0]["modality"] == "image"
    task = document["panels"][0]["skills"][0]["tasks"][0]
    assert task["mark"] == ("won" if task["value"] >= task["reference"] else "lost")
    assert task["specialist"]
    assert sum(task["mark"] == "won" for panel in document["panels"] for skill in panel["skills"] for task in skill["tasks"]) == 119


def test_a_benchmark_without_skills_is_refused():
    starter = load_benchmark("starter")
    assert starter is not None
    with pytest.raises(UsageError, match="no skills"):
        synergy_map("m", judge_all(starter, {}))


def test_the_picture_draws_every_task_with_its_facts(gpt_4v):
    root = drawn(gpt_4v)
    tasks = elements(root, "g", "task")
    assert len(tasks) == 699
    assert len([task for task in tasks if elements(task, "rect", "won")]) == 119
    said = titles(tasks)
    assert all(said)
    assert sum(": won, " in title for title in said) == 119
    assert all("specialist" in title for title in said if "no specialist" not in title)
    labels = elements(root, "text", "label")
    assert len(labels) == 145
    assert len(elements(root, "g", "won-skill")) == gpt_4v.skills_won


def test_the_picture_says_in_words_what_it_shows(gpt_4v):
    root = drawn(gpt_4v)
    assert root.get("role") == "img"
    by_id = {element.get("id"): element.text or "" for element in root if element.get("id")}
    title, description = (by_id[name] for name in root.get("aria-labelledby", "").split())
    assert "GPT-4V" in title
    assert "119 of 699 tasks" in description
    assert "Image comprehension: 105 of 271 tasks" in description


def test_nothing_is_drawn_outside_the_picture_or_over_the_labels(gpt_4v):
    root = drawn(gpt_4v)
    _, _, width, height = map(float, root.get("viewBox", "").split())
    cells = [cell for task in elements(root, "g", "task") for cell in elements(task, "rect", "hit")]
    places = [(float(cell.get("x", "")), float(cell.get("y", ""))) for cell in cells]
    assert len(set(places)) == 699
    assert all(0 < x < width - MARGIN and 0 < y < height - MARGIN for x, y in places)
    assert all((x + 1 - MARGIN) % (COLUMN + GUTTER) >= LABEL for x, _ in places)
    assert max(len(list(skill.iter(f"{{{SVG}}}g"))) for skill in elements(root, "g", "skill")) > PER_LINE


def test_a_lost_task_is_filled_as_far_as_it_reaches_the_specialist():
    task = next(task for task in BENCHMARK.tasks if task.skill_id == "I-C-28")
    assert task.reference_workbook
    heights = []
    for share in (0.25, 0.75):
        root = drawn(synergy_map("m", judge_all(BENCHMARK, {task.id: task.reference_workbook * share})))
        (fill,) = [bar for cell in elements(root, "g", "task") for bar in elements(cell, "rect", "fill")]
        heights.append(float(fill.get("height", "")))
    assert heights[1] == pytest.approx(3 * heights[0], abs=0.02)


def test_marks_differ_in_shape_and_the_legend_has_those_that_occur(gpt_4v):
    text = synergy_svg(gpt_4v)
    assert "below it" in text
    assert "not asked" not in text
    partial = synergy_svg(synergy_map("m", judge_all(BENCHMARK, {}), asked=()))
    assert "not asked" in partial
    assert "below it" not in partial
    assert "0 were asked" in partial
    assert "were asked" not in text


def test_light_and_dark_readers_each_have_a_palette_with_contrast(gpt_4v):
    style = drawn(gpt_4v).findtext(f"{{{SVG}}}style") or ""
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    for palette in (light, dark):
        paper = re.search(r"\.paper \{ fill: (#\w+)", palette)
        assert paper is not None
        for kind, least in (("text", 7.0), (".muted, .synergy .label, .synergy .count", 4.5), (".won-skill .count, .synergy .won", 4.5)):
            ink = re.search(rf"\.synergy {re.escape(kind)} \{{ fill: (#\w+)", palette)
            assert ink is not None
            assert contrast(ink[1], paper[1]) >= least, (kind, ink[1], paper[1])
        edge = re.search(r"\.edge \{ stroke: (#\w+)", palette)
        assert edge is not None
        assert contrast(edge[1], paper[1]) >= 3.0


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio of two colours."""

    def luminance(colour: str) -> float:
        channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
        linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["<b>&\"'", "line\nbreak\x00\x1b", "模型 α", "m" * 300])
def test_any_model_name_makes_a_well_formed_picture_and_page(name):
    found = synergy_map(name, judge_all(BENCHMARK, {}))
    assert len(elements(drawn(found), "g", "task")) == 699
    page = synergy_html(found)
    assert "<b>&" not in page
    assert "\x00" not in page


def test_the_page_loads_nothing_and_closes_what_it_opens(gpt_4v):
    page = synergy_html(gpt_4v)

    class Checker(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []
            self.rows = 0

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert not {name for name, _ in attrs} & {"src", "href"}
            assert tag != "script"
            self.rows += tag == "tr"
            if tag != "meta":
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    assert checker.rows == 145 + 9
    assert "url(" not in page
    assert page.count("@media (prefers-color-scheme: dark)") == 2
