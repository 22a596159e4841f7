"""Pages over real sockets: TLS, certificates of browsers, and each visitor's own token on its way to services elsewhere."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
import trustme

from genlevel.connection.monitors import MonitorsPort
from genlevel.connection.services import EvaluatorPort, ModelsPort, Services, VerdictPort, services
from genlevel.runtime.callers import Role, current_caller
from genlevel.runtime.callers.access import Access
from genlevel.runtime.callers.passed_on import PassedOn, set_token
from genlevel.runtime.errors import CallerUnknown, ConfigurationError
from genlevel.runtime.http import HttpServer, OnDemand
from genlevel.runtime.listening import Tls, Web
from genlevel.runtime.remote import serve
from genlevel.runtime.rpc import RpcServer
from genlevel.runtime.settings import Addresses, Auth, Settings
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.web.app import create_app
from genlevel.web.door import Door
from tests.token_file import TokenFile, look_at_once


@pytest.fixture(autouse=True)
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    look_at_once(monkeypatch)


class Evaluator:
    """Its runs are named for whoever asks for them."""

    async def list_runs(self, request: ev.ListRunsRequest) -> ev.ListRunsResponse:
        name = current_caller().name
        await asyncio.sleep(0.001)
        assert current_caller().name == name
        return ev.ListRunsResponse(runs=[ev.Run(run_id=name, status=ev.RUN_STATUS_FINISHED)])

    async def watch_run(self, request: ev.WatchRunRequest) -> AsyncIterator[ev.WatchRunResponse]:
        for _ in range(5):
            yield ev.WatchRunResponse(run=ev.Run(run_id=current_caller().name))
            await asyncio.sleep(0.001)


def of(evaluator: object) -> Services:
    return Services(cast(EvaluatorPort, evaluator), cast(VerdictPort, None), cast(ModelsPort, None), lambda: cast(MonitorsPort, None), None)


class Authority:
    """Signs certificates, and writes them where a test wants them."""

    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        self.folder = folder
        self.ca.cert_pem.write_to_path(folder / "ca.pem")

    def server(self, name: str = "server") -> Tls:
        pair = self.ca.issue_cert("127.0.0.1", common_name=name)
        for content, file in ((pair.private_key_pem, "server.key"), (pair.cert_chain_pems[0], "server.pem")):
            content.write_to_path(self.folder / "new")
            os.replace(self.folder / "new", self.folder / file)
        return Tls(certificate=self.folder / "server.pem", key=self.folder / "server.key", client_ca=self.folder / "ca.pem")

    def caller(self, *names: str, ca: trustme.CA | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        if names:
            (ca or self.ca).issue_cert(*names).configure_cert(context)
        return context


@asynccontextmanager
async def pages(access: Access, tls: Tls) -> AsyncIterator[HttpServer]:
    app = OnDemand(lambda: create_app(of(Evaluator()), Settings(), Door(access, Web())))
    async with HttpServer(app, "127.0.0.1:0", name="web.http", access=access, tls=tls, asks=True, grace_s=0.1) as server:
        yield server


async def runs(server: HttpServer, context: ssl.SSLContext) -> httpx2.Response:
    async with httpx2.AsyncClient(verify=context, trust_env=False) as client:
        return await client.get(f"https://127.0.0.1:{server.port}/runs.json")


async def test_browsers_show_certificates_and_are_who_those_say(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    auth = Auth(certificates={"alice.example": [Role.READ]})
    async with pages(Access(auth), authority.server()) as server:
        shown = (("alice.example",), ("mallory.example", "alice.example"))
        for names in shown:
            answer = await runs(server, authority.caller(*names))
            assert (answer.status_code, answer.json()["runs"][0]["run"]) == (200, "alice.example")
        assert (await runs(server, authority.caller("mallory.example"))).status_code == 401
        for stranger in (authority.caller(), authority.caller("alice.example", ca=trustme.CA())):
            with pytest.raises(httpx2.TransportError):
                await runs(server, stranger)


async def test_a_certificate_is_renewed_without_a_restart(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with pages(Access(Auth(certificates={"alice.example": [Role.READ]})), authority.server()) as server:
        context = authority.caller("alice.example")
        before = await shown_by(server, context)
        authority.server("another")
        after = await shown_by(server, context)
        assert before != after
        assert (await runs(server, context)).status_code == 200


async def shown_by(server: HttpServer, context: ssl.SSLContext) -> bytes:
    _, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=context, server_hostname="127.0.0.1")
    found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return found


async def test_certificates_that_cannot_be_used_are_told_before_anything_listens(tmp_path: Path) -> None:
    (tmp_path / "none").write_text("no certificate")
    access = Access(Auth(certificates={"a": [Role.READ]}))
    with pytest.raises(ConfigurationError, match=r"web\.http: tls\.key: .*none is not a PEM file"):
        async with pages(access, Tls(certificate=tmp_path / "none", key=tmp_path / "none", client_ca=tmp_path / "none")):
            pass
    with pytest.raises(ConfigurationError, match=r"web\.http: auth\.certificates needs web\.tls with client_ca"):
        await HttpServer(OnDemand(lambda: pytest.fail("made")), "127.0.0.1:0", name="web.http", access=access, asks=True).start()
    with pytest.raises(ConfigurationError, match=r"web\.http: 0\.0\.0\.0:0 can be reached from other machines, so it must be said who"):
        await HttpServer(OnDemand(lambda: pytest.fail("made")), "0.0.0.0:0", name="web.http", asks=True).start()


# -- services elsewhere --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def elsewhere(file: TokenFile) -> AsyncIterator[Settings]:
    """An evaluator over gRPC that asks for tokens; the settings that lead to it."""
    server = RpcServer("127.0.0.1:0", name="evaluator.grpc", access=Access(file.auth), grace_s=0.1)
    service = ev.DESCRIPTOR.services_by_name["EvaluatorService"]
    core = type("Core", (), {method: staticmethod(_unused) for method in _methods(service)} | vars(Evaluator))()
    serve(server, service, core)
    async with server:
        address = f"127.0.0.1:{server.port}"
        yield Settings(addresses=Addresses(evaluator=address, scorer=address, gateway=address), auth=file.auth)


def _methods(service: Any) -> list[str]:
    from genlevel.runtime.remote import core_name

    return [core_name(method.name) for method in service.methods]


async def _unused(request: object) -> object:
    raise AssertionError("nobody asks for this")


async def test_two_visitors_at_once_are_each_themselves_to_the_services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over one channel, many calls of each at the same time; the process's own token is never shown."""
    file = TokenFile(tmp_path / "tokens.yaml")
    tokens = {name: file.add(name, Role.READ) for name in ("alice", "bob")}
    monkeypatch.setenv("GENLEVEL_TOKEN", file.add("process", Role.ADMIN))
    async with elsewhere(file) as settings, services(settings, tmp_path, token=PassedOn()) as found:
        app = create_app(found, settings, Door(Access(file.auth), passes_on=True))
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as client:

            async def asks(name: str) -> str:
                answer = await client.get("/runs.json", headers={"authorization": f"Bearer {tokens[name]}"})
                return str(answer.json()["runs"][0]["run"])

            names = ["alice", "bob"] * 20
            assert await asyncio.gather(*map(asks, names)) == names


