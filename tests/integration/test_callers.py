"""Who may call the real services: every method and every page against every kind of token and certificate, and what a person is told."""

from __future__ import annotations

import asyncio
import datetime
import json
import re
import signal
import socket
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
import trustme
import yaml
import yarl

from genlevel.runtime.callers import Role
from genlevel.runtime.callers.roles import RPCS
from genlevel.runtime.callers.tokens import hash_of, new_token, parse_rows
from tests.integration.serving import PATIENCE_S
from tests.ports import free_ports

pytestmark = pytest.mark.own_auth("each of these tests says itself who may call")

REFUSED = {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}
NAMES = ("gateway", "evaluator", "scorer")
LACKING = {needed: [role for role in Role if role not in enough] for needed, enough in {
    Role.READ: {Role.READ, Role.RUN, Role.ADMIN},
    Role.CALL: {Role.CALL, Role.ADMIN},
    Role.RUN: {Role.RUN, Role.ADMIN},
    Role.ADMIN: {Role.ADMIN},
}.items()}  # fmt: skip
YESTERDAY = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)


@dataclass
class Served:
    """A running `genlevel up`. ports: by service, gRPC and HTTP."""

    folder: Path
    ports: dict[str, tuple[int, int]]
    tokens: dict[str, str]
    process: Any
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def pages(self) -> int:
        return self.ports["evaluator"][1]


def serve(start: Any, folder: Path, tokens: dict[str, str], rows: Sequence[dict[str, Any]], **sections: Any) -> Served:
    folder.mkdir(exist_ok=True)
    numbers = free_ports(6)
    ports = {name: (numbers[2 * n], numbers[2 * n + 1]) for n, name in enumerate(NAMES)}
    document: dict[str, Any] = {name: {"grpc": f"127.0.0.1:{rpc}", "http": f"127.0.0.1:{http}"} for name, (rpc, http) in ports.items()}
    for name in NAMES:
        document[name] |= sections.get("service", {})
    (folder / "tokens.yaml").write_text(yaml.safe_dump({"tokens": list(rows)}))
    document["auth"] = sections["auth"]
    document["addresses"] = {name: document[name]["grpc"] for name in NAMES} | sections.get("addresses", {})
    (folder / "genlevel.yaml").write_text(yaml.safe_dump(document))
    process = start(folder)
    deadline = time.monotonic() + PATIENCE_S
    for port in (*(rpc for rpc, _ in ports.values()), ports["evaluator"][1]):
        while True:
            assert process.poll() is None, process.communicate()
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.02)
    return Served(folder, ports, tokens, process)


def stop(served: Served) -> str:
    served.process.send_signal(signal.SIGTERM)
    _, stderr = served.process.communicate(timeout=PATIENCE_S)
    assert served.process.returncode == 0, stderr
    assert "Traceback" not in stderr
    assert "Handshake failed" not in stderr, "a stranger could fill the log"
    for token in served.tokens.values():
        assert token not in stderr, "no line shows a token"
    return stderr


