"""Who is let in, over real sockets: the rule for addresses, tokens that come and go, streams, certificates that are renewed."""

from __future__ import annotations

import asyncio
import datetime
import logging
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
import trustme
from prometheus_client import CollectorRegistry

from genlevel.runtime import channels, logs
from genlevel.runtime.callers import HERE, Caller, Role, current_caller
from genlevel.runtime.callers.access import Access, is_loopback
from genlevel.runtime.callers.own_token import OwnToken
from genlevel.runtime.callers.rpc_guard import peer_name
from genlevel.runtime.callers.tokens import Tokens, added, new_token, parse_rows
from genlevel.runtime.errors import ConfigurationError, RoleMissing, Unavailable, UsageError
from genlevel.runtime.http import HttpServer, create_app
from genlevel.runtime.listening import Tls
from genlevel.runtime.remote import Remote
from genlevel.runtime.rpc import RpcServer, connect
from genlevel.runtime.settings import NOBODY_IS_ASKED, Addresses, Auth
from genlevel.runtime.settings_file import parse_settings
from genlevel.runtime.tls import channel_pems
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import evaluator_pb2_grpc, gateway_pb2_grpc, scorer_pb2_grpc
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from tests.token_file import TokenFile, look_at_once

GATEWAY = "genlevel.v1.GatewayService"


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked at each time they are used, not once a second."""
    look_at_once(monkeypatch)


class Service(gateway_pb2_grpc.GatewayServiceServicer, evaluator_pb2_grpc.EvaluatorServiceServicer):  # type: ignore[misc]
    """Says who calls; counts the messages of a stream."""

    def __init__(self) -> None:
        self.callers: list[Caller] = []
        self.messages = 0
        self.go = asyncio.Event()

    async def ListModels(self, request: Any, context: Any) -> Any:
        self.callers.append(current_caller())
        await asyncio.create_task(self.further())
        return gw.ListModelsResponse()

    async def further(self) -> None:
        self.callers.append(current_caller())

    async def GenerateMany(self, requests: Any, context: Any) -> None:
        async for _ in requests:
            self.messages += 1
            await context.write(gw.GenerateManyResponse())
        await context.write(gw.GenerateManyResponse())

    async def WatchRun(self, request: Any, context: Any) -> AsyncIterator[Any]:
        while True:
            yield ev.WatchRunResponse()
            await self.go.wait()


class TaskService(scorer_pb2_grpc.ScorerServiceServicer):  # type: ignore[misc]
    """Takes tasks. three: three messages of one have come. scored: tasks of which all came, as it thinks."""

    def __init__(self) -> None:
        self.three = asyncio.Event()
        self.scored = 0

    async def ScoreTask(self, requests: Any, context: Any) -> sc.ScoreTaskResponse:
        messages = 0
        async for _ in requests:
            messages += 1
            if messages == 3:
                self.three.set()
        self.scored += 1
        return sc.ScoreTaskResponse()


def serving(service: Service, access: Access | None, address: str = "127.0.0.1:0", **options: Any) -> RpcServer:
    server = RpcServer(address, name="gateway.grpc", access=access, grace_s=0.1, **options)
    server.add(gateway_pb2_grpc.add_GatewayServiceServicer_to_server, service, GATEWAY)
    server.add(evaluator_pb2_grpc.add_EvaluatorServiceServicer_to_server, service, "genlevel.v1.EvaluatorService")
    return server


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "tokens.yaml")


def shows(token: str) -> Any:
    return [("authorization", f"Bearer {token}")]


# -- addresses -----------------------------------------------------------------------------------------------------------


LOOPBACK = ("127.0.0.1:0", "127.8.9.10:80", "[::1]:80", "[0:0:0:0:0:0:0:1]:80", "[::ffff:127.0.0.1]:80", "localhost:1", "LOCALHOST:1")
LOOPBACK += ("unix:/run/genlevel.sock", "unix:///run/genlevel.sock", "unix-abstract:genlevel")
OTHERS = ("0.0.0.0:80", "[::]:80", "10.0.0.1:80", "192.168.1.1:80", "[fe80::1]:80", "[::ffff:10.0.0.1]:80", "[::ffff:0.0.0.0]:80")
OTHERS += (":80", "my-host:80", "localhost.example:80", "127.0.0.1.example:80", "127.1:80", "2130706433:80", "ipv4:0.0.0.0:80", "*:80")


def test_which_addresses_only_this_machine_reaches() -> None:
    assert [address for address in LOOPBACK if not is_loopback(address)] == []
    assert [address for address in OTHERS if is_loopback(address)] == []


@pytest.mark.parametrize("address", OTHERS)
async def test_without_auth_an_address_that_others_reach_is_refused_before_anything_listens(address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^gateway\.grpc: .* can be reached from other machines, so it must be said who may call"):
        await serving(Service(), None, address).start()
    with pytest.raises(ConfigurationError, match=r"^http: .* can be reached from other machines"):
        await HttpServer(create_app(CollectorRegistry()), address).start()


async def test_auth_none_lets_everybody_in_without_reflection_and_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    service = Service()
    async with serving(service, Access(NOBODY_IS_ASKED), "0.0.0.0:0") as server, connect(f"127.0.0.1:{server.port}") as channel:
        await gateway_pb2_grpc.GatewayServiceStub(channel).ListModels(gw.ListModelsRequest(), timeout=60)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await reflected(channel)
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert service.callers[0] == Caller("127.0.0.1", frozenset({Role.ADMIN}))
    assert "gateway.grpc: auth is none: whoever reaches 0.0.0.0:0 may do everything" in caplog.text


async def reflected(channel: grpc.aio.Channel) -> None:
    """Asks for reflection. One message in one batch: a stream that is refused while it writes says INTERNAL at times."""
    await channel.unary_unary("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")(b"", timeout=60)


async def test_tokens_that_cross_a_network_in_the_clear_are_warned_of(file: TokenFile, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(Service(), Access(file.auth), "0.0.0.0:0"):
        assert "gateway.grpc: tokens cross the network to 0.0.0.0:0 in the clear; set gateway.tls" in caplog.text
    caplog.clear()
    async with HttpServer(create_app(CollectorRegistry()), "0.0.0.0:0", name="gateway.http", access=Access(file.auth)):
        assert "gateway.http: it has no TLS: tokens for /metrics cross the network" in caplog.text
    caplog.clear()
    async with serving(Service(), Access(file.auth)), HttpServer(create_app(CollectorRegistry()), "127.0.0.1:0", access=Access(file.auth)):
        assert "network" not in caplog.text


async def test_certificates_that_nobody_could_show_are_refused_at_start() -> None:
    auth = Auth(certificates={"a": [Role.READ]})
    with pytest.raises(ConfigurationError, match=r"^gateway\.grpc: auth\.certificates needs gateway\.tls with client_ca"):
        await serving(Service(), Access(auth)).start()


# -- settings and the file of tokens -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("auth:\n", r"^g.yaml:1: auth: needs tokens or certificates; or write `auth: none`"),
        ("auth: {metrics: open}\n", r"^g.yaml:1: auth: needs tokens or certificates"),
        ("auth: off\n", r"^g.yaml:1: auth: "),
        ("auth: everybody\n", r"^g.yaml:1: auth: must be a section with tokens or certificates, or the word none"),
        ("auth:\n  tokens: t\n  tokn: x\n", r"^g.yaml:3: auth\.tokn: unknown field; did you mean 'tokens'"),
        (
            "auth:\n  certificates:\n    a: [read, rum]\n",
            r"^g.yaml:3: auth\.certificates\.a\[1\]: should be 'read', 'call', 'run' or 'admin'",
        ),
        ("auth:\n  certificates: {a: []}\n", r"^g.yaml:2: auth\.certificates\.a: "),
    ],
)
def test_a_wrong_section_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        parse_settings(text, "g.yaml")


def test_a_certificate_that_would_not_be_shown_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"^g.yaml:3: addresses\.certificate: needs ca; without it nothing is encrypted"):
        parse_settings("addresses:\n  key: k\n  certificate: c\n", "g.yaml")


async def test_what_a_caller_makes_up_cannot_begin_a_line_of_the_log(file: TokenFile, caplog: pytest.LogCaptureFixture) -> None:
    access = Access(file.auth)
    with pytest.raises(RoleMissing, match=r"for /x\?WARNING all is well"):
        access.check_role(Caller("a", frozenset({Role.CALL})), Role.READ, "/x\nWARNING all is well")
    assert "\nWARNING" not in caplog.text


def test_none_is_a_word_and_no_section() -> None:
    assert parse_settings("").auth is None
    found = parse_settings("auth: none\n").auth
    assert found is not None
    assert found.lets_everybody_in


HASH = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tokens: [", r"^t.yaml:1: not valid YAML"),
        ("- name: a", r"^t.yaml:1: must hold sections"),
        ("token: []", r"^t.yaml:1: token: unknown field; did you mean 'tokens'"),
        (f"tokens:\n- {{name: a, sha256: {HASH}, roles: [read], until: 2027-01-01}}", r"^t.yaml:2: tokens\[0\]\.until: unknown field"),
        (f"tokens:\n- name: a\n  sha256: {HASH}\n  roles: []", r"^t.yaml:4: tokens\[0\]\.roles: "),
        (f"tokens:\n- name: a\n  sha256: {HASH}\n  roles: [boss]", r"^t.yaml:4: tokens\[0\]\.roles\[0\]: should be 'read'"),
        (f"tokens:\n- name: a\n  sha256: {HASH}\n  roles: [read]\n  expires: soon", r"^t.yaml:5: tokens\[0\]\.expires: "),
        (
            f"tokens:\n- {{name: a, sha256: {HASH}, roles: [read]}}\n- {{name: a, sha256: {'1a' * 32}, roles: [read]}}",
            r"^t.yaml:3: .*twice",
        ),
        (f"tokens:\n- {{name: a, sha256: {HASH}, roles: [read]}}\n- {{name: b, sha256: {HASH}, roles: [read]}}", r"^t.yaml:3: .*twice"),
        (f"tokens:\n- {{name: a b, sha256: {HASH}, roles: [read]}}", r"^t.yaml:2: tokens\[0\]\.name: "),
        (f"tokens:\n- {{name: a, sha256: {HASH.upper()}, roles: [read]}}", r"^t.yaml:2: tokens\[0\]\.sha256: must be the SHA-256"),
    ],
)
def test_a_wrong_file_of_tokens_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        parse_rows(text, "t.yaml")


def test_a_token_that_was_pasted_instead_of_its_hash_is_not_shown() -> None:
    token = new_token()
    for text in (f"tokens:\n- {{name: a, sha256: {token}, roles: [read]}}", f"tokens:\n- {{name: a, token: {token}, roles: [read]}}"):
        with pytest.raises(ConfigurationError) as raised:
            parse_rows(text, "t.yaml")
        assert token not in str(raised.value)


def test_a_file_that_is_not_there_is_named_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^auth\.tokens: cannot read .*missing\.yaml \(No such file or directory\)$"):
        Access(Auth(tokens=tmp_path / "missing.yaml"))


def test_a_row_is_added_at_the_end_of_what_people_wrote(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(f"# ours\ntokens:\n# the first\n- name: a\n  sha256: {HASH}\n  roles: [read]")
    with pytest.raises(UsageError, match="cannot be a caller's name"):
        added(file, name="b c", sha256="1a" * 32, roles=[Role.RUN], expires=None)
    text = added(file, name="b:c", sha256="1a" * 32, roles=[Role.RUN, Role.CALL], expires=datetime.date(2030, 2, 28))
    assert text.startswith(file.read_text())
    rows = parse_rows(text, "t.yaml")
    assert [(row.name, row.roles, row.expires) for row in rows] == [
        ("a", [Role.READ], None),
        ("b:c", [Role.RUN, Role.CALL], datetime.date(2030, 2, 28)),
    ]
    file.write_text(f'tokens: [{{name: a, sha256: "{HASH}", roles: [read]}}]')
    with pytest.raises(ConfigurationError, match="a row cannot be added at its end"):
        added(file, name="b", sha256="1a" * 32, roles=[Role.RUN], expires=None)


def test_the_last_day_is_a_whole_one_in_utc(file: TokenFile) -> None:
    day = datetime.date(2030, 2, 28)
    token = file.add("a", Role.READ, expires=day)
    found = Tokens(file.path).find(token)
    assert found is not None
    assert found.expires_at == datetime.datetime(2030, 3, 1, tzinfo=datetime.UTC).timestamp()
    assert file.add("b", Role.READ, expires=datetime.date.max)


# -- calls ---------------------------------------------------------------------------------------------------------------


async def test_whatever_works_on_a_call_knows_who_makes_it(file: TokenFile) -> None:
    service, token = Service(), file.add("alice", Role.READ, Role.CALL)
    async with serving(service, Access(file.auth)) as server, connect(f"127.0.0.1:{server.port}") as channel:
        await gateway_pb2_grpc.GatewayServiceStub(channel).ListModels(gw.ListModelsRequest(), metadata=shows(token), timeout=60)
    assert service.callers == [Caller("alice", frozenset({Role.READ, Role.CALL}))] * 2
    assert current_caller() is HERE


@pytest.mark.parametrize(
    ("peer", "name"),
    [("ipv4:10.0.0.7:51312", "10.0.0.7"), ("ipv6:%5B2001:db8::1%5D:51312", "2001:db8::1"), ("ipv6:[::1]:5", "::1"), ("unix:", "unix")],
)
def test_a_caller_without_a_name_is_called_by_its_address(peer: str, name: str) -> None:
    assert peer_name(peer) == name


async def test_nothing_of_a_strangers_request_is_read(file: TokenFile) -> None:
    """A message that could not even be decoded is refused for its caller alone."""
    async with serving(Service(), Access(file.auth)) as server, connect(f"127.0.0.1:{server.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await channel.unary_unary(f"/{GATEWAY}/Generate")(b"\xff" * (8 << 20), timeout=10)
    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_call_without_a_request_ends_as_the_callers_fault() -> None:
    async with serving(Service(), None) as server, connect(f"127.0.0.1:{server.port}") as channel:
        call = channel.stream_unary(f"/{GATEWAY}/ListModels")(iter(()), timeout=10)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_token_withdrawn_while_a_stream_is_open_ends_it_after_what_had_begun(file: TokenFile) -> None:
    service, token = Service(), file.add("alice", Role.CALL)
    async with serving(service, Access(file.auth)) as server, connect(f"127.0.0.1:{server.port}") as channel:
        call = gateway_pb2_grpc.GatewayServiceStub(channel).GenerateMany(metadata=shows(token))
        for _ in range(3):
            await call.write(gw.GenerateManyRequest())
            await call.read()
        file.write("tokens: []\n")
        await call.write(gw.GenerateManyRequest())
        assert await call.read() is not grpc.aio.EOF, "what the service still answers arrives"
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call.read()
        assert await call.code() is grpc.StatusCode.UNAUTHENTICATED
    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert service.messages == 3


async def test_what_came_before_a_token_was_withdrawn_is_not_taken_for_all_of_a_task(file: TokenFile) -> None:
    """Half of a task's answers would be scored as if the others had never been asked."""
    service, token = TaskService(), file.add("evaluator", Role.ADMIN)
    server = RpcServer("127.0.0.1:0", name="scorer.grpc", access=Access(file.auth), grace_s=0.1)
    server.add(scorer_pb2_grpc.add_ScorerServiceServicer_to_server, service, "genlevel.v1.ScorerService")
    async with server, connect(f"127.0.0.1:{server.port}") as channel:
        for withdrawn in (False, True):
            call = scorer_pb2_grpc.ScorerServiceStub(channel).ScoreTask(metadata=shows(token))
            for _ in range(3):
                await call.write(sc.ScoreTaskRequest())
            await asyncio.wait_for(service.three.wait(), 60)
            if withdrawn:
                file.write("tokens: []\n")
                await call.write(sc.ScoreTaskRequest())
                with pytest.raises(grpc.aio.AioRpcError):
                    await call
                assert await call.code() is grpc.StatusCode.UNAUTHENTICATED
            else:
                await call.done_writing()
                await call
            service.three.clear()
    assert service.scored == 1


