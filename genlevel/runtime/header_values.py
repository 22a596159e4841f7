"""Numbers and times in providers' headers. Nothing here raises: a value that cannot be read is None."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_S = 366 * 86400.0
"""A longer wait is a broken clock or a broken header, not advice."""
_UNITS_S = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ms|us|µs|ns|d|h|m|s)")
_DURATION = re.compile(rf"(?:{_DURATION_PART.pattern})+")


def number(text: str | None) -> float | None:
    """A finite number."""
    if text is None or not text.isascii():
        return None
    try:
        value = float(text.strip())
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def seconds(text: str, clock: float) -> float | None:
    """Seconds from now to the time that is named, at most ``LONGEST_S``; below 0 if that is past.

    text: a duration ("1m30s", "500ms"), plain seconds, a UNIX time in seconds or milliseconds, an RFC 3339 time, or an HTTP date. clock:
    the UNIX time now.
    """
    text = text.strip()
    value = number(text)
    if value is not None:
        if value > 1e11:
            return _sane(value / 1000 - clock)
        return _sane(value - clock if value > 1e9 else value)
    if _DURATION.fullmatch(text):
        return _sane(sum(float(amount) * _UNITS_S[unit] for amount, unit in _DURATION_PART.findall(text)))
    try:
        moment = datetime.fromisoformat(text)
        return _sane((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - clock)
    except (ValueError, OverflowError):
        date = _http_date(text)
        return None if date is None else _sane(date - clock)


def clock_of(headers: Mapping[str, str], now: float | None = None) -> float:
    """The UNIX time now, by the server's own Date header if it sends one. now: by this machine, for tests."""
    date = _http_date(headers.get("date"))
    if date is not None:
        return date
    return time.time() if now is None else now


def _sane(value: float) -> float | None:
    return value if math.isfinite(value) and value <= LONGEST_S else None


def _http_date(text: str | None) -> float | None:
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
