"""gRPC as all services speak it: one place decides limits, keepalive, TLS, load balancing, health and how a server stops."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable
from types import TracebackType
from typing import Self

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from genlevel.runtime.admission.interceptor import Admission, Refusal
from genlevel.runtime.callers.access import Access, is_loopback
from genlevel.runtime.callers.own_token import OwnToken
from genlevel.runtime.callers.rpc_guard import RpcGuard
from genlevel.runtime.channels import OwnChannel, Shown
from genlevel.runtime.errors import ConfigurationError, GenlevelError, Unavailable
from genlevel.runtime.handlers import Within
from genlevel.runtime.health import Health
from genlevel.runtime.listening import Tls
from genlevel.runtime.logs import GrpcWarnings
from genlevel.runtime.loop import loop_factory, run
from genlevel.runtime.readiness import Check, fine, problem_of
from genlevel.runtime.settings import Addresses, CallLimits
from genlevel.runtime.stopping import CallsInFlight, Stops
from genlevel.runtime.tls import channel_pems, server_credentials

__all__ = ["MESSAGE_LIMIT_BYTES", "RpcServer", "connect", "loop_factory", "run"]

MESSAGE_LIMIT_BYTES = 64 << 20
"""Of an answer. Of a request: see the limits."""
MOST_VALUES = 1_000_000
MOST_VALUES_OF_A_REQUEST = 50_000
"""Of a message to the gateway, whose values become a provider's JSON."""

_SCHEME = re.compile(r"(dns|ipv4|ipv6|unix|unix-abstract|xds):(?!\d+$)")
_FIRST_OF_SEVERAL = re.compile(r"ipv[46]:(\[[^]]*\]|[^,:\[\]]+)(?::\d+)?,")
_SERVING = health_pb2.HealthCheckResponse.SERVING
_TRAILERS_LIMIT_BYTES = 64 << 10  # a long message of an error is in there twice, percent-encoded and in base64
_LOOK_INTERVAL_S = 1.0
_CUT_S = 1.0  # calls that are cut say so in this time
_LAST_S = 0.2  # streams that would wait for ever end in this: those who watch health are told before
_KEEPALIVE_TIME_MS = 60_000
_KEEPALIVE_TIMEOUT_MS = 20_000
_HANDSHAKE_MS = 10_000  # connections are few, and whoever says nothing on one is not known
# A service that comes back is found again within seconds, not within gRPC's two minutes.
_FIRST_RECONNECT_MS = 200
_LONGEST_RECONNECT_MS = 5_000
_LOOKAHEAD_BYTES = 64 << 10
_READ_BYTES = 64 << 10  # what is read from a connection at once, which keeps a buffer of this size
_LEAST_PING_INTERVAL_MS = 20_000  # pings that come faster count as abuse; must stay under the clients' keepalive time

logger = logging.getLogger(__name__)
_GRPC_WARNINGS = GrpcWarnings()


def _as_it_is(error: GenlevelError) -> GenlevelError:
    return error


