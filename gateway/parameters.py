"""Which generation parameters are sent: those asked, less what a model is known not to take, plus what its route fixes."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from gateway.adapters.base import Capabilities
from gateway.resolved import ResolvedRoute
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.v1 import gateway_pb2 as gw

DEEPEST_SCHEMA = 100
"""How deep a response schema may be nested: what writes it as JSON goes no deeper than some 250, and it becomes a part of a request."""


def applied(parameters: gw.GenerationParameters, route: ResolvedRoute, capabilities: Capabilities) -> gw.GenerationParameters:
    """The parameters that will be sent.

    Raises CallFailed (CALLER_FAULT, or UNSUPPORTED for a response schema) naming a parameter that cannot be sent.
    """
    taken, max_stop = capabilities.parameters, capabilities.max_stop
    sent = gw.GenerationParameters()
    sent.CopyFrom(parameters)
    if route.parameters.temperature is not None:
        sent.temperature = route.parameters.temperature
    elif not route.parameters.send_temperature or "temperature" in route.facts.omits:
        sent.ClearField("temperature")
    for name in route.facts.omits:
        if name != "temperature":
            sent.ClearField(name)
    for name in ("temperature", "max_output_tokens", "top_p", "seed"):
        if name not in taken and sent.HasField(name):
            raise _fault(f"{route.provider} has no parameter {name} in its {route.api} API; leave it out", f"parameters.{name}")
    if sent.stop and ("stop" not in taken or (max_stop and len(sent.stop) > max_stop)):
        most = f"at most {max_stop} stop sequences" if "stop" in taken else "no stop sequences"
        raise _fault(f"{route.provider} takes {most} in its {route.api} API", "parameters.stop")
    if sent.max_output_tokens == 0 and "max_output_tokens" in taken and sent.HasField("max_output_tokens"):
        raise _fault("max_output_tokens is 0; leave it out or set at least 1", "parameters.max_output_tokens")
    if sent.response_schema_json:
        _check_schema(sent.response_schema_json, route, capabilities)
    return sent


def _check_schema(written: str, route: ResolvedRoute, capabilities: Capabilities) -> None:
    part = "parameters.response_schema_json"
    if not capabilities.response_schema:
        raise CallFailed(
            ErrorClass.UNSUPPORTED, f"{route.provider} cannot be held to a JSON schema in its {route.api} API; leave it out", part=part
        )
    try:
        schema = orjson.loads(written)
    except orjson.JSONDecodeError:
        raise _fault("response_schema_json is not JSON", part) from None
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise _fault('response_schema_json is not a schema of an object: providers want {"type": "object", ...}', part)
    if _is_deeper(schema, DEEPEST_SCHEMA):
        raise _fault(f"response_schema_json is nested too deep; take at most {DEEPEST_SCHEMA} levels", part)


def _is_deeper(schema: dict[str, object], most: int) -> bool:
    level: list[object] = [schema]
    for _ in range(most):
        level = [inner for outer in level for inner in _within(outer)]
        if not level:
            return False
    return True


def _within(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _fault(message: str, part: str) -> CallFailed:
    return CallFailed(ErrorClass.CALLER_FAULT, message, part=part)
