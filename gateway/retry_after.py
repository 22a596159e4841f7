"""How long a provider asks to wait, from every header in which providers say so; the longest that applies counts.

A reset header speaks of one bucket (requests, tokens). It applies when that bucket is exhausted (nothing remains of
it), when what remains is not said, or when the error names the bucket. Nothing here raises: headers are the
provider's, and a header that cannot be read is as good as none.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# (reset header, remaining header, dimension). https://platform.openai.com/docs/guides/rate-limits and
# https://docs.anthropic.com/en/api/rate-limits list them.
BUCKETS: tuple[tuple[str, str, str], ...] = (
    ("x-ratelimit-reset-requests", "x-ratelimit-remaining-requests", "requests"),
    ("x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens", "tokens"),
    ("anthropic-ratelimit-requests-reset", "anthropic-ratelimit-requests-remaining", "requests"),
    ("anthropic-ratelimit-tokens-reset", "anthropic-ratelimit-tokens-remaining", "tokens"),
    ("anthropic-ratelimit-input-tokens-reset", "anthropic-ratelimit-input-tokens-remaining", "tokens"),
    ("anthropic-ratelimit-output-tokens-reset", "anthropic-ratelimit-output-tokens-remaining", "tokens"),
)
# A longer wait is a broken clock or a broken header, not advice.
LONGEST_S = 366 * 86400.0
_UNITS_S = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ms|us|µs|ns|d|h|m|s)")
_DURATION = re.compile(rf"(?:{_DURATION_PART.pattern})+")


def retry_after_s(headers: Mapping[str, str], *, dimension: str = "", now: float | None = None) -> float | None:
    """Seconds to wait from now, at least 0, or None if no header says.

    headers: lower-case names. dimension: the bucket that the error names ("requests", "tokens"), if it does.
    now: UNIX time in seconds, for tests; the server's own Date header goes before it if a date has to be compared.
    """
    clock = _server_time(headers)
    if clock is None:
        clock = time.time() if now is None else now
    waits = [_milliseconds(headers.get("retry-after-ms")), _retry_after(headers.get("retry-after"), clock)]
    for reset, remaining, bucket in BUCKETS:
        if reset in headers and (bucket == dimension or _exhausted(headers.get(remaining))):
            waits.append(_reset(headers[reset], clock))
    known = [wait for wait in waits if wait is not None]
    return max(known) if known else None


def exhausted_dimension(headers: Mapping[str, str]) -> str:
    """The bucket of which the provider says that nothing remains: "requests", "tokens", or "" if it is none or unclear."""
    empty = {bucket for _, remaining, bucket in BUCKETS if remaining in headers and _exhausted(headers[remaining])}
    return empty.pop() if len(empty) == 1 else ""


def _exhausted(remaining: str | None) -> bool:
    if remaining is None:
        return True
    value = _number(remaining)
    return value is not None and value <= 0


def _number(text: str | None) -> float | None:
    if text is None or not text.isascii():
        return None
    try:
        value = float(text.strip())
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def _sane(seconds: float | None) -> float | None:
    if seconds is None or not math.isfinite(seconds) or seconds > LONGEST_S:
        return None
    return max(0.0, seconds)


def _milliseconds(text: str | None) -> float | None:
    value = _number(text)
    return None if value is None else _sane(value / 1000)


def _retry_after(text: str | None, clock: float) -> float | None:
    if text is None:
        return None
    value = _number(text)
    if value is not None:
        return _sane(value)
    date = _http_date(text)
    return _reset(text, clock) if date is None else _sane(date - clock)


def _reset(text: str, clock: float) -> float | None:
    """A duration ("1m30s", "500ms"), plain seconds, a UNIX time in seconds or milliseconds, or an RFC 3339 time."""
    text = text.strip()
    value = _number(text)
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
        return None


def _http_date(text: str | None) -> float | None:
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _server_time(headers: Mapping[str, str]) -> float | None:
    return _http_date(headers.get("date"))
