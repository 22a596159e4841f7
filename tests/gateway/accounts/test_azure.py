"""Azure: where its models are asked and with what, as OpenAI's SDK asks them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import openai
import pytest
from aiohttp import web

from gateway.accounts import azure
from gateway.accounts.azure import Tokens, address_of, azure_client
from gateway.accounts.clients import Wanted
from gateway.routes import Routes
from gateway.service import Gateway
from genlevel.runtime.errors import CallFailed, ConfigurationError, ErrorClass
from genlevel.runtime.settings import Account, Api, Route, Settings
from genlevel.v1 import gateway_pb2 as gw

OWN = "https://me.openai.azure.com"
KEY = "0123456789abcdef0123456789abcdef"
TOKEN = "eyJhbGciOi.eyJhdWQi.c2ln"


@pytest.fixture(autouse=True)
def without_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("base_url", "version", "api", "expected"),
    [
        (OWN, "", Api.CHAT, f"{OWN}/openai/v1"),
        (f"{OWN}/", "", Api.RESPONSES, f"{OWN}/openai/v1"),
        (f"{OWN}/openai/v1/", "2024-10-21", Api.CHAT, f"{OWN}/openai/v1"),
        (OWN, "2024-10-21", Api.CHAT, f"{OWN}/openai/deployments/my%20gpt"),
        (f"{OWN}/openai", "2024-10-21", Api.IMAGES, f"{OWN}/openai/deployments/my%20gpt"),
        (OWN, "2025-03-01-preview", Api.RESPONSES, f"{OWN}/openai"),
        (f"{OWN}/openai/deployments/other", "2024-10-21", Api.CHAT, f"{OWN}/openai/deployments/other"),
        ("https://me.services.ai.azure.com/models", "", Api.CHAT, "https://me.services.ai.azure.com/models"),
    ],
)
def test_the_address_follows_from_the_resource_and_the_version(base_url: str, version: str, api: Api, expected: str) -> None:
    assert address_of(base_url, version, "my gpt", api) == expected


@pytest.mark.parametrize("version", ["", "2024-10-21"])
async def test_a_call_is_the_one_that_openais_sdk_makes(
    version: str,
    stub: Any,
    make_gateway: Callable[[Settings], Gateway],
    asking: Callable[..., gw.GenerateRequest],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    queries, reply = list[str](), stub.answer

    async def answer(request: web.Request) -> web.StreamResponse:
        queries.append(request.query_string)
        return await reply(request)

    stub.answer = answer
    versioned = openai.AsyncAzureOpenAI(azure_endpoint=stub.url, api_version=version or "none", api_key=KEY)
    plain = openai.AsyncOpenAI(base_url=f"{stub.url}/openai/v1", api_key="unused", default_headers={"api-key": KEY})
    async with versioned, plain:
        sdk = versioned if version else plain
        await sdk.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])
    account = Account(provider="azure", base_url=stub.url, api_version=version, api_key_env="MY_KEY")
    gateway = make_gateway(Settings(accounts={"azure": account}))
    try:
        answer = await gateway.generate(asking("azure/gpt-4o"))
    finally:
        await gateway.close()
    (their_path, theirs, _), (our_path, ours, body) = stub.requests
    assert our_path == their_path
    assert queries == [f"api-version={version}" if version else ""] * 2
    assert ours["api-key"] == theirs["api-key"] == KEY
    assert "authorization" not in ours
    assert (body["model"], answer.provider) == ("gpt-4o", "azure")


def test_a_token_of_entra_goes_as_a_bearer_token(monkeypatch: pytest.MonkeyPatch) -> None:
    assert azure_client(Wanted(OWN, key=TOKEN)).headers["authorization"] == f"Bearer {TOKEN}"
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", TOKEN)
    assert azure_client(Wanted(OWN)).headers["authorization"] == f"Bearer {TOKEN}"
    assert "api-key" not in azure_client(Wanted(OWN)).headers
    assert "authorization" not in azure_client(Wanted("https://proxy.example/openai")).headers, "not to others"


def test_foundrys_models_have_a_version_of_their_own() -> None:
    assert azure_client(Wanted("https://me.services.ai.azure.com/models", key="k")).query == "api-version=2024-05-01-preview"
    assert azure_client(Wanted(OWN, key="k")).query == ""


class Token(NamedTuple):
    token: str
    expires_on: int


async def test_tokens_are_asked_for_once_and_anew_before_they_run_out() -> None:
    scopes: list[str] = []

    class Credential:
        def get_token(self, scope: str) -> Token:
            if "" in scopes:
                raise LookupError("sign in")
            scopes.append(scope)
            return Token(f"token-{len(scopes)}", int(time.time()) + (1 if len(scopes) == 1 else 3600))

    tokens = Tokens(Credential(), LookupError)
    said = [(await tokens("POST", "", []))["authorization"] for _ in range(3)]
    assert said == ["Bearer token-1", "Bearer token-2", "Bearer token-2"]
    scopes.append("")
    tokens._until = 0.0
    with pytest.raises(CallFailed, match="sign in") as caught:
        await tokens("POST", "", [])
    assert caught.value.error_class == ErrorClass.CREDENTIAL
    assert set(scopes) == {"https://cognitiveservices.azure.com/.default", ""}


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure, "find_spec", lambda _: None)
    with pytest.raises(CallFailed, match="AZURE_OPENAI_AD_TOKEN") as caught:
        azure_client(Wanted(OWN))
    assert caught.value.error_class == ErrorClass.CREDENTIAL
    with pytest.raises(ConfigurationError, match=r"needs base_url, such as https://NAME\.openai"):
        Routes(Settings(accounts={"azure": Account(provider="azure")}))
    with pytest.raises(CallFailed, match=r"write `azure: .*below accounts in genlevel.yaml"):
        Routes(Settings()).resolve("azure/gpt")
    route = Routes(Settings(accounts={"azure": Account(provider="azure", base_url=OWN)})).resolve("azure/gpt")
    assert "AZURE_OPENAI_API_KEY" in route.problem()
    proxy = Routes(Settings(accounts={"azure": Account(provider="azure", base_url="https://proxy.example")})).resolve("azure/gpt")
    assert proxy.problem() == ""


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        (OWN, True),
        ("https://me.services.ai.azure.com/models", True),
        ("https://me.cloudapp.azure.com", False),  # machines of anybody
        ("http://me.openai.azure.com", False),
    ],
)
def test_the_usual_key_goes_to_azures_own_addresses_alone(base_url: str, expected: bool) -> None:
    accounts = {"a": Account(provider="azure", base_url=base_url)}
    route = Routes(Settings(accounts=accounts, routes={"r": Route(account="a", model="m")})).resolve("r")
    assert bool(route.key_source.name) is expected
