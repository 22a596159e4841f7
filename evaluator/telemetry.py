"""What the evaluator shows Prometheus: calls in flight, what waits and why, retries, answers by outcome."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from genlevel.benchmark.outcomes import Outcome
from genlevel.benchmark.suite_hash import short_hash
from genlevel.runtime.limits import LimiterState
from genlevel.v1 import scorer_pb2 as sc

MOST_CONTENTS = 3
"""Contents of a suite of one name that are told apart for a model: one that is edited every day leaves few behind."""

_SUITE = ("suite", "suite_hash")


class SuiteName(NamedTuple):
    """How series name a suite: its name, and the beginning of its content's hash; "" if that is not known."""

    name: str
    content: str = ""


def suite_name(header: sc.ScoreTaskHeader) -> SuiteName:
    """What a run's series name its suite."""
    return SuiteName(header.suite, short_hash(header.suite_hash))


class EvaluatorTelemetry:
    """Counters and gauges of one evaluator. Labels are bounded: models, suites and classes, never instances."""

    def __init__(self, registry: CollectorRegistry, most_pairs: int = 200) -> None:
        self._answers = Counter(
            "genlevel_evaluator_answers", "Instances with an outcome.", ("model", *_SUITE, "outcome"), registry=registry
        )
        self._retries = Counter(
            "genlevel_evaluator_retries", "Calls repeated, by the class of the error.", ("model", "error_class"), registry=registry
        )
        self._calls = Counter("genlevel_evaluator_calls", "Calls to the gateway that have ended.", ("model",), registry=registry)
        self._judgements = Counter(
            "genlevel_evaluator_judgements",
            "Answers that a judge has rated or failed on.",
            ("judge", *_SUITE, "outcome"),
            registry=registry,
        )
        self._contents: dict[tuple[str, str], list[str]] = {}  # of each model and suite, those asked last at the end
        self._most_pairs = most_pairs
        self._series: dict[tuple[Counter, tuple[str, ...]], Counter] = {}
        self._live = _Live()
        registry.register(self._live)

    def answered(self, model: str, suite: SuiteName, outcome: Outcome) -> None:
        """Counts one instance that has its outcome."""
        self._of(self._answers, *self._bounded(model, suite), outcome.value).inc()

    def called(self, model: str, suite: SuiteName) -> None:
        """Counts one call."""
        self._of(self._calls, self._bounded(model, suite)[0]).inc()

    def retried(self, model: str, suite: SuiteName, error_class: str) -> None:
        """Counts one repetition."""
        self._retries.labels(self._bounded(model, suite)[0], error_class).inc()

    def judged(self, judge: str, suite: SuiteName, *, ok: bool) -> None:
        """Counts one judgement, or one failure of a judge."""
        self._judgements.labels(*self._bounded(judge, suite), "judged" if ok else "failed").inc()

    def show(self, source: LiveSource) -> None:
        """Shows a run's gauges until ``hide``."""
        self._live.sources.append(source)

    def hide(self, source: LiveSource) -> None:
        """Stops showing a run's gauges."""
        if source in self._live.sources:
            self._live.sources.remove(source)

    @contextlib.contextmanager
    def showing_left(self, run: Led) -> Iterator[None]:
        """Shows meanwhile how much is left of a run that members ask, here or elsewhere, who show the rest."""
        self._live.led.append(run)
        try:
            yield
        finally:
            self._live.led.remove(run)

    def _bounded(self, model: str, suite: SuiteName) -> tuple[str, str, str]:
        """The labels of a model, a suite and its content. The series of contents that were asked long ago leave."""
        known = self._contents.get((model, suite.name))
        if known is None:
            if len(self._contents) >= self._most_pairs:
                return "other", "other", ""
            known = self._contents[model, suite.name] = []
        if suite.content not in known:
            known.append(suite.content)
            while len(known) > MOST_CONTENTS:
                self._forget(model, suite.name, known.pop(0))
        return model, *suite

    def _of(self, counter: Counter, *labels: str) -> Counter:
        """One series of a counter. (To look it up by its labels takes the counter itself several times as long.)"""
        if (found := self._series.get((counter, labels))) is None:
            found = self._series[counter, labels] = counter.labels(*labels)
        return found

    def _forget(self, *labels: str) -> None:
        for counter, kinds in ((self._answers, [kind.value for kind in Outcome]), (self._judgements, ["judged", "failed"])):
            for kind in kinds:
                self._series.pop((counter, (*labels, kind)), None)
                with contextlib.suppress(KeyError):
                    counter.remove(*labels, kind)


