"""Which proxy leads to an address, as the environment says: http_proxy, https_proxy, all_proxy, and no_proxy for what is reached directly.

An entry of no_proxy is a host, which stands for those below it, too (".host" and "*.host": for those below it alone), an IP address or a
network ("10.0.0.0/8"), each with a port if need be, or "*" for all; "https://host" is that host alone. What is no such thing is ignored.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies

from yarl import URL

from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.hosts import is_loopback_url
from genlevel.runtime.shown import hide_secrets_of, without_secrets

_PORTS = {"http": 80, "https": 443}


def proxy_of(address: str, environment: Mapping[str, str]) -> str:
    """The proxy's address, "" if there is none. environment: proxies by scheme, and "no", as ``urllib.request.getproxies`` finds them.

    Example:
        >>> found = {"https": "proxy.example:3128", "no": "localhost, .internal.example, 10.0.0.0/8"}
        >>> [proxy_of(f"https://{host}/v1", found) for host in ("api.example", "llm.internal.example", "10.1.2.3")]
        ['http://proxy.example:3128', '', '']
    """
    parts = urlsplit(address)
    entries = [entry.strip() for entry in environment.get("no", "").split(",")]
    if any(_means(entry, parts) for entry in entries if entry):
        return ""
    proxy = environment.get(parts.scheme) or environment.get("all") or ""
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def proxy_to(address: str) -> URL | None:
    """This process's proxy that leads to an address; None: it is reached directly, as this machine's own servers always are.

    Raises ConfigurationError, which does not show user and password, if what the environment names cannot be one.
    """
    proxy = "" if is_loopback_url(address) else proxy_of(address, getproxies())
    if not proxy:
        return None
    hide_secrets_of(proxy)
    shown = without_secrets(proxy)
    try:
        url = URL(proxy)
    except ValueError:
        raise ConfigurationError(f"the environment's proxy {shown} is not an address: special characters are written as %23 is") from None
    if url.scheme not in ("http", "https"):
        raise ConfigurationError(f"the environment's proxy {shown} is not one of HTTP, and others are not supported")
    if not url.host or "@" in f"{url.path}{url.fragment}":
        raise ConfigurationError(f"the environment's proxy {shown} is not an address: special characters are written as %23 is")
    return url


def _means(entry: str, parts: SplitResult) -> bool:
    """Whether an entry of no_proxy stands for an address."""
    if entry == "*":
        return True
    scheme, found, rest = entry.partition("://")
    if found and scheme not in ("all", parts.scheme):
        return False
    host, port, network = _read(rest if found else entry)
    if port and port != (parts.port or _PORTS.get(parts.scheme)):
        return False
    asked = (parts.hostname or "").rstrip(".")
    try:
        return ipaddress.ip_address(asked) in ipaddress.ip_network(f"{host}/{network}" if network else host, strict=False)
    except ValueError:
        pass
    if network or not host:
        return False
    domain = host.lower().removeprefix("*")
    if domain.startswith("."):
        return asked.endswith(domain)
    return asked == domain or (not found and asked.endswith(f".{domain}"))


def _read(entry: str) -> tuple[str, int, str]:
    """Host, port (0: any) and length of the network's prefix ("": a host alone)."""
    entry, _, network = entry.partition("/")
    if entry.count(":") > 1 and not entry.startswith("["):  # an IPv6 address without a port
        return entry, 0, network
    host, found, port = entry.rpartition(":")
    if not found or not port.isdecimal():
        host, port = entry, "0"
    return host.strip("[]"), int(port), network
