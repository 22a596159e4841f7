"""What a run's calls were like over time, in a bounded number of spans: the longer a run lasts, the wider they are.

Spans begin at multiples of their width, so those of several starts and processes of a run fit together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

NARROWEST_S = 5
MOST_SPANS = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a run's calls for some seconds.

    calls: that ended; limited, failures: of them, those that a limit rejected or that failed otherwise. account_calls: those of
    all runs of the account in this process. in_flight, concurrency: now, and the most that is allowed. pace: calls a second at which the
    limiter lets calls of the account begin; None: it does not pace them. stated: it was told, not found. waits: the reasons for which
    calls wait.
    """

    seconds: float
    calls: int = 0
    limited: int = 0
    failures: int = 0
    account_calls: int = 0
    account: str = ""
    in_flight: float = 0.0
    concurrency: float = 0.0
    pace: float | None = None
    stated: bool = False
    waits: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a run's time. start_s: Unix seconds, a multiple of width_s. Of what varies, the sum over the time that was seen is kept.

    paced_s: for how long calls were paced; paced_calls: how many the pace allowed in that time.
    """

    start_s: int
    width_s: int
    seen_s: float = 0.0
    calls: int = 0
    limited: int = 0
    failures: int = 0
    account_calls: int = 0
    account: str = ""
    in_flight_s: float = 0.0
    concurrency_s: float = 0.0
    paced_s: float = 0.0
    paced_calls: float = 0.0
    stated: bool = False
    waits_s: Mapping[str, float] = field(default_factory=dict)

    def with_seen(self, seen: Seen) -> Span:
        """This and a little more time of it."""
        seconds, pace = seen.seconds, seen.pace
        return self.plus(
            Span(
                self.start_s,
                self.width_s,
                seen_s=seconds,
                calls=seen.calls,
                limited=seen.limited,
                failures=seen.failures,
                account_calls=seen.account_calls,
                account=seen.account,
                in_flight_s=seen.in_flight * seconds,
                concurrency_s=seen.concurrency * seconds,
                paced_s=0.0 if pace is None else seconds,
                paced_calls=0.0 if pace is None else pace * seconds,
                stated=seen.stated,
                waits_s=dict.fromkeys(seen.waits, seconds),
            ),
        )

    def plus(self, other: Span) -> Span:
        """This span with another part of its time."""
        waits = Counter(self.waits_s)
        waits.update(other.waits_s)
        return replace(
            self,
            seen_s=self.seen_s + other.seen_s,
            calls=self.calls + other.calls,
            limited=self.limited + other.limited,
            failures=self.failures + other.failures,
            account_calls=self.account_calls + other.account_calls,
            account=other.account or self.account,
            in_flight_s=self.in_flight_s + other.in_flight_s,
            concurrency_s=self.concurrency_s + other.concurrency_s,
            paced_s=self.paced_s + other.paced_s,
            paced_calls=self.paced_calls + other.paced_calls,
            stated=other.stated if other.paced_s else self.stated,
            waits_s=dict(waits),
        )

    @property
    def pace(self) -> float | None:
        """Calls a second that were allowed, while calls were paced; None: they were not."""
        return self.paced_calls / self.paced_s if self.paced_s else None


def merged(spans: Iterable[Span], width_s: int) -> list[Span]:
    """The spans in order, put together to a width that is a multiple of theirs.

    >>> [(one.start_s, one.width_s, one.calls) for one in merged([Span(10, 5, calls=1), Span(15, 5, calls=2), Span(20, 5, calls=4)], 10)]
    [(10, 10, 3), (20, 10, 4)]
    """
    found: dict[int, Span] = {}
    for span in sorted(spans, key=lambda one: one.start_s):
        start = span.start_s // width_s * width_s
        found[start] = found.get(start, Span(start, width_s)).plus(span)
    return list(found.values())


def bounded(spans: Iterable[Span], most: int = MOST_SPANS) -> list[Span]:
    """The spans in order, all of one width: the widest of theirs, or as much wider as it takes to have no more than so many."""
    known = list(spans)
    width_s = max((span.width_s for span in known), default=NARROWEST_S)
    known = merged(known, width_s)
    while len(known) > most:
        width_s *= 2
        known = merged(known, width_s)
    return known


class Spans:
    """The spans of one run as they grow. spans: what is known of earlier starts, in any widths."""

    def __init__(self, spans: Sequence[Span] = ()) -> None:
        self._spans = {span.start_s: span for span in bounded(spans)}
        self._changed: set[int] = set()
        self._width_s = max((span.width_s for span in spans), default=NARROWEST_S)
        if self._spans:
            self._width_s = next(iter(self._spans.values())).width_s
        self._all_changed = any(span.width_s != self._width_s for span in spans)

    def add(self, at_s: float, seen: Seen) -> None:
        """Adds what was seen until a time (Unix seconds)."""
        start = int(at_s // self._width_s) * self._width_s
        self._spans[start] = self._spans.get(start, Span(start, self._width_s)).with_seen(seen)
        self._changed.add(start)
        if len(self._spans) > MOST_SPANS:
            self._spans = {span.start_s: span for span in bounded(self._spans.values())}
            self._width_s = next(iter(self._spans.values())).width_s
            self._all_changed = True

    def spans(self) -> list[Span]:
        """All, in order."""
        return [self._spans[start] for start in sorted(self._spans)]

    def store_all(self) -> None:
        """What was news before could not be stored: all is news again."""
        self._all_changed = True

    def news(self) -> tuple[list[Span], bool]:
        """Those that have changed since this was last asked; whether they are all there are, so that others are to be forgotten."""
        if self._all_changed:
            found, whole = self.spans(), True
        else:
            found, whole = [self._spans[start] for start in sorted(self._changed)], False
        self._changed.clear()
        self._all_changed = False
        return found, whole
