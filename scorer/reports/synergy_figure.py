"""The synergy map as a picture: one square a task, one row a skill, one panel a modality and paradigm. SVG alone, or HTML with tables.

Read without colour: a won task is a full square, a lost one an outline filled as far as its score reaches the specialist's, one without a
result a dot. The palette (Okabe and Ito's blue and orange) is told apart by colour-blind readers, and follows their light or dark setting.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

from genlevel.benchmark.metrics import sigma
from genlevel.benchmark.model import Modality
from scorer.levels.synergy import Mark, MarkedTask, Panel, SkillSynergy, SynergyMap

SVG = "http://www.w3.org/2000/svg"
ET.register_namespace("", SVG)

# Lengths in user units (pixels at 100 %).
COLUMNS = 3
MARGIN = 32
GUTTER = 40
LABEL = 318  # fits the longest of the 145 names at 11.5 px in a wide font
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

_LIGHT = {
    "paper": "#ffffff",
    "ink": "#1b1f24",
    "muted": "#59636e",
    "rule": "#d5dae0",
    "won": "#0072b2",
    "edge": "#8a6414",
    "fill": "#e69f00",
    "dot": "#8b949e",
}
_DARK = {
    "paper": "#14171c",
    "ink": "#e8eaed",
    "muted": "#a3acb6",
    "rule": "#363d46",
    "won": "#56b4e9",
    "edge": "#d0a24c",
    "fill": "#e69f00",
    "dot": "#79828d",
}


def synergy_svg(found: SynergyMap) -> str:
    """The map as one SVG document that stands alone."""
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(_figure(found), encoding="unicode") + "\n"


def synergy_html(found: SynergyMap) -> str:
    """The map as one HTML page: the figure, and the same as tables. Loads nothing."""
    model = html.escape(_clean(found.model))
    figure = ET.tostring(_figure(found), encoding="unicode")
    tables = "\n".join(_table(panel) for panel in found.panels)
    light, dark = (";".join(f"--{name}:{value}" for name, value in palette.items()) for palette in (_LIGHT, _DARK))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Synergy map of {model}</title>
<style>
:root {{{light}}}
@media (prefers-color-scheme: dark) {{ :root {{{dark}}} }}
body {{ margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }}
main {{ max-width: {_width()}px; margin: 0 auto; }}
.figure {{ overflow-x: auto; }}
.figure svg {{ display: block; width: 100%; min-width: 1150px; height: auto; }}
.tables {{ padding: 0 {MARGIN}px 48px; }}
details {{ border-top: 1px solid var(--rule); padding: 10px 0; }}
summary {{ cursor: pointer; font-weight: 600; }}
table {{ border-collapse: collapse; width: 100%; margin-top: 8px; font-size: 13px; }}
th, td {{ text-align: left; vertical-align: top; padding: 4px 12px 4px 0; border-bottom: 1px solid var(--rule); }}
.n {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
td:first-child {{ white-space: nowrap; }}
th[scope="row"] {{ font-weight: 500; min-width: 13em; }}
td.won {{ color: var(--muted); }}
</style>
</head>
<body>
<main>
<div class="figure" tabindex="0" aria-label="Figure, scrolls sideways on small screens">
{figure}
</div>
<section class="tables" aria-label="The same as tables">
<h2>The same as tables</h2>
{tables}
</section>
</main>
</body>
</html>
"""


def _width() -> int:
    return 2 * MARGIN + COLUMNS * COLUMN + (COLUMNS - 1) * GUTTER


def _figure(found: SynergyMap) -> ET.Element:
    columns = _columns(found.panels)
    height = HEADER + max((sum(_height(panel) for panel in column) for column in columns), default=0) + FOOTER
    root = ET.Element(
        f"{{{SVG}}}svg",
        {
            "viewBox": f"0 0 {_width()} {height}",
            "width": str(_width()),
            "height": str(height),
            "role": "img",
            "aria-labelledby": "synergy-title synergy-description",
            "class": "synergy",
        },
    )
    name = _clean(found.model)
    _text_element(root, "title", f"Synergy map of {name}", id="synergy-title")
    _text_element(root, "desc", _description(found), id="synergy-description")
    _text_element(root, "style", _style())
    _element(root, "rect", {"class": "paper", "width": str(_width()), "height": str(height)})
    _text(root, MARGIN, 44, f"{_short(name, 90)}: where its scores reach the published ones", "heading")
    won = f"{found.wins} of {found.tasks} tasks of General-Bench won, in {found.skills_won} of {found.skills} skills."
    asked = "" if found.asked == found.tasks else f" {found.asked} were asked."
    summary = f"{won}{asked} References: {found.references}."
    _text(root, MARGIN, 67, summary, "muted")
    _legend(root, found, 92)
    for index, column in enumerate(columns):
        left, top = MARGIN + index * (COLUMN + GUTTER), float(HEADER)
        for panel in column:
            _panel(root, panel, left, top)
            top += _height(panel)
    note = (
        "Each square is a task, each row a skill. A tie counts as a win, which the paper (arXiv 2505.04620) reads as evidence of synergy; "
        "wins by chance are among them."
    )
    _text(root, MARGIN, height - 18, note, "muted small")
    return root


