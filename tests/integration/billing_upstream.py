"""An OpenAI-compatible server for tests that bills, as its own process: it keeps a ledger of what it billed, whatever it says of it.

Usage: billing_upstream.py --port-file FILE --log FILE [--latency S] [--lie KIND] [--lie-rate P] [--honest N] [--error-rate P]
A call is billed when it arrives. The log has a line for it: tokens in, tokens out, calls that were open then, whether its bill is wrong.
"""

import argparse
import asyncio
import os
import random
from collections import Counter
from pathlib import Path

import orjson
from aiohttp import web

parser = argparse.ArgumentParser()
parser.add_argument("--port-file", type=Path, required=True)
parser.add_argument("--log", type=Path, required=True)
parser.add_argument("--latency", type=float, default=0.0)
parser.add_argument(
    "--lie",
    choices=["none", "times", "missing", "negative", "absurd", "long", "endless"],
    default="none",
    help="times: bills and says a thousand times too much; long: ignores the output limit, bills that, and does not say what; "
    "endless: a body that never ends; else: what it says of an honest bill",
)
parser.add_argument("--lie-rate", type=float, default=1.0)
parser.add_argument("--honest", type=int, default=0, help="so many calls at first are honest")
parser.add_argument("--error-rate", type=float, default=0.0, help="how many calls fail after they were billed")
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()
chance = random.Random(options.seed)
log = options.log.open("ab", buffering=0)
counts: Counter[str] = Counter()


async def complete(request: web.Request) -> web.StreamResponse:
    body = orjson.loads(await request.read())
    text = body["messages"][-1]["content"]
    counts["arrived"] += 1
    counts["open"] += 1
    lie = options.lie if counts["arrived"] > options.honest and chance.random() < options.lie_rate else "none"
    fails = chance.random() < options.error_rate
    answer, prompt, completion = "A", len(text) // 4 + 8, 2
    if lie == "times":
        prompt, completion = 1000 * prompt, 1000 * completion
    elif lie == "long":
        answer, completion = "word " * 20_000, 20_000
    log.write(f"{prompt}\t{completion}\t{counts['open']}\t{int(lie in ('times', 'long'))}\n".encode())
    try:
        await asyncio.sleep(options.latency)
        if fails:
            return web.json_response({"error": {"message": "The server had an error", "type": "server_error"}}, status=500)
        if lie == "endless":
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            await response.prepare(request)
            while True:
                await response.write(b" ")
                await asyncio.sleep(0.05)
        told = {"missing": None, "long": None, "negative": {"prompt_tokens": prompt, "completion_tokens": -5}}
        told["absurd"] = {"prompt_tokens": prompt, "completion_tokens": 10**30}
        reply = {
            "id": "stub", "object": "chat.completion", "created": 0, "model": body["model"],
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": answer}}],
            "usage": told.get(lie, {"prompt_tokens": prompt, "completion_tokens": completion}),
        }  # fmt: skip
        return web.Response(body=orjson.dumps(reply) if lie != "absurd" else _with_large(reply), content_type="application/json")
    finally:
        counts["open"] -= 1


def _with_large(reply: dict[str, object]) -> bytes:
    """orjson writes no number as large as this."""
    import json

    return json.dumps(reply).encode()


async def main() -> None:
    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v1/chat/completions", complete)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=2048)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    temporary = options.port_file.with_suffix(".tmp")
    temporary.write_text(str(port))
    temporary.rename(options.port_file)
    parent, loop, ended = os.getppid(), asyncio.get_running_loop(), asyncio.Event()

    def watch() -> None:
        """Ends with the test that started it."""
        if os.getppid() == parent:
            loop.call_later(0.5, watch)
        else:
            ended.set()

    watch()
    await ended.wait()


asyncio.run(main())
