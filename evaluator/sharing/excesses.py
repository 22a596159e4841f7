"""What bills above the worst case have taught of a run's model, as one member tells the others, and whoever ends the run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple
from typing import NamedTuple

import orjson

from evaluator.traffic.budget import Wrong
from evaluator.traffic.purses import Excess, Excesses

NO_EXCESS: Excesses = (None, None)


class Taught(NamedTuple):
    """What one member has seen. wrong: such bills, in money and in tokens, as of ``Budget.wrong``; None: not told."""

    excesses: Excesses = NO_EXCESS
    wrong: tuple[Wrong, Wrong] | None = None


NOTHING_TAUGHT = Taught()


def highest(known: Iterable[Excesses]) -> Excesses:
    """The highest of several, in money and in tokens."""
    pairs = list(known)
    return _highest(pair[0] for pair in pairs), _highest(pair[1] for pair in pairs)


def all_wrong(known: Iterable[Taught]) -> tuple[Wrong, Wrong]:
    """The wrong bills of several members together."""
    found = (Wrong(), Wrong())
    for taught in known:
        for both, one in zip(found, taught.wrong or (), strict=False):
            both.add(one)
    return found


def written(taught: Taught) -> str:
    """What was learnt, as JSON; "" = no bill was above its worst case."""
    excesses = [excess and tuple(excess) for excess in taught.excesses]
    if taught.wrong is None or not any(one.count for one in taught.wrong):
        return "" if taught.excesses == NO_EXCESS else orjson.dumps([excesses, None]).decode()
    return orjson.dumps([excesses, [astuple(one) for one in taught.wrong]]).decode()


def read(text: str) -> Taught:
    """What ``written`` has written."""
    if not text:
        return NOTHING_TAUGHT
    excesses, wrong = orjson.loads(text)
    money, tokens = (excess and Excess(*excess) for excess in excesses)
    return Taught((money, tokens), None if wrong is None else (Wrong(*wrong[0]), Wrong(*wrong[1])))


def _highest(known: Iterable[Excess | None]) -> Excess | None:
    found = [one for one in known if one is not None]
    return Excess(max(one.ratio for one in found), max(one.most for one in found)) if found else None
