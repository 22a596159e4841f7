"""Bedrock's client: a key of Bedrock's own as a bearer token, or each request signed with AWS's credentials, as botocore finds and signs.

botocore is an extra (``genlevel[bedrock]``), needed for signatures alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gateway.accounts.clients import Client, Wanted
from gateway.accounts.keys import hide
from genlevel.runtime.errors import CallFailed, ConfigurationError, ErrorClass

PROVIDER = "bedrock"
SERVICE = "bedrock"
"""Whose requests they are in signatures; the host has another name."""
LARGE_BYTES = 1 << 20
"""A larger body is hashed in a thread: some 2 ms per MiB."""
_WAYS = "AWS_BEARER_TOKEN_BEDROCK, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
# Variables that lead to credentials: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
_SIGNS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_MAKER = Path("/sys/devices/virtual/dmi/id/sys_vendor")
_HEADERS = {"content-type": "application/json", "user-agent": "genlevel"}
_HOST = re.compile(r"//bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.")
_UNSIGNED = "its requests are signed by botocore: pip install 'genlevel[bedrock]', or set AWS_BEARER_TOKEN_BEDROCK to a key of Bedrock"


def bedrock_client(wanted: Wanted) -> Client:
    """Bedrock's, of the account's region, else that of its address or of AWS's settings.

    Raises ConfigurationError if no region is known or botocore is missing, CallFailed (CREDENTIAL) if there are no credentials.
    """
    found = _HOST.search(wanted.address)
    region = wanted.region or (found[1] if found else "") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
    if wanted.key:
        return Client(wanted.address or _address(region), {**_HEADERS, "authorization": f"Bearer {wanted.key}"})
    if find_spec("botocore") is None:
        raise ConfigurationError(_UNSIGNED)
    import botocore.session
    from botocore.exceptions import BotoCoreError

    try:
        session = botocore.session.get_session()
        region = region or session.get_config_variable("region") or ""
        address = wanted.address or _address(region)
        credentials = session.get_credentials()
    except BotoCoreError as problem:
        raise _no_credentials(str(problem)) from None
    if credentials is None:
        raise _no_credentials("none are set")
    return Client(address, _HEADERS, _Signer(credentials, region or "us-east-1"))


def problem() -> str:
    """Why Bedrock cannot be asked without a key of its own, in one line; "" if it can, as far as that shows without asking anybody."""
    if find_spec("botocore") is None:
        return _UNSIGNED
    return (
        ""
        if any(map(os.environ.get, _SIGNS)) or any(map(os.path.exists, _files())) or _is_on_ec2()
        else f"no credentials of AWS; set {_WAYS}"
    )


def _files() -> list[str]:
    """Where credentials may lie (https://docs.aws.amazon.com/sdkref/latest/guide/file-location.html)."""
    usual = {"AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials", "AWS_CONFIG_FILE": "~/.aws/config"}
    return [os.path.expanduser(os.environ.get(name) or path) for name, path in usual.items()]


def _is_on_ec2() -> bool:
    """Whether this is a machine of AWS, which may have a role."""
    try:
        return _MAKER.read_text().startswith("Amazon EC2")
    except OSError:
        return False


def _address(region: str) -> str:
    if not region:
        raise ConfigurationError("it has an address in each region; set region of its account in genlevel.yaml, or AWS_REGION")
    return f"https://bedrock-runtime.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"


class _Signer:
    """Signs each request (Signature Version 4). Credentials that run out are had anew in a thread."""

    def __init__(self, credentials: Any, region: str) -> None:
        self._credentials = credentials
        self._region = region
        self._hidden: tuple[str | None, ...] = ()

    async def __call__(self, method: str, url: str, body: Sequence[bytes]) -> Mapping[str, str]:
        """The headers of the signature. Raises CallFailed (CREDENTIAL) if credentials cannot be had."""
        from botocore.exceptions import BotoCoreError

        runs_out = getattr(self._credentials, "refresh_needed", None)
        try:
            if runs_out is not None and runs_out():
                frozen = await asyncio.to_thread(self._credentials.get_frozen_credentials)
            else:
                frozen = self._credentials.get_frozen_credentials()
        except BotoCoreError as problem:
            raise _no_credentials(str(problem)) from None
        if (secrets := (frozen.secret_key, frozen.token)) != self._hidden:  # who answers may repeat what it was sent
            for secret in filter(None, secrets):
                hide(secret)
            self._hidden = secrets
        hashed = await asyncio.to_thread(_sha256, body) if sum(map(len, body)) > LARGE_BYTES else _sha256(body)
        made, signer = _signing()
        request = made(method=method, url=url, headers={"content-type": _HEADERS["content-type"]})
        signer(frozen, self._region, hashed).add_auth(request)
        return {name.lower(): value for name, value in request.headers.items()}


def _sha256(body: Sequence[bytes]) -> str:
    found = hashlib.sha256()
    for piece in body:
        found.update(piece)
    return found.hexdigest()


@cache
def _signing() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """What makes a request to be signed, and what signs it by the hash of its body, which is in pieces."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    class Hashed(SigV4Auth):  # type: ignore[misc]
        def __init__(self, credentials: Any, region: str, hashed: str) -> None:
            super().__init__(credentials, SERVICE, region)
            self._hashed = hashed

        def payload(self, request: Any) -> str:
            return self._hashed

    return AWSRequest, Hashed


def _no_credentials(why: str) -> CallFailed:
    said = f"no credentials of AWS for bedrock ({why}); set {_WAYS}"
    return CallFailed(ErrorClass.CREDENTIAL, said, provider=PROVIDER)
