"""``genlevel up``, ``gateway``, ``evaluator`` and ``scorer``: the long-running services."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from genlevel.cli.options import out_option, run_async, settings_of
from genlevel.runtime.errors import ConfigurationError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from evaluator.ports import ScorerPort
    from evaluator.service import Evaluator
    from gateway.service import Gateway
    from genlevel.runtime.access import Access
    from genlevel.runtime.readiness import Check
    from genlevel.runtime.rpc import RpcServer
    from genlevel.runtime.settings import ServiceListen, Settings
    from scorer.service import Scorer


@click.command("up")
@out_option
@click.pass_context
def up(ctx: click.Context, out: Path) -> None:
    """Serve gateway, evaluator and scorer in one process, with one port for the metrics of all (evaluator.http)."""
    settings = _service_settings(ctx)

    async def work() -> None:
        from genlevel.embedded import embedded_services
        from genlevel.runtime.access import Access

        async with AsyncExitStack() as stack:
            found = await stack.enter_async_context(embedded_services(settings, out))
            access = Access(settings.auth, found.registry)
            served = []
            for name, listen, add in (
                ("gateway", settings.gateway, _add_gateway(found.gateway)),
                ("scorer", settings.scorer, _add_scorer(found.scorer)),
                ("evaluator", settings.evaluator, _add_evaluator(found.evaluator)),
            ):
                served.append(await stack.enter_async_context(_serve_rpc(name, listen, add, access)))
            pages = _serve_http("evaluator", settings.evaluator, found.registry, found.ready, access)
            served.append(await stack.enter_async_context(pages))
            await _until_stopped(served)

    run_async(work())


@click.command("gateway")
@out_option
@click.pass_context
def gateway(ctx: click.Context, out: Path) -> None:
    """Serve the gateway (gateway.grpc, gateway.http)."""
    settings = _service_settings(ctx)

    async def work() -> None:
        from gateway.service import Gateway
        from genlevel.embedded import service_registry
        from genlevel.runtime.readiness import fine

        registry = service_registry()
        core = Gateway(settings, registry, out)
        try:
            await _serve("gateway", settings, _add_gateway(core), registry, fine)
        finally:
            await core.close()

    run_async(work())


@click.command("scorer")
@out_option
@click.pass_context
def scorer(ctx: click.Context, out: Path) -> None:
    """Serve the scorer (scorer.grpc, scorer.http)."""
    settings = _service_settings(ctx)

    async def work() -> None:
        from genlevel.embedded import service_registry
        from genlevel.runtime.blobs import BlobStore
        from genlevel.runtime.files import FileCache
        from genlevel.runtime.storage import sqlite_url
        from scorer.service import Scorer

        registry = service_registry()
        files = FileCache(lambda: BlobStore.open(settings.storage.blobs or out / "blobs"), out / "files")
        core = Scorer(settings.storage.url or sqlite_url(out / "genlevel.db"), registry, files=files, weights=settings.scorer.weights)
        try:
            await _serve("scorer", settings, _add_scorer(core), registry, core.readiness)
        finally:
            core.close()

    run_async(work())


@click.command("evaluator")
@out_option
@click.pass_context
def evaluator(ctx: click.Context, out: Path) -> None:
    """Serve the evaluator (evaluator.grpc, evaluator.http); it finds the others by addresses.gateway and addresses.scorer."""
    settings = _service_settings(ctx)
    _need_addresses(settings)

    async def work() -> None:
        from evaluator.clients import GrpcGateway, GrpcScorer
        from evaluator.service import Evaluator
        from genlevel.embedded import service_registry

        registry = service_registry()
        async with AsyncExitStack() as stack:
            to_gateway = GrpcGateway(settings.addresses.gateway, settings.addresses)
            stack.push_async_callback(to_gateway.close)
            to_scorer = GrpcScorer(settings.addresses.scorer, settings.addresses)
            stack.push_async_callback(to_scorer.close)
            core = Evaluator(settings, to_gateway, cast("ScorerPort", to_scorer), registry=registry, data_folder=out)
            stack.push_async_callback(core.close)
            await _serve("evaluator", settings, _add_evaluator(core), registry, core.readiness)

    run_async(work())


def _service_settings(ctx: click.Context) -> Settings:
    """The settings, with the log set up as they say."""
    from genlevel.runtime.logs import configure_logging

    settings: Settings = settings_of(ctx)
    configure_logging(settings.log.format, settings.log.level)
    return settings


def _need_addresses(settings: Settings) -> None:
    missing = [f"addresses.{name}" for name in ("gateway", "scorer") if not getattr(settings.addresses, name)]
    if missing:
        raise ConfigurationError(
            f"the evaluator needs {' and '.join(missing)} in genlevel.yaml; `genlevel up` serves all three in one process"
        )


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


async def _serve(name: str, settings: Settings, add: Add, registry: CollectorRegistry, ready: Check) -> None:
    from genlevel.runtime.access import Access

    listen: ServiceListen = getattr(settings, name)
    access = Access(settings.auth, registry)
    async with _serve_rpc(name, listen, add, access) as calls, _serve_http(name, listen, registry, ready, access) as pages:
        await _until_stopped([calls, pages])


@asynccontextmanager
async def _serve_rpc(name: str, listen: ServiceListen, add: Add, access: Access) -> AsyncIterator[str]:
    """Yields what is served where, in a line."""
    from genlevel.runtime.rpc import RpcServer

    server = RpcServer(listen.grpc, listen.tls, name=f"{name}.grpc", access=access)
    add(server)
    async with server:
        yield f"{name}: gRPC on {listen.grpc.rpartition(':')[0]}:{server.port}"


@asynccontextmanager
async def _serve_http(name: str, listen: ServiceListen, registry: CollectorRegistry, ready: Check, access: Access) -> AsyncIterator[str]:
    """Yields what is served where, in a line."""
    from genlevel.runtime.http import HttpServer, create_app

    server = HttpServer(create_app(registry, ready=ready), listen.http, name=f"{name}.http", access=access)
    async with server:
        host = listen.http.rpartition(":")[0]
        yield f"{name}: /metrics, /healthz and /readyz on http://{host}:{server.port}"


async def _until_stopped(served: Sequence[str]) -> None:
    """Says what is served, now that all of it is. Returns at SIGINT or SIGTERM."""
    for line in served:
        click.echo(line, err=True)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for kind in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(kind, stopped.set)
    await stopped.wait()
    click.echo("stopping", err=True)
