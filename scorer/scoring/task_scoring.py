"""Scores one task from its instances' raw answers: parses, measures, and says what is missing. Pure; no I/O.

Rules (docs/general-level.md): refused and unparsable answers are wrong and counted apart; an instance that failed or
was not asked leaves the task without a score, between the bounds of all such instances being wrong and right; a task
whose every instance is unsupported has no score, otherwise unsupported ones are wrong. What counts for a wrong answer is
the worst of a percentage, 0; an error has no worst, so there it is the trivial answer's, and a task without one answer
that could be read has no score: nothing would have been measured, and a specialist could be beaten by silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import NamedTuple, TypeVar

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.mapping import to_sigma
from genlevel.benchmark.outcomes import OPEN, Outcome
from scorer.metrics import Metric, MetricState, MetricUnavailable, NotComparable, Question, UnreadableAnswer
from scorer.metrics.base import NotRated
from scorer.parsers import Parsed, Unparsable, parse_answer
from scorer.scoring.answered import AnsweredInstance
from scorer.scoring.baselines import TYPES, Baselines, baselines
from scorer.scoring.conventions import Conventions
from scorer.scoring.readings import KeptReadings, Readings
from scorer.scoring.task_metric import NOT_KNOWN
from scorer.scoring.variation import Variation, variation

MOST_UNPARSABLE_IDS = 1000
TOGETHER = 16
"""Answers that are measured together; their media are in memory together."""
_Found = TypeVar("_Found")
_NOTHING_MEASURED = "no score: no answer could be read"


@dataclass(frozen=True, slots=True)
class RatingSummary:
    """What became of the ratings of a task: answers rated, answers that the judge failed on or has not judged yet.

    pairs: (mean of the ratings that count, mean of the compared ones) of answers that have both.
    """

    rated: int
    failed: int
    pending: int
    pairs: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """What a task came to, in the workbook's unit.

    score: None if incomplete, unsupported or not scored; ``note`` then says why. lower, upper: the score with every
    open instance wrong and right; equal to the score if complete, None if nothing can be said.
    statistics: (outcome, statistic) by answer, plain JSON, from which the score follows again; of an open one [worst, best];
    None if it could not be measured.
    clusters: number of the cluster by answer, of those that share one with another; the others stand alone.
    chance, best_constant: as of ``Baselines``. variation: of answers to the same question; None if each was asked once.
    remarks: what a person has to know of how answers were read, a line each.
    unparsable_ids: the text of such answers' keys, at most MOST_UNPARSABLE_IDS.
    readings: what was read in the answers, and why others were not read or measured, packed as they came, so that equal outcomes may
    differ in it; None if that is not known.
    """

    score: float | None
    lower: float | None
    upper: float | None
    standard_error: float | None
    counts: Mapping[Outcome, int]
    note: str
    unparsable_ids: tuple[str, ...]
    statistics: Mapping[AnswerKey, tuple[Outcome, object]] = field(default_factory=dict)
    clusters: Mapping[AnswerKey, int] = field(default_factory=dict)
    readings: KeptReadings | None = field(default=None, compare=False)
    chance: float | None = None
    best_constant: float | None = None
    variation: Variation | None = None
    remarks: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def incomplete(self) -> bool:
        return any(self.counts.get(outcome) for outcome in OPEN)


class _Measured(NamedTuple):
    """What was measured of one answer, or what a wrong one counts as: plain JSON."""

    statistic: object


@dataclass(frozen=True, slots=True)
class _Ends:
    """What an open answer counts as at worst and at best."""

    worst: object
    best: object


@dataclass(frozen=True, slots=True)
class _Problem:
    """Why there can be no score of the task: this answer's label and the metric do not go together."""

    text: str


@dataclass(frozen=True, slots=True)
class _Unrated:
    """Why there can be no score of the task: nobody has rated this answer."""

    text: str


class _Kept(NamedTuple):
    """All that is kept of one answer. found: None if nothing is measured of it (yet).

    judgement: if a judge has not rated it, what became of the rating. ratings, compared: empty if it has none.
    """

    outcome: Outcome
    cluster: str
    found: _Measured | _Ends | _Problem | _Unrated | None = None
    judgement: Outcome | None = None
    ratings: tuple[float, ...] = ()
    compared: tuple[float, ...] = ()


