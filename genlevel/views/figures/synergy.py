"""The synergy map as a picture: one square a task, one row a skill, one panel a modality and paradigm, with its numbers as a table.

Read without colour: a won task is a full square, a lost one an outline filled as far as its score reaches the specialist's, one without a
result a dot. The palette (Okabe and Ito's blue and orange) is told apart by colour-blind readers, and follows their light or dark setting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from genlevel.benchmark.metrics import sigma
from genlevel.views.figures.drawing import Picture, circle, fitting, group, link, picture, rect, room, text
from genlevel.views.table import Table, table
from scorer.levels.synergy import Mark, MarkedTask, Panel, SkillSynergy, SynergyMap

if TYPE_CHECKING:
    from genlevel.views.table import Cell

# Lengths in user units (pixels at 100 %).
COLUMNS = 3
MARGIN = 32
GUTTER = 40
LABEL = 318  # has room for the longest of the 145 names at 11.5 px in a wide font
PER_LINE = 14
PITCH = 14
CELL = 11
ROW = 18
COUNT = 40
COLUMN = LABEL + PER_LINE * PITCH + COUNT
HEADER = 116
PANEL_HEADER = 40
PANEL_GAP = 22
FOOTER = 44

LEGEND = {
    Mark.WON: "as good as the specialist, or better",
    Mark.LOST: "below it; filled as far as the score reaches the specialist's",
    Mark.ZERO: "scored 0",
    Mark.UNCONTESTED: "no specialist",
    Mark.OPEN: "no result",
    Mark.UNASKED: "not asked",
}

Address = Callable[[MarkedTask], str]
"""Where a task's answers are; "" if nowhere."""


def synergy_picture(found: SynergyMap, address: Address | None = None, *, wide: int = COLUMNS) -> Picture:
    """The map. address: squares lead there. wide: so many columns, at least two."""
    columns = _columns(found.panels, wide)
    width = 2 * MARGIN + wide * COLUMN + (wide - 1) * GUTTER
    height = HEADER + max((sum(_height(panel) for panel in column) for column in columns), default=0) + FOOTER
    made = picture(width, height, f"Synergy map of {found.model}", _description(found), kind="synergy", linked=address is not None)
    body = made.body
    text(body, MARGIN, 44, f"{fitting(found.model, 900, 22)}: where its scores reach the published ones", "heading", longest=400)
    won = f"{found.wins} of {found.tasks} tasks of General-Bench won, in {found.skills_won} of {found.skills} skills."
    asked = "" if found.asked == found.tasks else f" {found.asked} were asked."
    text(body, MARGIN, 67, f"{won}{asked} References: {found.references}.", "muted")
    _legend(body, found, 92)
    for index, column in enumerate(columns):
        left, top = MARGIN + index * (COLUMN + GUTTER), float(HEADER)
        for panel in column:
            _panel(body, panel, left, top, address)
            top += _height(panel)
    note = (
        "Each square is a task, each row a skill. A tie counts as a win, which the paper (arXiv 2505.04620) reads as evidence of synergy; "
        "wins by chance are among them."
    )
    text(body, MARGIN, height - 18, note, "muted small")
    return made


def synergy_table(found: SynergyMap) -> Table:
    """The same as numbers: a row a skill, with the tasks that were won."""
    columns = ["modality and paradigm", "id", "skill", ">won", ">supported", ">tasks", "tasks won: value, specialist's value, metric"]
    rows: list[tuple[Cell, ...]] = [
        (
            panel.title,
            skill.id,
            skill.name,
            skill.wins,
            skill.supported,
            len(skill.tasks),
            "; ".join(_won(task) for task in skill.tasks if task.mark is Mark.WON) or None,
        )
        for panel in found.panels
        for skill in panel.skills
    ]
    return table("Synergy map: wins by skill", columns, rows)


def _description(found: SynergyMap) -> str:
    panels = "; ".join(
        f"{panel.title}: {panel.wins} of {panel.tasks} tasks, {panel.skills_won} of {len(panel.skills)} skills" for panel in found.panels
    )
    return (
        f"On {found.wins} of {found.tasks} tasks of General-Bench, in {found.skills_won} of {found.skills} skills, "
        f"the model is at least as good as the specialist. {panels}."
    )


def _columns(panels: Sequence[Panel], wide: int) -> list[tuple[Panel, ...]]:
    """The panels in their order, cut into columns so that the highest is as low as can be."""
    heights = [_height(panel) for panel in panels]
    count = min(wide, len(panels))
    cuts = [(0, *inner, len(panels)) for inner in combinations(range(1, len(panels)), count - 1)] if panels else []
    best = min(cuts, key=lambda cut: max(sum(heights[first:last]) for first, last in pairwise(cut)), default=(0, 0))
    return [tuple(panels[first:last]) for first, last in pairwise(best)]


