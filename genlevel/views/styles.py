"""The style sheets of pictures and of what pages, reports and notebooks share, as text for what stands alone."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

SHEETS = ("colours.css", "drawing.css", "parts.css")
"""In genlevel/views/static: colours as variables; pictures; tables, figures and the parts of a level card."""
_BASE = """color: var(--ink); background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; padding: 1rem; max-width: 76rem;
* { box-sizing: border-box; }"""
_COMMENTS = re.compile(r"/\*.*?\*/", re.DOTALL)
_VARIABLE = re.compile(r"--([\w-]+):\s*([^;]+);")
_USED = re.compile(r"var\(--([\w-]+)\)")


@cache
def sheet(name: str) -> str:
    """One of SHEETS, without its comments."""
    return _COMMENTS.sub("", resources.files("genlevel.views").joinpath("static", name).read_text("utf-8")).strip()


def shared_style() -> str:
    """All that they share, for a page that stands alone."""
    return "\n".join(map(sheet, SHEETS))


def scoped_style(scope: str) -> str:
    """The same within one element alone (a selector such as ``.genlevel``), for a piece of somebody else's page."""
    return f"{scope} {{\n{_BASE}\n{shared_style().replace(':root', '&')}\n}}"


@cache
def picture_style() -> str:
    """Pictures' style with the colours written out, light and dark: programs that draw SVG files often do not know variables."""
    light, dark = (dict(_VARIABLE.findall(part)) for part in sheet("colours.css").split("@media (prefers-color-scheme: dark)"))
    drawn = sheet("drawing.css").split("@media print")[0].strip()
    return f"{_in_colours(drawn, light)}\n@media (prefers-color-scheme: dark) {{\n{_in_colours(drawn, light | dark)}\n}}"


def _in_colours(rules: str, colours: dict[str, str]) -> str:
    return _USED.sub(lambda used: colours[used[1]], rules)
