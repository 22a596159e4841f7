"""What it costs a call to find its caller: no guard, nobody asked, tokens, certificates; over real sockets on this machine.

python tests/performance/bench_callers.py
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import grpc
import trustme

from genlevel.runtime import rpc
from genlevel.runtime.callers import Role
from genlevel.runtime.callers.access import Access
from genlevel.runtime.callers.tokens import added, hash_of, new_token
from genlevel.runtime.listening import Tls
from genlevel.runtime.rpc import RpcServer, connect
from genlevel.runtime.settings import Addresses, Auth
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import gateway_pb2_grpc

CALLS = 2000
ROUNDS = 7
SERVICE = "genlevel.v1.GatewayService"


class Service(gateway_pb2_grpc.GatewayServiceServicer):  # type: ignore[misc]
    async def ListModels(self, request: Any, context: Any) -> Any:
        return gw.ListModelsResponse()

    async def GenerateMany(self, requests: Any, context: Any) -> None:
        async for _ in requests:
            await context.write(gw.GenerateManyResponse())


class NoGuard(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    def __init__(self, access: Access) -> None:
        pass

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        return await continuation(details)


async def measured(access: Access, addresses: Addresses, tls: Tls | None) -> tuple[float, float]:
    """Microseconds of a unary call, and of a message there and back on a stream."""
    server = RpcServer("127.0.0.1:0", tls, name="gateway.grpc", access=access)
    server.add(gateway_pb2_grpc.add_GatewayServiceServicer_to_server, Service(), SERVICE)
    async with server, connect(f"127.0.0.1:{server.port}", addresses) as channel:
        stub = gateway_pb2_grpc.GatewayServiceStub(channel)
        request = gw.ListModelsRequest()
        unary, streamed = [], []
        for _ in range(ROUNDS):
            began = time.process_time()
            for _ in range(CALLS):
                await stub.ListModels(request)
            unary.append((time.process_time() - began) / CALLS * 1e6)
            call, message = stub.GenerateMany(), gw.GenerateManyRequest()
            began = time.process_time()
            for _ in range(CALLS):
                await call.write(message)
                await call.read()
            streamed.append((time.process_time() - began) / CALLS * 1e6)
            call.cancel()
        return statistics.median(unary), statistics.median(streamed)


async def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tokens, own, token = folder / "tokens.yaml", folder / "own", new_token()
        tokens.write_text(added(tokens, name="caller", sha256=hash_of(token), roles=[Role.ADMIN], expires=None))
        own.write_text(token)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        certificate = authority.issue_cert("127.0.0.1", "caller.test")
        certificate.private_key_pem.write_to_path(folder / "key.pem")
        certificate.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
        pair = {"certificate": folder / "certificate.pem", "key": folder / "key.pem"}
        tls, shown = Tls(**pair, client_ca=folder / "ca.pem"), Addresses(**pair, ca=folder / "ca.pem", token_env="NONE")
        guard = rpc.RpcGuard
        cases: list[tuple[str, Any, Access, Addresses, Tls | None]] = [
            ("no guard", NoGuard, Access(), Addresses(token_env="NONE"), None),
            ("nobody is asked", guard, Access(), Addresses(token_env="NONE"), None),
            ("a token", guard, Access(Auth(tokens=tokens)), Addresses(token_file=own), None),
            ("no guard, mTLS", NoGuard, Access(), shown, tls),
            ("a certificate", guard, Access(Auth(certificates={"caller.test": [Role.ADMIN]})), shown, tls),
        ]
        print(f"{'us of CPU, client and server together':40} unary  message on a stream")
        for what, kind, access, addresses, with_tls in cases:
            rpc.RpcGuard = kind  # type: ignore[misc]
            unary, streamed = await measured(access, addresses, with_tls)
            print(f"{what:40} {unary:5.0f}  {streamed:5.0f}")


if __name__ == "__main__":
    asyncio.run(main())
