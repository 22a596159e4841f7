"""What is known of an account that several processes ask: the account's row, a row for each process, what a process asks and is granted.

Rates are units (calls, tokens) a minute, slots are calls in flight. ``math.inf`` is no limit. Times are seconds of the database's clock.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wish:
    """What a process wants of one limit.

    Attributes:
        stated: the limit as this process knows it; 0: it knows of none.
        wanted: how much it would use; inf: all that it can get.
        unit: of its largest call lately.
        need: of the call that waits for this limit; 0: none does.
        using: at most so much of what it was granted may be in use now; of slots: at least the calls in flight.
        back: what it had saved and gives back; below 0: a debt of calls that took more than there was.
    """

    stated: float = 0.0
    wanted: float = 0.0
    unit: float = 1.0
    need: float = 0.0
    using: float = 0.0
    back: float = 0.0


@dataclass(frozen=True, slots=True)
class Ask:
    """What a process asks for its slice of an account.

    Attributes:
        number: of its asks, from 1 on: one that comes late, after a newer one, changes nothing.
        closed: whether it found that the account takes no calls.
        pace: calls a second that it found; 0: nothing limits it.
    """

    number: int
    requests: Wish = Wish()
    tokens: Wish = Wish()
    slots: Wish = Wish()
    closed: bool = False
    pace: float = 0.0


@dataclass(frozen=True, slots=True)
class Part:
    """What a process has of one limit.

    Attributes:
        stated, wanted, unit: as of ``Wish``.
        granted: what it was granted last.
        counted: what the others count as its: more than ``granted`` until it has heard that it is to use less.
        held: how much it may have saved.
    """

    stated: float
    wanted: float
    unit: float
    granted: float
    counted: float
    held: float


@dataclass(frozen=True, slots=True)
class Slice:
    """A process's slice of an account.

    Attributes:
        number: of the ask that it answers.
        until_s: when it ends, unless it is renewed.
        served_s: when it last had a turn, where calls are few.
        closed_s: since when it knows that the account takes no calls; 0: it takes some.
        pace: as of ``Ask``.
    """

    owner: str
    number: int
    until_s: float
    served_s: float
    closed_s: float
    pace: float
    requests: Part
    tokens: Part
    slots: Part


@dataclass(frozen=True, slots=True)
class Account:
    """What all processes have of an account together.

    Attributes:
        at_s: when somebody last renewed a slice of it; 0: never.
        requests, tokens: what nobody has in a slice and is saved; below 0: what is owed.
        spared_s: slices that lasted to here or longer ...
        spared_until_s: ... count until then although they have ended: nobody could renew any.
    """

    at_s: float = 0.0
    requests: float = 0.0
    tokens: float = 0.0
    spared_s: float = 0.0
    spared_until_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Rate:
    """What a process may use of a limit a minute.

    Attributes:
        per_minute: what flows in; inf: no limit.
        most: how much of that it may save.
        now: what it may use beside that, once.
        part: about what it has, for people to see.
    """

    per_minute: float
    most: float
    now: float
    part: float


@dataclass(frozen=True, slots=True)
class Grant:
    """What a process is granted until its slice ends.

    Attributes:
        number: of the ask.
        slots: calls in flight.
        paused: another process found that the account takes no calls, and tries.
        others: how many other processes have a slice.
        others_pace: calls a second that those found, together.
    """

    number: int
    requests: Rate
    tokens: Rate
    slots: float
    paused: bool = False
    others: int = 0
    others_pace: float = 0.0
