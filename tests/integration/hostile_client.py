"""A caller that means ill, in its own process: hostile_client.py PORT ATTACK SHOWN. Prints as JSON how often its calls ended how.

SHOWN: as JSON, the files that it shows: {}, {"token_file"} or {"ca", "certificate", "key"}.

Attacks: `messages:CALLSxCOUNT` requests of so many empty messages; `bytes:CALLSxMIB` requests with a file; `streams:CALLSxMIB` GenerateMany
streams of two such items each; `small:CALLSxCOUNT` requests within every limit; `slow:CALLS` calls that send nothing; `connections:COUNT`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Awaitable
from pathlib import Path

import grpc

from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

CHANNELS = 20
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
MESSAGE = b"\x12\x07\x08\x02\x12\x03\x0a\x01x"  # messages: {role: user, parts: {text: "x"}}


def with_messages(count: int) -> bytes:
    return gw.GenerateRequest(route="stubbed").SerializeToString() + MESSAGE * count


def with_file(mib: float) -> gw.GenerateRequest:
    media = ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", inline=b"\x89PNG" + bytes(int(mib * (1 << 20))))
    parts = [ct.Part(media=media), ct.Part(text="?")]
    return gw.GenerateRequest(route="stubbed", messages=[ct.Message(role=ct.ROLE_USER, parts=parts)])


class Hostile:
    def __init__(self, port: int, shown: dict[str, str]) -> None:
        self.port = port
        files = {name: Path(file).read_bytes() for name, file in shown.items()}
        self._metadata = [("authorization", f"Bearer {files['token_file'].decode()}")] if "token_file" in files else []
        self.ended: Counter[str] = Counter()
        options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        target = f"127.0.0.1:{port}"
        if "ca" in files:
            own = grpc.ssl_channel_credentials(files["ca"], files["key"], files["certificate"])
            self._channels = [grpc.aio.secure_channel(target, own, options=options) for _ in range(CHANNELS)]
        else:
            self._channels = [grpc.aio.insecure_channel(target, options=options) for _ in range(CHANNELS)]

    async def all(self, calls: list[Awaitable[None]]) -> None:
        await asyncio.gather(*calls)

    async def one(self, number: int, body: bytes) -> None:
        call = self._channels[number % CHANNELS].unary_unary("/genlevel.v1.GatewayService/Generate")
        try:
            await call(body, timeout=60, metadata=self._metadata)
            self.ended["OK"] += 1
        except grpc.aio.AioRpcError as error:
            self.ended[f"{error.code().name}: {(error.details() or '')[:200]}"] += 1

    async def stream(self, number: int, body: bytes) -> None:
        call = self._channels[number % CHANNELS].stream_stream("/genlevel.v1.GatewayService/GenerateMany")(metadata=self._metadata)
        try:
            await call.wait_for_connection()
            for _ in range(2):
                await call.write(body)
            await call.done_writing()
            while await call.read() is not grpc.aio.EOF:
                pass
            self.ended["OK"] += 1
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            code = await call.code()
            self.ended[f"{code.name}: {(await call.details() or '')[:200]}"] += 1

    async def slow(self, count: int) -> None:
        method = "/genlevel.v1.GatewayService/Generate"
        calls = [self._channels[n % CHANNELS].stream_stream(method)(metadata=self._metadata) for n in range(count)]
        await asyncio.sleep(5)
        for call in calls:
            call.cancel()

    async def connect(self, count: int) -> None:
        open_ones = []
        for _ in range(count):
            try:
                _reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(PREFACE)
                open_ones.append(writer)
            except OSError as error:
                self.ended[type(error).__name__] += 1
        await asyncio.sleep(3)
        for writer in open_ones:
            writer.close()


async def main(port: int, attack: str, shown: dict[str, str]) -> None:
    hostile = Hostile(port, shown)
    kind, _, numbers = attack.partition(":")
    count, _, size = numbers.partition("x")
    if kind in ("messages", "small"):
        body = with_messages(int(size))
        await hostile.all([hostile.one(n, body) for n in range(int(count))])
    elif kind == "bytes":
        body = with_file(float(size)).SerializeToString()
        await hostile.all([hostile.one(n, body) for n in range(int(count))])
    elif kind == "streams":
        item = gw.GenerateManyItem(id=1, timeout_s=60, request=with_file(float(size)))
        body = gw.GenerateManyRequest(items=[item]).SerializeToString()
        await hostile.all([hostile.stream(n, body) for n in range(int(count))])
    elif kind == "slow":
        await hostile.slow(int(count))
    else:
        await hostile.connect(int(count))
    print(json.dumps(hostile.ended))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])))
