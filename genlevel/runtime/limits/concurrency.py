"""How many calls an account takes at the same time, found by trying."""

from __future__ import annotations

from dataclasses import dataclass, field

from genlevel.runtime.limits.feedback import Feedback

_HOLD_S, _LONGEST_HOLD_S = 15.0, 240.0
_NOT_BY_CHANCE, _LONGEST_APART_S = 4, 10.0


@dataclass(slots=True)
class AdaptiveConcurrency:
    """Calls allowed in flight: slow start until the provider limits them, then just below where it did.

    Doubles after each clean round (as many successes as the limit) until the provider surely limits what is in flight, and not the
    rate of calls, then +5 % a clean round. A cut goes to as many as were admitted, and at most to half, for calls that
    were sent before it belong to it. Then it holds: 15 s, and twice as long each time that the limit shows to be where it was.
    Grows only when in-flight calls reached 80 % of the limit; transient errors stop growth without cutting.
    """

    limit: float
    cap: int
    adaptive: bool = True
    slow_start: bool = True
    _successes: int = 0
    _peak: int = 0
    _least: float = 1.0
    _cut_at: float = field(default=float("-inf"))
    _hold_s: float = _HOLD_S
    _met: float = 0.0
    _hold_until: float = field(default=float("-inf"))
    _admitted: float = 0.0
    _took_s: float = 0.0
    _above: int = 0
    _above_at: float = field(default=float("-inf"))

    @property
    def met(self) -> int:
        """Where the provider limited it; 0: nowhere yet."""
        return int(self._met)

    def observe(self, feedback: Feedback, in_flight: int, now: float, *, sent_at: float | None = None, surely: bool = True) -> None:
        """Learns from one ended call; ``in_flight`` counts it. A rate limit is told only if what is in flight may have met it.

        sent_at: when it began; None: now. surely: the rate of calls does not explain it.
        """
        self._peak = max(self._peak, in_flight)
        if feedback is Feedback.RATE_LIMITED:
            self.slow_start = self.slow_start and not surely
            self._cut(in_flight - 1, now, now if sent_at is None else sent_at)
        elif feedback is Feedback.TRANSIENT:
            self._successes = 0
        elif self.adaptive and now >= self._hold_until:
            self._successes += 1
            if self._successes >= self.limit:
                if self._peak >= 0.8 * int(self.limit):
                    grown = self.limit * 2 if self.slow_start else max(self.limit * 1.05, self.limit + 0.5)
                    self.limit = min(float(self.cap), grown)
                self._successes = 0
                self._peak = 0

    def is_crowded(self, in_flight: int, now: float) -> bool:
        """Whether calls that are turned away say that too many are in flight: each began among more than others do that are admitted.

        in_flight: how many were when the call that was turned away began, itself included. What comes at once counts once: a moment's crowd
        also meets a limit of the rate.
        """
        if in_flight < max(self._admitted + 1.0, 1.1 * self._admitted):
            self._above = 0
        elif now >= self._above_at + min(_LONGEST_APART_S, max(1.0, self._took_s)):
            self._above, self._above_at = self._above + 1, now
        return self._above >= _NOT_BY_CHANCE

    def admitted(self, in_flight: int) -> None:
        """A call was admitted that was one of so many in flight when it began."""
        self._admitted += (in_flight - self._admitted) * (0.1 if self._admitted else 1.0)

    def answered(self, took_s: float) -> None:
        """A call was answered after so long."""
        self._took_s += (took_s - self._took_s) * (0.1 if self._took_s else 1.0)

    def _cut(self, admitted: int, now: float, sent_at: float) -> None:
        self._successes = 0
        begins = sent_at > self._cut_at
        if begins:
            self._cut_at, self._least = now, max(1.0, self.limit / 2)
        self.limit = min(self.limit, max(self._least, float(admitted)))
        if not self.slow_start:
            if begins:
                again = abs(self.limit - self._met) <= 0.5 + 0.05 * self._met
                self._hold_s = min(_LONGEST_HOLD_S, self._hold_s * 2) if again else _HOLD_S
            self._hold_until = now + self._hold_s
        self._met = self.limit