async def test_a_role_withdrawn_ends_a_stream_of_answers(file: TokenFile) -> None:
    service, token = Service(), file.add("alice", Role.READ)
    async with serving(service, Access(file.auth)) as server, connect(f"127.0.0.1:{server.port}") as channel:
        call = evaluator_pb2_grpc.EvaluatorServiceStub(channel).WatchRun(ev.WatchRunRequest(), metadata=shows(token))
        assert await call.read() is not grpc.aio.EOF
        file.write(file.path.read_text().replace("[read]", "[call]"))
        service.go.set()
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call.read()
    assert raised.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_a_broken_rewrite_keeps_the_tokens_before_and_says_one_line(file: TokenFile, caplog: pytest.LogCaptureFixture) -> None:
    token = file.add("alice", Role.READ)
    known = Tokens(file.path)
    for broken in ("tokens: [", None):
        caplog.clear()
        if broken is None:
            file.path.unlink()
        else:
            file.write(broken)
        for _ in range(5):
            assert known.find(token) is not None
        assert len(caplog.records) == 1
        assert "what was read before stays in use" in caplog.text
        assert "tokens.yaml" in caplog.text
    other = file.add("bob", Role.READ)
    assert known.find(token) is None
    assert known.find(other) is not None


async def test_strangers_fill_no_log_and_no_line_shows_a_token(file: TokenFile, caplog: pytest.LogCaptureFixture) -> None:
    registry = CollectorRegistry()
    async with serving(Service(), Access(file.auth, registry)) as server, connect(f"127.0.0.1:{server.port}") as channel:
        stub = gateway_pb2_grpc.GatewayServiceStub(channel)
        guess = new_token()
        for _ in range(50):
            with pytest.raises(grpc.aio.AioRpcError):
                await stub.ListModels(gw.ListModelsRequest(), metadata=shows(guess), timeout=60)
    lines = [record for record in caplog.records if "refused a call" in record.getMessage()]
    assert len(lines) == 1
    assert "127.0.0.1" in lines[0].getMessage()
    assert guess not in caplog.text
    assert registry.get_sample_value("genlevel_refused_calls_total", {"reason": "unknown"}) == 50


