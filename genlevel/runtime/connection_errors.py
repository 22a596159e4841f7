"""Why an HTTP connection was not made or broke, in a few words for people."""

from __future__ import annotations

import errno
import os
import ssl

import aiohttp

REFUSED = os.strerror(errno.ECONNREFUSED).lower()
"""What ``reason`` says if nothing listens."""


def reason(cause: BaseException) -> str:
    """Why a connection was not made or broke, without what an HTTP library puts around it."""
    match cause:
        case aiohttp.ClientConnectorCertificateError():
            return reason(cause.certificate_error)
        case aiohttp.ClientConnectorError():
            return reason(cause.os_error)
        case ssl.SSLCertVerificationError():
            return f"its certificate is not accepted: {cause.verify_message}"
        case aiohttp.ClientResponseError():  # what came is no HTTP that can be read
            return cause.message
        case OSError(errno=int(number)) if number in errno.errorcode and not isinstance(cause, ssl.SSLError):
            return os.strerror(number).lower()
        case _:
            return getattr(cause, "strerror", None) or str(cause)
