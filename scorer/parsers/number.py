"""Reads one number: the one that the text states as its answer, or the only one there is."""

from __future__ import annotations

import re

from scorer.parsers.numerals import numerals, plain_numerals
from scorer.parsers.refusals import REFUSED, gives_up
from scorer.parsers.text import statements, without_wrapping
from scorer.parsers.values import Unparsable

_DENIED = re.compile(
    r"(?:,\s)?\b(?:and\s)?(?:not|isn't|aren't|wasn't|never)\s(?:exactly\s|equal\sto\s)?[$€£(]?[-+]?[\d.,]*\d", re.IGNORECASE
)
# A number with something said about it: "0 - there is no evidence of any".
_OPENING = re.compile(r"[\s$€£]*+[-+]?\d[\d,.]*+%?(?:\s?\(|\s?[-:;]\s|(?<=[,.])\s)")
_EQUALS = re.compile(r"[=≈]")
_ASSIGNED = re.compile(r"(?<![\w.)*×+/^-])(?<![*×+/^-]\s)([A-Za-z])\s?=\s?(?=[-+$]?[\d.])")
_YEAR = r"(?:1\d|20)\d\d\b"
_AS_OF = re.compile(rf"\b(?:as of|by the end of)\s(?:\w{{3,9}}\s)?{_YEAR}", re.IGNORECASE)
# What only goes with a number: remarks in brackets, of how many, when, where in the document. Alternatives are not remarks.
_ASIDES = tuple(
    re.compile(aside, re.IGNORECASE)
    for aside in (
        r"[(\[](?![^()\[\]]*\b(?:or|to|maybe|perhaps|possibly|actually|alternatively)\b)[^()\[\]]*[)\]]",
        r"(?<=\d)\s(?:out\sof|of)\s(?:the\s|all\s|a\stotal\sof\s)?\d[\d,.]*+",
        rf"\b(?:in|of|by|since|until|from|during|after|before)\s(?:the\syear\s)?{_YEAR}(?!\s?-\s?\d)",
        r"\b(?:figure|fig|table|image|picture|photo|step|equation|eq|question|page|chapter|section|line|row|column)\.?\s\d++",
    )
)
_WHY = re.compile(r"[\s,;.:(-](?:because|since|as\sthere|given\sthat|due\sto|explanation|reason(?:ing)?\s?:|note\s?:)(?!\w)", re.IGNORECASE)
_AFTER_ALL = re.compile(r"\b(?:so|thus|therefore|hence|actually|wait|but|or)\b", re.IGNORECASE)
# How a number begins behind "the answer is"; anything else there is prose.
_A_NUMBER = re.compile(
    r"[\s:*$({\[\"'`~≈=]*+(?:(?:approximately|approx\.?|about|around|roughly|exactly|simply|just|only|equal\sto|clear)\s*+:?\s*+)*+"
    r"[\s:*$€£({\[\"'`~≈=]*+(?:minus\s|negative\s|[-+\u2212\u2013]?\s?[$€£]?(?:\\[dtc]?frac|\.?\d|[¼-¾⅐-⅞]))",
    re.IGNORECASE,
)

_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"
_WORDS = {word: float(value) for value, word in enumerate(f"zero one two three four five six seven eight nine {_TEENS}".split())}
# What makes another number of it, or no number: two thirds, two dozen, two times three, one could say.
_GOES_ON = (
    r"of|or|and|to|by|point|times|plus|minus|squared|cubed|more|less|fewer|dozens?|pairs?|couples?|half|halves|thirds?|quarters?|\w+ths?"
    r"|hundreds?|thousands?|millions?|billions?|lakhs?|crores?|can|could|might|may|would|should|moment|way"
)
# "Three", "three people", "There are three people.", "The count is three": nothing else is said.
_IN_WORDS = re.compile(
    rf"""\W*(?:(?:there\s(?:is|are)|I\s(?:can\s)?(?:see|count)|it\sis|(?:the|a)\s(?:\w{{1,20}}\s){{1,4}}?is)\s)?(?:exactly\s|about\s|only\s)?
    ({"|".join(sorted(_WORDS, key=len, reverse=True))})
    (?:\s(?!(?:{_GOES_ON}|{"|".join(_WORDS)})\b)\w{{1,20}}){{0,2}}\W*""",
    re.IGNORECASE | re.VERBOSE,
)


def parse_number(text: str) -> float | Unparsable:
    """The number that the last "Answer:", \\boxed{} or "the answer is" states; without these, the only number of the text.

    Signs, thousands separators, percent signs (12 % is 12), exponents, powers, fractions (3/4, 1 1/2, \\frac{3}{4}) and "2 million" are
    read. Of a calculation its result counts (2 + 3 = 5), of a number with remarks the number: "5 (since 2 + 3)", "5 out of 10",
    "42 in 2023". Several different numbers (5 or 6), ranges (5-10), refusals and infinite values are unparsable.

    >>> parse_number("The total is $1,234.50.")
    1234.5
    >>> parse_number("5-10")
    Unparsable(reason='it has 2 different numbers and no answer marker')
    """
    for _start, stated, firm in statements(text):
        if firm or _A_NUMBER.match(stated) is not None:
            return _one(plain_numerals(without_wrapping(stated)))
    return _one(plain_numerals(without_wrapping(text)))


def label_number(text: str) -> float | None:
    """A label as a number, or None if it is not one.

    >>> label_number("1,000 %")
    1000.0
    """
    number = parse_number(text)
    return None if isinstance(number, Unparsable) else number


def _one(text: str) -> float | Unparsable:
    """The one number that a plain text comes to."""
    opening = _OPENING.match(text)
    if gives_up(text[opening.end() :]) if opening is not None else REFUSED.search(text) is not None:
        return Unparsable("it says that there is no answer")
    text = _DENIED.sub(" ", _AS_OF.sub(" ", text))
    if len(numerals(text)) > 1:
        text = _without_asides(text)
    found = numerals(text)
    if len(found) > 1:
        names = {name[1] for name in _ASSIGNED.finditer(text)}
        after = numerals(_EQUALS.split(text)[-1])
        found = after if len(after) == 1 and len(names) < 2 else found
    if not found:
        word = _IN_WORDS.fullmatch(text.strip())
        return _WORDS[word[1].lower()] if word is not None else Unparsable("there is no number in it")
    value = found.pop()
    if found:
        return Unparsable(f"it has {len(found) + 1} different numbers and no answer marker")
    return Unparsable("it is not clear which number it means") if value is None else value


def _without_asides(text: str) -> str:
    """Less what only goes with a number, if a number is left."""
    why = _WHY.search(text)
    if why is not None and numerals(text[: why.start()]) and _AFTER_ALL.search(text, why.end()) is None:
        text = text[: why.start()]
    for aside in _ASIDES:
        shorter = aside.sub(" ", text)
        text = shorter if numerals(shorter) else text
    return text