async def test_who_asks_for_a_page_is_who_has_connected(file: TokenFile, caplog: pytest.LogCaptureFixture) -> None:
    """A header of a proxy could name anybody."""
    headers = {"x-forwarded-for": "10.9.8.7", "forwarded": "for=10.9.8.7"}
    async with (
        HttpServer(create_app(CollectorRegistry()), "127.0.0.1:0", access=Access(file.auth)) as pages,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{pages.port}/metrics", headers=headers) as answer,
    ):
        assert answer.status == 401
        assert (await answer.json())["error"] == "a token is needed; send one as Authorization: Bearer"
    assert "refused a call from 127.0.0.1" in caplog.text


# -- what this process shows ---------------------------------------------------------------------------------------------


def test_the_own_token_comes_from_a_file_or_a_variable_and_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, first, second = tmp_path / "token", new_token(), new_token()
    monkeypatch.setenv("GENLEVEL_TOKEN", first)
    assert OwnToken(Addresses()).headers() == (("authorization", f"Bearer {first}"),)
    assert OwnToken(Addresses(token_env="OTHER")).headers() == ()
    assert OwnToken(Addresses(), given="another-one").headers() == (("authorization", "Bearer another-one"),)
    assert logs.redact("it is another-one") == "it is ***"
    with pytest.raises(ConfigurationError, match=r"^token holds no token"):
        OwnToken(Addresses(), given="two words")
    file.write_text(f"{second}\n")
    own = OwnToken(Addresses(token_file=file))
    assert own.headers() == (("authorization", f"Bearer {second}"),)
    file.write_text(f"{first}\n\n")
    assert own.headers() == (("authorization", f"Bearer {first}"),)
    file.write_text("")
    assert own.headers() == (("authorization", f"Bearer {first}"),), "a file that is being written"
    assert logs.redact(f"{first} {second}") == "*** ***"


