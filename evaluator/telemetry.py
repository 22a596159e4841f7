"""What the evaluator shows Prometheus: calls in flight, what waits and why, retries, answers by outcome."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from genlevel.benchmark.outcomes import Outcome


class EvaluatorTelemetry:
    """Counters and gauges of one evaluator. Labels are bounded: models, suites and classes, never instances."""

    def __init__(self, registry: CollectorRegistry, most_pairs: int = 200) -> None:
        self._answers = Counter(
            "genlevel_evaluator_answers", "Instances with an outcome.", ("model", "suite", "outcome"), registry=registry
        )
        self._retries = Counter(
            "genlevel_evaluator_retries", "Calls repeated, by the class of the error.", ("model", "error_class"), registry=registry
        )
        self._calls = Counter("genlevel_evaluator_calls", "Calls to the gateway.", ("model",), registry=registry)
        self._judgements = Counter(
            "genlevel_evaluator_judgements",
            "Answers that a judge has rated or failed on.",
            ("judge", "suite", "outcome"),
            registry=registry,
        )
        self._pairs: set[tuple[str, str]] = set()
        self._most_pairs = most_pairs
        self._live = _Live()
        registry.register(self._live)

    def answered(self, model: str, suite: str, outcome: Outcome) -> None:
        """Counts one instance that has its outcome."""
        model, suite = self._bounded(model, suite)
        self._answers.labels(model, suite, outcome.value).inc()

    def called(self, model: str, suite: str) -> None:
        """Counts one call."""
        self._calls.labels(self._bounded(model, suite)[0]).inc()

    def retried(self, model: str, suite: str, error_class: str) -> None:
        """Counts one repetition."""
        self._retries.labels(self._bounded(model, suite)[0], error_class).inc()

    def judged(self, judge: str, suite: str, *, ok: bool) -> None:
        """Counts one judgement, or one failure of a judge."""
        judge, suite = self._bounded(judge, suite)
        self._judgements.labels(judge, suite, "judged" if ok else "failed").inc()

    def show(self, source: LiveSource) -> None:
        """Shows a run's gauges until ``hide``."""
        self._live.sources.append(source)

    def hide(self, source: LiveSource) -> None:
        """Stops showing a run's gauges."""
        if source in self._live.sources:
            self._live.sources.remove(source)

    def _bounded(self, model: str, suite: str) -> tuple[str, str]:
        if (model, suite) in self._pairs or len(self._pairs) < self._most_pairs:
            self._pairs.add((model, suite))
            return model, suite
        return "other", "other"


class LiveSource(Protocol):
    """A run that goes on: what a scrape asks it."""

    model: str
    suite: str

    def in_flight(self) -> int:
        """Calls in flight."""
        ...

    def waiting(self) -> Mapping[str, int]:
        """Instances that wait, by reason."""
        ...

    def pending(self) -> int:
        """Instances without an outcome."""
        ...


class _Live(Collector):
    def __init__(self) -> None:
        self.sources: list[LiveSource] = []

    def collect(self) -> Iterable[GaugeMetricFamily]:
        in_flight = GaugeMetricFamily("genlevel_evaluator_in_flight", "Calls in flight.", labels=("model", "suite"))
        waiting = GaugeMetricFamily("genlevel_evaluator_waiting", "Instances that wait, by reason.", labels=("model", "suite", "reason"))
        pending = GaugeMetricFamily(
            "genlevel_evaluator_pending", "Instances of running runs without an outcome.", labels=("model", "suite")
        )
        totals: dict[tuple[str, str], list[int]] = {}
        reasons: dict[tuple[str, str, str], int] = {}
        for source in list(self.sources):
            entry = totals.setdefault((source.model, source.suite), [0, 0])
            entry[0] += source.in_flight()
            entry[1] += source.pending()
            for reason, count in source.waiting().items():
                key = (source.model, source.suite, reason)
                reasons[key] = reasons.get(key, 0) + count
        for labels, (flying, left) in totals.items():
            in_flight.add_metric(labels, flying)
            pending.add_metric(labels, left)
        for reason_labels, count in reasons.items():
            waiting.add_metric(reason_labels, count)
        return (in_flight, waiting, pending)
