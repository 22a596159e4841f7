"""Which hosts are this machine itself."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_loopback_host(host: str) -> bool:
    """Whether a host is this machine's loopback, by its literal address or as localhost. What another name means is the resolver's to say.

    Example:
        >>> [is_loopback_host(host) for host in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "LOCALHOST", "0.0.0.0", "my-host", "")]
        [True, True, True, True, False, False, False]
    """
    if host.lower() == "localhost":
        return True
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback


def is_loopback_url(url: str) -> bool:
    """Whether an address is this machine's own.

    Example:
        >>> [is_loopback_url(url) for url in ("http://127.0.0.1:80/v1", "https://me.localhost", "https://api.example", "localhost")]
        [True, True, False, False]
    """
    host = urlsplit(url).hostname or ""
    return host.endswith(".localhost") or is_loopback_host(host)
