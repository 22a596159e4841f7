"""Where below an address its API is: those of most servers begin with /v1, which people leave out."""

from __future__ import annotations

import asyncio
import errno
import re
from urllib.parse import urlsplit

import aiohttp

from genlevel.runtime.hosts import is_loopback_url
from genlevel.runtime.shown import without_secrets

TIMEOUT_S = 5.0
_VERSION = re.compile(r"/v\d[A-Za-z0-9]*$")


async def api_at(base_url: str) -> str:
    """The address, with /v1 if an API answers there and none at the address itself. No model is called, no key is sent.

    A server that does not answer, or says nothing of its models, is left at the address that was given.
    """
    plain = base_url.rstrip("/")
    if _VERSION.search(urlsplit(plain).path):
        return base_url
    try:
        async with asyncio.timeout(TIMEOUT_S), aiohttp.ClientSession(trust_env=not is_loopback_url(base_url)) as session:
            if not await _answers(session, plain) and await _answers(session, f"{plain}/v1"):
                return f"{plain}/v1"
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        pass
    return base_url


async def silence_at(base_url: str) -> str:
    """Why no server answers at an address, in one line; "" if one does, whatever it says. No model is called, no key is sent."""
    said = f"nothing answers at {without_secrets(base_url)}"
    models = f"{base_url.rstrip('/')}/models"
    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            aiohttp.ClientSession(trust_env=not is_loopback_url(base_url)) as session,
            session.get(models, allow_redirects=False),
        ):
            return ""
    except TimeoutError:
        return f"{said} within {TIMEOUT_S:g} s"
    except (aiohttp.ClientError, OSError, ValueError) as error:
        refused = isinstance(error, OSError) and error.errno == errno.ECONNREFUSED
        return f"{said} ({'connection refused' if refused else type(error).__name__})"


async def _answers(session: aiohttp.ClientSession, address: str) -> bool:
    """Whether an API lists its models there, or wants a key for that. A web page is none."""
    async with session.get(f"{address}/models", allow_redirects=False) as response:
        return response.status in (401, 403) or (response.status == 200 and "json" in response.content_type)
