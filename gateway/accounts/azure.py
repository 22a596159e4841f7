"""Azure: where below a resource's address each API is, and what its client adds to a request.

Sources: the openai package (lib/azure.py), https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle and
https://learn.microsoft.com/azure/ai-foundry/foundry-models/concepts/endpoints
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from gateway.accounts.clients import Client, Wanted
from gateway.accounts.keys import hide
from gateway.adapters.paths import in_path
from gateway.providers import PROVIDERS
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import Api

SCOPE = "https://cognitiveservices.azure.com/.default"
MODELS_VERSION = "2024-05-01-preview"
"""The version of the API of Foundry's models (``/models``), which has no other."""
TOKEN_VARIABLE = "AZURE_OPENAI_AD_TOKEN"
EARLY_S = 300.0
"""A token is had anew so long before it runs out: it is good for about an hour."""
_HEADERS = {"content-type": "application/json", "accept": "application/json", "user-agent": "genlevel"}
# A token of Entra is a JSON Web Token; keys of resources are not.
_TOKEN_BEGINS = "eyJ"
_WAYS = f"AZURE_OPENAI_API_KEY, or {TOKEN_VARIABLE} to a token of Entra, or pip install 'genlevel[azure]' and sign in"
_LACKS = f"no key for azure; set {_WAYS}"


def address_of(base_url: str, api_version: str, model: str, api: Api) -> str:
    """Where an account's model is asked. An address that leads to an API, or to a deployment, stays as it is.

    Without a version it is the API that has none; with one, a deployment's own, which is named in the address; but for responses.

    >>> address_of("https://me.openai.azure.com", "", "gpt", Api.CHAT)
    'https://me.openai.azure.com/openai/v1'
    >>> address_of("https://me.openai.azure.com/", "2024-10-21", "gpt", Api.CHAT)
    'https://me.openai.azure.com/openai/deployments/gpt'
    """
    plain = base_url.rstrip("/")
    path = urlsplit(plain).path
    if "/deployments/" in path or path.endswith(("/v1", "/models")):
        return plain
    root = plain.removesuffix("/openai")
    if not api_version:
        return f"{root}/openai/v1"
    return f"{root}/openai" if api is Api.RESPONSES else f"{root}/openai/deployments/{in_path(model)}"


def azure_client(wanted: Wanted) -> Client:
    """Azure's: a resource's key, or a token of Entra, which goes to Azure's own addresses alone.

    Raises CallFailed (CREDENTIAL) if there is neither.
    """
    version = wanted.api_version or (MODELS_VERSION if wanted.address.endswith("/models") else "")
    query = f"api-version={version}" if version else ""
    token = wanted.key if wanted.key.startswith(_TOKEN_BEGINS) else ""
    if wanted.key and not token:
        return Client(wanted.address, {**_HEADERS, "api-key": wanted.key}, query=query)
    if not token and not PROVIDERS["azure"].is_at(wanted.address):
        return Client(wanted.address, _HEADERS, query=query)
    token = token or os.environ.get(TOKEN_VARIABLE, "").strip()
    if token:
        hide(token)
        return Client(wanted.address, {**_HEADERS, "authorization": f"Bearer {token}"}, query=query)
    if lacks := problem():
        raise CallFailed(ErrorClass.CREDENTIAL, lacks, provider="azure")
    from azure.core.exceptions import AzureError
    from azure.identity import DefaultAzureCredential

    return Client(wanted.address, _HEADERS, Tokens(DefaultAzureCredential(), AzureError), reads_body=False, query=query)


def problem() -> str:
    """Why Azure cannot be asked without a key, in one line; "" if it can."""
    if os.environ.get(TOKEN_VARIABLE, "").strip():
        return ""
    return "" if find_spec("azure") is not None and find_spec("azure.identity") is not None else _LACKS


class Tokens:
    """Tokens of Entra, by a credential of azure-identity, which one call asks for in a thread for all that wait. A Client's ``authorise``.

    failure: what the credential raises.
    """

    def __init__(self, credential: Any, failure: type[Exception]) -> None:
        self._credential = credential
        self._failure = failure
        self._token, self._until = "", 0.0
        self._asking = asyncio.Lock()

    async def __call__(self, method: str, url: str, body: Sequence[bytes]) -> Mapping[str, str]:
        """The headers with a token that is good now. Raises CallFailed (CREDENTIAL) if there is none to be had."""
        if time.time() >= self._until:
            async with self._asking:
                if time.time() >= self._until:
                    await self._renew()
        return {"authorization": f"Bearer {self._token}"}

    async def _renew(self) -> None:
        try:
            found = await asyncio.to_thread(self._credential.get_token, SCOPE)
        except self._failure as problem:
            said = " ".join(str(problem).split())[:200]
            raise CallFailed(ErrorClass.CREDENTIAL, f"Entra gives no token for azure ({said})", provider="azure") from None
        hide(found.token)
        self._token, self._until = found.token, found.expires_on - EARLY_S
