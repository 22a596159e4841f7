"""Clients of Google's cloud: where they ask, with which key or token, and that a token is asked for once for all that wait."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest
from aiohttp import web

from gateway.accounts import google_cloud
from gateway.accounts.clients import Client, Wanted
from gateway.accounts.google_clients import anthropic_vertex_client, gemini_client, vertex_client
from gateway.accounts.google_cloud import Tokens
from gateway.adapters.anthropic_vertex import VertexMessages
from gateway.adapters.blocks import Ask, Image, Turn
from gateway.service import Gateway
from genlevel.runtime.errors import CallFailed, ConfigurationError
from genlevel.runtime.logs import redact
from genlevel.runtime.settings import Account, Route, Settings
from genlevel.v1 import gateway_pb2 as gw

BELOW = "v1beta1/projects/p-1/locations"


@pytest.fixture(autouse=True)
def _no_credentials_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")


def test_ai_studio_gets_its_key_in_its_own_header() -> None:
    client = gemini_client(Wanted("https://here.example/v1beta", "k-1"))
    assert (client.base_url, client.headers["x-goog-api-key"]) == ("https://here.example/v1beta", "k-1")
    assert "x-goog-api-key" not in gemini_client(Wanted("http://127.0.0.1:9")).headers
    assert gemini_client(Wanted("https://here.example/v1beta", "k-1", api_version="v1")).base_url == "https://here.example/v1"


@pytest.mark.parametrize(
    ("region", "project", "address"),
    [
        ("", "", "https://aiplatform.googleapis.com/v1beta1"),
        ("", "p-1", f"https://aiplatform.googleapis.com/{BELOW}/global"),
        ("europe-west4", "p-1", f"https://europe-west4-aiplatform.googleapis.com/{BELOW}/europe-west4"),
        ("eu", "p-1", f"https://aiplatform.eu.rep.googleapis.com/{BELOW}/eu"),
    ],
)
def test_a_key_goes_to_the_projects_location_or_to_the_api_itself(region: str, project: str, address: str) -> None:
    client = vertex_client(Wanted("", "AIza-key", region, project))
    assert (client.base_url, client.headers["x-goog-api-key"], client.authorise) == (address, "AIza-key", None)


def test_the_environment_says_the_location_and_an_account_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "us-east5")
    client = vertex_client(Wanted("", "AIza-key", project="p-1", api_version="v1"))
    assert client.base_url == "https://us-east5-aiplatform.googleapis.com/v1/projects/p-1/locations/us-east5"


def test_the_machines_own_credentials_go_to_no_other_host() -> None:
    client = vertex_client(Wanted("http://127.0.0.1:9/v1"))
    assert (client.base_url, client.authorise) == ("http://127.0.0.1:9/v1", None)
    assert not {"authorization", "x-goog-api-key"} & client.headers.keys()


def test_without_credentials_it_says_what_to_do() -> None:
    pytest.importorskip("google.auth")
    with pytest.raises(ConfigurationError, match="application-default login"):
        vertex_client(Wanted(""))
    with pytest.raises(ConfigurationError, match="service account"):
        vertex_client(Wanted("", '{"type": "what"}'))


class TokenServer:
    """Google's token endpoint on loopback, and a file of credentials that names it."""

    def __init__(self) -> None:
        self.asked = 0
        self.reply: dict[str, Any] = {"access_token": "token-0123456789", "expires_in": 3600, "token_type": "Bearer"}
        self.status = 200
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.asked += 1
        await asyncio.sleep(0.05)
        return web.json_response(self.reply, status=self.status)

    def credentials(self) -> str:
        """A service account's key."""
        known = {"project_id": "p-1", "private_key_id": "k", "client_email": "robot@p-1.example"}
        return json.dumps({"type": "service_account", **known, "private_key": private_key(), "token_uri": self.url}, indent=2)


@cache
def private_key() -> str:
    from cryptography.hazmat.primitives import serialization as to
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(to.Encoding.PEM, to.PrivateFormat.PKCS8, to.NoEncryption()).decode()


@pytest.fixture
async def tokens() -> Any:
    pytest.importorskip("google.auth")
    server = TokenServer()
    application = web.Application()
    application.router.add_post("/token", server.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/token"
    yield server
    await runner.cleanup()


def client_of(server: TokenServer) -> Client:
    return vertex_client(Wanted("", server.credentials(), "global", "p-1"))


async def authorised(client: Client) -> dict[str, str]:
    assert client.authorise is not None
    assert not client.reads_body, "media need not be encoded before they are sent"
    return dict(await client.authorise("POST", client.base_url, ()))


async def test_one_call_asks_for_the_token_and_all_use_it(tokens: TokenServer) -> None:
    client = client_of(tokens)
    found = await asyncio.gather(*(authorised(client) for _ in range(20)))
    assert found == [{"authorization": "Bearer token-0123456789"}] * 20
    assert tokens.asked == 1
    assert "token-0123456789" not in redact("token-0123456789")
    assert private_key() not in redact(private_key())


async def test_the_project_that_pays_is_named_if_it_is_another() -> None:
    pytest.importorskip("google.auth")
    from google.oauth2.credentials import Credentials

    found = await Tokens(Credentials("token-of-user", quota_project_id="pays"), "vertex").authorise("POST", "", ())
    assert found == {"authorization": "Bearer token-of-user", "x-goog-user-project": "pays"}


async def test_a_token_near_its_end_is_used_while_another_is_asked_for(tokens: TokenServer) -> None:
    client = client_of(tokens)
    await authorised(client)
    credentials = client.authorise.__self__._credentials  # type: ignore[union-attr]
    credentials.expiry -= timedelta(seconds=3600 - 60)
    tokens.reply["access_token"] = "token-the-second"
    assert (await authorised(client))["authorization"] == "Bearer token-0123456789"
    await asyncio.sleep(0.3)
    assert (await authorised(client))["authorization"] == "Bearer token-the-second"
    assert tokens.asked == 2


async def test_no_token_is_a_failure_of_the_credentials_and_an_endpoint_that_is_away_passes(tokens: TokenServer) -> None:
    tokens.reply, tokens.status = {"error": "invalid_grant", "error_description": "Bad Request"}, 400
    client = client_of(tokens)
    with pytest.raises(CallFailed, match="check the credentials") as caught:
        await authorised(client)
    assert caught.value.reason == "CREDENTIAL"
    tokens.url = "http://127.0.0.1:9/token"
    with pytest.raises(CallFailed, match="no access token") as caught:
        await authorised(client_of(tokens))
    assert caught.value.reason == "TRANSIENT"


async def test_a_call_that_gives_up_leaves_the_token_to_others_and_its_failure_to_nobody(tokens: TokenServer) -> None:
    untold: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: untold.append(context))
    client = client_of(tokens)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(authorised(client), 0.01)
    assert (await authorised(client))["authorization"] == "Bearer token-0123456789"
    assert tokens.asked == 1
    tokens.status = 400
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(authorised(client_of(tokens)), 0.01)
    await asyncio.sleep(0.3)
    gc.collect()
    assert untold == []


