"""What to do about batches, decided on values: how large they are, when they are looked at, and which of those that are found is meant."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from evaluator.journal.batch_records import BatchRecord
from genlevel.runtime.errors import ErrorClass

MOST_ITEMS = 20_000
"""In one batch, whatever the provider takes: what waits is kept in memory until it is collected, and results come the sooner."""
FIRST_LOOK_S = 5.0
LONGEST_SETTLE_S = 60.0
SUBMIT_S = 1800.0
"""For a batch to be handed over: the upload of hundreds of megabytes."""
CLOCK_S = 3600.0
"""A provider's clock may differ by so much."""
LIFE_S = 48 * 3600.0
"""Of a batch of which it is not known when it expires: Gemini's, the longest."""
LATEST_S = SUBMIT_S + CLOCK_S
"""So long after it was to be handed over a batch can have been made."""
_PART_OF_BYTES = 0.9
_GROWTH = 1.5
_JITTER = 0.2


class Advice(StrEnum):
    """What to do about a batch that was not taken."""

    LATER = "later"  # the provider has no room for it, or is away
    SMALLER = "smaller"  # it is too large, or something in it is at fault, which a batch of its own will tell
    STOP = "stop"  # no further one would be taken


_ADVICE: dict[ErrorClass, Advice] = {
    ErrorClass.RATE_LIMIT: Advice.LATER,
    ErrorClass.NOT_SENT: Advice.LATER,
    ErrorClass.TRANSIENT: Advice.LATER,
    ErrorClass.TIMEOUT: Advice.LATER,
    ErrorClass.TOO_LARGE: Advice.SMALLER,
    ErrorClass.CALLER_FAULT: Advice.SMALLER,
}


def advice_on(error_class: ErrorClass) -> Advice:
    """What to do about a batch that was not taken for this reason."""
    return _ADVICE.get(error_class, Advice.STOP)


@dataclass(slots=True)
class Sizes:
    """How large batches are, as far as the provider takes them.

    items, bytes: the most in one. serial: they are handed over one after the other, as several were too much for the provider's queue.
    part: how many items go into one for now, while it is not known which of them a provider does not take; it grows again.
    """

    items: int
    bytes: int
    serial: bool = False
    part: int = MOST_ITEMS

    @classmethod
    def of(cls, items: int, size: int) -> Sizes:
        """By what the provider states; 0 = it states nothing. Its bytes are those of its own format, which is estimated."""
        return cls(min(items or MOST_ITEMS, MOST_ITEMS), int((size or 100 << 20) * _PART_OF_BYTES))

    def takes(self, items: int, size: int, more: int) -> bool:
        """Whether so many more bytes go into a batch of so many items and bytes. Into an empty one anything goes."""
        return not items or (items < min(self.items, self.part) and size + more <= self.bytes)

    def too_large(self, items: int, size: int) -> None:
        """A batch was too large: those to come are half as large."""
        self.items, self.bytes = max(1, min(self.items, items // 2)), max(1, min(self.bytes, size // 2))

    def at_fault(self, items: int) -> None:
        """Something in a batch of so many items is at fault: those to come are half as large."""
        self.part = max(1, min(self.part, items // 2))

    def taken(self) -> None:
        """A batch was taken."""
        self.part = min(MOST_ITEMS, 2 * self.part)

    def no_room(self, items: int, size: int, *, alone: bool) -> None:
        """The provider's queue had no room. alone: although no other batch of the run was in it."""
        if alone and items > 1:
            self.too_large(items, size)
        self.serial = True


@dataclass(slots=True)
class Pauses:
    """Seconds between two looks: they grow from one to the next, as a batch that has taken long takes longer. longest: of them."""

    longest: float
    _next: float = field(init=False)

    def __post_init__(self) -> None:
        self.begin_again()

    @property
    def settle_s(self) -> float:
        """For how long a batch that nobody finds may still appear: a request that was under way, lists that lag behind."""
        return min(LONGEST_SETTLE_S, self.longest)

    def begin_again(self) -> None:
        """Something has changed: it is looked at sooner again."""
        self._next = min(FIRST_LOOK_S, self.longest)

    def next(self, chance: float | None = None) -> float:
        """The next pause. chance: 0..1, for the jitter; drawn when None."""
        pause = self._next
        self._next = min(self.longest, self._next * _GROWTH)
        return pause * (1.0 + _JITTER * (2.0 * (random.random() if chance is None else chance) - 1.0))


def is_over(record: BatchRecord, now: float) -> bool:
    """Whether a batch has surely ended, however it did. now: Unix seconds."""
    return now > (record.expires or record.created + LIFE_S) + CLOCK_S


class Found(NamedTuple):
    """A batch that a provider tells of. key: "" = it cannot be told whose it is."""

    id: str
    key: str
    created: float


def chosen(found: Sequence[Found], key: str, known: frozenset[str]) -> Found | None:
    """The batch that surely has the key: of several the oldest. known: ids of others that are ours."""
    ours = [one for one in found if one.key == key and one.id not in known]
    return min(ours, key=lambda one: one.created, default=None)


def may_be_among(found: Sequence[Found], known: frozenset[str], latest: float) -> bool:
    """Whether it may be one of those of which it cannot be told yet whose they are. latest: when it was made, at most (Unix seconds)."""
    return any(not one.key and one.id not in known and one.created <= latest for one in found)
