"""A caller chooses the name of a model, and with it no other path, no further connections and no memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from gateway.accounts.azure import address_of
from gateway.adapters import adapter_of
from gateway.adapters.base import Adapter
from gateway.adapters.blocks import Turn
from gateway.adapters.veo import VertexVideos
from gateway.providers import PROVIDERS
from gateway.routes import Routes
from gateway.upstream import MOST_ADDRESSES
from gateway.upstreams import Upstreams
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import Account, Api, RouteMedia, Settings
from genlevel.v1 import gateway_pb2 as gw

BASE = "https://host.example/v1/projects/mine/locations/here/"
IN_PATHS = ["gemini", "vertex", "anthropic-vertex", "bedrock"]
LEADING = [
    "../../x",
    "..",
    "models/../../../x",
    "publishers/../../../../theirs/locations/l/endpoints/1",
    "a/./b",
    "a//b",
    "x/",
    "endpoints/..",
]


def adapter(provider: str) -> Adapter:
    row = PROVIDERS[provider]
    return adapter_of(row, row.usual_api)


@pytest.mark.parametrize("provider", IN_PATHS)
@pytest.mark.parametrize("name", LEADING)
def test_a_name_that_leads_elsewhere_is_refused(provider: str, name: str) -> None:
    with pytest.raises(CallFailed, match="not the name of a model") as refused:
        adapter(provider).path(name, streamed=False)
    assert (refused.value.error_class, refused.value.part) == (ErrorClass.CALLER_FAULT, "route")


@pytest.mark.parametrize("provider", IN_PATHS)
@given(
    name=st.lists(st.sampled_from(["..", ".", "/", "%2e", "?key=1", "#", "\r\n", "\0", "a", "models/", "publishers/", "é", "\\", ";"])).map(
        "".join
    )
)
def test_any_other_name_stays_in_its_place(provider: str, name: str) -> None:
    try:
        path = adapter(provider).path(name, streamed=False)
    except CallFailed:
        return
    url = URL(f"{BASE}{path}", encoded="%" in path)
    assert str(url) == f"{BASE}{path}"
    assert (url.raw_query_string, url.raw_fragment) == ("", "")


@pytest.mark.parametrize("name", ["publishers/google/models/veo-3/../../../../x", "../veo-3"])
def test_videos_are_asked_of_models_alone(name: str) -> None:
    turn = Turn("user", ("A cat.",))
    with pytest.raises(CallFailed, match="not the name of a model"):
        VertexVideos().request(name, [turn], gw.GenerationParameters(), RouteMedia())


def test_a_deployment_of_azure_is_one() -> None:
    with pytest.raises(CallFailed, match="not the name of a model"):
        address_of("https://me.openai.azure.com", "2024-10-21", "..", Api.CHAT)


async def test_names_take_neither_connections_nor_memory_without_end() -> None:
    azure = Account(provider="azure", base_url="http://127.0.0.1:9", api_version="2024-10-21")
    routes, upstreams = Routes(Settings(accounts={"azure": azure})), Upstreams()
    try:
        found = [await upstreams.of(routes.resolve(f"azure/m{number}")) for number in range(3)]
        assert len({id(upstream._session) for upstream in found}) == 1
        assert [upstream.base_url.rpartition("/")[2] for upstream in found] == ["m0", "m1", "m2"]
        assert await upstreams.of(routes.resolve("azure/m1")) is found[1]
        for number in range(MOST_ADDRESSES + 10):
            await found[0]._asked("POST", f"models/m{number}:generateContent", b"{}", None, None)
            await upstreams.of(routes.resolve(f"azure/n{number}"))
        assert len(found[0]._urls) <= MOST_ADDRESSES
        assert len(upstreams._open) <= MOST_ADDRESSES
    finally:
        await upstreams.close()
