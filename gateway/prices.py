"""What an answer costs: decimals per million tokens, totals in integer nano-dollars (billionths of a US dollar)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from genlevel.runtime.settings import ModelPrice
from genlevel.v1 import gateway_pb2 as gw

# Dollars per million tokens, times tokens, to billionths of a dollar.
NANO_USD_PER_TOKEN = Decimal(1000)
NANO_USD = Decimal(1_000_000_000)
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens of each bucket, and per piece of media (None: not billed so). Reasoning tokens are billed as output.

    If long_above is not 0, a request with more input tokens than that (cached ones included) costs all of its
    input long_input times and all of its output long_output times as much. image_input: the price of input tokens that are pictures.
    """

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal
    long_above: int = 0
    long_input: Decimal = ONE
    long_output: Decimal = ONE
    image_input: Decimal | None = None
    per_image: Decimal | None = None
    per_second: Decimal | None = None
    per_call: Decimal | None = None

    def is_known(self, *, tokens: bool, lengths: bool = True) -> bool:
        """Whether an answer's cost can be told: the counts of billed tokens and billed lengths are known."""
        return (tokens or not (self.input or self.output or self.image_input)) and (lengths or not self.per_second)

    @classmethod
    def of(cls, price: ModelPrice, long_above: int = 0, long_input: Decimal = ONE, long_output: Decimal = ONE) -> Price:
        """A configured or shipped price; cached tokens default to the input price."""
        return cls(
            price.input,
            price.output,
            price.input if price.cache_read is None else price.cache_read,
            price.input if price.cache_write is None else price.cache_write,
            long_above,
            long_input,
            long_output,
            price.image_input,
            price.per_image,
            price.per_second,
            price.per_call,
        )

    def message(self) -> gw.Price:
        """The price as decimals in text."""
        price = gw.Price(
            input=_plain(self.input),
            output=_plain(self.output),
            cache_read=_plain(self.cache_read),
            cache_write=_plain(self.cache_write),
            image_input=_plain(self.image_input),
            per_image=_plain(self.per_image),
            per_second=_plain(self.per_second),
            per_call=_plain(self.per_call),
        )
        if self.long_above:
            price.long_context_above_tokens = self.long_above
            price.long_context_input_factor = _plain(self.long_input)
            price.long_context_output_factor = _plain(self.long_output)
        return price


def cost_nano_usd(usage: gw.Usage, price: Price, image_input_tokens: int = 0) -> int:
    """The cost of a call with this usage in nano-dollars; the total is rounded half up, its terms are not.

    image_input_tokens: how many of the input tokens are pictures.

    Example:
        >>> price = Price(Decimal("0.15"), Decimal("0.60"), Decimal("0.075"), Decimal("0.15"))
        >>> cost_nano_usd(gw.Usage(input_tokens=1000, output_tokens=10, reasoning_tokens=5), price)
        159000
    """
    inputs = usage.input_tokens * price.input + usage.cache_read_tokens * price.cache_read + usage.cache_write_tokens * price.cache_write
    outputs = (usage.output_tokens + usage.reasoning_tokens) * price.output
    if price.long_above and usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens > price.long_above:
        inputs, outputs = inputs * price.long_input, outputs * price.long_output
    if price.image_input is not None:
        inputs += image_input_tokens * (price.image_input - price.input)
    pieces = (
        usage.output_images * (price.per_image or 0)
        + Decimal(usage.output_milliseconds) / 1000 * (price.per_second or 0)
        + (price.per_call or 0)
    )
    return int(((inputs + outputs) * NANO_USD_PER_TOKEN + pieces * NANO_USD).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _plain(value: Decimal | None) -> str:
    return "" if value is None else format(value.normalize(), "f")
