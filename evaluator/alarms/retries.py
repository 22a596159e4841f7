"""What to do after a try to deliver an alarm: decisions as values, by the receiver's HTTP status alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeAlias

from genlevel.runtime.header_values import clock_of, seconds

FIRST_WAIT_S = 10.0
LONGEST_WAIT_S = 3600.0
_GROWTH = 3.0
MOST_TRIES = 30
"""With the waits between them these take a day."""
_MAY_PASS = frozenset(
    {HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class PutOff:
    """It is tried again in so many seconds. why: one line. for_all: whatever goes there has to wait."""

    wait_s: float
    why: str
    for_all: bool


@dataclass(frozen=True, slots=True)
class GivenUp:
    """It is not tried again. why: one line."""

    why: str


Fate: TypeAlias = Delivered | PutOff | GivenUp


def after_answer(status: int, headers: Mapping[str, str], said: str, *, tries: int, jitter: float, now_s: float) -> Fate:
    """What an HTTP answer leads to.

    Args:
        headers: lower-case names. said: the beginning of the answer's body, for people.
        tries: earlier ones of this message.
        jitter: 0..1; by how much of a tenth a wait grows.
        now_s: UNIX seconds.
    """
    if 200 <= status < 300:
        return Delivered()
    why = f"it answered {status}" + (f" ({said})" if said else "")
    if 300 <= status < 400:
        return GivenUp(f"{why}: it has moved, and redirects are not followed; correct its address")
    if status < 500 and status not in _MAY_PASS:
        return GivenUp(why)
    asked_s = seconds(headers["retry-after"], clock_of(headers, now_s)) if "retry-after" in headers else None
    return _later(why, asked_s or 0.0, tries=tries, jitter=jitter, for_all=status == HTTPStatus.TOO_MANY_REQUESTS or asked_s is not None)


def after_silence(why: str, *, tries: int, jitter: float) -> Fate:
    """What follows if nothing was heard. tries, jitter: as in ``after_answer``."""
    return _later(why, 0.0, tries=tries, jitter=jitter, for_all=True)


def _later(why: str, asked_s: float, *, tries: int, jitter: float, for_all: bool) -> Fate:
    if tries + 1 >= MOST_TRIES:
        return GivenUp(f"{why}; {tries + 1} tries in a day were in vain")
    own_s = min(FIRST_WAIT_S * _GROWTH ** min(tries, 10), LONGEST_WAIT_S)
    return PutOff(min(max(own_s, asked_s), LONGEST_WAIT_S) * (1 + jitter / 10), why, for_all)
