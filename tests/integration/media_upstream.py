"""OpenAI's endpoints for making media, as a server of its own: real small PNG, WAV and MP4 files, and mishaps on request.

Usage: media_upstream.py --port-file FILE [--log FILE] [--latency S]
Each arriving call is appended to the log as one line: what was asked of which endpoint, a tab, the prompt. Words in a prompt decide:
"[refuse]" a policy refusal, "[url]" an address instead of bytes, "[away]" an address on another host, "[garbage]" a web page with a good
status, "[limit]" a rate limit, "[later]" one with a good status, "[slow]" a job that takes 2 s, "[stuck]" one that never ends, "[fail]",
"[cancelled]" and "[expired]" ones that end so, "[forgotten]" and "[lost]" ones that are not known when asked about, "[shaky]" one whose
first polls fail.
"""

import argparse
import asyncio
import base64
import io
import math
import os
import struct
import wave
from collections import Counter
from pathlib import Path
from typing import Any

import av
import numpy as np
import orjson
from aiohttp import web
from PIL import Image, ImageFilter

parser = argparse.ArgumentParser()
parser.add_argument("--port-file", type=Path, required=True)
parser.add_argument("--log", type=Path)
parser.add_argument("--latency", type=float, default=0.0)
options = parser.parse_args()
log = options.log.open("ab", buffering=0) if options.log else None
jobs: dict[str, dict[str, Any]] = {}
polls: Counter[str] = Counter()
files: dict[str, bytes] = {}


def error(status: int, message: str, code: str | None, kind: str = "invalid_request_error") -> web.Response:
    return web.json_response({"error": {"message": message, "type": kind, "code": code, "param": None}}, status=status)


