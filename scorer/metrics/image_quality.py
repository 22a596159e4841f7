"""Pictures against reference pictures."""

from __future__ import annotations

from scorer.metrics.base import Factories

FACTORIES: Factories = {}
