"""Which hosts are this machine itself."""

from __future__ import annotations

import ipaddress


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
