"""Ratings by people or by a judge model."""

from __future__ import annotations

from scorer.metrics.base import Factories

FACTORIES: Factories = {}
