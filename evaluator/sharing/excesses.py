"""What bills above the worst case have taught of a run's model, as one member tells the others."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from evaluator.traffic.purses import Excess, Excesses

NO_EXCESS: Excesses = (None, None)


def highest(known: Iterable[Excesses]) -> Excesses:
    """The highest of several, in money and in tokens."""
    pairs = list(known)
    return _highest(pair[0] for pair in pairs), _highest(pair[1] for pair in pairs)


def written_excesses(known: Iterable[Excesses]) -> str:
    """The highest of several as JSON; "" = no bill was above its worst case."""
    found = highest(known)
    return "" if found == NO_EXCESS else orjson.dumps([one and tuple(one) for one in found]).decode()


def read_excesses(text: str) -> Excesses:
    """What ``written_excesses`` has written."""
    if not text:
        return NO_EXCESS
    money, tokens = (None if one is None else Excess(*one) for one in orjson.loads(text))
    return money, tokens


def _highest(known: Iterable[Excess | None]) -> Excess | None:
    found = [one for one in known if one is not None]
    return Excess(max(one.ratio for one in found), max(one.most for one in found)) if found else None
