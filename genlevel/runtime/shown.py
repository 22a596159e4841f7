"""What a message shows of a text that somebody else wrote: names that are cut, addresses without passwords, and no key."""

from __future__ import annotations

import re
from urllib.parse import unquote

from genlevel.runtime import logs

LONGEST = 80
# How providers begin their keys, so that one in the wrong place is not shown. Variables are not called so.
_KEY = re.compile(
    r"(?:sk|pk|rk|gsk|xai|hf|r8|ghp|gho|pplx|nvapi|glpat|csk|fw|tgp|key|gl)[-_][A-Za-z0-9_\-.]{6,}|AIza\S{10,}|(?:AKIA|ASIA)[A-Z0-9]{12,}"
)
_RANDOM = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9]{20,}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
# Up to the last "@": keys have slashes in them.
_USER = re.compile(r"(?<=://)[^\s'\"]*@")
_QUERY = re.compile(r"(://[^\s'\"?]*\?)[^\s'\"]+")
_SHORTEST_HIDDEN = 6
_SHORTEST_PIECE = 3


def cut(text: str, longest: int = LONGEST) -> str:
    """The text, at most so many characters long."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def quoted(text: str) -> str:
    """A name in quotes, cut."""
    return repr(cut(text))


def looks_like_key(text: str) -> bool:
    """Whether a text is a key by the way it begins."""
    return _KEY.fullmatch(text.strip()) is not None


def is_variable_name(text: str) -> bool:
    """Whether a text is the name of an environment variable, and no key that somebody pasted there."""
    return _VARIABLE.fullmatch(text) is not None and not looks_like_key(text) and _RANDOM.fullmatch(text) is None


def without_secrets(text: str) -> str:
    """A text in which addresses have neither user and password nor a query."""
    return _QUERY.sub(r"\1…", _USER.sub("…@", text)) if "://" in text else text


def said_of(url: str, said: str) -> str:
    """What a library said of an address, as a line without any piece of its user and password: a piece may be taken for a host or port."""
    line = without_secrets((said.splitlines() or [""])[0])
    for user in _USER.findall(url):
        for piece in sorted(re.split(r"[/:@]", user), key=len, reverse=True):
            line = line.replace(piece, "…") if len(piece) >= _SHORTEST_PIECE else line
    return cut(logs.redact(line), 300)


def hide_secret(secret: str) -> None:
    """Remembers a secret, so that no log line and no error over the network shows it. One that is too short would hide words, too."""
    if len(secret) >= _SHORTEST_HIDDEN:
        logs.hide(secret)


def hide_secrets_of(url: str) -> None:
    """Remembers the user and the password of an address, so that no log line and no error over the network shows them."""
    for found in _USER.findall(url):
        for part in (found[:-1], *found[:-1].split(":", 1)[1:]):
            hide_secret(part)
            hide_secret(unquote(part))