class LiveSource(Protocol):
    """A run that goes on: what a scrape asks it."""

    model: str
    suite: SuiteName
    account: str

    def limits(self) -> LimiterState:
        """How its account's limiter stands."""
        ...

    def in_flight(self) -> int:
        """Calls in flight."""
        ...

    def waiting(self) -> Mapping[str, int]:
        """Instances that wait, by reason."""
        ...

    def pending(self) -> int:
        """Instances without an outcome."""
        ...

    def batches_waiting(self) -> tuple[int, int, int]:
        """Batches that wait at a provider, instances in them, and how many of these it has answered."""
        ...


class Led(Protocol):
    """A run that is led here, and asked by its members."""

    model: str
    suite: SuiteName

    def pending(self) -> int:
        """Instances without an outcome."""
        ...


class _Live(Collector):
    def __init__(self) -> None:
        self.sources: list[LiveSource] = []
        self.led: list[Led] = []

    def collect(self) -> Iterable[GaugeMetricFamily]:
        in_flight = GaugeMetricFamily("genlevel_evaluator_in_flight", "Calls in flight.", labels=("model", *_SUITE))
        waiting = GaugeMetricFamily("genlevel_evaluator_waiting", "Instances that wait, by reason.", labels=("model", *_SUITE, "reason"))
        pending = GaugeMetricFamily(
            "genlevel_evaluator_pending", "Instances of running runs without an outcome.", labels=("model", *_SUITE)
        )
        batches = GaugeMetricFamily(
            "genlevel_evaluator_batches", "Batches of running runs that wait at a provider.", labels=("model", *_SUITE)
        )
        batched = GaugeMetricFamily(
            "genlevel_evaluator_batch_instances",
            "Instances in them, by whether the provider says that it has answered them.",
            labels=("model", *_SUITE, "state"),
        )
        pace = GaugeMetricFamily("genlevel_account_pace", "Calls a second that are let through, if calls are paced.", labels=("account",))
        slots = GaugeMetricFamily("genlevel_account_concurrency_limit", "Calls that may be in flight.", labels=("account",))
        slices = GaugeMetricFamily(
            "genlevel_account_slice", "This process's part of an account's limit that processes share.", labels=("account", "kind")
        )
        totals: dict[tuple[str, ...], list[int]] = {}
        waits: dict[tuple[str, ...], list[int]] = {}
        reasons: dict[tuple[str, ...], int] = {}
        accounts: dict[str, LimiterState] = {}
        for source in list(self.sources):
            accounts[source.account] = source.limits()
            entry = totals.setdefault((source.model, *source.suite), [0, 0])
            entry[0] += source.in_flight()
            entry[1] += source.pending()
            if any(found := source.batches_waiting()):
                before = waits.get((source.model, *source.suite), [0, 0, 0])
                waits[source.model, *source.suite] = [old + new for old, new in zip(before, found, strict=True)]
            for reason, count in source.waiting().items():
                key = (source.model, *source.suite, reason)
                reasons[key] = reasons.get(key, 0) + count
        for led in list(self.led):
            totals.setdefault((led.model, *led.suite), [0, 0])[1] += led.pending()
        for labels, (flying, left) in totals.items():
            in_flight.add_metric(labels, flying)
            pending.add_metric(labels, left)
        for labels, (count, instances, answered) in waits.items():
            batches.add_metric(labels, count)
            batched.add_metric((*labels, "waiting"), instances - answered)
            batched.add_metric((*labels, "answered"), answered)
        for reason_labels, count in reasons.items():
            waiting.add_metric(reason_labels, count)
        for account, state in accounts.items():
            slots.add_metric((account,), state.concurrency)
            for kind, part in state.slices.items():
                slices.add_metric((account, kind), part)
            if state.pace is not None:
                pace.add_metric((account,), state.pace)
        return (in_flight, waiting, pending, batches, batched, pace, slots, slices)
