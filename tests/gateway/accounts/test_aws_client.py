"""Bedrock's client: what it signs is what botocore would have signed, and what it says without credentials."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import botocore.auth
import botocore.session
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import CredentialRetrievalError

from gateway.accounts import aws_client
from gateway.accounts.aws_client import bedrock_client
from gateway.accounts.clients import Wanted
from gateway.accounts.keys import KeySource
from gateway.adapters.bedrock import BedrockConverse
from gateway.adapters.blocks import Ask, Turn
from gateway.providers import PROVIDERS
from gateway.routes import Routes
from gateway.service import Gateway
from genlevel.runtime import logs
from genlevel.runtime.errors import CallFailed, ConfigurationError, ErrorClass
from genlevel.runtime.settings import Account, Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

NOW = datetime.datetime(2026, 11, 29, 5, 30, tzinfo=datetime.UTC)
MODEL = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-x-v1:0"
NAMES = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def server() -> Iterator[tuple[str, list[tuple[str, dict[str, str], bytes]]]]:
    """A server that keeps what it is asked, and answers as Bedrock does."""
    asked: list[tuple[str, dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            said = b'{"output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}}, "stopReason": "end_turn"}'
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            return

    running = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}", asked
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.mark.parametrize("token", ["", "a-session's-token"])
async def test_a_request_is_the_one_that_botocore_sends_and_has_its_signature(
    server: Any, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = server
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: NOW)
    if token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    ask = Ask([Turn("system", ["Be brief."]), Turn("user", ["Hi"])], gw.GenerationParameters(max_output_tokens=9, temperature=0.5))
    body: Any = BedrockConverse().request(MODEL, ask)
    once = Config(retries={"total_max_attempts": 1})
    boto = botocore.session.get_session().create_client("bedrock-runtime", "eu-central-1", endpoint_url=url, config=once)
    boto.converse(modelId=MODEL, **body)
    ((path, theirs, sent),) = asked
    assert json.loads(sent) == body
    assert path == f"/{BedrockConverse().path(MODEL, streamed=False)}"

    client = bedrock_client(Wanted(url, region="eu-central-1"))
    assert client.authorise is not None
    ours = await client.authorise("POST", f"{url}{path}", [sent[:10], sent[10:]])
    assert ours.pop("content-type") == client.headers["content-type"]
    assert ours == {name: theirs[name] for name in ("authorization", "x-amz-date", *(("x-amz-security-token",) if token else ()))}


@pytest.mark.parametrize("size", [3, 3 << 20])
async def test_what_arrives_is_what_was_signed(
    server: Any, size: int, make_gateway: Callable[[Settings], Gateway], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = server
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: NOW)
    gateway = make_gateway(Settings(accounts={"bedrock": Account(provider="bedrock", base_url=url, region="eu-central-1")}))
    picture = ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", inline=bytes(size))
    parts = [ct.Part(text="What is it?"), ct.Part(media=picture)]
    try:
        await gateway.generate(gw.GenerateRequest(route=f"bedrock/{MODEL}", messages=[ct.Message(role=ct.ROLE_USER, parts=parts)]))
    finally:
        await gateway.close()
    ((path, headers, body),) = asked
    assert path == f"/{BedrockConverse().path(MODEL, streamed=False)}"
    assert len(body) > size
    request = AWSRequest("POST", f"{url}{path}", {"content-type": headers["content-type"]}, body)
    credentials = botocore.session.get_session().get_credentials()
    botocore.auth.SigV4Auth(credentials, "bedrock", "eu-central-1").add_auth(request)
    assert headers["authorization"] == request.headers["authorization"]


async def test_a_large_body_is_hashed_as_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: NOW)
    client = bedrock_client(Wanted("", region="us-east-1"))
    assert client.authorise is not None
    body = bytes(aws_client.LARGE_BYTES + 1)
    large = await client.authorise("POST", f"{client.base_url}/x", [body])
    monkeypatch.setattr(aws_client, "LARGE_BYTES", 2 * len(body))
    assert await client.authorise("POST", f"{client.base_url}/x", [body]) == large


@pytest.mark.parametrize(
    ("wanted", "variables", "address"),
    [
        (Wanted("", region="eu-west-1"), {}, "https://bedrock-runtime.eu-west-1.amazonaws.com"),
        (Wanted("", region="eu-west-1"), {"AWS_REGION": "us-east-1"}, "https://bedrock-runtime.eu-west-1.amazonaws.com"),
        (Wanted(""), {"AWS_REGION": "us-west-2"}, "https://bedrock-runtime.us-west-2.amazonaws.com"),
        (Wanted(""), {"AWS_DEFAULT_REGION": "cn-north-1"}, "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"),
        (Wanted("https://vpce.example"), {"AWS_REGION": "us-west-2"}, "https://vpce.example"),
        (Wanted("", key="ABSK-key", region="us-east-1"), {}, "https://bedrock-runtime.us-east-1.amazonaws.com"),
    ],
)
def test_the_address_is_that_of_the_region(
    wanted: Wanted, variables: dict[str, str], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert bedrock_client(wanted).base_url == address


async def test_the_region_of_an_address_is_signed() -> None:
    client = bedrock_client(Wanted("https://bedrock-runtime.ap-south-1.amazonaws.com"))
    assert client.authorise is not None
    signed = await client.authorise("POST", "https://bedrock-runtime.ap-south-1.amazonaws.com/x", [b"{}"])
    assert "/ap-south-1/bedrock/aws4_request" in signed["authorization"]


def test_a_key_of_bedrock_goes_as_a_bearer_token_and_signs_nothing() -> None:
    client = bedrock_client(Wanted("", key="ABSK-key", region="us-east-1"))
    assert (client.headers["authorization"], client.authorise) == ("Bearer ABSK-key", None)


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="set region of its account"):
        bedrock_client(Wanted(""))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(CallFailed, match="AWS_BEARER_TOKEN_BEDROCK") as caught:
        bedrock_client(Wanted("", region="us-east-1"))
    assert caught.value.error_class == ErrorClass.CREDENTIAL
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(CallFailed, match="nobody"):
        bedrock_client(Wanted("", region="us-east-1"))
    monkeypatch.setattr(aws_client, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"genlevel\[bedrock\]"):
        bedrock_client(Wanted("", region="us-east-1"))
    assert "genlevel[bedrock]" in aws_client.problem()


def test_credentials_are_looked_for_without_asking_anybody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    maker = tmp_path / "sys_vendor"
    monkeypatch.setattr(aws_client, "_MAKER", maker)
    assert aws_client.problem() == ""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert "AWS_BEARER_TOKEN_BEDROCK" in aws_client.problem()
    (tmp_path / "config").touch()
    assert aws_client.problem() == ""
    (tmp_path / "config").unlink()
    maker.write_text("Amazon EC2\n")
    assert aws_client.problem() == "", "its role may do"


async def test_credentials_that_run_out_are_had_anew_and_a_failure_to_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    had: list[str] = []

    def refresh() -> dict[str, str]:
        had.append("anew")
        if len(had) > 2:
            raise CredentialRetrievalError(provider="sso", error_msg="sign in again")
        expiry = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
        return {"access_key": f"AK{len(had)}", "secret_key": "aws-s-0123", "token": "aws-t-0123", "expiry_time": expiry.isoformat()}

    credentials = RefreshableCredentials.create_from_metadata(refresh(), refresh, "sso")
    client = aws_client._Signer(credentials, "us-east-1")
    assert "Credential=AK1/" in (await client("POST", "https://x/y", [b""]))["authorization"]
    credentials._expiry_time = datetime.datetime.now(datetime.UTC)
    assert "Credential=AK2/" in (await client("POST", "https://x/y", [b""]))["authorization"]
    credentials._expiry_time = datetime.datetime.now(datetime.UTC)
    with pytest.raises(CallFailed, match="sign in again") as caught:
        await client("POST", "https://x/y", [b""])
    assert caught.value.error_class == ErrorClass.CREDENTIAL


def test_a_machines_own_credentials_are_not_for_whoever_names_bedrock_to_a_service() -> None:
    row = PROVIDERS["bedrock"]
    assert KeySource.of(Account(provider="bedrock"), row).read(route="r", account="a", provider="bedrock") == ""
    served = Routes(Settings(), served=True).resolve("bedrock/amazon.nova-lite-v1:0")
    with pytest.raises(CallFailed, match="set the environment variable AWS_BEARER_TOKEN_BEDROCK"):
        served.key()
    configured = Routes(Settings(accounts={"bedrock": Account(provider="bedrock", region="us-east-1")}), served=True)
    assert configured.resolve("bedrock/amazon.nova-lite-v1:0").key() == ""
    named = KeySource.of(Account(provider="bedrock", api_key_env="MY_KEY"), row)
    with pytest.raises(CallFailed, match="MY_KEY"):
        named.read(route="r", account="a", provider="bedrock")


async def test_what_signs_is_in_no_log_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-this-test-0123456789")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token-of-this-test-0123456789")
    client = bedrock_client(Wanted("", region="eu-central-1"))
    assert client.authorise is not None
    headers = await client.authorise("POST", f"{client.base_url}/x", [b"{}"])
    assert headers["x-amz-security-token"] == "token-of-this-test-0123456789"
    assert logs.redact("said token-of-this-test-0123456789, secret-of-this-test-0123456789") == "said ***, ***"
