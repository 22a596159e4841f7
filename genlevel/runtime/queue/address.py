"""Where a NATS server is, and how it is spoken to, as one address says it.

    nats://[USER:PASSWORD@|TOKEN@]HOST[:PORT][,HOST[:PORT]...][/PREFIX][?replicas=3&ca=FILE&certificate=FILE&key=FILE&credentials=FILE]

``tls://`` asks for TLS. Two installations that share a server have a PREFIX each.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.shown import hide_secret

DEFAULT_PREFIX = "genlevel"
_PORT = 4222
_PREFIX = re.compile(r"[a-z0-9][a-z0-9_-]{0,30}")
_FILES = ("ca", "certificate", "key", "credentials")
_JWT = "BEGIN NATS USER JWT"


@dataclass(frozen=True, slots=True)
class Address:
    """One or several servers of one NATS.

    Attributes:
        servers: host:port each.
        prefix: of the names of streams and subjects.
        replicas: of streams: how many servers keep each.
        user, password: with a password alone, it is a token.
        ca: file of certificates that are trusted; None: those of the system.
        certificate, key: files of the client's own.
        credentials: file with USER:PASSWORD or a token.
    """

    servers: tuple[str, ...]
    tls: bool
    prefix: str = DEFAULT_PREFIX
    replicas: int = 1
    user: str = ""
    password: str = field(default="", repr=False)
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    credentials: Path | None = None

    @classmethod
    def of(cls, url: str) -> Address:
        """The address that a text says. Raises ConfigurationError, without any secret in it."""
        scheme, found, rest = url.partition("://")
        if scheme not in ("nats", "tls") or not found:
            raise _wrong("should begin with nats:// or tls://, such as nats://localhost:4222")
        try:
            # A second server may have the scheme before it, too.
            parts = urlsplit(f"//{re.sub(r', *(?:nats|tls)://', ',', rest)}")
            given = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        except ValueError:
            raise _wrong("cannot be read; write special characters of a password as %XX") from None
        if {"nats://", "tls://"} & set(re.findall(r"(?:nats|tls)://", rest)) - {f"{scheme}://"}:
            raise _wrong("has servers with TLS and servers without; write the same for all")
        users, servers = zip(*(_server(text) for text in parts.netloc.split(",")), strict=True)
        who = {user for user in users if user}
        if len(who) > 1:
            raise _wrong("has several users; all servers take the same one")
        user, colon, password = who.pop().partition(":") if who else ("", "", "")
        hide_secret(unquote(password if colon else user))
        prefix = parts.path.strip("/") or DEFAULT_PREFIX
        if not _PREFIX.fullmatch(prefix):
            raise _wrong("has a path that is no prefix: lower-case letters, digits, _ and -, at most 31")
        if given.keys() - {*_FILES, "replicas"}:
            raise _wrong(f"has something after ? that is none of replicas, {', '.join(_FILES)}")
        files = {name: Path(given[name]) for name in _FILES if given.get(name)}
        if ("certificate" in files) != ("key" in files):
            raise _wrong("needs both certificate and key, or neither")
        return cls(
            servers,
            scheme == "tls",
            prefix,
            _replicas(given.get("replicas", "1")),
            unquote(user) if colon else "",
            unquote(password if colon else user),
            **files,
        )

    @property
    def shown(self) -> str:
        """For people, without secrets."""
        return f"{'tls' if self.tls else 'nats'}://{','.join(self.servers)}"

    def context(self) -> ssl.SSLContext | None:
        """What TLS trusts and shows; None: the address says nothing of TLS. Raises ConfigurationError."""
        if not (self.tls or self.ca or self.certificate):
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except (OSError, ValueError):
            raise _wrong(f"has ca={self.ca}, which is no file of certificates that can be read") from None
        if self.certificate is not None:
            try:
                context.load_cert_chain(self.certificate, self.key, password="")
            except (OSError, ValueError):
                said = f"has certificate={self.certificate} and key={self.key}, which cannot be used or do not belong together"
                raise _wrong(said) from None
        return context

    def login(self) -> tuple[str, str]:
        """User and password, read from the file of credentials if there is one; ("", token) or ("", ""). Raises ConfigurationError."""
        if self.credentials is None:
            return self.user, self.password
        try:
            said = self.credentials.read_text("utf-8").strip()
        except (OSError, ValueError):
            raise _wrong(f"has credentials={self.credentials}, which cannot be read") from None
        if _JWT in said:
            raise _wrong(f"has credentials={self.credentials}, a file of keys; it should have USER:PASSWORD or a token in it")
        user, colon, password = said.partition(":")
        if not colon:
            user, password = "", user
        hide_secret(password)
        return user, password


def problem_of(url: str) -> str:
    """What is wrong with an address; "" = nothing that can be seen in it."""
    try:
        Address.of(url)
    except ConfigurationError as error:
        return str(error).removeprefix("queue: ")
    return ""


def _server(text: str) -> tuple[str, str]:
    """User and host:port of one server."""
    user, _, place = text.strip().rpartition("@")
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname, parts.port or _PORT
    except ValueError:
        host, port = None, 0
    if not host or re.search(r"[\s/?#]", place):
        raise _wrong("has a server that is no HOST or HOST:PORT; write special characters of a password as %XX")
    return user, f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _replicas(text: str) -> int:
    if text not in ("1", "3", "5"):
        raise _wrong("has replicas that are not 1, 3 or 5")
    return int(text)


def _wrong(what: str) -> ConfigurationError:
    return ConfigurationError(f"queue: the address {what}")
