"""What each provider's client adds to a request: its address and headers, as the provider's own SDK makes them if it has one.

Only these are taken from the SDKs; ``gateway.upstream`` sends the requests itself. Each SDK is imported with its first client, which takes
half a second of processor time; clients of other providers need none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2


@dataclass(frozen=True, slots=True)
class Client:
    """base_url: where requests go. headers: those of every request, the key's among them, with lower-case names."""

    base_url: str
    headers: Mapping[str, str]


ClientFactory = Callable[[str, str], Client]
"""address ("" = the SDK's own) and key."""


def openai_client(address: str, key: str) -> Client:
    """OpenAI's, by its SDK."""
    import openai

    client = openai.AsyncOpenAI(api_key=key, base_url=address or None, max_retries=0, http_client=_unused())
    return Client(str(client.base_url), _plain(key, client.default_headers, client.auth_headers))


def anthropic_client(address: str, key: str) -> Client:
    """Anthropic's, by its SDK."""
    import anthropic

    client = anthropic.AsyncAnthropic(api_key=key, base_url=address or None, max_retries=0, http_client=_unused())
    return Client(str(client.base_url), _plain(key, client.default_headers, client.auth_headers))


def bearer_client(address: str, key: str) -> Client:
    """Any server's: the key, if there is one, as a bearer token."""
    headers = {"content-type": "application/json", "accept": "application/json", "user-agent": "genlevel"}
    if key:
        headers["authorization"] = f"Bearer {key}"
    return Client(address, headers)


def _unused() -> httpx2.AsyncClient:
    """What an SDK is given in place of connections of its own, which read all certificates and are to be closed."""
    import httpx2

    return httpx2.AsyncClient(transport=httpx2.AsyncBaseTransport(), trust_env=False)


def _plain(key: str, *headers: Mapping[str, object]) -> dict[str, str]:
    """The headers with lower-case names; without a key, none that an SDK made up for one or took from the environment."""
    plain = {name.lower(): value for mapping in headers for name, value in mapping.items() if isinstance(value, str)}
    return plain if key else {name: value for name, value in plain.items() if name not in ("authorization", "x-api-key")}