async def test_streams_are_each_visitor_s_own_and_nobody_s_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = TokenFile(tmp_path / "tokens.yaml")
    tokens = {name: file.add(name, Role.READ) for name in ("alice", "bob")}
    monkeypatch.setenv("GENLEVEL_TOKEN", file.add("process", Role.ADMIN))
    async with elsewhere(file) as settings, services(settings, tmp_path, token=PassedOn()) as found:

        async def watched(name: str) -> set[str]:
            if name:
                set_token(tokens[name])
            return {response.run.run_id async for response in found.evaluator.watch_run(ev.WatchRunRequest(run_id="r"))}

        names = ["alice", "bob"] * 10
        assert await asyncio.gather(*map(watched, names)) == [{name} for name in names]
        with pytest.raises(CallerUnknown, match="a token is needed"):
            await asyncio.create_task(watched(""))


async def test_services_that_do_not_know_a_visitor_say_so_on_the_page(tmp_path: Path) -> None:
    theirs, ours = TokenFile(tmp_path / "theirs.yaml"), TokenFile(tmp_path / "ours.yaml")
    token = ours.add("alice", Role.READ)
    async with elsewhere(theirs) as settings, services(settings, tmp_path, token=PassedOn()) as found:
        app = create_app(found, settings, Door(Access(ours.auth), passes_on=True))
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as client:
            answer = await client.get("/runs.json", headers={"authorization": f"Bearer {token}"})
            assert answer.status_code == 401
            assert "this token is not known" in answer.json()["error"]
            assert token not in answer.text
