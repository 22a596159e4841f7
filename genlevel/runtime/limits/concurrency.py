"""How many calls an account takes at the same time, found by trying."""

from __future__ import annotations

from dataclasses import dataclass, field

from genlevel.runtime.limits.feedback import Feedback

_HOLD_S, _HOLD_CALLS, _LONGEST_HOLDS = 15.0, 30, 4
"""How long it keeps to what it found before it tries more: both, and up to so many times that if the limit shows to be where it was."""
_START = 16
_ENOUGH, _MOST = 3, 6
"""Refusals that must have said that too many are in flight; how far they may outnumber those that said that it is something else."""
_APART_S, _LONGEST_APART_S = 1.0, 10.0
"""How far apart they must be, or as long as a call takes."""


@dataclass(slots=True)
class AdaptiveConcurrency:
    """Calls allowed in flight: slow start until the provider surely limits them, then what it admits.

    Doubles after each clean round (as many successes as the limit) until it is sure that the provider limits what is in flight, and not the
    rate of calls. Then it is cut to as many as were admitted, and holds: after 15 s and 30 calls, and later each time that the limit shows
    to be where it was, it tries one more, and twice as many with each clean round that follows. Before it is sure a cut goes at most to
    half. Grows only when in-flight calls reached 80 % of the limit; transient errors stop growth without cutting.

    It is what is in flight if a call is turned away and, until the next one is, none is admitted that begins among as many (one may be if
    another was answered: its slot was free by then). A rate admits the next call no matter how many are in flight.
    """

    limit: float
    cap: int
    slow_start: bool = True
    _successes: int = 0
    _peak: int = 0
    _least: float = 1.0
    _cut_at: float = field(default=float("-inf"))
    _held: int = 0
    _holds: int = 1
    _step: float = 1.0
    _hold_until: float = field(default=float("-inf"))
    _met: float = 0.0
    _took_s: float = 0.0
    _refused_among: int = 0
    _admitted_among: int = 0
    _answered: bool = False
    _evidence: int = 0
    _evidence_at: float = field(default=float("-inf"))

    @classmethod
    def begin(cls, cap: int, *, adaptive: bool, found: int = 0) -> AdaptiveConcurrency:
        """Where to begin. adaptive: low; else at ``cap``. found: what another one surely found a short while ago; 0: nothing."""
        if not found:
            return cls(float(min(_START, cap) if adaptive else cap), cap, slow_start=adaptive)
        begun = cls(float(min(found, cap)), cap, slow_start=False)
        begun._met, begun._evidence, begun._refused_among = begun.limit, _ENOUGH, found + 1
        begun._held = min(_HOLD_CALLS, 2 * found)  # it may be more by now, and thirty long calls one after the other take half an hour
        return begun

    @property
    def found(self) -> int:
        """Calls at the same time that the provider takes; 0: it surely limits none, or that did not show yet."""
        return int(self.limit) if self._met else 0

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
        elif self._held:
            self._held -= 1
        elif now >= self._hold_until:
            self._successes += 1
            if self._successes >= self.limit:
                if self._peak >= 0.8 * int(self.limit):
                    self.limit = min(float(self.cap), self.limit + (self.limit if self.slow_start else self._step))
                    self._step *= 2
                self._successes = 0
                self._peak = 0

    def is_crowded(self, in_flight: int, now: float) -> bool:
        """A call was turned away. Returns whether it surely was for what is in flight.

        in_flight: how many were when it began, itself included. What comes at once counts once: a moment's crowd also meets a limit of the
        rate.
        """
        self._answered = False
        self._refused_among = min(self._refused_among or in_flight, in_flight)
        if now >= self._evidence_at + min(_LONGEST_APART_S, max(_APART_S, self._took_s or _LONGEST_APART_S)):
            borne_out = self._refused_among > 1 and self._admitted_among <= 1
            self._evidence = min(_MOST, self._evidence + 1) if borne_out else max(0, self._evidence - 1)
            self._refused_among, self._admitted_among, self._evidence_at = in_flight, 0, now
        return self._evidence >= _ENOUGH

    def admitted(self, in_flight: int) -> None:
        """A call was admitted that was one of so many in flight when it began."""
        if in_flight >= self._refused_among:
            self._admitted_among += 1 if self._answered else 2

    def answered(self, took_s: float) -> None:
        """A call was answered after so long."""
        self._answered = True
        self._took_s += (took_s - self._took_s) * (0.1 if self._took_s else 1.0)

    def _cut(self, admitted: int, now: float, sent_at: float) -> None:
        self._successes = 0
        if sent_at > self._cut_at:
            self._cut_at, self._least = now, max(1.0, self.limit / 2)
        self.limit = min(self.limit, max(self._least if self.slow_start else 1.0, float(admitted)))
        if not self.slow_start:
            again = abs(self.limit - self._met) <= 0.5 + 0.05 * self._met
            self._holds = min(_LONGEST_HOLDS, 2 * self._holds) if again else 1
            self._hold_until, self._held, self._step = now + _HOLD_S, _HOLD_CALLS * self._holds, 1.0
            self._met = self.limit
