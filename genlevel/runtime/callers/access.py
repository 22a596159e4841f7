"""Who may reach a process's servers, and as whom: the rule of the settings' section `auth`, the same for gRPC and HTTP.

Without a section, only this machine is listened to and nobody is asked. With one, every caller shows a token or a certificate, on this
machine too.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from genlevel.runtime.callers import Caller, Role
from genlevel.runtime.errors import CallerRefused, CallerUnknown, ConfigurationError, RoleMissing
from genlevel.runtime.hosts import is_loopback_host
from genlevel.runtime.logs import Seldom

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from genlevel.runtime.listening import Tls
    from genlevel.runtime.settings import Auth

_EVERYTHING = frozenset({Role.ADMIN})

logger = logging.getLogger(__name__)


class Why(StrEnum):
    """Why a call was refused; a label of the metric."""

    NOTHING_SHOWN = "nothing shown"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    ROLE = "role"


class Access:
    """Finds who calls, and says whether a server may listen at an address.

    Args:
        auth: None: the settings have no such section.
        registry: where refused calls are counted; None: nowhere.

    Raises:
        ConfigurationError: the file of tokens cannot be used.
    """

    def __init__(self, auth: Auth | None = None, registry: CollectorRegistry | None = None) -> None:
        self._auth = auth
        self.asks = auth is not None and not auth.lets_everybody_in
        self._tokens = None
        self._certificates: Mapping[str, Caller] = {}
        self._refusals = _Refusals(registry)
        if auth is not None and auth.tokens is not None:
            from genlevel.runtime.callers.tokens import Tokens

            self._tokens = Tokens(auth.tokens)
        if auth is not None:
            self._certificates = {name: Caller(name, frozenset(roles)) for name, roles in auth.certificates.items()}

    @property
    def metrics_are_open(self) -> bool:
        """Whether /metrics needs nothing."""
        return not self.asks or (self._auth is not None and self._auth.metrics == "open")

    @property
    def certificates_alone(self) -> bool:
        """Whether callers are asked, and can show nothing but a certificate."""
        return self.asks and self._tokens is None

    def check_listening(self, name: str, address: str, *, tls: Tls | None = None, http: bool = False) -> None:
        """Raises ConfigurationError if a server may not listen there; warns of what is allowed and dangerous. Arguments as ``dangers``."""
        for danger in self.dangers(name, address, tls=tls, http=http):
            logger.warning("%s: %s", name, danger)

    def dangers(self, name: str, address: str, *, tls: Tls | None = None, http: bool = False) -> list[str]:
        """What is allowed and dangerous of a server that listens there, a line each. Raises ConfigurationError if it may not.

        Args:
            name: the setting that holds the address, such as "gateway.grpc".
            address: host:port, or a unix socket of gRPC.
            tls: that server's.
            http: it is a server of pages, which has no TLS.
        """
        self.check_address(name, address, http=http)
        here = is_loopback(address)
        service = name.partition(".")[0]
        if self._auth is not None and not self.asks:
            return [f"auth is none: whoever reaches {address} may do everything"]
        if http:
            return self._dangers_of_pages(address, here)
        if self.asks and self._tokens is None and (tls is None or tls.client_ca is None):
            raise ConfigurationError(f"{name}: auth.certificates needs {service}.tls with client_ca; else nobody can show a certificate")
        if self._tokens is not None and not here and tls is None:
            return [f"tokens cross the network to {address} in the clear; set {service}.tls"]
        return []

    def check_address(self, name: str, address: str, *, http: bool = False) -> None:
        """Raises ConfigurationError if others reach the address, and it is not said who may call. Arguments as of ``dangers``."""
        if self._auth is not None or is_loopback(address):
            return
        certificates = "" if http else f", or auth.certificates with {name.partition('.')[0]}.tls.client_ca"
        raise ConfigurationError(
            f"{name}: {address} can be reached from other machines, so it must be said who may call: set auth.tokens (`genlevel token NAME "
            f"--role read` makes one){certificates}, or `auth: none` to let everybody in; an address of this machine alone, such as "
            "127.0.0.1, needs none of these"
        )

    def _dangers_of_pages(self, address: str, here: bool) -> list[str]:
        if self.metrics_are_open:
            return []
        if self._tokens is None:
            return ["nobody can read /metrics, which needs a token: set auth.tokens, or auth.metrics to open"]
        return [] if here else [f"it has no TLS: tokens for /metrics cross the network to {address} in the clear"]

    def open_to(self, *, http: bool = False) -> str:
        """Who may call, for people. http: a server of pages, to which nobody can show a certificate."""
        if self._auth is None:
            return "this machine alone, which is not asked who calls"
        if not self.asks:
            return "everybody who reaches it"
        shown = (("a token", self._tokens is not None), ("a certificate", bool(self._certificates) and not http))
        ways = " or ".join(way for way, there in shown if there)
        told = f"callers who show {ways}" if ways else "nobody"
        return f"{told}; /metrics to everybody who reaches it" if http and self.metrics_are_open else told

    def caller(self, authorization: str, names: Callable[[], Iterable[str]] | None, peer: str, *, how: str) -> Caller:
        """Who calls. Raises CallerUnknown.

        Args:
            authorization: that header of the call; "" = it has none.
            names: the names in the caller's certificate, which was verified. None: none can be shown there.
            peer: where the call comes from.
            how: how a token is given, for people.
        """
        if not self.asks:
            return Caller(peer, _EVERYTHING)
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if self._tokens is not None and token and scheme.lower() == "bearer":
            found = self._tokens.find(token)
            if found is None:
                raise self._refused(Why.UNKNOWN, peer, CallerUnknown(f"this token is not known; {how}"))
            if time.time() >= found.expires_at:
                raise self._refused(Why.EXPIRED, peer, CallerUnknown(f"the token of {found.caller.name} has expired; {how}"))
            return found.caller
        shown = list(names()) if self._certificates and names is not None else []
        for name in shown:
            if name in self._certificates:
                return self._certificates[name]
        if shown:
            names_shown = _printable(", ".join(shown))
            said = f"no name of this certificate is known ({names_shown}); the service's auth.certificates has those that are"
            raise self._refused(Why.UNKNOWN, peer, CallerUnknown(said))
        if self._tokens is not None:
            said = f"a token is needed; {how}"
        elif names is not None:
            said = "a certificate is needed; set addresses.certificate and key"
        else:
            said = "a token is needed, and this service knows none: set its auth.tokens, or auth.metrics to open"
        raise self._refused(Why.NOTHING_SHOWN, peer, CallerUnknown(said))

    def check_role(self, caller: Caller, needed: Role | None, what: str) -> None:
        """Raises RoleMissing if the caller may not do it. needed: None = any caller who is known may. what: the RPC or page."""
        if needed is not None and not caller.may(needed):
            has = ", ".join(sorted(caller.roles))
            error = RoleMissing(f"{caller.name} needs the role {needed} for {_printable(what)}, and has {has}")
            raise self._refused(Why.ROLE, caller.name, error)

    def _refused(self, why: Why, who: str, error: CallerRefused) -> CallerRefused:
        self._refusals.add(why, who, error)
        return error


class _Refusals:
    """Counts refused calls and logs them; seldom, as a stranger must not fill the log."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        self._counter = None
        self._seldom = Seldom()
        if registry is not None:
            from prometheus_client import Counter

            self._counter = Counter(
                "genlevel_refused_calls", "Calls whose caller is unknown or lacks a role.", ["reason"], registry=registry
            )

    def add(self, why: Why, who: str, error: CallerRefused) -> None:
        if self._counter is not None:
            self._counter.labels(why).inc()
        if (more := self._seldom.more()) is not None:
            logger.warning("refused a call from %s: %s%s", who, error, more)


def _printable(text: str) -> str:
    """What a caller made up, short and on one line."""
    return "".join(character if character.isprintable() else "?" for character in text[:200])


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches an address. A host's name does not count, but localhost: what it means is another's to say.

    Example:
        >>> [is_loopback(address) for address in ("127.0.0.1:0", "[::1]:80", "[::ffff:127.0.0.1]:80", "localhost:1", "unix:/run/genlevel")]
        [True, True, True, True, True]
        >>> [is_loopback(address) for address in ("0.0.0.0:80", "[::]:80", "10.0.0.1:80", "my-host:80", ":80")]
        [False, False, False, False, False]
    """
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    return is_loopback_host(address.rpartition(":")[0].strip("[]"))
