"""The HTTP side of a service: /metrics for Prometheus, /healthz and /readyz for whoever starts and restarts it.

FastAPI and uvicorn are imported when an app is made, not before: most commands never serve HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from genlevel.runtime.callers.access import Access
from genlevel.runtime.callers.http_guard import HttpGuard
from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.logs import SeldomWarnings
from genlevel.runtime.readiness import Check, fine, problem_of
from genlevel.runtime.threads import in_thread

if TYPE_CHECKING:
    from ssl import SSLContext

    import uvicorn
    from fastapi import FastAPI
    from prometheus_client import CollectorRegistry
    from uvicorn._types import ASGIApplication

    from genlevel.runtime.callers.http_guard import App
    from genlevel.runtime.listening import Tls

NAMES = "certificate names"
"""In the state of a request's scope: the names in the certificate that the client has shown, which was verified."""

MOST_CONNECTIONS = 256
"""Open at once. Each takes a file descriptor of the process, and whoever connects needs not be known."""

logger = logging.getLogger(__name__)
_SELDOM = SeldomWarnings()


def create_app(registry: CollectorRegistry, *, healthy: Check = fine, ready: Check = fine, title: str = "genlevel") -> FastAPI:
    """An app with /metrics, /healthz and /readyz; routers may be added to it. Arguments as ``add_state``."""
    from fastapi import FastAPI

    app = FastAPI(title=title, openapi_url=None)
    add_state(app, registry, healthy=healthy, ready=ready)
    return app


def add_state(app: FastAPI, registry: CollectorRegistry, *, healthy: Check = fine, ready: Check = fine, counted: bool = True) -> None:
    """Adds /metrics, /healthz and /readyz to an app.

    Args:
        registry: what /metrics shows, in Prometheus' text format or, for clients that ask, OpenMetrics. Unless it is always ready, it gets
            the series genlevel_ready: what ``ready`` says at each scrape.
        healthy: says "" while the process works, else why it should be restarted; /healthz then answers 503.
        ready: says "" while calls are welcome, else why not (starting, stopping, a dependency is away); /readyz then answers 503.
        counted: whether genlevel_ready is added to the registry; it can have it once.
    """
    from fastapi import Request
    from fastapi.concurrency import run_in_threadpool
    from fastapi.responses import JSONResponse, Response
    from prometheus_client import Gauge
    from prometheus_client.exposition import choose_encoder

    shown = None if ready is fine or not counted else Gauge("genlevel_ready", "Whether calls are welcome: 1, else 0.", registry=registry)

    async def metrics(request: Request) -> Response:
        if shown is not None:
            shown.set(0 if await problem_of(ready) else 1)
        encoder, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(await run_in_threadpool(encoder, registry), headers={"content-type": content_type})

    def answer(problem: str, good: str, bad: str) -> JSONResponse:
        body = {"status": bad, "reason": problem} if problem else {"status": good}
        return JSONResponse(body, status_code=503 if problem else 200)

    async def healthz(_: Request) -> JSONResponse:
        return answer(await healthy(), "healthy", "unhealthy")

    async def readyz(_: Request) -> JSONResponse:
        return answer(await ready(), "ready", "not ready")

    app.add_route("/metrics", metrics, methods=["GET"])
    app.add_route("/healthz", healthz, methods=["GET"])
    app.add_route("/readyz", readyz, methods=["GET"])


@dataclass(frozen=True, slots=True)
class OnDemand:
    """An app that is made, in a thread of its own, when somebody first connects: FastAPI takes longer to import than most commands take."""

    make: Callable[[], FastAPI]


