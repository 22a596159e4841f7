"""Scores, levels and verdicts as Prometheus series, by model and suite.

A model's and suite's series are replaced as a whole when one of its tasks is scored. Labels are bounded: only the
``most_pairs`` (model, suite) pairs scored last are kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
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
        self._lock = threading.Lock()

    def update(self, verdict: pb.GetVerdictResponse) -> None:
        """Shows this verdict for its model and suite; drops the pair updated longest ago where there are too many."""
        with self._lock:
            pair = (verdict.model, verdict.suite)
            self._verdicts[pair] = verdict
            self._verdicts.move_to_end(pair)
            while len(self._verdicts) > self._most_pairs:
                self._verdicts.popitem(last=False)

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
            for entry in verdict.levels.modalities:
                wins.add_metric([*names, entry.modality], entry.wins)
                supported.add_metric([*names, entry.modality], entry.supported)
            wins.add_metric([*names, "language"], verdict.levels.language.wins)
            supported.add_metric([*names, "language"], verdict.levels.language.supported)
        return [score, error, sigma, instances, levels, asked, verdict_family, wins, supported, incomplete]
