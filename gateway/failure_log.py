"""Failed calls in the log of a service: a line for each provider and class, however many there are."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from gateway.answering.errors import redact
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.logs import Seldom

logger = logging.getLogger(__name__)


class FailureLog:
    """Logs the first failure of each class at each provider, and then one in ten seconds, with how many were left out.

    Args:
        clock: seconds, for tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seldom: dict[tuple[str, str], Seldom] = {}

    def note(self, provider: str, failure: CallFailed) -> None:
        """Counts a failed call. provider: "" if it was refused before one was known."""
        seldom = self._seldom.setdefault((provider, failure.reason), Seldom(clock=self._clock))
        if (more := seldom.more()) is not None:
            logger.warning("a call failed as %s: %s%s", failure.reason, redact(failure.message), more, extra={"provider": provider})