class HttpServer:
    """Serves an app on the running loop and leaves the process's signals alone. ``start``/``stop`` or ``async with``.

    Args:
        app: such as ``create_app`` makes; one on demand listens from the start, too.
        address: host:port; port 0 takes a free one (see ``port``).
        name: what errors call this server, such as "gateway.http".
        access: who may read; by default whoever is on this machine, and the address must be one that only this machine reaches.
        grace_s: seconds that open requests have to end when it stops.
        tls: PEM files; None serves in the clear. With client_ca, clients must show a certificate that it signed.
        asks: the app itself finds who asks, and refuses those who may not.
    """

    def __init__(
        self,
        app: FastAPI | OnDemand,
        address: str,
        *,
        name: str = "http",
        access: Access | None = None,
        grace_s: float = 5.0,
        tls: Tls | None = None,
        asks: bool = False,
    ) -> None:
        self.app = app
        self._tls = tls
        self._context: SSLContext | None = None
        self._asks = asks
        self._access = Access() if access is None else access
        self.address = address
        self.port = 0
        self._name = name
        self._grace_s = grace_s
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiting: socket.socket | None = None
        self._stopping = False

    async def start_near(self, ports: Sequence[int]) -> int:
        """Listens at the first of these ports that is free, else at any; returns it. Raises ConfigurationError as ``start``."""
        host = self.address.rpartition(":")[0]
        for port in ports:
            self.address = f"{host}:{port}"
            with contextlib.suppress(ConfigurationError):
                return await self.start()
        self.address = f"{host}:0"
        return await self.start()

    async def start(self) -> int:
        """Listens, unless it does; returns the port. Raises ConfigurationError if it cannot or may not listen there."""
        if self._task is not None or self._waiting is not None:
            return self.port
        self._access.check_listening(self._name, self.address, tls=self._tls, http=not self._asks)
        if self._tls is not None:
            from genlevel.runtime.tls import server_context

            self._context = server_context(self._tls, self._name)
        listener = self._listen()
        self.port = listener.getsockname()[1]
        self._stopping = False
        if isinstance(self.app, OnDemand):
            self._waiting = listener
            asyncio.get_running_loop().add_reader(listener, self._called, self.app)
            return self.port
        self._server = server = self._made(self.app)
        self._task = asyncio.create_task(server.serve(sockets=[listener]), name=f"{self._name} {self.address}")
        while not server.started:
            if self._task.done():
                self._task.result()
                raise ConfigurationError(f"{self._name}: the HTTP server on {self.address} ended while starting; see the log")
            await asyncio.sleep(0.005)
        return self.port

    def begin(self) -> None:
        """Makes an app on demand now, so that who comes first need not wait for that. Not before it listens."""
        if isinstance(self.app, OnDemand):
            self._called(self.app)

    async def stop(self) -> None:
        """Takes no new request and lets open ones end. Stopping twice, or before the start, is fine."""
        self._stopping = True
        if (listener := self._no_longer_waiting()) is not None:
            listener.close()
        if self._server is not None:
            self._server.should_exit = True
        if self._task is not None:
            await self._task
            self._task = None

    def _called(self, app: OnDemand) -> None:
        """Somebody connects for the first time, or is about to; what they ask waits in the system's queue meanwhile."""
        if (listener := self._no_longer_waiting()) is not None:
            self._task = asyncio.create_task(self._serve_on_demand(app, listener), name=f"{self._name} {self.address}")

    def _no_longer_waiting(self) -> socket.socket | None:
        """What waited for somebody to connect, and does not now."""
        listener, self._waiting = self._waiting, None
        if listener is not None:
            asyncio.get_running_loop().remove_reader(listener)
        return listener

    async def _serve_on_demand(self, app: OnDemand, listener: socket.socket) -> None:
        with listener:
            try:
                server = await in_thread(lambda: self._made(app.make()), name=f"{self._name} on demand")
            except Exception:  # whoever connects does not end what goes on here
                logger.exception("%s cannot be served", self._name)
                return
            if not self._stopping:
                self._server = server
                await server.serve(sockets=[listener])

    def _made(self, app: FastAPI) -> uvicorn.Server:
        import uvicorn

        class Server(uvicorn.Server):
            @contextlib.contextmanager
            def capture_signals(self) -> Iterator[None]:
                yield

        logging.getLogger("uvicorn.error").addFilter(_SELDOM)  # anybody can send what is no HTTP
        context = self._context
        config = uvicorn.Config(
            cast("ASGIApplication", app if self._asks else HttpGuard(cast("App", app), self._access)),
            ssl_context_factory=None if context is None else lambda *_: context,
            http=_bounded_protocol(),
            log_config=None,
            proxy_headers=False,  # who asks is who has connected, whatever X-Forwarded-For says
            ws="none",
            server_header=False,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=max(1, round(self._grace_s)),
        )
        return Server(config)

    def _listen(self) -> socket.socket:
        host, _, port = self.address.rpartition(":")
        host = host.strip("[]")
        try:
            if not 0 <= int(port) <= 65535:
                raise ValueError("a port is 0 to 65535")
            family, _, _, _, found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
            listener = socket.create_server(found[:2], family=family, backlog=128)
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"{self._name}: cannot listen on {self.address} ({_reason(error)}); set another host:port as {self._name} in genlevel.yaml"
            ) from None
        listener.setblocking(False)
        return listener

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()


def _bounded_protocol() -> type[asyncio.Protocol]:
    """HTTP of so many connections at most: if there is one more, one that has no request has to go, which a caller opens again."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Bounded(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if (certificate := transport.get_extra_info("peercert")) is not None:
                self.app_state = {**self.app_state, NAMES: certificate_names(certificate)}
            if len(self.connections) > MOST_CONNECTIONS:
                others = (one for one in self.connections if isinstance(one, Bounded) and one is not self)
                leaves = next((one for one in others if one.is_idle()), self)
                self.connections.discard(leaves)
                leaves.transport.abort()

        def is_idle(self) -> bool:
            """Has no whole request: whoever sends one slowly keeps nobody out."""
            return self.cycle is None or self.cycle.response_complete or self.cycle.more_body or self.transport.is_closing()

    return Bounded


def certificate_names(certificate: Mapping[str, object]) -> tuple[str, ...]:
    """The URIs and DNS names in a certificate as ``ssl`` describes it; of one that has none, its CN. As gRPC's callers are named.

    Example:
        >>> subject = ((("organizationName", "Team"),), (("commonName", "bob"),))
        >>> certificate_names({"subject": subject, "subjectAltName": (("DNS", "bob.example"), ("URI", "spiffe://team/bob"))})
        ('spiffe://team/bob', 'bob.example')
        >>> certificate_names({"subject": subject, "subjectAltName": (("IP Address", "10.0.0.1"),)}), certificate_names({})
        (('bob',), ())
    """
    others = cast("Iterable[tuple[str, str]]", certificate.get("subjectAltName", ()))
    found = tuple(name for wanted in ("URI", "DNS") for kind, name in others if kind == wanted)
    subject = cast("Iterable[Iterable[tuple[str, str]]]", certificate.get("subject", ()))
    return found or tuple(name for part in subject for kind, name in part if kind == "commonName")


def _reason(error: Exception) -> str:
    """The system's own words for an error number, without what Python adds; resolvers' numbers are negative and have none."""
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno and error.errno > 0 else str(error)