async def test_a_file_of_credentials_is_the_key_of_an_account(
    tokens: TokenServer, stub: Any, tmp_path: Path, make_gateway: Callable[[Settings], Gateway], asking: Callable[..., gw.GenerateRequest]
) -> None:
    file = tmp_path / "credentials.json"
    file.write_text(tokens.credentials())
    stub.replies({"candidates": [{"content": {"parts": [{"text": "Paris"}]}, "finishReason": "STOP"}], "modelVersion": "g"})
    account = Account(provider="vertex", base_url=f"{stub.url}/{BELOW}/global", api_key_file=file)
    gateway = make_gateway(Settings(accounts={"cloud": account}, routes={"r": Route(account="cloud", model="gemini-x")}))
    try:
        response = await gateway.generate(asking("r"))
    finally:
        await gateway.close()
    [(path, headers, body)] = stub.requests
    assert response.parts[0].text == "Paris"
    assert path == f"/{BELOW}/global/publishers/google/models/gemini-x:generateContent"
    assert headers["authorization"] == "Bearer token-0123456789"
    assert body == {"contents": [{"role": "user", "parts": [{"text": "Capital of France?"}]}]}


async def test_a_project_that_is_not_said_is_told_with_what_to_set(
    tokens: TokenServer, tmp_path: Path, make_gateway: Callable[[Settings], Gateway], asking: Callable[..., gw.GenerateRequest]
) -> None:
    file = tmp_path / "credentials.json"
    file.write_text(tokens.credentials().replace("project_id", "not_said"))
    gateway = make_gateway(Settings(accounts={"vertex": Account(provider="vertex", api_key_file=file)}))
    with pytest.raises(CallFailed, match="set project of its account"):
        await gateway.generate(asking("vertex/gemini-x"))
    await gateway.close()


@pytest.mark.parametrize("streamed", [False, True])
async def test_anthropics_models_are_asked_as_its_own_sdk_does(streamed: bool) -> None:
    sent: list[httpx2.Request] = []

    async def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(418)

    sdk = anthropic.AsyncAnthropicVertex(
        region="us-east5",
        project_id="p-1",
        access_token="t",
        max_retries=0,
        http_client=httpx2.AsyncClient(transport=httpx2.MockTransport(answer)),
    )
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}}
    with pytest.raises(anthropic.APIStatusError):
        await sdk.messages.create(
            model="claude-x@20260101",
            max_tokens=9,
            system="Be brief.",
            messages=[{"role": "user", "content": [{"type": "text", "text": "q"}, image]}],  # type: ignore[list-item]
            stream=streamed,
        )
    adapter = VertexMessages()
    turns = [Turn("system", ["Be brief."]), Turn("user", ["q", Image("image/png", base64="QUJD")])]
    body = adapter.request("claude-x@20260101", Ask(turns, gw.GenerationParameters(max_output_tokens=9)))
    assert adapter.headers(body) is None
    client = anthropic_vertex_client(Wanted("", "AIza", "us-east5", "p-1"))
    asked = json.loads(sent[0].content)
    assert asked.pop("stream") is streamed
    assert (f"{client.base_url}/{adapter.path('claude-x@20260101', streamed=streamed)}", body) == (str(sent[0].url), asked)
    older = adapter.request("claude-x", Ask(turns, gw.GenerationParameters(temperature=0)))
    adapter.headers(older)
    assert older["anthropic_version"] == "vertex-2023-10-16"


def test_credentials_are_looked_for_without_asking_anybody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    maker = tmp_path / "product_name"
    monkeypatch.setattr(google_cloud, "_MAKER", maker)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    assert "gcloud auth application-default login" in google_cloud.problem()
    (tmp_path / "application_default_credentials.json").touch()
    assert google_cloud.problem() == ""
    (tmp_path / "application_default_credentials.json").unlink()
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "key.json")
    assert google_cloud.problem() == ""
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    maker.write_text("Google Compute Engine\n")
    assert google_cloud.problem() == "", "its account may do"


def test_a_failure_to_open_names_the_provider_once() -> None:
    with pytest.raises(ConfigurationError, match=r"^no project; set project of its account"):
        vertex_client(Wanted("", json.dumps({"type": "authorized_user", "client_id": "a", "client_secret": "b", "refresh_token": "c"})))
    with pytest.raises(ConfigurationError, match=r"^there are no credentials of Google's cloud here"):
        vertex_client(Wanted(""))
