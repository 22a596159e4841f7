"""What a task's questions give away: the score of guessing among their options, and that of the best constant answer.

If labels are unevenly spread, who always says the same beats who guesses, and may beat a specialist. Both scores are computed by the task's
own metric from its questions alone, whatever was answered. Pure; no I/O.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.metrics import Direction, Kind
from genlevel.benchmark.texts import normal_text
from scorer.metrics import Metric, MetricUnavailable, NotComparable, Question, UnreadableAnswer
from scorer.metrics.base import acceptable
from scorer.metrics.nature import Makeup
from scorer.parsers import Parsed, Unparsable, parse_answer
from scorer.scoring.answered import options_offered

TYPES = frozenset({AnswerType.CHOICE, AnswerType.LABEL})
"""Answer types whose answers come from a small set."""
MOST_CANDIDATES = 20
"""Constant answers of a type that are tried: the most frequent labels, then options that no label names."""
FEWEST_CANDIDATES = 4
MOST_STATISTICS = 20_000
"""So many texts are held against labels, if that leaves FEWEST_CANDIDATES: with thousands of different labels none is frequent."""
_MADE_OF_INSTANCES = frozenset({Makeup.SHARE, Makeup.MEAN, Makeup.POOLED})
_FIRST_LETTER = ord("A")
_NO_OPTION = Unparsable("no option has this letter")


@dataclass(frozen=True, slots=True)
class Baselines:
    """In the metric's unit; both None if the task asks for other answers.

    chance: expected of a uniform guess among each question's options; None if some question's are not known. best_constant: the best
    score of one answer that is given to all questions (in a task of choices and labels, of one letter and one text).
    """

    chance: float | None = None
    best_constant: float | None = None


@dataclass(frozen=True, slots=True)
class _Kind:
    """Questions that are alike in all that decides a score. offered: options that say what an answer may be. count: how many questions."""

    question: Question
    offered: tuple[str, ...]
    count: int

    @property
    def options(self) -> list[str]:
        """Each option as an answer."""
        if self.question.answer_type is AnswerType.CHOICE:
            return [chr(_FIRST_LETTER + place) for place in range(len(self.question.options))]
        return list(self.question.options)

    @property
    def labels(self) -> list[str]:
        """Each right answer."""
        texts = acceptable(self.question.label)
        return [text.strip().upper() for text in texts] if self.question.answer_type is AnswerType.CHOICE else texts


def baselines(metric: Metric[object], questions: Iterable[Question]) -> Baselines:
    """Of a task's questions, in any order. Of a pooled score, chance is the score of the expected counts.

    >>> from scorer.metrics.text.classification import Accuracy
    >>> asked = [Question(AnswerType.CHOICE, letter, ("yes", "no")) for letter in "AAAB"]
    >>> baselines(Accuracy(), asked)
    Baselines(chance=50.0, best_constant=75.0)
    """
    counts: Counter[tuple[AnswerType, str | tuple[str, ...], tuple[str, ...]]] = Counter()
    for question in questions:
        label = question.label if isinstance(question.label, str) else tuple(acceptable(question.label))
        counts[AnswerType(question.answer_type), label, question.options] += 1
    kinds = []
    for (answer_type, label, options), count in counts.items():
        asked = Question(answer_type, label if isinstance(label, str) else list(label), options)
        kinds.append(_Kind(asked, options_offered(answer_type, asked.label, options), count))
    suited = metric.info.kind is Kind.EXACT and metric.nature.makeup in _MADE_OF_INSTANCES
    if not kinds or not suited or any(kind.question.answer_type not in TYPES or not kind.labels for kind in kinds):
        return Baselines()
    try:
        return Baselines(_chance(metric, kinds), _best_constant(metric, kinds))
    except (NotComparable, UnreadableAnswer, MetricUnavailable):
        return Baselines()


def _chance(metric: Metric[object], kinds: Sequence[_Kind]) -> float | None:
    """Each option of a question counts as an answer to a part of it."""
    if not all(kind.question.options for kind in kinds):
        return None
    answered = [(kind, option) for kind in kinds for option in kind.options]
    statistics = [(str(place), metric.statistic(option, kind.question)) for place, (kind, option) in enumerate(answered)]
    weights = [kind.count / len(kind.question.options) for kind, _option in answered]
    if (sums := metric.sums(statistics)) is not None:
        return sums.weighted(weights)
    if (weighted := metric.weighted(statistics)) is None:
        return None
    import numpy as np

    return 100.0 * weighted(np.array(weights))


def _best_constant(metric: Metric[object], kinds: Sequence[_Kind]) -> float:
    """Of means exactly, as far as candidates go. If there are choices and labels, first the letter is decided and then the text."""
    tried = {answer_type: _candidates([kind for kind in kinds if kind.question.answer_type is answer_type]) for answer_type in TYPES}
    chosen = {answer_type: candidates[0] for answer_type, candidates in tried.items() if candidates}
    known = {answer_type: _statistics(metric, kinds, answer_type, answer) for answer_type, answer in chosen.items()}
    best = _score(metric, kinds, known)
    for answer_type in sorted(chosen):
        for answer in tried[answer_type][1:]:
            other = {**known, answer_type: _statistics(metric, kinds, answer_type, answer)}
            score = _score(metric, kinds, other)
            if score < best if metric.direction is Direction.LOWER else score > best:
                best, known = score, other
    return best


def _statistics(metric: Metric[object], kinds: Sequence[_Kind], answer_type: AnswerType, answer: str) -> Mapping[int, object]:
    """The answer's statistic for each kind of question of a type, by the kind's place."""
    asked = ((place, kind) for place, kind in enumerate(kinds) if kind.question.answer_type is answer_type)
    return {place: _statistic(metric, kind, answer) for place, kind in asked}


def _statistic(metric: Metric[object], kind: _Kind, answer: str) -> object:
    """What a model has that gives this answer: as it is read among the question's own options, and wrong if it is none there."""
    question, offered = kind.question, kind.offered
    if question.answer_type is AnswerType.CHOICE:
        read: Parsed | Unparsable = answer if not offered or ord(answer) - _FIRST_LETTER < len(offered) else _NO_OPTION
    else:
        read = answer if not offered or answer in offered else parse_answer(question.answer_type, answer, offered)
    try:
        return metric.worst(question) if isinstance(read, Unparsable) else metric.statistic(read, question)
    except UnreadableAnswer:
        return metric.worst(question)


def _score(metric: Metric[object], kinds: Sequence[_Kind], known: Mapping[AnswerType, Mapping[int, object]]) -> float:
    rows = [known[kind.question.answer_type][place] for place, kind in enumerate(kinds) for _ in range(kind.count)]
    return metric.compute([(str(place), row) for place, row in enumerate(rows)]).score


def _candidates(kinds: Sequence[_Kind]) -> list[str]:
    """Answers to questions of one type, the most frequent labels first."""
    frequent: Counter[str] = Counter()
    for kind in kinds:
        for label in dict.fromkeys(kind.labels):
            frequent[label] += kind.count
    offered = dict.fromkeys(option for kind in kinds for option in kind.options)
    counts: Counter[str] = Counter()
    spelled: dict[str, str] = {}
    for text in (*frequent, *offered):
        normal = normal_text(text)
        spelled.setdefault(normal, text)
        counts[normal] += frequent.pop(text, 0)
    most = MOST_CANDIDATES
    if kinds and kinds[0].question.answer_type is AnswerType.LABEL:
        most = max(FEWEST_CANDIDATES, min(most, MOST_STATISTICS // len(kinds)))
    return [spelled[normal] for normal, _count in counts.most_common(most)]
