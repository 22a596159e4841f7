"""Metrics that need the weights of a published network."""

from __future__ import annotations

from scorer.metrics.base import Factories

FACTORIES: Factories = {}
