"""Which of the given options a text names, as a reader would see it: whatever the case, accents, articles, plural, hyphens or emphasis.

Texts and options become words (``Words``), so that a search for options is a walk over words; the longest option wins at each place.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from string import ascii_uppercase
from typing import NamedTuple

from genlevel.benchmark.texts import normal_text, without_invisible
from scorer.parsers.languages import SO_UNSPACED, without_accents, word_set

# A word is what stands between spaces and punctuation; scripts without spaces, and pictures, are words of one character.
_ALONE = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u2600-\u27bf\U0001f000-\U0001faff\U00020000-\U0003ffff"
)
_APART = (
    r"\s!\"'()*,\-./:;?\[\\\]^_`{|}~\u00a1-\u00a8\u00aa-\u00af\u00b4-\u00bb\u00bf"
    r"\u060c\u061b\u061f\u06d4\u0964\u0965\u2000-\u206f\u3000-\u303f"
)
_WORD = re.compile(rf"(?<![^\W_])[-+]?\d+(?:[.,:]\d+)*[%°]?|[{_ALONE}]|[^{_APART}{_ALONE}]+|[.,;:!?()\n।؟،。、]|-(?=\s)|[\u2013\u2014]")
_APOSTROPHES = re.compile(r"(?<=\w)['’](?=\w)")
_JOINED = re.compile(r"\w[-_\u2010\u2011](?=\w)")
_CUT = frozenset(".,;:!?()\n।؟،。、-\u2013\u2014")
_ENDS = frozenset(".!?\n;।؟。")
_ARTICLES = frozenset({"a", "an", "the"})
_SINGULAR = (
    (re.compile(r"(?<=[a-z]{2})ies$"), "y"),
    (re.compile(r"(?<=[a-z])(?:(?<=s)|(?<=x)|(?<=z)|(?<=ch)|(?<=sh))es$"), ""),
    (re.compile(r"(?<=[a-z]{2})(?<![sui])s$"), ""),
)
_NO_PLURAL = word_set("news always perhaps besides towards does goes says whereas")
# Words that a sentence needs anyway: as options they count only if they are all that a clause states.
_COMMON = word_set(
    "a an the i it is in on off up down out at to of by as or and not no yes true false none other others us we he she may can will do does"
    " be am are so if same right all any more less one this that these those here there"
)
# Behind these a capital is an option's letter: "image B".
_LETTERED = word_set(
    "option choice answer alternative letter image picture photo figure point box item statement candidate selection region panel diagram"
    " graph opcion opción choix antwort вариант pilihan"
)
_PERSON = re.compile(r"[^\W\d_a-z][\w.'’-]*(?:\s(?:[\w'’]{1,3}|[^\W\d_a-z][\w.'’-]*))*\s[^\W\d_a-z][\w.'’-]*")
_FEWEST_NAMES = 3
_SHORTEST_NAME = 4
_SHORTEST_JOINED = 5
"""From so many characters on "covid19" is "COVID-19", and "wild cat" is "wildcat"."""
_OF_WHAT = word_set("of suggestive suggesting suggest consistent indicative indicating indicate for that to")
MOST_CHARACTERS = 20_000
"""Sentences are looked through only in so much of a text: its end."""


class Words(NamedTuple):
    """A text's words in the form in which they are compared, with the punctuation that ends clauses; and the same as they are written.

    joined: the places of words that hang on the one before them by a hyphen or the like.

    >>> Words.of("The Café-owners, 2.5 %").said
    ['the', 'cafe', 'owner', ',', '2.5', '%']
    """

    said: list[str]
    written: list[str]
    joined: frozenset[int]

    @classmethod
    def of(cls, text: str) -> Words:
        plain = without_accents(unicodedata.normalize("NFKC", without_invisible(text)))
        if not plain.isascii():
            plain = SO_UNSPACED.sub(" so ", plain)
        plain = _APOSTROPHES.sub("", plain)
        written = _WORD.findall(plain)
        joined = frozenset[int]()
        if _JOINED.search(plain) is not None:
            joined = frozenset(place for place, word in enumerate(_WORD.finditer(plain)) if _JOINED.match(plain, max(0, word.start() - 2)))
        return cls([_singular(word.casefold()) for word in written], written, joined)


def _singular(word: str) -> str:
    if len(word) > 3 and word[-1] == "s" and word not in _NO_PLURAL:
        for ending, instead in _SINGULAR:
            word, count = ending.subn(instead, word)
            if count:
                break
    return word


def ends_clause(word: str) -> bool:
    """Whether it is punctuation rather than a word."""
    return word in _CUT


def ends_sentence(word: str) -> bool:
    """Whether it is punctuation that ends a sentence or a line."""
    return word in _ENDS


class Mention(NamedTuple):
    """An option named in a text, from which word to which.

    common: as a word that sentences need anyway; bare: as a number, or a capital that nothing shows to be an option's letter; partial: as
    a part of a longer word with hyphens, or of a list that shares its last word ("the second and third images").
    """

    option: str
    start: int
    end: int
    common: bool = False
    bare: bool = False
    partial: bool = False


class Names:
    """Options in all forms in which a text may name them.

    lettered: whether they are asked for by letters, which then are what they are called; otherwise they are called by their texts.
    """

    def __init__(self, options: Sequence[str], *, lettered: bool = False) -> None:
        called = tuple(ascii_uppercase) if lettered else tuple(options)
        self.letters = frozenset(ascii_uppercase[: len(options)] if options else ascii_uppercase) if lettered else frozenset()
        self._exact: dict[str, set[str]] = defaultdict(set)
        self._normal: dict[str, set[str]] = defaultdict(set)
        self._folded: dict[tuple[str, ...], set[str]] = defaultdict(set)
        self._joined: dict[str, set[str]] = defaultdict(set)
        self._first: dict[str, list[tuple[tuple[str, ...], str, str]]] = defaultdict(list)
        for option, name in zip(options, called, strict=False):
            said = without_article(plain_words(option))
            self._exact[option.strip()].add(name)
            self._normal[normal_text(option)].add(name)
            self._folded[said].add(name)
            if said and not (lettered and len(said) == 1 and said[0].upper() in self.letters):
                last = Words.of(option).written[-1:]
                self._first[said[0]].append((said, name, last[0].casefold() if last else ""))
        for said, called_so in self._folded.items():
            if len(joined := "".join(said)) >= _SHORTEST_JOINED:
                self._joined[joined] |= called_so
        self._shorter = {} if lettered else {**_surnames(options), **_numbers(options)}
        for found in self._first.values():
            found.sort(key=lambda entry: -len(entry[0]))

    def of_text(self, text: str) -> set[str]:
        """The options whose text this is: to the letter, else as labels are compared, else by its words."""
        said = without_article(plain_words(text))
        for table, key in ((self._exact, text.strip()), (self._normal, normal_text(text))):
            if key and key in table:
                return table[key]
        return (self._folded.get(said) or self._joined.get("".join(said)) or self._shorter.get(said, set())) if said else set()

    def mentions(self, words: Words) -> Iterator[Mention]:
        """Where the words name options, the longest at each place."""
        said, place = words.said, 0
        while place < len(said):
            forms = self._first.get(said[place], ())
            longest = next((form for form in forms if tuple(said[place : place + len(form[0])]) == form[0]), None)
            if longest is not None:
                form, name, last = longest
                end = place + len(form)
                partial = not words.joined.isdisjoint((place, end)) or (
                    _is_listed(said, place) and words.written[end - 1].casefold() != last
                )
                partial = partial or _goes_on(said, form, place, end)
                number = not any(word[0].isalpha() for word in form)
                yield Mention(name, place, end, len(form) == 1 and _is_common(form[0]), number, partial)
                place += len(form)
                continue
            if words.written[place] in self.letters:
                yield Mention(words.written[place], place, place + 1, bare=not _is_lettered(said, place))
            place += 1


def _numbers(options: Sequence[str]) -> dict[tuple[str, ...], set[str]]:
    """Numbers that stand for options of which each has one of its own: "4" of "4 stars"."""
    numbers = [[word for word in plain_words(option) if word.isdigit()] for option in options]
    alone = all(len(found) == 1 for found in numbers) and len({found[0] for found in numbers}) == len(options)
    return {(found[0],): {option} for found, option in zip(numbers, options, strict=True)} if alone else {}


def _surnames(options: Sequence[str]) -> dict[tuple[str, ...], set[str]]:
    """The ends of options of several words that are one option's alone, if most options are names such as "Vincent van Gogh"."""
    ends: dict[tuple[str, ...], set[str]] = defaultdict(set)
    names = [option for option in options if _PERSON.fullmatch(option.replace("_", " ")) is not None]
    if len(options) < _FEWEST_NAMES or len(names) * 2 <= len(options):
        return {}
    for option in options:
        said = plain_words(option)
        for place in range(1 if option in names else 0, len(said)):
            ends[said[place:]].add(option)
    return {said: found for said, found in ends.items() if len(found) == 1 and len("".join(said)) >= _SHORTEST_NAME}


