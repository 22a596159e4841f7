"""Money that a run may spend: reserved before each call at its worst case, settled after it, never exceeded.

Amounts are integer nano-dollars. A call whose answer never came may have been billed: its reservation stays spent.
"""

from __future__ import annotations

import asyncio
from decimal import ROUND_CEILING, Decimal

from genlevel.runtime.errors import UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw

NANO = Decimal(1_000_000_000)


def worst_case_nano_usd(price: gw.Price, input_tokens: int, output_tokens: int, *, images: int = 0, seconds: float = 0.0) -> int:
    """The most that a call of at most so many tokens, pictures and seconds can cost: every input token at the dearest input price."""
    dearest = max(
        Decimal(value or 0) for value in (price.input, price.cache_read or price.input, price.cache_write or price.input, price.image_input)
    )
    inputs, outputs = dearest * input_tokens, Decimal(price.output or 0) * output_tokens
    pieces = Decimal(price.per_image or 0) * images + Decimal(price.per_second or 0) * Decimal(seconds) + Decimal(price.per_call or 0)
    if price.long_context_above_tokens and input_tokens > price.long_context_above_tokens:
        inputs *= Decimal(price.long_context_input_factor)
        outputs *= Decimal(price.long_context_output_factor)
    return int((((inputs + outputs) / Decimal(1_000_000) + pieces) * NANO).to_integral_value(rounding=ROUND_CEILING))


def money_notes(model: gw.ModelInfo, traffic: ev.TrafficSettings) -> list[str]:
    """What a person has to know of a model's cost before it is called, a line each.

    Raises UsageError where the model has no price and that was not accepted. A cap cannot be kept without one: a provider that surely
    charges is refused, as is a server that takes a key (it may be a proxy before a paid one) unless an unknown cost was accepted.
    """
    if model.HasField("price"):
        return []
    capped = traffic.HasField("budget_nano_usd")
    price = f"add one under prices: in genlevel.yaml ({model.provider}/{model.model})"
    if capped and (model.charges or (model.keyed and not traffic.unpriced_ok)):
        way = "" if model.charges else ", or accept an unknown cost with --unpriced-ok, which takes the cap off"
        raise UsageError(f"--budget-usd cannot be kept for {model.route}: it has no price; {price}{way}")
    if model.charges and not traffic.unpriced_ok:
        raise UsageError(f"{model.route} has no price, and its provider charges; {price}, or accept an unknown cost with --unpriced-ok")
    return [f"{model.route} has no price, so --budget-usd caps nothing of what it costs; {price} if it costs anything"] if capped else []


class Budget:
    """A cap with reservations. limit None = no cap (amounts are still counted).

    Args:
        spent: what earlier work of the run has cost, calls of unknown fate included.
    """

    def __init__(self, limit: int | None, spent: int = 0) -> None:
        self.limit = limit
        self.spent = spent
        self._reserved = 0
        self._freed = asyncio.Event()

    @property
    def reserved(self) -> int:
        """Nano-dollars that calls in flight may still cost."""
        return self._reserved

    async def reserve(self, amount: int) -> bool:
        """Waits until ``amount`` fits beside all that is spent and in flight; False when it never will."""
        while self.limit is not None and self.spent + self._reserved + amount > self.limit:
            if self._reserved == 0:
                return False
            self._freed.clear()
            await self._freed.wait()
        self._reserved += amount
        return True

    def settle(self, reserved: int, cost: int) -> None:
        """Replaces a reservation by what the call cost (0 = surely nothing)."""
        self._reserved -= reserved
        self.spent += cost
        self._freed.set()
