"""The HTTP side of a call: one aiohttp session for each provider account. No retries here, ever.

A provider's SDK says what its address and headers are (``gateway.accounts.clients``); the request itself does not pass through it, because
its path costs several times as much processor time as the rest of the gateway (tests/performance/bench_gateway.py).
"""

from __future__ import annotations

import asyncio
import pkgutil
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from http import HTTPStatus

import aiohttp
from aiohttp.client_proto import ResponseHandler
from multidict import CIMultiDict
from yarl import URL

from gateway.accounts.clients import Client, ClientFactory, Wanted
from gateway.answering.errors import redact
from gateway.calls import Call
from gateway.landing import Landing
from gateway.resolved import ResolvedRoute
from gateway.splicing import Encoded, Piece
from genlevel.runtime import logs
from genlevel.runtime.certificates import believed
from genlevel.runtime.connection_errors import REFUSED, reason
from genlevel.runtime.errors import CallFailed, ConfigurationError, ErrorClass
from genlevel.runtime.hosts import is_loopback_url
from genlevel.runtime.proxies import proxy_to
from genlevel.runtime.shown import cut

CONNECT_TIMEOUT_S = 15.0
MAX_ANSWER_BYTES = 64 << 20
# A larger body is written in pieces, so that other calls have their turn in between.
PIECE_BYTES = 1 << 20
LARGE_ANSWER_BYTES = 1 << 20
"""Of a larger answer no more is read until there is room for it."""
CONNECTIONS = 2048
MOST_ADDRESSES = 1000
"""Addresses that are kept because a model's name, which callers choose, is in them."""
KEPT_S = 30.0
"""An idle connection is closed after this time: what is kept for longer, servers and what stands before them have often closed already."""


class Incoming:
    """An answer that is read as it comes. status; headers: by lower-case names."""

    def __init__(self, response: aiohttp.ClientResponse, broken: Callable[[Exception], CallFailed]) -> None:
        self.status = response.status
        self.headers = plain_headers(response.raw_headers)
        self._content = response.content
        self._broken = broken

    def ready(self) -> bytes:
        """What has come already, decompressed; b"" if that is nothing. Raises CallFailed if the connection has broken."""
        try:
            return self._content.read_nowait()
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            raise self._broken(error) from None

    async def read(self) -> bytes:
        """What comes next; b"" at the end. Raises CallFailed if the connection breaks. It may be cancelled, and asked again."""
        try:
            return await self._content.readany()
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            raise self._broken(error) from None


