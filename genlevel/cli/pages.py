"""``genlevel view``: pages over a data folder, or over the configured services."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from genlevel.cli.options import out_option, run_async, settings_of
from genlevel.cli.signals import stopped_by_signal


@click.command("view")
@click.argument("run", required=False, default="")
@click.option("--port", type=click.IntRange(0, 65535), default=7400, show_default=True, help="Or the next one that is free.")
@click.option("--browser/--no-browser", default=True, help="Open the browser.")
@out_option
@click.pass_context
def view(ctx: click.Context, run: str, port: int, browser: bool, out: Path) -> None:
    """Show runs in the browser, or one of them."""
    settings = settings_of(ctx)

    async def work() -> None:
        from genlevel.connection.services import services
        from genlevel.runtime.http import HttpServer
        from genlevel.web.app import create_app
        from genlevel.web.door import Door

        async with services(settings, out) as found:
            server = HttpServer(create_app(found, settings, Door()), f"127.0.0.1:{port}", name="web.http", grace_s=1.0)
            await server.start_near(range(port, port + 20))
            async with server:
                stopped = stopped_by_signal()
                address = f"http://127.0.0.1:{server.port}/{f'runs/{run}' if run else ''}"
                click.echo(f"pages: {address} (Ctrl-C ends)", err=True)
                if browser:
                    import webbrowser

                    await asyncio.to_thread(webbrowser.open, address)
                await stopped.wait()

    run_async(work())
