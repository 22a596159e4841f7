"""Which of several numbers in a text is its answer: what is no number at all, what only goes with one, and what it comes to.

All of it works on plain text, as numerals.plain_numerals writes it.
"""

from __future__ import annotations

import re
from itertools import pairwise

from scorer.parsers.expressions import OPAQUE
from scorer.parsers.numerals import Numeral, numerals, spans

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|(?:Octo|Novem|Decem)ber|Oct|Nov|Dec)"
)
_YEAR = r"(?:1\d|20)\d\d\b"
# Numbers of questions and pictures, and dates.
_NAMED = re.compile(
    r"(?i:\b(?:questions?|q|images?|img|pictures?|pics?|photos?|photographs?|figures?|fig|steps?|equations?|eq|problems?|exercises?|examples?"
    r"|tasks?|parts?|statements?|premises?|hints?|scenarios?|cases?)\.?[ ]?(?:no\.?[ ]|number[ ]|#[ ]?)?"
    r"\(?\d++\)?(?!\.\d|%)(?:,?[ ](?:and|&)[ ]\d++)?)"
    rf"|(?<![#\w&])#\d++|\b{_MONTH}\.?[ ]\d{{1,2}}(?:st|nd|rd|th)?(?:,?[ ]\d{{4}})?(?![\d.])"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)?[ ](?:of[ ])?{_MONTH}\b(?:,?[ ]\d{{4}})?"
)
# What a number is more or less than, with the unit of an age or a length.
_BOUND = re.compile(
    r"\b(?:(?:no|not)[ ](?:more|fewer|less|greater|higher|lower)[ ]than"
    r"|(?:more|less|fewer|better|worse|\w{2,12}er)[ ]than(?:[ ]or[ ]equal[ ]to)?"
    r"|at[ ](?:least|most)|up[ ]to|over|under|above|below|exceed(?:s|ed|ing)?|as[ ](?:many|much|few)[ ]as"
    r"|a?[ ]?(?:minimum|maximum)[ ]of)[ ][$€£¥₹]?[-+]?\d[\d,.]*+(?:[ ]?%|[ ]?(?:[a-z]+[ ])?(?:old|years|inches)\b)?",
    re.IGNORECASE,
)
_MARKER = re.compile(r"^[ \t>*_#-]*\(?(\d{1,2})[.)][ \t]+(?=\S)", re.MULTILINE)
# What only goes with a number: remarks in brackets, of how many, when, where in the document. Alternatives are not remarks.
_ASIDES = tuple(
    re.compile(aside, re.IGNORECASE)
    for aside in (
        r"[(\[](?![^()\[\]]*\b(?:or|to|maybe|perhaps|possibly|actually|alternatively)\b)[^()\[\]]*[)\]]",
        r"(?<=\d)\s(?:out\sof|of)\s(?:the\s|all\s|a\stotal\sof\s)?\d[\d,.]*+|(?:\A|(?<=[.!?\n]\s))out\sof\s(?:the\s|all\s)?\d[\d,.]*+",
        r"\b(?:says?|reads?|saying|reading|states?)\s?:?\s(?:'[^'\n]{1,80}'|\"[^\"\n]{1,80}\"|“[^”\n]{1,80}”)",
        rf"\b(?:in|of|by|since|until|from|during|after|before)\s(?:the\syear\s)?{_YEAR}(?!\s?-\s?\d)",
        r"\b(?:table|page|chapter|section|line|row|column|level|grade|room|day|week|group|player|team)\.?\s\d++",
        r"\b\d{1,3}(?:st|nd|rd|th)\b",
    )
)
# A reason within a sentence, up to its end; and an explanation of its own behind an answer. "And since ..., it is 4 = 2 + 2" is more.
_WHY = re.compile(
    r"(?<=[^\s.!?:])(?<!\band)(?<!\bso)(?<!\bbut)[ ,;(-]{1,3}"
    r"(?:because\b(?:[^.!?\n]|\.(?=\d))*+|(?:since|as[ ]there|given[ ]that|due[ ]to)\b(?:[^.!?\n=]|\.(?=\d))*+(?!=))"
    r"|[\s.:(-](?:explanation|reason(?:ing)?\s?:|note\s?:)(?!\w).*+",
    re.IGNORECASE | re.DOTALL,
)
_AFTER_ALL = re.compile(r"\b(?:so|thus|therefore|hence|actually|wait|but|or)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])(?=\s)|(?<=[。！？])|\n+")
# What a conclusion begins with, and what says that a sum is meant.
_CONCLUDES = re.compile(
    r"\b(?:so|thus|therefore|hence|consequently|altogether|overall|finally|in\s(?:total|all|conclusion|summary|the\send)|(?:the|a|grand)\stotal|totals?|result|the\s(?:difference|sum|product|quotient|remainder|average)"
    r"|(?:which|this|that)\s(?:gives|means|makes|leaves|equals)|we\s(?:get|have|obtain|find)|por\slo\stanto|entonces|en\stotal|donc|ainsi|au\stotal|daher|somit|insgesamt"
    r"|portanto|logo|no\stotal|quindi|dunque|in\stotale|итого|всего|поэтому|следовательно|jadi)\b|所以|因此|总共|一共|總共|共有|したがって|よって|따라서",
    re.IGNORECASE,
)
_IS = re.compile(
    r"(?:\b(?:is|are|was|were|equals?)\s|[=≈]\s?)(?:about\s|approximately\s|exactly\s|only\s|just\s|around\s)?[$€£¥₹]?\s?\Z", re.IGNORECASE
)
# "42 in total", "6 animals altogether": the number that a sentence adds up to, in front of the words that say so.
_IN_ALL = re.compile(r"(?:\s[A-Za-z][\w'’-]{0,20}){0,2}?,?\s(?:in\s(?:total|all)|altogether|overall|combined)\b", re.IGNORECASE)
_LONGEST_VERB = 40
_OPERATOR = re.compile(r"\s?[-+×*/÷^]\s?[$€£¥₹]?[\d(]")
_HAS_AN_END = re.compile(r"[.!?:)\]}$*\"'”。！？]\s*\Z")
_OR = re.compile(r"\d[\s.,$*)]{0,4}\bor\b")
# Behind such a word a sentence goes on; at its end the answer breaks off.
_UNFINISHED = re.compile(
    r"\b(?:a|an|the|and|or|but|of|to|with|by|for|from|minus|plus|times|than|because|since|so|that|which|is|are|was|were)\s*\Z"
)
_DENIES = re.compile(r"\b(?:no|not|none|neither|cannot|\w+n['’]t)\b", re.IGNORECASE)
_NAME = re.compile(r"(?<![\w.)])([A-Za-z])\s?=")
_LISTS = re.compile(r"[:]\s|\b(?:including|consisting\sof|namely|of\swhich|of\swhom|made\sup\sof)\b", re.IGNORECASE)
_HEADING = re.compile(
    r"\W*(?:(?:(?:the|final|total|my|overall|grand)\s){0,2}(?:answer|total|result|count|sum|value|number|solution|output)(?:\sof(?:\s\w{1,20}){1,6})?\W{0,4}[=:]\s?"
    r"|[A-Za-z]\s?=\s?)?[^\w\d]*",
    re.IGNORECASE,
)
_WITH_UNIT = re.compile(r"\s?(?:[^\W\d][\w'’/^²³-]{0,20}|%|°\w?)?(?:\s[^\W\d][\w'’/^-]{0,20})?[\s.!*$)\]}`\"'°%]*")
_MOST_WORDS_BEHIND = 6


