"""Boxes over time: tracks, tubes, 3D tracks, and poses of a moving camera."""

from __future__ import annotations

from scorer.metrics.base import Factories

FACTORIES: Factories = {}
