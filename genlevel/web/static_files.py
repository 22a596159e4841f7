"""Our own files that pages load: kept by browsers for as long as the address stays, which changes with the content."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from pathlib import Path

from starlette import staticfiles
from starlette.responses import Response
from starlette.types import Scope

PACKAGES = ("genlevel.web", "genlevel.views")
FOLDERS = tuple(Path(str(resources.files(package))) / "static" for package in PACKAGES)


@cache
def static_address(name: str) -> str:
    """Where a page finds a file of static/, by its path there such as "vendor/htmx.min.js". Raises OSError if there is none."""
    found = next((folder / name for folder in FOLDERS if (folder / name).is_file()), FOLDERS[0] / name)
    return f"/static/{name}?v={hashlib.sha256(found.read_bytes()).hexdigest()[:12]}"


class StaticFiles(staticfiles.StaticFiles):
    """Serves static/. A file at an address of ``static_address`` is kept for a year; any other is asked for anew."""

    def __init__(self) -> None:
        super().__init__(packages=[(package, "static") for package in PACKAGES])

    async def get_response(self, path: str, scope: Scope) -> Response:
        found = await super().get_response(path, scope)
        asked = f"/static/{path}?{scope['query_string'].decode('latin-1')}"
        current = found.status_code < 400 and asked == static_address(path)
        found.headers["cache-control"] = "public, max-age=31536000, immutable" if current else "no-cache"
        return found