def _description(found: SynergyMap) -> str:
    panels = "; ".join(
        f"{panel.title}: {panel.wins} of {panel.tasks} tasks, {panel.skills_won} of {len(panel.skills)} skills" for panel in found.panels
    )
    return (
        f"On {found.wins} of {found.tasks} tasks of General-Bench, in {found.skills_won} of {found.skills} skills, "
        f"the model is at least as good as the specialist. {panels}."
    )


def _columns(panels: Sequence[Panel]) -> list[tuple[Panel, ...]]:
    """The panels in their order, cut into columns so that the highest is as low as can be."""
    heights = [_height(panel) for panel in panels]
    count = min(COLUMNS, len(panels))
    cuts = [(0, *inner, len(panels)) for inner in combinations(range(1, len(panels)), count - 1)] if panels else []
    best = min(cuts, key=lambda cut: max(sum(heights[first:last]) for first, last in pairwise(cut)), default=(0, 0))
    return [tuple(panels[first:last]) for first, last in pairwise(best)]


def _lines(skill: SkillSynergy) -> int:
    return -(-len(skill.tasks) // PER_LINE)


def _skill_height(skill: SkillSynergy) -> float:
    return ROW + (_lines(skill) - 1) * PITCH


def _height(panel: Panel) -> float:
    return PANEL_HEADER + sum(_skill_height(skill) for skill in panel.skills) + PANEL_GAP


def _panel(root: ET.Element, panel: Panel, left: float, top: float) -> None:
    group = _element(root, "g", {})
    _text(group, left, top + 14, panel.title, "title")
    facts = f"{panel.wins} of {panel.tasks} tasks · {panel.skills_won} of {len(panel.skills)} skills"
    _text(group, left + COLUMN, top + 14, facts, "muted small", anchor="end")
    _element(group, "rect", {"class": "track", "x": _n(left), "y": _n(top + 22), "width": _n(COLUMN), "height": "3"})
    if panel.wins:
        share = COLUMN * panel.wins / panel.tasks
        _element(group, "rect", {"class": "won", "x": _n(left), "y": _n(top + 22), "width": _n(share), "height": "3"})
    line = top + PANEL_HEADER
    for skill in panel.skills:
        _skill(group, skill, left, line)
        line += _skill_height(skill)


def _skill(parent: ET.Element, skill: SkillSynergy, left: float, top: float) -> None:
    group = _element(parent, "g", {"class": "skill won-skill" if skill.wins else "skill"})
    label = _text(group, left, top + 9.5, _short(skill.name, 52), "label")
    _text_element(label, "title", f"{skill.id} {skill.name}: {skill.wins} of {len(skill.tasks)} tasks won, {skill.supported} supported")
    for index, task in enumerate(skill.tasks):
        line, place = divmod(index, PER_LINE)
        _cell(group, task, left + LABEL + place * PITCH, top + line * PITCH)
    _text(group, left + COLUMN, top + 9.5, f"{skill.wins}/{len(skill.tasks)}", "count", anchor="end")


def _cell(parent: ET.Element, task: MarkedTask, x: float, y: float) -> None:
    group = _element(parent, "g", {"class": "task"})
    # The whole square answers to the pointer, even if only a dot is drawn.
    _text_element(group, "title", _tooltip(task))
    _element(group, "rect", {"class": "hit", "x": _n(x - 1), "y": _n(y - 1), "width": str(CELL + 2), "height": str(CELL + 2)})
    _shape(group, task.mark, x, y, _share(task))


def _shape(parent: ET.Element, mark: Mark, x: float, y: float, share: float) -> None:
    if mark is Mark.WON:
        _element(parent, "rect", {"class": "won", "x": _n(x), "y": _n(y), "width": str(CELL), "height": str(CELL), "rx": "1.5"})
    elif mark in (Mark.LOST, Mark.ZERO, Mark.UNCONTESTED):
        if mark is Mark.LOST and share > 0.0:
            inner = (CELL - 3) * share
            place = {"x": _n(x + 1.5), "y": _n(y + CELL - 1.5 - inner), "width": str(CELL - 3), "height": _n(inner)}
            _element(parent, "rect", {"class": "fill", **place})
        kind = "edge" if mark is not Mark.UNCONTESTED else "edge dashed"
        size = {"x": _n(x + 0.5), "y": _n(y + 0.5), "width": str(CELL - 1), "height": str(CELL - 1), "rx": "1"}
        _element(parent, "rect", {"class": kind, **size})
    else:
        radius = "1.8" if mark is Mark.OPEN else "0.9"
        _element(parent, "circle", {"class": "dot", "cx": _n(x + CELL / 2), "cy": _n(y + CELL / 2), "r": radius})


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


def _legend(root: ET.Element, found: SynergyMap, y: float) -> None:
    present = {task.mark for panel in found.panels for skill in panel.skills for task in skill.tasks}
    x = float(MARGIN)
    for mark, text in LEGEND.items():
        if mark in present:
            _shape(root, mark, x, y - 10, 0.6)
            _text(root, x + 18, y, text, "small")
            x += 18 + 6.2 * len(text) + 26


def _style() -> str:
    def colours(palette: dict[str, str]) -> str:
        return (
            f".synergy .paper {{ fill: {palette['paper']} }}"
            f" .synergy text {{ fill: {palette['ink']} }}"
            f" .synergy .muted, .synergy .label, .synergy .count {{ fill: {palette['muted']} }}"
            f" .synergy .won-skill .label {{ fill: {palette['ink']} }}"
            f" .synergy .won-skill .count, .synergy .won {{ fill: {palette['won']} }}"
            f" .synergy .track {{ fill: {palette['rule']} }}"
            f" .synergy .edge {{ stroke: {palette['edge']} }}"
            f" .synergy .fill {{ fill: {palette['fill']} }}"
            f" .synergy .dot {{ fill: {palette['dot']} }}"
            f" .synergy .task:hover .hit {{ stroke: {palette['ink']} }}"
        )

    return (
        ".synergy text { font: 12px system-ui, 'Segoe UI', Helvetica, Arial, sans-serif }"
        " .synergy .heading { font-size: 22px; font-weight: 650 }"
        " .synergy .title { font-size: 15px; font-weight: 650 }"
        " .synergy .label, .synergy .count { font-size: 11.5px }"
        " .synergy .small { font-size: 12px }"
        " .synergy .won-skill .count { font-weight: 650 }"
        " .synergy .edge { fill: none; stroke-width: 1 } .synergy .dashed { stroke-dasharray: 2 1.5 }"
        f" .synergy .hit {{ fill: none; pointer-events: all; stroke: none }} {colours(_LIGHT)}"
        f" @media (prefers-color-scheme: dark) {{ {colours(_DARK)} }}"
    )


def _table(panel: Panel) -> str:
    rows = "\n".join(_row(skill) for skill in panel.skills)
    summary = f"{panel.title}: {panel.wins} of {panel.tasks} tasks, {panel.skills_won} of {len(panel.skills)} skills"
    return f"""<details{" open" if panel.wins and panel.modality is not Modality.LANGUAGE else ""}>
<summary>{html.escape(summary)}</summary>
<table>
<thead><tr><th scope="col">id</th><th scope="col">skill</th><th scope="col" class="n">won</th><th scope="col" class="n">supported</th>
<th scope="col" class="n">tasks</th><th scope="col">tasks won: value, specialist's value, metric</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
</details>"""


def _row(skill: SkillSynergy) -> str:
    won = "; ".join(_won(task) for task in skill.tasks if task.mark is Mark.WON)
    name = html.escape(skill.name)
    counts = "".join(f'<td class="n">{count}</td>' for count in (skill.wins, skill.supported, len(skill.tasks)))
    return f'<tr><td>{html.escape(skill.id)}</td><th scope="row">{name}</th>{counts}<td class="won">{won}</td></tr>'


def _won(task: MarkedTask) -> str:
    result = task.result
    return html.escape(f"{result.task.name.strip()} ({result.value:.4g}, {result.reference:g}, {result.task.metric.label.strip()})")


def _element(parent: ET.Element, tag: str, attributes: dict[str, str]) -> ET.Element:
    return ET.SubElement(parent, f"{{{SVG}}}{tag}", attributes)


def _text_element(parent: ET.Element, tag: str, text: str, **attributes: str) -> ET.Element:
    element = _element(parent, tag, attributes)
    element.text = _clean(text)
    return element


def _text(parent: ET.Element, x: float, y: float, text: str, kind: str, *, anchor: str = "") -> ET.Element:
    attributes = {"class": kind, "x": _n(x), "y": _n(y), **({"text-anchor": anchor} if anchor else {})}
    return _text_element(parent, "text", text, **attributes)


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(character if character.isprintable() else " " for character in text)
