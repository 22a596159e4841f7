"""Reads a choice among lettered options. Never falls back to a letter: what is not said is not an answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from string import ascii_uppercase
from typing import NamedTuple

from scorer.parsers.text import after_marker, last_match, normal_text, without_wrapping
from scorer.parsers.values import Unparsable

# Bounded: what a model wraps around a letter is short, and a hostile answer must not cost minutes.
_OPEN = r"[\s*_`\"'“(\[{]{0,16}"
_CLOSE = r"[*_`\"'”)\]}]{0,16}"
# A letter alone, or closed by punctuation: "B", "(B)", "**B**.", "B) wet", "B: wet".
_LETTER = re.compile(
    rf"^{_OPEN}(?:[Oo]ption|[Cc]hoice)?\s?{_OPEN}([A-Za-z])(?:{_CLOSE}\s*$|{_CLOSE}[.:,;]|[)\]}}*]|\s+[-–—]\s|\s+(?:because|since)\b)"
)
_SEVERAL = re.compile(rf"^{_OPEN}([A-Za-z]){_CLOSE}(?:\s*(?:,|/|&|;|\bor\b|\band\b)\s*)+{_OPEN}([A-Za-z]){_CLOSE}(?![\w'’])", re.IGNORECASE)
_STATED = re.compile(r"\b(?:answer|option|choice)\s+(?:is|would be|should be|must be)\s*:?\s*", re.IGNORECASE)
_WORDS_AFTER = re.compile(rf"^{_OPEN}[A-Za-z]{_CLOSE}\s*[.:,;)\]}}\-–—]*\s*(.*)$", re.DOTALL)


class _Texts(NamedTuple):
    """The options' texts: as they stand, and in the form in which labels are compared."""

    exact: tuple[str, ...]
    folded: tuple[str, ...]

    @classmethod
    def of(cls, options: Sequence[str]) -> _Texts:
        exact = tuple(unicodedata.normalize("NFKC", option).strip() for option in options)
        return cls(exact, tuple(map(normal_text, exact)))

    def places(self, text: str) -> list[int]:
        """Where the options stand whose text this is; one that is exactly it comes before those that only compare so."""
        plain, folded = text.strip(), normal_text(text)
        exact = [place for place, option in enumerate(self.exact) if option and option == plain]
        return exact or [place for place, option in enumerate(self.folded) if option and option == folded]


def parse_choice(text: str, options: Sequence[str]) -> str | Unparsable:
    """The letter of the option the text settles on.

    Looked for, in this order: the last of "Answer: X", "\\boxed{X}" and "the answer is X"; the text or exactly one of
    its lines being a letter ("B", "(B)", "B. wet") or the text of exactly one option. X is a letter or an
    option's text. Letters beyond the options, and several different ones, are unparsable.

    >>> parse_choice("Answer: A man walks.", ["A dog runs.", "A man walks."])
    'B'
    """
    text = unicodedata.normalize("NFKC", text)
    texts = _Texts.of(options)
    stated = _last_statement(text)
    if stated is not None:
        return _read(stated, texts) or Unparsable("no option's letter or text follows the answer marker")
    whole = _read(text, texts) if "\n" not in text else None
    if whole is not None:
        return whole
    found = {letter for line in text.splitlines() if line.strip() and isinstance(letter := _read(line, texts), str)}
    if len(found) == 1:
        return found.pop()
    if found:
        return Unparsable(f"it names several letters: {', '.join(sorted(found))}")
    return _equal_option(text, texts) or Unparsable("no option's letter or text stands out in it")


def _last_statement(text: str) -> str | None:
    """What follows the last explicit statement of the answer, up to its line's end."""
    stated = last_match(_STATED, text)
    marked = after_marker(text)
    if stated is None:
        return marked
    rest = text[stated.end() :].split("\n", 1)[0]
    # "the answer is: Answer: B" or a \boxed after it: the later one counts, and after_marker found it.
    return marked if marked is not None and text.rfind(marked) > stated.start() else rest


def _read(line: str, texts: _Texts) -> str | Unparsable | None:
    """One statement as a letter; None where it states none."""
    line = without_wrapping(line)
    by_text = _equal_option(line, texts)
    if by_text is not None:
        return by_text
    several = _SEVERAL.match(line)
    if several is not None:
        letters = sorted({letter.upper() for letter in several.groups()})
        if len(letters) > 1 and all(letter in _letters(texts) for letter in letters):
            return Unparsable(f"it names several letters: {', '.join(letters)}")
    found = _LETTER.match(line)
    if found is None:
        return _bare_letter(line, texts)
    letter = found.group(1).upper()
    if letter not in _letters(texts):
        return Unparsable(f"it names {letter}, and there are {len(texts.exact)} options")
    after = _WORDS_AFTER.match(line)
    named = _equal_option(after.group(1), texts) if after is not None and after.group(1) else None
    if isinstance(named, str) and named != letter:
        return Unparsable(f"it names {letter} with the text of {named}")
    return letter


def _bare_letter(line: str, texts: _Texts) -> str | None:
    """ "B wet": a letter with its own option's text behind it."""
    words = re.match(r"^([A-Za-z])\s+(.*)$", line, re.DOTALL)
    if words is None:
        return None
    letter = words.group(1).upper()
    return letter if _equal_option(words.group(2), texts) == letter else None


def _equal_option(text: str, texts: _Texts) -> str | Unparsable | None:
    """The letter of the option whose text this is: exactly, or else as labels are compared."""
    matches = texts.places(text)
    if len(matches) > 1:
        return Unparsable("its text is that of several options")
    return ascii_uppercase[matches[0]] if matches and matches[0] < len(ascii_uppercase) else None


def _letters(texts: _Texts) -> str:
    return ascii_uppercase[: len(texts.exact)] if texts.exact else ascii_uppercase
