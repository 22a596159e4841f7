"""What each provider's client adds to a request: its address and headers, as the provider's own SDK makes them if it has one.

Only these are taken from the SDKs; ``gateway.upstream`` sends the requests itself. Each SDK is imported with its first client, which takes
half a second of processor time; clients of other providers need none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx2


@dataclass(frozen=True, slots=True)
class Client:
    """base_url: where requests go. headers: those of every request, the key's among them, with lower-case names.

    authorise: makes the headers that each request needs anew, a signature or a token, from its method, URL and body (in pieces). It may
    raise CallFailed. None: none are needed. reads_body: it looks at the body; media are encoded before then, else while they are sent.
    query: what every address ends with, such as "api-version=2024-10-21".
    """

    base_url: str
    headers: Mapping[str, str]
    authorise: Authorise | None = None
    reads_body: bool = True
    query: str = ""


Authorise = Callable[[str, str, Sequence[bytes]], Awaitable[Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an account says of its client. address: "" = the SDK's own. region, project, api_version: as of ``settings.Account``."""

    address: str
    key: str = ""
    region: str = ""
    project: str = ""
    api_version: str = ""


ClientFactory = Callable[[Wanted], Client]
"""Raises ConfigurationError with what to set, or to install."""


def openai_client(wanted: Wanted) -> Client:
    """OpenAI's, by its SDK."""
    import openai

    # Without a key it makes no client; what stands for one is taken out again.
    client = openai.AsyncOpenAI(api_key=wanted.key or "none", base_url=wanted.address or None, max_retries=0, http_client=_unused())
    return Client(str(client.base_url), _plain(wanted.key, client.default_headers, client.auth_headers))


def anthropic_client(wanted: Wanted) -> Client:
    """Anthropic's, by its SDK."""
    import anthropic

    client = anthropic.AsyncAnthropic(api_key=wanted.key, base_url=wanted.address or None, max_retries=0, http_client=_unused())
    return Client(str(client.base_url), _plain(wanted.key, client.default_headers, client.auth_headers))


def bearer_client(wanted: Wanted) -> Client:
    """Any server's: the key, if there is one, as a bearer token."""
    headers = {"content-type": "application/json", "accept": "application/json", "user-agent": "genlevel"}
    if wanted.key:
        headers["authorization"] = f"Bearer {wanted.key}"
    return Client(wanted.address, headers)


def deepgram_client(wanted: Wanted) -> Client:
    """Deepgram's: its key is no bearer token."""
    headers = {"content-type": "application/json", "accept": "application/json", "user-agent": "genlevel"}
    if wanted.key:
        headers["authorization"] = f"Token {wanted.key}"
    return Client(wanted.address, headers)


def _unused() -> httpx2.AsyncClient:
    """What an SDK is given in place of connections of its own, which read all certificates and are to be closed."""
    import httpx2

    return httpx2.AsyncClient(transport=httpx2.AsyncBaseTransport(), trust_env=False)


def _plain(key: str, *headers: Mapping[str, object]) -> dict[str, str]:
    """The headers with lower-case names; without a key, none that an SDK made up for one or took from the environment."""
    plain = {name.lower(): value for mapping in headers for name, value in mapping.items() if isinstance(value, str)}
    return plain if key else {name: value for name, value in plain.items() if name not in ("authorization", "x-api-key")}
