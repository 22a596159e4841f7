"""How text becomes words for token F1 and ROUGE: by Unicode's letters and digits, Chinese and Japanese by character."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar, cast

from scorer.metrics.text.porter import stem

# ASCII text is folded in one go: letters to lower case, all but letters and digits to spaces.
_ASCII_FOLDED = "".join(chr(code).lower() if chr(code).isalnum() else " " for code in range(128))
# Han, Hiragana and Katakana, which are written without spaces.
CHARACTER_SCRIPTS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff"
_CHARACTER = re.compile(f"[{CHARACTER_SCRIPTS}]")


_LONGEST_TEXT = 4_000
_MOST_TEXTS = 16_384
_Tokenizer = TypeVar("_Tokenizer", bound=Callable[..., tuple[str, ...]])
_forget: list[Callable[[], None]] = []


def remembered(tokenize: _Tokenizer) -> _Tokenizer:
    """The same function, which remembers its results for recent texts: references and short answers come again and again. Long texts
    are not kept, so that answers do not fill the memory."""
    kept = lru_cache(maxsize=_MOST_TEXTS)(tokenize)
    _forget.append(kept.cache_clear)

    @wraps(tokenize)
    def looked_up(text: str, *rest: bool) -> tuple[str, ...]:
        return kept(text, *rest) if len(text) <= _LONGEST_TEXT else tokenize(text, *rest)

    return cast(_Tokenizer, looked_up)


def forget_texts() -> None:
    """Empties what ``remembered`` keeps."""
    for forget in _forget:
        forget()


@remembered
def words(text: str) -> tuple[str, ...]:
    """Maximal runs of letters, digits and marks, lower-cased; each character of Chinese and Japanese text is one.

    For ASCII text these are the tokens of the rouge-score package before stemming.

    >>> words("The cat's 2nd life.")
    ('the', 'cat', 's', '2nd', 'life')
    >>> words("Привет, мир 你好")
    ('привет', 'мир', '你', '好')
    """
    if text.isascii():
        return tuple(text.translate(_ASCII_FOLDED).split())
    text = unicodedata.normalize("NFKC", text).casefold()
    if text.isascii():
        return tuple(text.translate(_ASCII_FOLDED).split())
    spaced = _CHARACTER.sub(r" \g<0> ", text)
    # Marks belong to the letter before them: without them, Hindi or Thai words would fall apart.
    kept = [character if character.isalnum() or unicodedata.category(character)[0] == "M" else " " for character in spaced]
    return tuple("".join(kept).split())


@remembered
def stemmed_words(text: str) -> tuple[str, ...]:
    """``words`` with English ones of more than three letters reduced to their Porter stem, as rouge-score does.

    >>> stemmed_words("Cats were running happily")
    ('cat', 'were', 'run', 'happili')
    """
    found = text.translate(_ASCII_FOLDED).split() if text.isascii() else words(text)
    return tuple(map(_STEMS.__getitem__, found))


class _Stems(dict[str, str]):
    """Words seen so far with what they count as, up to a bound."""

    def __missing__(self, word: str) -> str:
        found = stem(word) if len(word) > 3 and word.isascii() else word
        if len(self) >= _MOST_KEPT:
            self.clear()
        if len(word) <= _LONGEST_KEPT:
            self[word] = found
        return found


_LONGEST_KEPT = 64
_MOST_KEPT = 65_536
_STEMS = _Stems()
