"""Sound, speech and music."""

from __future__ import annotations

from scorer.metrics.base import Factories

FACTORIES: Factories = {}
