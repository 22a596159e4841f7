"""Masks, maps and mattes of pictures, videos and point clouds."""

from __future__ import annotations

from scorer.metrics.base import Factories

FACTORIES: Factories = {}
