"""Videos on their own and against reference videos."""

from __future__ import annotations

from scorer.metrics.base import Factories

FACTORIES: Factories = {}