@pytest.mark.parametrize("text", ["two words", "nächster", "line\nbreak"])
def test_what_is_no_token_is_not_shown(tmp_path: Path, text: str) -> None:
    (tmp_path / "token").write_text(text)
    with pytest.raises(ConfigurationError, match=r"^addresses\.token_file: .* holds no token") as raised:
        OwnToken(Addresses(token_file=tmp_path / "token"))
    assert text not in str(raised.value)
    with pytest.raises(ConfigurationError, match=r"^addresses\.token_file: cannot read .* \(No such file or directory\)$"):
        OwnToken(Addresses(token_file=tmp_path / "missing"))


async def test_a_channel_shows_the_token_with_each_call(file: TokenFile, tmp_path: Path) -> None:
    service, own = Service(), tmp_path / "own"
    own.write_text(file.add("one", Role.READ))
    async with (
        serving(service, Access(file.auth)) as server,
        connect(f"127.0.0.1:{server.port}", Addresses(token_file=own)) as channel,
    ):
        stub = gateway_pb2_grpc.GatewayServiceStub(channel)
        await stub.ListModels(gw.ListModelsRequest(), timeout=60)
        own.write_text(file.add("other", Role.READ))
        await stub.ListModels(gw.ListModelsRequest(), timeout=60)
    assert [caller.name for caller in service.callers[::2]] == ["one", "other"]


