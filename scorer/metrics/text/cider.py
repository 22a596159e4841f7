"""CIDEr: how much a caption says what people say of the same thing, by n-grams weighed by how rare they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scorer.metrics.base import AnyMetric, Factories, Floats, JsonRow, Parameters, Question, RatioMetric, Value, scaled, texts
from scorer.metrics.nature import WHOLE
from scorer.metrics.text.overlap import caption_tokens, texts_of_label
from scorer.parsers import Parsed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

ORDERS = 4
SIGMA = 6.0

Row = JsonRow
"""[the answer's tokens, [each reference's tokens]], tokens joined by spaces."""


class Cider(RatioMetric[Row]):
    """Mean over instances of CIDEr, in percent of the usual scale 0..10: 0 to 1000.

    CIDEr = 10 * mean over n = 1..4 and over the references of cos(g_n(answer), g_n(reference)); g_n holds the weight of each n-gram
    w: its count in the text times log(N / max(1, d_w)), N the number of instances scored and d_w those with w in a reference.
    Tokens: lower-cased treebank ones without punctuation. Source: Vedantam, Zitnick and Parikh 2015, section 3, with the factor 10
    that all evaluations have. Variant "official": what the COCO caption evaluation (pycocoevalcap's Cider) computes under this
    name, which is CIDEr-D without stemming: counts of the answer clipped by the reference's, and a factor
    exp(-(l_c - l_r)^2 / (2 * 6^2)) for the lengths. One instance alone has weights of 0, so it scores 0. Standard error: delta
    method, through the weights of the n-grams too.

    >>> metric = Cider()
    >>> rows = [metric.statistic(text, Question("long_text", [text])) for text in ("A dog runs home.", "Two cats sleep all day")]
    >>> rows[0]
    ['a dog runs home', ['a dog runs home']]
    >>> metric.compute(list(zip("ab", rows))).score
    1000.0
    """

    nature = WHOLE

    def __init__(self, official: bool = False) -> None:
        super().__init__("cider")
        self.official = official

    def statistic(self, answer: Parsed, question: Question) -> Row:
        text, references = texts(answer, question)
        return [" ".join(caption_tokens(text)), [" ".join(caption_tokens(reference)) for reference in references]]

    def worst(self, question: Question) -> Row:
        """Nothing said."""
        return ["", [" ".join(caption_tokens(reference)) for reference in texts_of_label(question)]]

    def weighted(self, statistics: Sequence[tuple[str, Row]]) -> Callable[[Floats], float]:
        """The score divided by 100, as a function of how often each instance counts: an array of weights in the order of ``statistics``."""
        import numpy as np

        corpus = _Corpus([row for _id, row in statistics], self.official)
        return lambda weights: corpus.score(np.asarray(weights, dtype=float))

    def compute(self, statistics: Sequence[tuple[str, Row]]) -> Value:
        import numpy as np

        rows = sorted(statistics, key=lambda entry: entry[0])
        corpus = _Corpus([row for _id, row in rows], self.official)
        weights = np.ones(len(rows))
        score, influences = corpus.measured(weights)
        return Value(100.0 * score, scaled(self.delta_error(influences.tolist()), 100.0))


@dataclass(frozen=True, slots=True)
class _Entries:
    """One line for each distinct n-gram of each text: which text, which n-gram, how often."""

    text: Integers
    gram: Integers
    count: Floats


class _Corpus:
    """All texts of a task as numbers: n-grams have ids over all orders, texts are answers and then references, pairs go by reference."""

    def __init__(self, rows: Sequence[Row], official: bool) -> None:
        import numpy as np

        self._instances = len(rows)
        documents = [*(row[0] for row in rows), *(reference for row in rows for reference in row[1])]
        lengths: Integers = np.array([text.count(" ") + 1 if text else 0 for text in documents], dtype=np.int64)
        owners = [index for index, row in enumerate(rows) for _reference in row[1]]
        self._owner: Integers = np.array(owners, dtype=np.int64)
        # 10 for the scale, 1 / 4 for the mean over orders, and the mean over an instance's references.
        self._share: Floats = np.array([10.0 / ORDERS / len(rows[index][1]) for index in owners], dtype=np.float64)
        entries, self._order = _entries(" ".join(documents).split(), lengths)
        self._grams = len(self._order)
        asked = entries.text < self._instances
        given = _Entries(entries.text[asked], entries.gram[asked], entries.count[asked])
        wanted = _Entries(entries.text[~asked] - self._instances, entries.gram[~asked], entries.count[~asked])
        # Entries go by n-gram and then by text, so these keys ascend: a join is a search, and doubles stand side by side.
        sought = wanted.gram * self._instances + self._owner[wanted.text]
        there = _starts(sought)  # once, however many of an instance's references have the n-gram
        self._documents = self._owner[wanted.text[there]], wanted.gram[there]
        self._given, self._wanted = given, wanted
        keys = given.gram * self._instances + given.text
        at = np.searchsorted(keys, sought)
        hit = np.flatnonzero(np.take(keys, at, mode="clip") == sought) if len(keys) else np.zeros(0, dtype=np.int64)
        self._pair, self._gram = wanted.text[hit], wanted.gram[hit]
        ours, theirs = given.count[at[hit]], wanted.count[hit]
        self._product = (np.minimum(ours, theirs) if official else ours) * theirs
        if official:
            # As the evaluation counts lengths: by bigrams.
            bigrams = np.maximum(0, lengths - 1)
            delta = bigrams[self._owner] - bigrams[self._instances :]
            self._share = self._share * np.exp(-(delta**2) / (2.0 * SIGMA**2))

    def score(self, weights: Floats) -> float:
        """The score on its scale 0..10, each instance counted ``weights`` times."""
        weight, _frequencies = self._weight(weights)
        scores, _cosines, _norms = self._scores(weight)
        return float(weights @ scores) / float(weights.sum())

    def measured(self, weights: Floats) -> tuple[float, Floats]:
        """The score, and each instance's first-order share in its deviation: itself and by what it does to the n-grams' weights."""
        import numpy as np

        weight, frequencies = self._weight(weights)
        scores, cosines, norms = self._scores(weight)
        ours, theirs = norms[0][self._owner], norms[1]
        total = float(weights.sum())
        score = float(weights @ scores) / total
        direct = (scores - score) / total
        # Slope of the sum of all cosines by each n-gram's weight: d(A/BC) = dA/BC - A/BC (dB/B + dC/C).
        share = self._share * weights[self._owner]
        given, wanted, orders = self._given, self._wanted, ORDERS
        slope = _sums(
            self._gram,
            2.0 * self._product * weight[self._gram] * (share[self._pair] * _inverse(ours * theirs)[self._pair, self._order[self._gram]]),
            self._grams,
        )
        drop = share[:, None] * cosines
        by_answer = np.zeros((self._instances, orders))
        np.add.at(by_answer, self._owner, drop)
        inverse_ours = _inverse(norms[0] ** 2)
        slope -= _sums(
            given.gram,
            given.count**2 * weight[given.gram] * (by_answer * inverse_ours)[given.text, self._order[given.gram]],
            self._grams,
        )
        slope -= _sums(
            wanted.gram,
            wanted.count**2 * weight[wanted.gram] * (drop * _inverse(theirs**2))[wanted.text, self._order[wanted.gram]],
            self._grams,
        )
        # A weight is log N - log d: one more instance adds 1/N to all, and takes 1/d from those of its own references.
        rare = np.where(frequencies > 1.0, _inverse(frequencies), 0.0)
        instance, gram = self._documents
        through = slope.sum() / total - _sums(instance, (slope * rare)[gram], self._instances)
        return score, direct + (through - float(weights @ through) / total) / total

    def _weight(self, weights: Floats) -> tuple[Floats, Floats]:
        """log(N / max(1, d)) of each n-gram, and d."""
        import numpy as np

        instance, gram = self._documents
        frequencies = _sums(gram, weights[instance], self._grams)
        return math.log(float(weights.sum())) - np.log(np.maximum(1.0, frequencies)), frequencies

    def _scores(self, weight: Floats) -> tuple[Floats, Floats, tuple[Floats, Floats]]:
        """Of each instance its score, of each pair and order the cosine, and the norms of answer and reference."""

        norms = self._norms(self._given, self._instances, weight), self._norms(self._wanted, len(self._owner), weight)
        products = _sums(
            self._pair * ORDERS + self._order[self._gram], self._product * weight[self._gram] ** 2, len(self._owner) * ORDERS
        ).reshape(-1, ORDERS)
        cosines = products * _inverse(norms[0][self._owner] * norms[1])
        scores = _sums(self._owner, self._share * cosines.sum(axis=1), self._instances)
        return scores, cosines, norms

    def _norms(self, entries: _Entries, count: int, weight: Floats) -> Floats:
        import numpy as np

        squares = _sums(entries.text * ORDERS + self._order[entries.gram], (entries.count * weight[entries.gram]) ** 2, count * ORDERS)
        norms: Floats = np.sqrt(squares).reshape(count, ORDERS)
        return norms


def _entries(words: Sequence[str], lengths: Integers) -> tuple[_Entries, Integers]:
    """The n-grams of texts, by n-gram and then by text; and each n-gram's order, from 0. words: of all texts, of these lengths."""
    import numpy as np

    numbers = {token: number for number, token in enumerate(dict.fromkeys(words))}
    tokens: Integers = np.fromiter(map(numbers.__getitem__, words), dtype=np.int64, count=len(words))
    owner = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(tokens))  # tokens from here to the text's end
    used = 0
    places, key = np.arange(len(tokens)), tokens
    texts_, grams, counts, orders = [], [], [], []
    for order in range(ORDERS):
        ranked = _ranked(key, owner[places], len(lengths))
        ordered = key[ranked]
        fresh = np.zeros(len(ordered), dtype=np.int64)
        fresh[_starts(ordered)[1:]] = 1
        number = np.cumsum(fresh)
        of = owner[places[ranked]]
        runs = _starts(number * len(lengths) + of)
        texts_.append(of[runs])
        grams.append(number[runs] + used)
        counts.append(np.diff(runs, append=len(of)))
        distinct = int(number[-1]) + 1 if len(number) else 0
        orders.append(np.full(distinct, order, dtype=np.int64))
        used += distinct
        # The n-grams of the next order: one of these and the token after it.
        current = np.empty(len(key), dtype=np.int64)
        current[ranked] = number
        kept = np.flatnonzero(left[places] > order + 1)
        places = places[kept]
        key = current[kept] * len(numbers) + tokens[places + order + 1]
    counted = np.concatenate(counts).astype(np.float64)
    return _Entries(np.concatenate(texts_), np.concatenate(grams), counted), np.concatenate(orders)


def _ranked(keys: Integers, owners: Integers, count: int) -> Integers:
    """The order by key and then by owner. count: of owners, which ascend."""
    import numpy as np

    if len(keys) and int(keys.max()) < 2**62 // count:
        return np.argsort(keys * count + owners)  # much faster than a stable sort
    return np.argsort(keys, kind="stable")


def _starts(keys: Integers) -> Integers:
    """Where a new key begins among ascending ones."""
    import numpy as np

    return np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))) if len(keys) else np.zeros(0, dtype=np.int64)


def _sums(indices: Integers, values: Floats, count: int) -> Floats:
    """The sum of the values at each of ``count`` places, as floats even if there are none."""
    import numpy as np

    return np.bincount(indices, values, count).astype(np.float64)


def _inverse(values: Floats) -> Floats:
    """1 / x, and 0 for 0."""
    import numpy as np

    return np.divide(1.0, values, out=np.zeros_like(values), where=values != 0.0)


def _cider(parameters: Parameters, variant: str) -> AnyMetric | None:
    if parameters.get("of", "text") != "text" or variant not in ("default", "official"):
        return None
    return Cider(official=variant == "official")


FACTORIES: Factories = {"cider": _cider}
