"""Access tokens of Google's cloud, by google-auth: from a file of credentials, or those that the machine or its user has.

A token is good for about an hour. It is asked for anew in a thread, by one call for all that wait, and before it runs out.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gateway.accounts.keys import hide
from genlevel.runtime.certificates import believed
from genlevel.runtime.errors import CallFailed, ConfigurationError, ErrorClass

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TIMEOUT_S = 30.0
NEEDED = "credentials of Google's cloud need google-auth: pip install 'genlevel[vertex]'"
_WAYS = "run `gcloud auth application-default login`, or set api_key_file, or GOOGLE_VERTEX_API_KEY to an API key"
# What leads to credentials (https://cloud.google.com/docs/authentication/application-default-credentials), and what tells that this is
# Google's cloud, where the machine has some (https://cloud.google.com/run/docs/container-contract).
_SIGNS = ("GOOGLE_APPLICATION_CREDENTIALS", "GCE_METADATA_HOST", "K_SERVICE", "CLOUD_RUN_JOB", "GAE_RUNTIME", "KUBERNETES_SERVICE_HOST")
_MAKER = Path("/sys/class/dmi/id/product_name")


def problem() -> str:
    """Why Google's cloud cannot be asked without a key, in one line; "" if it can, as far as that shows without asking anybody."""
    if find_spec("google") is None or find_spec("google.auth") is None:
        return f"no key, and without one {NEEDED}"
    folder = os.environ.get("CLOUDSDK_CONFIG") or os.path.join(os.environ.get("APPDATA") or os.path.expanduser("~/.config"), "gcloud")
    found = any(map(os.environ.get, _SIGNS)) or os.path.exists(os.path.join(folder, "application_default_credentials.json"))
    return "" if found or _is_on_gce() else f"no credentials of Google's cloud; {_WAYS}"


def _is_on_gce() -> bool:
    """Whether this is a machine of Google's cloud, which may have an account."""
    try:
        return _MAKER.read_text().startswith("Google")
    except OSError:
        return False


def credentials_of(written: str) -> tuple[Credentials, str]:
    """Credentials, and the project that they belong to ("" if they do not say).

    written: a service account's key in JSON, or a user's credentials; "": what the environment offers
    (https://cloud.google.com/docs/authentication/application-default-credentials).
    Raises ConfigurationError with what to install or to set.
    """
    try:
        import google.auth
        from google.auth.exceptions import GoogleAuthError
    except ImportError:
        raise ConfigurationError(NEEDED) from None
    try:
        if written:
            return _credentials(json.loads(written))
        found, project = google.auth.default(scopes=[SCOPE])
    except (GoogleAuthError, ValueError, AttributeError, TypeError) as problem:
        where = "its api_key_file cannot be used" if written else "there are no credentials of Google's cloud here"
        how = "write a service account's key there" if written else _WAYS
        raise ConfigurationError(f"{where} ({_line(problem)}); {how}") from None
    return found, project or ""


def _credentials(content: dict[str, str]) -> tuple[Credentials, str]:
    """Those in a file. Kinds that lead elsewhere, of other clouds, are taken from the environment alone: that is the machine's owner's."""
    from google.oauth2.credentials import Credentials as OfUser
    from google.oauth2.service_account import Credentials as OfService

    for name in ("private_key", "refresh_token", "client_secret"):
        if secret := content.get(name):
            hide(secret)
    match content.get("type"):
        case "service_account":
            return OfService.from_service_account_info(content, scopes=[SCOPE]), content.get("project_id", "")
        case "authorized_user":
            return OfUser.from_authorized_user_info(content, scopes=[SCOPE]), ""
        case kind:
            raise ValueError(f"credentials of the type {kind} are taken from GOOGLE_APPLICATION_CREDENTIALS alone")


class Tokens:
    """The token of one account. ``authorise`` is that of a Client (``gateway.accounts.clients``)."""

    def __init__(self, credentials: Credentials, provider: str) -> None:
        self._credentials = credentials
        self._provider = provider
        self._refresh: asyncio.Task[None] | None = None

    async def authorise(self, method: str, url: str, body: Sequence[bytes]) -> Mapping[str, str]:
        """The headers with a token that is good now. Raises CallFailed: CREDENTIAL if there is none to be had, TRANSIENT if who gives them
        cannot be reached."""
        from google.auth.credentials import TokenState

        state = self._credentials.token_state
        if state is not TokenState.FRESH:
            if self._refresh is None:
                self._refresh = asyncio.create_task(self._renew())
                self._refresh.add_done_callback(_seen)
            if state is TokenState.INVALID:
                await asyncio.shield(self._refresh)
        headers = {"authorization": f"Bearer {self._credentials.token}"}
        if project := getattr(self._credentials, "quota_project_id", None):
            headers["x-goog-user-project"] = project
        return headers

    async def _renew(self) -> None:
        """Asks for a token. A stale one is good until it has run out, whatever becomes of this."""
        from google.auth.credentials import TokenState
        from google.auth.exceptions import GoogleAuthError, TransportError

        try:
            await asyncio.to_thread(self._credentials.refresh, _ask)
            if token := self._credentials.token:
                hide(token)
        except GoogleAuthError as problem:
            if self._credentials.token_state is TokenState.INVALID:
                reached = not isinstance(problem, TransportError)
                said = f"{self._provider}: Google gives no access token ({_line(problem)})"
                raise CallFailed(
                    ErrorClass.CREDENTIAL if reached else ErrorClass.TRANSIENT,
                    f"{said}; check the credentials" if reached else said,
                    provider=self._provider,
                    provider_code="token",
                ) from None
        finally:
            self._refresh = None


class _Answered(NamedTuple):
    """A response as google-auth reads it (google.auth.transport.Response)."""

    status: int
    headers: Mapping[str, str]
    data: bytes


def _ask(
    url: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float | None = None,
    **others: object,
) -> _Answered:
    """How google-auth asks for tokens (google.auth.transport.Request): by an HTTP client that is here anyway."""
    import httpx2
    from google.auth.exceptions import TransportError

    try:
        with httpx2.Client(verify=believed(), timeout=timeout or TIMEOUT_S) as client:
            response = client.request(method, url, content=body, headers=headers)
    except httpx2.HTTPError as problem:
        raise TransportError(problem) from problem
    return _Answered(response.status_code, response.headers, response.content)


def _seen(renewal: asyncio.Task[None]) -> None:
    """Whoever waits is told of a failure; if nobody waits any more, nobody is."""
    if not renewal.cancelled():
        renewal.exception()


def _line(problem: Exception) -> str:
    said = problem.args[0] if problem.args else ""
    return " ".join(str(said).split())[:200] or type(problem).__name__
