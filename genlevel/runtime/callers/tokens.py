"""The file of tokens: who may call with which, and for how long. It holds hashes, so that who reads it can call nobody.

    tokens:
      - name: alice
        sha256: 5d2b...        # of the whole token; tokens are random, 256 bits, so that a plain hash says nothing
        roles: [read, run]
        expires: 2027-06-30    # the last day, in UTC; left out: never

`genlevel token` makes a token and adds its row. The file is read again when it changes: a row that is taken out is a token withdrawn.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from genlevel.runtime.callers import Caller, Role
from genlevel.runtime.errors import ConfigurationError, UsageError
from genlevel.runtime.origin import FieldPath
from genlevel.runtime.settings import Roles
from genlevel.runtime.settings_file import read_text
from genlevel.runtime.watched import LOOK_INTERVAL_S, Watched
from genlevel.runtime.yaml_lines import YamlText, first, in_order

PREFIX = "gl_"
"""What a token begins with, so that scanners for secrets can find one that lies about."""

_TOKEN_BYTES = 32
_LIMIT_BYTES = 256 << 10
_HASH = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[^\s\x00-\x1f\x7f]{1,100}")


class TokenRow(BaseModel):
    """One token, as it is written down."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    sha256: str
    roles: Roles
    expires: date | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    tokens: list[TokenRow] = []


@dataclass(frozen=True, slots=True)
class Known:
    """Whom a token belongs to. expires_at: seconds since 1970; infinite = never."""

    caller: Caller
    expires_at: float


class Tokens:
    """The tokens in a file, as it is now. Raises ConfigurationError, naming file and line, if it cannot be used at first."""

    def __init__(self, file: Path, *, setting: str = "auth.tokens", look_interval_s: float = LOOK_INTERVAL_S) -> None:
        self._known = Watched([file], lambda: _by_hash(read_rows(file, setting)), look_interval_s=look_interval_s)

    def find(self, token: str) -> Known | None:
        """Whom a token belongs to; None: to nobody. It may have expired."""
        digest = hash_of(token)
        # Found by its hash, whose relation to the token nobody knows: the time that takes tells nothing that helps to guess one.
        hashed, known = self._known.value().get(digest, ("", None))
        return known if hmac.compare_digest(hashed, digest) else None


def new_token() -> str:
    """A random token."""
    return PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)


def hash_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def read_rows(file: Path, setting: str) -> list[TokenRow]:
    """The rows of a file. setting: what names the file, for messages. Raises ConfigurationError, which names file and line."""
    return parse_rows(read_text(file, setting, limit_bytes=_LIMIT_BYTES), str(file))


def parse_rows(text: str, file: str) -> list[TokenRow]:
    """The rows of a file's text. Raises as ``read_rows``."""
    document = YamlText(text, file, "tokens")
    rows = document.checked(_File).tokens
    if problems := in_order(_contradictions(rows), document.origin):
        raise first(problems, document.origin)
    return rows


def _contradictions(rows: list[TokenRow]) -> Iterator[tuple[FieldPath, str]]:
    names: set[str] = set()
    hashes: set[str] = set()
    for number, row in enumerate(rows):
        place: FieldPath = ("tokens", number)
        if not _NAME.fullmatch(row.name):
            yield (*place, "name"), "must be 1 to 100 characters without spaces"
        elif row.name in names:
            yield (*place, "name"), f"'{row.name}' is there twice; give each token a name of its own"
        # What stands there is not shown: it may be a token that was pasted instead of its hash.
        if not _HASH.fullmatch(row.sha256):
            yield (*place, "sha256"), "must be the SHA-256 of a token, 64 hexadecimal digits in lower case; `genlevel token` writes it"
        elif row.sha256 in hashes:
            yield (*place, "sha256"), "the same token is there twice"
        names.add(row.name)
        hashes.add(row.sha256)


def _by_hash(rows: list[TokenRow]) -> dict[str, tuple[str, Known]]:
    return {row.sha256: (row.sha256, Known(Caller(row.name, frozenset(row.roles)), _end_of(row.expires))) for row in rows}


def _end_of(day: date | None) -> float:
    return float("inf") if day is None else ((day - date(1970, 1, 1)).days + 1) * 86_400.0


def added(file: Path, *, name: str, sha256: str, roles: list[Role], expires: date | None) -> str:
    """The text of a file with one more row at its end; all else stays as it is written. A file that is not there is begun.

    Raises UsageError if the name is taken, ConfigurationError if the file cannot be used, or a row cannot be added to it as it is written.
    """
    text = read_text(file, "--file", limit_bytes=_LIMIT_BYTES) if file.exists() else ""
    before = parse_rows(text, str(file))
    if any(row.name == name for row in before):
        raise UsageError(f"{file}: '{name}' has a token already; take its row out to withdraw that, or choose another name")
    row = TokenRow(name=name, sha256=sha256, roles=roles, expires=expires)
    indent = next((found[1] for line in text.splitlines() if (found := re.match(r"( *)- ", line))), "  ")
    lines = [f"- name: {json.dumps(name)}", f'  sha256: "{sha256}"', f"  roles: [{', '.join(roles)}]"]
    if expires is not None:
        lines.append(f"  expires: {expires}")
    head = text if before else f"{text.rstrip()}\ntokens:\n".lstrip()
    text = (head if head.endswith("\n") else f"{head}\n") + "".join(f"{indent}{line}\n" for line in lines)
    try:
        after = parse_rows(text, str(file))
    except ConfigurationError as error:
        if not _NAME.fullmatch(name):
            raise UsageError(f"'{name[:100]}' cannot be a caller's name: it must be 1 to 100 characters without spaces") from None
        raise ConfigurationError(f"{file}: a row cannot be added at its end ({error}); write it as a list of rows below tokens:") from None
    if after != [*before, row]:
        raise ConfigurationError(f"{file}: a row cannot be added at its end; write it as a list of rows below tokens:")
    return text
