"""Times that people write."""

from __future__ import annotations

from datetime import UTC, datetime

from genlevel.runtime.errors import UsageError
from genlevel.runtime.periods import seconds_of
from genlevel.runtime.shown import quoted


def since(text: str, now: float, *, named: str) -> float:
    """When a time began that a person writes as its length or as a day, as Unix seconds. Raises UsageError.

    named: what it is called where it was written.

    >>> since("2h", 7200.0, named="since"), since("1970-01-02", 0.0, named="since")
    (0.0, 86400.0)
    """
    try:
        day = datetime.fromisoformat(text)
    except ValueError:
        try:
            return now - seconds_of(text)
        except UsageError:
            raise UsageError(f"{named} {quoted(text)}: write a length of time such as 7d or 12h, or a day such as 2026-11-29") from None
    return (day if day.tzinfo is not None else day.replace(tzinfo=UTC)).timestamp()
