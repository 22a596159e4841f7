"""Signs a webhook, so that its receiver knows who sent it and when. Source: Standard Webhooks 1.0.0, symmetric signatures."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"
_FEWEST_BYTES = 24


def key_of(secret: str) -> bytes:
    """The bytes that sign: those that "whsec_..." holds in base64, else the text itself.

    Raises ValueError, which does not show it, if there are fewer than 24 or the base64 is none.
    """
    if secret.startswith(PREFIX):
        try:
            key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            raise ValueError(f"begins with {PREFIX}, and what follows is not base64") from None
    else:
        key = secret.encode()
    if len(key) < _FEWEST_BYTES:
        raise ValueError(f"has fewer than {_FEWEST_BYTES} bytes")
    return key


def signature(key: bytes, identity: str, at_s: int, body: bytes) -> str:
    """The value of the header webhook-signature: HMAC-SHA256 over "id.timestamp.body". at_s: UNIX seconds of this try."""
    signed = b".".join((identity.encode(), str(at_s).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
