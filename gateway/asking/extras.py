"""Further fields of a provider's own request: they are added to what is sent, and replace nothing of it."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from gateway.bodies import Json
from gateway.faults import fault
from genlevel.v1 import gateway_pb2 as gw

_OURS = frozenset({"stream", "stream_options", "model"})
"""Fields that say how an answer comes, and whose: a request does not choose them here."""
_LIMITS = frozenset({"max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens", "num_predict"})
"""How servers call the most tokens of an answer; several know more than one of them, and one decides."""
PART = "extra_json"


def extra_of(request: gw.GenerateRequest) -> Json:
    """The fields that a request adds. Raises CallFailed (CALLER_FAULT) if they are no object of JSON."""
    if not request.extra_json:
        return {}
    try:
        extra = orjson.loads(request.extra_json)
    except orjson.JSONDecodeError:
        extra = None
    if not isinstance(extra, dict):
        raise fault(PART, "extra_json is not a JSON object")
    return extra


def put_extra(body: Json, extra: Mapping[str, object], *, said_by: str = PART) -> None:
    """Adds fields to a body. An object is merged with the one that is there.

    said_by: who adds them, for messages. Raises CallFailed (CALLER_FAULT) for a field that is there already, by its path.
    """
    for name in _OURS & extra.keys():
        raise fault(PART, f"{said_by}: {name} cannot be set here")
    if (limits := _LIMITS & extra.keys()) and (there := _LIMITS & body.keys()):
        raise fault(PART, f"{said_by}: {min(limits)} cannot be set beside {min(there)}; set it in one place")
    _put(body, extra, said_by, "")


def _put(body: Json, extra: Mapping[str, object], said_by: str, path: str) -> None:
    for name, value in extra.items():
        there = body.get(name)
        if there is None:
            body[name] = value
        elif isinstance(there, dict) and isinstance(value, dict):
            _put(there, value, said_by, f"{path}{name}.")
        else:
            raise fault(PART, f"{said_by}: the request has {path}{name} already; set it in one place")
