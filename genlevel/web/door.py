"""Who comes in, and as whom: by a token, in a header or in the cookie of whoever has logged in, or by a certificate.

Nothing is kept here of who has logged in: the cookie holds the token itself. So any process with the same file of tokens knows it,
also after a restart, and a token that is taken out of the file opens nothing from then on.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, cookie_parser

from genlevel.runtime import logs
from genlevel.runtime.callers import Caller, Role, current_caller
from genlevel.runtime.callers.access import Access
from genlevel.runtime.errors import CallerRefused, UsageError
from genlevel.runtime.hosts import is_loopback_host
from genlevel.runtime.http import NAMES
from genlevel.runtime.listening import Web

if TYPE_CHECKING:
    from starlette.types import Scope

VISITOR = "genlevel.visitor"
"""In a request's scope: who asks."""

HOW = "log in, or send one as Authorization: Bearer"
_COOKIE = "genlevel"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks. token: that was shown; "" = none. by_cookie: a browser shows it by itself, whichever page makes it ask."""

    caller: Caller
    token: str = ""
    by_cookie: bool = False


class Door:
    """Finds who asks.

    Args:
        access: the rule; by default whoever is on this machine may do everything.
        web: by which names browsers may ask.
        passes_on: what a visitor asks for goes on to services elsewhere with the visitor's token, so certificates are not enough.
    """

    def __init__(self, access: Access | None = None, web: Web | None = None, *, passes_on: bool = False) -> None:
        self.access = Access() if access is None else access
        web = web or Web()
        self._hosts = frozenset(name.lower() for name in web.hosts) | ({_host(urlsplit(web.url).netloc)} if web.url else frozenset())
        self._url = web.url
        self._passes_on = passes_on
        self._key = secrets.token_bytes(32)

    @property
    def asks(self) -> bool:
        """Whether anybody is asked for a token or certificate."""
        return self.access.asks

    def visitor(self, scope: Scope) -> Visitor:
        """Who asks. Raises CallerUnknown."""
        shown = HTTPConnection(scope)
        header = shown.headers.get("authorization", "")
        by_cookie = header.partition(" ")[0].lower() != "bearer"
        token = self._kept(scope) if by_cookie else header.partition(" ")[2].strip()
        caller = self._caller(scope, f"Bearer {token}" if token else "")
        return Visitor(caller, token if self.asks else "", by_cookie)

    def shows_something(self, scope: Scope) -> bool:
        """Whether anything in the request could say who asks: whoever has nothing yet is led to the login, and is no refused caller."""
        shown = HTTPConnection(scope)
        return bool("authorization" in shown.headers or self._kept(scope) or _names(scope))

    def logged_in(self, scope: Scope, token: str) -> Visitor:
        """Who has this token, and may read. Raises CallerRefused."""
        caller = self._caller(scope, f"Bearer {token}", certificate=False)
        self.access.check_role(caller, Role.READ, "the pages")
        logs.hide(token)
        return Visitor(caller, token, True)

    def cookie(self, scope: Scope, token: str) -> str:
        """What the browser is to keep, and to send with what it asks us, until it is closed; "" = forget it.

        A link from elsewhere is followed as whoever has logged in (SameSite=Lax); what others' pages load or post here comes without it.
        """
        value = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
        secure = "; Secure" if self.is_secure(scope) else ""
        return f"{self._cookie_name(scope)}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{'' if token else '; Max-Age=0'}"

    def is_secure(self, scope: Scope) -> bool:
        """Whether the browser speaks to us, or to the proxy before us, over TLS."""
        return scope["scheme"] == "https" or self._url.startswith("https:")

    # -- what other sites can make a browser do --------------------------------------------------------------------------

    def knows_host(self, scope: Scope) -> bool:
        """Whether the page was asked for by a name of ours.

        Where nobody is asked who they are, another site's name that leads to this machine (DNS rebinding) would make its pages ours. A
        name is needed for that: addresses are always fine.
        """
        host = _host(HTTPConnection(scope).headers.get("host", ""))
        if not host or is_loopback_host(host) or host.endswith(".localhost") or _is_address(host) or host in self._hosts:
            return True
        return self.asks and not self._hosts

    def is_own_request(self, scope: Scope) -> bool:
        """Whether a page of ours, a person or a program asks, as far as the browser says: others' pages may only lead here."""
        headers = HTTPConnection(scope).headers
        site = headers.get("sec-fetch-site", "")
        if scope["method"] != "POST":
            return site in ("", "none", "same-origin") or headers.get("sec-fetch-mode") == "navigate"
        origin = headers.get("origin", "")
        if site not in ("", "same-origin"):
            return False
        own = {urlsplit(self._url).netloc, headers.get("host", "").lower()}
        return not origin or urlsplit(origin).netloc.lower() in own - {""}

    # -- forms -----------------------------------------------------------------------------------------------------------

    def caller(self, connection: HTTPConnection) -> Caller:
        """Who asks."""
        found = cast("Visitor | None", connection.scope.get(VISITOR))
        return current_caller() if found is None else found.caller

    def form_token(self, connection: HTTPConnection) -> str:
        """What each form of a page carries: whoever cannot read the page does not know it. It is the session's own."""
        found = cast("Visitor | None", connection.scope.get(VISITOR))
        key = found.token.encode() if found is not None and found.token else self._key
        return hmac.new(key, f"form of {self.caller(connection).name}".encode(), hashlib.sha256).hexdigest()

    def check_form(self, connection: HTTPConnection, form: Mapping[str, Sequence[str]]) -> None:
        """Raises UsageError if a form does not come from a page of ours. A token in a header comes from no browser's page."""
        found = cast("Visitor | None", connection.scope.get(VISITOR))
        if found is not None and found.token and not found.by_cookie:
            return
        if not hmac.compare_digest("".join(form.get("csrf", ())).encode(), self.form_token(connection).encode()):
            raise UsageError("this form is from an older page; go back, load the page again, and send it once more")

    # -- within ----------------------------------------------------------------------------------------------------------

    def _caller(self, scope: Scope, authorization: str, *, certificate: bool = True) -> Caller:
        names = _names(scope) if certificate and not self._passes_on else None
        return self.access.caller(authorization, None if names is None else lambda: names, address_of(scope), how=HOW)

    def _cookie_name(self, scope: Scope) -> str:
        # The prefix keeps other hosts of a domain from setting it; browsers take it over TLS alone.
        return f"__Host-{_COOKIE}" if self.is_secure(scope) else _COOKIE

    def _kept(self, scope: Scope) -> str:
        """The token in the cookie; "" if there is none that could be one."""
        value = cookie_parser(HTTPConnection(scope).headers.get("cookie", "")).get(self._cookie_name(scope), "")
        try:
            return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode("ascii")
        except (binascii.Error, ValueError):
            return ""

    def still_open(self, scope: Scope) -> bool:
        """Whether who has begun to read may go on: their token is neither taken away nor expired."""
        if not self.asks or VISITOR not in scope:
            return True
        try:
            self.visitor(scope)
        except CallerRefused:
            return False
        return True


def address_of(scope: Scope) -> str:
    """Where a request comes from, without the port."""
    client = cast("tuple[str, int] | None", scope.get("client"))
    return client[0] if client else "unix"


def _names(scope: Scope) -> Sequence[str] | None:
    """The names in the client's certificate; None: it was not asked for one."""
    return cast("Mapping[str, Sequence[str]]", scope.get("state", {})).get(NAMES)


def _host(netloc: str) -> str:
    """A host without its port, in lower case."""
    name = netloc.lower()
    return name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0].rstrip(".")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
