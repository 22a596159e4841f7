"""What a batch changes of a model: its prices. Whether it has a batch API is for its route to say."""

from __future__ import annotations

from decimal import Decimal

from genlevel.runtime.errors import UsageError
from genlevel.v1 import gateway_pb2 as gw

_AT_ONCE = frozenset(("cache_read", "cache_read_audio", "source", "as_of"))
"""Not all providers have cached tokens for less in a batch: their price is a bound of it, and is below that of others in any case."""
_AMOUNTS = tuple(
    field.name
    for field in gw.Price.DESCRIPTOR.fields
    if field.type == field.TYPE_STRING and not field.name.startswith("long_context") and field.name not in _AT_ONCE
)


def batched(model: gw.ModelInfo) -> gw.ModelInfo:
    """The model at what its calls cost in a batch. A factor that is not known counts as 1, which is a bound.

    Raises UsageError if it cannot be asked in batches.

    Example:
        >>> model = gw.ModelInfo(price=gw.Price(input="2.5", output="10"), batch=gw.BatchLimits(items=10, price_factor="0.5"))
        >>> price = batched(model).price
        >>> price.input, price.output, price.cache_read
        ('1.25', '5', '')
    """
    check_batches(model)
    if not model.HasField("price") or not model.batch.price_factor:
        return model
    found = gw.ModelInfo()
    found.CopyFrom(model)
    factor = Decimal(model.batch.price_factor)
    for name in _AMOUNTS:
        if amount := getattr(model.price, name):
            setattr(found.price, name, f"{(Decimal(amount) * factor).normalize():f}")
    return found


def check_batches(model: gw.ModelInfo) -> None:
    """Raises UsageError if a model cannot be asked in batches."""
    if not model.HasField("batch"):
        raise UsageError(
            f"--batch cannot be kept for {model.route}: no batch API is known for what {model.provider} offers there; "
            "leave it out, and it is asked call by call (a run that was started with it: `genlevel resume RUN --no-batch`)"
        )
