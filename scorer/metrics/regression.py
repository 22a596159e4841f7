"""Errors of numbers, series, depth and flow."""

from __future__ import annotations

from scorer.metrics.base import Factories

FACTORIES: Factories = {}
