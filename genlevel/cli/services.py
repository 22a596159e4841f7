"""``genlevel up``, ``gateway``, ``evaluator`` and ``scorer``: the long-running services."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from genlevel.cli.options import out_option, run_async, settings_of
from genlevel.cli.signals import end_at_signal, stopped_by_signal
from genlevel.runtime.errors import ConfigurationError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from evaluator.ports import ScorerPort
    from evaluator.service import Evaluator
    from gateway.service import Gateway
    from genlevel.embedded import EmbeddedServices
    from genlevel.runtime.callers.access import Access
    from genlevel.runtime.listening import ServiceListen
    from genlevel.runtime.readiness import Check, Life
    from genlevel.runtime.rpc import RpcServer
    from genlevel.runtime.settings import Settings
    from scorer.service import Scorer

MOST_FILES = 65_536
MOST_PORTS = 20
"""That are tried in turn, if the usual one is taken and the configuration names none."""

logger = logging.getLogger(__name__)


@click.command("up")
@out_option
@click.pass_context
def up(ctx: click.Context, out: Path) -> None:
    """Serve gateway, evaluator and scorer in one process, pages (web.http), and one port for the metrics of all (evaluator.http)."""
    settings = service_settings(ctx)
    _need_folders(settings)

    async def work() -> None:
        from genlevel.embedded import embedded_services

        async with (
            _pages("evaluator", settings, moves=True) as pages,
            embedded_services(settings, out, pages.registry, served=True) as found,
        ):
            parts = (
                _Part("gateway", settings.gateway, _add_gateway(found.gateway)),
                _Part("scorer", settings.scorer, _add_scorer(found.scorer)),
                _Part("evaluator", settings.evaluator, _add_evaluator(found.evaluator), begin=found.evaluator.go_on),
            )
            async with _pages_of_all(found, settings, pages) as line:
                await _serve(parts, pages, found.ready, settings, line)

    run_async(work())


@asynccontextmanager
async def _pages_of_all(found: EmbeddedServices, settings: Settings, pages: _Pages) -> AsyncIterator[str]:
    """Serves what people look at, unless `web` is none. Yields where, in a line."""
    if settings.web is None:
        yield ""
        return
    if pages.access.certificates_alone and not settings.writes("web"):  # of a configuration that knows nothing of pages
        yield "pages: none, as nobody could come in: auth.certificates needs web.tls with client_ca (`web: none` says that none are wanted)"
        return
    from genlevel.cli.pages import pages_address, pages_server
    from genlevel.connection.services import Services

    services = Services(found.evaluator, found.scorer, found.gateway, lambda: found.evaluator.monitors, pages.registry, found.ready)
    server = pages_server(services, settings, settings.web, pages.access, pages.registry, ready=pages.life)
    port = settings.web.http.rpartition(":")[2]
    if not settings.writes("web", "http"):
        await server.start_near(range(int(port), int(port) + MOST_PORTS))
    async with server:
        yield f"pages: {pages_address(settings.web, server.port)}"


@click.command("gateway")
@out_option
@click.pass_context
def gateway(ctx: click.Context, out: Path) -> None:
    """Serve the gateway (gateway.grpc, gateway.http)."""
    settings = service_settings(ctx)

    async def work() -> None:
        from gateway.service import Gateway
        from genlevel.runtime.readiness import fine

        async with _pages("gateway", settings) as pages:
            core = Gateway(settings, pages.registry, out, served=True)
            try:
                await _serve([_Part("gateway", settings.gateway, _add_gateway(core))], pages, fine, settings)
            finally:
                await core.close()

    run_async(work())


@click.command("scorer")
@out_option
@click.pass_context
def scorer(ctx: click.Context, out: Path) -> None:
    """Serve the scorer (scorer.grpc, scorer.http)."""
    settings = service_settings(ctx)

    async def work() -> None:
        from genlevel.embedded import make_scorer
        from genlevel.runtime.patience import DatabasePatience
        from scorer.presence import present

        async with _pages("scorer", settings) as pages:
            core = make_scorer(settings, out, pages.registry, DatabasePatience.of(settings.storage.patience_s))
            try:
                async with present(settings, core):
                    await _serve([_Part("scorer", settings.scorer, _add_scorer(core))], pages, core.readiness, settings)
            finally:
                core.close()

    run_async(work())


@click.command("evaluator")
@out_option
@click.pass_context
def evaluator(ctx: click.Context, out: Path) -> None:
    """Serve the evaluator (evaluator.grpc, evaluator.http); it finds the others by addresses.gateway and addresses.scorer."""
    settings = service_settings(ctx)
    _need_addresses(settings)
    _need_folders(settings)

    async def work() -> None:
        from evaluator.clients import GrpcGateway, GrpcScorer
        from evaluator.service import Evaluator

        async with AsyncExitStack() as stack:
            pages = await stack.enter_async_context(_pages("evaluator", settings))
            to_gateway = GrpcGateway(settings.addresses.gateway, settings.addresses)
            stack.push_async_callback(to_gateway.close)
            to_scorer = GrpcScorer(settings.addresses.scorer, settings.addresses)
            stack.push_async_callback(to_scorer.close)
            core = Evaluator(settings, to_gateway, cast("ScorerPort", to_scorer), registry=pages.registry, data_folder=out, continues=True)
            stack.push_async_callback(core.close)
            part = _Part("evaluator", settings.evaluator, _add_evaluator(core), begin=core.go_on)
            await _serve([part], pages, core.readiness, settings)

    run_async(work())


def service_settings(ctx: click.Context) -> Settings:
    """The settings, with the log set up as they say, before anything large is in memory."""
    from genlevel.runtime.logs import configure_logging
    from genlevel.runtime.memory import keep_little

    keep_little()
    _open_many_files()
    end_at_signal()
    settings: Settings = settings_of(ctx)
    configure_logging(settings.log.format, settings.log.level)
    return settings


def _open_many_files() -> None:
    """Connections are files: a service takes more (limits.connections) than the 1,024 that many systems start a process with."""
    with contextlib.suppress(ImportError, OSError, ValueError):  # not on this system, or not allowed
        import resource

        soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MOST_FILES if most == resource.RLIM_INFINITY else min(MOST_FILES, most)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _need_addresses(settings: Settings) -> None:
    missing = [f"addresses.{name}" for name in ("gateway", "scorer") if not getattr(settings.addresses, name)]
    if missing:
        raise ConfigurationError(
            f"the evaluator needs {' and '.join(missing)} in genlevel.yaml; `genlevel up` serves all three in one process"
        )


def _need_folders(settings: Settings) -> None:
    """A folder of suites that is not there would only be found out by those who ask for its suites, and they are not told."""
    from genlevel.benchmark.suite_folders import SuiteFolders

    for number in SuiteFolders(settings.suites.folders).missing():
        place, folder = settings.place("suites", "folders", number), settings.suites.folders[number]
        raise ConfigurationError(f"{place}: {folder} is no folder that can be read; make or mount it, or leave it out")


Add = Callable[["RpcServer"], None]


def _add_gateway(core: Gateway) -> Add:
    from gateway.rpc import add_to_server

    return lambda server: add_to_server(server, core)


def _add_scorer(core: Scorer) -> Add:
    from scorer.rpc import add_to_server

    return lambda server: add_to_server(server, core)


def _add_evaluator(core: Evaluator) -> Add:
    from evaluator.rpc import add_to_server

    return lambda server: add_to_server(server, core)


@dataclass(frozen=True, slots=True)
class _Part:
    """One service of a process: its name, where it listens, what adds it to its server, and what begins once all is served."""

    name: str
    listen: ServiceListen
    add: Add
    begin: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class _Pages:
    """The HTTP side of a process. access: who may call it, over gRPC too. served: what is served where, in a line."""

    registry: CollectorRegistry
    access: Access
    life: Life
    served: str


@asynccontextmanager
async def _pages(name: str, settings: Settings, *, moves: bool = False) -> AsyncIterator[_Pages]:
    """Serves HTTP from before anything else begins until all else has ended: /readyz says meanwhile that it starts, or stops.

    moves: if its usual port is taken, and the configuration names none, another one will do.
    """
    from genlevel.embedded import service_registry
    from genlevel.runtime.callers.access import Access
    from genlevel.runtime.http import HttpServer, create_app
    from genlevel.runtime.readiness import Life

    listen: ServiceListen = getattr(settings, name)
    registry, life = service_registry(), Life()
    access = Access(settings.auth, registry)
    host, _, port = listen.http.rpartition(":")
    server = HttpServer(create_app(registry, ready=life), listen.http, name=f"{name}.http", access=access, grace_s=1.0)
    if moves and not settings.writes(name, "http"):
        await server.start_near(range(int(port), int(port) + MOST_PORTS))
    async with server:
        yield _Pages(registry, access, life, f"{name}: /metrics, /healthz and /readyz on http://{host}:{server.port}")


async def _serve(parts: Sequence[_Part], pages: _Pages, ready: Check, settings: Settings, *served: str) -> None:
    """Serves until SIGINT or SIGTERM; then begins nothing further, and returns when nothing is in flight, or the grace is over.

    served: what else the process serves, in a line each.
    """
    from genlevel.runtime.memory import settle
    from genlevel.runtime.rpc import MOST_VALUES, MOST_VALUES_OF_A_REQUEST, RpcServer

    async with AsyncExitStack() as stack:
        servers = []
        for part in parts:
            server = RpcServer(
                part.listen.grpc,
                part.listen.tls,
                name=f"{part.name}.grpc",
                access=pages.access,
                grace_s=settings.grace_s,
                limits=settings.limits,
                message_bytes=settings.limits.request_bytes if part.name == "gateway" else settings.limits.message_bytes,
                most_values=MOST_VALUES_OF_A_REQUEST if part.name == "gateway" else MOST_VALUES,
            )
            part.add(server)
            servers.append(await stack.enter_async_context(server))
        stopped = stopped_by_signal()
        pages.life.begin(ready)
        for part, server in zip(parts, servers, strict=True):
            say(f"{part.name}: gRPC on {part.listen.grpc.rpartition(':')[0]}:{server.port}", settings)
        for line in (pages.served, *filter(None, served)):
            say(line, settings)
        settle()
        for part in parts:
            part.begin()
        await stopped.wait()
        pages.life.stop()
        for server in servers:
            await server.refuse()
        say("stopping: waiting for the calls in flight (again to stop at once)", settings)
        await asyncio.gather(*(server.stop() for server in servers))


def say(line: str, settings: Settings) -> None:
    """Says on stderr what a person looks for there; as a log line if a machine reads them."""
    if settings.log.format == "json":
        logger.info(line)
    else:
        click.echo(line, err=True)
