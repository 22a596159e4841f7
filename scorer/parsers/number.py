"""Reads one number: the one after the marker, or the only one there is."""

from __future__ import annotations

import math
import re
import unicodedata

from scorer.parsers.text import after_marker, without_wrapping
from scorer.parsers.values import Unparsable

# A sign counts only where no digit or word stands before it ("10-12" is two numbers); commas only as thousands.
_NUMBER = re.compile(
    r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)?(?:\.\d+|(?<=\d))(?:[eE][-+]?\d{1,4}(?!\w))?(?:\s?/\s?\d+(?:\.\d+)?(?![\d./]))?"
)
_LONGEST = 400


def parse_number(text: str) -> float | Unparsable:
    """The last number after "Answer:" or in \\boxed{}; without these, the only number of the text.

    Thousands separators, percent signs (12 % is 12), signs, exponents and fractions (3/4) are read. Infinite values
    and several numbers without a marker are unparsable.

    >>> parse_number("The total is $1,234.50.")
    1234.5
    """
    marked = after_marker(text)
    answer = unicodedata.normalize("NFKC", without_wrapping(text if marked is None else marked)).replace("\u2212", "-").replace("⁄", "/")
    found = [number for number in map(_value, _NUMBER.findall(answer)) if number is not None]
    if not found:
        return Unparsable("there is no number in it")
    if marked is None and len(set(found)) > 1:
        return Unparsable(f"it has {len(found)} numbers and no answer marker")
    return found[-1]


def label_number(text: str) -> float | None:
    """A label as a number, or None where it is not one.

    >>> label_number("1,000 %")
    1000.0
    """
    number = parse_number(text)
    return None if isinstance(number, Unparsable) else number


def _value(token: str) -> float | None:
    if not token or len(token) > _LONGEST:
        return None
    numerator, _slash, denominator = token.replace(",", "").partition("/")
    try:
        value = float(numerator) / float(denominator) if denominator else float(numerator)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return value if math.isfinite(value) else None
