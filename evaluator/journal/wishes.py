"""What is wanted of a run, apart from what has become of it: a process that is killed cannot say how it was meant to end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Wanted(IntEnum):
    """What is to become of a run. The twin of genlevel.v1's RunWanted, with its numbers."""

    NOTHING = 0
    """A command of one process drives it, or it was stored before wishes were: nobody continues it by himself."""
    GO_ON = 1
    """An evaluator service that finds nobody working on it continues it."""
    PAUSED = 2
    """A person paused it; it holds no slots and no money until it is to go on."""
    STOPPED = 3
    """A person stopped it."""
    CANNOT_SUCCEED = 4
    """It ended early, and would again: its reason says why (a credential, a quota, the budget, its suite)."""
    FINISHED = 5
    """It came to its end."""

    @classmethod
    def of(cls, number: int) -> Wanted:
        """The wish with this number; NOTHING for one of a newer contract."""
        return cls(number) if number in cls._value2member_map_ else cls.NOTHING


@dataclass(frozen=True, slots=True)
class Wish:
    """What was last wanted of a run.

    number: grows with every wish; whoever works on the run compares it. at_once: calls in flight are to end, too. traffic: TrafficSettings
    as JSON.
    """

    number: int
    wanted: Wanted
    at_once: bool
    traffic: str
