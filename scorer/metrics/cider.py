"""CIDEr: how much a caption says what people say of the same thing, by n-grams weighed by how rare they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scorer.metrics.base import Factories, Metric, Parameters, Question, RatioMetric, Value, texts
from scorer.metrics.text import caption_tokens, texts_of_label
from scorer.parsers import Parsed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

ORDERS = 4
SIGMA = 6.0

Row = list[Any]
"""[the answer's tokens, [each reference's tokens]], tokens joined by spaces."""


class Cider(RatioMetric[Row]):
    """Mean over instances of CIDEr, in percent of the usual scale 0..10: 0 to 1000.

    CIDEr = 10 * mean over n = 1..4 and over the references of cos(g_n(answer), g_n(reference)); g_n holds the weight of each n-gram
    w: its count in the text times log(N / max(1, d_w)), N the number of instances scored and d_w those with w in a reference.
    Tokens: lower-cased treebank ones without punctuation. Source: Vedantam, Zitnick and Parikh 2015, section 3, with the factor 10
    that all evaluations have. Variant "official": what the COCO caption evaluation (pycocoevalcap's Cider) computes under this
    name, which is CIDEr-D without stemming: counts of the answer clipped by the reference's, and a factor
    exp(-(l_c - l_r)^2 / (2 * 6^2)) for the lengths. One instance alone has weights of 0, hence scores 0. Standard error: delta
    method, through the weights of the n-grams too.

    >>> metric = Cider()
    >>> rows = [metric.statistic(text, Question("long_text", [text])) for text in ("A dog runs home.", "Two cats sleep all day")]
    >>> rows[0]
    ['a dog runs home', ['a dog runs home']]
    >>> metric.compute(list(zip("ab", rows))).score
    1000.0
    """

    def __init__(self, official: bool = False) -> None:
        super().__init__("cider")
        self.official = official

    def statistic(self, answer: Parsed, question: Question) -> Row:
        text, references = texts(answer, question)
        return [" ".join(caption_tokens(text)), [" ".join(caption_tokens(reference)) for reference in references]]

    def worst(self, question: Question) -> Row:
        """Nothing said."""
        return ["", [" ".join(caption_tokens(reference)) for reference in texts_of_label(question)]]

    def weighted(self, statistics: Sequence[tuple[str, Row]]) -> Callable[[Any], float]:
        """The score divided by 100, as a function of how often each instance counts: an array of weights in the order of ``statistics``."""
        import numpy as np

        corpus = _Corpus([row for _id, row in statistics], self.official)
        return lambda weights: corpus.score(np.asarray(weights, dtype=float))

    def compute(self, statistics: Sequence[tuple[str, Row]]) -> Value:
        import numpy as np

        rows = sorted(statistics, key=lambda entry: entry[0])
        corpus = _Corpus([row for _id, row in rows], self.official)
        weights = np.ones(len(rows))
        error = self.delta_error(corpus.influences(weights).tolist())
        return Value(100.0 * corpus.score(weights), None if error is None else 100.0 * error)


@dataclass(frozen=True, slots=True)
class _Entries:
    """One line for each text and distinct n-gram in it: which text, which n-gram, how often."""

    text: Integers
    gram: Integers
    count: Floats


class _Corpus:
    """All texts of a task as numbers: n-grams have ids over all orders, texts are answers and then references, pairs go by reference."""

    def __init__(self, rows: Sequence[Row], official: bool) -> None:
        import numpy as np

        self._instances = len(rows)
        answers = [row[0].split() for row in rows]
        references = [reference.split() for row in rows for reference in row[1]]
        owners = [index for index, row in enumerate(rows) for _reference in row[1]]
        self._owner: Integers = np.array(owners, dtype=np.int64)
        # 10 for the scale, 1 / 4 for the mean over orders, and the mean over an instance's references.
        self._share: Floats = np.array([10.0 / ORDERS / len(rows[index][1]) for index in owners], dtype=np.float64)
        entries, self._order = _entries([*answers, *references])
        self._grams = len(self._order)
        asked = entries.text < self._instances
        given = _Entries(entries.text[asked], entries.gram[asked], entries.count[asked])
        wanted = _Entries(entries.text[~asked] - self._instances, entries.gram[~asked], entries.count[~asked])
        # Where an instance's references have an n-gram: once, however many of them do.
        there = np.unique(self._owner[wanted.text] * self._grams + wanted.gram)
        self._documents = there // max(1, self._grams), there % max(1, self._grams)
        self._given, self._wanted = given, wanted
        keys = given.text * self._grams + given.gram  # ascending
        sought = self._owner[wanted.text] * self._grams + wanted.gram
        at = np.searchsorted(keys, sought)
        hit = np.flatnonzero(np.take(keys, at, mode="clip") == sought) if len(keys) else np.zeros(0, dtype=np.int64)
        self._pair, self._gram = wanted.text[hit], wanted.gram[hit]
        ours, theirs = given.count[at[hit]], wanted.count[hit]
        self._product = (np.minimum(ours, theirs) if official else ours) * theirs
        self._ours, self._theirs = ours**2, theirs**2
        if official:
            # As the evaluation counts lengths: by bigrams.
            lengths = np.array([max(0, len(tokens) - 1) for tokens in [*answers, *references]], dtype=np.float64)
            delta = lengths[self._owner] - lengths[self._instances :]
            self._share = self._share * np.exp(-(delta**2) / (2.0 * SIGMA**2))

    def score(self, weights: Floats) -> float:
        """The score on its scale 0..10, each instance counted ``weights`` times."""
        weight, _frequencies = self._weight(weights)
        scores, _cosines, _norms = self._scores(weight)
        return float(weights @ scores) / float(weights.sum())

    def influences(self, weights: Floats) -> Floats:
        """Each instance's first-order share in the score's deviation, itself and by what it does to the n-grams' weights."""
        import numpy as np

        weight, frequencies = self._weight(weights)
        scores, cosines, (ours, theirs) = self._scores(weight)
        total = float(weights.sum())
        direct = (scores - float(weights @ scores) / total) / total
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
        inverse_ours = _inverse(self._norms(given, self._instances, weight) ** 2)
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
        found: Floats = direct + (through - float(weights @ through) / total) / total
        return found

    def _weight(self, weights: Floats) -> tuple[Floats, Floats]:
        """log(N / max(1, d)) of each n-gram, and d."""
        import numpy as np

        instance, gram = self._documents
        frequencies = _sums(gram, weights[instance], self._grams)
        return math.log(float(weights.sum())) - np.log(np.maximum(1.0, frequencies)), frequencies

    def _scores(self, weight: Floats) -> tuple[Floats, Floats, tuple[Floats, Floats]]:
        """Of each instance its score, of each pair and order the cosine, and the norms of answer and reference."""

        ours, theirs = self._norms(self._given, self._instances, weight)[self._owner], self._norms(self._wanted, len(self._owner), weight)
        products = _sums(
            self._pair * ORDERS + self._order[self._gram], self._product * weight[self._gram] ** 2, len(self._owner) * ORDERS
        ).reshape(-1, ORDERS)
        cosines = products * _inverse(ours * theirs)
        scores = _sums(self._owner, self._share * cosines.sum(axis=1), self._instances)
        return scores, cosines, (ours, theirs)

    def _norms(self, entries: _Entries, count: int, weight: Floats) -> Floats:
        import numpy as np

        squares = _sums(entries.text * ORDERS + self._order[entries.gram], (entries.count * weight[entries.gram]) ** 2, count * ORDERS)
        norms: Floats = np.sqrt(squares).reshape(count, ORDERS)
        return norms


def _entries(documents: Sequence[Sequence[str]]) -> tuple[_Entries, Integers]:
    """The n-grams of tokenised texts, sorted by text and n-gram; and each n-gram's order, from 0."""
    import numpy as np

    numbers: dict[str, int] = {}
    tokens: Integers = np.array([numbers.setdefault(token, len(numbers)) for document in documents for token in document], dtype=np.int64)
    lengths = np.array([len(document) for document in documents], dtype=np.int64)
    owner = np.repeat(np.arange(len(documents), dtype=np.int64), lengths)
    left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(tokens))  # tokens from here to the text's end
    vocabulary, used = len(numbers), 0
    current, places = tokens, np.arange(len(tokens))
    texts_, grams, counts, orders = [], [], [], []
    for order in range(ORDERS):
        if order:
            kept = left[places] > order
            places = places[kept]
            current = current[kept] * vocabulary + tokens[places + order]
        _unique, current = np.unique(current, return_inverse=True)
        distinct = int(current.max()) + 1 if len(current) else 0
        keys, count = np.unique(owner[places] * max(1, distinct) + current, return_counts=True)
        texts_.append(keys // max(1, distinct))
        grams.append(keys % max(1, distinct) + used)
        counts.append(count)
        orders.append(np.full(distinct, order, dtype=np.int64))
        used += distinct
    text, gram, count = np.concatenate(texts_), np.concatenate(grams), np.concatenate(counts).astype(np.float64)
    ranked = np.argsort(text, kind="stable")
    return _Entries(text[ranked], gram[ranked], count[ranked]), np.concatenate(orders)


def _sums(indices: Integers, values: Floats, count: int) -> Floats:
    """At each of ``count`` places the sum of its values; of floats also where there are none."""
    import numpy as np

    return np.bincount(indices, values, count).astype(np.float64)


def _inverse(values: Floats) -> Floats:
    """1 / x, and 0 for 0."""
    import numpy as np

    return np.divide(1.0, values, out=np.zeros_like(values), where=values != 0.0)


def _cider(parameters: Parameters, variant: str) -> Metric[Any] | None:
    if parameters.get("of", "text") != "text" or variant not in ("default", "official"):
        return None
    return Cider(official=variant == "official")


FACTORIES: Factories = {"cider": _cider}
