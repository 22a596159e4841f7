"""A picture as a tree, and what is looked for in it."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from genlevel.views.figures.drawing import SVG, Picture
from genlevel.views.styles import sheet

RULED = set(re.findall(r"\.([a-z][\w-]*)", sheet("drawing.css")))
GROUPS = {"synergy", "levels", "places", "forest", "skill"}
"""Classes that only say what a picture is, or what belongs together."""


def drawn(made: Picture) -> ET.Element:
    """The picture as a parser reads it: XML in which every class has a rule, and nothing has a style of its own."""
    root = ET.fromstring(made.inline().replace("<svg ", f'<svg xmlns="{SVG}" ', 1))
    for found in root.iter():
        assert set(found.get("class", "").split()) <= RULED | GROUPS, found.get("class")
        assert "style" not in found.attrib
        assert not found.tag.endswith(("}style", "}script"))
        assert not {name for name in found.attrib if name.startswith("on")}
    return root


def elements(root: ET.Element, tag: str, kind: str = "") -> list[ET.Element]:
    """The elements of a tag, or those of a class."""
    return [element for element in root.iter(f"{{{SVG}}}{tag}") if not kind or kind in element.get("class", "").split()]


def titles(found: list[ET.Element]) -> list[str]:
    return [element.findtext(f"{{{SVG}}}title") or "" for element in found]


def texts(root: ET.Element) -> list[str]:
    return [element.text or "" for element in elements(root, "text")]
