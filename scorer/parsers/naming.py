"""Which of the given options a text names, as a reader would see it: whatever the case, accents, articles, plural, hyphens or emphasis.

Texts and options become words (``words``), so that a search for options is a walk over words; the longest option wins at each place.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from genlevel.benchmark.texts import normal_text, without_invisible
from scorer.parsers.languages import word_set

# A word is what stands between spaces and punctuation; scripts without spaces, and pictures, are words of one character.
_ALONE = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u2600-\u27bf\U0001f000-\U0001faff\U00020000-\U0003ffff"
)
_APART = (
    r"\s!\"'()*,\-./:;?\[\\\]^_`{|}~\u00a1-\u00a8\u00aa-\u00af\u00b4-\u00bb\u00bf"
    r"\u060c\u061b\u061f\u06d4\u0964\u0965\u2000-\u206f\u3000-\u303f"
)
_WORD = re.compile(
    rf"(?<![^\W_])[-+]?\d+(?:[.,:]\d+)*[%°]?|[{_ALONE}]|[^{_APART}{_ALONE}]+|[.,;:!?()\n।。、！？：；，]|-(?=\s)|[\u2013\u2014]"
)
_APOSTROPHES = re.compile(r"(?<=\w)['’](?=\w)")
_CUT = frozenset(".,;:!?()\n।。、！？：；，-\u2013\u2014")
_ACCENTED = re.compile("(?<=[a-z\u0370-\u03ff\u0400-\u04ff])[\u0300-\u036f]+")
_ARTICLES = frozenset({"a", "an", "the"})
_SINGULAR = (
    (re.compile(r"(?<=[a-z]{2})ies$"), "y"),
    (re.compile(r"(?<=[a-z])(?:(?<=s)|(?<=x)|(?<=z)|(?<=ch)|(?<=sh))es$"), ""),
    (re.compile(r"(?<=[a-z]{2})(?<![sui])s$"), ""),
)
_NO_PLURAL = word_set("news always perhaps besides towards does goes says whereas")
# Words that a sentence needs anyway: as options they count only if they are all that a clause states.
_COMMON = word_set(
    "a an the i it is in on off up down out at to of by as or and not no yes true false none other others us we he she may"
    " can will do does be am are so if same right all any more less one this that these those here there"
)
MOST_CHARACTERS = 20_000
"""Sentences are looked through only in so much of a text: its end."""


def words(text: str) -> list[str]:
    """Words in the form in which they are compared, and the punctuation that ends clauses.

    >>> words("The Café-owners, 2.5 %")
    ['the', 'cafe', 'owner', ',', '2.5', '%']
    """
    plain = unicodedata.normalize("NFKC", without_invisible(text)).casefold()
    return [_singular(word) for word in _WORD.findall(_APOSTROPHES.sub("", without_accents(plain)))]


def without_accents(text: str) -> str:
    """Latin, Greek and Cyrillic letters without their marks; in other scripts marks make other words."""
    return unicodedata.normalize("NFC", _ACCENTED.sub("", unicodedata.normalize("NFD", text)))


def _singular(word: str) -> str:
    if len(word) > 3 and word not in _NO_PLURAL:
        for ending, instead in _SINGULAR:
            word, count = ending.subn(instead, word)
            if count:
                break
    return word


def ends_clause(word: str) -> bool:
    """Whether it is punctuation rather than a word."""
    return word in _CUT


class Mention(NamedTuple):
    """An option named in a text, from which word to which. common: it is a word that sentences need anyway, or a single letter."""

    option: str
    start: int
    end: int
    common: bool


class Names:
    """The options in all forms in which a text may name them."""

    def __init__(self, options: Sequence[str]) -> None:
        self.options = tuple(options)
        self._exact: dict[str, set[str]] = defaultdict(set)
        self._normal: dict[str, set[str]] = defaultdict(set)
        self._folded: dict[tuple[str, ...], set[str]] = defaultdict(set)
        self._first: dict[str, list[tuple[tuple[str, ...], int]]] = defaultdict(list)
        for place, option in enumerate(self.options):
            said = without_article(plain_words(option))
            self._exact[option.strip()].add(option)
            self._normal[normal_text(option)].add(option)
            self._folded[said].add(option)
            if said:
                self._first[said[0]].append((said, place))
        for found in self._first.values():
            found.sort(key=lambda entry: -len(entry[0]))

    def of_text(self, text: str) -> set[str]:
        """The options whose text this is: to the letter, else as labels are compared, else by its words."""
        said = without_article(plain_words(text))
        for table, key in ((self._exact, text.strip()), (self._normal, normal_text(text))):
            if key and key in table:
                return table[key]
        return self._folded.get(said, set()) if said else set()

    def mentions(self, said: Sequence[str]) -> Iterator[Mention]:
        """Where the words name options, the longest at each place."""
        place = 0
        while place < len(said):
            longest = next(
                (found for found in self._first.get(said[place], ()) if tuple(said[place : place + len(found[0])]) == found[0]), None
            )
            if longest is None:
                place += 1
            else:
                first = longest[0][0]
                common = len(longest[0]) == 1 and (first in _COMMON or (len(first) == 1 and first.isascii()))
                yield Mention(self.options[longest[1]], place, place + len(longest[0]), common)
                place += len(longest[0])


def plain_words(text: str) -> tuple[str, ...]:
    """The words of a text without punctuation."""
    return tuple(word for word in words(text) if word not in _CUT)


def without_article(said: tuple[str, ...]) -> tuple[str, ...]:
    """Less a leading article, unless it is all there is."""
    return said[1:] if len(said) > 1 and said[0] in _ARTICLES else said
