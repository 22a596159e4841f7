"""The blob store as a gateway uses it: media that requests name, and media of answers that are too large to travel with them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.asking.media_blocks import Fetch
from gateway.asking.sizes import MAX_REQUEST_BYTES
from gateway.landing import Landed, Landing, not_stored
from gateway.media import HEAD_BYTES, duration_ms, mime_type
from genlevel.runtime.errors import StorageError, UsageError
from genlevel.runtime.settings import Storage
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

if TYPE_CHECKING:
    from genlevel.runtime.blobs import BlobStore


class StoredMedia:
    """A gateway's blob store, which is opened when it is first needed. data_folder: where it is unless the settings say otherwise."""

    def __init__(self, settings: Storage, data_folder: Path) -> None:
        self._settings = settings
        self._data_folder = data_folder
        self._store: BlobStore | None = None

    @property
    def store(self) -> BlobStore:
        """The store itself. Raises StorageError, ConfigurationError if it cannot be opened."""
        if self._store is None:
            from genlevel.runtime.blobs import BlobStore

            settings = self._settings
            self._store = BlobStore.open(
                settings.blobs or self._data_folder / "blobs", patience_s=settings.patience_s, durability=settings.durability
            )
        return self._store

    def fetch(self) -> Fetch:
        """Reads what one request names: all of it together is no larger than a request may be."""
        left = MAX_REQUEST_BYTES

        async def fetch(reference: ct.BlobReference) -> bytes:
            nonlocal left
            content = await asyncio.to_thread(self.store.get, reference.sha256, most_bytes=left)
            left -= len(content)
            return content

        return fetch

    async def bytes_of(self, references: Sequence[ct.BlobReference]) -> int:
        """Bytes of stored objects, as far as they are there, and as far as one request may name."""
        return min(await asyncio.to_thread(self._sizes, references), MAX_REQUEST_BYTES)

    def _sizes(self, references: Sequence[ct.BlobReference]) -> int:
        size = 0
        for reference in references:
            with suppress(StorageError, UsageError):  # said when they are fetched, with the part's path
                size += self.store.size(reference.sha256)
        return size

    async def settle(self, response: gw.GenerateResponse, stated_s: float = 0.0) -> bool:
        """Counts an answer's media, and stores what is too large to travel inline. Returns whether the length of each is known.

        stated_s: their length as the provider says. Raises CallFailed if it cannot be stored.
        """
        known = True
        for part in response.parts:
            if part.WhichOneof("part") != "media":
                continue
            media = part.media
            if media.modality == ct.MODALITY_IMAGE:
                response.usage.output_images += 1
            elif media.modality in (ct.MODALITY_AUDIO, ct.MODALITY_VIDEO):
                length = await asyncio.to_thread(duration_ms, media.inline) or round(stated_s * 1000)
                response.usage.output_milliseconds += length
                known = known and length > 0
            if len(media.inline) > self._settings.inline_limit_bytes:
                media.blob.CopyFrom(await self.keep(media.inline, media.mime_type))
        return known

    async def part_of(self, data: bytes | Landed, modality: int, claimed: str) -> tuple[ct.Part, int]:
        """What a model has made as a part, stored if it is too large to travel inline; and its length in milliseconds, 0 if it has or says
        none. claimed: as for ``gateway.media.mime_type``, which raises ValueError.

        Raises CallFailed if it cannot be stored.
        """
        kind = mime_type(data.head if isinstance(data, Landed) else data[:HEAD_BYTES], len(data), modality, claimed)
        length_ms = 0
        if modality in (ct.MODALITY_AUDIO, ct.MODALITY_VIDEO):
            length_ms = await asyncio.to_thread(_length_ms, data)
        part = ct.Part(media=ct.Media(modality=ct.Modality.Name(modality), mime_type=kind))
        if isinstance(data, Landed) or len(data) > self._settings.inline_limit_bytes:
            part.media.blob.CopyFrom(await self.keep(data, kind))
        else:
            part.media.inline = data
        return part, length_ms

    def landing(self) -> Landing:
        """Where media of an answer go as they come."""
        return Landing(lambda: self.store, self._settings.inline_limit_bytes)

    async def keep(self, data: bytes | Landed, kind: str) -> ct.BlobReference:
        """Stores what an answer has. Raises CallFailed: it is billed, though it cannot be had."""
        try:
            if isinstance(data, Landed):
                return await self.store.writes(data.spool.keep, kind)
            return await self.store.writes(self.store.put, data, kind)
        except StorageError as problem:
            raise not_stored(problem) from None


def _length_ms(data: bytes | Landed) -> int:
    if not isinstance(data, Landed):
        return duration_ms(data)
    data.spool.flush()
    return duration_ms(data.spool.path)
