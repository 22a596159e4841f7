"""A connection to NATS that is made again whenever it ends, for as long as it takes.

Each time it is a new client of the library's: nothing of a connection that hung, was refused or lost its place is carried over.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from nats import errors
from nats.aio.client import Client

from genlevel.runtime.errors import QueueError
from genlevel.runtime.logs import News, redact
from genlevel.runtime.queue.address import Address

CONNECT_S = 5.0
"""Seconds for a connection."""
ANSWER_S = 5.0
"""Seconds for an answer."""
_LOOK_S = 5.0  # between two looks whether the server still answers
LIBRARY_ERRORS = (errors.Error, OSError, TimeoutError, asyncio.InvalidStateError, AssertionError, AttributeError)
"""What the library raises; the last ones if a connection ends while it is used."""
_PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0)
_LEAVES_S = 20.0  # longer than servers of a cluster take to find a leader
_LASTS_S = 1.0  # what ended sooner was no connection, though somebody took it
_CLOSE_S = 1.0
_SHORT_S = 10.0  # nobody is told of an outage that was so short

logger = logging.getLogger(__name__)


class Link:
    """Keeps a connection while it is open.

    Args:
        address: of the servers; one of them is tried after the other.
        name: what the server calls this client.
        up: what is done with each new connection before anybody has it.
        down: what is done when it has ended.

    Attributes:
        refused: what the server did not let this user do, as it said last over this connection; "": nothing.
    """

    def __init__(self, address: Address, name: str, up: Callable[[Client], Awaitable[None]], down: Callable[[], None]) -> None:
        self._address = address
        self._name = name
        self._up = up
        self._down = down
        self.refused = ""
        self._client: Client | None = None
        self._changed = asyncio.Event()
        self._tried = False  # each server
        self._failing_since: float | None = None  # by time.monotonic
        self._since = datetime.now(UTC)
        self._why = "it was not reached yet"
        self._news = News()
        self._keeping: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begins to connect, and does not wait. Of a running event loop."""
        self._keeping = asyncio.create_task(self._keep(), name=f"queue at {self._address.shown}")

    @property
    def waits_for(self) -> str:
        """Since when there is no connection and why; "": there is one."""
        if self._client is not None:
            return ""
        return f"the queue at {self._address.shown} is away since {self._since:%H:%M:%S} UTC: {self._why}"

    async def client(self, within_s: float = CONNECT_S) -> Client:
        """The connection. Raises QueueError if there is none within so many seconds."""
        if self._client is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    while self._client is None:
                        await self._changed.wait()
        if self._client is None:
            raise QueueError(self.waits_for, passes=True)
        return self._client

    async def tried(self) -> Client:
        """The connection. Raises QueueError if each server was tried once, in vain."""
        while self._client is None and not self._tried:
            await self._changed.wait()
        return await self.client(0.0)

    def failed(self) -> None:
        """What the server was asked for was not done. One that is cut off from its cluster is left for another after a while."""
        self._failing_since = self._failing_since or time.monotonic()

    def worked(self) -> None:
        """What the server was asked for was done."""
        self._failing_since = None

    async def close(self) -> None:
        """Ends the connection, after what was sent."""
        keeping = self._keeping
        while keeping is not None and not keeping.done():
            keeping.cancel()  # in Python 3.11 asyncio.wait_for, which the library uses, forgets it if an answer comes at that moment
            await asyncio.wait((keeping,), timeout=_CLOSE_S)
        if keeping is not None and not keeping.cancelled():
            keeping.result()

    async def _keep(self) -> None:
        failures = 0
        while True:
            for server in random.sample(self._address.servers, len(self._address.servers)):
                ended = asyncio.Event()
                client = Client()
                told: list[Exception] = []
                try:
                    await self._connect(client, server, ended, told)
                    await self._up(client)
                    began = time.monotonic()
                    self._set(client)
                    await self._watch(client, ended)
                    failures = failures if time.monotonic() - began < _LASTS_S else 0
                    break
                except Exception as error:  # whatever it is, the next try may not meet it
                    self._note(_advice(told[-1] if told and isinstance(error, errors.NoServersError) else error))
                finally:
                    if self._client is not None:
                        self._set(None)
                    await _closed(client)
            self._tried = True
            self._tell()
            await asyncio.sleep(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)] * random.uniform(0.5, 1.0))
            failures += 1

    async def _connect(self, client: Client, server: str, ended: asyncio.Event, told: list[Exception]) -> None:
        """Connects to a server. told: takes what the library says of it, then and later."""

        async def tell(error: Exception) -> None:
            told[:] = [error]
            if "permissions violation" in str(error).lower():
                self.refused = str(error).removeprefix("nats: ")
            logger.debug("the queue at %s: %s", server, redact(str(error)))

        async def over() -> None:
            ended.set()
            for answer in list(getattr(client, "_resp_map", {}).values()):  # which the library would wait for in vain
                if not answer.done():
                    answer.set_exception(errors.ConnectionClosedError())

        def secret(which: int) -> str:
            if self._address.tls and not client._server_info.get("tls_required"):
                raise errors.SecureConnWantedError  # before anything secret is sent
            return login[which]

        self.refused = ""
        login = self._address.login()
        options: dict[str, object] = {}
        if (context := self._address.context()) is not None:
            options["tls"] = context
        if login[0]:
            options |= {"user": lambda: secret(0), "password": lambda: secret(1)}
        elif login[1]:
            options["token"] = lambda: secret(1)
        async with asyncio.timeout(CONNECT_S):
            await client.connect(
                f"nats://{server}",
                name=self._name,
                error_cb=tell,
                closed_cb=over,
                allow_reconnect=False,
                # Twice: less often the library does not try at all.
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                **options,  # type: ignore[arg-type]
            )
        if self._address.tls and not client._server_info.get("tls_required"):
            raise errors.SecureConnWantedError

    async def _watch(self, client: Client, ended: asyncio.Event) -> None:
        """Returns when the connection has ended, or its server no longer answers."""
        while not client.is_closed:
            try:
                async with asyncio.timeout(_LOOK_S):
                    await ended.wait()
                break
            except TimeoutError:
                pass
            try:
                await client.rtt(int(ANSWER_S))
            except LIBRARY_ERRORS as error:
                self._note(_advice(error))
                return
            if self._failing_since is not None and time.monotonic() - self._failing_since > _LEAVES_S:
                self._note("it is there, and does nothing that it is asked for")
                return
        self._note("the connection ended" if client.last_error is None else _advice(client.last_error))

    def _set(self, client: Client | None) -> None:
        self._client = client
        self._failing_since = None
        self._tell()
        if client is None:
            self._down()
        elif not self._tried or self._away_s >= _SHORT_S:
            logger.info("the queue at %s is there", self._address.shown)

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _note(self, why: str) -> None:
        if self._client is not None:
            self._since = datetime.now(UTC)
        self._why = redact(why)
        if self._away_s >= _SHORT_S and self._news.is_new(self._why):
            logger.warning("the queue at %s: %s", self._address.shown, self._why)

    @property
    def _away_s(self) -> float:
        return (datetime.now(UTC) - self._since).total_seconds()


async def _closed(client: Client) -> None:
    """Closes a connection whose server may no longer answer."""
    with contextlib.suppress(*LIBRARY_ERRORS):
        async with asyncio.timeout(_CLOSE_S):
            await client.close()


def _advice(error: Exception) -> str:
    """What is wrong, and what to do about it, as far as it can be told."""
    said = str(error)
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in said:
        return "nothing listens there (connection refused); start it, or correct the address"
    if isinstance(error, socket.gaierror):
        return "nobody knows that name of a host; correct the address"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is not one that ca trusts, or is another host's"
    if isinstance(error, errors.SecureConnWantedError):
        return "it does not speak TLS, which the address asks for"
    if isinstance(error, ssl.SSLError):
        return "TLS fails; look at ca, certificate and key of the address"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, errors.AuthorizationError) or "authorization" in said.lower():
        return "it does not let these credentials in; correct user and password, token or credentials"
    if isinstance(error, errors.StaleConnectionError):
        return "the connection ended"
    return said.removeprefix("nats: ") or type(error).__name__
