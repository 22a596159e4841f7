"""The HTTP side of a call: one client per provider account, made by the provider's SDK, used at its transport.

The SDK owns the key, the address and the headers; the request itself goes over its shared aiohttp-backed HTTP client
with JSON encoded once, because the SDK's own request path costs several times as much processor time as the rest of
the gateway (tests/performance/bench_gateway.py). No retries here, ever.
"""

from __future__ import annotations

import asyncio
import errno
import os
import pkgutil
import ssl
import time
from collections.abc import AsyncIterator, Mapping

import aiohttp
import httpx2

from gateway.addresses import is_loopback
from gateway.clients import Client, ClientFactory
from gateway.keys import KeySource
from gateway.resolved import ResolvedRoute
from genlevel.runtime.errors import CallFailed, ErrorClass

_REFUSED = os.strerror(errno.ECONNREFUSED).lower()
CONNECT_TIMEOUT_S = 15.0
MAX_ANSWER_BYTES = 64 << 20
# A larger body is written in pieces, so that other calls have their turn in between.
PIECE_BYTES = 1 << 20
CONNECTIONS = httpx2.Limits(max_connections=2048, max_keepalive_connections=2048, keepalive_expiry=30.0)


class Upstream:
    """One account's connections. ``post`` is one call: an HTTP answer of any status, or CallFailed."""

    def __init__(self, route: ResolvedRoute, client: Client, key: str, http: httpx2.AsyncClient) -> None:
        self._route = route
        self.provider = route.provider
        self.shown = route.shown
        self.base_url = client.base_url
        self.key = key
        self._headers = dict(client.headers)
        self._http = http
        self._urls: dict[str, httpx2.URL] = {}

    @classmethod
    def open(cls, route: ResolvedRoute, *, base_url: str = "") -> Upstream:
        """A client for the route's account. base_url: instead of the route's. Raises CallFailed if its key is missing."""
        import openai

        address = base_url or route.base_url
        http: httpx2.AsyncClient = openai.DefaultAioHttpClient(
            limits=CONNECTIONS,
            timeout=None,
            follow_redirects=False,  # a redirect would carry the key elsewhere
            trust_env=not is_loopback(address),  # a proxy for the outside world cannot reach this machine's own servers
        )
        key = route.key()
        make: ClientFactory = pkgutil.resolve_name(route.row.client)
        return cls(route, make(address, key, http), key, http)

    async def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, Mapping[str, str], bytes, float]:
        """Sends one JSON body. See ``send``."""
        return await self.send("POST", path, body, headers)

    async def send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str] | None = None, *, limit: int = MAX_ANSWER_BYTES
    ) -> tuple[int, Mapping[str, str], bytes, float]:
        """Sends one request. Returns status, lower-case headers, body, and the seconds during which it was open.

        limit: bytes of the answer at most.
        Raises CallFailed (TRANSIENT) if the connection cannot be made or breaks. The caller sets the deadline.
        """
        url = self._urls.get(path)
        if url is None:
            url = httpx2.URL(f"{self.base_url.rstrip('/')}/{path}")
            if method == "POST":  # those that are asked again and again
                self._urls[path] = url
        sent = {**self._headers, **headers} if headers else self._headers
        if large := len(body) > PIECE_BYTES:
            sent = {**sent, "content-length": str(len(body))}
        request = httpx2.Request(
            method,
            url,
            headers=sent,
            content=_pieces(body) if large else body,
            extensions={"timeout": {"connect": CONNECT_TIMEOUT_S, "read": None, "write": None, "pool": None}},
        )
        started = time.perf_counter()
        try:
            response = await self._http.send(request, stream=True)
            try:
                answer = await self._read(response, limit)
            finally:
                await response.aclose()
        except (httpx2.RequestError, aiohttp.ClientError, OSError, RuntimeError) as error:
            raise self._broken(error) from None
        return response.status_code, response.headers, answer, time.perf_counter() - started

    async def close(self) -> None:
        """Closes all connections."""
        await self._http.aclose()

    async def _read(self, response: httpx2.Response, limit: int) -> bytes:
        chunks = []
        size = 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > limit:
                raise CallFailed(
                    ErrorClass.UNKNOWN,
                    f"{self.shown} sent more than {limit >> 20} MiB in one answer",
                    provider=self.provider,
                    provider_code="too large",
                    may_be_charged=True,
                )
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _advice(self) -> str:
        """What a person can do if nothing listens at the address."""
        route = self._route
        if route.row.is_started_here:
            return ""
        if route.row.base_url == route.base_url and not is_loopback(self.base_url):
            return "; check this machine's network"
        if route.given_by_address:
            return "; start the server, or correct --base-url"
        how = "set" if route.base_url == route.row.base_url else "correct"
        return f"; start the server, or {how} base_url of the account {route.account} in genlevel.yaml"

    def _broken(self, error: Exception) -> CallFailed:
        cause = error.__cause__ or error
        sent = not isinstance(cause, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, httpx2.UnsupportedProtocol))
        detail = " ".join(_reason(cause).split())[:200] or type(cause).__name__
        if sent:
            said = f"the connection broke ({detail})"
        elif isinstance(cause, aiohttp.ClientProxyConnectionError):
            said = f"cannot connect to {self.base_url} by way of the proxy {cause.host}:{cause.port} ({detail})"
        elif detail == _REFUSED:
            said = f"nothing answers at {self.base_url} ({detail}){self._advice()}"
        else:
            said = f"cannot connect to {self.base_url} ({detail})"
        return CallFailed(
            ErrorClass.TRANSIENT,
            f"{self.shown}: {said}",
            provider=self.provider,
            provider_code=type(cause).__name__,
            may_be_charged=sent,
        )


def _reason(cause: BaseException) -> str:
    """Why a connection was not made or broke, without what an HTTP library puts around it."""
    match cause:
        case aiohttp.ClientConnectorCertificateError():
            return _reason(cause.certificate_error)
        case aiohttp.ClientConnectorError():
            return _reason(cause.os_error)
        case ssl.SSLCertVerificationError():
            return f"its certificate is not accepted: {cause.verify_message}"
        case OSError(errno=int(number)) if number in errno.errorcode and not isinstance(cause, ssl.SSLError):
            return os.strerror(number).lower()
        case _:
            return getattr(cause, "strerror", None) or str(cause)


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), PIECE_BYTES):
        yield body[start : start + PIECE_BYTES]


class Upstreams:
    """The open clients, one for each account's address and key."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str, KeySource], Upstream] = {}

    def of(self, route: ResolvedRoute, *, base_url: str = "") -> Upstream:
        """The client of a route, made on first use."""
        name = (route.provider, base_url, KeySource()) if base_url else route.client
        upstream = self._open.get(name)
        if upstream is None:
            upstream = self._open[name] = Upstream.open(route, base_url=base_url)
        return upstream

    async def close(self) -> None:
        """Closes them all."""
        opened, self._open = list(self._open.values()), {}
        await asyncio.gather(*(upstream.close() for upstream in opened))
