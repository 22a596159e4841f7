"""What all pictures are built with: SVG elements that escape their texts, and a picture as part of a page or as a file of its own.

A picture has no style of its own: classes of drawing.css say how things look, so that it fits pages with a strict content security policy
and follows their light or dark setting. It is read as one image, by its label; if it has links, the table beside it has them, too.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from genlevel.documents.words import one_line
from genlevel.views.styles import picture_style

SVG = "http://www.w3.org/2000/svg"
ET.register_namespace("", SVG)
Box = tuple[float, float, float, float]
"""x, y, width and height, in user units."""
_NO_XML = {0xFFFE: "�", 0xFFFF: "�"}


@dataclass(frozen=True, slots=True)
class Picture:
    """root: the svg element. body: where things are drawn. title: what it shows, in one line. width, height: in user units (pixels)."""

    root: ET.Element
    body: ET.Element
    title: str
    width: float
    height: float

    def inline(self) -> str:
        """As part of an HTML page that has colours.css and drawing.css."""
        return ET.tostring(self.root, encoding="unicode").replace(f' xmlns="{SVG}"', "", 1)

    def standalone(self) -> str:
        """As a file of its own, with its title and style within."""
        root = ET.Element(self.root.tag, self.root.attrib)
        _with_text(ET.SubElement(root, f"{{{SVG}}}title"), self.title)
        ET.SubElement(root, f"{{{SVG}}}style").text = picture_style()
        rect(root, (0.0, 0.0, self.width, self.height), "paper")
        root.extend(list(self.root))
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def picture(width: float, height: float, title: str, description: str = "", *, kind: str = "", linked: bool = False) -> Picture:
    """An empty picture.

    Args:
        width, height: in user units.
        title, description: what it shows, for who does not see it.
        kind: a further class.
        linked: it has links, so it is no image to who reads it by ear: only its label is read.
    """
    label = one_line(f"{title}. {description}" if description else title, 2000)
    root = ET.Element(
        f"{{{SVG}}}svg",
        {
            "viewBox": f"0 0 {plain(width)} {plain(height)}",
            "width": plain(width),
            "height": plain(height),
            "class": f"drawn {kind}".strip(),
            "role": "group" if linked else "img",
            "aria-label": label.translate(_NO_XML),
        },
    )
    body = element(root, "g", {"aria-hidden": "true"}) if linked else root
    return Picture(root, body, title, width, height)


def element(parent: ET.Element, tag: str, attributes: dict[str, str]) -> ET.Element:
    """An element of SVG in another. Attributes without a value are left out."""
    return ET.SubElement(parent, f"{{{SVG}}}{tag}", {name: value for name, value in attributes.items() if value})


def group(parent: ET.Element, kind: str = "", title: str = "") -> ET.Element:
    """Elements that belong together. title: what is said where the pointer rests."""
    made = element(parent, "g", {"class": kind})
    if title:
        _with_text(element(made, "title", {}), title, 600)
    return made


def link(parent: ET.Element, address: str) -> ET.Element:
    """Elements that lead to a page of ours if there is an address; not reached by keys, since the table beside has the same link.

    Raises ValueError for an address that is not percent-encoded, or not below this one.
    """
    if not address:
        return element(parent, "g", {})
    if not address.startswith("/") or address.startswith("//") or not address.isascii() or not address.isprintable():
        raise ValueError(f"{address!r} is no address of a page")
    return element(parent, "a", {"href": address, "tabindex": "-1"})


def rect(parent: ET.Element, place: Box, kind: str, radius: float = 0.0) -> ET.Element:
    """A rectangle; one with a negative size has none. radius: of its corners."""
    x, y, width, height = place
    size = {"x": plain(x), "y": plain(y), "width": plain(max(0.0, width)), "height": plain(max(0.0, height))}
    return element(parent, "rect", {"class": kind, **size, "rx": plain(radius) if radius else ""})


def line(parent: ET.Element, ends: Box, kind: str) -> ET.Element:
    """A straight line. ends: x and y of one, then of the other."""
    x1, y1, x2, y2 = ends
    return element(parent, "line", {"class": kind, "x1": plain(x1), "y1": plain(y1), "x2": plain(x2), "y2": plain(y2)})


def circle(parent: ET.Element, x: float, y: float, radius: float, kind: str) -> ET.Element:
    return element(parent, "circle", {"class": kind, "cx": plain(x), "cy": plain(y), "r": plain(radius)})


def path(parent: ET.Element, steps: str, kind: str) -> ET.Element:
    return element(parent, "path", {"class": kind, "d": steps})


def text(parent: ET.Element, x: float, y: float, said: str, kind: str = "", *, anchor: str = "", longest: int = 200) -> ET.Element:
    """A line of text at a baseline. anchor: middle or end; else it begins at x. longest: characters, with a … if there are more."""
    made = element(parent, "text", {"class": kind, "x": plain(x), "y": plain(y), "text-anchor": anchor})
    return _with_text(made, said, longest)


def plain(value: float) -> str:
    """A length with two decimals at most. Raises ValueError if it is none (NaN, infinite)."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no length")
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def room(said: str, size: float) -> float:
    """About how wide a line of text is, in user units, in a common sans serif of so many units; wide characters count twice."""
    return size * sum(1.0 if unicodedata.east_asian_width(character) in "WF" else 0.56 for character in said)


def fitting(said: str, width: float, size: float) -> str:
    """As much of a text as has room, with a … if that is not all of it."""
    said = one_line(said, 1000)
    if room(said, size) <= width:
        return said
    kept = ""
    for character in said:
        if room(f"{kept}{character}…", size) > width:
            break
        kept += character
    return f"{kept.rstrip()}…"


def _with_text(made: ET.Element, said: str, longest: int = 200) -> ET.Element:
    made.text = one_line(said, longest).translate(_NO_XML)
    return made
