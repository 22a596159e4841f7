"""Reads one statement as the letter of an option: alone, with its text, or the text alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from string import ascii_uppercase
from typing import NamedTuple

from genlevel.benchmark.texts import normal_text
from scorer.parsers.deciding import Weight, decided, takes_back
from scorer.parsers.markup import without_markup
from scorer.parsers.naming import Names
from scorer.parsers.refusals import gives_up
from scorer.parsers.text import without_wrapping
from scorer.parsers.values import Unparsable

# Bounded: what a model wraps around a letter is short, and a hostile answer must not cost minutes.
OPEN = r"[\s*_`\"'“$(\[{]{0,16}"
CLOSE = r"[*_`\"'”$)\]}]{0,16}"
_BULLET = re.compile(r"^(?:[-–—=>]+\s+|[•‣→⇒➜▶👉✅✓✔]\ufe0f?\s*)")
# A letter alone, or closed by punctuation: "B", "(B)", "**B**.", "B) wet", "B: wet".
_LETTER = re.compile(
    rf"""^{OPEN}(?:(?:[Oo]ption|[Cc]hoice|[Aa]nswer)\s?:?|选项|選項)?\s?{OPEN}([A-Za-z])
    (?:{CLOSE}\s*$|{CLOSE}\s?[.:,;!。、！]|[)\]}}*]|{CLOSE}\s?(?:です|だ\b|입니다|이다|है|ہے|选项|選項)|\s+it\sis\b|\s+(?:[-–—=]>?|→|⇒)\s|\s+(?=(?:because|since|as|given|rather|over|instead|(?:and|but)\snot)\b)|\s+(?=\([^()]*\)[.\s]*$))""",
    re.VERBOSE,
)
_BETWEEN = r"(?:\s*+(?:[,/&;、，；和与與及或]|\b(?:or|and|maybe|perhaps|possibly|also|y|o|et|ou|und|oder|e|и|или)\b))++\s*+"
# An "a" or "I" before another word is not a letter: "B, a blue bus", "B, I think".
_SEVERAL = re.compile(
    rf"^{OPEN}([A-Za-z]){CLOSE}{_BETWEEN}(?:[Oo]ption\s)?{OPEN}(?!(?-i:a|I)\s+(?!(?:and|or)\b)\w)([A-Za-z]){CLOSE}(?![\w'’])",
    re.IGNORECASE,
)
# What follows a letter and takes it back, or names another one beside it.
_TAKEN_BACK = re.compile(
    r"^\W*(?:(?:option|choice)\s)?(?:(?:is|was|seems?|looks?|must\sbe|would\sbe)\s(?:\w{1,12}\s){0,2}?(?:incorrect|wrong|false|not|unlikely|invalid|impossible"
    r"|ruled\sout)\b|(?:isn|wasn|can|couldn|doesn)['’]t\b|can\s?not\s(?:be|have)\b|not\s(?:correct|right|true)\b|\?|(?:wrong|incorrect|false)\b|no[,.!])",
    re.IGNORECASE,
)
_BACK = re.compile(r"\W*(?:(?:no|wait|sorry|actually|correction|rather|it['’]s|it\sis|make\sthat|I\smeant?)\b\W*)+", re.IGNORECASE)
_LETTER_ALONE = re.compile(rf"{OPEN}(?:[Oo]ption\s)?{OPEN}([A-Z]){CLOSE}[\s.!]*")
_BESIDE = re.compile(
    rf"\b(?:(?:(?i:or|maybe|perhaps|possibly|alternatively|actually),?|(?i:wait|no),)\s(?:(?i:maybe|perhaps|possibly|even|it['’]s|it\sis|rather)\s)?(?:[Oo]ption\s)?"
    rf"{OPEN}([A-Z]){CLOSE}(?![\w'’])|(?i:(?:could|might|may)\salso\sbe)\s(?:[Oo]ption\s)?{OPEN}([A-Z]){CLOSE}(?![\w'’])|(?i:and),?\s(?:[Oo]ption\s)?{OPEN}([A-Z]){CLOSE}(?![\w'’])(?!\s(?:is|was|are|would|does|can|has)\b))"
)
_DENIED = re.compile(r"\b(?:not|than|unlike|instead\sof)\s(?:[Oo]ption\s)?\Z", re.IGNORECASE)
_ASSIGNED = re.compile(r"[\s_\d]{0,3}=\s?[-+$\d.]")
_LETTERED = re.compile(r"(?<!\w)\(?([A-Z])[).:]\s*")
_ALONE = re.compile(rf"^{OPEN}([A-Z]){CLOSE}[.,;:!]?$")
_BEHIND = re.compile(r"^(.{2,200}?)\s?[(\[]([A-Z])[)\]][\s.*]*$")
_PLACES = {word: place % 6 + 1 for place, word in enumerate(re.findall(r"\S+", "first second third fourth fifth sixth 一 二 三 四 五 六"))}
_PLACE = re.compile(
    rf"^(?:(?:the\s)?(?:option|choice|answer)\s(?:number\s|no\.?\s|#\s?)?(\d{{1,2}})|(?:the\s)?({'|'.join(_PLACES)}|last)\s(?:option|choice|one|answer)"
    rf"|第([一二三四五六\d])[个個]?(?:选项|選項|项|項)|(?:option|choice)\s\(?(\d{{1,2}})\))[.。!]?$",
    re.IGNORECASE,
)
_A_PLACE = re.compile(r"\d|first|second|third|fourth|fifth|sixth|last|第")
LONGEST_CLAUSE = 200


class Options(NamedTuple):
    """The options' texts: as they stand, and in the form in which labels are compared."""

    exact: tuple[str, ...]
    folded: tuple[str, ...]

    @classmethod
    def of(cls, options: Sequence[str]) -> Options:
        exact = tuple(without_markup(unicodedata.normalize("NFKC", option), tags=False).strip() for option in options)
        return cls(exact, tuple(map(normal_text, exact)))

    @property
    def names(self) -> Names:
        """The options as prose may name them."""
        return Names(self.exact, lettered=True)

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