def breaks_off(text: str) -> bool:
    """Whether a text ends within a sentence that says more.

    >>> breaks_off("There are 12 chairs minus the"), breaks_off("There are 12 chairs")
    (True, False)
    """
    return _UNFINISHED.search(text, max(0, len(text) - _LONGEST_VERB)) is not None


def has_alternatives(text: str) -> bool:
    """Whether a number is followed by "or": "x = 3 or x = -3"."""
    return _OR.search(text) is not None


def without_what_is_no_number(text: str) -> str:
    """Less the marks of a numbered list, numbers of questions and pictures, dates, and what a number is compared with.

    >>> without_what_is_no_number("Question 3: 4 people are older than 60.").split()
    [':', '4', 'people', 'are']
    """
    marks = [int(mark[1]) for mark in _MARKER.finditer(text)]
    if marks and marks[0] == 1 and all(mark in (1, before + 1) for before, mark in pairwise(marks)):
        text = _MARKER.sub(" ", text)
    return _BOUND.sub(" ", _NAMED.sub(" ", text))


def without_asides(text: str) -> str:
    """Less what only goes with a number, if a number is left."""
    why = _WHY.search(text)
    if why is not None and numerals(text[: why.start()]) and _AFTER_ALL.search(why[0]) is None:
        text = text[: why.start()] + text[why.end() :]
    for aside in _ASIDES:
        shorter = aside.sub(" ", text)
        text = shorter if numerals(shorter) else text
    return text