class Told(NamedTuple):
    """What is known of one answer before the others have come. statistic: as of ``TaskOutcome.statistics``.

    problem: why nothing was measured of it, in one line; empty if something was. lasts: the task has no score for that reason, whatever
    comes of others.
    """

    outcome: Outcome
    statistic: object
    problem: str = ""
    lasts: bool = False


_Waiting = dict[AnswerKey, tuple[Parsed, Question]]


class TaskScoring:
    """Collects a task's answers, in any order; one that comes again replaces what came before.

    metric, no_metric: as of ``metric_of``.
    """

    def __init__(self, metric: Metric[object] | None, no_metric: str = NOT_KNOWN) -> None:
        self._metric = metric
        self._no_metric = no_metric
        self._answers: dict[AnswerKey, _Kept] = {}
        self._readings = Readings()
        self._conventions = Conventions()
        self._asked: dict[AnswerKey, Question | None] = {}  # without what baselines do not need; None: of another answer type

    @property
    def metric(self) -> Metric[object] | None:
        """None if there is none, or it turned out that it cannot measure here."""
        return self._metric

    def add(self, instances: Iterable[AnsweredInstance]) -> None:
        """Parses and measures. Takes as long as the metric does: off the event loop, please.

        Answers whose coordinates only all of the task's answers together explain are kept until ``finish``.
        """
        self.add_read(self._conventions.passing(instances))

    def told(self, key: AnswerKey) -> Told:
        """What is known of an answer that came and was read. Raises KeyError for any other."""
        kept = self._answers[key]
        if isinstance(kept.found, _Problem | _Unrated):
            return Told(kept.outcome, None, kept.found.text, isinstance(kept.found, _Problem))
        return Told(kept.outcome, _statistic(kept), self._no_metric if kept.found is None else "")

    def add_read(self, instances: Iterable[AnsweredInstance]) -> None:
        """The same with none kept: each is read as its ``place`` says, or as it was asked for."""
        waiting: _Waiting = {}
        for instance in instances:
            key = instance.key
            if waiting.pop(key, None) is not None or key in self._answers:
                self._readings.add(key, None)
            self._answers[key] = self._read(key, instance, waiting)
            if len(waiting) >= TOGETHER:
                self._measure(waiting)
                waiting = {}
        self._measure(waiting)

    def finish(self) -> TaskOutcome:
        """The score of what has come so far."""
        self.add_read(self._conventions.released())
        counts = Counter(kept.outcome for kept in self._answers.values())
        unparsable = sorted(str(key) for key, kept in self._answers.items() if kept.outcome is Outcome.UNPARSABLE)
        unscored = TaskOutcome(
            score=None,
            lower=None,
            upper=None,
            standard_error=None,
            counts=counts,
            note=self._obstacle(counts),
            unparsable_ids=tuple(unparsable[:MOST_UNPARSABLE_IDS]),
            statistics={key: (kept.outcome, _statistic(kept)) for key, kept in self._answers.items()},
            clusters=shared_clusters({key: kept.cluster for key, kept in self._answers.items()}),
            readings=self._readings.kept(frozenset(unparsable)),
            remarks=self._conventions.remarks(),
        )
        if unscored.note or self._metric is None:
            return unscored
        found = self._baselines(self._metric)
        varies = variation(self._metric, {key: measured.statistic for key, measured in self._of(_Measured)})
        unscored = replace(unscored, chance=found.chance, best_constant=found.best_constant, variation=varies)
        state = MetricState(self._metric, {str(key): found.statistic for key, found in self._of(_Measured)})
        ends = {str(key): found for key, found in self._of(_Ends)}
        if ends:
            bounds = (
                state.compute({key: end.worst for key, end in ends.items()}),
                state.compute({key: end.best for key, end in ends.items()}),
            )
            lower, upper = sorted(value.score for value in bounds)
            return replace(unscored, lower=lower, upper=upper, note=incomplete_note(counts) + self._not_judged())
        value = state.compute()
        lacking = self._metric.lacking(list(state.statistics.items()))
        if lacking or (not counts[Outcome.ANSWERED] and to_sigma(self._metric.id, value.score) > 0.0):
            unmeasured: dict[AnswerKey, tuple[Outcome, object]] = {key: (kept.outcome, None) for key, kept in self._answers.items()}
            return replace(unscored, note=f"no score: {lacking}" if lacking else _NOTHING_MEASURED, statistics=unmeasured)
        return replace(unscored, score=value.score, lower=value.score, upper=value.score, standard_error=value.standard_error)

    def _baselines(self, metric: Metric[object]) -> Baselines:
        """What the questions give away, each counted once however often it was asked."""
        asked = [question for question in self._asked.values() if question is not None]
        return baselines(metric, asked) if len(asked) == len(self._asked) else Baselines()

    def provenance(self) -> str:
        """What decides the score beside answers and labels, such as the hash of a network's weights; empty if nothing does."""
        if self._metric is None or not any(self._of(_Measured)):
            return ""
        try:
            return self._metric.provenance()
        except MetricUnavailable as error:
            return str(error)

    def ratings(self) -> RatingSummary:
        """What became of the ratings of the answers that have come so far."""
        waiting = Counter(kept.judgement for kept in self._answers.values())
        rated = [kept for _key, kept in sorted(self._answers.items()) if kept.ratings]
        pairs = tuple((fmean(kept.ratings), fmean(kept.compared)) for kept in rated if kept.compared)
        return RatingSummary(len(rated), waiting[Outcome.FAILED], waiting[Outcome.PENDING], pairs)

    def _read(self, key: AnswerKey, instance: AnsweredInstance, waiting: _Waiting) -> _Kept:
        """An answer as far as it is known before it is measured; one to be measured is put to those ``waiting``."""
        kept = _Kept(instance.outcome, instance.cluster)
        answer: Parsed | None = None
        if instance.outcome is Outcome.ANSWERED:
            parsed = parse_answer(instance.answer_type, instance.raw_answer, instance.offered, instance.files, place=instance.place)
            if isinstance(parsed, Unparsable):
                kept = kept._replace(outcome=Outcome.UNPARSABLE)
                self._readings.add(key, None, parsed.reason)
            else:
                self._readings.add(key, parsed, files=instance.files)
                if instance.rating_outcome is not None and not instance.ratings:
                    kept = kept._replace(outcome=instance.rating_outcome, judgement=instance.rating_outcome)
                else:
                    answer = parsed
                    if instance.ratings:
                        kept = kept._replace(ratings=instance.ratings, compared=instance.compared_ratings)
        if self._metric is None:
            return kept
        if instance.label is None and self._metric.needs_label:
            return kept._replace(found=_Problem("has no label (closed set)"))
        question = Question(
            answer_type=instance.answer_type,
            label=instance.label,
            options=instance.options,
            prompt=instance.prompt,
            inputs=instance.inputs,
            details=instance.details,
            ratings=instance.ratings,
        )
        plain = Question(instance.answer_type, instance.label, instance.options) if instance.answer_type in TYPES else None
        self._asked[key.question] = plain
        if answer is not None:
            waiting[key] = (answer, question)
            return kept
        return kept._replace(found=self._unmeasured(self._metric, question, kept.outcome))

    def _unmeasured(self, metric: Metric[object], question: Question, outcome: Outcome) -> _Measured | _Ends | _Problem | None:
        """What an answer without anything to measure counts as: wrong, or anything if it is open."""
        try:
            worst = metric.worst(question)
            return _Ends(worst, metric.best(question)) if outcome in OPEN else _Measured(worst)
        except NotComparable as problem:
            return _Problem(str(problem))
        except MetricUnavailable as missing:
            self._give_up(missing)
            return None

    def _measure(self, waiting: _Waiting) -> None:
        """Measures answers together: metrics of networks look at many at once."""
        metric = self._metric
        if metric is None or not waiting:
            return
        try:
            measured = metric.statistics_many(list(waiting.values()))
            for (key, (_answer, question)), found in zip(waiting.items(), measured, strict=True):
                if isinstance(found, NotComparable | UnreadableAnswer):
                    self._readings.explain(key, str(found) or "nothing in it can be measured")
                self._answers[key] = self._taken(metric, self._answers[key], found, question)
                if self._metric is None:
                    return
        except MetricUnavailable as missing:
            self._give_up(missing)

    def _taken(self, metric: Metric[object], kept: _Kept, found: object, question: Question) -> _Kept:
        if isinstance(found, NotRated):
            return kept._replace(found=_Unrated(str(found)))
        if isinstance(found, NotComparable):
            return kept._replace(found=_Problem(str(found)))
        if isinstance(found, UnreadableAnswer):
            return kept._replace(outcome=Outcome.UNPARSABLE, found=self._unmeasured(metric, question, Outcome.UNPARSABLE))
        return _Kept(kept.outcome, kept.cluster, _Measured(found), kept.judgement, kept.ratings, kept.compared)

    def _give_up(self, missing: MetricUnavailable) -> None:
        """Weights turned out to be unusable: nothing is scored, and what was measured is let go."""
        self._metric, self._no_metric = None, f"not scored: {missing}"
        self._answers = {key: kept._replace(found=None) for key, kept in self._answers.items()}

    def _of(self, kind: type[_Found]) -> Iterator[tuple[AnswerKey, _Found]]:
        """The answers for which this was found."""
        return ((key, kept.found) for key, kept in self._answers.items() if isinstance(kept.found, kind))

    def _not_judged(self) -> str:
        """What is said of the ratings that a judge still owes; empty if there are none."""
        judged = Counter(kept.judgement for kept in self._answers.values())
        said = {Outcome.FAILED: "the judge failed on {}", Outcome.PENDING: "{} not judged yet"}
        reasons = [text.format(judged[outcome]) for outcome, text in said.items() if judged[outcome]]
        return f" ({', '.join(reasons)})" if reasons else ""

    def _obstacle(self, counts: Counter[Outcome]) -> str:
        """Why there can be no score; empty if there can."""
        if not self._answers:
            return "no instance was asked"
        if counts[Outcome.UNSUPPORTED] == len(self._answers):
            return "the model does not take or make this task's modality"
        if self._metric is None:
            return self._no_metric
        if problems := dict(self._of(_Problem)):
            first = min(problems)
            others = f" ({len(problems)} such instances)" if len(problems) > 1 else ""
            return f"not scored: instance {str(first)!r}: {problems[first].text}{others}"
        if unrated := dict(self._of(_Unrated)):
            first = min(unrated)
            some = len(unrated) < counts[Outcome.ANSWERED]
            which = f"{len(unrated)} of {counts[Outcome.ANSWERED]} answers, first {str(first)!r}: " if some else ""
            return f"not scored: {which}{unrated[first].text}"
        return ""