class RpcServer:
    """A grpc.aio server with health (one state per RPC service, and "" for all) and reflection.

    Add the services, then ``start`` and ``stop`` it, or use it as ``async with``. It serves once. From the moment when it is to stop it
    says NOT_SERVING and refuses new calls; those in flight may end, and as soon as none is left, it is gone. Streams that wait for their
    caller look at ``stopping``, and end.

        server = RpcServer("127.0.0.1:0")
        server.add(gateway_pb2_grpc.add_GatewayServiceServicer_to_server, servicer, "genlevel.v1.GatewayService")
        async with server:
            print(server.port)

    Args:
        address: host:port to listen on; port 0 takes a free one (see ``port``).
        tls: PEM files; None serves in the clear. With client_ca, clients must show a certificate that it signed.
        name: what errors call this server, such as "gateway.grpc".
        access: who may call; by default whoever is on this machine, and the address must be one that only this machine reaches.
        grace_s: seconds that calls in flight have to end when it stops; the rest is cut.
        limits: what it takes on at once, and how long a connection lasts.
        message_bytes: of one message to it; 0 = as the limits say. most_values: in one message.
    """

    def __init__(
        self,
        address: str,
        tls: Tls | None = None,
        *,
        name: str = "grpc",
        access: Access | None = None,
        grace_s: float = 20.0,
        limits: CallLimits | None = None,
        message_bytes: int = 0,
        most_values: int = MOST_VALUES,
    ) -> None:
        self.address = address
        self.port = 0
        self.grace_s = grace_s
        self.stopping = asyncio.Event()
        self._name = name
        self._services: dict[str, Check] = {}
        self._ready: dict[str, bool] = {}
        self._looking: asyncio.Task[None] | None = None
        self._calls = CallsInFlight(self.stopping)
        self._stops: list[Stops] = []
        self._access = Access() if access is None else access
        self._tls = tls
        self._credentials = None if tls is None else server_credentials(tls, name)
        limits = limits or CallLimits()
        message_bytes = message_bytes or limits.message_bytes
        self.admission = Admission(limits, message_bytes=message_bytes, most_values=most_values, name=name.partition(".")[0])
        self._server = grpc.aio.server(
            interceptors=[Within(self._calls, RpcGuard(self._access), self.admission)],
            options=[
                ("grpc.max_receive_message_length", message_bytes),
                # Otherwise gRPC receives up to 8 MiB of each call that is not read yet.
                ("grpc.http2.bdp_probe", 0),
                ("grpc.http2.lookahead_bytes", _LOOKAHEAD_BYTES),
                ("grpc.experimental.tcp_max_read_chunk_size", _READ_BYTES),
                ("grpc.max_concurrent_streams", limits.calls),
                ("grpc.server.max_pending_requests", limits.calls),
                ("grpc.max_allowed_incoming_connections", limits.connections),
                ("grpc.max_send_message_length", MESSAGE_LIMIT_BYTES),
                ("grpc.server_handshake_timeout_ms", _HANDSHAKE_MS),
                ("grpc.keepalive_time_ms", _KEEPALIVE_TIME_MS),
                ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.min_recv_ping_interval_without_data_ms", _LEAST_PING_INTERVAL_MS),
                ("grpc.max_connection_age_ms", int(limits.connection_s * 1000)),
                ("grpc.so_reuseport", 0),  # two servers on one port would share it silently
            ],
        )
        self._health = Health()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._stopped = False

    def add(
        self,
        add_to_server: Callable[[object, grpc.aio.Server], None],
        servicer: object,
        service: str,
        *,
        ready: Check = fine,
        refusal: Refusal = _as_it_is,
        stop: Stops | None = None,
    ) -> None:
        """Adds a servicer; ``service`` is its full name in the contract, under which health and reflection know it.

        Args:
            ready: asked every second; while it says why not, health is NOT_SERVING, of this service and of the server as a whole.
            refusal: what calls are told that the server does not take: made of Unavailable if it stops, or of an error of its admission.
            stop: what is told that it does.
        """
        add_to_server(servicer, self._server)
        self._services[service] = ready
        self._calls.refusals[service] = refusal(Unavailable(f"the {self._name.partition('.')[0]} stops; ask again in a moment"))
        self.admission.refusals[service] = refusal
        if stop is not None:
            self._stops.append(stop)

    async def start(self) -> int:
        """Listens and says SERVING if all is ready. Returns the port. Raises ConfigurationError if it cannot or may not listen there."""
        self._access.check_listening(self._name, self.address, tls=self._tls)
        logging.getLogger("grpc._cython.cygrpc").addFilter(_GRPC_WARNINGS)  # anybody can cause these
        if self._access.asks or is_loopback(self.address):
            names = (*self._services, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self._server)
        try:
            if self._credentials is None:
                self.port = self._server.add_insecure_port(self.address)
            else:
                self.port = self._server.add_secure_port(self.address, self._credentials)
        except RuntimeError:
            raise ConfigurationError(
                f"{self._name}: cannot listen on {self.address}; is it in use, or not an address of this machine? "
                f"Set another host:port as {self._name} in genlevel.yaml"
            ) from None
        await self._look()
        await self._server.start()
        if any(check is not fine for check in self._services.values()):
            self._looking = asyncio.create_task(self._look_again(), name=f"{self._name} readiness")
        return self.port

    async def _look(self) -> None:
        """Says SERVING or NOT_SERVING of each service whose readiness has changed, and of the server."""
        before = dict(self._ready)
        for service, check in self._services.items():
            problem = await problem_of(check)
            self._ready[service] = not problem
            if before.get(service, True) and problem:
                logger.warning("%s is not ready: %s", service, problem)
            elif not before.get(service, True) and not problem:
                logger.info("%s is ready again", service)
            if self._ready[service] != before.get(service):
                await self.set_serving(self._ready[service], service)
        if self._ready != before:
            await self.set_serving(all(self._ready.values()))

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_INTERVAL_S)
            await self._look()

    async def set_serving(self, serving: bool, service: str = "") -> None:
        """Says whether one service (or, by "", the whole server) takes calls now."""
        self._health.set(service, serving=serving)

    async def refuse(self) -> None:
        """Says NOT_SERVING, and begins nothing further, from now on."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        if self._looking is not None:
            self._looking.cancel()
        for stop in self._stops:
            stop.begin_nothing()
        self._health.stop()

    async def stop(self, grace_s: float | None = None) -> None:
        """Refuses new calls, waits for those in flight, cuts what is left after ``grace_s``. Stopping twice is fine.

        grace_s: instead of the server's own.
        """
        if self._stopped:
            return
        self._stopped = True
        await self.refuse()
        if not await self._ended(self.grace_s if grace_s is None else grace_s):
            for stop in self._stops:
                stop.cut()
            await self._ended(_CUT_S)
        await self._server.stop(_LAST_S)

    async def _ended(self, within_s: float) -> bool:
        """Waits until nothing goes on any more. Returns whether that is so."""
        try:
            async with asyncio.timeout(within_s):
                for stop in self._stops:
                    await stop.ended()
                await self._calls.ended()
        except TimeoutError:
            return False
        return True

    async def wait(self) -> None:
        """Returns when the server has stopped."""
        await self._server.wait_for_termination()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()


def connect(address: str, addresses: Addresses | None = None, *, service: str = "", token: str | Shown = "") -> grpc.aio.Channel:
    """A channel to every address behind a name, in turn (round robin), that heals by itself and shows this process's token.

    Args:
        address: host:port, or a gRPC target with its scheme, such as unix:///run/gateway.sock or ipv4:10.0.0.1:7401,10.0.0.2:7401.
            Of several IP addresses with TLS, each one's certificate has to name the first.
        addresses: where TLS and the token come from: with ``ca`` the channel is encrypted, with ``certificate`` and ``key`` it shows
            one. None, or no ``ca``: in the clear.
        service: the RPC service's full name; servers that say NOT_SERVING for it get no calls.
        token: what it shows instead of the token that ``addresses`` names, or what says that at each call; empty = that one.

    Raises:
        ConfigurationError: a TLS file or the token cannot be read.
    """
    config: dict[str, object] = {"loadBalancingConfig": [{"round_robin": {}}]}
    if service:
        config["healthCheckConfig"] = {"serviceName": service}
    options: list[tuple[str, str | int]] = [
        ("grpc.max_receive_message_length", MESSAGE_LIMIT_BYTES),
        ("grpc.max_send_message_length", MESSAGE_LIMIT_BYTES),
        ("grpc.max_metadata_size", _TRAILERS_LIMIT_BYTES),
        ("grpc.absolute_max_metadata_size", _TRAILERS_LIMIT_BYTES),
        ("grpc.initial_reconnect_backoff_ms", _FIRST_RECONNECT_MS),
        ("grpc.min_reconnect_backoff_ms", _LONGEST_RECONNECT_MS),
        ("grpc.max_reconnect_backoff_ms", _LONGEST_RECONNECT_MS),
        ("grpc.keepalive_time_ms", _KEEPALIVE_TIME_MS),
        ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.service_config", json.dumps(config)),
        ("grpc.enable_http_proxy", 0),  # a proxy for the outside world is not for our own services
    ]
    if several := _FIRST_OF_SEVERAL.match(address):  # gRPC would look for all of them, as one name, in each one's certificate
        options.append(("grpc.default_authority", several[1]))
    target = address if _SCHEME.match(address) else f"dns:///{address}"
    if addresses is None:
        return OwnChannel(target, options, pems=None, token=None)
    return OwnChannel(
        target, options, pems=channel_pems(addresses), token=OwnToken(addresses, given=token) if isinstance(token, str) else token
    )


async def health_of(channel: grpc.aio.Channel, service: str, *, timeout_s: float = 1.5) -> bool:
    """Whether a service says that it takes calls. Raises grpc.aio.AioRpcError if it cannot be asked."""
    request = health_pb2.HealthCheckRequest(service=service)
    answer = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=timeout_s)
    return bool(answer.status == _SERVING)
