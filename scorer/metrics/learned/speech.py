"""Metrics of speech: word error rate and CIDEr of what a recogniser hears, and predicted opinion scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from genlevel.benchmark.answer_kinds import AnswerType
from scorer.metrics.averages import AverageMetric
from scorer.metrics.base import Floats, Metric, NotComparable, Question, S, Value, acceptable
from scorer.metrics.entries import files_in
from scorer.metrics.learned.base import LearnedMetric
from scorer.metrics.learned.inputs import answer_files, of_answer, of_label, said, sound
from scorer.metrics.nature import OPINIONS
from scorer.metrics.sums import Sums
from scorer.models import Networks
from scorer.models.ports import Recogniser, Sound, SpeechQuality
from scorer.parsers import Parsed
from scorer.parsers.values import Structured

_TRANSCRIPT = ("transcript", "transcription", "sentence", "translation", "text", "caption", "captions", "answer")
_LANGUAGES = {
    "arabic": "ar", "chinese": "zh", "mandarin": "zh", "english": "en", "french": "fr", "german": "de", "hindi": "hi", "italian": "it",
    "japanese": "ja", "korean": "ko", "mongolian": "mn", "portuguese": "pt", "russian": "ru", "spanish": "es",
}  # fmt: skip


class SpokenText(LearnedMetric[S, tuple[str, Question]]):
    """A metric of text, of what a speech recogniser writes down: WER of spoken answers, and CIDEr of spoken captions.

    Statistic, score and standard error are the text metric's (``within``): mean word error rate in percent, or CIDEr. The recogniser
    (Whisper; or pocketsphinx) is told the language if the details name one ("language"). The reference: "transcript", "text", ... of
    the label, a label of text, or what the recogniser hears in the label's own sound. An answer that is text already is compared as it
    is. What is refused, silent or unparsable counts as the empty transcript. Source: Radford et al. 2022 for the recogniser; see
    ``within`` for the metric.

    >>> from scorer.metrics.text.wer import WordErrorRate
    >>> from scorer.models.twins import Twins
    >>> metric = SpokenText(WordErrorRate(), using=Twins())
    >>> metric.statistic("the cat sat", Question("long_text", ["the cat sat down"]))
    0.25
    """

    def __init__(self, within: Metric[S], using: Networks | None = None) -> None:
        super().__init__(within.id, "recogniser", using=using)
        self.within = within
        self.nature = within.nature

    def gathered(self, answer: Parsed, question: Question) -> tuple[str, Question]:
        if not isinstance(answer, Structured):
            return answer if isinstance(answer, str) else str(answer), self.question(question)
        recogniser: Recogniser = self.network("recogniser")
        language = _language(question)
        heard = [
            recogniser.transcribe(of_answer(lambda name: sound(name, recogniser.rate), path), language)
            for path in answer_files(answer, question)
        ]
        return " ".join(heard), self.question(question)

    def measured(self, entries: Sequence[tuple[str, Question]]) -> list[S]:
        return [self.within.statistic(text, question) for text, question in entries]

    def worst(self, question: Question) -> S:
        """Nothing said."""
        return self.within.worst(self.question(question))

    def best(self, question: Question) -> S:
        """The reference itself."""
        return self.within.best(self.question(question))

    def compute(self, statistics: Sequence[tuple[str, S]]) -> Value:
        return self.within.compute(statistics)

    def sums(self, statistics: Sequence[tuple[str, S]]) -> Sums | None:
        return self.within.sums(statistics)

    def weighted(self, statistics: Sequence[tuple[str, S]]) -> Callable[[Floats], float] | None:
        return self.within.weighted(statistics)

    def question(self, question: Question) -> Question:
        """The same with a label of text. Raises NotComparable if there is nothing to compare with."""
        if question.answer_type == AnswerType.LONG_TEXT:
            return question
        references = said(question, *_TRANSCRIPT)
        if not references and not files_in(question.label):
            references = [text for text in acceptable(question.label) if text.strip()]
        if not references:
            recogniser: Recogniser = self.network("recogniser")
            language = _language(question)
            references = [
                recogniser.transcribe(of_label(lambda name: sound(name, recogniser.rate), path), language)
                for path in files_in(question.label)
            ]
        references = [text for text in references if text.strip()]
        if not references:
            raise NotComparable("the label has neither a transcript nor speech to compare with")
        return question._replace(answer_type=AnswerType.LONG_TEXT, label=references)


class PredictedOpinion(LearnedMetric[list[float], Sound], AverageMetric):
    """Predicted mean opinion score, 1..5, of speech: the mean over instances of a named predictor's score. Never mixed with people's
    ratings.

    Variant "dnsmos": the overall quality of DNSMOS P.835 (Reddy et al. 2022); "utmos": UTMOS (Saeki et al. 2022). Clamped to 1..5. What
    is refused or unparsable counts 1. Standard error: of a mean.

    >>> metric = PredictedOpinion("dnsmos")
    >>> metric.compute([("a", [3.0]), ("b", [4.0])])
    Value(score=3.5, standard_error=0.5)
    """

    nature = OPINIONS
    needs_label = False
    perfect = 5.0

    def __init__(self, predictor: str, using: Networks | None = None) -> None:
        super().__init__("mos", predictor, using=using)

    def gathered(self, answer: Parsed, question: Question) -> Sound:
        network: SpeechQuality = self.network(self.names[0])
        return of_answer(lambda name: sound(name, network.rate), answer_files(answer, question)[0])

    def measured(self, entries: Sequence[Sound]) -> list[list[float]]:
        network: SpeechQuality = self.network(self.names[0])
        return [[min(5.0, max(1.0, float(network.opinion(samples))))] for samples in entries]

    def worst(self, question: Question) -> list[float]:
        """The lowest opinion."""
        return [1.0]


def _language(question: Question) -> str:
    named = (said(question, "target_language", "language") or [""])[0].strip().casefold()
    return named if len(named) == 2 else _LANGUAGES.get(named, "")
