"""What an answer costs: decimals per million tokens, totals in integer nano-dollars (billionths of a US dollar)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal

from genlevel.runtime.settings import ModelPrice
from genlevel.v1 import gateway_pb2 as gw

# Dollars per million tokens, times tokens, to billionths of a dollar.
NANO_USD_PER_TOKEN = Decimal(1000)
NANO_USD = Decimal(1_000_000_000)
ONE = Decimal(1)
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens of each bucket, and per piece of media (None: not billed so). Reasoning tokens are billed as output.

    If long_above is not 0, a request with more input tokens than that (cached ones included) costs all of its
    input long_input times and all of its output long_output times as much. image_input, audio_input, image_output, audio_output: tokens
    of pictures and sound, if they cost something else, as sound read from a cache may (cache_read_audio). cache_write_hour: written to be
    kept for an hour. per_second: of what is made; per_input_second: of sound that goes in. characters: per million of text to read aloud.
    """

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal
    long_above: int = 0
    long_input: Decimal = ONE
    long_output: Decimal = ONE
    cache_write_hour: Decimal | None = None
    image_input: Decimal | None = None
    audio_input: Decimal | None = None
    cache_read_audio: Decimal | None = None
    image_output: Decimal | None = None
    audio_output: Decimal | None = None
    per_image: Decimal | None = None
    per_second: Decimal | None = None
    per_input_second: Decimal | None = None
    per_call: Decimal | None = None
    characters: Decimal | None = None
    is_split: bool = field(init=False, repr=False, compare=False)
    """Whether an answer has to say what of its usage was sound or pictures for its cost to be told."""
    has_pieces: bool = field(init=False, repr=False, compare=False)
    """Whether pictures, lengths or calls are billed."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_split", any(getattr(self, name) is not None for name in _APART))
        object.__setattr__(self, "has_pieces", any(getattr(self, name) is not None for name in _PIECES))

    def is_known(self, usage: gw.Usage, *, tokens: bool, lengths: bool = True) -> bool:
        """Whether an answer's cost can be told: the counts of billed tokens, lengths and parts are known."""
        counted = tokens or not any(getattr(self, name) for name in _OF_TOKENS)
        return counted and (lengths or not (self.per_second or self.per_input_second)) and (not self.is_split or usage.HasField("details"))

    def batched(self, factor: Decimal) -> Price:
        """The price of a call in a batch, all of which costs this factor of what it costs at once. factor: above 0, at most 1.

        Example:
            >>> Price(Decimal(2), Decimal(10), Decimal("0.2"), Decimal("2.5"), per_image=Decimal("0.04")).batched(Decimal("0.5")).per_image
            Decimal('0.020')
        """
        return replace(self, **{name: value * factor for name in AMOUNTS if (value := getattr(self, name)) is not None})

    @classmethod
    def of(cls, price: ModelPrice) -> Price:
        """A configured or shipped price; cached tokens default to the input price."""
        long = price.long_context
        known = {name: getattr(price, name) for name in AMOUNTS}
        known["cache_read"] = price.input if price.cache_read is None else price.cache_read
        known["cache_write"] = price.input if price.cache_write is None else price.cache_write
        if long is None:
            return cls(**known)
        return cls(**known, long_above=long.above, long_input=long.input, long_output=long.output)

    def message(self) -> gw.Price:
        """The price as decimals in text."""
        price = gw.Price()
        for name in AMOUNTS:
            setattr(price, name, _plain(getattr(self, name)))
        if self.long_above:
            price.long_context_above_tokens = self.long_above
            price.long_context_input_factor = _plain(self.long_input)
            price.long_context_output_factor = _plain(self.long_output)
        return price


@dataclass(frozen=True, slots=True)
class DatedPrice:
    """A price, and where it is from. as_of: the day on which it was read; "" = not said. later: what it is from changes_on on (UTC)."""

    first: Price
    source: str = ""
    as_of: str = ""
    changes_on: date | None = None
    later: Price | None = None

    @property
    def now(self) -> Price:
        """What is in force today."""
        return self.first if self.changes_on is None else self.on(datetime.now(UTC).date())

    def on(self, day: date) -> Price:
        """What is in force on a day."""
        return self.first if self.later is None or self.changes_on is None or day < self.changes_on else self.later

    def message(self) -> gw.Price:
        """Today's price as decimals in text, with its source."""
        price = self.now.message()
        price.source, price.as_of = self.source, self.as_of
        return price


# The fields that are amounts, by the same names in settings and in the contract.
AMOUNTS = tuple(one.name for one in fields(Price) if one.init and not one.name.startswith("long_"))
_PIECES = ("per_image", "per_second", "per_call")
_APART = ("audio_input", "cache_read_audio", "audio_output", "image_output", "per_input_second", "characters")
_OF_TOKENS = tuple(name for name in AMOUNTS if not name.startswith("per_") and name != "characters")


def cost_nano_usd(usage: gw.Usage, price: Price) -> int:
    """The cost of a call with this usage in nano-dollars; the total is rounded half up, its terms are not.

    Example:
        >>> price = Price(Decimal("0.15"), Decimal("0.60"), Decimal("0.075"), Decimal("0.15"))
        >>> cost_nano_usd(gw.Usage(input_tokens=1000, output_tokens=10, reasoning_tokens=5), price)
        159000
    """
    inputs = usage.input_tokens * price.input + usage.cache_read_tokens * price.cache_read + usage.cache_write_tokens * price.cache_write
    outputs = (usage.output_tokens + usage.reasoning_tokens) * price.output
    pieces = _pieces(usage, price) if price.has_pieces else NOTHING
    if usage.HasField("details"):
        beside = _apart(usage, price)
        inputs, outputs, pieces = inputs + beside[0], outputs + beside[1], pieces + beside[2]
    if price.long_above and usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens > price.long_above:
        inputs, outputs = inputs * price.long_input, outputs * price.long_output
    total = (inputs + outputs) * NANO_USD_PER_TOKEN
    if pieces:
        total += pieces * NANO_USD
    return int(total.quantize(ONE, rounding=ROUND_HALF_UP))


def _pieces(usage: gw.Usage, price: Price) -> Decimal:
    """What pictures, lengths and the call itself cost in US$."""
    pieces = usage.output_images * (price.per_image or NOTHING) + (price.per_call or NOTHING)
    return pieces + Decimal(usage.output_milliseconds) / 1000 * (price.per_second or NOTHING)


def _apart(usage: gw.Usage, price: Price) -> tuple[Decimal, Decimal, Decimal]:
    """What the parts that are billed apart cost beyond what their buckets do: input and output in US$ per million, pieces in US$."""
    details = usage.details
    inputs = (
        details.input_audio_tokens * _beyond(price.audio_input, price.input)
        + details.input_image_tokens * _beyond(price.image_input, price.input)
        + details.cache_read_audio_tokens * _beyond(price.cache_read_audio, price.cache_read)
        + details.cache_write_hour_tokens * _beyond(price.cache_write_hour, price.cache_write)
    )
    outputs = details.output_audio_tokens * _beyond(price.audio_output, price.output) + details.output_image_tokens * _beyond(
        price.image_output, price.output
    )
    pieces = Decimal(details.input_milliseconds) / 1000 * (price.per_input_second or NOTHING)
    return inputs, outputs, pieces + Decimal(details.input_characters) / 1_000_000 * (price.characters or NOTHING)


def _beyond(price: Decimal | None, usual: Decimal) -> Decimal:
    return NOTHING if price is None else price - usual


def _plain(value: Decimal | None) -> str:
    return "" if value is None else format(value.normalize(), "f")
