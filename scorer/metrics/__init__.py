"""The metrics of General-Bench: one module a family; each metric a state keyed by instance. ``create`` is the way in."""

from __future__ import annotations

from scorer.metrics.base import Metric, MetricState, MetricUnavailable, NotComparable, Question, UnreadableAnswer, Value
from scorer.metrics.registry import create, implemented

__all__ = [
    "Metric",
    "MetricState",
    "MetricUnavailable",
    "NotComparable",
    "Question",
    "UnreadableAnswer",
    "Value",
    "create",
    "implemented",
]
