"""What the gateway's HTTP takes and sends, against a server that answers byte by byte; and how an upstream is reached."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from aiohttp import CookieJar

from gateway.accounts.clients import Wanted, bearer_client
from gateway.resolved import ResolvedRoute
from gateway.routes import Routes
from gateway.upstream import PIECE_BYTES, Upstream
from gateway.upstreams import Upstreams
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import Settings

END = None
"""The connection is closed here."""


class Server:
    """Answers every request with ``reply``; keeps the requests' heads and bodies, and how many connections there were."""

    def __init__(self) -> None:
        self.reply: list[bytes | None] = []
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                length = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
                self.bodies.append(await reader.readexactly(int(length[0]) if length else 0))
                for piece in self.reply:
                    if piece is END:
                        return
                    writer.write(piece)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def reply(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    return b"\r\n".join((b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *headers, b"", body))


def route_to(address: str) -> ResolvedRoute:
    routes = Routes(Settings())
    routes.add("there", address, "m")
    return routes.resolve("there")


@asynccontextmanager
async def upstream_of(server: Server, host: str = "127.0.0.1") -> AsyncIterator[Upstream]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    upstreams = Upstreams()
    try:
        yield await upstreams.of(route_to(f"http://{host}:{server.port}/v1"))
    finally:
        await upstreams.close()
        listening.close()


async def test_a_request_has_the_clients_headers_and_those_of_the_call_and_nothing_else() -> None:
    server = Server()
    server.reply = [reply(b"{}")]
    async with upstream_of(server) as upstream:
        await upstream.post("chat/completions", b"{}", {"content-type": "multipart/form-data; boundary=x"})
        await upstream.send("GET", "videos/a b?c", b"")
    asked, fetched = (head.decode().split("\r\n") for head in server.heads)
    assert asked[0] == "POST /v1/chat/completions HTTP/1.1"
    assert {line.lower() for line in asked[1:] if line} == {
        f"host: 127.0.0.1:{server.port}",
        "content-type: multipart/form-data; boundary=x",
        "accept: application/json",
        "user-agent: genlevel",
        "accept-encoding: gzip, deflate",
        "content-length: 2",
    }
    assert fetched[0] == "GET /v1/videos/a%20b?c HTTP/1.1"
    assert server.connections == 1


@pytest.mark.parametrize(
    "pieces", [[b"x" * (2 * PIECE_BYTES + 1)], [b"{", b"x" * PIECE_BYTES, b"", b"y" * PIECE_BYTES, b"}"], [b"{", b"}"]]
)
async def test_a_body_in_pieces_comes_whole_under_its_length(pieces: list[bytes]) -> None:
    server = Server()
    server.reply = [reply(b"{}")]
    async with upstream_of(server) as upstream:
        body = b"".join(pieces)
        status, _, answer, open_s = await upstream.post("chat/completions", pieces)
    assert (status, answer) == (200, b"{}")
    assert open_s > 0
    head = server.heads[0].lower()
    assert server.bodies == [body]
    assert b"content-length: %d\r\n" % len(body) in head
    assert b"transfer-encoding" not in head


async def test_headers_come_by_small_names_doubled_ones_joined_whatever_their_bytes() -> None:
    server = Server()
    server.reply = [reply(b"{}", b"Retry-After: 7", b"X-Name: caf\xe9", b"RETRY-AFTER: 9", b"x-other: caf\xc3\xa9", status=b"429 Slow")]
    async with upstream_of(server) as upstream:
        status, headers, _, _ = await upstream.post("chat/completions", b"{}")
    assert status == 429
    assert headers == {"content-length": "2", "retry-after": "7, 9", "x-name": "café", "x-other": "café"}


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ([reply(gzip.compress(b"[1]"), b"content-encoding: gzip")], b"[1]"),
        ([b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n[1]\r\n0\r\n\r\n"], b"[1]"),
        ([b"HTTP/1.0 200 OK\r\n\r\n[1]", END], b"[1]"),
        ([b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", reply(b"[1]")], b"[1]"),
        ([b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\n[1]\r\n", END], "Not enough data"),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[1]", END], "Not enough data"),
        ([reply(b"no gzip", b"content-encoding: gzip")], "Can not decode"),
        ([b"SSH-2.0-OpenSSH\r\n\r\n"], "Bad status line"),
        ([reply(b"{}", b"x-long: " + b"y" * 9000)], "more than 8190 bytes"),
        ([END], "Server disconnected"),
    ],
)
async def test_what_comes_is_read_or_it_is_said_what_is_wrong(pieces: list[bytes | None], said: bytes | str) -> None:
    server = Server()
    server.reply = pieces
    async with upstream_of(server) as upstream:
        if isinstance(said, bytes):
            assert (await upstream.post("chat/completions", b"{}"))[2] == said
            return
        with pytest.raises(CallFailed) as failed:
            await upstream.post("chat/completions", b"{}")
    assert (failed.value.reason, failed.value.may_be_charged) == ("TRANSIENT", True)
    assert str(failed.value).startswith(f"127.0.0.1:{server.port}: the connection broke (")
    assert said in str(failed.value)
    assert "http://" not in str(failed.value)


async def test_a_small_body_that_decompresses_without_end_is_cut() -> None:
    server = Server()
    server.reply = [reply(gzip.compress(bytes(8 << 20)), b"content-encoding: gzip")]
    async with upstream_of(server) as upstream:
        with pytest.raises(CallFailed, match="more than 1 MiB") as failed:
            await upstream.send("GET", "videos/1", b"", limit=1 << 20)
    assert failed.value.may_be_charged


async def test_a_connection_that_the_server_has_closed_is_not_used_again() -> None:
    server = Server()
    server.reply = [reply(b"{}"), END]
    async with upstream_of(server) as upstream:
        for _ in range(3):
            assert (await upstream.post("chat/completions", b"{}"))[0] == 200
            await asyncio.sleep(0.01)  # the end of the connection is known before the next call
    assert server.connections == 3


async def test_what_comes_unasked_on_an_idle_connection_is_no_answer_to_the_next_call() -> None:
    connections = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(reply(b"{}"))
        if len(connections) == 1:
            await asyncio.sleep(0.01)
            writer.write(reply(b"waited too long", status=b"408 Request Timeout"))
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    upstreams = Upstreams()
    upstream = await upstreams.of(route_to(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"))
    assert (await upstream.post("chat/completions", b"{}"))[0] == 200
    await asyncio.sleep(0.05)  # idle
    status, _, answer, _ = await upstream.post("chat/completions", b"{}")
    await upstreams.close()
    listening.close()
    assert (status, answer, len(connections)) == (200, b"{}", 2)


async def test_no_cookie_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    server.reply = [reply(b"{}", b"Set-Cookie: session=1; Path=/")]
    async with upstream_of(server, "localhost") as upstream:
        for _ in range(2):
            await upstream.post("chat/completions", b"{}")
        assert not any(b"ookie" in head for head in server.heads)
        monkeypatch.setattr(upstream._session, "_cookie_jar", CookieJar())  # as it would be
        for _ in range(2):
            await upstream.post("chat/completions", b"{}")
    assert b"ookie" in server.heads[-1]


async def test_calls_that_come_at_once_share_one_client() -> None:
    server = Server()
    async with upstream_of(server):
        upstreams, route = Upstreams(), route_to(f"http://127.0.0.1:{server.port}/v1")
        found = await asyncio.gather(*(upstreams.of(route) for _ in range(20)))
        await upstreams.close()
    assert len(set(map(id, found))) == 1


async def test_a_proxy_of_the_environment_is_asked_for_a_server_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("no_proxy", "NO_PROXY", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    server = Server()
    server.reply = [reply(b"{}")]
    async with upstream_of(server):
        monkeypatch.setenv("http_proxy", f"http://me:pw@127.0.0.1:{server.port}")
        upstreams = Upstreams()
        away = await upstreams.of(route_to("http://models.example:8000/v1"))
        assert (await away.post("chat/completions", b"{}"))[0] == 200
        monkeypatch.setenv("no_proxy", ".example")
        direct = await Upstreams().of(route_to("http://models.example:8000/v1"))
        with pytest.raises(CallFailed, match=r"cannot connect to http://models\.example:8000/v1") as failed:
            await direct.post("chat/completions", b"{}")
        await direct.close()
        await upstreams.close()
    assert not failed.value.may_be_charged
    assert server.heads[0].startswith(b"POST http://models.example:8000/v1/chat/completions HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic bWU6cHc=" in server.heads[0]


@pytest.mark.parametrize("user", ["", "me:secretword@"])
async def test_a_proxy_that_leads_nowhere_gets_no_key_and_the_call_was_not_sent(user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("no_proxy", "NO_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    server = Server()
    server.reply = [reply(b"", status=b"407 Not with secretword"), END]
    async with upstream_of(server):
        monkeypatch.setenv("https_proxy", f"http://{user}127.0.0.1:{server.port}")
        for provider, variable in (("openai", "OPENAI_API_KEY"), ("anthropic", "ANTHROPIC_API_KEY"), ("there", "THERE_KEY")):
            monkeypatch.setenv(variable, f"sk-never-in-the-clear-{provider}")
            routes = Routes(Settings())
            routes.add("there", "https://models.example/v1", "m", api_key_env="THERE_KEY")
            upstreams = Upstreams()
            upstream = await upstreams.of(routes.resolve("there" if provider == "there" else f"{provider}/m"))
            with pytest.raises(CallFailed, match=r"the environment's proxy does not lead to https://.* \(407 ") as failed:
                await upstream.post("chat/completions", b"{}")
            await upstreams.close()
            assert not failed.value.may_be_charged
            assert not user or "secretword" not in failed.value.message
    assert len(server.heads) == 3
    assert not any(b"never-in-the-clear" in head or b"Bearer" in head for head in server.heads)


async def test_that_a_proxy_asks_for_a_password_is_not_taken_for_the_servers_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("no_proxy", "NO_PROXY", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    server = Server()
    server.reply = [reply(b"<html>not with secretword</html>", status=b"407 Not with secretword")]
    async with upstream_of(server) as direct:
        assert (await direct.post("chat/completions", b"{}"))[0] == 407, "no proxy of the environment said that"
        monkeypatch.setenv("http_proxy", f"http://me:secretword@127.0.0.1:{server.port}")
        upstreams = Upstreams()
        upstream = await upstreams.of(route_to("http://models.example/v1"))
        with pytest.raises(CallFailed, match=r"the environment's proxy does not lead to http://models\.example/v1 \(407 ") as failed:
            await upstream.post("chat/completions", b"{}")
        await upstreams.close()
    assert (failed.value.error_class, failed.value.may_be_charged) == (ErrorClass.TRANSIENT, False)
    assert "secretword" not in failed.value.message


@pytest.mark.parametrize("address", ["http://me:wo#rd@proxy:1", "http://me:wo/rd@proxy:1", "http://me:word@proxy:99999", "//me:word@p:1"])
async def test_a_proxys_password_is_in_no_message(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("no_proxy", "NO_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("https_proxy", address)
    with pytest.raises(CallFailed, match=r"the environment's proxy http://…@p.* is not an address") as failed:
        await Upstreams().of(route_to("https://models.example/v1"))
    assert "rd" not in failed.value.message


async def test_a_server_that_repeats_what_it_is_sent_does_not_get_the_key_into_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THERE_KEY", "plain-key-of-nobody")
    server = Server()
    server.reply = [b"authorization: Bearer plain-key-of-nobody\r\n\r\n", END]
    async with upstream_of(server):
        routes = Routes(Settings())
        routes.add("there", f"http://127.0.0.1:{server.port}/v1", "m", api_key_env="THERE_KEY")
        upstreams = Upstreams()
        with pytest.raises(CallFailed, match="Bad status line") as failed:
            await (await upstreams.of(routes.resolve("there"))).post("chat/completions", b"{}")
        await upstreams.close()
    assert b"plain-key-of-nobody" in server.heads[0]
    assert "plain-key" not in failed.value.message


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("https_proxy", "socks5://me:secret@127.0.0.1:9", "proxy socks5://…@127.0.0.1:9 is not one of HTTP"),
        ("OPENAI_ORG_ID", "org\nx-other: 1", "the header 'openai-organization' has a line break"),
        ("SSL_CERT_FILE", "/nowhere.pem", r"SSL_CERT_FILE=/nowhere.pem: certificates cannot be read from it \(No such file"),
    ],
)
async def test_an_environment_that_leads_nowhere_is_said_before_any_call(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    monkeypatch.setenv("OPENAI_API_KEY", "a key")
    route = Routes(Settings()).resolve("openai/m") if variable.startswith("OPENAI") else route_to("https://models.example/v1")
    with pytest.raises(CallFailed, match=said) as failed:
        await Upstreams().of(route)
    assert (failed.value.reason, failed.value.may_be_charged) == ("MODEL_GONE", False)


async def test_a_certificate_is_believed_if_the_environment_names_who_signed_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signer, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    signer.issue_cert("localhost").configure_cert(context)
    signer.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server = Server()
    server.reply = [reply(b"{}")]
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    address = f"https://localhost:{listening.sockets[0].getsockname()[1]}/v1"
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    upstreams = Upstreams()
    with pytest.raises(CallFailed, match="its certificate is not accepted: ") as failed:
        await (await upstreams.of(route_to(address))).post("chat/completions", b"{}")
    assert not failed.value.may_be_charged
    await upstreams.close()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert (await (await upstreams.of(route_to(address))).post("chat/completions", b"{}"))[0] == 200
    await upstreams.close()
    listening.close()


def test_a_server_that_needs_no_sdk_is_asked_without_one() -> None:
    code = """
import sys
from pathlib import Path
from prometheus_client import CollectorRegistry
from gateway.service import Gateway
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.loop import run
from genlevel.runtime.settings import Settings
from genlevel.v1 import content_pb2 as ct, gateway_pb2 as gw

async def main():
    gateway = Gateway(Settings(), CollectorRegistry(), Path("."))
    gateway.add_route("r", "http://127.0.0.1:9/v1", "m")
    request = gw.GenerateRequest(route="r", messages=[ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text="?")])])
    try:
        await gateway.generate(request)
    except CallFailed as failure:
        print(failure.reason)
    await gateway.close()

run(main())
print(sorted({"openai", "anthropic", "httpx", "httpx2", "httpcore2"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.split("\n", 1), done.stderr) == (["TRANSIENT", "[]\n"], "")


@pytest.mark.parametrize(("key", "headers"), [("", {}), ("k", {"authorization": "Bearer k"})])
def test_a_servers_key_is_a_bearer_token(key: str, headers: Mapping[str, str]) -> None:
    client = bearer_client(Wanted("http://127.0.0.1:9", key))
    assert {name: value for name, value in client.headers.items() if name == "authorization"} == headers
