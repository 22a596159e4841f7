"""Expressions that come to one exact number: fractions, roots of squares, powers and what is in their brackets. All others are left.

What comes to no exact number (roots of 2, π, sines, letters) is not a number that was written out: it becomes OPAQUE, which ``numerals``
takes for a part of something, never for a number.
"""

from __future__ import annotations

import re
from fractions import Fraction

OPAQUE = "\ue000"
"""Stands for what has no number that is written out. Of Unicode's private use: no text has a meaning for it."""

_DEEPEST = 8
_MOST_BITS = 1_024
_TOKEN = re.compile(r"\s*(?:(\d++(?:\.\d++)?+)|([-+*/^()×÷·]))")
_INSIDE = r"([^{}\n]{1,120})"
_ROUND = r"\(([^()\n]{1,120})\)"
_FRACTION_OR_ROOT = re.compile(
    rf"(?P<times>(?<![\w.^/)])\d{{1,12}}(?:\.\d{{1,12}})?[ ]?[*×·]?[ ]?)?(?:\\sqrt[ ]?(?:\[(?P<degree>\d)\])?[ ]?(?:\{{{_INSIDE}\}}|(\d))"
    rf"|√[ ]?(?:{_ROUND}|\{{{_INSIDE}\}}|(\d{{1,12}}))|(?<!\w)sqrt[ ]?(?:{_ROUND}|\{{{_INSIDE}\}}))"
    rf"|\\[dtc]?frac[ ]?(?:\{{(?P<top>[^{{}}\n]{{1,120}})\}}[ ]?\{{(?P<bottom>[^{{}}\n]{{1,120}})\}}|(?P<one>\d)[ ]?(?P<other>\d))"
)
_POWER_IN_BRACES = re.compile(r"\^[ ]?\{([^{}\n]{1,40})\}")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def worked_out(text: str) -> str:
    """The text with fractions and roots of LaTeX as plain numbers, the innermost first; OPAQUE for those that have no exact one.

    >>> worked_out(r"-\\frac{\\sqrt{9}}{4} and 2\\sqrt{16}").split()
    ['-3/4', 'and', '8']
    >>> worked_out(r"\\frac{2}{a+b}") == OPAQUE, worked_out(r"\\sqrt{2}") == OPAQUE
    (True, True)
    """
    if "frac" not in text and "sqrt" not in text and "√" not in text:
        return text
    text = _POWER_IN_BRACES.sub(r"^(\1)", text)
    for _depth in range(_DEEPEST):
        shorter = _FRACTION_OR_ROOT.sub(_plain, text)
        if shorter == text:
            break
        text = shorter
    return text


def exact(text: str) -> Fraction | None:
    """What an expression of numbers, signs and round brackets comes to; None if it is anything else, or too large.

    >>> exact("2 + 3 × 4"), exact("(1 - 0.5)^2"), exact("2x"), exact("1/0")
    (Fraction(14, 1), Fraction(1, 4), None, None)
    """
    tokens: list[str] = []
    position, text = 0, _THOUSANDS.sub("", text).strip()
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            return None
        tokens.append(token[1] or token[2])
        position = token.end()
    try:
        value, rest = _sum(tokens, 0)
    except (ArithmeticError, ValueError, IndexError):
        return None
    return value if rest == len(tokens) else None


def _plain(found: re.Match[str]) -> str:
    """A fraction or a root as a number, apart from one before it, which it is added to, and close to a sign."""
    before, after = found.string[max(0, found.start() - 1) : found.start()], found.string[found.end() : found.end() + 1]
    if found["top"] is not None or found["one"] is not None:
        top, bottom = exact(found["top"] or found["one"]), exact(found["bottom"] or found["other"])
        value = top / bottom if top is not None and bottom else None
        glued = (before.isascii() and before.isalpha()) or before in ("^", "}", ")")
    else:
        inside = next(part for part in found.groups()[2:9] if part is not None)
        value = _root(exact(inside), int(found["degree"] or 2))
        if found["times"] is not None and value is not None:
            value *= Fraction(found["times"].strip(" *×·"))
        glued = found["times"] is None and (before.isalnum() or before in ("/", ")", "^", "}"))
    if value is None or glued or before == OPAQUE:
        return OPAQUE
    return (" " if before.isdigit() else "") + str(value) + (" " if after.isdigit() else "")


def _root(value: Fraction | None, degree: int) -> Fraction | None:
    """The exact root, if there is one."""
    if value is None or value < 0 or not 2 <= degree <= 9:
        return None
    top, bottom = _whole_root(value.numerator, degree), _whole_root(value.denominator, degree)
    return Fraction(top, bottom) if top is not None and bottom else None


def _whole_root(number: int, degree: int) -> int | None:
    low, high = 0, 1 << (number.bit_length() // degree + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**degree <= number else (low, middle - 1)
    return low if low**degree == number else None


def _sum(tokens: list[str], place: int) -> tuple[Fraction, int]:
    value, place = _product(tokens, place)
    while place < len(tokens) and tokens[place] in "+-":
        term, following = _product(tokens, place + 1)
        value, place = (value + term if tokens[place] == "+" else value - term), following
    return value, place


def _product(tokens: list[str], place: int) -> tuple[Fraction, int]:
    value, place = _signed(tokens, place)
    while place < len(tokens) and tokens[place] in "*/×÷·":
        factor, following = _signed(tokens, place + 1)
        value, place = (value / factor if tokens[place] in "/÷" else value * factor), following
    return value, place


def _signed(tokens: list[str], place: int) -> tuple[Fraction, int]:
    sign = 1
    while tokens[place] in "+-":
        sign, place = (-sign if tokens[place] == "-" else sign), place + 1
    value, place = _atom(tokens, place)
    if place < len(tokens) and tokens[place] == "^":
        exponent, place = _signed(tokens, place + 1)
        if exponent.denominator != 1 or abs(exponent) * max(value.numerator.bit_length(), value.denominator.bit_length()) > _MOST_BITS:
            raise ValueError("too large, or not exact")
        value = value ** int(exponent)
    return sign * value, place


def _atom(tokens: list[str], place: int) -> tuple[Fraction, int]:
    if tokens[place] == "(":
        value, place = _sum(tokens, place + 1)
        if tokens[place] != ")":
            raise ValueError("a bracket is open")
        return value, place + 1
    return Fraction(tokens[place]), place + 1
