"""A file of tokens that a test changes."""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from typing import Any

import pytest

from genlevel.runtime import watched
from genlevel.runtime.callers import Role
from genlevel.runtime.callers.tokens import added, hash_of, new_token
from genlevel.runtime.settings import Auth


class TokenFile:
    """A file of tokens that a test changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tokens: dict[str, str] = {}
        self.write("tokens: []\n")

    def write(self, text: str) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text)
        os.replace(fresh, self.path)

    def add(self, name: str, *roles: Role, expires: datetime.date | None = None) -> str:
        token = self.tokens[name] = new_token()
        if not self.path.exists() or "- name" not in self.path.read_text():
            self.write("")
        self.write(added(self.path, name=name, sha256=hash_of(token), roles=list(roles), expires=expires))
        return token

    @property
    def auth(self) -> Auth:
        return Auth(tokens=self.path)


def look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked at each time they are used, not once a second."""
    monkeypatch.setattr(watched.Watched, "value", _look_and_value)


def _look_and_value(self: Any) -> Any:
    with self._lock:
        self._look()
        return self._value