# -- certificates that are renewed ---------------------------------------------------------------------------------------


class Pair:
    """A certificate and its key in files that a test replaces."""

    def __init__(self, folder: Path, name: str) -> None:
        self.certificate, self.key = folder / f"{name}.pem", folder / f"{name}.key"

    def write(self, issued: trustme.LeafCert) -> None:
        self.certificate.write_bytes(issued.cert_chain_pems[0].bytes())
        self.key.write_bytes(issued.private_key_pem.bytes())


@pytest.fixture
def made_channels(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []
    before = channels.OwnChannel._made

    def counted(self: Any) -> Any:
        made.append("made")
        return before(self)

    monkeypatch.setattr(channels.OwnChannel, "_made", counted)
    return made


async def test_certificates_of_both_sides_are_renewed_without_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, made_channels: list[str]
) -> None:
    """The authority is replaced, which neither side could survive with what it read at first."""
    old, new = trustme.CA(), trustme.CA()
    authority, server_pair, client_pair = tmp_path / "ca.pem", Pair(tmp_path, "server"), Pair(tmp_path, "client")

    def write(ca: trustme.CA) -> None:
        authority.write_bytes(ca.cert_pem.bytes())
        server_pair.write(ca.issue_cert("127.0.0.1"))
        client_pair.write(ca.issue_cert("client.test"))

    write(old)
    service = Service()
    tls = Tls(certificate=server_pair.certificate, key=server_pair.key, client_ca=authority)
    addresses = Addresses(ca=authority, certificate=client_pair.certificate, key=client_pair.key)
    access = Access(Auth(certificates={"client.test": [Role.READ]}))

    async def call(channel: Any) -> None:
        await gateway_pb2_grpc.GatewayServiceStub(channel).ListModels(gw.ListModelsRequest(), timeout=60)

    async with serving(service, access, tls=tls) as server, connect(f"127.0.0.1:{server.port}", addresses) as long_lived:
        await call(long_lived)
        write(new)
        await call(long_lived)
        assert len(made_channels) == 2
        caplog.clear()
        server_pair.key.write_bytes(new.issue_cert("127.0.0.1").private_key_pem.bytes())
        for _ in range(2):
            async with connect(f"127.0.0.1:{server.port}", addresses) as another:
                await call(another)
        told = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
        assert len(told) == 1
        assert "gateway.grpc: tls.certificate:" in told[0]
        assert "do not belong together" in told[0]
        write(old)
        await call(long_lived)
    assert [caller.name for caller in service.callers[::2]] == ["client.test"] * 5