async def asked(request: web.Request, what: str, prompt: str) -> web.Response | None:
    if log:
        log.write(f"{what}\t{prompt.splitlines()[0] if prompt else ''}\n".encode())
    if options.latency:
        await asyncio.sleep(options.latency)
    if "[refuse]" in prompt:
        return error(400, "Your request was rejected by the safety system.", "moderation_blocked", "image_generation_user_error")
    if "[limit]" in prompt:
        return web.json_response(
            {"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}},
            status=429,
            headers={"Retry-After": "0.1"},
        )
    if "[later]" in prompt:
        return web.json_response({"error": {"code": 429, "message": "slow down"}})
    if "[garbage]" in prompt:
        return web.Response(text="<html>sorry</html>", content_type="text/html")
    return None


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def images(request: web.Request, data: bytes, prompt: str) -> web.Response:
    entry: dict[str, str] = {"b64_json": base64.b64encode(data).decode()}
    if "[url]" in prompt:
        files[f"{len(files)}.png"] = data
        entry = {"url": f"http://{request.host}/files/{len(files) - 1}.png"}
    if "[away]" in prompt:
        entry = {"url": "http://169.254.169.254/latest/meta-data"}
    if "[redirect]" in prompt:
        entry = {"url": f"http://{request.host}/away"}
    usage = {"input_tokens": 50, "output_tokens": 100, "total_tokens": 150, "input_tokens_details": {"image_tokens": 40, "text_tokens": 10}}
    return web.json_response({"created": 1, "data": [entry], "usage": usage})


async def generations(request: web.Request) -> web.StreamResponse:
    body = orjson.loads(await request.read())
    if refused := await asked(request, "images/generations", body["prompt"]):
        return refused
    width, height = (int(side) for side in body.get("size", "64x48").split("x"))
    shade = sum(body["prompt"].encode()) % 256
    return images(request, png(Image.new("RGB", (width, height), (shade, 128, 255 - shade))), body["prompt"])


async def edits(request: web.Request) -> web.StreamResponse:
    if request.content_type == "application/json":
        body = orjson.loads(await request.read())
        prompt = body["prompt"]
        given = [base64.b64decode(one["image_url"].partition(";base64,")[2], validate=True) for one in body["images"]]
    else:
        form = await request.post()
        prompt = str(form["prompt"])
        given = [form[name].file.read() for name in form if name in ("image", "image[]")]  # type: ignore[union-attr]
    if refused := await asked(request, "images/edits", prompt):
        return refused
    picture = Image.open(io.BytesIO(given[0])).convert("RGB")
    return images(request, png(picture if "[same]" in prompt else picture.filter(ImageFilter.MedianFilter(3))), prompt)


async def speech(request: web.Request) -> web.StreamResponse:
    body = orjson.loads(await request.read())
    if refused := await asked(request, "audio/speech", body["input"]):
        return refused
    assert body["voice"]
    assert body["response_format"] == "wav"
    buffer, rate = io.BytesIO(), 16_000
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        pitch = 200 + len(body["input"])
        sound.writeframes(b"".join(struct.pack("<h", round(8000 * math.sin(2 * math.pi * pitch * t / rate))) for t in range(rate // 2)))
    return web.Response(body=buffer.getvalue(), content_type="audio/wav")


async def transcription(request: web.Request) -> web.StreamResponse:
    form = await request.post()
    prompt = str(form.get("prompt", ""))
    if refused := await asked(request, "audio/transcriptions", prompt):
        return refused
    with wave.open(io.BytesIO(form["file"].file.read())) as sound:  # type: ignore[union-attr]
        seconds = sound.getnframes() / sound.getframerate()
    return web.json_response({"text": "good morning", "usage": {"type": "duration", "seconds": seconds}})


def mp4(seconds: float, shade: int) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(round(seconds * 8)):
            picture = np.full((48, 64, 3), (shade + 4 * number) % 256, np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return buffer.getvalue()


async def begin_video(request: web.Request) -> web.StreamResponse:
    form = await request.post()
    prompt = str(form["prompt"])
    if refused := await asked(request, "videos", prompt):
        return refused
    name = f"video_{len(jobs) + 1}"
    ready = 2.0 if "[slow]" in prompt else 1e9 if "[stuck]" in prompt else 0.1
    jobs[name] = {
        "prompt": prompt,
        "model": str(form["model"]),
        "seconds": str(form.get("seconds", "1")),
        "ready": asyncio.get_running_loop().time() + ready,
        "reference": "input_reference" in form,
    }
    return state(name)


def state(name: str) -> web.Response:
    job = jobs[name]
    done = asyncio.get_running_loop().time() >= job["ready"]
    ends = {"[fail]": "failed", "[blocked]": "failed", "[cancelled]": "cancelled", "[expired]": "expired"}
    status = next((end for word, end in ends.items() if word in job["prompt"]), "completed") if done else "in_progress"
    document: dict[str, Any] = {"id": name, "object": "video", "created_at": 1, "model": job["model"], "status": status}
    document |= {"progress": 100 if done else 10, "seconds": job["seconds"], "size": "64x48"}
    if status == "failed":
        blocked = "[blocked]" in job["prompt"]
        document["error"] = {"code": "moderation_blocked" if blocked else "server_error", "message": "It did not work."}
    return web.json_response(document, headers={"openai-poll-after-ms": "50"})


async def video(request: web.Request) -> web.StreamResponse:
    name = request.match_info["name"]
    polls[name] += 1
    if log:
        log.write(f"poll\t{name}\n".encode())
    if name not in jobs:
        return error(404, "no such video", "not_found")
    if "[forgotten]" in jobs[name]["prompt"]:
        return error(404, "no such video", "not_found")
    if "[lost]" in jobs[name]["prompt"]:
        return web.json_response({"error": {"code": 404, "message": "no such video"}})
    if "[shaky]" in jobs[name]["prompt"] and polls[name] <= 2:
        return error(503, "overloaded", None, "server_error")
    return state(name)


async def video_content(request: web.Request) -> web.StreamResponse:
    job = jobs[request.match_info["name"]]
    return web.Response(body=mp4(float(job["seconds"]), 200 if job["reference"] else 20), content_type="video/mp4")


async def file(request: web.Request) -> web.StreamResponse:
    assert "authorization" not in request.headers
    return web.Response(body=files[request.match_info["name"]], content_type="image/png")


async def away(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("https://127.0.0.1:1/secret.png")


async def main() -> None:
    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v1/images/generations", generations)
    app.router.add_post("/v1/images/edits", edits)
    app.router.add_post("/v1/audio/speech", speech)
    app.router.add_post("/v1/audio/transcriptions", transcription)
    app.router.add_post("/v1/videos", begin_video)
    app.router.add_get("/v1/videos/{name}", video)
    app.router.add_get("/v1/videos/{name}/content", video_content)
    app.router.add_get("/files/{name}", file)
    app.router.add_get("/away", away)
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
