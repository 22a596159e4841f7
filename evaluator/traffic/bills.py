"""What a call was billed, as far as its answer or its failure says so, and what it may have been billed at most if neither does."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from evaluator.journal.messages import usage_of
from evaluator.journal.records import Answer, OpenCalls
from evaluator.journal.usage import Usage
from evaluator.planning.outputs import visible_text
from evaluator.planning.prices import CallBounds, most_nano_usd
from evaluator.traffic.budget import NOTHING, Amount, Bill
from genlevel.runtime.errors import CallFailed
from genlevel.v1 import gateway_pb2 as gw

_PIECE = re.compile(r"\w+|[^\w\s]+")
_MOST_BYTES_PER_TOKEN = 8
"""Of a text as a whole. English has about 4; a text that has more is rare, and then its bound is called unknown, not wrong."""


class WorstCase:
    """The most that calls of a model can take. price: None if it has none."""

    def __init__(self, price: gw.Price | None) -> None:
        self.price = price

    def of(self, bounds: CallBounds) -> Amount:
        """The worst case of a call, by its bounds."""
        tokens = bounds.most_input_tokens + bounds.most_output_tokens
        return Amount(0 if self.price is None else most_nano_usd(self.price, bounds), tokens)


def with_response(answer: Answer, response: gw.GenerateResponse) -> Answer:
    """An answer with what its message says, but what it took."""
    cut = response.finish_reason == gw.FINISH_REASON_LENGTH
    return replace(
        answer,
        raw_answer=visible_text(response),
        finish_reason=response.finish_reason,
        error="the answer was cut at its token limit" if cut else "",
        upstream_s=response.upstream_s,
        provider_model=response.model,
        response_id=response.response_id,
    )


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


@dataclass(frozen=True, slots=True)
class Took:
    """What the calls about one answer took.

    usage, cost_nano_usd: as far as it is known; the cost is None if none is. unknown_calls: calls whose bill is not known;
    unknown_nano_usd, unknown_tokens: the most that they may have taken beyond what is known, None = nobody can tell. excess: how many
    times its worst case a call took, if one took more; else 0. charged: calls that may have been billed; most: what those took at most.
    """

    usage: Usage = field(default_factory=Usage)
    cost_nano_usd: int | None = None
    unknown_calls: int = 0
    unknown_nano_usd: int | None = 0
    unknown_tokens: int | None = 0
    excess: float = 0.0
    charged: int = 0
    most: tuple[int | None, int | None] = (0, 0)

    def and_call(self, bill: Bill, usage: Usage, worst: Amount, *, priced: bool, bounded: tuple[bool, bool]) -> Took:
        """These calls and one more. bounded: whether its worst case holds, in money and in tokens."""
        if bill == NOTHING:
            return replace(self, cost_nano_usd=self.cost_nano_usd or 0) if priced else self
        known = (bill.nano_usd, bill.tokens)
        pairs = tuple(zip(known, worst, strict=True))
        nano, tokens = (
            amount if amount is not None else (top if holds else None) for (amount, top), holds in zip(pairs, bounded, strict=True)
        )
        excess = [amount / top if top else 1.0 for amount, top in pairs if amount is not None and amount > top]
        beyond = None if tokens is None else max(0, tokens - usage.tokens)
        return Took(
            usage=self.usage + usage,
            cost_nano_usd=plus(self.cost_nano_usd or 0, bill.nano_usd) if priced and bill.nano_usd is not None else self.cost_nano_usd,
            unknown_calls=self.unknown_calls + ((bill.nano_usd if priced else bill.tokens) is None),
            unknown_nano_usd=self.unknown_nano_usd if bill.nano_usd is not None else plus(self.unknown_nano_usd, nano),
            unknown_tokens=self.unknown_tokens if bill.tokens is not None else plus(self.unknown_tokens, beyond),
            excess=max(self.excess, *excess, 0.0),
            charged=self.charged + 1,
            most=(plus(self.most[0], nano), plus(self.most[1], tokens)),
        )

    def with_open_call(self, note: OpenCalls, worst: Amount, *, bounded: bool) -> OpenCalls:
        """The note of these calls and one more, which is about to begin. note: whose run, task and number it has."""
        nano = plus(self.most[0], worst.nano_usd if bounded else None)
        return replace(note, calls=self.charged + 1, nano_usd=nano, tokens=plus(self.most[1], worst.tokens))

    def without_answer(self, note: OpenCalls) -> OpenCalls:
        """The note of these calls, which no journalled answer tells of."""
        return replace(note, calls=self.charged, nano_usd=self.most[0], tokens=self.most[1])


def plus(first: int | None, second: int | None) -> int | None:
    """The sum of two amounts; None if one of them is not known."""
    return None if first is None or second is None else first + second
