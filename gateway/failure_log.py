"""Failed calls in the log of a service: a line for each provider and class, however many there are."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from gateway.errors import redact
from genlevel.runtime.errors import CallFailed

EVERY_S = 10.0

logger = logging.getLogger(__name__)


class FailureLog:
    """Logs the first failure of each class at each provider, and then one in ten seconds, with how many were left out.

    Args:
        clock: seconds, for tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[tuple[str, str], float] = {}
        self._left_out: dict[tuple[str, str], int] = {}

    def note(self, provider: str, failure: CallFailed) -> None:
        """Counts a failed call. provider: "" if it was refused before one was known."""
        key = (provider, failure.reason)
        now = self._clock()
        if now - self._last.get(key, -EVERY_S) < EVERY_S:
            self._left_out[key] = self._left_out.get(key, 0) + 1
            return
        self._last[key] = now
        more = f" (and {left_out:,} like it before)" if (left_out := self._left_out.pop(key, 0)) else ""
        logger.warning("a call failed as %s%s: %s", failure.reason, more, redact(failure.message), extra={"provider": provider})
