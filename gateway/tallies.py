"""Counts that cost little to make: plain numbers, which become Prometheus' series when somebody asks for them.

prometheus_client's own take a lock for each of the dozen numbers that a call changes. All that changes these is on one event loop, so
nothing is lost without; who reads them from another thread sees each as it was at some moment.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class Count:
    """A number that grows."""

    __slots__ = ("created", "value")

    def __init__(self) -> None:
        self.value: float = 0
        self.created = time.time()

    def inc(self, by: float = 1) -> None:
        """Adds, not below 0."""
        self.value += by


class Distribution:
    """How many values there were up to each of some bounds, and their sum."""

    __slots__ = ("_bounds", "counts", "created", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total: float = 0
        self.created = time.time()

    def observe(self, value: float) -> None:
        """Counts a value, at the first bound that is not below it."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value


class Counts(Collector):
    """One counter by its labels. Its series has _total behind its name."""

    def __init__(self, name: str, said: str, labels: Sequence[str], *, registry: CollectorRegistry) -> None:
        self._name, self._said, self._labels = name, said, labels
        self._children: dict[tuple[str, ...], Count] = {}
        registry.register(self)

    def labels(self, *values: str) -> Count:
        """The number of these labels, always the same one."""
        return self._children.setdefault(values, Count())

    def describe(self) -> Iterable[Metric]:
        """Its name, for whoever makes sure that there is one of it."""
        yield CounterMetricFamily(self._name, self._said, labels=self._labels)

    def collect(self) -> Iterable[Metric]:
        """All of it, as Prometheus has it."""
        family = CounterMetricFamily(self._name, self._said, labels=self._labels)
        for values, child in list(self._children.items()):
            family.add_metric(values, child.value, created=child.created)
        yield family


class Distributions(Collector):
    """One histogram by its labels. buckets: upper bounds, growing."""

    def __init__(self, name: str, said: str, labels: Sequence[str], *, buckets: Sequence[float], registry: CollectorRegistry) -> None:
        self._name, self._said, self._labels = name, said, labels
        self._bounds = tuple(buckets)
        self._children: dict[tuple[str, ...], Distribution] = {}
        registry.register(self)

    def labels(self, *values: str) -> Distribution:
        """The distribution of these labels, always the same one."""
        return self._children.setdefault(values, Distribution(self._bounds))

    def describe(self) -> Iterable[Metric]:
        """Its name, for whoever makes sure that there is one of it."""
        yield HistogramMetricFamily(self._name, self._said, labels=self._labels)

    def collect(self) -> Iterable[Metric]:
        """All of it, as Prometheus has it: cumulated, and with a bound that is infinite."""
        family = HistogramMetricFamily(self._name, self._said, labels=self._labels)
        bounds = [*map(floatToGoString, self._bounds), "+Inf"]
        for values, child in list(self._children.items()):
            cumulated = map(float, accumulate(child.counts))
            family.add_metric(values, list(zip(bounds, cumulated, strict=True)), child.total)
            family.add_sample(f"{self._name}_created", dict(zip(self._labels, values, strict=True)), child.created)
        yield family
