"""Word error rate of transcripts. If the answer is speech, a recogniser has to write it down first."""

from __future__ import annotations

import re
import unicodedata

from rapidfuzz.distance import Levenshtein

from scorer.metrics.base import AnyMetric, Factories, MeanMetric, Parameters, Question, acceptable, texts
from scorer.metrics.nature import ERRORS
from scorer.metrics.text.words import CHARACTER_SCRIPTS, remembered
from scorer.parsers import Parsed

_CHARACTER = re.compile(f"[{CHARACTER_SCRIPTS}]")
_ASCII_FOLDED = bytes(range(128)).lower() + bytes(range(128, 256))
_ASCII_PUNCTUATION = b"!\"#%&'()*,-./:;?@[\\]_{}"


class WordErrorRate(MeanMetric):
    """Mean over utterances of the word error rate, in percent: 100 * mean((S + D + I) / N). Lower is better; it may exceed 100.

    S, D, I: words substituted, left out and added in the shortest way from the reference to the transcript; N: words of the reference.
    A reference without a word makes no rate: there silence is right (0), and whatever is heard an error of 100 %. Words as of
    ``transcript_words``; the reference nearest to the transcript counts. Source: the Levenshtein distance of words as speech recognition
    has it (Morris, Maier and Green 2004); otherwise equal to the jiwer package. No answer is the empty transcript, an error of 100 %.
    Standard error: of a mean.

    >>> WordErrorRate().statistic("The cat sat", Question("long_text", ["the cat sat down."]))
    0.25
    """

    nature = ERRORS

    def __init__(self) -> None:
        super().__init__("wer")

    def statistic(self, answer: Parsed, question: Question) -> float:
        text, references = texts(answer, question)
        return min((word_error_rate(text, reference) for reference in references), default=1.0)

    def worst(self, question: Question) -> float:
        """Nothing said: every word of the shortest reference is left out."""
        return min((word_error_rate("", reference) for reference in acceptable(question.label)), default=1.0)

    def best(self, question: Question) -> float:
        """The reference itself."""
        return 0.0


def word_error_rate(hypothesis: str, reference: str) -> float:
    """(S + D + I) / N of one transcript, as a fraction; see ``WordErrorRate``.

    >>> word_error_rate("a fox jumped", "The fox jumps!")
    0.6666666666666666
    """
    given, wanted = transcript_words(hypothesis), transcript_words(reference)
    return Levenshtein.distance(given, wanted) / len(wanted) if wanted else float(bool(given))


@remembered
def transcript_words(text: str) -> tuple[str, ...]:
    """Words between white space, case folded, without punctuation; numbers as written; Chinese and Japanese by character.

    >>> transcript_words("Don't — he said — 2 times!")
    ('dont', 'he', 'said', '2', 'times')
    """
    if text.isascii():
        return tuple(text.encode("ascii").translate(_ASCII_FOLDED, _ASCII_PUNCTUATION).decode("ascii").split())
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(character for character in folded if unicodedata.category(character)[0] != "P")
    return tuple(_CHARACTER.sub(r" \g<0> ", kept).split())


def _wer(parameters: Parameters, variant: str) -> AnyMetric | None:
    # The tasks' answers are speech: without a sense, the rate is of what a recogniser heard, which another family computes.
    return WordErrorRate() if parameters.get("of") == "text" and variant == "default" else None


FACTORIES: Factories = {"wer": _wer}
