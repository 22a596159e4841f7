"""Which proxy leads to an address."""

from __future__ import annotations

import httpx2
import pytest

from genlevel.runtime.proxies import proxy_of

ENTRIES = (
    "", "*", "example.com", ".example.com", "*.example.com", "example.com:8000", "EXAMPLE.com", "localhost", "10.0.0.0/8", "10.1.2.3",
    "10.1.2.3:8000", "fd00::/8", "fd00::1", "[fd00::1]", "http://example.com", "https://example.com", "all://example.com", "a, example.com",
    "ample.com", "com", "10.0.0.0/99", "/8", ":", "[", "10.1.2.3/", "example.com/8",
)  # fmt: skip
ADDRESSES = (
    "http://example.com/v1", "https://example.com/v1", "https://www.example.com/v1", "https://notexample.com/v1", "http://example.com:8000",
    "http://10.1.2.3/v1", "http://10.1.2.3:8000/v1", "https://[fd00::1]/v1", "http://[fd00::1]:8000/v1",
)  # fmt: skip


class _By(httpx2.AsyncBaseTransport):
    """By way of which proxy."""

    def __init__(self, proxy: httpx2.Proxy | None = None) -> None:
        self.proxy = "" if proxy is None else str(proxy.url)


class _Httpx(httpx2.AsyncClient):
    def _init_transport(self, **options: object) -> httpx2.AsyncBaseTransport:  # type: ignore[override]
        return _By()

    def _init_proxy_transport(self, proxy: httpx2.Proxy, **options: object) -> httpx2.AsyncBaseTransport:  # type: ignore[override]
        return _By(proxy)


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_environments_proxies_mean_what_they_mean_to_httpx(entry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"http": "http://h.proxy:1", "all": "a.proxy:2", "no": entry}
    monkeypatch.setattr("httpx2._utils.getproxies", lambda: found)
    theirs = _Httpx()
    for address in ADDRESSES:
        by = theirs._transport_for_url(httpx2.URL(address))
        assert isinstance(by, _By)
        assert proxy_of(address, found) == by.proxy, address
