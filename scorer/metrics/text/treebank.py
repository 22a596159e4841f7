"""Penn Treebank tokens for BLEU, as nltk's word tokenizer makes them, without nltk or its downloads at run time.

Source: the treebank tokenization rules (R. MacIntyre's sed script, University of Pennsylvania) as nltk's
NLTKWordTokenizer extends them to Unicode quotes and dashes; the tests hold the two equal on real texts. Each rule
runs only if its trigger stands in the text, which most texts have few of.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from scorer.metrics.text.words import CHARACTER_SCRIPTS, remembered

_Rule = tuple[frozenset[str], Callable[[str], str]]


def _rule(triggers: str, pattern: str, replacement: str, flags: int = 0) -> _Rule:
    compiled = re.compile(pattern, flags)
    return frozenset(triggers), lambda text: compiled.sub(replacement, text)


# In order. The comma, colon and period rules leave numbers whole (3,36 and 3.88) and split the text's last period.
_RULES: tuple[_Rule, ...] = (
    _rule("«“‘„`", r"[«“‘„]|`+", r" \g<0> "),
    _rule('"', r'^"', "``"),
    _rule('`"', r"``", " `` "),
    _rule("\"'", r"([ (\[{<])(?:\"|'')", r"\1 `` "),
    _rule("'", r"(?<!\w)'(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)", "' ", re.IGNORECASE),
    _rule(".", r"([^.])\.([\])}>\"' »”’]*+)\s*$", r"\1 . \2 "),
    _rule(":,", r"([:,])(\D)", r" \1 \2"),
    _rule(":,", r"[:,]$", r" \g<0> "),
    _rule(".", r"\.{2,}", r" \g<0> "),
    _rule(";@#$%&", r"[;@#$%&]", r" \g<0> "),
    _rule("\u2012\u2013\u2014\u2015", r"[\u2012-\u2015]", r" \g<0> "),
    _rule(".", r"([^.])\.([\])}>\"']*)\s*$", r"\1 .\2 "),
    _rule("?!", r"[?!]", r" \g<0> "),
    _rule("'", r"([^'])' ", r"\1 ' "),
    _rule("*", r"\*", " * "),
    _rule("[](){}<>", r"[\]\[(){}<>]", r" \g<0> "),
    _rule("-", r"--", " -- "),
)
_AFTER_PADDING: tuple[_Rule, ...] = (
    _rule("»”’", r"[»”’]", r" \g<0> "),
    _rule("'", r"''", " '' "),
    _rule('"', r'"', " '' "),
    _rule("'", r"\s+", " "),
    _rule("'", r"([^' ])('[sS]|'[mM]|'[dD]|') ", r"\1 \2 "),
    _rule("'", r"([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ", r"\1 \2 "),
)
_CONTRACTIONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), r" \1 \2 ")
    for pattern in (
        *(r"\b(can)(not)\b", r"\b(d)('ye)\b", r"\b(gim)(me)\b", r"\b(gon)(na)\b", r"\b(got)(ta)\b", r"\b(lem)(me)\b"),
        *(r"\b(more)('n)\b", r"\b(wan)(na)(?=\s)", r" ('t)(is)\b", r" ('t)(was)\b"),
    )
)
_MAY_CONTRACT = re.compile(r"cannot|'|gimme|gonna|gotta|lemme|wanna", re.IGNORECASE)
_CHARACTER = re.compile(f"[{CHARACTER_SCRIPTS}]")
_SPECIAL = re.compile(r"[^A-Za-z0-9 ]")


@remembered
def treebank_tokens(text: str, by_character: bool = True) -> tuple[str, ...]:
    """Tokens of one text; each character of Chinese and Japanese text is one, unless ``by_character`` is False.

    No rule looks further than the next space, except those of the text's first word and its end. So words are looked up, and only
    new ones are split.

    >>> treebank_tokens("He didn't pay $3.88 (really).")
    ('He', 'did', "n't", 'pay', '$', '3.88', '(', 'really', ')', '.')
    """
    if by_character and not text.isascii():
        text = _CHARACTER.sub(r" \g<0> ", text)
    words = text.split(" ")
    # The last period stands apart, whatever closes after it: the end begins at the last word that is more than closing marks.
    end = len(words) - 1
    while end > 0 and (not (rest := words[end].strip(_CLOSING)) or rest.isspace()):
        end -= 1
    if end == 0:
        return _tokens(text)
    tokens = list(_FIRST[words[0]])
    for word in words[1:end]:
        tokens += _INNER[word]
    tokens += _LAST[words[end] if end == len(words) - 1 else " ".join(words[end:])]
    return tuple(tokens)


def _tokens(text: str) -> tuple[str, ...]:
    """Tokens by the rules, one after the other over all of the text."""
    present = set(_SPECIAL.findall(text))
    for triggers, apply in _RULES:
        if not triggers.isdisjoint(present):
            text = apply(text)
    text = f" {text} "
    for triggers, apply in _AFTER_PADDING:
        if not triggers.isdisjoint(present):
            text = apply(text)
    if _MAY_CONTRACT.search(text):
        for pattern, replacement in _CONTRACTIONS:
            text = pattern.sub(replacement, text)
    return tuple(text.split())


class _Words(dict[str, tuple[str, ...]]):
    """Words seen so far with their tokens, up to a bound. first, last: whether the text begins or ends with them."""

    def __init__(self, *, first: bool = False, last: bool = False) -> None:
        super().__init__()
        self._first, self._last = first, last

    def __missing__(self, word: str) -> tuple[str, ...]:
        # A neighbour's letter and its space keep the rules of the text's ends away.
        found = _tokens(("" if self._first else "x ") + word + ("" if self._last else " x"))
        found = found[0 if self._first else 1 : None if self._last else -1]
        if len(word) <= _LONGEST_KEPT:
            if len(self) >= _MOST_KEPT:
                self.clear()
            self[word] = found
        return found


_CLOSING = "])}>\"'»”’ \t\n\r\f\v"
_LONGEST_KEPT = 64
_MOST_KEPT = 65_536
_FIRST, _INNER, _LAST = _Words(first=True), _Words(), _Words(last=True)
