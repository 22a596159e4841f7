"""Reads one number: the one that the text states as its answer, the only one there is, or the one that it comes to in the end."""

from __future__ import annotations

import re

from scorer.parsers.expressions import OPAQUE
from scorer.parsers.final_number import breaks_off, concluded, has_alternatives, without_asides, without_what_is_no_number
from scorer.parsers.number_words import counts_as_digits
from scorer.parsers.numerals import numerals, plain_numerals
from scorer.parsers.refusals import REFUSED, gives_up
from scorer.parsers.text import last_match, statements, without_wrapping
from scorer.parsers.values import Unparsable

_DENIED = re.compile(
    r"(?:,\s)?\b(?:and\s)?(?:not|isn't|aren't|wasn't|never)\s(?:exactly\s|equal\sto\s)?[$€£(]?[-+]?[\d.,]*\d", re.IGNORECASE
)
# A number with something said about it: "0 - there is no evidence of any".
_OPENING = re.compile(r"[\s$€£]*+[-+]?\d[\d,.]*+%?(?:\s?\(|\s?[-:;]\s|(?<=[,.])\s)")
_EQUALS = re.compile(r"[=≈]")
_ASSIGNED = re.compile(r"(?<![\w.)*×+/^-])(?<![*×+/^-]\s)([A-Za-z])\s?=\s?(?=[-+$]?[\d.])")
# "3x + 2 = 5" and "x^2 = 9" say something of x, not what it is; of R^2 they do.
_UNSOLVED = re.compile(
    r"(?<![A-Za-z])(?!R)[A-Za-z]{1,2}\s?\^\s?[({]?\d|\d\s?[b-hj-zA-HJ-Z](?![A-Za-z\d'])|(?<![A-Za-z])[b-zB-Z]\s?[-+*/×·]\s?[\d(]|[\d)]\s?[-+*×·]\s?[b-zB-Z](?![A-Za-z])"
)
_CLAUSE = re.compile(r"[,;:.\n](?!\d)|\b(?:so|then|and|get|have|is)\b")
_BOLD = re.compile(r"\*\*([^*\n]{1,60})\*\*")
_SENTENCE = re.compile(r"(?<=[.!?])\s|\n")
_LONGEST_REFUSAL = 300
_LONGEST_WORD = 20
_YEAR = r"(?:1\d|20)\d\d\b"
_AS_OF = re.compile(rf"\b(?:as of|by the end of)\s(?:\w{{3,9}}\s)?{_YEAR}", re.IGNORECASE)
# How a number begins behind "the answer is"; anything else there is prose.
_A_NUMBER = re.compile(
    r"[\s:*$({\[\"'`~≈=]*+(?:(?:approximately|approx\.?|about|around|roughly|exactly|simply|just|only|equal\sto|clear|therefore|thus|then|hence|so|indeed|clearly"
    r"|probably|likely|most\slikely|also|now|given\sby|the\snumber|a\stotal\sof)\b\s*+[:,]?\s*+)*+"
    r"[\s:*$€£¥₹({\[\"'`~≈=\\]*+(?:[A-Za-z]\s?=\s?)?(?:minus\s|negative\s|[-+\u2212\u2013]?\s?[$€£]?(?:\\[dtc]?frac|\\sqrt|√|\.?\d|[¼-¾⅐-⅞]))",
    re.IGNORECASE,
)
# What announces a number, and nothing else than an answer: GSM8K's last line, "A: 26" as the last line of a question and answer.
_LAST_LINE = re.compile(r"(?:\A|\n)\s*(?:####|[Aa](?:ns(?:wer)?)?\s?[:.=](?![A-Za-z]))[ \t]*(?P<stated>[^\n]{1,200})\Z")
_OTHER_OPTION = re.compile(r"(?:\A|\n)\s*B\s?[:.]")
_TWO_BOXES = re.compile(r"\\boxed\s?\{([^{}\n]{1,99})\}[\s$)\]\\]{0,6}(?:or|and|,)[\s$(\[\\]{0,6}\\boxed\s?\{([^{}\n]{1,99})\}")
# What takes back what was stated, at the beginning of a sentence, and what says that it was wrong.
_BACK = re.compile(
    r"(?:[.!?\n,;)]|\A|[-–—]\s)\W{0,12}(?:wait|actually|correction|sorry|oops|hmm+|scratch\sthat|no(?=,)|but\swait|on\s(?:second\sthoughts?|reflection)|I\smade\sa\smistake)\b",
    re.IGNORECASE,
)
_WRONG = re.compile(r"\b(?:wrong|incorrect|not\s(?:right|correct)|mistake|error|isn['’]t\sright)\b", re.IGNORECASE)
_BARE = re.compile(r"\W*(?:(?:no|wait|sorry|actually|rather|it['’]s|it\sis|make\sthat)\b\W*)*+[-+]?[$€£]?[\d.,]+[\s.!)*]*")
_INSTEAD = re.compile(
    r"\b(?:should\sbe|must\sbe|(?:answer|result|total|number|count|it)(?:['’]s|\sis)|make\sthat|I\smeant?)\s(?:actually\s|really\s|exactly\s)?",
    re.IGNORECASE,
)


