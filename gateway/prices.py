"""What an answer costs: decimals per million tokens, totals in integer nano-dollars (billionths of a US dollar)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from genlevel.runtime.settings import ModelPrice
from genlevel.v1 import gateway_pb2 as pb

# Dollars per million tokens, times tokens, to billionths of a dollar.
NANO_USD_PER_TOKEN = Decimal(1000)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens of each bucket. Reasoning tokens are billed as output."""

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal

    @classmethod
    def of(cls, price: ModelPrice) -> Price:
        """A configured or shipped price; cached tokens default to the input price."""
        return cls(
            price.input,
            price.output,
            price.input if price.cache_read is None else price.cache_read,
            price.input if price.cache_write is None else price.cache_write,
        )

    def message(self) -> pb.Price:
        """The price as decimals in text."""
        return pb.Price(
            input=_plain(self.input), output=_plain(self.output), cache_read=_plain(self.cache_read), cache_write=_plain(self.cache_write)
        )


def cost_nano_usd(usage: pb.Usage, price: Price) -> int:
    """The cost of these tokens in nano-dollars; the total is rounded half up, its terms are not.

    Example:
        >>> price = Price(Decimal("0.15"), Decimal("0.60"), Decimal("0.075"), Decimal("0.15"))
        >>> cost_nano_usd(pb.Usage(input_tokens=1000, output_tokens=10, reasoning_tokens=5), price)
        159000
    """
    total = (
        usage.input_tokens * price.input
        + usage.cache_read_tokens * price.cache_read
        + usage.cache_write_tokens * price.cache_write
        + (usage.output_tokens + usage.reasoning_tokens) * price.output
    )
    return int((total * NANO_USD_PER_TOKEN).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")