class Upstream:
    """One account's connections. ``post`` is one call: an HTTP answer of any status, or CallFailed. ``stream`` is one, too."""

    def __init__(self, route: ResolvedRoute, client: Client, key: str, session: aiohttp.ClientSession) -> None:
        self._route = route
        self.provider = route.provider
        self.shown = route.shown
        self.base_url = client.base_url
        self._authorise = client.authorise
        self.has_credentials = client.authorise is not None
        self._reads_body = client.reads_body
        self._query = f"?{client.query}" if client.query else ""
        self.key = key
        self._session = session
        # Of each request, not of the session: aiohttp would send the session's, and so the key, to a proxy, in the clear.
        self._headers = CIMultiDict(client.headers)
        self._urls: dict[str, URL] = {}

    @classmethod
    async def open(cls, route: ResolvedRoute, *, base_url: str = "", beside: Upstream | None = None) -> Upstream:
        """A client for the route's account. base_url: instead of the route's. beside: that of another of its models, whose connections and
        tokens it takes.

        Raises CallFailed if its key is missing, or if it cannot be reached as the environment says.
        """
        key = route.key()
        address = base_url or route.base_url
        try:
            if route.row.has_sdk:  # half a second of imports, in which others have their turn
                client = await asyncio.to_thread(_client, route, address, key)
            else:
                client = _client(route, address, key)
            _check_headers(client)
            if beside is not None:
                return cls(route, replace(client, authorise=beside._authorise), key, beside._session)
            return cls(route, client, key, _session(client))
        except ConfigurationError as problem:
            raise CallFailed(
                ErrorClass.MODEL_GONE, f"{route.shown}: {problem}", provider=route.provider, provider_code="not opened"
            ) from None

    def post(
        self, path: str, body: bytes | list[Piece], headers: Mapping[str, str] | None = None, *, call: Call | None = None
    ) -> Coroutine[object, None, tuple[int, Mapping[str, str], bytes, float]]:
        """Sends one JSON body. See ``send``."""
        return self.send("POST", path, body, headers, call=call)

    async def send(
        self,
        method: str,
        path: str,
        body: bytes | list[Piece],
        headers: Mapping[str, str] | None = None,
        *,
        limit: int = MAX_ANSWER_BYTES,
        call: Call | None = None,
        landing: Landing | None = None,
    ) -> tuple[int, Mapping[str, str], bytes, float]:
        """Sends one request. Returns status, lower-case headers, body, and the seconds during which it was open.

        body: whole, or pieces; their list is emptied meanwhile, so that media are not in memory while a model works. limit: bytes of the
        answer at most. call: what it is for, which is told when the body is sent, and waits for room if the answer is large.
        landing: where an answer goes that is media; what is returned of it is empty.
        Raises CallFailed (TRANSIENT) if the connection cannot be made or breaks. The caller sets the deadline.
        """
        url, asked, data = await self._asked(method, path, body, headers, call)
        started = time.perf_counter()
        try:
            # A redirect would carry the key elsewhere.
            async with self._session.request(method, url, data=data, headers=asked, allow_redirects=False) as response:
                self._check_proxy(response)
                answer = await self._read(response, limit, call, landing)
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            raise self._broken(error) from None
        return response.status, plain_headers(response.raw_headers), answer, time.perf_counter() - started

    @asynccontextmanager
    async def stream(
        self, path: str, body: bytes | list[Piece], headers: Mapping[str, str] | None = None, *, call: Call | None = None
    ) -> AsyncIterator[Incoming]:
        """Sends one JSON body (see ``send``); its answer is read as it comes. Leaving the context early closes the connection at once.

        Raises CallFailed (TRANSIENT) if the connection cannot be made or breaks. The caller sets the deadline.
        """
        url, asked, data = await self._asked("POST", path, body, headers, call)
        try:
            response = await self._session.request("POST", url, data=data, headers=asked, allow_redirects=False)
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            raise self._broken(error) from None
        try:
            try:
                self._check_proxy(response)
            except aiohttp.ClientHttpProxyError as error:
                raise self._broken(error) from None
            yield Incoming(response, self._broken)
        finally:
            response.close()

    @asynccontextmanager
    async def opened(
        self, method: str, path: str, data: AsyncIterator[bytes] | bytes | None, headers: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One request and its answer while it comes, for bodies that are on disk. See ``send``.

        data: the body, or its pieces; then headers has its content-length. headers: beyond the client's own.
        """
        url = URL(f"{self.base_url.rstrip('/')}/{path}")
        asked = self._headers.copy()
        asked.update(headers)
        if self._authorise is not None:
            asked.update(await self._authorise(method, str(url), [data] if isinstance(data, bytes) else []))
        try:
            async with self._session.request(method, url, data=data, headers=asked, allow_redirects=False) as response:
                self._check_proxy(response)
                yield response
        except (aiohttp.ClientError, RuntimeError) as error:
            raise self._broken(error) from None

    async def close(self) -> None:
        """Closes all connections."""
        await self._session.close()

    async def _asked(
        self, method: str, path: str, body: bytes | list[Piece], headers: Mapping[str, str] | None, call: Call | None
    ) -> tuple[URL, CIMultiDict[str], bytes | AsyncIterator[bytes | memoryview] | None]:
        """Where a request goes, its headers, and its body as it is written."""
        url = self._urls.get(path)
        if url is None:
            # An adapter's path is written as it is to arrive: a signature is of "%3A", and not of ":".
            url = URL(f"{self.base_url.rstrip('/')}/{path}{self._query}", encoded="%" in path)
            if method == "POST":  # those that are asked again and again
                if len(self._urls) >= MOST_ADDRESSES:
                    self._urls.clear()
                self._urls[path] = url
        asked = self._headers
        if headers:
            asked = asked.copy()
            asked.update(headers)
        pieces: list[Piece] = [body] if isinstance(body, bytes) else body
        if self._authorise is not None:
            asked = asked.copy()
            asked.update(await self._authorised(method, url, pieces))
        length = sum(map(len, pieces))
        if length > PIECE_BYTES:
            asked = asked.copy()
            asked["content-length"] = str(length)
            return url, asked, _slices(pieces, call)
        if not length:
            return url, asked, None
        data = b"".join(map(bytes, pieces))
        pieces.clear()
        return url, asked, data

    def _check_proxy(self, response: aiohttp.ClientResponse) -> None:
        """Raises ClientHttpProxyError for a response that is a proxy's own: to https it leads by a tunnel, and what it says of that is an
        error.
        """
        if response.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED and response.url.scheme == "http" and proxy_to(self.base_url):
            raise aiohttp.ClientHttpProxyError(
                response.request_info, response.history, status=response.status, message=response.reason or ""
            )

    async def _authorised(self, method: str, url: URL, pieces: list[Piece]) -> Mapping[str, str]:
        assert self._authorise is not None
        whole = list(map(bytes, pieces)) if self._reads_body else []
        if self._reads_body:
            pieces[:] = whole
        return await self._authorise(method, str(url), whole)

    async def _read(self, response: aiohttp.ClientResponse, limit: int, call: Call | None, landing: Landing | None) -> bytes:
        """The body, decompressed. A short one has come with its headers, and is not waited for."""
        chunks, content = [], response.content
        size = 0
        lands = landing is not None and response.status == HTTPStatus.OK
        while chunk := content.read_nowait() if content.is_eof() else await content.readany():
            size += len(chunk)
            if size > limit:
                raise CallFailed(
                    ErrorClass.UNKNOWN,
                    f"{self.shown} sent more than {limit >> 20} MiB in one answer",
                    provider=self.provider,
                    provider_code="too large",
                    may_be_charged=True,
                )
            if lands and landing is not None and (size > len(chunk) or landing.takes(chunk)):
                await landing.take(chunk)
                continue
            lands = False
            chunks.append(chunk)
            if size > LARGE_ANSWER_BYTES and call is not None:
                await call.receives(max(size, min(response.content_length or 0, limit)))
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _advice(self) -> str:
        """What a person can do if nothing listens at the address."""
        route = self._route
        if route.row.is_started_here:
            return ""
        if route.row.base_url == route.base_url and not is_loopback_url(self.base_url):
            return "; check this machine's network"
        if route.given_by_address:
            return "; start the server, or correct --base-url"
        how = "set" if route.base_url == route.row.base_url else "correct"
        return f"; start the server, or {how} base_url of the account {route.account} in genlevel.yaml"

    def _broken(self, cause: Exception) -> CallFailed:
        unsent = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL, aiohttp.ClientHttpProxyError)
        sent = not isinstance(cause, unsent)
        # Who answers may repeat what it was sent.
        detail = redact(logs.redact(reason(cause)), self.key, 200) or type(cause).__name__
        if isinstance(cause, aiohttp.ClientHttpProxyError):
            said = f"the environment's proxy does not lead to {self.base_url} ({cause.status} {detail})"
        elif sent:
            said = f"the connection broke ({detail})"
        elif isinstance(cause, aiohttp.ClientProxyConnectionError):
            said = f"cannot connect to {self.base_url} by way of the proxy {cause.host}:{cause.port} ({detail})"
        elif detail == REFUSED:
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


def _client(route: ResolvedRoute, address: str, key: str) -> Client:
    make: ClientFactory = pkgutil.resolve_name(route.row.client)
    return make(Wanted(address, key, route.region, route.project, route.api_version))


def _check_headers(client: Client) -> None:
    """Raises ConfigurationError for a header that cannot be sent: SDKs take some from the environment as they are."""
    for name, value in client.headers.items():
        if not name.isprintable() or not value.isprintable():
            said = "has a line break or another control character; correct the environment variable that it is from"
            raise ConfigurationError(f"the header {cut(name)!r} {said}")


def _session(client: Client) -> aiohttp.ClientSession:
    """A session that keeps no cookies, and waits for as long as its caller does.

    Raises ConfigurationError for a proxy that cannot be used, or certificates that cannot be read.
    """
    through = proxy_to(client.base_url)
    encrypted = client.base_url.startswith("https:") or (through is not None and through.scheme == "https")
    return aiohttp.ClientSession(
        connector=_Connector(limit=CONNECTIONS, keepalive_timeout=KEPT_S, ssl=believed() if encrypted else True),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
        proxy=through,
    )


class _Handler(ResponseHandler):
    """A connection that is not used again if something has come on it that nobody had asked for."""

    def is_connected(self) -> bool:
        """Whether the next request may go over it: asked before each."""
        return super().is_connected() and not self.should_close


class _Connector(aiohttp.TCPConnector):
    """Servers say on idle connections that they waited too long (408): the next call would take it for its answer."""

    def __init__(self, *, limit: int, keepalive_timeout: float, ssl: ssl.SSLContext | bool) -> None:
        super().__init__(limit=limit, keepalive_timeout=keepalive_timeout, ssl=ssl)
        self._factory = partial(_handler, asyncio.get_running_loop())


def _handler(loop: asyncio.AbstractEventLoop) -> ResponseHandler:
    return _Handler(loop)


def plain_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case names, those of one name joined by commas (RFC 9110, section 5.3)."""
    plain: dict[str, str] = {}
    for raw_name, raw in headers:
        name = raw_name.decode("latin-1").lower()
        try:
            value = raw.decode()
        except UnicodeDecodeError:
            value = raw.decode("latin-1")
        plain[name] = f"{plain[name]}, {value}" if name in plain else value
    return plain


async def _slices(pieces: list[Piece], call: Call | None) -> AsyncIterator[bytes | memoryview]:
    pieces.reverse()
    while pieces:
        piece = pieces.pop()
        if isinstance(piece, Encoded):
            for encoded in piece.pieces():
                yield encoded
        else:
            view = memoryview(piece)
            for start in range(0, len(view), PIECE_BYTES):
                yield view[start : start + PIECE_BYTES]
            del view
        del piece
    if call is not None:
        call.sent()
