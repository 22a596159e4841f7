"""An OpenAI-compatible server for tests, as its own process: answers after a latency, and misbehaves on request.

Usage: stub_upstream.py --port-file FILE [--log FILE] [--latency S] [--limit-rate P] [--error-rate P] [--drop-rate P] [--garbage-rate P]
Each arriving call is appended to the log as one line: its outcome and the first line of the last message. With --given FILE, what was
answered is appended there, its first line, at the moment in which its answer is sent. With --times FILE, each call appends the time at
which it arrived, in seconds of the system's monotonic clock, how many calls were open then, itself included, and the tokens of its bill.
"""

import argparse
import asyncio
import os
import random
import re
import time
import zlib
from pathlib import Path

import orjson
from aiohttp import web

parser = argparse.ArgumentParser()
parser.add_argument("--port-file", type=Path, required=True)
parser.add_argument("--log", type=Path)
parser.add_argument("--given", type=Path)
parser.add_argument("--times", type=Path)
parser.add_argument("--latency", type=float, default=0.0)
parser.add_argument("--spread", type=float, default=0.0, help="by which part of it latencies differ at most, to either side")
parser.add_argument("--limit-rate", type=float, default=0.0)
parser.add_argument("--retry-after", default="1")
parser.add_argument("--error-rate", type=float, default=0.0)
parser.add_argument("--drop-rate", type=float, default=0.0)
parser.add_argument("--garbage-rate", type=float, default=0.0)
parser.add_argument("--mute-rate", type=float, default=0.0, help="how many answers do not say what was used")
parser.add_argument("--answer", default="A")
parser.add_argument("--knows", default="", help="of options, each on a line after its letter, it says which begins with this, if one does")
parser.add_argument("--worse", type=Path, help="once this file is there, every third question gets another answer")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--status", type=int, default=0, help="answer every call with this status")
options = parser.parse_args()
chance, spread = random.Random(options.seed), random.Random(options.seed)
log = options.log.open("ab", buffering=0) if options.log else None
given = options.given.open("ab", buffering=0) if options.given else None
times = options.times.open("ab", buffering=0) if options.times else None
in_flight = 0


def usage(text: str) -> dict[str, int]:
    prompt, completion = len(text) // 4 + 8, 2
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


async def models(request: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": "stub", "object": "model"}]})


async def complete(request: web.Request) -> web.StreamResponse:
    global in_flight  # noqa: PLW0603
    text = asked(orjson.loads(await request.read()))
    in_flight += 1
    if times:
        used = usage(text)
        times.write(f"{time.monotonic():.4f}\t{in_flight}\t{used['prompt_tokens']}\t{used['completion_tokens']}\n".encode())
    try:
        return await answer(request, text)
    finally:
        in_flight -= 1


def asked(body: dict) -> str:
    """The text of the last message."""
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else next((part["text"] for part in content if part["type"] == "text"), "")


async def answer(request: web.Request, text: str) -> web.StreamResponse:
    draw = chance.random()
    outcome = "ok"
    for name, rate in (
        ("limit", options.limit_rate),
        ("error", options.error_rate),
        ("drop", options.drop_rate),
        ("garbage", options.garbage_rate),
    ):
        if draw < rate:
            outcome = name
            break
        draw -= rate
    if log:
        log.write(f"{outcome}\t{text.partition(chr(10))[0]}\n".encode())
    if options.latency:
        await asyncio.sleep(options.latency * (1 + options.spread * spread.uniform(-1, 1)))
    if options.status:
        return web.json_response({"error": {"message": "as asked", "type": "stub", "code": None}}, status=options.status)
    if outcome == "limit":
        error = {"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}}
        return web.json_response(error, status=429, headers={"Retry-After": options.retry_after})
    if outcome == "error":
        return web.json_response({"error": {"message": "The server had an error", "type": "server_error"}}, status=500)
    if outcome == "drop":
        assert request.transport is not None
        request.transport.abort()
        return web.Response()
    if outcome == "garbage":
        return web.Response(body=b'{"choices": [{"mess', content_type="application/json")
    known = re.search(rf"^([A-Z])\. {re.escape(options.knows)}", text, re.MULTILINE) if options.knows else None
    said = options.answer if known is None else known[1]
    worse = options.worse is not None and zlib.crc32(text.partition("\n")[0].encode()) % 3 == 0 and options.worse.exists()
    if given:
        given.write(f"{text.partition(chr(10))[0]}\n".encode())
    return web.Response(
        body=orjson.dumps(
            {
                "id": "stub",
                "object": "chat.completion",
                "created": 0,
                "model": orjson.loads(await request.read())["model"],
                "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "B" if worse else said}}],
                "usage": None if options.mute_rate and chance.random() < options.mute_rate else usage(text),
            }
        ),
        content_type="application/json",
    )


async def main() -> None:
    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_get("/v1/models", models)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=2048)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    temporary = options.port_file.with_suffix(".tmp")
    temporary.write_text(str(port))
    temporary.rename(options.port_file)
    parent = os.getppid()
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def watch() -> None:
        """Ends with the test that started it."""
        if os.getppid() == parent:
            loop.call_later(0.5, watch)
        else:
            ended.set()

    watch()
    await ended.wait()


asyncio.run(main())
