"""A short hash of the settings of a route that decide its answers: if a name comes to mean something else, its run is another one."""

from __future__ import annotations

import hashlib
import json

from genlevel.runtime.settings import Account, Api, Route

# Bounds for budgets: they decide nothing about an answer.
_BOUNDS = {"max_seconds", "max_tokens_per_image"}


def fingerprint(route: Route, account: Account, *, usual_api: Api, usual_url: str = "") -> str:
    """16 hexadecimal digits; "" if nothing is said beyond provider and model: a plain route is the same run under any configuration.

    usual_api: the API that the model is asked by if the route names none. usual_url: the provider's address if the account names none;
    an account that writes it down says nothing new. Left out: keys, prices, limits and bounds, and what a run's identity has
    already (frames of a video, whether answers are held to schemas).
    """
    base_url = account.base_url.rstrip("/")
    said: dict[str, object] = {
        "base_url": base_url if base_url != usual_url else "",
        "region": account.region,
        "project": account.project,
        "api_version": account.api_version,
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
