"""What JSON cannot hold is refused before anything is sent, as the caller's fault."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from gateway.asking.prepared import prepared
from gateway.routes import Routes
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

ROUTES = ["openai/m", "anthropic/m", "gemini/m", "bedrock/amazon.nova-pro-v1:0", "cohere/m", "mistral/m"]
DEEP = '{"a":' + "[" * 400 + "]" * 400 + "}"


async def nothing(reference: ct.BlobReference) -> bytes:
    raise AssertionError


async def refusal(name: str, change: Callable[[gw.GenerateRequest], object]) -> CallFailed:
    request = gw.GenerateRequest(route=name, messages=[ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text="Hi")])])
    change(request)
    route = Routes(Settings()).resolve(name)
    with pytest.raises(CallFailed) as refused:
        await prepared(request, route, route.model, nothing)
    assert refused.value.error_class is ErrorClass.CALLER_FAULT
    assert not refused.value.may_be_charged
    return refused.value


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("name", ["temperature", "top_p"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
async def test_a_parameter_that_is_no_number_is_refused_by_name(route: str, name: str, value: float) -> None:
    failure = await refusal(route, lambda request: setattr(request.parameters, name, value))
    assert failure.part == f"parameters.{name}"
    assert f"{name} is {value}" in failure.message


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "change",
    [
        lambda request: setattr(request, "extra_json", DEEP),
        lambda request: request.tools.append(gw.Tool(name="t", parameters_json=DEEP)),
        lambda request: request.messages.add(role=ct.ROLE_ASSISTANT).parts.add().tool_call.arguments.update({"json": DEEP}),
    ],
)
async def test_what_is_nested_too_deep_is_refused(route: str, change: Callable[[gw.GenerateRequest], object]) -> None:
    assert "written as JSON" in (await refusal(route, change)).message
