"""Reads a choice among lettered options. Never falls back to a letter: what is not said is not an answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from string import ascii_uppercase
from typing import NamedTuple

from genlevel.benchmark.texts import normal_text, without_invisible
from scorer.parsers.deciding import decided
from scorer.parsers.naming import Names
from scorer.parsers.refusals import gives_up
from scorer.parsers.text import statements, without_wrapping
from scorer.parsers.values import Unparsable

# Bounded: what a model wraps around a letter is short, and a hostile answer must not cost minutes.
_OPEN = r"[\s*_`\"'“$(\[{]{0,16}"
_CLOSE = r"[*_`\"'”$)\]}]{0,16}"
_BULLET = re.compile(r"^(?:[-–—>]+\s+|[•‣→⇒➜▶👉✅✓✔]\ufe0f?\s*)")
_TEXT_IN_LATEX = re.compile(r"\\(?:text|textbf|mathrm|mathbf) ?\{([^{}]*)\}")
# A letter alone, or closed by punctuation: "B", "(B)", "**B**.", "B) wet", "B: wet".
_LETTER = re.compile(
    rf"""^{_OPEN}(?:(?:[Oo]ption|[Cc]hoice|[Aa]nswer)\s?:?)?\s?{_OPEN}([A-Za-z])
    (?:{_CLOSE}\s*$|{_CLOSE}\s?[.:,;!。、！]|[)\]}}*]|\s+(?:[-–—=]>?|→|⇒)\s|\s+(?=(?:because|since|as|given|rather|over|instead|(?:and|but)\snot)\b)|\s+(?=\([^()]*\)[.\s]*$))""",
    re.VERBOSE,
)
_BETWEEN = r"(?:\s*+(?:,|/|&|;|\b(?:or|and|maybe|perhaps|possibly|also)\b))++\s*+"
# An "a" or "I" before another word is not a letter: "B, a blue bus", "B, I think".
_SEVERAL = re.compile(
    rf"^{_OPEN}([A-Za-z]){_CLOSE}{_BETWEEN}(?:[Oo]ption\s)?{_OPEN}(?!(?-i:a|I)\s+(?!(?:and|or)\b)\w)([A-Za-z]){_CLOSE}(?![\w'’])",
    re.IGNORECASE,
)
# What follows a letter and takes it back, or names another one beside it.
_TAKEN_BACK = re.compile(
    r"^\W*(?:(?:option|choice)\s)?(?:(?:is|was|seems?|looks?|must\sbe|would\sbe)\s(?:\w{1,12}\s){0,2}?(?:incorrect|wrong|false|not|unlikely|invalid|impossible"
    r"|ruled\sout)\b|(?:isn|wasn|can|couldn|doesn)['’]t\b|can\s?not\s(?:be|have)\b|not\s(?:correct|right|true)\b|\?|(?:wrong|incorrect|false)\b|no[,.!])",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    rf"\b(?:(?:(?i:or|maybe|perhaps|possibly|alternatively|actually),?|(?i:wait|no),)\s(?:(?i:maybe|perhaps|possibly|even|it['’]s|it\sis|rather)\s)?(?:[Oo]ption\s)?"
    rf"{_OPEN}([A-Z]){_CLOSE}(?![\w'’])|(?i:and),?\s(?:[Oo]ption\s)?{_OPEN}([A-Z]){_CLOSE}(?![\w'’])(?!\s(?:is|was|are|would|does|can|has)\b))"
)
_LETTERED = re.compile(r"(?<!\w)\(?([A-Z])[).:]\s*")
_LONE = re.compile(rf"^{_OPEN}(?:(?:[Oo]ption|[Cc]hoice)\s)?{_OPEN}([A-Za-z]){_CLOSE}[.。]?\s*$")
_ALONE = re.compile(rf"^{_OPEN}([A-Z]){_CLOSE}[.,;:!]?$")
# Where an answer may stand in a sentence.
_STATED = re.compile(
    r"""\b(?:answer|option|choice)\s(?:is|would\sbe|should\sbe|must\sbe|could\sonly\sbe)\b\s*+:?\s*+(?:(?:most\s|very\s)?(?:likely|probably)\s)?
    |\b(?:I|we)(?:['’](?:d|ll)|\s(?:would|will|must))?\s(?:choose|chose|pick|select|go\swith|opt\sfor|say|answer)\s(?:(?:it['’]s|it\sis|that|with|option:)\s)?
    |(?:^|[.,;:!?\n]\s*|\b(?:is|it['’]s|but|so|think)\s)(?:most\s|very\s)?(?:likely|probably)\s
    |(?:^|[.,;:!?\n]\s*|\b(?:so|think|believe|that|hence|therefore|thus),?\s)it(?:['’]s|\sis|\smust\sbe)\s(?:(?:most\s|very\s)?(?:likely|probably)\s)?
    |\b(?:option|choice|correct|selection)\s?:\s*+
    |[选選](?:择|擇)?[^\S\n]*+:?[^\S\n]*+
    |(?<![\w'’])(?=(?:(?:[Oo]ption|[Cc]hoice|[Aa]nswer)\s)?[(\["*]{0,4}(?-i:[A-Z])[)\]"*.]{0,4}\s(?:is|seems|looks)\s(?:the\s)?
        (?:(?:most|clearly|definitely|likely|probably|only|best|one)\s){0,3}(?:correct|right|best|true|appropriate|accurate|answer|likely(?!\s(?:in|un|wrong|false|not|to)))\b)""",
    re.IGNORECASE | re.VERBOSE,
)
_IS_RIGHT = re.compile(r"^(?:(?:[Oo]ption|[Cc]hoice|[Aa]nswer)\s)?[(\[\"*]{0,4}([A-Z])[)\]\"*.]{0,4}\s(?:is|seems|looks)\s(?!not\b)")
_UNCERTAIN = re.compile(
    r"(?:\b(?:no|not|cannot|never|neither|nor|none|without|doubt|whether|if|or|maybe|perhaps|unless|incorrect|wrong|false|unlikely)|n['’]t)\b",
    re.IGNORECASE,
)
# What sets an option aside, or only looks at it: "anything but red", "at first I thought red".
_SET_ASIDE = re.compile(
    r"\b(?:but|except|excluding|exclude[ds]?|other|rather|instead|opposite|least|hardly|barely|lacks?|little|few|out|impossible|invalid|eliminated?"
    r"|reject(?:ed)?|unlike|first|initially|thought|used\sto|consider(?:ed|ing)?|which)\b",
    re.IGNORECASE,
)
# Before "the answer is" only what is said of the answer itself: "since A is wrong the answer is B" states B, "the wrong answer is A" not A.
_ANSWER_DENIED = re.compile(
    r"(?:\b(?:not|never|cannot)|n['’]t)\s(?:\w{1,20}\s){0,2}?(?:think(?:ing)?|believ(?:e|ing)|say(?:ing)?|claim(?:ing)?|mean|every|sure|certain|clear|know|agree|see|tell|true|likely|possible"
    r"|the\scase)\b|\b(?:whether|if|unless|or|neither|nor|maybe|perhaps|no\sway)\b|(?<!\bno\s)(?<!\ba\s)\bdoubt|\b(?:wrong|incorrect|false)\sthat\b"
    r"|\b(?:wrong|incorrect|false|invalid|unlikely|other|another|worst|least\s\w{1,20}|no|not|non)\s*$",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[.,;:!?\n]|\b(?:but|hence|therefore|thus|so(?!\s(?:sure|certain|clear|much|many|far)\b))\b", re.IGNORECASE)
_ANSWER_IS = re.compile(r"(?:answer|option|choice)\s\w+", re.IGNORECASE)
_WHY = re.compile(r",?\s(?:because|since|as|due\sto)\s|[.;]\s")
_LONGEST_CLAUSE = 200
# Elsewhere in a sentence these are not an answer: "There is no dog."
_SAID_FIRST = frozenset({"yes", "no", "true", "false", "none", "not"})


class _Options(NamedTuple):
    """The options' texts: as they stand, and in the form in which labels are compared."""

    exact: tuple[str, ...]
    folded: tuple[str, ...]

    @classmethod
    def of(cls, options: Sequence[str]) -> _Options:
        exact = tuple(unicodedata.normalize("NFKC", option).strip() for option in options)
        return cls(exact, tuple(map(normal_text, exact)))

    @property
    def letters(self) -> str:
        return ascii_uppercase[: len(self.exact)] if self.exact else ascii_uppercase

    def of_text(self, text: str) -> str | Unparsable | None:
        """The letter of the option whose text this is: exactly, or else as labels are compared."""
        plain, folded = text.strip(), normal_text(text)
        places = [place for place, option in enumerate(self.exact) if option and option == plain]
        places = places or [place for place, option in enumerate(self.folded) if option and option == folded]
        if len(places) > 1:
            return Unparsable("its text is that of several options")
        return ascii_uppercase[places[0]] if places and places[0] < len(ascii_uppercase) else None

    def of_letter(self, letter: str) -> str | Unparsable:
        """The letter itself, which is what is asked for; of one beyond the options, the option whose text it is."""
        if letter in self.letters:
            return letter
        return self.of_text(letter) or Unparsable(f"it names {letter}, and there are {len(self.exact)} options")

    def of_statement(self, text: str) -> str | Unparsable | None:
        """What a text that is nothing but a letter or an option's text stands for."""
        letter = normal_text(text).upper()
        return letter if len(letter) == 1 and letter in self.letters and "?" not in text else self.of_text(text)


def parse_choice(text: str, options: Sequence[str]) -> str | Unparsable:
    """The letter of the option the text settles on.

    Looked for, in this order: the last of "Answer: X", "\\boxed{X}", "the answer is X", "I choose X", "X is correct" and the like; the
    text or exactly one of its lines being a letter ("B", "(B)", "B. wet") or the text of exactly one option; a short text in which one
    option alone is named, without doubt or denial ("It's a dog."). X is a letter or an option's text. Letters beyond the options, several
    different ones, and a letter that is taken back ("(A) is incorrect", "A, or maybe B") are unparsable.

    >>> parse_choice("Answer: A man walks.", ["A dog runs.", "A man walks."])
    'B'
    >>> parse_choice("(A) is incorrect.", ["A dog runs.", "A man walks."])
    Unparsable(reason='it takes A back')
    """
    text = _TEXT_IN_LATEX.sub(r"\1", unicodedata.normalize("NFKC", without_invisible(text)))
    choices = _Options.of(options)
    stated = _stated(text, choices)
    if stated is not None:
        return stated
    lines = [line for line in text.splitlines() if line.strip()]
    read = [_read(line, choices) for line in lines]
    found = sorted({letter for letter in read if isinstance(letter, str)})
    names = Names(choices.exact, lettered=True)
    if len(found) > 1:
        return decided(text, names, concluded=True) or Unparsable(f"it names several letters: {', '.join(found)}")
    if found and any(gives_up(line) for line, letter in zip(lines, read, strict=True) if letter is None):
        return Unparsable("it says that there is no answer")
    if found:
        return found[0]
    problem = next((letter for letter in read if isinstance(letter, Unparsable)), None)
    if problem is not None:
        return choices.of_statement(text) or decided(text, names, concluded=True) or problem
    found_text = choices.of_statement(text) or _only_named(text, choices) or decided(text, names)
    return found_text or Unparsable("no option's letter or text stands out in it")


def _stated(text: str, choices: _Options) -> str | Unparsable | None:
    """What the text says its answer is; None if it says nothing of the kind.

    The last of "Answer:", \\boxed{} and "the answer is" counts. Weaker words ("I choose", "is correct", "likely") must agree with it,
    with each other, and with a letter that stands alone in its line.
    """
    weak: set[str] = set()
    found: str | Unparsable | None = None
    for start, stated, firm in statements(text, _STATED):
        denied = _UNCERTAIN if _ANSWER_IS.match(text, start) is None else _ANSWER_DENIED
        if not firm and denied.search(_clause_before(text, start)) is not None:
            continue
        right = None if firm else _IS_RIGHT.match(stated)
        read = choices.of_letter(right[1]) if right is not None else _read(stated, choices) or choices.of_statement(_WHY.split(stated)[0])
        if isinstance(read, Unparsable):
            return read
        if firm or (right is None and read is not None and _ANSWER_IS.match(text, start) is not None):
            found = read or (None if weak else Unparsable("no option's letter or text follows the answer marker"))
            break
        weak |= {read} if read is not None else set()
    else:
        alone = [_LONE.match(line) for line in text.splitlines()] if weak else []
        weak |= {letter for match in alone if match is not None and isinstance(letter := choices.of_letter(match[1].upper()), str)}
    if isinstance(found, Unparsable):
        return found
    names = sorted(weak | ({found} if found is not None else set()))
    return Unparsable(f"it states different answers: {', '.join(names)}") if len(names) > 1 else next(iter(names), None)


def _clause_before(text: str, end: int) -> str:
    """The part of the sentence that stands before a place."""
    return _CLAUSE.split(text[max(0, end - _LONGEST_CLAUSE) : end])[-1]


def _only_named(text: str, choices: _Options) -> str | None:
    """The letter of the one option that a short text names; None if it names several or none, doubts or denies."""
    if len(text) > _LONGEST_CLAUSE or "?" in text or gives_up(text):
        return None
    rest, named = normal_text(text), set()
    for option in sorted({option for option in choices.folded if len(option) > 1 or option.isdigit()}, key=len, reverse=True):
        at_the_start = r"\A" if option in _SAID_FIRST else ""
        rest, count = re.subn(rf"{at_the_start}(?<![\w'’.,-]){re.escape(option)}(?![\w'’-]|[.,:]\d)", " ", rest)
        named |= {option} if count else set()
    places = [place for place, option in enumerate(choices.folded[: len(ascii_uppercase)]) if option in named]
    doubtful = _UNCERTAIN.search(rest) or _SET_ASIDE.search(rest)
    return ascii_uppercase[places[0]] if len(places) == 1 and doubtful is None else None


def _read(line: str, choices: _Options) -> str | Unparsable | None:
    """One statement as a letter; None if it states none."""
    by_text = choices.of_statement(without_wrapping(line))
    line = without_wrapping(_BULLET.sub("", without_wrapping(line), count=1))
    by_text = by_text or choices.of_statement(line)
    if by_text is not None:
        return by_text
    found, several = _LETTER.match(line), _SEVERAL.match(line)
    # "B, A man walks" is one option with its text, unless options are no more than letters.
    if several is not None and not (found is not None and _has_its_text(line[found.end() :].strip(), found[1].upper(), choices)):
        letters = sorted({letter.upper() for letter in several.groups()})
        if len(letters) > 1 and all(letter in choices.letters for letter in letters):
            return Unparsable(f"it names several letters: {', '.join(letters)}")
    if found is None:
        return _bare_letter(line, choices)
    return _with_words(found[1].upper(), line[found.end() :].strip(), choices)


def _with_words(letter: str, rest: str, choices: _Options) -> str | Unparsable:
    """A letter with what follows it: its option's text or an explanation, which must not take it back."""
    named = choices.of_text(rest) if rest.strip("*_`\"'”)]}.") else None
    if isinstance(named, str):
        if named != letter:
            return Unparsable(f"it names {letter} with the text of {named}")
        return named
    read = choices.of_letter(letter)
    if not isinstance(read, str):
        return read
    if _begins_with(rest, read, choices):
        return _others(read, rest[len(choices.exact[ascii_uppercase.index(read)]) :], choices)
    if gives_up(rest):
        return Unparsable("it says that there is no answer")
    if _TAKEN_BACK.match(rest) is not None:
        return Unparsable(f"it takes {letter} back")
    return _others(read, rest, choices)


def _others(read: str, rest: str, choices: _Options) -> str | Unparsable:
    """The letter, unless another option is named beside it."""
    beside = [found[1] or found[2] for found in _BESIDE.finditer(rest)]
    alone = _ALONE.match(rest)
    listed = [found[1] for found in _LETTERED.finditer(rest) if _begins_with(rest[found.end() :], found[1], choices)]
    others = {*beside, *listed, *([alone[1]] if alone is not None else [])} & set(choices.letters) - {read}
    return Unparsable(f"it names several letters: {', '.join(sorted({read, *others}))}") if others else read


def _begins_with(text: str, letter: str, choices: _Options) -> bool:
    place = ascii_uppercase.index(letter)
    option = choices.folded[place] if place < len(choices.folded) else ""
    return bool(option) and re.match(rf"{re.escape(option)}(?!\w)", normal_text(text[: 2 * len(option) + _LONGEST_CLAUSE])) is not None


def _has_its_text(text: str, letter: str, choices: _Options) -> bool:
    place = ascii_uppercase.index(letter)
    return place < len(choices.folded) and len(choices.folded[place]) > 1 and _begins_with(text, letter, choices)


def _bare_letter(line: str, choices: _Options) -> str | None:
    """ "B wet": a letter with its own option's text behind it."""
    words = re.match(r"^([A-Za-z])\s+(.*)$", line, re.DOTALL)
    if words is None:
        return None
    letter = words.group(1).upper()
    return letter if choices.of_text(words.group(2)) == letter else None
