"""Messages in the contract's terms, checked against what a model and its adapter take, and made ready to convert.

Nothing is dropped: a part that cannot be sent is refused by its path ("messages[0].parts[1]"). URIs are never fetched: an address goes to
the provider if the provider fetches it.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from gateway.adapters.base import Capabilities
from gateway.adapters.blocks import NO_FIELDS, Audio, Block, Called, Document, Image, Result, Thought, Turn, Vendor, Video
from gateway.asking.media_blocks import Encode, Fetch, Taker
from gateway.asking.own_servers import refuse_addresses
from gateway.bodies import Json
from gateway.faults import fault, too_large, unsupported
from gateway.splicing import base64_text
from gateway.structs import plain
from genlevel.v1 import content_pb2 as ct

LARGE_BYTES = 1 << 20
"""What is larger than this, and no media, is written as JSON in a thread: other calls need not wait for it."""

ROLES = {ct.ROLE_SYSTEM: "system", ct.ROLE_USER: "user", ct.ROLE_ASSISTANT: "assistant", ct.ROLE_TOOL: "tool"}
_PLACES = {"tool_call": "assistant", "reasoning": "assistant"}
"""Parts that only messages of one role have."""


def blobs_of(messages: Iterable[ct.Message]) -> list[ct.BlobReference]:
    """The stored objects that messages name."""
    found = []
    for message in messages:
        for part in message.parts:
            if part.HasField("media"):
                if part.media.HasField("blob"):
                    found.append(part.media.blob)
            elif part.HasField("tool_result"):
                found += [media.blob for media in part.tool_result.media if media.HasField("blob")]
    return found


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
    """The messages as turns.

    modalities, fetch, taker, video_frames, encode: see ``gateway.asking.media_blocks.Taker``.
    A message of the role "tool" has results of tools alone; one of the role "user" may have them beside others.
    Raises CallFailed: CALLER_FAULT for a message that is wrong, UNSUPPORTED for a part that cannot be sent,
    CONTEXT_TOO_LONG for media over the provider's sizes; each with the part's path.
    """
    reader = _Reader(Taker(taker, capabilities, modalities, fetch, encode, video_frames))
    turns = [await reader.turn(number, message) for number, message in enumerate(messages)]
    if not turns and not capabilities.may_be_empty:
        raise fault("messages", "messages is empty: send at least one user message")
    return turns


class _Reader:
    """Reads the messages of one request in order. It remembers the names of calls, for results that do not say theirs."""

    def __init__(self, taker: Taker) -> None:
        self._taker = taker
        self._images = 0
        self._called: dict[str, str] = {}

    async def turn(self, number: int, message: ct.Message) -> Turn:
        role = ROLES.get(message.role)
        if role is None:
            path = f"messages[{number}]"
            raise fault(path, f"{path} has no role: set it to system, user, assistant or tool")
        if role == "tool" and not self._taker.capabilities.tools:
            raise unsupported(f"messages[{number}]", "a tool message", self._taker.name)
        blocks: list[Block] = []
        fields: dict[int, Json] | None = None
        for index, part in enumerate(message.parts):
            kind = part.WhichOneof("part")
            if kind == "text" and role != "tool":
                blocks.append(part.text)
            else:
                blocks += await self._blocks(part, kind, role, f"messages[{number}].parts[{index}]")
            if part.HasField("vendor_fields"):
                if not self._taker.capabilities.vendors:
                    path = f"messages[{number}].parts[{index}]"
                    raise unsupported(path, "a part with vendor_fields", self._taker.name)
                fields = fields or {}
                fields[len(blocks) - 1] = self._own(plain(part.vendor_fields), f"messages[{number}].parts[{index}]")
        if not blocks:
            path = f"messages[{number}]"
            raise fault(path, f"{path} has no parts: add a text")
        return Turn(role, blocks, NO_FIELDS if fields is None else fields)

    async def _blocks(self, part: ct.Part, kind: str | None, role: str, where: str) -> Iterable[Block]:
        taker = self._taker
        if kind is None:
            raise fault(where, f"{where} is empty: set text or media")
        said = f"a {kind.replace('_', ' ')} part"
        if role == "tool" and kind != "tool_result":
            raise fault(where, f"{where}: a tool message has results of tools alone, not {said}")
        if kind == "media":
            return await self._media(part.media, role, where)
        if kind == "vendor":
            if part.vendor.vendor not in taker.capabilities.vendors:
                raise unsupported(where, f"a vendor part of {part.vendor.vendor or 'nobody'}", taker.name)
            return [Vendor(self._own(plain(part.vendor.value), where))]
        takes = taker.capabilities.thoughts if kind == "reasoning" else taker.capabilities.tools
        if not takes:
            raise unsupported(where, said, taker.name)
        if (needed := _PLACES.get(kind, role)) != role:
            raise fault(where, f"{where}: {said} belongs to a message of the {needed}, not of the {role}")
        if kind == "reasoning":
            return [Thought(part.reasoning.text)]
        if kind == "tool_call":
            call = part.tool_call
            written = call.arguments_json or _arguments(call, where)
            self._called[call.id] = call.name
            return [Called(call.id, call.name, written)]
        return [await self._result(part.tool_result, role, where)]

    def _own(self, value: Json, where: str) -> Json:
        """What is sent in a provider's own words."""
        if not self._taker.capabilities.fetches:
            refuse_addresses(value, where)
        return value

    async def _result(self, result: ct.ToolResult, role: str, where: str) -> Result:
        if role not in ("tool", "user"):
            raise fault(where, f"{where}: a tool result part belongs to a message of the tool, not of the {role}")
        media: list[Image | Audio | Video | Document] = []
        for index, one in enumerate(result.media):
            path = f"{where}.media[{index}]"
            if one.modality not in self._taker.capabilities.result_media:
                raise unsupported(path, "such media in what a tool gave back", self._taker.name)
            media += await self._taker.blocks_of(one, path)
        name = result.name or self._called.get(result.call_id, "")
        return Result(result.call_id, name, result.text, result.is_error, media)

    async def _media(self, media: ct.Media, role: str, where: str) -> Iterable[Block]:
        taker = self._taker
        if role != "user" and not (role == "assistant" and media.modality in taker.capabilities.answers_media):
            raise unsupported(where, f"media in a {role} message", taker.name)
        taken = await taker.blocks_of(media, where)
        self._images += sum(isinstance(block, Image) for block in taken)
        most = taker.capabilities.image_count
        if most and self._images > most:
            raise too_large(where, f"more than {most} images in one request", taker.name)
        return taken


def _arguments(call: ct.ToolCall, where: str) -> str:
    try:
        return orjson.dumps(plain(call.arguments)).decode()
    except TypeError as problem:
        raise fault(where, f"{where}: its arguments cannot be written as JSON ({problem}); nest them less") from None
