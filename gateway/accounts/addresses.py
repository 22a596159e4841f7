"""Addresses of servers: whether one can be called."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.shown import cut, without_secrets


def host_of(base_url: str, *, called: str = "base_url") -> str:
    """host:port of an address. Raises ConfigurationError if it is not an http or https address that can be called.

    called: what people know it as.
    """
    from yarl import URL

    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
        URL(base_url)
        (host or "").encode("idna")
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    plain = base_url.isprintable() and " " not in base_url and not (parts.username or parts.password or parts.query or parts.fragment)
    if parts.scheme not in ("http", "https") or not host or not plain:
        shown = cut(re.sub(r"^.*@", "…@", base_url) if "://" not in base_url else without_secrets(base_url))
        if not base_url.lower().startswith(("http://", "https://")):
            raise ConfigurationError(f"{called} {shown!r}: begin with http:// or https://, such as http://127.0.0.1:8080/v1")
        raise ConfigurationError(
            f"{called} {shown!r}: give an address such as http://127.0.0.1:8080/v1, without a user, a password, a query or a fragment"
        )
    return f"{host}:{port}" if port else host
