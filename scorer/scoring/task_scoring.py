"""Scores one task from its instances' raw answers: parses, measures, and says what is missing. Pure; no I/O.

Rules (docs/general-level.md): refused and unparsable answers are wrong and counted apart; an instance that failed or
was not asked leaves the task without a score, between the bounds of all such instances being wrong and right; a task
whose every instance is unsupported has no score, otherwise unsupported ones are wrong. What counts for a wrong answer is
the worst of a percentage, 0; an error has no worst, so there it is the trivial answer's, and a task without one answer
that could be read has no score: nothing would have been measured, and a specialist could be beaten by silence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.mapping import to_sigma
from genlevel.benchmark.outcomes import OPEN, Outcome
from scorer.metrics import Metric, MetricState, MetricUnavailable, NotComparable, Question, UnreadableAnswer
from scorer.metrics.base import NotRated
from scorer.parsers import Parsed, Unparsable, parse_answer

MOST_UNPARSABLE_IDS = 1000
TOGETHER = 16
"""Answers that are measured together; their media are in memory together."""
_NOTHING_MEASURED = "no score: not one answer was given that could be read"


@dataclass(frozen=True, slots=True)
class AnsweredInstance:
    """One instance as the evaluator hands it over. label: in normal form; None where there is none (closed set).

    cluster: alike for instances about the same thing (the same media, the same text); empty: it stands alone.
    files: paths of the files that the answer consists of, where it is one of media. prompt, inputs, details, ratings: as of ``Question``.
    rating_outcome: where a judge rates the answers and this one has no rating, what became of it: FAILED or PENDING.
    compared_ratings: people's where a judge's make the score, and the other way round.
    """

    id: str
    outcome: Outcome
    raw_answer: str
    answer_type: AnswerType
    label: Any
    options: tuple[str, ...] = ()
    cluster: str = ""
    files: tuple[str, ...] = ()
    prompt: str = ""
    inputs: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)
    ratings: tuple[float, ...] = ()
    rating_outcome: Outcome | None = None
    compared_ratings: tuple[float, ...] = ()


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

    score: None where incomplete, unsupported or not scored; ``note`` then says why. lower, upper: the score with every
    open instance wrong and right; equal to the score where complete, None where nothing can be said.
    statistics: (outcome, statistic) by instance id, plain JSON, from which the score follows again; of an open one [worst, best];
    None where it could not be measured.
    clusters: number of the cluster by instance id, of those that share one with another instance; the others stand alone.
    """

    score: float | None
    lower: float | None
    upper: float | None
    standard_error: float | None
    counts: Mapping[Outcome, int]
    note: str
    unparsable_ids: tuple[str, ...]
    statistics: Mapping[str, tuple[Outcome, Any]] = field(default_factory=dict)
    clusters: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def incomplete(self) -> bool:
        return any(self.counts.get(outcome) for outcome in OPEN)


