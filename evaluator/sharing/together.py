"""What the members of a run do together, as each last said it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from evaluator.sharing.counts import NOTHING, Counts
from evaluator.sharing.view import View
from genlevel.runtime.errors import ErrorClass
from genlevel.runtime.limits import Learnt, LimiterState


class Together:
    """Sums over members. view: how the run stood when it was last looked at. before: what they had counted before this began."""

    def __init__(self) -> None:
        self.view = View((), ())
        self.before: Mapping[int, Counts] = {}

    def failed_calls(self) -> Mapping[ErrorClass, int]:
        """Calls of all members that failed, by class."""
        found: Counter[str] = Counter()
        for now, then in self.since():
            found.update(now.failed)
            found.subtract(then.failed)
        return {ErrorClass.of(int(number)): count for number, count in found.items()}

    def in_flight(self) -> int:
        """Calls of all members in flight, as they last said."""
        return sum(counts.in_flight for counts in self.living())

    def rate(self) -> float:
        """Items finished a second, of all members."""
        return sum(counts.rate for counts in self.living())

    def waiting(self) -> Mapping[str, int]:
        """Items of all members that wait, by reason."""
        found: Counter[str] = Counter()
        for counts in self.living():
            found.update(counts.waiting)
        return +found

    def provider_wait_s(self) -> float:
        """Seconds that the provider still asks somebody to wait."""
        return max((counts.provider_wait_s for counts in self.living()), default=0.0)

    def limits(self) -> LimiterState:
        """How the limiters of all members stand, together."""
        living = self.living()
        return LimiterState(
            pace=sum(counts.pace for counts in living) or None,
            stated=any(counts.stated for counts in living),
            concurrency=sum(counts.concurrency for counts in living),
            in_flight=sum(counts.in_flight for counts in living),
            limited=sum(now.limited - then.limited for now, then in self.since()),
            succeeded=sum(now.succeeded - then.succeeded for now, then in self.since()),
        )

    def learnt(self) -> Learnt | None:
        """Members keep what they learn themselves."""
        return None

    def since(self) -> list[tuple[Counts, Counts]]:
        """What all members of this start of the run have said, and what they had said before."""
        return [(member.counts, self.before.get(member.number, NOTHING)) for member in self.view.members]

    def living(self) -> list[Counts]:
        """What those have said that are not closed."""
        return [member.counts for member in self.view.members if member.live]
