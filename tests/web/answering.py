"""A run over a suite of a test's own, and the pages of its answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2

from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from tests.evaluator.conftest import ScriptedGateway
from tests.web.driven import driven_site

Reply = str | Sequence[tuple[str, bytes]]
"""A text, or media as MIME type and content."""


class Replies(ScriptedGateway):
    """Takes and makes everything, and answers the question "#3 ..." with reply 3 of its task, which the question names."""

    def __init__(self, reply: Callable[[str], Reply]) -> None:
        super().__init__()
        self.reply = reply
        every = [ct.MODALITY_TEXT, ct.MODALITY_IMAGE, ct.MODALITY_VIDEO, ct.MODALITY_AUDIO, ct.MODALITY_THREE_D]
        self.info.input_modalities[:] = every
        self.info.output_modalities[:] = every
        self.cost = 1_000

    async def generate(self, request: gw.GenerateRequest, *, timeout_s: float) -> gw.GenerateResponse:
        reply = self.reply("\n".join(part.text for part in request.messages[0].parts))
        if isinstance(reply, str):
            parts = [ct.Part(text=reply)]
        else:
            parts = [ct.Part(media=ct.Media(modality=ct.MODALITY_IMAGE, mime_type=kind, inline=content)) for kind, content in reply]
        return gw.GenerateResponse(
            parts=parts, finish_reason=gw.FINISH_REASON_STOP, usage=self.usage, cost_nano_usd=self.cost, provider="compatible", model="m",
            response_id="r<1>",
        )  # fmt: skip


def write_task(root: Path, key: str, envelope: Mapping[str, object], items: Sequence[object], files: Mapping[str, bytes] = {}) -> None:
    """A task folder of a suite. files: their contents by their paths in it."""
    folder = root / key
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "annotation.json").write_text(json.dumps({**envelope, "data": items}), "utf-8")


class AnsweredRun:
    """The pages over one run that has ended. Has a loop of its own, so that a module's tests share it."""

    def __init__(self, folder: Path, gateway: ScriptedGateway, suite: Path, **specification: object) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.run = ""
        self._runner.run(self._begin(folder, gateway, suite, specification))

    async def _begin(self, folder: Path, gateway: ScriptedGateway, suite: Path, specification: Mapping[str, object]) -> None:
        self.site = await self._stack.enter_async_context(driven_site(folder, gateway, continues=False))
        asked = ev.RunSpecification(model="m", suite=str(suite), **specification)  # type: ignore[arg-type]
        started = await self.site.evaluator.start_run(ev.StartRunRequest(specification=asked))
        self.run = started.run.run_id
        async for progress in self.site.evaluator.watch_run(ev.WatchRunRequest(run_id=self.run)):
            self.ended = progress.run

    def get(self, path: str, **headers: str) -> httpx2.Response:
        """What a browser gets. path: below the run, if it does not begin with "/"."""
        address = path if path.startswith("/") else f"/runs/{self.run}/{path}"

        async def ask() -> httpx2.Response:
            return await self.site.client.get(address, headers={name.replace("_", "-"): value for name, value in headers.items()})

        return self._runner.run(ask())

    def page(self, path: str) -> str:
        response = self.get(path)
        assert response.status_code == 200, (path, response.status_code, response.text[-2000:])
        return response.text

    def close(self) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()
