"""Numbers as people and models write them, in LaTeX or Unicode, with powers, units and separators: brought into one form, and read."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from genlevel.benchmark.texts import without_invisible
from scorer.parsers.expressions import OPAQUE, worked_out

_LONGEST = 400
_MOST = 1_000
_SCALES = {
    **{"dozen": 12.0, "hundred": 1e2, "thousand": 1e3, "lakh": 1e5, "million": 1e6, "crore": 1e7, "billion": 1e9, "trillion": 1e12},
    **{"万": 1e4, "萬": 1e4, "亿": 1e8, "億": 1e8},
    **{"k": 1e3, "m": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9},
}
_WORD = "dozen|hundred|thousand|lakh|million|crore|billion|trillion"
_CURRENCY = "$€£¥₹"
# Decimal commas if nothing else is meant: 0,75 and 2,50 Euro.
# Thousands: 1,234 and 1 234 and 1'234 and 1_234; 12,34,567 as in India; 1.234.567 and 1.234,5, which can be nothing else.
_WHOLE = r"|".join(
    (
        r"(?P<european>\d{1,3}(?:\.\d{3}){2,8}+(?:,\d++)?+(?![.,]?\d)|\d{1,3}\.\d{3},(?:\d{1,2}|\d{4,})(?![.,]?\d)"
        r"|0,\d{2,}+(?![.,]?\d)|\d{1,3},\d{1,2}(?=[ ]?(?:€|[Ee]uros?\b|EUR\b)))",
        *(rf"\d{{1,3}}(?:{mark}\d{{3}}(?!\d))++" for mark in (",", "[ ]", "'", "_")),
        r"\d{1,2}(?:,\d{2}(?!\d)){1,8},\d{3}(?!\d)",
        r"\d++",
    )
)
_NUMBER = re.compile(
    rf"""(?<![\w.^±])(?<![A-Za-z]-)(?P<sign>[-+])?
    (?P<whole>{_WHOLE})?+
    (?P<decimals>\.\d++)?+(?(whole)|(?(decimals)|(?!)))
    (?P<exponent>[eE][-+]?\d{{1,4}}(?!\w))?+
    (?:[ ]?[×*·xX][ ]?10[ ]?\^[ ]?[({{]?(?P<ten>[-+]?\d{{1,4}})[)}}]?)?+
    (?:[ ]?\^[ ]?[({{]?(?P<power>[-+]?\d{{1,4}})[)}}]?)?+
    (?:[ ](?P<numerator>\d{{1,6}})/(?P<parts>\d{{1,6}})(?![\d/]|\.\d)|[ ]?/[ ]?(?P<denominator>\d++(?:\.\d++)?+)(?![\d/]|\.\d))?+
    (?:(?P<tight>[kKMB]|mn|bn)(?!\w)|[ ]?(?P<scale>(?i:{_WORD})(?=s?\b)|[万萬亿億]))?+""",
    re.VERBOSE,
)
# Units that stand close to their number, of up to three letters; other letters there are names of numbers: 5kg, but 5ab and 5x.
_UNITS = "|".join(
    (
        "m g s h l L A V W N J K C F M B d mm cm dm km nm um μm mg kg ml mL cl dl hr hrs min sec ms ns in ft yd mi lb lbs oz kW MW GW mW",
        "kV mV kA mA Hz kHz MHz GHz kJ MJ kN Pa kPa MPa hPa mol eV keV MeV px pt pts cc mph kmh kph fps rpm bpm dB sq rad deg yr yrs mo wk",
        "am pm AM PM st nd rd th mn bn KB MB GB TB kB bit USD EUR GBP CAD AUD Rs rs ppm ppb lm lx cd T ha ac gal qt cal Cal pcs yo USA US",
    )
).replace(" ", "|")
_LONG_UNITS = "|".join(unit for unit in _UNITS.split("|") if len(unit) > 1)
_SQUARED = rf"(?<![A-Za-z])(?:{_LONG_UNITS}|[A-Za-z]{{4,20}}|(?<=[\d/]) ?[A-Za-z])|[µμΩ°]|(?<=[A-Za-z])\)"
_LETTER = r"(?:[b-hj-zB-HJ-Z](?![A-Za-z'’])|[aAI](?![A-Za-z'’]|[ ][A-Za-z]))"
# A number is a part of something if it goes on (3,5 and 4:30 and 5-10 and 1.2.3 and 3 × 4 and 5 and a half), is a factor or a term of what
# is not written out (2π, 5n, 3 - x), is a factorial, or stands behind a function or a name (sin 30, x + 5).
_GOES_ON = re.compile(
    rf"[,.:/'_-]\d|[A-Za-z_]++\d|_\{{|x[\dA-F]++(?!\w)| ?[~×*÷] ?[-(]?\d| ?(?i:{_WORD})\b| and (?:a|one|\d++/\d)\b| ?[十百千](?![克米])"
    rf"| ?{OPAQUE}|(?!(?:{_UNITS})(?![A-Za-z]))[A-Za-z]{{1,3}}(?![A-Za-z'’])"
    rf"| ?[-+×*·^] ?(?:{OPAQUE}|{_LETTER})| ?/ ?(?:{OPAQUE}|[xyzn](?![A-Za-z]))| ?[+×*=] ?\Z| ?\^|\+(?![\d ])|!(?!=)"
    r"| ?(?:[≤≥]|[<>](?!/|\w+>|\|))| or (?:more|fewer|less|older|younger|above|below|higher|lower|over|under)\b"
)
_STARTS_BEFORE = re.compile(
    rf"(?:{OPAQUE}[ ({{]{{0,2}}|(?:{OPAQUE}|(?<![A-Za-z]){_LETTER}) ?[-+×*·/^] ?"
    r"|(?:[<≤≥]|(?:\A|(?<=[\w)] ))>|(?<=\d)>) ?|(?<![A-Za-z])[A-Za-z]\()\Z"
)
_EXCLAIMED = re.compile(r"(?:there (?:is|are)|I (?:can )?(?:see|count|counted)) (?:exactly |only |just )?[-+]?\Z", re.IGNORECASE)
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_Rewriting = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]


def _vulgar(found: re.Match[str]) -> str:
    before = found.string[max(0, found.start() - 1) : found.start()]
    return (" " if before.isdigit() else "") + unicodedata.normalize("NFKC", found[0])


# Before characters of compatibility are folded: 10³ is not 103, and 1½ not 11/2.
_FIRST: tuple[_Rewriting, ...] = (
    (re.compile("[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+"), lambda found: "^" + found[0].translate(_SUPERSCRIPTS)),
    (re.compile("[¼-¾⅐-⅞↉]"), _vulgar),
    (re.compile("(?<=\\d)[٬](?=\\d{3})"), ","),
    (re.compile("(?<=\\d)[٫](?=\\d)"), "."),
)
_THEN: tuple[_Rewriting, ...] = (
    (re.compile(r"[^\S\n]+"), " "),
    (re.compile("[\u2010-\u2013\u2212]"), "-"),
    (re.compile("\u2044"), "/"),
    (re.compile("\u2019"), "'"),
    # Steps of a calculation as some models are taught to write them: 6*2 = <<6*2=12>>12.
    (re.compile(r"(?<!\d)<<[^<>\n]{1,200}>>"), ""),
    (re.compile(r"\\[,;:! ~]|\\(?:left|right|displaystyle|quad|qquad|[bB]igg?[lr]?)(?![A-Za-z])|(?<=\d)~(?=\\)"), " "),
    (re.compile(r"(?<=\d)\{,\}(?=\d)"), ","),
    (re.compile(r"\\(?:times|cdot|ast)(?![A-Za-z])|(?<=\d)[xX](?=\d)|(?<=\d )[xX](?= \d)"), "×"),
    (re.compile(r"\\(?:approx|simeq|cong)(?![A-Za-z])|≅"), "≈"),
    (re.compile(r"\\pm(?![A-Za-z])"), "±"),
    (re.compile(r"\\(?:leq?|geq?|lt|gt)(?![A-Za-z])"), "≤"),
    (re.compile(r"\^ ?\{? ?\\circ ?\}?|\\degree(?![A-Za-z])"), "°"),
    (re.compile(r"\\(?:text|mathrm|textbf|mathbf|textit|operatorname|mbox|textrm|mathit) ?\{([^{}]*)\}"), r" \1"),
    (re.compile(r"\\([%$#&])"), r"\1"),
    (re.compile(r"\\(?:boxed|begin|end|l?dots|therefore|because|implies|(?:R|r|Longr)ightarrow|to|hline|item|newline)(?![A-Za-z])"), " "),
    (re.compile(r"<sup>([-+]?\d{1,3})</sup>", re.IGNORECASE), r"^\1"),
    (re.compile(r"</?(?:b|i|u|em|strong|span|p|br|code|div|h\d|sub|li|ul|ol)(?:\s[^<>\n]{0,80})?/?>", re.IGNORECASE), " "),
    (re.compile(r"(?<=\d)\*\*(?=\d)"), "^"),
    (re.compile(r"\*\*|__"), ""),
    (re.compile(r"(?<=[A-Za-z)])_(?:\{[^{}\n]{1,20}\}|[A-Za-z0-9]\b)"), ""),
)
# Once roots and fractions are worked out, other functions and letters of LaTeX have no number that is written out.
_LAST: tuple[_Rewriting, ...] = (
    (re.compile(r"\\[A-Za-z]++|[πθ√∞∑∏∫]|\b(?:sin|cos|tan|cot|sec|csc|log|ln|lg|arcsin|arccos|arctan)(?:\^-?\d+)?(?= ?[(\d])"), OPAQUE),
    (re.compile(r"[\d)] ?\^ ?[({]?[-+]?\d++ ?/ ?\d++[)}]?"), OPAQUE),
    # Squares and cubes of units are not numbers: 12 cm^3, 5 m/s^2, 5 m2. A letter alone is a unit behind a number only: not in s^2 = 9.
    (re.compile(rf"({_SQUARED}) ?\^ ?[({{]?[-+]?\d{{1,2}}[)}}]?"), r"\1"),
    (re.compile(r"(?<![A-Za-z])([mckd]?m|in|ft|yd|mi|sec|s)[23](?!\w)"), r"\1"),
    (re.compile(r"(?<=[\d)]) ?± ?[\d.]++"), ""),
    (re.compile(r"± "), "±"),
    (re.compile(r"(?<=[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])(?=[-+.\d])"), " "),
    (re.compile(rf"(?<![\w.])- ?([{_CURRENCY}]) ?(?=[\d.])"), r"\1-"),
    (re.compile(r"\b(?:minus|negative) (?=[\d.])", re.IGNORECASE), "-"),
    (re.compile(r"(?<=[=≈]) ?- (?=[\d.])"), " -"),
    (re.compile(r" {2,}"), " "),
)


class Numeral(NamedTuple):
    """A number at a place of a text. value: None if it is a part of something, such as 3,5 or 5-10 or 2π, or not one number for certain."""

    start: int
    end: int
    value: float | None


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
    text = worked_out(text)
    for pattern, plain in _LAST:
        text = pattern.sub(plain, text)
    return text.strip()


def spans(text: str) -> list[Numeral]:
    """The numbers of a plain text in their order, up to a thousand."""
    found = []
    for match in _NUMBER.finditer(text):
        found.append(Numeral(match.start(), match.end(), _value(match)))
        if len(found) >= _MOST:
            break
    return found


def numerals(text: str) -> set[float | None]:
    """The different numbers of a plain text. None stands for what is not one number for certain, such as 3,5 or 5-10, and for too many.

    >>> sorted(numerals("1,234 and 2.5 million, 1 1/2 and 3 ×10^3"))
    [1.5, 1234.0, 3000.0, 2500000.0]
    >>> numerals("1.234,5"), numerals("12,34,567"), numerals("5x"), numerals("3 - x")
    ({1234.5}, {1234567.0}, {None}, {None})
    """
    found = spans(text)
    return {None} if len(found) >= _MOST else {numeral.value for numeral in found}


def _value(match: re.Match[str]) -> float | None:
    if match.end() - match.start() > _LONGEST or _is_a_part(match):
        return None
    tight = match["tight"]
    if tight in ("K", "M", "B") and (match.start() == 0 or match.string[match.start() - 1] not in _CURRENCY):
        return None  # 3M: millions, or metres
    scale = _SCALES[(tight or match["scale"]).lower()] if tight or match["scale"] else 1.0
    whole = match["whole"] or "0"
    if match["european"] is not None:
        whole = whole.replace(".", "").replace(",", ".")
    written = re.sub("[ ,'_]", "", whole) + (match["decimals"] or "") + (match["exponent"] or "")
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


def _is_a_part(match: re.Match[str]) -> bool:
    """Whether the number goes on behind the match, or began before it."""
    text = match.string
    goes_on = _GOES_ON.match(text, match.end())
    if goes_on is not None and not (goes_on[0] == "!" and _EXCLAIMED.search(text, max(0, match.start() - 40), match.start()) is not None):
        return True
    return _STARTS_BEFORE.search(text, max(0, match.start() - 4), match.start()) is not None
