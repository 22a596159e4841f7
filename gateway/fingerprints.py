"""What a configuration says of a route that decides its answers, as a short hash: the same name for something else is another run."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from genlevel.runtime.settings import Account, Route

# Bounds for budgets: they decide nothing about an answer.
_BOUNDS = {"max_seconds", "max_tokens_per_image"}


def fingerprint(route: Route, account: Account, usual_api: str) -> str:
    """16 hexadecimal digits; "" where nothing is said beyond provider and model: a plain route is the same run under any configuration.

    usual_api: the API that the model is asked by where the route names none. Not part of it: keys, prices, limits and bounds, and what a
    run's identity has by itself (frames of a video, whether answers are held to schemas).
    """
    said: dict[str, Any] = {
        "base_url": account.base_url.rstrip("/"),
        "api": route.api if route.api != usual_api else None,
        "media": route.media.model_dump(exclude_defaults=True, exclude=_BOUNDS),
        "parameters": route.parameters.model_dump(exclude_defaults=True),
        "input_modalities": sorted(route.input_modalities or ()),
        "output_modalities": sorted(route.output_modalities or ()),
    }
    said = {name: value for name, value in said.items() if value}
    if not said:
        return ""
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]