@pytest.fixture(scope="module")
def start(forker: Any) -> Any:
    """Starts `genlevel up` in a folder that has a genlevel.yaml."""
    import os
    import subprocess
    import sys

    clean = {key: value for key, value in os.environ.items() if not key.startswith("GENLEVEL_")}

    def started(folder: Path) -> Any:
        if forker is not None:
            return forker.start("genlevel", "up", folder=folder, environment=clean, pipes=True)
        command = [sys.executable, "-m", "genlevel", "up"]
        return subprocess.Popen(command, cwd=folder, env=clean, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return started


# -- tokens --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_tokens(start: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    tokens = {role.value: new_token() for role in Role} | {"expired": new_token(), "wrong": new_token()}
    rows: list[dict[str, Any]] = [{"name": role.value, "sha256": hash_of(tokens[role]), "roles": [role.value]} for role in Role]
    rows.append({"name": "expired", "sha256": hash_of(tokens["expired"]), "roles": ["admin"], "expires": str(YESTERDAY)})
    served = serve(start, tmp_path_factory.mktemp("tokens") / "work", tokens, rows, auth={"tokens": "tokens.yaml"})
    yield served
    stop(served)


async def outcome(channel: grpc.aio.Channel, method: str, authorization: Sequence[str]) -> tuple[grpc.StatusCode, str]:
    """How a call with one empty message ends. All kinds of calls begin alike on the wire, so what is refused ends alike, too.

    (gRPC's own client of a stream says INTERNAL at times, if a stream ends while it writes to it.)
    """
    try:
        await channel.unary_unary(method)(b"", metadata=[("authorization", each) for each in authorization], timeout=30)
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details() or ""
    return grpc.StatusCode.OK, ""


SERVED_BY = {"monitor": "evaluator"}


def address_of(served: Served, method: str) -> str:
    service = method.split("/")[1].rpartition(".")[2].removesuffix("Service").lower()
    return f"127.0.0.1:{served.ports[SERVED_BY.get(service, service)][0]}"


@pytest.mark.parametrize("method", RPCS)
async def test_every_method_refuses_every_token_but_the_right_ones(with_tokens: Served, method: str) -> None:
    tokens, needed = with_tokens.tokens, RPCS[method]
    unknown = {
        "none": [],
        "wrong": [f"Bearer {tokens['wrong']}"],
        "expired": [f"Bearer {tokens['expired']}"],
        "hash": [f"Bearer {hash_of(tokens['admin'])}"],
        "shortened": [f"Bearer {tokens['admin'][:-1]}"],
        "lengthened": [f"Bearer {tokens['admin']}x"],
        "empty": ["Bearer "],
        "basic": [f"Basic {tokens['admin']}"],
        "bare": [tokens["admin"]],
        "behind a wrong one": [f"Bearer {tokens['wrong']}", f"Bearer {tokens['admin']}"],
        "long": ["Bearer " + "x" * 4000],
    }
    async with grpc.aio.insecure_channel(address_of(with_tokens, method)) as channel:
        for what, shown in unknown.items():
            code, said = await outcome(channel, method, shown)
            assert code is grpc.StatusCode.UNAUTHENTICATED, what
            assert "gl_" not in said, what
        for role in LACKING[needed]:
            code, said = await outcome(channel, method, [f"Bearer {tokens[role]}"])
            assert code is grpc.StatusCode.PERMISSION_DENIED, role
            assert said == f"{role} needs the role {needed} for {method.rpartition('/')[2]}, and has {role}"
        for role in set(Role) - set(LACKING[needed]):
            assert (await outcome(channel, method, [f"Bearer {tokens[role]}"]))[0] not in REFUSED, role
        assert (await outcome(channel, method, [f"bearer {tokens['admin']}"]))[0] not in REFUSED, "the scheme is in any case"


async def test_health_needs_no_token_and_reflection_needs_a_caller_who_is_known(with_tokens: Served) -> None:
    reflection = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    for name in NAMES:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{with_tokens.ports[name][0]}") as channel:
            assert (await outcome(channel, "/grpc.health.v1.Health/Check", []))[0] is grpc.StatusCode.OK
            assert (await outcome(channel, reflection, []))[0] is grpc.StatusCode.UNAUTHENTICATED
            for role in Role:
                assert (await outcome(channel, reflection, [f"Bearer {with_tokens.tokens[role]}"]))[0] not in REFUSED
            assert (await outcome(channel, "/genlevel.v1.GatewayService/Nothing", []))[0] is grpc.StatusCode.UNIMPLEMENTED


async def fetch(port: int, path: str, authorization: str = "", method: str = "GET") -> tuple[int, str]:
    headers = {"authorization": authorization} if authorization else {}
    url = yarl.URL(f"http://127.0.0.1:{port}{path}", encoded=True)
    async with aiohttp.ClientSession() as session, session.request(method, url, headers=headers, allow_redirects=False) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize(
    "path", ["/metrics", "/", "/docs", "/openapi.json", "/metrics/", "/healthz/", "//healthz", "/healthz%2F..%2Fmetrics"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
async def test_every_page_but_health_refuses_every_token_but_the_right_ones(with_tokens: Served, path: str, method: str) -> None:
    tokens = with_tokens.tokens
    for shown in ("", f"Bearer {tokens['wrong']}", f"Bearer {tokens['expired']}", f"Basic {tokens['admin']}", "Bearer"):
        status, text = await fetch(with_tokens.pages, path, shown, method)
        assert status == 401, shown
        assert "gl_" not in text
    status, text = await fetch(with_tokens.pages, path, f"Bearer {tokens['call']}", method)
    assert status == 403
    for role in ("read", "run", "admin"):
        status, _ = await fetch(with_tokens.pages, path, f"Bearer {tokens[role]}", method)
        assert status not in (401, 403)
        assert (status == 200) == (path == "/metrics" and method in ("GET", "HEAD"))


async def test_health_pages_need_no_token(with_tokens: Served) -> None:
    for path in ("/healthz", "/readyz"):
        for shown in ("", f"Bearer {with_tokens.tokens['wrong']}"):
            assert (await fetch(with_tokens.pages, path, shown))[0] == 200


async def test_refused_calls_are_counted(with_tokens: Served) -> None:
    async def count() -> float:
        text = (await fetch(with_tokens.pages, "/metrics", f"Bearer {with_tokens.tokens['read']}"))[1]
        found = re.search(r'^genlevel_refused_calls_total\{reason="unknown"\} (\S+)$', text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    before = await count()
    for _ in range(5):
        await fetch(with_tokens.pages, "/metrics", "Bearer x")
    assert await count() == before + 5


NO_HTTP = (
    b"\x00\xff" * 200,
    b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n"
    b"Sec-WebSocket-Version: 13\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\nx",
    b"GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100,
)


async def test_what_is_no_request_is_answered_or_closed_and_fills_no_log(start: Any, tmp_path: Path) -> None:
    served = serve(start, tmp_path / "work", {}, [], auth={"tokens": "tokens.yaml"})
    try:
        for port in (served.pages, served.ports["gateway"][0]):
            for sent in NO_HTTP * 10:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(sent)
                await writer.drain()
                async with asyncio.timeout(60):
                    await reader.read(100)
                writer.close()
        assert (await fetch(served.pages, "/healthz"))[0] == 200
    finally:
        lines = stop(served).splitlines()
    assert len([line for line in lines if "uvicorn" in line and "WARNING" in line]) <= 2, lines
    assert len(lines) < 30, lines


def test_a_command_says_in_one_line_which_service_refuses_it_and_what_to_do(genlevel: Any, with_tokens: Served) -> None:
    config = str(with_tokens.folder / "genlevel.yaml")
    where = f"the evaluator at 127.0.0.1:{with_tokens.ports['evaluator'][0]}"
    for token, said in (
        ({}, "a token is needed; set addresses.token_file or the environment variable GENLEVEL_TOKEN to one that is known"),
        (
            {"GENLEVEL_TOKEN": "gl_" + "x" * 43},
            "this token is not known; set addresses.token_file or the environment variable GENLEVEL_TOKEN",
        ),
        ({"GENLEVEL_TOKEN": with_tokens.tokens["expired"]}, "the token of expired has expired; set addresses.token_file or"),
        ({"GENLEVEL_TOKEN": with_tokens.tokens["call"]}, "call needs the role read for ListRuns, and has call"),
    ):
        done = genlevel.run("--config", config, "runs", **token)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert done.stderr.startswith(f"genlevel: {where}: {said}"), done.stderr
    broken = genlevel.run("--config", config, "runs", GENLEVEL_TOKEN="two words")
    assert broken.stderr.startswith("genlevel: the environment variable GENLEVEL_TOKEN holds no token: it has a space")
    done = genlevel.run("--config", config, "runs", "--json", GENLEVEL_TOKEN=with_tokens.tokens["read"])
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


def test_a_token_is_made_known_and_withdrawn_while_services_run(genlevel: Any, with_tokens: Served) -> None:
    config, file = str(with_tokens.folder / "genlevel.yaml"), str(with_tokens.folder / "tokens.yaml")
    made = genlevel.run("token", "newcomer", "--role", "read", "--file", file)
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    with_tokens.tokens["newcomer"] = token
    assert token not in made.stderr
    assert token not in Path(file).read_text()
    twice = genlevel.run("token", "newcomer", "--role", "admin", "--file", file)
    assert (twice.returncode, twice.stdout) == (2, "")
    assert "'newcomer' has a token already" in twice.stderr

    def eventually(code: int) -> None:
        deadline = time.monotonic() + 10
        while genlevel.run("--config", config, "runs", GENLEVEL_TOKEN=token).returncode != code:
            assert time.monotonic() < deadline

    eventually(0)
    rows = yaml.safe_load(Path(file).read_text())["tokens"]
    Path(file).write_text(yaml.safe_dump({"tokens": [row for row in rows if row["name"] != "newcomer"]}))
    eventually(2)
    Path(file).write_text("tokens: [oops")
    time.sleep(1.1)
    assert genlevel.run("--config", config, "runs", GENLEVEL_TOKEN=with_tokens.tokens["read"]).returncode == 0, "the rows before stay good"


def test_a_new_file_of_tokens_is_its_owners_alone_and_another_keeps_its_mode(genlevel: Any) -> None:
    made = genlevel.run("token", "one", "--role", "read", "--role", "call", "--expires", "2100-01-31")
    assert made.returncode == 0, made.stderr
    file = genlevel.folder / "tokens.yaml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    assert genlevel.run("token", "other", "--role", "admin").returncode == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    rows = parse_rows(file.read_text(), "tokens.yaml")
    assert [(row.name, row.roles, str(row.expires)) for row in rows] == [
        ("one", [Role.READ, Role.CALL], "2100-01-31"),
        ("other", [Role.ADMIN], "None"),
    ]
    assert rows[0].sha256 == hash_of(made.stdout.strip())
    for wrong, said in (
        (("third", "--role", "boss"), "boss"),
        (("third", "--role", "read", "--expires", "2020-01-01"), "has passed"),
        (("two words", "--role", "read"), "cannot be a caller's name"),
        (("third",), "--role"),
        (("third", "--role", "read", "--file", "missing/tokens.yaml"), "No such file or directory"),
    ):
        refused = genlevel.run("token", *wrong)
        assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (2, "", 1), refused.stderr
        assert said in refused.stderr
    assert len(parse_rows(file.read_text(), "tokens.yaml")) == 2
    assert [path.name for path in genlevel.folder.iterdir()] == ["tokens.yaml"]


# -- certificates --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def write_pair(folder: Path, name: str, certificate: trustme.LeafCert) -> dict[str, str]:
    certificate.private_key_pem.write_to_path(folder / f"{name}.key")
    certificate.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
    return {"certificate": str(folder / f"{name}.pem"), "key": str(folder / f"{name}.key")}


@pytest.fixture(scope="module")
def with_certificates(start: Any, authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("certificates")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    pair = write_pair(folder, "server", authority.issue_cert("127.0.0.1", "localhost"))
    tls = {"tls": {**pair, "client_ca": str(folder / "ca.pem")}}
    auth = {"certificates": {f"{role}.test": [role.value] for role in Role} | {"by its CN": ["admin"], "ops@certs.test": ["admin"]}}
    served = serve(start, folder / "work", {}, [], auth=auth, service=tls)
    yield served
    assert "nobody can read /metrics" in stop(served)


def secure(served: Served, method: str, authority: trustme.CA, certificate: trustme.LeafCert | None) -> grpc.aio.Channel:
    shown = () if certificate is None else (certificate.private_key_pem.bytes(), certificate.cert_chain_pems[0].bytes())
    return grpc.aio.secure_channel(address_of(served, method), grpc.ssl_channel_credentials(authority.cert_pem.bytes(), *shown))


@pytest.mark.parametrize("method", RPCS)
async def test_every_method_refuses_every_certificate_but_the_right_ones(
    with_certificates: Served, authority: trustme.CA, method: str
) -> None:
    now, needed = datetime.datetime.now(datetime.UTC), RPCS[method]
    hour = datetime.timedelta(hours=1)
    no_handshake = {
        "none": None,
        "of another CA": trustme.CA().issue_cert("admin.test"),
        "expired": authority.issue_cert("admin.test", not_before=now - 2 * hour, not_after=now - hour),
    }
    for what, certificate in no_handshake.items():
        async with secure(with_certificates, method, authority, certificate) as channel:
            assert (await outcome(channel, method, []))[0] is grpc.StatusCode.UNAVAILABLE, what
    unknown = {
        "of an unknown name": authority.issue_cert("stranger.test"),
        "with the name as an e-mail address": authority.issue_cert("ops@certs.test"),
        "a level deeper": authority.issue_cert("x.admin.test"),
        "in another case": authority.issue_cert(common_name="ADMIN.TEST"),
        "with the name as its CN beside another": authority.issue_cert("nobody.test", common_name="by its CN"),
    }
    for what, certificate in unknown.items():
        async with secure(with_certificates, method, authority, certificate) as channel:
            assert (await outcome(channel, method, []))[0] is grpc.StatusCode.UNAUTHENTICATED, what
    for role in Role:
        async with secure(with_certificates, method, authority, authority.issue_cert(f"{role}.test")) as channel:
            code, _ = await outcome(channel, method, [])
            assert (code is grpc.StatusCode.PERMISSION_DENIED) == (role in LACKING[needed]), role
            assert code is not grpc.StatusCode.UNAUTHENTICATED
    async with secure(with_certificates, method, authority, authority.issue_cert(common_name="by its CN")) as channel:
        assert (await outcome(channel, method, []))[0] not in REFUSED
    async with grpc.aio.insecure_channel(address_of(with_certificates, method)) as channel:
        assert (await outcome(channel, method, []))[0] is grpc.StatusCode.UNAVAILABLE, "in the clear"


async def test_pages_need_a_token_where_callers_have_certificates(with_certificates: Served) -> None:
    status, text = await fetch(with_certificates.pages, "/metrics", "Bearer x")
    assert (status, "this service knows none: set its auth.tokens, or auth.metrics to open" in text) == (401, True)
    assert (await fetch(with_certificates.pages, "/readyz"))[0] == 200


# -- where services listen -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", NAMES)
@pytest.mark.parametrize("port", ["grpc", "http"])
def test_a_service_that_others_reach_does_not_start_unless_it_is_said_who_may_call(genlevel: Any, service: str, port: str) -> None:
    document = {name: {"grpc": "127.0.0.1:0", "http": "127.0.0.1:0"} for name in NAMES}
    document[service][port] = "0.0.0.0:0"
    document["addresses"] = {name: "127.0.0.1:9" for name in NAMES}
    (genlevel.folder / "genlevel.yaml").write_text(yaml.safe_dump(document))
    done = genlevel.run(service)
    assert done.returncode == 2
    line = done.stderr.splitlines()[-1]
    assert line.startswith(f"genlevel: {service}.{port}: 0.0.0.0:0 can be reached from other machines, so it must be said who may call:")
    assert ("auth.certificates" in line) == (port == "grpc")
    for way in ("auth.tokens", "genlevel token", "auth: none", "127.0.0.1"):
        assert way in line


def test_an_evaluation_whose_metrics_others_could_read_is_refused_before_it_begins(
    genlevel: Any, stub_upstream: Any, choice_suite: Any
) -> None:
    stub = stub_upstream()
    (genlevel.folder / "genlevel.yaml").write_text("evaluator: {http: '0.0.0.0:0'}\n")
    done = genlevel.run("eval", "--model", "m", "--base-url", stub.base_url, "--suite", str(choice_suite(2)))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("genlevel: evaluator.http: 0.0.0.0:0 can be reached from other machines")
    assert stub.calls() == []
