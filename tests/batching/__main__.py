"""The stand-ins as a process: ``python -m tests.batching --port-file FILE``. It ends with the process that started it."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from aiohttp import web

from tests.batching.serving import application, desks


async def main(port_file: Path) -> None:
    """Serves until whoever started it is gone."""
    runner = web.AppRunner(application(desks()), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=2048)
    await site.start()
    temporary = port_file.with_suffix(".tmp")
    temporary.write_text(str(runner.addresses[0][1]))
    temporary.rename(port_file)
    parent, loop, ended = os.getppid(), asyncio.get_running_loop(), asyncio.Event()

    def watch() -> None:
        if os.getppid() == parent:
            loop.call_later(0.5, watch)
        else:
            ended.set()

    watch()
    await ended.wait()
    await runner.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port-file", type=Path, required=True)
    asyncio.run(main(parser.parse_args().port_file))