def _goes_on(said: Sequence[str], form: tuple[str, ...], start: int, end: int) -> bool:
    """Whether what is named is more than the option: "no finding of", "images 1 and 3", "4 out of 5 stars"."""
    after = said[end : end + 2]
    if form[0] == "no" and after and after[0] in _OF_WHAT:
        return True
    if len(form) > 1 and len(after) == 2 and after[0] in {"and", "or", "&"} and _is_mark(form[-1]) and _is_mark(after[1]):
        return True
    return form[0][:1].isdigit() and list(said[max(0, start - 2) : start]) == ["out", "of"]


def _is_mark(word: str) -> bool:
    return word.isdigit() or (len(word) == 1 and word.isalpha())


def _is_listed(said: Sequence[str], place: int) -> bool:
    """Whether something else is named before, with "and" or "or" in between."""
    before = said[place - 1] if place else ""
    return (said[place - 2] if before in _ARTICLES and place > 1 else before) in {"and", "or"}


def _is_common(word: str) -> bool:
    return word in _COMMON or (len(word) == 1 and word.isascii())


def _is_lettered(said: Sequence[str], place: int) -> bool:
    """Whether a capital stands in brackets or behind "option" and the like."""
    before, after = said[place - 1] if place else "", said[place + 1] if place + 1 < len(said) else ""
    return (before == "(" and after == ")") or before in _LETTERED or (before == "(" and place > 1 and said[place - 2] in _LETTERED)


def plain_words(text: str) -> tuple[str, ...]:
    """The words of a text without punctuation."""
    return tuple(word for word in Words.of(text).said if word not in _CUT)


def without_article(said: tuple[str, ...]) -> tuple[str, ...]:
    """Less a leading article, unless it is all there is."""
    return said[1:] if len(said) > 1 and said[0] in _ARTICLES else said
