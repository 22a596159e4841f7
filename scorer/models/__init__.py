"""Published networks behind the metrics that need one: small ports, loaded lazily from weights that are already on this machine.

Nothing is downloaded while answers are scored: weights come from a path, or from the Hugging Face hub's cache (``genlevel metrics fetch``
puts them there). torch, transformers and torchvision are imported when a network is first used, never before.
"""

from __future__ import annotations

from scorer.models.catalogue import NETWORKS, Network
from scorer.models.loading import Networks, NetworkUnavailable, configure, networks

__all__ = ["NETWORKS", "Network", "NetworkUnavailable", "Networks", "configure", "networks"]
