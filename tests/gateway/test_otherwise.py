"""A cost that is told is what is billed, and a price that is told bounds it: also if a request says more than the contract does."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from gateway.asking.extras import put_extra
from gateway.bodies import Json
from gateway.routes import Routes
from gateway.service import Gateway
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.settings import Account, ModelPrice, Route, RouteMedia, RouteParameters, Settings
from genlevel.v1 import gateway_pb2 as gw

PRICE = ModelPrice(input=Decimal(1), output=Decimal(2))


def info(extra: dict[str, Any], *, price: ModelPrice | None = None, **others: Any) -> gw.ModelInfo:
    route = Route(account="openai", model="gpt-5", price=price, parameters=RouteParameters(extra=extra), **others)
    return Routes(Settings(routes={"r": route})).resolve("r").info()


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        ({"n": 128}, "n"),
        ({"generationConfig": {"candidateCount": 8}}, "candidateCount"),
        ({"service_tier": "priority"}, "service_tier"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"tools": [{"type": "web_search"}]}, "tools"),
    ],
)
def test_a_route_that_costs_otherwise_has_no_price(extra: dict[str, Any], name: str) -> None:
    assert info({"metadata": {"a": "b"}, "n": 1, "service_tier": "default"}).HasField("price")
    found = info(extra)
    assert not found.HasField("price")
    assert found.charges
    assert f"{name} in extra of the route" in found.parameter_note


def test_pictures_beside_those_that_are_asked_for_count_too() -> None:
    assert info({}, media=RouteMedia(extra={"steps": 4})).HasField("price")
    assert not info({}, media=RouteMedia(extra={"n": 4})).HasField("price")


def test_who_gives_the_route_a_price_says_what_its_tier_costs_but_not_how_many_answers_there_are() -> None:
    assert info({"service_tier": "flex"}, price=PRICE).price.input == "1"
    assert not info({"n": 2}, price=PRICE).HasField("price")


@pytest.mark.parametrize(
    ("extra", "known"), [({}, True), ({"n": 2}, True), ({"service_tier": "priority"}, False), ({"web_search_options": {}}, False)]
)
async def test_the_cost_of_one_call_is_told_if_its_tokens_say_it(
    extra: Json, known: bool, stub: Any, make_gateway: Callable[[Settings], Gateway], asking: Callable[..., gw.GenerateRequest]
) -> None:
    account = Account(provider="compatible", base_url=f"{stub.url}/v1")
    gateway = make_gateway(Settings(accounts={"a": account}, routes={"r": Route(account="a", model="m", price=PRICE)}))
    request = asking("r")
    request.extra_json = json.dumps(extra)
    try:
        answer = await gateway.generate(request)
    finally:
        await gateway.close()
    assert answer.HasField("cost_nano_usd") is known


@pytest.mark.parametrize("name", ["max_completion_tokens", "max_tokens", "num_predict"])
def test_the_most_tokens_are_said_once_under_whatever_name(name: str) -> None:
    with pytest.raises(CallFailed, match="set it in one place"):
        put_extra({"max_tokens": 10}, {name: 100_000})
    body: Json = {}
    put_extra(body, {name: 10})
    assert body == {name: 10}
