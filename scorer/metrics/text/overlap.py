"""Scores of free text against references: BLEU, ROUGE and ANLS. See docs/general-level.md for the text rules."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence

from rapidfuzz.distance import LCSseq, Levenshtein

from genlevel.benchmark.answer_kinds import AnswerType, Shape
from scorer.metrics.base import (
    AnyMetric,
    Factories,
    Factory,
    MeanMetric,
    Parameters,
    Question,
    RatioMetric,
    Value,
    best_reference,
    scaled,
    texts,
)
from scorer.metrics.nature import POOLED
from scorer.metrics.sums import Sums, bleu_1_of
from scorer.metrics.text.treebank import treebank_tokens
from scorer.metrics.text.words import remembered, stemmed_words
from scorer.parsers import Parsed

Tokens = tuple[str, ...]


class SentenceBleu(MeanMetric):
    """Mean over instances of sentence BLEU-n with uniform weights, best single reference.

    BLEU = BP * exp(1/n * sum_k log p_k), p_k the clipped k-gram precision, BP = min(1, exp(1 - r/c)) for c answer
    and r reference tokens. Tokens: treebank (case kept). Orders without a match count as 0; answers shorter than n
    tokens are smoothed instead (Chen and Cherry 2014, method 4), but an answer that is the reference token by token counts 1, however
    short: no answer could be better. Source: Papineni et al. 2002; otherwise equal to nltk's sentence_bleu. Standard error: of a mean.

    >>> SentenceBleu("bleu_1", 1).statistic("the cat sat", Question("short_text", ["the cat sat down"]))
    0.7165313105737893
    """

    def __init__(self, metric_id: str, order: int) -> None:
        super().__init__(metric_id)
        self._order = order

    def statistic(self, answer: Parsed, question: Question) -> float:
        text, references = texts(answer, question)
        tokens = self.tokens(text)
        return best_reference([self._bleu(tokens, self.tokens(reference)) for reference in references])

    def _bleu(self, tokens: Tokens, reference: Tokens) -> float:
        return 1.0 if tokens and tokens == reference else sentence_bleu(tokens, reference, self._order)

    def tokens(self, text: str) -> Tokens:
        """The tokens that are compared."""
        return treebank_tokens(text)


class CorpusBleu(RatioMetric[list[int]]):
    """Corpus BLEU-1: 100 * min(1, exp(1 - R/C)) * M / C over sums of all instances.

    Statistic of an instance: [M matched tokens (clipped by the best reference's count), C answer tokens, R tokens of the
    reference nearest in length]. Tokens: lower-cased treebank ones without punctuation, as the COCO caption evaluation
    counts (Chen et al. 2015). Standard error: delta method on the three sums.

    >>> metric = CorpusBleu()
    >>> metric.statistic("A dog runs.", Question("long_text", ["the dog runs away", "some dogs"]))
    [2, 3, 2]
    >>> metric.compute([("a", [2, 3, 4]), ("b", [3, 3, 2])]).score
    83.33333333333334
    """

    nature = POOLED

    def __init__(self) -> None:
        super().__init__("bleu_1")

    def statistic(self, answer: Parsed, question: Question) -> list[int]:
        text, references = texts(answer, question)
        tokens = caption_tokens(text)
        if not references:
            return [0, len(tokens), 0]
        wanted = [caption_tokens(reference) for reference in references]
        most: Counter[str] = Counter()
        for reference in wanted:
            most |= Counter(reference)
        # Ties in length go to the shorter reference.
        nearest = min((abs(len(reference) - len(tokens)), len(reference)) for reference in wanted)[1]
        return [(Counter(tokens) & most).total(), len(tokens), nearest]

    def worst(self, question: Question) -> list[int]:
        """Nothing said: no match, no token, the shortest reference's length."""
        return self.statistic("", Question(AnswerType.LONG_TEXT, texts_of_label(question)))

    def sums(self, statistics: Sequence[tuple[str, list[int]]]) -> Sums:
        return bleu_1_of([row for _id, row in statistics])

    def compute(self, statistics: Sequence[tuple[str, list[int]]]) -> Value:
        rows = [row for _id, row in statistics]
        matched, given, wanted = (float(sum(row[part] for row in rows)) for part in range(3))
        if matched == 0.0:
            return Value(0.0, 0.0 if len(rows) > 1 else None)
        short = given < wanted
        score = matched / given * (math.exp(1.0 - wanted / given) if short else 1.0)
        # d log(score) = dM/M - dC/C, and while the answers are too short + R/C^2 dC - dR/C.
        by_given = -1.0 / given + (wanted / given**2 if short else 0.0)
        by_wanted = -1.0 / given if short else 0.0
        influences = [score * (row[0] / matched + by_given * row[1] + by_wanted * row[2]) for row in rows]
        return Value(100.0 * score, scaled(self.delta_error(influences), 100.0))


class Rouge(MeanMetric):
    """Mean over instances of ROUGE-1 or ROUGE-L as F-measure with stemming, best reference.

    F = 2PR / (P + R). ROUGE-1: P and R count common words as a multiset; ROUGE-L: the longest common subsequence.
    Words by Unicode rules (Chinese and Japanese by character), English ones stemmed. If neither has a word ("!!!"), F is 1 for equal
    texts, else 0. Source: Lin 2004; otherwise on ASCII text equal to the rouge-score package. Standard error: of a mean.

    >>> round(Rouge("rouge_l").statistic("the cats sat", Question("long_text", ["a cat was sitting, it sat"])), 4)
    0.4444
    """

    def statistic(self, answer: Parsed, question: Question) -> float:
        text, references = texts(answer, question)
        given = self.words(text)
        return best_reference([self._f(given, self.words(reference)) or self.wordless(text, reference) for reference in references])

    def wordless(self, text: str, reference: str) -> float:
        """1 if both are the same signs and no words."""
        given = _plain(text)
        return float(bool(given) and given == _plain(reference) and not self.words(text))

    def words(self, text: str) -> Tokens:
        """The words that are compared, as their stems."""
        return stemmed_words(text)

    def _f(self, given: Tokens, wanted: Tokens) -> float:
        if not given or not wanted:
            return 0.0
        shared = LCSseq.similarity(given, wanted) if self.id == "rouge_l" else common(given, wanted)
        return 2.0 * shared / (len(given) + len(wanted))


class Anls(MeanMetric):
    """Average normalised Levenshtein similarity: mean of 1 - d / max length if that is at least 0.5, else 0.

    d is the edit distance by characters, case and runs of spaces set aside, best reference; the threshold is applied to
    the distance (d / max length < 0.5 counts). Source: Biten et al. 2019, section 5. Standard error: of a mean.

    >>> Anls().statistic("Gogle", Question("short_text", ["google"]))
    0.8333333333333334
    """

    def __init__(self) -> None:
        super().__init__("anls")

    def statistic(self, answer: Parsed, question: Question) -> float:
        text, references = texts(answer, question)
        return best_reference(self._similarity(_plain(text), _plain(reference)) for reference in references)

    @staticmethod
    def _similarity(given: str, wanted: str) -> float:
        distance = Levenshtein.normalized_distance(given, wanted)
        return 1.0 - distance if distance < 0.5 else 0.0


def sentence_bleu(tokens: Tokens, reference: Tokens, order: int) -> float:
    """BLEU-``order`` of one answer against one reference, 0..1."""
    if not tokens:
        return 0.0
    matches = [common(tokens, reference)] if order == 1 else common_grams(tokens, reference, order)
    if not matches[0] or (not matches[-1] and len(tokens) >= order):
        return 0.0
    penalty = 1.0 if len(tokens) > len(reference) else math.exp(1.0 - len(reference) / len(tokens))
    precisions: list[float] = []
    smoothed = 0
    for size, hits in enumerate(matches):
        total = len(tokens) - size
        if hits:
            precisions.append(hits / total)
        elif len(tokens) > 1:
            # Chen and Cherry's method 4 with K = 5: the k-th smoothed order counts ln(length) / (2^k K) matches.
            smoothed += 1
            precisions.append(math.log(len(tokens)) / (2.0**smoothed * 5.0) / max(1, total))
    return penalty * math.exp(math.fsum(math.log(precision) for precision in precisions) / order)


@remembered
def caption_tokens(text: str) -> Tokens:
    """Lower-cased treebank tokens that hold a letter or digit."""
    return tuple(filter(_SPOKEN.__getitem__, treebank_tokens(text.lower())))


def texts_of_label(question: Question) -> list[str]:
    """The references of a question as text."""
    nothing: dict[Shape, Parsed] = {Shape.ITEMS: (), Shape.NUMBER: 0.0}
    return texts(nothing.get(question.shape, ""), question)[1]


def common(given: Sequence[Hashable], wanted: Sequence[Hashable]) -> int:
    """How many of ``given`` are in ``wanted``, each at most as often as it stands there: the size of the common multiset."""
    free: dict[Hashable, int] = {}
    for entry in wanted:
        if entry in free:
            free[entry] += 1
        else:
            free[entry] = 1
    count = 0
    for entry in given:
        if entry in free:
            left = free[entry]
            if left:
                free[entry] = left - 1
                count += 1
    return count


def common_grams(given: Tokens, wanted: Tokens, order: int) -> list[int]:
    """``common`` of the n-grams of two texts, for n from 1 to ``order``.

    The places of a token in ``wanted`` are the bits of a number. An n-gram of ``given`` stands where its first n - 1 tokens do and the
    last one n - 1 places further: equal n-grams have equal numbers, with as many bits as there are places.
    """
    if len(wanted) > _MOST_PLACES:
        return [common(_grams(given, size), _grams(wanted, size)) for size in range(1, order + 1)]
    places: dict[str, int] = {}
    bit = 1
    for token in wanted:
        places[token] = places.get(token, 0) | bit
        bit += bit
    first = [places.get(token, 0) for token in given]
    found = [common(given, wanted)]
    masks = first
    for shift in range(1, order):
        masks = [mask & (last >> shift) for mask, last in zip(masks, first[shift:], strict=False)]
        there = [mask for mask in masks if mask]
        if len(set(there)) == len(there):
            found.append(len(there))
        else:
            found.append(sum([min(count, mask.bit_count()) for mask, count in Counter(there).items()]))
        if not there:
            return [*found, *([0] * (order - len(found)))]
    return found


_MOST_PLACES = 1000
"""Longer references are counted n-gram by n-gram: their numbers would be as long as they are."""


def _grams(tokens: Tokens, size: int) -> list[Tokens]:
    return list(zip(*(tokens[start:] for start in range(size)), strict=False))


class _Spoken(dict[str, bool]):
    """Whether a token holds a letter or digit, of those seen so far, up to a bound."""

    def __missing__(self, token: str) -> bool:
        found = any(map(str.isalnum, token))
        if len(self) >= _MOST_KEPT:
            self.clear()
        if len(token) <= _LONGEST_KEPT:
            self[token] = found
        return found


_LONGEST_KEPT = 64
_MOST_KEPT = 65_536
_SPOKEN = _Spoken()


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _default(make: Callable[[Parameters], AnyMetric]) -> Factory:
    return lambda parameters, variant: make(parameters) if variant == "default" else None


FACTORIES: Factories = {
    "bleu_1": _default(lambda parameters: CorpusBleu() if parameters.get("level") == "corpus" else SentenceBleu("bleu_1", 1)),
    "bleu_4": _default(lambda _parameters: SentenceBleu("bleu_4", 4)),
    "rouge_1": _default(lambda _parameters: Rouge("rouge_1")),
    "rouge_l": _default(lambda _parameters: Rouge("rouge_l")),
    "anls": _default(lambda _parameters: Anls()),
}
