"""``genlevel view`` and ``genlevel web``: pages over a data folder, and in front of services that run elsewhere."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genlevel.cli.options import need_run_folder, out_option, run_async, settings_of
from genlevel.cli.services import MOST_PORTS, say, service_settings
from genlevel.cli.signals import stopped_by_signal
from genlevel.runtime.errors import ConfigurationError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from prometheus_client import CollectorRegistry

    from genlevel.connection.services import Services
    from genlevel.runtime.callers.access import Access
    from genlevel.runtime.channels import Shown
    from genlevel.runtime.http import HttpServer
    from genlevel.runtime.listening import Web
    from genlevel.runtime.readiness import Check
    from genlevel.runtime.settings import Settings


@click.command("view")
@click.argument("run", required=False, default="")
@click.option("--port", type=click.IntRange(0, 65535), help="Or the next one that is free.  [default: that of web.http, 7400]")
@click.option("--browser/--no-browser", default=True, help="Open the browser.")
@out_option
@click.pass_context
def view(ctx: click.Context, run: str, port: int | None, browser: bool, out: Path) -> None:
    """Show runs in the browser, or one of them."""
    from genlevel.runtime.memory import keep_little

    keep_little()  # long pages are made in threads, and each would keep a store of its own
    settings = settings_of(ctx)
    if run:
        need_run_folder(settings, out)

    async def work() -> None:
        from urllib.parse import quote

        from genlevel.connection.services import services
        from genlevel.runtime.callers.access import Access
        from genlevel.runtime.listening import Web
        from genlevel.v1 import evaluator_pb2 as ev

        access = Access(settings.auth)
        first = int((settings.web or Web()).http.rpartition(":")[2]) if port is None else port
        web = Web(http=f"127.0.0.1:{first}")
        async with services(settings, out, token=_shown(settings, access)) as found:
            if run and not (access.asks and settings.addresses.evaluator):  # else the services are asked by whoever logs in alone
                await found.evaluator.get_run(ev.GetRunRequest(run_id=run))
            server = pages_server(found, settings, web, access, found.registry)
            await server.start_near(range(first, min(65536, first + MOST_PORTS)) if first else [0])
            async with server:
                server.begin()
                stopped = stopped_by_signal()
                path = f"runs/{quote(run, safe='')}" if run else ""
                address = f"http://127.0.0.1:{server.port}/{path}"
                click.echo(f"pages: {address} (Ctrl-C ends)", err=True)
                if browser and _has_a_screen():
                    import webbrowser

                    await asyncio.to_thread(webbrowser.open, address)
                await stopped.wait()

    run_async(work())


@click.command("web")
@click.pass_context
def web(ctx: click.Context) -> None:
    """Serve the pages (web.http) in front of services elsewhere (addresses)."""
    settings = service_settings(ctx)
    if not settings.addresses.evaluator:
        raise ConfigurationError(
            "the pages need addresses.evaluator, addresses.scorer and addresses.gateway in genlevel.yaml; `genlevel up` serves pages and "
            "services in one process, and `genlevel view` shows a folder of runs"
        )
    if settings.web is None:
        raise ConfigurationError(f"{settings.place('web')}: it is none, so there is nothing to serve; leave it out, or set web.http")
    listen = settings.web

    async def work() -> None:
        from genlevel.connection.services import DEFAULT_FOLDER, services
        from genlevel.embedded import service_registry
        from genlevel.runtime.callers.access import Access
        from genlevel.runtime.readiness import Life

        registry, life = service_registry(), Life()
        access = Access(settings.auth, registry)
        if access.asks and settings.auth is not None and settings.auth.tokens is None:
            raise ConfigurationError(
                "auth: the pages pass callers' tokens on to the services, and cannot do so with certificates; set auth.tokens"
            )
        async with (
            services(settings, DEFAULT_FOLDER, token=_shown(settings, access)) as found,
            pages_server(found, settings, listen, access, registry, ready=life, alone=True) as server,
        ):
            server.begin()
            stopped = stopped_by_signal()
            life.begin(found.ready)
            say(f"pages: {pages_address(listen, server.port)}", settings)
            await stopped.wait()
            life.stop()
            say("stopping: waiting for the pages in flight (again to stop at once)", settings)

    run_async(work())


def _shown(settings: Settings, access: Access) -> str | Shown:
    """What goes on to services elsewhere: each visitor's own token, if the pages ask for one; else this process's."""
    if not access.asks or not settings.addresses.evaluator:
        return ""
    from genlevel.runtime.callers.passed_on import PassedOn

    return PassedOn()


def pages_server(
    found: Services,
    settings: Settings,
    listen: Web,
    access: Access,
    registry: CollectorRegistry | None,
    *,
    ready: Check | None = None,
    alone: bool = False,
) -> HttpServer:
    """A server of pages, which are imported when somebody first asks for one.

    Args:
        registry: where they count; None: nowhere else.
        ready: what /readyz says, if not what the services do.
        alone: nothing else of the process shows how it is and what it counts.
    """
    from genlevel.runtime.http import HttpServer, OnDemand

    def make() -> FastAPI:
        from genlevel.web.app import create_app
        from genlevel.web.door import Door

        door = Door(access, listen, passes_on=bool(settings.addresses.evaluator))
        return create_app(found, settings, door, registry=registry, ready=ready or found.ready, alone=alone)

    return HttpServer(OnDemand(make), listen.http, name="web.http", access=access, grace_s=1.0, tls=listen.tls, asks=True)


def pages_address(listen: Web, port: int) -> str:
    """What a person opens."""
    scheme = "http" if listen.tls is None else "https"
    host = listen.http.rpartition(":")[0]
    return f"{listen.url or f'{scheme}://{host}:{port}'}/"


def _has_a_screen() -> bool:
    """Whether a browser would have a window; one that has none takes over the terminal."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "BROWSER"))
