"""Text metrics by the rules of the official code (variant "official") that differ from the defaults, so that its numbers are reached.

Source: the text scorers of the repository path2generalist/General-Level, as seen by running them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from genlevel.benchmark.answer_kinds import Shape
from scorer.metrics.base import (
    AnyMetric,
    Factories,
    Factory,
    MeanMetric,
    NotComparable,
    Parameters,
    Question,
    acceptable,
    best_reference,
    texts,
)
from scorer.metrics.text.classification import Accuracy, MicroF1, is_right
from scorer.metrics.text.overlap import CorpusBleu, Rouge, SentenceBleu, Tokens, sentence_bleu
from scorer.metrics.text.porter import stem
from scorer.metrics.text.treebank import treebank_tokens
from scorer.parsers import Parsed

_ASCII_WORDS = re.compile(r"[a-z0-9]+")
_SEPARATOR = "<p>"


class OfficialAccuracy(Accuracy):
    """Share of right answers by the official rules: text has to equal a reference, trimmed but with its case and punctuation.

    contained: the rule for question answering on videos: a reference that stands somewhere in the answer is enough.
    Choices compare letters, numbers compare as numbers, items as sets, as in ``Accuracy``. Standard error: of a mean.

    >>> question = Question("short_text", ["Land Rover"])
    >>> [OfficialAccuracy().statistic(text, question) for text in (" Land Rover ", "land rover", "A Land Rover.")]
    [1.0, 0.0, 0.0]
    >>> OfficialAccuracy(contained=True).statistic("A Land Rover.", question)
    1.0
    """

    def __init__(self, *, contained: bool = False) -> None:
        super().__init__()
        self._contained = contained

    def statistic(self, answer: Parsed, question: Question) -> float:
        if question.shape is not Shape.TEXT or not isinstance(answer, str):
            return 1.0 if is_right(answer, question) else 0.0
        given, wanted = answer.strip(), [reference.strip() for reference in acceptable(question.label)]
        return 1.0 if given in wanted or (self._contained and any(reference in given for reference in wanted)) else 0.0


class OfficialTokenF1(MeanMetric):
    """Mean over instances of the official token F1, best reference: P = common / answer tokens, R = common / reference tokens.

    common counts distinct tokens, the two lengths count all, so a text with a word twice scores below 100 against itself. Tokens are
    what stands between white space, case kept. Standard error: of a mean.

    >>> OfficialTokenF1().statistic("the cat the dog", Question("short_text", ["the cat the dog"]))
    0.75
    """

    def __init__(self) -> None:
        super().__init__("f1")

    def statistic(self, answer: Parsed, question: Question) -> float:
        text, references = texts(answer, question)
        return best_reference(self._f1(text.split(), reference.split()) for reference in references)

    @staticmethod
    def _f1(given: list[str], wanted: list[str]) -> float:
        shared = len(set(given) & set(wanted))
        return 2.0 * shared / (len(given) + len(wanted)) if shared else 0.0


class OfficialMicroF1(MicroF1):
    """Pooled F1 of label sets by the official rules: sets are split on "<p>" and trimmed; labels are lower-cased, answers are not.

    >>> OfficialMicroF1().statistic("joy <p> Fear", Question("label", ["Joy<p>fear"]))
    [1, 1, 1]
    """

    def statistic(self, answer: Parsed, question: Question) -> list[int]:
        if question.shape is Shape.ITEMS and isinstance(answer, tuple):
            given = _set(_SEPARATOR.join(map(str, answer)))
        else:
            given = _set(texts(answer, question)[0])
        counted = [[len(given & wanted), len(given - wanted), len(wanted - given)] for wanted in _wanted(question)]
        return max(counted, key=lambda row: (2.0 * row[0] / max(1, 2 * row[0] + row[1] + row[2]), -row[1] - row[2]))

    def worst(self, question: Question) -> list[int]:
        """Nothing found: every item of the label is missed."""
        return [0, 0, min(len(wanted) for wanted in _wanted(question))]


class OfficialRouge(Rouge):
    """ROUGE over the words of the rouge-score package, which knows ASCII letters and digits alone: all else parts words.

    >>> OfficialRouge("rouge_1").statistic("das große Haus", Question("long_text", ["ein großes Haus"]))
    0.5
    """

    def wordless(self, text: str, reference: str) -> float:
        """As the package has it: what has no word is alike to nothing."""
        return 0.0

    def words(self, text: str) -> Tokens:
        found = _ASCII_WORDS.findall(text.lower())
        return tuple(stem(word) if len(word) > 3 else word for word in found)


class OfficialSentenceBleu(SentenceBleu):
    """BLEU over nltk's treebank tokens as they are: Chinese and Japanese text is not split into characters, and a short answer is
    smoothed even if it is the reference itself.

    >>> OfficialSentenceBleu("bleu_1", 1).statistic("今天天气", Question("long_text", ["今天下雨"]))
    0.0
    """

    def tokens(self, text: str) -> Tokens:
        return treebank_tokens(text, False)

    def _bleu(self, tokens: Tokens, reference: Tokens) -> float:
        return sentence_bleu(tokens, reference, self._order)


def _set(text: str) -> frozenset[str]:
    return frozenset(item for item in map(str.strip, text.split(_SEPARATOR)) if item)


def _wanted(question: Question) -> list[frozenset[str]]:
    """The label sets any of which is right."""
    if question.shape is Shape.ITEMS and isinstance(question.label, list):
        return [_set(_SEPARATOR.join(map(str, question.label)).lower())]
    references = texts("" if question.shape is not Shape.NUMBER else math.nan, question)[1]
    if not references:
        raise NotComparable(f"the label {str(question.label)[:80]!r} names nothing")
    return [_set(reference.lower()) for reference in references]


def _bleu_1(parameters: Parameters) -> AnyMetric:
    # Over videos the official code scores the corpus as the caption evaluation does, which is the default there.
    return CorpusBleu() if parameters.get("level") == "corpus" else OfficialSentenceBleu("bleu_1", 1)


def _f1(parameters: Parameters) -> AnyMetric | None:
    return OfficialTokenF1() if parameters.get("of", "tokens") == "tokens" else None


_METRICS: dict[str, Callable[[Parameters], AnyMetric | None]] = {
    "accuracy": lambda parameters: OfficialAccuracy(contained=parameters.get("match") == "contained"),
    "f1": _f1,
    "micro_f1": lambda _parameters: OfficialMicroF1(),
    "bleu_1": _bleu_1,
    "bleu_4": lambda _parameters: OfficialSentenceBleu("bleu_4", 4),
    "rouge_1": lambda _parameters: OfficialRouge("rouge_1"),
    "rouge_l": lambda _parameters: OfficialRouge("rouge_l"),
}


def _official(metric_id: str) -> Factory:
    return lambda parameters, variant: _METRICS[metric_id](parameters) if variant == "official" else None


FACTORIES: Factories = {metric_id: _official(metric_id) for metric_id in _METRICS}