def read_letter(line: str, choices: Options) -> str | Unparsable | None:
    """One statement as a letter; None if it states none."""
    plain = without_wrapping(line)
    by_text = choices.of_statement(plain)
    line = without_wrapping(_BULLET.sub("", plain, count=1))
    by_text = by_text or choices.of_statement(line) or _behind_its_text(line, choices) or _by_place(line, choices)
    if by_text is not None:
        return by_text
    found, several = _LETTER.match(line), _SEVERAL.match(line)
    # "B, A man walks" is one option with its text, unless options are no more than letters.
    if several is not None and not (found is not None and _has_its_text(line[found.end() :].strip(), found[1].upper(), choices)):
        letters = sorted({letter.upper() for letter in several.groups()})
        if len(letters) > 1 and all(letter in choices.letters for letter in letters):
            return Unparsable(f"it names several letters: {', '.join(letters)}")
    # "v = 20 m/s" names no option V.
    if found is not None and found[1].upper() not in choices.letters and _ASSIGNED.match(line, found.end(1)) is not None:
        return None
    if found is None:
        return _bare_letter(line, choices)
    return _with_words(found[1].upper(), line[found.end() :].strip(), choices)


def _behind_its_text(line: str, choices: Options) -> str | Unparsable | None:
    """ "London (B)": an option's text with its letter behind it."""
    found = _BEHIND.match(line)
    named = choices.of_text(found[1]) if found is not None and len(found[1].strip()) > 1 else None
    if found is None or not isinstance(named, str):
        return None
    return named if named == found[2] else Unparsable(f"it names {found[2]} with the text of {named}")


def _by_place(line: str, choices: Options) -> str | None:
    """ "Option 2", "the second option": an option by its place, unless options have numbers or places of their own."""
    found = _PLACE.match(line.strip())
    if found is None or not choices.exact:
        return None
    word = (found[1] or found[2] or found[3] or found[4]).casefold()
    place = len(choices.exact) if word == "last" else int(word) if word.isdigit() else _PLACES[word]
    if any(_A_PLACE.search(option) for option in choices.folded) or not 0 < place <= min(len(choices.exact), len(ascii_uppercase)):
        return None
    return ascii_uppercase[place - 1]


def _with_words(letter: str, rest: str, choices: Options) -> str | Unparsable:
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
    if isinstance(instead := put_instead(rest, choices), str):
        return instead
    if takes_back(rest) and isinstance(later := decided(rest, choices.names, Weight.STATED), str):
        return later
    if _TAKEN_BACK.match(rest) is not None:
        return Unparsable(f"it takes {letter} back")
    return _others(read, rest, choices)


def put_instead(rest: str, choices: Options) -> str | None:
    """The letter that what follows an answer puts in its place, and nothing else: "No, sorry, B."."""
    back = _BACK.match(rest)
    alone = _LETTER_ALONE.fullmatch(rest, back.end()) if back is not None else None
    return alone[1] if alone is not None and alone[1] in choices.letters else None


def _others(read: str, rest: str, choices: Options) -> str | Unparsable:
    """The letter, unless another option is named beside it."""
    beside = [found[1] or found[2] or found[3] for found in _BESIDE.finditer(rest)]
    alone = _ALONE.match(rest)
    listed = [
        found[1]
        for found in _LETTERED.finditer(rest)
        if not _DENIED.search(rest[: found.start()]) and _begins_with(rest[found.end() :], found[1], choices)
    ]
    others = {*beside, *listed, *([alone[1]] if alone is not None else [])} & set(choices.letters) - {read}
    return Unparsable(f"it names several letters: {', '.join(sorted({read, *others}))}") if others else read


def _begins_with(text: str, letter: str, choices: Options) -> bool:
    place = ascii_uppercase.index(letter)
    option = choices.folded[place] if place < len(choices.folded) else ""
    return bool(option) and re.match(rf"{re.escape(option)}(?!\w)", normal_text(text[: 2 * len(option) + LONGEST_CLAUSE])) is not None


def _has_its_text(text: str, letter: str, choices: Options) -> bool:
    place = ascii_uppercase.index(letter)
    return place < len(choices.folded) and len(choices.folded[place]) > 1 and _begins_with(text, letter, choices)


def _bare_letter(line: str, choices: Options) -> str | None:
    """ "B wet": a letter with its own option's text behind it."""
    words = re.match(r"^([A-Za-z])\s+(.*)$", line, re.DOTALL)
    if words is None:
        return None
    letter = words.group(1).upper()
    return letter if choices.of_text(words.group(2)) == letter else None
