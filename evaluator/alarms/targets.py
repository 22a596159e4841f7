"""A destination with what its environment variables and files hold: where a message goes, and what proves who sends it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from evaluator.alarms import signatures
from genlevel.runtime import logs
from genlevel.runtime.destinations import DESTINATIONS, DestinationKind
from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.hosts import is_loopback_url
from genlevel.runtime.shown import hide_secrets_of
from genlevel.runtime.watching_settings import Destination

_SHORTEST_HIDDEN = 8
_SHORTEST_PIECE = 16
_LONGEST_FILE = 1 << 14


@dataclass(frozen=True, slots=True)
class Target:
    """Where alarms go. secret: what signs, a routing key or a token; "" = none. repository: owner/name, "" = none."""

    kind: DestinationKind
    url: str = field(repr=False)
    secret: str = field(default="", repr=False)
    repository: str = ""

    @property
    def host(self) -> str:
        """What a message may show of the address."""
        return urlsplit(self.url).hostname or ""


def target_of(name: str, destination: Destination) -> Target:
    """What a destination comes to now; from now on no log line shows its secrets.

    Raises ConfigurationError, which says what to set, if something is missing or cannot be what it should.
    """
    row = DESTINATIONS[destination.kind]
    url = destination.url or row.url
    where = f"destinations.{name}"
    if destination.url_env or destination.url_file:
        url = _held(where, "address", destination.url_env, destination.url_file)
        _hide_address(url)
    _check_address(where, url, secret=row.url_is_secret or row.secret_is_needed)
    secret = ""
    if destination.secret_env or destination.secret_file:
        secret = _held(where, row.secret, destination.secret_env, destination.secret_file)
        _hide(secret)
    if destination.kind is DestinationKind.WEBHOOK and secret:
        try:
            signatures.key_of(secret)
        except ValueError as problem:
            raise ConfigurationError(f"{where}: its secret {problem}; make one with `openssl rand -base64 32`") from None
    return Target(destination.kind, url, secret, destination.repository)


def _held(where: str, what: str, variable: str, file: Path | None) -> str:
    """What a variable or a file holds."""
    if file is not None:
        try:
            with open(file, encoding="utf-8") as opened:
                text = opened.read(_LONGEST_FILE).strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise ConfigurationError(f"{where}: cannot read its {what} from {file} ({why})") from None
        source = f"the file {file}"
    else:
        text = os.environ.get(variable, "").strip()
        source = f"the environment variable {variable} of the evaluator"
    if not text:
        raise ConfigurationError(f"{where}: no {what}; put it into {source}")
    if not text.isascii() or not text.isprintable():
        problem = "there is a line break or a character outside ASCII in it"
        raise ConfigurationError(f"{where}: {source} does not hold its {what} alone: {problem}")
    return text


def _check_address(where: str, url: str, *, secret: bool) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and " " not in url
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(f"{where}: its address is none; give one such as https://example.com/alarms")
    if secret and parts.scheme != "https" and not is_loopback_url(url):
        raise ConfigurationError(f"{where}: its address must begin with https://, as a secret is sent with each message")


def _hide_address(url: str) -> None:
    """Nobody who reads the log may write there: what follows the host is as good as a key."""
    hide_secrets_of(url)
    after = url.partition("://")[2].partition("/")[2]
    for piece in (url, after, *(piece for piece in re.split(r"[/?&=]", after) if len(piece) >= _SHORTEST_PIECE)):
        _hide(piece)


def _hide(secret: str) -> None:
    if len(secret) >= _SHORTEST_HIDDEN:
        logs.hide(secret)
