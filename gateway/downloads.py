"""Fetches media that an answer names by address, and nothing else: an answer must not make this machine call its own network.

Taken: https addresses, and those of the upstream's own origin. An address whose host means a private network is refused, wherever a
redirect leads, unless it is the upstream's own origin. The upstream's key is never sent along.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver

from gateway.answering.errors import redact
from gateway.landing import Landed, Landing
from gateway.upstream import CONNECT_TIMEOUT_S
from genlevel.runtime.errors import CallFailed, ErrorClass

MAX_MEDIA_BYTES = 256 << 20
MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class _Refused(Exception):
    """An address that is not fetched; says why."""


class _PublicResolver(AbstractResolver):
    """Resolves names to addresses of the public internet only. The connection goes to the address that was checked."""

    def __init__(self) -> None:
        self._resolver = DefaultResolver()

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if not all(_is_public(entry["host"]) for entry in found):
            raise _Refused(f"{host} is in a private network")
        return found

    async def close(self) -> None:
        await self._resolver.close()


async def download(
    url: str, base_url: str, landing: Landing, *, shown: str, provider: str, limit: int = MAX_MEDIA_BYTES
) -> tuple[bytes | Landed, str]:
    """The bytes behind an address in an answer, and the MIME type that came with them. The caller sets the deadline.

    base_url: the upstream's address. landing: where they go. shown: who answered, for people.
    Raises CallFailed: UNKNOWN if the address is not fetched or its content is too large, TRANSIENT if it does not answer.
    """
    try:
        for _ in range(MOST_REDIRECTS + 1):
            own = _origin(url) == _origin(base_url)
            _check(url, own=own)
            async with (
                aiohttp.TCPConnector(resolver=None if own else _PublicResolver(), limit=1) as connector,
                aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_TIMEOUT_S)) as session,
                session.get(url, allow_redirects=False, headers={"user-agent": "genlevel"}) as response,
            ):
                if response.status in _REDIRECTS:
                    url = urljoin(url, response.headers.get("location", ""))
                    continue
                if response.status != 200:
                    raise _failed(shown, provider, f"{_where(url)} answered {response.status}", ErrorClass.TRANSIENT)
                return await _read(response, landing, limit), response.headers.get("content-type", "")
        raise _Refused(f"more than {MOST_REDIRECTS} redirects")
    except _Refused as refused:
        raise _failed(shown, provider, f"{_where(url)} is not fetched: {refused}", ErrorClass.UNKNOWN) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        detail = " ".join(str(error).split())[:200] or type(error).__name__
        raise _failed(shown, provider, f"{_where(url)} cannot be fetched ({detail})", ErrorClass.TRANSIENT) from None


def _check(url: str, *, own: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise _Refused("it is not a plain web address")
    if own:
        return
    if parts.scheme != "https":
        raise _Refused("only https is fetched from other hosts")
    try:
        ipaddress.ip_address(parts.hostname)
    except ValueError:
        if parts.hostname.replace(".", "").isdigit():  # another way to write an address, which would not be looked up as a name
            raise _Refused("its host is a number") from None
        return
    if not _is_public(parts.hostname):
        raise _Refused("it is in a private network")


def _is_public(host: str) -> bool:
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_global) and not mapped.is_multicast


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)


async def _read(response: aiohttp.ClientResponse, landing: Landing, limit: int) -> bytes | Landed:
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > limit:
            raise _Refused(f"it has more than {limit >> 20} MiB")
        await landing.take(chunk)
    return await landing.landed()


def _where(url: str) -> str:
    """The address without its query, which may hold a signature."""
    return redact(url.partition("?")[0].partition("#")[0]) or "an empty address"


def _failed(shown: str, provider: str, what: str, error_class: ErrorClass) -> CallFailed:
    said = f"{shown} answered with the address of a file: {what}"
    return CallFailed(error_class, said, provider=provider, provider_code="download", may_be_charged=True)
