"""How many calls an account takes at the same time, found by trying."""

from __future__ import annotations

from dataclasses import dataclass, field

from genlevel.runtime.limits.feedback import Feedback


@dataclass(slots=True)
class AdaptiveConcurrency:
    """Calls allowed in flight: slow start until the first rate limit, then additive increase, multiplicative decrease.

    Doubles after each clean round (as many successes as the limit) until the provider limits the first time, then
    +5 % a clean round and x0.8 an episode, at most one cut per cooldown (15 s or Retry-After, the longer).
    Grows only when in-flight calls reached 80 % of the limit; transient errors stop growth without cutting.
    """

    limit: float
    cap: int
    adaptive: bool = True
    slow_start: bool = True
    _successes: int = 0
    _peak: int = 0
    _cooldown_until: float = field(default=float("-inf"))

    def observe(self, feedback: Feedback, in_flight: int, retry_after_s: float, now: float) -> None:
        """Learns from one ended call; ``in_flight`` counts it."""
        self._peak = max(self._peak, in_flight)
        if feedback is Feedback.RATE_LIMITED:
            self._successes = 0
            self.slow_start = False
            if now >= self._cooldown_until:
                self.limit = max(1.0, self.limit * 0.8)
                self._cooldown_until = now + max(15.0, retry_after_s)
        elif feedback is Feedback.TRANSIENT:
            self._successes = 0
        elif self.adaptive and now >= self._cooldown_until:
            self._successes += 1
            if self._successes >= self.limit:
                if self._peak >= 0.8 * int(self.limit):
                    grown = self.limit * 2 if self.slow_start else max(self.limit * 1.05, self.limit + 0.5)
                    self.limit = min(float(self.cap), grown)
                self._successes = 0
                self._peak = 0
