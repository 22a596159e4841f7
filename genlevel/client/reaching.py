"""Where a client's services are: at addresses, or in this process over a folder; found at the first call, and left once."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar

from genlevel.connection.services import DEFAULT_FOLDER, Services, services
from genlevel.runtime.errors import UsageError

if TYPE_CHECKING:
    from genlevel.runtime.settings import Settings

T = TypeVar("T")

CLOSED = "this client is closed; make another one"
_PORTS = {"gateway": 7401, "evaluator": 7402, "scorer": 7403}
"""Those that services have if nothing else is configured."""
_HOST_AND_PORT = re.compile(r"(?P<host>\[[^\]\s]+\]|[^:/\[\]\s]+)(?::(?P<port>\d{1,5}))?")
_TARGET = re.compile(r"(dns|ipv4|ipv6|unix|unix-abstract|xds):.+")


class Connection:
    """The services of one client. All of its calls come from one event loop: that of its first call.

    Args:
        settings: what says where they are, and how embedded ones work.
        folder: of embedded services.
        embedded: they are embedded, whatever addresses the settings have.
        token: shown to services elsewhere instead of the token that the settings name; empty = that one.
    """

    def __init__(self, settings: Settings, folder: Path, *, embedded: bool, token: str) -> None:
        self.elsewhere = bool(settings.addresses.evaluator) and not embedded
        self.place = settings.addresses.evaluator if self.elsewhere else str(folder)
        self._settings = settings
        self._folder = folder
        self._token = token
        self._opening = asyncio.Lock()
        self._stack: AsyncExitStack | None = None
        self._services: Services | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = os.getpid()
        self.closed = False

    def using(self) -> Using:
        """The services, for one call. Raises UsageError if the client is closed, before or meanwhile, or is another loop's."""
        return Using(self)

    async def close(self) -> None:
        """Leaves the services. Runs that go on in this process come to an orderly stop, and can be continued."""
        self.closed = True
        async with self._opening:
            stack, self._stack, self._services = self._stack, None, None
        if stack is not None:
            await stack.aclose()

    async def found(self) -> Services:
        """The services. Raises as ``using``; GenlevelError if they cannot be opened."""
        self._check()
        if self._services is None:
            async with self._opening:
                if self._services is None:
                    self._check()
                    stack = AsyncExitStack()
                    opened = services(self._settings, self._folder, embedded=not self.elsewhere, token=self._token)
                    self._services = await stack.enter_async_context(opened)
                    self._stack = stack
        return self._services

    def _check(self) -> None:
        if os.getpid() != self._process:
            raise UsageError("this client was made before the process was forked; make another one in the child")
        if self.closed:
            raise UsageError(CLOSED)
        loop = asyncio.get_running_loop()
        self._loop = self._loop or loop
        if loop is not self._loop:
            raise UsageError("an AsyncClient belongs to the event loop that it was first used in; make one for each loop")


class Using:
    """``async with`` the services of a connection. (No generator: one that is half read is closed in any order when a loop ends.)"""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def __aenter__(self) -> Services:
        return await self._connection.found()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """What the client's own end cancels is told as that."""
        task = asyncio.current_task()
        if kind is asyncio.CancelledError and self._connection.closed and task is not None and not task.cancelling():
            raise UsageError(CLOSED) from None


class Closed(Generic[T]):
    """``async with`` an iterator that is closed at the end, though it is half read: what it holds open is given back then."""

    def __init__(self, source: AsyncIterator[T]) -> None:
        self._source = source

    async def __aenter__(self) -> AsyncIterator[T]:
        return self._source

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(self._source, AsyncGenerator):
            await self._source.aclose()


def connection(
    address: str | None,
    *,
    gateway: str | None,
    scorer: str | None,
    token: str | None,
    ca: str | Path | None,
    certificate: str | Path | None,
    key: str | Path | None,
    folder: str | Path | None,
    config: str | Path | None,
) -> Connection:
    """The connection that a client's arguments mean; nothing is opened yet. Raises UsageError, ConfigurationError."""
    from genlevel.runtime.default_settings import are_configured, default_settings
    from genlevel.runtime.settings_file import load_settings

    remote = {"gateway": gateway, "scorer": scorer, "ca": ca, "certificate": certificate, "key": key}
    if address is None:
        if given := [name for name, value in remote.items() if value is not None]:
            raise UsageError(f"{given[0]} goes with the evaluator's address, such as Client('localhost:7402')")
        path = None if config is None else Path(config)
        settings = load_settings(path) if are_configured(path) else default_settings()
        if token is not None and (folder is not None or not settings.addresses.evaluator):
            raise UsageError("token goes with the evaluator's address: services in this process ask for none")
        return Connection(settings, Path(folder or DEFAULT_FOLDER), embedded=folder is not None, token=token or "")
    if folder is not None or config is not None:
        raise UsageError(f"{'folder' if folder is not None else 'config'} goes without an address: services elsewhere have their own")
    if (certificate is None) != (key is None) or (certificate is not None and ca is None):
        raise UsageError("certificate and key go together, and with ca: the PEM files of this program's certificate and of the authority")
    from genlevel.runtime.settings import Addresses, Settings

    files = {name: None if file is None else Path(file) for name, file in (("ca", ca), ("certificate", certificate), ("key", key))}
    settings = Settings(addresses=Addresses(**addresses_of(address, gateway, scorer), **files))
    return Connection(settings, DEFAULT_FOLDER, embedded=False, token=token or "")


def addresses_of(evaluator: str, gateway: str | None, scorer: str | None) -> dict[str, str]:
    """The addresses of all three services. Those that are not given are at the usual ports of the evaluator's host, if it is at its own.

    Raises UsageError for what is no address, and for others that do not follow from it.

    >>> addresses_of("eval.example", None, "scores.example:9000")
    {'gateway': 'eval.example:7401', 'evaluator': 'eval.example:7402', 'scorer': 'scores.example:9000'}
    """
    given = {"gateway": gateway, "evaluator": evaluator, "scorer": scorer}
    found = {name: _address(name, text) for name, text in given.items() if text is not None}
    host, _, port = found["evaluator"].rpartition(":")
    missing = [name for name in given if name not in found]
    if missing and (_TARGET.fullmatch(evaluator) or port != str(_PORTS["evaluator"])):
        raise UsageError(
            f"give {' and '.join(f'{name}=' for name in missing)} the addresses, too: they follow from the evaluator's only if that is at "
            f"port {_PORTS['evaluator']}, as `genlevel up` has it"
        )
    return {name: found.get(name) or f"{host}:{_PORTS[name]}" for name in given}


def _address(name: str, text: str) -> str:
    if not isinstance(text, str) or not text.strip():
        raise UsageError(f"the {name}'s address must be host:port, not {text!r}")
    if "://" in text and not text.startswith(("unix://", "dns://", "xds://")):
        raise UsageError(f"the {name}'s address is host:port without {text.partition('://')[0]}://, such as localhost:{_PORTS[name]}")
    match = _HOST_AND_PORT.fullmatch(text)
    if match is not None and int(match["port"] or 1) < 1 << 16:
        return text if match["port"] else f"{text}:{_PORTS[name]}"
    if _TARGET.fullmatch(text):
        return text
    raise UsageError(f"the {name}'s address must be host:port, such as localhost:{_PORTS[name]}, not {text!r}")
