"""The blob store as a gateway uses it: media that requests name, and media of answers that are too large to travel with them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.media import duration_ms
from gateway.media_blocks import Fetch
from gateway.sizes import MAX_REQUEST_BYTES
from genlevel.runtime.errors import CallFailed, ErrorClass, StorageError, UsageError
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

    async def keep(self, data: bytes, mime_type: str) -> ct.BlobReference:
        """Stores what an answer has. Raises CallFailed: it is billed, though it cannot be had."""
        try:
            return await self.store.writes(self.store.put, data, mime_type)
        except StorageError as problem:
            raise CallFailed(ErrorClass.UNKNOWN, str(problem), provider_code="blob store", may_be_charged=True) from None
