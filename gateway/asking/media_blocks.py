"""Media of a request as blocks: checked against what a model and its adapter take, read, and encoded once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from gateway.adapters.base import Capabilities
from gateway.adapters.blocks import Audio, Document, Image, Video
from gateway.asking.frames import NoFrames, sample_frames
from gateway.faults import fault, too_large, unsupported
from gateway.media import HEAD_BYTES, contradiction
from genlevel.runtime.errors import StorageError, UsageError
from genlevel.runtime.shown import quoted
from genlevel.v1 import content_pb2 as ct

Fetch = Callable[[ct.BlobReference], Awaitable[bytes]]
Encode = Callable[[bytes], str]
"""Base64 of bytes, or what stands for it until it is written (``gateway.splicing``)."""

MODALITY_NAMES: dict[int, str] = {
    ct.MODALITY_TEXT: "text",
    ct.MODALITY_IMAGE: "image",
    ct.MODALITY_VIDEO: "video",
    ct.MODALITY_AUDIO: "audio",
    ct.MODALITY_THREE_D: "3d",
    ct.MODALITY_DOCUMENT: "document",
}
_ARTICLES: dict[int, str] = {ct.MODALITY_IMAGE: "an image", ct.MODALITY_VIDEO: "a video", ct.MODALITY_DOCUMENT: "a document"}


@dataclass(frozen=True, slots=True)
class Taker:
    """Who takes media. name: for messages ("openai/gpt"). modalities: what the model takes. video_frames: a video is sent as so many of
    its frames; 0 = as it is. fetch: bytes of a stored object, or StorageError. encode: what becomes of media.
    """

    name: str
    capabilities: Capabilities
    modalities: frozenset[int]
    fetch: Fetch
    encode: Encode
    video_frames: int = 0

    async def blocks_of(self, media: ct.Media, where: str) -> Sequence[Image | Audio | Video | Document]:
        """The blocks of one media part. where: its path.

        Raises CallFailed: CALLER_FAULT for a part that is wrong, UNSUPPORTED for one that cannot be sent, CONTEXT_TOO_LONG for one over the
        provider's sizes.
        """
        modality = media.modality
        if modality not in MODALITY_NAMES or modality == ct.MODALITY_TEXT:
            raise fault(where, f"{where}.media has no modality" if modality == 0 else f"{where}.media: text goes as text, not as media")
        if modality == ct.MODALITY_VIDEO and self.video_frames and modality in self.modalities:
            return await self._frames(media, where)
        types = self._types(modality)
        if modality not in self.modalities or not types:
            raise unsupported(where, MODALITY_NAMES[modality], self.name)
        self._check_options(media, where)
        uri = self._uri(media, where)
        name = MODALITY_NAMES[modality]
        if not uri and media.mime_type not in types:
            taken = ", ".join(sorted(kind.removeprefix(f"{name}/") for kind in types))
            raise unsupported(
                where, f"{media.mime_type or f'{_ARTICLES.get(modality, name)} without MIME type'} (it takes {taken})", self.name
            )
        data = b"" if uri else await self._bytes(media, where)
        if data and (really := contradiction(media.mime_type, data[:HEAD_BYTES])):
            said = f"{where}.media says {media.mime_type}, and its bytes are {really}; correct its mime_type, or the file"
            raise fault(where, said)
        most = self.capabilities.image_bytes if modality == ct.MODALITY_IMAGE else 0
        if most and len(data) > most:
            raise too_large(where, f"an image of {len(data):,} bytes (at most {most:,})", self.name)
        return [self._block(media, data, uri)]

    def _block(self, media: ct.Media, data: bytes, uri: str) -> Image | Audio | Video | Document:
        kind, options = media.mime_type, media.options
        written = self.encode(data) if data else ""
        match media.modality:
            case ct.MODALITY_IMAGE:
                return Image(kind, written, uri, options.detail, data)
            case ct.MODALITY_AUDIO:
                return Audio(kind, written, uri, data)
            case ct.MODALITY_VIDEO:
                return Video(kind, written, uri, options.fps, options.start_s, options.end_s)
            case _:
                text = data.decode("utf-8", "replace") if kind.startswith("text/") else ""
                return Document(kind, written, uri, media.name, text)

    def _types(self, modality: int) -> frozenset[str]:
        """MIME types that its API takes of a modality."""
        match modality:
            case ct.MODALITY_IMAGE:
                return self.capabilities.image_types
            case ct.MODALITY_AUDIO:
                return self.capabilities.audio_types
            case ct.MODALITY_VIDEO:
                return self.capabilities.video_types
            case ct.MODALITY_DOCUMENT:
                return self.capabilities.document_types
            case _:
                return frozenset()

    def _check_options(self, media: ct.Media, where: str) -> None:
        """Raises CallFailed for a hint that cannot be honoured."""
        options, name = media.options, _ARTICLES.get(media.modality, MODALITY_NAMES[media.modality])
        timed = options.fps or options.start_s or options.end_s
        if options.sample_rate_hz or (timed and not (media.modality == ct.MODALITY_VIDEO and self.capabilities.video_options)):
            raise unsupported(where, f"{name} with options of time or sampling", self.name)
        details = self.capabilities.image_details if media.modality == ct.MODALITY_IMAGE else frozenset[str]()
        if options.detail and options.detail not in details:
            raise unsupported(where, f"{MODALITY_NAMES[media.modality]} detail {quoted(options.detail)}", self.name)

    def _uri(self, media: ct.Media, where: str) -> str:
        """The address that its provider fetches; "" if the media come with the request."""
        if media.WhichOneof("source") != "uri":
            return ""
        schemes = self.capabilities.uri_schemes
        if not media.uri.startswith(schemes):
            allowed = " or ".join(scheme.removesuffix("://") for scheme in schemes)
            article = "an" if allowed.startswith("https") else "a"
            raise fault(where, f"{where}.media.uri must be {article} {allowed} address; send other media inline or as a blob")
        if media.modality not in self.capabilities.uris:
            raise unsupported(where, f"{_ARTICLES.get(media.modality, MODALITY_NAMES[media.modality])} by URI", self.name)
        return media.uri

    async def _frames(self, media: ct.Media, where: str) -> list[Image]:
        options = media.options
        if options.fps or options.start_s or options.end_s or options.sample_rate_hz or options.detail:
            raise unsupported(where, "video with options", self.name)
        if media.WhichOneof("source") == "uri":
            raise unsupported(where, "video by URI", self.name)
        data = await self._bytes(media, where)
        try:
            frames = await asyncio.to_thread(sample_frames, data, self.video_frames)
        except NoFrames as problem:
            raise fault(where, f"{where}: no frames can be taken from the video: {problem}") from None
        return [Image("image/jpeg", base64=self.encode(frame)) for frame in frames]

    async def _bytes(self, media: ct.Media, where: str) -> bytes:
        source = media.WhichOneof("source")
        if source == "inline":
            data: bytes = media.inline
        elif source == "blob":
            try:
                data = await self.fetch(media.blob)
            except (StorageError, UsageError) as problem:
                raise fault(where, f"{where}: {problem}") from None
        else:
            raise fault(where, f"{where}.media has no source: set inline, uri or blob")
        if not data:
            raise fault(where, f"{where}.media has no bytes")
        return data
