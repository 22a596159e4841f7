"""A batch that is being filled: what is put into it goes on to the gateway at once, which hands it over when it has come to its end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from google.protobuf import json_format

from evaluator.journal.batch_records import BatchItem, BatchRecord
from evaluator.traffic.budget import Reservation
from genlevel.v1 import gateway_pb2 as gw

_MESSAGE_ITEMS = 100
_MESSAGE_BYTES = 1 << 20
_PIECE = 500
"""Items that are stored together."""
_A_SCHEMA = "{}"
"""Stands for whichever schema answers were held to: of it is kept that there was one."""
_ENVELOPE_BYTES = 400  # of one item in the provider's format, beside what is asked


def sent_bytes(request: gw.GenerateRequest) -> int:
    """About how many bytes a request has in a provider's format: media in base64, texts as they are."""
    media = 0
    for message in request.messages:
        for part in message.parts:
            if part.HasField("media"):
                media += len(part.media.inline) + part.media.blob.size_bytes
    texts = request.ByteSize() - sum(len(part.media.inline) for message in request.messages for part in message.parts)
    return texts + texts // 8 + media * 4 // 3 + _ENVELOPE_BYTES


def asked_parameters(parameters: str, items: Mapping[int, int]) -> list[gw.AskedParameters]:
    """What the items of a batch were asked with. parameters: as a batch keeps them. items: by number, the place of their parameters."""
    kept = json.loads(parameters)
    grouped: dict[int, list[str]] = {}
    for number, place in items.items():
        grouped.setdefault(place, []).append(str(number))
    return [
        gw.AskedParameters(ids=ids, parameters=json_format.ParseDict(kept[place], gw.GenerationParameters()))
        for place, ids in sorted(grouped.items())
    ]


class Chunk:
    """One batch from its first item until it is handed over.

    record: as it is stored. count, bytes: of what was put into it. reservations: of its items, by number. unstored: items that are not
    stored yet. submitting: the call to the gateway, which takes what comes.
    """

    def __init__(self, record: BatchRecord, route: str) -> None:
        self.record = record
        self.count = self.bytes = 0
        self.reservations: dict[int, Reservation] = {}
        self.unstored: list[BatchItem] = []
        self.submitting: asyncio.Task[gw.SubmitBatchResponse] | None = None
        self._message = gw.SubmitBatchRequest(route=route, key=record.key)
        self._message_bytes = 0
        self._stream: asyncio.Queue[gw.SubmitBatchRequest | None] = asyncio.Queue(1)
        self._parameters: dict[bytes, int] = {}

    async def requests(self) -> AsyncIterator[gw.SubmitBatchRequest]:
        """What goes to the gateway; ends when the batch is whole."""
        while (message := await self._stream.get()) is not None:
            yield message

    def place_of(self, parameters: gw.GenerationParameters) -> int:
        """The place of an item's parameters among those of the batch."""
        if parameters.response_schema_json:
            kept = gw.GenerationParameters()
            kept.CopyFrom(parameters)
            kept.response_schema_json = _A_SCHEMA
            parameters = kept
        return self._parameters.setdefault(parameters.SerializeToString(deterministic=True), len(self._parameters))

    @property
    def parameters(self) -> str:
        """The different parameters of its items, as a batch keeps them."""
        kept = (json_format.MessageToDict(gw.GenerationParameters.FromString(one)) for one in self._parameters)
        return json.dumps(list(kept), separators=(",", ":"))

    async def put(self, item: BatchItem, request: gw.GenerateRequest, size: int, reservation: Reservation) -> bool:
        """Puts one more into it. Returns whether items are to be stored now. size: of the request, in bytes."""
        self._message.items.add(id=str(item.number)).request.CopyFrom(request)
        self.unstored.append(item)
        self.reservations[item.number] = reservation
        self.count += 1
        self.bytes += size
        self._message_bytes += size
        if len(self._message.items) >= _MESSAGE_ITEMS or self._message_bytes >= _MESSAGE_BYTES:
            await self._send()
        return len(self.unstored) >= _PIECE

    async def whole(self) -> None:
        """Sends what is left; the stream does not end yet."""
        if self._message.items:
            await self._send()

    async def hand_over(self) -> None:
        """Ends the stream: from now on the provider may be asked to take it."""
        await self._into_stream(None)

    def stored(self) -> Sequence[BatchItem]:
        """The items that are to be stored now."""
        items, self.unstored = self.unstored, []
        return items

    def changed(self, **columns: object) -> BatchRecord:
        """Its record with these changes, from now on."""
        self.record = replace(self.record, **columns)  # type: ignore[arg-type]
        return self.record

    @property
    def is_broken(self) -> bool:
        """Whether the gateway has ended the call before the batch was whole."""
        return self.submitting is not None and self.submitting.done()

    async def _send(self) -> None:
        message, self._message, self._message_bytes = self._message, gw.SubmitBatchRequest(), 0
        await self._into_stream(message)

    async def _into_stream(self, message: gw.SubmitBatchRequest | None) -> None:
        """Waits until there is room, unless nobody takes anything any more."""
        assert self.submitting is not None
        putting = asyncio.ensure_future(self._stream.put(message))
        try:
            await asyncio.wait((putting, self.submitting), return_when=asyncio.FIRST_COMPLETED)
        finally:
            putting.cancel()
