"""gRPC servers and channels: limits, health, reflection, TLS, and stopping without cutting calls."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from genlevel.runtime.errors import ConfigurationError, UsageError
from genlevel.runtime.failures import abort
from genlevel.runtime.listening import Tls
from genlevel.runtime.rpc import MESSAGE_LIMIT_BYTES, RpcServer, connect, run
from genlevel.runtime.settings import Addresses, CallLimits
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import gateway_pb2_grpc
from tests.waiting import until

SERVICE = "genlevel.v1.GatewayService"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Held:
    """What a call keeps in memory."""


class Echo(gateway_pb2_grpc.GatewayServiceServicer):  # type: ignore[misc]
    """Answers with what it was sent; a route of "slow" waits until it is let go, one of "wrong" is refused."""

    def __init__(self) -> None:
        self.name = ""
        self.arrived = asyncio.Event()
        self.go = asyncio.Event()
        self.held: weakref.ref[Held] | None = None

    async def _fails(self) -> None:
        """Its task has the error, whose traceback has the task."""
        held, own = Held(), asyncio.current_task()
        self.held = weakref.ref(held)
        assert own is not None
        raise UsageError("no")

    async def Generate(self, request: Any, context: Any) -> Any:
        self.arrived.set()
        if request.route == "wrong":
            try:
                await asyncio.create_task(self._fails())
            except UsageError as error:
                await abort(context, error, method="Generate")
        if request.route == "slow":
            await self.go.wait()
        return gw.GenerateResponse(parts=[ct.Part(text=self.name)] if self.name else request.messages[0].parts)


def request(text: str = "hello", route: str = "") -> gw.GenerateRequest:
    return gw.GenerateRequest(route=route, messages=[ct.Message(parts=[ct.Part(text=text)])])


NO_WINDOW = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\6\4\0\0\0\0\0" + b"\0\4\0\0\0\0"
"""How a client begins that takes no bytes of answers."""


def call_frames(stream: int, path: str, sent: Any, **headers: str) -> bytes:
    """A call in HTTP/2."""
    fields = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "x", "te": "trailers", "content-type": "application/grpc"}
    fields |= headers
    block = b"".join(b"\0" + b"".join(bytes([len(text)]) + text.encode("latin-1") for text in field) for field in fields.items())
    message = sent.SerializeToString()
    data = b"\0" + len(message).to_bytes(4, "big") + message
    frames = ((1, 4, block), (0, 1, data))
    return b"".join(len(load).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + load for kind, flags, load in frames)


def generate_frames(stream: int, **headers: str) -> bytes:
    return call_frames(stream, f"/{SERVICE}/Generate", request(), **headers)


def make_server(**arguments: Any) -> tuple[RpcServer, Echo]:
    server = RpcServer("127.0.0.1:0", name="gateway.grpc", **arguments)
    echo = Echo()
    server.add(gateway_pb2_grpc.add_GatewayServiceServicer_to_server, echo, SERVICE)
    return server, echo


@pytest.fixture
async def server() -> AsyncIterator[RpcServer]:
    running, _ = make_server(grace_s=0.1)
    async with running:
        yield running


async def test_messages_far_over_grpcs_default_limit_pass_both_ways(server: RpcServer) -> None:
    text = "x" * (CallLimits().message_bytes - 1024)
    async with connect(f"127.0.0.1:{server.port}") as channel:
        answer = await gateway_pb2_grpc.GatewayServiceStub(channel).Generate(request(text), timeout=60)
    assert answer.parts[0].text == text


async def test_a_message_over_the_limit_is_refused_not_cut(server: RpcServer) -> None:
    async with connect(f"127.0.0.1:{server.port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await gateway_pb2_grpc.GatewayServiceStub(channel).Generate(request("x" * MESSAGE_LIMIT_BYTES), timeout=60)
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_call_that_fails_keeps_nothing_until_a_garbage_collection() -> None:
    running, echo = make_server()
    gc.collect()
    gc.disable()
    try:
        async with running, connect(f"127.0.0.1:{running.port}") as channel, asyncio.timeout(60):
            with pytest.raises(grpc.aio.AioRpcError, match="no"):
                await gateway_pb2_grpc.GatewayServiceStub(channel).Generate(request(route="wrong"))
            assert echo.held is not None
            await until(lambda: echo.held() is None)
    finally:
        gc.enable()


async def test_answers_that_a_client_does_not_read_keep_the_room_of_their_calls() -> None:
    """Else they would pile up without end: the calls are over for all but the client."""
    running, _ = make_server(limits=CallLimits(calls=4, caller_share=1.0), grace_s=0.1)
    async with running, connect(f"127.0.0.1:{running.port}") as channel:
        stub = gateway_pb2_grpc.GatewayServiceStub(channel)
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(NO_WINDOW + b"".join(generate_frames(stream) for stream in (1, 3, 5, 7)))
        await until(lambda: running.admission.calls.used == 4)
        with pytest.raises(grpc.aio.AioRpcError, match=r"limits\.calls: 4"):
            await stub.Generate(request())
        writer.close()
        await until(lambda: (running.admission.calls.used, running.admission.working.used) == (0, 0))
        assert (await stub.Generate(request())).parts[0].text == "hello"
        del reader


async def test_headers_that_are_no_text_and_callers_who_go_away_fill_no_log(caplog: pytest.LogCaptureFixture) -> None:
    running, echo = make_server(grace_s=0.1)
    async with running:
        for _ in range(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(NO_WINDOW + generate_frames(1, authorization="Bearer gl_secret\x80") + generate_frames(3))
            await asyncio.wait_for(echo.arrived.wait(), 60)
            echo.arrived.clear()
            writer.close()
            del reader
        await asyncio.sleep(0.3)
    assert "gl_secret" not in caplog.text
    assert caplog.text.count("went away") <= 1
    assert "Traceback" not in caplog.text


async def test_who_asks_for_health_takes_no_room_from_calls_and_soon_frees_that_of_others_who_ask() -> None:
    """Nobody needs to be known for it: calls that do not end, or are large, hold up no other."""
    running, _ = make_server(limits=CallLimits(calls=64, wait_s=5.0))
    async with running, connect(f"127.0.0.1:{running.port}") as strangers, connect(f"127.0.0.1:{running.port}") as channel:
        open_ones = [strangers.stream_stream("/grpc.health.v1.Health/Check")() for _ in range(5)]
        large = strangers.unary_unary("/grpc.health.v1.Health/Watch")(
            health_pb2.HealthCheckRequest(service="x" * 10_000).SerializeToString()
        )
        await asyncio.gather(*(call.wait_for_connection() for call in open_ones), return_exceptions=True)
        answers = [gateway_pb2_grpc.GatewayServiceStub(channel).Generate(request(), timeout=2) for _ in range(6)]
        assert [answer.parts[0].text for answer in await asyncio.gather(*answers)] == ["hello"] * 6
        assert (await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=4)).status == SERVING
        assert [await call.code() for call in open_ones] == [grpc.StatusCode.INVALID_ARGUMENT] * 5
        assert await large.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_health_is_told_per_service_and_as_a_whole(server: RpcServer) -> None:
    async with connect(f"127.0.0.1:{server.port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", SERVICE):
            assert (await stub.Check(health_pb2.HealthCheckRequest(service=service))).status == SERVING
        await server.set_serving(False, SERVICE)
        assert (await stub.Check(health_pb2.HealthCheckRequest(service=SERVICE))).status == NOT_SERVING
        assert (await stub.Check(health_pb2.HealthCheckRequest(service=""))).status == SERVING
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stub.Check(health_pb2.HealthCheckRequest(service="genlevel.v1.Nothing"))
        assert raised.value.code() == grpc.StatusCode.NOT_FOUND


async def test_who_watches_health_and_takes_nothing_keeps_nobody_from_being_told_and_the_server_from_stopping() -> None:
    """Nobody needs to be known for it."""
    server, _ = make_server(grace_s=300)
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    asked = health_pb2.HealthCheckRequest(service=SERVICE)
    writer.write(NO_WINDOW + call_frames(1, "/grpc.health.v1.Health/Watch", asked))
    async with connect(f"127.0.0.1:{server.port}") as channel, asyncio.timeout(60):
        await asyncio.sleep(0.3)
        watch = health_pb2_grpc.HealthStub(channel).Watch(asked)
        assert (await watch.read()).status == SERVING
        for serving in (False, True):
            await server.set_serving(serving, SERVICE)
            assert (await watch.read()).status == (SERVING if serving else NOT_SERVING)
        stopping = asyncio.create_task(server.stop())
        assert (await watch.read()).status == NOT_SERVING
        await stopping
    writer.close()
    await writer.wait_closed()
    del reader


async def test_reflection_lists_the_services(server: RpcServer) -> None:
    async with connect(f"127.0.0.1:{server.port}") as channel:
        call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(
            iter([reflection_pb2.ServerReflectionRequest(list_services="")]),
        )
        async for answer in call:
            names = {service.name for service in answer.list_services_response.service}
            break
    assert names == {SERVICE, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


async def test_stopping_says_not_serving_first_and_lets_calls_in_flight_end() -> None:
    server, echo = make_server(grace_s=300)
    await server.start()
    async with connect(f"127.0.0.1:{server.port}") as channel:
        call = asyncio.ensure_future(gateway_pb2_grpc.GatewayServiceStub(channel).Generate(request(route="slow"), timeout=60))
        await echo.arrived.wait()
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=SERVICE))
        assert (await watch.read()).status == SERVING
        stopping = asyncio.create_task(server.stop())
        assert (await watch.read()).status == NOT_SERVING
        assert not call.done()
        echo.go.set()
        assert (await call).parts[0].text == "hello"
        await asyncio.wait_for(stopping, 60)  # well under the grace: watchers of health do not hold it up


async def test_calls_longer_than_the_grace_are_cancelled() -> None:
    server, echo = make_server(grace_s=0.1)
    await server.start()
    async with connect(f"127.0.0.1:{server.port}") as channel:
        call = asyncio.ensure_future(gateway_pb2_grpc.GatewayServiceStub(channel).Generate(request(route="slow"), timeout=60))
        await echo.arrived.wait()
        await server.stop()
        with pytest.raises((grpc.aio.AioRpcError, asyncio.CancelledError)):
            await call


async def test_clients_avoid_a_server_that_is_not_serving() -> None:
    (one, one_echo), (other, other_echo) = make_server(grace_s=0.1), make_server(grace_s=0.1)
    one_echo.name, other_echo.name = "one", "other"
    async with one, other:
        await one.set_serving(False, SERVICE)
        async with connect(f"ipv4:127.0.0.1:{one.port},127.0.0.1:{other.port}", service=SERVICE) as channel:
            stub = gateway_pb2_grpc.GatewayServiceStub(channel)
            served = [(await stub.Generate(request(), timeout=60)).parts[0].text for _ in range(6)]
            assert served == ["other"] * 6
            await one.set_serving(True, SERVICE)
            async with asyncio.timeout(60):
                served = [(await stub.Generate(request(), timeout=60)).parts[0].text]
                while served[-1] != "one":
                    served.append((await stub.Generate(request(), timeout=60)).parts[0].text)


async def test_a_port_in_use_is_an_error_that_names_the_setting(server: RpcServer) -> None:
    second = RpcServer(f"127.0.0.1:{server.port}", name="scorer.grpc")
    with pytest.raises(ConfigurationError, match=rf"^scorer\.grpc: cannot listen on 127\.0\.0\.1:{server.port}; is it in use"):
        await second.start()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate authority and, signed by it, a server's and a client's certificate."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name in ("server", "client"):
        certificate = authority.issue_cert("localhost", common_name=name)
        certificate.private_key_pem.write_to_path(folder / f"{name}.key")
        certificate.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
    return folder


async def test_tls_encrypts_and_mutual_tls_turns_strangers_away(certificates: Path) -> None:
    tls = Tls(certificate=certificates / "server.pem", key=certificates / "server.key", client_ca=certificates / "ca.pem")
    known = Addresses(ca=certificates / "ca.pem", certificate=certificates / "client.pem", key=certificates / "client.key")
    stranger = Addresses(ca=certificates / "ca.pem")
    server, _ = make_server(tls=tls, grace_s=0.1)
    async with server:
        async with connect(f"localhost:{server.port}", known) as channel:
            answer = await gateway_pb2_grpc.GatewayServiceStub(channel).Generate(request(), timeout=60)
            assert answer.parts[0].text == "hello"
        for addresses in (stranger, None):
            async with connect(f"localhost:{server.port}", addresses) as channel:
                with pytest.raises(grpc.aio.AioRpcError) as raised:
                    await gateway_pb2_grpc.GatewayServiceStub(channel).Generate(request(), timeout=60)
                assert raised.value.code() == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("target", ["ipv4:127.0.0.1:{},127.0.0.1:{}", "ipv4:127.0.0.1:{},127.0.0.2:{}"])
async def test_several_addresses_have_certificates_of_the_first(tmp_path: Path, target: str) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    for name, host in (("ours", "127.0.0.1"), ("theirs", "127.0.0.2")):
        certificate = authority.issue_cert(host)
        certificate.private_key_pem.write_to_path(tmp_path / f"{name}.key")
        certificate.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.pem")
    (one, echo), (other, _) = (
        make_server(tls=Tls(certificate=tmp_path / f"{name}.pem", key=tmp_path / f"{name}.key"), grace_s=0.1) for name in ("ours", "theirs")
    )
    echo.name = "ours"
    async with one, other:
        for first, second, found in ((one, one, "ours"), (one, other, "ours"), (other, other, "")):
            async with connect(target.format(first.port, second.port), Addresses(ca=tmp_path / "ca.pem")) as channel:
                stub = gateway_pb2_grpc.GatewayServiceStub(channel)
                if found:
                    answers = [(await stub.Generate(request(), timeout=60)).parts[0].text for _ in range(4)]
                    assert answers == [found] * 4
                else:
                    with pytest.raises(grpc.aio.AioRpcError, match=r"Hostname Verification Check failed|Connection refused"):
                        await stub.Generate(request(), timeout=60)


def test_tls_files_that_cannot_be_used_are_named_with_their_setting(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate\n")
    with pytest.raises(ConfigurationError, match=r"^gateway\.grpc: tls\.key: cannot read .*missing\.pem \(No such file or directory\)$"):
        RpcServer("127.0.0.1:0", Tls(certificate=wrong, key=tmp_path / "missing.pem"), name="gateway.grpc")
    with pytest.raises(ConfigurationError, match=r"^addresses\.ca: .*wrong\.pem is not a PEM file$"):
        connect("127.0.0.1:1", Addresses(ca=wrong))


def test_run_uses_uvloop_and_returns_the_result() -> None:
    async def main() -> str:
        return type(asyncio.get_running_loop()).__module__

    assert run(main()) == "uvloop"
