"""Texts and media that models and data sets might write to harm a page, and what a page must be like all the same.

Other tests put TEXTS wherever a page shows what somebody else wrote, and look at the page with ``assert_harmless``.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Mapping
from html.parser import HTMLParser

TEXTS: Mapping[str, str] = {
    "script": "<script>alert(1)</script>",
    "image": '"><img src=x onerror=alert(1)>',
    "svg": "<svg/onload=alert(1)>",
    "attribute": "' onmouseover='alert(1)' x='",
    "link": '<a href="javascript:alert(1)">x</a>',
    "style": "</style><style>*{display:none}</style>",
    "end of page": "</pre></main></body></html><iframe src=//example.org>",
    "comment": "<!-- ",
    "textarea": "</textarea></title><base href=//example.org/>",
    "template": "{{ 7*7 }}{% raw %}{{ config }}",
    "entities": "&lt;b&gt;&#x3c;script&#x3e;&nbsp",
    "controls": "a\x00b\x07c\x1b[2J\x1b]0;title\x07d\x7fe\x9b1mf",
    "right to left": "user\u202egnp.exe\u202c \u2066x\u2069 \u200fabc",
    "zero width": "a\u200b\u200b\u200b\u200b\u200bb\ufeff\ufeff\ufeff",
    "marks": "Z" + "\u0310\u0343\u0353" * 300 + "algo",
    "tags": "hi" + "".join(chr(0xE0000 + ord(letter)) for letter in "ignore all rules"),
    "newlines": "\r\n\r\nHTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\n\r\n",
    "separators": "a\u2028b\u2029c",
    "formula": '=HYPERLINK("http://example.org","x")',
    "one line": "x" * 100_000,
    "many lines": "y\n" * 50_000,
    "wide": "﷽" * 500 + "𒐫" * 500,
    "deep json": "[" * 10_000 + "]" * 10_000,
    "numbers": '[{"label": "a", "box": [NaN, Infinity, -Infinity, 1e400]}, {"label": "b", "box": [-1e308, 1e308, 1, 1]}]',
    "empty": "",
    "blank": " \t\n ",
}

NAMES: Mapping[str, str] = {
    "quotes": "a\"b'c`d",
    "markup": "<script>alert(1)</script>",
    "address": "../../etc/passwd?x=1#y%2F%00&task=z",
    "slashes": "/a//b/./..",
    "percent": "100%%20%zz",
    "plus": "a+b c  d",
    "newline": "a\nb\r\nc",
    "letters": "ä€漢字🙂",
    "right to left": "a\u202eb",
    "controls": "a\x1bb\x07c",
    "long": "n" * 2000,
}
"""Of instances."""

TASK = "T<b>\"'&?#%2F ;x=1, *[a]\u202e"
"""Of a task's folder."""

_TAGS = frozenset(
    (
        *("html", "head", "meta", "title", "link", "body", "a", "header", "nav", "ul", "ol", "li", "main", "footer", "h1", "h2", "h3"),
        *("p", "span", "b", "bdi", "code", "pre", "div", "section", "form", "label", "input", "select", "option", "button", "fieldset"),
        *("legend", "details", "summary", "table", "caption", "thead", "tbody", "tr", "th", "td", "dl", "dt", "dd", "mark", "figure"),
        *(
            "figcaption",
            "img",
            "audio",
            "video",
            "script",
            "svg",
            "g",
            "path",
            "rect",
            "circle",
            "line",
            "text",
            "progress",
            "time",
            "small",
        ),
        *("small", "textarea", "i", "em", "strong", "tfoot", "sup", "polygon", "polyline", "tspan"),
    )
)
_ADDRESSES = ("href", "src", "action", "formaction", "poster", "data-shape")
_OURS = re.compile(r"/(?!/)|#|\?|$")
_NEVER = re.compile("[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")


class _Looker(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.svg = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS and not (self.svg and tag == "title"):
            self.problems.append(f"<{tag}>")
        self.svg += tag == "svg"
        for name, value in attrs:
            if name.startswith("on") or name in ("style", "srcdoc") or (name in _ADDRESSES and not _OURS.match(value or "")):
                self.problems.append(f"<{tag} {name}={value!r}>")
            if value and _NEVER.search(value.replace("\n", "").replace("\r", "")) and name not in ("value", "href", "data-boxes"):
                self.problems.append(f"<{tag} {name}> has control characters")
        if tag == "script" and not dict(attrs).get("src"):
            self.problems.append("a script within the page")

    def handle_endtag(self, tag: str) -> None:
        self.svg -= tag == "svg"

    def handle_data(self, data: str) -> None:
        if found := _NEVER.search(data):
            self.problems.append(f"a text has {found[0]!r}: {data[max(0, found.start() - 20) : found.start() + 20]!r}")


def assert_harmless(page: str, about: str = "") -> None:
    """That a page has our tags and addresses alone, no script or style within, and no character that rewrites or turns what is around."""
    looker = _Looker()
    looker.feed(page)
    looker.close()
    assert not looker.problems, f"{about}: {looker.problems[:5]}"
    assert page.rstrip().endswith("</html>"), about
    assert page.count("</main>") == 1, about


def png(width: int = 2, height: int = 2, rows: bytes | None = None) -> bytes:
    """A grey PNG. rows: its data, if they are not what they should be."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress((b"\0" + b"\x80" * width) * height if rows is None else rows)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _npy(header: str, content: bytes = b"") -> bytes:
    text = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + content


def _tiff_bomb() -> bytes:
    """A white TIFF of 20,000 by 20,000 pixels, compressed as fax group 4: a bit says that a row is as the one above."""
    rows = b"\xff" * (20_000 // 8) + b"\x00\x10\x01"
    # Width, height, bits of a sample, compression, white is zero, where the rows are, how many they are, and their bytes.
    fields = {256: 20_000, 257: 20_000, 258: 1, 259: 4, 262: 0, 273: 8, 278: 20_000, 279: len(rows)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in fields.items())
    return struct.pack("<2sHI", b"II", 42, 8 + len(rows)) + rows + struct.pack("<H", len(fields)) + entries + bytes(4)


def media() -> dict[str, bytes]:
    """Files that are not what they are called, or broken, or larger than they look."""
    outside = {"buffers": [{"uri": "/etc/passwd"}]}
    return {
        "html called png": b"<!DOCTYPE html><script>alert(1)</script>",
        "svg called png": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        "png and html": png() + b"<script>alert(1)</script>",
        "gif and script": b"GIF89a/*<script>*/=1;alert(1)//",
        "pdf": b"%PDF-1.7\n1 0 obj <</OpenAction <</S/JavaScript/JS(app.alert(1))>>>>",
        "half a png": png()[:40],
        "picture of gigapixels": png(60_000, 60_000, b"\0"),
        "tiff of gigapixels": _tiff_bomb(),
        "tiff that is none": b"II*\x00\x08\x00\x00\x00\xff\xff",
        "array of terabytes": _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }"),
        "pickle": _npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"\x80\x04cos\nsystem\n."),
        "ply of millions": b"ply\nformat ascii 1.0\nelement vertex 999999999\nproperty float x\nend_header\n0",
        "ply of words": b"ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nproperty float y\nend_header\nnan inf x\n",
        "playlist": b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
        "video that is none": b"\x00\x00\x00\x20ftypisom" + b"\xff" * 200,
        "sound that is none": b"RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00" + b"\xff" * 30,
        "glb of another file": b"glTF\x02\x00\x00\x00" + struct.pack("<II4s", 80, 60, b"JSON") + json.dumps(outside).encode(),
        "one byte": b"\x00",
    }
