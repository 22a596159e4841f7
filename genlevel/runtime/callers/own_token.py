"""The token that this process shows to our own services: from a program, a file or an environment variable, never from the settings."""

from __future__ import annotations

import os
from pathlib import Path

from genlevel.runtime import logs
from genlevel.runtime.errors import ConfigurationError
from genlevel.runtime.settings import Addresses
from genlevel.runtime.watched import LOOK_INTERVAL_S, Watched


class OwnToken:
    """Reads the token each time it is asked for one; a file, when it has changed.

    given: the token itself, which nothing replaces; empty = it is read.

    Raises ConfigurationError if the file cannot be read at first, or what should hold a token holds something else.
    """

    def __init__(self, addresses: Addresses, *, given: str = "", look_interval_s: float = LOOK_INTERVAL_S) -> None:
        self._variable = addresses.token_env
        self._file: Watched[str] | None = None
        self._text = ""
        self._headers: tuple[tuple[str, str], ...] = ()
        self._given = given
        if not given and (file := addresses.token_file) is not None:
            self._file = Watched([file], lambda: _read(file), look_interval_s=look_interval_s)
        self.headers()

    def headers(self) -> tuple[tuple[str, str], ...]:
        """What goes with each call; nothing if there is no token. From now on no log line shows the token."""
        text = self._given or (os.environ.get(self._variable, "") if self._file is None else self._file.value())
        if text != self._text:
            token = _checked(text, "token" if self._given else f"the environment variable {self._variable}")
            logs.hide(token)
            self._text, self._headers = text, (("authorization", f"Bearer {token}"),) if token else ()
        return self._headers


def _read(file: Path) -> str:
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigurationError(f"addresses.token_file: cannot read {file} ({why})") from None
    if not text.strip():
        raise ConfigurationError(f"addresses.token_file: {file} is empty; write the token into it")
    return _checked(text, f"addresses.token_file: {file}")


def _checked(text: str, source: str) -> str:
    token = text.strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigurationError(
            f"{source} holds no token: it has a space, a line break or a character outside ASCII; write the token alone"
        )
    return token
