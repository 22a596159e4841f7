"""Messages in the contract's terms, checked against what a model and its adapter take, and made ready to convert.

Nothing is dropped: a part that cannot be sent is refused by its path ("messages[0].parts[1]"). URIs are never fetched: an https URI goes to
the provider if the provider fetches it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from gateway.adapters.base import Audio, Block, Capabilities, Image, Turn
from gateway.frames import NoFrames, sample_frames
from gateway.splicing import base64_text
from genlevel.runtime.errors import CallFailed, ErrorClass, StorageError, UsageError
from genlevel.runtime.shown import quoted
from genlevel.v1 import content_pb2 as ct

LARGE_BYTES = 1 << 20
"""What is larger than this, and no media, is written as JSON in a thread: other calls need not wait for it."""

Fetch = Callable[[ct.BlobReference], Awaitable[bytes]]
Encode = Callable[[bytes], str]
"""Base64 of bytes, or what stands for it until it is written (``gateway.splicing``)."""

ROLES = {ct.ROLE_SYSTEM: "system", ct.ROLE_USER: "user", ct.ROLE_ASSISTANT: "assistant"}
MODALITY_NAMES: dict[int, str] = {
    ct.MODALITY_TEXT: "text",
    ct.MODALITY_IMAGE: "image",
    ct.MODALITY_VIDEO: "video",
    ct.MODALITY_AUDIO: "audio",
    ct.MODALITY_THREE_D: "3d",
}


def is_large(messages: Iterable[ct.Message], size: int) -> bool:
    """Whether a request of these messages, of so many bytes, has media, or texts, that other calls should not wait for."""
    if size > LARGE_BYTES:
        return True
    for message in messages:
        for part in message.parts:
            if part.HasField("media") and part.media.HasField("blob"):
                return True
    return False


async def turns_of(
    messages: Iterable[ct.Message],
    capabilities: Capabilities,
    modalities: frozenset[int],
    fetch: Fetch,
    taker: str,
    *,
    video_frames: int = 0,
    encode: Encode = base64_text,
) -> list[Turn]:
    """The messages as turns of texts, images and sounds.

    modalities: what the model takes. fetch: bytes of a stored object, or StorageError. taker: who takes it, for messages ("openai/gpt").
    video_frames: a video is sent as so many of its frames; 0 = not at all. encode: what becomes of media.
    Raises CallFailed: CALLER_FAULT for a message that is wrong, UNSUPPORTED for a part that cannot be sent,
    CONTEXT_TOO_LONG for media over the provider's sizes; each with the part's path.
    """
    turns: list[Turn] = []
    images = 0
    for number, message in enumerate(messages):
        role = ROLES.get(message.role)
        if role is None:
            path = f"messages[{number}]"
            if message.role == ct.ROLE_TOOL:
                raise _unsupported(path, "a tool message", taker)
            raise _fault(path, f"{path} has no role: set it to system, user or assistant")
        blocks: list[Block] = []
        for index, part in enumerate(message.parts):
            kind = part.WhichOneof("part")
            if kind == "text":
                blocks.append(part.text)
                continue
            where = f"messages[{number}].parts[{index}]"
            if kind is None:
                raise _fault(where, f"{where} is empty: set text or media")
            if kind != "media":
                raise _unsupported(where, f"a {kind.replace('_', ' ')} part", taker)
            if role != "user":
                raise _unsupported(where, f"media in a {role} message", taker)
            taken = await _media(part.media, capabilities, modalities, fetch, encode, where=where, taker=taker, video_frames=video_frames)
            images += sum(isinstance(block, Image) for block in taken)
            if capabilities.image_count and images > capabilities.image_count:
                raise _too_large(where, f"more than {capabilities.image_count} images in one request", taker)
            blocks.extend(taken)
        if not blocks:
            path = f"messages[{number}]"
            raise _fault(path, f"{path} has no parts: add a text")
        turns.append(Turn(role, blocks))
    if not turns:
        raise _fault("messages", "messages is empty: send at least one user message")
    return turns


async def _media(
    media: ct.Media,
    capabilities: Capabilities,
    modalities: frozenset[int],
    fetch: Fetch,
    encode: Encode,
    *,
    where: str,
    taker: str,
    video_frames: int,
) -> Sequence[Image | Audio]:
    if media.modality == ct.MODALITY_AUDIO and capabilities.audio_types and ct.MODALITY_AUDIO in modalities:
        return [await _audio(media, capabilities, fetch, encode, where=where, taker=taker)]
    if media.modality == ct.MODALITY_VIDEO and video_frames and ct.MODALITY_VIDEO in modalities:
        return await _frames(media, video_frames, fetch, encode, where=where, taker=taker)
    return [await _image(media, capabilities, modalities, fetch, encode, where=where, taker=taker)]


async def _image(
    media: ct.Media,
    capabilities: Capabilities,
    modalities: frozenset[int],
    fetch: Fetch,
    encode: Encode,
    *,
    where: str,
    taker: str,
) -> Image:
    name = MODALITY_NAMES.get(media.modality)
    if name is None:
        raise _fault(where, f"{where}.media has no modality")
    if media.modality not in modalities or media.modality != ct.MODALITY_IMAGE:
        raise _unsupported(where, name, taker)
    options = media.options
    if options.fps or options.start_s or options.end_s or options.sample_rate_hz:
        raise _unsupported(where, "an image with options of time or sampling", taker)
    if options.detail and options.detail not in capabilities.image_details:
        raise _unsupported(where, f"image detail {quoted(options.detail)}", taker)
    source = media.WhichOneof("source")
    if source == "uri":
        if not media.uri.startswith("https://"):
            raise _fault(where, f"{where}.media.uri must be an https address; send other media inline or as a blob")
        if not capabilities.image_uris:
            raise _unsupported(where, "an image by URI", taker)
        return Image(media.mime_type, uri=media.uri, detail=options.detail)
    if media.mime_type not in capabilities.image_types:
        taken = ", ".join(sorted(kind.removeprefix("image/") for kind in capabilities.image_types))
        raise _unsupported(where, f"{media.mime_type or 'an image without MIME type'} (it takes {taken})", taker)
    data = await _bytes(media, fetch, where)
    if capabilities.image_bytes and len(data) > capabilities.image_bytes:
        raise _too_large(where, f"an image of {len(data):,} bytes (at most {capabilities.image_bytes:,})", taker)
    return Image(media.mime_type, base64=encode(data), detail=options.detail)


async def _audio(media: ct.Media, capabilities: Capabilities, fetch: Fetch, encode: Encode, *, where: str, taker: str) -> Audio:
    options = media.options
    if options.fps or options.start_s or options.end_s or options.sample_rate_hz or options.detail:
        raise _unsupported(where, "audio with options", taker)
    if media.WhichOneof("source") == "uri":
        raise _unsupported(where, "audio by URI", taker)
    if media.mime_type not in capabilities.audio_types:
        taken = ", ".join(sorted(kind.removeprefix("audio/") for kind in capabilities.audio_types))
        raise _unsupported(where, f"{media.mime_type or 'audio without MIME type'} (it takes {taken})", taker)
    return Audio(media.mime_type, encode(await _bytes(media, fetch, where)))


async def _frames(media: ct.Media, count: int, fetch: Fetch, encode: Encode, *, where: str, taker: str) -> list[Image]:
    options = media.options
    if options.fps or options.start_s or options.end_s or options.sample_rate_hz or options.detail:
        raise _unsupported(where, "video with options", taker)
    if media.WhichOneof("source") == "uri":
        raise _unsupported(where, "video by URI", taker)
    data = await _bytes(media, fetch, where)
    try:
        frames = await asyncio.to_thread(sample_frames, data, count)
    except NoFrames as problem:
        raise _fault(where, f"{where}: no frames can be taken from the video: {problem}") from None
    return [Image("image/jpeg", base64=encode(frame)) for frame in frames]


async def _bytes(media: ct.Media, fetch: Fetch, where: str) -> bytes:
    source = media.WhichOneof("source")
    if source == "inline":
        data: bytes = media.inline
    elif source == "blob":
        try:
            data = await fetch(media.blob)
        except (StorageError, UsageError) as problem:
            raise _fault(where, f"{where}: {problem}") from None
    else:
        raise _fault(where, f"{where}.media has no source: set inline, uri or blob")
    if not data:
        raise _fault(where, f"{where}.media has no bytes")
    return data


def _fault(part: str, message: str) -> CallFailed:
    return CallFailed(ErrorClass.CALLER_FAULT, message, part=part)


def _unsupported(part: str, what: str, taker: str) -> CallFailed:
    return CallFailed(ErrorClass.UNSUPPORTED, f"{part}: {taker} does not take {what}", part=part)


def _too_large(part: str, what: str, taker: str) -> CallFailed:
    return CallFailed(ErrorClass.CONTEXT_TOO_LONG, f"{part}: {taker} does not take {what}", part=part)
