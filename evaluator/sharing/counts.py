"""What a member of a run has done since it joined, and does now: what it tells in its row, and what they add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

import orjson

from evaluator.journal.usage import NO_USAGE, Usage
from evaluator.runs.asking import RunState
from evaluator.runs.costs import RunningCost
from evaluator.traffic.bills import plus
from genlevel.benchmark.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Counts:
    """What a member has done and does.

    outcomes: by number; one that is asked again after a failure counts down. cost: as of ``RunningCost``. failed: calls that did, by the
    number of the error's class. in_flight, rate, waiting, provider_wait_s, waits_for: as of ``WatchRunResponse``. concurrency, pace,
    stated, limited, succeeded: as of its limiter's state (pace: 0 = none).
    """

    outcomes: Mapping[str, int] = field(default_factory=dict)
    usage: Usage = NO_USAGE
    cost: Mapping[str, int | bool | None] = field(default_factory=dict)
    calls: int = 0
    retries: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    in_flight: int = 0
    rate: float = 0.0
    waiting: Mapping[str, int] = field(default_factory=dict)
    provider_wait_s: float = 0.0
    waits_for: str = ""
    concurrency: int = 0
    pace: float = 0.0
    stated: bool = False
    limited: int = 0
    succeeded: int = 0

    def text(self) -> str:
        """As it is stored."""
        return orjson.dumps({**asdict(self), "usage": list(self.usage)}).decode()

    @classmethod
    def of(cls, text: str) -> Counts:
        """As it was stored; names that this version does not know are left out."""
        stored = orjson.loads(text or "{}")
        known = {name: value for name, value in stored.items() if name in cls.__dataclass_fields__}
        known["usage"] = Usage(*known.get("usage", ()))
        return cls(**known)


NOTHING = Counts()


def of_state(state: RunState) -> Counts:
    """What has become of instances, as counts that say nothing else."""
    outcomes = {str(outcome.number): count for outcome, count in state.outcomes.items() if count}
    return Counts(outcomes, state.usage, asdict(state.cost))


def summed(base: RunState, counts: Iterable[tuple[Counts, Counts]]) -> RunState:
    """A run's state: what it was when members had counted so much, and what they have now. counts: pairs of now and then."""
    outcomes, usage = Counter(base.outcomes), base.usage
    cost = RunningCost(**asdict(base.cost))
    for now, then in counts:
        usage = usage + now.usage - then.usage
        for number in now.outcomes.keys() | then.outcomes.keys():
            outcomes[Outcome.of(int(number))] += now.outcomes.get(number, 0) - then.outcomes.get(number, 0)
        _add(cost, RunningCost(**now.cost), RunningCost(**then.cost))  # type: ignore[arg-type]
    return RunState(outcomes, usage, cost)


def _add(cost: RunningCost, now: RunningCost, then: RunningCost) -> None:
    if now.nano_usd is not None:
        cost.nano_usd = (cost.nano_usd or 0) + now.nano_usd - (then.nano_usd or 0)
    cost.unknown_costs += now.unknown_costs - then.unknown_costs
    cost.unknown_calls += now.unknown_calls - then.unknown_calls
    unknown = None if now.unknown_nano_usd is None else now.unknown_nano_usd - (then.unknown_nano_usd or 0)
    cost.unknown_nano_usd = plus(cost.unknown_nano_usd, unknown)
    cost.exceeded |= now.exceeded