def concluded(text: str) -> float | None:
    """The number that a text of several comes to: a line that is nothing but it, the end of its last sentence, or the sum of its parts.

    >>> concluded("She eats 3 * 7 = 21 eggs.\\nIn 4 weeks she eats 21 * 4 = 84 eggs."), concluded("5\\n3 on the left and 2 on the right.")
    (84.0, 5.0)
    >>> concluded("There are 5 cats: 2 red ones and 3 black ones."), concluded("There are 5 cats. One is 3 years old.")
    (5.0, None)
    """
    lines = [line for line in text.split("\n") if line.strip()]
    alone = {value for line in (lines[:1] + lines[-1:] if len(lines) > 1 else []) if (value := _alone(line)) is not None}
    last = _last_sentence(text)
    value = _comes_to(last) if last is not None else None
    found = alone | ({value} if value is not None else set())
    return found.pop() if len(found) == 1 else _sum_of_parts(text) if not found else None


def _alone(line: str) -> float | None:
    """The number that a line is, with a unit or a heading at most."""
    found = spans(line)
    if len(found) != 1 or _HEADING.fullmatch(line, 0, found[0].start) is None or _WITH_UNIT.fullmatch(line, found[0].end) is None:
        return None
    return found[0].value


def _last_sentence(text: str) -> str | None:
    """The last sentence with a number in it; None if what follows it concludes something else, denies, or breaks off."""
    sentences = [sentence for sentence in _SENTENCE.split(text) if sentence.strip()]
    for place, sentence in enumerate(reversed(sentences)):
        if numerals(sentence) or OPAQUE in sentence:
            return sentence
        if place == 0 and _HAS_AN_END.search(sentence) is None:
            return None
        if _CONCLUDES.search(sentence) is not None or _DENIES.search(sentence) is not None:
            return None
    return None


def _comes_to(sentence: str) -> float | None:
    """The number that a sentence concludes with; None if it draws no conclusion, or one of several numbers."""
    totals = {numeral.value for numeral in spans(sentence) if _IN_ALL.match(sentence, numeral.end) is not None}
    if len(totals) == 1:
        return totals.pop()
    cues = list(_CONCLUDES.finditer(sentence))
    if has_alternatives(sentence[cues[-1].start() if cues else 0 :]):
        return None
    if not cues and "=" not in sentence:
        return None
    part = sentence[cues[-1].start() :] if cues and numerals(sentence[cues[-1].start() :]) else sentence
    found = spans(part)
    if len({numeral.value for numeral in found}) > 1:
        part = without_asides(part)
        found = spans(part)
    if len({numeral.value for numeral in found}) > 1 and len(set(_NAME.findall(part))) < 2:
        found = [numeral for numeral in found if _is_stated(part, numeral)][-1:]
    if len({numeral.value for numeral in found}) != 1 or _breaks_off(part, found[-1]):
        return None
    return found[0].value


def _is_stated(text: str, numeral: Numeral) -> bool:
    """Whether a number follows "is" or an equals sign, and no calculation goes on behind it."""
    before = _IS.search(text, max(0, numeral.start - _LONGEST_VERB), numeral.start)
    return before is not None and _OPERATOR.match(text, numeral.end) is None


def _breaks_off(text: str, last: Numeral) -> bool:
    """Whether a sentence without an end goes on so long behind its number that it may have more to say of it."""
    rest = text[last.end :].rstrip()
    return not rest.endswith((".", "!", "?", "。")) and len(rest.split()) > _MOST_WORDS_BEHIND


def _sum_of_parts(text: str) -> float | None:
    """The number before a colon or "including" behind which two or more others add up to it."""
    lists = _LISTS.search(text)
    if lists is None:
        return None
    whole, parts = numerals(text[: lists.start()]), [numeral.value for numeral in spans(text[lists.end() :])]
    if len(whole) != 1 or len(parts) < 2 or None in parts:
        return None
    value = whole.pop()
    return value if value is not None and abs(sum(part for part in parts if part is not None) - value) < 1e-9 else None
