"""Scores, levels and verdicts as Prometheus series, by model and suite.

A model's and suite's series are replaced as a whole when one of its tasks is scored. Labels are bounded: only the
``most_pairs`` (model, suite) pairs scored last are kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from genlevel.v1 import scorer_pb2 as pb

if TYPE_CHECKING:
    from prometheus_client import Metric

MOST_PAIRS = 64


class ScoreExporter(Collector):
    """Register it with a CollectorRegistry; ``update`` sets what it shows of one run."""

    def __init__(self, most_pairs: int = MOST_PAIRS) -> None:
        self._most_pairs = most_pairs
        self._verdicts: OrderedDict[tuple[str, str], pb.GetVerdictResponse] = OrderedDict()
        self._certify: dict[tuple[str, str], Callable[[], pb.Certificate]] = {}
        self._lock = threading.Lock()

    def update(self, verdict: pb.GetVerdictResponse, certify: Callable[[], pb.Certificate] | None = None) -> None:
        """Shows this verdict for its model and suite; drops the pair updated longest ago where there are too many.

        certify: draws the verdict's certificate, once, when the series are next read; None: the verdict has it, or has none.
        """
        with self._lock:
            pair = (verdict.model, verdict.suite)
            self._verdicts[pair] = verdict
            self._verdicts.move_to_end(pair)
            self._certify.pop(pair, None)
            if certify is not None:
                self._certify[pair] = certify
            while len(self._verdicts) > self._most_pairs:
                dropped, _verdict = self._verdicts.popitem(last=False)
                self._certify.pop(dropped, None)

    def describe(self) -> Iterable[Metric]:
        """Nothing: series come and go with the runs."""
        return ()

    def collect(self) -> Iterable[Metric]:
        pair, by_task = ["model", "suite"], ["model", "suite", "task", "metric"]
        score = GaugeMetricFamily(
            "genlevel_task_score", "A task's score in its metric's own unit; absent while incomplete.", labels=by_task
        )
        error = GaugeMetricFamily("genlevel_task_standard_error", "Standard error of a task's score, in the same unit.", labels=by_task)
        sigma = GaugeMetricFamily("genlevel_task_sigma", "A task's score on the scale 0-100, higher is better.", labels=by_task)
        instances = GaugeMetricFamily("genlevel_instances", "Instances by outcome, over all tasks.", labels=[*pair, "outcome"])
        levels = GaugeMetricFamily("genlevel_level_score", "General-Level score 0-100 over the whole benchmark.", labels=[*pair, "level"])
        asked = GaugeMetricFamily("genlevel_asked_level_score", "The same over the asked tasks alone.", labels=[*pair, "level"])
        verdict_family = GaugeMetricFamily("genlevel_verdict", "Highest level with a non-zero score, 2-5; 0 = none.", labels=pair)
        wins = GaugeMetricFamily("genlevel_wins", "Tasks at least as good as their specialist.", labels=[*pair, "modality"])
        supported = GaugeMetricFamily("genlevel_supported_tasks", "Tasks with a result above the worst.", labels=[*pair, "modality"])
        incomplete = GaugeMetricFamily("genlevel_incomplete", "1 while some task is incomplete: levels are lower bounds.", labels=pair)
        certified = GaugeMetricFamily(
            "genlevel_certified_verdict", "Highest level certified as attained, with error at most 0.05, 2-5; 0 = none.", labels=pair
        )
        ends = [
            GaugeMetricFamily(f"genlevel_level_{end}", f"{end.capitalize()} end of a level score's interval.", labels=[*pair, "level"])
            for end in ("lower", "upper")
        ]
        certified_wins = GaugeMetricFamily(
            "genlevel_certified_wins", "Wins certified family-wise, and found at a bounded false discovery rate.", labels=[*pair, "control"]
        )
        self._certify_all()
        with self._lock:
            verdicts = list(self._verdicts.items())
        for names, verdict in verdicts:
            for task in verdict.tasks:
                labels = [*names, task.task.key, task.task.metric]
                if task.HasField("score"):
                    score.add_metric(labels, task.score)
                if task.HasField("standard_error"):
                    error.add_metric(labels, task.standard_error)
                if task.HasField("sigma"):
                    sigma.add_metric(labels, task.sigma)
            for outcome in ("answered", "refused", "unparsable", "failed", "unsupported", "pending"):
                instances.add_metric([*names, outcome], sum(getattr(task.counts, outcome) for task in verdict.tasks))
            for family, message in ((levels, verdict.levels), (asked, verdict.asked_levels)):
                for level in ("2", "3", "4", "5"):
                    family.add_metric([*names, level], getattr(message.scores, f"level_{level}"))
            verdict_family.add_metric(list(names), verdict.levels.verdict)
            incomplete.add_metric(list(names), float(verdict.incomplete))
            certificate = verdict.certificate
            certified.add_metric(list(names), certificate.verdict)
            certified_wins.add_metric([*names, "family-wise"], certificate.certified_wins)
            certified_wins.add_metric([*names, "false-discovery-rate"], certificate.discovered_wins)
            for level_entry in certificate.levels:
                for family, value in zip(ends, (level_entry.interval.lower, level_entry.interval.upper), strict=True):
                    family.add_metric([*names, str(level_entry.level)], value)
            for entry in verdict.levels.modalities:
                wins.add_metric([*names, entry.modality], entry.wins)
                supported.add_metric([*names, entry.modality], entry.supported)
            wins.add_metric([*names, "language"], verdict.levels.language.wins)
            supported.add_metric([*names, "language"], verdict.levels.language.supported)
        return [
            *(score, error, sigma, instances, levels, asked, verdict_family, wins, supported, incomplete),
            *(certified, *ends, certified_wins),
        ]

    def _certify_all(self) -> None:
        """Draws the certificates that are due. A verdict that is replaced meanwhile keeps its own for the next reading."""
        with self._lock:
            due = [(pair, self._verdicts[pair], certify) for pair, certify in self._certify.items()]
        for pair, verdict, certify in due:
            certificate = certify()
            with self._lock:
                if self._verdicts.get(pair) is verdict:
                    verdict.certificate.CopyFrom(certificate)
                    self._certify.pop(pair, None)