def parse_number(text: str) -> float | Unparsable:
    """The number that the last "Answer:", \\boxed{} or "the answer is" states; without these, the only number of the text, or the one that
    it concludes with.

    Signs, thousands separators, percent signs (12 % is 12), exponents, powers, fractions (3/4, 1 1/2, \\frac{3}{4}), roots of squares,
    "2 million" and words that count are read. Of a calculation its result counts (2 + 3 = 5), of a number with remarks the number:
    "5 (since 2 + 3)", "5 out of 10", "42 in 2023". Several different numbers (5 or 6), ranges (5-10), bounds (more than 5), parts of
    expressions (2π, 5!, log 10), numbers of questions and pictures, refusals and infinite values are unparsable.

    >>> parse_number("The total is $1,234.50."), parse_number("She has 3 + 4 = 7 apples. So in the end there are 7 - 2 = 5 left.")
    (1234.5, 5.0)
    >>> parse_number("5-10")
    Unparsable(reason='it has 2 different numbers and no answer marker')
    """
    last = _LAST_LINE.search(text)
    if last is not None and _OTHER_OPTION.search(text) is None:
        return _to_the_end(last["stated"], "")
    if (boxes := _TWO_BOXES.search(text)) is not None:
        return _one(f"{boxes[1]} or {boxes[2]}")
    for start, stated, firm in statements(text):
        if firm or _A_NUMBER.match(stated) is not None:
            place = text.find(stated, start)
            return _to_the_end(stated, text[place + len(stated) :])
    return _to_the_end(without_wrapping(text), "")


def label_number(text: str) -> float | None:
    """A label as a number, or None if it is not one.

    >>> label_number("1,000 %")
    1000.0
    """
    number = parse_number(text)
    return None if isinstance(number, Unparsable) else number


def _to_the_end(stated: str, rest: str) -> float | Unparsable:
    """What is stated, unless what follows takes it back: then what is stated instead."""
    whole = f"{stated}\n{rest}"
    back = _BACK.search(whole)
    if back is None:
        return _one(without_wrapping(stated))
    first, behind = _one(without_wrapping(whole[: back.start()])), whole[back.end() :]
    instead = last_match(_INSTEAD, behind)
    if instead is not None and _A_NUMBER.match(behind[instead.end() :]) is not None:
        return _one(_SENTENCE.split(behind[instead.end() :], maxsplit=1)[0])
    if first != (bare := _one(behind) if _BARE.fullmatch(behind) is not None else first):
        return bare
    others = numerals(without_what_is_no_number(plain_numerals(behind)))
    if isinstance(first, Unparsable) or _WRONG.search(behind) is not None or (others and first not in others):
        return Unparsable("it takes its number back") if isinstance(first, float) else first
    return first


def _one(text: str) -> float | Unparsable:
    """The one number that a text comes to."""
    written = plain_numerals(counts_as_digits(text))
    opening = _OPENING.match(written)
    refused = gives_up(written[opening.end() :]) if opening is not None else REFUSED.search(written) is not None
    if refused and REFUSED.search(written, max(0, len(written) - _LONGEST_REFUSAL)) is not None:
        return Unparsable("it says that there is no answer")
    plain = without_what_is_no_number(_DENIED.sub(" ", _AS_OF.sub(" ", written)))
    found = numerals(plain)
    if len(found) > 1:
        shorter = without_asides(plain)
        found = numerals(shorter)
        if len(found) > 1:
            names = {name[1] for name in _ASSIGNED.finditer(shorter)}
            last = _EQUALS.split(shorter)[-1]
            after = numerals(last)
            found = (
                after
                if len(after) == 1 and OPAQUE not in last and len(names) < 2 and _is_short(shorter) and not has_alternatives(shorter)
                else found
            )
        plain = shorter if len(found) == 1 else plain
    if not found:
        return Unparsable(_why_none(written))
    if refused or len(found) > 1:
        value = None if _is_unsolved(plain) else concluded(plain)
        value = _in_bold(text) if value is None and not refused else value
        return Unparsable(f"it has {len(found)} different numbers and no answer marker") if value is None else value
    value = concluded(plain) if OPAQUE in plain and len(plain) > _LONGEST_REFUSAL else found.pop()
    if len(plain) > _LONGEST_WORD and breaks_off(plain):
        return Unparsable("it breaks off")
    if _is_unsolved(plain):
        return Unparsable("it states an equation rather than a number")
    return Unparsable("it is not clear which number it means") if value is None else value


def _is_short(text: str) -> bool:
    """Whether a text is no more than a calculation, with nothing concluded from it."""
    return "\n" not in text.strip() or len(text) < _LONGEST_REFUSAL


def _why_none(text: str) -> str:
    if OPAQUE in text:
        return "its number is an expression that is not worked out"
    return "its numbers are no more than bounds, dates or names" if numerals(text) else "there is no number in it"


def _is_unsolved(text: str) -> bool:
    """Whether what stands before the last equals sign is more than a name: 3x + 2 = 5."""
    before, equals, _after = text.replace("≈", "=").rpartition("=")
    clause = _CLAUSE.split(before)[-1]
    return bool(equals) and "=" not in clause and _UNSOLVED.search(clause) is not None


def _in_bold(text: str) -> float | None:
    """The only number that stands in bold."""
    bold = {value for part in _BOLD.findall(text) for value in numerals(without_what_is_no_number(plain_numerals(part)))}
    return bold.pop() if len(bold) == 1 else None
