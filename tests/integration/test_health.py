"""``genlevel health`` asks what listens here as configured, and nothing else."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry

from genlevel.cli import cli
from genlevel.runtime.http import HttpServer, create_app
from genlevel.runtime.listening import Tls

Asked = tuple[int, str]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the command says, and its exit code, of services at these ports; those that are not named are at one where nobody listens."""
    monkeypatch.chdir(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen

        async def asked(*arguments: str, tls: str = "", **ports: int) -> Asked:
            nobody = taken.getsockname()[1]
            lines = [
                f"{name}: {{grpc: '127.0.0.1:0', http: '0.0.0.0:{ports.get(name, nobody)}'}}" for name in ("gateway", "evaluator", "scorer")
            ]
            lines.append(f"web: {{http: '127.0.0.1:{ports.get('web', nobody)}'{tls}}}")
            (tmp_path / "genlevel.yaml").write_text("\n".join(lines))
            done = await asyncio.to_thread(CliRunner().invoke, cli, ["health", *arguments])
            assert done.stderr == ""
            return done.exit_code, done.stdout

        yield asked


@asynccontextmanager
async def serving(problem: str = "", tls: Tls | None = None) -> AsyncIterator[int]:
    async def ready() -> str:
        return problem

    async with HttpServer(create_app(CollectorRegistry(), ready=ready), "127.0.0.1:0", tls=tls, name="gateway.http") as server:
        yield server.port


async def test_what_listens_is_asked_and_what_does_not_is_somewhere_else(ask: Any) -> None:
    async with serving() as gateway, serving("the database is away") as scorer:
        assert await ask(gateway=gateway) == (0, "gateway: ready\n")
        assert await ask(gateway=gateway, scorer=scorer) == (1, "gateway: ready\nscorer: not ready: the database is away\n")
        assert await ask("gateway", gateway=gateway, scorer=scorer) == (0, "gateway: ready\n")
        assert await ask("evaluator", gateway=gateway) == (1, "evaluator does not listen here at its configured address\n")
    assert await ask(gateway=gateway) == (1, "no service listens here at its configured address\n")


async def test_pages_over_tls_are_asked_under_any_name_of_their_certificate(
    ask: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import trustme

    authority = trustme.CA()
    certificate = authority.issue_cert("pages.example")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "certificate.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    files = f", tls: {{certificate: '{tmp_path}/certificate.pem', key: '{tmp_path}/key.pem'"
    async with serving(tls=Tls(certificate=tmp_path / "certificate.pem", key=tmp_path / "key.pem")) as port:
        assert await ask(web=port, tls=files + "}") == (0, "web: ready\n")
    mutual = Tls(certificate=tmp_path / "certificate.pem", key=tmp_path / "key.pem", client_ca=tmp_path / "ca.pem")
    async with serving(tls=mutual) as port:
        asks = f"{files}, client_ca: '{tmp_path}/ca.pem'}}"
        assert await ask(web=port, tls=asks) == (0, "web: ready\n")
        monkeypatch.setattr(socket, "create_connection", Mock(side_effect=socket.gaierror(-2, "Name or service not known")))
        assert await ask("web", web=port, tls=asks) == (1, "web: [Errno -2] Name or service not known\n"), "nobody was asked"
