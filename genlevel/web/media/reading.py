"""Reading media from where they lie: their beginning, or all of one as a file of this machine for as long as it is looked at."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genlevel.runtime.errors import UsageError
from genlevel.web.media.kinds import HEAD_BYTES
from genlevel.web.places import MEDIA_OF, AnswerPlace

if TYPE_CHECKING:
    from genlevel.connection.services import RunsPort

MOST_BYTES = 64 << 20
"""Of a file that is made into something else. Larger ones are only offered as they are."""


@dataclass(frozen=True, slots=True)
class Head:
    """How a medium begins. name: as its file is called. size: of all of it, in bytes."""

    name: str
    size: int
    data: bytes


async def read_head(evaluator: RunsPort, place: AnswerPlace, of: str, position: int) -> Head:
    """The first HEAD_BYTES of a medium. of: a name in MEDIA_OF. Raises GenlevelError if it is not there."""
    head, data = Head("", 0, b""), b""
    first = True
    async for message in evaluator.read_media(place.request(MEDIA_OF[of], position, 0, HEAD_BYTES)):
        if first:
            fact, first = message.media, False
            head = Head(fact.name, fact.bytes, b"")
        data += message.data
    return Head(head.name, head.size, data[:HEAD_BYTES])


@asynccontextmanager
async def as_file(evaluator: RunsPort, place: AnswerPlace, of: str, position: int, suffix: str) -> AsyncIterator[Path]:
    """The medium as a file that is gone afterwards. suffix: what its name ends with.

    Raises GenlevelError; UsageError if it is too large.
    """
    with tempfile.TemporaryDirectory(prefix="genlevel-web-") as folder:
        path = Path(folder) / f"medium{suffix}"
        with path.open("wb") as file:
            size = 0
            async for message in evaluator.read_media(place.request(MEDIA_OF[of], position)):
                if message.HasField("media") and message.media.bytes > MOST_BYTES:
                    raise UsageError(_too_large(message.media.bytes))
                size += len(message.data)
                if size > MOST_BYTES:
                    raise UsageError(_too_large(size))
                await asyncio.to_thread(file.write, message.data)
        yield path


def _too_large(size: int) -> str:
    return f"a file of {size >> 20} MiB is not drawn here (at most {MOST_BYTES >> 20} MiB are); load it down"
