"""Numbers as people and models write them, in LaTeX or Unicode, with powers, units and separators: brought into one form, and read."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable

from genlevel.benchmark.texts import without_invisible

_LONGEST = 400
_MOST = 1_000
_SCALES = {
    **{"dozen": 12.0, "hundred": 1e2, "thousand": 1e3, "lakh": 1e5, "million": 1e6, "crore": 1e7, "billion": 1e9, "trillion": 1e12},
    **{"万": 1e4, "萬": 1e4, "亿": 1e8, "億": 1e8},
    **{"k": 1e3, "m": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9},
}
_WORD = "dozen|hundred|thousand|lakh|million|crore|billion|trillion"
_CURRENCY = "$€£¥₹"
_NUMBER = re.compile(
    rf"""(?<![\w.^±])(?<![A-Za-z]-)(?P<sign>[-+])?
    (?P<whole>\d{{1,3}}(?:,\d{{3}}(?!\d))++|\d{{1,3}}(?:[ ]\d{{3}}(?!\d))++|\d{{1,3}}(?:'\d{{3}}(?!\d))++|\d++)?+
    (?P<decimals>\.\d++)?+(?(whole)|(?(decimals)|(?!)))
    (?P<exponent>[eE][-+]?\d{{1,4}}(?!\w))?+
    (?:[ ]?[×*·xX][ ]?10[ ]?\^[ ]?[({{]?(?P<ten>[-+]?\d{{1,4}})[)}}]?)?+
    (?:[ ]?\^[ ]?[({{]?(?P<power>[-+]?\d{{1,4}})[)}}]?)?+
    (?:[ ](?P<numerator>\d{{1,6}})/(?P<parts>\d{{1,6}})(?![\d./])|[ ]?/[ ]?(?P<denominator>\d++(?:\.\d++)?+)(?![\d./]))?+
    (?:(?P<tight>[kKMB]|mn|bn)(?!\w)|[ ]?(?P<scale>(?i:{_WORD})(?=s?\b)|[万萬亿億]))?+""",
    re.VERBOSE,
)
# One number may be two here, or a part of another: 3,5 and 4:30 and 5-10 and 1.2.3 and 3 × 4 and 5 and a half.
_GOES_ON = re.compile(
    rf"[,.:/'_-]\d|[A-Za-z_]++\d|x[\dA-F]++(?!\w)| ?[~×*] ?-?\d| ?(?i:{_WORD})\b| and (?:a|one|\d++/\d)\b| ?[十百千](?![克米])"
)
_FRACTION = re.compile(r"\\[dtc]?frac ?(?:\{ ?(-?[\d.]{1,20}) ?\} ?\{ ?([\d.]{1,20}) ?\}|(\d) ?(\d))")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_Rewriting = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]


def _fraction(found: re.Match[str]) -> str:
    """One half as 1/2; apart from a number before it, which it is added to, and close to a sign."""
    before = found.string[max(0, found.start() - 1) : found.start()]
    written = f"{found[1] or found[3]}/{found[2] or found[4]}"
    return written if before in ("-", "+") else " " + written


def _vulgar(found: re.Match[str]) -> str:
    before = found.string[max(0, found.start() - 1) : found.start()]
    return (" " if before.isdigit() else "") + unicodedata.normalize("NFKC", found[0])


# Before characters of compatibility are folded: 10³ is not 103, and 1½ not 11/2.
_FIRST: tuple[_Rewriting, ...] = (
    (re.compile("[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+"), lambda found: "^" + found[0].translate(_SUPERSCRIPTS)),
    (re.compile("[¼-¾⅐-⅞↉]"), _vulgar),
)
_THEN: tuple[_Rewriting, ...] = (
    (re.compile(r"[^\S\n]+"), " "),
    (re.compile("[\u2010-\u2013\u2212]"), "-"),
    (re.compile("\u2044"), "/"),
    (re.compile("\u2019"), "'"),
    (re.compile(r"\\[,;:! ~]|\\(?:left|right|displaystyle|quad)(?![A-Za-z])"), " "),
    (re.compile(r"(?<=\d)\{,\}(?=\d)"), ","),
    (re.compile(r"\\(?:times|cdot|ast)(?![A-Za-z])|(?<=\d)[xX](?=\d)"), "×"),
    (re.compile(r"\\(?:approx|simeq)(?![A-Za-z])"), "≈"),
    (re.compile(r"\\pm(?![A-Za-z])"), "±"),
    (re.compile(r"\\(?:text|mathrm|textbf|mathbf|textit|operatorname|mbox) ?\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\([%$#&])"), r"\1"),
    (_FRACTION, _fraction),
    (re.compile(r"(?<=\d)\*\*(?=\d)"), "^"),
    (re.compile(r"\*\*|__"), ""),
    # Squares and cubes of units are not numbers: 12 cm^3, 5 m/s^2, 5 m2.
    (re.compile(r"(?:(?<=[A-Za-zµμΩ°])|(?<=[A-Za-z]\))) ?\^ ?[({]?[-+]?\d{1,2}[)}]?"), ""),
    (re.compile(r"(?<![A-Za-z])([mckd]?m|in|ft|yd|mi|sec|s)[23](?!\w)"), r"\1"),
    (re.compile(r"(?<=[\d)]) ?± ?[\d.]++"), ""),
    (re.compile(r"± "), "±"),
    (re.compile(r"(?<=[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])(?=[-+.\d])"), " "),
    (re.compile(rf"(?<![\w.])- ?([{_CURRENCY}]) ?(?=[\d.])"), r"\1-"),
    (re.compile(r"\b(?:minus|negative) (?=[\d.])", re.IGNORECASE), "-"),
    (re.compile(r"(?<=[=≈]) ?- (?=[\d.])"), " -"),
    (re.compile(r" {2,}"), " "),
)


def plain_numerals(text: str) -> str:
    """The text with its numbers in the form that ``numerals`` reads.

    >>> plain_numerals(r"\\text{about } 1\\frac{1}{2} \\text{ cm}^3")
    'about 1 1/2 cm'
    """
    text = without_invisible(text)
    for pattern, plain in _FIRST:
        text = pattern.sub(plain, text)
    text = unicodedata.normalize("NFKC", text)
    for pattern, plain in _THEN:
        text = pattern.sub(plain, text)
    return text.strip()


def numerals(text: str) -> set[float | None]:
    """The different numbers of a plain text. None stands for what is not one number for certain, such as 3,5 or 5-10, and for too many.

    >>> sorted(numerals("1,234 and 2.5 million, 1 1/2 and 3 ×10^3"))
    [1.5, 1234.0, 3000.0, 2500000.0]
    """
    found: set[float | None] = set()
    for count, match in enumerate(_NUMBER.finditer(text)):
        if count >= _MOST:
            return {None}
        found.add(_value(match))
    return found


def _value(match: re.Match[str]) -> float | None:
    if match.end() - match.start() > _LONGEST or _GOES_ON.match(match.string, match.end()) is not None:
        return None
    tight = match["tight"]
    if tight in ("K", "M", "B") and (match.start() == 0 or match.string[match.start() - 1] not in _CURRENCY):
        return None  # 3M: millions, or metres
    scale = _SCALES[(tight or match["scale"]).lower()] if tight or match["scale"] else 1.0
    written = re.sub("[ ,']", "", match["whole"] or "0") + (match["decimals"] or "") + (match["exponent"] or "")
    try:
        value = float(written)
        if match["ten"] is not None:
            value *= 10.0 ** int(match["ten"])
        if match["power"] is not None:
            value **= int(match["power"])
        if match["parts"] is not None:
            if not written.isdigit() or match["power"] or match["ten"] or int(match["numerator"]) >= int(match["parts"]):
                return None
            value += int(match["numerator"]) / int(match["parts"])
        if match["denominator"] is not None:
            value /= float(match["denominator"])
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    value *= scale
    return None if not math.isfinite(value) else -value if match["sign"] == "-" else value