class TaskScoring:
    """Collects a task's instances, in any order; one that comes again replaces what came before.

    metric: None where none is known or none can be computed here; ``no_metric`` then says why in one line.
    """

    def __init__(self, metric: Metric[Any] | None, no_metric: str = "no metric is known for this task") -> None:
        self._metric = metric
        self._no_metric = no_metric
        self._outcomes: dict[str, Outcome] = {}
        self._statistics: dict[str, Any] = {}
        self._worst: dict[str, Any] = {}
        self._best: dict[str, Any] = {}
        self._problems: dict[str, str] = {}
        self._unrated: dict[str, str] = {}
        self._not_judged: dict[str, Outcome] = {}
        self._rated: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {}
        self._clusters: dict[str, str] = {}

    @property
    def no_metric(self) -> str:
        """Why nothing can be measured; empty where it can."""
        return self._no_metric if self._metric is None else ""

    def add(self, instances: Iterable[AnsweredInstance]) -> None:
        """Parses and measures. Takes as long as the metric does: off the event loop, please."""
        waiting: dict[str, tuple[Parsed, Question]] = {}
        for instance in instances:
            for kept in (self._statistics, self._worst, self._best, self._problems, self._unrated, self._not_judged, self._rated, waiting):
                kept.pop(instance.id, None)
            self._outcomes[instance.id] = self._add(instance, waiting)
            self._clusters[instance.id] = instance.cluster
            if len(waiting) >= TOGETHER:
                self._measure(waiting)
                waiting = {}
        self._measure(waiting)

    def finish(self) -> TaskOutcome:
        """The score of what has come so far."""
        counts = Counter(self._outcomes.values())
        unparsable = tuple(sorted(key for key, outcome in self._outcomes.items() if outcome is Outcome.UNPARSABLE)[:MOST_UNPARSABLE_IDS])
        statistics = {key: (outcome, self._kept(key)) for key, outcome in self._outcomes.items()}
        clusters = shared_clusters(self._clusters)
        note = self._obstacle(counts)
        if note or self._metric is None:
            return TaskOutcome(None, None, None, None, counts, note, unparsable, statistics, clusters)
        state = MetricState(self._metric, dict(self._statistics))
        if not self._worst:
            value = state.compute()
            if not counts[Outcome.ANSWERED] and to_sigma(self._metric.id, value.score) > 0.0:
                unmeasured = {key: (outcome, None) for key, outcome in self._outcomes.items()}
                return TaskOutcome(None, None, None, None, counts, _NOTHING_MEASURED, unparsable, unmeasured, clusters)
            return TaskOutcome(value.score, value.score, value.score, value.standard_error, counts, "", unparsable, statistics, clusters)
        ends = sorted((state.compute(self._worst).score, state.compute(self._best).score))
        note = incomplete_note(counts)
        if self._not_judged:
            judged = Counter(self._not_judged.values())
            said = {Outcome.FAILED: "the judge failed on {}", Outcome.PENDING: "{} not judged yet"}
            note += f" ({', '.join(text.format(judged[outcome]) for outcome, text in said.items() if judged[outcome])})"
        return TaskOutcome(None, ends[0], ends[1], None, counts, note, unparsable, statistics, clusters)

    def provenance(self) -> str:
        """What else than the answers and labels decides the score, such as the hash of a network's weights; empty where nothing does."""
        if self._metric is None or not self._statistics:
            return ""
        try:
            return self._metric.provenance()
        except MetricUnavailable as error:
            return str(error)

    def ratings(self) -> RatingSummary:
        """What became of the ratings of the answers that have come so far."""
        waiting = Counter(self._not_judged.values())
        pairs = tuple((fmean(counted), fmean(compared)) for _key, (counted, compared) in sorted(self._rated.items()) if compared)
        return RatingSummary(len(self._rated), waiting[Outcome.FAILED], waiting[Outcome.PENDING], pairs)

    def _add(self, instance: AnsweredInstance, waiting: dict[str, tuple[Parsed, Question]]) -> Outcome:
        outcome = instance.outcome
        answer: Parsed | None = None
        if outcome is Outcome.ANSWERED:
            parsed = parse_answer(instance.answer_type, instance.raw_answer, instance.options, instance.files)
            if isinstance(parsed, Unparsable):
                outcome = Outcome.UNPARSABLE
            elif instance.rating_outcome is not None and not instance.ratings:
                outcome = self._not_judged[instance.id] = instance.rating_outcome
            else:
                answer = parsed
                if instance.ratings:
                    self._rated[instance.id] = (instance.ratings, instance.compared_ratings)
        if self._metric is None:
            return outcome
        if instance.label is None and self._metric.needs_label:
            self._problems[instance.id] = "has no label (closed set)"
            return outcome
        question = Question(
            instance.answer_type,
            instance.label,
            instance.options,
            instance.prompt,
            instance.inputs,
            instance.details,
            instance.ratings,
        )
        if answer is not None:
            waiting[instance.id] = (answer, question)
            return outcome
        try:
            if outcome in OPEN:
                self._worst[instance.id] = self._metric.worst(question)
                self._best[instance.id] = self._metric.best(question)
            else:
                self._statistics[instance.id] = self._metric.worst(question)
        except NotComparable as problem:
            self._problems[instance.id] = str(problem)
        except MetricUnavailable as missing:
            self._give_up(missing)
        return outcome

    def _measure(self, waiting: Mapping[str, tuple[Parsed, Question]]) -> None:
        """Measures answers together: metrics of networks look at many at once."""
        if self._metric is None or not waiting:
            return
        try:
            for key, found in zip(waiting, self._metric.statistics_many(list(waiting.values())), strict=True):
                self._take(key, found, waiting[key][1])
        except MetricUnavailable as missing:
            self._give_up(missing)

    def _take(self, key: str, found: Any, question: Question) -> None:
        if isinstance(found, NotRated):
            self._unrated[key] = str(found)
        elif isinstance(found, NotComparable):
            self._problems[key] = str(found)
        elif isinstance(found, UnreadableAnswer) and self._metric is not None:
            self._outcomes[key] = Outcome.UNPARSABLE
            try:
                self._statistics[key] = self._metric.worst(question)
            except NotComparable as problem:
                self._problems[key] = str(problem)
        else:
            self._statistics[key] = found

    def _give_up(self, missing: MetricUnavailable) -> None:
        """Weights turned out to be unusable: nothing is scored, and what was measured is let go."""
        self._metric, self._no_metric = None, f"not scored: {missing}"
        for kept in (self._statistics, self._worst, self._best):
            kept.clear()

    def _kept(self, key: str) -> Any:
        return [self._worst[key], self._best[key]] if key in self._worst else self._statistics.get(key)

    def _obstacle(self, counts: Counter[Outcome]) -> str:
        """Why there can be no score; empty where there can."""
        if not self._outcomes:
            return "no instance was asked"
        if counts[Outcome.UNSUPPORTED] == len(self._outcomes):
            return "the model does not take or make this task's modality"
        if self._metric is None:
            return self._no_metric
        if self._problems:
            first = min(self._problems)
            others = f" ({len(self._problems)} such instances)" if len(self._problems) > 1 else ""
            return f"not scored: instance {first!r}: {self._problems[first]}{others}"
        if self._unrated:
            first = min(self._unrated)
            some = len(self._unrated) < counts[Outcome.ANSWERED]
            which = f"{len(self._unrated)} of {counts[Outcome.ANSWERED]} answers, first {first!r}: " if some else ""
            return f"not scored: {which}{self._unrated[first]}"
        return ""


def incomplete_note(counts: Mapping[Outcome, int]) -> str:
    """Why a task with failed or pending instances has no score."""
    reasons = [f"{counts[outcome]} {outcome}" for outcome in (Outcome.FAILED, Outcome.PENDING) if counts.get(outcome)]
    return f"incomplete: {' and '.join(reasons)} of {sum(counts.values())} instances"


def shared_clusters(clusters: Mapping[str, str]) -> dict[str, int]:
    """Clusters numbered in the order of instance ids, without those of one instance.

    What all of a task's instances share (one instruction, one picture) is part of the task, not of the sample: it makes no cluster.
    """
    sizes = Counter(cluster for cluster in clusters.values() if cluster)
    numbers: dict[str, int] = {}
    shared = {}
    for key in sorted(clusters):
        cluster = clusters[key]
        if 1 < sizes[cluster] < len(clusters):
            shared[key] = numbers.setdefault(cluster, len(numbers))
    return shared
