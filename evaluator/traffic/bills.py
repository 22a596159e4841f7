"""What a call was billed, as far as its answer or its failure says so, and what it may have been billed at most if neither does."""

from __future__ import annotations

import re
from typing import NamedTuple

from evaluator.journal.messages import usage_of
from evaluator.journal.usage import NO_USAGE, Usage
from evaluator.planning.prices import CallBounds, most_nano_usd
from evaluator.traffic.budget import NOTHING, Amount, Bill
from genlevel.runtime.errors import CallFailed
from genlevel.v1 import gateway_pb2 as gw

_PIECE = re.compile(r"\w+|[^\w\s]+")
_MOST_BYTES_PER_TOKEN = 8
"""Of a text as a whole. English has about 4; a text that has more is rare, and then its bound is called unknown, not wrong."""


class WorstCase:
    """The most that calls of a model can take.

    Args:
        price: None if it has none.
        priced_before: it had one when earlier calls of the run were made: what a call costs without one is unknown, and not nothing.
    """

    def __init__(self, price: gw.Price | None, *, priced_before: bool = False) -> None:
        self.price = price
        self.costs = price is not None or priced_before

    def is_known(self, bounds: CallBounds) -> bool:
        """Whether the money of a call's worst case is a bound."""
        return not bounds.unknown and (self.price is not None or not self.costs)

    def of(self, bounds: CallBounds) -> Amount:
        """The worst case of a call, by its bounds."""
        tokens = bounds.most_input_tokens + bounds.most_output_tokens
        return Amount(0 if self.price is None else most_nano_usd(self.price, bounds), tokens)


def bill_of(response: gw.GenerateResponse, usage: Usage, *, priced: bool) -> Bill:
    """What an answer says that it took. A call takes tokens: a provider that says 0 has not said how many."""
    tokens = None if response.usage_incomplete else usage.tokens or None
    if not priced:
        return Bill(0, tokens)
    return Bill(response.cost_nano_usd if response.HasField("cost_nano_usd") else None, tokens)


def bill_of_failure(failure: CallFailed, *, priced: bool) -> Bill:
    """What a failed call took: nothing if it surely was not charged."""
    if not failure.may_be_charged and failure.cost_nano_usd is None:
        return NOTHING
    tokens = None if failure.usage is None else usage_of(failure.usage).tokens or None
    return Bill(failure.cost_nano_usd if priced else 0, tokens)


def is_surely_longer(text: str, most_tokens: int) -> bool:
    """Whether a text has more tokens than a limit, by any usual tokenizer: no token spans two words, and few have many bytes."""
    if not most_tokens or len(text) <= most_tokens:  # a token has a byte at least
        return False
    return len(text.encode()) > _MOST_BYTES_PER_TOKEN * most_tokens or sum(1 for _ in _PIECE.finditer(text)) > most_tokens


class Took(NamedTuple):
    """What the calls about one answer took.

    usage, cost_nano_usd: as far as it is known; the cost is None if none is. unknown_calls: calls whose bill is not known;
    unknown_nano_usd, unknown_tokens: the most that they may have taken beyond what is known, None = nobody can tell. excess: how many
    times its worst case a call took, if one took more; else 0. charged: calls that may have been billed; most_nano_usd, most_tokens: what
    those took at most, what is known included.
    """

    usage: Usage = NO_USAGE
    cost_nano_usd: int | None = None
    unknown_calls: int = 0
    unknown_nano_usd: int | None = 0
    unknown_tokens: int | None = 0
    excess: float = 0.0
    charged: int = 0
    most_nano_usd: int | None = 0
    most_tokens: int | None = 0

    def and_call(self, bill: Bill, usage: Usage, worst: Amount, *, priced: bool, bounded: tuple[bool, bool]) -> Took:
        """These calls and one more. bounded: whether its worst case holds, in money and in tokens."""
        if bill == NOTHING:
            return self._replace(cost_nano_usd=self.cost_nano_usd or 0) if priced else self
        nano, tokens = bill
        most_nano = nano if nano is not None else worst.nano_usd if bounded[0] else None
        most_tokens = tokens if tokens is not None else max(worst.tokens, usage.tokens) if bounded[1] else None
        unknown_nano, unknown_tokens, cost = self.unknown_nano_usd, self.unknown_tokens, self.cost_nano_usd
        if nano is None:
            unknown_nano = plus(unknown_nano, most_nano)
        elif priced:
            cost = (cost or 0) + nano
        if tokens is None:
            unknown_tokens = plus(unknown_tokens, None if most_tokens is None else most_tokens - usage.tokens)
        return Took(
            self.usage + usage if self.charged else usage,
            cost,
            self.unknown_calls + ((nano if priced else tokens) is None),
            unknown_nano,
            unknown_tokens,
            max(self.excess, _excess(nano, worst.nano_usd), _excess(tokens, worst.tokens)),
            self.charged + 1,
            plus(self.most_nano_usd, most_nano),
            plus(self.most_tokens, most_tokens),
        )


FRESH = Took()
"""Before the first call."""


def _excess(amount: int | None, worst: int) -> float:
    """How many times the worst case an amount is; 0 if it is not above it."""
    if amount is None or amount <= worst:
        return 0.0
    return amount / worst if worst else 1.0


def plus(first: int | None, second: int | None) -> int | None:
    """The sum of two amounts; None if one of them is not known."""
    return None if first is None or second is None else first + second