def _lines(skill: SkillSynergy) -> int:
    return -(-len(skill.tasks) // PER_LINE)


def _skill_height(skill: SkillSynergy) -> float:
    return ROW + (_lines(skill) - 1) * PITCH


def _height(panel: Panel) -> float:
    return PANEL_HEADER + sum(_skill_height(skill) for skill in panel.skills) + PANEL_GAP


def _panel(body: ET.Element, panel: Panel, left: float, top: float, address: Address | None) -> None:
    drawn = group(body)
    text(drawn, left, top + 14, panel.title, "title")
    facts = f"{panel.wins} of {panel.tasks} tasks · {panel.skills_won} of {len(panel.skills)} skills"
    text(drawn, left + COLUMN, top + 14, facts, "muted small", anchor="end")
    rect(drawn, (left, top + 22, COLUMN, 3), "track")
    if panel.wins:
        rect(drawn, (left, top + 22, COLUMN * panel.wins / panel.tasks, 3), "won")
    line = top + PANEL_HEADER
    for skill in panel.skills:
        _skill(drawn, skill, left, line, address)
        line += _skill_height(skill)


def _skill(parent: ET.Element, skill: SkillSynergy, left: float, top: float, address: Address | None) -> None:
    said = f"{skill.id} {skill.name}: {skill.wins} of {len(skill.tasks)} tasks won, {skill.supported} supported"
    drawn = group(parent, "skill won-skill" if skill.wins else "skill", said)
    text(drawn, left, top + 9.5, skill.name, "label", longest=52)
    for index, task in enumerate(skill.tasks):
        line, place = divmod(index, PER_LINE)
        to = address(task) if address and task.mark is not Mark.UNASKED else ""
        _cell(link(drawn, to) if to else drawn, task, left + LABEL + place * PITCH, top + line * PITCH)
    text(drawn, left + COLUMN, top + 9.5, f"{skill.wins}/{len(skill.tasks)}", "count", anchor="end")


def _cell(parent: ET.Element, task: MarkedTask, x: float, y: float) -> None:
    drawn = group(parent, "task", _tooltip(task))
    # The whole square answers to the pointer, even if only a dot is drawn.
    rect(drawn, (x - 1, y - 1, CELL + 2, CELL + 2), "hit")
    _shape(drawn, task.mark, x, y, _share(task))


def _shape(parent: ET.Element, mark: Mark, x: float, y: float, share: float) -> None:
    if mark is Mark.WON:
        rect(parent, (x, y, CELL, CELL), "won", 1.5)
    elif mark in (Mark.LOST, Mark.ZERO, Mark.UNCONTESTED):
        if mark is Mark.LOST and share > 0.0:
            inner = (CELL - 3) * share
            rect(parent, (x + 1.5, y + CELL - 1.5 - inner, CELL - 3, inner), "fill")
        rect(parent, (x + 0.5, y + 0.5, CELL - 1, CELL - 1), "edge dashed" if mark is Mark.UNCONTESTED else "edge", 1.0)
    else:
        circle(parent, x + CELL / 2, y + CELL / 2, 1.8 if mark is Mark.OPEN else 0.9, "dot")


def _share(task: MarkedTask) -> float:
    """How far the score reaches the specialist's, both as sigma: 0..1."""
    result = task.result
    if result.sigma is None or result.reference is None:
        return 0.0
    best = sigma(result.task.metric.id, result.reference)
    return min(1.0, result.sigma / best) if best > 0.0 else 1.0


def _tooltip(task: MarkedTask) -> str:
    result = task.result
    about = result.task
    specialist = f"specialist{f' ({about.specialist})' if about.specialist else ''}"
    reference = "" if result.reference is None else f"; {specialist} {result.reference:g}"
    value = task.mark.value if result.value is None else f"{task.mark.value}, {result.value:.4g}"
    return f"{about.name.strip()}: {value}{reference} ({about.metric.label.strip()})"


def _legend(body: ET.Element, found: SynergyMap, y: float) -> None:
    present = {task.mark for panel in found.panels for skill in panel.skills for task in skill.tasks}
    x = float(MARGIN)
    for mark, said in LEGEND.items():
        if mark in present:
            _shape(body, mark, x, y - 10, 0.6)
            text(body, x + 18, y, said, "small")
            x += 18 + room(said, 11.5) + 20


def _won(task: MarkedTask) -> str:
    result = task.result
    return f"{result.task.name.strip()} ({result.value:.4g}, {result.reference:g}, {result.task.metric.label.strip()})"