def test_a_key_that_is_taken_away_while_it_is_read_again_leaves_the_one_before_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    authority, pair = trustme.CA(), Pair(tmp_path, "client")
    (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
    pair.write(authority.issue_cert("client.test"))
    pems = channel_pems(Addresses(ca=tmp_path / "ca.pem", certificate=pair.certificate, key=pair.key), look_interval_s=0.0)
    assert pems is not None
    before, load = pems.value(), ssl.SSLContext.load_cert_chain

    def taken_away(self: ssl.SSLContext, *arguments: Any, **named: Any) -> None:
        load(self, *arguments, **named)
        pair.key.unlink()

    pair.write(authority.issue_cert("client.test"))
    with monkeypatch.context() as renewal:
        renewal.setattr(ssl.SSLContext, "load_cert_chain", taken_away)
        assert pems.value() is before
    assert "addresses.key: cannot read" in caplog.text
    pair.write(authority.issue_cert("client.test"))
    assert pems.value().key == pair.key.read_bytes()


def test_a_key_of_another_certificate_is_refused_at_start_with_both_files(tmp_path: Path) -> None:
    authority, pair = trustme.CA(), Pair(tmp_path, "server")
    pair.write(authority.issue_cert("127.0.0.1"))
    pair.key.write_bytes(authority.issue_cert("127.0.0.1").private_key_pem.bytes())
    with pytest.raises(
        ConfigurationError, match=r"^gateway\.grpc: tls\.certificate: .*server\.pem and tls\.key .*server\.key do not belong"
    ):
        serving(Service(), None, tls=Tls(certificate=pair.certificate, key=pair.key))
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n")
    with pytest.raises(ConfigurationError, match=r"^addresses\.ca: .*ca\.pem holds no certificate that can be used$"):
        connect("127.0.0.1:1", Addresses(ca=tmp_path / "ca.pem"))


async def test_who_does_not_get_through_the_handshake_is_told_what_to_look_at(tmp_path: Path) -> None:
    authority, server_pair = trustme.CA(), Pair(tmp_path, "server")
    (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
    (tmp_path / "other.pem").write_bytes(trustme.CA().cert_pem.bytes())
    server_pair.write(authority.issue_cert("127.0.0.1"))
    tls = Tls(certificate=server_pair.certificate, key=server_pair.key, client_ca=tmp_path / "ca.pem")
    access = Access(Auth(certificates={"client.test": [Role.READ]}))
    closed = "it closed the connection; if it asks for TLS or a certificate, look at addresses.ca, certificate and key"
    async with serving(Service(), access, tls=tls) as server, serving(Service(), None) as in_the_clear:
        for port, addresses, said in (
            (server.port, Addresses(), closed),
            (server.port, Addresses(ca=tmp_path / "ca.pem"), closed),
            (
                server.port,
                Addresses(ca=tmp_path / "other.pem"),
                "its certificate is not one that addresses.ca trusts, or is another host's",
            ),
            (in_the_clear.port, Addresses(ca=tmp_path / "ca.pem"), "it does not speak TLS, which addresses.ca asks for"),
        ):
            address, service = f"127.0.0.1:{port}", gw.DESCRIPTOR.services_by_name["GatewayService"]
            remote: Any = Remote(connect(address, addresses), service, name="gateway", address=address)
            with pytest.raises(Unavailable) as raised:
                await remote.list_models(gw.ListModelsRequest())
            assert str(raised.value) == f"the gateway at {address} cannot be reached (addresses.gateway in the configuration): {said}"
            await remote.close()


async def test_a_token_decides_before_a_certificate(file: TokenFile, tmp_path: Path) -> None:
    authority, server_pair, client_pair = trustme.CA(), Pair(tmp_path, "server"), Pair(tmp_path, "client")
    (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
    server_pair.write(authority.issue_cert("127.0.0.1"))
    client_pair.write(authority.issue_cert("client.test"))
    tls = Tls(certificate=server_pair.certificate, key=server_pair.key, client_ca=tmp_path / "ca.pem")
    addresses = Addresses(ca=tmp_path / "ca.pem", certificate=client_pair.certificate, key=client_pair.key)
    auth = Auth(tokens=file.path, certificates={"client.test": [Role.READ]})
    service, token = Service(), file.add("alice", Role.READ)
    async with serving(service, Access(auth), tls=tls) as server, connect(f"127.0.0.1:{server.port}", addresses) as channel:
        stub = gateway_pb2_grpc.GatewayServiceStub(channel)
        for metadata in ([], shows(token)):
            await stub.ListModels(gw.ListModelsRequest(), metadata=metadata, timeout=60)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stub.ListModels(gw.ListModelsRequest(), metadata=shows(token[:-1]), timeout=60)
    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert [caller.name for caller in service.callers[::2]] == ["client.test", "alice"]