def _statistic(kept: _Kept) -> object:
    """As it is stored: of an open answer [worst, best]; None if nothing was measured."""
    match kept.found:
        case _Measured(statistic):
            return statistic
        case _Ends(worst, best):
            return [worst, best]
        case _:
            return None


def incomplete_note(counts: Mapping[Outcome, int]) -> str:
    """Why a task with failed or pending instances has no score."""
    reasons = [f"{counts[outcome]} {outcome}" for outcome in (Outcome.FAILED, Outcome.PENDING) if counts.get(outcome)]
    return f"incomplete: {' and '.join(reasons)} of {sum(counts.values())} instances"


def shared_clusters(clusters: Mapping[AnswerKey, str]) -> dict[AnswerKey, int]:
    """Clusters numbered in the order of the answers' keys, without those of one instance, however often it was asked.

    What all of a task's instances share (one instruction, one picture) is part of the task, not of the sample: it makes no cluster.
    """
    instances = {key.instance: cluster for key, cluster in clusters.items()}
    sizes = Counter(cluster for cluster in instances.values() if cluster)
    numbers: dict[str, int] = {}
    shared = {}
    for key in sorted(clusters):
        cluster = clusters[key]
        if 1 < sizes[cluster] < len(instances):
            shared[key] = numbers.setdefault(cluster, len(numbers))
    return shared
