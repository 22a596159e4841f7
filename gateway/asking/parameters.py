"""Which generation parameters are sent: those asked, less what a model is known not to take, plus what its route fixes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import orjson

from gateway.adapters.base import Capabilities
from gateway.providers import Dialect
from gateway.resolved import ResolvedRoute
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.v1 import gateway_pb2 as gw

DEEPEST_SCHEMA = 100
"""How deep a response schema may be nested: what writes it as JSON goes no deeper than some 250, and it becomes a part of a request."""


_REFUSABLE = (
    "temperature",
    "max_output_tokens",
    "top_p",
    "seed",
    "reasoning_effort",
    "reasoning_tokens",
    "logprobs",
    "presence_penalty",
    "frequency_penalty",
    "top_k",
)
"""Those that an API has or has not, whatever their value."""


class Applied(NamedTuple):
    """What is sent of the parameters. dropped: names of those that were asked for and are not, sorted."""

    parameters: gw.GenerationParameters
    dropped: Sequence[str]


def applied(request: gw.GenerateRequest, route: ResolvedRoute, capabilities: Capabilities) -> Applied:
    """The parameters that will be sent: those of the request, less what the model is known not to take, plus what the route fixes.

    Raises CallFailed (CALLER_FAULT, or UNSUPPORTED for a response schema) naming a parameter that cannot be sent and may not be left out.
    """
    sent = gw.GenerationParameters()
    sent.CopyFrom(request.parameters)
    fixed, dropped = route.parameters, list[str]()
    if not fixed.send_temperature:
        _drop(sent, "temperature", dropped)
    # OpenAI's models take them while they do not think: https://developers.openai.com/api/docs/guides/latest-model
    if route.row.dialect is not Dialect.OPENAI or (fixed.reasoning_effort or sent.reasoning_effort) != "none":
        for name in route.facts.omits:
            _drop(sent, name, dropped)
    if fixed.temperature is not None:
        sent.temperature = fixed.temperature
    if fixed.reasoning_effort:
        sent.reasoning_effort = fixed.reasoning_effort
    if fixed.reasoning_tokens is not None:
        sent.reasoning_tokens = fixed.reasoning_tokens
    for field, value in sent.ListFields():
        name = field.name
        if isinstance(value, float) and not math.isfinite(value):  # JSON has no such numbers: null would be sent
            raise _fault(f"{name} is {value}, which no provider takes; leave it out or give a number", f"parameters.{name}")
        if name in _REFUSABLE and not capabilities.takes(name):
            if name not in request.droppable:
                raise _fault(
                    f"{route.provider} has no parameter {name} in its {route.api} API; leave it out, or name it in droppable",
                    f"parameters.{name}",
                )
            _drop(sent, name, dropped)
    _check_stop(sent, route, capabilities, request.droppable, dropped)
    if sent.max_output_tokens == 0 and capabilities.takes("max_output_tokens") and sent.HasField("max_output_tokens"):
        raise _fault("max_output_tokens is 0; leave it out or set at least 1", "parameters.max_output_tokens")
    if sent.response_schema_json:
        if not capabilities.response_schema and "response_schema_json" in request.droppable:
            sent.ClearField("response_schema_json")
            dropped.append("response_schema_json")
        else:
            _check_schema(sent.response_schema_json, route, capabilities)
    return Applied(sent, sorted(set(dropped)))


def _drop(sent: gw.GenerationParameters, name: str, dropped: list[str]) -> None:
    """Leaves a parameter out, if it is set."""
    before = sent.ByteSize()
    sent.ClearField(name)
    if sent.ByteSize() != before:
        dropped.append(name)


def _check_stop(
    sent: gw.GenerationParameters, route: ResolvedRoute, capabilities: Capabilities, droppable: Sequence[str], dropped: list[str]
) -> None:
    max_stop = capabilities.max_stop
    if not sent.stop or (capabilities.takes("stop") and not (max_stop and len(sent.stop) > max_stop)):
        return
    if capabilities.takes("stop"):  # more than it takes: which of them could be left out, nobody knows
        raise _fault(f"{route.provider} takes at most {max_stop} stop sequences in its {route.api} API", "parameters.stop")
    if "stop" not in droppable:
        raise _fault(f"{route.provider} takes no stop sequences in its {route.api} API", "parameters.stop")
    sent.ClearField("stop")
    dropped.append("stop")


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
