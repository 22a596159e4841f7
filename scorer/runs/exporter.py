"""Scores, levels and verdicts as Prometheus series, by model and suite.

A model's and suite's series are replaced as a whole when one of its tasks is scored. Labels are bounded: only the
``most_pairs`` (model, suite) pairs scored last are kept.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from genlevel.benchmark.model import Modality
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import StorageError

if TYPE_CHECKING:
    from prometheus_client import Metric

    from scorer.certify import Certificate
    from scorer.runs.verdict import Standing, Verdict

MOST_PAIRS = 64
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the series of one run show."""

    verdict: Verdict
    certificate: Certificate


@dataclass(slots=True)
class _Pair:
    """The run of one model and suite. shown: None until it is drawn."""

    draw: Callable[[], Shown]
    shown: Shown | None = None


class ScoreExporter(Collector):
    """Register it with a CollectorRegistry; ``update`` says which run it shows of a model and suite."""

    def __init__(self, most_pairs: int = MOST_PAIRS) -> None:
        self._most_pairs = most_pairs
        self._pairs: OrderedDict[tuple[str, str], _Pair] = OrderedDict()
        self._lock = threading.Lock()

    def update(self, model: str, suite: str, draw: Callable[[], Shown]) -> None:
        """Shows another state of this model and suite; drops the pair updated longest ago if there are too many.

        draw: computes it, once, when the series are next read: a run changes with each of its tasks, and nobody looks as often.
        """
        with self._lock:
            self._pairs[model, suite] = _Pair(draw)
            self._pairs.move_to_end((model, suite))
            while len(self._pairs) > self._most_pairs:
                self._pairs.popitem(last=False)

    def describe(self) -> Iterable[Metric]:
        """Nothing: series come and go with the runs."""
        return ()

    def collect(self) -> Iterable[Metric]:
        families = _Families()
        for (model, suite), shown in self._drawn():
            families.add(model, suite, shown)
        return families.all

    def _drawn(self) -> list[tuple[tuple[str, str], Shown]]:
        """What is shown of each pair. One whose scores cannot be read now is left out, so that all else can still be watched."""
        with self._lock:
            pairs = list(self._pairs.items())
        found = []
        for names, pair in pairs:
            if pair.shown is None:
                try:
                    pair.shown = pair.draw()
                except StorageError as error:
                    _LOG.warning("the series of %s on %s are not shown: %s", *names, error)
                    continue
            found.append((names, pair.shown))
        return found


class _Families:
    """The series, by what they are of."""

    def __init__(self) -> None:
        self.all: list[GaugeMetricFamily] = []
        by_task = ("task", "metric")
        self._score = self._family("task_score", "A task's score in its metric's own unit; absent while incomplete.", *by_task)
        self._error = self._family("task_standard_error", "Standard error of a task's score, in the same unit.", *by_task)
        self._sigma = self._family("task_sigma", "A task's score on the scale 0-100, higher is better.", *by_task)
        self._instances = self._family("instances", "Instances by outcome, over all tasks.", "outcome")
        self._levels = self._family("level_score", "General-Level score 0-100 over the whole benchmark.", "level")
        self._asked = self._family("asked_level_score", "The same over the asked tasks alone.", "level")
        self._verdict = self._family("verdict", "Highest level with a non-zero score, 2-5; 0 = none.")
        self._wins = self._family("wins", "Tasks at least as good as their specialist.", "modality")
        self._supported = self._family("supported_tasks", "Tasks with a result above the worst.", "modality")
        self._incomplete = self._family("incomplete", "1 while some task is incomplete: levels are lower bounds.")
        self._certified = self._family("certified_verdict", "Highest level certified as attained, with error at most 0.05, 2-5; 0 = none.")
        self._lower = self._family("level_lower", "Lower end of a level score's interval.", "level")
        self._upper = self._family("level_upper", "Upper end of a level score's interval.", "level")
        self._certified_wins = self._family(
            "certified_wins", "Wins certified family-wise, and found at a bounded false discovery rate.", "control"
        )

    def add(self, model: str, suite: str, shown: Shown) -> None:
        pair = [model, suite]
        verdict = shown.verdict
        self._add_tasks(pair, verdict.tasks)
        self._add_levels(pair, verdict)
        self._verdict.add_metric(pair, verdict.levels.verdict or 0)
        self._incomplete.add_metric(pair, float(verdict.incomplete))
        self._add_certificate(pair, shown.certificate)

    def _add_tasks(self, pair: list[str], standings: Sequence[Standing]) -> None:
        for standing in standings:
            task, outcome = standing.score.task, standing.score.outcome
            labels = [*pair, task.key, task.metric.id if task.metric else ""]
            for family, value in (
                (self._score, outcome.score),
                (self._error, outcome.standard_error),
                (self._sigma, standing.sigma),
            ):
                if value is not None:
                    family.add_metric(labels, value)
        for kind in Outcome:
            count = sum(standing.score.outcome.counts.get(kind, 0) for standing in standings)
            self._instances.add_metric([*pair, kind.value], count)

    def _add_levels(self, pair: list[str], verdict: Verdict) -> None:
        for family, levels in ((self._levels, verdict.levels), (self._asked, verdict.asked_levels)):
            for level, score in levels.scores.items():
                family.add_metric([*pair, str(level)], score)
        for entry in verdict.levels.modalities:
            self._wins.add_metric([*pair, entry.modality.value], entry.wins)
            self._supported.add_metric([*pair, entry.modality.value], entry.supported)
        language = verdict.levels.language
        self._wins.add_metric([*pair, Modality.LANGUAGE.value], language.wins)
        self._supported.add_metric([*pair, Modality.LANGUAGE.value], language.supported)

    def _add_certificate(self, pair: list[str], certificate: Certificate) -> None:
        self._certified.add_metric(pair, certificate.verdict or 0)
        self._certified_wins.add_metric([*pair, "family-wise"], certificate.certified_wins)
        self._certified_wins.add_metric([*pair, "false-discovery-rate"], certificate.discovered_wins)
        for entry in certificate.levels:
            for family, end in zip((self._lower, self._upper), entry.interval, strict=True):
                family.add_metric([*pair, str(entry.level)], end)

    def _family(self, name: str, documentation: str, *labels: str) -> GaugeMetricFamily:
        family = GaugeMetricFamily(f"genlevel_{name}", documentation, labels=["model", "suite", *labels])
        self.all.append(family)
        return family
