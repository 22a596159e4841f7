"""Amounts that people write."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from genlevel.documents.words import NANO

MOST_DOLLARS = 1_000_000_000


def nano_usd(written: str) -> int:
    """US dollars as whole nano-dollars. Raises ValueError, in one line, for what is no amount that can be spent.

    >>> nano_usd("$0.25")
    250000000
    """
    try:
        amount = Decimal(written.strip().removeprefix("$"))
    except InvalidOperation:
        raise ValueError(f"{written!r} is not an amount in dollars") from None
    if not amount.is_finite() or amount < 0 or amount > MOST_DOLLARS:
        raise ValueError(f"{written!r} is not an amount that can be spent")
    return int(amount * NANO)


def dollars(nano: int) -> str:
    """Whole nano-dollars as ``nano_usd`` reads them, exactly.

    >>> dollars(250_000_000), dollars(20_000_000_000)
    ('0.25', '20')
    """
    whole, rest = divmod(nano, NANO)
    return f"{whole}.{rest:09d}".rstrip("0").rstrip(".")
