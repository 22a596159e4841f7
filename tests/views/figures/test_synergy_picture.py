"""The synergy map as a picture, a table and a page."""

from __future__ import annotations

from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from genlevel.benchmark.catalogue import general_bench
from genlevel.views.figures.drawing import SVG
from genlevel.views.figures.synergy import COLUMN, GUTTER, LABEL, MARGIN, PER_LINE, synergy_picture, synergy_table
from genlevel.views.synergy_page import synergy_html
from scorer.levels.published import published_model
from scorer.levels.rules import judge_all
from scorer.levels.synergy import SynergyMap, synergy_map
from tests.views.figures.svg import drawn, elements, titles

BENCHMARK = general_bench()


@pytest.fixture(scope="module")
def gpt_4v() -> SynergyMap:
    return synergy_map("GPT-4V", judge_all(BENCHMARK, published_model("GPT-4V").values))


def test_the_picture_draws_every_task_with_its_facts(gpt_4v):
    root = drawn(synergy_picture(gpt_4v))
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
    root = drawn(synergy_picture(gpt_4v))
    assert root.get("role") == "img"
    label = root.get("aria-label", "")
    assert label.startswith("Synergy map of GPT-4V. ")
    assert "119 of 699 tasks" in label
    assert "Image comprehension: 105 of 271 tasks" in label


def test_the_table_has_the_numbers_of_the_picture(gpt_4v):
    table = synergy_table(gpt_4v)
    assert len(table.rows) == 145
    assert sum(int(row[3] or 0) for row in table.rows) == 119
    assert sum(str(row[6] or "").count("; ") + 1 for row in table.rows if row[6]) == 119


def test_squares_of_tasks_that_were_asked_lead_to_their_answers(gpt_4v):
    task = BENCHMARK.tasks[0]
    asked = synergy_map("m", judge_all(BENCHMARK, {task.id: 1.0}), asked=[task.id])
    root = drawn(synergy_picture(asked, lambda marked: f"/runs/r/answers?task={marked.result.task.id}"))
    (link,) = elements(root, "a")
    assert link.get("href") == f"/runs/r/answers?task={task.id}"
    assert link.get("tabindex") == "-1"
    assert root.get("role") == "group"
    assert not elements(drawn(synergy_picture(gpt_4v)), "a")


def test_nothing_is_drawn_outside_the_picture_or_over_the_labels(gpt_4v):
    root = drawn(synergy_picture(gpt_4v))
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
        root = drawn(synergy_picture(synergy_map("m", judge_all(BENCHMARK, {task.id: task.reference_workbook * share}))))
        (fill,) = [bar for cell in elements(root, "g", "task") for bar in elements(cell, "rect", "fill")]
        heights.append(float(fill.get("height", "")))
    assert heights[1] == pytest.approx(3 * heights[0], abs=0.02)


def test_marks_differ_in_shape_and_the_legend_has_those_that_occur(gpt_4v):
    text = synergy_picture(gpt_4v).inline()
    assert "below it" in text
    assert "not asked" not in text
    partial = synergy_picture(synergy_map("m", judge_all(BENCHMARK, {}), asked=())).inline()
    assert "not asked" in partial
    assert "below it" not in partial
    assert "0 were asked" in partial
    assert "were asked" not in text


@pytest.mark.parametrize("name", ["<b>&\"'", "line\nbreak\x00\x1b", "模型 α", "m" * 300, "\ud800\ufffe"])
def test_any_model_name_makes_a_well_formed_picture_and_page(name):
    found = synergy_map(name, judge_all(BENCHMARK, {}))
    made = synergy_picture(found)
    assert len(elements(drawn(made), "g", "task")) == 699
    assert len(elements(ET.fromstring(made.standalone().encode()), "g", "task")) == 699
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
